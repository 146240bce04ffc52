// JPEG 2000 by OpenJPEG: JP2 files and bare code streams.

#if __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h>
#else
#include <openjpeg.h>
#endif

#include "codecs.h"

#define FUNCTIONS(X)                    \
  X(opj_create_decompress)              \
  X(opj_destroy_codec)                  \
  X(opj_set_default_decoder_parameters) \
  X(opj_setup_decoder)                  \
  X(opj_set_error_handler)              \
  X(opj_stream_create)                  \
  X(opj_stream_destroy)                 \
  X(opj_stream_set_read_function)       \
  X(opj_stream_set_skip_function)       \
  X(opj_stream_set_seek_function)       \
  X(opj_stream_set_user_data)           \
  X(opj_stream_set_user_data_length) X(opj_read_header) X(opj_decode) X(opj_image_destroy)
VUGEN_LIBRARY(FUNCTIONS, "libopenjp2.so.7", "libopenjp2.so")

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  char message[VUGEN_MESSAGE_BYTES];
} source;

static OPJ_SIZE_T read_bytes(void *to, OPJ_SIZE_T wanted, void *user) {
  source *from = user;
  size_t left = from->count - from->at, n = wanted < left ? wanted : left;
  if (n == 0) return (OPJ_SIZE_T)-1;
  memcpy(to, from->bytes + from->at, n);
  from->at += n;
  return n;
}

static OPJ_OFF_T skip(OPJ_OFF_T by, void *user) {
  source *from = user;
  if (by < 0 ? (uint64_t)-by > from->at : (uint64_t)by > from->count - from->at) return -1;
  from->at = (size_t)((OPJ_OFF_T)from->at + by);
  return by;
}

static OPJ_BOOL seek(OPJ_OFF_T to, void *user) {
  source *from = user;
  if (to < 0 || (uint64_t)to > from->count) return OPJ_FALSE;
  from->at = (size_t)to;
  return OPJ_TRUE;
}

static void complain(const char *message, void *user) {
  source *from = user;
  if (from->message[0] == 0) snprintf(from->message, sizeof from->message, "%s", message);
}

static int clamp(double x) { return x < 0 ? 0 : x > 255 ? 255 : (int)(x + 0.5); }

// A component's value brought to 8 bits; components may be coarser than the picture.
static int value(const opj_image_comp_t *c, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
  uint32_t cx = (uint32_t)((uint64_t)x * c->w / width), cy = (uint32_t)((uint64_t)y * c->h / height);
  int64_t v = c->data[(size_t)cy * c->w + cx];
  if (c->sgnd) v += (int64_t)1 << (c->prec - 1);
  int64_t most = ((int64_t)1 << c->prec) - 1;
  v = v < 0 ? 0 : v > most ? most : v;
  return (int)(c->prec == 8 ? v : (v * 255 + most / 2) / most);
}

static void from_ycc(int p[4]) {
  double y = p[0], cb = p[1] - 128, cr = p[2] - 128;
  p[0] = clamp(y + 1.402 * cr);
  p[1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
  p[2] = clamp(y + 1.772 * cb);
}

static void fill(const opj_image_t *found, vugen_image *image, uint32_t n, int alpha) {
  int is_ycc = found->color_space == OPJ_CLRSPC_SYCC || found->color_space == OPJ_CLRSPC_EYCC;
  for (uint32_t y = 0; y < image->height; y++)
    for (uint32_t x = 0; x < image->width; x++) {
      uint8_t *to = image->pixels + ((size_t)y * image->width + x) * 4;
      int p[4] = {0, 0, 0, 255};
      for (uint32_t c = 0; c < n; c++) p[c] = value(&found->comps[c], x, y, image->width, image->height);
      if (n < 3) p[1] = p[2] = p[0];
      if (n == 3 && is_ycc) from_ycc(p);
      if (n < 4) p[3] = alpha < 0 ? 255 : value(&found->comps[alpha], x, y, image->width, image->height);
      for (int c = 0; c < 4; c++) to[c] = (uint8_t)p[c];
    }
}

static int convert(const opj_image_t *found, uint64_t max_pixels, size_t count, vugen_image *image) {
  int alpha = -1;
  uint32_t n = 0, width = found->comps[0].w, height = found->comps[0].h;
  for (uint32_t c = 0; c < found->numcomps; c++) {
    const opj_image_comp_t *component = &found->comps[c];
    if (component->data == NULL || component->w == 0 || component->h == 0 || component->prec < 1 ||
        component->prec > 31)
      return vugen_blame(image, "OpenJPEG", "");
    if (component->w > width) width = component->w;
    if (component->h > height) height = component->h;
    if (alpha < 0 && (component->alpha ||
                      (c > 0 && c + 1 == found->numcomps && c % 2 == 1 && found->color_space != OPJ_CLRSPC_CMYK)))
      alpha = (int)c;
    else if (alpha < 0) n = c + 1;
  }
  image->is_cmyk = found->color_space == OPJ_CLRSPC_CMYK && n == 4;
  n = image->is_cmyk ? 4 : n >= 3 ? 3 : 1;
  if (vugen_check_size(image, width, height, max_pixels, count, 16384) || vugen_take_pixels(image, width, height))
    return 1;
  fill(found, image, n, alpha);
  vugen_keep_profile(image, found->icc_profile_buf, found->icc_profile_len);
  return 0;
}

static int decode(opj_codec_t *codec, opj_stream_t *stream, source *from, uint64_t max_pixels, vugen_image *image) {
  opj_dparameters_t parameters;
  lib.opj_set_default_decoder_parameters(&parameters);
  lib.opj_set_error_handler(codec, complain, from);
  opj_image_t *found = NULL;
  int status = 1;
  if (!lib.opj_setup_decoder(codec, &parameters) || !lib.opj_read_header(stream, codec, &found)) {
    vugen_blame(image, "OpenJPEG", from->message[0] ? from->message : "the header");
  } else if (found->numcomps < 1 || found->numcomps > 8) {
    vugen_refuse(image, VUGEN_UNREAD_FORM, "%u channels are not read", found->numcomps);
  } else if (vugen_check_size(image, (uint64_t)found->x1 - found->x0, (uint64_t)found->y1 - found->y0, max_pixels,
                              from->count, 16384) == 0) {
    if (!lib.opj_decode(codec, stream, found)) vugen_blame(image, "OpenJPEG", from->message);
    else status = convert(found, max_pixels, from->count, image);
  }
  if (found) lib.opj_image_destroy(found);
  return status;
}

int vugen_jpeg2000_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load()) return vugen_refuse(image, VUGEN_NO_DECODER, "OpenJPEG is not installed (Debian: libopenjp2-7)");
  source from = {.bytes = bytes, .count = count};
  int is_bare = count >= 2 && bytes[0] == 0xFF && bytes[1] == 0x4F;
  opj_codec_t *codec = lib.opj_create_decompress(is_bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_stream_t *stream = lib.opj_stream_create(1 << 16, OPJ_TRUE);
  int status = 1;
  if (codec && stream) {
    lib.opj_stream_set_read_function(stream, read_bytes);
    lib.opj_stream_set_skip_function(stream, skip);
    lib.opj_stream_set_seek_function(stream, seek);
    lib.opj_stream_set_user_data(stream, &from, NULL);
    lib.opj_stream_set_user_data_length(stream, count);
    status = decode(codec, stream, &from, max_pixels, image);
  } else {
    vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  }
  if (stream) lib.opj_stream_destroy(stream);
  if (codec) lib.opj_destroy_codec(codec);
  return status;
}
