// x in 8 bits times packed weights of 8 or 4, with the instruction that multiplies and adds 64 such numbers (VNNI):
// decoding, where memory is the limit, and many rows, at twice the speed of bf16.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"
#include "rounded_product.h"
#include "scratch.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE TARGET static inline __attribute__((always_inline))

bool vugen_has_small_products(void) {
  static _Atomic int known = -1;
  if (known < 0) {
    __builtin_cpu_init();
    known = vugen_isa_available(VG_ISA_AVX512) && __builtin_cpu_supports("avx512vnni");
  }
  return known;
}

INLINE __m512i four(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return _mm512_set1_epi32(word);
}

INLINE __mmask16 lanes_of(const vg_quantized_args *a, int64_t panel) {
  int64_t left = a->outputs - panel * 16;
  return left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
}

// The instruction takes weights without a sign, so stored ones are `excess` larger: sums begin that much lower.
INLINE __m512i begin_sum(const vg_quantized_args *a, const int excess, int64_t group) {
  return _mm512_set1_epi32(-excess * a->rounded.sums[group]);
}
INLINE __m512 scaled(__m512i sum, const uint8_t *scales, const vg_quantized_args *a, int64_t group, __m512 to) {
  __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(scales), _mm512_set1_ps(a->rounded.scales[group]));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, to);
}

// ---------------------------------------------------------------- a row: one stream of weights

INLINE __m512 row_panel(const vg_quantized_args *a, const int bits, const uint8_t *w, int64_t row, int64_t ahead) {
  const __m512i low = _mm512_set1_epi8(15);
  int64_t groups = a->n / a->group;
  const int8_t *x = a->rounded.numbers + row * a->n;
  __m512 total = _mm512_setzero_ps();
  for (int64_t g = 0; g < groups; g++) {
    __m512i even = begin_sum(a, bits == 8 ? 128 : 8, row * groups + g), odd = _mm512_setzero_si512();
    for (int64_t i = 0; i < a->group; i += 32, x += 32)
#pragma unroll
      for (int word = 0; word < bits; word += 2, w += 128) {
        _mm_prefetch((const char *)w + ahead, _MM_HINT_T0);
        _mm_prefetch((const char *)w + ahead + 64, _MM_HINT_T0);
        __m512i p = _mm512_loadu_si512(w), q = _mm512_loadu_si512(w + 64);
        if (bits == 8) {
          even = _mm512_dpbusd_epi32(even, p, four(x + 4 * word));
          odd = _mm512_dpbusd_epi32(odd, q, four(x + 4 * word + 4));
        } else {
          even = _mm512_dpbusd_epi32(even, _mm512_and_si512(p, low), four(x + 4 * word));
          odd = _mm512_dpbusd_epi32(odd, _mm512_and_si512(_mm512_srli_epi16(p, 4), low), four(x + 4 * word + 16));
          even = _mm512_dpbusd_epi32(even, _mm512_and_si512(q, low), four(x + 4 * word + 4));
          odd = _mm512_dpbusd_epi32(odd, _mm512_and_si512(_mm512_srli_epi16(q, 4), low), four(x + 4 * word + 20));
        }
      }
    _mm_prefetch((const char *)w + ahead, _MM_HINT_T0);
    total = scaled(_mm512_add_epi32(even, odd), w, a, row * groups + g, total);
    w += 64;
  }
  return total;
}

// ---------------------------------------------------------------- many rows: tiles in the registers

enum { TILE_ROWS = 6, TILE_PANELS = 2, CHUNK = 512 };  // CHUNK: columns whose weights stay in the nearest cache

// Adds groups [from, to) to y for `rows` rows and `panels` panels. w[p] holds them as 8-bit weights.
INLINE void tile(
  const vg_quantized_args *a, const int rows, const int panels, const int excess, const uint8_t *const *w, int64_t panel,
  int64_t row, int64_t from, int64_t to) {
  int64_t groups = a->n / a->group, step = 64 * (a->group / 4 + 1);
  float *y = (float *)a->y + row * a->outputs + panel * 16;
  __m512 total[TILE_ROWS][TILE_PANELS];
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int p = 0; p < panels; p++)
      total[r][p] = from == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(lanes_of(a, panel + p), y + r * a->outputs + 16 * p);
  for (int64_t g = from; g < to; g++) {
    const int8_t *x = a->rounded.numbers + row * a->n + g * a->group;
    const uint8_t *first = w[0] + (g - from) * step, *second = panels > 1 ? w[1] + (g - from) * step : first;
    __m512i sum[TILE_ROWS][TILE_PANELS];
#pragma unroll
    for (int r = 0; r < rows; r++)
#pragma unroll
      for (int p = 0; p < panels; p++) sum[r][p] = begin_sum(a, excess, (row + r) * groups + g);
    for (int64_t i = 0; i < a->group; i += 32)
#pragma unroll
      for (int k = 0; k < 32; k += 4, first += 64, second += 64) {
        __m512i one = _mm512_loadu_si512(first), two = panels > 1 ? _mm512_loadu_si512(second) : one;
#pragma unroll
        for (int r = 0; r < rows; r++) {
          __m512i numbers = four(x + r * a->n + i + k);
          sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], one, numbers);
          if (panels > 1) sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], two, numbers);
        }
      }
#pragma unroll
    for (int r = 0; r < rows; r++) {
      total[r][0] = scaled(sum[r][0], first, a, (row + r) * groups + g, total[r][0]);
      if (panels > 1) total[r][1] = scaled(sum[r][1], second, a, (row + r) * groups + g, total[r][1]);
    }
  }
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int p = 0; p < panels; p++)
      _mm512_mask_storeu_ps(y + r * a->outputs + 16 * p, lanes_of(a, panel + p), total[r][p]);
}

INLINE void rows_of(
  const vg_quantized_args *a, const int panels, const int excess, const uint8_t *const *w, int64_t panel, int64_t from,
  int64_t to) {
  int64_t row = 0;
  for (; row + TILE_ROWS <= a->rows; row += TILE_ROWS) tile(a, TILE_ROWS, panels, excess, w, panel, row, from, to);
  for (; row + 2 <= a->rows; row += 2) tile(a, 2, panels, excess, w, panel, row, from, to);
  for (; row < a->rows; row++) tile(a, 1, panels, excess, w, panel, row, from, to);
}

// Groups [from, to) of a panel of 4-bit weights, a byte each.
TARGET static void widen(const vg_quantized_args *a, const uint8_t *w, uint8_t *to, int64_t groups) {
  const __m512i low = _mm512_set1_epi8(15);
  for (int64_t g = 0; g < groups; g++, w += 64, to += 64) {
    for (int64_t i = 0; i < a->group; i += 32, to += 512)
      for (int word = 0; word < 4; word++, w += 64) {
        __m512i q = _mm512_loadu_si512(w);
        _mm512_storeu_si512(to + 64 * word, _mm512_and_si512(q, low));
        _mm512_storeu_si512(to + 64 * word + 256, _mm512_and_si512(_mm512_srli_epi16(q, 4), low));
      }
    _mm512_storeu_si512(to, _mm512_loadu_si512(w));
  }
}

TARGET static void many_rows(const vg_quantized_args *a, int64_t begin, int64_t end) {
  int64_t groups = a->n / a->group, chunk = CHUNK / a->group < 1 ? 1 : CHUNK / a->group;
  int64_t step = 64 * (a->group * a->bits / 32 + 1), wide = 64 * (a->group / 4 + 1);
  uint8_t *scratch = a->bits == 4 ? (uint8_t *)vugen_scratch((size_t)(TILE_PANELS * chunk * wide / 4)) : NULL;
  for (int64_t panel = begin; panel < end; panel += TILE_PANELS) {
    int64_t panels = end - panel < TILE_PANELS ? end - panel : TILE_PANELS;
    for (int64_t from = 0; from < groups; from += chunk) {
      int64_t to = from + chunk < groups ? from + chunk : groups;
      const uint8_t *w[TILE_PANELS];
      for (int64_t p = 0; p < panels; p++) {
        w[p] = (const uint8_t *)a->packed + ((panel + p) * groups + from) * step;
        if (a->bits == 8) continue;
        widen(a, w[p], scratch + p * chunk * wide, to - from);
        w[p] = scratch + p * chunk * wide;
      }
      if (panels == 2 && a->bits == 8) rows_of(a, 2, 128, w, panel, from, to);
      else if (panels == 2) rows_of(a, 2, 8, w, panel, from, to);
      else if (a->bits == 8) rows_of(a, 1, 128, w, panel, from, to);
      else rows_of(a, 1, 8, w, panel, from, to);
    }
  }
}

TARGET void vugen_rounded_product(const vg_quantized_args *a, int64_t begin, int64_t end) {
  int64_t panels = (a->outputs + 15) / 16;
  if (a->rows > VG_STREAMED_ROWS) {
    many_rows(a, 2 * begin, 2 * end < panels ? 2 * end : panels);
    return;
  }
  int64_t bytes = a->n / a->group * 64 * (a->group * a->bits / 32 + 1);
  for (int64_t panel = begin; panel < end; panel++) {
    const uint8_t *w = (const uint8_t *)a->packed + panel * bytes;
    for (int64_t row = 0; row < a->rows; row++)
      _mm512_mask_storeu_ps(
        (float *)a->y + row * a->outputs + panel * 16, lanes_of(a, panel),
        a->bits == 8 ? row_panel(a, 8, w, row, a->ahead) : row_panel(a, 4, w, row, a->ahead));
  }
}
#else
bool vugen_has_small_products(void) { return false; }
void vugen_rounded_product(const vg_quantized_args *a, int64_t begin, int64_t end) { (void)a; (void)begin; (void)end; }
#endif
