#include <stddef.h>
// Grows and keeps one block of memory a thread; contents are undefined.
float *vugen_scratch(size_t floats);
