// Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits, run lengths, masks, either direction, OS/2's old header.

#include "codecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint32_t header, offset, width, height, bits, compression, colours, masks[4];
  int is_top_down;
  uint8_t palette[256][4];
} bitmap;

enum { RGB = 0, RLE8 = 1, RLE4 = 2, FIELDS = 3, ALPHA_FIELDS = 6 };

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }

static int read_header(bitmap *b, vugen_image *image) {
  if (b->count < 26) return vugen_refuse(image, VUGEN_DAMAGED, "the header is cut off");
  b->offset = u32(b->bytes + 10);
  b->header = u32(b->bytes + 14);
  const uint8_t *h = b->bytes + 14;
  if (b->header != 12 && (b->header < 16 || b->header > 124))
    return vugen_refuse(image, VUGEN_DAMAGED, "its header has %u bytes, which no bitmap has", b->header);
  if (b->count < 14 + (size_t)b->header) return vugen_refuse(image, VUGEN_DAMAGED, "the header is cut off");
  if (b->header == 12) {
    b->width = u16(h + 4), b->height = u16(h + 6), b->bits = u16(h + 10);
    return 0;
  }
  int32_t width = (int32_t)u32(h + 4), height = (int32_t)u32(h + 8);
  if (width < 1 || height == 0 || height == INT32_MIN)
    return vugen_refuse(image, VUGEN_DAMAGED,
                        "its header says %d × %d pixels, which no picture has (a side may have 1000000)", width,
                        height);
  b->width = u32(h + 4);
  b->is_top_down = height < 0;
  b->height = height < 0 ? (uint32_t)0 - (uint32_t)height : (uint32_t)height;
  b->bits = u16(h + 14);
  b->compression = b->header >= 20 ? u32(h + 16) : RGB;
  b->colours = b->header >= 36 ? u32(h + 32) : 0;
  size_t mask_count = b->header >= 56 || b->compression == ALPHA_FIELDS ? 4
                      : b->header >= 52 || b->compression == FIELDS     ? 3
                                                                        : 0;
  if (b->count < 14 + 40 + 4 * mask_count) return vugen_refuse(image, VUGEN_DAMAGED, "the header is cut off");
  for (size_t i = 0; i < mask_count; i++) b->masks[i] = u32(h + 40 + 4 * i);
  return 0;
}

static int check(bitmap *b, vugen_image *image, uint64_t max_pixels) {
  static const uint8_t known[33] = {[1] = 1, [2] = 1, [4] = 1, [8] = 1, [16] = 1, [24] = 1, [32] = 1};
  if (b->bits > 32 || !known[b->bits])
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "%u bits a pixel are not read", b->bits);
  int is_packed = b->compression == RLE8 || b->compression == RLE4;
  if ((is_packed && b->bits != (b->compression == RLE8 ? 8u : 4u)) ||
      (!is_packed && b->compression != RGB && b->compression != FIELDS && b->compression != ALPHA_FIELDS))
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "compression %u with %u bits is not read", b->compression, b->bits);
  if (vugen_check_size(image, b->width, b->height, max_pixels, b->count, is_packed ? 128 : 8)) return 1;
  uint64_t row = ((uint64_t)b->width * b->bits + 31) / 32 * 4;
  if (b->offset > b->count || (!is_packed && row * b->height > b->count - b->offset + 3))
    return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
  return 0;
}

static void read_palette(bitmap *b) {
  size_t entry = b->header == 12 ? 3 : 4, at = 14 + (size_t)b->header;
  if (b->header == 40 && b->compression == FIELDS) at += 12;
  size_t most = b->bits <= 8 ? (size_t)1 << b->bits : 0, n = b->colours && b->colours < most ? b->colours : most;
  for (size_t i = 0; i < n && at + (i + 1) * entry <= b->count; i++) {
    const uint8_t *p = b->bytes + at + i * entry;
    uint8_t colour[4] = {p[2], p[1], p[0], 255};
    memcpy(b->palette[i], colour, 4);
  }
}

// A channel of a pixel with masks, spread over 8 bits.
static uint8_t channel(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  int shift = __builtin_ctz(mask);
  uint64_t most = mask >> shift;
  return (uint8_t)(((uint64_t)((pixel & mask) >> shift) * 255 + most / 2) / most);
}

static void unpack_row(const bitmap *b, const uint8_t *from, uint8_t *to) {
  for (uint32_t x = 0; x < b->width; x++, to += 4) {
    if (b->bits <= 8) {
      uint32_t bit = x * b->bits, value = from[bit / 8] >> (8 - b->bits - bit % 8) & ((1u << b->bits) - 1);
      memcpy(to, b->palette[value], 4);
    } else if (b->bits == 24) {
      const uint8_t *p = from + 3 * (size_t)x;
      to[0] = p[2], to[1] = p[1], to[2] = p[0], to[3] = 255;
    } else {
      uint32_t pixel = b->bits == 16 ? u16(from + 2 * (size_t)x) : u32(from + 4 * (size_t)x);
      for (int c = 0; c < 3; c++) to[c] = channel(pixel, b->masks[c]);
      to[3] = b->masks[3] ? channel(pixel, b->masks[3]) : 255;
    }
  }
}

static void put(const bitmap *b, vugen_image *image, uint32_t x, uint32_t y, uint8_t index) {
  if (x < b->width && y < b->height)
    memcpy(image->pixels + ((size_t)(b->height - 1 - y) * b->width + x) * 4, b->palette[index], 4);
}

// Pairs of a count and a colour; a count of 0 starts plain pixels, a jump, or ends a line or all.
static int unpack_runs(const bitmap *b, vugen_image *image) {
  size_t at = b->offset;
  uint32_t x = 0, y = 0;
  int is_small = b->compression == RLE4;
  for (size_t i = 0; i < (size_t)b->width * b->height; i++) memcpy(image->pixels + 4 * i, b->palette[0], 4);
  while (at + 2 <= b->count && y < b->height) {
    uint32_t n = b->bytes[at], value = b->bytes[at + 1];
    at += 2;
    if (n > 0) {
      for (uint32_t i = 0; i < n; i++)
        put(b, image, x++, y, (uint8_t)(is_small ? (i % 2 ? value & 15 : value >> 4) : value));
    } else if (value == 0) {
      x = 0, y++;
    } else if (value == 1) {
      return 0;
    } else if (value == 2) {
      if (at + 2 > b->count) break;
      x += b->bytes[at], y += b->bytes[at + 1];
      at += 2;
    } else {
      size_t length = is_small ? (value + 1) / 2 : value;
      if (length > b->count - at) break;
      for (uint32_t i = 0; i < value; i++) {
        uint8_t pair = b->bytes[at + (is_small ? i / 2 : i)];
        put(b, image, x++, y, is_small ? (i % 2 ? pair & 15 : pair >> 4) : pair);
      }
      at += length + length % 2;
    }
  }
  // Its end mark may be missing; its last line may not.
  if (y >= b->height || (y == b->height - 1 && x >= b->width)) return 0;
  return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
}

int vugen_bmp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  bitmap b = {.bytes = bytes, .count = count};
  if (read_header(&b, image) || check(&b, image, max_pixels)) return 1;
  if (b.compression == RGB && b.bits == 16) b.masks[0] = 0x7C00, b.masks[1] = 0x3E0, b.masks[2] = 0x1F, b.masks[3] = 0;
  if (b.compression == RGB && b.bits == 32)
    b.masks[0] = 0xFF0000, b.masks[1] = 0xFF00, b.masks[2] = 0xFF, b.masks[3] = 0;
  for (int i = 0; i < 256; i++) b.palette[i][3] = 255;
  read_palette(&b);
  if (b.compression == RLE8 || b.compression == RLE4)
    return vugen_take_pixels(image, b.width, b.height) || unpack_runs(&b, image);
  if (vugen_begin_rows(image, b.width, b.height)) return 1;
  size_t row = ((size_t)b.width * b.bits + 31) / 32 * 4, used = ((size_t)b.width * b.bits + 7) / 8;
  for (uint32_t y = 0; y < b.height; y++) {
    size_t start = b.offset + (size_t)(b.is_top_down ? y : b.height - 1 - y) * row;
    if (start + used > count) return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
    unpack_row(&b, bytes + start, vugen_row(image, y));
    if (vugen_end_row(image, y)) return 1;
  }
  return 0;
}
