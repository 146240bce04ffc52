#include <libheif/heif.h>

#include "codecs.h"

#define FUNCTIONS(X)                              \
  X(heif_context_alloc)                           \
  X(heif_context_free)                            \
  X(heif_context_read_from_memory_without_copy)   \
  X(heif_context_get_primary_image_handle)        \
  X(heif_image_handle_get_width)                  \
  X(heif_image_handle_get_height)                 \
  X(heif_image_handle_get_raw_color_profile_size) \
  X(heif_image_handle_get_raw_color_profile)      \
  X(heif_image_handle_get_nclx_color_profile)     \
  X(heif_nclx_color_profile_free)                 \
  X(heif_image_handle_release)                    \
  X(heif_decode_image)                            \
  X(heif_decoding_options_alloc)                  \
  X(heif_decoding_options_free)                   \
  X(heif_image_get_width) X(heif_image_get_height) X(heif_image_get_plane_readonly) X(heif_image_release)
VUGEN_LIBRARY(FUNCTIONS, "libheif.so.1", "libheif.so")

static int failed(vugen_image *image, struct heif_error error) {
  const bool is_unsupported =
    error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  if (is_unsupported && !vugen_lacks_memory(image))
    return vugen_refuse(image, VUGEN_ADVISED, "%s; libheif may lack a decoder (Debian 13: libheif-plugin-libde265)",
                        error.message);
  return vugen_blame(image, "libheif", error.message);
}

static void keep_colours(struct heif_image_handle *handle, vugen_image *image) {
  size_t count = lib.heif_image_handle_get_raw_color_profile_size(handle);
  if (count > 0 && count <= 64 << 20) {
    uint8_t *profile = malloc(count);
    if (profile && lib.heif_image_handle_get_raw_color_profile(handle, profile).code == heif_error_Ok)
      vugen_keep_profile(image, profile, count);
    free(profile);
    return;
  }
  struct heif_color_profile_nclx *codes = NULL;
  if (lib.heif_image_handle_get_nclx_color_profile(handle, &codes).code == heif_error_Ok && codes) {
    vugen_keep_code_points(image, (int)codes->color_primaries, (int)codes->transfer_characteristics);
    lib.heif_nclx_color_profile_free(codes);
  }
}

static int copy_pixels(struct heif_image *decoded, size_t count, uint64_t max_pixels, vugen_image *image) {
  int width = lib.heif_image_get_width(decoded, heif_channel_interleaved);
  int height = lib.heif_image_get_height(decoded, heif_channel_interleaved), stride = 0;
  const uint8_t *plane = lib.heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  if (width < 1 || height < 1 || plane == NULL || stride < width * 4) return vugen_blame(image, "libheif", "");
  if (vugen_check_size(image, (uint64_t)width, (uint64_t)height, max_pixels, count, 16384)) return 1;
  if (vugen_take_pixels(image, (uint32_t)width, (uint32_t)height)) return 1;
  for (int y = 0; y < height; y++)
    memcpy(image->pixels + (size_t)y * (size_t)width * 4, plane + (size_t)y * (size_t)stride, (size_t)width * 4);
  return 0;
}

static int decode(struct heif_image_handle *handle, size_t count, uint64_t max_pixels, vugen_image *image) {
  int width = lib.heif_image_handle_get_width(handle), height = lib.heif_image_handle_get_height(handle);
  if (width < 1 || height < 1) return vugen_refuse(image, VUGEN_DAMAGED, "it has no pixels");
  if (vugen_check_size(image, (uint64_t)width, (uint64_t)height, max_pixels, count, 16384)) return 1;
  struct heif_decoding_options *options = lib.heif_decoding_options_alloc();
  if (options == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  options->convert_hdr_to_8bit = 1;
  struct heif_image *decoded = NULL;
  struct heif_error error =
    lib.heif_decode_image(handle, &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGBA, options);
  lib.heif_decoding_options_free(options);
  if (error.code != heif_error_Ok || decoded == NULL) return failed(image, error);
  int status = copy_pixels(decoded, count, max_pixels, image);
  lib.heif_image_release(decoded);
  // Turned and mirrored by libheif already.
  if (status == 0) image->orientation = 1;
  if (status == 0) keep_colours(handle, image);
  return status;
}

static int decode_heard(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  if (!load()) return vugen_refuse(image, VUGEN_NO_DECODER, "libheif is not installed (Debian: libheif1)");
  struct heif_context *context = lib.heif_context_alloc();
  if (context == NULL) return vugen_refuse(image, VUGEN_NO_MEMORY, "out of memory");
  struct heif_image_handle *handle = NULL;
  struct heif_error error = lib.heif_context_read_from_memory_without_copy(context, bytes, count, NULL);
  if (error.code == heif_error_Ok) error = lib.heif_context_get_primary_image_handle(context, &handle);
  int status = error.code == heif_error_Ok && handle ? decode(handle, count, max_pixels, image) : failed(image, error);
  if (handle) lib.heif_image_handle_release(handle);
  lib.heif_context_free(context);
  return status;
}

int vugen_heif_decode(const uint8_t *bytes, size_t count, uint64_t max_pixels, vugen_image *image) {
  return vugen_decode_unheard(decode_heard, bytes, count, max_pixels, image);
}
