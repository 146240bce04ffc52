// PNG, JPEG and WebP through libpng, libjpeg-turbo and libwebp, with their error exits turned into
// messages. Decoding is of untrusted bytes: sizes are checked against a limit before memory is taken.

#ifndef VUGEN_CIMAGECODECS_H
#define VUGEN_CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VUGEN_MESSAGE_BYTES = 240 };

typedef struct {
  uint8_t *pixels;  // RGBA, 8 bits each, row by row; free with vugen_image_free
  uint32_t width, height;
  int32_t orientation;  // EXIF, 1…8; 1 where nothing is said
  char message[VUGEN_MESSAGE_BYTES];
} vugen_image;

typedef struct {
  uint8_t *bytes;  // free with vugen_bytes_free
  size_t count;
  char message[VUGEN_MESSAGE_BYTES];
} vugen_bytes;

// Each returns 0 and fills `image`, or another number and fills `message`.
int vugen_png_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_webp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
void vugen_image_free(vugen_image *image);

// `keys` and `values` are UTF-8; Latin-1 ones are written as tEXt, others as iTXt.
// `channels` is 3 (RGB) or 4 (RGBA).
int vugen_png_encode(
  const uint8_t *pixels, uint32_t width, uint32_t height, int channels, const char *const *keys,
  const char *const *values, size_t texts, vugen_bytes *out);
int vugen_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, vugen_bytes *out);
void vugen_bytes_free(vugen_bytes *bytes);

// The text chunks of a PNG: calls `found` for each, with UTF-8 or Latin-1 bytes as stored.
int vugen_png_texts(
  const uint8_t *bytes, size_t count, void *context,
  void (*found)(void *context, const char *key, const char *value, size_t length, int is_utf8), char *message);

#ifdef __cplusplus
}
#endif

#endif
