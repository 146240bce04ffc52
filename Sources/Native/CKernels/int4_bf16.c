// Rows of 4-bit weights times a few rows of x in bf16, where the processor multiplies bf16 itself.
//
// A table in one register turns half bytes into bf16, and one instruction multiplies 32 of them: half the work of the
// exact product in f32, which a fast memory would otherwise wait for.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"
#include "int4_bf16.h"
#include "scratch.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

// How far ahead the stream of weights is fetched, in bytes.
enum { PREFETCH = 8192 };

// Numbers of x in the order in which the weights come out of their bytes. 128 weights are 64 bytes, read as 32 words of
// four half bytes: a block of 32 weights is 8 words, its first half in the low half bytes, its second in the high.
// Of word j of a block, half byte 0 is weight 2j, 1 is 16 + 2j, 2 is 2j + 1, 3 is 17 + 2j.
static void order(const float *x, float *to, int64_t n) {
  for (int64_t at = 0; at < n; at += 128)
    for (int64_t k = 0; k < 4; k++)
      for (int64_t word = 0; word < 32; word++)
        to[at + 32 * k + word] = x[at + word / 8 * 32 + (k & 1) * 16 + 2 * (word % 8) + (k >> 1)];
}

TARGET static void narrow(const float *x, uint16_t *to, int64_t n) {
  for (int64_t i = 0; i < n; i += 16)
    _mm256_storeu_si256((__m256i *)(to + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
}

TARGET static float dot(const uint8_t *w, const float *scales, const uint16_t *x, int64_t n) {
  // −8…7 in bf16, twice: the lowest five bits of a word are the index, the fifth belongs to the next half byte.
  static const uint16_t numbers[16] = {0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80,
                                       0x0000, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0};
  const __m512i table = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)numbers));
  // Four lanes of products belong to each of the four blocks.
  const __m512i lanes = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int64_t at = 0, turn = 0; at < n; at += 128, turn ^= 1) {
    const uint8_t *here = w + at / 2;
    _mm_prefetch((const char *)here + PREFETCH, _MM_HINT_T0);
    __m512i q = _mm512_loadu_si512(here);
    __m512 part = _mm512_setzero_ps();
#define QUARTER(k)                                                            \
  part = _mm512_dpbf16_ps(                                                    \
    part, (__m512bh)_mm512_permutexvar_epi16(_mm512_srli_epi16(q, 4 * (k)), table), \
    (__m512bh)_mm512_loadu_si512(x + at + 32 * (k)));
    QUARTER(0)
    QUARTER(1)
    QUARTER(2)
    QUARTER(3)
#undef QUARTER
    __m512 scale = _mm512_permutexvar_ps(lanes, _mm512_castps128_ps512(_mm_loadu_ps(scales + at / 32)));
    sums[turn] = _mm512_fmadd_ps(part, scale, sums[turn]);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]));
}

bool vugen_int4_bf16_fits(const vg_quantized_args *a) {
  return a->rounds_x && a->bits == 4 && a->group == 32 && a->n % 128 == 0 && vugen_has_bf16_products();
}

TARGET void vugen_int4_bf16_rows(const vg_quantized_args *a, int64_t begin, int64_t end) {
  int64_t n = a->n, last = end * 4 < a->outputs ? end * 4 : a->outputs;
  float *ordered = vugen_scratch((size_t)(n + a->rows * n / 2));
  uint16_t *x = (uint16_t *)(ordered + n);
  for (int64_t row = 0; row < a->rows; row++) {
    order((const float *)a->x + row * n, ordered, n);
    narrow(ordered, x + row * n, n);
  }
  for (int64_t j = begin * 4; j < last; j++)
    for (int64_t row = 0; row < a->rows; row++)
      ((float *)a->y)[row * a->y_row + j] =
        dot((const uint8_t *)a->values + j * n / 2, a->scales + j * (n / 32), x + row * n, n);
}
#else
bool vugen_int4_bf16_fits(const vg_quantized_args *a) { (void)a; return false; }
void vugen_int4_bf16_rows(const vg_quantized_args *a, int64_t begin, int64_t end) {
  (void)a; (void)begin; (void)end;
}
#endif
