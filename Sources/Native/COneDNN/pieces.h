// Sums that have the same bits for every number of threads.
//
// oneDNN cuts a long sum into as many parts as there are threads, and the bits of the result then depend on their
// number. Such work is cut here instead, into pieces that depend on its sizes alone: each is done by one thread, and
// what they add up to is added in their order.

#ifndef VUGEN_PIECES_H
#define VUGEN_PIECES_H

#include "primitives.h"

typedef dnnl_status_t vugen_piece(void *data, int number);

// Calls piece(data, number) for each of `count` numbers, on as many threads as there are, each primitive on one.
dnnl_status_t vugen_do_pieces(vugen_piece *piece, void *data, int count);

// sum [size] += each of `count` terms [size], which lie one behind the other, in their order.
dnnl_status_t vugen_add_terms(float *sum, const float *from, int64_t size, int count);

#endif
