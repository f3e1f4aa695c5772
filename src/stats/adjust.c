/* See adjust.h. */
#include "stats/adjust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "stats/special.h"

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

void adjust_standardise(float *x, size_t n, float *drawn_x, size_t N, int D)
{
    for (size_t c = 0, step = (size_t)D; c < step; c++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < N; i++)
            mean += (double)drawn_x[i * step + c] / (double)N;
        for (size_t i = 0; i < N; i++) {
            double t = (double)drawn_x[i * step + c] - mean;
            square += t * t / (double)N;
        }
        double scale = square > 1e-12 * mean * mean ? 1 / sqrt(square) : 0;
        for (size_t i = 0; i < n; i++)
            x[i * step + c] = (float)(((double)x[i * step + c] - mean) * scale);
        for (size_t i = 0; i < N; i++)
            drawn_x[i * step + c] = (float)(((double)drawn_x[i * step + c] - mean) * scale);
    }
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
        gp_fit(&gp, &data->shape, x, y, m, data->seed, k ? &a->at : NULL);
        a->at = gp.at;
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
    out->r2 = vy > 0 ? (2 * lambda * c - lambda * lambda * vf) / vy : 0;
    double scale = sqrt((double)n / (double)(n - 2)), sum = 0;
    for (size_t j = 0; j < a->n; j++) {
        double own = 0;
        if (j >= first && j < first + n)
            own = (data->y[j] - out->plain - lambda * (a->f[j] - mf)) / (double)n;
        bool mine = j >= first && j < first + n;
        double influence = mine ? scale * own : -lambda * through[j] * a->r[j];
        sum += influence * influence;
        if (out->influence)
            out->influence[j] = influence;
    }
    out->drawn_se = lambda * sqrt(vd / (double)N);
    out->se = sqrt(sum + out->drawn_se * out->drawn_se);
}

void adjust_values(const struct adjusted *a, const struct adjust_data *data, int p, double *z)
{
    struct adjusted_mean m = {0};
    size_t first = 0, n = data->n[p];
    for (int q = 0; q < p; q++)
        first += data->n[q];
    adjust_mean(a, data, p, &m);
    double mf = mean_of(a->f + first, n);
    for (size_t i = 0; i < n; i++)
        z[i] = m.mean + data->y[first + i] - m.plain - m.lambda * (a->f[first + i] - mf);
}

// Welch's t of n values, with this sum and sum of squares about 0, and the m others of all.
static double welch(double sum, double square, size_t n, double all, double all_square,
                    size_t m)
{
    double x = sum / (double)n, y = (all - sum) / (double)m;
    double vx = square / (double)n - x * x, vy = (all_square - square) / (double)m - y * y;
    double v = fmax(vx, 0) / (double)(n - 2) + fmax(vy, 0) / (double)(m - 2);
    return v > 0 ? fabs(x - y) / sqrt(v) : x == y ? 0 : INFINITY;
}

double adjust_test(const double *a, size_t n, const double *b, size_t m, double t,
                   uint32_t draws, uint64_t seed)
{
    size_t total = n + m, as_large = 0;
    double *z = xcalloc(total, sizeof *z), mean = 0, all = 0, all_square = 0;
    memcpy(z, a, n * sizeof *z);
    memcpy(z + n, b, m * sizeof *z);
    mean = mean_of(z, total);
    for (size_t i = 0; i < total; i++) {
        z[i] -= mean;
        all += z[i];
        all_square += z[i] * z[i];
    }
    struct rng rng = rng_key(seed, total, RNG_BOOTSTRAP);
    for (uint32_t r = 0; r < draws; r++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < n; i++) {
            size_t j = i + (size_t)rng_below(&rng, total - i);
            double v = z[j];
            z[j] = z[i];
            z[i] = v;
            sum += v;
            square += v * v;
        }
        as_large += welch(sum, square, n, all, all_square, m) >= fabs(t) * (1 - 1e-12);
    }
    free(z);
    return (double)(as_large + 1) / ((double)draws + 1);
}

// Φ(x)
static double normal(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

// Makes F the closest never falling sequence (pool adjacent violators), within 0 … 1.
static void monotone(double *F, size_t m)
{
    size_t *count = xcalloc(m, sizeof *count), blocks = 0;
    double *value = xcalloc(m, sizeof *value);
    for (size_t k = 0; k < m; k++) {
        value[blocks] = F[k];
        count[blocks++] = 1;
        while (blocks > 1 && value[blocks - 2] > value[blocks - 1]) {
            size_t i = blocks - 2, both = count[i] + count[i + 1];
            value[i] = (value[i] * (double)count[i] + value[i + 1] * (double)count[i + 1]) /
                       (double)both;
            count[i] = both;
            blocks--;
        }
    }
    for (size_t b = 0, k = 0; b < blocks; b++)
        for (size_t i = 0; i < count[b]; i++)
            F[k++] = fmax(0, fmin(1, value[b]));
    free(count);
    free(value);
}

bool adjust_edf(const struct adjusted *a, const struct adjust_data *data, int p,
                const double *e, size_t m, double *F, double level, uint32_t draws,
                double *half)
{
    enum { BINS = 512 };
    size_t first = 0, drawn = 0, n = data->n[p], N = data->N[p];
    for (int q = 0; q < p; q++) {
        first += data->n[q];
        drawn += data->N[q];
    }
    const double *y = data->y + first, *f = a->f + first, *d = a->drawn + drawn;
    double s = sqrt(covariance(a->r + first, a->r + first, n)), lo = d[0], hi = d[0];
    double bias = mean_of(a->r + first, n), bin[BINS] = {0};
    s = s > 0 ? s : 1e-9;
    for (size_t i = 0; i < N; i++) {
        lo = fmin(lo, d[i]);
        hi = fmax(hi, d[i]);
    }
    double width = hi > lo ? (hi - lo) / BINS : 1;
    for (size_t i = 0; i < N; i++)
        bin[(size_t)fmin((d[i] - lo) / width, BINS - 1)] += 1 / (double)N;
    double *below = xcalloc(n, sizeof *below), *ps = xcalloc(n, sizeof *ps);
    float *influence = half ? xcalloc(m * n, sizeof *influence) : NULL;
    double scale = sqrt((double)n / (double)(n - 2)) / (double)n;
    for (size_t k = 0; k < m; k++) {
        double expected = 0, square = 0;
        for (int b = 0; b < BINS; b++) {
            double v = normal((e[k] - bias - lo - (b + 0.5) * width) / s);
            expected += bin[b] * v;
            square += bin[b] * v * v;
        }
        for (size_t i = 0; i < n; i++) {
            below[i] = y[i] < e[k];
            ps[i] = normal((e[k] - bias - f[i]) / s);
        }
        double vp = covariance(ps, ps, n), vd = square - expected * expected;
        double lambda = covariance(below, ps, n) / (vp + vd * (double)n / (double)N);
        lambda = lambda > 0 ? fmin(lambda, 1) : 0;
        double mb = mean_of(below, n), mp = mean_of(ps, n);
        F[k] = mb - lambda * (mp - expected);
        for (size_t i = 0; half && i < n; i++)
            influence[i * m + k] = (float)(scale * (below[i] - mb - lambda * (ps[i] - mp)));
    }
    monotone(F, m);
    if (half) {
        float *sum = xcalloc(m, sizeof *sum);
        double *sup = xcalloc(draws, sizeof *sup);
        for (uint32_t r = 0; r < draws && !interrupt_pending(); r++) {
            struct rng rng = rng_key(data->seed, (uint64_t)p << 32 | r, RNG_BOOTSTRAP);
            memset(sum, 0, m * sizeof *sum);
            for (size_t i = 0; i < n; i++) {
                float xi = (float)rng_normal(&rng);
                for (size_t k = 0; k < m; k++)
                    sum[k] += xi * influence[i * m + k];
            }
            for (size_t k = 0; k < m; k++)
                sup[r] = fmax(sup[r], fabs((double)sum[k]));
        }
        qsort(sup, draws, sizeof *sup, ascending);
        double tail = 0.5 + level / 2;
        *half = sup[(size_t)fmin(ceil(level * draws), draws) - 1] *
                student_quantile(tail, (double)n - 2) / normal_quantile(tail);
        free(sum);
        free(sup);
    }
    free(below);
    free(ps);
    free(influence);
    return !interrupt_pending();
}
