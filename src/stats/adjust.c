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

void adjust_scale_of(struct adjust_scale *s, const float *drawn_x, size_t N, int D)
{
    for (size_t c = 0, step = (size_t)D; c < step; c++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < N; i++)
            mean += (double)drawn_x[i * step + c] / (double)N;
        for (size_t i = 0; i < N; i++) {
            double t = (double)drawn_x[i * step + c] - mean;
            square += t * t / (double)N;
        }
        s->mean[c] = mean;
        s->scale[c] = square > 1e-12 * mean * mean ? 1 / sqrt(square) : 0;
    }
}

void adjust_standardise(const struct adjust_scale *s, float *x, size_t n, int D)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0, step = (size_t)D; c < step; c++)
            x[i * step + c] = (float)(((double)x[i * step + c] - s->mean[c]) * s->scale[c]);
}

enum { GUEST = -1 }; // the fold of its networks

static size_t original(const struct adjust_data *data, size_t i)
{
    return data->same ? data->same[i] : i;
}

static bool is_guest(const struct adjust_data *data, int p)
{
    return data->n[p] < ADJUST_LEAST;
}

// w (n): the weights of networks in these bins (NULL: one bin for all), Σ w = 1; count (n), if not
// NULL: how many are in the bin of each.
static void weights(double *w, uint32_t *count, const uint32_t *bin, uint32_t bins, size_t n)
{
    uint32_t *in = xcalloc(bins ? bins : 1, sizeof *in);
    for (size_t i = 0; i < n; i++)
        if (!bin || bin[i] != ADJUST_OUTSIDE)
            in[bin ? bin[i] : 0]++;
    for (size_t i = 0; i < n; i++) {
        uint32_t m = !bin ? in[0] : bin[i] != ADJUST_OUTSIDE ? in[bin[i]] : 0;
        w[i] = m ? 1 / ((double)m * (bins ? bins : 1)) : 0;
        if (count)
            count[i] = m;
    }
    free(in);
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
    a->w = xcalloc(n, sizeof *a->w);
    a->W = xcalloc(N, sizeof *a->W);
    a->count = xcalloc(n, sizeof *a->count);
    uint32_t *order = xcalloc(n, sizeof *order);
    int *fold = xcalloc(n, sizeof *fold);
    size_t *place = xcalloc(n, sizeof *place);
    float *x = xcalloc(n * D, sizeof *x);
    double *y = xcalloc(n, sizeof *y), *f = xcalloc(n > N ? n : N, sizeof *f),
           *columns = xcalloc(n, sizeof *columns), *sum = xcalloc(n, sizeof *sum);
    size_t known = 0; // y of all that fits are made from
    for (size_t p = 0, first = 0, drawn = 0; p < (size_t)data->P; p++) {
        struct rng rng = rng_key(data->seed, p, RNG_BOOTSTRAP);
        rng_permutation(&rng, order, (uint32_t)data->n[p]);
        for (size_t i = 0; i < data->n[p]; i++) {
            fold[first + order[i]] = is_guest(data, (int)p) ? GUEST : (int)(i % ADJUST_FOLDS);
            if (!is_guest(data, (int)p))
                y[known++] = data->y[first + i];
        }
        weights(a->w + first, a->count + first, data->bins ? data->bin + first : NULL,
                data->bins, data->n[p]);
        weights(a->W + drawn, NULL, data->bins ? data->drawn_bin + drawn : NULL, data->bins,
                data->N[p]);
        first += data->n[p];
        drawn += data->N[p];
    }
    for (size_t i = 0; i < n; i++)
        fold[i] = fold[original(data, i)];
    double most = cut(y, known);
    for (int k = 0; k < ADJUST_FOLDS && !interrupt_pending(); k++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (fold[i] != k && fold[i] != GUEST && original(data, i) == i) {
                place[m] = i;
                y[m] = fmin(data->y[i], most);
                memcpy(x + D * m++, data->x + D * i, D * sizeof *x);
            }
        struct gp *gp = &a->fit[k];
        gp_fit(gp, &data->shape, x, y, m, data->seed, k ? &a->fit[k - 1].at : NULL);
        size_t first = 0, drawn = 0;
        for (int p = 0; p < data->P; p++) {
            double total = 0, share = 1.0 / ADJUST_FOLDS, value;
            memset(sum, 0, m * sizeof *sum);
            for (size_t i = first; i < first + data->n[p]; i++) {
                if (fold[i] != k && fold[i] != GUEST)
                    continue;
                gp_predict(gp, data->x + D * i, 1, NULL, &value, columns);
                a->f[i] += fold[i] == GUEST ? share * value : value;
                for (size_t j = 0; j < m; j++)
                    sum[j] += a->w[i] * columns[j];
                total += a->w[i];
            }
            gp_predict(gp, data->drawn_x + D * drawn, data->N[p], a->W + drawn, f, columns);
            for (size_t j = 0; j < m; j++)
                sum[j] -= share * columns[j];
            total -= share;
            for (size_t i = 0; i < data->N[p]; i++)
                a->drawn[drawn + i] += share * f[i];
            gp_weights(gp, sum, total);
            for (size_t j = 0; j < m && !is_guest(data, p); j++)
                a->through[(size_t)p * n + place[j]] += sum[j];
            first += data->n[p];
            drawn += data->N[p];
        }
        gp_settle(gp);
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
    free(a->w);
    free(a->W);
    free(a->count);
    for (int k = 0; k < ADJUST_FOLDS; k++)
        gp_free(&a->fit[k]);
}

void adjust_predict(const struct adjusted *a, const float *x, size_t m, double *f)
{
    double *one = xcalloc(m, sizeof *one);
    memset(f, 0, m * sizeof *f);
    for (int k = 0; k < ADJUST_FOLDS; k++) {
        gp_predict(&a->fit[k], x, m, NULL, one, NULL);
        for (size_t i = 0; i < m; i++)
            f[i] += one[i] / ADJUST_FOLDS;
    }
    free(one);
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

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

// out (n) = w (v - mean of v in the same bin); bin NULL: one bin for all.
static void centre(double *out, const double *v, const double *w, const uint32_t *bin,
                   uint32_t bins, size_t n)
{
    double *mean = xcalloc(bins ? bins : 1, sizeof *mean);
    for (size_t i = 0; i < n; i++)
        if (w[i] > 0)
            mean[bin ? bin[i] : 0] += w[i] * v[i] * (bins ? bins : 1);
    for (size_t i = 0; i < n; i++)
        out[i] = w[i] > 0 ? w[i] * (v[i] - mean[bin ? bin[i] : 0]) : 0;
    free(mean);
}

// The weights on f (w[0], held in 0 … 1) and s (w[1], never negative: it is a loss) for which
// |y - w[0] f - w[1] s|² + w[0]² known[0] + w[1]² known[1] is least; n values, s may be NULL.
static void weigh(const double *y, const double *f, const double *s, size_t n,
                  const double known[2], double w[2])
{
    double ff = dot(f, f, n) + known[0], yf = dot(y, f, n), one = yf / ff;
    w[0] = one > 0 ? fmin(one, 1) : 0; // 0 also for NaN
    w[1] = 0;
    if (!s)
        return;
    double ss = dot(s, s, n) + known[1], ys = dot(y, s, n), fs = dot(f, s, n);
    double both = (yf * ss - ys * fs) / (ff * ss - fs * fs);
    double lambda = both > 0 ? fmin(both, 1) : 0, beta = (ys - lambda * fs) / ss;
    if (beta > 0) {
        w[0] = lambda;
        w[1] = beta;
    }
}

// Where population p begins among the trained and the drawn networks.
static void begins(const struct adjust_data *data, int p, size_t *first, size_t *drawn)
{
    *first = *drawn = 0;
    for (int q = 0; q < p; q++) {
        *first += data->n[q];
        *drawn += data->N[q];
    }
}

/* Makes residuals (n, of centre) as wide as those of the space are: by the degrees of freedom that
 * the mean of each bin takes, and `lost` coefficients beside.  One that is alone in its bin gets
 * the deviation of the others.  Returns the sum of their squares; *df: its degrees of freedom
 * (Satterthwaite 1946: Σ² / Σ v²/ν over the bins). */
static double widen(double *own, const double *w, const uint32_t *count, const uint32_t *bin,
                    uint32_t bins, size_t n, int lost, double *df)
{
    double m = 0, means = 0, several = 0, apart = 0, squares = 0, sum = 0, alone = 0;
    double *of = xcalloc(bins ? bins : 1, sizeof *of),
           *left = xcalloc(bins ? bins : 1, sizeof *left);
    for (size_t i = 0; i < n; i++)
        if (count[i]) {
            m++;
            means += 1.0 / count[i];
            if (count[i] > 1) {
                several++;
                apart += 1.0 / count[i];
                squares += own[i] * own[i] / (w[i] * w[i]);
            }
        }
    double factor = (m - means) / (m - means - lost), rest = 0;
    double deviation = several > 0 ? sqrt(factor * squares / (several - apart)) : 0;
    for (size_t i = 0; i < n; i++) {
        own[i] = count[i] > 1 ? own[i] * sqrt(factor * count[i] / (count[i] - 1))
                              : w[i] * deviation;
        sum += own[i] * own[i];
        if (count[i] > 1) {
            of[bin ? bin[i] : 0] += own[i] * own[i];
            left[bin ? bin[i] : 0] = count[i] - 1;
        } else {
            alone += own[i] * own[i];
        }
    }
    for (uint32_t b = 0; b < (bins ? bins : 1); b++)
        rest += left[b] > 0 ? of[b] * of[b] / left[b] : 0;
    rest += several > apart ? alone * alone / (several - apart) : 0;
    *df = rest > 0 ? fmin(sum * sum / rest / factor, m - means - lost) : m - means - lost;
    free(of);
    free(left);
    return sum;
}

void adjust_mean(const struct adjusted *a, const struct adjust_data *data, int p,
                 const struct adjust_early *early, struct adjusted_mean *out)
{
    size_t first, drawn, n = data->n[p], N = data->N[p], all = early ? early->all : n;
    begins(data, p, &first, &drawn);
    const double *y = data->y + first, *f = a->f + first, *d = a->drawn + drawn;
    const double *through = a->through + (size_t)p * a->n;
    const double *w = a->w + first, *W = a->W + drawn;
    const uint32_t *bin = data->bins ? data->bin + first : NULL, *count = a->count + first;
    double my = dot(w, y, n), mf = dot(w, f, n), md = dot(W, d, N), b[2] = {1, 0}, v[2] = {0};
    double ms = early ? dot(w, early->s, n) : 0;
    // What each network adds to the mean of y, of f and of s as far as its mean is not known.
    double *list = xcalloc(4 * all + a->n, sizeof *list);
    double *dy = list, *df = list + all, *ds = list + 2 * all, *own = list + 3 * all,
           *influence = list + 4 * all;
    centre(dy, y, w, bin, data->bins, n);
    centre(df, f, w, bin, data->bins, n);
    if (early)
        centre(own, early->s, w, bin, data->bins, n);
    for (size_t i = 0; i < all; i++)
        ds[i] = early ? own[i] - early->influence[i] : 0;
    for (size_t i = 0; i < N; i++)
        v[0] += W[i] * W[i] * (d[i] - md) * (d[i] - md);
    v[1] = early ? early->drawn_se * early->drawn_se : 0;
    if (!is_guest(data, p))
        weigh(dy, df, early ? ds : NULL, all, v, b);
    out->lambda = b[0];
    out->beta = b[1];
    out->plain = my;
    out->mean = my - b[0] * (mf - md) - (early ? b[1] * (ms - early->mean) : 0);
    double vy = dot(dy, dy, n), sum = 0;
    for (size_t j = 0; j < a->n; j++) // 0 of copies
        influence[j] = original(data, j) == j ? -b[0] * through[j] * a->r[j] : 0;
    for (size_t i = 0; i < n; i++)
        own[i] = dy[i] - b[0] * df[i] - (early ? b[1] * (ds[i] + early->influence[i]) : 0);
    out->r2 = vy > 0 ? 1 - dot(own, own, n) / vy : 0;
    widen(own, w, count, bin, data->bins, n, (early != NULL) + !is_guest(data, p), &out->df);
    for (size_t i = 0; i < n; i++)
        influence[original(data, first + i)] =
            own[i] + (early ? b[1] * early->influence[i] : 0);
    sum = dot(influence, influence, a->n);
    out->rest = 0;
    for (size_t i = n; i < all; i++)
        out->rest += b[1] * b[1] * ds[i] * ds[i];
    if (out->influence)
        memcpy(out->influence, influence, a->n * sizeof *influence);
    out->drawn_se = b[0] * sqrt(v[0]) + b[1] * sqrt(v[1]); // of the same draws, at most
    out->se = sqrt(sum + out->rest + out->drawn_se * out->drawn_se);
    out->plain_se = sqrt(widen(dy, w, count, bin, data->bins, n, 0, &(double){0}));
    free(list);
}

void adjust_values(const struct adjusted *a, const struct adjust_data *data, int p, double *z)
{
    struct adjusted_mean m = {0};
    size_t first, drawn, n = data->n[p];
    begins(data, p, &first, &drawn);
    adjust_mean(a, data, p, NULL, &m);
    double mf = dot(a->w + first, a->f + first, n);
    for (size_t i = 0; i < n; i++)
        z[i] = m.mean + data->y[first + i] - m.plain - m.lambda * (a->f[first + i] - mf);
}

// A sum and a sum of squares of so many values.
struct moments {
    double n, sum, square;
};

// Welch's |t| of the values in a alone, in b alone and in both.
static double welch(const struct moments g[3], int lost)
{
    double n = g[0].n + g[2].n, m = g[1].n + g[2].n;
    double x = (g[0].sum + g[2].sum) / n, y = (g[1].sum + g[2].sum) / m;
    double u = 1 / sqrt(n * (n - lost)),
           w = 1 / sqrt(m * (m - lost)); // of a value in its mean
    double slope = w - u, level = w * y - u * x;
    double v = u * u * (g[0].square - 2 * x * g[0].sum + x * x * g[0].n) +
               w * w * (g[1].square - 2 * y * g[1].sum + y * y * g[1].n) +
               slope * slope * g[2].square - 2 * slope * level * g[2].sum +
               level * level * g[2].n;
    return v > 0 ? fabs(x - y) / sqrt(v) : x == y ? 0 : INFINITY;
}

// Moves `count` random values of z (n) to its front, and adds them up.
static struct moments take(struct rng *rng, double *z, size_t n, size_t count)
{
    struct moments g = {.n = (double)count};
    for (size_t i = 0; i < count; i++) {
        size_t j = i + (size_t)rng_below(rng, n - i);
        double v = z[j];
        z[j] = z[i];
        z[i] = v;
        g.sum += v;
        g.square += v * v;
    }
    return g;
}

double adjust_test(const double *values, const size_t count[3], int lost, double t,
                   uint32_t draws, uint64_t seed)
{
    size_t n = count[0] + count[1] + count[2], as_large = 0;
    double *z = xcalloc(n, sizeof *z), mean = mean_of(values, n);
    struct moments all = {.n = (double)n};
    for (size_t i = 0; i < n; i++) {
        z[i] = values[i] - mean;
        all.sum += z[i];
        all.square += z[i] * z[i];
    }
    struct rng rng = rng_key(seed, n, RNG_BOOTSTRAP);
    for (uint32_t r = 0; r < draws; r++) {
        struct moments a = take(&rng, z, n, count[0]);
        struct moments both = take(&rng, z + count[0], n - count[0], count[2]);
        struct moments b = {all.n - a.n - both.n, all.sum - a.sum - both.sum,
                            all.square - a.square - both.square};
        as_large += welch((struct moments[]){a, b, both}, lost) >= fabs(t) * (1 - 1e-12);
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

enum { BINS = 512 };

// What the EDF of a population needs at every error.
struct curve {
    size_t n;
    const double *y, *f, *w;
    const uint32_t *in, *count; // bins of the networks, and how many are in each
    uint32_t bins;
    bool guest;
    double s, bias, lo, width, bin[BINS], squares; // of the predictions of the drawn networks
    double *below, *ps, *db, *dp;                  // (n)
    double df;
};

static void curve_begin(struct curve *c, const struct adjusted *a,
                        const struct adjust_data *data, int p)
{
    size_t first, drawn, N = data->N[p];
    begins(data, p, &first, &drawn);
    const double *d = a->drawn + drawn, *r = a->r + first, *W = a->W + drawn;
    *c = (struct curve){.n = data->n[p],
                        .y = data->y + first,
                        .f = a->f + first,
                        .w = a->w + first,
                        .in = data->bins ? data->bin + first : NULL,
                        .count = a->count + first,
                        .bins = data->bins,
                        .guest = is_guest(data, p)};
    c->s = sqrt(covariance(r, r, c->n));
    c->s = c->s > 0 ? c->s : 1e-9;
    c->bias = mean_of(r, c->n);
    double lo = d[0], hi = d[0];
    for (size_t i = 0; i < N; i++) {
        lo = fmin(lo, d[i]);
        hi = fmax(hi, d[i]);
    }
    c->lo = lo;
    c->width = hi > lo ? (hi - lo) / BINS : 1;
    for (size_t i = 0; i < N; i++) {
        c->bin[(size_t)fmin((d[i] - lo) / c->width, BINS - 1)] += W[i];
        c->squares += W[i] * W[i];
    }
    c->below = xcalloc(4 * c->n, sizeof *c->below);
    c->ps = c->below + c->n;
    c->db = c->ps + c->n;
    c->dp = c->db + c->n;
}

static void curve_end(struct curve *c)
{
    free(c->below);
}

// F(e), and the influence (n) of each trained network on it; NULL: not wanted.
static double curve_at(struct curve *c, double e, double *influence)
{
    double expected = 0, square = 0, lambda = 1;
    for (int b = 0; b < BINS; b++) {
        double v = normal((e - c->bias - c->lo - (b + 0.5) * c->width) / c->s);
        expected += c->bin[b] * v;
        square += c->bin[b] * v * v;
    }
    for (size_t i = 0; i < c->n; i++) {
        c->below[i] = c->y[i] < e;
        c->ps[i] = normal((e - c->bias - c->f[i]) / c->s);
    }
    centre(c->db, c->below, c->w, c->in, c->bins, c->n);
    centre(c->dp, c->ps, c->w, c->in, c->bins, c->n);
    if (!c->guest) {
        double known = (square - expected * expected) * c->squares;
        lambda = dot(c->db, c->dp, c->n) / (dot(c->dp, c->dp, c->n) + known);
        lambda = lambda > 0 ? fmin(lambda, 1) : 0;
    }
    for (size_t i = 0; influence && i < c->n; i++)
        influence[i] = c->db[i] - lambda * c->dp[i];
    if (influence)
        widen(influence, c->w, c->count, c->in, c->bins, c->n, !c->guest, &c->df);
    return dot(c->w, c->below, c->n) - lambda * (dot(c->w, c->ps, c->n) - expected);
}

bool adjust_edf(const struct adjusted *a, const struct adjust_data *data, int p,
                const double *e, size_t m, double *F, double level, uint32_t draws,
                double *half)
{
    struct curve c;
    curve_begin(&c, a, data, p);
    size_t n = c.n;
    float *influence = half ? xcalloc(m * n, sizeof *influence) : NULL;
    double *row = half ? xcalloc(n, sizeof *row) : NULL;
    for (size_t k = 0; k < m; k++) {
        F[k] = curve_at(&c, e[k], row);
        for (size_t i = 0; half && i < n; i++)
            influence[i * m + k] = (float)row[i];
    }
    curve_end(&c);
    free(row);
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
            float most = 0; // in double GCC 12.2 fails on this loop for aarch64
            for (size_t k = 0; k < m; k++)
                most = fmaxf(most, fabsf(sum[k]));
            sup[r] = (double)most;
        }
        qsort(sup, draws, sizeof *sup, ascending);
        double tail = 0.5 + level / 2;
        *half = sup[(size_t)fmin(ceil(level * draws), draws) - 1] *
                student_quantile(tail, c.df) / normal_quantile(tail);
        free(sum);
        free(sup);
    }
    free(influence);
    return !interrupt_pending();
}

void adjust_form(const struct adjusted *a, const struct adjust_data *data, int p,
                 const double *e, const double *weight, size_t m, double *influence)
{
    struct curve c;
    curve_begin(&c, a, data, p);
    double *row = xcalloc(c.n, sizeof *row);
    memset(influence, 0, c.n * sizeof *influence);
    for (size_t k = 0; k < m; k++) {
        curve_at(&c, e[k], row);
        for (size_t i = 0; i < c.n; i++)
            influence[i] += weight[k] * row[i];
    }
    free(row);
    curve_end(&c);
}
