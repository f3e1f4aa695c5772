/* Batch normalisation, add and activation: kernels over rows of C channels.
 *
 * Forward is one pass for the statistics and one for the result, backward one pass for
 * the two sums and one for dx.  Statistics: rows are taken in blocks; inside a block sums
 * of (x - first row) and its square are kept in float, blocks are merged in double (Chan,
 * Golub, LeVeque 1983), so |mean| >> deviation loses nothing.
 * Channels are taken in panels, so that the accumulators stay in the first-level cache
 * and memory is read in order.
 * Source: Ioffe & Szegedy 2015, Algorithm 1; with z the input of the activation,
 *   g = dy·act'(z),  xhat = (x - mean)·rstd,
 *   dbeta = Σg,  dgamma = Σ g·xhat,  dx = gamma·rstd·(g - dbeta/M - xhat·dgamma/M). */
#include <math.h>

#include "nn/kernels.h"

enum { PANEL = 256, ROWS = 128 }; // channels of a panel, rows of a block

// exp without tables, to 1 unit in the last place or so; NaN stays NaN.
// x = n·ln 2 + f, e^f by its series to the 6th power (Cody & Waite's reduction).
INLINE vf vexp(vf x)
{
    vf lo = vset(-87.0f), hi = vset(88.0f);
    x = vmax(lo, x);
    x = -vmax(-hi, -x);
    vf magic = vset(12582912.0f); // 1.5·2^23: adding it rounds to an integer
    vf n = x * 1.44269504f + magic;
    vi shift = (vi)n << 23;
    n -= magic;
    vf f = x - n * 0.693359375f;
    f -= n * -2.12194440e-4f;
    vf e = f * 1.9875691500e-4f + 1.3981999507e-3f;
    e = e * f + 8.3334519073e-3f;
    e = e * f + 4.1665795894e-2f;
    e = e * f + 1.6666665459e-1f;
    e = e * f + 5.0000001201e-1f;
    e = e * (f * f) + f + 1.0f;
    return (vf)((vi)e + shift);
}

INLINE vf vsigmoid(vf z)
{
    return 1.0f / (1.0f + vexp(-z));
}

INLINE vf activate(vf z, enum activation act)
{
    return act == ACT_RELU ? vmax(vset(0), z) : act == ACT_SILU ? z * vsigmoid(z) : z;
}

// dy·act'(z); ReLU may be given y in place of z.
INLINE vf activate_back(vf dy, vf z, enum activation act)
{
    if (act == ACT_RELU)
        return (vf)((vi)dy & (z > 0));
    if (act == ACT_SILU) {
        vf s = vsigmoid(z);
        return dy * s * (1.0f + z * (1.0f - s));
    }
    return dy;
}

INLINE vf some(const float *p, int n)
{
    return n == V ? vload(p) : vload_n(p, n);
}
INLINE void put(float *p, vf a, int n)
{
    if (n == V)
        vstore(p, a);
    else
        vstore_n(p, a, n);
}
// Lanes of the vector that starts at channel c of a panel of P.
INLINE int lanes(size_t P, size_t c)
{
    return P - c < V ? (int)(P - c) : V;
}

static void stats_panel(double *mean, double *m2, const float *x, size_t M, size_t C, size_t P)
{
    float sum[PANEL], square[PANEL];
    for (size_t row = 0; row < M; row += ROWS) {
        size_t n = M - row < ROWS ? M - row : ROWS;
        const float *x0 = x + row * C;
        for (size_t c = 0; c < P; c += V) {
            vstore(sum + c, vset(0));
            vstore(square + c, vset(0));
        }
        size_t i = 1; // the first row is the shift
        for (; i + 4 <= n; i += 4) {
            for (size_t c = 0; c < P; c += V) {
                int l = lanes(P, c);
                const float *p = x0 + i * C + c;
                vf k = some(x0 + c, l), a = some(p, l) - k, b = some(p + C, l) - k;
                vf d = some(p + 2 * C, l) - k, e = some(p + 3 * C, l) - k;
                vstore(sum + c, vload(sum + c) + ((a + b) + (d + e)));
                vstore(square + c, vload(square + c) + ((a * a + b * b) + (d * d + e * e)));
            }
        }
        for (; i < n; i++) {
            for (size_t c = 0; c < P; c += V) {
                int l = lanes(P, c);
                vf a = some(x0 + i * C + c, l) - some(x0 + c, l);
                vstore(sum + c, vload(sum + c) + a);
                vstore(square + c, vload(square + c) + a * a);
            }
        }
        double inv = 1.0 / (double)n, before = (double)row;
        double share = (double)n / (before + (double)n);
        for (size_t c = 0; c < P; c++) {
            double s = (double)sum[c], mb = (double)x0[c] + s * inv;
            double m2b = (double)square[c] - s * s * inv;
            double d = row == 0 ? 0 : mb - mean[c];
            mean[c] = row == 0 ? mb : mean[c] + d * share;
            m2[c] = row == 0 ? m2b : m2[c] + m2b + d * d * before * share;
        }
    }
}

static void norm_stats(float *mean, float *rstd, float *running_mean, float *running_var,
                       const float *x, size_t M, size_t C, float eps, float momentum)
{
    double m[PANEL], m2[PANEL];
    for (size_t c0 = 0; c0 < C; c0 += PANEL) {
        size_t P = C - c0 < PANEL ? C - c0 : PANEL;
        stats_panel(m, m2, x + c0, M, C, P);
        for (size_t c = 0; c < P; c++) {
            double ss = m2[c] < 0 ? 0 : m2[c];
            double var = ss / (double)M, unbiased = M > 1 ? ss / (double)(M - 1) : var;
            mean[c0 + c] = (float)m[c];
            rstd[c0 + c] = (float)(1.0 / sqrt(var + (double)eps));
            float *rm = &running_mean[c0 + c], *rv = &running_var[c0 + c];
            *rm = (1 - momentum) * *rm + momentum * (float)m[c];
            *rv = (1 - momentum) * *rv + momentum * (float)unbiased;
        }
    }
}

INLINE void apply_panel(float *y, const float *x, const float *add, const float *mean,
                        const float *scale, const float *beta, size_t M, size_t C, size_t P,
                        enum activation act, bool with_add)
{
    for (size_t i = 0; i < M; i++) {
        size_t at = i * C;
        for (size_t c = 0; c < P; c += V) {
            int l = lanes(P, c);
            vf d = some(x + at + c, l) - some(mean + c, l);
            vf z = d * vload(scale + c) + some(beta + c, l);
            if (with_add)
                z += some(add + at + c, l);
            put(y + at + c, activate(z, act), l);
        }
    }
}

static void norm_apply(float *y, const float *x, const float *add, const float *mean,
                       const float *rstd, const float *var, float eps, const float *gamma,
                       const float *beta, size_t M, size_t C, enum activation act)
{
    float scale[PANEL];
    for (size_t c0 = 0; c0 < C; c0 += PANEL) {
        size_t P = C - c0 < PANEL ? C - c0 : PANEL;
        for (size_t c = 0; c < P; c++)
            scale[c] = gamma[c0 + c] * (rstd ? rstd[c0 + c] : 1 / sqrtf(var[c0 + c] + eps));
        float *yp = y + c0;
        const float *xp = x + c0, *ap = add ? add + c0 : NULL, *m = mean + c0, *b = beta + c0;
        if (act == ACT_RELU && add)
            apply_panel(yp, xp, ap, m, scale, b, M, C, P, ACT_RELU, true);
        else if (act == ACT_RELU)
            apply_panel(yp, xp, ap, m, scale, b, M, C, P, ACT_RELU, false);
        else if (act == ACT_SILU)
            apply_panel(yp, xp, ap, m, scale, b, M, C, P, ACT_SILU, add != NULL);
        else
            apply_panel(yp, xp, ap, m, scale, b, M, C, P, ACT_NONE, add != NULL);
    }
}

// What one panel of backward reads, all pointers moved to its first channel.
struct norm_panel {
    const float *dy, *x, *add, *y, *mean, *beta;
    float *dx, *dadd;
    size_t M, C, P;
    float scale[PANEL]; // gamma·rstd
};

// g of row-and-channel offset `at`, channel c.
INLINE vf norm_g(const struct norm_panel *p, size_t at, size_t c, int l, enum activation act)
{
    vf dy = some(p->dy + at, l);
    if (act == ACT_NONE)
        return dy;
    if (act == ACT_RELU)
        return activate_back(dy, some(p->y + at, l), ACT_RELU);
    vf d = some(p->x + at, l) - some(p->mean + c, l);
    vf z = d * vload(p->scale + c) + some(p->beta + c, l);
    if (p->add)
        z += some(p->add + at, l);
    return activate_back(dy, z, ACT_SILU);
}

// Σg and Σ g·(x - mean); g is kept in dadd when asked for.
INLINE void norm_sums(double *sg, double *sgx, const struct norm_panel *p, enum activation act)
{
    float a[PANEL], b[PANEL];
    for (size_t c = 0; c < p->P; c++)
        sg[c] = sgx[c] = 0;
    for (size_t row = 0; row < p->M; row += ROWS) {
        size_t end = p->M - row < ROWS ? p->M : row + ROWS;
        for (size_t c = 0; c < p->P; c += V) {
            vstore(a + c, vset(0));
            vstore(b + c, vset(0));
        }
        size_t i = row;
        for (; i + 2 <= end; i += 2) {
            for (size_t c = 0; c < p->P; c += V) {
                int l = lanes(p->P, c);
                size_t at = i * p->C + c, next = at + p->C;
                vf m = some(p->mean + c, l);
                vf g = norm_g(p, at, c, l, act), h = norm_g(p, next, c, l, act);
                if (p->dadd) {
                    put(p->dadd + at, g, l);
                    put(p->dadd + next, h, l);
                }
                vstore(a + c, vload(a + c) + (g + h));
                vstore(b + c, vload(b + c) + (g * (some(p->x + at, l) - m) +
                                              h * (some(p->x + next, l) - m)));
            }
        }
        for (; i < end; i++) {
            for (size_t c = 0; c < p->P; c += V) {
                int l = lanes(p->P, c);
                size_t at = i * p->C + c;
                vf g = norm_g(p, at, c, l, act);
                if (p->dadd)
                    put(p->dadd + at, g, l);
                vstore(a + c, vload(a + c) + g);
                vstore(b + c, vload(b + c) + g * (some(p->x + at, l) - some(p->mean + c, l)));
            }
        }
        for (size_t c = 0; c < p->P; c++) {
            sg[c] += (double)a[c];
            sgx[c] += (double)b[c];
        }
    }
}

INLINE void norm_dx(const struct norm_panel *p, const float *c1, const float *c2,
                    enum activation act)
{
    for (size_t i = 0; i < p->M; i++) {
        for (size_t c = 0; c < p->P; c += V) {
            int l = lanes(p->P, c);
            size_t at = i * p->C + c;
            vf g = p->dadd ? some(p->dadd + at, l) : norm_g(p, at, c, l, act);
            vf d = some(p->x + at, l) - some(p->mean + c, l);
            d = g - vload(c1 + c) - d * vload(c2 + c);
            put(p->dx + at, d * vload(p->scale + c), l);
        }
    }
}

static void norm_backward_k(float *dx, float *dadd, float *dgamma, float *dbeta,
                            const float *dy, const float *x, const float *add,
                            const float *y, const float *mean, const float *rstd,
                            const float *gamma, const float *beta, size_t M, size_t C,
                            enum activation act)
{
    double sg[PANEL], sgx[PANEL];
    float c1[PANEL], c2[PANEL];
    for (size_t c0 = 0; c0 < C; c0 += PANEL) {
        struct norm_panel p = { .dy = dy + c0, .x = x + c0, .add = add ? add + c0 : NULL,
                                .y = y + c0, .mean = mean + c0, .beta = beta + c0,
                                .dx = dx + c0, .dadd = dadd ? dadd + c0 : NULL, .M = M,
                                .C = C, .P = C - c0 < PANEL ? C - c0 : PANEL };
        for (size_t c = 0; c < p.P; c++)
            p.scale[c] = gamma[c0 + c] * rstd[c0 + c];
        if (act == ACT_RELU)
            norm_sums(sg, sgx, &p, ACT_RELU);
        else if (act == ACT_SILU)
            norm_sums(sg, sgx, &p, ACT_SILU);
        else
            norm_sums(sg, sgx, &p, ACT_NONE);
        for (size_t c = 0; c < p.P; c++) {
            double r = (double)rstd[c0 + c];
            dbeta[c0 + c] += (float)sg[c];
            dgamma[c0 + c] += (float)(sgx[c] * r);
            c1[c] = (float)(sg[c] / (double)M);
            c2[c] = (float)(sgx[c] * r * r / (double)M);
        }
        if (act == ACT_RELU)
            norm_dx(&p, c1, c2, ACT_RELU);
        else if (act == ACT_SILU)
            norm_dx(&p, c1, c2, ACT_SILU);
        else
            norm_dx(&p, c1, c2, ACT_NONE);
    }
}
