#define _GNU_SOURCE
#include "CKernels.h"

#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define MARKS_BLOCKS
#endif
#endif

void vugen_use_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

void vugen_mark_block(void *memory, size_t used, size_t bytes) {
#ifdef MARKS_BLOCKS
  __asan_unpoison_memory_region(memory, used);
  __asan_poison_memory_region((char *)memory + used, bytes - used);
#else
  (void)memory, (void)used, (void)bytes;
#endif
}
