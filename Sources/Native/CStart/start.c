// Before the libraries begin: whether there is room for their threads.
//
// OpenBLAS makes its threads while it is loaded, and where that fails it prints three lines and interrupts the program;
// libdispatch waits for ever for a thread that it cannot have. So the threads that a run needs are made once, let go
// again, and where that fails the program says so. An entry of .preinit_array runs before every library's own.
//
// The same of memory where its addresses are limited: OpenBLAS asks for its threads' buffers again and again without an
// end.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "CStart.h"

// The stack has room for what libraries keep for each thread.
enum { POOL = 8, OTHERS = 3, MOST = 48, STACK = 512 << 10 };

// In MB: what OpenBLAS keeps for each of its threads and, in newer versions, for the first one; what the libraries take
// beside; and a thread's stack where it has no limit.
enum { BUFFER = 129, FIRST = 88, LIBRARIES = 24, USUAL_STACK = 2 };

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

// Threads that compute, by the variables that say so.
static long computing(char **environment) {
  long all = processors(), wish = variable(environment, "OMP_NUM_THREADS");
  return wish > 0 && wish < all ? wish : all;
}

// Beside the first one: OpenBLAS's and the team's, those that Swift's tasks run on, and the model's, the timer's and
// the signals'.
static int needed(char **environment) {
  int all = processors();
  long count = 2 * (computing(environment) - 1) + (all < POOL ? all : POOL) + OTHERS;
  return count < MOST ? (int)count : MOST;
}

// The `field`-th number in /proc/self/statm, in MB.
static long pages_in_use(int field) {
  char text[128] = {0}, *at = text;
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
  close(file);
  long pages = 0;
  for (int i = 0; i <= field; i++) pages = strtol(at, &at, 10);
  return pages * (sysconf(_SC_PAGESIZE) >> 10) >> 10;
}

// Whether a failure is told as an object, as everywhere else.
static bool is_json;

static void look_for_json(int count, char **arguments) {
  for (int i = 1; i < count && strcmp(arguments[i], "--") != 0; i++)
    if (strcmp(arguments[i], "--json") == 0) is_json = true;
}

static bool write_text(int descriptor, const char *text, int length) {
  return length > 0 && write(descriptor, text, (size_t)length) == length;
}

// Ends the program: one line on standard error, or one object on standard output; what is said holds nothing that JSON
// writes in another way.
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  char text[320], line[360];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  bool is_said = is_json && write_text(STDOUT_FILENO, line, snprintf(line, sizeof line, "{\"error\":\"%s\"}\n", text));
  if (!is_said) write_text(STDERR_FILENO, line, snprintf(line, sizeof line, "vugen: %s\n", text));
  _exit(1);
}

// Ends the program where a limit has no room for what is needed beside what is in use.
static void check_limit(int resource, const char *option, int field, long more) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  // Threads would each reserve a part of the addresses for what they allocate.
  mallopt(M_ARENA_MAX, 1);
  long least = pages_in_use(field) + more, most = (long)(limit.rlim_cur >> 20);
  if (least <= most) return;
  say(
    "not enough memory: it needs about %ld MB to begin, and %ld MB may be used here; raise the limit (ulimit %s), or "
    "set OMP_NUM_THREADS=1",
    least, most, option);
}

static void check_memory(char **environment) {
  struct rlimit stack;
  bool is_limited = getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY;
  long each = is_limited ? (long)(stack.rlim_cur >> 20) : USUAL_STACK, others = computing(environment) - 1;
  // All that waits for a thread without an end, and one that runs tasks.
  long more = LIBRARIES + FIRST + others * BUFFER + (2 * others + OTHERS + 1) * (each < 1 ? 1 : each);
  check_limit(RLIMIT_AS, "-v", 0, more);
  check_limit(RLIMIT_DATA, "-d", 5, more);
}

// The first thread's stack grows as far as its limit lets it, also where that is raised now; the others get as much.
static void check_stack(void) {
  enum { LEAST = 256, WANTED = 8192 };  // in kB
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= (rlim_t)LEAST << 10) return;
  rlim_t wanted = (rlim_t)WANTED << 10;
  struct rlimit more = {.rlim_cur = wanted, .rlim_max = limit.rlim_max > wanted ? limit.rlim_max : wanted};
  struct rlimit most = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_STACK, &more) != 0) setrlimit(RLIMIT_STACK, &most);
  if (getrlimit(RLIMIT_STACK, &limit) != 0) return;
  if (limit.rlim_cur < (rlim_t)LEAST << 10)
    say("the stack may have %ld kB, and %d kB are needed; raise the limit (ulimit -s %d)", (long)(limit.rlim_cur >> 10),
        LEAST, WANTED);
  pthread_attr_t usual;
  pthread_attr_init(&usual);
  if (pthread_attr_setstacksize(&usual, limit.rlim_cur < wanted ? limit.rlim_cur : wanted) == 0)
    pthread_setattr_default_np(&usual);
  pthread_attr_destroy(&usual);
}

// Files that may be open at once: with too few, whatever is opened last seems not to be there.
static void check_files(void) {
  enum { LEAST = 24, WANTED = 1024 };
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= LEAST) return;
  struct rlimit more = {.rlim_cur = WANTED, .rlim_max = limit.rlim_max > WANTED ? limit.rlim_max : WANTED};
  struct rlimit most = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &more) != 0) setrlimit(RLIMIT_NOFILE, &most);
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= LEAST) return;
  say("%ld files may be open at once, and %d are needed; raise the limit (ulimit -n %d)", (long)limit.rlim_cur, LEAST,
      WANTED);
}

// Whether a value is a number of threads, or a list of such for levels of nesting.
static bool is_thread_count(const char *value) {
  for (;;) {
    char *end;
    long count = strtol(value, &end, 10);
    if (end == value || count < 1 || count > INT_MAX) return false;
    while (*end == ' ' || *end == '\t') end++;
    if (*end == 0) return true;
    if (*end != ',') return false;
    value = end + 1;
  }
}

static bool is_refused;
static char refused[41];

// A number of threads that is none means nothing, here as elsewhere: it is taken away before libgomp reads it, which
// would print two lines about it.
static void drop_wrong_thread_count(char **environment) {
  static const char name[] = "OMP_NUM_THREADS=";
  char **to = environment;
  for (char **from = environment; *from; from++) {
    const char *value = *from + sizeof name - 1;
    if (strncmp(*from, name, sizeof name - 1) != 0 || is_thread_count(value)) {
      *to++ = *from;
    } else {
      snprintf(refused, sizeof refused, "%s", value);
      is_refused = true;
    }
  }
  *to = NULL;
}

const char *vugen_refused_threads(void) { return is_refused ? refused : NULL; }

static void check(int count, char **arguments, char **environment) {
  look_for_json(count, arguments);
  drop_wrong_thread_count(environment);
  check_files();
  check_stack();
  check_memory(environment);
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
  say(
    "only %d of the %d threads that it needs can be made; raise the limit on processes (ulimit -u, or the "
    "container's), "
    "or set OMP_NUM_THREADS=1",
    made, wanted);
}

__attribute__((section(".preinit_array"), used)) static void (*const entry)(int, char **, char **) = check;
