/* The terminal: what it can do, and one full-screen window on it (ncursesw).  The only
 * file that knows curses; everything shown is composed on a canvas first.
 *
 * At most one screen is open.  It is restored by screen_close, by exit, by die() and by
 * SIGQUIT, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, whose handler writes escape bytes
 * prepared beforehand and then lets the signal take its course.  SIGTERM and SIGHUP are the
 * program's: whoever has the screen open asks for them and closes it. */
#ifndef TERM_SCREEN_H
#define TERM_SCREEN_H
#include <stdbool.h>

#include "base/error.h"
#include "term/canvas.h"

/* The locale is UTF-8 and knows braille, and $TERM is not one whose fonts lack it. */
bool term_unicode(void);

/* Colours of $TERM: 0, 8, 16, 256 …; 0 when it is unknown, dumb or $NO_COLOR is set. */
int term_colours(void);

struct screen;

/* "ncurses 6.4.20221231" */
const char *screen_library(void);

/* Takes stdin and stdout over; NULL with a message when they are no terminal, $TERM is
 * unknown or cannot move the cursor, or a screen is open already.  colours: where $TERM has
 * them. */
struct screen *screen_open(bool colours, struct error *e);
void screen_close(struct screen *s); // NULL is fine

/* The terminal as it was before, but that keys come at once and unseen, until screen_enter;
 * between them only screen_pressed may be called: whether a key was within ms. */
void screen_leave(struct screen *s);
bool screen_pressed(struct screen *s, int ms);
void screen_enter(struct screen *s);
void screen_size(const struct screen *s, int *width, int *height);

/* Shows the canvas from the top left corner; what it does not cover is blank. */
void screen_paint(struct screen *s, const struct canvas *c);

/* Waits at most `ms` milliseconds for a key.  Returns its name: the character itself,
 * or "left" "right" "up" "down" "home" "end" "pageup" "pagedown" "tab" "enter" "escape"
 * "backspace" "resize"; "click" "wheelup" "wheeldown" of the mouse, with its cell from 0 in
 * *x, *y; "hangup" when the terminal is gone; NULL when nothing came. */
const char *screen_key(struct screen *s, int ms, int *x, int *y);

#endif
