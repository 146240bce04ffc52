// The kernels for one instruction set.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "random.h"
#include "scratch.h"
#include "tables.h"

#define TABLE vugen_table_baseline
#define PANEL 1  // vectors across a tile of a product: 16 narrower registers

#include "kernels.inc"
