#include <stdint.h>
void vugen_uniform_f32(const void *args, int64_t begin, int64_t end);
void vugen_uniform_bf16(const void *args, int64_t begin, int64_t end);
void vugen_normal_f32(const void *args, int64_t begin, int64_t end);
void vugen_normal_bf16(const void *args, int64_t begin, int64_t end);
