/* See strata.h. */
#include "stats/strata.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "stats/bootstrap.h"
#include "stats/resample.h"

uint32_t strata_bin(const struct strata *s, double x)
{
    if (!(x >= s->lo && x <= s->hi))
        return NO_BIN;
    double at = (x - s->lo) / (s->hi - s->lo) * s->bins;
    return at >= s->bins ? s->bins - 1 : (uint32_t)at;
}

bool strata_assign(const struct strata *s, const double *x, size_t n, uint32_t *bin,
                   double *weight, struct error *e)
{
    assert(s->bins >= 1 && s->bins <= STRATA_MOST && s->lo < s->hi);
    size_t count[STRATA_MOST] = {0};
    for (size_t i = 0; i < n; i++)
        if ((bin[i] = strata_bin(s, x[i])) != NO_BIN)
            count[bin[i]]++;
    double width = (s->hi - s->lo) / s->bins;
    for (uint32_t k = 0; k < s->bins; k++)
        if (!count[k])
            return error_set(e, "no model in bin %u of %u, from %.4g to %.4g", k + 1, s->bins,
                             s->lo + k * width, s->lo + (k + 1) * width);
    for (size_t i = 0; i < n; i++)
        weight[i] = bin[i] == NO_BIN ? 0 : 1 / ((double)count[bin[i]] * s->bins);
    return true;
}

/* The models sorted by error and, in order[], by bin: order[first[k]] to order[first[k + 1] -
 * 1] are the models of bin k. */
struct pool {
    size_t n;
    uint32_t bins;
    struct labelled *models;
    uint32_t *order;
    size_t *first;
    double *weight_a, *weight_b; // by bin, of one model
};

static int by_error(const void *p, const void *q)
{
    double x = ((const struct labelled *)p)->e, y = ((const struct labelled *)q)->e;
    return (x > y) - (x < y);
}

static void pool_init(struct pool *p, const struct labelled *models, size_t n, uint32_t bins)
{
    *p = (struct pool){.n = n, .bins = bins};
    p->models = xmalloc(n * sizeof *p->models);
    memcpy(p->models, models, n * sizeof *models);
    qsort(p->models, n, sizeof *p->models, by_error);
    p->order = xmalloc(n * sizeof *p->order);
    p->first = xcalloc(bins + 1, sizeof *p->first);
    p->weight_a = xcalloc(2 * (size_t)bins, sizeof *p->weight_a);
    p->weight_b = p->weight_a + bins;
    for (size_t i = 0; i < n; i++) {
        assert(models[i].bin < bins && models[i].label);
        p->first[models[i].bin + 1]++;
        p->weight_a[models[i].bin] += models[i].label & OF_A ? 1 : 0; // counts, so far
        p->weight_b[models[i].bin] += models[i].label & OF_B ? 1 : 0;
    }
    size_t *next = xcalloc(bins + 1, sizeof *next);
    for (uint32_t k = 0; k < bins; k++) {
        assert(p->weight_a[k] > 0 && p->weight_b[k] > 0);
        next[k + 1] = p->first[k + 1] += p->first[k];
        p->weight_a[k] = 1 / (p->weight_a[k] * bins);
        p->weight_b[k] = 1 / (p->weight_b[k] * bins);
    }
    for (size_t i = 0; i < n; i++)
        p->order[next[p->models[i].bin]++] = (uint32_t)i;
    free(next);
}

static void pool_clear(struct pool *p)
{
    free(p->models);
    free(p->order);
    free(p->first);
    free(p->weight_a);
}

/* One walk over the errors: the difference of the means, the largest gap of the EDFs, and
 * the weight of the pairs that b wins. */
struct walk {
    double difference, ks, wins;
};

static struct walk walk(const struct pool *p)
{
    struct walk w = {0, 0, 0};
    double fa = 0, fb = 0;
    for (size_t i = 0; i < p->n;) {
        double e = p->models[i].e, ga = 0, gb = 0;
        for (; i < p->n && p->models[i].e == e; i++) {
            const struct labelled *m = &p->models[i];
            ga += m->label & OF_A ? p->weight_a[m->bin] : 0;
            gb += m->label & OF_B ? p->weight_b[m->bin] : 0;
        }
        w.difference += (gb - ga) * e;
        w.wins += gb * (1 - fa - ga / 2);
        fa += ga;
        fb += gb;
        w.ks = fmax(w.ks, fabs(fa - fb));
    }
    return w;
}

// Gives the labels of each bin to its models at random (Fisher-Yates).
static void relabel(struct pool *p, struct rng *r)
{
    for (uint32_t k = 0; k < p->bins; k++) {
        const uint32_t *order = p->order + p->first[k];
        for (uint32_t i = (uint32_t)(p->first[k + 1] - p->first[k]); i > 1; i--) {
            uint32_t j;
            draw_indices(r, &j, 1, i);
            struct labelled *x = &p->models[order[i - 1]], *y = &p->models[order[j]];
            enum label swap = x->label;
            x->label = y->label;
            y->label = swap;
        }
    }
}

static bool permute(struct comparison *out, struct pool *p, struct walk seen, uint32_t draws,
                    uint64_t seed)
{
    double means = 0, gaps = 0;
    const double slack = 1e-10;
    for (uint32_t t = 0; t < draws; t++) {
        if (interrupt_pending())
            return false;
        struct rng r = replicate_rng(seed, USE_STRATA_PERMUTATION, t);
        relabel(p, &r);
        struct walk w = walk(p);
        means += fabs(w.difference) >= fabs(seen.difference) - slack;
        gaps += w.ks >= seen.ks - slack;
    }
    out->p_permutation = (means + 1) / (draws + 1.0);
    out->ks_p = (gaps + 1) / (draws + 1.0);
    return true;
}

/* The models bin by bin, as they are resampled: those of a, the shared ones first, then
 * those of b alone. */
struct group {
    size_t shared, of_a, rest; // how many; of_a includes the shared ones
    double *e;
};

static struct group *groups_of(const struct pool *p)
{
    struct group *groups = xmalloc(p->bins * sizeof *groups);
    const enum label turn[] = {OF_BOTH, OF_A, OF_B};
    for (uint32_t k = 0; k < p->bins; k++) {
        struct group *g = &groups[k];
        size_t count[3] = {0}, at = 0;
        g->e = xmalloc((p->first[k + 1] - p->first[k]) * sizeof *g->e);
        for (int t = 0; t < 3; t++)
            for (size_t i = p->first[k]; i < p->first[k + 1]; i++)
                if (p->models[p->order[i]].label == turn[t]) {
                    g->e[at++] = p->models[p->order[i]].e;
                    count[t]++;
                }
        g->shared = count[0];
        g->of_a = count[0] + count[1];
        g->rest = count[2];
    }
    return groups;
}

// How many means are estimated: of a, and of b alone, in every bin.
static double groups_count(const struct group *groups, uint32_t bins)
{
    double count = bins;
    for (uint32_t k = 0; k < bins; k++)
        count += groups[k].rest > 0;
    return count;
}

// mean(b) - mean(a) of a resample; again where it took no model of b.
static double resampled_difference(const struct group *g, uint32_t *drawn, struct rng *r)
{
    for (;;) {
        double a = 0, b = 0, of_b = (double)g->rest;
        draw_indices(r, drawn, g->of_a, (uint32_t)g->of_a);
        for (size_t i = 0; i < g->of_a; i++) {
            a += g->e[drawn[i]];
            b += drawn[i] < g->shared ? g->e[drawn[i]] : 0;
            of_b += drawn[i] < g->shared;
        }
        if (g->rest)
            draw_indices(r, drawn, g->rest, (uint32_t)g->rest);
        for (size_t i = 0; i < g->rest; i++)
            b += g->e[g->of_a + drawn[i]];
        if (of_b > 0)
            return b / of_b - a / (double)g->of_a;
    }
}

static bool resample(struct comparison *out, const struct pool *p, uint32_t draws,
                     uint64_t seed, double level, double *variance)
{
    struct group *groups = groups_of(p);
    double *difference = xmalloc(draws * sizeof *difference);
    uint32_t *drawn = xmalloc(p->n * sizeof *drawn), t = 0;
    for (; t < draws && !interrupt_pending(); t++) {
        struct rng r = replicate_rng(seed, USE_STRATA, t);
        difference[t] = 0;
        for (uint32_t k = 0; k < p->bins; k++)
            difference[t] += resampled_difference(&groups[k], drawn, &r) / p->bins;
    }
    values_sort(difference, t);
    if (t == draws) {
        double freedom = (double)p->n - groups_count(groups, p->bins);
        double tail = bootstrap_tail(level, freedom / (double)p->n, freedom);
        out->lo = freedom > 0 ? values_quantile(difference, t, tail) : -100;
        out->hi = freedom > 0 ? values_quantile(difference, t, 1 - tail) : 100;
        struct edf f = {.n = t, .e = difference};
        for (uint32_t i = 0; i < t; i++)
            f.mean += difference[i] / t;
        *variance = edf_variance(&f);
    }
    for (uint32_t k = 0; k < p->bins; k++)
        free(groups[k].e);
    free(groups);
    free(difference);
    free(drawn);
    return t == draws;
}

// The minima of both spaces, from the pool sorted by error.
static void minima(struct comparison *out, const struct pool *p, double level,
                   size_t count[2])
{
    double *errors = xmalloc(2 * p->n * sizeof *errors);
    struct edf f[2];
    for (int side = 0; side < 2; side++) {
        f[side] = (struct edf){.e = errors + (size_t)side * p->n};
        for (size_t i = 0; i < p->n; i++)
            if (p->models[i].label & (side ? OF_B : OF_A))
                errors[(size_t)side * p->n + f[side].n++] = p->models[i].e;
        count[side] = f[side].n;
    }
    compare_minima(out, &f[0], &f[1], level);
    free(errors);
}

bool strata_compare(struct comparison *out, const struct labelled *models, size_t n,
                    uint32_t bins, uint32_t draws, uint64_t seed, double level)
{
    assert(draws >= 1 && bins >= 1 && n <= UINT32_MAX);
    struct pool p;
    pool_init(&p, models, n, bins);
    struct walk seen = walk(&p);
    *out = (struct comparison){.ks = seen.ks,
                               .ks_critical = NAN,
                               .mean_difference = seen.difference,
                               .p_better = seen.wins};
    size_t count[2];
    minima(out, &p, level, count);
    double variance = 0; // of the difference; shrinks as the populations grow alike
    bool done = resample(out, &p, draws, seed, level, &variance) &&
                permute(out, &p, seen, draws, seed);
    if (done) {
        out->deviation = sqrt(variance);
        double each = (double)(count[0] + count[1]) / 2;
        out->more = compare_more_of(seen.difference, variance * each, (size_t)each, 0, 1);
    }
    pool_clear(&p);
    return done;
}
