// The size that a TIFF file's first directory says: libtiff opens no file whose size it thinks impossible, and does not
// say which it is.

#include "codecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count;
  int is_big_endian;
} file;

// A number of so many bytes at a place; 0 behind the end.
static uint64_t number(const file *f, uint64_t at, unsigned size) {
  if (at > f->count || size > f->count - at) return 0;
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++) {
    unsigned place = f->is_big_endian ? i : size - 1 - i;
    value = value << 8 | f->bytes[at + place];
  }
  return value;
}

// 0 where the header says no size.
static int read_size(const uint8_t *bytes, size_t count, uint64_t *width, uint64_t *height) {
  enum { SHORT = 3, LONG = 4, LONG8 = 16, WIDTH = 256, HEIGHT = 257 };
  file f = {bytes, count, count > 0 && bytes[0] == 'M'};
  int is_large = number(&f, 2, 2) == 43;
  // BigTIFF has places and counts of eight bytes.
  unsigned word = is_large ? 8 : 4, entry = is_large ? 20 : 12;
  uint64_t directory = number(&f, is_large ? 8 : 4, word), entries = number(&f, directory, is_large ? 8 : 2);
  uint64_t first = directory + (is_large ? 8 : 2);
  int found = 0;
  for (uint64_t i = 0; i < entries && first + i * entry < count; i++) {
    uint64_t at = first + i * entry, tag = number(&f, at, 2), type = number(&f, at + 2, 2);
    if (tag != WIDTH && tag != HEIGHT) continue;
    unsigned size = type == SHORT ? 2 : type == LONG ? 4 : type == LONG8 ? 8 : 0;
    if (size == 0 || size > word) continue;
    *(tag == WIDTH ? width : height) = number(&f, at + 4 + word, size);
    found |= tag == WIDTH ? 1 : 2;
  }
  return found == 3;
}

int vugen_refuse_tiff(const uint8_t *bytes, size_t count, uint64_t max_pixels, const char *words, vugen_image *image) {
  uint64_t width = 0, height = 0;
  if (read_size(bytes, count, &width, &height) &&
      vugen_check_size(image, width, height, max_pixels, count, VUGEN_TIFF_PIXELS_PER_BYTE))
    return 1;
  return vugen_blame(image, "libtiff", words[0] ? words : "the header");
}
