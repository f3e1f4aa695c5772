/* See adjust.h. */
#include "stats/adjust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The fit is to errors cut at three times the distance of the quartiles above the upper one: a
 * diverged network's 100 % would bend f everywhere.  Estimates use the errors themselves. */
static double cut(const double *y, size_t n)
{
    double *s = xcalloc(n, sizeof *s);
    memcpy(s, y, n * sizeof *s);
    qsort(s, n, sizeof *s, ascending);
    double lo = s[n / 4], hi = s[n - 1 - n / 4], most = hi + 3 * (hi - lo);
    free(s);
    return most;
}

bool adjust_fit(struct adjusted *a, const struct adjust_data *data)
{
    size_t D = (size_t)data->shape.D, n = 0, N = 0;
    for (int p = 0; p < data->P; p++) {
        n += data->n[p];
        N += data->N[p];
    }
    *a = (struct adjusted){.P = data->P, .n = n, .N = N};
    a->f = xcalloc(n, sizeof *a->f);
    a->r = xcalloc(n, sizeof *a->r);
    a->drawn = xcalloc(N, sizeof *a->drawn);
    a->through = xcalloc((size_t)data->P * n, sizeof *a->through);
    uint32_t *order = xcalloc(n, sizeof *order);
    int *fold = xcalloc(n, sizeof *fold);
    size_t *place = xcalloc(n, sizeof *place);
    float *x = xcalloc(n * D, sizeof *x);
    double *y = xcalloc(n, sizeof *y), *f = xcalloc(n > N ? n : N, sizeof *f),
           *columns = xcalloc(n, sizeof *columns), *sum = xcalloc(n, sizeof *sum);
    for (size_t p = 0, first = 0; p < (size_t)data->P; first += data->n[p++]) {
        struct rng rng = rng_key(data->seed, p, RNG_BOOTSTRAP);
        rng_permutation(&rng, order, (uint32_t)data->n[p]);
        for (size_t i = 0; i < data->n[p]; i++)
            fold[first + order[i]] = (int)(i % ADJUST_FOLDS);
    }
    double most = cut(data->y, n);
    for (int k = 0; k < ADJUST_FOLDS && !interrupt_pending(); k++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (fold[i] != k) {
                place[m] = i;
                y[m] = fmin(data->y[i], most);
                memcpy(x + D * m++, data->x + D * i, D * sizeof *x);
            }
        struct gp gp;
        gp_fit(&gp, &data->shape, x, y, m, data->seed, k ? a->log : NULL);
        memcpy(a->log, gp.log, sizeof a->log);
        size_t first = 0, drawn = 0;
        for (int p = 0; p < data->P; p++) {
            double total = 0;
            memset(sum, 0, m * sizeof *sum);
            for (size_t i = first; i < first + data->n[p]; i++)
                if (fold[i] == k) {
                    gp_predict(&gp, data->x + D * i, 1, NULL, &a->f[i], columns);
                    for (size_t j = 0; j < m; j++)
                        sum[j] += columns[j] / (double)data->n[p];
                    total += 1 / (double)data->n[p];
                }
            gp_predict(&gp, data->drawn_x + D * drawn, data->N[p], NULL, f, columns);
            double share = 1.0 / ADJUST_FOLDS;
            for (size_t j = 0; j < m; j++)
                sum[j] -= share * columns[j] / (double)data->N[p];
            total -= share;
            for (size_t i = 0; i < data->N[p]; i++)
                a->drawn[drawn + i] += share * f[i];
            gp_weights(&gp, sum, total);
            for (size_t j = 0; j < m; j++)
                a->through[(size_t)p * n + place[j]] += sum[j];
            first += data->n[p];
            drawn += data->N[p];
        }
        gp_free(&gp);
    }
    for (size_t i = 0; i < n; i++)
        a->r[i] = fmin(data->y[i], most) - a->f[i];
    free(order);
    free(fold);
    free(place);
    free(x);
    free(y);
    free(f);
    free(columns);
    free(sum);
    return !interrupt_pending();
}

void adjust_free(struct adjusted *a)
{
    free(a->f);
    free(a->r);
    free(a->drawn);
    free(a->through);
}

static double mean_of(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

// Σ (x - mean x)(y - mean y) / n
static double covariance(const double *x, const double *y, size_t n)
{
    double mx = mean_of(x, n), my = mean_of(y, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum / (double)n;
}

void adjust_mean(const struct adjusted *a, const struct adjust_data *data, int p,
                 struct adjusted_mean *out)
{
    size_t first = 0, drawn = 0, n = data->n[p], N = data->N[p];
    for (int q = 0; q < p; q++) {
        first += data->n[q];
        drawn += data->N[q];
    }
    const double *y = data->y + first, *f = a->f + first, *d = a->drawn + drawn;
    const double *through = a->through + (size_t)p * a->n;
    double vy = covariance(y, y, n), vf = covariance(f, f, n), vd = covariance(d, d, N);
    double c = covariance(y, f, n), mf = mean_of(f, n), md = mean_of(d, N);
    double lambda = c / (vf + vd * (double)n / (double)N);
    out->lambda = lambda = lambda > 0 ? fmin(lambda, 1) : 0; // 0 also for NaN
    out->plain = mean_of(y, n);
    out->mean = out->plain - lambda * (mf - md);
    out->plain_se = sqrt(vy / (double)(n - 1));
    out->r2 = 1 - (vy - 2 * lambda * c + lambda * lambda * vf) / vy;
    double scale = sqrt((double)n / (double)(n - 2)), sum = 0, naive = 0;
    for (size_t j = 0; j < a->n; j++) {
        double own = 0;
        if (j >= first && j < first + n)
            own = (data->y[j] - out->plain - lambda * (a->f[j] - mf)) / (double)n;
        bool mine = j >= first && j < first + n;
        double influence = mine ? scale * own : -lambda * through[j] * a->r[j];
        sum += influence * influence;
        naive += scale * scale * own * own;
        if (out->influence)
            out->influence[j] = influence;
    }
    out->naive = sqrt(naive + lambda * lambda * vd / (double)N);
    out->se = sqrt(sum + lambda * lambda * vd / (double)N);
}
