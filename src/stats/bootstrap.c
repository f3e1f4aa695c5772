/* See bootstrap.h. */
#include "stats/bootstrap.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "stats/search.h"

/* What a stream is for, beside the replicate, in the index of its key. */
enum { USE_BEST = 1, USE_MEAN_A, USE_MEAN_B, USE_PERMUTATION };

static struct rng replicate_rng(uint64_t seed, int use, uint32_t replicate)
{
    return rng_key(seed, (uint64_t)use << 32 | replicate, RNG_BOOTSTRAP);
}

/* Uniform numbers below n from half a word each: the high half of half * n, unless the
 * low half falls in the part that would favour some (Lemire 2019). */
static void draw_indices(struct rng *r, uint32_t *out, size_t count, uint32_t n)
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

/* --- the x of the best model --- */

struct pair {
    double error, x;
    size_t index;
};

static int by_error(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    if (p->error != q->error)
        return p->error < q->error ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

static int by_x(const void *a, const void *b)
{
    double x = ((const struct pair *)a)->x, y = ((const struct pair *)b)->x;
    return (x > y) - (x < y);
}

// The smallest x whose share of the weight, kept in .error, reaches p; pairs sorted by x.
static double weighted_quantile(const struct pair *pairs, size_t n, double p)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < n; i++)
        if ((sum += pairs[i].error) >= p - 1e-12)
            return pairs[i].x;
    return pairs[n - 1].x;
}

static void best_exact(struct best_band *out, struct pair *pairs, size_t n, double tail)
{
    for (size_t r = 1; r <= n; r++)
        pairs[r - 1].error = search_survival(n, out->taken, r - 1) -
                             search_survival(n, out->taken, r);
    qsort(pairs, n, sizeof *pairs, by_x);
    out->lo = weighted_quantile(pairs, n, tail);
    out->median = weighted_quantile(pairs, n, 0.5);
    out->hi = weighted_quantile(pairs, n, 1 - tail);
}

static double kept_quantile(const double *kept, size_t n, double p, bool categorical)
{
    if (!categorical)
        return values_quantile(kept, n, p);
    double k = ceil(p * (double)n - 1e-9);
    return kept[k < 1 ? 0 : (size_t)k - 1];
}

// Pairs are sorted by error, so the best of a draw is its lowest index.
static bool best_simulated(struct best_band *out, const struct pair *pairs, size_t n,
                           const struct best_options *o, double tail)
{
    double *kept = xmalloc(o->draws * sizeof *kept);
    uint32_t *drawn = xmalloc(out->taken * sizeof *drawn);
    uint32_t k = 0;
    for (; k < o->draws && !interrupt_pending(); k++) {
        struct rng r = replicate_rng(o->seed, USE_BEST, k);
        draw_indices(&r, drawn, out->taken, (uint32_t)n);
        uint32_t best = drawn[0];
        for (size_t i = 1; i < out->taken; i++)
            best = drawn[i] < best ? drawn[i] : best;
        kept[k] = pairs[best].x;
    }
    values_sort(kept, k);
    if (k == o->draws) {
        out->lo = kept_quantile(kept, k, tail, o->categorical);
        out->median = kept_quantile(kept, k, 0.5, o->categorical);
        out->hi = kept_quantile(kept, k, 1 - tail, o->categorical);
    }
    free(kept);
    free(drawn);
    return k == o->draws;
}

bool bootstrap_best(struct best_band *out, const double *x, const double *errors, size_t n,
                    const struct best_options *o)
{
    assert(n >= 1 && n <= UINT32_MAX && o->share > 0 && o->share <= 1);
    struct pair *pairs = xmalloc(n * sizeof *pairs);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct pair){errors[i], x[i], i};
    qsort(pairs, n, sizeof *pairs, by_error);
    double taken = floor(o->share * (double)n + 1e-9), tail = (1 - o->level) / 2;
    *out = (struct best_band){.best = pairs[0].x, .taken = taken < 1 ? 1 : (size_t)taken};
    bool done = true;
    if (o->draws == 0)
        best_exact(out, pairs, n, tail);
    else
        done = best_simulated(out, pairs, n, o, tail);
    free(pairs);
    return done;
}

/* --- the difference of two means --- */

static double resampled_mean(const struct edf *f, uint32_t *drawn, struct rng r)
{
    draw_indices(&r, drawn, f->n, (uint32_t)f->n);
    double sum[4] = {0}; // four chains of additions
    size_t i = 0;
    for (; i + 4 <= f->n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += f->e[drawn[i + (size_t)k]];
    for (; i < f->n; i++)
        sum[0] += f->e[drawn[i]];
    return (sum[0] + sum[1] + (sum[2] + sum[3])) / (double)f->n;
}

bool bootstrap_mean_difference(double *lo, double *hi, const struct edf *a,
                               const struct edf *b, uint32_t draws, uint64_t seed,
                               double level)
{
    assert(a->n <= UINT32_MAX && b->n <= UINT32_MAX && draws >= 1);
    double *difference = xmalloc(draws * sizeof *difference);
    uint32_t *drawn = xmalloc((a->n > b->n ? a->n : b->n) * sizeof *drawn);
    uint32_t k = 0;
    for (; k < draws && !interrupt_pending(); k++)
        difference[k] = resampled_mean(b, drawn, replicate_rng(seed, USE_MEAN_B, k)) -
                        resampled_mean(a, drawn, replicate_rng(seed, USE_MEAN_A, k));
    values_sort(difference, k);
    if (k == draws) {
        *lo = values_quantile(difference, k, (1 - level) / 2);
        *hi = values_quantile(difference, k, (1 + level) / 2);
    }
    free(difference);
    free(drawn);
    return k == draws;
}

/* --- permutation test --- */

enum { MAX_SPLITS = 200000 };

static double splits(size_t n, size_t k) // C(n, k), as soon as above MAX_SPLITS just that
{
    double c = 1;
    for (size_t i = 1; i <= k && c <= MAX_SPLITS; i++)
        c = c * (double)(n - k + i) / (double)i;
    return c;
}

// Of all ways to take k more of v[n] onto a sum, how many reach |sum| >= bound.
static double count_splits(const double *v, size_t n, size_t k, double sum, double bound)
{
    if (k == 0)
        return fabs(sum) >= bound;
    double hits = 0;
    for (; n >= k; n--)
        hits += count_splits(v, n - 1, k - 1, sum + v[n - 1], bound);
    return hits;
}

static bool count_random(double *hits, double *v, uint32_t n, uint32_t k, double bound,
                         uint32_t draws, uint64_t seed)
{
    *hits = 0;
    for (uint32_t t = 0; t < draws; t++) {
        if (interrupt_pending())
            return false;
        struct rng r = replicate_rng(seed, USE_PERMUTATION, t);
        double sum = 0;
        for (uint32_t i = 0; i < k; i++) { // the first k places of a Fisher-Yates shuffle
            uint32_t step, j;
            draw_indices(&r, &step, 1, n - i);
            j = i + step;
            double swap = v[i];
            sum += v[i] = v[j];
            v[j] = swap;
        }
        *hits += fabs(sum) >= bound;
    }
    return true;
}

/* With the pooled errors centred, mean(b) - mean(a) is the sum of either group times a
 * constant, so splits are compared by the sum of the smaller group. */
bool permutation_mean_difference(double *p, const struct edf *a, const struct edf *b,
                                 uint32_t draws, uint64_t seed)
{
    const struct edf *small = a->n <= b->n ? a : b, *large = small == a ? b : a;
    size_t n = a->n + b->n, k = small->n;
    assert(n <= UINT32_MAX && draws >= 1);
    double centre = (a->mean * (double)a->n + b->mean * (double)b->n) / (double)n;
    double *v = xmalloc(n * sizeof *v), observed = 0, size = 0, hits;
    for (size_t i = 0; i < n; i++) {
        v[i] = (i < k ? small->e[i] : large->e[i - k]) - centre;
        observed += i < k ? v[i] : 0;
        size += fabs(v[i]);
    }
    double bound = fabs(observed) - 1e-13 * size; // equal but for rounding counts as equal
    double all = splits(n, k);
    bool done = true;
    if (all <= MAX_SPLITS)
        *p = count_splits(v, n, k, 0, bound) / all;
    else if ((done = count_random(&hits, v, (uint32_t)n, (uint32_t)k, bound, draws, seed)))
        *p = (hits + 1) / (draws + 1.0);
    free(v);
    return done;
}
