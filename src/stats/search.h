/* Random search efficiency: the error of the best of m models drawn from a population,
 * as a function of m, exact (no simulation).
 *
 * With the errors sorted, the best of m draws has rank > r with probability
 *   with replacement      S(r) = ((n - r) / n)^m
 *   without replacement   S(r) = C(n - r, m) / C(n, m)
 * and E[best] = e_1 + sum over r of (e_{r+1} - e_r) S(r).
 * Sources: Radosavovic et al. 2020, figure 9 right; Radosavovic et al. 2019 (arXiv
 * 1905.13214) simulate the same curve, with few repeats at large m. */
#ifndef STATS_SEARCH_H
#define STATS_SEARCH_H
#include <stdint.h>

#include "stats/edf.h"

struct search_point {
    double mean;   // expected error of the best of m
    double lo, hi; // central interval of it that has probability `level`
};

/* P(rank of the best of m draws with replacement > r), ranks 1 … n. */
double search_survival(size_t n, size_t m, size_t r);

/* m >= 1, and m <= n without replacement; with weights (edf.h) S(r) = (1 - F)^m, with
 * replacement only. */
struct search_point search_best(const struct edf *f, size_t m, bool replacement,
                                double level);

/* The same by simulation, as the second source does it: floor(n / m) repeats of m draws
 * with replacement; mean and standard deviation (of the repeats, divisor n) of the best. */
struct search_trial {
    double mean, deviation;
    size_t repeats;
};
/* m <= n.  False: interrupted. */
bool search_simulate(struct search_trial *out, const struct edf *f, size_t m, uint64_t seed);

#endif
