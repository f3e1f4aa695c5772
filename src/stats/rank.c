/* See rank.h. */
#include "stats/rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "stats/edf.h"
#include "stats/resample.h"

struct point {
    double x, y;
};

static int by_x_then_y(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

// Sorts v by merging and counts the pairs that were in the wrong order.
static double inversions(double *v, double *spare, size_t n)
{
    if (n < 2)
        return 0;
    size_t half = n / 2, i = 0, j = half, k = 0;
    double wrong = inversions(v, spare, half) + inversions(v + half, spare, n - half);
    while (i < half && j < n) {
        if (v[j] < v[i])
            wrong += (double)(half - i);
        spare[k++] = v[j] < v[i] ? v[j++] : v[i++];
    }
    memcpy(spare + k, v + i, (half - i) * sizeof *v);
    memcpy(v, spare, (k + half - i) * sizeof *v); // what is left of the upper half is there
    return wrong;
}

static double pairs(double n)
{
    return n * (n - 1) / 2;
}

// Pairs of equal values in a sorted list.
static double tied(const double *sorted, size_t n)
{
    double sum = 0;
    for (size_t i = 0, from = 0; i < n; i++)
        if (i + 1 == n || sorted[i + 1] != sorted[i]) {
            sum += pairs((double)(i + 1 - from));
            from = i + 1;
        }
    return sum;
}

/* concordant - discordant = all - ties in x - ties in y + ties in both - 2 discordant; the
 * discordant pairs are the inversions of y when sorted by x, then y.  `workspace` is for 2n. */
static double kendall(struct point *p, size_t n, double *workspace)
{
    double *y = workspace, *spare = workspace + n, both = 0;
    qsort(p, n, sizeof *p, by_x_then_y);
    for (size_t i = 0, from = 0; i < n; i++)
        if (i + 1 == n || p[i + 1].x != p[i].x || p[i + 1].y != p[i].y) {
            both += pairs((double)(i + 1 - from));
            from = i + 1;
        }
    for (size_t i = 0; i < n; i++)
        y[i] = p[i].x;
    double all = pairs((double)n), same_x = tied(y, n);
    for (size_t i = 0; i < n; i++)
        y[i] = p[i].y;
    double discordant = inversions(y, spare, n), same_y = tied(y, n);
    return (all - same_x - same_y + both - 2 * discordant) /
           sqrt((all - same_x) * (all - same_y)); // 0/0 = NaN
}

double rank_kendall(const double *x, const double *y, size_t n)
{
    struct point *p = xmalloc((n + 1) * sizeof *p);
    double *workspace = xmalloc((2 * n + 1) * sizeof *workspace);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct point){x[i], y[i]};
    double tau = n < 2 ? NAN : kendall(p, n, workspace);
    free(p);
    free(workspace);
    return tau;
}

// Replaces each x by its rank, equal ones by the mean of theirs.
static void mid_ranks(double *rank, const double *x, size_t n)
{
    struct point *p = xmalloc((n + 1) * sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct point){x[i], (double)i};
    qsort(p, n, sizeof *p, by_x_then_y);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && p[end].x == p[i].x;)
            end++;
        for (size_t k = i; k < end; k++)
            rank[(size_t)p[k].y] = (double)(i + end - 1) / 2;
    }
    free(p);
}

double rank_spearman(const double *x, const double *y, size_t n)
{
    double *a = xmalloc((2 * n + 1) * sizeof *a), *b = a + n;
    mid_ranks(a, x, n);
    mid_ranks(b, y, n);
    double mean = ((double)n - 1) / 2, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    free(a);
    return ab / sqrt(aa * bb);
}

bool rank_interval(double *lo, double *hi, const double *x, const double *y, size_t n,
                   uint32_t draws, uint64_t seed, double level)
{
    assert(n >= 2 && n <= UINT32_MAX && draws >= 1);
    struct point *p = xmalloc(n * sizeof *p);
    double *workspace = xmalloc(2 * n * sizeof *workspace),
           *tau = xmalloc(draws * sizeof *tau);
    uint32_t *drawn = xmalloc(n * sizeof *drawn), t = 0;
    size_t kept = 0;
    for (; t < draws && !interrupt_pending(); t++) {
        struct rng r = replicate_rng(seed, USE_RANK, t);
        draw_indices(&r, drawn, n, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
            p[i] = (struct point){x[drawn[i]], y[drawn[i]]};
        tau[kept] = kendall(p, n, workspace);
        kept += !isnan(tau[kept]);
    }
    values_sort(tau, kept);
    *lo = kept ? values_quantile(tau, kept, (1 - level) / 2) : NAN;
    *hi = kept ? values_quantile(tau, kept, (1 + level) / 2) : NAN;
    free(p);
    free(workspace);
    free(tau);
    free(drawn);
    return t == draws;
}
