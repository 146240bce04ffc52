#include <stdbool.h>

#include "CKernels.h"

// Whether the product of f32 rows may and can be worked out by `vugen_rounded_rows`.
bool vugen_rounded_rows_fit(const vg_quantized_args *args);
// Items: groups of 4 outputs; x and y are f32.
void vugen_rounded_rows(const vg_quantized_args *args, int64_t begin, int64_t end);
