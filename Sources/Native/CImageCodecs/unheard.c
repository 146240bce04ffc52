#define _GNU_SOURCE 1
#include <sched.h>
#include <signal.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "codecs.h"

typedef struct {
  vugen_decoder decode;
  const uint8_t *bytes;
  size_t count;
  uint64_t max_pixels;
  vugen_image *image;
  int status;
} job;

// From here on this thread, and those that the library starts from it, have a table of open files of their own. Containers
// often allow the second way alone, which closes nothing here.
static bool take_own_files(void) {
  return unshare(CLONE_FILES) == 0 || close_range(INT_MAX, INT_MAX, CLOSE_RANGE_UNSHARE) == 0;
}

static void *run(void *argument) {
  job *work = argument;
  if (take_own_files()) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  }
  work->status = work->decode(work->bytes, work->count, work->max_pixels, work->image);
  return NULL;
}

// What somebody sends to the process is for the other threads, whose standard error still leads somewhere; what a thread
// does to itself reaches it.
static void leave_signals(sigset_t *before) {
  static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS};
  sigset_t others;
  sigfillset(&others);
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) sigdelset(&others, own[i]);
  pthread_sigmask(SIG_BLOCK, &others, before);
}

int vugen_decode_unheard(vugen_decoder decode, const uint8_t *bytes, size_t count, uint64_t max_pixels,
                         vugen_image *image) {
  job work = {decode, bytes, count, max_pixels, image, 1};
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t before;
  if (pthread_attr_init(&attributes) != 0) return decode(bytes, count, max_pixels, image);
  pthread_attr_setstacksize(&attributes, 8 << 20);
  leave_signals(&before);
  int is_alone = pthread_create(&thread, &attributes, run, &work) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  // Without another thread it is decoded all the same, heard as it may be.
  if (!is_alone) return decode(bytes, count, max_pixels, image);
  pthread_join(thread, NULL);
  return work.status;
}
