// Columns of a character by the C library's tables, those that ncurses uses.

#ifndef VUGEN_CWIDTH_H
#define VUGEN_CWIDTH_H

#include <stdint.h>

// 0, 1 or 2; −1 for control characters. In a UTF-8 locale, whatever the person's settings lack.
int vugen_width(uint32_t scalar);

#endif
