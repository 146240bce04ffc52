#define _GNU_SOURCE
#include "CKernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "scratch.h"
#include "tables.h"
#include "team.h"

static _Atomic int32_t thread_budget;

// ---------------------------------------------------------------- processors

static int read_number(const char *format, int cpu) {
  char path[128];
  int value = -1;
  snprintf(path, sizeof path, format, cpu);
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  if (fscanf(file, "%d", &value) != 1) value = -1;
  fclose(file);
  return value;
}

int32_t vugen_physical_cores(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  int seen[CPU_SETSIZE], count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    int core = read_number("/sys/devices/system/cpu/cpu%d/topology/core_id", cpu);
    int package = read_number("/sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
    int id = core < 0 ? -1 - cpu : package * 65536 + core, known = 0;
    for (int i = 0; i < count; i++) known |= seen[i] == id;
    if (!known) seen[count++] = id;
  }
  return count > 0 ? count : 1;
}

// More threads than this only take turns; hundreds of them starve the machine.
static int32_t at_most(long count) {
  int32_t most = 4 * vugen_physical_cores();
  return count < 1 ? 1 : count > most ? most : (int32_t)count;
}

void vugen_set_threads(int32_t count) { atomic_store(&thread_budget, at_most(count)); }

// OMP_NUM_THREADS may be a list, a number a level of nesting: the first counts.
static int32_t default_threads(void) {
  int64_t count = vugen_wished_threads();
  return count >= 1 ? at_most(count) : vugen_physical_cores();
}

int64_t vugen_wished_threads(void) {
  const char *wish = getenv("OMP_NUM_THREADS");
  if (wish == NULL) return 0;
  char *end;
  long count = strtol(wish, &end, 10);
  if (count < 1 || end == wish) return 0;
  while (*end == ' ' || *end == '\t') end++;
  return *end == 0 || *end == ',' ? count : 0;
}

int32_t vugen_threads(void) {
  int32_t count = atomic_load(&thread_budget);
  if (count == 0) {
    count = default_threads();
    atomic_store(&thread_budget, count);
  }
  return count;
}

void vugen_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// ---------------------------------------------------------------- instruction sets

bool vugen_isa_available(vg_isa isa) {
  __builtin_cpu_init();
  switch (isa) {
    case VG_ISA_BASELINE: return true;
    case VG_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case VG_ISA_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    default: return false;
  }
}

bool vugen_has_bf16_products(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
}

static _Atomic int chosen = -1;
static char complaint[160];

static vg_isa widest(void) {
  vg_isa isa = VG_ISA_BASELINE;
  for (int i = 0; i < VG_ISAS; i++)
    if (vugen_isa_available((vg_isa)i)) isa = (vg_isa)i;
  return isa;
}

vg_isa vugen_isa(void) {
  int isa = atomic_load(&chosen);
  if (isa >= 0) return (vg_isa)isa;
  static const char *const names[VG_ISAS] = {"baseline", "avx2", "avx512"};
  const char *wish = getenv("VUGEN_ISA");
  isa = widest();
  if (wish != NULL && strcmp(wish, "native") != 0 && wish[0] != 0) {
    int found = -1;
    for (int i = 0; i < VG_ISAS; i++)
      if (strcmp(wish, names[i]) == 0) found = i;
    if (found < 0)
      snprintf(complaint, sizeof complaint, "VUGEN_ISA=%.40s is none of baseline, avx2, avx512, native; using %s", wish,
               names[isa]);
    else if (!vugen_isa_available((vg_isa)found))
      snprintf(complaint, sizeof complaint, "this processor has no %s; using %s", wish, names[isa]);
    else isa = found;
  }
  atomic_store(&chosen, isa);
  return (vg_isa)isa;
}

const char *vugen_isa_complaint(void) {
  vugen_isa();
  return complaint;
}

void vugen_set_isa(vg_isa isa) {
  if (vugen_isa_available(isa)) atomic_store(&chosen, (int)isa);
}

// ---------------------------------------------------------------- the team

typedef struct {
  vg_body body;
  int32_t count, threads;
  vg_piece pieces[VG_PIECES];
  int64_t ends[VG_PIECES];  // items of this piece and those before it
  _Atomic int64_t next;     // the first item that nobody has taken
} job;

// Turns become smaller towards the end (guided self-scheduling, Polychronopoulos and Kuck 1987): long ones read memory
// as one stream, short last ones keep a late thread from holding up the others.
static void work(void *data) {
  job *j = data;
  int64_t all = j->ends[j->count - 1], begin = atomic_load_explicit(&j->next, memory_order_relaxed);
  for (int32_t p = 0;;) {
    if (begin >= all) return;
    while (begin >= j->ends[p]) p++;
    int64_t share = (all - begin) / (2 * j->threads), grain = j->pieces[p].grain;
    int64_t end = begin + (share > grain ? share : grain);
    if (end > j->ends[p]) end = j->ends[p];
    if (!atomic_compare_exchange_weak_explicit(&j->next, &begin, end, memory_order_relaxed, memory_order_relaxed))
      continue;
    int64_t before = p > 0 ? j->ends[p - 1] : 0;
    j->body(j->pieces[p].args, begin - before, end - before);
    begin = atomic_load_explicit(&j->next, memory_order_relaxed);
  }
}

void vugen_run_pieces(vg_kernel kernel, int32_t type, const vg_piece *pieces, int32_t count) {
  static const vg_table *const tables[VG_ISAS] = {&vugen_table_baseline, &vugen_table_avx2, &vugen_table_avx512};
  int32_t threads = vugen_team_threads();
  job j = {.body = tables[vugen_isa()]->bodies[type][kernel], .threads = threads};
  int64_t all = 0;
  for (int32_t p = 0; p < count; p++) {
    if (pieces[p].items <= 0) continue;
    j.pieces[j.count] = pieces[p];
    if (pieces[p].grain < 1) j.pieces[j.count].grain = 1;
    j.ends[j.count++] = all += pieces[p].items;
  }
  if (j.count == 0) return;
  if (threads == 1 || (j.count == 1 && all <= j.pieces[0].grain)) {
    for (int32_t p = 0; p < j.count; p++) j.body(j.pieces[p].args, 0, j.pieces[p].items);
    return;
  }
  atomic_init(&j.next, 0);
  vugen_team_run(work, &j, threads);
}

void vugen_run(vg_kernel kernel, int32_t type, const void *args, int64_t items, int64_t grain) {
  vg_piece piece = {.args = args, .items = items, .grain = grain};
  vugen_run_pieces(kernel, type, &piece, 1);
}

// ---------------------------------------------------------------- scratch memory

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local struct {
  float *memory;
  size_t floats;
} scratch;

static void make_key(void) { pthread_key_create(&scratch_key, free); }

float *vugen_scratch(size_t floats) {
  if (floats > scratch.floats) {
    pthread_once(&scratch_once, make_key);
    free(scratch.memory);
    scratch.floats = (floats + 1023) & ~(size_t)1023;
    scratch.memory = aligned_alloc(64, scratch.floats * sizeof(float));
    pthread_setspecific(scratch_key, scratch.memory);
    if (scratch.memory == NULL) {
      fprintf(stderr, "vugen: out of memory: %zu bytes of scratch space for attention\n", scratch.floats * 4);
      abort();
    }
  }
  return scratch.memory;
}
