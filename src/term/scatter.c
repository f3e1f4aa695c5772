/* Points on a chart: properties of models against their errors, and the learning curve of
 * one model.  See chart.h. */
#include <math.h>
#include <stdlib.h>

#include "term/chart.h"

// A straight run of dots.
static void draw_line(struct canvas *c, const struct chart *chart, int px, int py, int to_x,
                      int to_y, int id)
{
    int n = abs(to_x - px) > abs(to_y - py) ? abs(to_x - px) : abs(to_y - py);
    for (int i = 1; i < n; i++)
        canvas_dot(c, 2 * chart->plot_left + px + (int)lround((double)(to_x - px) * i / n),
                   4 * chart->plot_top + py + (int)lround((double)(to_y - py) * i / n), id,
                   false);
}

// Two dots square, so that a point is seen.
static void draw_point(struct canvas *c, const struct chart *chart, int px, int py, int id)
{
    for (int i = 0; i < 4; i++)
        if (px + i % 2 < 2 * chart->plot_width && py + i / 2 < 4 * chart->plot_height)
            canvas_dot(c, 2 * chart->plot_left + px + i % 2,
                       4 * chart->plot_top + py + i / 2, id, false);
}

static bool within(const struct chart *chart, double x)
{
    return x >= chart->x0 && x <= chart->x1; // a NaN is not
}

void chart_points(struct canvas *c, struct chart *chart, const struct points *p)
{
    axes_draw(c, chart);
    bool band = p->lo <= p->hi && p->hi >= chart->x0 && p->lo <= chart->x1;
    int from = band ? axes_column(chart, p->lo) : 0;
    int to = band ? axes_column(chart, p->hi) : -1;
    for (int px = from; px <= to; px++)
        for (int py = 0; py < 4 * chart->plot_height; py++)
            canvas_shade(c, 2 * chart->plot_left + px, 4 * chart->plot_top + py, p->id);
    int last_x = -1, last_y = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (!within(chart, p->x[i]))
            continue;
        int px = axes_column(chart, p->x[i]), py = axes_row(chart, p->y[i]);
        if (p->joined && last_x >= 0)
            draw_line(c, chart, last_x, last_y, px, py, p->id);
        draw_point(c, chart, px, py, p->id);
        last_x = px;
        last_y = py;
    }
    if (!within(chart, p->median))
        return;
    int x = chart->plot_left + axes_column(chart, p->median) / 2;
    for (int y = chart->plot_top; y < chart->plot_top + chart->plot_height; y++)
        if (canvas_blank(c, x, y))
            canvas_text(c, x, y, canvas_ascii(c) ? ":" : "┊", 1, STYLE_BOLD);
}
