/* Convolution in all three directions against a double-precision loop whose error bound
 * follows from the arithmetic, against finite differences, and for special values. */
#include "nn_check.h"

// One product of the convolution: calls visit(y index, x index, w index).
typedef void visitor(void *state, size_t y, size_t x, size_t w);
static void conv_visit(const struct conv *c, visitor *visit, void *state)
{
    int Ho = conv_out(c->H, c->S), Wo = conv_out(c->W, c->S), pad = (c->R - 1) / 2;
    int gi = c->C / c->G, go = c->K / c->G;
    for (int n = 0; n < c->N; n++)
        for (int oy = 0; oy < Ho; oy++)
            for (int ox = 0; ox < Wo; ox++)
                for (int r = 0; r < c->R; r++)
                    for (int s = 0; s < c->R; s++) {
                        int iy = oy * c->S + r - pad, ix = ox * c->S + s - pad;
                        if (iy < 0 || iy >= c->H || ix < 0 || ix >= c->W)
                            continue;
                        for (int k = 0; k < c->K; k++)
                            for (int i = 0; i < gi; i++)
                                visit(state, (size_t)(((n * Ho + oy) * Wo + ox) * c->K + k),
                                      (size_t)(((n * c->H + iy) * c->W + ix) * c->C +
                                               k / go * gi + i),
                                      (size_t)(((k * c->R + r) * c->R + s) * gi + i));
                    }
}

struct exact {
    const float *x, *w, *dy;
    double *y, *dx, *dw;    // results
    double *ya, *dxa, *dwa; // sums of absolute products
    int *yn, *dxn, *dwn;    // numbers of products
};
static void accumulate(void *state, size_t y, size_t x, size_t w)
{
    struct exact *e = state;
    double a = (double)e->x[x] * (double)e->w[w], b = (double)e->dy[y] * (double)e->w[w];
    double d = (double)e->dy[y] * (double)e->x[x];
    e->y[y] += a, e->ya[y] += fabs(a), e->yn[y]++;
    e->dx[x] += b, e->dxa[x] += fabs(b), e->dxn[x]++;
    e->dw[w] += d, e->dwa[w] += fabs(d), e->dwn[w]++;
}

struct size {
    size_t x, y, w;
};
static struct size size_of(const struct conv *c)
{
    size_t pixels = (size_t)(conv_out(c->H, c->S) * conv_out(c->W, c->S));
    return (struct size){(size_t)(c->N * c->H * c->W * c->C),
                         (size_t)c->N * pixels * (size_t)c->K,
                         (size_t)(c->K * c->R * c->R * (c->C / c->G))};
}

// Sums of n products in any order, once rounded each: (n + 2)·2^-24·Σ|ab|.
static void summarise(double *sum, double *size, int *n, size_t count, double start)
{
    for (size_t i = 0; i < count; i++) {
        size[i] = (size[i] + start) * ((double)n[i] + 2) * 0x1p-24;
        sum[i] += start;
    }
}

static void check_conv(struct conv c, uint64_t seed)
{
    struct rng r = rng_key(seed, 0, RNG_SAMPLE);
    struct size n = size_of(&c);
    float *x = tensor_random(&r, n.x), *w = tensor_random(&r, n.w);
    float *dy = tensor_random(&r, n.y);
    size_t all = n.x + n.y + n.w;
    double *sum = xcalloc(2 * all, sizeof *sum);
    int *count = xcalloc(all, sizeof *count);
    struct exact e = {x,
                      w,
                      dy,
                      sum,
                      sum + n.y,
                      sum + n.y + n.x,
                      sum + all,
                      sum + all + n.y,
                      sum + all + n.y + n.x,
                      count,
                      count + n.y,
                      count + n.y + n.x};
    conv_visit(&c, accumulate, &e);
    // Winograd's way rounds at the border as anywhere else: zeros are products, too.
    bool winograd = strcmp(conv_method(&c), "winograd") == 0;
    for (size_t i = 0; i < n.y && winograd; i++)
        e.yn[i] = 9 * c.C / c.G;
    for (size_t i = 0; i < n.x && winograd; i++)
        e.dxn[i] = 9 * c.K / c.G;
    summarise(e.y, e.ya, e.yn, n.y, 0);
    summarise(e.dx, e.dxa, e.dxn, n.x, 0);
    summarise(e.dw, e.dwa, e.dwn, n.w, 0.5); // gradients of parameters are added to
    EACH_ISA(isa)
    {
        char what[160];
        snprintf(what, sizeof what, "%s N%d H%d W%d C%d K%d R%d S%d G%d", isa, c.N, c.H, c.W,
                 c.C, c.K, c.R, c.S, c.G);
        float *scratch = tensor(conv_scratch(&c));
        float *y = tensor(n.y), *dx = tensor(n.x), *dw = tensor(n.w);
        for (size_t i = 0; i < n.w; i++)
            dw[i] = 0.5f;
        char at[192];
        conv_forward(y, x, w, &c, NULL, scratch);
        snprintf(at, sizeof at, "forward %s", what);
        check_within(at, y, e.y, e.ya, n.y);
        conv_backward(dx, NULL, dy, x, w, &c, NULL, scratch);
        snprintf(at, sizeof at, "data %s", what);
        check_within(at, dx, e.dx, e.dxa, n.x);
        conv_backward(NULL, dw, dy, x, w, &c, NULL, scratch);
        snprintf(at, sizeof at, "weight %s", what);
        check_within(at, dw, e.dw, e.dwa, n.w);
        // The same bits again, whatever scratch held.
        float *again = tensor(n.y);
        conv_forward(again, x, w, &c, NULL, scratch);
        assert_memory_equal(again, y, n.y * sizeof *y);
        free(again), free(scratch), free(y), free(dx), free(dw);
    }
    free(x), free(w), free(dy), free(sum), free(count);
}

static void test_shapes(void **state)
{
    (void)state;
    // clang-format off
    static const struct conv shapes[] = {
        // one by one, dense
        { 3, 5, 7, 24, 40, 1, 1, 1 }, { 2, 9, 9, 17, 31, 1, 2, 1 }, { 5, 4, 4, 1, 1, 1, 1, 1 },
        { 1, 1, 1, 200, 10, 1, 1, 1 }, { 4, 33, 1, 8, 8, 1, 2, 1 },
        // dense: stems, im2col
        { 2, 33, 33, 1, 16, 3, 1, 1 }, { 2, 32, 32, 1, 32, 3, 2, 1 }, { 2, 15, 17, 1, 24, 7, 2, 1 },
        { 9, 28, 28, 1, 17, 3, 1, 1 }, { 3, 28, 28, 1, 7, 3, 2, 1 },
        { 2, 33, 33, 3, 16, 3, 1, 1 }, { 2, 32, 32, 3, 32, 3, 2, 1 }, { 2, 15, 17, 3, 24, 7, 2, 1 },
        { 3, 8, 8, 16, 16, 3, 1, 1 }, { 2, 9, 7, 24, 40, 3, 2, 1 }, { 2, 7, 7, 20, 12, 5, 1, 1 },
        { 3, 1, 1, 32, 8, 3, 1, 1 }, { 2, 2, 2, 64, 33, 3, 2, 1 }, { 1, 4, 4, 2, 2, 3, 1, 1 },
        // grouped 3×3, widths that are not multiples of a vector
        { 9, 8, 8, 8, 8, 3, 1, 8 }, { 2, 33, 32, 24, 24, 3, 1, 24 }, { 3, 16, 16, 24, 24, 3, 2, 12 },
        { 5, 4, 4, 40, 40, 3, 1, 10 }, { 3, 8, 8, 24, 24, 3, 1, 3 }, { 3, 8, 8, 24, 24, 3, 2, 3 },
        { 2, 10, 12, 48, 48, 3, 1, 3 }, { 2, 20, 20, 32, 32, 3, 2, 2 }, { 17, 4, 4, 64, 64, 3, 1, 4 },
        { 2, 16, 32, 48, 48, 3, 1, 2 }, { 2, 7, 7, 112, 112, 3, 1, 2 }, { 2, 5, 9, 80, 80, 3, 2, 2 },
        { 19, 2, 2, 16, 16, 3, 1, 2 }, { 8, 1, 1, 16, 16, 3, 1, 2 }, { 3, 3, 3, 32, 32, 3, 2, 4 },
        // odd groups, more outputs than inputs and fewer
        { 3, 8, 8, 12, 12, 3, 1, 4 }, { 2, 9, 16, 36, 36, 3, 1, 6 }, { 2, 9, 16, 36, 36, 3, 2, 12 },
        { 2, 6, 6, 60, 60, 3, 1, 5 }, { 2, 8, 8, 35, 35, 3, 1, 5 }, { 2, 8, 8, 12, 24, 3, 1, 4 },
        { 2, 8, 8, 24, 12, 3, 2, 4 }, { 3, 12, 12, 3, 3, 3, 1, 3 }, { 3, 12, 12, 1, 1, 3, 1, 1 },
        { 2, 8, 8, 36, 36, 1, 1, 3 }, { 2, 8, 8, 36, 36, 1, 2, 3 },
        // groups of a vector and half of one on either side, tiles that fill no turn
        { 11, 7, 5, 24, 24, 3, 1, 3 }, { 3, 9, 13, 16, 32, 3, 1, 2 }, { 3, 9, 13, 32, 16, 3, 1, 2 },
        { 1, 40, 36, 48, 48, 3, 1, 3 }, { 1, 36, 40, 24, 24, 3, 1, 3 },
        // other kernel sizes
        { 3, 8, 8, 16, 16, 5, 1, 16 }, { 2, 11, 9, 24, 24, 5, 2, 3 }, { 2, 9, 9, 32, 32, 7, 1, 2 },
        { 9, 5, 5, 8, 8, 7, 2, 4 }, { 2, 12, 12, 8, 8, 3, 3, 2 },
        // strides over images larger than a tile: rows of it, several tiles to fetch ahead
        { 2, 64, 33, 40, 24, 1, 2, 1 }, { 2, 65, 31, 40, 24, 1, 2, 1 },
        { 2, 66, 34, 40, 17, 1, 3, 1 }, { 3, 33, 32, 56, 56, 3, 2, 7 },
    };
    // clang-format on
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_conv(shapes[i], i);
}

// Every divisor of a width as group width, both strides.
static void test_divisors(void **state)
{
    (void)state;
    static const int widths[] = {16, 24, 30, 36};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int g = 1; g <= widths[i]; g++)
            if (widths[i] % g == 0)
                for (int S = 1; S <= 2; S++)
                    check_conv(
                        (struct conv){2, 5, 8, widths[i], widths[i], 3, S, widths[i] / g},
                        (uint64_t)(100 + g));
}

// Dense 1×1 over widths on both sides of every vector and panel edge, few rows and many.
static void test_products(void **state)
{
    (void)state;
    static const int widths[] = {1,  3,  4,  7,  8,  9,  12, 15, 16, 17,  24,  31,
                                 32, 33, 40, 48, 49, 64, 65, 80, 97, 112, 130, 200};
    enum { COUNT = sizeof widths / sizeof *widths };
    for (int i = 0; i < COUNT; i++)
        for (int S = 1; S <= 2; S++)
            check_conv((struct conv){1, 1 + i % 5, 1 + i * 7 % 23, widths[i],
                                     widths[(i * 5 + 3 * S) % COUNT], 1, S, 1},
                       (uint64_t)(200 + i));
    check_conv((struct conv){2, 31, 33, 24, 40, 1, 1, 1}, 300); // several runs of pixels
}

// Groups of one channel: every tile of columns and what is left of one, rows in chunks,
// widths about a vector.
static void test_depthwise(void **state)
{
    (void)state;
    static const int channels[] = {16, 17, 24, 31, 40};
    for (int R = 3; R <= 5; R += 2)
        for (int S = 1; S <= 2; S++)
            for (int W = 1; W <= 17; W++) {
                int C = channels[(W + R + S) % 5];
                check_conv((struct conv){1 + W % 3, 1 + (W * 5 + S) % 9, W, C, C, R, S, C},
                           (uint64_t)(400 + W));
            }
    check_conv((struct conv){1, 37, 29, 80, 80, 5, 1, 80}, 500); // more than a chunk
    check_conv((struct conv){1, 37, 30, 80, 80, 5, 2, 80}, 501);
}

// Shapes drawn at random: what nobody thought of.
static void test_random_shapes(void **state)
{
    (void)state;
    struct rng r = rng_key(7, 0, RNG_SAMPLE);
    static const int kernels[] = {1, 3, 3, 3, 3, 5, 7};
    for (int i = 0; i < 40; i++) {
        int G = 1 + (int)rng_below(&r, 8), gi = 1 + (int)rng_below(&r, 20);
        int go = rng_below(&r, 4) ? gi : 1 + (int)rng_below(&r, 20);
        struct conv c = {1 + (int)rng_below(&r, 3),
                         1 + (int)rng_below(&r, 20),
                         1 + (int)rng_below(&r, 33),
                         G * gi,
                         G * go,
                         kernels[rng_below(&r, 7)],
                         1 + (int)rng_below(&r, 2),
                         G};
        double work = (double)size_of(&c).y * c.R * c.R * gi;
        if (work > 2e6) // keep the loop in double short
            c.N = 1, c.H = c.H % 5 + 1;
        check_conv(c, (uint64_t)(1000 + i));
    }
}

struct dot {
    const float *dy;
    const double *x, *w;
    double sum;
};
static void dot_visit(void *state, size_t y, size_t x, size_t w)
{
    struct dot *d = state;
    d->sum += (double)d->dy[y] * d->x[x] * d->w[w];
}

// The gradients are those of Σ dy·y, by central differences in double.
static void test_finite_differences(void **state)
{
    (void)state;
    // clang-format off
    static const struct conv shapes[] = {
        { 2, 8, 8, 16, 16, 3, 1, 2 }, { 2, 9, 8, 24, 24, 3, 2, 6 }, { 2, 5, 5, 20, 24, 3, 1, 1 },
        { 2, 7, 6, 12, 12, 5, 1, 4 }, { 2, 6, 6, 10, 14, 1, 2, 1 }, { 1, 6, 9, 40, 40, 3, 2, 1 },
    };
    // clang-format on
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct conv *c = &shapes[i];
        struct rng r = rng_key(i, 1, RNG_SAMPLE);
        struct size n = size_of(c);
        float *x = tensor_random(&r, n.x), *w = tensor_random(&r, n.w);
        float *dy = tensor_random(&r, n.y);
        double *xd = xcalloc(n.x + n.w, sizeof *xd), *wd = xd + n.x;
        for (size_t j = 0; j < n.x; j++)
            xd[j] = (double)x[j];
        for (size_t j = 0; j < n.w; j++)
            wd[j] = (double)w[j];
        float *dx = tensor(n.x), *dw = tensor(n.w), *scratch = tensor(conv_scratch(c));
        EACH_ISA(isa)
        {
            conv_backward(dx, NULL, dy, x, w, c, NULL, scratch);
            memset(dw, 0, n.w * sizeof *dw);
            conv_backward(NULL, dw, dy, x, w, c, NULL, scratch);
            for (int j = 0; j < 24; j++) {
                bool data = j % 2;
                size_t at = rng_below(&r, data ? n.x : n.w);
                double *p = data ? xd + at : wd + at, old = *p, h = 1e-3;
                struct dot d = {dy, xd, wd, 0};
                *p = old + h;
                conv_visit(c, dot_visit, &d);
                double up = d.sum;
                d.sum = 0;
                *p = old - h;
                conv_visit(c, dot_visit, &d);
                *p = old;
                check_close(isa, (double)(data ? dx[at] : dw[at]), (up - d.sum) / (2 * h),
                            2e-5);
            }
        }
        free(x), free(w), free(dy), free(xd), free(dx), free(dw), free(scratch);
    }
}

// Marks what one special value reaches: exactly the sums it is a factor of.
struct reach {
    size_t from;
    int what; // 0 x, 1 w, 2 dy
    bool *y, *x, *w;
};
static void reach_visit(void *state, size_t y, size_t x, size_t w)
{
    struct reach *r = state;
    if (r->from == (r->what == 0 ? x : r->what == 1 ? w : y))
        r->y[y] = r->x[x] = r->w[w] = true;
}

// Winograd's way mixes the sums of a tile of 4×4, im2col multiplies by the padding: what
// may be reached beside `must` in a tensor of H·W pixels; all pixels when from a weight.
static void spread(bool *may, const bool *must, int N, int H, int W, int C, bool all)
{
    for (int n = 0; n < N; n++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < C; c++) {
                    int y0 = all ? 0 : y / 4 * 4, x0 = all ? 0 : x / 4 * 4;
                    bool any = false;
                    for (int i = y0; i < H && (all || i < y0 + 4); i++)
                        for (int j = x0; j < W && (all || j < x0 + 4); j++)
                            any |= must[((n * H + i) * W + j) * C + c];
                    may[((n * H + y) * W + x) * C + c] = any;
                }
}

static void check_reach(const char *what, const float *got, const bool *must, const bool *may,
                        size_t n, bool inf)
{
    for (size_t i = 0; i < n; i++) {
        if (must[i] ? isfinite(got[i]) : !may[i] && !isfinite(got[i]))
            fail_msg("%s: element %zu of %zu is %g", what, i, n, (double)got[i]);
        if (inf && may == must && isnan(got[i])) // 0·Inf would be
            fail_msg("%s: element %zu of %zu is NaN from Inf", what, i, n);
    }
}

// One NaN or Inf in reaches the outputs that see it, and no others where the way is direct.
static void test_special_values(void **state)
{
    (void)state;
    // clang-format off
    static const struct conv shapes[] = {
        { 3, 9, 9, 16, 16, 3, 1, 2 }, { 3, 9, 9, 16, 16, 3, 1, 16 }, { 3, 8, 8, 12, 12, 3, 2, 4 },
        { 2, 16, 16, 8, 8, 3, 1, 4 }, { 9, 4, 4, 32, 32, 3, 1, 2 }, { 2, 5, 5, 3, 8, 3, 1, 1 },
        { 2, 6, 6, 24, 24, 3, 2, 1 }, { 2, 7, 9, 20, 32, 3, 1, 1 }, { 2, 7, 5, 9, 33, 1, 1, 1 },
        { 2, 6, 6, 12, 12, 5, 1, 1 }, { 2, 9, 7, 10, 20, 5, 2, 10 },
    };
    // clang-format on
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct conv *c = &shapes[i];
        int Ho = conv_out(c->H, c->S), Wo = conv_out(c->W, c->S), gi = c->C / c->G;
        struct rng r = rng_key(i, 9, RNG_SAMPLE);
        struct size n = size_of(c);
        float *in[3] = {tensor_random(&r, n.x), tensor_random(&r, n.w),
                        tensor_random(&r, n.y)};
        size_t counts[3] = {n.x, n.w, n.y}, all = n.x + n.y + n.w;
        float *y = tensor(n.y), *dx = tensor(n.x), *dw = tensor(n.w);
        float *scratch = tensor(conv_scratch(c));
        bool *must = xcalloc(2 * all, sizeof *must), *may = must + all;
        bool mixes =
            strcmp(conv_method(c), "winograd") == 0 || strcmp(conv_method(c), "im2col") == 0;
        for (int j = 0; j < 6; j++) {
            struct reach e = {rng_below(&r, counts[j % 3]), j % 3, must, must + n.y,
                              must + n.y + n.x};
            memset(must, 0, all);
            conv_visit(c, reach_visit, &e);
            bool weight = e.what == 1;
            spread(may, e.y, c->N, Ho, Wo, c->K, weight);
            spread(may + n.y, e.x, c->N, c->H, c->W, c->C, weight);
            spread(may + n.y + n.x, e.w, c->K, c->R, c->R, gi, true);
            float old = in[e.what][e.from];
            in[e.what][e.from] = j < 3 ? NAN : INFINITY;
            EACH_ISA(isa)
            {
                char at[120];
                snprintf(at, sizeof at, "%s, shape %zu, from %d", isa, i, e.what);
                const bool *m = mixes ? may : must;
                if (e.what != 2) {
                    conv_forward(y, in[0], in[1], c, NULL, scratch);
                    check_reach(at, y, e.y, m, n.y, j >= 3);
                }
                if (e.what != 0) {
                    conv_backward(dx, NULL, in[2], in[0], in[1], c, NULL, scratch);
                    check_reach(at, dx, e.x, m + n.y, n.x, j >= 3);
                }
                if (e.what != 1) {
                    memset(dw, 0, n.w * sizeof *dw);
                    conv_backward(NULL, dw, in[2], in[0], in[1], c, NULL, scratch);
                    check_reach(at, dw, e.w, m + n.y + n.x, n.w, j >= 3);
                }
            }
            in[e.what][e.from] = old;
        }
        free(in[0]), free(in[1]), free(in[2]), free(y), free(dx), free(dw), free(scratch);
        free(must);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),         cmocka_unit_test(test_divisors),
        cmocka_unit_test(test_products),       cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_random_shapes),  cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_special_values),
    };
    return cmocka_run_group_tests_name("nn_conv", tests, NULL, NULL);
}
