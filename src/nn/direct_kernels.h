/* Direct convolution in groups, NHWC: forward, gradient of the data, of the weights.
 *
 * The lanes of a vector are V neighbouring output channels of one pixel.  Where groups are
 * narrow (2·g <= V) a vector holds several whole groups and the inputs that meet one
 * column of weights are a permutation of the V input channels ("in-register broadcast"):
 *
 *      g = 4, V = 8:   out lanes   0 1 2 3 | 4 5 6 7      (two groups)
 *      input channel ci = 1 of     1 1 1 1 | 5 5 5 5      = vperm(x, at[1])
 *
 * Where they are wide a vector lies inside one group and the input is a broadcast from
 * memory.  Weights are packed once a call to [block][r][s][ci][V], zero in dead lanes.
 * A block is such a vector over the whole image; taps outside the image are skipped, never
 * multiplied by zero.  Images are taken in chunks that stay in the second-level cache.
 * Ground: Georganas et al., arXiv 1808.05567 (register tiles of direct convolution);
 * in-register broadcasts for narrow groups: measured here. */
#include <assert.h>

#include "nn/kernels.h"

enum {
    CHUNK = 1 << 16, // floats of input and output that one turn over all blocks may touch
    MAX_R = 31,
};

// One direction of a convolution: `in` (N,H,W,C) to `out` (N,Ho,Wo,K), groups of gi
// inputs and go outputs.  For the data gradient these are dy and dx.
struct pass {
    int N, H, W, C, Ho, Wo, K, R, S, gi, go;
    bool narrow;       // several groups in a vector
    bool transposed;   // gradient of the data
    int per, blocks;   // channels of a block (narrow), number of blocks
    const float *w;    // packed
};

static struct pass pass_of(const struct conv *c, bool transposed)
{
    int Ho = conv_out(c->H, c->S), Wo = conv_out(c->W, c->S);
    struct pass p = { c->N, c->H, c->W, c->C, Ho, Wo, c->K, c->R, c->S, c->C / c->G,
                      c->K / c->G, .transposed = transposed };
    if (transposed) {
        p.H = Ho, p.W = Wo, p.C = c->K, p.Ho = c->H, p.Wo = c->W, p.K = c->C;
        p.gi = c->K / c->G, p.go = c->C / c->G;
    }
    p.narrow = p.gi == p.go && 2 * p.go <= V;
    p.per = p.narrow ? V / p.go * p.go : V;
    p.blocks = (int)direct_blocks(p.K, p.gi, p.go, V);
    return p;
}

// Where block b is: output channels k0 … k0+n-1; its inputs are loaded (narrow) or
// broadcast from channel c0 on; at[ci] says which loaded channel lane l takes.
struct block {
    int k0, n, c0;
    vi at[8]; // narrow groups have at most V/2 channels
};

static void block_at(struct block *k, const struct pass *p, int b)
{
    if (!p->narrow) {
        int in_group = (p->go + V - 1) / V, q = b / in_group, j = b % in_group * V;
        k->k0 = q * p->go + j;
        k->n = p->go - j < V ? p->go - j : V;
        k->c0 = q * p->gi;
        return;
    }
    k->k0 = b * p->per;
    k->n = p->K - k->k0 < p->per ? p->K - k->k0 : p->per;
    // The load of V channels must stay inside the row; see `run` for C < V.
    k->c0 = p->C >= V && k->k0 > p->C - V ? p->C - V : k->k0;
    for (int ci = 0; ci < p->gi; ci++) {
        int at[V];
        for (int l = 0; l < V; l++)
            at[l] = l < k->n ? l / p->gi * p->gi + ci + k->k0 - k->c0 : 0;
        k->at[ci] = vload_i(at);
    }
}

// w (K,R,R,gi) of the convolution to [block][r][s][ci][V]; lanes run over k, or over the
// input channel in the transposed pass.
static void pack_weights(float *out, const float *w, const struct pass *p)
{
    size_t gi = (size_t)p->gi, go = (size_t)p->go, RR = (size_t)p->R * (size_t)p->R;
    for (int b = 0; b < p->blocks; b++) {
        struct block k;
        block_at(&k, p, b);
        for (size_t t = 0; t < RR; t++) {
            for (size_t ci = 0; ci < gi; ci++, out += V) {
                for (size_t l = 0; l < V; l++) {
                    size_t ch = (size_t)k.k0 + l;
                    if (l >= (size_t)k.n)
                        out[l] = 0;
                    else if (!p->transposed)
                        out[l] = w[(ch * RR + t) * gi + ci];
                    else
                        out[l] = w[((ch / go * gi + ci) * RR + t) * go + ch % go];
                }
            }
        }
    }
}

// The taps of one output coordinate: input coordinate in[i] meets weight at[i].
struct taps {
    int n, in[MAX_R], at[MAX_R];
};

static struct taps taps_of(int o, int size, const struct pass *p)
{
    struct taps t = { 0 };
    int pad = (p->R - 1) / 2;
    for (int r = 0; r < p->R; r++) {
        int i = p->transposed ? o + pad - r : o * p->S + r - pad;
        if (p->transposed && i % p->S != 0)
            continue;
        i = p->transposed ? i / p->S : i;
        if (i >= 0 && i < size)
            t.in[t.n] = i, t.at[t.n++] = r;
    }
    return t;
}

INLINE vf input(const float *x, const struct block *k, int ci, bool narrow)
{
    return narrow ? vperm(vload(x), k->at[ci]) : vset(x[ci]);
}

INLINE void output(float *y, vf a, int n)
{
    if (n == V)
        vstore(y, a);
    else
        vstore_n(y, a, n);
}

// Any kernel size, any stride: one pixel of T images at a time.
INLINE void pixel(float *y, const float *x, const float *w, const struct pass *p,
                  const struct block *k, const struct taps *rows, const struct taps *cols,
                  bool narrow, const int T)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    int gi = p->gi;
    vf acc[16];
    UNROLL for (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (int i = 0; i < rows->n; i++) {
        for (int j = 0; j < cols->n; j++) {
            const float *wt = w + (size_t)(rows->at[i] * p->R + cols->at[j]) * (size_t)gi * V;
            const float *xt = x + ((size_t)rows->in[i] * (size_t)p->W + (size_t)cols->in[j]) *
                                      (size_t)p->C;
            for (int ci = 0; ci < gi; ci++) {
                vf wv = vload(wt + ci * V);
                UNROLL for (int t = 0; t < T; t++)
                    acc[t] += input(xt + (size_t)t * ximage, k, ci, narrow) * wv;
            }
        }
    }
    UNROLL for (int t = 0; t < T; t++)
        output(y + (size_t)t * yimage, acc[t], k->n);
}

INLINE void images(float *y, const float *x, const struct pass *p, const struct block *k,
                   const float *w, int n, bool narrow)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    x += k->c0;
    y += k->k0;
    for (int oy = 0; oy < p->Ho; oy++) {
        struct taps rows = taps_of(oy, p->H, p);
        for (int ox = 0; ox < p->Wo; ox++) {
            struct taps cols = taps_of(ox, p->W, p);
            float *yt = y + ((size_t)oy * (size_t)p->Wo + (size_t)ox) * (size_t)p->K;
            int i = 0;
            for (; i + 8 <= n; i += 8)
                pixel(yt + (size_t)i * yimage, x + (size_t)i * ximage, w, p, k, &rows, &cols,
                      narrow, 8);
            for (; i < n; i++)
                pixel(yt + (size_t)i * yimage, x + (size_t)i * ximage, w, p, k, &rows, &cols,
                      narrow, 1);
        }
    }
}

// All blocks over n images, a chunk of images at a time.
static void run(float *y, const float *x, const struct pass *p, int n)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    int step = (int)(CHUNK / (ximage + yimage)) / 8 * 8;
    if (step < 8)
        step = 8;
    for (int i = 0; i < n; i += step) {
        int m = n - i < step ? n - i : step;
        for (int b = 0; b < p->blocks; b++) {
            struct block k;
            block_at(&k, p, b);
            const float *w = p->w + (size_t)b * (size_t)(p->R * p->R * p->gi) * V;
            if (p->narrow)
                images(y + (size_t)i * yimage, x + (size_t)i * ximage, p, &k, w, m, true);
            else
                images(y + (size_t)i * yimage, x + (size_t)i * ximage, p, &k, w, m, false);
        }
    }
}

// Rows shorter than a vector: a load runs into the next pixel, which is harmless except
// behind the last one, so the last image is worked on in a copy with room behind it.
static const float *tail_copy(float **scratch, const float *x, size_t image, int N)
{
    float *copy = *scratch;
    memcpy(copy, x + (size_t)(N - 1) * image, image * sizeof *copy);
    memset(copy + image, 0, V * sizeof *copy);
    *scratch += (image + V + 15) / 16 * 16;
    return copy;
}

static void run_all(float *y, const float *x, const float *w, const struct conv *c,
                    bool transposed, float *scratch)
{
    struct pass p = pass_of(c, transposed);
    size_t ximage = (size_t)p.H * (size_t)p.W * (size_t)p.C;
    size_t yimage = (size_t)p.Ho * (size_t)p.Wo * (size_t)p.K;
    pack_weights(scratch, w, &p);
    p.w = scratch;
    scratch += (size_t)p.blocks * (size_t)(p.R * p.R * p.gi) * V;
    if (p.narrow && p.C < V) {
        run(y, x, &p, p.N - 1);
        x = tail_copy(&scratch, x, ximage, p.N);
        run(y + (size_t)(p.N - 1) * yimage, x, &p, 1);
    } else {
        run(y, x, &p, p.N);
    }
}

static void direct_forward(float *y, const float *x, const float *w, const struct conv *c,
                           float *scratch)
{
    run_all(y, x, w, c, false, scratch);
}

static void direct_data(float *dx, const float *dy, const float *w, const struct conv *c,
                        float *scratch)
{
    run_all(dx, dy, w, c, true, scratch);
}

// ---- gradient of the weights: sums over pixels of dy[lane k]·x[ci] --------------------

// The block as seen from dy: a full vector of dy is loaded from channel kd; its lanes
// l0 … l0+n-1 are the block's.
struct wblock {
    struct block k;
    int kd, l0;
};

static void wblock_at(struct wblock *wb, const struct pass *p, int b)
{
    block_at(&wb->k, p, b);
    wb->kd = p->K >= V && wb->k.k0 > p->K - V ? p->K - V : wb->k.k0;
    wb->l0 = wb->k.k0 - wb->kd;
    if (p->narrow) { // lanes of x move along
        for (int ci = 0; ci < p->gi; ci++) {
            int at[V];
            for (int l = 0; l < V; l++) {
                int m = l - wb->l0;
                at[l] = m >= 0 && m < wb->k.n
                            ? m / p->gi * p->gi + ci + wb->k.k0 - wb->k.c0 : 0;
            }
            wb->k.at[ci] = vload_i(at);
        }
    }
}

// One tap (r, s) and T input channels from ci on, over n images.
INLINE void tap_weights(float *dw, const float *dy, const float *x, const struct pass *p,
                        const struct wblock *wb, int n, int r, int s, int ci, bool narrow,
                        const int T)
{
    int pad = (p->R - 1) / 2;
    vf acc[16];
    UNROLL for (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (int i = 0; i < n; i++) {
        for (int oy = 0; oy < p->Ho; oy++) {
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
                UNROLL for (int t = 0; t < T; t++)
                    acc[t] += input(xt, &wb->k, ci + t, narrow) * d;
            }
        }
    }
    UNROLL for (int t = 0; t < T; t++)
        vstore(dw + t * V, vload(dw + t * V) + acc[t]);
}

INLINE void block_weights(float *dw, const float *dy, const float *x, const struct pass *p,
                          const struct wblock *wb, int n, bool narrow)
{
    dy += wb->kd;
    x += wb->k.c0;
    for (int r = 0; r < p->R; r++) {
        for (int s = 0; s < p->R; s++, dw += (size_t)p->gi * V) {
            int ci = 0;
            for (; ci + 8 <= p->gi; ci += 8)
                tap_weights(dw + ci * V, dy, x, p, wb, n, r, s, ci, narrow, 8);
            for (; ci + 2 <= p->gi; ci += 2)
                tap_weights(dw + ci * V, dy, x, p, wb, n, r, s, ci, narrow, 2);
            for (; ci < p->gi; ci++)
                tap_weights(dw + ci * V, dy, x, p, wb, n, r, s, ci, narrow, 1);
        }
    }
}

static void run_weights(float *sum, const float *dy, const float *x, const struct pass *p,
                        int n)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    int step = (int)(CHUNK / (ximage + yimage));
    if (step < 1)
        step = 1;
    for (int i = 0; i < n; i += step) {
        int m = n - i < step ? n - i : step;
        for (int b = 0; b < p->blocks; b++) {
            struct wblock wb;
            wblock_at(&wb, p, b);
            float *s = sum + (size_t)b * (size_t)(p->R * p->R * p->gi) * V;
            const float *d = dy + (size_t)i * yimage, *xi = x + (size_t)i * ximage;
            if (p->narrow)
                block_weights(s, d, xi, p, &wb, m, true);
            else
                block_weights(s, d, xi, p, &wb, m, false);
        }
    }
}

static void direct_weight(float *dw, const float *dy, const float *x, const struct conv *c,
                          float *scratch)
{
    struct pass p = pass_of(c, false);
    size_t gi = (size_t)p.gi, RR = (size_t)p.R * (size_t)p.R;
    size_t n = (size_t)p.blocks * RR * gi * V;
    size_t ximage = (size_t)p.H * (size_t)p.W * (size_t)p.C;
    size_t yimage = (size_t)p.Ho * (size_t)p.Wo * (size_t)p.K;
    float *sum = scratch;
    scratch += n;
    memset(sum, 0, n * sizeof *sum);
    if (p.K < V || (p.narrow && p.C < V)) {
        run_weights(sum, dy, x, &p, p.N - 1);
        x = tail_copy(&scratch, x, ximage, p.N);
        dy = tail_copy(&scratch, dy, yimage, p.N);
        run_weights(sum, dy, x, &p, 1);
    } else {
        run_weights(sum, dy, x, &p, p.N);
    }
    for (int b = 0; b < p.blocks; b++) {
        struct wblock wb;
        wblock_at(&wb, &p, b);
        const float *s = sum + (size_t)b * RR * gi * V + wb.l0;
        for (int l = 0; l < wb.k.n; l++)
            for (size_t t = 0; t < RR * gi; t++)
                dw[((size_t)(wb.k.k0 + l)) * RR * gi + t] += s[t * V + (size_t)l];
    }
}
