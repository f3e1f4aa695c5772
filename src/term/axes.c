/* Axes of a chart: its range in dots, frame, round ticks, labels.  See chart.h. */
#include <math.h>
#include <stdio.h>

#include "term/chart.h"

static double position(double x, double x0, double x1, int logarithmic)
{
    double at = logarithmic ? log(x / x0) / log(x1 / x0) : (x - x0) / (x1 - x0);
    return at > 1 ? 1 : at > 0 ? at : 0; // a NaN is 0
}

int axes_column(const struct chart *chart, double x)
{
    double at = position(x, chart->x0, chart->x1, chart->log_x);
    return (int)(at * (2 * chart->plot_width - 1) + 0.5);
}

int axes_row(const struct chart *chart, double y)
{
    int rows = 4 * chart->plot_height - 1;
    return rows - (int)(position(y, chart->y0, chart->y1, chart->log_y) * rows + 0.5);
}

// The step 1, 2 or 5 × 10^k that cuts `span` into at most `most` parts.
static double nice_step(double span, int most)
{
    double raw = span / (most < 1 ? 1 : most);
    double power = pow(10, floor(log10(raw)));
    double m = raw / power;
    return power * (m <= 1.000001 ? 1 : m <= 2.000001 ? 2 : m <= 5.000001 ? 5 : 10);
}

// The first tick of a logarithmic axis: a power of 2, in thousands, millions …, or of 10.
static double first_log_tick(double x0, int base)
{
    if (base != 2)
        return pow(10, floor(log10(x0)));
    double unit = x0 < 1e4 ? 1 : pow(1000, floor(log10(x0) / 3));
    return unit * pow(2, floor(log2(x0 / unit)));
}

// The tick after `x`: 1, 2, 5, 10, … or double.
static double next_log_tick(double x, int base)
{
    if (base == 2)
        return 2 * x;
    double power = pow(10, floor(log10(x) + 1e-9)), m = x / power;
    return power * (m < 1.999999 ? 2 : m < 4.999999 ? 5 : 10);
}

// A number with the digits that ticks `step` apart need: "0.25", "48", "1.5M".
static int tick_text(char *text, size_t size, double x, double step)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    int k = 0;
    if (fabs(x) < 1e4)
        k = 3;
    while (k < 3 && fabs(x) < units[k].unit)
        k++;
    double unit = units[k].unit;
    int digits = step >= unit ? 0 : (int)ceil(-log10(step / unit) - 1e-9);
    return snprintf(text, size, "%.*f%s", digits, x / unit + 0.0, units[k].name);
}

// The step of ticks on a span that has room for `most`; at least two ticks, if need be closer.
static double tick_step(double from, double to, int most)
{
    double step = nice_step(to - from, most);
    for (int parts = most + 1; parts <= 4 * most + 4; parts++) {
        if (floor(to / step + 1e-9) - ceil(from / step - 1e-9) >= 1)
            break;
        step = nice_step(to - from, parts);
    }
    return step;
}

// A title, which says when its axis is logarithmic.
static void title(struct canvas *c, int x, int y, const char *text, int log, int width)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s%s", text, log ? " (log scale)" : "");
    canvas_text(c, x, y, canvas_text_width(whole) <= width ? whole : text, width, STYLE_DIM);
}

struct layout {
    bool y_labels, y_axis, x_axis, x_labels, x_title, y_title;
};

static struct layout lay_out(struct chart *chart)
{
    struct layout l = {0};
    int w = chart->width, h = chart->height;
    l.y_labels = w >= 20;
    l.y_axis = w >= 8;
    l.x_axis = h >= 3;
    l.x_labels = h >= 4 && w >= 8;
    l.x_title = chart->x_label && h >= 9 && w >= 20;
    l.y_title = chart->y_label && h >= 9 && w >= 20;
    int left = l.y_labels ? 5 : l.y_axis ? 1 : 0;
    chart->plot_left = chart->left + left;
    chart->plot_width = w - left > 0 ? w - left : 1;
    chart->plot_top = chart->top + l.y_title;
    chart->plot_height = h - l.y_title - l.x_axis - l.x_labels - l.x_title;
    if (chart->plot_height < 1)
        chart->plot_height = 1;
    return l;
}

static void y_tick(struct canvas *c, const struct chart *chart, double y, double step)
{
    int row = chart->plot_top + axes_row(chart, y) / 4;
    char label[32];
    int n = tick_text(label, sizeof label, y, step);
    canvas_text(c, chart->plot_left - 1 - (n < 4 ? n : 4), row, label, 4, STYLE_DIM);
    canvas_text(c, chart->plot_left - 1, row, canvas_ascii(c) ? "+" : "┤", 1, STYLE_DIM);
}

static void draw_y_axis(struct canvas *c, const struct chart *chart, const struct layout *l)
{
    int height = chart->plot_height;
    for (int y = 0; l->y_axis && y < height; y++)
        canvas_text(c, chart->plot_left - 1, chart->plot_top + y, canvas_ascii(c) ? "|" : "│",
                    1, STYLE_DIM);
    if (l->y_title)
        title(c, chart->left, chart->top, chart->y_label, chart->log_y, chart->width);
    if (!l->y_labels)
        return;
    if (chart->y0 == 0 && chart->y1 == 1) { // shares
        int parts = height >= 31 ? 10 : height >= 9 ? 4 : height >= 5 ? 2 : 1;
        for (int i = 0; i <= parts; i++)
            y_tick(c, chart, (double)i / parts, parts == 4 ? 0.01 : 0.1);
        return;
    }
    if (chart->log_y && chart->y1 / chart->y0 > 2) {
        int last = 4 * height; // no two labels in one row
        for (double y = first_log_tick(chart->y0, chart->log_y); y <= chart->y1 * 1.000001;
             y = next_log_tick(y, chart->log_y))
            if (y >= chart->y0 * 0.999999 && axes_row(chart, y) / 4 < last / 4) {
                y_tick(c, chart, y, y);
                last = axes_row(chart, y);
            }
        return;
    }
    double span = chart->y1 - chart->y0, step = tick_step(chart->y0, chart->y1, height / 3);
    for (double i = ceil(chart->y0 / step - 1e-9); i * step <= chart->y1 + 1e-9 * span; i++)
        y_tick(c, chart, i * step, step);
}

static void draw_x_axis(struct canvas *c, const struct chart *chart, const struct layout *l)
{
    bool ascii = canvas_ascii(c);
    int y = chart->plot_top + chart->plot_height;
    int right = chart->plot_left + chart->plot_width;
    if (!l->x_axis)
        return;
    if (l->y_axis)
        canvas_text(c, chart->plot_left - 1, y, ascii ? "+" : "└", 1, STYLE_DIM);
    for (int x = chart->plot_left; x < right; x++)
        canvas_text(c, x, y, ascii ? "-" : "─", 1, STYLE_DIM);
    if (l->x_title) {
        int w = canvas_text_width(chart->x_label) + (chart->log_x ? 12 : 0);
        int x = chart->plot_left + (chart->plot_width - w) / 2;
        x = x < chart->left ? chart->left : x;
        title(c, x, y + 2, chart->x_label, chart->log_x, chart->width);
    }
    if (!l->x_labels)
        return;
    double span = chart->x1 - chart->x0, last = chart->x1 + 1e-9 * span;
    bool decades = chart->log_x && chart->x1 / chart->x0 > 8;
    bool names = chart->x_names != NULL;
    if (names)
        last = fmin(last, chart->n_names);
    double step = nice_step(span, chart->plot_width < 18 ? 2 : chart->plot_width / 9);
    int free_from = chart->left;
    if (names)
        step = 1;
    double first =
        decades ? first_log_tick(chart->x0, chart->log_x) : ceil(chart->x0 / step - 1e-9);
    for (double i = first; (decades ? i : i * step) <= last;
         i = decades ? next_log_tick(i, chart->log_x) : i + 1) {
        double at = decades ? i : i * step;
        char label[64];
        if (at < chart->x0 - 1e-9 * span)
            continue;
        if (names && at < 1)
            continue;
        int w = names ? snprintf(label, sizeof label, "%s", chart->x_names[(int)at - 1])
                      : tick_text(label, sizeof label, at, decades ? i : step);
        if (names)
            w = canvas_text_width(label);
        int x = chart->plot_left + axes_column(chart, at) / 2, from = x - w / 2;
        if (from + w > right)
            from = right - w;
        canvas_text(c, x, y, ascii ? "+" : "┬", 1, STYLE_DIM);
        if (from < free_from)
            continue;
        free_from = canvas_text(c, from, y + 1, label, w, STYLE_DIM) + 1;
    }
}

void axes_draw(struct canvas *c, struct chart *chart)
{
    if (!(chart->y0 < chart->y1)) {
        chart->y0 = 0;
        chart->y1 = 1;
    }
    chart->log_x = chart->x0 > 0 ? chart->log_x : 0;
    chart->log_y = chart->y0 > 0 ? chart->log_y : 0;
    struct layout l = lay_out(chart);
    draw_y_axis(c, chart, &l);
    draw_x_axis(c, chart, &l);
}
