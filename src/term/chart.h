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
    size_t n;
    const double *x, *y; // F = y[i] just right of x[i]; x ascends, NaN = failed
};

struct chart {
    int left, top, width, height;     // the box for axes and plot, in cells
    const char *x_label, *y_label;    // NULL: none
    double x0, x1;                    // range; x0 < x1 on entry fixes it
    double cursor;                    // an error to draw a vertical line at; NaN: none
    int plot_left, plot_width;        // out: the columns the range [x0, x1] spans
};

/* Draws axes and up to CANVAS_CURVES curves; fills the out fields and the range. */
void chart_draw(struct canvas *c, struct chart *chart, const struct curve *curves, int n);

/* The legend: a heading when there is room, then a row per curve that is not faint.
 * Returns the rows it took (at most height). */
int chart_legend(struct canvas *c, int left, int top, int width, int height,
                 const struct curve *curves, int n);

#endif
