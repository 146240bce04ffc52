#include "primitives.h"

#include <pthread.h>
#include <string.h>

enum { BUCKETS = 1024, MAX_ENTRIES = 4096 };

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

dnnl_engine_t vugen_engine(void) { return engine; }

// ---------------------------------------------------------------- the cache, one a thread

static _Thread_local struct {
  dnnl_stream_t stream;
  entry *buckets[BUCKETS];
  int entries;
  void *scratch, *buffers[BUFFERS];
  size_t scratch_bytes, buffer_bytes[BUFFERS];
} cache;

int omp_get_max_threads(void);

static uint64_t hash_key(const int64_t *key) {
  uint64_t h = 1469598103934665603ull;
  for (int i = 0; i < KEY_WORDS; i++) h = (h ^ (uint64_t)key[i]) * 0x9E3779B97F4A7C15ull, h ^= h >> 29;
  return h;
}

void vugen_free_entry(entry *e) {
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
      vugen_free_entry(e);
    }
    cache.buckets[i] = NULL;
  }
  cache.entries = 0;
}

entry *vugen_find(int64_t *key) {
  key[KEY_WORDS - 1] = omp_get_max_threads();
  for (entry *e = cache.buckets[hash_key(key) % BUCKETS]; e; e = e->next)
    if (memcmp(e->key, key, sizeof e->key) == 0) return e;
  return NULL;
}

dnnl_status_t vugen_need_stream(void) {
  CHECK(need_engine());
  return cache.stream ? dnnl_success : dnnl_stream_create(&cache.stream, engine, dnnl_stream_default_flags);
}

dnnl_status_t vugen_add_argument(entry *e, int argument, dnnl_query_t what, int index) {
  dnnl_memory_t memory;
  layout_ref layout = dnnl_primitive_desc_query_md(e->description, what, index);
  CHECK(dnnl_memory_create(&memory, layout, engine, DNNL_MEMORY_NONE));
  e->arguments[e->count].arg = argument;
  e->arguments[e->count++].memory = memory;
  return dnnl_success;
}

dnnl_status_t vugen_finish(entry *e, const int64_t *key, dnnl_query_t weights) {
  CHECK(dnnl_primitive_create(&e->primitive, e->description));
  if (weights != dnnl_query_undef) {
    layout_ref layout = dnnl_primitive_desc_query_md(e->description, weights, 0);
    e->weight_bytes = dnnl_memory_desc_get_size(layout);
    CHECK(layout_number(layout, &e->weight_layout));
  }
  layout_ref scratch = dnnl_primitive_desc_query_md(e->description, dnnl_query_scratchpad_md, 0);
  size_t bytes = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
  if (bytes > 0) {
    CHECK(vugen_add_argument(e, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0));
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

dnnl_status_t vugen_execute(entry *e, void *const *handles) {
  int plain = e->scratch ? e->count - 1 : e->count;
  for (int i = 0; i < plain; i++) CHECK(dnnl_memory_set_data_handle(e->arguments[i].memory, handles[i]));
  if (e->scratch) CHECK(dnnl_memory_set_data_handle(e->scratch, cache.scratch));
  return dnnl_primitive_execute(e->primitive, cache.stream, e->count, e->arguments);
}

dnnl_status_t vugen_attributes(dnnl_primitive_attr_t *attr, int32_t activation, int32_t accumulate) {
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

dnnl_status_t vugen_reorder(layout_ref from, const void *source, layout_ref to, void *target) {
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

void *vugen_buffer(buffer_use use, size_t bytes) {
  if (bytes > cache.buffer_bytes[use]) {
    free(cache.buffers[use]);
    cache.buffer_bytes[use] = (bytes + 4095) & ~(size_t)4095;
    cache.buffers[use] = aligned_alloc(4096, cache.buffer_bytes[use]);
    if (cache.buffers[use] == NULL) cache.buffer_bytes[use] = 0;
  }
  return cache.buffers[use];
}
