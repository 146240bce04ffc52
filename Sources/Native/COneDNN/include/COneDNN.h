// A small face on oneDNN's C API: matrix products, convolutions and bilinear resizing with cached
// primitives and packed weights. One source serves API 2.x (Debian 12) and 3.x (newer systems).
//
// Primitives, their scratch memory and their argument slots are cached per thread: call from threads
// that live long. Every function returns 0, or oneDNN's status code.

#ifndef VUGEN_CONEDNN_H
#define VUGEN_CONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Element types; the same numbers as CKernels'.
enum { VUGEN_F32 = 0, VUGEN_BF16 = 1 };

enum {
  VUGEN_ACTIVATION_NONE = 0,
  VUGEN_ACTIVATION_SILU = 1,
  VUGEN_ACTIVATION_GELU_ERF = 2,
  VUGEN_ACTIVATION_GELU_TANH = 3,
  VUGEN_ACTIVATION_RELU = 4,
};

// A transposed B [n, k] in panels of 64 rows, columns in pairs (BA16a64b2a): n is a multiple of 64, k of 32.
enum { VUGEN_PANELS = 2 };

// C[b] = activation(op(A[b]) op(B[b]) + bias) (+ C[b] when `accumulate`).
// Row-major; A is [m, k] or, transposed, [k, m]; B is [k, n] or, transposed, [n, k]; C is [m, n].
// A batch stride is in elements and may be 0 (the same matrix for the whole batch).
typedef struct {
  int64_t batch, m, n, k;
  int64_t a_stride, b_stride, c_stride;  // between matrices of the batch
  int64_t a_row, b_row, c_row;           // between rows of a matrix as it is stored
  int32_t a_type, b_type, c_type;
  int32_t a_transposed, b_transposed;
  int32_t has_bias;  // [n], f32
  int32_t activation;
  int32_t accumulate;
  int32_t b_packed;  // B comes from vugen_matmul_pack, or is bf16 in VUGEN_PANELS
} vugen_matmul_spec;

// Sums so long that they are cut here, by their length alone, so that their bits do not depend on the number of threads:
// C is then f32, without bias, activation and accumulation.
int vugen_matmul_is_long(const vugen_matmul_spec *spec);
// Whether a row of a product has the same bits whatever rows are beside it and however threads cut it: only with AVX-512,
// without which oneDNN's order of adding up depends on the tile that a row falls into.
bool vugen_matmul_is_steady(void);
int vugen_matmul(const vugen_matmul_spec *spec, const void *a, const void *b, const float *bias, void *c);
// The size in bytes of a packed B, and the number of its layout: equal numbers, equal layout.
int vugen_matmul_packed_layout(const vugen_matmul_spec *spec, size_t *bytes, int64_t *layout);
// `b` is plain with `b_row` and `b_transposed`, of type `from_type`.
int vugen_matmul_pack(const vugen_matmul_spec *spec, int32_t from_type, const void *b, void *packed);

// 2-D convolution, activations NHWC, plain weights OIHW f32 or bf16.
typedef struct {
  int64_t batch, height, width, channels;  // input
  int64_t out_channels, kernel_height, kernel_width;
  int64_t stride, padding;
  int64_t out_height, out_width;
  int32_t type;  // of activations and packed weights
  int32_t has_bias;
  int32_t activation;
  int32_t reserved;
} vugen_conv_spec;

enum { VUGEN_CONV_FORWARD = 0, VUGEN_CONV_BACKWARD_DATA = 1, VUGEN_CONV_BACKWARD_WEIGHTS = 2 };

int vugen_conv_packed_layout(const vugen_conv_spec *spec, int32_t pass, size_t *bytes, int64_t *layout);
int vugen_conv_pack(const vugen_conv_spec *spec, int32_t pass, int32_t from_type, const void *weights, void *packed);
int vugen_conv_forward(const vugen_conv_spec *spec, const void *x, const void *packed, const float *bias, void *y);
int vugen_conv_backward_data(const vugen_conv_spec *spec, const void *dy, const void *packed, void *dx);
// Writes OIHW f32 weights' gradient and, when has_bias, the bias's.
int vugen_conv_backward_weights(const vugen_conv_spec *spec, const void *x, const void *dy, float *dweights,
                                float *dbias);

// Bilinear resizing of NHWC planes, pixel centres at one half (PyTorch's align_corners = false).
typedef struct {
  int64_t batch, height, width, channels, out_height, out_width;
  int32_t type;
  int32_t reserved;
} vugen_resize_spec;

int vugen_resize_bilinear(const vugen_resize_spec *spec, const void *x, void *y);
int vugen_resize_bilinear_backward(const vugen_resize_spec *spec, const void *dy, void *dx);

#ifdef __cplusplus
}
#endif

#endif
