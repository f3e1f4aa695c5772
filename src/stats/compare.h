/* Is one population better than another?  a and b are EDFs, without weights but for
 * ks_statistic; b is usually the refined space, and "better" is lower error.
 *
 * Two-sample Kolmogorov-Smirnov: D = max |F_a - F_b|.  Its p-value is exact (over all
 * orders of the pooled errors, given their ties) while n*m <= KS_EXACT, else Smirnov's
 * limit: right for n = m, a little too large otherwise and with ties.  Stephens's
 * correction, made for one sample, is left out: for n = m it would give p-values up to
 * 10 % too small.
 * Sources: Smirnov 1939; Schroeer and Trenkler 1995 (exact with ties); Mann and Whitney
 * 1947; the rest in bootstrap.h. */
#ifndef STATS_COMPARE_H
#define STATS_COMPARE_H
#include <stdint.h>

#include "stats/edf.h"

enum { KS_EXACT = 4000000 };

double ks_statistic(const struct edf *a, const struct edf *b);
double ks_p(const struct edf *a, const struct edf *b);
double ks_p_limit(double d, size_t n, size_t m); // Smirnov's limit

/* The D above which the limiting test rejects at `alpha`: c * sqrt((n + m) / nm). */
double ks_critical(size_t n, size_t m, double alpha);

/* P(a random model of b has less error than a random model of a), equal errors half. */
double compare_p_better(const struct edf *a, const struct edf *b);

/* How many more models of each space would show the observed difference of means, if it
 * is the true one, at 5 % two-sided in 80 % of the trials (normal approximation); infinite
 * for equal means.  The second form takes the difference and, of each space, the variance
 * of one model and how many there are. */
double compare_more(const struct edf *a, const struct edf *b);
double compare_more_of(double difference, double variance_a, size_t n, double variance_b,
                       size_t m);

struct comparison {
    double ks, ks_p, ks_critical; // at 5 %
    double mean_difference;       // mean(b) - mean(a), in points
    double deviation;             // its standard deviation (standard error)
    double lo, hi;                // its bootstrap interval
    double min_difference;        // min(b) - min(a)
    double min_lo, min_hi;        // its interval (bootstrap_min_difference)
    double p_better, p_permutation, more;
};
void compare_minima(struct comparison *out, const struct edf *a, const struct edf *b,
                    double level); // the fields min_*
/* False: interrupted. */
bool compare_edfs(struct comparison *out, const struct edf *a, const struct edf *b,
                  uint32_t draws, uint64_t seed, double level);

#endif
