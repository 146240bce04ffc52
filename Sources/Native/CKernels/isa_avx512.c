// The kernels for one instruction set, and attention for processors of that set that multiply bf16 themselves.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "random.h"
#include "rounded_product.h"
#include "scratch.h"
#include "tables.h"

#define TABLE vugen_table_avx512
#define PANEL 4  // vectors across a tile of a product: 32 registers of 16 lanes

#if defined(__x86_64__)
#include <immintrin.h>
#define VG_AVX512
static bool attention_pairs_fit(const vg_attention_args *a);
static void attention_pairs(const vg_attention_args *a, int64_t begin, int64_t end);
static void attention_pairs_backward_head(const vg_attention_args *a, int64_t b, int64_t kv);
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#pragma clang attribute push(                                                                      \
  __attribute__((target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
  apply_to = function)
#include "attention_pairs.inc"
#pragma clang attribute pop
#else
#include "kernels.inc"
#endif
