// What the shim's files share: API 2.x and 3.x under one name, and the cache of primitives.

#ifndef VUGEN_PRIMITIVES_H
#define VUGEN_PRIMITIVES_H

#include <dnnl.h>
#include <stdlib.h>

#include "COneDNN.h"

#define CHECK(call)                              \
  do {                                           \
    dnnl_status_t status_ = (call);              \
    if (status_ != dnnl_success) return status_; \
  } while (0)

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout_t;
typedef const_dnnl_memory_desc_t layout_ref;
#define REF(layout) (layout)
static inline dnnl_status_t layout_strided(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           const dnnl_dims_t strides) {
  return dnnl_memory_desc_create_with_strides(l, nd, dims, type, strides);
}
static inline dnnl_status_t layout_tagged(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                                          dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag(l, nd, dims, type, tag);
}
static inline void layout_free(layout_t l) { dnnl_memory_desc_destroy(l); }
static inline dnnl_status_t layout_copy(layout_t *to, layout_ref from) { return dnnl_memory_desc_clone(to, from); }
static inline dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(ops, kind, alpha, 0);
}
static inline dnnl_status_t append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}
#define GELU_TANH dnnl_eltwise_gelu_tanh
#else
typedef dnnl_memory_desc_t layout_t;
typedef const dnnl_memory_desc_t *layout_ref;
#define REF(layout) (&(layout))
static inline dnnl_status_t layout_strided(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           const dnnl_dims_t strides) {
  return dnnl_memory_desc_init_by_strides(l, nd, dims, type, strides);
}
static inline dnnl_status_t layout_tagged(layout_t *l, int nd, const dnnl_dims_t dims, dnnl_data_type_t type,
                                          dnnl_format_tag_t tag) {
  return dnnl_memory_desc_init_by_tag(l, nd, dims, type, tag);
}
static inline void layout_free(layout_t l) { (void)l; }
static inline dnnl_status_t layout_copy(layout_t *to, layout_ref from) {
  *to = *from;
  return dnnl_success;
}
static inline dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha) {
  return dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, 0);
}
static inline dnnl_status_t append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1); }
#define GELU_TANH dnnl_eltwise_gelu_tanh
#endif

static inline dnnl_data_type_t data_type(int32_t type) { return type == VUGEN_BF16 ? dnnl_bf16 : dnnl_f32; }

// ---------------------------------------------------------------- the cache, one a thread

enum { MATMUL = 1, CONV_FORWARD, CONV_DATA, CONV_WEIGHTS, RESIZE, RESIZE_BACK };
enum { MAX_ARGUMENTS = 6, KEY_WORDS = 22 };

// A primitive with its argument slots, under a key of everything that shapes it. The last word is the number of threads
// that it was made for, which `vugen_find` fills in.
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

// The process's engine and this thread's stream; call before anything else.
dnnl_status_t vugen_need_stream(void);
dnnl_engine_t vugen_engine(void);
entry *vugen_find(int64_t *key);
void vugen_free_entry(entry *e);
// Adds the argument that the description calls `what` with `index`.
dnnl_status_t vugen_add_argument(entry *e, int argument, dnnl_query_t what, int index);
// Finishes an entry whose description and arguments are set: primitive, scratch memory, a place in the
// cache. `weights` is the query of the weight that callers pack, or dnnl_query_undef.
dnnl_status_t vugen_finish(entry *e, const int64_t *key, dnnl_query_t weights);
// `handles` follow the order in which the arguments were added.
dnnl_status_t vugen_execute(entry *e, void *const *handles);
dnnl_status_t vugen_attributes(dnnl_primitive_attr_t *attr, int32_t activation, int32_t accumulate);
// Plain memory to a primitive's own weight layout, or back.
dnnl_status_t vugen_reorder(layout_ref from, const void *source, layout_ref to, void *target);
// This thread's memory for one purpose, kept for the next time; NULL when there is none.
typedef enum { BUFFER_BLOCKED, BUFFER_SLICE, BUFFER_TERMS, BUFFERS } buffer_use;
void *vugen_buffer(buffer_use use, size_t bytes);

#endif
