/* Gaussian-process regression of a network's error on its features: what predicts untrained
 * networks (adjust.h).
 *
 *   y = f(x) + noise,   cov f(x), f(x') = C + a² exp(-½ Σ_g |x_g - x'_g|² / l_g²)
 *
 * with a length l_g for every group g of features (depths, widths, ratios, …).  The amplitude
 * a, the noise and the lengths maximise the marginal likelihood under weak priors, log-normal
 * around what standardised features suggest; y is standardised first, and C is wide.
 * Sources: Rasmussen and Williams 2006, sections 2.2, 5.4.1 (likelihood and gradient); BFGS as
 * Nocedal and Wright 2006, algorithm 6.1. */
#ifndef STATS_GP_H
#define STATS_GP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most groups, most features, and how many points the hyperparameters are learnt from at most. */
enum { GP_GROUPS = 12, GP_FEATURES = 256, GP_LEARN = 160 };
enum { GP_HYPER = 2 + GP_GROUPS };

/* Features are in single precision, by group: those of group g are x[start[g] … start[g+1]-1]. */
struct gp_shape {
    int D, groups;
    int start[GP_GROUPS + 1];
};

/* The optimum of the hyperparameters: where, and how the posterior bends there. */
struct gp_optimum {
    double log[GP_HYPER];               // of a, noise, l_g
    double inverse[GP_HYPER][GP_HYPER]; // estimate of the inverse Hessian
};

struct gp {
    struct gp_shape shape;
    struct gp_optimum at;
    double mean, deviation; // of y
    size_t n, padded;       // padded: n made a whole number of vectors
    float *x;               // (D,padded), each feature divided by its length
    double *alpha;          // (padded)
    double *L;              // (n,n), Cholesky factor of the covariance of y; NULL: settled
};

/* Fits n points; x (n,D), y (n).  `near`, if not NULL, is the optimum of nearly the same points:
 * their own is found sooner from there.  seed: which points the hyperparameters are learnt from
 * when there are more than GP_LEARN. */
void gp_fit(struct gp *gp, const struct gp_shape *shape, const float *x, const double *y,
            size_t n, uint64_t seed, const struct gp_optimum *near);
void gp_free(struct gp *gp);
/* Gives back what only gp_weights needs. */
void gp_settle(struct gp *gp);

/* f (m): predictions at x (m,D), in the units of y.  columns (n), if not NULL, gets the sum
 * over the m points of weight[i] times their covariances with the n points; weight may be
 * NULL for 1. */
void gp_predict(const struct gp *gp, const float *x, size_t m, const double *weight,
                double *f, double *columns);
/* Makes of columns the sum of the predictions as a linear form in the y of the points fitted
 * (n): what each of them adds, the mean of y and its scale being part of it. */
void gp_weights(const struct gp *gp, double *columns, double total);

#endif
