#include <lcms2.h>

#include "codecs.h"

#define FUNCTIONS(X)             \
  X(cmsOpenProfileFromMem)       \
  X(cmsCloseProfile)             \
  X(cmsGetColorSpace)            \
  X(cmsCreate_sRGBProfile)       \
  X(cmsCreateLab2Profile)        \
  X(cmsCreateRGBProfile)         \
  X(cmsBuildGamma)               \
  X(cmsBuildParametricToneCurve) \
  X(cmsFreeToneCurve) X(cmsCreateTransform) X(cmsDeleteTransform) X(cmsDoTransform)
VUGEN_LIBRARY(FUNCTIONS, "liblcms2.so.2", "liblcms2.so")

// a·b/255, rounded.
static unsigned scaled(unsigned a, unsigned b) {
  unsigned t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

// As Pillow does without a profile: each ink takes its share of what black leaves.
static void plain_from_cmyk(vugen_image *image) {
  size_t count = (size_t)image->width * image->height;
  for (size_t i = 0; i < count; i++) {
    uint8_t *p = image->pixels + 4 * i;
    unsigned left = 255u - p[3];
    for (int c = 0; c < 3; c++) p[c] = (uint8_t)(left - scaled(p[c], left));
    p[3] = 255;
  }
}

static cmsHPROFILE described_profile(const vugen_image *image) {
  const double *c = image->chromaticities;
  cmsCIExyY white = {0.3127, 0.329, 1};
  cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.3, 0.6, 1}, {0.15, 0.06, 1}};
  if (c[0] > 0) {
    white = (cmsCIExyY){c[0], c[1], 1};
    primaries = (cmsCIExyYTRIPLE){{c[2], c[3], 1}, {c[4], c[5], 1}, {c[6], c[7], 1}};
  }
  cmsFloat64Number srgb[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  cmsToneCurve *curve =
    image->gamma > 0 ? lib.cmsBuildGamma(NULL, image->gamma) : lib.cmsBuildParametricToneCurve(NULL, 4, srgb);
  if (curve == NULL) return NULL;
  cmsToneCurve *curves[3] = {curve, curve, curve};
  cmsHPROFILE profile = lib.cmsCreateRGBProfile(&white, &primaries, curves);
  lib.cmsFreeToneCurve(curve);
  return profile;
}

// Whether the transform moves any colour by more than a level: sRGB has many editions that differ in nothing seen.
static int changes_colours(cmsHTRANSFORM transform) {
  for (int r = 0; r < 9; r++)
    for (int g = 0; g < 9; g++)
      for (int b = 0; b < 9; b++) {
        uint8_t in[4] = {(uint8_t)(r * 255 / 8), (uint8_t)(g * 255 / 8), (uint8_t)(b * 255 / 8), 255}, out[4];
        lib.cmsDoTransform(transform, in, out, 1);
        for (int c = 0; c < 3; c++)
          if (abs(in[c] - out[c]) > 1) return 1;
      }
  return 0;
}

// A grey profile: one table for all. Does nothing where the pixels have colours.
static void apply_grey(vugen_image *image, cmsHTRANSFORM transform) {
  size_t count = (size_t)image->width * image->height;
  uint8_t table[256][3], in[256];
  for (size_t i = 0; i < count; i++) {
    const uint8_t *p = image->pixels + 4 * i;
    if (p[0] != p[1] || p[1] != p[2]) return;
  }
  for (int i = 0; i < 256; i++) in[i] = (uint8_t)i;
  lib.cmsDoTransform(transform, in, table, 256);
  for (size_t i = 0; i < count; i++) memcpy(image->pixels + 4 * i, table[image->pixels[4 * i]], 3);
}

static void apply_rows(vugen_image *image, cmsHTRANSFORM transform) {
  size_t row = (size_t)image->width * 4;
  for (uint32_t y = 0; y < image->height; y++)
    lib.cmsDoTransform(transform, image->pixels + y * row, image->pixels + y * row, image->width);
  if (image->is_cmyk)
    for (size_t i = 3; i < row * image->height; i += 4) image->pixels[i] = 255;
}

static cmsHTRANSFORM transform_of(const vugen_image *image, cmsHPROFILE profile, cmsHPROFILE srgb) {
  cmsColorSpaceSignature space = lib.cmsGetColorSpace(profile);
  if (image->is_cmyk != (space == cmsSigCmykData)) return NULL;
  if (space != cmsSigCmykData && space != cmsSigRgbData && space != cmsSigGrayData) return NULL;
  cmsUInt32Number from = space == cmsSigCmykData ? TYPE_CMYK_8 : space == cmsSigGrayData ? TYPE_GRAY_8 : TYPE_RGBA_8;
  cmsUInt32Number to = space == cmsSigGrayData ? TYPE_RGB_8 : TYPE_RGBA_8;
  return lib.cmsCreateTransform(profile, from, srgb, to, INTENT_PERCEPTUAL,
                                space == cmsSigRgbData ? cmsFLAGS_COPY_ALPHA : 0);
}

// 1 where the profile was understood and is done with.
static int convert(vugen_image *image, cmsHPROFILE profile, cmsHPROFILE srgb) {
  cmsColorSpaceSignature space = lib.cmsGetColorSpace(profile);
  cmsHTRANSFORM transform = transform_of(image, profile, srgb);
  if (transform == NULL) return 0;
  if (space == cmsSigGrayData) apply_grey(image, transform);
  else if (space == cmsSigCmykData || changes_colours(transform)) apply_rows(image, transform);
  lib.cmsDeleteTransform(transform);
  return 1;
}

static cmsHPROFILE open_profile(const vugen_image *image) {
  int is_described = image->gamma > 0 || image->chromaticities[0] > 0;
  if (image->keeps_stored || (image->profile == NULL && !is_described) || !load()) return NULL;
  cmsHPROFILE profile =
    image->profile ? lib.cmsOpenProfileFromMem(image->profile, (cmsUInt32Number)image->profile_count) : NULL;
  return profile == NULL && is_described && !image->is_cmyk ? described_profile(image) : profile;
}

void vugen_image_to_srgb(vugen_image *image) {
  int is_done = 0;
  cmsHPROFILE profile = open_profile(image), srgb = profile ? lib.cmsCreate_sRGBProfile() : NULL;
  if (srgb) is_done = convert(image, profile, srgb);
  if (srgb) lib.cmsCloseProfile(srgb);
  if (profile) lib.cmsCloseProfile(profile);
  if (image->is_cmyk && !is_done) plain_from_cmyk(image);
  image->is_cmyk = 0;
}

int vugen_lab_to_srgb(vugen_image *image) {
  if (!load()) return vugen_refuse(image, VUGEN_NO_DECODER, "liblcms2 is not installed (Debian: liblcms2-2)");
  // NULL: the white of Lab in files is D50, to which sRGB's is adapted; taken for the screen's white it would be yellow.
  cmsHPROFILE lab = lib.cmsCreateLab2Profile(NULL), srgb = lab ? lib.cmsCreate_sRGBProfile() : NULL;
  cmsUInt32Number from = COLORSPACE_SH(PT_LabV2) | CHANNELS_SH(3) | EXTRA_SH(1) | BYTES_SH(1);
  cmsHTRANSFORM transform =
    srgb ? lib.cmsCreateTransform(lab, from, srgb, TYPE_RGBA_8, INTENT_PERCEPTUAL, cmsFLAGS_COPY_ALPHA) : NULL;
  if (transform) {
    apply_rows(image, transform);
    lib.cmsDeleteTransform(transform);
  }
  if (srgb) lib.cmsCloseProfile(srgb);
  if (lab) lib.cmsCloseProfile(lab);
  return transform ? 0 : vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- row by row

typedef struct {
  cmsHTRANSFORM transform;
  int is_grey;
} row_colours;

int vugen_begin_colours(vugen_image *image) {
  cmsHPROFILE profile = open_profile(image), srgb = profile ? lib.cmsCreate_sRGBProfile() : NULL;
  if (srgb) {
    cmsColorSpaceSignature space = lib.cmsGetColorSpace(profile);
    cmsHTRANSFORM transform = transform_of(image, profile, srgb);
    int is_grey = space == cmsSigGrayData;
    if (transform && (is_grey ? !image->is_grey : space == cmsSigRgbData && !changes_colours(transform))) {
      lib.cmsDeleteTransform(transform);
    } else if (transform) {
      row_colours *colours = image->colours = malloc(sizeof *colours);
      if (colours) *colours = (row_colours){transform, is_grey};
      else lib.cmsDeleteTransform(transform);
    }
    lib.cmsCloseProfile(srgb);
  }
  if (profile) lib.cmsCloseProfile(profile);
  return 0;
}

void vugen_colour_row(vugen_image *image, uint8_t *row) {
  const row_colours *colours = image->colours;
  // The functions for whole pictures, of one row.
  vugen_image line = {.pixels = row, .width = image->width, .height = 1, .is_cmyk = image->is_cmyk};
  if (colours == NULL) {
    if (image->is_cmyk) plain_from_cmyk(&line);
  } else if (colours->is_grey) {
    apply_grey(&line, colours->transform);
  } else {
    apply_rows(&line, colours->transform);
  }
}

void vugen_end_colours(vugen_image *image) {
  row_colours *colours = image->colours;
  image->colours = NULL;
  if (colours == NULL) return;
  lib.cmsDeleteTransform(colours->transform);
  free(colours);
}
