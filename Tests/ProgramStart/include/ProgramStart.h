#pragma once

#include <sys/types.h>

// Starts a program with nothing of this process's but what it is given: no other descriptor, no blocked or ignored
// signal. Nothing is forked, which would run this process's own handlers beside its other threads.
//
// It works in `folder` (here where that is NULL), reads from the file `input` and writes to the descriptors `output`
// and `errors`; where they are negative, `input` is a terminal, which is what it has for all three and its session's
// own. It leads a process group of its own.
//
// Returns 0, or the number of what went wrong.
int start_program(char *const *words, char *const *environment, const char *folder, const char *input, int output,
                  int errors, pid_t *process);

// A file without a name, in memory; negative where there is none.
int nameless_file(void);
