#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "codecs.h"

// The first frame of a moving picture lies somewhere on a canvas that is clear elsewhere.
static int decode_frame(const WebPIterator *frame, vugen_image *image) {
  size_t row = (size_t)image->width * 4, size = row * image->height;
  if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width < 1 || frame->height < 1 ||
      (uint64_t)frame->x_offset + (uint64_t)frame->width > image->width ||
      (uint64_t)frame->y_offset + (uint64_t)frame->height > image->height)
    return vugen_refuse(image, "its first frame lies outside the picture");
  if ((uint32_t)frame->width < image->width || (uint32_t)frame->height < image->height) memset(image->pixels, 0, size);
  size_t offset = (size_t)frame->y_offset * row + (size_t)frame->x_offset * 4;
  if (WebPDecodeRGBAInto(frame->fragment.bytes, frame->fragment.size, image->pixels + offset, size - offset,
                         (int)row) == NULL)
    return vugen_refuse(image, "the WebP data are damaged or cut off");
  return 0;
}

int vugen_webp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  WebPData data = {bytes, count};
  WebPDemuxState state;
  WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
  if (demuxer == NULL) return vugen_refuse(image, "the WebP header is damaged");
  uint32_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  WebPIterator frame;
  int status = vugen_check_size(image, width, height, max_pixels, count, 16384);
  if (status == 0 && !WebPDemuxGetFrame(demuxer, 1, &frame)) {
    status = vugen_refuse(image, "the WebP data are damaged or cut off");
  } else if (status == 0) {
    status = vugen_take_pixels(image, width, height);
    if (status == 0) status = decode_frame(&frame, image);
    WebPDemuxReleaseIterator(&frame);
  }
  WebPChunkIterator chunk;
  if (status == 0 && (WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ICCP_FLAG) &&
      WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk)) {
    vugen_keep_profile(image, chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  WebPDemuxDelete(demuxer);
  return status;
}

static int refuse(vugen_bytes *out, const char *reason) {
  snprintf(out->message, sizeof out->message, "%s", reason);
  return 1;
}

int vugen_webp_encode(
  const uint8_t *rgba, uint32_t width, uint32_t height, const uint8_t *exif, size_t exif_count, const uint8_t *xmp,
  size_t xmp_count, vugen_bytes *out) {
  memset(out, 0, sizeof *out);
  uint8_t *plain = NULL;
  WebPData picture = {NULL, 0}, whole = {NULL, 0};
  picture.size = WebPEncodeLosslessRGBA(rgba, (int)width, (int)height, (int)width * 4, &plain);
  picture.bytes = plain;
  if (picture.size == 0) return refuse(out, "libwebp cannot write it");
  WebPMux *mux = WebPMuxNew();
  WebPData exif_data = {exif, exif_count}, xmp_data = {xmp, xmp_count};
  int is_done = mux && WebPMuxSetImage(mux, &picture, 0) == WEBP_MUX_OK &&
                (exif_count == 0 || WebPMuxSetChunk(mux, "EXIF", &exif_data, 0) == WEBP_MUX_OK) &&
                (xmp_count == 0 || WebPMuxSetChunk(mux, "XMP ", &xmp_data, 0) == WEBP_MUX_OK) &&
                WebPMuxAssemble(mux, &whole) == WEBP_MUX_OK;
  if (is_done && (out->bytes = malloc(whole.size))) {
    memcpy(out->bytes, whole.bytes, whole.size);
    out->count = whole.size;
  }
  WebPMuxDelete(mux);
  WebPDataClear(&whole);
  WebPFree(plain);
  return out->bytes ? 0 : refuse(out, "its parts cannot be put together");
}
