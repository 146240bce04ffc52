#define _GNU_SOURCE
#include "CMPI.h"

#include <dlfcn.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Open MPI's binary interface, the same from 4.0 to 5.0 (libmpi.so.40): handles are pointers, constants the addresses of
// the library's own variables, and its first parameters are C's.
typedef struct ompi_communicator_t *Comm;
typedef struct ompi_datatype_t *Type;
typedef struct ompi_op_t *Op;
typedef struct ompi_request_t *Request;
typedef struct ompi_errhandler_t *Handler;

enum { SUCCESS = 0, THREAD_SERIALIZED = 2, LONGEST_TEXT = 256 };
#define IN_PLACE ((void *)1)
#define NO_STATUS ((void *)0)

#define FUNCTIONS(X)                                                                    \
  X(MPI_Init_thread, int, (int *, char ***, int, int *))                                \
  X(MPI_Finalize, int, (void))                                                          \
  X(MPI_Abort, int, (Comm, int))                                                        \
  X(MPI_Comm_rank, int, (Comm, int *))                                                  \
  X(MPI_Comm_size, int, (Comm, int *))                                                  \
  X(MPI_Comm_dup, int, (Comm, Comm *))                                                  \
  X(MPI_Comm_set_errhandler, int, (Comm, Handler))                                      \
  X(MPI_Error_string, int, (int, char *, int *))                                        \
  X(MPI_Get_library_version, int, (char *, int *))                                      \
  X(MPI_Iallreduce, int, (const void *, void *, int, Type, Op, Comm, Request *))        \
  X(MPI_Ibcast, int, (void *, int, Type, int, Comm, Request *))                         \
  X(MPI_Iallgather, int, (const void *, int, Type, void *, int, Type, Comm, Request *)) \
  X(MPI_Ibarrier, int, (Comm, Request *))                                               \
  X(MPI_Issend, int, (const void *, int, Type, int, int, Comm, Request *))              \
  X(MPI_Irecv, int, (void *, int, Type, int, int, Comm, Request *))                     \
  X(MPI_Test, int, (Request *, int *, void *))

#define VARIABLES(X)     \
  X(ompi_mpi_comm_world) \
  X(ompi_mpi_float)      \
  X(ompi_mpi_double)     \
  X(ompi_mpi_byte)       \
  X(ompi_mpi_op_sum)     \
  X(ompi_mpi_op_max)     \
  X(ompi_mpi_errors_return)

#define FUNCTION(name, result, arguments) result(*name) arguments;
#define VARIABLE(name) void *name;
static struct { FUNCTIONS(FUNCTION) VARIABLES(VARIABLE) } lib;

static bool (*gives_up)(void);

// Sums that go on beside other work have an order of their own.
static Comm beside;

// The number in the first of these variables that is there; `otherwise` where none is.
static int number_in(const char *const *names, int otherwise) {
  for (; *names != NULL; names++) {
    const char *text = getenv(*names);
    if (text != NULL) return atoi(text);
  }
  return otherwise;
}

// mpirun's own variables; those of Slurm and other launchers that speak PMIx or PMI.
int vugen_mpi_launched_rank(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};
  return number_in(names, -1);
}

int vugen_mpi_launched_count(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", NULL};
  return vugen_mpi_launched_rank() < 0 ? 1 : number_in(names, 0);
}

static bool load(char *reason, size_t size) {
  static const char *const names[] = {"libmpi.so.40", "libmpi.so"};
  void *handle = NULL;
  // Its own plug-ins look for its symbols among all. The last one that is tried is the first name again: its reason is told.
  for (int i = 0; handle == NULL && i < 3; i++) handle = dlopen(names[i % 2], RTLD_NOW | RTLD_GLOBAL);
  if (handle == NULL) {
    const char *why = dlerror();
    snprintf(reason, size, "%.200s", why != NULL ? why : names[0]);
    return false;
  }
#define LOOK_UP(name)                                                                               \
  *(void **)&lib.name = dlsym(handle, #name);                                                       \
  if (lib.name == NULL) {                                                                           \
    snprintf(reason, size, "the MPI library here is not Open MPI 4 or later: it has no %s", #name); \
    return false;                                                                                   \
  }
#define LOOK_UP_FUNCTION(name, result, arguments) LOOK_UP(name)
  FUNCTIONS(LOOK_UP_FUNCTION)
  VARIABLES(LOOK_UP)
  return true;
}

bool vugen_mpi_library(char *text, size_t size) {
  if (!load(text, size)) return false;
  // Room for MPI_MAX_LIBRARY_VERSION_STRING of any version.
  char version[8192] = {0};
  int length = 0;
  if (lib.MPI_Get_library_version(version, &length) != SUCCESS) version[0] = 0;
  version[strcspn(version, ",\n")] = 0;
  snprintf(text, size, "%.200s", version[0] != 0 ? version : "Open MPI");
  return true;
}

typedef int (*Show)(const char *file, const char *topic, int has_header, ...);
static char *(*rendered)(const char *file, const char *topic, int has_header, va_list values);

// Open MPI's own takes a bool there, which arrives as an int whose lowest byte counts.
static int show_here(const char *file, const char *topic, int has_header, ...) {
  // Told by whoever waits for the other.
  if (strcmp(topic, "peer hung up") == 0) return SUCCESS;
  va_list values;
  va_start(values, has_header);
  char *text = rendered(file, topic, (has_header & 0xff) != 0, values);
  va_end(values);
  if (text != NULL) fputs(text, stderr);
  free(text);
  return SUCCESS;
}

// Open MPI 4 gives its messages to the launcher and waits until it has taken them. A launcher that is ending the others
// takes none: the message that another has gone would hold this process within the library until it is killed, with all that
// it has to save. So they are printed here.
static void print_messages_here(void) {
  Show *shown = (Show *)dlsym(RTLD_DEFAULT, "opal_show_help");
  Show waiting;
  *(void **)&waiting = dlsym(RTLD_DEFAULT, "orte_show_help");
  *(void **)&rendered = dlsym(RTLD_DEFAULT, "opal_show_help_vstring");
  if (shown != NULL && waiting != NULL && rendered != NULL && *shown == waiting) *shown = show_here;
}

vugen_mpi_end_kind vugen_mpi_begin(int *rank, int *count, char *reason, size_t size) {
  if (!load(reason, size)) return VUGEN_MPI_NO_LIBRARY;
  // Open MPI 5 ends this process where another has gone, unless it is told to say so instead.
  setenv("OMPI_MCA_mpi_ft_enable", "1", 0);
  int given = 0, status = lib.MPI_Init_thread(NULL, NULL, THREAD_SERIALIZED, &given);
  if (status == SUCCESS) status = lib.MPI_Comm_set_errhandler(lib.ompi_mpi_comm_world, lib.ompi_mpi_errors_return);
  if (status == SUCCESS) status = lib.MPI_Comm_dup(lib.ompi_mpi_comm_world, &beside);
  if (status == SUCCESS) status = lib.MPI_Comm_rank(lib.ompi_mpi_comm_world, rank);
  if (status == SUCCESS) status = lib.MPI_Comm_size(lib.ompi_mpi_comm_world, count);
  if (status == SUCCESS) {
    print_messages_here();
    return VUGEN_MPI_DONE;
  }
  char text[LONGEST_TEXT + 1] = {0};
  int length = 0;
  lib.MPI_Error_string(status, text, &length);
  snprintf(reason, size, "%.200s", text);
  return VUGEN_MPI_FAILED;
}

void vugen_mpi_when_waiting(bool (*ask)(void)) { gives_up = ask; }

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Looks often at first, then sleeps between two looks: a rank that waits long leaves its processor to others.
static vugen_mpi_end_kind wait_for(Request *request) {
  double start = seconds();
  for (;;) {
    int is_done = 0;
    if (lib.MPI_Test(request, &is_done, NO_STATUS) != SUCCESS) return VUGEN_MPI_FAILED;
    if (is_done) return VUGEN_MPI_DONE;
    double waited = seconds() - start;
    if (waited < 100e-6) {
      sched_yield();
      continue;
    }
    if (gives_up != NULL && gives_up()) return VUGEN_MPI_GIVEN_UP;
    struct timespec nap = {0, waited < 0.2 ? 50000 : 1000000};
    nanosleep(&nap, NULL);
  }
}

// Counts are C's int: what is longer goes in pieces. Bytes from rank to rank have one mark.
enum { PIECE = 1 << 28, ROW = 1 };

static vugen_mpi_end_kind reduce(void *values, size_t count, size_t width, void *type, void *op) {
  for (size_t start = 0; start < count; start += PIECE) {
    size_t length = count - start < PIECE ? count - start : PIECE;
    Request request;
    if (lib.MPI_Iallreduce(IN_PLACE, (char *)values + start * width, (int)length, type, op, lib.ompi_mpi_comm_world,
                           &request) != SUCCESS)
      return VUGEN_MPI_FAILED;
    vugen_mpi_end_kind end = wait_for(&request);
    if (end != VUGEN_MPI_DONE) return end;
  }
  return VUGEN_MPI_DONE;
}

vugen_mpi_end_kind vugen_mpi_sum_floats(float *values, size_t count) {
  return reduce(values, count, sizeof *values, lib.ompi_mpi_float, lib.ompi_mpi_op_sum);
}

vugen_mpi_end_kind vugen_mpi_sum_doubles(double *values, size_t count) {
  return reduce(values, count, sizeof *values, lib.ompi_mpi_double, lib.ompi_mpi_op_sum);
}

vugen_mpi_end_kind vugen_mpi_max_doubles(double *values, size_t count) {
  return reduce(values, count, sizeof *values, lib.ompi_mpi_double, lib.ompi_mpi_op_max);
}

struct vugen_mpi_work {
  Request request;
  bool is_begun, is_done, has_failed;
};

static vugen_mpi_work *new_work(void) { return calloc(1, sizeof(vugen_mpi_work)); }

vugen_mpi_work *vugen_mpi_sum_begin(float *values, size_t count) {
  vugen_mpi_work *work = new_work();
  if (work == NULL) return NULL;
  work->is_begun = count <= PIECE && lib.MPI_Iallreduce(IN_PLACE, values, (int)count, lib.ompi_mpi_float,
                                                        lib.ompi_mpi_op_sum, beside, &work->request) == SUCCESS;
  return work;
}

vugen_mpi_work *vugen_mpi_send_begin(const void *bytes, size_t count, int to) {
  vugen_mpi_work *work = new_work();
  if (work == NULL) return NULL;
  work->is_begun = count <= PIECE && lib.MPI_Issend(bytes, (int)count, lib.ompi_mpi_byte, to, ROW,
                                                    lib.ompi_mpi_comm_world, &work->request) == SUCCESS;
  return work;
}

vugen_mpi_work *vugen_mpi_receive_begin(void *bytes, size_t count, int from) {
  vugen_mpi_work *work = new_work();
  if (work == NULL) return NULL;
  work->is_begun = count <= PIECE && lib.MPI_Irecv(bytes, (int)count, lib.ompi_mpi_byte, from, ROW,
                                                   lib.ompi_mpi_comm_world, &work->request) == SUCCESS;
  return work;
}

bool vugen_mpi_work_help(vugen_mpi_work *work) {
  if (!work->is_begun || work->is_done || work->has_failed) return true;
  int is_done = 0;
  work->has_failed = lib.MPI_Test(&work->request, &is_done, NO_STATUS) != SUCCESS;
  work->is_done = is_done;
  return work->is_done || work->has_failed;
}

vugen_mpi_end_kind vugen_mpi_work_end(vugen_mpi_work *work) {
  vugen_mpi_end_kind end = !work->is_begun || work->has_failed ? VUGEN_MPI_FAILED
                           : work->is_done                     ? VUGEN_MPI_DONE
                                                               : wait_for(&work->request);
  free(work);
  return end;
}

vugen_mpi_end_kind vugen_mpi_broadcast(void *bytes, size_t count, int root) {
  for (size_t start = 0; start < count; start += PIECE) {
    size_t length = count - start < PIECE ? count - start : PIECE;
    Request request;
    if (lib.MPI_Ibcast((char *)bytes + start, (int)length, lib.ompi_mpi_byte, root, lib.ompi_mpi_comm_world,
                       &request) != SUCCESS)
      return VUGEN_MPI_FAILED;
    vugen_mpi_end_kind end = wait_for(&request);
    if (end != VUGEN_MPI_DONE) return end;
  }
  return VUGEN_MPI_DONE;
}

vugen_mpi_end_kind vugen_mpi_gather(const void *bytes, size_t count, void *all) {
  Request request;
  if (count > PIECE || lib.MPI_Iallgather(bytes, (int)count, lib.ompi_mpi_byte, all, (int)count, lib.ompi_mpi_byte,
                                          lib.ompi_mpi_comm_world, &request) != SUCCESS)
    return VUGEN_MPI_FAILED;
  return wait_for(&request);
}

vugen_mpi_end_kind vugen_mpi_barrier(void) {
  Request request;
  if (lib.MPI_Ibarrier(lib.ompi_mpi_comm_world, &request) != SUCCESS) return VUGEN_MPI_FAILED;
  return wait_for(&request);
}

void vugen_mpi_processors(int process, uint8_t *mask, size_t size) {
  memset(mask, 0, size);
  if (sched_getaffinity(process, size, (cpu_set_t *)mask) != 0) memset(mask, 0, size);
}

void vugen_mpi_finish(void) {
  // The library's own wait burns.
  vugen_mpi_barrier();
  lib.MPI_Finalize();
}

void vugen_mpi_abort(int status) {
  lib.MPI_Abort(lib.ompi_mpi_comm_world, status);
  _exit(status);
}
