// Where a Mutex of Swift's Synchronization is taken already, the standard library, which is not instrumented, lets the
// kernel hand it over, and ThreadSanitizer sees no order between the two owners. This stands before the library's
// function in a program built with it: the same lock word, taken by an atomic exchange that is seen.
//
// Only `make sanitize` compiles this.

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "VisibleMutex.h"

// `_MutexHandle._lockSlow(_:)`: the lock word holds its owner's thread, or 0.
__attribute__((swiftcall)) void
vugen_lock_slow(uint32_t thread, __attribute__((swift_context)) _Atomic uint32_t *word) __asm__(
  "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void vugen_lock_slow(uint32_t thread,
                                                __attribute__((swift_context)) _Atomic uint32_t *word) {
  for (uint32_t owner = 0; !atomic_compare_exchange_weak(word, &owner, thread); owner = 0)
    nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}
