#include <string.h>

#include "pieces.h"

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
  dnnl_dims_t padding_end = {(s->out_height - 1) * s->stride + s->kernel_height - s->height - s->padding,
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
  CHECK(vugen_attributes(&attr, pass == VUGEN_CONV_FORWARD ? s->activation : 0, 0));
  CHECK(vugen_attributes(&plain_attr, 0, 0));
  dnnl_primitive_desc_t forward = NULL;
  dnnl_prop_kind_t kind = pass == VUGEN_CONV_FORWARD ? dnnl_forward_inference : dnnl_forward_training;
  int has_bias = s->has_bias && pass != VUGEN_CONV_BACKWARD_DATA;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_dims_t dilation = {0, 0};
  dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
    &forward, vugen_engine(), kind, dnnl_convolution_direct, x, w_forward, has_bias ? bias : NULL, y, strides, dilation,
    padding, padding_end, pass == VUGEN_CONV_FORWARD ? attr : plain_attr);
  if (status == dnnl_success && pass == VUGEN_CONV_BACKWARD_DATA)
    status =
      dnnl_convolution_backward_data_primitive_desc_create(description, vugen_engine(), dnnl_convolution_direct, x, w,
                                                           y, strides, dilation, padding, padding_end, forward, attr);
  if (status == dnnl_success && is_weights)
    status = dnnl_convolution_backward_weights_primitive_desc_create(
      description, vugen_engine(), dnnl_convolution_direct, x, w, has_bias ? bias : NULL, y, strides, dilation, padding,
      padding_end, forward, attr);
#else
  dnnl_convolution_desc_t op;
  dnnl_status_t status = dnnl_convolution_forward_desc_init(&op, kind, dnnl_convolution_direct, &x, &w_forward,
                                                            has_bias ? &bias : NULL, &y, strides, padding, padding_end);
  if (status == dnnl_success)
    status =
      dnnl_primitive_desc_create(&forward, &op, pass == VUGEN_CONV_FORWARD ? attr : plain_attr, vugen_engine(), NULL);
  if (status == dnnl_success && pass == VUGEN_CONV_BACKWARD_DATA) {
    status =
      dnnl_convolution_backward_data_desc_init(&op, dnnl_convolution_direct, &x, &w, &y, strides, padding, padding_end);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, vugen_engine(), forward);
  }
  if (status == dnnl_success && is_weights) {
    status = dnnl_convolution_backward_weights_desc_init(&op, dnnl_convolution_direct, &x, &w, has_bias ? &bias : NULL,
                                                         &y, strides, padding, padding_end);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, vugen_engine(), forward);
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
  CHECK(vugen_need_stream());
  // By hand: a list.
  // clang-format off
  int64_t key[KEY_WORDS] = {
    CONV_FORWARD + pass, s->batch, s->height, s->width, s->channels, s->out_channels, s->kernel_height,
    s->kernel_width, s->stride, s->padding, s->out_height, s->out_width, s->type, s->has_bias,
    pass == VUGEN_CONV_FORWARD ? s->activation : 0};
  // clang-format on
  if ((*found = vugen_find(key))) return dnnl_success;
  entry *e = calloc(1, sizeof(entry));
  if (e == NULL) return dnnl_out_of_memory;
  dnnl_status_t status = conv_description(s, pass, &e->description);
  if (status == dnnl_success) {
    if (pass == VUGEN_CONV_FORWARD) {
      status = vugen_add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md, 0);
    } else if (pass == VUGEN_CONV_BACKWARD_DATA) {
      status = vugen_add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0);
    } else {
      status = vugen_add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0);
    }
  }
  if (status == dnnl_success && s->has_bias && pass == VUGEN_CONV_FORWARD)
    status = vugen_add_argument(e, DNNL_ARG_BIAS, dnnl_query_weights_md, 1);
  if (status == dnnl_success && s->has_bias && pass == VUGEN_CONV_BACKWARD_WEIGHTS)
    status = vugen_add_argument(e, DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1);
  if (status == dnnl_success)
    status =
      vugen_finish(e, key, pass == VUGEN_CONV_BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
  if (status != dnnl_success) vugen_free_entry(e), e = NULL;
  *found = e;
  return status;
}

// Gradients of pictures under overlapping strides: API 3 cuts their sums over channels by the number of threads. Each
// picture is then a piece of its own.
static int is_cut_by_pictures(const vugen_conv_spec *s, int32_t pass) {
  return DNNL_VERSION_MAJOR >= 3 && pass == VUGEN_CONV_BACKWARD_DATA && s->stride > 1 &&
         (s->kernel_height > s->stride || s->kernel_width > s->stride);
}

typedef struct {
  const vugen_conv_spec *spec;
  const char *dy, *packed;
  char *dx;
  entry *found;
} pictures;

// The primitive of one picture for one thread, whose packed weights are those of all.
static dnnl_status_t find_piece(void *data, int number) {
  pictures *p = data;
  (void)number;
  vugen_conv_spec one = *p->spec;
  one.batch = 1;
  return conv_entry(&one, VUGEN_CONV_BACKWARD_DATA, &p->found);
}

// The primitive that says how weights are packed for this pass.
static dnnl_status_t packing_entry(const vugen_conv_spec *s, int32_t pass, entry **found) {
  if (!is_cut_by_pictures(s, pass)) return conv_entry(s, pass, found);
  pictures p = {.spec = s};
  CHECK(vugen_do_pieces(find_piece, &p, 1));
  *found = p.found;
  return dnnl_success;
}

static dnnl_status_t picture_piece(void *data, int number) {
  pictures p = *(pictures *)data;
  const vugen_conv_spec *s = p.spec;
  CHECK(find_piece(&p, number));
  int64_t size = s->type == VUGEN_BF16 ? 2 : 4;
  void *handles[] = {(void *)(p.dy + number * s->out_height * s->out_width * s->out_channels * size), (void *)p.packed,
                     p.dx + number * s->height * s->width * s->channels * size};
  return vugen_execute(p.found, handles);
}

int vugen_conv_packed_layout(const vugen_conv_spec *spec, int32_t pass, size_t *bytes, int64_t *layout) {
  entry *e;
  CHECK(packing_entry(spec, pass, &e));
  *bytes = e->weight_bytes;
  *layout = e->weight_layout;
  return dnnl_success;
}

int vugen_conv_pack(const vugen_conv_spec *spec, int32_t pass, int32_t from_type, const void *weights, void *packed) {
  entry *e;
  layout_t plain;
  CHECK(packing_entry(spec, pass, &e));
  CHECK(plain_weights(spec, &plain, from_type));
  dnnl_status_t status =
    vugen_reorder(REF(plain), weights, dnnl_primitive_desc_query_md(e->description, dnnl_query_weights_md, 0), packed);
  layout_free(plain);
  return status;
}

int vugen_conv_forward(const vugen_conv_spec *spec, const void *x, const void *packed, const float *bias, void *y) {
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_FORWARD, &e));
  void *handles[] = {(void *)x, (void *)packed, y, (void *)bias};
  return vugen_execute(e, handles);
}

int vugen_conv_backward_data(const vugen_conv_spec *spec, const void *dy, const void *packed, void *dx) {
  if (is_cut_by_pictures(spec, VUGEN_CONV_BACKWARD_DATA)) {
    pictures p = {.spec = spec, .dy = dy, .packed = packed, .dx = dx};
    CHECK(vugen_need_stream());
    return vugen_do_pieces(picture_piece, &p, (int)spec->batch);
  }
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_BACKWARD_DATA, &e));
  void *handles[] = {(void *)dy, (void *)packed, dx};
  return vugen_execute(e, handles);
}

// ---------------------------------------------------------------- the weights' gradient

// How a weight gradient is cut: runs of pictures, whose gradients are added up, and groups of output channels.
typedef struct {
  const vugen_conv_spec *spec;
  const char *x, *dy;
  float *dweights, *dbias;    // of the first run
  float *terms, *bias_terms;  // of the others, one behind the other
  int64_t weight_size;        // numbers of one output channel
  int64_t runs, groups, group_channels;
} gradient;

enum { RUNS = 8, WIDE = 128, GROUP = 64, LANES = 16, MOST_TERMS = 8 << 20 };

static void cut_gradient(gradient *g) {
  const vugen_conv_spec *s = g->spec;
  int64_t channels = s->out_channels;
  g->runs = s->batch < RUNS ? s->batch : RUNS;
  int64_t most = MOST_TERMS / (channels * g->weight_size) + 1;
  if (g->runs > most) g->runs = most;
  // Few pictures make few pieces: more groups then, each of which reads all of x again.
  int64_t narrow = (channels / RUNS + LANES - 1) / LANES * LANES;
  if (narrow < LANES) narrow = LANES;
  g->group_channels = g->runs < RUNS / 2 && narrow < GROUP ? narrow : channels >= WIDE ? GROUP : channels;
  g->groups = (channels + g->group_channels - 1) / g->group_channels;
  if (g->groups >= RUNS) g->runs = 1;
}

// The channels `first..` of each place of dy, side by side.
static void *channel_slice(const gradient *g, const char *dy, int64_t places, int64_t first, int64_t count) {
  size_t size = g->spec->type == VUGEN_BF16 ? 2 : 4, row = (size_t)g->spec->out_channels * size;
  char *slice = vugen_buffer(BUFFER_SLICE, (size_t)(places * count) * size);
  if (slice == NULL) return NULL;
  for (int64_t i = 0; i < places; i++)
    memcpy(slice + (size_t)(i * count) * size, dy + (size_t)i * row + (size_t)first * size, (size_t)count * size);
  return slice;
}

static dnnl_status_t gradient_piece(void *data, int number) {
  const gradient *g = data;
  const vugen_conv_spec *whole = g->spec;
  vugen_conv_spec spec = *whole;
  int64_t run = number / g->groups, group = number % g->groups;
  int64_t first = run * whole->batch / g->runs, channel = group * g->group_channels;
  spec.batch = (run + 1) * whole->batch / g->runs - first;
  if (channel + g->group_channels > whole->out_channels) spec.out_channels = whole->out_channels - channel;
  else spec.out_channels = g->group_channels;
  int64_t size = whole->type == VUGEN_BF16 ? 2 : 4, places = whole->out_height * whole->out_width;
  const void *x = g->x + first * whole->height * whole->width * whole->channels * size;
  const void *dy = g->dy + first * places * whole->out_channels * size;
  if (g->groups > 1 && (dy = channel_slice(g, dy, spec.batch * places, channel, spec.out_channels)) == NULL)
    return dnnl_out_of_memory;
  float *dweights = run == 0 ? g->dweights : g->terms + (run - 1) * whole->out_channels * g->weight_size;
  float *dbias = run == 0 ? g->dbias : g->bias_terms + (run - 1) * whole->out_channels;
  entry *e;
  CHECK(conv_entry(&spec, VUGEN_CONV_BACKWARD_WEIGHTS, &e));
  void *blocked = vugen_buffer(BUFFER_BLOCKED, e->weight_bytes);
  if (blocked == NULL) return dnnl_out_of_memory;
  void *handles[] = {(void *)x, (void *)dy, blocked, spec.has_bias ? dbias + channel : NULL};
  CHECK(vugen_execute(e, handles));
  layout_t plain;
  CHECK(plain_weights(&spec, &plain, VUGEN_F32));
  layout_ref from = dnnl_primitive_desc_query_md(e->description, dnnl_query_diff_weights_md, 0);
  dnnl_status_t status = vugen_reorder(from, blocked, REF(plain), dweights + channel * g->weight_size);
  layout_free(plain);
  return status;
}

int vugen_conv_backward_weights(const vugen_conv_spec *spec, const void *x, const void *dy, float *dweights,
                                float *dbias) {
  CHECK(vugen_need_stream());
  gradient g = {.spec = spec,
                .x = x,
                .dy = dy,
                .dweights = dweights,
                .dbias = dbias,
                .weight_size = spec->channels * spec->kernel_height * spec->kernel_width};
  cut_gradient(&g);
  int64_t size = spec->out_channels * g.weight_size;
  if (g.runs > 1) {
    g.terms = vugen_buffer(BUFFER_TERMS, sizeof(float) * (size_t)((g.runs - 1) * (size + spec->out_channels)));
    if (g.terms == NULL) return dnnl_out_of_memory;
    g.bias_terms = g.terms + (g.runs - 1) * size;
  }
  CHECK(vugen_do_pieces(gradient_piece, &g, (int)(g.runs * g.groups)));
  CHECK(vugen_add_terms(dweights, g.terms, size, (int)g.runs - 1));
  return spec->has_bias ? vugen_add_terms(dbias, g.bias_terms, spec->out_channels, (int)g.runs - 1) : dnnl_success;
}
