/* The paper's empirical bootstrap: which value of a property x do the best models have?
 * Repeat `draws` times: take share * n of the n models with replacement, keep the one of
 * the lowest error (equal errors: the first).  How often each model is kept is its weight;
 * everything else is read off the weights.  The answer is a band for the x of the best
 * model, not a confidence interval of a mean; with 125 draws of 500 the best model is kept
 * 22 % of the time, so it rests on about the 15 best models.
 *
 * Without simulation (draws = 0): the model of rank r is kept with probability
 *   ((n - r + 1)/n)^m - ((n - r)/n)^m,   m models in a draw.
 * Source: Radosavovic et al. 2020, footnote 4 (share 0.25, 10^4 draws, level 0.95). */
#ifndef STATS_BEST_H
#define STATS_BEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct best_options {
    double share;   // of the models taken, in (0, 1]
    uint32_t draws; // 0: the exact weights
    uint64_t seed;
    double level;     // of the band, in (0, 1)
    bool categorical; // percentiles are values that occur, never between two
};

size_t best_taken(double share, size_t n); // models in one draw: max(1, floor(share n))

/* weight[n]: the share of the draws that keep each model.  False: interrupted. */
bool best_weights(double *weight, const double *errors, size_t n,
                  const struct best_options *o);

struct best_band {
    double lo, median, hi;
    double best;  // x of the best model
    size_t taken; // models in one draw
};
/* The band of x.  False: interrupted. */
bool best_property(struct best_band *out, const double *x, const double *errors, size_t n,
                   const struct best_options *o);

#endif
