/* Resampling: the paper's empirical bootstrap, the confidence interval of a difference of
 * means, the permutation test.  Randomness is keyed by (seed, replicate), so a seed gives
 * the same figures everywhere; every loop polls the interrupt flag. */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H
#include <stdint.h>

#include "stats/edf.h"

/* A property x of models against their error: which x do the best models have?
 * Repeat `draws` times: take share * n of the n pairs (x, error) with replacement, keep
 * the x of the lowest error (equal errors: the first pair).  The answer is a band for the
 * x of the best model, not a confidence interval of a mean; with 125 draws of 500 the best
 * pair wins 22 % of the time, so it rests on about the 15 best pairs.
 * Source: Radosavovic et al. 2020, footnote 4 (share 0.25, 10^4 draws, level 0.95). */
struct best_options {
    double share;     // of the pairs taken, in (0, 1]
    uint32_t draws;   // 0: the exact distribution (search.h) instead of a simulation
    uint64_t seed;
    double level;     // of the band, in (0, 1)
    bool categorical; // percentiles are values that occur, never between two
};
struct best_band {
    double lo, median, hi;
    double best;  // x of the best pair
    size_t taken; // pairs in one draw: max(1, floor(share * n))
};
/* False: interrupted. */
bool bootstrap_best(struct best_band *out, const double *x, const double *errors, size_t n,
                    const struct best_options *o);

/* Percentile interval of mean(b) - mean(a), both resampled `draws` times (Efron and
 * Tibshirani 1993, chapter 13).  False: interrupted. */
bool bootstrap_mean_difference(double *lo, double *hi, const struct edf *a,
                               const struct edf *b, uint32_t draws, uint64_t seed,
                               double level);

/* Two-sided p-value of the difference of means when the labels a and b are exchangeable:
 * over every way to split the pooled errors when there are at most 200,000, else over
 * `draws` random ones, as (hits + 1) / (draws + 1) (Phipson and Smyth 2010).  False:
 * interrupted. */
bool permutation_mean_difference(double *p, const struct edf *a, const struct edf *b,
                                 uint32_t draws, uint64_t seed);

#endif
