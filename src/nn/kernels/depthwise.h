/* Depthwise convolution, 3×3 and 5×5 at stride 1 and 2: forward, gradient of the data, of
 * the weights.  The lanes of a vector are V neighbouring channels; nothing is broadcast.
 *
 * T output columns of a row are made at once in registers; each input vector is loaded once
 * a kernel row and meets every output it feeds (R = 3, stride 1, T = 4):
 *
 *      in     -1  0  1  2  3  4          columns outside the image are not touched
 *              \ /|\ ...      |
 *      out        0  1  2  3
 *
 * The last block of lanes is moved back over its neighbour where V does not divide C (at
 * least V): what both have they make alike.  Weights are packed to [block][r][s][V].
 * Ground: register tiles as in kernels/direct.h; memory order of NHWC makes one row of one
 * block of channels R·W cache lines, which stay in cache for the R rows that use them. */
#ifndef KERNELS_DEPTHWISE_H
#define KERNELS_DEPTHWISE_H
#include "nn/kernels/epilogue.h"
#include "nn/kernels/vec.h"

enum { DEPTH_CHUNK = 1 << 16, DEPTH_TILE = 8 }; // floats of rows of all channels; columns

struct depth {
    int H, W, Ho, Wo, R, S; // of the pass: in (H,W) to out (Ho,Wo)
    int tile, blocks;
    ptrdiff_t C;
    const struct epilogue *epilogue; // or NULL
};

static struct depth depth_of(const struct conv *c, bool data)
{
    struct depth p = {
        c->H, c->W,      conv_out(c->H, c->S),        conv_out(c->W, c->S), c->R,
        c->S, .C = c->C, .blocks = (c->C + V - 1) / V};
    if (data) {
        p.H = p.Ho, p.W = p.Wo, p.Ho = c->H, p.Wo = c->W;
    }
    static const int tiles[] = {8, 7, 4, 2, 1};
    int least = 1 << 30;
    for (int i = 0; i < 5; i++) { // loads, products and what a tile costs besides
        int T = tiles[i], cost = (p.Wo + T - 1) / T * (T * (p.R + p.S) + 2 * p.R + 4);
        if (T <= p.Wo && cost < least)
            p.tile = T, least = cost;
    }
    return p;
}

static ptrdiff_t depth_lane(int block, ptrdiff_t C)
{
    return (ptrdiff_t)block * V <= C - V ? (ptrdiff_t)block * V : C - V;
}

static void depth_pack(float *packed, const float *w, const struct conv *c, bool data)
{
    ptrdiff_t RR = (ptrdiff_t)c->R * c->R;
    for (int b = 0; b < (c->C + V - 1) / V; b++, packed += RR * V)
        for (ptrdiff_t t = 0; t < RR; t++) {
            ptrdiff_t tap = data && c->S == 1 ? RR - 1 - t : t;
            for (ptrdiff_t l = 0; l < V; l++)
                packed[t * V + l] = w[(depth_lane(b, c->C) + l) * RR + tap];
        }
}

// The kernel rows at[i] that meet input rows in[i] in output row o.
struct depth_rows {
    int n, in[5], at[5];
};

static struct depth_rows depth_rows_of(const struct depth *p, int o, bool spread)
{
    struct depth_rows t = {0};
    int pad = (p->R - 1) / 2;
    for (int r = 0; r < p->R; r++) {
        int i = spread ? o + pad - r : o * p->S + r - pad;
        if (spread && i % 2 != 0)
            continue;
        i = spread ? i / 2 : i;
        if (i >= 0 && i < p->H)
            t.in[t.n] = i, t.at[t.n++] = r;
    }
    return t;
}

// Bit j: column from + j is in the image, of J columns.
static unsigned depth_valid(int from, int J, int W)
{
    int lo = from < 0 ? -from : 0, hi = W - from < J ? W - from : J;
    return hi <= lo ? 0 : ((1u << hi) - 1) & ~((1u << lo) - 1);
}

// T outputs; x is the block's first lane of the image, `from` the column that j = 0 reads.
INLINE void depth_tile(float *y, const float *x, const float *w, const struct depth *p,
                       ptrdiff_t lane, const struct depth_rows *rows, int from,
                       unsigned valid, bool inner, const int T, const int R, const int S)
{
    ptrdiff_t C = p->C;
    vf acc[DEPTH_TILE];
    UNROLL_FOR (int t = 0; t < T; t++)
        acc[t] = vset(0);
    // What the next output row will read first, a line a column; and of the next tile.
    const float *below = x + ((ptrdiff_t)(rows->in[rows->n - 1] + 1) * p->W + from) * C;
    const char *later = ahead_take(T * S);
    UNROLL_FOR (int j = 0; j < T * S; j++) {
        __builtin_prefetch(below + j * C);
        __builtin_prefetch(later + (size_t)j * ahead.step, 0, 2);
    }
    for (int i = 0; i < rows->n; i++) {
        const float *wr = w + rows->at[i] * R * V;
        ptrdiff_t at = ((ptrdiff_t)rows->in[i] * p->W + from) * C;
        vf ws[5];
        UNROLL_FOR (int s = 0; s < R; s++)
            ws[s] = vload(wr + s * V);
        UNROLL_FOR (int j = 0; j < (T - 1) * S + R; j++) {
            if (!inner && !(valid >> j & 1))
                continue;
            vf v = vload(x + at + j * C);
            UNROLL_FOR (int s = 0; s < R; s++)
                if (j >= s && (j - s) % S == 0 && (j - s) / S < T)
                    acc[(j - s) / S] += v * ws[s];
        }
    }
    epilogue_sums(acc, T, 1, p->epilogue, (size_t)lane);
    UNROLL_FOR (int t = 0; t < T; t++)
        vstore(y + t * C, acc[t]);
}

INLINE void depth_row(float *y, const float *x, const float *w, const struct depth *p,
                      ptrdiff_t lane, const struct depth_rows *rows, const int T, const int R,
                      const int S)
{
    const int J = (T - 1) * S + R;
    for (int ox = 0; ox < p->Wo; ox += T) {
        ox = p->Wo - ox < T ? p->Wo - T : ox;
        int from = ox * S - (R - 1) / 2;
        bool inner = from >= 0 && from + J <= p->W;
        if (inner)
            depth_tile(y + ox * p->C, x, w, p, lane, rows, from, 0, true, T, R, S);
        else
            depth_tile(y + ox * p->C, x, w, p, lane, rows, from, depth_valid(from, J, p->W),
                       false, T, R, S);
    }
}

/* The gradient of the data at stride 2: outputs (columns of dx) from an even one on, of
 * which the input column q + (first output)/2 meets those at 2q - pad + s. */
INLINE void depth_spread(float *y, const float *x, const float *w, const struct depth *p,
                         const struct depth_rows *rows, int ox, const int T, const int R)
{
    const int pad = (R - 1) / 2, low = -(pad / 2), J = (T - 1 + pad) / 2 - low + 1;
    ptrdiff_t C = p->C;
    int from = ox / 2 + low;
    unsigned valid = depth_valid(from, J, p->W);
    vf acc[DEPTH_TILE];
    UNROLL_FOR (int t = 0; t < T; t++)
        acc[t] = vset(0);
    for (int i = 0; i < rows->n; i++) {
        const float *wr = w + rows->at[i] * R * V;
        ptrdiff_t at = ((ptrdiff_t)rows->in[i] * p->W + from) * C;
        UNROLL_FOR (int j = 0; j < J; j++) {
            if (!(valid >> j & 1))
                continue;
            vf v = vload(x + at + j * C);
            UNROLL_FOR (int s = 0; s < R; s++) {
                int t = 2 * (j + low) - pad + s;
                if (t >= 0 && t < T)
                    acc[t] += v * vload(wr + s * V);
            }
        }
    }
    UNROLL_FOR (int t = 0; t < T; t++)
        if (ox + t < p->Wo)
            vstore(y + (ox + t) * C, acc[t]);
}

INLINE void depth_row_tiles(float *y, const float *x, const float *w, const struct depth *p,
                            ptrdiff_t lane, const struct depth_rows *rows, const int R,
                            const int S)
{
    switch (p->tile) {
    case 8:
        depth_row(y, x, w, p, lane, rows, 8, R, S);
        break;
    case 7:
        depth_row(y, x, w, p, lane, rows, 7, R, S);
        break;
    case 4:
        depth_row(y, x, w, p, lane, rows, 4, R, S);
        break;
    case 2:
        depth_row(y, x, w, p, lane, rows, 2, R, S);
        break;
    default:
        depth_row(y, x, w, p, lane, rows, 1, R, S);
        break;
    }
}

// Output rows y0 … y1-1 of one image and block, whose lanes begin at `lane`.
INLINE void depth_block(float *y, const float *x, const float *w, const struct depth *p,
                        ptrdiff_t lane, int y0, int y1, bool spread, const int R, const int S)
{
    y += lane, x += lane;
    for (int oy = y0; oy < y1; oy++) {
        struct depth_rows rows = depth_rows_of(p, oy, spread);
        float *yr = y + (ptrdiff_t)oy * p->Wo * p->C;
        if (!spread)
            depth_row_tiles(yr, x, w, p, lane, &rows, R, S);
        else
            for (int ox = 0; ox < p->Wo; ox += DEPTH_TILE)
                if (p->Wo - ox > 4)
                    depth_spread(yr, x, w, p, &rows, ox, 8, R);
                else
                    depth_spread(yr, x, w, p, &rows, ox, 4, R);
    }
}

// Output rows that, with what they read, stay in the second-level cache in all channels.
static int depth_chunk_rows(const struct depth *p)
{
    ptrdiff_t in = (ptrdiff_t)p->H * p->W * p->C, out = (ptrdiff_t)p->Ho * p->Wo * p->C;
    ptrdiff_t rows = DEPTH_CHUNK * (ptrdiff_t)p->Ho / (in + out);
    return rows < 1 ? 1 : rows < p->Ho ? (int)rows : p->Ho;
}

static void depth_run(float *y, const float *x, const float *packed, const struct depth *p,
                      int n, bool spread)
{
    ptrdiff_t xi = (ptrdiff_t)p->H * p->W * p->C, yi = (ptrdiff_t)p->Ho * p->Wo * p->C;
    int rows = depth_chunk_rows(p), images = rows < p->Ho ? 1 : n;
    for (int i = 0; i < n; i += images)
        for (int y0 = 0; y0 < p->Ho; y0 += rows) {
            int y1 = p->Ho - y0 < rows ? p->Ho : y0 + rows;
            for (int b = 0; b < p->blocks; b++) {
                ptrdiff_t lane = depth_lane(b, p->C);
                const float *w = packed + (ptrdiff_t)b * p->R * p->R * V;
                for (int k = i; k < i + images && k < n; k++) {
                    float *yb = y + k * yi;
                    const float *xb = x + k * xi;
                    if (p->R == 3 && spread)
                        depth_block(yb, xb, w, p, lane, y0, y1, true, 3, 2);
                    else if (p->R == 3 && p->S == 1)
                        depth_block(yb, xb, w, p, lane, y0, y1, false, 3, 1);
                    else if (p->R == 3)
                        depth_block(yb, xb, w, p, lane, y0, y1, false, 3, 2);
                    else if (spread)
                        depth_block(yb, xb, w, p, lane, y0, y1, true, 5, 2);
                    else if (p->S == 1)
                        depth_block(yb, xb, w, p, lane, y0, y1, false, 5, 1);
                    else
                        depth_block(yb, xb, w, p, lane, y0, y1, false, 5, 2);
                }
            }
        }
}

static void depth_forward(float *y, const float *x, const float *packed, const struct conv *c,
                          const struct epilogue *epilogue, float *scratch)
{
    (void)scratch;
    struct depth p = depth_of(c, false);
    p.epilogue = epilogue;
    depth_run(y, x, packed, &p, c->N, false);
}

static void depth_data(float *dx, const float *dy, const float *packed, const struct conv *c,
                       float *scratch)
{
    (void)scratch;
    struct depth p = depth_of(c, true);
    depth_run(dx, dy, packed, &p, c->N, c->S == 2);
}

// ---- gradient of the weights -----------------------------------------------------------

// T columns of dy, each loaded once, and the sums of one kernel row, even and odd columns
// of x apart: twice as many sums run side by side.
INLINE void depth_weight_tile(vf acc[2][5], const float *dy, const float *x, ptrdiff_t C,
                              ptrdiff_t at, unsigned valid, const int T, const int R,
                              const int S)
{
    vf d[DEPTH_TILE];
    UNROLL_FOR (int t = 0; t < T; t++)
        d[t] = vload(dy + t * C);
    UNROLL_FOR (int j = 0; j < (T - 1) * S + R; j++) {
        if (!(valid >> j & 1))
            continue;
        vf v = vload(x + at + j * C);
        UNROLL_FOR (int s = 0; s < R; s++)
            if (j >= s && (j - s) % S == 0 && (j - s) / S < T)
                acc[j & 1][s] += v * d[(j - s) / S];
    }
}

INLINE void depth_weight_columns(vf acc[2][5], const float *dy, const float *x,
                                 const struct depth *p, ptrdiff_t row, int *ox, const int T,
                                 const int R, const int S)
{
    for (; p->Wo - *ox >= T; *ox += T) {
        int from = *ox * S - (R - 1) / 2;
        depth_weight_tile(acc, dy + *ox * p->C, x, p->C, (row + from) * p->C,
                          depth_valid(from, (T - 1) * S + R, p->W), T, R, S);
    }
}

// Kernel row r over output rows y0 … y1-1 of n images from dy and x on.
INLINE void depth_weight_row(float *sum, const float *dy, const float *x,
                             const struct depth *p, int n, int y0, int y1, int r, const int R,
                             const int S)
{
    vf acc[2][5];
    UNROLL_FOR (int s = 0; s < R; s++)
        acc[0][s] = acc[1][s] = vset(0);
    for (int k = 0; k < n; k++)
        for (int oy = y0; oy < y1; oy++) {
            int iy = oy * S + r - (R - 1) / 2, ox = 0;
            if (iy < 0 || iy >= p->H)
                continue;
            const float *d = dy + ((ptrdiff_t)k * p->Ho + oy) * p->Wo * p->C;
            ptrdiff_t row = ((ptrdiff_t)k * p->H + iy) * p->W;
            depth_weight_columns(acc, d, x, p, row, &ox, 8, R, S);
            depth_weight_columns(acc, d, x, p, row, &ox, 4, R, S);
            depth_weight_columns(acc, d, x, p, row, &ox, 2, R, S);
            depth_weight_columns(acc, d, x, p, row, &ox, 1, R, S);
        }
    UNROLL_FOR (int s = 0; s < R; s++)
        vstore(sum + s * V, vload(sum + s * V) + (acc[0][s] + acc[1][s]));
}

static void depth_weight(float *sum, const float *dy, const float *x, const struct conv *c,
                         float *scratch)
{
    (void)scratch;
    struct depth p = depth_of(c, false);
    ptrdiff_t xi = (ptrdiff_t)p.H * p.W * p.C, yi = (ptrdiff_t)p.Ho * p.Wo * p.C;
    int rows = depth_chunk_rows(&p), images = rows < p.Ho ? 1 : c->N;
    for (int i = 0; i < c->N; i += images)
        for (int y0 = 0; y0 < p.Ho; y0 += rows)
            for (int b = 0; b < p.blocks; b++) {
                int y1 = p.Ho - y0 < rows ? p.Ho : y0 + rows;
                const float *db = dy + i * yi + depth_lane(b, p.C);
                const float *xb = x + i * xi + depth_lane(b, p.C);
                for (int r = 0; r < p.R; r++) {
                    float *at = sum + ((ptrdiff_t)b * p.R + r) * p.R * V;
                    if (p.R == 3 && p.S == 1)
                        depth_weight_row(at, db, xb, &p, images, y0, y1, r, 3, 1);
                    else if (p.R == 3)
                        depth_weight_row(at, db, xb, &p, images, y0, y1, r, 3, 2);
                    else if (p.S == 1)
                        depth_weight_row(at, db, xb, &p, images, y0, y1, r, 5, 1);
                    else
                        depth_weight_row(at, db, xb, &p, images, y0, y1, r, 5, 2);
                }
            }
}

static void depth_weight_end(float *dw, const float *sum, const struct conv *c)
{
    ptrdiff_t RR = (ptrdiff_t)c->R * c->R;
    for (int b = 0; b < (c->C + V - 1) / V; b++, sum += RR * V) {
        ptrdiff_t lane = depth_lane(b, c->C);
        for (ptrdiff_t l = (ptrdiff_t)b * V - lane; l < V; l++)
            for (ptrdiff_t t = 0; t < RR; t++)
                dw[(lane + l) * RR + t] += sum[t * V + l];
    }
}

#endif
