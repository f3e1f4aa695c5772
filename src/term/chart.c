/* See chart.h. */
#include "term/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Dash patterns, 12 dots long, one for each curve; the last is of provisional curves.
static const char *const pattern[] = {
    "############", "####..####..", "#.#.#.#.#.#.", "#####..#..##", "########....",
    "##..##..##..", "#...#...#...", "######.#.#.#", "#..#..#..#..",
};
#define FAINT 8

/* The path of a curve: dots in the order of drawing. */

struct pen {
    struct canvas *canvas;
    const struct chart *chart;
    const struct curve *curve;
    int px, py;            // the last dot
    int length;            // dots so far
    int cx, cy, cells;     // the last cell and how many the path entered
    int every, offset;     // letters: at cells offset, offset + every, …
    bool marking, started;
};

static void pen_dot(struct pen *p, int px, int py)
{
    int cx = px >= 0 ? px / 2 : -1, cy = py / 4;
    if (!p->started || cx != p->cx || cy != p->cy) {
        p->cx = cx;
        p->cy = cy;
        if (p->marking && p->cells >= p->offset &&
            canvas_mark(p->canvas, p->chart->plot_left + cx, p->chart->plot_top + cy,
                        p->curve->id))
            p->offset += p->every;
        p->cells++;
    }
    p->started = true;
    p->px = px;
    p->py = py;
    const char *dash = pattern[p->curve->faint ? FAINT : p->curve->id];
    if (!p->marking && (canvas_ascii(p->canvas) || dash[p->length % 12] == '#'))
        canvas_dot(p->canvas, 2 * p->chart->plot_left + px,
                   4 * p->chart->plot_top + py, p->curve->id, p->curve->faint);
    p->length++;
}

// A horizontal or vertical run from the last dot, without it, to (px, py).
static void pen_line(struct pen *p, int px, int py)
{
    while (p->px != px || p->py != py) {
        int dx = (px > p->px) - (px < p->px), dy = (py > p->py) - (py < p->py);
        pen_dot(p, p->px + dx, p->py + dy);
    }
}

static void pen_path(struct pen *p)
{
    const struct chart *ch = p->chart;
    const struct curve *cu = p->curve;
    int columns = 2 * ch->plot_width - 1;
    double share = 0;
    p->started = false;
    p->length = p->cells = 0;
    for (size_t i = 0; i < cu->n; i++) {
        double x = cu->x[i];
        if (x < ch->x0) {
            share = cu->y[i];
            continue;
        }
        bool beyond = !(x <= ch->x1); // a NaN too
        int px = beyond ? columns : axes_column(ch, x);
        if (!p->started)
            pen_dot(p, share > 0 || beyond ? 0 : px, axes_row(ch, share));
        pen_line(p, px, axes_row(ch, share));
        if (beyond)
            return;
        share = cu->y[i];
        pen_line(p, px, axes_row(ch, share));
    }
    if (!p->started && share > 0) { // all of it lies left of the range
        pen_dot(p, 0, axes_row(ch, share));
        pen_line(p, columns, axes_row(ch, share));
    }
}

// Draws the dots, then walks again to set letters, staggered so that curves alternate.
static void draw_curve(struct canvas *c, const struct chart *chart,
                       const struct curve *curve, int turn, int turns)
{
    struct pen p = {.canvas = c, .chart = chart, .curve = curve};
    pen_path(&p);
    if (curve->faint || canvas_ascii(c) || p.cells == 0 || chart->plot_width < 2)
        return;
    int letters = p.cells / 16 > 0 ? p.cells / 16 : 1;
    p.every = (p.cells + letters - 1) / letters;
    p.offset = p.every * (2 * turn + 1) / (2 * turns);
    p.marking = true;
    pen_path(&p);
}

/* Range. */

// The range of the errors below 100 of the faint curves, or of the others; true: some are not.
static bool data_range(const struct curve *curves, int n, bool faint, double *lo,
                       double *hi)
{
    bool failed = false;
    for (int k = 0; k < n; k++) {
        if (curves[k].hidden || curves[k].faint != faint)
            continue;
        for (size_t i = 0; i < curves[k].n; i++) {
            double x = curves[k].x[i];
            if (!(x < 100)) // failed, or NaN
                failed = true;
            else if (isfinite(x)) {
                *lo = fmin(*lo, x);
                *hi = fmax(*hi, x);
            }
        }
    }
    return failed;
}

// Provisional errors start high: they set the range only while there are no others.
static void find_range(struct chart *chart, const struct curve *curves, int n)
{
    if (chart->x0 < chart->x1)
        return;
    double lo = INFINITY, hi = -INFINITY;
    bool failed = data_range(curves, n, false, &lo, &hi);
    if (lo > hi)
        failed |= data_range(curves, n, true, &lo, &hi);
    if (lo > hi) { // nothing finished, or nothing but failures
        chart->x0 = failed ? 90 : 0;
        chart->x1 = 100;
        return;
    }
    double pad = hi > lo ? 0.02 * (hi - lo) : 1;
    chart->x0 = lo >= 0 ? fmax(0, lo - pad) : lo - pad;
    chart->x1 = hi <= 100 ? fmin(100, hi + pad) : hi + pad;
}

static void draw_cursor(struct canvas *c, const struct chart *chart)
{
    if (!(chart->cursor >= chart->x0 && chart->cursor <= chart->x1))
        return;
    int x = chart->plot_left + axes_column(chart, chart->cursor) / 2;
    for (int y = chart->plot_top; y < chart->plot_top + chart->plot_height; y++)
        if (canvas_blank(c, x, y))
            canvas_text(c, x, y, canvas_ascii(c) ? ":" : "┊", 1, STYLE_DIM);
}

// A column of the band, from share lo to share hi.
static void shade_columns(struct canvas *c, const struct chart *chart, int from, int to,
                          double lo, double hi, int id)
{
    int bottom = axes_row(chart, lo), top = axes_row(chart, hi);
    for (int px = from; lo < hi && px < to; px++)
        for (int py = top; py <= bottom; py++)
            canvas_shade(c, 2 * chart->plot_left + px, 4 * chart->plot_top + py, id);
}

static void draw_band(struct canvas *c, const struct chart *chart, const struct band *b)
{
    double lo = 0, hi = 0;
    int px = 0;
    for (size_t i = 0; i < b->n && b->x[i] <= chart->x1; i++) {
        if (b->x[i] >= chart->x0) {
            int to = axes_column(chart, b->x[i]);
            shade_columns(c, chart, px, to, lo, hi, b->id);
            px = to;
        }
        lo = b->lo[i];
        hi = b->hi[i];
    }
    shade_columns(c, chart, px, 2 * chart->plot_width, lo, hi, b->id);
}

void chart_draw(struct canvas *c, struct chart *chart, const struct curve *curves, int n,
                const struct band *band)
{
    find_range(chart, curves, n);
    axes_draw(c, chart);
    if (band)
        draw_band(c, chart, band);
    int turns = 0, turn = 0;
    for (int k = 0; k < n; k++)
        turns += !curves[k].faint && !curves[k].hidden;
    for (int k = 0; k < n; k++)
        if (!curves[k].hidden) {
            draw_curve(c, chart, &curves[k], turn, turns);
            turn += !curves[k].faint;
        }
    draw_cursor(c, chart);
}

/* Legend. */

// Four cells of the curve's dashes (ASCII: its letters), then its letter.
static void draw_key(struct canvas *c, int x, int y, const struct curve *curve)
{
    int style = curve->hidden ? STYLE_DIM : curve->id + 1;
    char letter[2] = {(char)('a' + curve->id), 0};
    const char *dash = pattern[curve->id];
    for (int i = 0; i < 4; i++) {
        char cell[5] = {letter[0], 0};
        uint32_t dots = dash[2 * i] == '#' ? 2 : 0;
        dots |= dash[2 * i + 1] == '#' ? 0x10 : 0;
        if (!canvas_ascii(c))
            cell[dots ? canvas_utf8(0x2800 + dots, cell) : (cell[0] = ' ', 1)] = 0;
        canvas_text(c, x + i, y, curve->hidden ? " " : cell, 1, style);
    }
    canvas_text(c, x + 5, y, letter, 1, style | STYLE_BOLD);
}

static void draw_right(struct canvas *c, int right, int y, const char *text, int style)
{
    int width = canvas_text_width(text);
    canvas_text(c, right - width, y, text, width, style);
}

static const char *percent(char *buffer, size_t size, double value)
{
    snprintf(buffer, size, isfinite(value) ? "%.2f" : "-", value);
    return buffer;
}

int chart_legend(struct canvas *c, int left, int top, int width, int height,
                 const struct curve *curves, int n)
{
    int shown = 0, longest = 4, count_width = 3, failed = 0;
    for (int k = 0; k < n; k++)
        if (!curves[k].faint) {
            int w = canvas_text_width(curves[k].name);
            int cw = canvas_text_width(curves[k].count);
            longest = w > longest ? w : longest;
            count_width = cw > count_width ? cw : count_width;
            failed += curves[k].failed;
            shown++;
        }
    // Columns give way, the mean first, when the name would have less than 6 cells.
    int with_failed = failed > 0 ? 7 : 0, with_mean = 7, with_min = 7, key = 7;
    int rest = width - key - count_width - 1;
    if (rest - with_mean - with_min - with_failed < 6)
        with_mean = 0;
    if (rest - with_mean - with_min - with_failed < 6)
        with_min = 0;
    if (rest - with_failed < 6)
        with_failed = 0;
    int room = rest - with_failed - with_mean - with_min;
    int name_width = longest < room ? longest : room < 1 ? 1 : room;
    int at_count = left + key + name_width + 1 + count_width;
    int at_min = at_count + with_min;
    int at_mean = at_min + with_mean, at_failed = at_mean + with_failed;
    int y = top, heading = height > shown && width >= 24;
    if (heading) {
        draw_right(c, at_count, y, "n", STYLE_DIM);
        if (with_min)
            draw_right(c, at_min, y, "min", STYLE_DIM);
        if (with_mean)
            draw_right(c, at_mean, y, "mean", STYLE_DIM);
        if (with_failed)
            draw_right(c, at_failed, y, "failed", STYLE_DIM);
        y++;
    }
    for (int k = 0; k < n && y < top + height; k++) {
        const struct curve *cu = &curves[k];
        char text[32];
        int style = cu->hidden ? STYLE_DIM : 0;
        if (cu->faint)
            continue;
        draw_key(c, left, y, cu);
        if (cu->selected)
            canvas_text(c, left + 6, y, ">", 1, STYLE_BOLD);
        canvas_text(c, left + key, y, cu->name, name_width, style);
        draw_right(c, at_count, y, cu->count, style);
        if (with_min)
            draw_right(c, at_min, y, percent(text, sizeof text, cu->min), style);
        if (with_mean)
            draw_right(c, at_mean, y, percent(text, sizeof text, cu->mean), style);
        if (with_failed) {
            snprintf(text, sizeof text, "%d", cu->failed);
            draw_right(c, at_failed, y, text, cu->failed ? STYLE_ALARM : style);
        }
        y++;
    }
    return y - top;
}
