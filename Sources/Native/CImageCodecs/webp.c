#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>

#include "CImageCodecs.h"

int vugen_webp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  memset(image, 0, sizeof *image);
  image->orientation = 1;
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes, count, &features) != VP8_STATUS_OK) {
    snprintf(image->message, sizeof image->message, "the WebP header is damaged");
    return 1;
  }
  if (features.has_animation) {
    snprintf(image->message, sizeof image->message, "animated WebP is not read; save one frame of it");
    return 1;
  }
  if ((uint64_t)features.width * (uint64_t)features.height > max_pixels) {
    snprintf(image->message, sizeof image->message, "%d × %d pixels are more than the limit of %llu", features.width,
             features.height, (unsigned long long)max_pixels);
    return 1;
  }
  size_t row = (size_t)features.width * 4, size = row * (size_t)features.height;
  image->pixels = malloc(size);
  if (image->pixels == NULL || WebPDecodeRGBAInto(bytes, count, image->pixels, size, (int)row) == NULL) {
    free(image->pixels);
    image->pixels = NULL;
    snprintf(image->message, sizeof image->message, "the WebP data are damaged or cut off");
    return 1;
  }
  image->width = (uint32_t)features.width;
  image->height = (uint32_t)features.height;
  return 0;
}

void vugen_image_free(vugen_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}

void vugen_bytes_free(vugen_bytes *bytes) {
  free(bytes->bytes);
  bytes->bytes = NULL;
}
