/* Charts drawn on a canvas: axes with round ticks, curves with letters along them, points,
 * areas, a legend.  A curve is told apart by its letter and its dash pattern; colour is
 * only a help.
 * Error EDFs: F(e) = share of models with error below e (Radosavovic et al. 2020,
 * equation 1): a step function, drawn with its vertical runs filled, from 0 at the best
 * model to 1 at the worst; nothing is interpolated or sampled on a grid.
 *
 * Errors are percent.  A failed model counts as 100 %: unless every model failed the
 * axis ends at the worst finished one, and the curve leaves through the right edge
 * below 1 by the share of failures. */
#ifndef TERM_CHART_H
#define TERM_CHART_H
#include "term/canvas.h"

enum shape { SHAPE_STEPS, SHAPE_LINE, SHAPE_POINTS, SHAPES };

struct curve {
    enum shape shape;
    const char *name; // "": no letters along it
    const char
        *count; // number of models as the legend shows it: "16", "12/16"; "" without figures
    double min, mean; // of the legend; NaN is shown as "-"
    int failed;
    int id;        // 0 … 7: letter a … h, dash pattern, colour
    bool faint;    // provisional: sparse dots, no letters, no legend of its own
    bool hidden;   // legend only
    bool selected; // marked in the legend
    size_t n;
    const double *x, *y; // steps: F = y[i] just right of x[i]; x ascends, NaN = failed
};

struct chart {
    int left, top, width, height;  // the box for axes and plot, in cells
    const char *x_label, *y_label; // NULL: none
    double x0, x1;                 // range; x0 < x1 on entry fixes it
    double y0, y1;                 // the same; shares, 0 to 1, unless y0 < y1
    int log_x, log_y;              // 2 or 10: ticks at its powers; 0: not logarithmic
    const char *const *x_names;    // of the places 1, 2, … instead of ticks; or NULL
    int n_names;
    double cursor;             // where to draw a vertical line; NaN: none
    int plot_left, plot_width; // out: the columns the range [x0, x1] spans
    int plot_top, plot_height; //      and the rows
};

// An area between lo and hi, straight from each x to the next; a step has the same x twice.
struct band {
    int id; // of its curve
    size_t n;
    const double *x, *lo, *hi;
};

/* Draws axes, areas, up to CANVAS_CURVES curves and their provisional ones; fills the out
 * fields, and the range when there is none, which takes steps. */
void chart_draw(struct canvas *c, struct chart *chart, const struct curve *curves, int n,
                const struct band *bands, int n_bands);
const char *chart_dashes(int id); // 12 dots, '#' where the curve shows

/* The axes alone, and where a value lies in dots from the plot's left and top. */
void axes_draw(struct canvas *c, struct chart *chart);
int axes_column(const struct chart *chart, double x);
int axes_row(const struct chart *chart, double y);

/* The legend: a heading when there is room, then a row per curve that is not faint.
 * Returns the rows it took (at most height). */
int chart_legend(struct canvas *c, int left, int top, int width, int height,
                 const struct curve *curves, int n);

#endif
