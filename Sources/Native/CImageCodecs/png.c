#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CImageCodecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, position;
} source;

static void fail(png_structp png, png_const_charp text) {
  char *message = png_get_error_ptr(png);
  if (message) snprintf(message, VUGEN_MESSAGE_BYTES, "%s", text);
  png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep to, png_size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->count - from->position) png_error(png, "the file ends too early");
  memcpy(to, from->bytes + from->position, count);
  from->position += count;
}

static png_structp reader(char *message, source *from) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
  if (png == NULL) return NULL;
  png_set_read_fn(png, from, read_bytes);
  png_set_user_limits(png, 1000000, 1000000);
  png_set_chunk_cache_max(png, 1000);
  png_set_chunk_malloc_max(png, 64 << 20);
  return png;
}

int vugen_png_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  memset(image, 0, sizeof *image);
  image->orientation = 1;
  source from = {bytes, count, 0};
  png_structp png = reader(image->message, &from);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile pixels = NULL;
  png_bytep *volatile rows = NULL;
  if (info == NULL) {
    png_destroy_read_struct(&png, NULL, NULL);
    snprintf(image->message, sizeof image->message, "out of memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(pixels);
    free(rows);
    return 1;
  }
  png_read_info(png, info);
  png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  if ((uint64_t)width * height > max_pixels) {
    char text[96];
    snprintf(text, sizeof text, "%u × %u pixels are more than the limit of %llu", (unsigned)width, (unsigned)height,
             (unsigned long long)max_pixels);
    png_error(png, text);
  }
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t row = (size_t)width * 4;
  if (png_get_rowbytes(png, info) != row) png_error(png, "an unknown kind of pixel");
  pixels = malloc(row * height);
  rows = malloc(sizeof(png_bytep) * height);
  if (pixels == NULL || rows == NULL) png_error(png, "out of memory");
  for (png_uint_32 y = 0; y < height; y++) rows[y] = pixels + y * row;
  png_read_image(png, rows);
  png_read_end(png, info);
#ifdef PNG_eXIf_SUPPORTED
  png_uint_32 exif_count = 0;
  png_bytep exif = NULL;
  if (png_get_eXIf_1(png, info, &exif_count, &exif) == PNG_INFO_eXIf) {
    extern int vugen_exif_orientation(const uint8_t *bytes, size_t count);
    image->orientation = vugen_exif_orientation(exif, exif_count);
  }
#endif
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  image->pixels = pixels;
  image->width = width;
  image->height = height;
  return 0;
}

int vugen_png_texts(
  const uint8_t *bytes, size_t count, void *context,
  void (*found)(void *context, const char *key, const char *value, size_t length, int is_utf8), char *message) {
  source from = {bytes, count, 0};
  png_structp png = reader(message, &from);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (info == NULL) {
    png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, VUGEN_MESSAGE_BYTES, "out of memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
  }
  png_read_info(png, info);
  // Text may stand behind the picture, whose rows are read past.
  if ((uint64_t)png_get_image_width(png, info) * png_get_image_height(png, info) <= 64000000) {
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    for (int pass = 0; pass < passes; pass++)
      for (png_uint_32 y = 0; y < png_get_image_height(png, info); y++) png_read_row(png, NULL, NULL);
    png_read_end(png, info);
  }
  png_textp texts = NULL;
  int n = png_get_text(png, info, &texts, NULL);
  for (int i = 0; i < n; i++) {
    int is_utf8 = texts[i].compression == PNG_ITXT_COMPRESSION_NONE || texts[i].compression == PNG_ITXT_COMPRESSION_zTXt;
    found(context, texts[i].key, texts[i].text, is_utf8 ? texts[i].itxt_length : texts[i].text_length, is_utf8);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

static void append(png_structp png, png_bytep data, png_size_t count) {
  vugen_bytes *out = png_get_io_ptr(png);
  uint8_t *grown = realloc(out->bytes, out->count + count);
  if (grown == NULL) png_error(png, "out of memory");
  memcpy(grown + out->count, data, count);
  out->bytes = grown;
  out->count += count;
}

static void flush(png_structp png) { (void)png; }

static int is_plain(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 0x80) return 0;
  return 1;
}

int vugen_png_encode(
  const uint8_t *pixels, uint32_t width, uint32_t height, int channels, const char *const *keys,
  const char *const *values, size_t texts, vugen_bytes *out) {
  memset(out, 0, sizeof *out);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, out->message, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_textp chunks = calloc(texts ? texts : 1, sizeof(png_text));
  if (info == NULL || chunks == NULL) {
    png_destroy_write_struct(&png, &info);
    free(chunks);
    snprintf(out->message, sizeof out->message, "out of memory");
    return 1;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    free(chunks);
    free(out->bytes);
    out->bytes = NULL;
    out->count = 0;
    return 1;
  }
  png_set_write_fn(png, out, append, flush);
  png_set_IHDR(png, info, width, height, 8, channels == 4 ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  for (size_t i = 0; i < texts; i++) {
    chunks[i].key = (png_charp)keys[i];
    chunks[i].text = (png_charp)values[i];
    if (is_plain(values[i])) {
      chunks[i].compression = PNG_TEXT_COMPRESSION_NONE;
      chunks[i].text_length = strlen(values[i]);
    } else {
      chunks[i].compression = PNG_ITXT_COMPRESSION_NONE;
      chunks[i].itxt_length = strlen(values[i]);
      chunks[i].lang = (png_charp) "";
      chunks[i].lang_key = (png_charp) "";
    }
  }
  if (texts > 0) png_set_text(png, info, chunks, (int)texts);
  png_write_info(png, info);
  for (uint32_t y = 0; y < height; y++) png_write_row(png, (png_bytep)(pixels + (size_t)y * width * (size_t)channels));
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  free(chunks);
  return 0;
}
