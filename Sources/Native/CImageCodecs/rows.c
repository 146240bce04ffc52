// Where decoded rows go: into the whole picture, or, where only a small one is wanted, turned to sRGB and resized on the
// way, so that no more than a band of rows is ever held. The result has the same bits as resizing the whole.

#include <math.h>

#include "codecs.h"

#pragma STDC FP_CONTRACT OFF

typedef float four __attribute__((vector_size(16)));

typedef struct {
  uint32_t first, count;
  size_t weights;  // where they begin
} window;

// One axis: old pixels to new ones. Where it is mirrored, place p of the upright picture lies at `from − 1 − p`.
typedef struct {
  uint32_t from, to;
  int is_mirrored;
  uint32_t longest;
  window *windows;
  float *weights;
} axis;

typedef struct vugen_rows {
  axis across, down;  // of the rows as they are stored
  int across_first, swaps;
  uint32_t width, height;  // the result's
  uint8_t *row, *ring, *half;
  uint32_t ring_rows, next;  // the first output row, in the order in which they can be made, that is not made
} vugen_rows;

static int (*stop)(void);

void vugen_stop_decoding_when(int (*is_asked)(void)) { stop = is_asked; }

int vugen_is_stopped(vugen_image *image) {
  if (stop == NULL || !stop()) return 0;
  vugen_refuse(image, VUGEN_ADVISED, "interrupted");
  image->is_stopped = 1;
  return 1;
}

// Keys' kernel with a = −0.5, as `Resizing.swift` has it.
static double cubic(double x) {
  double a = -0.5, t = fabs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

static void clear_axis(axis *x) {
  free(x->windows);
  free(x->weights);
}

static int make_axis(axis *x, uint32_t from, uint32_t to, int is_mirrored) {
  double scale = (double)from / (double)to, stretch = scale > 1 ? scale : 1, support = 2 * stretch;
  size_t most = (size_t)(2 * support) + 3, used = 0;
  *x = (axis){.from = from, .to = to, .is_mirrored = is_mirrored};
  x->windows = calloc(to, sizeof(window));
  x->weights = malloc(sizeof(float) * most * to);
  double *values = malloc(sizeof(double) * most);
  for (uint32_t i = 0; x->windows && x->weights && values && i < to; i++) {
    double centre = ((double)i + 0.5) * scale, total = 0;
    int64_t first = (int64_t)(centre - support + 0.5), last = (int64_t)(centre + support + 0.5);
    if (first < 0) first = 0;
    if (last > (int64_t)from) last = from;
    uint32_t count = (uint32_t)(last - first);
    for (uint32_t k = 0; k < count; k++) {
      values[k] = cubic(((double)(first + k) - centre + 0.5) / stretch);
      total += values[k];
    }
    for (uint32_t k = 0; k < count; k++) x->weights[used + k] = (float)(total != 0 ? values[k] / total : values[k]);
    x->windows[i] = (window){(uint32_t)first, count, used};
    used += count;
    if (count > x->longest) x->longest = count;
  }
  free(values);
  return x->windows == NULL || x->weights == NULL;
}

static void put(uint8_t *to, four sum) {
  for (int c = 0; c < 4; c++) {
    float value = floorf(sum[c] + 0.5f);
    to[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
  }
}

static four pixel(const uint8_t *p) { return (four){p[0], p[1], p[2], p[3]}; }

static void resize_row(const axis *x, const uint8_t *from, uint8_t *to) {
  for (uint32_t i = 0; i < x->to; i++) {
    const window *w = &x->windows[i];
    const float *weights = x->weights + w->weights;
    const uint8_t *p = from + 4 * (size_t)(x->is_mirrored ? x->from - 1 - w->first : w->first);
    ptrdiff_t step = x->is_mirrored ? -4 : 4;
    four sum = {0, 0, 0, 0};
    for (uint32_t k = 0; k < w->count; k++, p += step) sum += weights[k] * pixel(p);
    put(to + 4 * (size_t)i, sum);
  }
}

// One output row of the axis that leads down, from rows that lie `capacity` in a ring.
static void resize_column(const axis *x, uint32_t i, const uint8_t *ring, uint32_t capacity, uint32_t width,
                          uint8_t *to) {
  const window *w = &x->windows[i];
  for (uint32_t c = 0; c < width; c++) {
    four sum = {0, 0, 0, 0};
    for (uint32_t k = 0; k < w->count; k++) {
      uint32_t place = x->is_mirrored ? x->from - 1 - (w->first + k) : w->first + k;
      sum += x->weights[w->weights + k] * pixel(ring + 4 * ((size_t)(place % capacity) * width + c));
    }
    put(to + 4 * (size_t)c, sum);
  }
}

void vugen_rows_free(vugen_image *image) {
  vugen_rows *rows = image->rows;
  image->rows = NULL;
  if (rows == NULL) return;
  clear_axis(&rows->across);
  clear_axis(&rows->down);
  free(rows->row);
  free(rows->ring);
  free(rows->half);
  free(rows);
}

// The wanted size of a picture that stands upright; 0 where it stays as it is.
static int wanted_size(const vugen_image *image, uint32_t w, uint32_t h, uint32_t *to_w, uint32_t *to_h) {
  uint64_t longer = w > h ? w : h, most = image->wanted;
  if (most == 0 || (!image->wants_square && longer <= most)) return 0;
  *to_w = *to_h = image->wanted;
  if (image->wants_square) return 1;
  *to_w = (uint32_t)(w * most / longer), *to_h = (uint32_t)(h * most / longer);
  if (*to_w == 0) *to_w = 1;
  if (*to_h == 0) *to_h = 1;
  return 1;
}

int vugen_begin_rows(vugen_image *image, uint32_t width, uint32_t height) {
  int orientation = image->orientation > 0 ? image->orientation : image->exif_orientation;
  if (orientation < 1 || orientation > 8) orientation = 1;
  int swaps = orientation >= 5;
  int flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  int flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  uint32_t w = swaps ? height : width, h = swaps ? width : height, to_w = 0, to_h = 0;
  if (!wanted_size(image, w, h, &to_w, &to_h)) return vugen_take_pixels(image, width, height);
  vugen_rows *rows = image->rows = calloc(1, sizeof *rows);
  if (rows == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for it");
  // Pillow's order of the passes, in the upright picture.
  int rows_first = h > to_h && (int64_t)h - to_h > 2 * ((int64_t)w - to_w);
  rows->swaps = swaps;
  rows->across_first = swaps ? rows_first : !rows_first;
  rows->width = to_w, rows->height = to_h;
  int failed = make_axis(&rows->across, width, swaps ? to_h : to_w, flips_x) |
               make_axis(&rows->down, height, swaps ? to_w : to_h, flips_y);
  uint32_t half_width = rows->across_first ? rows->across.to : width;
  rows->ring_rows = rows->down.longest;
  rows->row = malloc((size_t)width * 4);
  rows->ring = malloc((size_t)rows->ring_rows * half_width * 4);
  rows->half = malloc((size_t)half_width * 4 * rows->down.to);
  if (failed || rows->row == NULL || rows->ring == NULL || rows->half == NULL)
    return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for %u × %u pixels", width, height);
  image->width = width, image->height = height;
  return image->pixels ? 0 : vugen_begin_colours(image);
}

uint8_t *vugen_row(vugen_image *image, uint32_t y) {
  vugen_rows *rows = image->rows;
  return rows ? rows->row : image->pixels + (size_t)y * image->width * 4;
}

// Over white where the model reads it, else premultiplied, so that no colour bleeds from what cannot be seen.
static void settle_alpha(const vugen_image *image, uint8_t *p) {
  for (uint32_t x = 0; x < image->width; x++, p += 4) {
    unsigned alpha = p[3];
    if (alpha == 255) continue;
    unsigned white = image->wants_square ? 255 * (255 - alpha) : 0;
    for (int c = 0; c < 3; c++) p[c] = (uint8_t)((p[c] * alpha + white + 127) / 255);
    if (image->wants_square) p[3] = 255;
  }
}

// Output rows whose last old row has come.
static void make_ready(vugen_rows *rows, uint32_t y) {
  axis *down = &rows->down;
  uint32_t width = rows->across_first ? rows->across.to : rows->across.from;
  while (rows->next < down->to) {
    uint32_t i = down->is_mirrored ? down->to - 1 - rows->next : rows->next;
    const window *w = &down->windows[i];
    uint32_t last = down->is_mirrored ? down->from - 1 - w->first : w->first + w->count - 1;
    if (last > y) return;
    resize_column(down, i, rows->ring, rows->ring_rows, width, rows->half + (size_t)i * width * 4);
    rows->next++;
  }
}

int vugen_end_row(vugen_image *image, uint32_t y) {
  if (vugen_is_stopped(image)) return 1;
  vugen_rows *rows = image->rows;
  if (rows == NULL) return 0;
  vugen_colour_row(image, rows->row);
  settle_alpha(image, rows->row);
  uint32_t width = rows->across_first ? rows->across.to : rows->across.from;
  uint8_t *to = rows->ring + (size_t)(y % rows->ring_rows) * width * 4;
  if (rows->across_first) resize_row(&rows->across, rows->row, to);
  else memcpy(to, rows->row, (size_t)width * 4);
  make_ready(rows, y);
  return 0;
}

static void divide_by_alpha(uint8_t *p) {
  for (int c = 0; c < 3 && p[3] != 0 && p[3] != 255; c++) {
    unsigned value = 255u * p[c] / p[3];
    p[c] = (uint8_t)(value > 255 ? 255 : value);
  }
}

// What is left once all rows have come.
static int end_rows(vugen_image *image) {
  vugen_rows *rows = image->rows;
  uint32_t width = rows->across.to, height = rows->down.to;
  uint8_t *small = malloc((size_t)width * height * 4), *result = malloc((size_t)width * height * 4);
  if (small == NULL || result == NULL) {
    free(small);
    free(result);
    return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for it");
  }
  for (uint32_t y = 0; y < height; y++) {
    const uint8_t *half = rows->half + (size_t)y * (rows->across_first ? width : rows->across.from) * 4;
    if (rows->across_first) memcpy(small + (size_t)y * width * 4, half, (size_t)width * 4);
    else resize_row(&rows->across, half, small + (size_t)y * width * 4);
  }
  for (uint32_t y = 0; y < rows->height; y++)
    for (uint32_t x = 0; x < rows->width; x++) {
      uint8_t *to = result + ((size_t)y * rows->width + x) * 4;
      memcpy(to, small + (rows->swaps ? (size_t)x * width + y : (size_t)y * width + x) * 4, 4);
      if (!image->wants_square) divide_by_alpha(to);
    }
  free(small);
  free(image->pixels);
  image->pixels = result;
  image->width = rows->width, image->height = rows->height;
  image->orientation = 1;
  vugen_rows_free(image);
  return 0;
}

int vugen_image_finish(vugen_image *image) {
  if (image->rows) return end_rows(image);
  if (image->pixels == NULL) return vugen_refuse(image, VUGEN_DAMAGED, "it has no pixels");
  vugen_image_to_srgb(image);
  uint8_t *whole = image->pixels;
  uint32_t width = image->width, height = image->height, w = 0, h = 0;
  int orientation = image->orientation > 0 ? image->orientation : image->exif_orientation;
  int swaps = orientation >= 5;
  if (!wanted_size(image, swaps ? height : width, swaps ? width : height, &w, &h)) return 0;
  if (vugen_begin_rows(image, width, height)) return 1;
  for (uint32_t y = 0; y < height; y++) {
    memcpy(image->rows->row, whole + (size_t)y * width * 4, (size_t)width * 4);
    if (vugen_end_row(image, y)) return 1;
  }
  return end_rows(image);
}
