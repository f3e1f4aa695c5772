/* The empirical distribution function (EDF) of the errors of a population, exact.
 *
 *   F(e) = share of models with error < e          (strict: F(min) = 0)
 *
 * Errors are percent, 0 to 100; a failed or diverged model is an error of 100, never left
 * out.  Equal errors (logs have few decimals) make one step.  The mean error is the area
 * above F: mean = integral of 1 - F over 0 … 100.  Models count alike, or by weights of
 * their own (strata.h).
 * Sources: Radosavovic et al. 2020 (arXiv 2003.13678), equation 1; the band: Dvoretzky,
 * Kiefer, Wolfowitz 1956 with the constant of Massart 1990. */
#ifndef STATS_EDF_H
#define STATS_EDF_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct edf {
    size_t n;        // models, at least 1
    const double *e; // their errors, ascending; borrowed
    double mean;
    const double *share; // F just above each error; NULL: models count alike; borrowed
};

/* Sorts errors[n] in place and borrows it for the life of f.  False when n is 0 or an
 * error is NaN or outside 0 … 100; the message counts from 1. */
bool edf_init(struct edf *f, double *errors, size_t n, struct error *e);

/* The same with a positive weight for each model; weights[n] becomes f->share. */
bool edf_init_weighted(struct edf *f, double *errors, double *weights, size_t n,
                       struct error *e);

double edf_share(const struct edf *f, size_t models); // F above the first so many errors
double edf_at(const struct edf *f, double e);

/* The share of the square [0, limit] x [0, 1] below F; limit > 0. */
double edf_area(const struct edf *f, double limit);

/* The steps: F is y[k] just above x[k], up to and including x[k + 1].  Both arrays have
 * room for n; returns how many distinct errors there are. */
size_t edf_steps(const struct edf *f, double *x, double *y);

/* As values_quantile; with weights the least error above which F reaches p. */
double edf_quantile(const struct edf *f, double p);

double edf_variance(const struct edf *f); // unbiased; 0 when n is 1; no weights

/* Half the height of the band that holds the whole true distribution with probability
 * `level`: sqrt(ln(2 / (1 - level)) / 2n). */
double edf_dkw(size_t n, double level);

/* The percentile bootstrap of F, without simulation: a resample has Binomial(n, F(e)) of
 * its n errors below e.  Replaces each of y[count], values of F, by the upper or the lower
 * edge.  It holds F(e) at one e with probability `level`, not everywhere at once, and has
 * no width where F is 0 or 1; no weights.  Source: Efron 1979. */
void edf_bootstrap_edge(size_t n, double level, bool upper, double *y, size_t count);

/* Helpers for sorted values.  The quantile interpolates linearly between order statistics
 * (Hyndman and Fan's type 7, NumPy's default). */
void values_sort(double *v, size_t n);
double values_quantile(const double *sorted, size_t n, double p);

#endif
