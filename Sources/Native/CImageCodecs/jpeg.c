#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "CImageCodecs.h"

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf exit;
  char *message;
} errors;

static void fail(j_common_ptr jpeg) {
  errors *e = (errors *)jpeg->err;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  snprintf(e->message, VUGEN_MESSAGE_BYTES, "%s", text);
  longjmp(e->exit, 1);
}

static void quiet(j_common_ptr jpeg) { (void)jpeg; }

// A warning means that data were missing or wrong: libjpeg would go on with grey. That is an error here.
static void strict(j_common_ptr jpeg, int level) {
  if (level < 0) fail(jpeg);
}

// The orientation of an EXIF block (TIFF, either byte order); 1 where it says nothing sensible.
int vugen_exif_orientation(const uint8_t *b, size_t count) {
  if (count >= 6 && memcmp(b, "Exif\0\0", 6) == 0) b += 6, count -= 6;
  if (count < 8) return 1;
  int big = b[0] == 'M' && b[1] == 'M';
  if (!big && !(b[0] == 'I' && b[1] == 'I')) return 1;
#define U16(p) (big ? (uint32_t)((p)[0] << 8 | (p)[1]) : (uint32_t)((p)[1] << 8 | (p)[0]))
#define U32(p) (big ? U16(p) << 16 | U16((p) + 2) : U16((p) + 2) << 16 | U16(p))
  uint32_t at = U32(b + 4);
  if (at > count || count - at < 2) return 1;
  uint32_t entries = U16(b + at);
  for (uint32_t i = 0; i < entries; i++) {
    size_t entry = (size_t)at + 2 + 12 * (size_t)i;
    if (entry + 12 > count) return 1;
    if (U16(b + entry) == 0x0112) {
      uint32_t value = U16(b + entry + 8);
      return value >= 1 && value <= 8 ? (int)value : 1;
    }
  }
  return 1;
}

int vugen_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  memset(image, 0, sizeof *image);
  image->orientation = 1;
  struct jpeg_decompress_struct jpeg;
  errors e;
  uint8_t *volatile pixels = NULL;
  jpeg.err = jpeg_std_error(&e.base);
  e.base.error_exit = fail;
  e.base.output_message = quiet;
  e.base.emit_message = strict;
  e.message = image->message;
  if (setjmp(e.exit)) {
    jpeg_destroy_decompress(&jpeg);
    free(pixels);
    return 1;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, bytes, (unsigned long)count);
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&jpeg, TRUE);
  if ((uint64_t)jpeg.image_width * jpeg.image_height > max_pixels) {
    snprintf(image->message, sizeof image->message, "%u × %u pixels are more than the limit of %llu", jpeg.image_width,
             jpeg.image_height, (unsigned long long)max_pixels);
    longjmp(e.exit, 1);
  }
  for (jpeg_saved_marker_ptr m = jpeg.marker_list; m; m = m->next)
    if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
      image->orientation = vugen_exif_orientation(m->data, m->data_length);
  int is_cmyk = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = is_cmyk ? JCS_CMYK : JCS_EXT_RGBA;
  jpeg.mem->max_memory_to_use = 1 << 30;
  jpeg_start_decompress(&jpeg);
  size_t row = (size_t)jpeg.output_width * 4;
  pixels = malloc(row * jpeg.output_height);
  if (pixels == NULL) {
    snprintf(image->message, sizeof image->message, "out of memory");
    longjmp(e.exit, 1);
  }
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = pixels + jpeg.output_scanline * row;
    jpeg_read_scanlines(&jpeg, &line, 1);
  }
  if (is_cmyk) {  // Adobe stores it inverted; others do not
    int inverted = jpeg.saw_Adobe_marker;
    for (size_t i = 0; i < (size_t)jpeg.output_width * jpeg.output_height; i++) {
      uint8_t *p = pixels + 4 * i;
      unsigned k = inverted ? p[3] : 255u - p[3];
      for (int c = 0; c < 3; c++) p[c] = (uint8_t)((inverted ? p[c] : 255u - p[c]) * k / 255);
      p[3] = 255;
    }
  }
  image->width = jpeg.output_width;
  image->height = jpeg.output_height;
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  image->pixels = pixels;
  return 0;
}

int vugen_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, vugen_bytes *out) {
  memset(out, 0, sizeof *out);
  struct jpeg_compress_struct jpeg;
  errors e;
  unsigned char *memory = NULL;
  unsigned long size = 0;
  jpeg.err = jpeg_std_error(&e.base);
  e.base.error_exit = fail;
  e.base.output_message = quiet;
  e.message = out->message;
  if (setjmp(e.exit)) {
    jpeg_destroy_compress(&jpeg);
    free(memory);
    return 1;
  }
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  // Who asks for high quality wants colours at full resolution too.
  if (quality >= 90) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < height) {
    JSAMPROW line = (JSAMPROW)(rgb + (size_t)jpeg.next_scanline * width * 3);
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  out->bytes = memory;
  out->count = size;
  return 0;
}
