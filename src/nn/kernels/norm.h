/* Batch normalisation, add and activation: kernels over rows of C channels.
 *
 * Each takes a tile of rows that a neighbouring convolution has just made or is about to
 * read, so it works in columns: T vectors of channels whose sums stay in registers while
 * the rows of a block pass.
 *
 *      rows ↓   ███ ███ ███ ███ | ███ …        4 vectors (AVX-512, NEON) or 2 at a time; where
 *               ███ ███ ███ ███ |              fewer are left, several rows at a time
 *
 * Statistics: inside a block the sums of (x - first row) and of its square are kept in
 * float, blocks are merged in double (Chan, Golub, LeVeque 1983), so |mean| >> deviation
 * loses nothing.
 * Source: Ioffe & Szegedy 2015, Algorithm 1; with z the input of the activation,
 *   g = dy·act'(z),  xhat = (x - mean)·rstd,
 *   dbeta = Σg,  dgamma = Σ g·xhat,  dx = gamma·rstd·(g - dbeta/M - xhat·dgamma/M). */
#ifndef KERNELS_NORM_H
#define KERNELS_NORM_H
#include "nn/kernels/activation.h"
#include "nn/kernels/lanes.h"
#include "nn/kernels/vec.h"

enum {
    COLUMNS = REGISTERS == 32 ? 4 : 2, // vectors of a column
    ROWS = 256,                        // rows of a block
    FEW = 8, // rows of a block where no sum is made: what comes from memory comes in order
};

// CALL(c, T, U, l): T vectors of channels from c on, U rows at a time, l lanes in the last.
#define EACH_COLUMN(C, CALL)                                                                 \
    for (size_t c = 0, left = (C); left > 0;) {                                              \
        size_t vectors = (left + V - 1) / V, T = vectors;                                    \
        T = T >= COLUMNS ? COLUMNS : T >= 2 ? 2 : 1;                                         \
        int l = left < T * V ? (int)(left - (T - 1) * V) : V;                                \
        if (T == COLUMNS && l == V)                                                          \
            CALL(c, COLUMNS, 4 / COLUMNS, V);                                                \
        else if (T == COLUMNS)                                                               \
            CALL(c, COLUMNS, 4 / COLUMNS, l);                                                \
        else if (T == 2)                                                                     \
            CALL(c, 2, 2, l);                                                                \
        else if (l == V)                                                                     \
            CALL(c, 1, 4, V);                                                                \
        else                                                                                 \
            CALL(c, 1, 4, l);                                                                \
        c += T * V;                                                                          \
        left -= left < T * V ? left : T * V;                                                 \
    }

// Vector t of T at p, of which the last has l lanes.
INLINE vf column(const float *p, int t, const int T, int l)
{
    return t < T - 1 ? vload(p + t * V) : some(p + t * V, l);
}
INLINE void put_column(float *p, vf a, int t, const int T, int l)
{
    put(p + t * V, a, t < T - 1 ? V : l);
}

// Σ over the U rows whose sums lie side by side, into sum[0 … T·V-1].
INLINE void put_sums(float *sum, const vf *acc, const int T, const int U)
{
    UNROLL_FOR (int t = 0; t < T; t++) {
        vf a = acc[t];
        UNROLL_FOR (int u = 1; u < U; u++)
            a += acc[u * T + t];
        vstore(sum + t * V, a);
    }
}

// ---- statistics -----------------------------------------------------------------------

INLINE void gather_rows(float *sum, float *square, const float *x, size_t n, size_t C,
                        const int T, const int U, int l)
{
    vf k[COLUMNS], s[4], q[4];
    UNROLL_FOR (int t = 0; t < T; t++)
        k[t] = column(x, t, T, l); // the first row is the shift
    UNROLL_FOR (int t = 0; t < T * U; t++)
        s[t] = q[t] = vset(0);
    size_t i = 0;
    for (; i + (size_t)U <= n; i += (size_t)U) {
        UNROLL_FOR (int u = 0; u < U; u++) {
            UNROLL_FOR (int t = 0; t < T; t++) {
                vf d = column(x + (i + (size_t)u) * C, t, T, l) - k[t];
                s[u * T + t] += d;
                q[u * T + t] += d * d;
            }
        }
    }
    for (; i < n; i++) {
        UNROLL_FOR (int t = 0; t < T; t++) {
            vf d = column(x + i * C, t, T, l) - k[t];
            s[t] += d;
            q[t] += d * d;
        }
    }
    put_sums(sum, s, T, U);
    put_sums(square, q, T, U);
}

// Merges a block of n rows with the `before` ones already in mean and m2.
INLINE void gather_block(double *mean, double *m2, const float *x, size_t n, size_t C,
                         double before, const int T, const int U, int l)
{
    float sum[4 * V], square[4 * V];
    double share = (double)n / (before + (double)n), inv = 1.0 / (double)n;
    gather_rows(sum, square, x, n, C, T, U, l);
    for (int j = 0; j < (T - 1) * V + l; j++) {
        double s = (double)sum[j], d = (double)x[j] + s * inv - mean[j];
        mean[j] += d * share;
        m2[j] += (double)square[j] - s * s * inv + d * d * before * share;
    }
}

// mean and m2 (Σ of squared deviations) over `seen` rows become those over M more.
static void norm_gather_k(double *mean, double *m2, size_t seen, const float *x, size_t M,
                          size_t C)
{
    for (size_t row = 0; row < M; row += ROWS) {
        size_t n = M - row < ROWS ? M - row : ROWS;
#define GATHER(c, T, U, l)                                                                   \
    gather_block(mean + (c), m2 + (c), x + row * C + (c), n, C, (double)(seen + row), T, U, l)
        EACH_COLUMN(C, GATHER)
#undef GATHER
    }
}

// ---- the result -------------------------------------------------------------------------

INLINE void apply_rows(float *y, const float *x, const float *add, const float *mean,
                       const float *scale, const float *beta, size_t n, size_t C,
                       enum activation act, bool with_add, const int T, int l)
{
    vf m[COLUMNS], k[COLUMNS], b[COLUMNS];
    UNROLL_FOR (int t = 0; t < T; t++) {
        m[t] = column(mean, t, T, l);
        k[t] = column(scale, t, T, l);
        b[t] = column(beta, t, T, l);
    }
    for (size_t i = 0; i < n; i++, y += C, x += C) {
        UNROLL_FOR (int t = 0; t < T; t++) {
            vf z = (column(x, t, T, l) - m[t]) * k[t] + b[t];
            if (with_add)
                z += column(add + i * C, t, T, l);
            put_column(y, activate(z, act), t, T, l);
        }
    }
}

INLINE void apply_act(float *y, const float *x, const float *add, const float *mean,
                      const float *scale, const float *beta, size_t M, size_t C,
                      enum activation act, bool with_add)
{
    for (size_t row = 0; row < M; row += FEW) {
        size_t n = M - row < FEW ? M - row : FEW;
        size_t at = row * C;
#define APPLY(c, T, U, l)                                                                    \
    apply_rows(y + at + (c), x + at + (c), with_add ? add + at + (c) : NULL, mean + (c),     \
               scale + (c), beta + (c), n, C, act, with_add, T, l)
        EACH_COLUMN(C, APPLY)
#undef APPLY
    }
}

static void norm_apply_k(float *y, const float *x, const float *add, const float *mean,
                         const float *scale, const float *beta, size_t M, size_t C,
                         enum activation act)
{
    if (act == ACT_RELU && add)
        apply_act(y, x, add, mean, scale, beta, M, C, ACT_RELU, true);
    else if (act == ACT_RELU)
        apply_act(y, x, add, mean, scale, beta, M, C, ACT_RELU, false);
    else if (act == ACT_SILU)
        apply_act(y, x, add, mean, scale, beta, M, C, ACT_SILU, add != NULL);
    else
        apply_act(y, x, add, mean, scale, beta, M, C, ACT_NONE, add != NULL);
}

// ---- backward ---------------------------------------------------------------------------

// g = dy·act'(z) and its sums; ReLU takes its mask from y > 0.
INLINE void grad_rows(double *sg, double *sgx, float *g, const float *dy, const float *x,
                      const float *add, const float *y, const float *mean, const float *scale,
                      const float *beta, size_t n, size_t C, enum activation act, const int T,
                      const int U, int l)
{
    vf m[COLUMNS], a[4], b[4];
    UNROLL_FOR (int t = 0; t < T; t++)
        m[t] = column(mean, t, T, l);
    UNROLL_FOR (int t = 0; t < T * U; t++)
        a[t] = b[t] = vset(0);
    for (size_t i = 0; i < n;) {
        int rows = n - i < (size_t)U ? 1 : U;
        UNROLL_FOR (int u = 0; u < U; u++) {
            size_t at = (i + (size_t)u) * C;
            if (u < rows) {
                UNROLL_FOR (int t = 0; t < T; t++) {
                    vf d = column(x + at, t, T, l) - m[t], v = column(dy + at, t, T, l);
                    if (act == ACT_RELU) {
                        v = activate_back(v, column(y + at, t, T, l), ACT_RELU);
                    } else if (act == ACT_SILU) {
                        vf z = d * column(scale, t, T, l) + column(beta, t, T, l);
                        if (add)
                            z += column(add + at, t, T, l);
                        v = activate_back(v, z, ACT_SILU);
                    }
                    if (act != ACT_NONE || g != dy)
                        put_column(g + at, v, t, T, l);
                    a[u * T + t] += v;
                    b[u * T + t] += v * d;
                }
            }
        }
        i += (size_t)rows;
    }
    float sum[4 * V], sumx[4 * V];
    put_sums(sum, a, T, U);
    put_sums(sumx, b, T, U);
    for (int j = 0; j < (T - 1) * V + l; j++) {
        sg[j] += (double)sum[j];
        sgx[j] += (double)sumx[j];
    }
}

INLINE void grad_act(double *sg, double *sgx, float *g, const float *dy, const float *x,
                     const float *add, const float *y, const float *mean, const float *scale,
                     const float *beta, size_t M, size_t C, enum activation act)
{
    for (size_t row = 0; row < M; row += ROWS) {
        size_t n = M - row < ROWS ? M - row : ROWS, at = row * C;
#define GRAD(c, T, U, l)                                                                     \
    grad_rows(sg + (c), sgx + (c), g + at + (c), dy + at + (c), x + at + (c),                \
              add ? add + at + (c) : NULL, y ? y + at + (c) : NULL, mean + (c), scale + (c), \
              beta + (c), n, C, act, T, U, l)
        EACH_COLUMN(C, GRAD)
#undef GRAD
    }
}

static void norm_grad_k(double *sg, double *sgx, float *g, const float *dy, const float *x,
                        const float *add, const float *y, const float *mean,
                        const float *scale, const float *beta, size_t M, size_t C,
                        enum activation act)
{
    if (act == ACT_RELU)
        grad_act(sg, sgx, g, dy, x, NULL, y, mean, scale, beta, M, C, ACT_RELU);
    else if (act == ACT_SILU)
        grad_act(sg, sgx, g, dy, x, add, NULL, mean, scale, beta, M, C, ACT_SILU);
    else
        grad_act(sg, sgx, g, dy, x, NULL, NULL, mean, scale, beta, M, C, ACT_NONE);
}

// dx = scale·(g - c1 - (x - mean)·c2)
INLINE void dx_rows(float *dx, const float *g, const float *x, const float *mean,
                    const float *scale, const float *c1, const float *c2, size_t n, size_t C,
                    const int T, int l)
{
    vf m[COLUMNS], k[COLUMNS], a[COLUMNS], b[COLUMNS];
    UNROLL_FOR (int t = 0; t < T; t++) {
        m[t] = column(mean, t, T, l), k[t] = column(scale, t, T, l);
        a[t] = column(c1, t, T, l), b[t] = column(c2, t, T, l);
    }
    for (size_t i = 0; i < n; i++, dx += C, g += C, x += C) {
        UNROLL_FOR (int t = 0; t < T; t++) {
            vf d = column(x, t, T, l) - m[t];
            d = column(g, t, T, l) - a[t] - d * b[t];
            put_column(dx, d * k[t], t, T, l);
        }
    }
}

static void norm_dx_k(float *dx, const float *g, const float *x, const float *mean,
                      const float *scale, const float *c1, const float *c2, size_t M,
                      size_t C)
{
    for (size_t row = 0; row < M; row += FEW) {
        size_t n = M - row < FEW ? M - row : FEW, at = row * C;
#define DX(c, T, U, l)                                                                       \
    dx_rows(dx + at + (c), g + at + (c), x + at + (c), mean + (c), scale + (c), c1 + (c),    \
            c2 + (c), n, C, T, l)
        EACH_COLUMN(C, DX)
#undef DX
    }
}
#undef EACH_COLUMN

#endif
