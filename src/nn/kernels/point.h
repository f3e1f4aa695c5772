/* The small layers as kernels: activations, squeeze-excitation's gate, pooling, sums of
 * columns and the optimiser.  All are bound by memory, so each is one pass in order. */
#ifndef KERNELS_POINT_H
#define KERNELS_POINT_H
#include "nn/kernels/activation.h"
#include "nn/kernels/lanes.h"
#include "nn/kernels/vec.h"

INLINE void act_all(float *y, const float *x, size_t n, enum activation act)
{
    for (size_t i = 0; i < n; i += V) {
        int l = lanes(n, i);
        put(y + i, activate(some(x + i, l), act), l);
    }
}

static void act_forward(float *y, const float *x, size_t n, enum activation act)
{
    if (act == ACT_RELU)
        act_all(y, x, n, ACT_RELU);
    else if (act == ACT_SILU)
        act_all(y, x, n, ACT_SILU);
    else
        act_all(y, x, n, ACT_NONE);
}

static void act_backward(float *dx, const float *dy, const float *x, size_t n,
                         enum activation act)
{
    for (size_t i = 0; i < n; i += V) {
        int l = lanes(n, i);
        put(dx + i, activate_back(some(dy + i, l), some(x + i, l), act), l);
    }
}

static void add_k(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += V) {
        int l = lanes(n, i);
        put(y + i, some(y + i, l) + some(x + i, l), l);
    }
}

// n pixels of C channels, `to` floats apart in y and `from` in x: y = x, or y += x.  Strides
// pass over most of a tensor in little time: the next tile is fetched meanwhile.
static void pixels_k(float *y, size_t to, const float *x, size_t from, size_t n, size_t C,
                     bool add)
{
    for (size_t i = 0; i < n; i++, y += to, x += from) {
        ahead_fetch(8);
        for (size_t c = 0; c < C; c += V) {
            int l = lanes(C, c);
            vf v = some(x + c, l);
            put(y + c, add ? some(y + c, l) + v : v, l);
        }
    }
}

static void sigmoid_k(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += V) {
        int l = lanes(n, i);
        put(y + i, vsigmoid(some(x + i, l)), l);
    }
}

// ---- means and products over the pixels of an image ----------------------------------

// Σ over the HW rows of an image of x, or of a·b: 8 vectors of channels at a time
// stay in registers; b is only read for a product.
INLINE void rows_sum(float *sum, const float *a, const float *b, size_t HW, size_t C,
                     float scale, bool product, const int T)
{
    vf acc[16];
    UNROLL_FOR (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (size_t i = 0; i < HW; i++) {
        UNROLL_FOR (int t = 0; t < T; t++) {
            vf v = vload(a + i * C + t * V);
            acc[t] += product ? v * vload(b + i * C + t * V) : v;
        }
    }
    UNROLL_FOR (int t = 0; t < T; t++)
        vstore(sum + t * V, acc[t] * scale);
}

INLINE void image_sums(float *sum, const float *a, const float *b, size_t N, size_t HW,
                       size_t C, float scale, bool product)
{
    for (size_t n = 0; n < N; n++, sum += C) {
        size_t c = 0;
        for (; c + 8 * V <= C; c += 8 * V)
            rows_sum(sum + c, a + c, b + c, HW, C, scale, product, 8);
        for (; c + 2 * V <= C; c += 2 * V)
            rows_sum(sum + c, a + c, b + c, HW, C, scale, product, 2);
        for (; c < C; c += V) {
            int l = lanes(C, c);
            vf acc = vset(0);
            for (size_t i = 0; i < HW; i++) {
                vf v = some(a + i * C + c, l);
                acc += product ? v * some(b + i * C + c, l) : v;
            }
            put(sum + c, acc * scale, l);
        }
        a += HW * C;
        b += HW * C;
    }
}

static void gap_forward_k(float *y, const float *x, size_t N, size_t HW, size_t C)
{
    image_sums(y, x, x, N, HW, C, 1.0f / (float)HW, false);
}

static void gate_dot(float *dot, const float *dy, const float *x, size_t N, size_t HW,
                     size_t C)
{
    image_sums(dot, dy, x, N, HW, C, 1, true);
}

static void gap_backward_k(float *dx, const float *dy, size_t N, size_t HW, size_t C)
{
    float scale = 1.0f / (float)HW;
    for (size_t n = 0; n < N; n++, dy += C)
        for (size_t i = 0; i < HW; i++, dx += C)
            for (size_t c = 0; c < C; c += V) {
                int l = lanes(C, c);
                put(dx + c, some(dy + c, l) * scale, l);
            }
}

static void gate_k(float *y, const float *x, const float *gate, size_t N, size_t HW, size_t C)
{
    for (size_t n = 0; n < N; n++, gate += C)
        for (size_t i = 0; i < HW; i++, x += C, y += C)
            for (size_t c = 0; c < C; c += V) {
                int l = lanes(C, c);
                put(y + c, some(x + c, l) * some(gate + c, l), l);
            }
}

static void gate_backward(float *dx, const float *dy, const float *gate, const float *dpool,
                          size_t N, size_t HW, size_t C)
{
    float scale = 1.0f / (float)HW;
    for (size_t n = 0; n < N; n++, gate += C, dpool += C)
        for (size_t i = 0; i < HW; i++, dx += C, dy += C)
            for (size_t c = 0; c < C; c += V) {
                int l = lanes(C, c);
                put(dx + c, some(dy + c, l) * some(gate + c, l) + some(dpool + c, l) * scale,
                    l);
            }
}

// sum (C) += Σ rows, block by block, so that the error stays that of a short sum.
static void column_sums(float *sum, const float *x, size_t M, size_t C)
{
    enum { BLOCK = 64 };
    for (size_t c = 0; c < C; c += V) {
        int l = lanes(C, c);
        vf total = vset(0);
        for (size_t row = 0; row < M; row += BLOCK) {
            size_t end = M - row < BLOCK ? M : row + BLOCK;
            vf part = vset(0);
            for (size_t i = row; i < end; i++)
                part += some(x + i * C + c, l);
            total += part;
        }
        put(sum + c, some(sum + c, l) + total, l);
    }
}

// ---- max pooling 3×3, stride 2, padding 1 ---------------------------------------------

INLINE vi some_i(const int *p, int n)
{
    if (n == V)
        return vload_i(p);
    int a[V] = {0};
    memcpy(a, p, (size_t)n * sizeof *p);
    return vload_i(a);
}
INLINE void put_i(int *p, vi a, int n)
{
    if (n == V)
        vstore_i(p, a);
    else
        memcpy(p, &a, (size_t)n * sizeof *p);
}

// A later tap wins when it is larger, or a NaN while the best is none.
static void maxpool_forward_k(float *y, int *from, const float *x, int N, int H, int W, int C)
{
    int Ho = conv_out(H, 2), Wo = conv_out(W, 2);
    for (int n = 0; n < N; n++, x += (size_t)H * (size_t)W * (size_t)C) {
        for (int oy = 0; oy < Ho; oy++) {
            int y0 = oy ? 2 * oy - 1 : 0, y1 = 2 * oy + 1 < H ? 2 * oy + 1 : H - 1;
            for (int ox = 0; ox < Wo; ox++, y += C, from += C) {
                int x0 = ox ? 2 * ox - 1 : 0, x1 = 2 * ox + 1 < W ? 2 * ox + 1 : W - 1;
                for (int c = 0; c < C; c += V) {
                    int l = lanes((size_t)C, (size_t)c), at = y0 * W + x0;
                    vf best = some(x + (size_t)at * (size_t)C + c, l);
                    vi where = (vi){0} + at;
                    for (int iy = y0; iy <= y1; iy++) {
                        for (int ix = x0; ix <= x1; ix++) {
                            at = iy * W + ix;
                            vf v = some(x + (size_t)at * (size_t)C + c, l);
                            vi wins = (v > best) | ((v != v) & (best == best));
                            best = vselect(wins, v, best);
                            where = (where & ~wins) | (((vi){0} + at) & wins);
                        }
                    }
                    put(y + c, best, l);
                    put_i(from + c, where, l);
                }
            }
        }
    }
}

// Each input pixel asks the (up to four) windows that hold it.
static void maxpool_backward_k(float *dx, const float *dy, const int *from, int N, int H,
                               int W, int C)
{
    int Ho = conv_out(H, 2), Wo = conv_out(W, 2);
    size_t image = (size_t)Ho * (size_t)Wo * (size_t)C;
    for (int n = 0; n < N; n++, dy += image, from += image) {
        for (int iy = 0; iy < H; iy++) {
            int y0 = iy / 2, y1 = (iy + 1) / 2 < Ho ? (iy + 1) / 2 : Ho - 1;
            for (int ix = 0; ix < W; ix++, dx += C) {
                int x0 = ix / 2, x1 = (ix + 1) / 2 < Wo ? (ix + 1) / 2 : Wo - 1;
                for (int c = 0; c < C; c += V) {
                    int l = lanes((size_t)C, (size_t)c);
                    vf sum = vset(0);
                    for (int oy = y0; oy <= y1; oy++) {
                        for (int ox = x0; ox <= x1; ox++) {
                            size_t at = ((size_t)oy * (size_t)Wo + (size_t)ox) * (size_t)C +
                                        (size_t)c;
                            vi mine = some_i(from + at, l) == iy * W + ix;
                            sum += (vf)((vi)some(dy + at, l) & mine);
                        }
                    }
                    put(dx + c, sum, l);
                }
            }
        }
    }
}

// ---- SGD -------------------------------------------------------------------------------

INLINE void sgd_all(float *p, float *v, const float *g, size_t n, float lr, float wd,
                    float mu, bool nesterov)
{
    for (size_t i = 0; i < n; i += V) {
        int l = lanes(n, i);
        vf w = some(p + i, l), d = some(g + i, l) + wd * w;
        vf m = mu * some(v + i, l) + d;
        put(v + i, m, l);
        put(p + i, w - lr * (nesterov ? d + mu * m : m), l);
    }
}

static void sgd_step_k(float *p, float *v, const float *g, size_t n, float lr, float wd,
                       float mu, bool nesterov)
{
    if (nesterov)
        sgd_all(p, v, g, n, lr, wd, mu, true);
    else
        sgd_all(p, v, g, n, lr, wd, mu, false);
}

#endif
