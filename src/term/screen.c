/* See screen.h.  newterm, not initscr, which exits the process on a bad $TERM. */
#include "term/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/memory.h"

struct screen {
    SCREEN *curses;
    int colours;
};

/* What the terminal can do. */

// Lua and the engine print numbers with a point in every locale.
static void set_locale(void)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
}

bool term_unicode(void)
{
    const char *term = getenv("TERM");
    set_locale();
    if (term && (strcmp(term, "linux") == 0 || strcmp(term, "dumb") == 0 ||
                 strncmp(term, "vt", 2) == 0))
        return false;
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && wcwidth(0x28ff) == 1;
}

int term_colours(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    int bad;
    if ((no && *no) || !term || setupterm(term, STDOUT_FILENO, &bad) != OK)
        return 0;
    int n = tigetnum("colors");
    return n > 0 ? n : 0;
}

/* Restoring it, also from a signal handler. */

static const int fatal[] = {SIGQUIT, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
#define FATAL (int)(sizeof fatal / sizeof *fatal)

static struct {
    volatile sig_atomic_t open;
    char bytes[256]; // no mouse, leave the alternate screen, show the cursor, plain text
    size_t n;
    struct termios mode;
    struct sigaction old[sizeof fatal / sizeof *fatal];
} saved;

static void save_string(const char *capability)
{
    const char *s = tigetstr((char *)capability);
    if (!s || s == (char *)-1)
        return;
    while (*s && saved.n < sizeof saved.bytes) {
        const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
        if (end)
            s = end + 1; // a delay, for hardware terminals
        else
            saved.bytes[saved.n++] = *s++;
    }
}

// Only calls that POSIX allows in a signal handler.
static void restore(void)
{
    if (!saved.open)
        return;
    saved.open = 0;
    ssize_t written = write(STDOUT_FILENO, saved.bytes, saved.n);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &saved.mode);
}

static void on_fatal(int sig)
{
    restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void catch_fatal(void)
{
    static bool registered;
    struct sigaction act = {.sa_handler = on_fatal, .sa_flags = (int)SA_NODEFER};
    sigemptyset(&act.sa_mask);
    for (int i = 0; i < FATAL; i++)
        sigaction(fatal[i], &act, &saved.old[i]);
    at_die = restore;
    if (!registered)
        atexit(restore);
    registered = true;
}

/* The screen. */

const char *screen_library(void)
{
    return curses_version();
}

// What terminals send for keys besides what terminfo says, as where TERM is not quite theirs.
static void define_keys(void)
{
    static const struct {
        const char *sequence;
        int code;
    } keys[] = {
        {"\033[A", KEY_UP},    {"\033[B", KEY_DOWN},   {"\033[C", KEY_RIGHT},
        {"\033[D", KEY_LEFT},  {"\033OA", KEY_UP},     {"\033OB", KEY_DOWN},
        {"\033OC", KEY_RIGHT}, {"\033OD", KEY_LEFT},   {"\033[H", KEY_HOME},
        {"\033[F", KEY_END},   {"\033OH", KEY_HOME},   {"\033OF", KEY_END},
        {"\033[1~", KEY_HOME}, {"\033[4~", KEY_END},   {"\033[7~", KEY_HOME},
        {"\033[8~", KEY_END},  {"\033[5~", KEY_PPAGE}, {"\033[6~", KEY_NPAGE},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (key_defined(keys[i].sequence) == 0)
            define_key(keys[i].sequence, keys[i].code);
}

struct screen *screen_open(bool colours, struct error *e)
{
    const char *term = getenv("TERM");
    int bad;
    if (saved.open)
        return error_set(e, "the screen is in use already"), NULL;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(e, "standard input and output must be a terminal"), NULL;
    if (!term || !*term)
        return error_set(e, "TERM is not set"), NULL;
    if (setupterm(term, STDOUT_FILENO, &bad) != OK)
        return error_set(e, "TERM is '%s', which this machine does not know", term), NULL;
    const char *move = tigetstr((char *)"cup");
    if (!move || move == (char *)-1)
        return error_set(e, "TERM is '%s', which cannot move the cursor", term), NULL;
    set_locale();
    unsetenv("LINES"); // stale copies would win over the real size
    unsetenv("COLUMNS");
    int most = colours ? term_colours() : 0; // before newterm: setupterm replaces the current
    tcgetattr(STDIN_FILENO, &saved.mode);
    SCREEN *curses = newterm(NULL, stdout, stdin);
    if (!curses)
        return error_set(e, "curses cannot use a terminal of type '%s'", term), NULL;
    struct screen *s = xmalloc(sizeof *s);
    *s = (struct screen){.curses = curses, .colours = most};
    saved.n = 0;
    mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0); // a press counts at once
    const char *mouse = tigetstr((char *)"kmous");
    if (mouse && mouse != (char *)-1) {
        static const char off[] = "\033[?1006;1000l";
        memcpy(saved.bytes, off, sizeof off - 1);
        saved.n = sizeof off - 1;
    }
    save_string("sgr0");
    save_string("rmkx");
    save_string("rmcup");
    save_string("cnorm");
    saved.open = 1;
    catch_fatal();
    set_escdelay(25);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    define_keys();
    curs_set(0);
    if (s->colours >= 8 && start_color() == OK) {
        short back = use_default_colors() == OK ? -1 : COLOR_BLACK;
        for (short i = 1; i <= STYLE_GOOD; i++)
            init_pair(i, (short)canvas_colour(i, s->colours), back);
    } else
        s->colours = 0;
    return s;
}

void screen_close(struct screen *s)
{
    if (!s)
        return;
    const char *leave = tigetstr((char *)"rmcup");
    if (!leave || leave == (char *)-1) { // no alternate screen: leave a clean one
        erase();
        refresh();
    }
    endwin();
    delscreen(s->curses);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved.mode);
    saved.open = 0;
    at_die = NULL;
    for (int i = 0; i < FATAL; i++)
        sigaction(fatal[i], &saved.old[i], NULL);
    free(s);
}

void screen_leave(struct screen *s)
{
    (void)s;
    endwin();
    struct termios mode = saved.mode;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
}

bool screen_pressed(struct screen *s, int ms)
{
    (void)s;
    char keys[64]; // one may be several bytes
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, ms) > 0 && read(STDIN_FILENO, keys, sizeof keys) >= 0;
}

void screen_enter(struct screen *s)
{
    (void)s;
    clearok(curscr, TRUE); // all of it is painted anew
    refresh();
}

void screen_size(const struct screen *s, int *width, int *height)
{
    (void)s;
    *width = getmaxx(stdscr);
    *height = getmaxy(stdscr);
}

void screen_paint(struct screen *s, const struct canvas *c)
{
    int width = getmaxx(stdscr), height = getmaxy(stdscr);
    erase();
    for (int y = 0; y < height && y < canvas_height(c); y++)
        for (int x = 0; x < width && x < canvas_width(c); x++) {
            struct glyph g = canvas_glyph(c, x, y);
            if (!g.ch || (g.ch == ' ' && !(g.style & STYLE_REVERSE)))
                continue;
            attr_t attr = (g.style & STYLE_BOLD ? WA_BOLD : 0) |
                          (g.style & STYLE_DIM ? WA_DIM : 0) |
                          (g.style & STYLE_REVERSE ? WA_REVERSE : 0);
            short pair = (short)(s->colours ? g.style & STYLE_COLOUR : 0);
            wchar_t text[2] = {(wchar_t)g.ch, 0};
            cchar_t cell;
            if (setcchar(&cell, text, attr, pair, NULL) == OK)
                mvadd_wch(y, x, &cell);
        }
    refresh();
}

static const char *mouse_event(int *x, int *y)
{
    MEVENT e;
    if (getmouse(&e) != OK)
        return NULL;
    *x = e.x;
    *y = e.y;
    return e.bstate & BUTTON4_PRESSED                       ? "wheelup"
           : e.bstate & BUTTON5_PRESSED                     ? "wheeldown"
           : e.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? "click"
                                                            : NULL;
}

#define CONTROL(letter) ((letter)-64)

const char *screen_key(struct screen *s, int ms, int *x, int *y)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {KEY_LEFT, "left"},       {KEY_RIGHT, "right"},
        {KEY_UP, "up"},           {KEY_DOWN, "down"},
        {KEY_HOME, "home"},       {KEY_END, "end"},
        {KEY_PPAGE, "pageup"},    {KEY_NPAGE, "pagedown"},
        {KEY_RESIZE, "resize"},   {'\t', "tab"},
        {'\n', "enter"},          {'\r', "enter"},
        {KEY_ENTER, "enter"},     {27, "escape"},
        {127, "backspace"},       {KEY_BACKSPACE, "backspace"},
        {KEY_BTAB, "backtab"},    {CONTROL('G'), "escape"},
        {CONTROL('U'), "ctrl-u"}, {CONTROL('W'), "ctrl-w"},
        {CONTROL('N'), "down"},   {CONTROL('P'), "up"},
    };
    static char plain[2];
    (void)s;
    timeout(ms);
    int key = getch();
    if (key == ERR) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        bool gone = poll(&in, 1, 0) > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL);
        return gone ? "hangup" : NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == key)
            return names[i].name;
    if (key == KEY_MOUSE)
        return mouse_event(x, y);
    if (key < ' ' || key > '~')
        return NULL;
    plain[0] = (char)key;
    return plain;
}
