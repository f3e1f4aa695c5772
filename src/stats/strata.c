/* See strata.h. */
#include "stats/strata.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

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
            return error_set(e, "no model in bin %u of %u, from %.4g to %.4g", k + 1,
                             s->bins, s->lo + k * width, s->lo + (k + 1) * width);
    for (size_t i = 0; i < n; i++)
        weight[i] = bin[i] == NO_BIN ? 0 : 1 / ((double)count[bin[i]] * s->bins);
    return true;
}

/* The pooled models, sorted by error and, in the order[], by bin: order[first[k]] to
 * order[first[k + 1] - 1] are the models of bin k. */
struct pool {
    size_t n;
    uint32_t bins;
    struct model {
        double e;
        uint32_t bin;
        bool of_b;
    } *models;
    uint32_t *order;
    size_t *first;
    double *count_a, *count_b; // by bin
    double *weight_a, *weight_b; // of one model of a bin
};

static int by_error(const void *p, const void *q)
{
    double x = ((const struct model *)p)->e, y = ((const struct model *)q)->e;
    return (x > y) - (x < y);
}

static void pool_init(struct pool *p, const struct stratified *a,
                      const struct stratified *b, uint32_t bins)
{
    *p = (struct pool){.n = a->n + b->n, .bins = bins};
    p->models = xmalloc(p->n * sizeof *p->models);
    p->order = xmalloc(p->n * sizeof *p->order);
    p->first = xcalloc(bins + 1, sizeof *p->first);
    p->count_a = xcalloc(4 * (size_t)bins, sizeof *p->count_a);
    p->count_b = p->count_a + bins;
    p->weight_a = p->count_b + bins;
    p->weight_b = p->weight_a + bins;
    for (size_t i = 0; i < p->n; i++) {
        bool of_b = i >= a->n;
        const struct stratified *s = of_b ? b : a;
        size_t at = of_b ? i - a->n : i;
        assert(s->bin[at] < bins);
        p->models[i] = (struct model){s->e[at], s->bin[at], of_b};
        (of_b ? p->count_b : p->count_a)[s->bin[at]]++;
        p->first[s->bin[at] + 1]++;
    }
    qsort(p->models, p->n, sizeof *p->models, by_error);
    size_t *next = xmalloc((bins + 1) * sizeof *next);
    next[0] = 0;
    for (uint32_t k = 0; k < bins; k++) {
        assert(p->count_a[k] > 0 && p->count_b[k] > 0);
        next[k + 1] = p->first[k + 1] += p->first[k];
        p->weight_a[k] = 1 / (p->count_a[k] * bins);
        p->weight_b[k] = 1 / (p->count_b[k] * bins);
    }
    for (size_t i = 0; i < p->n; i++)
        p->order[next[p->models[i].bin]++] = (uint32_t)i;
    free(next);
}

static void pool_clear(struct pool *p)
{
    free(p->models);
    free(p->order);
    free(p->first);
    free(p->count_a);
}

static double weight(const struct pool *p, const struct model *m)
{
    return (m->of_b ? p->weight_b : p->weight_a)[m->bin];
}

/* One walk over the errors: the normalised difference of the means, the largest gap of the
 * EDFs, and the weight of the pairs that b wins. */
struct walk {
    double difference, ks, wins;
};

static struct walk walk(const struct pool *p)
{
    struct walk w = {0, 0, 0};
    double fa = 0, fb = 0;
    for (size_t i = 0; i < p->n;) {
        double e = p->models[i].e, ga = 0, gb = 0;
        for (; i < p->n && p->models[i].e == e; i++)
            *(p->models[i].of_b ? &gb : &ga) += weight(p, &p->models[i]);
        w.difference += (gb - ga) * e;
        w.wins += gb * (1 - fa - ga / 2);
        fa += ga;
        fb += gb;
        w.ks = fmax(w.ks, fabs(fa - fb));
    }
    return w;
}

// Gives the labels of each bin to its models at random.
static void relabel(struct pool *p, struct rng *r)
{
    for (uint32_t k = 0; k < p->bins; k++) {
        uint32_t *order = p->order + p->first[k];
        uint32_t n = (uint32_t)(p->first[k + 1] - p->first[k]);
        uint32_t take = (uint32_t)p->count_b[k];
        for (uint32_t i = 0; i < n; i++) {
            if (i < take) { // Fisher-Yates, as far as it is needed
                uint32_t j, swap = order[i];
                draw_indices(r, &j, 1, n - i);
                order[i] = order[i + j];
                order[i + j] = swap;
            }
            p->models[order[i]].of_b = i < take;
        }
    }
}

static bool permute(struct comparison *out, struct pool *p, struct walk seen,
                    uint32_t draws, uint64_t seed)
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

// The models of one space, bin by bin.
struct group {
    size_t *first;
    double *e;
    uint32_t *drawn;
};

static struct group group_of(const struct pool *p, bool of_b)
{
    struct group g = {xcalloc(p->bins + 1, sizeof *g.first), xmalloc(p->n * sizeof *g.e),
                      xmalloc(p->n * sizeof *g.drawn)};
    size_t n = 0;
    for (uint32_t k = 0; k < p->bins; k++) {
        for (size_t i = p->first[k]; i < p->first[k + 1]; i++)
            if (p->models[p->order[i]].of_b == of_b)
                g.e[n++] = p->models[p->order[i]].e;
        g.first[k + 1] = n;
    }
    return g;
}

static void group_clear(struct group *g)
{
    free(g->first);
    free(g->e);
    free(g->drawn);
}

static double resampled_mean(struct group *g, uint32_t bins, struct rng r)
{
    double mean = 0;
    for (uint32_t k = 0; k < bins; k++) {
        size_t n = g->first[k + 1] - g->first[k];
        double sum = 0;
        draw_indices(&r, g->drawn, n, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
            sum += g->e[g->first[k] + g->drawn[i]];
        mean += sum / (double)n / bins;
    }
    return mean;
}

static bool resample(struct comparison *out, struct group *a, struct group *b,
                     uint32_t bins, uint32_t draws, uint64_t seed, double level)
{
    double *difference = xmalloc(draws * sizeof *difference);
    uint32_t t = 0;
    for (; t < draws && !interrupt_pending(); t++)
        difference[t] = resampled_mean(b, bins, replicate_rng(seed, USE_STRATA_B, t)) -
                        resampled_mean(a, bins, replicate_rng(seed, USE_STRATA_A, t));
    values_sort(difference, t);
    if (t == draws) {
        out->lo = values_quantile(difference, t, (1 - level) / 2);
        out->hi = values_quantile(difference, t, (1 + level) / 2);
    }
    free(difference);
    return t == draws;
}

/* The variance of a normalised mean; a bin of one model has no variance of its own and
 * takes the mean of the others. */
static double group_variance(const struct group *g, uint32_t bins)
{
    double sum = 0, pooled = 0, known = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < bins; k++) {
            size_t n = g->first[k + 1] - g->first[k];
            struct edf f = {.n = n, .e = g->e + g->first[k]};
            for (size_t i = 0; i < n; i++)
                f.mean += f.e[i] / (double)n;
            if (pass == 0 && n > 1) {
                pooled += edf_variance(&f);
                known++;
            } else if (pass == 1) {
                double v = n > 1 ? edf_variance(&f) : known > 0 ? pooled / known : 0;
                sum += v / (double)n / bins / bins;
            }
        }
    return sum;
}

bool strata_compare(struct comparison *out, const struct stratified *a,
                    const struct stratified *b, uint32_t bins, uint32_t draws,
                    uint64_t seed, double level)
{
    assert(draws >= 1 && bins >= 1 && a->n + b->n <= UINT32_MAX);
    struct pool p;
    pool_init(&p, a, b, bins);
    struct walk seen = walk(&p);
    struct group ga = group_of(&p, false), gb = group_of(&p, true);
    double va = group_variance(&ga, bins), vb = group_variance(&gb, bins);
    *out = (struct comparison){.ks = seen.ks, .ks_critical = NAN,
                               .mean_difference = seen.difference, .p_better = seen.wins,
                               .more = compare_more_of(seen.difference, va * (double)a->n,
                                                       a->n, vb * (double)b->n, b->n)};
    struct edf fa, fb;
    struct error e;
    double *errors = xmalloc(p.n * sizeof *errors);
    for (size_t i = 0; i < p.n; i++)
        errors[i] = i < a->n ? a->e[i] : b->e[i - a->n];
    bool good = edf_init(&fa, errors, a->n, &e) && edf_init(&fb, errors + a->n, b->n, &e);
    assert(good);
    (void)good;
    compare_minima(out, &fa, &fb, level);
    free(errors);
    bool done = resample(out, &ga, &gb, bins, draws, seed, level) &&
                permute(out, &p, seen, draws, seed);
    group_clear(&ga);
    group_clear(&gb);
    pool_clear(&p);
    return done;
}
