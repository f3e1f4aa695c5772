/* See best.h. */
#include "stats/best.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "stats/resample.h"
#include "stats/search.h"

struct model {
    double key; // the error, later x
    size_t index;
    double weight; // in draws (1 in all when exact): whole numbers add up exactly
};

static int by_key(const void *a, const void *b)
{
    const struct model *p = a, *q = b;
    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

size_t best_taken(double share, size_t n)
{
    double taken = floor(share * (double)n + 1e-9);
    return taken < 1 ? 1 : (size_t)taken;
}

// Models are sorted by error, so the best of a draw is its lowest index.
static bool simulate(struct model *models, size_t n, const struct best_options *o)
{
    size_t taken = best_taken(o->share, n);
    uint32_t *drawn = xmalloc(taken * sizeof *drawn);
    uint32_t k = 0;
    for (; k < o->draws && !interrupt_pending(); k++) {
        struct rng r = replicate_rng(o->seed, USE_BEST, k);
        draw_indices(&r, drawn, taken, (uint32_t)n);
        uint32_t best = drawn[0];
        for (size_t i = 1; i < taken; i++)
            best = drawn[i] < best ? drawn[i] : best;
        models[best].weight++;
    }
    free(drawn);
    return k == o->draws;
}

// The models by rank, with their weights; NULL when interrupted.
static struct model *ranked(const double *errors, size_t n, const struct best_options *o)
{
    assert(n >= 1 && n <= UINT32_MAX && o->share > 0 && o->share <= 1);
    struct model *models = xmalloc(n * sizeof *models);
    for (size_t i = 0; i < n; i++)
        models[i] = (struct model){errors[i], i, 0};
    qsort(models, n, sizeof *models, by_key);
    size_t taken = best_taken(o->share, n);
    if (o->draws == 0) {
        for (size_t r = 1; r <= n; r++)
            models[r - 1].weight =
                search_survival(n, taken, r - 1) - search_survival(n, taken, r);
    } else if (!simulate(models, n, o)) {
        free(models);
        return NULL;
    }
    return models;
}

bool best_weights(double *weight, const double *errors, size_t n,
                  const struct best_options *o)
{
    struct model *models = ranked(errors, n, o);
    for (size_t i = 0; models && i < n; i++)
        weight[models[i].index] = models[i].weight / (o->draws ? o->draws : 1);
    free(models);
    return models != NULL;
}

// The x at which the running weight passes `at` (or reaches it: at - slack).
static double at_weight(const struct model *models, size_t n, double at)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < n; i++)
        if ((sum += models[i].weight) > at)
            return models[i].key;
    return models[n - 1].key;
}

/* Models are sorted by x.  The kept values are a list in which each x stands as often as
 * its weight says: its value number j, from 0, is where the running weight passes j. */
static double quantile(const struct model *models, size_t n, double p,
                       const struct best_options *o)
{
    if (o->draws == 0)
        return at_weight(models, n, p - 1e-12);
    if (o->categorical)
        return at_weight(models, n, fmax(0, ceil(p * o->draws - 1e-9) - 1));
    double at = p * (o->draws - 1.0), low = at_weight(models, n, floor(at));
    return low + (at - floor(at)) * (at_weight(models, n, floor(at) + 1) - low);
}

bool best_property(struct best_band *out, const double *x, const double *errors, size_t n,
                   const struct best_options *o)
{
    struct model *models = ranked(errors, n, o);
    if (!models)
        return false;
    *out = (struct best_band){.best = x[models[0].index], .taken = best_taken(o->share, n)};
    for (size_t i = 0; i < n; i++)
        models[i].key = x[models[i].index];
    qsort(models, n, sizeof *models, by_key);
    out->lo = quantile(models, n, (1 - o->level) / 2, o);
    out->median = quantile(models, n, 0.5, o);
    out->hi = quantile(models, n, (1 + o->level) / 2, o);
    free(models);
    return true;
}
