/* Convolution: which way each shape goes (see layers.h for what it computes).
 *
 *   1×1, one group        a matrix product over all pixels (product_kernels.h); with stride
 *                         2 the rows that are used are gathered first, a run at a time
 *   R×R > 3×3, one group  im2col over a cache-sized run of output pixels, then a product:
 *                             col (pixels, R·R·C) · wᵀ (R·R·C, K)
 *   3×3, and all groups   direct (direct_kernels.h); 3×3 of stride 1 with groups of 16 and
 *                         more by Winograd (winograd_kernels.h)
 * Source: im2col as in Caffe (Chellapilla et al. 2006), by runs so that it stays in cache. */
#include <assert.h>
#include <string.h>

#include "nn/kernels.h"

enum { RUN = 1 << 15 }; // floats of a run of pixels, input row and output: 128 KB

static void check(const struct conv *c)
{
    assert(c->N > 0 && c->H > 0 && c->W > 0 && c->R > 0 && c->R % 2 == 1 && c->R <= 31);
    assert(c->S > 0 && c->G > 0 && c->C > 0 && c->K > 0);
    assert(c->C % c->G == 0 && c->K % c->G == 0);
    (void)c;
}

// Measured: directly, a dense 3×3 takes 0.6 to 0.9 of the time of im2col; Winograd's way
// 0.35 to 0.9 of the time directly where groups are at least 16 wide, on any instruction set.
static enum { PRODUCT, IM2COL, DIRECT, WINOGRAD } way_of(const struct conv *c)
{
    bool wide = c->C / c->G >= 16 && c->K / c->G >= 16;
    if (c->R == 3 && c->S == 1 && wide && c->H > 2 && c->W > 2)
        return WINOGRAD;
    if (c->G > 1 || c->R == 3)
        return DIRECT;
    return c->R == 1 && c->S == 1 ? PRODUCT : IM2COL;
}

const char *conv_way(const struct conv *c)
{
    static const char *const names[] = { "product", "im2col", "direct", "winograd" };
    return names[way_of(c)];
}

// Kernels that make the whole convolution, or NULL: it goes through product().
static const struct conv_kernels *own_kernels(const struct conv *c)
{
    const struct kernels *k = kernels_get();
    return way_of(c) == WINOGRAD ? &k->winograd : way_of(c) == DIRECT ? &k->direct : NULL;
}

static bool is_plain(const struct conv *c) // the rows of x are the rows of the product
{
    return way_of(c) == PRODUCT;
}

static size_t row_length(const struct conv *c)
{
    return (size_t)c->R * (size_t)c->R * (size_t)c->C;
}

static size_t pixels(const struct conv *c)
{
    return (size_t)c->N * (size_t)conv_out(c->H, c->S) * (size_t)conv_out(c->W, c->S);
}

static size_t run_length(const struct conv *c)
{
    size_t n = RUN / (row_length(c) + (size_t)c->K), all = pixels(c);
    n = n < 32 ? 32 : n > 512 ? 512 : n;
    return n < all ? n : all;
}

// Floats of packed weights or their sums, for any instruction set.
static size_t packed_floats(const struct conv *c)
{
    size_t most = 0, gi = (size_t)(c->C / c->G), go = (size_t)(c->K / c->G), G = (size_t)c->G;
    if (way_of(c) == WINOGRAD) {
        size_t forward = ((go + 15) / 16 * 16) * gi, back = ((gi + 15) / 16 * 16) * go;
        return 36 * (G * (forward > back ? forward : back) + WINOGRAD_GAP);
    }
    for (int V = 4; V <= 16; V *= 2) {
        size_t forward = direct_blocks(c->K, (int)gi, (int)go, V) * gi;
        size_t back = direct_blocks(c->C, (int)go, (int)gi, V) * go;
        size_t n = (forward > back ? forward : back) * (size_t)(c->R * c->R * V);
        most = n > most ? n : most;
    }
    return most;
}

// Floats beside the packed weights: the frequencies of a turn, for any instruction set.
static size_t winograd_scratch(const struct conv *c)
{
    size_t C = ((size_t)c->C + 15) / 16 * 16, K = ((size_t)c->K + 15) / 16 * 16;
    return C + K + 36 * (winograd_turn(c) * (C + K) + 2 * WINOGRAD_GAP);
}

// Of the weights for the product, for any instruction set.
static size_t packed_length(const struct conv *c)
{
    return ((size_t)c->K + 15) / 16 * 16 * row_length(c);
}

size_t conv_scratch(const struct conv *c)
{
    check(c);
    if (own_kernels(c))
        return packed_floats(c) + (way_of(c) == WINOGRAD ? winograd_scratch(c) : 0);
    return packed_length(c) + (is_plain(c) ? 0 : run_length(c) * row_length(c));
}

// Output pixel number i as image, row, column; advanced by `next`.
struct place {
    int n, y, x;
};

static struct place place_of(size_t i, const struct conv *c)
{
    size_t W = (size_t)conv_out(c->W, c->S), H = (size_t)conv_out(c->H, c->S);
    return (struct place){ (int)(i / W / H), (int)(i / W % H), (int)(i % W) };
}

static void next(struct place *p, const struct conv *c)
{
    if (++p->x == conv_out(c->W, c->S)) {
        p->x = 0;
        if (++p->y == conv_out(c->H, c->S)) {
            p->y = 0;
            p->n++;
        }
    }
}

// Copies the window of each of n output pixels from number `first` into a row of col.
static void gather(float *col, const float *x, const struct conv *c, size_t first, size_t n)
{
    struct place p = place_of(first, c);
    int R = c->R, pad = (R - 1) / 2;
    size_t C = (size_t)c->C;
    for (size_t i = 0; i < n; i++, next(&p, c)) {
        int x0 = p.x * c->S - pad, lo = x0 < 0 ? -x0 : 0, hi = x0 + R > c->W ? c->W - x0 : R;
        for (int r = 0; r < R; r++, col += (size_t)R * C) {
            int iy = p.y * c->S + r - pad;
            if (iy < 0 || iy >= c->H) {
                memset(col, 0, (size_t)R * C * sizeof *col);
                continue;
            }
            size_t row = ((size_t)p.n * (size_t)c->H + (size_t)iy) * (size_t)c->W;
            if (lo > 0)
                memset(col, 0, (size_t)lo * C * sizeof *col);
            memcpy(col + (size_t)lo * C, x + (row + (size_t)(x0 + lo)) * C,
                   (size_t)(hi - lo) * C * sizeof *col);
            if (hi < R)
                memset(col + (size_t)hi * C, 0, (size_t)(R - hi) * C * sizeof *col);
        }
    }
}

// Adds each row of col back to the window it came from.
static void scatter_add(float *dx, const float *col, const struct conv *c, size_t first,
                        size_t n)
{
    struct place p = place_of(first, c);
    int R = c->R, pad = (R - 1) / 2;
    size_t C = (size_t)c->C;
    for (size_t i = 0; i < n; i++, next(&p, c)) {
        int x0 = p.x * c->S - pad, lo = x0 < 0 ? -x0 : 0, hi = x0 + R > c->W ? c->W - x0 : R;
        for (int r = 0; r < R; r++, col += (size_t)R * C) {
            int iy = p.y * c->S + r - pad;
            if (iy < 0 || iy >= c->H)
                continue;
            size_t row = ((size_t)p.n * (size_t)c->H + (size_t)iy) * (size_t)c->W;
            kernels_get()->add(dx + (row + (size_t)(x0 + lo)) * C, col + (size_t)lo * C,
                               (size_t)(hi - lo) * C);
        }
    }
}

void conv_forward(float *y, const float *x, const float *w, const struct conv *c,
                  float *scratch)
{
    check(c);
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = own_kernels(c);
    if (own) {
        own->pack(scratch, w, c, false);
        own->forward(y, x, scratch, c, scratch + packed_floats(c));
        return;
    }
    size_t M = pixels(c), K = (size_t)c->K, L = row_length(c);
    float *packed = scratch, *col = scratch + packed_length(c);
    k->product_pack(packed, w, K, L);
    for (size_t i = 0, step = run_length(c); i < M; i += step) {
        size_t n = M - i < step ? M - i : step;
        if (!is_plain(c))
            gather(col, x, c, i, n);
        const float *rows = is_plain(c) ? x + i * L : col;
        k->product(y + i * K, K, rows, L, 1, packed, 0, n, K, L, false);
    }
}

void conv_backward_data(float *dx, const float *dy, const float *w, const struct conv *c,
                        float *scratch)
{
    check(c);
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = own_kernels(c);
    if (own) {
        own->pack(scratch, w, c, true);
        own->data(dx, dy, scratch, c, scratch + packed_floats(c));
        return;
    }
    size_t M = pixels(c), K = (size_t)c->K, L = row_length(c);
    if (is_plain(c)) {
        k->product(dx, L, dy, K, 1, w, L, M, L, K, false);
        return;
    }
    memset(dx, 0, (size_t)c->N * (size_t)c->H * (size_t)c->W * (size_t)c->C * sizeof *dx);
    for (size_t i = 0, step = run_length(c); i < M; i += step) {
        size_t n = M - i < step ? M - i : step;
        k->product(scratch, L, dy + i * K, K, 1, w, L, n, L, K, false);
        scatter_add(dx, scratch, c, i, n);
    }
}

void conv_backward_weight(float *dw, const float *dy, const float *x, const struct conv *c,
                          float *scratch)
{
    check(c);
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = own_kernels(c);
    if (own) {
        memset(scratch, 0, packed_floats(c) * sizeof *scratch);
        own->weight(scratch, dy, x, c, scratch + packed_floats(c));
        own->weight_end(dw, scratch, c);
        return;
    }
    size_t M = pixels(c), K = (size_t)c->K, L = row_length(c);
    for (size_t i = 0, step = run_length(c); i < M; i += step) {
        size_t n = M - i < step ? M - i : step;
        if (!is_plain(c))
            gather(scratch, x, c, i, n);
        const float *rows = is_plain(c) ? x + i * L : scratch;
        k->product(dw, L, dy + i * K, 1, K, rows, L, K, L, n, true);
    }
}
