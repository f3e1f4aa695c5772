/* Rank correlation: does the order of the models at one time (epoch 2) say what it will be
 * at another (epoch 10)?  1: the same order, 0: no relation, -1: reversed.
 * Sources: Kendall 1945 (tau-b, which allows for ties), counted in O(n log n) as Knight
 * 1966; Spearman 1904. */
#ifndef STATS_RANK_H
#define STATS_RANK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NaN when all x or all y are equal, or n < 2. */
double rank_kendall(const double *x, const double *y, size_t n);
double rank_spearman(const double *x, const double *y, size_t n); // of mid-ranks

/* Percentile bootstrap of tau-b over the pairs; resamples without a tau are left out, and
 * NaN is what is left when that is all.  False: interrupted. */
bool rank_interval(double *lo, double *hi, const double *x, const double *y, size_t n,
                   uint32_t draws, uint64_t seed, double level);

#endif
