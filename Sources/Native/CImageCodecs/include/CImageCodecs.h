// Picture files through the decoders that Debian has, with their error exits turned into messages. Decoding is of
// untrusted bytes: sizes are checked against a limit, and against what the file can hold, before memory is taken.
// libpng, libjpeg-turbo and libwebp are linked; what is seldom needed is loaded at its first use.

#ifndef VUGEN_CIMAGECODECS_H
#define VUGEN_CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VUGEN_MESSAGE_BYTES = 240 };

// What kind of thing keeps a picture from being read: each has its own advice.
typedef enum {
  VUGEN_NO_FAULT,
  VUGEN_DAMAGED,      // the file is cut off, or its bytes are wrong
  VUGEN_UNREAD_FORM,  // whole, and of a form of its kind that is not read
  VUGEN_NO_DECODER,   // a library is missing
  VUGEN_NO_MEMORY,    // for as many pixels
  VUGEN_ADVISED,      // the message says what to do
} vugen_fault;

// To be zeroed before a decoder is called, but for what is asked for.
typedef struct {
  uint32_t wanted;           // pixels that a side should have; 0 for the picture's own size
  int32_t wants_square;      // both sides, over white, as a model reads it; else the longer one
  int32_t exif_orientation;  // where the kind of file has none of its own
  int32_t keeps_stored;      // colours are not converted to sRGB
  int32_t is_grey;           // stored as one channel
  int32_t is_stopped;        // decoding ended because it was asked to
  struct vugen_rows *rows;   // at work
  void *colours;             // at work
  uint8_t *pixels;           // RGBA (or CMYK), 8 bits each, row by row; vugen_image_free gives it and the profile back
  uint32_t width, height;
  int32_t orientation;  // as EXIF counts, 1…8, where the kind of file has its own; 0 where it has not
  int32_t is_cmyk;      // 255 is full ink
  uint8_t *profile;     // ICC
  size_t profile_count;
  double gamma;              // of the stored values, where the file says it without a profile; else 0
  double chromaticities[8];  // x and y of white, red, green and blue, likewise
  vugen_fault fault;
  uint64_t promised;  // pixels that the header says, 0 before it was read
  char message[VUGEN_MESSAGE_BYTES];
} vugen_image;

typedef struct {
  uint8_t *bytes;  // free with vugen_bytes_free
  size_t count;
  char message[VUGEN_MESSAGE_BYTES];
} vugen_bytes;

// Each returns 0 and fills `image`, or another number and fills `fault` and `message`.
int vugen_png_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
// Where a size is wanted, a picture of more than `max_pixels` is decoded at a half, a quarter or an eighth that has at
// least four times as many pixels on each side.
int vugen_jpeg_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_webp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_gif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_bmp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_pnm_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_tiff_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_avif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_heif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_jpeg2000_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
void vugen_image_free(vugen_image *image);

// Behind a decoder that went well: colours in sRGB, and the wanted size, upright (orientation 1); a picture that keeps
// its size is still to be turned. 0 where it went well.
int vugen_image_finish(vugen_image *image);

// Decoders ask this at each row, and end where it says 1.
void vugen_stop_decoding_when(int (*is_asked)(void));

// Makes RGBA of inks, and sRGB of what a profile describes unless the stored numbers are to be kept.
void vugen_image_to_srgb(vugen_image *image);

// RGBA pixels turned and mirrored as an EXIF orientation says; `to` has as many.
void vugen_copy_upright(const uint8_t *pixels, uint32_t width, uint32_t height, int orientation, uint8_t *to);

// `keys` and `values` are UTF-8; ASCII ones are written as tEXt, others as iTXt.
// `channels` is 3 (RGB) or 4 (RGBA).
int vugen_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, const char *const *keys,
                     const char *const *values, size_t texts, vugen_bytes *out);
// `exif` and `xmp` are what follows a segment's length, signature included; empty for none.
int vugen_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, const uint8_t *exif,
                      size_t exif_count, const uint8_t *xmp, size_t xmp_count, vugen_bytes *out);
// Without loss. `exif` and `xmp` are the chunks' contents.
int vugen_webp_encode(const uint8_t *rgba, uint32_t width, uint32_t height, const uint8_t *exif, size_t exif_count,
                      const uint8_t *xmp, size_t xmp_count, vugen_bytes *out);
void vugen_bytes_free(vugen_bytes *bytes);

// zlib's deflate undone, up to `most` bytes; 0 where all of it came out.
int vugen_inflate(const uint8_t *bytes, size_t count, size_t most, vugen_bytes *out);

#ifdef __cplusplus
}
#endif

#endif
