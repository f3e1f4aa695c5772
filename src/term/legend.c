/* The legend of a chart.  See chart.h. */
#include <math.h>
#include <stdio.h>

#include "term/chart.h"

// Four cells of the curve's dashes (ASCII: its letters), then its letter.
static void draw_key(struct canvas *c, int x, int y, const struct curve *curve)
{
    int style = curve->hidden ? STYLE_DIM : curve->id + 1;
    char letter[2] = {(char)('a' + curve->id), 0};
    const char *dash = chart_dashes(curve->id);
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
    bool figures = false; // a curve without a count has no figures
    for (int k = 0; k < n; k++)
        if (!curves[k].faint) {
            int w = canvas_text_width(curves[k].name);
            int cw = canvas_text_width(curves[k].count);
            longest = w > longest ? w : longest;
            count_width = cw > count_width ? cw : count_width;
            failed += curves[k].failed;
            figures |= cw > 0;
            shown++;
        }
    // Columns give way, the mean first, when the name would have less than 6 cells.
    int with_failed = failed > 0 ? 7 : 0, with_mean = 7, with_min = 7, key = 7;
    if (!figures)
        count_width = with_mean = with_min = 0;
    int rest = width - key - count_width - 1;
    if (rest - with_mean - with_min - with_failed < 6)
        with_mean = 0;
    if (rest - with_mean - with_min - with_failed < 6)
        with_min = 0;
    if (rest - with_failed < 6)
        with_failed = 0;
    int available = rest - with_failed - with_mean - with_min;
    int name_width = longest < available ? longest : available < 1 ? 1 : available;
    int at_count = left + key + name_width + 1 + count_width;
    int at_min = at_count + with_min;
    int at_mean = at_min + with_mean, at_failed = at_mean + with_failed;
    int y = top, heading = figures && height > shown && width >= 24;
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
