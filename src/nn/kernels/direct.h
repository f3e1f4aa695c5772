/* Direct convolution in groups, NHWC: forward, gradient of the data, of the weights.
 *
 * The lanes of a vector are V neighbouring output channels of one pixel.  Where groups are
 * narrow (2·g <= V) a vector holds several whole groups and the inputs that meet one
 * column of weights are a permutation of the V input channels ("in-register broadcast"):
 *
 *      g = 4, V = 8:   out lanes   0 1 2 3 | 4 5 6 7      (two groups)
 *      input channel ci = 1 of     1 1 1 1 | 5 5 5 5      = vperm(x, at[1])
 *
 * (AVX2 permutes each half of a vector alone: there only groups of 1, 2 and 4 are narrow.)
 * Where they are wide a vector lies inside one group and the input is a broadcast from
 * memory.  Weights are packed once a call to [block][r][s][ci][V], zero in dead lanes.
 * A block is such a vector over the whole image; taps outside the image are skipped, never
 * multiplied by zero.  Images are taken in chunks that stay in the second-level cache.
 * Measured where sgemm makes 105 GF/s (Zen 4), fused norms included: 3×3 of stride 2
 * 42 to 58 GF/s forward, 40 to 52 backward in groups of 8 (shapes of make profile
 * NET="X 60 MF" and "X-200MF", s2 to s4, b1.f.b), 77 to 80 and 68 in groups of 16
 * (NET="X wide"); on data in cache 62 to 80 and 97 to 108 either way.
 * On AVX2 (Zen 3, sgemm 105), in cache: stride 2 forward 58 to 80, gradients 43 to 86 GF/s.
 * Ground: Georganas et al., arXiv 1808.05567 (register tiles of direct convolution);
 * in-register broadcasts for narrow groups: measured here. */
#ifndef KERNELS_DIRECT_H
#define KERNELS_DIRECT_H
#include "nn/kernels/epilogue.h"
#include "nn/kernels/lanes.h"
#include "nn/kernels/pass.h"
#include "nn/kernels/vec.h"

enum {
    CHUNK = 1 << 16, // floats of input and output that one turn over all blocks may touch
    MAX_R = 31,
};

// w (K,R,R,gi) of the convolution to [block][r][s][ci][V]; lanes run over k, or over the
// input channel in the transposed pass, whose kernel is turned round at stride 1.
static void pack_weights(float *out, const float *w, const struct pass *p)
{
    size_t gi = (size_t)p->gi, go = (size_t)p->go, RR = (size_t)p->R * (size_t)p->R;
    bool turn = p->S == 1;
    for (int b = 0; b < p->blocks; b++) {
        struct block k;
        block_at(&k, p, b);
        for (size_t t = 0; t < RR; t++) {
            for (size_t ci = 0; ci < gi; ci++, out += V) {
                for (size_t l = 0; l < V; l++) {
                    size_t ch = (size_t)k.k0 + l, tap = turn ? RR - 1 - t : t;
                    if (l >= (size_t)k.n)
                        out[l] = 0;
                    else if (!p->transposed)
                        out[l] = w[(ch * RR + t) * gi + ci];
                    else
                        out[l] = w[((ch / go * gi + ci) * RR + tap) * go + ch % go];
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
    struct taps t;
    int pad = (p->R - 1) / 2;
    t.n = 0;
    for (int r = 0; r < p->R; r++) {
        int i = o * p->S + r - pad;
        if (p->transposed && p->S > 1) {
            i = o + pad - r;
            if (i % p->S != 0)
                continue;
            i /= p->S;
        }
        if (i >= 0 && i < size)
            t.in[t.n] = i, t.at[t.n++] = r;
    }
    return t;
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
    UNROLL_FOR (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (int i = 0; i < rows->n; i++) {
        for (int j = 0; j < cols->n; j++) {
            const float *wt = w + (size_t)(rows->at[i] * p->R + cols->at[j]) * (size_t)gi * V;
            const float *xt =
                x + ((size_t)rows->in[i] * (size_t)p->W + (size_t)cols->in[j]) * (size_t)p->C;
            for (int ci = 0; ci < gi; ci++) {
                vf wv = vload(wt + ci * V);
                UNROLL_FOR (int t = 0; t < T; t++)
                    acc[t] += input(xt + (size_t)t * ximage, k, ci, narrow) * wv;
            }
        }
    }
    epilogue_sums(acc, T, 1, p->epilogue, (size_t)k->k0);
    UNROLL_FOR (int t = 0; t < T; t++)
        put(y + (size_t)t * yimage, acc[t], k->n);
}

static void pixel_images(float *y, const float *x, const float *w, const struct pass *p,
                         const struct block *k, const struct taps *rows, int ox, int n,
                         bool narrow)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    struct taps cols = taps_of(ox, p->W, p);
    y += (size_t)ox * (size_t)p->K;
    int i = 0;
    for (; i + 8 <= n && narrow; i += 8)
        pixel(y + i * yimage, x + i * ximage, w, p, k, rows, &cols, true, 8);
    for (; i + 8 <= n; i += 8)
        pixel(y + i * yimage, x + i * ximage, w, p, k, rows, &cols, false, 8);
    for (; i < n && narrow; i++)
        pixel(y + i * yimage, x + i * ximage, w, p, k, rows, &cols, true, 1);
    for (; i < n; i++)
        pixel(y + i * yimage, x + i * ximage, w, p, k, rows, &cols, false, 1);
}

// Inputs of n neighbouring columns from x on, in I images `image` floats apart.  Of sixteen
// registers each is found from a base, every fifth column, two steps to either side of it.
enum { SPAN = 5 };
struct columns {
    const float *x, *at[4][3];
    ptrdiff_t C, back; // to the next column, to the one before
    size_t image;
};

INLINE int base_of(int j, const int n)
{
    int base = j / SPAN * SPAN + 2;
    return base < n ? base : n - 1;
}

INLINE struct columns columns_of(const float *x, ptrdiff_t C, size_t image, const int n,
                                 const int I)
{
    struct columns m = {.x = x, .C = C, .back = -C, .image = image};
    UNROLL_FOR (int i = 0; i < I; i++) {
        UNROLL_FOR (int j = 0; j < n; j += SPAN)
            m.at[i][j / SPAN] = x + (size_t)i * image + base_of(j, n) * C;
    }
    PIN(m.C);
    PIN(m.back);
    return m;
}

// Before input channel ci: the bases are those of it.
INLINE void columns_next(struct columns *m, int ci, bool narrow, const int n, const int I)
{
    UNROLL_FOR (int i = 0; i < I && V == 8; i++) {
        UNROLL_FOR (int j = 0; j < n; j += SPAN) {
            m->at[i][j / SPAN] += ci > 0 && !narrow;
            OPAQUE(m->at[i][j / SPAN]);
        }
    }
}

// Channel ci of column j < n of image i, and of the column at an offset made by beside().
INLINE vf column_in(const struct columns *m, const struct block *k, int ci, bool narrow,
                    int i, int j, const int n)
{
    if (V != 8)
        return input(m->x + (size_t)i * m->image + j * m->C, k, ci, narrow);
    int from = j - base_of(j, n);
    const float *at = m->at[i][j / SPAN] + (from < 0 ? -from * m->back : from * m->C);
    return narrow ? vperm(vload(at), k->at[ci]) : vset(*at);
}

INLINE vf column_beside(const struct columns *m, const struct block *k, int ci, bool narrow,
                        int i, ptrdiff_t offset, int j)
{
    if (V != 8)
        return input(m->x + (size_t)i * m->image + offset, k, ci, narrow);
    const float *at = m->at[i][j / SPAN] + offset;
    return narrow ? vperm(vload(at), k->at[ci]) : vset(*at);
}

// An offset from the first column, as column_beside takes it for a base near column j.
INLINE ptrdiff_t beside(ptrdiff_t offset, ptrdiff_t C, int j, const int n)
{
    offset -= V == 8 ? base_of(j, n) * C : 0;
    PIN(offset);
    return offset;
}

// Kernel 3×3: T neighbouring output columns of one row, in I images, from column ox on; each
// input vector is fetched once a row of the kernel and meets its (up to) three taps.
//
//      in   ox-1  ox  ox+1 … ox+T        S = 1; the outer two fall away at a border
//            └─┬───┼───┘
//      out    ox  …                      acc[t] += in[t + s - 1]·w[s]
//
// whole: the tile is a whole row (S = 1), which has no outer columns.
INLINE void tile(float *y, const float *x, const float *w, const struct pass *p,
                 const struct block *k, const struct taps *rows, int ox, bool narrow,
                 bool whole, const int T, const int I, const int S)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    ptrdiff_t C = p->C, gi = p->gi;
    const int last = T * S - S + 1; // last input column, relative to ox·S
    // At a border the outer column is replaced by its neighbour, and its weight by 0.
    bool before = ox > 0, after = ox * S + last < p->W;
    ptrdiff_t left = beside(before ? -C : 0, C, 0, last);
    ptrdiff_t right = beside((after ? last : last - 1) * C, C, last - 1, last);
    vi keep0 = (vi){0} - (int)before, keep2 = (vi){0} - (int)after;
    vf acc[ACCS];
    UNROLL_FOR (int t = 0; t < T * I; t++)
        acc[t] = vset(0);
    for (int i = 0; i < rows->n; i++) {
        const float *wt = w + rows->at[i] * 3 * gi * V;
        const float *xt = x + ((ptrdiff_t)rows->in[i] * p->W + ox * S) * C;
        ahead_fetch(V == 8 ? 8 : T * I * S);
        struct columns m = columns_of(xt, C, ximage, last, I);
        for (int ci = 0; ci < gi; ci++, wt += V) {
            columns_next(&m, ci, narrow, last, I);
            vf w3[3] = {vload(wt), vload(wt + gi * V), vload(wt + 2 * gi * V)};
            vf outer0 = (vf)((vi)w3[0] & keep0), outer2 = (vf)((vi)w3[2] & keep2);
            UNROLL_FOR (int n = 0; n < I; n++) {
                if (!whole)
                    acc[n * T] += column_beside(&m, k, ci, narrow, n, left, 0) * outer0;
                UNROLL_FOR (int j = 0; j < last; j++) {
                    vf v = column_in(&m, k, ci, narrow, n, j, last);
                    UNROLL_FOR (int s = 0; s < 3; s++) {
                        int t = j + 1 - s;
                        if (t >= 0 && t % S == 0 && t / S < T)
                            acc[n * T + t / S] += v * w3[s];
                    }
                }
            }
            UNROLL_FOR (int n = 0; n < I && !whole; n++)
                acc[n * T + T - 1] +=
                    column_beside(&m, k, ci, narrow, n, right, last - 1) * outer2;
        }
    }
    epilogue_sums(acc, T * I, 1, p->epilogue, (size_t)k->k0);
    UNROLL_FOR (int n = 0; n < I; n++) {
        UNROLL_FOR (int t = 0; t < T; t++)
            put(y + (size_t)n * yimage + (ox + t) * (ptrdiff_t)p->K, acc[n * T + t], k->n);
    }
}

// Gradient of the data at stride 2: T/2 input columns (of dy) from ox/2 on give T output
// columns from ox on (even).
//
//      in       j        j+1
//            1 / \2    0/        taps: even outputs see the middle one,
//      out   2j  2j+1             odd outputs the outer two
INLINE void spread(float *y, const float *x, const float *w, const struct pass *p,
                   const struct block *k, const struct taps *rows, int ox, bool narrow,
                   const int T, const int I)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    ptrdiff_t C = p->C, gi = p->gi;
    bool after = ox / 2 + T / 2 < p->W; // else as in tile()
    ptrdiff_t right = beside((after ? T / 2 : T / 2 - 1) * C, C, T / 2 - 1, T / 2);
    vi keep0 = (vi){0} - (int)after;
    const bool apart =
        V == 8; // two sums of an odd output: few sums would wait for each other
    vf acc[ACCS], odd[ACCS / 2];
    UNROLL_FOR (int t = 0; t < T * I; t++)
        acc[t] = odd[t / 2] = vset(0);
    for (int i = 0; i < rows->n; i++) {
        const float *wt = w + rows->at[i] * 3 * gi * V;
        const float *xt = x + ((ptrdiff_t)rows->in[i] * p->W + ox / 2) * C;
        ahead_fetch(V == 8 ? 8 : 2 * T * I);
        struct columns m = columns_of(xt, C, ximage, T / 2, I);
        for (int ci = 0; ci < gi; ci++, wt += V) {
            columns_next(&m, ci, narrow, T / 2, I);
            vf w0 = vload(wt), w1 = vload(wt + gi * V), w2 = vload(wt + 2 * gi * V);
            UNROLL_FOR (int n = 0; n < I; n++) {
                UNROLL_FOR (int j = 0; j < T / 2; j++) {
                    vf v = column_in(&m, k, ci, narrow, n, j, T / 2);
                    if (j > 0)
                        *(apart ? &odd[n * T / 2 + j - 1] : &acc[n * T + 2 * j - 1]) +=
                            v * w0;
                    acc[n * T + 2 * j] += v * w1;
                    acc[n * T + 2 * j + 1] += v * w2;
                }
            }
            vf outer0 = (vf)((vi)w0 & keep0);
            UNROLL_FOR (int n = 0; n < I; n++) {
                vf v = column_beside(&m, k, ci, narrow, n, right, T / 2 - 1);
                *(apart ? &odd[n * T / 2 + T / 2 - 1] : &acc[n * T + T - 1]) += v * outer0;
            }
        }
    }
    UNROLL_FOR (int t = 1; t < T * I && apart; t += 2)
        acc[t] += odd[t / 2];
    UNROLL_FOR (int n = 0; n < I; n++) {
        UNROLL_FOR (int t = 0; t < T; t++)
            put(y + (size_t)n * yimage + (ox + t) * (ptrdiff_t)p->K, acc[n * T + t], k->n);
    }
}

// One output row of I images in tiles of T columns, the last one moved back over its
// neighbour where the width does not divide.
INLINE void row(float *y, const float *x, const struct pass *p, const struct block *k,
                const float *w, const struct taps *rows, bool narrow, enum way way,
                const int T, const int I)
{
    int width = way == SPREAD ? p->Wo / 2 * 2 : p->Wo, ox = 0;
    while (ox < width) {
        ox = width - ox < T ? width - T : ox;
        if (way == SPREAD)
            spread(y, x, w, p, k, rows, ox, narrow, T, I);
        else if (way == STRIDE1 && width == T)
            tile(y, x, w, p, k, rows, ox, narrow, true, T, I, 1);
        else
            tile(y, x, w, p, k, rows, ox, narrow, false, T, I, way == STRIDE1 ? 1 : 2);
        ox += T;
    }
    if (ox < p->Wo)
        pixel_images(y, x, w, p, k, rows, ox, I, narrow);
}

INLINE void row_any(float *y, const float *x, const struct pass *p, const struct block *k,
                    const float *w, const struct taps *rows, bool narrow, enum way way,
                    bool single)
{
    if (p->tile == ACCS)
        row(y, x, p, k, w, rows, narrow, way, ACCS, 1);
    else if (p->tile == ACCS / 2 && single)
        row(y, x, p, k, w, rows, narrow, way, ACCS / 2, 1);
    else if (p->tile == ACCS / 2)
        row(y, x, p, k, w, rows, narrow, way, ACCS / 2, 2);
    else if (single)
        row(y, x, p, k, w, rows, narrow, way, ACCS / 4, 1);
    else
        row(y, x, p, k, w, rows, narrow, way, ACCS / 4, 4);
}

// One block over output rows y0 … y1-1 of n images.
static void block_rows(float *y, const float *x, const struct pass *p, const struct block *k,
                       const float *w, int n, int y0, int y1)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    // The images of a tile; the last ones are moved back like the last columns.
    int step = p->way == ANY ? 8 : ACCS / p->tile;
    bool single = n < step;
    if (single && p->way != ANY)
        step = 1;
    x += k->c0;
    y += k->k0;
    for (int i = 0; i < n; i += step) {
        int m = n - i < step ? n - i : step;
        if (m < step && p->way != ANY)
            i = n - step;
        const float *xi = x + (size_t)i * ximage;
        for (int oy = y0; oy < y1; oy++) {
            struct taps rows = taps_of(oy, p->H, p);
            float *yi = y + (size_t)i * yimage + (size_t)oy * (size_t)p->Wo * (size_t)p->K;
            if (p->way == ANY)
                for (int ox = 0; ox < p->Wo; ox++)
                    pixel_images(yi, xi, w, p, k, &rows, ox, m, p->narrow);
            else if (p->way == STRIDE1 && p->narrow)
                row_any(yi, xi, p, k, w, &rows, true, STRIDE1, single);
            else if (p->way == STRIDE1)
                row_any(yi, xi, p, k, w, &rows, false, STRIDE1, single);
            else if (p->way == STRIDE2 && p->narrow)
                row_any(yi, xi, p, k, w, &rows, true, STRIDE2, single);
            else if (p->way == STRIDE2)
                row_any(yi, xi, p, k, w, &rows, false, STRIDE2, single);
            else if (p->narrow)
                row_any(yi, xi, p, k, w, &rows, true, SPREAD, single);
            else
                row_any(yi, xi, p, k, w, &rows, false, SPREAD, single);
        }
    }
}

// All blocks over n images: some images, or some rows of one, at a time.
static void run(float *y, const float *x, const struct pass *p, int n)
{
    size_t ximage = (size_t)p->H * (size_t)p->W * (size_t)p->C;
    size_t yimage = (size_t)p->Ho * (size_t)p->Wo * (size_t)p->K;
    size_t both = ximage + yimage;
    int step = both * 8 < CHUNK ? (int)(CHUNK / both) / 8 * 8 : both < CHUNK ? 4 : 1;
    int rows = both < CHUNK ? p->Ho : (int)(CHUNK * (size_t)p->Ho / both) + 1;
    for (int i = 0; i < n; i += step) {
        int m = n - i < step ? n - i : step;
        for (int y0 = 0; y0 < p->Ho; y0 += rows) {
            int y1 = p->Ho - y0 < rows ? p->Ho : y0 + rows;
            for (int b = 0; b < p->blocks; b++) {
                struct block k;
                block_at(&k, p, b);
                block_rows(y + (size_t)i * yimage, x + (size_t)i * ximage, p, &k,
                           p->w + (size_t)b * (size_t)(p->R * p->R * p->gi) * V, m, y0, y1);
            }
        }
    }
}

static void direct_pack(float *packed, const float *w, const struct conv *c, bool data)
{
    struct pass p = pass_of(c, data);
    pack_weights(packed, w, &p);
}

static void direct_forward(float *y, const float *x, const float *packed,
                           const struct conv *c, const struct epilogue *epilogue,
                           float *scratch)
{
    (void)scratch;
    struct pass p = pass_of(c, false);
    p.w = packed;
    p.epilogue = epilogue;
    run(y, x, &p, p.N);
}

static void direct_data(float *dx, const float *dy, const float *packed, const struct conv *c,
                        float *scratch)
{
    (void)scratch;
    struct pass p = pass_of(c, true);
    p.w = packed;
    run(dx, dy, &p, p.N);
}

#endif
