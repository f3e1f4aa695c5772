/* Batch normalisation, residual add and activation: see layers.h for what the parts
 * compute and norm_kernels.h for how.  Source: Ioffe & Szegedy 2015, Algorithm 1. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/kernels.h"

// The arrays of a norm's state, C each.
struct state {
    float *mean, *rstd, *scale; // scale = gamma·rstd
    float *c1, *c2;             // dx = scale·(g - c1 - (x - mean)·c2)
    double *sum, *sum2;         // forward: mean, Σ (x - mean)²; backward: Σg, Σ g·(x - mean)
};

static size_t padded(size_t C)
{
    return (C + 15) / 16 * 16;
}

size_t norm_floats(size_t C)
{
    return 9 * padded(C);
}

static struct state state_of(const struct norm *n)
{
    size_t step = padded(n->C);
    float *s = n->state;
    double *sums = (double *)(void *)(s + 5 * step);
    return (struct state){ s, s + step, s + 2 * step, s + 3 * step, s + 4 * step,
                           sums, sums + step };
}

static void zero_sums(const struct state *s, size_t C)
{
    memset(s->sum, 0, C * sizeof *s->sum);
    memset(s->sum2, 0, C * sizeof *s->sum2);
}

void norm_begin(struct norm *n)
{
    struct state s = state_of(n);
    zero_sums(&s, n->C);
    n->rows = 0;
}

void norm_gather(struct norm *n, const float *x, size_t M)
{
    struct state s = state_of(n);
    kernels_get()->norm_gather(s.sum, s.sum2, n->rows, x, M, n->C);
    n->rows += M;
}

void norm_end(struct norm *n)
{
    struct state s = state_of(n);
    size_t M = n->rows;
    assert(M > 0);
    for (size_t c = 0; c < n->C; c++) {
        double ss = s.sum2[c] < 0 ? 0 : s.sum2[c];
        double var = ss / (double)M, unbiased = M > 1 ? ss / (double)(M - 1) : var;
        s.mean[c] = (float)s.sum[c];
        s.rstd[c] = (float)(1.0 / sqrt(var + (double)n->eps));
        s.scale[c] = n->gamma[c] * s.rstd[c];
        float *rm = &n->running_mean[c], *rv = &n->running_var[c];
        *rm = (1 - n->momentum) * *rm + n->momentum * s.mean[c];
        *rv = (1 - n->momentum) * *rv + n->momentum * (float)unbiased;
    }
}

void norm_running(struct norm *n)
{
    struct state s = state_of(n);
    for (size_t c = 0; c < n->C; c++) {
        s.mean[c] = n->running_mean[c];
        s.scale[c] = n->gamma[c] / sqrtf(n->running_var[c] + n->eps);
    }
}

void norm_apply(const struct norm *n, float *y, const float *x, const float *add, size_t M)
{
    struct state s = state_of(n);
    kernels_get()->norm_apply(y, x, add, s.mean, s.scale, n->beta, M, n->C, n->act);
}

void norm_grad(struct norm *n, float *g, const float *dy, const float *x, const float *add,
               const float *y, size_t M)
{
    struct state s = state_of(n);
    kernels_get()->norm_grad(s.sum, s.sum2, g, dy, x, add, y, s.mean, s.scale, n->beta, M,
                             n->C, n->act);
    n->rows += M;
}

void norm_back_end(struct norm *n)
{
    struct state s = state_of(n);
    double M = (double)n->rows;
    assert(n->rows > 0);
    for (size_t c = 0; c < n->C; c++) {
        double r = (double)s.rstd[c];
        n->dbeta[c] += (float)s.sum[c];
        n->dgamma[c] += (float)(s.sum2[c] * r);
        s.c1[c] = (float)(s.sum[c] / M);
        s.c2[c] = (float)(s.sum2[c] * r * r / M);
    }
}

void norm_dx(const struct norm *n, float *dx, const float *g, const float *x, size_t M)
{
    struct state s = state_of(n);
    kernels_get()->norm_dx(dx, g, x, s.mean, s.scale, s.c1, s.c2, M, n->C);
}
