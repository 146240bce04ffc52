// What the decoders share: refusals, checks of a picture's size, and libraries that are loaded when first needed.

#ifndef VUGEN_CODECS_H
#define VUGEN_CODECS_H

#include <stdbool.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CImageCodecs.h"

// Fills fault and message, gives back what the image holds, and returns 1.
__attribute__((format(printf, 3, 4))) int vugen_refuse(vugen_image *image, vugen_fault fault, const char *format, ...);

// 0 where a picture of this size may be decoded from `bytes` bytes of file. A kind of file whose bytes cannot stand
// for more than `pixels_per_byte` pixels each is refused where it promises more than that and 32 megapixels.
int vugen_check_size(vugen_image *image, uint64_t width, uint64_t height, uint64_t max_pixels, uint64_t bytes,
                     uint64_t pixels_per_byte);

// The same of a picture of which a fraction is decoded, in so many pixels: the limit is for them, and the file is weighed
// and named by its own size.
int vugen_check_scaled(vugen_image *image, uint64_t width, uint64_t height, uint64_t decoded, uint64_t max_pixels,
                       uint64_t bytes, uint64_t pixels_per_byte);

enum { VUGEN_TIFF_PIXELS_PER_BYTE = 16384 };

// Why a TIFF file cannot be opened: its size, where that is at fault, else what libtiff says.
int vugen_refuse_tiff(const uint8_t *bytes, size_t count, uint64_t max_pixels, const char *words, vugen_image *image);

// Takes width × height × 4 bytes for the pixels; 0 where there was room.
int vugen_take_pixels(vugen_image *image, uint32_t width, uint32_t height);

// Whether there is no room to decode what the header promises: then a decoder's words say nothing of the file.
bool vugen_lacks_memory(const vugen_image *image);

// A codec's own words about a file that is damaged.
int vugen_blame(vugen_image *image, const char *codec, const char *words);

// Decodes where nobody hears the library: libde265 writes to standard error of what it finds wrong in a film's header, and
// neither its own API nor libheif's keeps it from that. The thread that decodes has open files of its own, of which
// standard error leads nowhere; other threads' stays what it is.
typedef int (*vugen_decoder)(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image);
int vugen_decode_unheard(vugen_decoder decode, const uint8_t *bytes, size_t count, uint64_t max_pixels,
                         vugen_image *image);

// Rows from the top to the bottom: into pixels that are taken as above, or resized on the way where `wanted` says so.
// Profile and orientation must be known by then. 0 where all goes on.
int vugen_begin_rows(vugen_image *image, uint32_t width, uint32_t height);
uint8_t *vugen_row(vugen_image *image, uint32_t y);
int vugen_end_row(vugen_image *image, uint32_t y);
void vugen_rows_free(vugen_image *image);

// 1, with the message, where somebody asked decoding to end.
int vugen_is_stopped(vugen_image *image);

// Colours of rows that come one by one.
int vugen_begin_colours(vugen_image *image);
void vugen_colour_row(vugen_image *image, uint8_t *row);
void vugen_end_colours(vugen_image *image);

// Lab of eight bits a channel, L from 0 to 255 and a and b around 128, to sRGB. 0 where it could be done.
int vugen_lab_to_srgb(vugen_image *image);

// Keeps a copy of an ICC profile.
void vugen_keep_profile(vugen_image *image, const void *bytes, size_t count);

// Primaries and transfer curve by their numbers in ITU-T H.273; what is sRGB or unknown leaves the colours alone.
void vugen_keep_code_points(vugen_image *image, int primaries, int transfer);

// A library that most runs never need, so that it costs nothing when the program starts. `names` ends with NULL.
void *vugen_open_library(const char *const *names);

// FUNCTIONS names what a file takes from its library; NAMES lists its sonames. Defines `lib` and `load()`, which
// returns 1 where all was found.
#define VUGEN_MEMBER(name) __typeof__(&name) name;
#define VUGEN_LOOK_UP(name) \
  if ((lib.name = (__typeof__(&name))dlsym(handle, #name)) == NULL) return;
#define VUGEN_LIBRARY(FUNCTIONS, ...)                       \
  static struct { FUNCTIONS(VUGEN_MEMBER) } lib;            \
  static int is_loaded;                                     \
  static void load_once(void) {                             \
    static const char *const names[] = {__VA_ARGS__, NULL}; \
    void *handle = vugen_open_library(names);               \
    if (handle == NULL) return;                             \
    FUNCTIONS(VUGEN_LOOK_UP)                                \
    is_loaded = 1;                                          \
  }                                                         \
  static int load(void) {                                   \
    static pthread_once_t once = PTHREAD_ONCE_INIT;         \
    pthread_once(&once, load_once);                         \
    return is_loaded;                                       \
  }

#endif
