/* Random numbers for initial weights: see layers.h. */
#include "nn/kernels.h"

void random_normal(float *x, size_t n, double deviation, struct rng r)
{
    kernels_get()->random_normal(x, n, deviation, r);
}
