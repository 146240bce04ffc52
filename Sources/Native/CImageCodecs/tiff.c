#include <math.h>
#include <tiffio.h>

#include "codecs.h"

#define FUNCTIONS(X)                      \
  X(TIFFOpenOptionsAlloc)                 \
  X(TIFFOpenOptionsFree)                  \
  X(TIFFOpenOptionsSetMaxSingleMemAlloc)  \
  X(TIFFOpenOptionsSetErrorHandlerExtR)   \
  X(TIFFOpenOptionsSetWarningHandlerExtR) \
  X(TIFFClientOpenExt)                    \
  X(TIFFClose)                            \
  X(TIFFGetField)                         \
  X(TIFFGetFieldDefaulted)                \
  X(TIFFIsTiled)                          \
  X(TIFFIsCODECConfigured)                \
  X(TIFFTileSize64)                       \
  X(TIFFTileRowSize64)                    \
  X(TIFFReadTile)                         \
  X(TIFFScanlineSize64)                   \
  X(TIFFReadScanline)                     \
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
  TIFF *tiff =
    lib.TIFFClientOpenExt("picture", "r", from, read_bytes, write_bytes, seek, close_file, size, map, unmap, options);
  lib.TIFFOpenOptionsFree(options);
  return tiff;
}

static int blame(source *from, vugen_image *image) { return vugen_blame(image, "libtiff", from->message); }

typedef enum { ALPHA_APART, ALPHA_WITHIN, NO_ALPHA } alpha_kind;
// What the first sample behind the colours is. libtiff takes one of an unknown kind for an alpha, and multiplies colours
// by one that stands apart from them, which loses their low bits. Told that it was done already, it leaves them alone.
static alpha_kind prepare_alpha(TIFF *tiff) {
  uint16_t count = 0, samples = 1, *kinds = NULL, told[8] = {EXTRASAMPLE_ASSOCALPHA};
  // A file that says nothing of a fourth sample has an alpha there, as old programs wrote it; libtiff's default for the tag
  // would be a sample of an unknown kind.
  if (!lib.TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) || count == 0) {
    lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    return samples <= 4 ? ALPHA_APART : NO_ALPHA;
  }
  if (kinds[0] == EXTRASAMPLE_ASSOCALPHA) return ALPHA_WITHIN;
  if (kinds[0] != EXTRASAMPLE_UNASSALPHA) return NO_ALPHA;
  lib.TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, count < 8 ? count : 8, told);
  return ALPHA_APART;
}

static void settle_alpha(alpha_kind kind, uint8_t *p, size_t count) {
  for (size_t i = 0; i < count && kind != ALPHA_APART; i++, p += 4) {
    if (kind == NO_ALPHA) p[3] = 255;
    for (int c = 0; c < 3 && p[3] != 0 && p[3] != 255; c++) {
      unsigned value = 255u * p[c] / p[3];
      p[c] = (uint8_t)(value > 255 ? 255 : value);
    }
  }
}

// libtiff's own conversion, a strip's or a tile's height at a time.
static int read_bands(TIFF *tiff, TIFFRGBAImage *rgba, source *from, alpha_kind alpha, vugen_image *image,
                      uint32_t width, uint32_t height) {
  uint32_t band = 0;
  if (!lib.TIFFGetFieldDefaulted(tiff, lib.TIFFIsTiled(tiff) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &band) ||
      band == 0 || band > height)
    band = height;
  if (vugen_begin_rows(image, width, height)) return 1;
  // The whole picture has room for them already.
  uint8_t *own = image->rows ? malloc((size_t)width * band * 4) : NULL;
  int status = own || !image->rows
                 ? 0
                 : vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for %u × %u pixels", width, band);
  for (uint32_t top = 0; top < height && status == 0; top += band) {
    uint32_t count = band < height - top ? band : height - top;
    uint8_t *pixels = own ? own : vugen_row(image, top);
    rgba->row_offset = (int)top;
    if (!lib.TIFFRGBAImageGet(rgba, (uint32_t *)pixels, width, count)) status = blame(from, image);
    if (status == 0) settle_alpha(alpha, pixels, (size_t)width * count);
    for (uint32_t y = 0; y < count && status == 0; y++) {
      if (own) memcpy(vugen_row(image, top + y), own + (size_t)y * width * 4, (size_t)width * 4);
      status = vugen_end_row(image, top + y);
    }
  }
  free(own);
  return status;
}

// ---------------------------------------------------------------- samples as they are stored

// libtiff's own conversion knows whole numbers of up to 16 bits without a sign, and makes colours of inks without
// their profile. What else there is goes through here.
typedef struct {
  uint16_t bits, format, samples, planar, kind;
  int colours, alpha;  // samples that are colours or inks; the one that is alpha, or −1
} layout;

static layout layout_of(TIFF *tiff) {
  layout l = {.alpha = -1};
  uint16_t count = 0, *extras = NULL;
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &l.bits);
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &l.format);
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &l.samples);
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &l.planar);
  if (!lib.TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l.kind)) l.kind = PHOTOMETRIC_MINISBLACK;
  int is_three = l.kind == PHOTOMETRIC_RGB || l.kind == PHOTOMETRIC_CIELAB || l.kind == PHOTOMETRIC_ICCLAB;
  l.colours = l.kind == PHOTOMETRIC_SEPARATED ? 4 : is_three ? 3 : 1;
  if (l.samples > l.colours && lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &extras) && count > 0 &&
      (extras[0] == EXTRASAMPLE_ASSOCALPHA || extras[0] == EXTRASAMPLE_UNASSALPHA))
    l.alpha = l.colours;
  return l;
}

static int is_plain_ink(const layout *l) {
  return l->kind == PHOTOMETRIC_SEPARATED && l->samples >= 4 && (l->bits == 8 || l->bits == 16) &&
         (l->format == SAMPLEFORMAT_UINT || l->format == SAMPLEFORMAT_VOID);
}

// libtiff would take its white, D50, for that of a screen: all would be yellow.
static int is_lab(const layout *l) {
  return (l->kind == PHOTOMETRIC_CIELAB || l->kind == PHOTOMETRIC_ICCLAB) && l->samples >= 3 &&
         (l->bits == 8 || l->bits == 16) && l->format != SAMPLEFORMAT_IEEEFP;
}

// Numbers whose range the picture itself must tell.
static int is_measured(const layout *l) {
  if (l->kind != PHOTOMETRIC_RGB && l->kind != PHOTOMETRIC_MINISBLACK && l->kind != PHOTOMETRIC_MINISWHITE) return 0;
  if (l->samples < l->colours) return 0;
  if (l->format == SAMPLEFORMAT_IEEEFP) return l->bits == 16 || l->bits == 32 || l->bits == 64;
  if (l->format == SAMPLEFORMAT_INT) return l->bits == 8 || l->bits == 16 || l->bits == 32;
  return l->format == SAMPLEFORMAT_UINT && l->bits == 32;
}

static double half(uint16_t h) {
  int exponent = h >> 10 & 31, fraction = h & 1023;
  double value = exponent == 0    ? ldexp(fraction, -24)
                 : exponent == 31 ? (fraction ? NAN : INFINITY)
                                  : ldexp(1024 + fraction, exponent - 25);
  return h >> 15 ? -value : value;
}

static double number(const uint8_t *p, const layout *l) {
  union {
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    float f32;
    double f64;
  } v;
  memcpy(&v, p, l->bits / 8);
  if (l->format == SAMPLEFORMAT_IEEEFP) return l->bits == 16 ? half(v.u16) : l->bits == 32 ? v.f32 : v.f64;
  if (l->format == SAMPLEFORMAT_INT) return l->bits == 8 ? v.i8 : l->bits == 16 ? v.i16 : v.i32;
  return l->bits == 8 ? v.u8 : l->bits == 16 ? v.u16 : v.u32;
}

typedef struct {
  const layout *layout;
  vugen_image *image;
  double low, high, sum, count;  // of the colours
} job;

// Calls `visit` for each stored number of a colour or of alpha, until one returns another number than 0.
typedef void (*visitor)(job *job, uint32_t x, uint32_t y, int sample, double value);

static void visit_row(job *job, visitor visit, uint32_t x, uint32_t y, uint32_t count, const uint8_t *row, int plane) {
  const layout *l = job->layout;
  int bytes = l->bits / 8, is_apart = l->planar == PLANARCONFIG_SEPARATE, each = is_apart ? 1 : l->samples;
  for (uint32_t i = 0; i < count; i++)
    for (int s = 0; s < each; s++) {
      int sample = is_apart ? plane : s;
      if (sample < l->colours || sample == l->alpha)
        visit(job, x + i, y, sample, number(row + ((size_t)i * (size_t)each + (size_t)s) * (size_t)bytes, l));
    }
}

static int visit_tiles(TIFF *tiff, job *job, visitor visit, uint8_t *buffer, uint32_t width, uint32_t height,
                       int plane) {
  uint32_t w = 0, h = 0;
  lib.TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &w);
  lib.TIFFGetField(tiff, TIFFTAG_TILELENGTH, &h);
  size_t row = (size_t)lib.TIFFTileRowSize64(tiff);
  for (uint64_t y = 0; y < height; y += h)
    for (uint64_t x = 0; x < width; x += w) {
      if (vugen_is_stopped(job->image)) return 1;
      if (lib.TIFFReadTile(tiff, buffer, (uint32_t)x, (uint32_t)y, 0, (uint16_t)plane) < 0) return 1;
      for (uint32_t i = 0; i < h && y + i < height; i++)
        visit_row(job, visit, (uint32_t)x, (uint32_t)y + i, w < width - x ? w : (uint32_t)(width - x), buffer + i * row,
                  plane);
    }
  return 0;
}

static int visit_all(TIFF *tiff, source *from, job *job, visitor visit, uint32_t width, uint32_t height) {
  const layout *l = job->layout;
  int is_tiled = lib.TIFFIsTiled(tiff), is_apart = l->planar == PLANARCONFIG_SEPARATE, status = 0;
  uint32_t w = width, h = 1;
  if (is_tiled && (!lib.TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &w) || !lib.TIFFGetField(tiff, TIFFTAG_TILELENGTH, &h)))
    return vugen_refuse(job->image, VUGEN_DAMAGED, "its tiles have no size");
  uint64_t size = is_tiled ? lib.TIFFTileSize64(tiff) : lib.TIFFScanlineSize64(tiff);
  uint64_t least = (uint64_t)w * h * (is_apart ? 1 : l->samples) * (l->bits / 8);
  if (w == 0 || h == 0 || size < least || size > (uint64_t)1 << 30)
    return vugen_refuse(job->image, VUGEN_DAMAGED, "its rows or tiles have an impossible size");
  uint8_t *buffer = calloc(1, size);
  if (buffer == NULL) return vugen_refuse(job->image, VUGEN_NO_MEMORY, "out of memory");
  for (int plane = 0; plane < (is_apart ? l->samples : 1) && status == 0; plane++) {
    if (is_apart && plane >= l->colours && plane != l->alpha) continue;
    if (is_tiled) status = visit_tiles(tiff, job, visit, buffer, width, height, plane);
    for (uint32_t y = 0; !is_tiled && y < height && status == 0; y++)
      if (vugen_is_stopped(job->image) || lib.TIFFReadScanline(tiff, buffer, y, (uint16_t)plane) < 0) status = 1;
      else visit_row(job, visit, 0, y, width, buffer, plane);
  }
  free(buffer);
  if (job->image->is_stopped) return 1;
  return status == 0 ? 0 : blame(from, job->image);
}

static uint8_t *pixel(job *job, uint32_t x, uint32_t y) {
  return job->image->pixels + 4 * ((size_t)y * job->image->width + x);
}

static void keep_ink(job *job, uint32_t x, uint32_t y, int sample, double value) {
  if (sample < 4) pixel(job, x, y)[sample] = (uint8_t)(job->layout->bits == 16 ? (value + 128) / 257 : value);
}

// As ICC's Lab of eight bits: L to 255, a and b around 128. TIFF's own stores a and b with a sign, whatever its sample
// format says; its L of 16 bits ends at 0xFFFF, ICC's at 0xFF00.
static void keep_lab(job *job, uint32_t x, uint32_t y, int sample, double value) {
  const layout *l = job->layout;
  unsigned v = (unsigned)(int)value & (l->bits == 16 ? 0xFFFF : 0xFF);
  int is_own = l->kind == PHOTOMETRIC_CIELAB, is_axis = sample == 1 || sample == 2;
  if (is_own && is_axis) v ^= 1u << (l->bits - 1);
  if (l->bits == 16)
    v = is_axis ? (v + 128) >> 8 : is_own || sample == l->alpha ? (v + 128) / 257 : (v * 255 + 0x7F80) / 0xFF00;
  pixel(job, x, y)[sample == l->alpha ? 3 : sample] = (uint8_t)(v < 255 ? v : 255);
}

static void measure(job *job, uint32_t x, uint32_t y, int sample, double value) {
  (void)x, (void)y;
  if (sample == job->layout->alpha || !isfinite(value)) return;
  if (job->count == 0 || value < job->low) job->low = value;
  if (job->count == 0 || value > job->high) job->high = value;
  job->sum += value;
  job->count++;
}

// What is black and what is white. Floating point is 0 to 1, and brighter where there is more light than white;
// numbers that are mostly larger are levels, 0 to 255; what fits neither is a measurement, shown from its least to its
// largest.
static void choose_range(job *job) {
  int is_float = job->layout->format == SAMPLEFORMAT_IEEEFP;
  double mean = job->count > 0 ? job->sum / job->count : 0;
  if (is_float && job->low >= -1 && mean <= 1) {
    job->low = 0, job->high = 1;
  } else if (job->low >= 0 && job->high <= 255) {
    job->low = 0, job->high = 255;
  }
}

static uint8_t level(double share) {
  return isfinite(share) && share > 0 ? (uint8_t)(share < 1 ? share * 255 + 0.5 : 255) : 0;
}

static void keep_measured(job *job, uint32_t x, uint32_t y, int sample, double value) {
  uint8_t *p = pixel(job, x, y);
  const layout *l = job->layout;
  if (sample == l->alpha) {
    p[3] = level(l->format == SAMPLEFORMAT_IEEEFP ? value : value / (l->format == SAMPLEFORMAT_INT ? 127 : 255));
    return;
  }
  double range = job->high - job->low;
  // More light than there can be is white, not nothing.
  uint8_t found = value == INFINITY ? 255 : level(range > 0 ? (value - job->low) / range : 0);
  if (l->kind == PHOTOMETRIC_MINISWHITE) found = 255 - found;
  if (l->colours == 3) p[sample] = found;
  else p[0] = p[1] = p[2] = found;
}

static int decode_samples(TIFF *tiff, source *from, const layout *l, uint32_t width, uint32_t height,
                          vugen_image *image) {
  job job = {.layout = l, .image = image};
  visitor keep = is_plain_ink(l) ? keep_ink : is_lab(l) ? keep_lab : keep_measured;
  if (keep == keep_measured) {
    if (visit_all(tiff, from, &job, measure, width, height)) return 1;
    choose_range(&job);
  }
  if (vugen_take_pixels(image, width, height)) return 1;
  memset(image->pixels, 255, (size_t)width * height * 4);
  if (visit_all(tiff, from, &job, keep, width, height)) return 1;
  image->is_cmyk = keep == keep_ink;
  return keep == keep_lab ? vugen_lab_to_srgb(image) : 0;
}

// ---------------------------------------------------------------- all of it

static int decode(TIFF *tiff, source *from, uint64_t max_pixels, vugen_image *image) {
  uint32_t width = 0, height = 0, subfile = 0, length = 0;
  uint16_t orientation = 1, compression = COMPRESSION_NONE;
  void *profile = NULL;
  char reason[1024] = "";
  lib.TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  lib.TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  if (lib.TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &subfile) && (subfile & FILETYPE_REDUCEDIMAGE))
    return vugen_refuse(image, VUGEN_ADVISED,
                        "its first picture is a thumbnail (a camera's raw file?); develop it to JPEG");
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  if (!lib.TIFFIsCODECConfigured(compression))
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "compression %u is not read", compression);
  if (vugen_check_size(image, width, height, max_pixels, from->count, VUGEN_TIFF_PIXELS_PER_BYTE)) return 1;
  lib.TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation);
  image->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  if (lib.TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &length, &profile)) vugen_keep_profile(image, profile, length);
  lib.TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  layout layout = layout_of(tiff);
  if (is_plain_ink(&layout) || is_lab(&layout) || is_measured(&layout)) {
    uint16_t count = 0, *kinds = NULL;
    int status = decode_samples(tiff, from, &layout, width, height, image);
    if (status == 0 && layout.alpha >= 0 && lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) &&
        count > 0 && kinds[0] == EXTRASAMPLE_ASSOCALPHA && !image->is_cmyk)
      settle_alpha(ALPHA_WITHIN, image->pixels, (size_t)image->width * image->height);
    return status;
  }
  alpha_kind alpha = prepare_alpha(tiff);
  TIFFRGBAImage rgba;
  if (!lib.TIFFRGBAImageOK(tiff, reason) || !lib.TIFFRGBAImageBegin(&rgba, tiff, 1, reason))
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "%s (libtiff)", reason[0] ? reason : from->message);
  rgba.req_orientation = ORIENTATION_TOPLEFT;
  image->is_grey = layout.kind == PHOTOMETRIC_MINISBLACK || layout.kind == PHOTOMETRIC_MINISWHITE;
  int status = read_bands(tiff, &rgba, from, alpha, image, width, height);
  lib.TIFFRGBAImageEnd(&rgba);
  return status;
}

int vugen_tiff_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load()) return vugen_refuse(image, VUGEN_NO_DECODER, "libtiff is not installed (Debian: libtiff6)");
  source from = {.bytes = bytes, .count = count};
  TIFF *tiff = open_tiff(&from, max_pixels);
  if (tiff == NULL) return vugen_refuse_tiff(bytes, count, max_pixels, from.message, image);
  int status = decode(tiff, &from, max_pixels, image);
  lib.TIFFClose(tiff);
  return status;
}
