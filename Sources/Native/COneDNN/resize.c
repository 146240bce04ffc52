#include "primitives.h"

static dnnl_status_t resize_entry(const vugen_resize_spec *s, int backward, entry **found) {
  CHECK(vugen_need_stream());
  int64_t key[KEY_WORDS] = {RESIZE + backward, s->batch,      s->height,    s->width,
                            s->channels,       s->out_height, s->out_width, s->type};
  if ((*found = vugen_find(key))) return dnnl_success;
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
  CHECK(vugen_attributes(&attr, 0, 0));
  dnnl_primitive_desc_t forward = NULL;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status = dnnl_resampling_forward_primitive_desc_create(&forward, vugen_engine(), dnnl_forward_training,
                                                                       dnnl_resampling_linear, factors, x, y, attr);
  if (status == dnnl_success && backward)
    status = dnnl_resampling_backward_primitive_desc_create(&e->description, vugen_engine(), dnnl_resampling_linear,
                                                            factors, x, y, forward, attr);
#else
  dnnl_resampling_desc_t op;
  dnnl_status_t status =
    dnnl_resampling_forward_desc_init(&op, dnnl_forward_training, dnnl_resampling_linear, factors, &x, &y);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &op, attr, vugen_engine(), NULL);
  if (status == dnnl_success && backward) {
    status = dnnl_resampling_backward_desc_init(&op, dnnl_resampling_linear, factors, &x, &y);
    if (status == dnnl_success)
      status = dnnl_primitive_desc_create(&e->description, &op, attr, vugen_engine(), forward);
  }
#endif
  if (status == dnnl_success) {
    if (backward) {
      dnnl_primitive_desc_destroy(forward);
      status = vugen_add_argument(e, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0);
    } else {
      e->description = forward;
      status = vugen_add_argument(e, DNNL_ARG_SRC, dnnl_query_src_md, 0);
      if (status == dnnl_success) status = vugen_add_argument(e, DNNL_ARG_DST, dnnl_query_dst_md, 0);
    }
  }
  dnnl_primitive_attr_destroy(attr);
  layout_free(x), layout_free(y);
  if (status == dnnl_success) status = vugen_finish(e, key, dnnl_query_undef);
  if (status != dnnl_success) vugen_free_entry(e), e = NULL;
  *found = e;
  return status;
}

int vugen_resize_bilinear(const vugen_resize_spec *spec, const void *x, void *y) {
  entry *e;
  CHECK(resize_entry(spec, 0, &e));
  void *handles[] = {(void *)x, y};
  return vugen_execute(e, handles);
}

int vugen_resize_bilinear_backward(const vugen_resize_spec *spec, const void *dy, void *dx) {
  entry *e;
  CHECK(resize_entry(spec, 1, &e));
  void *handles[] = {(void *)dy, dx};
  return vugen_execute(e, handles);
}
