#include "CKernels.h"

typedef void (*vg_body)(const void *args, int64_t begin, int64_t end);
typedef struct {
  vg_body bodies[VG_TYPES][VG_KERNELS];
} vg_table;

extern const vg_table vugen_table_baseline, vugen_table_avx2, vugen_table_avx512;
