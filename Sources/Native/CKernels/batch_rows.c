// Rows of bf16 weights, as they are stored, times the rows of a batch of sequences: 5 to 32 of them, too many to wait for
// memory alone and too few to be worth turning the weights into another layout at each step.
//
// One instruction multiplies 32 pairs of bf16 and adds them up in f32. A tile is 4 weight rows by up to 6 rows of x: its
// sums stay in registers for the whole length of the rows, and what is read from the nearest cache serves several
// products. The sums of a row do not depend on the rows beside it.

#include "batch_rows.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define TARGET_INLINE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"), always_inline)) static inline

enum { TILE_OUTPUTS = 4, TILE_ROWS = 6 };

TARGET_INLINE __m512bh load(const uint16_t *p) { return (__m512bh)_mm512_loadu_si512(p); }

TARGET_INLINE __m256 halves(__m512 v) {
  return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}

// The sums of four vectors' lanes.
TARGET_INLINE __m128 four_sums(const __m512 *v) {
  __m256 a = _mm256_hadd_ps(halves(v[0]), halves(v[1])), b = _mm256_hadd_ps(halves(v[2]), halves(v[3]));
  __m256 c = _mm256_hadd_ps(a, b);
  return _mm_add_ps(_mm256_castps256_ps128(c), _mm256_extractf128_ps(c, 1));
}

// y[r][0…3] = Σ x[r] w[0…3] for the tile's rows. `ahead` is where the weights of the next tile lie: the first rows that
// meet these weights send for those.
TARGET_INLINE void tile(
  const int rows, const uint16_t *x, const uint16_t *w, const int64_t step[TILE_OUTPUTS], int64_t n, float *y,
  int64_t y_row, int64_t outputs, const int fetches) {
  __m512 sum[TILE_ROWS][TILE_OUTPUTS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int j = 0; j < TILE_OUTPUTS; j++) sum[r][j] = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 32) {
    __m512bh line[TILE_OUTPUTS];
#pragma GCC unroll 8
    for (int j = 0; j < TILE_OUTPUTS; j++) {
      line[j] = load(w + step[j] + i);
      if (fetches) _mm_prefetch((const char *)(w + step[j] + TILE_OUTPUTS * n + i), _MM_HINT_T1);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      __m512bh v = load(x + r * n + i);
#pragma GCC unroll 8
      for (int j = 0; j < TILE_OUTPUTS; j++) sum[r][j] = _mm512_dpbf16_ps(sum[r][j], v, line[j]);
    }
  }
  __mmask8 kept = (__mmask8)((1u << outputs) - 1);
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) _mm_mask_storeu_ps(y + r * y_row, kept, four_sums(sum[r]));
}

TARGET void vugen_batch_rows(const void *args, int64_t begin, int64_t end) {
  const vg_batch_product_args *a = args;
  int64_t n = a->n, tiles = (a->rows + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t item = begin; item < end; item++) {
    int64_t j = item * TILE_OUTPUTS, outputs = a->outputs - j < TILE_OUTPUTS ? a->outputs - j : TILE_OUTPUTS;
    const uint16_t *w = a->w + j * n;
    int64_t step[TILE_OUTPUTS];
    for (int64_t k = 0; k < TILE_OUTPUTS; k++) step[k] = (k < outputs ? k : outputs - 1) * n;
    // Rows in tiles of nearly one size.
    for (int64_t t = 0; t < tiles; t++) {
      int64_t from = t * a->rows / tiles, rows = (t + 1) * a->rows / tiles - from;
      const uint16_t *x = a->x + from * n;
      float *y = a->y + from * a->outputs + j;
#define TILE(rows)                                                                       \
  case rows:                                                                             \
    if (t == 0) tile(rows, x, w, step, n, y, a->outputs, outputs, 1);                    \
    else tile(rows, x, w, step, n, y, a->outputs, outputs, 0);                           \
    break;
      switch (rows) {
        TILE(1)
        TILE(2)
        TILE(3)
        TILE(4)
        TILE(5)
        TILE(6)
        default: break;
      }
#undef TILE
    }
  }
}
#else
void vugen_batch_rows(const void *args, int64_t begin, int64_t end) { (void)args; (void)begin; (void)end; }
#endif
