/* See bootstrap.h. */
#include "stats/bootstrap.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "stats/resample.h"
#include "stats/search.h"
#include "stats/special.h"

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

double bootstrap_tail(double level, double shrink, double freedom)
{
    if (!(shrink > 0 && freedom > 0)) // nothing scatters, or nobody knows
        return (1 - level) / 2;
    double t = student_quantile((1 + level) / 2, freedom) / sqrt(shrink);
    return 0.5 * erfc(t / sqrt(2));
}

static double tail_of(const struct edf *a, const struct edf *b, double level)
{
    double n = (double)a->n, m = (double)b->n;
    double x = edf_variance(a) / n, y = edf_variance(b) / m, all = x + y;
    return bootstrap_tail(level, (x * (n - 1) / n + y * (m - 1) / m) / all,
                          all * all / (x * x / (n - 1) + y * y / (m - 1)));
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
        double tail = tail_of(a, b, level);
        *lo = values_quantile(difference, k, tail);
        *hi = values_quantile(difference, k, 1 - tail);
    }
    free(difference);
    free(drawn);
    return k == draws;
}

/* --- the difference of two minima --- */

struct outcome {
    double difference, weight;
};

static int by_difference(const void *a, const void *b)
{
    double x = ((const struct outcome *)a)->difference;
    double y = ((const struct outcome *)b)->difference;
    return (x > y) - (x < y);
}

// How many ranks the minimum of a resample can have: the rest has no weight left.
static size_t ranks_of_minimum(size_t n)
{
    size_t r = 1;
    while (r < n && search_survival(n, n, r) > 1e-17)
        r++;
    return r;
}

void bootstrap_min_difference(double *lo, double *hi, const struct edf *a,
                              const struct edf *b, double level)
{
    size_t n = ranks_of_minimum(a->n), m = ranks_of_minimum(b->n), k = 0;
    struct outcome *all = xmalloc(n * m * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        double w = search_survival(a->n, a->n, i) - search_survival(a->n, a->n, i + 1);
        for (size_t j = 0; j < m; j++)
            all[k++] =
                (struct outcome){b->e[j] - a->e[i], w * (search_survival(b->n, b->n, j) -
                                                         search_survival(b->n, b->n, j + 1))};
    }
    qsort(all, k, sizeof *all, by_difference);
    const double slack = 1e-12, tail = (1 - level) / 2;
    *lo = all[0].difference;
    *hi = all[k - 1].difference;
    double sum = 0;
    bool low = false;
    for (size_t i = 0; i < k; i++) { // the least values that reach tail and 1 - tail
        sum += all[i].weight;
        if (!low && sum >= tail - slack) {
            *lo = all[i].difference;
            low = true;
        }
        if (sum >= 1 - tail - slack) {
            *hi = all[i].difference;
            break;
        }
    }
    free(all);
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
