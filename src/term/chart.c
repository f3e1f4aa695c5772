/* See chart.h. */
#include "term/chart.h"

#include <math.h>
#include <stdlib.h>

// Dash patterns, 12 dots long, one for each curve; the last is of provisional curves.
static const char *const pattern[] = {
    "############", "####..####..", "#.#.#.#.#.#.", "#####..#..##", "########....",
    "##..##..##..", "#...#...#...", "######.#.#.#", "#..#..#..#..",
};
#define FAINT 8

const char *chart_dashes(int id)
{
    return pattern[id];
}

/* The path of a curve: dots in the order of drawing. */

struct pen {
    struct canvas *canvas;
    const struct chart *chart;
    const struct curve *curve;
    int px, py;        // the last dot
    int length;        // dots so far
    int cx, cy, cells; // the last cell and how many the path entered
    int every, offset; // letters: at cells offset, offset + every, …
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
        canvas_dot(p->canvas, 2 * p->chart->plot_left + px, 4 * p->chart->plot_top + py,
                   p->curve->id, p->curve->faint);
    p->length++;
}

// A straight run from the last dot, without it, to (px, py).
static void pen_line(struct pen *p, int px, int py)
{
    int x = p->px, y = p->py, dx = px - x, dy = py - y;
    int n = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
    for (int i = 1; i <= n; i++)
        pen_dot(p, x + (int)lround((double)dx * i / n), y + (int)lround((double)dy * i / n));
}

static bool within(const struct chart *chart, double x)
{
    return x >= chart->x0 && x <= chart->x1; // a NaN is not
}

// Straight lines from point to point; a NaN, or a point outside the range, parts them.
static void pen_polygon(struct pen *p)
{
    const struct chart *ch = p->chart;
    const struct curve *cu = p->curve;
    p->length = p->cells = 0;
    p->started = false;
    for (size_t i = 0; i < cu->n; i++) {
        if (!within(ch, cu->x[i]) || isnan(cu->y[i])) {
            p->started = false;
            continue;
        }
        int px = axes_column(ch, cu->x[i]), py = axes_row(ch, cu->y[i]);
        if (p->started)
            pen_line(p, px, py);
        else
            pen_dot(p, px, py);
    }
}

static void pen_steps(struct pen *p)
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

static void pen_path(struct pen *p)
{
    if (p->curve->shape == SHAPE_STEPS)
        pen_steps(p);
    else
        pen_polygon(p);
}

// Two dots square each, so that they are seen.
static void draw_points(struct canvas *c, const struct chart *chart, const struct curve *cu)
{
    for (size_t k = 0; k < cu->n; k++) {
        if (!within(chart, cu->x[k]) || isnan(cu->y[k]))
            continue;
        int px = axes_column(chart, cu->x[k]), py = axes_row(chart, cu->y[k]);
        for (int i = 0; i < 4; i++)
            if (px + i % 2 < 2 * chart->plot_width && py + i / 2 < 4 * chart->plot_height)
                canvas_dot(c, 2 * chart->plot_left + px + i % 2,
                           4 * chart->plot_top + py + i / 2, cu->id, false);
    }
}

// Draws the dots, then walks again to set letters, staggered so that curves alternate.
static void draw_curve(struct canvas *c, const struct chart *chart, const struct curve *curve,
                       int turn, int turns)
{
    struct pen p = {.canvas = c, .chart = chart, .curve = curve};
    if (curve->shape == SHAPE_POINTS) {
        draw_points(c, chart, curve);
        return;
    }
    pen_path(&p);
    if (curve->faint || !*curve->name || canvas_ascii(c) || p.cells == 0 ||
        chart->plot_width < 2)
        return;
    int letters = p.cells / 16 > 0 ? p.cells / 16 : 1;
    p.every = (p.cells + letters - 1) / letters;
    p.offset = p.every * (2 * turn + 1) / (2 * turns);
    p.marking = true;
    pen_path(&p);
}

/* Range. */

// The range of the errors below 100 of the faint curves, or of the others; true: some are not.
static bool data_range(const struct curve *curves, int n, bool faint, double *lo, double *hi)
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

// A vertical line behind everything else.
static void draw_upright(struct canvas *c, const struct chart *chart, double at,
                         const char *mark, int style)
{
    if (!within(chart, at))
        return;
    int x = chart->plot_left + axes_column(chart, at) / 2;
    for (int y = chart->plot_top; y < chart->plot_top + chart->plot_height; y++)
        if (canvas_blank(c, x, y))
            canvas_text(c, x, y, mark, 1, style | STYLE_DIM);
}

// Whether part i of an area spans the whole height, as behind the points of a scatter: of
// such a one only the two ends show.
static bool spans(const struct chart *chart, const struct band *b, size_t i)
{
    return fmax(b->lo[i], b->lo[i + 1]) <= chart->y0 &&
           fmin(b->hi[i], b->hi[i + 1]) >= chart->y1;
}

static void draw_ends(struct canvas *c, const struct chart *chart, const struct band *b)
{
    const char *mark = canvas_ascii(c) ? "|" : "╎";
    for (size_t i = 0; i + 1 < b->n; i++)
        if (spans(chart, b, i)) {
            draw_upright(c, chart, b->x[i], mark, b->id + 1);
            draw_upright(c, chart, b->x[i + 1], mark, b->id + 1);
        }
}

// Between straight lines; a column of the canvas has the place where it lies between points.
static void draw_area(struct canvas *c, const struct chart *chart, const struct band *b)
{
    for (size_t i = 0; i + 1 < b->n; i++) {
        double x0 = fmax(b->x[i], chart->x0), x1 = fmin(b->x[i + 1], chart->x1);
        if (!(x0 <= x1) || spans(chart, b, i))
            continue;
        int from = axes_column(chart, b->x[i]), to = axes_column(chart, b->x[i + 1]);
        for (int px = axes_column(chart, x0); px <= axes_column(chart, x1); px++) {
            double at = to > from ? (double)(px - from) / (to - from) : 0;
            double lo = b->lo[i] + at * (b->lo[i + 1] - b->lo[i]);
            double hi = b->hi[i] + at * (b->hi[i + 1] - b->hi[i]);
            for (int py = axes_row(chart, hi); lo < hi && py <= axes_row(chart, lo); py++)
                canvas_shade(c, 2 * chart->plot_left + px, 4 * chart->plot_top + py, b->id);
        }
    }
}

void chart_draw(struct canvas *c, struct chart *chart, const struct curve *curves, int n,
                const struct band *bands, int n_bands)
{
    find_range(chart, curves, n);
    axes_draw(c, chart);
    for (int k = 0; k < n_bands; k++)
        draw_area(c, chart, &bands[k]);
    int turns = 0, turn = 0;
    for (int k = 0; k < n; k++)
        turns += !curves[k].faint && !curves[k].hidden;
    for (int k = 0; k < n; k++)
        if (!curves[k].hidden) {
            draw_curve(c, chart, &curves[k], turn, turns);
            turn += !curves[k].faint;
        }
    draw_upright(c, chart, chart->cursor, canvas_ascii(c) ? ":" : "┊", 0);
    for (int k = 0; k < n_bands; k++)
        draw_ends(c, chart, &bands[k]);
}
