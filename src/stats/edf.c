/* See edf.h. */
#include "stats/edf.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "stats/special.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { DIGIT = 11, DIGITS = 1 << DIGIT, FEW = 500 };

/* As integers, doubles have the order of their values once the sign is turned: of negative
 * ones every bit.  Sorted digit by digit from the last (radix sort), five times as fast as by
 * comparing where there are many; a digit that is the same in all is skipped. */
static uint64_t turned(uint64_t bits)
{
    return bits ^ (bits >> 63 ? UINT64_MAX : (uint64_t)1 << 63);
}

static uint64_t turned_back(uint64_t bits)
{
    return bits ^ (bits >> 63 ? (uint64_t)1 << 63 : UINT64_MAX);
}

void values_sort(double *v, size_t n)
{
    if (n < FEW) {
        qsort(v, n, sizeof *v, ascending);
        return;
    }
    uint64_t *from = xmalloc(2 * n * sizeof *from), *to = from + n, *block = from;
    memcpy(from, v, n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        from[i] = turned(from[i]);
    for (int shift = 0; shift < 64; shift += DIGIT) {
        size_t place[DIGITS] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            place[from[i] >> shift & (DIGITS - 1)]++;
        if (place[from[0] >> shift & (DIGITS - 1)] == n)
            continue;
        for (size_t d = 0; d < DIGITS; d++) {
            size_t count = place[d];
            place[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[place[from[i] >> shift & (DIGITS - 1)]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = turned_back(from[i]);
    memcpy(v, to, n * sizeof *v);
    free(block);
}

double values_quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

static bool check(const double *errors, size_t n, struct error *e)
{
    if (n == 0)
        return error_set(e, "there are no errors; an EDF needs at least one model");
    for (size_t i = 0; i < n; i++) {
        if (isnan(errors[i]))
            return error_set(e, "error %zu is NaN; give a diverged model an error of 100",
                             i + 1);
        if (!(errors[i] >= 0 && errors[i] <= 100))
            return error_set(e, "error %zu is %g; errors are percent, 0 to 100", i + 1,
                             errors[i]);
    }
    return true;
}

bool edf_init(struct edf *f, double *errors, size_t n, struct error *e)
{
    if (!check(errors, n, e))
        return false;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += errors[i];
    values_sort(errors, n);
    *f = (struct edf){n, errors, sum / (double)n, NULL};
    return true;
}

struct weighted {
    double e, weight;
};

bool edf_init_weighted(struct edf *f, double *errors, double *weights, size_t n,
                       struct error *e)
{
    if (!check(errors, n, e))
        return false;
    struct weighted *models = xmalloc(n * sizeof *models);
    double sum = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        assert(weights[i] > 0);
        models[i] = (struct weighted){errors[i], weights[i]};
        sum += weights[i];
        mean += weights[i] * errors[i];
    }
    qsort(models, n, sizeof *models, ascending); // .e comes first
    double below = 0;
    for (size_t i = 0; i < n; i++) {
        errors[i] = models[i].e;
        below += models[i].weight;
        weights[i] = i + 1 < n ? below / sum : 1;
    }
    free(models);
    *f = (struct edf){n, errors, mean / sum, weights};
    return true;
}

double edf_share(const struct edf *f, size_t models)
{
    if (f->share)
        return models ? f->share[models - 1] : 0;
    return (double)models / (double)f->n;
}

// How many errors are below e.
static size_t below(const struct edf *f, double e)
{
    size_t lo = 0, hi = f->n; // e[0 … lo-1] < e <= e[hi …]
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (f->e[mid] < e)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

double edf_at(const struct edf *f, double e)
{
    return edf_share(f, below(f, e));
}

double edf_area(const struct edf *f, double limit)
{
    assert(limit > 0);
    double sum = 0;
    for (size_t i = 0; i < f->n && f->e[i] < limit; i++) {
        double weight = f->share ? edf_share(f, i + 1) - edf_share(f, i) : 1;
        sum += weight * (1 - f->e[i] / limit);
    }
    return f->share ? sum : sum / (double)f->n;
}

size_t edf_steps(const struct edf *f, double *x, double *y)
{
    size_t k = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (k == 0 || f->e[i] != x[k - 1])
            x[k++] = f->e[i];
        y[k - 1] = edf_share(f, i + 1);
    }
    return k;
}

double edf_quantile(const struct edf *f, double p)
{
    if (!f->share)
        return values_quantile(f->e, f->n, p);
    size_t i = 0;
    while (i + 1 < f->n && f->share[i] < p - 1e-12)
        i++;
    return f->e[i];
}

double edf_variance(const struct edf *f)
{
    assert(!f->share);
    double sum = 0;
    for (size_t i = 0; i < f->n; i++)
        sum += (f->e[i] - f->mean) * (f->e[i] - f->mean);
    return f->n > 1 ? sum / (double)(f->n - 1) : 0;
}

double edf_dkw(size_t n, double level)
{
    return sqrt(log(2 / (1 - level)) / (2 * (double)n));
}

void edf_bootstrap_edge(size_t n, double level, bool upper, double *y, size_t count)
{
    double q = upper ? (1 + level) / 2 : (1 - level) / 2, z = normal_quantile(q);
    for (size_t i = 0; i < count; i++)
        y[i] = (double)binomial_quantile(q, z, n, y[i]) / (double)n;
}
