// The one team of threads: what our kernels and oneDNN's primitives run on. `team.c` says how it waits.

#ifndef VUGEN_TEAM_H
#define VUGEN_TEAM_H

#include <stdint.h>

// Calls body(data) once for each of `parts` parts, the first on the calling thread, and returns when all are done.
// A part that no worker has begun when the caller has finished its own is done by the caller, so that nobody waits
// for a thread that has no processor. Inside a part: a team of one.
void vugen_team_run(void (*body)(void *), void *data, int32_t parts);

// The thread budget, once the calling thread has a team of that many: 1 where the system starts no more threads.
int32_t vugen_team_threads(void);

#endif
