/* See search.h. */
#include "stats/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "stats/resample.h"

double search_survival(size_t n, size_t m, size_t r)
{
    return exp((double)m * log1p(-(double)r / (double)n)); // r = n: exp(-inf) = 0
}

struct search_point search_best(const struct edf *f, size_t m, bool replacement, double level)
{
    size_t n = f->n;
    assert(m >= 1 && (replacement || (m <= n && !f->share)));
    // Interval: the smallest error whose rank r has P(rank <= r) = 1 - S(r) >= p.
    const double slack = 1e-12, tail = (1 - level) / 2;
    struct search_point p = {f->e[0], NAN, f->e[n - 1]};
    double s = 1;
    for (size_t r = 1; r <= n; r++) {
        double left = (double)(n - r + 1);
        if (f->share)
            s = exp((double)m * log1p(-f->share[r - 1]));
        else if (replacement)
            s = search_survival(n, m, r);
        else
            s *= fmax(0, left - (double)m) / left;
        if (isnan(p.lo) && 1 - s >= tail - slack)
            p.lo = f->e[r - 1];
        if (s <= tail + slack) {
            p.hi = fmin(p.hi, f->e[r - 1]);
            if (s == 0)
                break;
        }
        if (r < n)
            p.mean += (f->e[r] - f->e[r - 1]) * s;
    }
    return p;
}

// The first model whose share of the weight exceeds a uniform number.
static double draw_weighted(const struct edf *f, struct rng *r)
{
    double u = rng_uniform(r);
    size_t lo = 0, hi = f->n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (f->share[mid] > u)
            hi = mid;
        else
            lo = mid + 1;
    }
    return f->e[lo];
}

bool search_simulate(struct search_trial *out, const struct edf *f, size_t m, uint64_t seed)
{
    assert(m >= 1 && m <= f->n && f->n <= UINT32_MAX);
    *out = (struct search_trial){.repeats = f->n / m};
    double *best = xmalloc(out->repeats * sizeof *best);
    uint32_t *drawn = xmalloc(m * sizeof *drawn);
    size_t k = 0;
    for (; k < out->repeats && !interrupt_pending(); k++) {
        struct rng r = replicate_rng(rng_mix(seed + m), USE_SEARCH, (uint32_t)k);
        best[k] = 100;
        if (!f->share)
            draw_indices(&r, drawn, m, (uint32_t)f->n);
        for (size_t i = 0; i < m; i++)
            best[k] = fmin(best[k], f->share ? draw_weighted(f, &r) : f->e[drawn[i]]);
        out->mean += best[k] / (double)out->repeats;
    }
    for (size_t i = 0; i < k; i++)
        out->deviation += (best[i] - out->mean) * (best[i] - out->mean);
    out->deviation = sqrt(out->deviation / (double)out->repeats);
    free(best);
    free(drawn);
    return k == out->repeats;
}
