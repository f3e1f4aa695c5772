/* See rng.h. */
#include "base/rng.h"

#include <math.h>

struct rng rng_key(uint64_t seed, uint64_t index, enum rng_purpose purpose)
{
    uint64_t s = rng_mix(seed + 0x9e3779b97f4a7c15u);
    s = rng_mix(s ^ rng_mix(index + 0x6a09e667f3bcc909u));
    s = rng_mix(s ^ rng_mix((uint64_t)purpose + 0xbb67ae8584caa73bu));
    return (struct rng){s};
}

double rng_uniform(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; // largest multiple of n
    uint64_t x;
    do
        x = rng_u64(r);
    while (x >= limit);
    return x % n;
}

double rng_normal(struct rng *r)
{
    double u = 1 - rng_uniform(r), v = rng_uniform(r); // u in (0, 1]
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void rng_permutation(struct rng *r, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = (uint32_t)rng_below(r, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
