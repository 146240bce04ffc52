#include "pieces.h"

#include <stdatomic.h>

// Of the OpenMP that oneDNN uses, whichever it is: the program's own (CKernels' team.c) or libgomp.
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_max_threads(void);
void omp_set_num_threads(int count);

typedef struct {
  vugen_piece *piece;
  void *data;
  int count;
  _Atomic int next, status;
} work;

static void take_pieces(void *data) {
  work *w = data;
  int threads = omp_get_max_threads();
  // What a primitive splits among threads it decides when it is made: here for one.
  omp_set_num_threads(1);
  for (int number; (number = atomic_fetch_add(&w->next, 1)) < w->count;) {
    dnnl_status_t status = w->piece(w->data, number);
    if (status != dnnl_success) atomic_store(&w->status, status);
  }
  omp_set_num_threads(threads);
}

dnnl_status_t vugen_do_pieces(vugen_piece *piece, void *data, int count) {
  work w = {.piece = piece, .data = data, .count = count};
  int threads = omp_get_max_threads();
  GOMP_parallel(take_pieces, &w, (unsigned)(threads < count ? threads : count), 0);
  return (dnnl_status_t)atomic_load(&w.status);
}

enum { SUM_RUN = 16384 };

typedef struct {
  float *sum;
  const float *terms;
  int64_t size;
  int count;
} terms;

static dnnl_status_t sum_run(void *data, int number) {
  terms *t = data;
  int64_t begin = (int64_t)number * SUM_RUN, end = begin + SUM_RUN < t->size ? begin + SUM_RUN : t->size;
  for (int term = 0; term < t->count; term++) {
    const float *from = t->terms + term * t->size;
    for (int64_t i = begin; i < end; i++) t->sum[i] += from[i];
  }
  return dnnl_success;
}

dnnl_status_t vugen_add_terms(float *sum, const float *from, int64_t size, int count) {
  terms t = {.sum = sum, .terms = from, .size = size, .count = count};
  int64_t runs = (size + SUM_RUN - 1) / SUM_RUN;
  if (count == 0) return dnnl_success;
  if (runs > 1) return vugen_do_pieces(sum_run, &t, (int)runs);
  return sum_run(&t, 0);
}
