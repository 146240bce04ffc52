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
    return vugen_refuse(image, VUGEN_DAMAGED, "its first frame lies outside the picture");
  if ((uint32_t)frame->width < image->width || (uint32_t)frame->height < image->height) memset(image->pixels, 0, size);
  size_t offset = (size_t)frame->y_offset * row + (size_t)frame->x_offset * 4;
  if (WebPDecodeRGBAInto(frame->fragment.bytes, frame->fragment.size, image->pixels + offset, size - offset,
                         (int)row) == NULL)
    return vugen_blame(image, "libwebp", "");
  return 0;
}

// A picture that is one frame, in pieces, so that somebody can end it. One of more than 16 megapixels of which a small
// picture is wanted is scaled by libwebp while it still has six times the pixels on each side: its filter is coarse.
static int decode_still(const WebPIterator *frame, vugen_image *image) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return vugen_refuse(image, VUGEN_NO_DECODER, "libwebp is of another version");
  uint32_t width = image->width, height = image->height;
  uint64_t enough = image->keeps_stored ? 0 : (uint64_t)image->wanted * 6, divisor = 1;
  while (enough > 0 && (uint64_t)width * height > 16000000 && width / (divisor + 1) >= enough &&
         height / (divisor + 1) >= enough)
    divisor++;
  if (divisor > 1) {
    config.options.use_scaling = 1;
    config.options.scaled_width = (int)(width /= (uint32_t)divisor);
    config.options.scaled_height = (int)(height /= (uint32_t)divisor);
  }
  if (vugen_take_pixels(image, width, height)) return 1;
  config.output.colorspace = MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image->pixels;
  config.output.u.RGBA.stride = (int)(width * 4);
  config.output.u.RGBA.size = (size_t)width * height * 4;
  WebPIDecoder *decoder = WebPIDecode(NULL, 0, &config);
  if (decoder == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for it");
  // A piece of few bytes may stand for many pixels.
  size_t count = frame->fragment.size, piece = count / 64 + 64;
  VP8StatusCode status = VP8_STATUS_SUSPENDED;
  int is_stopped = 0;
  for (size_t at = 0; at < count && status == VP8_STATUS_SUSPENDED && !is_stopped;) {
    at += piece < count - at ? piece : count - at;
    status = WebPIUpdate(decoder, frame->fragment.bytes, at);
    is_stopped = vugen_is_stopped(image);
  }
  WebPIDelete(decoder);
  WebPFreeDecBuffer(&config.output);
  if (is_stopped || status == VP8_STATUS_OK) return is_stopped;
  if (status == VP8_STATUS_OUT_OF_MEMORY)
    return vugen_refuse(image, VUGEN_NO_MEMORY, "there is no memory for %u × %u pixels", width, height);
  return vugen_blame(image, "libwebp", "");
}

static int decode_first(WebPDemuxer *demuxer, const WebPIterator *frame, vugen_image *image) {
  uint32_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  if (frame->x_offset == 0 && frame->y_offset == 0 && (uint32_t)frame->width == width &&
      (uint32_t)frame->height == height) {
    image->width = width, image->height = height;
    return decode_still(frame, image);
  }
  return vugen_take_pixels(image, width, height) || decode_frame(frame, image);
}

int vugen_webp_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  WebPData data = {bytes, count};
  WebPDemuxState state;
  WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
  if (demuxer == NULL) return vugen_blame(image, "libwebp", "the header");
  uint32_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  WebPIterator frame;
  // A cut file may end before it says its size.
  int is_cut = state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSE_ERROR;
  int status = is_cut || width == 0 || height == 0 ? vugen_blame(image, "libwebp", "the header")
                                                   : vugen_check_size(image, width, height, max_pixels, count, 16384);
  if (status == 0 && !WebPDemuxGetFrame(demuxer, 1, &frame)) {
    status = vugen_blame(image, "libwebp", "");
  } else if (status == 0) {
    status = decode_first(demuxer, &frame, image);
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

int vugen_webp_encode(const uint8_t *rgba, uint32_t width, uint32_t height, const uint8_t *exif, size_t exif_count,
                      const uint8_t *xmp, size_t xmp_count, vugen_bytes *out) {
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
