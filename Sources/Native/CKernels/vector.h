// Sixteen f32 lanes and their mathematics, written once for every instruction set: the compiler lowers
// a vector to one, two or four registers. Included under each target's attribute.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef float vf __attribute__((ext_vector_type(16)));
typedef int32_t vi __attribute__((ext_vector_type(16)));
typedef uint32_t vu __attribute__((ext_vector_type(16)));
typedef uint16_t vh __attribute__((ext_vector_type(16)));
typedef int8_t vb __attribute__((ext_vector_type(16)));
typedef uint8_t vq __attribute__((ext_vector_type(16)));
typedef float vf_unaligned __attribute__((ext_vector_type(16), aligned(4)));
typedef uint16_t vh_unaligned __attribute__((ext_vector_type(16), aligned(2)));

#define LANES 16
#define INLINE static inline __attribute__((always_inline))
#pragma clang fp contract(fast)
#pragma clang diagnostic ignored "-Wpsabi"  // vectors are only passed to inlined functions

INLINE vf splat(float x) { return (vf)x; }
// By hand: a line each.
// clang-format off
INLINE vf as_float(vu x) { union { vu u; vf f; } c = {.u = x}; return c.f; }
INLINE vu as_bits(vf x) { union { vf f; vu u; } c = {.f = x}; return c.u; }
// clang-format on
INLINE vf choose(vi mask, vf a, vf b) { return as_float(((vu)mask & as_bits(a)) | (~(vu)mask & as_bits(b))); }

INLINE vf load_f32(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store_f32(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf widen(vh h) { return as_float(__builtin_convertvector(h, vu) << 16); }
INLINE vh narrow(vf v) {  // to nearest even; a NaN stays one
  vu u = as_bits(v);
  vu rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  vu quiet = (u >> 16) | 0x40u;
  vu nan = (vu)(v != v);
  return __builtin_convertvector((nan & quiet) | (~nan & rounded), vh);
}
INLINE vf load_bf16(const uint16_t *p) { return widen(*(const vh_unaligned *)p); }
INLINE void store_bf16(uint16_t *p, vf v) { *(vh_unaligned *)p = narrow(v); }
// By hand: a line each.
// clang-format off
INLINE vf loadn_f32(const float *p, int64_t n) { vf v = 0; memcpy(&v, p, (size_t)n * 4); return v; }
INLINE void storen_f32(float *p, vf v, int64_t n) { memcpy(p, &v, (size_t)n * 4); }
INLINE vf loadn_bf16(const uint16_t *p, int64_t n) { vh h = 0; memcpy(&h, p, (size_t)n * 2); return widen(h); }
INLINE void storen_bf16(uint16_t *p, vf v, int64_t n) { vh h = narrow(v); memcpy(p, &h, (size_t)n * 2); }
INLINE float scalar_bf16(uint16_t h) { union { uint32_t u; float f; } c = {.u = (uint32_t)h << 16}; return c.f; }
// clang-format on
INLINE uint16_t narrow_scalar(float f) { return narrow(splat(f))[0]; }

INLINE float add_lanes(vf v) {
  float s[8];
  for (int i = 0; i < 8; i++) s[i] = v[i] + v[i + 8];
  for (int i = 0; i < 4; i++) s[i] += s[i + 4];
  return (s[0] + s[2]) + (s[1] + s[3]);
}
INLINE vf vmax(vf a, vf b) { return choose(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return choose(a < b, a, b); }
INLINE float max_lanes(vf v) {
  float m = v[0];
  for (int i = 1; i < LANES; i++) m = v[i] > m ? v[i] : m;
  return m;
}
// To the nearest integer, for |x| < 2^22, without an instruction that older processors lack.
INLINE vf nearest(vf x) { return (x + 12582912.0f) - 12582912.0f; }

// e^x to 1 unit in the last place or so; 0 below −87.3, large but finite above 88.3.
INLINE vf vexp(vf x) {
  vf y = vmin(vmax(x, splat(-87.3f)), splat(88.3f));
  vf n = nearest(y * 1.44269504f);
  vf r = y - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vf p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  vi e = __builtin_convertvector(n, vi);
  vf result = as_float(as_bits(p) + ((vu)e << 23));
  result = choose(x < -87.3f, splat(0), result);
  return choose(x != x, x, result);
}

// Natural logarithm of positive normal numbers; −inf at 0, NaN below.
INLINE vf vlog(vf x) {
  vu bits = as_bits(x);
  vi e = (vi)(bits >> 23) - 126;
  vf m = as_float((bits & 0x007fffffu) | 0x3f000000u);  // [0.5, 1)
  vi small = m < 0.707106781f;
  e = e + small;  // −1 where small
  m = choose(small, m + m, m) - 1.0f;
  vf z = m * m;
  vf p = splat(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  vf f = __builtin_convertvector(e, vf);
  vf y = m * z * p;
  y = y + f * -2.12194440e-4f;
  y = y - 0.5f * z;
  vf result = m + y + f * 0.693359375f;
  result = choose(x < 1.17549435e-38f, splat(-INFINITY), result);
  result = choose(x == INFINITY, x, result);
  return choose((x < 0.0f) | (x != x), splat(NAN), result);
}

INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }
INLINE vf vtanh(vf x) {
  vf a = x * x;
  vf series = x * (1.0f + a * (-0.333333333f + a * (0.133333333f - a * 0.053968254f)));
  vf exact = 1.0f - 2.0f / (vexp(x + x) + 1.0f);
  return choose(a < 0.01f, series, exact);
}

// erf to 1.5e-7 absolute (Abramowitz and Stegun 7.1.26); e is e^(−x²), shared with the derivative.
INLINE vf verf(vf x, vf e) {
  vf a = vmax(x, -x);
  vf t = 1.0f / (1.0f + 0.3275911f * a);
  vf p = splat(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  vf y = 1.0f - p * t * e;
  return choose(x < 0.0f, -y, y);
}

// Sine and cosine, reduced by π/2 in three parts; good to 1e-6 for |x| < 10⁴.
INLINE void vsincos(vf x, vf *sine, vf *cosine) {
  vf n = nearest(x * 0.636619772f);
  vf r = x - n * 1.5703125f;
  r = r - n * 4.837512969970703125e-4f;
  r = r - n * 7.54978995489188216e-8f;
  vf z = r * r;
  vf s = splat(-1.9515295891e-4f);
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * r + r;
  vf c = splat(2.443315711809948e-5f);
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  vi q = __builtin_convertvector(n, vi);
  vi odd = (q & 1) != 0;
  vf sv = choose(odd, c, s), cv = choose(odd, s, c);
  *sine = choose((q & 2) != 0, -sv, sv);
  *cosine = choose(((q + 1) & 2) != 0, -cv, cv);
}

INLINE vf vsqrt(vf x) {
  vf y;
  for (int i = 0; i < LANES; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

// Activations and their derivatives at x.
INLINE vf vsilu(vf x) { return x * vsigmoid(x); }
INLINE vf vsilu_slope(vf x) {
  vf s = vsigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}
INLINE vf vgelu_erf(vf x) { return 0.5f * x * (1.0f + verf(x * 0.70710678f, vexp(-0.5f * x * x))); }
INLINE vf vgelu_erf_slope(vf x) {
  vf e = vexp(-0.5f * x * x);
  return 0.5f * (1.0f + verf(x * 0.70710678f, e)) + x * 0.39894228f * e;
}
INLINE vf vgelu_tanh(vf x) { return 0.5f * x * (1.0f + vtanh(0.79788456f * (x + 0.044715f * x * x * x))); }
INLINE vf vgelu_tanh_slope(vf x) {
  vf t = vtanh(0.79788456f * (x + 0.044715f * x * x * x));
  return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.79788456f * (1.0f + 0.134145f * x * x);
}

// Sixteen rows become sixteen columns: blocks of 1, 2, 4 and 8 lanes change places.
#define SWAP_BLOCKS(size, low, high)                       \
  for (int i = 0; i < LANES; i++)                          \
    if (!(i & (size))) {                                   \
      vf a = r[i], b = r[i + (size)];                      \
      r[i] = __builtin_shufflevector(a, b, low);           \
      r[i + (size)] = __builtin_shufflevector(a, b, high); \
    }
#define PICK(...) __VA_ARGS__
INLINE void transpose16(vf r[16]) {
#pragma unroll
  SWAP_BLOCKS(1, PICK(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
              PICK(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#pragma unroll
  SWAP_BLOCKS(2, PICK(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
              PICK(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
#pragma unroll
  SWAP_BLOCKS(4, PICK(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
              PICK(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
#pragma unroll
  SWAP_BLOCKS(8, PICK(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
              PICK(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
}
#undef SWAP_BLOCKS
#undef PICK
