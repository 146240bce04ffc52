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

// x in bf16, in the order in which the weights come out of their bytes. 128 weights are 64 bytes, read as 32 words of
// four half bytes: a block of 32 weights is 8 words, its first half in the low half bytes, its second in the high.
// Of word j of a block, half byte 0 is weight 2j, 1 is 16 + 2j, 2 is 2j + 1, 3 is 17 + 2j: of each block the even
// numbers of the first half, those of the second, then the odd ones, go 32 places apart.
TARGET static void order(const float *x, uint16_t *to, int64_t n) {
  const __m512i places = _mm512_set_epi16(
    31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1, 30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2,
    0);
  for (int64_t at = 0; at < n; at += 128)
    for (int64_t block = 0; block < 4; block++) {
      const float *from = x + at + 32 * block;
      uint16_t *here = to + at + 8 * block;
      __m512i q = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
      q = _mm512_permutexvar_epi16(places, q);
      _mm_storeu_si128((__m128i *)here, _mm512_extracti32x4_epi32(q, 0));
      _mm_storeu_si128((__m128i *)(here + 32), _mm512_extracti32x4_epi32(q, 1));
      _mm_storeu_si128((__m128i *)(here + 64), _mm512_extracti32x4_epi32(q, 2));
      _mm_storeu_si128((__m128i *)(here + 96), _mm512_extracti32x4_epi32(q, 3));
    }
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
  uint16_t *x = (uint16_t *)vugen_scratch((size_t)(a->rows * n / 2));
  for (int64_t row = 0; row < a->rows; row++) order((const float *)a->x + row * n, x + row * n, n);
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
