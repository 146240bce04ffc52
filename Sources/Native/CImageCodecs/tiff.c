#include <tiffio.h>

#include "codecs.h"

#define FUNCTIONS(X)                                                                                       \
  X(TIFFOpenOptionsAlloc)                                                                                  \
  X(TIFFOpenOptionsFree)                                                                                   \
  X(TIFFOpenOptionsSetMaxSingleMemAlloc)                                                                   \
  X(TIFFOpenOptionsSetErrorHandlerExtR)                                                                    \
  X(TIFFOpenOptionsSetWarningHandlerExtR)                                                                  \
  X(TIFFClientOpenExt)                                                                                     \
  X(TIFFClose)                                                                                             \
  X(TIFFGetField)                                                                                          \
  X(TIFFGetFieldDefaulted)                                                                                 \
  X(TIFFSetField) X(TIFFRGBAImageOK) X(TIFFRGBAImageBegin) X(TIFFRGBAImageGet) X(TIFFRGBAImageEnd)
VUGEN_LIBRARY(FUNCTIONS, "libtiff.so.6", "libtiff.so")

typedef struct {
  const uint8_t *bytes;
  uint64_t count, at;
  char message[VUGEN_MESSAGE_BYTES];
} source;

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t wanted) {
  source *from = handle;
  uint64_t left = from->at < from->count ? from->count - from->at : 0;
  size_t n = (uint64_t)wanted < left ? (size_t)wanted : (size_t)left;
  memcpy(to, from->bytes + from->at, n);
  from->at += n;
  return (tmsize_t)n;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t count) {
  (void)handle, (void)bytes, (void)count;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int origin) {
  source *from = handle;
  from->at = origin == SEEK_SET ? offset : origin == SEEK_CUR ? from->at + offset : from->count + offset;
  return from->at;
}

static int close_file(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size(thandle_t handle) { return ((source *)handle)->count; }

static int map(thandle_t handle, void **base, toff_t *count) {
  *base = (void *)((source *)handle)->bytes;
  *count = ((source *)handle)->count;
  return 1;
}

static void unmap(thandle_t handle, void *base, toff_t count) { (void)handle, (void)base, (void)count; }

static int complain(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)module;
  source *from = user;
  // The first complaint is the cause.
  if (from->message[0] == 0) vsnprintf(from->message, sizeof from->message, format, arguments);
  return 1;
}

static int ignore(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
  return 1;
}

static TIFF *open_tiff(source *from, uint64_t max_pixels) {
  TIFFOpenOptions *options = lib.TIFFOpenOptionsAlloc();
  if (options == NULL) return NULL;
  uint64_t most = max_pixels * 8 + (16 << 20);
  lib.TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(most < INT64_MAX ? most : INT64_MAX));
  lib.TIFFOpenOptionsSetErrorHandlerExtR(options, complain, from);
  lib.TIFFOpenOptionsSetWarningHandlerExtR(options, ignore, from);
  TIFF *tiff = lib.TIFFClientOpenExt(
    "picture", "r", from, read_bytes, write_bytes, seek, close_file, size, map, unmap, options);
  lib.TIFFOpenOptionsFree(options);
  return tiff;
}

// libtiff multiplies colours by an alpha that stands apart from them, which loses their low bits. Told that it was
// done already, it leaves them alone. 1 where it really was.
static int is_premultiplied(TIFF *tiff) {
  uint16_t count = 0, *kinds = NULL, associated = EXTRASAMPLE_ASSOCALPHA;
  if (!lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) || count != 1) return 0;
  if (kinds[0] == EXTRASAMPLE_ASSOCALPHA) return 1;
  if (kinds[0] == EXTRASAMPLE_UNASSALPHA) lib.TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &associated);
  return 0;
}

static void divide_by_alpha(vugen_image *image) {
  for (size_t i = 0; i < (size_t)image->width * image->height; i++) {
    uint8_t *p = image->pixels + 4 * i;
    for (int c = 0; c < 3 && p[3] != 0 && p[3] != 255; c++) {
      unsigned value = 255u * p[c] / p[3];
      p[c] = (uint8_t)(value > 255 ? 255 : value);
    }
  }
}

static int decode(TIFF *tiff, source *from, uint64_t max_pixels, vugen_image *image) {
  uint32_t width = 0, height = 0, subfile = 0, length = 0;
  uint16_t orientation = 1;
  void *profile = NULL;
  char reason[1024] = "";
  lib.TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  lib.TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  if (lib.TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &subfile) && (subfile & FILETYPE_REDUCEDIMAGE))
    return vugen_refuse(image, "its first picture is a thumbnail (a camera's raw file?); develop it to JPEG");
  if (vugen_check_size(image, width, height, max_pixels, from->count, 16384)) return 1;
  if (lib.TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation) && orientation >= 1 && orientation <= 8)
    image->orientation = orientation;
  if (lib.TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &length, &profile)) vugen_keep_profile(image, profile, length);
  lib.TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  int divides = is_premultiplied(tiff);
  TIFFRGBAImage rgba;
  if (!lib.TIFFRGBAImageOK(tiff, reason) || !lib.TIFFRGBAImageBegin(&rgba, tiff, 1, reason))
    return vugen_refuse(image, "%s", reason[0] ? reason : from->message);
  rgba.req_orientation = ORIENTATION_TOPLEFT;
  int status = vugen_take_pixels(image, width, height);
  if (status == 0 && !lib.TIFFRGBAImageGet(&rgba, (uint32_t *)image->pixels, width, height))
    status = vugen_refuse(image, "%s", from->message[0] ? from->message : "the data are damaged or cut off");
  lib.TIFFRGBAImageEnd(&rgba);
  if (status == 0 && divides) divide_by_alpha(image);
  return status;
}

int vugen_tiff_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load()) return vugen_refuse(image, "libtiff is not installed (Debian: libtiff6)");
  source from = {.bytes = bytes, .count = count};
  TIFF *tiff = open_tiff(&from, max_pixels);
  if (tiff == NULL) return vugen_refuse(image, "%s", from.message[0] ? from.message : "the header is damaged");
  int status = decode(tiff, &from, max_pixels, image);
  lib.TIFFClose(tiff);
  return status;
}
