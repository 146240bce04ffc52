#define _GNU_SOURCE
#include "CKernels.h"

#include <sys/mman.h>

void vugen_use_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}
