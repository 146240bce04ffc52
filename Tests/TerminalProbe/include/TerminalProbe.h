// A program in a pseudo-terminal before a real terminal emulator (libvterm): what it sends, what a person would see.

#ifndef VUGEN_TERMINAL_PROBE_H
#define VUGEN_TERMINAL_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct probe probe;

// NULL when the program cannot be started. `words`, its path and arguments, and `environment` end with NULL.
probe *probe_start(char *const *words, char *const *environment, int rows, int columns);
// Reads what the program sends for up to so many milliseconds; answers the emulator's replies. 0 when it has ended.
int probe_pump(probe *p, int milliseconds);
// The same, until something has come.
int probe_pump_some(probe *p, int milliseconds);
void probe_type(probe *p, const uint8_t *bytes, size_t count);
// From now on the emulator gets so many bytes a second, behind a line that takes everything at once; 0 for all.
void probe_slow_down(probe *p, int bytes_per_second);
void probe_resize(probe *p, int rows, int columns);
// A row as UTF-8, without blanks at its end; returns its length.
int probe_row(probe *p, int row, char *text, int size);
// A cell's colours as 0xRRGGBB; returns whether ink is to be seen in it.
int probe_cell(probe *p, int row, int column, unsigned *foreground, unsigned *background);
// How many of a cell's 8 × 16 pixels show a picture: sixel data was written there, and no text since.
int probe_picture_pixels(probe *p, int row, int column);
// From now on it says that it is xterm, and keeps pictures as xterm does, which show again whenever it draws anew.
void probe_be_xterm(probe *p);
// How many of a cell's pixels xterm would show a picture in when it draws anew from what it keeps.
int probe_kept_pixels(probe *p, int row, int column);
// Everything that the program has sent.
const uint8_t *probe_sent(probe *p, size_t *count);
// How many bytes of that the line has carried to the screen.
size_t probe_shown(probe *p);
// Whether the program has read what was typed, and none of its threads runs or waits for a processor.
int probe_is_asleep(probe *p);
// Whether, beside that, no thread polls for what comes soon by itself, as a timer does; −1 where the system does not say,
// or none polls.
int probe_is_idle(probe *p);
// Waits for the end for up to so many milliseconds; −1 when the program lives, else its wait status.
int probe_wait(probe *p, int milliseconds);
pid_t probe_pid(probe *p);
// Whether the line is as a shell wants it: whole lines, echo, signals, line ends.
int probe_is_cooked(probe *p);
// Ends what still lives and lets everything go.
void probe_free(probe *p);

// Decodes sixel data between ESC P and ESC \. Pixels RGB, to be freed by the caller; NULL when it is damaged.
uint8_t *probe_decode_sixel(const uint8_t *bytes, size_t count, int *width, int *height);

#endif
