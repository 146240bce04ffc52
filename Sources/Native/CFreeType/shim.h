#include <ft2build.h>
#include FT_FREETYPE_H

/// FT_Load_Char's flags for a colour bitmap, and for a grey one; macros with casts do not reach Swift.
static inline FT_Int32 vugen_ft_load_colour(void) { return FT_LOAD_COLOR | FT_LOAD_RENDER; }
static inline FT_Int32 vugen_ft_load_grey(void) { return FT_LOAD_RENDER; }
static inline int vugen_ft_is_bgra(const FT_Bitmap *b) { return b->pixel_mode == FT_PIXEL_MODE_BGRA; }
static inline int vugen_ft_is_grey(const FT_Bitmap *b) { return b->pixel_mode == FT_PIXEL_MODE_GRAY; }
