/* Error EDFs drawn on a canvas: axes with round ticks, exact steps, letters along each
 * curve, a legend.  A curve is told apart by its letter and its dash pattern; colour is
 * only a help.  F(e) = share of models with error below e (Radosavovic et al. 2020,
 * equation 1): a step function, drawn with its vertical runs filled, from 0 at the best
 * model to 1 at the worst; nothing is interpolated or sampled on a grid.
 *
 * Errors are percent.  A failed model counts as 100 %: unless every model failed the
 * axis ends at the worst finished one, and the curve leaves through the right edge
 * below 1 by the share of failures. */
#ifndef TERM_CHART_H
#define TERM_CHART_H
#include "term/canvas.h"

struct curve {
    const char *name;
    const char *count;  // number of models as the legend shows it: "16", "12/16"
    double min, mean;   // of the legend; NaN is shown as "-"
    int failed;
    int id;             // 0 … 7: letter a … h, dash pattern, colour
    bool faint;         // provisional: sparse dots, no letters, no legend of its own
    bool hidden;        // legend only
    bool selected;      // marked in the legend
    size_t n;
    const double *x, *y; // F = y[i] just right of x[i]; x ascends, NaN = failed
};

struct chart {
    int left, top, width, height;     // the box for axes and plot, in cells
    const char *x_label, *y_label;    // NULL: none
    double x0, x1;                    // range; x0 < x1 on entry fixes it
    double y0, y1;                    // the same; shares, 0 to 1, unless y0 < y1
    bool log_x;                       // when x0 > 0
    double cursor;                    // an error to draw a vertical line at; NaN: none
    int plot_left, plot_width;        // out: the columns the range [x0, x1] spans
    int plot_top, plot_height;        //      and the rows
};

// A confidence band of an EDF: lo[i] and hi[i] hold just right of x[i].
struct band {
    int id; // of its curve
    size_t n;
    const double *x, *lo, *hi;
};

// Models as points; a vertical band and its median where lo <= hi.
struct points {
    int id;
    bool joined; // by straight lines, in their order
    size_t n;
    const double *x, *y;
    double lo, median, hi;
};

/* Draws axes, a band (NULL: none) and up to CANVAS_CURVES curves; fills the out fields and
 * the range. */
void chart_draw(struct canvas *c, struct chart *chart, const struct curve *curves, int n,
                const struct band *band);

/* Draws axes and points within the range, which is given; y is clamped to it. */
void chart_points(struct canvas *c, struct chart *chart, const struct points *points);

/* The axes alone, and where a value lies in dots from the plot's left and top. */
void axes_draw(struct canvas *c, struct chart *chart);
int axes_column(const struct chart *chart, double x);
int axes_row(const struct chart *chart, double y);

/* The legend: a heading when there is room, then a row per curve that is not faint.
 * Returns the rows it took (at most height). */
int chart_legend(struct canvas *c, int left, int top, int width, int height,
                 const struct curve *curves, int n);

#endif
