// Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11).
// Compiled for the baseline only: no fused multiply-add, so every machine gets the same bits.

#include "CKernels.h"
#include "tables.h"
#include "vector.h"
#include "random.h"

void vugen_philox_rounds(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1, c3 = (uint32_t)p0, c0 = n0, c2 = n2;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

// The seed is the key; the counter is (block, stream).
void vugen_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t words[4]) {
  uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
  uint32_t k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  vugen_philox_rounds(c, k, words);
}

// 64 consecutive words from counter `first` on.
static void words64(const vg_random_args *a, uint64_t first, uint32_t words[64]) {
  for (int i = 0; i < 16; i++) vugen_philox(a->seed, a->stream, a->offset + first + (uint64_t)i, words + 4 * i);
}

// 24 bits: (0, 1) with the ends left out, so that a logarithm of it is finite.
INLINE vf unit(vu words) { return (__builtin_convertvector(words >> 8, vf) + 0.5f) * 0x1p-24f; }

static void uniform64(const vg_random_args *a, const uint32_t words[64], float out[64]) {
  for (int i = 0; i < 64; i += LANES) {
    vu w;
    memcpy(&w, words + i, sizeof w);
    store_f32(out + i, a->low + (a->high - a->low) * (__builtin_convertvector(w >> 8, vf) * 0x1p-24f));
  }
}

// Box–Muller: words (2i, 2i+1) make normals (2i, 2i+1).
static void normal64(const vg_random_args *a, const uint32_t words[64], float out[64]) {
  for (int i = 0; i < 64; i += 2 * LANES) {
    vu u, v;
    for (int l = 0; l < LANES; l++) u[l] = words[i + 2 * l], v[l] = words[i + 2 * l + 1];
    vf radius = vsqrt(-2.0f * vlog(unit(u))), sine, cosine;
    vsincos(6.28318531f * unit(v), &sine, &cosine);
    for (int l = 0; l < LANES; l++) {
      out[i + 2 * l] = a->low + a->high * (radius[l] * cosine[l]);
      out[i + 2 * l + 1] = a->low + a->high * (radius[l] * sine[l]);
    }
  }
}

static void fill(const vg_random_args *a, int64_t begin, int64_t end, int normal, int bf16) {
  int64_t last = end * VG_BLOCK < a->n ? end * VG_BLOCK : a->n;
  for (int64_t i = begin * VG_BLOCK; i < last; i += 64) {
    uint32_t words[64];
    float out[64];
    words64(a, (uint64_t)i / 4, words);
    if (normal) normal64(a, words, out);
    else uniform64(a, words, out);
    int64_t n = last - i < 64 ? last - i : 64;
    for (int64_t j = 0; j < n; j++) {
      if (bf16) ((uint16_t *)a->y)[i + j] = narrow_scalar(out[j]);
      else ((float *)a->y)[i + j] = out[j];
    }
  }
}

void vugen_uniform_f32(const void *args, int64_t begin, int64_t end) { fill(args, begin, end, 0, 0); }
void vugen_uniform_bf16(const void *args, int64_t begin, int64_t end) { fill(args, begin, end, 0, 1); }
void vugen_normal_f32(const void *args, int64_t begin, int64_t end) { fill(args, begin, end, 1, 0); }
void vugen_normal_bf16(const void *args, int64_t begin, int64_t end) { fill(args, begin, end, 1, 1); }
