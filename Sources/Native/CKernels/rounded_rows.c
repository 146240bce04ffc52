// Rows of 4-bit and 8-bit weights times a few rows of x that is rounded on the way, where the processor multiplies small
// numbers itself: half the work, or less, of the exact product in f32, which a fast memory would otherwise wait for.
//
// 4 bits: a table in one register turns half bytes into bf16, and one instruction multiplies 32 of them with x in bf16.
// 8 bits: x in 8 bits with a scale for each 32 numbers, as the weights have; one instruction multiplies 64 (VNNI).

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"
#include "rounded_rows.h"
#include "scratch.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni")))

// How far ahead the stream of weights is fetched, in bytes.
enum { PREFETCH = 8192 };

// ---------------------------------------------------------------- 4 bits

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

TARGET static float dot4(const uint8_t *w, const float *scales, const uint16_t *x, int64_t n) {
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

// ---------------------------------------------------------------- 8 bits

// x of a row: 64 numbers at a time share two scales and sixteen sums of four.
typedef struct {
  int8_t numbers[64];
  // −128 times the sum of each four numbers: the instruction takes one side without a sign, so weights are 128 larger.
  int32_t offsets[16];
  float scales[16];  // of the first 32 numbers, eight times, and of the second
} rounded_x;

TARGET static void round_x(const float *x, rounded_x *to, int64_t n) {
  const __m512i ones = _mm512_set1_epi8((char)128);
  for (int64_t at = 0; at < n; at += 64, to++) {
    for (int64_t half = 0; half < 2; half++) {
      const float *from = x + at + 32 * half;
      __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + 16);
      float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
      __m512 inverse = _mm512_set1_ps(top > 0 ? 127 / top : 0);
      _mm_storeu_si128(
        (__m128i *)(to->numbers + 32 * half), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(a, inverse))));
      _mm_storeu_si128(
        (__m128i *)(to->numbers + 32 * half + 16), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(b, inverse))));
      _mm256_storeu_ps(to->scales + 8 * half, _mm256_set1_ps(top / 127));
    }
    __m512i sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), ones, _mm512_loadu_si512(to->numbers));
    _mm512_storeu_si512(to->offsets, _mm512_sub_epi32(_mm512_setzero_si512(), sums));
  }
}

TARGET static float dot8(const int8_t *w, const float *scales, const rounded_x *x, int64_t n) {
  const __m512i sign = _mm512_set1_epi8((char)128);
  const __m512i lanes = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int64_t at = 0, turn = 0; at < n; at += 64, turn ^= 1, x++) {
    _mm_prefetch((const char *)w + at + PREFETCH, _MM_HINT_T0);
    __m512i q = _mm512_xor_si512(_mm512_loadu_si512(w + at), sign);
    __m512i part = _mm512_dpbusd_epi32(_mm512_loadu_si512(x->offsets), q, _mm512_loadu_si512(x->numbers));
    __m128 two = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(scales + at / 32)));
    __m512 scale = _mm512_mul_ps(
      _mm512_permutexvar_ps(lanes, _mm512_castps128_ps512(two)), _mm512_loadu_ps(x->scales));
    sums[turn] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(part), scale, sums[turn]);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]));
}

// ---------------------------------------------------------------- both

static bool has_small_products(void) {
  __builtin_cpu_init();
  return vugen_has_bf16_products() && __builtin_cpu_supports("avx512vnni");
}

bool vugen_rounded_rows_fit(const vg_quantized_args *a) {
  return a->rounds_x && a->group == 32 && a->n % (a->bits == 4 ? 128 : 64) == 0 && has_small_products();
}

TARGET void vugen_rounded_rows(const vg_quantized_args *a, int64_t begin, int64_t end) {
  int64_t n = a->n, last = end * 4 < a->outputs ? end * 4 : a->outputs;
  float *y = a->y;
  if (a->bits == 4) {
    uint16_t *x = (uint16_t *)vugen_scratch((size_t)(a->rows * n / 2));
    for (int64_t row = 0; row < a->rows; row++) order((const float *)a->x + row * n, x + row * n, n);
    for (int64_t j = begin * 4; j < last; j++)
      for (int64_t row = 0; row < a->rows; row++)
        y[row * a->y_row + j] =
          dot4((const uint8_t *)a->values + j * n / 2, a->scales + j * (n / 32), x + row * n, n);
    return;
  }
  int64_t blocks = n / 64;
  rounded_x *x = (rounded_x *)vugen_scratch((size_t)(a->rows * blocks) * sizeof(rounded_x) / sizeof(float));
  for (int64_t row = 0; row < a->rows; row++) round_x((const float *)a->x + row * n, x + row * blocks, n);
  for (int64_t j = begin * 4; j < last; j++)
    for (int64_t row = 0; row < a->rows; row++)
      y[row * a->y_row + j] = dot8(a->values + j * n, a->scales + j * (n / 32), x + row * blocks, n);
}
#else
bool vugen_rounded_rows_fit(const vg_quantized_args *a) { (void)a; return false; }
void vugen_rounded_rows(const vg_quantized_args *a, int64_t begin, int64_t end) { (void)a; (void)begin; (void)end; }
#endif
