/* Means and EDFs of whole spaces from few trained and many untrained networks.
 *
 * The networks of a space cost nothing to draw, so that the distribution of their features is
 * known.  A regression f of the error on the features (gp.h) is corrected by the trained ones:
 *
 *   mean = mean_n(y) - λ (mean_n f(x) - mean_N f(x'))         n trained, N drawn networks
 *   F(e) = mean_n(1[y < e]) - λ_e (mean_n p_e(x) - mean_N p_e(x')),   p_e = Φ((e - f) / s)
 *
 * which is unbiased whatever f is, as no network is predicted by a fit that saw it (folds), and
 * λ, estimated from the data and held in 0 … 1, makes it no worse than not predicting ("power
 * tuning").  Several populations may share one fit.  Intervals come from influence: what each
 * trained network adds to an estimate, by itself and by way of the fits it is in, which are
 * linear in the errors (gp_weights).
 *
 * A guest is a population with so few trained networks that nothing can be learnt from them, beside
 * others with more.  It is in no fit, and λ is 1.  Given the others f is then a fixed function, and
 * y - f(x) of its networks are independent: their mean has the standard error and the n - 1
 * degrees of freedom of any mean (difference estimator; Särndal, Swensson and Wretman 1992,
 * section 6.3), for 3 networks as for 9.
 *
 * Strata: each bin of a complexity has the same weight, shared by its networks (strata.h); the
 * means above are then such means of both, trained and drawn networks (Cochran 1977, chapter 5).
 * Sources: Cochran 1977, chapter 7 (regression estimator); Angelopoulos et al. 2023
 * (prediction-powered inference, doi 10.1126/science.adi6000), 2023 (arXiv 2311.01453, power
 * tuning); Zrnic and Candes 2024 (cross-prediction). */
#ifndef STATS_ADJUST_H
#define STATS_ADJUST_H
#include "stats/gp.h"

/* The fewest networks of a population that fits are made from, and of a guest. */
enum { ADJUST_LEAST = 10, ADJUST_GUEST = 3, ADJUST_FOLDS = 5 };
#define ADJUST_OUTSIDE UINT32_MAX // of all bins: such a network has no weight

struct adjust_data {
    struct gp_shape shape;
    int P;                // populations that share the fit
    const size_t *n, *N;  // (P): trained and drawn networks of each
    const float *x;       // (Σn,D) features of the trained ones, population by population
    const double *y;      // (Σn) errors in percent
    const float *drawn_x; // (ΣN,D)
    // (Σn) of each trained network the place of its first copy, which is its own where it is in
    // one population only; NULL: no network is in two.  A copy has the error of its original:
    // fits see it once, and neither is predicted by a fit that saw the other.
    const uint32_t *same;
    uint32_t bins;                   // 0: no strata
    const uint32_t *bin, *drawn_bin; // (Σn), (ΣN): below bins, none empty, or ADJUST_OUTSIDE
    uint64_t seed;                   // of the folds
};

struct adjusted {
    int P;
    size_t n, N;     // of all populations
    double *f;       // (n) predictions, each by the fit that did not see it
    double *drawn;   // (N) mean predictions of all fits
    double *through; // (P,n) of mean_n f - mean_N f: its weight on each error, by the fits
    double *r;       // (n) residuals of f, of errors that were not cut
    double *w, *W;   // (n), (N) weights in the mean of a population
    uint32_t *count; // (n) how many networks of its population are in its bin
    struct gp fit[ADJUST_FOLDS];
};

/* What makes the mean of every feature of the drawn networks 0 and its deviation 1; a feature that
 * is constant among them becomes 0. */
struct adjust_scale {
    double mean[GP_FEATURES], scale[GP_FEATURES];
};
void adjust_scale_of(struct adjust_scale *s, const float *drawn_x, size_t N, int D);
void adjust_standardise(const struct adjust_scale *s, float *x, size_t n, int D);

/* False when interrupted. */
bool adjust_fit(struct adjusted *a, const struct adjust_data *data);
void adjust_free(struct adjusted *a);
/* f (m): mean predictions of all fits for other networks x (m,D). */
void adjust_predict(const struct adjusted *a, const float *x, size_t m, double *f);

/* An early signal of the training, such as the loss of the first epoch, that is known of more
 * networks than are trained to the end: those are a random sample of the others (two-phase or
 * double sampling; Cochran 1977, chapter 12), here the first n[p] of them.  The signal is a second
 * predictor, whose mean over the space is estimated, itself by prediction:
 *
 *   mean = mean_n(y) - λ (mean_n f(x) - mean_N f(x')) - β (mean_n(s) - μ_s) */
struct adjust_early {
    size_t all;              // networks that s is known of
    const double *s;         // (all)
    double mean, drawn_se;   // μ_s: adjust_mean of s for all, and
    const double *influence; // (all) on it
};

struct adjusted_mean {
    double plain, mean;            // without and with prediction
    double plain_se, se, drawn_se; // drawn_se: of N, part of se
    double lambda, beta, r2; // r2: share of the variance of the errors that is explained
    double df;               // degrees of freedom of se
    double rest;             // Σ influence² of the networks without an error
    // (a->n): of each trained network on `mean`, that of its copies with it, so that covariances
    // of two means are sums of products; NULL: not wanted
    double *influence;
};
/* The mean error of population p; early: NULL where there is none. */
void adjust_mean(const struct adjusted *a, const struct adjust_data *data, int p,
                 const struct adjust_early *early, struct adjusted_mean *out);

/* z (n[p]): pseudo-values, one for each trained network of population p, whose mean is
 * adjust_mean's without a signal: what it would be if every network were like this one. */
void adjust_values(const struct adjusted *a, const struct adjust_data *data, int p,
                   double *z);

/* P-value of the difference of the means of two lists of pseudo-values, as a studentised
 * permutation test: |t| of the data, beside Welch's t of `draws` random relabellings of all
 * values.  z: those of networks in a alone (count[0]), in b alone (count[1]) and in both
 * (count[2]); lost: coefficients that took degrees of freedom of each, 2, or 1 where one is a
 * guest.  Exact where the values can be exchanged, and right for many where the two have
 * different variances (Janssen 1997; Chung and Romano 2013). */
double adjust_test(const double *z, const size_t count[3], int lost, double t, uint32_t draws,
                   uint64_t seed);

/* F (m): the EDF of population p at e (m, ascending), never falling and within 0 … 1; `half`: half
 * the width of a band of equal width that holds the whole EDF of the space with probability
 * `level`, by `draws` Gaussian multipliers on the influence of the trained networks
 * (Chernozhukov, Chetverikov and Kato 2013).  NULL: no band.  False when interrupted. */
bool adjust_edf(const struct adjusted *a, const struct adjust_data *data, int p,
                const double *e, size_t m, double *F, double level, uint32_t draws,
                double *half);

/* influence (n[p]): of each trained network of population p on Σ_k c_k F(e_k): e (m,
 * ascending), c (m). */
void adjust_form(const struct adjusted *a, const struct adjust_data *data, int p,
                 const double *e, const double *c, size_t m, double *influence);

#endif
