#define _GNU_SOURCE
#include "ProgramStart.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>

int start_program(char *const *words, char *const *environment, const char *folder, const char *input, int output,
                  int errors, pid_t *process) {
  int is_terminal = output < 0;
  sigset_t all, none;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  short group = is_terminal ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(&attributes, (short)(group | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  posix_spawn_file_actions_init(&actions);
  // The first terminal that a session's leader opens is the session's.
  posix_spawn_file_actions_addopen(&actions, 0, input, is_terminal ? O_RDWR : O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, is_terminal ? 0 : output, 1);
  posix_spawn_file_actions_adddup2(&actions, is_terminal ? 0 : errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (folder) posix_spawn_file_actions_addchdir_np(&actions, folder);
  int problem = posix_spawn(process, words[0], &actions, &attributes, words, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return problem;
}

// Linux makes writes that share a position wait for each other in files, but not in files of memory: of what two
// programs write at once a part is lost, unless each write goes to the end.
int nameless_file(void) {
  int file = memfd_create("vugen-test", MFD_CLOEXEC);
  if (file >= 0) fcntl(file, F_SETFL, O_APPEND);
  return file;
}
