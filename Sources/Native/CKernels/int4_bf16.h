#include <stdbool.h>

#include "CKernels.h"

// Whether the product may and can be worked out by `vugen_int4_bf16_rows`.
bool vugen_int4_bf16_fits(const vg_quantized_args *args);
// Items: groups of 4 outputs; x and y are f32.
void vugen_int4_bf16_rows(const vg_quantized_args *args, int64_t begin, int64_t end);
