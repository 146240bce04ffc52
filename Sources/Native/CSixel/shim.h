// libsixel's encoder.
#ifndef VUGEN_CSIXEL_H
#define VUGEN_CSIXEL_H

#include <sixel.h>

#endif
