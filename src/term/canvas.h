/* A canvas in memory: a grid of character cells, each with text or with 2 × 4 braille
 * dots (ASCII: one letter per curve), a colour and attributes.  Pure: it knows no
 * terminal, so every frame can be tested as text; screen.c paints it, plot prints it.
 * Invariant: what lies outside the grid is clipped, never an error.
 * Braille (U+2800–28FF): dots of column 0 are 1, 2, 4, 0x40 from the top, of column 1
 * 8, 0x10, 0x20, 0x80.  Overlapping curves share a cell by turns: none hides another. */
#ifndef TERM_CANVAS_H
#define TERM_CANVAS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_MAX 1000 // cells in either direction
#define CANVAS_CURVES 8 // curves told apart without colour

// A style: colour 0 … 15 plus attributes.  0 = the terminal's own, 1 … 8 = the curves.
enum {
    STYLE_COLOUR = 0x0f,
    STYLE_ALARM = 9,
    STYLE_GOOD = 10,
    STYLE_BOLD = 0x10,
    STYLE_DIM = 0x20,
    STYLE_REVERSE = 0x40,
};

// What one cell shows; ch 0 is the right half of a double-width character.
struct glyph {
    uint32_t ch;
    uint8_t style;
};

struct canvas;

/* width, height: cells, clamped to 1 … CANVAS_MAX.  The caller owns the result. */
struct canvas *canvas_new(int width, int height, bool ascii);
void canvas_free(struct canvas *c);
int canvas_width(const struct canvas *c);
int canvas_height(const struct canvas *c);
bool canvas_ascii(const struct canvas *c);

/* Writes UTF-8 text from cell (x, y), at most `width` cells (an ellipsis ends what is
 * cut; negative: to the right edge), and returns the cell after it.  Control characters,
 * malformed bytes and, on an ASCII canvas, everything beyond ASCII become '?'. */
int canvas_text(struct canvas *c, int x, int y, const char *s, int width, int style);
int canvas_text_width(const char *s); // cells it takes

/* One dot of curve 0 … 7, at dot column px (2 per cell) and dot row py (4 per cell).
 * faint: of a provisional curve (ASCII: '.', not the letter). */
void canvas_dot(struct canvas *c, int px, int py, int curve, bool faint);

/* One dot of an area that lies behind every curve: one in sixteen shows (ASCII: ','). */
void canvas_shade(struct canvas *c, int px, int py, int curve);

/* Puts the letter of a curve into a cell, unless it holds text or another letter. */
bool canvas_mark(struct canvas *c, int x, int y, int curve);

bool canvas_blank(const struct canvas *c, int x, int y);
struct glyph canvas_glyph(const struct canvas *c, int x, int y);

/* Row y as UTF-8 without trailing blanks, NUL-terminated; `out` has canvas_row_bytes(c).
 * colours: 0 none, 8 or 256: ANSI escapes, reset at the end.  Returns the length. */
size_t canvas_row(const struct canvas *c, int y, int colours, char *out);
size_t canvas_row_bytes(const struct canvas *c);

/* The colour number of a style on a terminal of `colours` colours, or -1 for its own. */
int canvas_colour(int style, int colours);

/* Encodes one character; returns its bytes (1 … 4), not terminated. */
int canvas_utf8(uint32_t ch, char out[4]);

#endif
