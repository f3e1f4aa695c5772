/* Seed noise: how far the errors of a population come from the models, and how far from
 * the seeds they were trained with.  n models, k trainings each, in one-way analysis of
 * variance:  error = mean + model + training,
 *   MSB = k/(n-1) sum (m_i - m)^2,   MSW = 1/(n(k-1)) sum (x_ij - m_i)^2,
 *   within^2 = MSW,   between^2 = max(0, (MSB - MSW)/k),
 *   reliability = between^2 / (between^2 + within^2),
 * the share of the variance of single trainings that the models explain, and the
 * correlation of two trainings of a population.
 * Source: Shrout and Fleiss 1979, ICC(1,1), with its interval from F (exact when models and
 * trainings scatter normally). */
#ifndef STATS_NOISE_H
#define STATS_NOISE_H
#include <stddef.h>

struct noise {
    double mean;
    double within, between;     // standard deviations
    double reliability, lo, hi; // NaN when no two errors differ
};
/* x[i * k + j]: model i, training j; n >= 2, k >= 2. */
struct noise noise_of(const double *x, size_t n, size_t k, double level);

#endif
