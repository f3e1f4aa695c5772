/* See rng.h. */
#include "base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct rng rng_key(uint64_t seed, uint64_t index, enum rng_purpose purpose)
{
    uint64_t s = mix(seed + 0x9e3779b97f4a7c15u);
    s = mix(s ^ mix(index + 0x6a09e667f3bcc909u));
    s = mix(s ^ mix((uint64_t)purpose + 0xbb67ae8584caa73bu));
    return (struct rng){s};
}

uint64_t rng_u64(struct rng *r)
{
    return mix(r->state += 0x9e3779b97f4a7c15u);
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
