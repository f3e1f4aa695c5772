/* See gp.h. */
#include "stats/gp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/gemm.h"

// A function compiled for each of these, and chosen when the program is loaded, at which time
// ThreadSanitizer is not there yet.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

#define WIDE 10.0 // C: variance of the constant, in variances of y
#define FLOOR                                                                                \
    1e-3 // least variance of the noise, in the same: no training repeats closer than that
enum { ITERATIONS = 40, LANES = 8, WIDTH = 4 * LANES, BLOCK = 128 };

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t whole_lanes __attribute__((vector_size(4 * LANES)));

/* exp(x) for x <= 0 to 2e-7: powers of two by the exponent, the rest by its Taylor series to the
 * sixth power. */
static inline __attribute__((always_inline)) void exp_negative(lanes *value)
{
    lanes x = *value;
    whole_lanes small = x < -80;
    x = (lanes)(((whole_lanes)x & ~small) | ((whole_lanes)(x * 0 - 80) & small));
    whole_lanes whole = __builtin_convertvector(x * 1.44269504f - 0.5f, whole_lanes);
    lanes n = __builtin_convertvector(whole, lanes);
    lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    lanes p =
        1 + r * (1 + r * (0.5f + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r / 720)))));
    *value = p * (lanes)((whole + 127) << 23);
}

/* k[j] = exp(-½ |a - b_j|²) for n points b, which stand by columns: b[d·n + j].  n is a multiple
 * of WIDTH: each sum waits for itself, and as many as there are go on meanwhile. */
CLONES static void covariances(float *restrict k, const float *restrict a,
                               const float *restrict b, size_t n, int D)
{
    for (size_t j = 0; j < n; j += WIDTH) {
        lanes sum[WIDTH / LANES] = {{0}}, t;
        for (int d = 0; d < D; d++)
            for (size_t i = 0; i < WIDTH / LANES; i++) {
                memcpy(&t, b + (size_t)d * n + j + i * LANES, sizeof t);
                t = a[d] - t;
                sum[i] += t * t;
            }
        for (size_t i = 0; i < WIDTH / LANES; i++) {
            sum[i] *= -0.5f;
            exp_negative(&sum[i]);
            memcpy(k + j + i * LANES, &sum[i], sizeof sum[i]);
        }
    }
}

/* Σ k[j] alpha[j]; adds w k[j] to columns[j].  n is a multiple of LANES. */
CLONES static double gather(const float *restrict k, const double *restrict alpha, float w,
                            float *restrict columns, size_t n)
{
    double part[LANES] = {0}, sum = 0;
    for (size_t j = 0; j < n; j += LANES)
        for (size_t i = 0; i < LANES; i++) {
            part[i] += (double)k[j + i] * alpha[j + i];
            columns[j + i] += w * k[j + i];
        }
    for (int i = 0; i < LANES; i++)
        sum += part[i];
    return sum;
}

// ---- learning the hyperparameters ------------------------------------------------------

struct learning {
    size_t n, padded; // padded: n made a whole number of vectors
    int groups, P;    // P = 2 + groups
    float *distance;  // (n,groups,padded): squared distances by group
    float *k;         // (n,padded): exp(-½ Σ_g distance / l_g²)
    const double *y;  // (n), standardised
    double *K, *a;    // (n,n) covariance, then inverse; (n)
    double prior[GP_HYPER], width[GP_HYPER];
};

// k[j] = exp(-½ Σ_g inverse[g] distance[g·n + j]), n points; n is a multiple of LANES.
CLONES static void smooth(float *restrict k, const float *restrict distance,
                          const float *inverse, int groups, size_t n, size_t stride)
{
    for (size_t j = 0; j < n; j += LANES) {
        lanes sum = {0}, d;
        for (int g = 0; g < groups; g++) {
            memcpy(&d, distance + (size_t)g * stride + j, sizeof d);
            sum += d * inverse[g];
        }
        sum *= -0.5f;
        exp_negative(&sum);
        memcpy(k + j, &sum, sizeof sum);
    }
}

// sums[g] += Σ w[j] distance[g·n + j], sums[groups] += Σ w[j]
CLONES static void weigh(double *restrict sums, const float *restrict w,
                         const float *restrict distance, int groups, size_t n, size_t stride)
{
    for (int g = 0; g <= groups; g++) {
        lanes sum = {0}, v, d;
        for (size_t j = 0; j < n; j += LANES) {
            memcpy(&v, w + j, sizeof v);
            if (g < groups) {
                memcpy(&d, distance + (size_t)g * stride + j, sizeof d);
                v *= d;
            }
            sum += v;
        }
        for (int i = 0; i < LANES; i++)
            sums[g] += (double)sum[i];
    }
}

// The negative log posterior at p, and its gradient.  Infinity where it cannot be computed.
static double posterior(struct learning *t, const double *p, double *gradient)
{
    size_t n = t->n, padded = t->padded;
    double a2 = exp(2 * p[0]), noise = exp(2 * p[1]), value = 0, sums[GP_GROUPS + 1] = {0};
    float inverse[GP_GROUPS] = {0};
    for (int g = 0; g < t->groups; g++)
        inverse[g] = (float)exp(-2 * p[2 + g]);
    for (size_t i = 0; i < n; i++) {
        float *k = t->k + i * padded;
        size_t whole = (i + LANES) / LANES * LANES;
        smooth(k, t->distance + i * (size_t)t->groups * padded, inverse, t->groups, whole,
               padded);
        for (size_t j = 0; j <= i; j++)
            t->K[i * n + j] = a2 * (double)k[j] + WIDE;
        t->K[i * n + i] += noise + FLOOR;
    }
    if (!cholesky(t->K, n))
        return INFINITY;
    for (size_t i = 0; i < n; i++) {
        value += log(t->K[i * n + i]);
        t->a[i] = t->y[i];
    }
    cholesky_solve(t->K, n, t->a, 1);
    for (size_t i = 0; i < n; i++)
        value += 0.5 * t->a[i] * t->y[i];
    cholesky_invert(t->K, n);
    memset(gradient, 0, (size_t)t->P * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        float *k = t->k + i * padded;
        size_t whole = (i + LANES) / LANES * LANES;
        for (size_t j = 0; j < i; j++) // of ½ (K⁻¹ - a aᵀ)_ij, twice off the diagonal
            k[j] *= (float)(t->K[i * n + j] - t->a[i] * t->a[j]);
        double own = t->K[i * n + i] - t->a[i] * t->a[i];
        k[i] *= (float)(0.5 * own);
        for (size_t j = i + 1; j < whole; j++)
            k[j] = 0;
        weigh(sums, k, t->distance + i * (size_t)t->groups * padded, t->groups, whole,
              padded);
        gradient[1] += noise * own;
    }
    gradient[0] = 2 * a2 * sums[t->groups];
    for (int g = 0; g < t->groups; g++)
        gradient[2 + g] = a2 * sums[g] * (double)inverse[g];
    for (int k = 0; k < t->P; k++) {
        double z = (p[k] - t->prior[k]) / t->width[k];
        value += 0.5 * z * z;
        gradient[k] += z / t->width[k];
    }
    return value;
}

// Minimises the posterior from `at` on: BFGS with a backtracking line search.
static void minimise(struct learning *t, struct gp_optimum *at, bool bent)
{
    int P = t->P;
    double(*H)[GP_HYPER] = at->inverse, *p = at->log;
    double g[GP_HYPER], g1[GP_HYPER], p1[GP_HYPER], step[GP_HYPER];
    double value = posterior(t, p, g), norm = 0;
    for (int i = 0; i < P; i++)
        norm += g[i] * g[i];
    for (int i = 0; i < P && !bent; i++)
        H[i][i] = 1 / (1 + sqrt(norm)); // the first step is at most 1 long
    for (int iteration = 0; iteration < ITERATIONS && isfinite(value); iteration++) {
        double slope = 0, length = 0;
        for (int i = 0; i < P; i++) {
            step[i] = 0;
            for (int j = 0; j < P; j++)
                step[i] -= H[i][j] * g[j];
            slope += step[i] * g[i];
            length = fmax(length, fabs(step[i]));
        }
        if (!(slope < -1e-7))
            break;
        double rate = length > 2 ? 2 / length : 1, next = INFINITY;
        for (int tries = 0; tries < 20; tries++, rate /= 3) {
            for (int i = 0; i < P; i++)
                p1[i] = p[i] + rate * step[i];
            next = posterior(t, p1, g1);
            if (next <= value + 1e-4 * rate * slope)
                break;
        }
        if (!(next <= value))
            break;
        double sy = 0, yhy = 0, hy[GP_HYPER], s[GP_HYPER], y[GP_HYPER];
        for (int i = 0; i < P; i++) {
            s[i] = p1[i] - p[i];
            y[i] = g1[i] - g[i];
            sy += s[i] * y[i];
        }
        for (int i = 0; i < P; i++) {
            hy[i] = 0;
            for (int j = 0; j < P; j++)
                hy[i] += H[i][j] * y[j];
            yhy += y[i] * hy[i];
        }
        for (int i = 0; i < P && sy > 1e-12; i++)
            for (int j = 0; j < P; j++)
                H[i][j] +=
                    (1 + yhy / sy) * s[i] * s[j] / sy - (hy[i] * s[j] + s[i] * hy[j]) / sy;
        double gain = value - next;
        value = next;
        memcpy(p, p1, (size_t)P * sizeof *p);
        memcpy(g, g1, (size_t)P * sizeof *g);
        if (gain < 1e-4)
            break;
    }
}

// Sets the hyperparameters of gp from at most GP_LEARN of the points.
static void learn(struct gp *gp, const float *x, const double *y, size_t n, uint64_t seed,
                  const struct gp_optimum *near)
{
    const struct gp_shape *shape = &gp->shape;
    size_t m = n < GP_LEARN ? n : GP_LEARN, D = (size_t)shape->D;
    uint32_t *order = xcalloc(n, sizeof *order);
    struct rng rng = rng_key(seed, n, RNG_BOOTSTRAP);
    rng_permutation(&rng, order, (uint32_t)n);
    size_t padded = (m + LANES - 1) / LANES * LANES, groups = (size_t)shape->groups;
    struct learning t = {
        .n = m, .padded = padded, .groups = shape->groups, .P = 2 + shape->groups};
    double *part = xcalloc(m, sizeof *part);
    t.distance = xcalloc(m * groups * padded, sizeof *t.distance);
    t.k = xcalloc(m * padded, sizeof *t.k);
    t.K = xcalloc(m * m + m, sizeof *t.K);
    t.a = t.K + m * m;
    for (size_t i = 0; i < m; i++) {
        part[i] = (y[order[i]] - gp->mean) / gp->deviation;
        for (size_t g = 0; g < groups; g++)
            for (size_t j = 0; j <= i; j++) {
                float d = 0;
                for (int c = shape->start[g]; c < shape->start[g + 1]; c++) {
                    float z = x[order[i] * D + (size_t)c] - x[order[j] * D + (size_t)c];
                    d += z * z;
                }
                t.distance[(i * groups + g) * padded + j] = d;
            }
    }
    t.y = part;
    for (int k = 0; k < t.P; k++) {
        t.prior[k] = k == 0 ? -0.3 : k == 1 ? -0.5 : 0.5 * log((double)shape->D);
        t.width[k] = k == 1 ? 0.7 : 1;
        gp->at.log[k] = t.prior[k];
    }
    if (near)
        gp->at = *near;
    minimise(&t, &gp->at, near != NULL);
    free(t.distance);
    free(t.k);
    free(t.K);
    free(part);
    free(order);
}

void gp_fit(struct gp *gp, const struct gp_shape *shape, const float *x, const double *y,
            size_t n, uint64_t seed, const struct gp_optimum *near)
{
    size_t D = (size_t)shape->D;
    *gp = (struct gp){.shape = *shape, .n = n};
    for (size_t i = 0; i < n; i++)
        gp->mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        gp->deviation += (y[i] - gp->mean) * (y[i] - gp->mean) / (double)n;
    gp->deviation = gp->deviation > 0 ? sqrt(gp->deviation) : 1;
    learn(gp, x, y, n, seed, near);
    size_t padded = gp->padded = (n + WIDTH - 1) / WIDTH * WIDTH;
    gp->x = xcalloc(padded * D, sizeof *gp->x);
    gp->alpha = xcalloc(padded, sizeof *gp->alpha);
    gp->L = xcalloc(n * n, sizeof *gp->L);
    for (int g = 0; g < shape->groups; g++)
        for (int c = shape->start[g]; c < shape->start[g + 1]; c++)
            for (size_t i = 0; i < n; i++)
                gp->x[(size_t)c * padded + i] =
                    x[i * D + (size_t)c] * (float)exp(-gp->at.log[2 + g]);
    float *k = xcalloc(padded, sizeof *k), *a = xcalloc(D, sizeof *a);
    double a2 = exp(2 * gp->at.log[0]), noise = exp(2 * gp->at.log[1]);
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < D; c++)
            a[c] = gp->x[c * padded + i];
        covariances(k, a, gp->x, padded, shape->D);
        for (size_t j = 0; j <= i; j++)
            gp->L[i * n + j] = a2 * k[j] + WIDE + (i == j ? noise + FLOOR : 0);
        gp->alpha[i] = (y[i] - gp->mean) / gp->deviation;
    }
    free(k);
    free(a);
    if (!cholesky(gp->L, n)) // the rounding of the covariances is far below FLOOR
        die("gp: the covariance of %zu points is not positive definite", n);
    cholesky_solve(gp->L, n, gp->alpha, 1);
}

void gp_settle(struct gp *gp)
{
    free(gp->L);
    gp->L = NULL;
}

void gp_free(struct gp *gp)
{
    free(gp->x);
    free(gp->alpha);
    free(gp->L);
}

void gp_predict(const struct gp *gp, const float *x, size_t m, const double *weight,
                double *f, double *columns)
{
    size_t n = gp->n, D = (size_t)gp->shape.D, padded = gp->padded;
    float *k = xcalloc(padded, sizeof *k), *part = xcalloc(padded, sizeof *part);
    double constant = 0, total = 0;
    float a[GP_FEATURES], scale[GP_FEATURES];
    double a2 = exp(2 * gp->at.log[0]);
    for (int g = 0; g < gp->shape.groups; g++)
        for (int c = gp->shape.start[g]; c < gp->shape.start[g + 1]; c++)
            scale[c] = (float)exp(-gp->at.log[2 + g]);
    for (size_t j = 0; j < n; j++) {
        constant += WIDE * gp->alpha[j];
        if (columns)
            columns[j] = 0;
    }
    for (size_t i = 0; i < m; i++) {
        double w = weight ? weight[i] : 1;
        total += w;
        for (size_t c = 0; c < D; c++)
            a[c] = x[i * D + c] * scale[c];
        covariances(k, a, gp->x, padded, gp->shape.D);
        double sum = gather(k, gp->alpha, (float)w, part, padded);
        f[i] = gp->mean + gp->deviation * (a2 * sum + constant);
        if (columns &&
            (i + 1 == m || (i + 1) % BLOCK == 0)) // sums in single precision are short
            for (size_t j = 0; j < n; j++) {
                columns[j] += a2 * (double)part[j];
                part[j] = 0;
            }
    }
    for (size_t j = 0; columns && j < n; j++)
        columns[j] += WIDE * total;
    free(k);
    free(part);
}

void gp_weights(const struct gp *gp, double *columns, double total)
{
    size_t n = gp->n;
    double sum = 0;
    cholesky_solve(gp->L, n, columns, 1);
    for (size_t j = 0; j < n; j++)
        sum += columns[j];
    // f = mean + k K⁻¹ (y - mean): the deviation of y cancels
    for (size_t j = 0; j < n; j++)
        columns[j] += (total - sum) / (double)n;
}
