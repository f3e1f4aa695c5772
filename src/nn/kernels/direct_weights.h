/* Direct convolution in groups: the gradient of the weights.
 *
 * Lanes are output channels as in kernels/direct.h, with the same blocks and packed layout:
 *      sum[block][r][s][ci][lane] += dy[pixel][lane]·x[pixel + tap][ci of the lane's group]
 * Twelve sums (four input channels × the three taps of a kernel row) stay in registers
 * while the pixels of a small area pass; each input vector meets the three dy vectors it
 * feeds.  Areas are small, so the data stays in cache for all blocks and rows of the
 * kernel, and a float sum is short before it is added to the total.
 * Measured: with the gradient of the data, in kernels/direct.h.
 * Ground: Georganas et al., arXiv 1808.05567, section on weight updates. */
#ifndef KERNELS_DIRECT_WEIGHTS_H
#define KERNELS_DIRECT_WEIGHTS_H
#include "nn/kernels/pass.h"
#include "nn/kernels/vec.h"

enum {
    AREA = 1 << 16,    // floats of one turn, and its output
    AREA_PIXELS = 384, // pixels: their sums stay in registers
};

// The block as seen from dy: a full vector of dy is loaded from channel kd; its lanes
// l0 … l0+n-1 are the block's.
struct wblock {
    struct block k;
    int kd, l0;
};

static void wblock_at(struct wblock *wb, const struct pass *p, int b)
{
    block_at(&wb->k, p, b);
    wb->kd = V != 8 && p->K >= V && wb->k.k0 > p->K - V ? p->K - V : wb->k.k0;
    wb->l0 = wb->k.k0 - wb->kd;
    if (p->narrow) { // lanes of x move along
        for (int ci = 0; ci < p->gi; ci++) {
            int at[V];
            for (int l = 0; l < V; l++) {
                int m = l - wb->l0;
                at[l] =
                    m >= 0 && m < wb->k.n ? m / p->gi * p->gi + ci + wb->k.k0 - wb->k.c0 : 0;
            }
            wb->k.at[ci] = vlanes(at);
        }
    }
}

// What a call for weights works on: output rows y0 … y1-1 of n images.
struct area {
    int n, y0, y1;
};

// Any kernel size: one tap (r, s) and T input channels from ci on.
INLINE void tap_weights(float *dw, const float *dy, const float *x, const struct pass *p,
                        const struct wblock *wb, struct area a, int r, int s, int ci,
                        bool narrow, const int T)
{
    int pad = (p->R - 1) / 2;
    vf acc[8];
    UNROLL_FOR (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (int i = 0; i < a.n; i++) {
        for (int oy = a.y0; oy < a.y1; oy++) {
            int iy = oy * p->S + r - pad;
            if (iy < 0 || iy >= p->H)
                continue;
            const float *drow = dy + (size_t)(i * p->Ho + oy) * (size_t)p->Wo * (size_t)p->K;
            const float *xrow = x + (size_t)(i * p->H + iy) * (size_t)p->W * (size_t)p->C;
            for (int ox = 0; ox < p->Wo; ox++) {
                int ix = ox * p->S + s - pad;
                if (ix < 0 || ix >= p->W)
                    continue;
                vf d = vload(drow + (size_t)ox * (size_t)p->K);
                const float *xt = xrow + (size_t)ix * (size_t)p->C;
                UNROLL_FOR (int t = 0; t < T; t++)
                    acc[t] += input(xt, &wb->k, ci + t, narrow) * d;
            }
        }
    }
    UNROLL_FOR (int t = 0; t < T; t++)
        vstore(dw + t * V, vload(dw + t * V) + acc[t]);
}

// One column, x, of Q input rows against dy column d1 for tap s1, and d2 (or NULL) for s2.
INLINE void column_weights(vf acc[3][4][3], const float *x, const struct pass *p,
                           const struct wblock *wb, int ci, bool narrow, const float *d1,
                           const int s1, const float *d2, const int s2, const int T,
                           const int Q)
{
    ptrdiff_t row = (ptrdiff_t)p->W * p->C;
    UNROLL_FOR (int q = 0; q < Q; q++) {
        UNROLL_FOR (int t = 0; t < T; t++) {
            vf v = input(x + q * row, &wb->k, ci + t, narrow);
            acc[q][t][s1] += v * vload(d1);
            if (d2)
                acc[q][t][s2] += v * vload(d2);
        }
    }
}

// Kernel 3×3: the three taps of Q rows of the kernel from r on, for T input channels from
// ci on.  Each input vector meets the three (stride 2: one or two) dy vectors it feeds.
// Rows of the kernel that leave the image are skipped; with Q = 3 none may.
INLINE void taps3_weights(float *dw, const float *dy, const float *x, const struct pass *p,
                          const struct wblock *wb, struct area a, int r, int ci, bool narrow,
                          const int T, const int Q, const int S)
{
    ptrdiff_t C = p->C, K = p->K, gi = p->gi, row = p->W * C;
    vf acc[3][4][3];
    UNROLL_FOR (int q = 0; q < Q; q++) {
        UNROLL_FOR (int t = 0; t < T; t++)
            acc[q][t][0] = acc[q][t][1] = acc[q][t][2] = vset(0);
    }
    for (int i = 0; i < a.n; i++) {
        for (int oy = a.y0; oy < a.y1; oy++) {
            int iy = oy * S + r - 1;
            if (iy < 0 || iy + Q > p->H)
                continue;
            const float *d = dy + (size_t)(i * p->Ho + oy) * (size_t)p->Wo * (size_t)p->K;
            const float *xt = x + (size_t)(i * p->H + iy) * (size_t)p->W * (size_t)p->C;
            int last = p->Wo - 1;
            if (S == 1 && last == 0) {
                column_weights(acc, xt, p, wb, ci, narrow, d, 1, NULL, 0, T, Q);
            } else if (S == 1) {
                column_weights(acc, xt, p, wb, ci, narrow, d, 1, d + K, 0, T, Q);
                const float *dj = d, *xj = xt + C;
                for (int j = 1; j < last; j++, dj += K, xj += C) {
                    PIN(dj);
                    PIN(xj);
                    vf d0 = vload(dj + 2 * K), d1 = vload(dj + K), d2 = vload(dj);
                    UNROLL_FOR (int q = 0; q < Q; q++) {
                        UNROLL_FOR (int t = 0; t < T; t++) {
                            vf v = input(xj + q * row, &wb->k, ci + t, narrow);
                            acc[q][t][0] += v * d0;
                            acc[q][t][1] += v * d1;
                            acc[q][t][2] += v * d2;
                        }
                    }
                }
                column_weights(acc, xt + last * C, p, wb, ci, narrow, d + last * K, 1,
                               d + (last - 1) * K, 2, T, Q);
            } else {
                const float *dj = d, *x0 = xt, *x1 = xt + C;
                for (int j = 0; j < last; j++, dj += K, x0 += 2 * C, x1 += 2 * C) {
                    PIN(dj);
                    PIN(x0);
                    PIN(x1);
                    vf d0 = vload(dj), d1 = vload(dj + K);
                    UNROLL_FOR (int q = 0; q < Q; q++) {
                        UNROLL_FOR (int t = 0; t < T; t++) {
                            acc[q][t][1] += input(x0 + q * row, &wb->k, ci + t, narrow) * d0;
                            vf v = input(x1 + q * row, &wb->k, ci + t, narrow);
                            acc[q][t][2] += v * d0;
                            acc[q][t][0] += v * d1;
                        }
                    }
                }
                column_weights(acc, xt + 2 * last * C, p, wb, ci, narrow, d + last * K, 1,
                               NULL, 0, T, Q);
                if (2 * last + 1 < p->W)
                    column_weights(acc, xt + (2 * last + 1) * C, p, wb, ci, narrow,
                                   d + last * K, 2, NULL, 0, T, Q);
            }
        }
    }
    UNROLL_FOR (int q = 0; q < Q; q++) {
        UNROLL_FOR (int s = 0; s < 3; s++) {
            float *out = dw + (((r + q) * 3 + s) * gi + ci) * V;
            UNROLL_FOR (int t = 0; t < T; t++)
                vstore(out + t * V, vload(out + t * V) + acc[q][t][s]);
        }
    }
}

INLINE void block_taps3(float *dw, const float *dy, const float *x, const struct pass *p,
                        const struct wblock *wb, struct area a, bool narrow, const int S)
{
    int inner0 = a.y0 > 0 ? a.y0 : 1, inner1 = a.y1;
    while (inner1 > inner0 && (inner1 - 1) * S + 1 >= p->H)
        inner1--;
    if (p->gi == 1 && inner0 < inner1) { // all nine taps at once where none leaves the image
        struct area top = {a.n, a.y0, inner0}, inner = {a.n, inner0, inner1};
        struct area bottom = {a.n, inner1, a.y1};
        taps3_weights(dw, dy, x, p, wb, inner, 0, 0, narrow, 1, 3, S);
        for (int r = 0; r < 3; r++) {
            taps3_weights(dw, dy, x, p, wb, top, r, 0, narrow, 1, 1, S);
            taps3_weights(dw, dy, x, p, wb, bottom, r, 0, narrow, 1, 1, S);
        }
        return;
    }
    for (int r = 0; r < 3; r++) {
        for (int ci = 0; ci < p->gi;) {
            int left = p->gi - ci;
            if (left >= 4 && left != 5) {
                taps3_weights(dw, dy, x, p, wb, a, r, ci, narrow, 4, 1, S);
                ci += 4;
            } else if (left >= 3) {
                taps3_weights(dw, dy, x, p, wb, a, r, ci, narrow, 3, 1, S);
                ci += 3;
            } else if (left == 2) {
                taps3_weights(dw, dy, x, p, wb, a, r, ci, narrow, 2, 1, S);
                ci += 2;
            } else {
                taps3_weights(dw, dy, x, p, wb, a, r, ci, narrow, 1, 1, S);
                ci++;
            }
        }
    }
}

INLINE void block_taps(float *dw, const float *dy, const float *x, const struct pass *p,
                       const struct wblock *wb, struct area a, bool narrow)
{
    for (int r = 0; r < p->R; r++) {
        for (int s = 0; s < p->R; s++, dw += (size_t)p->gi * V) {
            int ci = 0;
            for (; ci + 8 <= p->gi; ci += 8)
                tap_weights(dw + ci * V, dy, x, p, wb, a, r, s, ci, narrow, 8);
            for (; ci < p->gi; ci++)
                tap_weights(dw + ci * V, dy, x, p, wb, a, r, s, ci, narrow, 1);
        }
    }
}

static void block_weights(float *dw, const float *dy, const float *x, const struct pass *p,
                          const struct wblock *wb, struct area a)
{
    dy += wb->kd;
    x += wb->k.c0;
    if (p->R == 3 && p->S == 1 && p->narrow)
        block_taps3(dw, dy, x, p, wb, a, true, 1);
    else if (p->R == 3 && p->S == 1)
        block_taps3(dw, dy, x, p, wb, a, false, 1);
    else if (p->R == 3 && p->S == 2 && p->narrow)
        block_taps3(dw, dy, x, p, wb, a, true, 2);
    else if (p->R == 3 && p->S == 2)
        block_taps3(dw, dy, x, p, wb, a, false, 2);
    else if (p->narrow)
        block_taps(dw, dy, x, p, wb, a, true);
    else
        block_taps(dw, dy, x, p, wb, a, false);
}

// Areas are small: their sums are taken in registers and added to `sum` once, which also
// keeps the error of the float sums that of a short one.
static void run_weights(float *sum, const float *dy, const float *x, const struct pass *p,
                        int n)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    size_t both = ximage + yimage, per_pixel = both / (size_t)(p->Ho * p->Wo);
    size_t most = AREA / per_pixel < AREA_PIXELS ? AREA / per_pixel : AREA_PIXELS;
    int step = (int)(most / (size_t)(p->Ho * p->Wo)), rows = (int)(most / (size_t)p->Wo);
    step = step < 1 ? 1 : step;
    rows = rows < 1 ? 1 : rows < p->Ho ? rows : p->Ho;
    for (int i = 0; i < n; i += step) {
        struct area a = {n - i < step ? n - i : step, 0, 0};
        for (a.y0 = 0; a.y0 < p->Ho; a.y0 += rows) {
            a.y1 = p->Ho - a.y0 < rows ? p->Ho : a.y0 + rows;
            for (int b = 0; b < p->blocks; b++) {
                struct wblock wb;
                wblock_at(&wb, p, b);
                block_weights(sum + (size_t)b * (size_t)(p->R * p->R * p->gi) * V,
                              dy + (size_t)i * yimage, x + (size_t)i * ximage, p, &wb, a);
            }
        }
    }
}

static void direct_weight(float *sum, const float *dy, const float *x, const struct conv *c,
                          float *scratch)
{
    (void)scratch;
    struct pass p = pass_of(c, false);
    run_weights(sum, dy, x, &p, p.N);
}

static void direct_weight_end(float *dw, const float *sum, const struct conv *c)
{
    struct pass p = pass_of(c, false);
    size_t n = (size_t)p.R * (size_t)p.R * (size_t)p.gi; // of one output channel
    for (int b = 0; b < p.blocks; b++) {
        struct wblock wb;
        wblock_at(&wb, &p, b);
        const float *s = sum + (size_t)b * n * V + wb.l0;
        for (int l = 0; l < wb.k.n; l++)
            for (size_t t = 0; t < n; t++)
                dw[(size_t)(wb.k.k0 + l) * n + t] += s[t * V + (size_t)l];
    }
}

#endif
