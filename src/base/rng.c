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

// Normal numbers by the ziggurat (Marsaglia & Tsang 2000): layers of equal area under
// exp(-x²/2), layer i reaching from 0 to edge[i]; the first stands for the tail as well.
// The layer and the place in it come from different bits (Doornik 2005).
enum { LAYERS = 128 };
static const double TAIL = 3.442619855899, AREA = 9.91256303526217e-3; // Doornik, C = 128
static double edge[LAYERS + 1], inside[LAYERS]; // inside: share of layer i under the curve

static void make_layers(void)
{
    double f = exp(-0.5 * TAIL * TAIL);
    edge[0] = AREA / f;
    edge[1] = TAIL;
    for (int i = 2; i < LAYERS; i++) {
        edge[i] = sqrt(-2 * log(AREA / edge[i - 1] + f));
        f = exp(-0.5 * edge[i] * edge[i]);
    }
    for (int i = 0; i < LAYERS; i++)
        inside[i] = edge[i + 1] / edge[i];
}

// Beyond TAIL (Marsaglia 1964).
static double tail(struct rng *r)
{
    double x, y;
    do {
        x = -log(1 - rng_uniform(r)) / TAIL;
        y = -log(1 - rng_uniform(r));
    } while (2 * y < x * x);
    return TAIL + x;
}

double rng_normal(struct rng *r)
{
    if (edge[1] == 0)
        make_layers();
    for (;;) {
        uint64_t bits = rng_u64(r);
        unsigned i = bits % LAYERS;
        double u = 2 * ((double)(bits >> 11) * 0x1p-53) - 1, x = u * edge[i];
        if (fabs(u) < inside[i])
            return x;
        if (i == 0)
            return u < 0 ? -tail(r) : tail(r);
        double low = exp(-0.5 * (edge[i] * edge[i] - x * x));
        double high = exp(-0.5 * (edge[i + 1] * edge[i + 1] - x * x));
        if (low + rng_uniform(r) * (high - low) < 1)
            return x;
    }
}

void rng_permutation(struct rng *r, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = (uint32_t)rng_below(r, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
