// What a dying program owes its terminal: a signal that ends the process first gives the terminal back and says what
// happened. The handler calls only what signal-safety(7) allows; all that it writes is made ready beforehand.

#define _GNU_SOURCE 1
#include "guard.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static const struct {
  int number;
  const char *said;
} fatal[] = {
  {SIGSEGV, "crashed (SIGSEGV, a bad memory access)"},
  {SIGBUS, "crashed (SIGBUS, a bad memory access)"},
  {SIGILL, "crashed (SIGILL, an error of its own)"},
  {SIGTRAP, "crashed (SIGTRAP, an error of its own)"},
  {SIGABRT, "crashed (SIGABRT, an error of its own)"},
  {SIGFPE, "crashed (SIGFPE, wrong arithmetic)"},
  {SIGSYS, "crashed (SIGSYS, a refused system call)"},
  {SIGXCPU, "was ended (SIGXCPU, no processor time left)"},
  {SIGUSR1, "was ended (SIGUSR1)"},
  {SIGUSR2, "was ended (SIGUSR2)"},
  {SIGALRM, "was ended (SIGALRM)"},
  {SIGVTALRM, "was ended (SIGVTALRM)"},
  {SIGPROF, "was ended (SIGPROF)"},
};
enum { COUNT = sizeof fatal / sizeof fatal[0], CRASHES = 7, MOST = 2048 };

static struct sigaction before[COUNT];
static bool is_watching, wants_backtrace;
static struct termios modes;
static bool has_modes;
// What is ready is never written over: the next one is made beside it.
static char restoring[2][MOST];
static size_t counts[2];
static _Atomic int ready;
static int made;
static char words[2][MOST];
static _Atomic int spoken;
static atomic_bool has_terminal;
static atomic_flag is_dying = ATOMIC_FLAG_INIT;
// The terminal by a descriptor of our own, and where threads that still live may go on writing to.
static int terminal = -1, nowhere = -1;

// Everything, as far as the terminal takes it within two seconds: one that is stopped must not keep a dead program.
static void say(int descriptor, const char *text, size_t count) {
  for (int tries = 0; count > 0 && tries < 40;) {
    ssize_t n = write(descriptor, text, count);
    if (n > 0) {
      text += n;
      count -= (size_t)n;
      continue;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) return;
    struct pollfd fd = {.fd = descriptor, .events = POLLOUT};
    poll(&fd, 1, 50);
    tries++;
  }
}

static void give_back(const char *said) {
  bool owned = atomic_exchange(&has_terminal, false);
  // Another thread may be drawing: what it is writing now comes before ours, and nothing of it behind.
  if (terminal >= 0 && nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  int flags = fcntl(terminal, F_GETFL);
  if (flags >= 0) fcntl(terminal, F_SETFL, flags | O_NONBLOCK);
  if (owned) {
    // Modes first, so that what follows is shown as the shell would; never waiting for what is still to be sent.
    if (has_modes) tcsetattr(STDIN_FILENO, TCSANOW, &modes);
    int at = atomic_load(&ready);
    say(terminal, restoring[at], counts[at]);
  }
  const char *last = words[atomic_load(&spoken)];
  say(terminal, "\rvugen ", 7);
  say(terminal, said, strlen(said));
  if (last[0]) {
    say(terminal, "; ", 2);
    say(terminal, last, strlen(last));
  }
  say(terminal, "\n", 1);
  if (flags >= 0) fcntl(terminal, F_SETFL, flags);
}

static void die(int number) {
  int saved = errno, at = 0;
  while (at < COUNT - 1 && fatal[at].number != number) at++;
  if (atomic_flag_test_and_set(&is_dying)) {
    // Another thread is at it; the process ends with it.
    poll(NULL, 0, 5000);
  } else {
    give_back(fatal[at].said);
  }
  // It dies of what hit it, status and core included. Swift's runtime would ask whoever sits there what to do, for half
  // a minute: only where that is wanted.
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(number, at < CRASHES && !wants_backtrace ? &plain : &before[at], NULL);
  raise(number);
  errno = saved;
}

static int collect(int c) {
  if (counts[made] < MOST) restoring[made][counts[made]++] = (char)c;
  return c;
}

static void add(const char *text) {
  while (text && *text) collect(*text++);
}

static void add_capability(const char *name) {
  const char *text = tigetstr((char *)name);
  if (text && text != (char *)-1) tputs(text, 1, collect);
}

void vt_guard_give_back(const char *said) {
  if (!atomic_flag_test_and_set(&is_dying)) give_back(said);
}

static bool colours_cursor;

void vt_guard_colours_cursor(bool coloured) {
  if (coloured == colours_cursor) return;
  colours_cursor = coloured;
  vt_guard_prepare(true);
}

void vt_guard_prepare(bool knows_terminal) {
  if (!has_modes) has_modes = tcgetattr(STDIN_FILENO, &modes) == 0;
  made = !atomic_load(&ready);
  counts[made] = 0;
  // The end of a picture that was half sent, of an update, of mouse and pasting.
  add("\x1b\\\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?2004l\x1b[?1036;1039r");
  if (colours_cursor) add("\x1b]112\x07");
  if (knows_terminal) {
    for (const char *const *name = (const char *const[]){"sgr0", "op", "cnorm", "rmkx", "rmcup", NULL}; *name; name++)
      add_capability(*name);
    const char *leave = tigetstr("rmcup");
    if (!leave || leave == (char *)-1) add("\r\n");
  } else {
    add("\x1b[0m\x1b[?25h\x1b[?1l\x1b>\x1b[?1049l");
  }
  atomic_store(&ready, made);
  atomic_store(&has_terminal, true);
}

void vt_guard_owns(bool owns) { atomic_store(&has_terminal, owns); }

// A parent may have handed on that signals wait, as the threads of dispatch queues do. What waits reaches no handler: from
// glibc 2.41 on that goes for abort() as well.
static void let_in(void) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < COUNT; i++) sigaddset(&set, fatal[i].number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void vt_guard_watch(void) {
  if (is_watching) return;
  is_watching = true;
  wants_backtrace = getenv("SWIFT_BACKTRACE") != NULL;
  terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  vt_guard_thread();
  for (int i = 0; i < COUNT; i++) {
    struct sigaction action = {.sa_handler = die, .sa_flags = SA_ONSTACK};
    sigfillset(&action.sa_mask);
    sigaction(fatal[i].number, NULL, &before[i]);
    // What whoever started us wants ignored stays ignored.
    if (before[i].sa_handler == SIG_IGN) continue;
    sigaction(fatal[i].number, &action, NULL);
  }
  let_in();
}

void vt_guard_end(void) {
  if (!is_watching) return;
  is_watching = false;
  for (int i = 0; i < COUNT; i++) sigaction(fatal[i].number, &before[i], NULL);
  atomic_store(&has_terminal, false);
  if (terminal >= 0) close(terminal);
  if (nowhere >= 0) close(nowhere);
  terminal = nowhere = -1;
}

void vt_last_words(const char *text) {
  int next = !atomic_load(&spoken);
  strncpy(words[next], text, MOST - 1);
  words[next][MOST - 1] = 0;
  atomic_store(&spoken, next);
}

// The thread's other stack: a handler needs one where the first is used up.
static pthread_key_t stack_key;
static pthread_once_t stack_once = PTHREAD_ONCE_INIT;
static size_t stack_size;

static void drop_stack(void *stack) {
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(stack, stack_size);
}

static void prepare_stacks(void) {
  // A frame holds all of the processor's registers, which are many by now.
  long least = sysconf(_SC_SIGSTKSZ);
  stack_size = least > 65536 ? (size_t)least : 65536;
  pthread_key_create(&stack_key, drop_stack);
}

void vt_guard_thread(void) {
  pthread_once(&stack_once, prepare_stacks);
  if (pthread_getspecific(stack_key)) return;
  void *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return;
  stack_t own = {.ss_sp = stack, .ss_size = stack_size}, old;
  // One that somebody else gave it serves as well.
  if (sigaltstack(NULL, &old) != 0 || !(old.ss_flags & SS_DISABLE) || sigaltstack(&own, NULL) != 0) {
    munmap(stack, stack_size);
    return;
  }
  pthread_setspecific(stack_key, stack);
}
