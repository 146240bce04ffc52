// The kernels for one instruction set.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "random.h"
#include "scratch.h"
#include "tables.h"

#define TABLE vugen_table_avx2
#define PANEL 1  // vectors across a tile of a product: 16 narrower registers

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#else
#include "kernels.inc"
#endif
