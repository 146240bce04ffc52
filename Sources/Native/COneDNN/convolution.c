#include "primitives.h"

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
    status = dnnl_convolution_backward_data_primitive_desc_create(
      description, vugen_engine(), dnnl_convolution_direct, x, w, y, strides, dilation, padding, padding_end, forward, attr);
  if (status == dnnl_success && is_weights)
    status = dnnl_convolution_backward_weights_primitive_desc_create(
      description, vugen_engine(), dnnl_convolution_direct, x, w, has_bias ? bias : NULL, y, strides, dilation, padding,
      padding_end, forward, attr);
#else
  dnnl_convolution_desc_t op;
  dnnl_status_t status = dnnl_convolution_forward_desc_init(
    &op, kind, dnnl_convolution_direct, &x, &w_forward, has_bias ? &bias : NULL, &y, strides, padding, padding_end);
  if (status == dnnl_success)
    status = dnnl_primitive_desc_create(
      &forward, &op, pass == VUGEN_CONV_FORWARD ? attr : plain_attr, vugen_engine(), NULL);
  if (status == dnnl_success && pass == VUGEN_CONV_BACKWARD_DATA) {
    status = dnnl_convolution_backward_data_desc_init(
      &op, dnnl_convolution_direct, &x, &w, &y, strides, padding, padding_end);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &op, attr, vugen_engine(), forward);
  }
  if (status == dnnl_success && is_weights) {
    status = dnnl_convolution_backward_weights_desc_init(
      &op, dnnl_convolution_direct, &x, &w, has_bias ? &bias : NULL, &y, strides, padding, padding_end);
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
  int64_t key[KEY_WORDS] = {
    CONV_FORWARD + pass, s->batch, s->height, s->width, s->channels, s->out_channels, s->kernel_height,
    s->kernel_width, s->stride, s->padding, s->out_height, s->out_width, s->type, s->has_bias,
    pass == VUGEN_CONV_FORWARD ? s->activation : 0};
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
  if (status == dnnl_success) status = vugen_finish(
      e, key, pass == VUGEN_CONV_BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
  if (status != dnnl_success) vugen_free_entry(e), e = NULL;
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
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_BACKWARD_DATA, &e));
  void *handles[] = {(void *)dy, (void *)packed, dx};
  return vugen_execute(e, handles);
}

int vugen_conv_backward_weights(
  const vugen_conv_spec *spec, const void *x, const void *dy, float *dweights, float *dbias) {
  entry *e;
  CHECK(conv_entry(spec, VUGEN_CONV_BACKWARD_WEIGHTS, &e));
  void *blocked = vugen_blocked(e->weight_bytes);
  if (blocked == NULL) return dnnl_out_of_memory;
  void *handles[] = {(void *)x, (void *)dy, blocked, dbias};
  dnnl_status_t status = vugen_execute(e, handles);
  layout_t plain;
  if (status == dnnl_success) status = plain_weights(spec, &plain, VUGEN_F32);
  if (status == dnnl_success) {
    layout_ref from = dnnl_primitive_desc_query_md(e->description, dnnl_query_diff_weights_md, 0);
    status = vugen_reorder(from, blocked, REF(plain), dweights);
    layout_free(plain);
  }
  return status;
}
