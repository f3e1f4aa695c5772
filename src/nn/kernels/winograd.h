/* Convolution 3×3 of stride 1 by Winograd's minimal filtering, F(4×4, 3×3), NHWC.
 *
 * A tile of 4×4 outputs and the 6×6 inputs it sees go to 36 frequencies, where the
 * convolution is a product over channels alone; four times fewer products than directly.
 *
 *      y = Aᵀ [ (G w Gᵀ) · (Bᵀ x B) ] A            · : for each of the 36, Σ over channels
 *      dw = Gᵀ [ Σ over tiles (A dy Aᵀ) · (Bᵀ x B) ] G
 *
 *      x ──► v[36][tiles][C] ─┐
 *                             ├─ 36 products (tiles × C by C × K) ─► m[36][tiles][K] ──► y
 *      w ──► u[36][C][K] ─────┘          (per group; kernels/product.h)
 *
 * The gradient of the data is the same with dy for x and the kernel turned round.  Tiles
 * are taken in turns, so that v and m stay in cache; tiles that stick out of the image are
 * filled with zeros.  The points are 0, 1, -1, 1/2, -2 and infinity, whose matrices have
 * small entries: the error of a sum over channels is 2 to 4 times that of the direct
 * convolution (with 0, ±1, ±2 it is 4 to 6 times) and below the bound of the direct one
 * (zeros of the border counted as products).
 * A NaN or Inf makes all outputs of the tiles that see it NaN or Inf, of any sign.
 * Measured where sgemm makes 105 GF/s (Zen 4), counting the products of the direct way:
 * groups of 8 130, of 16 200, of 64 360 GF/s: make profile NET="X 60 MF", "X wide", …
 * Source: Lavin & Gray, arXiv 1509.09308; the choice of points: Barabasz et al.,
 * arXiv 1803.10986. */
#ifndef KERNELS_WINOGRAD_H
#define KERNELS_WINOGRAD_H
#include "nn/kernels/epilogue.h"
#include "nn/kernels/lanes.h"
#include "nn/kernels/pass.h"
#include "nn/kernels/product.h"
#include "nn/kernels/vec.h"

// One direction of a convolution, as in kernels/direct.h, and its tiles.
struct winograd {
    struct pass p;
    size_t across, image, tiles; // tiles of a row, of an image, of all
    size_t turn;                 // tiles of a turn
    size_t C, K;                 // floats of a row of v and m: whole vectors
    size_t vstep, mstep, ustep;  // floats from one frequency to the next
};

// Floats of a row of g weights, of a group with `other` channels on its other side.
static size_t lanes_of(size_t g, size_t other)
{
    bool half = HALVES && g == V / 2 && other == V / 2; // half a vector is enough
    return half ? V / 2 : (g + V - 1) / V * V;
}

static struct winograd winograd_of(const struct conv *c, bool transposed)
{
    struct winograd g = {.p = pass_of(c, transposed)};
    const struct pass *p = &g.p;
    g.across = ((size_t)p->Wo + 3) / 4;
    g.image = g.across * (((size_t)p->Ho + 3) / 4);
    g.tiles = g.image * (size_t)p->N;
    g.turn = winograd_turn(c);
    g.C = ((size_t)p->C + V - 1) / V * V;
    g.K = ((size_t)p->K + V - 1) / V * V;
    g.vstep = g.turn * g.C + WINOGRAD_GAP;
    g.mstep = g.turn * g.K + WINOGRAD_GAP;
    g.ustep =
        (size_t)c->G * lanes_of((size_t)p->go, (size_t)p->gi) * (size_t)p->gi + WINOGRAD_GAP;
    return g;
}

// ---- the six matrices, applied to a column of vectors -----------------------------------

// The upper or the lower three of the six: all at once are more than the registers hold.
// Additions and multiply-additions are about as many, as they go to different units.
INLINE void times_bt3(vf *o, size_t step, bool lower, vf d0, vf d1, vf d2, vf d3, vf d4,
                      vf d5)
{
    vf even = d4 - d2, odd = d3 - d1;
    if (!lower) {
        o[0] = ((d0 + d4) - 2.0f * d2) + 1.5f * odd;
        o[step] = (even + odd) + 1.5f * (d2 + d3);
        o[2 * step] = (d4 - 2.5f * d2) + (d1 + 0.5f * d3);
    } else {
        o[0] = even + 2.0f * odd;
        o[step] = even - 0.5f * odd;
        o[2 * step] = ((d1 + d5) - 2.0f * d3) + 1.5f * even;
    }
}

INLINE void times_bt(vf *o, const vf *d)
{
    times_bt3(o, 1, false, d[0], d[1], d[2], d[3], d[4], d[5]);
    times_bt3(o + 3, 1, true, d[0], d[1], d[2], d[3], d[4], d[5]);
}

INLINE void times_at(vf *o, size_t step, vf m0, vf m1, vf m2, vf m3, vf m4, vf m5)
{
    vf sum = m1 + m2, difference = m1 - m2;
    o[0] = (m0 + sum) + (m3 + m4);
    o[step] = difference + 0.5f * m3 - 2.0f * m4;
    o[2 * step] = sum + 0.25f * m3 + 4.0f * m4;
    o[3 * step] = (difference + m5) + 0.125f * m3 - 8.0f * m4;
}

INLINE void times_a(vf *o, size_t step, vf y0, vf y1, vf y2, vf y3)
{
    vf even = y0 + y2, odd = y1 + y3;
    o[0] = y0;
    o[step] = even + odd;
    o[2 * step] = even - odd;
    o[3 * step] = y0 + 0.5f * y1 + 0.25f * y2 + 0.125f * y3;
    o[4 * step] = y0 - 2.0f * y1 + 4.0f * y2 - 8.0f * y3;
    o[5 * step] = y3;
}

INLINE void times_g(vf *o, size_t step, vf w0, vf w1, vf w2)
{
    vf outer = (w0 + w2) * (1 / 3.0f), inner = w1 * (1 / 3.0f);
    o[0] = w0;
    o[step] = outer + inner;
    o[2 * step] = inner - outer;
    o[3 * step] = w0 * (-16 / 15.0f) + w1 * (-8 / 15.0f) + w2 * (-4 / 15.0f);
    o[4 * step] = w0 * (1 / 15.0f) + w1 * (-2 / 15.0f) + w2 * (4 / 15.0f);
    o[5 * step] = w2;
}

INLINE void times_gt(vf *o, size_t step, vf u0, vf u1, vf u2, vf u3, vf u4, vf u5)
{
    vf sum = (u1 + u2) * (1 / 3.0f), difference = (u1 - u2) * (1 / 3.0f);
    o[0] = (u0 + difference) + u3 * (-16 / 15.0f) + u4 * (1 / 15.0f);
    o[step] = sum + u3 * (-8 / 15.0f) + u4 * (-2 / 15.0f);
    o[2 * step] = (u5 + difference) + u3 * (-4 / 15.0f) + u4 * (4 / 15.0f);
}

// ---- to and from the frequencies --------------------------------------------------------

// Where a tile is: its image, its first row and column of outputs.
struct tile_place {
    size_t n;
    int y, x;
};

static struct tile_place tile_at(const struct winograd *g, size_t i)
{
    size_t n = i / g->image, rest = i % g->image;
    return (struct tile_place){n, (int)(rest / g->across) * 4, (int)(rest % g->across) * 4};
}

INLINE void tile_next(struct tile_place *t, const struct pass *p)
{
    t->x += 4;
    if (t->x >= p->Wo)
        t->x = 0, t->y += 4;
    if (t->y >= p->Ho)
        t->y = 0, t->n++;
}

// size×size pixels of an image from (y, x) on, as addresses; zero where there is none.
INLINE void pixels_at(const float **at, const int size, const float *image, int H, int W,
                      int C, int y, int x, const float *zero)
{
    const float *row = image + ((ptrdiff_t)y * W + x) * C;
    UNROLL_FOR (int i = 0; i < size; i++) {
        UNROLL_FOR (int j = 0; j < size; j++) {
            bool inside = (unsigned)(y + i) < (unsigned)H && (unsigned)(x + j) < (unsigned)W;
            at[size * i + j] = inside ? row + j * (ptrdiff_t)C : zero;
        }
        row += (ptrdiff_t)W * C;
    }
}

// Three rows of Bᵀ x B of one tile, for l channels from c on.
INLINE void input_rows(float *v, size_t step, const float *const *at, size_t c, int l,
                       const bool lower)
{
    vf half[18], out[6];
    UNROLL_FOR (int j = 0; j < 6; j++)
        times_bt3(half + j, 6, lower, some(at[j] + c, l), some(at[6 + j] + c, l),
                  some(at[12 + j] + c, l), some(at[18 + j] + c, l), some(at[24 + j] + c, l),
                  some(at[30 + j] + c, l));
    UNROLL_FOR (int r = 0; r < 3; r++, v += 6 * step) {
        times_bt(out, half + 6 * r);
        OPAQUE(v);
        UNROLL_FOR (int s = 0; s < 6; s++)
            vstore(v + (size_t)s * step, out[s]);
    }
}

// A function of its own: inlined, its 36 addresses would be kept as 36 counters.
static __attribute__((noinline)) void input_tile(float *v, size_t step,
                                                 const float *const *at, size_t c, int l)
{
    if (l == V) {
        input_rows(v, step, at, c, V, false);
        input_rows(v + 18 * step, step, at, c, V, true);
    } else {
        input_rows(v, step, at, c, l, false);
        input_rows(v + 18 * step, step, at, c, l, true);
    }
}

// v of n tiles from number `first` on; zero: a row of C zeros.
static void winograd_input(float *v, const float *x, const struct winograd *g, size_t first,
                           size_t n, const float *zero)
{
    const struct pass *p = &g->p;
    size_t image = (size_t)p->H * (size_t)p->W * (size_t)p->C, C = (size_t)p->C;
    struct tile_place t = tile_at(g, first);
    for (size_t i = 0; i < n; i++, v += g->C, tile_next(&t, p)) {
        const float *at[36];
        pixels_at(at, 6, x + t.n * image, p->H, p->W, p->C, t.y - 1, t.x - 1, zero);
        for (size_t c = 0; c < C; c += V)
            input_tile(v + c, g->vstep, at, c, lanes(C, c));
    }
}

// Aᵀ m A of one tile: the first rows×columns pixels, l channels of row pitch `row`.
INLINE void output_tile(float *y, size_t row, size_t K, const float *m, size_t step, int rows,
                        int columns, int l, const struct epilogue *epilogue, size_t k)
{
    vf half[24], out[4];
    size_t down = 6 * step;
    UNROLL_FOR (int s = 0; s < 6; s++, m += step) {
        OPAQUE(m);
        times_at(half + s, 6, vload(m), vload(m + down), vload(m + 2 * down),
                 vload(m + 3 * down), vload(m + 4 * down), vload(m + 5 * down));
    }
    UNROLL_FOR (int r = 0; r < 4; r++) {
        vf *h = half + 6 * r;
        times_at(out, 1, h[0], h[1], h[2], h[3], h[4], h[5]);
        epilogue_sums(out, 4, 1, epilogue, k);
        UNROLL_FOR (int s = 0; s < 4; s++)
            if (r < rows && s < columns)
                put(y + (size_t)r * row + (size_t)s * K, out[s], l);
    }
}

// y of n tiles from number `first` on.
static void winograd_output(float *y, const float *m, const struct winograd *g, size_t first,
                            size_t n, const struct epilogue *epilogue)
{
    const struct pass *p = &g->p;
    size_t row = (size_t)p->Wo * (size_t)p->K, K = (size_t)p->K;
    struct tile_place t = tile_at(g, first);
    for (size_t i = 0; i < n; i++, m += g->K, tile_next(&t, p)) {
        float *out = y + (t.n * (size_t)p->Ho + (size_t)t.y) * row + (size_t)t.x * K;
        int rows = p->Ho - t.y, columns = p->Wo - t.x;
        for (size_t k = 0; k < K; k += V) {
            if (rows >= 4 && columns >= 4 && k + V <= K)
                output_tile(out + k, row, K, m + k, g->mstep, 4, 4, V, epilogue, k);
            else
                output_tile(out + k, row, K, m + k, g->mstep, rows, columns, lanes(K, k),
                            epilogue, k);
        }
    }
}

// A dy Aᵀ of one tile, for l channels from k on.
INLINE void gradient_any(float *m, size_t step, const float *const *at, size_t k, int l)
{
    vf half[24], out[6];
    UNROLL_FOR (int j = 0; j < 4; j++)
        times_a(half + j, 4, some(at[j] + k, l), some(at[4 + j] + k, l),
                some(at[8 + j] + k, l), some(at[12 + j] + k, l));
    UNROLL_FOR (int r = 0; r < 6; r++, m += 6 * step) {
        vf *h = half + 4 * r;
        times_a(out, 1, h[0], h[1], h[2], h[3]);
        OPAQUE(m);
        UNROLL_FOR (int s = 0; s < 6; s++)
            vstore(m + (size_t)s * step, out[s]);
    }
}

static __attribute__((noinline)) void gradient_tile(float *m, size_t step,
                                                    const float *const *at, size_t k, int l)
{
    if (l == V)
        gradient_any(m, step, at, k, V);
    else
        gradient_any(m, step, at, k, l);
}

// The gradient of the output: dm of n tiles from number `first` on.
static void winograd_gradient(float *m, const float *dy, const struct winograd *g,
                              size_t first, size_t n, const float *zero)
{
    const struct pass *p = &g->p;
    size_t image = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K, K = (size_t)p->K;
    struct tile_place t = tile_at(g, first);
    for (size_t i = 0; i < n; i++, m += g->K, tile_next(&t, p)) {
        const float *at[16];
        pixels_at(at, 4, dy + t.n * image, p->Ho, p->Wo, p->K, t.y, t.x, zero);
        for (size_t k = 0; k < K; k += V) {
            gradient_tile(m + k, g->mstep, at, k, lanes(K, k));
        }
    }
}

// ---- the weights ------------------------------------------------------------------------

// w (K,3,3,gi) of the convolution to u: for each frequency and group, the packed B of
// product(); lanes run over outputs of the pass, as in pack_weights.
static void winograd_pack(float *u, const float *w, const struct conv *c, bool data)
{
    enum { RUN_I = 16 };
    struct winograd g = winograd_of(c, data);
    const struct pass *p = &g.p;
    size_t gi = (size_t)p->gi, go = (size_t)p->go, vectors = (go + V - 1) / V;
    size_t row = lanes_of(go, gi);
    float taps[9][RUN_I][V];
    for (size_t q = 0; q < (size_t)c->G; q++, u += row * gi) {
        for (size_t j = 0; j < vectors; j++) {
            size_t in = 0, width; // place of vector j in its panel
            for (size_t left = vectors; in + (width = panel_vectors(left)) <= j;
                 left -= width)
                in += width;
            float *panel = u + in * V * gi + (j - in) * V;
            size_t live = go - j * V < V ? go - j * V : V;
            for (size_t i0 = 0; i0 < gi; i0 += RUN_I) {
                size_t n = gi - i0 < RUN_I ? gi - i0 : RUN_I;
                memset(taps, 0, sizeof taps);
                if (p->transposed) {
                    for (size_t i = 0; i < n; i++)
                        for (size_t t = 0; t < 9; t++)
                            memcpy(taps[t][i],
                                   w + ((q * gi + i0 + i) * 9 + 8 - t) * go + j * V,
                                   live * sizeof *w);
                } else {
                    for (size_t l = 0; l < live; l++)
                        for (size_t t = 0; t < 9; t++)
                            for (size_t i = 0; i < n; i++)
                                taps[t][i][l] =
                                    w[((q * go + j * V + l) * 9 + t) * gi + i0 + i];
                }
                for (size_t i = 0; i < n; i++) {
                    vf half[18], out[6];
                    UNROLL_FOR (int s = 0; s < 3; s++)
                        times_g(half + s, 3, vload(taps[s][i]), vload(taps[3 + s][i]),
                                vload(taps[6 + s][i]));
                    UNROLL_FOR (int r = 0; r < 6; r++) {
                        times_g(out, 1, half[3 * r], half[3 * r + 1], half[3 * r + 2]);
                        UNROLL_FOR (int s = 0; s < 6; s++) {
                            float *at = panel + (size_t)(6 * r + s) * g.ustep;
                            if (row < V)
                                vstore_half(at + (i0 + i) * row, vlow(out[s]));
                            else
                                vstore(at + (i0 + i) * width * V, out[s]);
                        }
                    }
                }
            }
        }
    }
}

// dw += Gᵀ du G
static void winograd_weight_end(float *dw, const float *du, const struct conv *c)
{
    size_t gi = (size_t)(c->C / c->G), row = lanes_of(gi, (size_t)(c->K / c->G));
    size_t step = (size_t)c->K * row;
    for (size_t k = 0; k < (size_t)c->K; k++, du += row, dw += 9 * gi) {
        for (size_t i = 0; i < gi; i += V) {
            int l = lanes(gi, i);
            vf half[18], out[3];
            UNROLL_FOR (int s = 0; s < 6; s++) {
                const float *f = du + (size_t)s * step + i;
                times_gt(half + s, 6, vload(f), vload(f + 6 * step), vload(f + 12 * step),
                         vload(f + 18 * step), vload(f + 24 * step), vload(f + 30 * step));
            }
            UNROLL_FOR (int r = 0; r < 3; r++) {
                vf *h = half + 6 * r;
                times_gt(out, 1, h[0], h[1], h[2], h[3], h[4], h[5]);
                UNROLL_FOR (int s = 0; s < 3; s++) {
                    float *at = dw + (size_t)(3 * r + s) * gi + i;
                    put(at, some(at, l) + out[s], l);
                }
            }
        }
    }
}

// ---- the products of one frequency and one group -----------------------------------------

// A group as wide as a vector, or as half of one, has all its weights in registers:
//
//      b[i]  ███      i = 0 … L-1, one row of u each       (sums: acc[k] += m[k]·v)
//      acc[p] += v[p][i] · b[i]
//
// P rows at a time, v broadcast from memory; OPAQUE keeps one address a row, not P·L.
enum { NARROW_ROWS = REGISTERS == 32 ? 8 : 6 };
// half: of weights half a vector wide, else of whole ones; only b or bh is used.
INLINE void narrow_rows(float *m, size_t mp, const float *v, size_t vp, const vf *b,
                        const vh *bh, const int P, const bool half)
{
    const int L = half ? V / 2 : V;
    vf acc[NARROW_ROWS];
    vh acch[NARROW_ROWS];
    const float *at[NARROW_ROWS];
    UNROLL_FOR (int p = 0; p < P; p++, v += vp) {
        at[p] = v;
        OPAQUE(at[p]);
        if (half)
            acch[p] = at[p][0] * bh[0];
        else
            acc[p] = at[p][0] * b[0];
    }
    const char *prefetch = ahead_take((size_t)L / 2);
    UNROLL_FOR (int i = 1; i < L; i++) {
        if (i % 2)
            __builtin_prefetch(prefetch + (size_t)(i / 2) * ahead.step, 0, 2);
        UNROLL_FOR (int p = 0; p < P; p++) {
            if (half)
                acch[p] += at[p][i] * bh[i];
            else
                acc[p] += at[p][i] * b[i];
        }
    }
    UNROLL_FOR (int p = 0; p < P; p++) {
        if (half)
            vstore_half(m + (size_t)p * mp, acch[p]);
        else
            vstore(m + (size_t)p * mp, acc[p]);
    }
}

// m (n,L) = v (n,L) · u
INLINE void narrow_product(float *m, size_t mp, const float *v, size_t vp, const float *u,
                           size_t n, const bool half)
{
    const int L = half ? V / 2 : V;
    vf b[V];
    vh bh[V / 2];
    UNROLL_FOR (int i = 0; i < L; i++) {
        if (half)
            bh[i] = vload_half(u + i * L);
        else
            b[i] = vload(u + i * L);
    }
    for (; n >= NARROW_ROWS; n -= NARROW_ROWS) {
        narrow_rows(m, mp, v, vp, b, bh, NARROW_ROWS, half);
        m += NARROW_ROWS * mp;
        v += NARROW_ROWS * vp;
    }
    for (; n > 0; n--, m += mp, v += vp)
        narrow_rows(m, mp, v, vp, b, bh, 1, half);
}

// du (L,L) += mᵀ · v, over n rows
INLINE void narrow_sums(float *du, const float *m, size_t mp, const float *v, size_t vp,
                        size_t n, const bool half)
{
    const int L = half ? V / 2 : V;
    vf acc[V];
    vh acch[V / 2];
    UNROLL_FOR (int k = 0; k < L; k++) {
        if (half)
            acch[k] = vload_half(du + k * L);
        else
            acc[k] = vload(du + k * L);
    }
    const char *prefetch = ahead_take(n);
    size_t step = ahead.step;
    for (; n > 0; n--, m += mp, v += vp, prefetch += step) {
        __builtin_prefetch(prefetch, 0, 2);
        if (half) {
            vh b = vload_half(v);
            UNROLL_FOR (int k = 0; k < L; k++)
                acch[k] += m[k] * b;
        } else {
            vf b = vload(v);
            UNROLL_FOR (int k = 0; k < L; k++)
                acc[k] += m[k] * b;
        }
    }
    UNROLL_FOR (int k = 0; k < L; k++) {
        if (half)
            vstore_half(du + k * L, acch[k]);
        else
            vstore(du + k * L, acc[k]);
    }
}

// m (n,go) = v (n,gi) · u, packed
static void group_product(float *m, size_t mp, const float *v, size_t vp, const float *u,
                          size_t n, size_t go, size_t gi)
{
    if (gi == V && go == V)
        narrow_product(m, mp, v, vp, u, n, false);
    else if (HALVES && gi == V / 2 && go == V / 2)
        narrow_product(m, mp, v, vp, u, n, true);
    else
        product(m, mp, v, vp, 1, u, 0, n, go, gi, false, NULL);
}

// du (go,gi) += mᵀ (go,n) · v (n,gi)
static void group_sums(float *du, size_t row, const float *m, size_t mp, const float *v,
                       size_t vp, size_t n, size_t go, size_t gi)
{
    if (gi == V && go == V)
        narrow_sums(du, m, mp, v, vp, n, false);
    else if (HALVES && gi == V / 2 && go == V / 2)
        narrow_sums(du, m, mp, v, vp, n, true);
    else
        product(du, row, m, 1, mp, v, vp, go, gi, n, true, NULL);
}

// ---- the three directions ---------------------------------------------------------------

static void winograd_pass(float *y, const float *x, const float *u, const struct conv *c,
                          bool transposed, const struct epilogue *epilogue, float *scratch)
{
    struct winograd g = winograd_of(c, transposed);
    size_t gi = (size_t)g.p.gi, go = (size_t)g.p.go, groups = (size_t)c->G;
    size_t packed = lanes_of(go, gi) * gi;
    float *zero = scratch, *v = zero + g.C, *m = v + 36 * g.vstep;
    memset(zero, 0, g.C * sizeof *zero);
    for (size_t first = 0; first < g.tiles; first += g.turn) {
        size_t n = g.tiles - first < g.turn ? g.tiles - first : g.turn;
        winograd_input(v, x, &g, first, n, zero);
        for (size_t f = 0; f < 36; f++)
            for (size_t q = 0; q < groups; q++)
                group_product(m + f * g.mstep + q * go, g.K, v + f * g.vstep + q * gi, g.C,
                              u + f * g.ustep + q * packed, n, go, gi);
        winograd_output(y, m, &g, first, n, epilogue);
    }
}

static void winograd_forward(float *y, const float *x, const float *packed,
                             const struct conv *c, const struct epilogue *epilogue,
                             float *scratch)
{
    winograd_pass(y, x, packed, c, false, epilogue, scratch);
}

static void winograd_data(float *dx, const float *dy, const float *packed,
                          const struct conv *c, float *scratch)
{
    winograd_pass(dx, dy, packed, c, true, NULL, scratch);
}

// du[36][K][whole vectors of gi] += dm · v, over the tiles
static void winograd_weight(float *du, const float *dy, const float *x, const struct conv *c,
                            float *scratch)
{
    struct winograd g = winograd_of(c, false);
    size_t gi = (size_t)g.p.gi, go = (size_t)g.p.go, groups = (size_t)c->G;
    size_t row = lanes_of(gi, go), step = (size_t)c->K * row;
    size_t wide = g.C > g.K ? g.C : g.K;
    float *zero = scratch, *v = zero + wide, *m = v + 36 * g.vstep;
    memset(zero, 0, wide * sizeof *zero);
    for (size_t first = 0; first < g.tiles; first += g.turn) {
        size_t n = g.tiles - first < g.turn ? g.tiles - first : g.turn;
        winograd_input(v, x, &g, first, n, zero);
        winograd_gradient(m, dy, &g, first, n, zero);
        for (size_t f = 0; f < 36; f++)
            for (size_t q = 0; q < groups; q++)
                group_sums(du + f * step + q * go * row, row, m + f * g.mstep + q * go, g.K,
                           v + f * g.vstep + q * gi, g.C, n, go, gi);
    }
}

#endif
