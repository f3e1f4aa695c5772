/* How well RegNet's quantised line describes the widths of a network: e_fit, by grid search.
 * Source: arXiv 2003.13678 section 3.3.  There e_fit is "the mean log-ratio of predicted to
 * observed per-block widths", minimised over w_0, w_a, w_m with d that of the network; the
 * grid, the base of the logarithm, and whether predictions are rounded to multiples of 8 are
 * not stated.  Here:  e_fit = min (1/d) Σ_j |ln(ŵ_j / w_j)|,  ŵ_j = w_0·w_m^k_j with
 * k_j = rint(ln(u_j/w_0) / ln w_m),  u_j = w_0 + w_a·j  (equations 2 to 4). */
#ifndef MODEL_FIT_H
#define MODEL_FIT_H
#include "model/arch.h"

enum {
    FIT_MOST_POINTS = 1 << 24,
    FIT_MOST_AXIS = 1 << 16,
    FIT_MOST_TABLE = 1 << 25 // numbers: w_0 * w_a * blocks, or w_0 * w_m * widths of a line
};

struct fit_grid {
    int n[3];               // values of w_0, w_a, w_m
    const double *value[3]; // w_0 > 0, w_a >= 0, w_m > 1
    bool rounded;           // ŵ_j to the nearest multiple of 8, at least 8
};

struct fit {
    double e_fit, w_0, w_a, w_m; // of the first best point (within 1e-9/d) in grid order
};

/* Tables for one grid, and networks of at most `blocks` (at least 1) blocks; used for any
 * number of fits.  NULL with a message for a value out of range or a grid too large. */
struct fitter *fitter_new(const struct fit_grid *g, int blocks, struct error *e);
void fitter_free(struct fitter *f);
struct fit fitter_fit(struct fitter *f, const struct arch *a);

#endif
