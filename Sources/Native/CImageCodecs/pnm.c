// Portable anymaps: P1 to P6, 8 and 16 bits, and PAM (P7).

#include "codecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  uint64_t width, height, most, depth;
  int kind;
} anymap;

static int is_space(int c) { return c == ' ' || (c >= 9 && c <= 13); }

static void skip_space(anymap *m) {
  while (m->at < m->count && (is_space(m->bytes[m->at]) || m->bytes[m->at] == '#')) {
    if (m->bytes[m->at] == '#')
      while (m->at < m->count && m->bytes[m->at] != '\n') m->at++;
    else m->at++;
  }
}

// What is larger is taken for this.
#define MOST ((uint64_t)1000000000000000)

// The next number; 0 where there is none.
static int number(anymap *m, uint64_t *value) {
  skip_space(m);
  size_t start = m->at;
  uint64_t sum = 0;
  for (; m->at < m->count && m->bytes[m->at] >= '0' && m->bytes[m->at] <= '9'; m->at++) {
    sum = sum * 10 + (uint64_t)(m->bytes[m->at] - '0');
    if (sum > MOST) sum = MOST;
  }
  *value = sum;
  return m->at > start;
}

// The same of the header; 1 where there is none.
static int field(anymap *m, vugen_image *image, const char *name, uint64_t *value) {
  return number(m, value) ? 0 : vugen_refuse(image, VUGEN_DAMAGED, "its header has no number for the %s", name);
}

static int word(anymap *m, char *to, size_t room) {
  skip_space(m);
  size_t n = 0;
  while (m->at < m->count && !is_space(m->bytes[m->at]) && n + 1 < room) to[n++] = (char)m->bytes[m->at++];
  to[n] = 0;
  return n > 0;
}

static int read_pam(anymap *m, vugen_image *image) {
  char key[16], type[32];
  m->at = 2;
  while (word(m, key, sizeof key)) {
    if (strcmp(key, "ENDHDR") == 0) return 0;
    uint64_t *to = strcmp(key, "WIDTH") == 0    ? &m->width
                   : strcmp(key, "HEIGHT") == 0 ? &m->height
                   : strcmp(key, "DEPTH") == 0  ? &m->depth
                   : strcmp(key, "MAXVAL") == 0 ? &m->most
                                                : NULL;
    if (to && field(m, image, key, to)) return 1;
    if (!to && !word(m, type, sizeof type)) break;
  }
  return vugen_refuse(image, VUGEN_DAMAGED, "its header has no ENDHDR");
}

static int read_header(anymap *m, vugen_image *image) {
  m->kind = m->bytes[1] - '0';
  if (m->kind == 7) return read_pam(m, image);
  m->at = 2;
  m->depth = m->kind == 3 || m->kind == 6 ? 3 : 1;
  m->most = 1;
  return field(m, image, "width", &m->width) || field(m, image, "height", &m->height) ||
         (m->kind != 1 && m->kind != 4 && field(m, image, "maxval", &m->most));
}

// Whether the numbers of the header are other than the format has, or than can be decoded.
static int check_header(anymap *m, vugen_image *image, uint64_t max_pixels) {
  if (m->depth < 1 || m->depth > 4)
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "its depth is %s%llu, and 1 to 4 channels are read",
                        m->depth == MOST ? "at least " : "", (unsigned long long)m->depth);
  if (m->most < 1 || m->most > 65535)
    return vugen_refuse(image, VUGEN_ADVISED,
                        "its maxval is %s%llu, and the format allows 1 to 65535; write it again with one of these",
                        m->most == MOST ? "at least " : "", (unsigned long long)m->most);
  if (m->width == MOST || m->height == MOST)
    return vugen_refuse(image, VUGEN_ADVISED,
                        "its header says a %s of at least %llu pixels, and a side may have 1000000; shrink the picture",
                        m->width == MOST ? "width" : "height", (unsigned long long)MOST);
  return vugen_check_size(image, m->width, m->height, max_pixels, m->count, 8);
}

// The next sample, brought to 8 bits; -1 at the end of the file.
static int sample(anymap *m) {
  uint64_t value = 0;
  if (m->kind == 1) {
    skip_space(m);
    if (m->at >= m->count) return -1;
    return m->bytes[m->at++] == '0' ? 255 : 0;
  }
  if (m->kind <= 3) {
    if (!number(m, &value)) return -1;
  } else if (m->most > 255) {
    if (m->count - m->at < 2) return -1;
    value = (uint64_t)m->bytes[m->at] << 8 | m->bytes[m->at + 1];
    m->at += 2;
  } else {
    if (m->at >= m->count) return -1;
    value = m->bytes[m->at++];
  }
  if (value > m->most) value = m->most;
  return (int)((value * 255 + m->most / 2) / m->most);
}

static int read_bits(anymap *m, vugen_image *image) {
  size_t row = ((size_t)m->width + 7) / 8;
  if (row * m->height > m->count - m->at) return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
  for (uint32_t y = 0; y < m->height; y++) {
    uint8_t *p = vugen_row(image, y);
    for (uint32_t x = 0; x < m->width; x++, p += 4) {
      int is_black = m->bytes[m->at + y * row + x / 8] >> (7 - x % 8) & 1;
      p[0] = p[1] = p[2] = is_black ? 0 : 255;
      p[3] = 255;
    }
    if (vugen_end_row(image, y)) return 1;
  }
  return 0;
}

static int read_samples(anymap *m, vugen_image *image) {
  int is_grey = m->depth <= 2;
  for (uint32_t y = 0; y < m->height; y++) {
    uint8_t *p = vugen_row(image, y);
    for (uint32_t x = 0; x < m->width; x++, p += 4) {
      int values[4] = {0, 0, 0, 255};
      for (uint32_t c = 0; c < m->depth; c++)
        if ((values[c] = sample(m)) < 0) return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
      for (int c = 0; c < 3; c++) p[c] = (uint8_t)values[is_grey ? 0 : c];
      p[3] = (uint8_t)(m->depth == 2 ? values[1] : values[3]);
    }
    if (vugen_end_row(image, y)) return 1;
  }
  return 0;
}

int vugen_pnm_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  anymap m = {.bytes = bytes, .count = count};
  if (count < 3) return vugen_refuse(image, VUGEN_DAMAGED, "the header is cut off");
  if (read_header(&m, image) || check_header(&m, image, max_pixels)) return 1;
  // One blank ends the header; what follows are samples, blank or not.
  if (m.kind >= 4 && m.at < count) m.at++;
  uint64_t samples = m.width * m.height * m.depth, left = count - m.at;
  if (m.kind != 4 && samples > left) return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
  if (vugen_begin_rows(image, (uint32_t)m.width, (uint32_t)m.height)) return 1;
  return m.kind == 4 ? read_bits(&m, image) : read_samples(&m, image);
}
