/* Resampling of two populations: intervals of the difference of their means and of their
 * minima, the permutation test.  Randomness is keyed by (seed, replicate), so a seed gives
 * the same figures everywhere; every loop polls the interrupt flag. */
#ifndef STATS_BOOTSTRAP_H
#define STATS_BOOTSTRAP_H
#include <stdint.h>

#include "stats/edf.h"

/* The share of resampled differences to leave out on each side of an interval: a resample
 * scatters less than the truth (`shrink`: its variance over the unbiased one, below 1) and
 * `freedom` degrees of freedom are few, so that the plain (1 - level)/2 would make it too
 * short for small samples.  With this one it is Student's for symmetric errors.
 * Source: Hesterberg 2014 (arXiv 1411.5279), expanded percentiles. */
double bootstrap_tail(double level, double shrink, double freedom);

/* Expanded percentile interval of mean(b) - mean(a), both resampled `draws` times (Efron
 * and Tibshirani 1993, chapter 13; freedom by Welch 1947).  False: interrupted. */
bool bootstrap_mean_difference(double *lo, double *hi, const struct edf *a,
                               const struct edf *b, uint32_t draws, uint64_t seed,
                               double level);

/* The same of min(b) - min(a), without simulation: the minimum of a resample of n has rank
 * r with the probability of best.h for m = n, so the distribution of the difference is a
 * product.  No value below the minima seen can occur, and the least has 63 % of the weight:
 * the interval tells how much hangs on the few best models, it does not cover the limits
 * of the two spaces (Bickel and Freedman 1981; Efron and Tibshirani 1993, section 7.4). */
void bootstrap_min_difference(double *lo, double *hi, const struct edf *a,
                              const struct edf *b, double level);

/* Two-sided p-value of the difference of means when the labels a and b are exchangeable:
 * over every way to split the pooled errors when there are at most 200,000, else over
 * `draws` random ones, as (hits + 1) / (draws + 1) (Phipson and Smyth 2010).  False:
 * interrupted. */
bool permutation_mean_difference(double *p, const struct edf *a, const struct edf *b,
                                 uint32_t draws, uint64_t seed);

#endif
