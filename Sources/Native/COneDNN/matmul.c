#include "pieces.h"

static dnnl_status_t matrix(layout_t *l, int nd, int64_t batch, int64_t rows, int64_t columns, int64_t stride,
                            int64_t row, int transposed, dnnl_data_type_t type) {
  // A batch stride of 0 repeats one matrix: oneDNN calls that a dimension of 1.
  dnnl_dims_t dims3 = {stride == 0 ? 1 : batch, rows, columns};
  dnnl_dims_t strides3 = {stride == 0 ? rows * columns : stride, transposed ? 1 : row, transposed ? row : 1};
  return nd == 3 ? layout_strided(l, 3, dims3, type, strides3) : layout_strided(l, 2, dims3 + 1, type, strides3 + 1);
}

static dnnl_status_t matmul_description(const vugen_matmul_spec *s, dnnl_primitive_desc_t *description) {
  int nd = s->batch > 1 ? 3 : 2;
  layout_t a, b, c, bias;
  CHECK(matrix(&a, nd, s->batch, s->m, s->k, s->a_stride, s->a_row, s->a_transposed, data_type(s->a_type)));
  if (s->b_packed) {
    dnnl_dims_t dims = {s->k, s->n};
    CHECK(layout_tagged(&b, 2, dims, data_type(s->b_type),
                        s->b_packed == VUGEN_PANELS ? dnnl_BA16a64b2a : dnnl_format_tag_any));
  } else {
    CHECK(matrix(&b, nd, s->batch, s->k, s->n, s->b_stride, s->b_row, s->b_transposed, data_type(s->b_type)));
  }
  CHECK(matrix(&c, nd, s->batch, s->m, s->n, s->c_stride, s->c_row, 0, data_type(s->c_type)));
  dnnl_dims_t bias_dims = {1, 1, s->n}, bias_strides = {s->n, s->n, 1};
  CHECK(layout_strided(&bias, nd, bias_dims + (3 - nd), dnnl_f32, bias_strides + (3 - nd)));
  dnnl_primitive_attr_t attr;
  CHECK(vugen_attributes(&attr, s->activation, s->accumulate));
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status =
    dnnl_matmul_primitive_desc_create(description, vugen_engine(), a, b, s->has_bias ? bias : NULL, c, attr);
#else
  dnnl_matmul_desc_t op;
  dnnl_status_t status = dnnl_matmul_desc_init(&op, &a, &b, s->has_bias ? &bias : NULL, &c);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, vugen_engine(), NULL);
#endif
  dnnl_primitive_attr_destroy(attr);
  layout_free(a), layout_free(b), layout_free(c), layout_free(bias);
  return status;
}

static dnnl_status_t matmul_entry(const vugen_matmul_spec *s, entry **found) {
  CHECK(vugen_need_stream());
  // By hand: a list.
  // clang-format off
  int64_t key[KEY_WORDS] = {
    MATMUL, s->batch, s->m, s->n, s->k, s->a_stride, s->b_stride, s->c_stride, s->a_row, s->b_row, s->c_row,
    s->a_type, s->b_type, s->c_type, s->a_transposed, s->b_transposed, s->has_bias, s->activation, s->accumulate,
    s->b_packed};
  // clang-format on
  if (s->b_packed) key[9] = key[15] = 0;
  if ((*found = vugen_find(key))) return dnnl_success;
  entry *e = calloc(1, sizeof(entry));
  if (e == NULL) return dnnl_out_of_memory;
  dnnl_status_t status = matmul_description(s, &e->description);
  if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md, 0);
  if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0);
  if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md, 0);
  if (status == dnnl_success && s->has_bias) status = vugen_add_argument(e, DNNL_ARG_BIAS, dnnl_query_weights_md, 1);
  if (status == dnnl_success) status = vugen_finish(e, key, dnnl_query_weights_md);
  if (status != dnnl_success) vugen_free_entry(e), e = NULL;
  *found = e;
  return status;
}

bool vugen_matmul_is_steady(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

// ---------------------------------------------------------------- long sums

// A weight's gradient is a sum over all rows of a batch. Above some 1000 of them oneDNN 2 cuts the sum by the number of
// threads, oneDNN 3 any sum of some 20 000; so does none of the cuts below.
enum { LONGEST_SUM = 1024, LONGEST_ROW = 16384, MOST_PIECES = 32, SMALL = 256 * 256 };

int vugen_matmul_is_long(const vugen_matmul_spec *s) {
  return s->batch == 1 && !s->b_packed && s->k > (s->a_transposed ? LONGEST_SUM : LONGEST_ROW);
}

typedef struct {
  const vugen_matmul_spec *spec;
  const char *a, *b;
  float *c, *terms;
  int64_t pieces;
} long_sum;

// The terms first..end of each sum: C = A B or C += A B.
static dnnl_status_t add_terms(const long_sum *l, int64_t first, int64_t end, int accumulate, float *c) {
  vugen_matmul_spec spec = *l->spec;
  spec.k = end - first;
  spec.accumulate = accumulate;
  int64_t size = spec.a_type == VUGEN_BF16 ? 2 : 4;
  int64_t a_step = spec.a_transposed ? spec.a_row : 1, b_step = spec.b_transposed ? 1 : spec.b_row;
  entry *e;
  CHECK(matmul_entry(&spec, &e));
  void *handles[] = {(void *)(l->a + first * a_step * size), (void *)(l->b + first * b_step * size), c, NULL};
  return vugen_execute(e, handles);
}

static dnnl_status_t sum_piece(void *data, int number) {
  const long_sum *l = data;
  int64_t k = l->spec->k, size = l->spec->m * l->spec->n;
  return add_terms(l, number * k / l->pieces, (number + 1) * k / l->pieces, 0,
                   number == 0 ? l->c : l->terms + (number - 1) * size);
}

// Small results: pieces of the sum side by side. Large ones give all threads work: one piece after the other.
static dnnl_status_t add_up(long_sum *l) {
  int64_t k = l->spec->k, size = l->spec->m * l->spec->n;
  l->pieces = (k + LONGEST_SUM - 1) / LONGEST_SUM;
  if (size > SMALL) {
    for (int64_t i = 0; i < l->pieces; i++)
      CHECK(add_terms(l, i * k / l->pieces, (i + 1) * k / l->pieces, i > 0, l->c));
    return dnnl_success;
  }
  if (l->pieces > MOST_PIECES) l->pieces = MOST_PIECES;
  l->terms = vugen_buffer(BUFFER_TERMS, sizeof(float) * (size_t)((l->pieces - 1) * size));
  if (l->terms == NULL) return dnnl_out_of_memory;
  CHECK(vugen_do_pieces(sum_piece, l, (int)l->pieces));
  return vugen_add_terms(l->c, l->terms, size, (int)l->pieces - 1);
}

int vugen_matmul(const vugen_matmul_spec *spec, const void *a, const void *b, const float *bias, void *c) {
  if (vugen_matmul_is_long(spec)) {
    // Callers add the bias and all else.
    if (spec->c_type != VUGEN_F32 || spec->has_bias || spec->activation || spec->accumulate)
      return dnnl_invalid_arguments;
    CHECK(vugen_need_stream());
    long_sum l = {.spec = spec, .a = a, .b = b, .c = c};
    return add_up(&l);
  }
  entry *e;
  CHECK(matmul_entry(spec, &e));
  void *handles[] = {(void *)a, (void *)b, c, (void *)bias};
  return vugen_execute(e, handles);
}

int vugen_matmul_packed_layout(const vugen_matmul_spec *spec, size_t *bytes, int64_t *layout) {
  entry *e;
  CHECK(matmul_entry(spec, &e));
  *bytes = e->weight_bytes;
  *layout = e->weight_layout;
  return dnnl_success;
}

int vugen_matmul_pack(const vugen_matmul_spec *spec, int32_t from_type, const void *b, void *packed) {
  entry *e;
  CHECK(matmul_entry(spec, &e));
  layout_t plain;
  CHECK(matrix(&plain, 2, 1, spec->k, spec->n, 0, spec->b_row, spec->b_transposed, data_type(from_type)));
  dnnl_status_t status =
    vugen_reorder(REF(plain), b, dnnl_primitive_desc_query_md(e->description, dnnl_query_weights_md, 0), packed);
  layout_free(plain);
  return status;
}
