#include "COneDNN.h"

#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call)                               \
  do {                                            \
    dnnl_status_t status_ = (call);               \
    if (status_ != dnnl_success) return status_;  \
  } while (0)

// ---------------------------------------------------------------- API 2.x and 3.x under one name

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout_t;
typedef const_dnnl_memory_desc_t layout_ref;
#define REF(layout) (layout)
static dnnl_status_t layout_strided(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
  return dnnl_memory_desc_create_with_strides(l, nd, dims, type, strides);
}
static dnnl_status_t layout_tagged(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag(l, nd, dims, type, tag);
}
static void layout_free(layout_t l) { dnnl_memory_desc_destroy(l); }
static dnnl_status_t layout_copy(layout_t *to, layout_ref from) { return dnnl_memory_desc_clone(to, from); }
static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(ops, kind, alpha, 0);
}
static dnnl_status_t append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef); }
#define GELU_TANH dnnl_eltwise_gelu_tanh
#else
typedef dnnl_memory_desc_t layout_t;
typedef const dnnl_memory_desc_t *layout_ref;
#define REF(layout) (&(layout))
static dnnl_status_t layout_strided(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
  return dnnl_memory_desc_init_by_strides(l, nd, dims, type, strides);
}
static dnnl_status_t layout_tagged(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  return dnnl_memory_desc_init_by_tag(l, nd, dims, type, tag);
}
static void layout_free(layout_t l) { (void)l; }
static dnnl_status_t layout_copy(layout_t *to, layout_ref from) {
  *to = *from;
  return dnnl_success;
}
static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, 0);
}
static dnnl_status_t append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1); }
#define GELU_TANH dnnl_eltwise_gelu_tanh
#endif

static dnnl_data_type_t data_type(int32_t type) { return type == VUGEN_BF16 ? dnnl_bf16 : dnnl_f32; }

// ---------------------------------------------------------------- process-wide state

static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static dnnl_status_t engine_status;

static void create_engine(void) { engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0); }

static dnnl_status_t need_engine(void) {
  pthread_once(&engine_once, create_engine);
  return engine_status;
}

// Numbers for layouts, so that callers can tell whether a packed weight fits another primitive.
static pthread_mutex_t layouts_lock = PTHREAD_MUTEX_INITIALIZER;
static layout_t *layouts;
static int64_t layouts_count;

static dnnl_status_t layout_number(layout_ref wanted, int64_t *number) {
  dnnl_status_t status = dnnl_success;
  pthread_mutex_lock(&layouts_lock);
  int64_t i = 0;
  while (i < layouts_count && !dnnl_memory_desc_equal(REF(layouts[i]), wanted)) i++;
  if (i == layouts_count) {
    layout_t *grown = realloc(layouts, sizeof(layout_t) * (size_t)(i + 1));
    if (grown == NULL) {
      status = dnnl_out_of_memory;
    } else {
      layouts = grown;
      status = layout_copy(&layouts[i], wanted);
      if (status == dnnl_success) layouts_count++;
    }
  }
  pthread_mutex_unlock(&layouts_lock);
  *number = i;
  return status;
}

// ---------------------------------------------------------------- the primitive cache, one a thread

enum { MATMUL = 1, CONV_FORWARD, CONV_DATA, CONV_WEIGHTS, RESIZE, RESIZE_BACK, REORDER };
enum { MAX_ARGUMENTS = 6, KEY_WORDS = 22, BUCKETS = 1024, MAX_ENTRIES = 4096 };

typedef struct entry {
  struct entry *next;
  int64_t key[KEY_WORDS];
  dnnl_primitive_t primitive;
  dnnl_primitive_desc_t description;
  dnnl_memory_t scratch;
  dnnl_exec_arg_t arguments[MAX_ARGUMENTS];
  int count;
  size_t weight_bytes;
  int64_t weight_layout;
} entry;

static _Thread_local struct {
  dnnl_stream_t stream;
  entry *buckets[BUCKETS];
  int entries;
  void *scratch;
  size_t scratch_bytes;
} cache;

static uint64_t hash_key(const int64_t *key) {
  uint64_t h = 1469598103934665603ull;
  for (int i = 0; i < KEY_WORDS; i++) h = (h ^ (uint64_t)key[i]) * 0x9E3779B97F4A7C15ull, h ^= h >> 29;
  return h;
}

static void free_entry(entry *e) {
  for (int i = 0; i < e->count; i++) dnnl_memory_destroy(e->arguments[i].memory);
  if (e->primitive) dnnl_primitive_destroy(e->primitive);
  if (e->description) dnnl_primitive_desc_destroy(e->description);
  free(e);
}

// A program that meets ever new shapes must not grow for ever: past the limit the cache starts anew.
static void empty_cache(void) {
  for (int i = 0; i < BUCKETS; i++) {
    for (entry *e = cache.buckets[i], *next; e; e = next) {
      next = e->next;
      free_entry(e);
    }
    cache.buckets[i] = NULL;
  }
  cache.entries = 0;
}

static entry *find(const int64_t *key) {
  for (entry *e = cache.buckets[hash_key(key) % BUCKETS]; e; e = e->next)
    if (memcmp(e->key, key, sizeof e->key) == 0) return e;
  return NULL;
}

static dnnl_status_t need_stream(void) {
  CHECK(need_engine());
  return cache.stream ? dnnl_success : dnnl_stream_create(&cache.stream, engine, dnnl_stream_default_flags);
}

static dnnl_status_t add_argument(entry *e, int argument, dnnl_query_t what) {
  dnnl_memory_t memory;
#if DNNL_VERSION_MAJOR >= 3
  CHECK(dnnl_memory_create(&memory, dnnl_primitive_desc_query_md(e->description, what, 0), engine, DNNL_MEMORY_NONE));
#else
  CHECK(dnnl_memory_create(&memory, dnnl_primitive_desc_query_md(e->description, what, 0), engine, DNNL_MEMORY_NONE));
#endif
  e->arguments[e->count].arg = argument;
  e->arguments[e->count++].memory = memory;
  return dnnl_success;
}

// Finishes an entry whose description is set: primitive, scratch memory, a place in the cache.
static dnnl_status_t finish(entry *e, const int64_t *key, int weights_index) {
  CHECK(dnnl_primitive_create(&e->primitive, e->description));
  if (weights_index >= 0) {
    dnnl_query_t what = weights_index == 0 ? dnnl_query_weights_md : dnnl_query_diff_weights_md;
    layout_ref weights = dnnl_primitive_desc_query_md(e->description, what, 0);
    e->weight_bytes = dnnl_memory_desc_get_size(weights);
    CHECK(layout_number(weights, &e->weight_layout));
  }
  layout_ref scratch = dnnl_primitive_desc_query_md(e->description, dnnl_query_scratchpad_md, 0);
  size_t bytes = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
  if (bytes > 0) {
    CHECK(add_argument(e, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md));
    e->scratch = e->arguments[e->count - 1].memory;
  }
  if (bytes > cache.scratch_bytes) {
    free(cache.scratch);
    cache.scratch_bytes = 0;
    bytes = (bytes + 4095) & ~(size_t)4095;
    cache.scratch = aligned_alloc(4096, bytes);
    if (cache.scratch == NULL) return dnnl_out_of_memory;
    cache.scratch_bytes = bytes;
  }
  if (cache.entries >= MAX_ENTRIES) empty_cache();
  memcpy(e->key, key, sizeof e->key);
  entry **bucket = &cache.buckets[hash_key(key) % BUCKETS];
  e->next = *bucket;
  *bucket = e;
  cache.entries++;
  return dnnl_success;
}

// `handles` follow the order in which the arguments were added.
static dnnl_status_t execute(entry *e, void *const *handles) {
  int plain = e->scratch ? e->count - 1 : e->count;
  for (int i = 0; i < plain; i++) CHECK(dnnl_memory_set_data_handle(e->arguments[i].memory, handles[i]));
  if (e->scratch) CHECK(dnnl_memory_set_data_handle(e->scratch, cache.scratch));
  return dnnl_primitive_execute(e->primitive, cache.stream, e->count, e->arguments);
}

static dnnl_status_t attributes(dnnl_primitive_attr_t *attr, int32_t activation, int32_t accumulate) {
  CHECK(dnnl_primitive_attr_create(attr));
  CHECK(dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user));
  if (activation == VUGEN_ACTIVATION_NONE && !accumulate) return dnnl_success;
  dnnl_post_ops_t ops;
  CHECK(dnnl_post_ops_create(&ops));
  dnnl_status_t status = dnnl_success;
  if (accumulate) status = append_sum(ops);
  if (status == dnnl_success) {
    switch (activation) {
      case VUGEN_ACTIVATION_SILU: status = append_eltwise(ops, dnnl_eltwise_swish, 1); break;
      case VUGEN_ACTIVATION_GELU_ERF: status = append_eltwise(ops, dnnl_eltwise_gelu_erf, 0); break;
      case VUGEN_ACTIVATION_GELU_TANH: status = append_eltwise(ops, GELU_TANH, 0); break;
      case VUGEN_ACTIVATION_RELU: status = append_eltwise(ops, dnnl_eltwise_relu, 0); break;
      default: break;
    }
  }
  if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, ops);
  dnnl_post_ops_destroy(ops);
  return status;
}

// Plain memory to a primitive's own weight layout, or back.
static dnnl_status_t reorder(layout_ref from, const void *source, layout_ref to, void *target) {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  dnnl_memory_t a, b;
  CHECK(dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, NULL));
  dnnl_status_t status = dnnl_primitive_create(&primitive, description);
  if (status == dnnl_success) {
    status = dnnl_memory_create(&a, from, engine, (void *)source);
    if (status == dnnl_success) {
      status = dnnl_memory_create(&b, to, engine, target);
      if (status == dnnl_success) {
        dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
        status = dnnl_primitive_execute(primitive, cache.stream, 2, arguments);
        dnnl_memory_destroy(b);
      }
      dnnl_memory_destroy(a);
    }
    dnnl_primitive_destroy(primitive);
  }
  dnnl_primitive_desc_destroy(description);
  return status;
}

// ---------------------------------------------------------------- matrix products

static dnnl_status_t matrix(
  layout_t *l, int nd, int64_t batch, int64_t rows, int64_t columns, int64_t stride, int64_t row, int transposed,
  dnnl_data_type_t type) {
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
    CHECK(layout_tagged(&b, 2, dims, data_type(s->b_type), dnnl_format_tag_any));
  } else {
    CHECK(matrix(&b, nd, s->batch, s->k, s->n, s->b_stride, s->b_row, s->b_transposed, data_type(s->b_type)));
  }
  CHECK(matrix(&c, nd, s->batch, s->m, s->n, s->c_stride, s->c_row, 0, data_type(s->c_type)));
  dnnl_dims_t bias_dims = {1, 1, s->n}, bias_strides = {s->n, s->n, 1};
  CHECK(layout_strided(&bias, nd, bias_dims + (3 - nd), dnnl_f32, bias_strides + (3 - nd)));
  dnnl_primitive_attr_t attr;
  CHECK(attributes(&attr, s->activation, s->accumulate));
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status = dnnl_matmul_primitive_desc_create(description, engine, a, b, s->has_bias ? bias : NULL, c, attr);
#else
  dnnl_matmul_desc_t op;
  dnnl_status_t status = dnnl_matmul_desc_init(&op, &a, &b, s->has_bias ? &bias : NULL, &c);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, engine, NULL);
#endif
  dnnl_primitive_attr_destroy(attr);
  layout_free(a), layout_free(b), layout_free(c), layout_free(bias);
  return status;
}

static dnnl_status_t matmul_entry(const vugen_matmul_spec *s, entry **found) {
  CHECK(need_stream());
  int64_t key[KEY_WORDS] = {
    MATMUL, s->batch, s->m, s->n, s->k, s->a_stride, s->b_stride, s->c_stride, s->a_row, s->b_row, s->c_row,
    s->a_type, s->b_type, s->c_type, s->a_transposed, s->b_transposed, s->has_bias, s->activation, s->accumulate,
    s->b_packed};
  if (s->b_packed) key[9] = key[15] = 0;
  if ((*found = find(key))) return dnnl_success;
  entry *e = calloc(1, sizeof(entry));
  if (e == NULL) return dnnl_out_of_memory;
  dnnl_status_t status = matmul_description(s, &e->description);
  if (status == dnnl_success) status = add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md);
  if (status == dnnl_success) status = add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md);
  if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md);
  if (status == dnnl_success && s->has_bias) {
    dnnl_memory_t memory;
    status = dnnl_memory_create(
      &memory, dnnl_primitive_desc_query_md(e->description, dnnl_query_weights_md, 1), engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) {
      e->arguments[e->count].arg = DNNL_ARG_BIAS;
      e->arguments[e->count++].memory = memory;
    }
  }
  if (status == dnnl_success) status = finish(e, key, 0);
  if (status != dnnl_success) free_entry(e), e = NULL;
  *found = e;
  return status;
}

int vugen_matmul(const vugen_matmul_spec *spec, const void *a, const void *b, const float *bias, void *c) {
  entry *e;
  CHECK(matmul_entry(spec, &e));
  void *handles[] = {(void *)a, (void *)b, c, (void *)bias};
  return execute(e, handles);
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
    reorder(REF(plain), b, dnnl_primitive_desc_query_md(e->description, dnnl_query_weights_md, 0), packed);
  layout_free(plain);
  return status;
}

// ---------------------------------------------------------------- convolutions

static dnnl_status_t plain_weights(const vugen_conv_spec *s, layout_t *l, int32_t type) {
  dnnl_dims_t dims = {s->out_channels, s->channels, s->kernel_height, s->kernel_width};
  return layout_tagged(l, 4, dims, data_type(type), dnnl_oihw);
}

static dnnl_status_t conv_description(const vugen_conv_spec *s, int32_t pass, dnnl_primitive_desc_t *description) {
  dnnl_data_type_t type = data_type(s->type);
  dnnl_dims_t x_dims = {s->batch, s->channels, s->height, s->width};
  dnnl_dims_t y_dims = {s->batch, s->out_channels, s->out_height, s->out_width};
  dnnl_dims_t w_dims = {s->out_channels, s->channels, s->kernel_height, s->kernel_width};
  dnnl_dims_t bias_dims = {s->out_channels};
  dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
  // What the given stride leaves over at the end is not read: oneDNN wants that as a smaller padding there.
  dnnl_dims_t padding_end = {
    (s->out_height - 1) * s->stride + s->kernel_height - s->height - s->padding,
    (s->out_width - 1) * s->stride + s->kernel_width - s->width - s->padding};
  int is_weights = pass == VUGEN_CONV_BACKWARD_WEIGHTS;
  layout_t x, y, w, bias;
  CHECK(layout_tagged(&x, 4, x_dims, type, dnnl_nhwc));
  CHECK(layout_tagged(&y, 4, y_dims, type, dnnl_nhwc));
  CHECK(layout_tagged(&w, 4, w_dims, is_weights ? dnnl_f32 : type, dnnl_format_tag_any));
  CHECK(layout_tagged(&bias, 1, bias_dims, dnnl_f32, dnnl_x));
  layout_t w_forward;
  CHECK(layout_tagged(&w_forward, 4, w_dims, type, dnnl_format_tag_any));
  dnnl_primitive_attr_t attr, plain_attr;
  CHECK(attributes(&attr, pass == VUGEN_CONV_FORWARD ? s->activation : 0, 0));
  CHECK(attributes(&plain_attr, 0, 0));
  dnnl_primitive_desc_t forward = NULL;
  dnnl_prop_kind_t kind = pass == VUGEN_CONV_FORWARD ? dnnl_forward_inference : dnnl_forward_training;
  int has_bias = s->has_bias && pass != VUGEN_CONV_BACKWARD_DATA;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_dims_t dilation = {0, 0};
  dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
    &forward, engine, kind, dnnl_convolution_direct, x, w_forward, has_bias ? bias : NULL, y, strides, dilation,
    padding, padding_end, pass == VUGEN_CONV_FORWARD ? attr : plain_attr);
  if (status == dnnl_success && pass == VUGEN_CONV_BACKWARD_DATA)
    status = dnnl_convolution_backward_data_primitive_desc_create(
      description, engine, dnnl_convolution_direct, x, w, y, strides, dilation, padding, padding_end, forward, attr);
  if (status == dnnl_success && is_weights)
    status = dnnl_convolution_backward_weights_primitive_desc_create(
      description, engine, dnnl_convolution_direct, x, w, has_bias ? bias : NULL, y, strides, dilation, padding,
      padding_end, forward, attr);
#else
  dnnl_convolution_desc_t op;
  dnnl_status_t status = dnnl_convolution_forward_desc_init(
    &op, kind, dnnl_convolution_direct, &x, &w_forward, has_bias ? &bias : NULL, &y, strides, padding, padding_end);
  if (status == dnnl_success)
    status = dnnl_primitive_desc_create(
      &forward, &op, pass == VUGEN_CONV_FORWARD ? attr : plain_attr, engine, NULL);
  if (status == dnnl_success && pass == VUGEN_CONV_BACKWARD_DATA) {
    status = dnnl_convolution_backward_data_desc_init(
      &op, dnnl_convolution_direct, &x, &w, &y, strides, padding, padding_end);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, engine, forward);
  }
  if (status == dnnl_success && is_weights) {
    status = dnnl_convolution_backward_weights_desc_init(
      &op, dnnl_convolution_direct, &x, &w, has_bias ? &bias : NULL, &y, strides, padding, padding_end);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, engine, forward);
  }
#endif
  if (pass == VUGEN_CONV_FORWARD && status == dnnl_success) {
    *description = forward;
  } else if (forward) {
    dnnl_primitive_desc_destroy(forward);
  }
  dnnl_primitive_attr_destroy(attr), dnnl_primitive_attr_destroy(plain_attr);
  layout_free(x), layout_free(y), layout_free(w), layout_free(bias), layout_free(w_forward);
  return status;
}

static dnnl_status_t conv_entry(const vugen_conv_spec *s, int32_t pass, entry **found) {
  CHECK(need_stream());
  int64_t key[KEY_WORDS] = {
    CONV_FORWARD + pass, s->batch, s->height, s->width, s->channels, s->out_channels, s->kernel_height,
    s->kernel_width, s->stride, s->padding, s->out_height, s->out_width, s->type, s->has_bias,
    pass == VUGEN_CONV_FORWARD ? s->activation : 0};
  if ((*found = find(key))) return dnnl_success;
  entry *e = calloc(1, sizeof(entry));
  if (e == NULL) return dnnl_out_of_memory;
  dnnl_status_t status = conv_description(s, pass, &e->description);
  if (status == dnnl_success) {
    if (pass == VUGEN_CONV_FORWARD) {
      status = add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md);
    } else if (pass == VUGEN_CONV_BACKWARD_DATA) {
      status = add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md);
    } else {
      status = add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md);
    }
  }
  if (status == dnnl_success && s->has_bias && pass != VUGEN_CONV_BACKWARD_DATA) {
    dnnl_dims_t dims = {s->out_channels};
    layout_t bias;
    dnnl_memory_t memory;
    status = layout_tagged(&bias, 1, dims, dnnl_f32, dnnl_x);
    if (status == dnnl_success) status = dnnl_memory_create(&memory, REF(bias), engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success) {
      e->arguments[e->count].arg = pass == VUGEN_CONV_FORWARD ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS;
      e->arguments[e->count++].memory = memory;
      layout_free(bias);
    }
  }
  if (status == dnnl_success) status = finish(e, key, pass == VUGEN_CONV_BACKWARD_WEIGHTS ? 1 : 0);
  if (status != dnnl_success) free_entry(e), e = NULL;
  *found = e;
  return status;
}

int vugen_conv_packed_layout(const vugen_conv_spec *spec, int32_t pass, size_t *bytes, int64_t *layout) {
  entry *e;
  CHECK(conv_entry(spec, pass, &e));
  *bytes = e->weight_bytes;
  *layout = e->weight_layout;
  return dnnl_success;
}

int vugen_conv_pack(const vugen_conv_spec *spec, int32_t pass, int32_t from_type, const void *weights, void *packed) {
  entry *e;
  layout_t plain;
  CHECK(conv_entry(spec, pass, &e));
  CHECK(plain_weights(spec, &plain, from_type));
  dnnl_status_t status =
    reorder(REF(plain), weights, dnnl_primitive_desc_query_md(e->description, dnnl_query_weights_md, 0), packed);
  layout_free(plain);
  return status;
}

int vugen_conv_forward(const vugen_conv_spec *spec, const void *x, const void *packed, const float *bias, void *y) {
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_FORWARD, &e));
  void *handles[] = {(void *)x, (void *)packed, y, (void *)bias};
  return execute(e, handles);
}

int vugen_conv_backward_data(const vugen_conv_spec *spec, const void *dy, const void *packed, void *dx) {
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_BACKWARD_DATA, &e));
  void *handles[] = {(void *)dy, (void *)packed, dx};
  return execute(e, handles);
}

int vugen_conv_backward_weights(
  const vugen_conv_spec *spec, const void *x, const void *dy, float *dweights, float *dbias) {
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_BACKWARD_WEIGHTS, &e));
  void *blocked = aligned_alloc(64, (e->weight_bytes + 63) & ~(size_t)63);
  if (blocked == NULL) return dnnl_out_of_memory;
  void *handles[] = {(void *)x, (void *)dy, blocked, dbias};
  dnnl_status_t status = execute(e, handles);
  layout_t plain;
  if (status == dnnl_success) status = plain_weights(spec, &plain, VUGEN_F32);
  if (status == dnnl_success) {
    layout_ref from = dnnl_primitive_desc_query_md(e->description, dnnl_query_diff_weights_md, 0);
    status = reorder(from, blocked, REF(plain), dweights);
    layout_free(plain);
  }
  free(blocked);
  return status;
}

// ---------------------------------------------------------------- bilinear resizing

static dnnl_status_t resize_entry(const vugen_resize_spec *s, int backward, entry **found) {
  CHECK(need_stream());
  int64_t key[KEY_WORDS] = {
    RESIZE + backward, s->batch, s->height, s->width, s->channels, s->out_height, s->out_width, s->type};
  if ((*found = find(key))) return dnnl_success;
  entry *e = calloc(1, sizeof(entry));
  if (e == NULL) return dnnl_out_of_memory;
  dnnl_data_type_t type = data_type(s->type);
  dnnl_dims_t x_dims = {s->batch, s->channels, s->height, s->width};
  dnnl_dims_t y_dims = {s->batch, s->channels, s->out_height, s->out_width};
  float factors[2] = {(float)s->out_height / (float)s->height, (float)s->out_width / (float)s->width};
  layout_t x, y;
  CHECK(layout_tagged(&x, 4, x_dims, type, dnnl_nhwc));
  CHECK(layout_tagged(&y, 4, y_dims, type, dnnl_nhwc));
  dnnl_primitive_attr_t attr;
  CHECK(attributes(&attr, 0, 0));
  dnnl_primitive_desc_t forward = NULL;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status = dnnl_resampling_forward_primitive_desc_create(
    &forward, engine, dnnl_forward_training, dnnl_resampling_linear, factors, x, y, attr);
  if (status == dnnl_success && backward)
    status = dnnl_resampling_backward_primitive_desc_create(
      &e->description, engine, dnnl_resampling_linear, factors, x, y, forward, attr);
#else
  dnnl_resampling_desc_t op;
  dnnl_status_t status =
    dnnl_resampling_forward_desc_init(&op, dnnl_forward_training, dnnl_resampling_linear, factors, &x, &y);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &op, attr, engine, NULL);
  if (status == dnnl_success && backward) {
    status = dnnl_resampling_backward_desc_init(&op, dnnl_resampling_linear, factors, &x, &y);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&e->description, &op, attr, engine, forward);
  }
#endif
  if (status == dnnl_success) {
    if (backward) {
      dnnl_primitive_desc_destroy(forward);
      status = add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md);
    } else {
      e->description = forward;
      status = add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md);
      if (status == dnnl_success) status = add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md);
    }
  }
  dnnl_primitive_attr_destroy(attr);
  layout_free(x), layout_free(y);
  if (status == dnnl_success) status = finish(e, key, -1);
  if (status != dnnl_success) free_entry(e), e = NULL;
  *found = e;
  return status;
}

int vugen_resize_bilinear(const vugen_resize_spec *spec, const void *x, void *y) {
  entry *e;
  CHECK(resize_entry(spec, 0, &e));
  void *handles[] = {(void *)x, y};
  return execute(e, handles);
}

int vugen_resize_bilinear_backward(const vugen_resize_spec *spec, const void *dy, void *dx) {
  entry *e;
  CHECK(resize_entry(spec, 1, &e));
  void *handles[] = {(void *)dy, dx};
  return execute(e, handles);
}

// ---------------------------------------------------------------- what is loaded

const char *vugen_onednn_version(void) {
  static char text[48];
  const dnnl_version_t *v = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
  return text;
}

size_t vugen_onednn_scratch_bytes(void) { return cache.scratch_bytes; }
