/* See compare.h. */
#include "stats/compare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/bootstrap.h"

/* Walks the distinct values of both samples upwards: before the first call i = j = 0,
 * after each call i errors of a and j of b are <= the value just passed.  False at the
 * end. */
static bool next_value(const struct edf *a, const struct edf *b, size_t *i, size_t *j)
{
    if (*i == a->n && *j == b->n)
        return false;
    double x = fmin(*i < a->n ? a->e[*i] : INFINITY, *j < b->n ? b->e[*j] : INFINITY);
    while (*i < a->n && a->e[*i] == x)
        ++*i;
    while (*j < b->n && b->e[*j] == x)
        ++*j;
    return true;
}

// nm * |F_a - F_b| after i errors of a and j of b: an integer, so that ties are exact.
static uint64_t gap(size_t i, size_t j, size_t n, size_t m)
{
    uint64_t x = (uint64_t)i * m, y = (uint64_t)j * n;
    return x > y ? x - y : y - x;
}

static uint64_t largest_gap(const struct edf *a, const struct edf *b)
{
    uint64_t d = 0;
    for (size_t i = 0, j = 0; next_value(a, b, &i, &j);)
        d = gap(i, j, a->n, b->n) > d ? gap(i, j, a->n, b->n) : d;
    return d;
}

double ks_statistic(const struct edf *a, const struct edf *b)
{
    if (a->share || b->share) {
        double d = 0;
        for (size_t i = 0, j = 0; next_value(a, b, &i, &j);)
            d = fmax(d, fabs(edf_share(a, i) - edf_share(b, j)));
        return d;
    }
    return (double)largest_gap(a, b) / ((double)a->n * (double)b->n);
}

/* Every order of the pooled sample is a lattice path (0,0) -> (n,m), all equally likely.
 * v(i,j), the probability that a random path to (i,j) has met a gap >= d, is 1 where
 * there is one, else i/(i+j) v(i-1,j) + j/(i+j) v(i,j-1): positive terms only, so small
 * p-values are as precise as large ones.  A gap counts only where a group of ties ends. */
static double ks_p_exact(const struct edf *a, const struct edf *b, uint64_t d)
{
    size_t n = a->n, m = b->n;
    bool *ends = xcalloc(n + m + 1, sizeof *ends);
    for (size_t i = 0, j = 0; next_value(a, b, &i, &j);)
        ends[i + j] = true;
    double *v = xmalloc((m + 1) * sizeof *v);
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            double met = (i ? (double)i * v[j] : 0) + (j ? (double)j * v[j - 1] : 0);
            if (ends[i + j] && gap(i, j, n, m) >= d)
                v[j] = 1;
            else
                v[j] = i + j ? met / (double)(i + j) : 0;
        }
    double p = v[m];
    free(v);
    free(ends);
    return p;
}

// P(K > x) of Kolmogorov's distribution; each series converges where the other does not.
static double kolmogorov_tail(double x)
{
    const double pi = 3.14159265358979323846;
    double sum = 0;
    if (x <= 0)
        return 1;
    if (x < 1) {
        for (int k = 1; k <= 9; k += 2)
            sum += exp(-k * k * pi * pi / (8 * x * x));
        return 1 - sqrt(2 * pi) / x * sum;
    }
    for (int k = 1; k <= 8; k++)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * x * x);
    return sum;
}

double ks_p_limit(double d, size_t n, size_t m)
{
    return kolmogorov_tail(d * sqrt((double)n * (double)m / (double)(n + m)));
}

double ks_p(const struct edf *a, const struct edf *b)
{
    assert(!a->share && !b->share);
    uint64_t d = largest_gap(a, b);
    if (d == 0)
        return 1;
    if (a->n <= KS_EXACT / b->n)
        return ks_p_exact(a, b, d);
    return ks_p_limit(ks_statistic(a, b), a->n, b->n);
}

double ks_critical(size_t n, size_t m, double alpha)
{
    double lo = 0, hi = 10;
    for (int k = 0; k < 60; k++) {
        double mid = (lo + hi) / 2;
        if (kolmogorov_tail(mid) > alpha)
            lo = mid;
        else
            hi = mid;
    }
    return hi * sqrt((double)(n + m) / ((double)n * (double)m));
}

double compare_p_better(const struct edf *a, const struct edf *b)
{
    double twice = 0; // exact while 2nm < 2^53
    for (size_t i = 0, j = 0, i0 = 0, j0 = 0; next_value(a, b, &i, &j); i0 = i, j0 = j)
        twice += (double)(j - j0) * (double)(a->n - i0 + a->n - i);
    return twice / (2 * (double)a->n * (double)b->n);
}

/* The least k >= 0 with va/(n+k) + vb/(m+k) <= t = (difference / (z.975 + z.80))^2, the
 * larger root of t(n+k)(m+k) = va(m+k) + vb(n+k). */
double compare_more_of(double difference, double va, size_t n, double vb, size_t m)
{
    double t = difference / (1.959964 + 0.841621), x = (double)n, y = (double)m;
    t *= t;
    if (t == 0)
        return INFINITY;
    double half = (x + y - (va + vb) / t) / 2, c = x * y - (va * y + vb * x) / t;
    return fmax(0, ceil(-half + sqrt(fmax(0, half * half - c))));
}

double compare_more(const struct edf *a, const struct edf *b)
{
    return compare_more_of(b->mean - a->mean, edf_variance(a), a->n, edf_variance(b), b->n);
}

void compare_minima(struct comparison *out, const struct edf *a, const struct edf *b,
                    double level)
{
    out->min_difference = b->e[0] - a->e[0];
    bootstrap_min_difference(&out->min_lo, &out->min_hi, a, b, level);
}

bool compare_edfs(struct comparison *out, const struct edf *a, const struct edf *b,
                  uint32_t draws, uint64_t seed, double level)
{
    *out = (struct comparison){
        .ks = ks_statistic(a, b),
        .ks_p = ks_p(a, b),
        .ks_critical = ks_critical(a->n, b->n, 0.05),
        .mean_difference = b->mean - a->mean,
        .deviation = sqrt(edf_variance(a) / (double)a->n + edf_variance(b) / (double)b->n),
        .p_better = compare_p_better(a, b),
        .more = compare_more(a, b),
    };
    compare_minima(out, a, b, level);
    return bootstrap_mean_difference(&out->lo, &out->hi, a, b, draws, seed, level) &&
           permutation_mean_difference(&out->p_permutation, a, b, draws, seed);
}
