/* Convolution: the method for each shape, and one tile of it (layers.h says what it computes).
 *
 *   1×1, one group        a matrix product over all pixels (kernels/product.h); with a
 *                         stride the pixels that are used are gathered first, some at a time
 *   R×R > 3×3, one group  im2col over a cache-sized run of output pixels, then a product:
 *                             col (pixels, R·R·C) · wᵀ (R·R·C, K)
 *   3×3, and all groups   direct (kernels/direct.h); 3×3 of stride 1 with groups of 8 and
 *                         more by Winograd (kernels/winograd.h); 3×3 and 5×5 with groups of
 *                         one channel, at least 16 of them, by kernels/depthwise.h
 *
 * A tile is some images (of a plain 1×1: some pixels) whose input and output stay in the
 * second-level cache; conv_pass.c takes one after the other.
 *
 * Source: im2col as in Caffe (Chellapilla et al. 2006), by runs so that it stays in cache. */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/table.h"
#include "nn/conv_tile.h"

enum {
    RUN = 1 << 15,       // floats of a run of pixels, input row and output: 128 KB
    TILE = 1 << 16,      // floats of the input and output of a tile: 256 KB
    PIXELS = 192,        // least pixels of a tile of a plain 1×1
    FREQUENCY_TILES = 8, // least 4×4 tiles of a tile by Winograd: its weights serve them all
    FEW = 32,            // fewer tiles than these become a multiple of EVEN, or of a half or a
    EVEN = 8,            // quarter of it, which threads can share,
    LEAST_IMAGES = 4,    // as long as they are not smaller than these
    LEAST_PIXELS = 128,
};

static void check(const struct conv *c)
{
    assert(c->N > 0 && c->H > 0 && c->W > 0 && c->R > 0 && c->R % 2 == 1 && c->R <= 31);
    assert(c->S > 0 && c->G > 0 && c->C > 0 && c->K > 0);
    assert(c->C % c->G == 0 && c->K % c->G == 0);
    (void)c;
}

// Measured: directly, a dense 3×3 takes 0.6 to 0.9 of the time of im2col; Winograd's way
// 0.35 to 0.9 of the time directly where groups are at least 8 wide, on any instruction set.
static enum {
    PRODUCT,
    IM2COL,
    DIRECT,
    DEPTHWISE,
    WINOGRAD,
    METHODS
} method_of(const struct conv *c)
{
    bool wide = c->C / c->G >= 8 && c->K / c->G >= 8;
    if (c->R == 3 && c->S == 1 && wide && c->H > 2 && c->W > 2)
        return WINOGRAD;
    if (c->G >= 16 && c->G == c->C && c->G == c->K && (c->R == 3 || c->R == 5) && c->S <= 2)
        return DEPTHWISE;
    if (c->G > 1 || c->R == 3)
        return DIRECT;
    return c->R == 1 && c->S == 1 ? PRODUCT : IM2COL;
}

const char *conv_method(const struct conv *c)
{
    static const char *const names[] = {"product", "im2col", "direct", "depthwise",
                                        "winograd"};
    TABLE_HAS(names, METHODS);
    return names[method_of(c)];
}

const struct conv_kernels *conv_own_kernels(const struct conv *c)
{
    const struct kernels *k = kernels_get();
    switch (method_of(c)) {
    case DIRECT:
        return &k->direct;
    case DEPTHWISE:
        return &k->depthwise;
    case WINOGRAD:
        return &k->winograd;
    case PRODUCT:
    case IM2COL:
    case METHODS:
        break;
    }
    return NULL;
}

bool conv_is_plain(const struct conv *c) // the rows of x are the rows of the product
{
    return method_of(c) == PRODUCT;
}

static size_t row_length(const struct conv *c)
{
    return (size_t)c->R * (size_t)c->R * (size_t)c->C;
}

size_t conv_pixels(const struct conv *c)
{
    return (size_t)c->N * (size_t)conv_out(c->H, c->S) * (size_t)conv_out(c->W, c->S);
}

static size_t run_length(const struct conv *c)
{
    size_t n = RUN / (row_length(c) + (size_t)c->K), all = conv_pixels(c);
    n = n < 32 ? 32 : n > 512 ? 512 : n;
    return n < all ? n : all;
}

// Floats of packed weights or their sums, for any instruction set.
static size_t packed_floats(const struct conv *c)
{
    size_t most = 0, gi = (size_t)(c->C / c->G), go = (size_t)(c->K / c->G), G = (size_t)c->G;
    if (!conv_own_kernels(c))
        return ((size_t)c->K + 15) / 16 * 16 * row_length(c);
    if (method_of(c) == DEPTHWISE)
        return ((size_t)c->C + 15) / 16 * 16 * (size_t)(c->R * c->R);
    if (method_of(c) == WINOGRAD) {
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

// Floats besides the packed weights: the frequencies of a turn, for any instruction set.
static size_t winograd_scratch(const struct conv *c)
{
    size_t C = ((size_t)c->C + 15) / 16 * 16, K = ((size_t)c->K + 15) / 16 * 16;
    return C + K + 36 * (winograd_turn(c) * (C + K) + 2 * WINOGRAD_GAP);
}

size_t conv_image_in(const struct conv *c)
{
    return (size_t)c->H * (size_t)c->W * (size_t)c->C;
}

size_t conv_image_out(const struct conv *c)
{
    return conv_pixels(c) / (size_t)c->N * (size_t)c->K;
}

// A plain 1×1 takes its pixels for images; a strided one, of images too large for a tile, S
// rows of which the first is used.
struct conv conv_tiled(const struct conv *c)
{
    struct conv t = *c;
    if (conv_is_plain(c) && conv_pixels(c) <= INT_MAX) {
        t.N = (int)conv_pixels(c);
        t.H = t.W = 1;
    } else if (c->R == 1 && c->G == 1 && c->H % c->S == 0 && c->H / c->S <= INT_MAX / c->N &&
               conv_image_in(c) + conv_image_out(c) > TILE) {
        t.N *= c->H / c->S;
        t.H = c->S;
    }
    return t;
}

int conv_tile_images(const struct conv *c)
{
    size_t n = TILE / (conv_image_in(c) + conv_image_out(c));
    if (method_of(c) == PRODUCT && c->H == 1 && c->W == 1)
        n = n < PIXELS ? PIXELS : n / PIXELS * PIXELS;
    else if (n >= 4)
        n = n >= 8 ? n / 8 * 8 : 4;
    size_t N = (size_t)c->N, least = conv_is_plain(c) ? LEAST_PIXELS : LEAST_IMAGES;
    if (method_of(c) == WINOGRAD) {
        size_t tiles = (size_t)((c->H + 3) / 4) * (size_t)((c->W + 3) / 4);
        least = (FREQUENCY_TILES + tiles - 1) / tiles;
        n = n < least ? least : n;
    }
    n = n < 1 ? 1 : n < N ? n : N;
    size_t count = (N + n - 1) / n, even = EVEN;
    for (; count < FEW && even > 1; even /= 2) {
        size_t more = (count + even - 1) / even * even, less = (N + more - 1) / more;
        if (less >= least)
            return (int)less;
    }
    return (int)n;
}

static size_t place_all(float **const place[], const size_t floats[], int n, float *scratch)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        *place[i] = scratch ? scratch + at : NULL;
        at += (floats[i] + 16 + 15) / 16 * 16; // slack, aligned
    }
    return at;
}

size_t place_shared(struct workspace *r, float *scratch, const struct conv *c)
{
    size_t packed = packed_floats(c);
    const size_t floats[] = {packed, conv_own_kernels(c) ? packed : 0};
    float **const place[] = {&r->packed, &r->total};
    return place_all(place, floats, 2, scratch);
}

size_t conv_weight_floats(const struct conv *c)
{
    return conv_own_kernels(c) ? packed_floats(c) : (size_t)c->K * row_length(c);
}

size_t place_own(struct workspace *r, float *scratch, const struct conv *c)
{
    size_t work = 0, sum = conv_weight_floats(c);
    size_t in = norm_sums((size_t)c->C), out = norm_sums((size_t)c->K), norm = in > out ? in : out;
    struct conv tile = *c;
    tile.N = conv_tile_images(c);
    if (method_of(c) == WINOGRAD)
        work = winograd_scratch(&tile);
    else if (method_of(c) == IM2COL)
        work = run_length(c) * row_length(c);
    size_t z = (size_t)tile.N * conv_image_in(c), du = (size_t)tile.N * conv_image_out(c);
    const size_t floats[] = {work, z, du, conv_own_kernels(c) ? z : 0, sum, norm};
    float **const place[] = {&r->work, &r->z, &r->du, &r->part, &r->sum, &r->norm};
    return place_all(place, floats, 6, scratch);
}

size_t conv_own_scratch(const struct conv *c)
{
    check(c);
    struct conv t = conv_tiled(c);
    struct workspace r;
    return place_own(&r, NULL, &t);
}

size_t conv_scratch(const struct conv *c)
{
    struct conv t = conv_tiled(c);
    struct workspace r;
    return place_shared(&r, NULL, &t) + conv_own_scratch(c);
}

// Output pixel number i as image, row, column; advanced by `next`.
struct place {
    int n, y, x;
};

static struct place place_of(size_t i, const struct conv *c)
{
    size_t W = (size_t)conv_out(c->W, c->S), H = (size_t)conv_out(c->H, c->S);
    return (struct place){(int)(i / W / H), (int)(i / W % H), (int)(i % W)};
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

// Of a 1×1: where the input of output pixel number i is, and for how many pixels from it
// on, at most n, its row lasts.
static size_t row_of(size_t *m, size_t i, size_t n, const struct conv *c)
{
    struct place p = place_of(i, c);
    size_t left = (size_t)(conv_out(c->W, c->S) - p.x);
    size_t row = (size_t)p.n * (size_t)c->H + (size_t)(p.y * c->S);
    *m = left < n ? left : n;
    return (row * (size_t)c->W + (size_t)(p.x * c->S)) * (size_t)c->C;
}

// Copies the window of each of n output pixels from number `first` into a row of col.
static void gather(float *col, const float *x, const struct conv *c, size_t first, size_t n)
{
    struct place p = place_of(first, c);
    int R = c->R, pad = (R - 1) / 2;
    size_t C = (size_t)c->C, S = (size_t)c->S;
    for (size_t i = 0, m; R == 1 && i < n; i += m) {
        const float *from = x + row_of(&m, first + i, n - i, c);
        kernels_get()->pixels(col + i * C, C, from, S * C, m, C, false);
    }
    if (R == 1)
        return;
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
    size_t C = (size_t)c->C, S = (size_t)c->S;
    for (size_t i = 0, m; R == 1 && i < n; i += m) {
        float *to = dx + row_of(&m, first + i, n - i, c);
        kernels_get()->pixels(to, S * C, col + i * C, C, m, C, true);
    }
    if (R == 1)
        return;
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

// ---- one tile --------------------------------------------------------------------------

void conv_pack(const struct workspace *r, const float *w, const struct conv *c, bool data)
{
    const struct conv_kernels *own = conv_own_kernels(c);
    if (own)
        own->pack(r->packed, w, c, data);
    else if (!data)
        kernels_get()->product_pack(r->packed, w, (size_t)c->K, row_length(c));
}

void forward_tile(float *y, const float *x, const struct conv *c,
                         const struct workspace *r, const struct epilogue *epilogue)
{
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = conv_own_kernels(c);
    if (own) {
        own->forward(y, x, r->packed, c, epilogue, r->work);
        return;
    }
    size_t M = conv_pixels(c), K = (size_t)c->K, L = row_length(c);
    for (size_t i = 0, step = run_length(c), n; i < M; i += n) {
        n = conv_is_plain(c) ? M : M - i < step ? M - i : step;
        if (!conv_is_plain(c))
            gather(r->work, x, c, i, n);
        k->product(y + i * K, K, conv_is_plain(c) ? x : r->work, L, 1, r->packed, 0, n, K, L,
                   false, epilogue);
    }
}

void weight_tile(float *sum, const float *dy, const float *x, const struct conv *c,
                        const struct workspace *r, bool first)
{
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = conv_own_kernels(c);
    if (own) {
        if (first)
            memset(sum, 0, packed_floats(c) * sizeof *sum);
        own->weight(sum, dy, x, c, r->work);
        return;
    }
    size_t M = conv_pixels(c), K = (size_t)c->K, L = row_length(c);
    for (size_t i = 0, step = run_length(c), n; i < M; i += n) {
        n = conv_is_plain(c) ? M : M - i < step ? M - i : step;
        if (!conv_is_plain(c))
            gather(r->work, x, c, i, n);
        k->product(sum, L, dy + i * K, 1, K, conv_is_plain(c) ? x : r->work, L, K, L, n,
                   !first || i > 0, NULL);
    }
}

void data_tile(float *dx, const float *dy, const float *w, const struct conv *c,
                      const struct workspace *r, bool sum)
{
    const struct kernels *k = kernels_get();
    const struct conv_kernels *own = conv_own_kernels(c);
    size_t floats = (size_t)c->N * conv_image_in(c);
    if (own) {
        own->data(sum ? r->part : dx, dy, r->packed, c, r->work);
        if (sum)
            k->add(dx, r->part, floats);
        return;
    }
    size_t M = conv_pixels(c), K = (size_t)c->K, L = row_length(c);
    if (conv_is_plain(c)) {
        k->product(dx, L, dy, K, 1, w, L, M, L, K, sum, NULL);
        return;
    }
    if (!sum)
        memset(dx, 0, floats * sizeof *dx);
    for (size_t i = 0, step = run_length(c); i < M; i += step) {
        size_t n = M - i < step ? M - i : step;
        k->product(r->work, L, dy + i * K, K, 1, w, L, n, L, K, false, NULL);
        scatter_add(dx, r->work, c, i, n);
    }
}

