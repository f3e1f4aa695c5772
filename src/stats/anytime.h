/* Statistics that are valid at every moment: no maximum of models is planned, the data may be
 * looked at after each one, and whoever stops when he likes errs with probability alpha at
 * most.  An e-value is what a bet against the hypothesis has made of 1; by Ville's inequality
 * it ever reaches 1/alpha with probability alpha at most.  A confidence sequence is the set of
 * values that no bet has refuted so far.
 *
 * mixture_*: of a mean, by a bet on all drifts at once (normal mixture of likelihood ratios).
 * With the estimated standard error it is exact for normal errors (df degrees of freedom), and
 * holds for other ones when the first look is not too early.
 * betting_*: of the mean of anything in 0 … 1, exact, and therefore wide.
 * band_*: of a whole EDF, exact.
 * Sources: Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021 (arXiv 1810.08240);
 * Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021 (arXiv 2103.06476); Lindon, Ham,
 * Tingley and Bojinov 2022 (arXiv 2210.08589), Student's t; Waudby-Smith and Ramdas 2024
 * (arXiv 2010.09686), betting; Howard and Ramdas 2022 (arXiv 1906.09712), theorem 2. */
#ifndef STATS_ANYTIME_H
#define STATS_ANYTIME_H
#include <stddef.h>

/* The width of the mixture for which the interval is narrowest, relatively, at `most`
 * observations. */
double mixture_rho(double most, double alpha);

/* The logarithm of the e-value of a statistic t = mean / (its standard error), of n
 * observations and df degrees of freedom (INFINITY: a known standard error), against a mean
 * of 0; and the |t| at which it reaches 1/alpha, INFINITY where none does. */
double mixture_log(double t, double n, double df, double rho);
double mixture_bound(double n, double df, double rho, double alpha);

/* The difference mean(b) - mean(a) of the first so many of each. */
struct sequence_point {
    double difference, lo, hi; // lo … hi: the interval that holds it at every n
    double log_e;              // against a difference of 0
};
void sequence_means(struct sequence_point *out, const double *a, const double *b, size_t n,
                    double rho, double alpha);

/* The bets on each of n observations of 0 … 1, made of those before it. */
void betting_bets(double *bet, const double *x, size_t n, double alpha);
/* The logarithms of two capitals after each observation: of bets that the mean is above m and
 * that it is below; NULL: not wanted.  Either is halved, so that both may be looked at. */
void betting_capital(double *above, double *below, const double *x, const double *bet,
                     size_t n, double m);
/* The means that neither has refuted after n observations. */
void betting_interval(double *lo, double *hi, const double *x, const double *bet, size_t n,
                      double alpha);

/* Half the height of a band that holds the whole true distribution at every n >= first with
 * probability 1 - alpha, INFINITY before: the lower of two, each with half of alpha.
 * band_iterated is theorem 2, which falls as sqrt(log log n / n); band_union spends alpha
 * first / (n (n + 1)) on the band of Dvoretzky, Kiefer, Wolfowitz and Massart at n, which is
 * lower for some hundred models. */
double band_iterated(size_t n, size_t first, double alpha);
double band_union(size_t n, size_t first, double alpha);
double band_anytime(size_t n, size_t first, double alpha);

#endif
