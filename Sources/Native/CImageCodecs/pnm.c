// Portable anymaps: P1 to P6, 8 and 16 bits, and PAM (P7).

#include "codecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  uint32_t width, height, most, depth;
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

// The next number; 0 where there is none below 2³¹.
static int number(anymap *m, uint32_t *value) {
  skip_space(m);
  size_t start = m->at;
  uint64_t sum = 0;
  while (m->at < m->count && m->bytes[m->at] >= '0' && m->bytes[m->at] <= '9' && sum < UINT32_MAX)
    sum = sum * 10 + (uint64_t)(m->bytes[m->at++] - '0');
  *value = (uint32_t)sum;
  return m->at > start && sum <= INT32_MAX;
}

static int word(anymap *m, char *to, size_t room) {
  skip_space(m);
  size_t n = 0;
  while (m->at < m->count && !is_space(m->bytes[m->at]) && n + 1 < room) to[n++] = (char)m->bytes[m->at++];
  to[n] = 0;
  return n > 0;
}

static int read_pam(anymap *m) {
  char key[16], type[32];
  m->at = 2;
  while (word(m, key, sizeof key)) {
    if (strcmp(key, "ENDHDR") == 0) return m->width && m->height && m->depth && m->most;
    uint32_t *to = strcmp(key, "WIDTH") == 0    ? &m->width
                   : strcmp(key, "HEIGHT") == 0 ? &m->height
                   : strcmp(key, "DEPTH") == 0  ? &m->depth
                   : strcmp(key, "MAXVAL") == 0 ? &m->most
                                                : NULL;
    if (to ? !number(m, to) : !word(m, type, sizeof type)) return 0;
  }
  return 0;
}

static int read_header(anymap *m) {
  m->kind = m->bytes[1] - '0';
  if (m->kind == 7) return read_pam(m);
  m->at = 2;
  m->depth = m->kind == 3 || m->kind == 6 ? 3 : 1;
  m->most = 1;
  if (!number(m, &m->width) || !number(m, &m->height)) return 0;
  return m->kind == 1 || m->kind == 4 || number(m, &m->most);
}

// The next sample, brought to 8 bits; -1 at the end of the file.
static int sample(anymap *m) {
  uint32_t value = 0;
  if (m->kind == 1) {
    skip_space(m);
    if (m->at >= m->count) return -1;
    return m->bytes[m->at++] == '0' ? 255 : 0;
  }
  if (m->kind <= 3) {
    if (!number(m, &value)) return -1;
  } else if (m->most > 255) {
    if (m->count - m->at < 2) return -1;
    value = (uint32_t)m->bytes[m->at] << 8 | m->bytes[m->at + 1];
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
  if (count < 3 || !read_header(&m)) return vugen_refuse(image, VUGEN_DAMAGED, "the header is damaged");
  if (m.most < 1 || m.most > 65535 || m.depth < 1 || m.depth > 4)
    return vugen_refuse(image, VUGEN_UNREAD_FORM, "%u channels up to %u are not read", m.depth, m.most);
  if (vugen_check_size(image, m.width, m.height, max_pixels, count, 8)) return 1;
  // One blank ends the header; what follows are samples, blank or not.
  if (m.kind >= 4 && m.at < count) m.at++;
  uint64_t samples = (uint64_t)m.width * m.height * m.depth, left = count - m.at;
  if (m.kind != 4 && samples > left) return vugen_refuse(image, VUGEN_DAMAGED, "the file ends too early");
  if (vugen_begin_rows(image, m.width, m.height)) return 1;
  return m.kind == 4 ? read_bits(&m, image) : read_samples(&m, image);
}
