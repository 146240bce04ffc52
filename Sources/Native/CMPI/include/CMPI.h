// Several processes as one, through Open MPI, which is loaded where a launcher has started this process as one of many: the
// program is built without it, and a process that is alone never looks for it.
//
// All functions of one process are called by one thread. What several processes do together they call in the same order.
#ifndef VUGEN_CMPI_H
#define VUGEN_CMPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  VUGEN_MPI_DONE,
  // No library of that name, or one that lacks what is needed: `reason` says which.
  VUGEN_MPI_NO_LIBRARY,
  // The library is there and says no.
  VUGEN_MPI_FAILED,
  // What `vugen_mpi_when_waiting` was given said so while the others were waited for.
  VUGEN_MPI_GIVEN_UP,
} vugen_mpi_end_kind;

// What the environment says, before anything is loaded. The rank that a launcher has given this process; -1 without one.
int vugen_mpi_launched_rank(void);
// How many processes it has started; 0 where it does not say.
int vugen_mpi_launched_count(void);

// Whether the library can be loaded and has what is needed; into `text` goes its version, or what is missing.
bool vugen_mpi_library(char *text, size_t size);

// Loads the library and joins the others. Once a process.
vugen_mpi_end_kind vugen_mpi_begin(int *rank, int *count, char *reason, size_t size);

// Asked again and again while others are waited for: true ends the waiting. NULL for never.
void vugen_mpi_when_waiting(bool (*gives_up)(void));

// Sums and largest values over all, in place. The result is the same on all.
vugen_mpi_end_kind vugen_mpi_sum_floats(float *values, size_t count);
vugen_mpi_end_kind vugen_mpi_sum_doubles(double *values, size_t count);
vugen_mpi_end_kind vugen_mpi_max_doubles(double *values, size_t count);

// What goes on beside other work. Its memory is left alone until it is done.
typedef struct vugen_mpi_work vugen_mpi_work;
// A sum, at most 2^28 numbers. Begun in the same order by all, whatever else they do together meanwhile.
vugen_mpi_work *vugen_mpi_sum_begin(float *values, size_t count);
// Bytes from one rank to another, at most 2^28, that arrive in the order in which they were sent. Done on the sender's side
// once the other has asked for them.
vugen_mpi_work *vugen_mpi_send_begin(const void *bytes, size_t count, int to);
vugen_mpi_work *vugen_mpi_receive_begin(void *bytes, size_t count, int from);
// Moves on what is on its way. Every call helps: nothing moves by itself. Returns whether nothing is left to wait for.
bool vugen_mpi_work_help(vugen_mpi_work *work);
// Waits for its end and lets go of it.
vugen_mpi_end_kind vugen_mpi_work_end(vugen_mpi_work *work);

// The bytes of `root` for all.
vugen_mpi_end_kind vugen_mpi_broadcast(void *bytes, size_t count, int root);
// `count` bytes of each, one behind the other, by rank.
vugen_mpi_end_kind vugen_mpi_gather(const void *bytes, size_t count, void *all);
vugen_mpi_end_kind vugen_mpi_barrier(void);

// Processors that a process may use, a bit each, in whole words of 8 bytes; 0 is this process.
void vugen_mpi_processors(int process, uint8_t *mask, size_t size);

// Takes leave of the others, who do the same.
void vugen_mpi_finish(void);
// Ends all processes.
_Noreturn void vugen_mpi_abort(int status);

#endif
