#include "CKernels.h"

// `VG_ROUNDED_PRODUCT` where `vugen_has_small_products`.
void vugen_rounded_product(const vg_quantized_args *args, int64_t begin, int64_t end);
