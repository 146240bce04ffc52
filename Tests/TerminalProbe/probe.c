#define _GNU_SOURCE
#include "TerminalProbe.h"

#include <ProgramStart.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sixel/sixel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

// xterm's MAX_GRAPHICS.
enum { PLACES = 16 };

struct probe {
  int master, rows, columns, status, ended;
  pid_t pid;
  // The program's end of the line.
  char terminal[64];
  VTerm *vt;
  VTermScreen *screen;
  uint8_t *sent;
  size_t count, capacity;
  // Which pixels show a picture: sixel data sets them, any text or blank that is written to their cell clears them.
  uint8_t *pictures;
  // The emulator knows nothing of sixel: its data is kept from it. The bytes since ESC, and what begins the data.
  int state;
  // A slow line that hides how slow it is: what is sent waits in a queue. Bytes shown of `sent`; bytes a second, 0 for
  // at once; when the line last took some.
  size_t shown;
  int rate;
  long moved;
  char header[64];
  size_t header_count;
  // xterm's way with pictures, where it is asked for: a few places, each with the pixels that are left of its picture.
  int is_xterm, is_erasing;
  struct place {
    uint8_t *left;
    int row, x, width, height;
  } places[PLACES];
  // The control sequence so far, and the scrolled region's rows.
  char sequence[32];
  size_t sequence_count;
  int top, bottom;
};

enum {
  CELL_WIDTH = 8,
  CELL_HEIGHT = 16,
  MOST_ROWS = 128,
  MOST_COLUMNS = 400,
  TEXT = 0,
  ESCAPE,
  SEQUENCE,
  DATA,
  DATA_ESCAPE
};

static void reply(const char *bytes, size_t count, void *context) {
  probe *p = context;
  while (count > 0) {
    ssize_t n = write(p->master, bytes, count);
    if (n <= 0) return;
    bytes += n;
    count -= (size_t)n;
  }
}

static struct winsize window(int rows, int columns) {
  struct winsize size = {.ws_row = (unsigned short)rows,
                         .ws_col = (unsigned short)columns,
                         .ws_xpixel = (unsigned short)(columns * CELL_WIDTH),
                         .ws_ypixel = (unsigned short)(rows * CELL_HEIGHT)};
  return size;
}

// Sets the pixels of a rectangle, as far as they are on the screen.
static void fill(probe *p, int top, int left, int height, int width, uint8_t value) {
  int across = MOST_COLUMNS * CELL_WIDTH, down = MOST_ROWS * CELL_HEIGHT;
  if (left >= across) return;
  int end = top + height < down ? top + height : down, n = left + width < across ? width : across - left;
  for (int y = top; y < end; y++) memset(p->pictures + (size_t)y * (size_t)across + left, value, (size_t)n);
}

// Text in cells takes the pixels there away from every picture that xterm keeps. What is erased by EL and ECH, or moved
// by ICH and DCH, is not taken away: it is only not seen.
static void forget_pixels(probe *p, VTermRect r) {
  for (int i = 0; i < PLACES && p->is_xterm && !p->is_erasing; i++) {
    struct place *g = &p->places[i];
    for (int y = r.start_row * CELL_HEIGHT; g->left && y < r.end_row * CELL_HEIGHT; y++)
      for (int x = r.start_col * CELL_WIDTH; x < r.end_col * CELL_WIDTH; x++) {
        int down = y - g->row * CELL_HEIGHT, across = x - g->x;
        if (down >= 0 && down < g->height && across >= 0 && across < g->width) g->left[down * g->width + across] = 0;
      }
  }
}

static int damage(VTermRect r, void *context) {
  forget_pixels(context, r);
  fill(context, r.start_row * CELL_HEIGHT, r.start_col * CELL_WIDTH, (r.end_row - r.start_row) * CELL_HEIGHT,
       (r.end_col - r.start_col) * CELL_WIDTH, 0);
  return 1;
}

static const VTermScreenCallbacks callbacks = {.damage = damage};

// The pixels from the cursor's cell on that sixel data of these raster attributes ("1;1;width;height) covers.
static void paint(probe *p) {
  int width = 0, height = 0;
  p->header[p->header_count] = 0;
  const char *raster = strchr(p->header, '"');
  if (!raster || sscanf(raster, "\"%*d;%*d;%d;%d", &width, &height) != 2) return;
  VTermPos at;
  vterm_state_get_cursorpos(vterm_obtain_state(p->vt), &at);
  fill(p, at.row * CELL_HEIGHT, at.col * CELL_WIDTH, height, width, 1);
  if (!p->is_xterm) return;
  // A free place, or that of the picture that stands highest.
  struct place *g = &p->places[0];
  for (int i = 1; i < PLACES && g->left; i++)
    if (!p->places[i].left || p->places[i].row < g->row) g = &p->places[i];
  free(g->left);
  *g = (struct place){malloc((size_t)width * (size_t)height), at.row, at.col * CELL_WIDTH, width, height};
  if (g->left) memset(g->left, 1, (size_t)width * (size_t)height);
}

// What a control sequence does to xterm's pictures beyond what it does to cells.
static void note_sequence(probe *p, char final) {
  int first = 0, second = 0;
  p->sequence[p->sequence_count] = 0;
  sscanf(p->sequence, "[%d;%d", &first, &second);
  p->is_erasing = final && strchr("KXP@", final) != NULL;
  if (final == 'r') {
    p->top = first > 0 ? first : 1;
    p->bottom = second > 0 ? second : p->rows;
  }
  if (final != 'S') return;
  int most = (p->bottom > 0 ? p->bottom : p->rows) - (p->top > 0 ? p->top : 1) + 1, rows = first > 0 ? first : 1;
  for (int i = 0; i < PLACES; i++) p->places[i].row -= rows < most ? rows : most;
}

static void show(probe *p, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char c = (char)bytes[i];
    switch (p->state) {
      case TEXT:
        if (c == '\x1b') p->state = ESCAPE;
        else vterm_input_write(p->vt, &c, 1);
        break;
      case ESCAPE:
        if (c == 'P') {
          p->state = DATA;
          p->header_count = 0;
        } else {
          char two[2] = {'\x1b', c};
          vterm_input_write(p->vt, two, 2);
          p->state = c == '[' ? SEQUENCE : TEXT;
          p->sequence_count = 0;
          p->sequence[p->sequence_count++] = c;
        }
        break;
      case SEQUENCE:
        if (c >= 0x40) {
          note_sequence(p, c);
          p->state = TEXT;
        } else if (p->sequence_count < sizeof p->sequence - 1) {
          p->sequence[p->sequence_count++] = c;
        }
        vterm_input_write(p->vt, &c, 1);
        p->is_erasing = 0;
        break;
      case DATA:
        if (c == '\x1b') p->state = DATA_ESCAPE;
        else if (p->header_count < sizeof p->header - 1) p->header[p->header_count++] = c;
        break;
      case DATA_ESCAPE:
        if (c == '\\') paint(p);
        p->state = TEXT;
        break;
    }
  }
}

// Starts a program in a new terminal; whether that worked.
static int start(probe *p, char *const *words, char *const *environment, const struct winsize *size) {
  p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (p->master < 0) return 0;
  if (!grantpt(p->master) && !unlockpt(p->master) && !ptsname_r(p->master, p->terminal, sizeof p->terminal) &&
      !ioctl(p->master, TIOCSWINSZ, size) && !start_program(words, environment, NULL, p->terminal, -1, -1, &p->pid))
    return 1;
  close(p->master);
  return 0;
}

probe *probe_start(char *const *words, char *const *environment, int rows, int columns) {
  probe *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->rows = rows;
  p->columns = columns;
  struct winsize size = window(rows, columns);
  if (!start(p, words, environment, &size)) {
    free(p);
    return NULL;
  }
  p->vt = vterm_new(rows, columns);
  vterm_set_utf8(p->vt, 1);
  vterm_output_set_callback(p->vt, reply, p);
  p->screen = vterm_obtain_screen(p->vt);
  vterm_screen_enable_altscreen(p->screen, 1);
  p->pictures = calloc(MOST_ROWS * CELL_HEIGHT, MOST_COLUMNS * CELL_WIDTH);
  vterm_screen_set_callbacks(p->screen, &callbacks, p);
  vterm_screen_set_damage_merge(p->screen, VTERM_DAMAGE_CELL);
  vterm_screen_reset(p->screen, 1);
  return p;
}

static long now(void);

// Lets what the line has carried by now arrive.
static void carry(probe *p) {
  size_t waiting = p->count - p->shown, n = waiting;
  if (p->rate > 0) {
    long time = now();
    size_t most = (size_t)((time - p->moved) * p->rate / 1000);
    if (most == 0) return;
    p->moved = time;
    if (n > most) n = most;
  }
  show(p, p->sent + p->shown, n);
  p->shown += n;
}

void probe_slow_down(probe *p, int bytes_per_second) {
  p->rate = bytes_per_second;
  p->moved = now();
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int probe_pump(probe *p, int milliseconds) {
  long end = now() + milliseconds;
  for (;;) {
    carry(p);
    long left = end - now(), most = p->rate > 0 && left > 10 ? 10 : left;
    struct pollfd fd = {.fd = p->master, .events = POLLIN};
    int ready = poll(&fd, 1, most > 0 ? (int)most : 0);
    if (ready <= 0) {
      if (most < left) continue;
      return 1;
    }
    uint8_t bytes[65536];
    ssize_t n = read(p->master, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    if (p->count + (size_t)n > p->capacity) {
      p->capacity = (p->count + (size_t)n) * 2;
      uint8_t *larger = realloc(p->sent, p->capacity);
      if (!larger) return 0;
      p->sent = larger;
    }
    memcpy(p->sent + p->count, bytes, (size_t)n);
    p->count += (size_t)n;
    carry(p);
    if (left <= 0) return 1;
  }
}

int probe_pump_some(probe *p, int milliseconds) {
  long end = now() + milliseconds;
  size_t shown = p->shown;
  for (;;) {
    carry(p);
    if (p->shown != shown) return 1;
    long left = end - now();
    if (left <= 0) return 1;
    // A slow line moves by itself.
    struct pollfd fd = {.fd = p->master, .events = POLLIN};
    if (poll(&fd, 1, p->rate > 0 && left > 10 ? 10 : (int)left) > 0) return probe_pump(p, 1);
  }
}

void probe_type(probe *p, const uint8_t *bytes, size_t count) { reply((const char *)bytes, count, p); }

void probe_resize(probe *p, int rows, int columns) {
  struct winsize size = window(rows, columns);
  p->rows = rows;
  p->columns = columns;
  // libvterm 0.1 crashes on some very small sizes; the program is told the real one.
  vterm_set_size(p->vt, rows < 16 ? 16 : rows, columns < 40 ? 40 : columns);
  fill(p, 0, 0, MOST_ROWS * CELL_HEIGHT, MOST_COLUMNS * CELL_WIDTH, 0);
  ioctl(p->master, TIOCSWINSZ, &size);
}

int probe_picture_pixels(probe *p, int row, int column) {
  int count = 0;
  if (row < 0 || column < 0 || row >= MOST_ROWS || column >= MOST_COLUMNS) return 0;
  for (int y = row * CELL_HEIGHT; y < (row + 1) * CELL_HEIGHT; y++)
    for (int x = column * CELL_WIDTH; x < (column + 1) * CELL_WIDTH; x++)
      count += p->pictures[(size_t)y * (MOST_COLUMNS * CELL_WIDTH) + (size_t)x];
  return count;
}

void probe_be_xterm(probe *p) {
  const char *name = "\x1bP>|XTerm(379)\x1b\\";
  p->is_xterm = 1;
  reply(name, strlen(name), p);
}

int probe_kept_pixels(probe *p, int row, int column) {
  int count = 0;
  for (int y = row * CELL_HEIGHT; y < (row + 1) * CELL_HEIGHT; y++)
    for (int x = column * CELL_WIDTH; x < (column + 1) * CELL_WIDTH; x++) {
      int is_seen = 0;
      for (int i = 0; i < PLACES && !is_seen; i++) {
        struct place *g = &p->places[i];
        int down = y - g->row * CELL_HEIGHT, across = x - g->x;
        is_seen = g->left && down >= 0 && down < g->height && across >= 0 && across < g->width &&
                  g->left[down * g->width + across];
      }
      count += is_seen;
    }
  return count;
}

int probe_row(probe *p, int row, char *text, int size) {
  // libvterm 0.1 takes no cell that is not there.
  int rows = 0, columns = 0;
  vterm_get_size(p->vt, &rows, &columns);
  text[0] = 0;
  if (row < 0 || row >= rows) return 0;
  VTermRect rect = {
    .start_row = row, .end_row = row + 1, .start_col = 0, .end_col = p->columns < columns ? p->columns : columns};
  size_t n = vterm_screen_get_text(p->screen, text, (size_t)size - 1, rect);
  while (n > 0 && text[n - 1] == ' ') n--;
  text[n] = 0;
  return (int)n;
}

static unsigned rgb(probe *p, VTermColor colour) {
  vterm_screen_convert_color_to_rgb(p->screen, &colour);
  return (unsigned)colour.rgb.red << 16 | (unsigned)colour.rgb.green << 8 | colour.rgb.blue;
}

int probe_cell(probe *p, int row, int column, unsigned *foreground, unsigned *background) {
  VTermScreenCell cell;
  VTermPos at = {.row = row, .col = column};
  if (!vterm_screen_get_cell(p->screen, at, &cell)) return 0;
  *foreground = rgb(p, cell.attrs.reverse ? cell.bg : cell.fg);
  *background = rgb(p, cell.attrs.reverse ? cell.fg : cell.bg);
  return cell.chars[0] != 0 && cell.chars[0] != ' ' && cell.chars[0] != 0xA0;
}

size_t probe_shown(probe *p) { return p->shown; }

// Whether what was typed waits for the program. The kernel hands it over when it comes to that, which may be long on a
// busy machine, but at once to whoever polls the program's end. That is open for a moment only: the line would not end
// with the program.
static int has_unread(probe *p) {
  int unread = 0, line = open(p->terminal, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (line < 0) return 0;
  struct pollfd watched = {line, POLLIN, 0};
  if (poll(&watched, 1, 0) <= 0 || ioctl(line, FIONREAD, &unread) != 0) unread = 0;
  close(line);
  return unread > 0;
}

// What the system says of the program's threads at a moment.
typedef struct {
  int is_asleep, is_stopped;
  // How often they were given a processor, and how many they are.
  unsigned long long runs;
} threads;

static size_t read_task(probe *p, const char *task, const char *name, char *to, size_t room) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%.20s/%s", (int)p->pid, task, name);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t n = fread(to, 1, room - 1, file);
  fclose(file);
  to[n] = 0;
  return n;
}

static threads look(probe *p) {
  char path[64], text[512];
  threads found = {.is_asleep = 1};
  snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
  DIR *tasks = opendir(path);
  if (!tasks) return found;
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.') continue;
    unsigned long long used, waited, runs = 0;
    if (read_task(p, task->d_name, "schedstat", text, sizeof text))
      (void)!sscanf(text, "%llu %llu %llu", &used, &waited, &runs);
    found.runs += runs + 1;
    if (!read_task(p, task->d_name, "stat", text, sizeof text)) continue;
    // The state follows the name, which may hold anything.
    char *name_end = strrchr(text, ')');
    if (name_end && name_end[1] && strchr("RD", name_end[2])) found.is_asleep = 0;
    if (name_end && name_end[1] && strchr("TZ", name_end[2])) found.is_stopped = 1;
  }
  closedir(tasks);
  return found;
}

int probe_is_asleep(probe *p) {
  // First: once it has read, it runs until that is done.
  int is_read = !has_unread(p);
  // One thread may wake another and sleep while the threads are looked at one by one: none has run from the first look to
  // the second.
  threads first = look(p), second = look(p);
  return first.is_asleep && second.is_asleep && first.runs == second.runs && (second.is_stopped || is_read);
}

int probe_is_idle(probe *p) {
  enum { SOON = 120 };  // in milliseconds
  if (!probe_is_asleep(p)) return 0;
  int found = -1;
#ifdef SYS_poll
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
  DIR *tasks = opendir(path);
  if (!tasks) return -1;
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.' || !read_task(p, task->d_name, "syscall", text, sizeof text)) continue;
    long call = -1;
    unsigned long long descriptors, count, timeout;
    if (sscanf(text, "%ld %llx %llx %llx", &call, &descriptors, &count, &timeout) != 4 || call != SYS_poll) continue;
    int waits_long = (int)timeout < 0 || (int)timeout > SOON;
    found = found == 0 ? 0 : waits_long;
  }
  closedir(tasks);
#endif
  return found;
}

const uint8_t *probe_sent(probe *p, size_t *count) {
  *count = p->count;
  return p->sent;
}

int probe_wait(probe *p, int milliseconds) {
  long end = now() + milliseconds;
  while (!p->ended) {
    if (waitpid(p->pid, &p->status, WNOHANG) == p->pid) {
      p->ended = 1;
      break;
    }
    if (now() >= end) return -1;
    probe_pump(p, 10);
  }
  // All that it wrote, to the end of the line: how long that takes depends on what else the machine does.
  for (int i = 0; i < 100 && probe_pump(p, 20); i++) {
  }
  return p->status;
}

pid_t probe_pid(probe *p) { return p->pid; }

int probe_is_cooked(probe *p) {
  struct termios t;
  tcflag_t wanted = ICANON | ECHO | ISIG;
  return tcgetattr(p->master, &t) == 0 && (t.c_lflag & wanted) == wanted && (t.c_oflag & OPOST) && (t.c_iflag & ICRNL);
}

void probe_free(probe *p) {
  if (!p->ended) {
    kill(p->pid, SIGKILL);
    waitpid(p->pid, &p->status, 0);
  }
  close(p->master);
  vterm_free(p->vt);
  for (int i = 0; i < PLACES; i++) free(p->places[i].left);
  free(p->pictures);
  free(p->sent);
  free(p);
}

uint8_t *probe_decode_sixel(const uint8_t *bytes, size_t count, int *width, int *height) {
  unsigned char *pixels = NULL, *palette = NULL, *copy = malloc(count);
  int colours = 0;
  if (!copy) return NULL;
  memcpy(copy, bytes, count);
  SIXELSTATUS status = sixel_decode_raw(copy, (int)count, &pixels, width, height, &palette, &colours, NULL);
  free(copy);
  if (SIXEL_FAILED(status)) return NULL;
  size_t area = (size_t)*width * (size_t)*height;
  uint8_t *rgb = malloc(area * 3);
  for (size_t i = 0; rgb && i < area; i++) memcpy(rgb + 3 * i, palette + 3 * pixels[i], 3);
  free(pixels);
  free(palette);
  return rgb;
}
