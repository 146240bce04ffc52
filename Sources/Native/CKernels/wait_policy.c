// How threads of the team wait, as the environment or a caller wants it.

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "CKernels.h"

// In one word, as workers read it while a caller may set it: how often to spin, or −1 − the kind.
static _Atomic int64_t policy;

static void keep_policy(vg_wait_policy wanted) {
  int64_t word = wanted.kind == VG_WAIT_COUNTED ? wanted.spins : -1 - (int64_t)wanted.kind;
  atomic_store_explicit(&policy, word, memory_order_relaxed);
}

static void read_policy(void) {
  vg_wait_policy wanted = {.kind = VG_WAIT_ADAPTIVE};
  const char *wish = getenv("OMP_WAIT_POLICY"), *count = getenv("GOMP_SPINCOUNT");
  if (wish != NULL && strcasecmp(wish, "active") == 0) wanted.kind = VG_WAIT_ACTIVE;
  if (wish != NULL && strcasecmp(wish, "passive") == 0) wanted.kind = VG_WAIT_PASSIVE;
  char *end = NULL;
  errno = 0;
  unsigned long long spins = count == NULL ? 0 : strtoull(count, &end, 10);
  if (count != NULL && (strcasecmp(count, "infinite") == 0 || strcasecmp(count, "infinity") == 0))
    wanted.kind = VG_WAIT_ACTIVE;
  else if (end != count && *end == 0 && *count != '-' && errno == 0)
    wanted = (vg_wait_policy){.kind = VG_WAIT_COUNTED, .spins = spins > INT64_MAX ? INT64_MAX : (int64_t)spins};
  keep_policy(wanted);
}

static pthread_once_t policy_once = PTHREAD_ONCE_INIT;

vg_wait_policy vugen_wait_policy(void) {
  pthread_once(&policy_once, read_policy);
  int64_t word = atomic_load_explicit(&policy, memory_order_relaxed);
  if (word < 0) return (vg_wait_policy){.kind = (vg_wait_kind)(-1 - word)};
  return (vg_wait_policy){.kind = VG_WAIT_COUNTED, .spins = word};
}

void vugen_set_wait_policy(vg_wait_policy wanted) {
  pthread_once(&policy_once, read_policy);
  keep_policy(wanted);
}
