/* Batch normalisation, residual add and activation: see layers.h for what it computes and
 * norm_kernels.h for how.  Source: Ioffe & Szegedy 2015. */
#include <assert.h>

#include "nn/kernels.h"

void norm_forward_train(float *y, float *mean, float *rstd, float *running_mean,
                        float *running_var, const float *x, const float *add,
                        const float *gamma, const float *beta, size_t M, size_t C,
                        float eps, float momentum, enum activation act)
{
    assert(M > 0 && C > 0);
    const struct kernels *k = kernels_get();
    k->norm_stats(mean, rstd, running_mean, running_var, x, M, C, eps, momentum);
    k->norm_apply(y, x, add, mean, rstd, NULL, eps, gamma, beta, M, C, act);
}

void norm_forward_test(float *y, const float *x, const float *add, const float *running_mean,
                       const float *running_var, const float *gamma, const float *beta,
                       size_t M, size_t C, float eps, enum activation act)
{
    assert(M > 0 && C > 0);
    kernels_get()->norm_apply(y, x, add, running_mean, NULL, running_var, eps, gamma, beta, M,
                              C, act);
}

void norm_backward(float *dx, float *dadd, float *dgamma, float *dbeta, const float *dy,
                   const float *x, const float *add, const float *y, const float *mean,
                   const float *rstd, const float *gamma, const float *beta, size_t M,
                   size_t C, enum activation act)
{
    assert(M > 0 && C > 0);
    kernels_get()->norm_backward(dx, dadd, dgamma, dbeta, dy, x, add, y, mean, rstd, gamma,
                                 beta, M, C, act);
}
