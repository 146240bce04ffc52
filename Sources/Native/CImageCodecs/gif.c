#include <gif_lib.h>

#include "codecs.h"

#define FUNCTIONS(X)   \
  X(DGifOpen)          \
  X(DGifCloseFile)     \
  X(DGifGetRecordType) \
  X(DGifGetExtension)  \
  X(DGifGetExtensionNext) X(DGifGetImageDesc) X(DGifGetLine) X(GifErrorString)
VUGEN_LIBRARY(FUNCTIONS, "libgif.so.7", "libgif.so")

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
} source;

static int read_bytes(GifFileType *gif, GifByteType *to, int wanted) {
  source *from = gif->UserData;
  size_t n = (size_t)wanted < from->count - from->at ? (size_t)wanted : from->count - from->at;
  memcpy(to, from->bytes + from->at, n);
  from->at += n;
  return (int)n;
}

static int failed(GifFileType *gif, vugen_image *image) {
  const char *reason = lib.GifErrorString(gif->Error);
  return vugen_blame(image, "giflib", reason);
}

// Reads up to the first picture; `transparent` is its clear colour, or -1.
static int find_picture(GifFileType *gif, vugen_image *image, int *transparent) {
  GifRecordType record;
  for (;;) {
    if (lib.DGifGetRecordType(gif, &record) == GIF_ERROR) return failed(gif, image);
    if (record == TERMINATE_RECORD_TYPE) return vugen_refuse(image, VUGEN_DAMAGED, "it holds no picture");
    if (record == IMAGE_DESC_RECORD_TYPE) return lib.DGifGetImageDesc(gif) == GIF_ERROR ? failed(gif, image) : 0;
    if (record != EXTENSION_RECORD_TYPE) continue;
    int code = 0;
    GifByteType *block = NULL;
    if (lib.DGifGetExtension(gif, &code, &block) == GIF_ERROR) return failed(gif, image);
    while (block) {
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4) *transparent = block[1] & 1 ? block[4] : -1;
      if (lib.DGifGetExtensionNext(gif, &block) == GIF_ERROR) return failed(gif, image);
    }
  }
}

static int read_rows(GifFileType *gif, vugen_image *image, int transparent) {
  const GifImageDesc *frame = &gif->Image;
  const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
  static const int starts[5] = {0, 4, 2, 1, 0}, steps[5] = {8, 8, 4, 2, 1};
  if (map == NULL) return vugen_refuse(image, VUGEN_DAMAGED, "it has no colours");
  uint8_t *line = malloc((size_t)frame->Width);
  if (line == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  for (int pass = frame->Interlace ? 0 : 4; pass < (frame->Interlace ? 4 : 5); pass++)
    for (int y = starts[pass]; y < frame->Height; y += steps[pass]) {
      int is_stopped = vugen_is_stopped(image);
      if (is_stopped || lib.DGifGetLine(gif, line, frame->Width) == GIF_ERROR) {
        free(line);
        return is_stopped ? 1 : failed(gif, image);
      }
      uint8_t *to = image->pixels + ((size_t)(frame->Top + y) * image->width + (size_t)frame->Left) * 4;
      for (int x = 0; x < frame->Width; x++, to += 4) {
        // A colour beyond the table is black, as elsewhere.
        GifColorType colour = line[x] < map->ColorCount ? map->Colors[line[x]] : (GifColorType){0, 0, 0};
        to[0] = colour.Red, to[1] = colour.Green, to[2] = colour.Blue;
        to[3] = line[x] == transparent ? 0 : 255;
      }
    }
  free(line);
  return 0;
}

int vugen_gif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load()) return vugen_refuse(image, VUGEN_NO_DECODER, "giflib is not installed (Debian: libgif7)");
  source from = {bytes, count, 0};
  int error = 0, transparent = -1;
  GifFileType *gif = lib.DGifOpen(&from, read_bytes, &error);
  if (gif == NULL) return vugen_refuse(image, VUGEN_DAMAGED, "the header is damaged");
  int status = find_picture(gif, image, &transparent);
  const GifImageDesc *frame = &gif->Image;
  if (status == 0 && (frame->Width < 1 || frame->Height < 1))
    status = vugen_refuse(image, VUGEN_DAMAGED, "its first frame is empty");
  if (status == 0) {
    int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
    uint32_t width = (uint32_t)(right > gif->SWidth ? right : gif->SWidth);
    uint32_t height = (uint32_t)(bottom > gif->SHeight ? bottom : gif->SHeight);
    // A code of 12 bits stands for 4096 pixels at most.
    status = vugen_check_size(image, width, height, max_pixels, count, 4096);
    if (status == 0) status = vugen_take_pixels(image, width, height);
  }
  // What the first frame leaves free is clear.
  if (status == 0) memset(image->pixels, 0, (size_t)image->width * image->height * 4);
  if (status == 0) status = read_rows(gif, image, transparent);
  lib.DGifCloseFile(gif, &error);
  return status;
}
