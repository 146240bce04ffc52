#define NCURSES_WIDECHAR 1
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE 1
#include "CNCurses.h"

#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <wchar.h>

#include "guard.h"

// term.h's names for capabilities are in the way.
#undef columns
#undef lines

static SCREEN *screen;
static bool direct;

static void use_locale(void) {
  static bool done;
  if (done) return;
  done = true;
  // Widths and encodings need a UTF-8 locale, whatever the person's language settings lack.
  if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX < 4) setlocale(LC_CTYPE, "C.UTF-8");
}

int vt_colours_of(const char *term) {
  int error = 0, colours = -1;
  TERMINAL *before = cur_term;
  if (setupterm(term, 1, &error) == OK) {
    TERMINAL *probe = cur_term;
    colours = tigetnum("colors");
    if (colours < 0) colours = 0;
    set_curterm(before);
    del_curterm(probe);
  }
  return colours;
}

bool vt_knows(const char *term) { return vt_colours_of(term) >= 0; }

bool vt_start(const char *term) {
  use_locale();
  set_escdelay(25);
  vt_guard_prepare(false);
  vt_guard_watch();
  screen = newterm(term, stdout, stdin);
  if (!screen) {
    vt_guard_end();
    return false;
  }
  vt_guard_prepare(true);
  set_term(screen);
  raw();
  noecho();
  nonl();
  idlok(stdscr, FALSE);
  // Characters that are put in or taken out move what lies behind them on the line: pixels, but not pictures.
  idcok(stdscr, FALSE);
  leaveok(stdscr, FALSE);
  // An update that stops half-way when a key or a reply comes in would be finished over the pictures sent behind it.
  typeahead(-1);
  if (has_colors()) {
    start_color();
    use_default_colors();
  }
  direct = tigetflag("RGB") > 0 || tigetnum("RGB") > 0;
  return true;
}

void vt_end(void) {
  if (!screen) return;
  if (!isendwin()) endwin();
  SCREEN *old = screen;
  screen = NULL;
  delscreen(old);
  vt_guard_end();
}

void vt_suspend(void) {
  if (screen && !isendwin()) endwin();
  vt_guard_owns(false);
}

void vt_resume(void) {
  if (!screen) return;
  vt_guard_owns(true);
  raw();
  noecho();
  clearok(curscr, TRUE);
  refresh();
}

void vt_resize(int rows, int columns) {
  if (!screen) return;
  resizeterm(rows, columns);
  clearok(curscr, TRUE);
}

void vt_invalidate(void) {
  if (screen) clearok(curscr, TRUE);
}

void vt_redraw_rows(int first, int count) {
  if (screen) wredrawln(stdscr, first, count);
}

int vt_colours(void) { return screen && has_colors() ? COLORS : 0; }
bool vt_is_direct(void) { return direct; }

void vt_put(int row, int column, const uint32_t *scalars, int count, int attributes, int foreground, int background) {
  wchar_t text[6] = {0};
  for (int i = 0; i < count && i < 5; i++) text[i] = (wchar_t)scalars[i];
  attr_t a = A_NORMAL;
  if (attributes & VT_BOLD) a |= A_BOLD;
  if (attributes & VT_DIM) a |= A_DIM;
  if (attributes & VT_ITALIC) a |= A_ITALIC;
  if (attributes & VT_UNDERLINE) a |= A_UNDERLINE;
  if (attributes & VT_REVERSE) a |= A_REVERSE;
  int pair = 0;
  if (vt_colours() > 0 && (foreground >= 0 || background >= 0)) {
    pair = alloc_pair(foreground, background);
    if (pair < 0) pair = 0;
  }
  cchar_t cell;
  setcchar(&cell, text, a, 0, &pair);
  mvadd_wch(row, column, &cell);
}

void vt_cursor(int row, int column) {
  if (row < 0) {
    curs_set(0);
  } else {
    curs_set(1);
    move(row, column);
  }
}

void vt_update(void) {
  wnoutrefresh(stdscr);
  doupdate();
}
