/* See canvas.h. */
#include "term/canvas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cell {
    uint32_t text;  // a character, 0 = none, RIGHT_HALF
    uint8_t style;  // of the text
    uint8_t dots;   // braille bits
    uint8_t curves; // bit i: curve i passes
    uint8_t faint;  // bit i: curve i passes provisionally
    uint8_t shade;  // braille bits of an area behind the curves
    uint8_t behind; // the curve it belongs to
    uint8_t mark;   // 1 + the curve whose letter stands here, 0 = none
};

struct canvas {
    int width, height;
    bool ascii;
    struct cell *cells;
};

#define RIGHT_HALF UINT32_MAX

static int clamp(int n, int lo, int hi)
{
    return n < lo ? lo : n > hi ? hi : n;
}

struct canvas *canvas_new(int width, int height, bool ascii)
{
    struct canvas *c = xmalloc(sizeof *c);
    c->width = clamp(width, 1, CANVAS_MAX);
    c->height = clamp(height, 1, CANVAS_MAX);
    c->ascii = ascii;
    c->cells = xcalloc((size_t)c->width * c->height, sizeof *c->cells);
    return c;
}

void canvas_free(struct canvas *c)
{
    if (c)
        free(c->cells);
    free(c);
}

int canvas_width(const struct canvas *c)
{
    return c->width;
}

int canvas_height(const struct canvas *c)
{
    return c->height;
}

bool canvas_ascii(const struct canvas *c)
{
    return c->ascii;
}

static struct cell *at(const struct canvas *c, int x, int y)
{
    if (x < 0 || y < 0 || x >= c->width || y >= c->height)
        return NULL;
    return &c->cells[(size_t)y * c->width + x];
}

/* Text. */

// The next character of UTF-8 text, '?' for what is malformed; moves *s past it.
static uint32_t next_char(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    int more = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
    if (*p >= 0xf5)
        more = -1;
    uint32_t ch = more <= 0 ? *p : *p & (0x3f >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            more = -1;
            break;
        }
        ch = ch << 6 | (p[i] & 0x3f);
    }
    *s += more < 0 ? 1 : more + 1;
    bool overlong = (more == 2 && ch < 0x800) || (more == 3 && ch < 0x10000);
    if (more < 0 || overlong || (ch >= 0xd800 && ch < 0xe000) || ch > 0x10ffff)
        return '?';
    return ch < 0x20 || (ch >= 0x7f && ch < 0xa0) ? '?' : ch;
}

// Cells a character takes.  By Unicode's main blocks, not by wcwidth, whose answer
// depends on the locale; combining marks (0) are left out.
static int char_width(uint32_t ch)
{
    static const uint32_t wide[][2] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    if ((ch >= 0x300 && ch <= 0x36f) || (ch >= 0x200b && ch <= 0x200f) || ch == 0xfeff)
        return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (ch >= wide[i][0] && ch <= wide[i][1])
            return 2;
    return 1;
}

int canvas_text_width(const char *s)
{
    int n = 0;
    while (*s)
        n += char_width(next_char(&s));
    return n;
}

static void put(struct canvas *c, int x, int y, uint32_t ch, int style)
{
    struct cell *cell = at(c, x, y);
    if (cell) {
        cell->text = ch;
        cell->style = (uint8_t)style;
    }
}

int canvas_text(struct canvas *c, int x, int y, const char *s, int width, int style)
{
    int end = width < 0 || width > c->width ? c->width : x + width;
    bool cut = canvas_text_width(s) > end - x;
    int stop = cut ? end - 1 : end; // the ellipsis takes the last cell
    while (*s && x < stop) {
        uint32_t ch = next_char(&s);
        int cells = char_width(ch);
        if (c->ascii && ch > 0x7e) {
            ch = '?';
            cells = cells ? 1 : 0;
        }
        if (cells == 0)
            continue;
        if (x + cells > stop)
            break;
        put(c, x, y, ch, style);
        if (cells == 2)
            put(c, x + 1, y, RIGHT_HALF, style);
        x += cells;
    }
    if (cut && x < end) {
        put(c, x, y, c->ascii ? '~' : 0x2026, style);
        x++;
    }
    return x;
}

/* Curves. */

static const uint8_t dot_bit[2][4] = {{1, 2, 4, 0x40}, {8, 0x10, 0x20, 0x80}};

void canvas_dot(struct canvas *c, int px, int py, int curve, bool faint)
{
    struct cell *cell = px < 0 || py < 0 ? NULL : at(c, px / 2, py / 4);
    if (!cell)
        return;
    cell->dots |= dot_bit[px % 2][py % 4];
    uint8_t mask = (uint8_t)(1 << curve);
    if (faint)
        cell->faint |= mask;
    else
        cell->curves |= mask;
}

void canvas_shade(struct canvas *c, int px, int py, int curve)
{
    struct cell *cell = px < 0 || py < 0 ? NULL : at(c, px / 2, py / 4);
    if (!cell || px % 4 != 0 || py % 4 != (px % 8 == 0 ? 1 : 3))
        return;
    cell->shade |= dot_bit[px % 2][py % 4];
    cell->behind = (uint8_t)(curve + 1);
}

bool canvas_mark(struct canvas *c, int x, int y, int curve)
{
    struct cell *cell = at(c, x, y);
    if (!cell || cell->text || cell->mark)
        return false;
    cell->mark = (uint8_t)(1 + curve);
    return true;
}

bool canvas_blank(const struct canvas *c, int x, int y)
{
    struct cell *cell = at(c, x, y);
    return cell && (!cell->text || cell->text == ' ') && !cell->curves && !cell->faint &&
           !cell->mark;
}

// Which of the curves of a cell it shows: they take turns along diagonals.
static int turn(unsigned curves, int x, int y)
{
    int n = 0, at_curve[CANVAS_CURVES];
    for (int i = 0; i < CANVAS_CURVES; i++)
        if (curves >> i & 1)
            at_curve[n++] = i;
    return at_curve[(x + y) % n];
}

struct glyph canvas_glyph(const struct canvas *c, int x, int y)
{
    struct cell *cell = at(c, x, y);
    if (!cell)
        return (struct glyph){' ', 0};
    if (cell->text)
        return (struct glyph){cell->text == RIGHT_HALF ? 0 : cell->text, cell->style};
    if (cell->mark)
        return (struct glyph){'a' + cell->mark - 1u, cell->mark | STYLE_BOLD};
    unsigned curves = cell->curves ? cell->curves : cell->faint;
    if (!curves && cell->shade && (!c->ascii || (x + 2 * y) % 4 == 0))
        return (struct glyph){c->ascii ? ',' : 0x2800u + cell->shade,
                              (uint8_t)(cell->behind | STYLE_DIM)};
    if (!curves)
        return (struct glyph){' ', 0};
    int i = turn(curves, x, y);
    uint32_t ascii = cell->curves ? 'a' + (uint32_t)i : '.';
    return (struct glyph){c->ascii ? ascii : 0x2800u + cell->dots, (uint8_t)(i + 1)};
}

/* Output. */

int canvas_utf8(uint32_t ch, char out[4])
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    int more = ch < 0x800 ? 1 : ch < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    for (int i = more; i > 0; i--, ch >>= 6)
        out[i] = (char)(0x80 | (ch & 0x3f));
    out[0] = (char)(lead[more] | ch);
    return more + 1;
}

// Okabe and Ito's colours that stay apart for the colour-blind, in the 256-colour cube;
// on 8 colours the curves repeat six, and letters and dashes do the rest.
int canvas_colour(int style, int colours)
{
    static const short rich[] = {-1, 32, 208, 36, 170, 178, 75, 166, 245, 196, 34};
    static const short plain[] = {-1, 4, 1, 2, 5, 3, 6, 4, 1, 1, 2};
    int i = style & STYLE_COLOUR;
    if (colours < 8 || i > 10)
        return -1;
    return colours >= 256 ? rich[i] : plain[i];
}

static size_t put_style(char *out, int style, int colours)
{
    size_t n = (size_t)sprintf(out, "\033[0");
    if (style & STYLE_BOLD)
        n += (size_t)sprintf(out + n, ";1");
    if (style & STYLE_DIM)
        n += (size_t)sprintf(out + n, ";2");
    if (style & STYLE_REVERSE)
        n += (size_t)sprintf(out + n, ";7");
    int colour = canvas_colour(style, colours);
    if (colour >= 0)
        n += (size_t)sprintf(out + n, colours >= 256 ? ";38;5;%d" : ";3%d", colour);
    return n + (size_t)sprintf(out + n, "m");
}

size_t canvas_row_bytes(const struct canvas *c)
{
    return (size_t)c->width * (4 + sizeof "\033[0;1;2;7;38;5;255m") + sizeof "\033[0m";
}

size_t canvas_row(const struct canvas *c, int y, int colours, char *out)
{
    size_t n = 0, end = 0; // end: after the last visible cell
    int style = 0;
    for (int x = 0; x < c->width; x++) {
        struct glyph g = canvas_glyph(c, x, y);
        if (!g.ch)
            continue;
        if (colours && g.style != style) {
            n += put_style(out + n, g.style, colours);
            style = g.style;
        }
        n += (size_t)canvas_utf8(g.ch, out + n);
        if (g.ch != ' ' || (colours && (g.style & STYLE_REVERSE)))
            end = n;
    }
    if (colours && style && end == n)
        end += (size_t)sprintf(out + end, "\033[0m");
    else if (colours && memchr(out, '\033', end))
        end += (size_t)sprintf(out + end, "\033[0m");
    out[end] = 0;
    return end;
}
