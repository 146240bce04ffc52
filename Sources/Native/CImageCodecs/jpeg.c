#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "codecs.h"

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf exit;
  char *message;
  int ends_early, is_refused, code;
} errors;

static void fail(j_common_ptr jpeg) {
  errors *e = (errors *)jpeg->err;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  snprintf(e->message, VUGEN_MESSAGE_BYTES, "%s", text);
  e->code = jpeg->err->msg_code;
  longjmp(e->exit, 1);
}

// What libjpeg ended by, in our words where the file is whole.
static int explain(const errors *e, vugen_image *image) {
  char reason[VUGEN_MESSAGE_BYTES];
  memcpy(reason, image->message, sizeof reason);
  switch (e->code) {
    case JERR_BAD_PRECISION:
      return vugen_refuse(image, VUGEN_UNREAD_FORM, "%d bits a channel are not read, only 8", e->base.msg_parm.i[0]);
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT: return vugen_refuse(image, VUGEN_UNREAD_FORM, "%s (libjpeg)", reason);
    case JERR_OUT_OF_MEMORY: return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for it");
    default: return vugen_blame(image, "libjpeg", reason);
  }
}

// The message is there already.
static void refuse(errors *e) {
  e->is_refused = 1;
  longjmp(e->exit, 1);
}

static void quiet(j_common_ptr jpeg) { (void)jpeg; }

// Some warnings mean that data were missing or wrong: libjpeg would go on with grey, and that is an error here.
// Others tell of oddities that many files have and that change no pixel.
static void weigh(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_BOGUS_ICC: return;
    // Only its end mark may be missing: where data are, too, another warning follows.
    case JWRN_JPEG_EOF: ((errors *)jpeg->err)->ends_early = 1; return;
    default: fail(jpeg);
  }
}

// Halves a picture that is larger than the limit, while its sides keep four times the pixels that are wanted. What is
// smaller is decoded in full, for a halved picture that is shrunk further differs by a few levels.
static void choose_scale(struct jpeg_decompress_struct *jpeg, uint32_t wanted, uint64_t max_pixels) {
  const uint64_t enough = (uint64_t)wanted * 4;
  uint64_t width = jpeg->image_width, height = jpeg->image_height;
  jpeg->scale_denom = jpeg->scale_num = 8;
  while (enough > 0 && jpeg->scale_num > 1 && width * height > max_pixels && width / 2 >= enough &&
         height / 2 >= enough) {
    jpeg->scale_num /= 2;
    width /= 2;
    height /= 2;
  }
}

// A file that ends early between the scans of a progressive picture lacks its finest bits.
static int is_refined(struct jpeg_decompress_struct *jpeg) {
  if (!jpeg->progressive_mode || jpeg->coef_bits == NULL) return 1;
  for (int c = 0; c < jpeg->num_components; c++)
    for (int k = 0; k < DCTSIZE2; k++)
      if (jpeg->coef_bits[c][k] != 0) return 0;
  return 1;
}

static void start(struct jpeg_decompress_struct *jpeg, errors *e, size_t count, vugen_image *image,
                  uint64_t max_pixels) {
  JOCTET *profile = NULL;
  unsigned length = 0;
  if (jpeg_read_icc_profile(jpeg, &profile, &length)) vugen_keep_profile(image, profile, length);
  free(profile);
  image->is_cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  jpeg->out_color_space = image->is_cmyk ? JCS_CMYK : JCS_EXT_RGBA;
  jpeg->mem->max_memory_to_use = 1 << 30;
  image->is_grey = jpeg->num_components == 1;
  choose_scale(jpeg, image->wanted, max_pixels);
  jpeg_calc_output_dimensions(jpeg);
  // A progressive picture is held as a whole, however small it is wanted. A block of 64 pixels takes a bit at least.
  uint64_t width = jpeg->image_width, height = jpeg->image_height;
  uint64_t decoded = jpeg->progressive_mode ? width * height : (uint64_t)jpeg->output_width * jpeg->output_height;
  if (vugen_check_scaled(image, width, height, decoded, max_pixels, count, jpeg->arith_code ? 65536 : 2048)) refuse(e);
}

// A picture in scans is decoded as a whole before its first row is there.
typedef struct {
  struct jpeg_progress_mgr base;
  vugen_image *image;
} progress;

static void look_up(j_common_ptr jpeg) {
  if (vugen_is_stopped(((progress *)jpeg->progress)->image)) refuse((errors *)jpeg->err);
}

static void read_rows(struct jpeg_decompress_struct *jpeg, errors *e, vugen_image *image) {
  size_t row = (size_t)jpeg->output_width * 4;
  if (vugen_begin_rows(image, jpeg->output_width, jpeg->output_height)) refuse(e);
  while (jpeg->output_scanline < jpeg->output_height) {
    uint32_t y = jpeg->output_scanline;
    JSAMPROW line = vugen_row(image, y);
    if (jpeg_read_scanlines(jpeg, &line, 1) != 1) continue;
    // Inks are stored inverted, as Adobe began; files that do not say so do it all the same.
    if (image->is_cmyk)
      for (size_t i = 0; i < row; i++) line[i] = 255 - line[i];
    if (vugen_end_row(image, y)) refuse(e);
  }
}

int vugen_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  struct jpeg_decompress_struct jpeg;
  errors e = {.message = image->message};
  progress watched = {.base.progress_monitor = look_up, .image = image};
  jpeg.err = jpeg_std_error(&e.base);
  e.base.error_exit = fail;
  e.base.output_message = quiet;
  e.base.emit_message = weigh;
  if (setjmp(e.exit)) {
    jpeg_destroy_decompress(&jpeg);
    return e.is_refused ? 1 : explain(&e, image);
  }
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &watched.base;
  jpeg_mem_src(&jpeg, bytes, (unsigned long)count);
  jpeg_save_markers(&jpeg, JPEG_APP0 + 2, 0xFFFF);
  jpeg_read_header(&jpeg, TRUE);
  start(&jpeg, &e, count, image, max_pixels);
  jpeg_start_decompress(&jpeg);
  read_rows(&jpeg, &e, image);
  if (e.ends_early && !is_refined(&jpeg)) {
    snprintf(image->message, sizeof image->message, "the file ends too early");
    longjmp(e.exit, 1);
  }
  // What is wrong behind the last line takes nothing from the picture.
  jpeg_destroy_decompress(&jpeg);
  return 0;
}

int vugen_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, const uint8_t *exif,
                      size_t exif_count, const uint8_t *xmp, size_t xmp_count, vugen_bytes *out) {
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
  if (exif_count > 0) jpeg_write_marker(&jpeg, JPEG_APP0 + 1, exif, (unsigned)exif_count);
  if (xmp_count > 0) jpeg_write_marker(&jpeg, JPEG_APP0 + 1, xmp, (unsigned)xmp_count);
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
