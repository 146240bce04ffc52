#ifndef VUGEN_GUARD_H
#define VUGEN_GUARD_H

#include <stdbool.h>

#include "CNCurses.h"

// Makes ready what gives the terminal back. First called before its modes are changed, for any terminal; then, when
// ncurses has read the terminal's description, for this one.
void vt_guard_prepare(bool knows_terminal);
// Whether the terminal is ours now, so that it must be given back.
void vt_guard_owns(bool owns);
// From here on, and until the end, a fatal signal gives the terminal back before the process dies of it.
void vt_guard_watch(void);
void vt_guard_end(void);

#endif
