// The kernels for one instruction set.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "random.h"
#include "scratch.h"
#include "tables.h"

#define TABLE vugen_table_avx512
#define PANEL 4  // vectors across a tile of a product: 32 registers of 16 lanes

#if defined(__x86_64__)
#include <immintrin.h>
#define VG_AVX512
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#else
#include "kernels.inc"
#endif
