#include <png.h>
#include <setjmp.h>
#include <zlib.h>

#include "codecs.h"

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

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Where the chunks end that lie in the file as a whole. libpng takes memory for what a chunk promises; a chunk is
// never longer than the file. Picture data that are cut off are libpng's to refuse. Counts them, too.
static size_t whole_chunks(const uint8_t *bytes, size_t count, uint64_t *data) {
  size_t at = 8;
  *data = 0;
  while (at + 12 <= count) {
    size_t length = big_endian(bytes + at);
    int is_data = memcmp(bytes + at + 4, "IDAT", 4) == 0;
    if (is_data) *data += length;
    if (length > count - at - 12) return is_data ? count : at;
    at += 12 + length;
  }
  return at < count ? at : count;
}

static void keep_colours(png_structp png, png_infop info, vugen_image *image) {
  png_charp name = NULL;
  png_bytep profile = NULL;
  png_uint_32 length = 0;
  int kind = 0;
  double gamma = 0;
  if (png_get_sRGB(png, info, &kind)) return;
  if (png_get_iCCP(png, info, &name, &kind, &profile, &length)) {
    vugen_keep_profile(image, profile, length);
    return;
  }
  double c[8];
  if (png_get_cHRM(png, info, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]))
    for (int i = 0; i < 8; i++) image->chromaticities[i] = c[i];
  // 1/2.2 is what programs write for sRGB.
  if (png_get_gAMA(png, info, &gamma) && gamma > 0.01 && (gamma < 0.45 || gamma > 0.46)) image->gamma = 1 / gamma;
}

static void set_up(png_structp png, source *from) {
  png_set_read_fn(png, from, read_bytes);
  png_set_user_limits(png, 1000000, 1000000);
  png_set_chunk_cache_max(png, 1000);
  png_set_chunk_malloc_max(png, 64 << 20);
  // Texts are read elsewhere; here they cost memory only.
  static const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0eXIf\0sPLT";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof skipped / 5);
}

// Returns the number of passes.
static int expand(png_structp png, png_infop info) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return passes;
}

int vugen_png_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  uint64_t data = 0;
  source from = {bytes, whole_chunks(bytes, count, &data), 0};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, image->message, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_bytep *volatile rows = NULL;
  volatile int is_whole = 0, is_refused = 0;
  if (info == NULL) {
    png_destroy_read_struct(&png, NULL, NULL);
    return vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  }
  if (setjmp(png_jmpbuf(png))) {
    // A file that ends behind its picture, or has nonsense there, is read all the same.
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    if (is_whole) return 0;
    if (is_refused) return 1;
    char reason[VUGEN_MESSAGE_BYTES];
    memcpy(reason, image->message, sizeof reason);
    return vugen_blame(image, "libpng", reason);
  }
  set_up(png, &from);
  png_read_info(png, info);
  png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  // A byte of deflate stands for 1032 at most, and a byte for 8 pixels.
  if (vugen_check_size(image, width, height, max_pixels, data, 1032 * 8)) goto refused;
  keep_colours(png, info, image);
  image->is_grey = !(png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR);
  int is_interlaced = expand(png, info) > 1;
  size_t row = (size_t)width * 4;
  if (png_get_rowbytes(png, info) != row) png_error(png, "an unknown kind of pixel");
  if (is_interlaced) {
    // Each pass goes over the whole of it.
    if (vugen_take_pixels(image, width, height)) goto refused;
    rows = malloc(sizeof(png_bytep) * height);
    if (rows == NULL) png_error(png, "out of memory");
    for (png_uint_32 y = 0; y < height; y++) rows[y] = image->pixels + y * row;
    for (int pass = 0; pass < 7; pass++)
      for (png_uint_32 y = 0; y < height; y++) {
        png_read_row(png, rows[y], NULL);
        if (y % 16 == 0 && vugen_is_stopped(image)) goto refused;
      }
  } else {
    if (vugen_begin_rows(image, width, height)) goto refused;
    for (png_uint_32 y = 0; y < height; y++) {
      png_read_row(png, vugen_row(image, y), NULL);
      if (vugen_end_row(image, y)) goto refused;
    }
  }
  is_whole = 1;
  png_read_end(png, info);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  return 0;
refused:
  is_refused = 1;
  png_longjmp(png, 1);
}

int vugen_inflate(const uint8_t *bytes, size_t count, size_t most, vugen_bytes *out) {
  memset(out, 0, sizeof *out);
  z_stream z = {0};
  if (inflateInit(&z) != Z_OK) return 1;
  z.next_in = (Bytef *)bytes;
  z.avail_in = (uInt)count;
  int status = Z_OK;
  size_t room = 0;
  while (status == Z_OK) {
    if (out->count == room) {
      room = room ? room * 2 : 4096;
      uint8_t *grown = room > most ? NULL : realloc(out->bytes, room);
      if (grown == NULL) break;
      out->bytes = grown;
    }
    z.next_out = out->bytes + out->count;
    z.avail_out = (uInt)(room - out->count);
    status = inflate(&z, Z_NO_FLUSH);
    out->count = room - z.avail_out;
  }
  inflateEnd(&z);
  if (status == Z_STREAM_END) return 0;
  vugen_bytes_free(out);
  return 1;
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

int vugen_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, const char *const *keys,
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
