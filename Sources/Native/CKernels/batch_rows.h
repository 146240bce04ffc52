#include "CKernels.h"

// Items: groups of 4 outputs.
void vugen_batch_rows(const void *args, int64_t begin, int64_t end);
