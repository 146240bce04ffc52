// The thread team, in the place of libgomp's.
//
// oneDNN's threads are OpenMP's: it calls GOMP_parallel, GOMP_barrier and five omp functions, and nothing else of
// that runtime. They are defined here, and as the program's own symbols come before a library's, oneDNN runs on the
// same team as our kernels, under one policy of waiting:
//
// - A region is cut in parts. Workers claim them; the caller does the first, and then whatever nobody has begun.
//   On a busy machine the caller therefore never waits for a worker that has no processor, only for one that is in
//   the middle of its part. (A part may wait for the others at a barrier: then the caller's own part does not end
//   before the others were begun by workers, so that none is left to it.)
// - Whoever waits spins for a few microseconds and then sleeps. On a machine that is otherwise idle, where spinning
//   takes nothing from anybody, it spins on for up to LONG_SPIN, which bridges the gaps between regions. How idle the
//   machine is the kernel says: a thread that loses its processor without wanting to has rivals.
// - Where there are rivals, nobody is woken for small regions: a worker's way to a processor would take longer than the
//   work. What regions cost lately decides, as each token or step is made of like ones. Workers take naps meanwhile and
//   look by themselves: oneDNN's parts may wait for each other in its own code, without a word to us.
//
// OMP_NUM_THREADS, OMP_WAIT_POLICY and GOMP_SPINCOUNT mean what they mean to libgomp (wait_policy.c).

#define _GNU_SOURCE
#include "team.h"

#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CKernels.h"

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
void GOMP_barrier(void);
int omp_get_max_threads(void);
int omp_get_num_threads(void);
int omp_get_thread_num(void);
int omp_in_parallel(void);
void omp_set_num_threads(int count);

// ---------------------------------------------------------------- how to wait

enum {
  SHORT_SPIN = 4000,      // ns: about what falling asleep and waking cost
  LONG_SPIN = 500000,     // ns: where nobody else wants the processor
  WINDOW = 10000000,      // ns: rivals are looked for this often
  RARE = 50000000,        // ns: how often, at most, the kernel's own threads take an idle machine's processor
  GAP = 100000,           // ns between two looks at the clock: the processor was taken away
  PAUSES = 16,            // pauses between two looks at the clock
  SMALL = 20000,          // ns: a region that a worker's waking is not worth where there are rivals
  LOOKS = 32,             // regions between two looks for rivals
  MOST_HOLD = 320000000,  // ns: how long rivals that come back each time are believed to be there
  NAP = 1000000,          // ns: how long a worker sleeps that is not woken for small regions
  MOST_NAPS = 64,         // naps without work before a worker sleeps until it is woken
};

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static _Thread_local struct {
  int64_t since, switches;
  bool rivals;
} lately;

// Whether somebody else wanted this thread's processor lately.
static bool has_rivals(int64_t time) {
  int64_t elapsed = time - lately.since;
  if (elapsed < WINDOW) return lately.rivals;
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return true;
  lately.rivals = lately.since != 0 && (usage.ru_nivcsw - lately.switches) * RARE > elapsed;
  lately.since = time;
  lately.switches = usage.ru_nivcsw;
  return lately.rivals;
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void nap_while(_Atomic uint32_t *word, uint32_t value) {
  struct timespec nap = {.tv_nsec = NAP};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &nap, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

// Spins while *word is `value`, as long as the policy says. False: it still is, so sleep.
static bool spin_while(_Atomic uint32_t *word, uint32_t value) {
  vg_wait_policy wait = vugen_wait_policy();
  if (wait.kind == VG_WAIT_PASSIVE) return atomic_load_explicit(word, memory_order_acquire) != value;
  int64_t start = 0, last = 0;
  for (int64_t spins = 0; wait.kind != VG_WAIT_COUNTED || spins < wait.spins; spins++) {
    if (atomic_load_explicit(word, memory_order_acquire) != value) return true;
    __builtin_ia32_pause();
    if (wait.kind != VG_WAIT_ADAPTIVE || spins % PAUSES != 0) continue;
    int64_t time = now();
    if (start == 0) start = last = time;
    if (time - last > GAP) return false;
    if (time - start > LONG_SPIN || (time - start > SHORT_SPIN && has_rivals(time))) return false;
    last = time;
  }
  return false;
}

// ---------------------------------------------------------------- the team

enum { MOST_THREADS = 1024, SPARE_THREADS = 4 };

// One a thread that opens regions, kept until that thread ends.
typedef struct {
  _Atomic uint64_t claim;     // region << 32 | parts << 16 | the next part that nobody has begun
  _Atomic uint32_t bell;      // the number of the region; workers sleep on it
  _Atomic uint32_t sleepers;  // workers that need waking
  _Atomic uint32_t nappers;   // workers that wake by themselves
  _Atomic uint32_t pending;   // parts that are not done, the caller's not counted
  _Atomic uint32_t caller_sleeps;
  _Atomic uint32_t arrived, barrier;  // of OpenMP's barrier: who is there, and how often all were
  _Atomic bool ends;
  void (*body)(void *);
  void *data;
  _Atomic bool crowded;  // whether the caller has rivals
  // The caller's own: until when it believes in rivals, for how long it did, and what regions cost lately in all their
  // parts, ns.
  int32_t looked;
  int64_t crowded_until, hold, cost;
  int64_t seen, switches;  // when the caller's lost turns were counted, and how many there were
  int32_t workers;
  pthread_t threads[];
} team;

// What the part that this thread is in knows of itself; `team` NULL: outside any region.
typedef struct {
  team *team;
  int32_t number, count;
} part;
static _Thread_local part place;

static _Thread_local team *own;
static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void do_part(team *t, int32_t number, int32_t count) {
  part outer = place;
  place = (part){.team = t, .number = number, .count = count};
  t->body(t->data);
  place = outer;
}

// The number of a part that nobody has begun, or −1. Once a part is claimed its region cannot end, so that `body`
// and `data` may be read.
static int32_t claim_part(team *t, int32_t *count) {
  uint64_t seen = atomic_load_explicit(&t->claim, memory_order_acquire);
  for (;;) {
    int32_t next = (int32_t)(seen & 0xffff);
    *count = (int32_t)(seen >> 16 & 0xffff);
    if (next >= *count) return -1;
    if (atomic_compare_exchange_weak_explicit(&t->claim, &seen, seen + 1, memory_order_acq_rel, memory_order_acquire))
      return next;
  }
}

static bool is_crowded(team *t) { return atomic_load_explicit(&t->crowded, memory_order_relaxed); }

static void *worker(void *data) {
  team *t = data;
  vugen_name_thread("vugen.team");
  for (int naps = 0;;) {
    uint32_t bell = atomic_load(&t->bell);
    if (atomic_load(&t->ends)) return NULL;
    int32_t count, number = claim_part(t, &count);
    if (number >= 0) {
      do_part(t, number, count);
      if (atomic_fetch_sub(&t->pending, 1) == 1 && atomic_load(&t->caller_sleeps)) wake(&t->pending, 1);
      naps = 0;
    } else if (spin_while(&t->bell, bell)) {
      continue;
    } else if (is_crowded(t) && naps < MOST_NAPS) {
      naps++;
      atomic_fetch_add(&t->nappers, 1);
      nap_while(&t->bell, bell);
      atomic_fetch_sub(&t->nappers, 1);
    } else {
      naps = 0;
      atomic_fetch_add(&t->sleepers, 1);
      sleep_while(&t->bell, bell);
      atomic_fetch_sub(&t->sleepers, 1);
    }
  }
}

static void end_team(void *data) {
  team *t = data;
  atomic_store(&t->ends, true);
  atomic_fetch_add(&t->bell, 1);
  wake(&t->bell, INT_MAX);
  for (int32_t i = 0; i < t->workers; i++) pthread_join(t->threads[i], NULL);
  free(t);
}

static void make_key(void) { pthread_key_create(&own_key, end_team); }

static void *nothing(void *data) { return data; }

// Whether the system would start a few threads more, which others in this process wait for without an end.
static bool leaves_threads(void) {
  pthread_t spare[SPARE_THREADS];
  int count = 0;
  while (count < SPARE_THREADS && pthread_create(&spare[count], NULL, nothing, NULL) == 0) count++;
  for (int i = 0; i < count; i++) pthread_join(spare[i], NULL);
  return count == SPARE_THREADS;
}

// This thread's team with at least `workers` workers; NULL where the system gives no more threads.
static team *need_team(int32_t workers) {
  if (own != NULL && own->workers >= workers) return own;
  pthread_once(&own_once, make_key);
  if (own != NULL) end_team(own);
  pthread_setspecific(own_key, NULL);
  own = calloc(1, sizeof(team) + sizeof(pthread_t) * (size_t)workers);
  if (own == NULL) return NULL;
  while (own->workers < workers && pthread_create(&own->threads[own->workers], NULL, worker, own) == 0) own->workers++;
  if (own->workers < workers || !leaves_threads()) {
    end_team(own);
    own = NULL;
  }
  pthread_setspecific(own_key, own);
  return own;
}

static void run_alone(void (*body)(void *), void *data) {
  part outer = place;
  place = (part){.team = outer.team, .number = 0, .count = 1};
  body(data);
  place = outer;
}

typedef void open_region(void (*body)(void *), void *data, unsigned threads, unsigned flags);

// Whoever serves oneDNN where the program does not export the entry points below: the kernels go there as well, so that
// no two teams compete.
static open_region *foreign_region;
static void (*foreign_budget)(int);

static void find_foreign(void) {
  open_region *found = (open_region *)dlsym(RTLD_DEFAULT, "GOMP_parallel");
  if (found == NULL || found == GOMP_parallel) return;
  foreign_budget = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  foreign_region = found;
}

static open_region *foreign(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_foreign);
  return foreign_region;
}

bool vugen_team_serves_openmp(void) { return foreign() == NULL; }

int32_t vugen_team_threads(void) {
  static _Thread_local int32_t announced;
  int32_t threads = vugen_threads();
  if (foreign() != NULL) {
    if (announced != threads && foreign_budget != NULL) foreign_budget(threads);
    announced = threads;
    return threads;
  }
  if (threads == 1 || place.team != NULL || need_team(threads - 1) != NULL) return threads;
  fprintf(stderr, "vugen: the system starts no more threads; going on with one\n");
  vugen_set_threads(1);
  return 1;
}

// A caller that works alone is no longer driven off its processor, and would take its rivals for gone: they are believed
// to be there for a while, and each time they prove to be there still, for twice as long.
static void believe_in_rivals(team *t, int64_t time) {
  bool again = time - t->crowded_until < 2 * t->hold;
  if (!is_crowded(t)) t->hold = !again ? WINDOW : t->hold < MOST_HOLD / 2 ? 2 * t->hold : MOST_HOLD;
  t->crowded_until = time + t->hold;
}

static void look_for_rivals(team *t) {
  t->looked = 0;
  int64_t time = now(), elapsed = time - t->seen;
  struct rusage usage;
  if (elapsed >= WINDOW && getrusage(RUSAGE_THREAD, &usage) == 0) {
    // A single turn is lost on an idle machine, too.
    int64_t lost = usage.ru_nivcsw - t->switches;
    bool has_rivals = t->seen != 0 && lost > 1 && lost * 2 * WINDOW >= elapsed;
    t->seen = time;
    t->switches = usage.ru_nivcsw;
    if (has_rivals) believe_in_rivals(t, time);
  }
  atomic_store_explicit(&t->crowded, time < t->crowded_until, memory_order_relaxed);
}

// `spent` ns were needed for `done` of a region's parts.
static void learn_cost(team *t, int64_t spent, int32_t done, int32_t parts) {
  // A caller that lost its processor meanwhile says nothing of the region.
  int64_t cost = spent * parts / done, most = 4 * SMALL;
  t->cost += ((cost < most ? cost : most) - t->cost) / 8;
}

void vugen_team_run(void (*body)(void *), void *data, int32_t parts) {
  if (parts > MOST_THREADS) parts = MOST_THREADS;
  if (foreign() != NULL) {
    foreign_region(body, data, (unsigned)parts, 0);
    return;
  }
  team *t = parts > 1 && place.team == NULL ? need_team(parts - 1) : NULL;
  if (t == NULL) {
    run_alone(body, data);
    return;
  }
  t->body = body;
  t->data = data;
  if (vugen_wait_policy().kind == VG_WAIT_ADAPTIVE && ++t->looked >= LOOKS) look_for_rivals(t);
  bool crowded = is_crowded(t);
  int64_t start = crowded ? now() : 0;
  uint32_t region = atomic_load_explicit(&t->bell, memory_order_relaxed) + 1;
  atomic_store_explicit(&t->caller_sleeps, 0, memory_order_relaxed);
  atomic_store_explicit(&t->pending, (uint32_t)parts - 1, memory_order_relaxed);
  atomic_store_explicit(&t->claim, (uint64_t)region << 32 | (uint64_t)parts << 16 | 1, memory_order_release);
  atomic_store(&t->bell, region);
  bool is_worth_waking = !crowded || t->cost >= SMALL;
  if (atomic_load(&t->sleepers) > 0 || (is_worth_waking && atomic_load(&t->nappers) > 0)) wake(&t->bell, parts - 1);
  do_part(t, 0, parts);
  int32_t done = 1;
  for (int32_t count, number; (number = claim_part(t, &count)) >= 0; done++) {
    do_part(t, number, count);
    atomic_fetch_sub(&t->pending, 1);
  }
  if (crowded) learn_cost(t, now() - start, done, parts);
  for (uint32_t left; (left = atomic_load_explicit(&t->pending, memory_order_acquire)) != 0;) {
    if (spin_while(&t->pending, left)) continue;
    atomic_store(&t->caller_sleeps, 1);
    sleep_while(&t->pending, left);
  }
}

// ---------------------------------------------------------------- OpenMP's entry points, as oneDNN calls them

// What was asked for on this thread and is less than the budget (oneDNN 3 does, and pieces.c), 0 = nothing.
static _Thread_local int asked;

void omp_set_num_threads(int count) {
  asked = count < 1 || count >= vugen_threads() ? 0 : count;
  if (foreign() != NULL && foreign_budget != NULL) foreign_budget(count);
}

int omp_get_max_threads(void) {
  int32_t threads = vugen_team_threads();
  return asked > 0 && asked < threads ? asked : threads;
}

// `threads` 0: as many as there are. The flags name a binding to places, of which there is one.
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
  (void)flags;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  vugen_team_run(body, data, threads == 0 ? omp_get_max_threads() : (int32_t)threads);
}

void GOMP_barrier(void) {
  team *t = place.team;
  if (t == NULL || place.count < 2) return;
  // The others may not have been woken.
  if (atomic_load(&t->sleepers) > 0 || atomic_load(&t->nappers) > 0) wake(&t->bell, INT_MAX);
  uint32_t round = atomic_load(&t->barrier);
  if (atomic_fetch_add(&t->arrived, 1) + 1 == (uint32_t)place.count) {
    atomic_store(&t->arrived, 0);
    atomic_fetch_add(&t->barrier, 1);
    wake(&t->barrier, INT_MAX);
    return;
  }
  while (atomic_load(&t->barrier) == round)
    if (!spin_while(&t->barrier, round)) sleep_while(&t->barrier, round);
}

int omp_get_num_threads(void) { return place.team != NULL ? place.count : 1; }
int omp_get_thread_num(void) { return place.team != NULL ? place.number : 0; }
int omp_in_parallel(void) { return place.team != NULL && place.count > 1; }
