#include <avif/avif.h>

#include "codecs.h"

#define FUNCTIONS(X)        \
  X(avifCodecName)          \
  X(avifDecoderCreate)      \
  X(avifDecoderDestroy)     \
  X(avifDecoderSetIOMemory) \
  X(avifDecoderParse)       \
  X(avifDecoderNextImage)   \
  X(avifRGBImageSetDefaults) X(avifImageYUVToRGB) X(avifResultToString)
// The structures are those of the version that the headers describe.
#if AVIF_VERSION_MAJOR >= 1
#define SONAME "libavif.so.16"
#define MIRROR_AXIS(image) ((image)->imir.axis)
#else
#define SONAME "libavif.so.15"
#define MIRROR_AXIS(image) ((image)->imir.mode)
#endif
VUGEN_LIBRARY(FUNCTIONS, SONAME, "libavif.so")

// Turned by quarters anticlockwise first, then mirrored.
static int orientation(const avifImage *image) {
  static const int turned[4] = {1, 8, 3, 6}, upside_down[4] = {4, 5, 2, 7}, mirrored[4] = {2, 7, 4, 5};
  int angle = image->transformFlags & AVIF_TRANSFORM_IROT ? image->irot.angle & 3 : 0;
  if (!(image->transformFlags & AVIF_TRANSFORM_IMIR)) return turned[angle];
  return MIRROR_AXIS(image) ? mirrored[angle] : upside_down[angle];
}

static int failed(vugen_image *image, avifResult result) {
  const char *words = lib.avifResultToString(result);
  switch (result) {
    case AVIF_RESULT_UNSUPPORTED_DEPTH:
    case AVIF_RESULT_NOT_IMPLEMENTED: return vugen_refuse(image, VUGEN_UNREAD_FORM, "%s (libavif)", words);
    case AVIF_RESULT_NO_CODEC_AVAILABLE: return vugen_refuse(image, VUGEN_NO_DECODER, "libavif lacks a decoder for it");
    case AVIF_RESULT_OUT_OF_MEMORY: return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for it");
    default: return vugen_blame(image, "libavif", words);
  }
}

static int decode(avifDecoder *decoder, size_t count, uint64_t max_pixels, vugen_image *image) {
  avifResult result = lib.avifDecoderParse(decoder);
  if (result == AVIF_RESULT_OK) {
    if (vugen_check_size(image, decoder->image->width, decoder->image->height, max_pixels, count, 16384)) return 1;
    result = lib.avifDecoderNextImage(decoder);
  }
  if (result != AVIF_RESULT_OK) return failed(image, result);
  const avifImage *found = decoder->image;
  // Its size as decoded.
  if (vugen_check_size(image, found->width, found->height, max_pixels, count, 16384)) return 1;
  if (vugen_take_pixels(image, found->width, found->height)) return 1;
  avifRGBImage rgb;
  lib.avifRGBImageSetDefaults(&rgb, found);
  rgb.depth = 8;
  rgb.format = AVIF_RGB_FORMAT_RGBA;
  rgb.pixels = image->pixels;
  rgb.rowBytes = found->width * 4;
  result = lib.avifImageYUVToRGB(found, &rgb);
  if (result != AVIF_RESULT_OK) return failed(image, result);
  vugen_keep_profile(image, found->icc.data, found->icc.size);
  if (found->icc.size == 0) vugen_keep_code_points(image, found->colorPrimaries, found->transferCharacteristics);
  image->orientation = orientation(found);
  return 0;
}

static int decode_heard(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load())
    return vugen_refuse(image, VUGEN_NO_DECODER, "libavif is not installed (Debian: libavif15 or libavif16)");
  avifDecoder *decoder = lib.avifDecoderCreate();
  if (decoder == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  // dav1d writes what it dislikes to standard error; libaom is slower, and silent.
  if (lib.avifCodecName(AVIF_CODEC_CHOICE_AOM, AVIF_CODEC_FLAG_CAN_DECODE))
    decoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
  decoder->ignoreExif = decoder->ignoreXMP = AVIF_TRUE;
  decoder->strictFlags = AVIF_STRICT_DISABLED;
  decoder->imageSizeLimit =
    max_pixels < AVIF_DEFAULT_IMAGE_SIZE_LIMIT ? (uint32_t)max_pixels : AVIF_DEFAULT_IMAGE_SIZE_LIMIT;
  if (decoder->imageSizeLimit == 0) decoder->imageSizeLimit = 1;
  int status = lib.avifDecoderSetIOMemory(decoder, bytes, count) == AVIF_RESULT_OK
                 ? decode(decoder, count, max_pixels, image)
                 : vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  lib.avifDecoderDestroy(decoder);
  return status;
}

int vugen_avif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  return vugen_decode_unheard(decode_heard, bytes, count, max_pixels, image);
}
