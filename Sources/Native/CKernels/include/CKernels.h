// Numeric loops that neither oneDNN nor OpenBLAS has, each compiled for several instruction sets and
// chosen at run time, and the one team of threads that runs them.
//
// A kernel works on items [begin, end): rows, heads, or chunks, as its arguments say. `vugen_run` cuts
// the items over the thread team; no item's result depends on who computes it. Element types are f32
// and bf16; sums, statistics and weights of norms are f32.

#ifndef VUGEN_CKERNELS_H
#define VUGEN_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VG_F32 = 0, VG_BF16 = 1, VG_TYPES = 2 };

typedef enum {
  // By hand: groups.
  // clang-format off
  VG_UNARY, VG_UNARY_BACKWARD, VG_BINARY, VG_AFFINE, VG_CAST, VG_PERMUTE, VG_REDUCE,
  VG_SOFTMAX, VG_SOFTMAX_BACKWARD, VG_CROSS_ENTROPY, VG_CROSS_ENTROPY_BACKWARD,
  VG_ROW_NORM, VG_ROW_NORM_BACKWARD, VG_CHANNEL_SUMS, VG_CHANNEL_APPLY, VG_CHANNEL_SUMS_BACKWARD,
  VG_CHANNEL_APPLY_BACKWARD, VG_GLU, VG_GLU_BACKWARD, VG_ROPE, VG_ATTENTION, VG_ATTENTION_BACKWARD,
  VG_GATHER_ROWS, VG_SCATTER_ADD_ROWS, VG_RESIZE_NEAREST, VG_RESIZE_NEAREST_BACKWARD, VG_AVERAGE_POOL,
  VG_AVERAGE_POOL_BACKWARD, VG_MAX_POOL, VG_MAX_POOL_BACKWARD, VG_ADAMW, VG_SCHEDULE_FREE, VG_SUM_SQUARES, VG_LERP, VG_UNIFORM, VG_NORMAL,
  VG_QUANTIZE,
  VG_DEQUANTIZE, VG_PACK_QUANTIZED, VG_UNPACK_QUANTIZED, VG_QUANTIZED_ROW_PRODUCT, VG_ROUND_ROWS, VG_ROUNDED_PRODUCT,
  VG_ROW_PRODUCT, VG_PACK_ROWS, VG_UNPACK_ROWS, VG_PACKED_ROW_PRODUCT, VG_MODULATE, VG_MODULATE_BACKWARD, VG_PRODUCT,
  VG_PANELS, VG_UNPACK_PANELS, VG_DEQUANTIZE_PANELS,
  VG_KERNELS
  // clang-format on
} vg_kernel;

// y = f(x), n elements cut in blocks of VG_BLOCK (one item a block).
enum { VG_BLOCK = 4096 };
typedef enum {
  VG_NEGATE,
  VG_EXP,
  VG_LOG,
  VG_SQRT,
  VG_SQUARE,
  VG_RECIPROCAL,
  VG_TANH,
  VG_SIGMOID,
  VG_RELU,
  VG_SILU,
  VG_GELU_ERF,
  VG_GELU_TANH,
  VG_SIN,
  VG_COS,
  VG_ABS
} vg_unary_op;
typedef struct {
  const void *x, *dy;  // dy only backward: y receives dx = dy f'(x)
  void *y;
  int64_t n;
  int32_t op;
} vg_unary_args;

// y = a op b over rows of `inner` elements; `outer` dimensions carry strides in elements, 0 repeats.
// a_inner, b_inner: 1 = a vector along the row, 0 = one element for the row. Items: rows.
typedef enum { VG_ADD, VG_SUBTRACT, VG_MULTIPLY, VG_DIVIDE, VG_EQUAL } vg_binary_op;
enum { VG_MAX_DIMS = 8 };
typedef struct {
  const void *a, *b;
  void *y;
  int64_t inner;
  int64_t dims[VG_MAX_DIMS], a_strides[VG_MAX_DIMS], b_strides[VG_MAX_DIMS];
  int32_t rank, op, a_inner, b_inner;
} vg_binary_args;

// y = scale x + shift; items: blocks.
typedef struct {
  const void *x;
  void *y;
  int64_t n;
  float scale, shift;
} vg_affine_args;

// Between the kernel's element type (x) and `to_type` (y); items: blocks.
typedef struct {
  const void *x;
  void *y;
  int64_t n;
  int32_t to_type;
} vg_cast_args;

// y (contiguous) = x read with strides; by element size 2 or 4 (the type only names the size).
// Items: rows, products of all dimensions but the last.
typedef struct {
  const void *x;
  void *y;
  int64_t dims[VG_MAX_DIMS], strides[VG_MAX_DIMS];
  int64_t y_row;  // elements between y's rows
  int32_t rank;
} vg_permute_args;

// x [outer, middle, inner] → y f32 [outer, chunks, inner]: sums (or maxima) of each chunk of `middle`.
// Items: outer × chunks.
typedef struct {
  const void *x;
  float *y;
  int64_t middle, inner, chunks;
  int32_t maximum;
} vg_reduce_args;

// Rows of n. Backward: dx = y (dy − Σ dy y). Items: rows.
typedef struct {
  const void *x, *dy;  // backward: x holds y
  void *y;
  int64_t n;
} vg_softmax_args;

// losses[row] = logsumexp(x[row]) − x[row][target]; ignored rows (target < 0) give 0. Items: rows.
// Backward: dx = (softmax(x) − onehot) scale.
typedef struct {
  const void *x;
  void *dx;
  const int32_t *targets;
  float *losses, *lse;
  int64_t n;
  const float *scale;  // one number
} vg_cross_entropy_args;

// RMSNorm (mean == NULL) and LayerNorm over rows of n: y = (x − mean) rstd weight + bias. Items: rows.
// Backward: items are chunks of `rows_per_chunk` rows; dweight and dbias receive one partial a chunk.
typedef struct {
  const void *x, *dy;
  void *y;  // backward: dx
  const float *weight, *bias;
  float *mean, *rstd;
  float *dweight, *dbias;  // [chunks, n] or NULL
  int64_t n, rows, rows_per_chunk;
  float epsilon;
} vg_row_norm_args;

// GroupNorm's passes over NHWC [batch, pixels, channels]. The sums are per channel about `origin`
// ([batch, channels], the first pixel), so that a large mean costs no digits. Items: batch × chunks.
//   sums:            partial[b][chunk] = Σ (x − o), Σ (x − o)²
//   apply:           y = act(x a[b][c] + s[b][c])
//   backward sums:   g = dy act'(x a + s); partial = Σ g, Σ g (x − o)
//   backward apply:  dx = g a[b][c] + (x − o) p[b][c] + q[b][c]
// act is SiLU where `silu`, else the identity.
typedef struct {
  const void *x, *dy;
  void *y;
  const float *a, *s, *p, *q, *origin;
  float *partial;  // [batch, chunks, 2, channels]
  int64_t pixels, channels, chunks;
  int32_t silu;
} vg_channel_args;

// y = act(gate) up. Rows of n with row strides, so that gate and up may be halves of one product.
typedef enum { VG_SWIGLU, VG_GEGLU_ERF, VG_GEGLU_TANH } vg_glu_op;
typedef struct {
  const void *gate, *up, *dy;
  void *y, *dgate, *dup;
  int64_t n, gate_row, up_row, dgate_row, dup_row;
  int32_t op;
} vg_glu_args;

// y = act(x (1 + scale) + shift): x [batch, height factor, width factor, n]; parts [batch, height, width, 2n] holds
// scale, then shift (or shift first), each entry serving a block of factor × factor pixels. act: silu or nothing. Backward: y
// receives dx, dparts the blocks' sums. Items: entries of parts (batch × height × width).
// a, s: f32 [batch, n] or NULL; x a + s stands for x then, forward only: a norm that is never written out.
typedef struct {
  const float *a, *s;
  const void *x, *parts, *dy;
  void *y, *dparts;
  int64_t n, height, width, factor;
  int32_t silu, shift_first;
} vg_modulate_args;

// Rotates pairs of channels of x [rows = batch × time, heads, head_size] by angles[position].
// Half-split pairs (i, i + rotary/2) or interleaved (2i, 2i+1); channels past `rotary` pass through.
// cosine, sine: f32 [positions, rotary / 2]; position of a row: row % time. sign −1 turns back. Items: rows.
typedef struct {
  const void *x;
  void *y;
  const float *cosine, *sine;
  int64_t time, heads, head_size, rotary, x_row, y_row;
  int32_t interleaved;
  float sign;
} vg_rope_args;

// softmax(scale q kᵀ + bias, masked) v. q, o [batch, queries, heads, d]; k, v [batch, keys, kv_heads, d],
// each with strides (batch, time, head) in elements; channels contiguous.
//   causal: key j is seen by query i where j <= i + keys − queries
//   visible: i32 [queries, 4], batch stride `visible_batch` (0 = shared): a query sees the keys r[0] ≤ j < r[1] and
//           r[2] ≤ j < r[3], where r[1] ≤ r[2]; blocks that no query sees are left out
//   bias:   f32 [.., queries, keys] with strides bias_batch, bias_head
//   grid_bias: f32 [heads, 2 grid_height − 1, 2 grid_width − 1]: queries and keys are the places of one grid, row by
//           row, and the entry (Δy + grid_height − 1, Δx + grid_width − 1) belongs to a key at (Δy, Δx) from its
//           query. Rows with |Δy| > grid_reach must be −∞: blocks that hold nothing else are left out.
// Items forward: batch × kv_heads × query_chunks. lse [batch, heads, queries] may be NULL.
// Items backward: batch × kv_heads, or with dbias or dgrid_bias kv_heads (the batch is summed in order).
typedef struct {
  int64_t batch, time, head;
} vg_strides;
typedef struct {
  const void *q, *k, *v, *output, *doutput;
  void *o, *dq, *dk, *dv;
  float *lse;
  const int32_t *visible;
  const float *bias;
  float *dbias;  // same strides as bias
  const float *grid_bias;
  float *dgrid_bias;
  vg_strides qs, ks, vs, os, dos, dqs, dks, dvs;
  int64_t batch, queries, keys, heads, kv_heads, d, query_chunks;
  int64_t visible_batch, bias_batch, bias_head;
  int64_t grid_height, grid_width, grid_reach;
  float scale;
  int32_t causal;
} vg_attention_args;

// C[b] = A[b] B[b] + bias, f32: m × k, k × n and m × n numbers, A and B with any strides, the bias (n numbers) or NULL.
// Each number is one sum in the order of k, so that its bits do not depend on the rows and columns beside it, nor on the
// blocks, which are as large as VG_PRODUCT_ROWS × VG_PRODUCT_COLUMNS. Items: blocks, those of one row of blocks side by side.
enum { VG_PRODUCT_ROWS = 96, VG_PRODUCT_COLUMNS = 128 };
typedef struct {
  const float *a, *b, *bias;
  float *c;
  int64_t m, n, k;
  int64_t a_step, b_step;  // between matrices of a batch; C's follow each other
  int64_t a_row, a_column, b_row, b_column;
  const float *panels;  // B's, where they are laid out before; or NULL. One B for the whole batch then
} vg_product_args;

// B, k × n numbers with any strides → panels of 16 columns, [⌈n / 16⌉, k, 16], the last one's rest zeros. Items: panels.
typedef struct {
  const float *b;
  float *panels;
  int64_t n, k;
  int64_t b_row, b_column;
} vg_panel_args;

// y[i] = table[indices[i]] over rows of n. Items: indices.
// Scatter: dtable[indices[i]] += dy[i] in the order of i. Items: blocks of 64 columns. dtable f32.
typedef struct {
  const void *table, *dy;
  const int32_t *indices;
  void *y;
  float *dtable;
  int64_t n, count;
} vg_gather_args;

// NHWC, out = factor × in. Items: output rows (batch × height); backward and pooling: their output's rows.
typedef struct {
  const void *x;
  void *y;
  int64_t height, width, channels, factor_y, factor_x;  // height and width of x
} vg_resample_args;

// NHWC, the largest of each kernel × kernel window; windows may overlap. Items: output rows (batch × height);
// backward: pictures. Backward: dx, which begins as zeros, takes dy at each window's first largest entry.
typedef struct {
  const void *x, *dy;
  void *y;  // backward: read
  void *dx;
  int64_t height, width, channels, out_height, out_width, kernel, stride;
} vg_max_pool_args;

// One AdamW step (decoupled decay, arXiv 1711.05101), fused; items: blocks. `copy` (bf16) may be NULL.
typedef struct {
  float *parameter, *m, *v;
  const float *gradient;
  uint16_t *copy;
  int64_t n;
  float rate, beta1, beta2, epsilon, decay, correction1, correction2;
  const float *gradient_scale;  // one number, from clipping
} vg_adamw_args;

// One step of RAdam without a schedule (arXiv 2405.15682), fused; items: blocks. `copy` (bf16) may be NULL.
//   d = g / (√(v / correction2) + ε) + decay y, or g + decay y where not adaptive
//   y ← y + share (z − y) + push d          z ← z − rate d
typedef struct {
  float *parameter, *z, *v;
  const float *gradient;
  uint16_t *copy;
  int64_t n;
  float rate, share, push, beta2, epsilon, decay, correction2;
  int32_t adaptive;
  const float *gradient_scale;  // one number, from clipping
} vg_schedule_free_args;

// partial[block] = Σ x². Items: blocks.
typedef struct {
  const void *x;
  double *partial;
  int64_t n;
} vg_sum_squares_args;

// y += weight (x − y), both of the kernel's type. Items: blocks.
typedef struct {
  const void *x;
  void *y;
  int64_t n;
  float weight;
} vg_lerp_args;

// Philox 4×32-10; element i is word i % 4 of counter (offset + i / 4). Items: blocks. y of the type.
// Compiled for the baseline only, which has no fused multiply-add: the same bits on every machine.
typedef struct {
  void *y;
  int64_t n;
  uint64_t seed, stream, offset;
  float low, high;  // normal: mean, deviation
} vg_random_args;

// x [rows, n] in 8 bits: x ≈ scale q, q in −127…127. `span` neighbours, a multiple of the weights' `group`, share a scale;
// the last span of a row may be shorter. Items: rows.
typedef struct {
  const float *x;
  int8_t *numbers;  // [rows, n]
  float *scales;    // [rows, n / span, rounded up]
  int32_t *sums;    // −excess Σ q of each group [rows, n / group]
  int64_t n, group, span;
  int32_t excess;  // what packed weights are stored too large by: 128 of 8 bits, 8 of 4
} vg_round_args;

// Group-wise symmetric weights [outputs, n]: `group` elements share one f32 scale; bits 8 or 4. `group` is a multiple
// of 32.
//   values, scales: row by row, as files hold them: int8, or 4 bits (q + 8), a block of 32 in 16 bytes, the first half
//           in the low nibbles; scales [outputs, n / group].
//   packed: panels of 16 rows, the last one filled up with zeros. A panel is its groups one behind the other, a group
//           the rows' words of four bytes, 16 side by side, then the rows' 16 scales. 8 bits are stored as q + 128.
// Quantize: x → values, scales; items: rows. Pack, unpack: between the two; items: panels. Dequantize: packed → y of the
// type, row by row, or f32 in a product's panels, [⌈outputs / 16⌉, n, 16]; items: panels.
// Row product: y[r][j] = Σ x[r] w[j], x f32; rounded product: of `rounded`, x in 8 bits. y f32 [rows, outputs].
// Items: panels; pairs of them for a rounded product of more than VG_STREAMED_ROWS rows, which is no stream any more.
enum { VG_STREAMED_ROWS = 8 };
typedef struct {
  const void *x;
  void *y;
  int8_t *values;
  float *scales;
  void *packed;
  vg_round_args rounded;
  int64_t n, group, rows, outputs;
  int64_t ahead;  // how far before its use memory is asked for, in bytes
  int32_t bits;
} vg_quantized_args;
// Whether the rounded product has the processor's own instructions (AVX-512 VNNI).
bool vugen_has_small_products(void);

// bf16 weights w [outputs, n] in panels of 64 rows: of each panel the columns in pairs, 64 pairs side by side. It is
// oneDNN's layout BA16a64b2a. outputs is a multiple of 64, n of 32.
// Pack: plain → packed. Unpack: packed → plain or, where that is NULL, y. Product: y[r][j] = Σ x[r] w[j]. Items: panels.
enum { VG_PANEL_ROWS = 64 };
typedef struct {
  uint16_t *plain, *packed;
  const float *x;
  float *y;
  int64_t n, rows, outputs, ahead;
} vg_packed_args;

// y[r][j] = Σ x[r] w[j] for a few rows r: x, y f32, weights w [outputs, n] of the kernel's type, read once.
// Items: groups of 4 outputs.
typedef struct {
  const float *x;
  const void *w;
  float *y;
  int64_t n, rows, outputs;
} vg_row_product_args;

// ---------------------------------------------------------------- running

// Runs a kernel for items [0, items) on the team, at least `grain` items a thread's turn.
void vugen_run(vg_kernel kernel, int32_t type, const void *args, int64_t items, int64_t grain);

// Several pieces of work of one kernel that do not depend on each other, in one call of the team.
typedef struct {
  const void *args;
  int64_t items, grain;
} vg_piece;
enum { VG_PIECES = 8 };  // at most
void vugen_run_pieces(vg_kernel kernel, int32_t type, const vg_piece *pieces, int32_t count);

void vugen_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t words[4]);
// The raw rounds, for the published test vectors.
void vugen_philox_rounds(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

// The thread budget of this process; applies to the calling thread's team from its next use. Unless set: what
// OMP_NUM_THREADS says, else the physical cores; at most four times these; 1 once the system refused to start a thread.
void vugen_set_threads(int32_t count);
int32_t vugen_threads(void);
// What OMP_NUM_THREADS says, of a list the first: a number a level of nesting; 0 where it says nothing.
int64_t vugen_wished_threads(void);

// How a thread of the team waits: adaptive unless OMP_WAIT_POLICY or GOMP_SPINCOUNT, read once, say otherwise.
typedef enum {
  VG_WAIT_ADAPTIVE,  // spins as long as that costs nobody anything, then sleeps
  VG_WAIT_ACTIVE,    // spins
  VG_WAIT_PASSIVE,   // sleeps
  VG_WAIT_COUNTED    // spins `spins` times, then sleeps
} vg_wait_kind;
typedef struct {
  vg_wait_kind kind;
  int64_t spins;
} vg_wait_policy;
vg_wait_policy vugen_wait_policy(void);
void vugen_set_wait_policy(vg_wait_policy policy);  // while no region runs
// Whether oneDNN runs on the team, which the program must export for that; else both run on OpenMP's.
bool vugen_team_serves_openmp(void);
// Processors that this process may use, one a physical core.
int32_t vugen_physical_cores(void);

// Asks the system for large pages (2 MiB) where it has them only for those who ask.
void vugen_use_large_pages(void *memory, size_t bytes);

// Only the first `used` of a block's bytes may be touched from now on. AddressSanitizer, where the program is built with
// it, cannot know that of memory that a pool keeps; elsewhere this does nothing.
void vugen_mark_block(void *memory, size_t used, size_t bytes);

// Names the calling thread for debuggers and profilers (15 bytes).
void vugen_name_thread(const char *name);

typedef enum { VG_ISA_BASELINE, VG_ISA_AVX2, VG_ISA_AVX512, VG_ISAS } vg_isa;
bool vugen_isa_available(vg_isa isa);
vg_isa vugen_isa(void);
// Why VUGEN_ISA is not obeyed; empty where it is, or says nothing.
const char *vugen_isa_complaint(void);
void vugen_set_isa(vg_isa isa);
// Whether the processor multiplies bf16 itself (AVX-512 BF16 or AMX); oneDNN emulates it slowly elsewhere.
bool vugen_has_bf16_products(void);

#ifdef __cplusplus
}
#endif

#endif
