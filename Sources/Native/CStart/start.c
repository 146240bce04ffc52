// Before the libraries begin: whether there is room for their threads.
//
// OpenBLAS makes its threads while it is loaded, and where that fails it prints three lines and interrupts the program;
// libdispatch waits for ever for a thread that it cannot have. So the threads that a run needs are made once, let go
// again, and where that fails the program says so. An entry of .preinit_array runs before every library's own.

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The stack has room for what libraries keep for each thread.
enum { POOL = 8, OTHERS = 3, MOST = 48, STACK = 512 << 10 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *pass_gate(void *nothing) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return nothing;
}

// A number in the environment, which getenv does not know this early; 0 where there is none.
static long variable(char **environment, const char *name) {
  size_t length = strlen(name);
  for (; environment && *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
      return strtol(*environment + length + 1, NULL, 10);
  return 0;
}

static int processors(void) {
  cpu_set_t set;
  int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return count > 0 ? count : 1;
}

// Beside the first one: OpenBLAS's and the team's, those that Swift's tasks run on, and the model's, the timer's and
// the signals'.
static int needed(char **environment) {
  int all = processors();
  long wish = variable(environment, "OMP_NUM_THREADS");
  long computing = wish > 0 && wish < all ? wish : all;
  long count = 2 * (computing - 1) + (all < POOL ? all : POOL) + OTHERS;
  return count < MOST ? (int)count : MOST;
}

static void check(int count, char **arguments, char **environment) {
  (void)count, (void)arguments;
  pthread_t threads[MOST];
  pthread_attr_t small;
  int wanted = needed(environment), made = 0, error = 0;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, STACK);
  pthread_mutex_lock(&gate);
  while (made < wanted && (error = pthread_create(&threads[made], &small, pass_gate, NULL)) == 0) made++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
  pthread_attr_destroy(&small);
  if (error != EAGAIN) return;
  char text[240];
  int length = snprintf(
    text, sizeof text,
    "vugen: only %d of the %d threads that it needs can be made; raise the limit on processes (ulimit -u, or the "
    "container's), or set OMP_NUM_THREADS=1\n",
    made, wanted);
  if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0) _exit(1);
  _exit(1);
}

__attribute__((section(".preinit_array"), used)) static void (*const entry)(int, char **, char **) = check;
