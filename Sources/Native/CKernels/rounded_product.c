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

// The instruction takes weights without a sign, so stored ones are larger: sums begin that much lower.
INLINE __m512i begin_sum(const vg_quantized_args *a, int64_t group) {
  return _mm512_set1_epi32(a->rounded.sums[group]);
}
INLINE __m512 add_scaled(__m512i sum, const uint8_t *scales, __m512 to) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(scales), to);
}
static int64_t spans(const vg_quantized_args *a) { return (a->n + a->rounded.span - 1) / a->rounded.span; }
static int64_t groups_of_span(const vg_quantized_args *a) { return a->rounded.span / a->group; }

// ---------------------------------------------------------------- a row: one stream of weights

INLINE __m512 row_panel(const vg_quantized_args *a, const int bits, const uint8_t *w, int64_t row, int64_t ahead) {
  const __m512i low = _mm512_set1_epi8(15);
  int64_t groups = a->n / a->group, each = groups_of_span(a);
  const int8_t *x = a->rounded.numbers + row * a->n;
  const float *scale = a->rounded.scales + row * spans(a);
  __m512 total = _mm512_setzero_ps();
  for (int64_t from = 0; from < groups; from += each, scale++) {
    __m512 part = _mm512_setzero_ps();
    for (int64_t g = from; g < from + each && g < groups; g++) {
      __m512i even = begin_sum(a, row * groups + g), odd = _mm512_setzero_si512();
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
      part = add_scaled(_mm512_add_epi32(even, odd), w, part);
      w += 64;
    }
    total = _mm512_fmadd_ps(part, _mm512_set1_ps(*scale), total);
  }
  return total;
}

// ---------------------------------------------------------------- many rows: tiles in the registers

enum { TILE_ROWS = 4, TILE_PANELS = 2 };

// `rows` rows times `panels` panels, whose 8-bit weights w[p] points to: two panels stay in the second cache, which
// is near enough; sums that went to memory between pieces of the columns would cost more.
INLINE void tile(const vg_quantized_args *a, const int rows, const int panels, const uint8_t *const *w, int64_t panel,
                 int64_t row) {
  int64_t groups = a->n / a->group, each = groups_of_span(a);
  const uint8_t *first = w[0], *second = w[panels - 1];
  __m512 total[TILE_ROWS][TILE_PANELS];
#pragma unroll
  for (int r = 0; r < rows; r++) total[r][0] = total[r][1] = _mm512_setzero_ps();
  for (int64_t from = 0; from < groups; from += each) {
    __m512 part[TILE_ROWS][TILE_PANELS];
#pragma unroll
    for (int r = 0; r < rows; r++) part[r][0] = part[r][1] = _mm512_setzero_ps();
    for (int64_t g = from; g < from + each && g < groups; g++, first += 64, second += 64) {
      const int8_t *x = a->rounded.numbers + row * a->n + g * a->group;
      __m512i sum[TILE_ROWS][TILE_PANELS];
#pragma unroll
      for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = begin_sum(a, (row + r) * groups + g);
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
        part[r][0] = add_scaled(sum[r][0], first, part[r][0]);
        if (panels > 1) part[r][1] = add_scaled(sum[r][1], second, part[r][1]);
      }
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
      __m512 scale = _mm512_set1_ps(a->rounded.scales[(row + r) * spans(a) + from / each]);
      total[r][0] = _mm512_fmadd_ps(part[r][0], scale, total[r][0]);
      if (panels > 1) total[r][1] = _mm512_fmadd_ps(part[r][1], scale, total[r][1]);
    }
  }
#pragma unroll
  for (int r = 0; r < rows; r++)
#pragma unroll
    for (int p = 0; p < panels; p++)
      _mm512_mask_storeu_ps((float *)a->y + (row + r) * a->outputs + (panel + p) * 16, lanes_of(a, panel + p),
                            total[r][p]);
}

// `next`: memory that will be read after these rows; each tile asks for its share, so that it is near by then.
INLINE void rows_of(const vg_quantized_args *a, const int panels, const uint8_t *const *w, int64_t panel,
                    const uint8_t *next, int64_t bytes) {
  int64_t row = 0;
#define TILES(count)                                                                               \
  for (; row + count <= a->rows; row += count) {                                                   \
    for (int64_t at = row * bytes / a->rows & ~63; at < (row + count) * bytes / a->rows; at += 64) \
      _mm_prefetch((const char *)next + at, _MM_HINT_T1);                                          \
    tile(a, count, panels, w, panel, row);                                                         \
  }
  TILES(TILE_ROWS)
  TILES(2)
  TILES(1)
#undef TILES
}

// A panel of 4-bit weights, a byte each.
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
  int64_t groups = a->n / a->group, bytes = groups * 64 * (a->group * a->bits / 32 + 1);
  int64_t wide = groups * 64 * (a->group / 4 + 1);
  uint8_t *scratch = a->bits == 4 ? (uint8_t *)vugen_scratch((size_t)(TILE_PANELS * wide / 4)) : NULL;
  for (int64_t panel = begin; panel < end; panel += TILE_PANELS) {
    int64_t panels = end - panel < TILE_PANELS ? end - panel : TILE_PANELS;
    const uint8_t *w[TILE_PANELS] = {0};
    for (int64_t p = 0; p < panels; p++) {
      w[p] = (const uint8_t *)a->packed + (panel + p) * bytes;
      if (a->bits == 8) continue;
      widen(a, w[p], scratch + p * wide, groups);
      w[p] = scratch + p * wide;
    }
    const uint8_t *next = (const uint8_t *)a->packed + (panel + panels) * bytes;
    int64_t ahead = panel + panels < end ? TILE_PANELS * bytes : 0;
    if (panels == 2) rows_of(a, 2, w, panel, next, ahead);
    else rows_of(a, 1, w, panel, next, ahead);
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
      _mm512_mask_storeu_ps((float *)a->y + row * a->outputs + panel * 16, lanes_of(a, panel),
                            a->bits == 8 ? row_panel(a, 8, w, row, a->ahead) : row_panel(a, 4, w, row, a->ahead));
  }
}
#else
bool vugen_has_small_products(void) { return false; }
void vugen_rounded_product(const vg_quantized_args *a, int64_t begin, int64_t end) {
  (void)a;
  (void)begin;
  (void)end;
}
#endif
