/* What every simulation of src/stats shares: a stream for each (seed, use, replicate), so
 * that a seed gives the same figures everywhere and in any order, and fast indices. */
#ifndef STATS_RESAMPLE_H
#define STATS_RESAMPLE_H
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/* What a stream is for.  Numbers are part of every result: never renumber. */
enum resample_use {
    USE_BEST = 1, // the best of a share of the models
    USE_MEAN_A,   // one of two means
    USE_MEAN_B,
    USE_PERMUTATION,
    USE_STRATA, // as the three before, inside strata
    USE_STRATA_PERMUTATION,
    USE_SEARCH, // simulated random search
    USE_RANK,   // pairs of a rank correlation
};

static inline struct rng replicate_rng(uint64_t seed, enum resample_use use,
                                       uint32_t replicate)
{
    return rng_key(seed, (uint64_t)use << 32 | replicate, RNG_BOOTSTRAP);
}

/* `count` uniform numbers below n from half a word each: the high half of half * n, unless
 * the low half falls in the part that would favour some (Lemire 2019). */
static inline void draw_indices(struct rng *r, uint32_t *out, size_t count, uint32_t n)
{
    uint32_t reject = -n % n; // 2^32 mod n
    for (size_t i = 0; i < count;) {
        uint64_t word = rng_u64(r);
        uint64_t high = (word >> 32) * n, low = (word & UINT32_MAX) * n;
        out[i] = (uint32_t)(high >> 32);
        i += (uint32_t)high >= reject;
        if (i < count) {
            out[i] = (uint32_t)(low >> 32);
            i += (uint32_t)low >= reject;
        }
    }
}

#endif
