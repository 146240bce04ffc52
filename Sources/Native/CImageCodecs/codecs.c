#include "codecs.h"

#include <sys/mman.h>

int vugen_refuse(vugen_image *image, vugen_fault fault, const char *format, ...) {
  char text[VUGEN_MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  // A library's message may end with a line break of its own.
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20) *c = ' ';
  vugen_image_free(image);
  snprintf(image->message, sizeof image->message, "%s", text);
  image->fault = fault;
  return 1;
}

bool vugen_lacks_memory(const vugen_image *image) {
  // Planes of 16 bits, their copy as RGBA, and what a decoder keeps beside them.
  const size_t bytes_per_pixel = 32;
  if (image->promised == 0) return false;
  size_t count = image->promised * bytes_per_pixel;
  void *room = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return true;
  munmap(room, count);
  return false;
}

int vugen_blame(vugen_image *image, const char *codec, const char *words) {
  // Decoders that get no memory say all kinds of things.
  if (vugen_lacks_memory(image))
    return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for its %.1f megapixels", image->promised / 1e6);
  char text[VUGEN_MESSAGE_BYTES];
  snprintf(text, sizeof text, "%s", words ? words : "");
  size_t end = strlen(text);
  while (end > 0 && (text[end - 1] == '.' || (unsigned char)text[end - 1] <= ' ')) text[--end] = 0;
  return text[0] ? vugen_refuse(image, VUGEN_DAMAGED, "it is damaged or cut off (%s: %s)", codec, text)
                 : vugen_refuse(image, VUGEN_DAMAGED, "it is damaged or cut off");
}

int vugen_check_size(vugen_image *image, uint64_t width, uint64_t height, uint64_t max_pixels, uint64_t bytes,
                     uint64_t pixels_per_byte) {
  return vugen_check_scaled(image, width, height, width * height, max_pixels, bytes, pixels_per_byte);
}

int vugen_check_scaled(vugen_image *image, uint64_t width, uint64_t height, uint64_t decoded, uint64_t max_pixels,
                       uint64_t bytes, uint64_t pixels_per_byte) {
  const uint64_t free_pixels = 32000000;
  if (width == 0 || height == 0) return vugen_refuse(image, VUGEN_DAMAGED, "it has no pixels");
  if (width > 1000000 || height > 1000000)
    return vugen_refuse(image, VUGEN_ADVISED,
                        "its header says %llu × %llu pixels, and a side may have 1000000; shrink the picture",
                        (unsigned long long)width, (unsigned long long)height);
  if (decoded > max_pixels)
    return vugen_refuse(image, VUGEN_ADVISED,
                        "%llu × %llu pixels are more than the limit of %llu; --max-pixels raises it",
                        (unsigned long long)width, (unsigned long long)height, (unsigned long long)max_pixels);
  if (width * height > free_pixels && (width * height - free_pixels) / pixels_per_byte > bytes)
    return vugen_refuse(image, VUGEN_DAMAGED, "%llu bytes are too few for the %llu × %llu pixels that it promises",
                        (unsigned long long)bytes, (unsigned long long)width, (unsigned long long)height);
  image->promised = decoded;
  return 0;
}

int vugen_take_pixels(vugen_image *image, uint32_t width, uint32_t height) {
  image->pixels = malloc((size_t)width * height * 4);
  if (image->pixels == NULL)
    return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for %u × %u pixels", width, height);
  image->width = width;
  image->height = height;
  return 0;
}

void vugen_keep_profile(vugen_image *image, const void *bytes, size_t count) {
  if (bytes == NULL || count < 128 || count > 64 << 20) return;
  uint8_t *copy = malloc(count);
  if (copy == NULL) return;
  memcpy(copy, bytes, count);
  free(image->profile);
  image->profile = copy;
  image->profile_count = count;
}

void vugen_keep_code_points(vugen_image *image, int primaries, int transfer) {
  static const double bt2020[8] = {0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046};
  static const double p3[8] = {0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06};
  const double *found = primaries == 9 ? bt2020 : primaries == 12 ? p3 : NULL;
  // sRGB's curve and the cameras' that is shown with it; brightness of films (PQ, HLG) is left as it is.
  if (found == NULL || !(transfer == 13 || transfer == 1 || transfer == 2 || transfer == 6)) return;
  memcpy(image->chromaticities, found, sizeof image->chromaticities);
}

void *vugen_open_library(const char *const *names) {
  for (; *names; names++) {
    void *handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (handle) return handle;
  }
  return NULL;
}

void vugen_image_free(vugen_image *image) {
  vugen_rows_free(image);
  vugen_end_colours(image);
  free(image->pixels);
  free(image->profile);
  image->pixels = image->profile = NULL;
  image->profile_count = 0;
}

void vugen_bytes_free(vugen_bytes *bytes) {
  free(bytes->bytes);
  bytes->bytes = NULL;
}

void vugen_copy_upright(const uint8_t *pixels, uint32_t width, uint32_t height, int orientation, uint8_t *to) {
  const uint32_t *from = (const uint32_t *)pixels;
  uint32_t *out = (uint32_t *)to;
  if (orientation < 2 || orientation > 8) {
    memcpy(to, pixels, (size_t)width * height * 4);
    return;
  }
  int swaps = orientation >= 5;
  uint32_t w = swaps ? height : width, h = swaps ? width : height;
  int flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  int flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  // In tiles: a column of a wide picture read as a row would miss the cache at each pixel.
  enum { TILE = 32 };
  for (uint32_t top = 0; top < h; top += TILE)
    for (uint32_t left = 0; left < w; left += TILE)
      for (uint32_t y = top; y < h && y < top + TILE; y++)
        for (uint32_t x = left; x < w && x < left + TILE; x++) {
          uint32_t u = swaps ? y : x, v = swaps ? x : y;
          if (flips_x) u = width - 1 - u;
          if (flips_y) v = height - 1 - v;
          out[(size_t)y * w + x] = from[(size_t)v * width + u];
        }
}
