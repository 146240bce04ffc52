// A small face on ncursesw: a screen of cells, written through ncurses' own difference engine, and the terminal's
// modes. Macros and wide characters do not reach Swift, so they stay in here.

#ifndef VUGEN_CNCURSES_H
#define VUGEN_CNCURSES_H

#include <stdbool.h>
#include <stdint.h>

enum { VT_BOLD = 1, VT_DIM = 2, VT_ITALIC = 4, VT_UNDERLINE = 8, VT_REVERSE = 16 };

// Starts the screen on standard output with `term`'s description (NULL: $TERM). False when it is unknown.
bool vt_start(const char *term);
// Whether a description of that name is installed.
bool vt_knows(const char *term);
// How many colours it says that such a terminal has; −1 where it does not know the terminal.
int vt_colours_of(const char *term);
// Ends the screen and leaves the terminal as it was. Safe to call twice and from a dying program.
void vt_end(void);
// Leaves the screen for a while (an editor, Ctrl-Z) and comes back with everything to be drawn anew.
void vt_suspend(void);
void vt_resume(void);
void vt_resize(int rows, int columns);
// Everything is to be sent again.
void vt_invalidate(void);
// So many rows are no longer on the terminal's screen: they are sent again.
void vt_redraw_rows(int first, int count);

// Colours: −1 is the terminal's own. On a direct-colour terminal numbers are 0xRRGGBB, else palette places.
int vt_colours(void);
bool vt_is_direct(void);

// One cell: a character with up to four combining ones, its width in columns, attributes, colours.
void vt_put(int row, int column, const uint32_t *scalars, int count, int attributes, int foreground, int background);
// −1 hides the cursor.
void vt_cursor(int row, int column);
// What a program that a signal kills says behind what hit it, in one line; the terminal is given back first.
void vt_last_words(const char *text);
// Gives this thread another stack on which that works when its first one is used up. Once a thread is enough.
void vt_guard_thread(void);
// Whether giving the terminal back takes the cursor's colour back, too.
void vt_guard_colours_cursor(bool coloured);
// Gives the terminal back before the program ends, from any thread, and says why: "vugen " and these words.
void vt_guard_give_back(const char *said);

// Sends what changed.
void vt_update(void);

#endif
