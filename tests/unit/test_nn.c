/* The other layers against loops in double precision, finite differences, hand-made
 * examples and special values, for each instruction set. */
#include "nn_check.h"

#include "nn/gemm.h"

// ---- batch normalisation ---------------------------------------------------------------

static double act_of(double z, enum activation act)
{
    return act == ACT_RELU ? (z > 0 ? z : 0) : act == ACT_SILU ? z / (1 + exp(-z)) : z;
}
static double act_slope(double z, enum activation act)
{
    double s = 1 / (1 + exp(-z));
    return act == ACT_RELU ? z > 0 : act == ACT_SILU ? s * (1 + z * (1 - s)) : 1;
}

struct norm_case {
    size_t M, C;
    enum activation act;
    bool add;
    double mean, deviation; // of x
};

// The whole layer in double: y, and the loss Σ dy·y for finite differences.
static double norm_exact(double *y, double *mean, double *var, const double *x,
                         const double *add, const double *gamma, const double *beta,
                         const float *dy, const struct norm_case *t, double eps)
{
    double loss = 0;
    for (size_t c = 0; c < t->C; c++) {
        double m = 0, v = 0;
        for (size_t i = 0; i < t->M; i++)
            m += x[i * t->C + c] / (double)t->M;
        for (size_t i = 0; i < t->M; i++)
            v += (x[i * t->C + c] - m) * (x[i * t->C + c] - m) / (double)t->M;
        mean[c] = m, var[c] = v;
        for (size_t i = 0; i < t->M; i++) {
            size_t at = i * t->C + c;
            double z =
                (x[at] - m) / sqrt(v + eps) * gamma[c] + beta[c] + (t->add ? add[at] : 0);
            y[at] = act_of(z, t->act);
            loss += (double)dy[at] * y[at];
        }
    }
    return loss;
}

static double *to_double(const float *x, size_t n)
{
    double *d = xcalloc(n ? n : 1, sizeof *d);
    for (size_t i = 0; i < n; i++)
        d[i] = (double)x[i];
    return d;
}

// The parts of a norm put together, the rows in two tiles.
static void norm_train(struct norm *n, float *y, const float *x, const float *add, size_t M)
{
    size_t first = M / 3, at = first * n->C;
    norm_begin(n);
    if (first)
        norm_gather(n, x, first);
    norm_gather(n, x + at, M - first);
    norm_end(n);
    norm_apply(n, 0, y, x, add, M);
}

static void norm_back(struct norm *n, float *dx, float *g, const float *dy, const float *x,
                      const float *add, const float *y, size_t M)
{
    size_t first = M / 3, at = first * n->C;
    norm_begin(n);
    if (first)
        norm_grad(n, 0, g, dy, x, add, y, first);
    norm_grad(n, 0, g + at, dy + at, x + at, add ? add + at : NULL, y + at, M - first);
    norm_back_end(n);
    norm_dx(n, 0, dx, g, x, M);
}

static void check_norm(const struct norm_case *t, uint64_t seed)
{
    const float eps = 1e-5f;
    size_t M = t->M, C = t->C, n = M * C;
    struct rng r = rng_key(seed, 2, RNG_SAMPLE);
    float *x = tensor_random(&r, n), *add = tensor_random(&r, n), *dy = tensor_random(&r, n);
    float *gamma = tensor_random(&r, C), *beta = tensor_random(&r, C);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(t->mean + t->deviation * (double)x[i]);
    double *xd = to_double(x, n), *ad = to_double(add, n), *y = xcalloc(n, sizeof *y);
    double *gd = to_double(gamma, C), *bd = to_double(beta, C);
    double *mean = xcalloc(2 * C, sizeof *mean), *var = mean + C;
    norm_exact(y, mean, var, xd, ad, gd, bd, dy, t, (double)eps);
    // Exact gradients, from the formula in double; checked by differences below.
    double *g = xcalloc(2 * n, sizeof *g), *dx = g + n;
    double *dg = xcalloc(2 * C, sizeof *dg), *db = dg + C;
    for (size_t c = 0; c < C; c++) {
        double rs = 1 / sqrt(var[c] + (double)eps);
        for (size_t i = 0; i < M; i++) {
            size_t at = i * C + c;
            double xh = (xd[at] - mean[c]) * rs;
            double z = xh * gd[c] + bd[c] + (t->add ? ad[at] : 0);
            g[at] = (double)dy[at] * act_slope(z, t->act);
            dg[c] += g[at] * xh, db[c] += g[at];
        }
        for (size_t i = 0; i < M; i++) {
            size_t at = i * C + c;
            double xh = (xd[at] - mean[c]) * rs;
            dx[at] = gd[c] * rs * (g[at] - db[c] / (double)M - xh * dg[c] / (double)M);
        }
    }
    // float cannot hold the mean better than this, in units of the deviation
    double tol = 1e-5 + 4 * 0x1p-24 * fabs(t->mean) / (t->deviation + 1e-30);
    EACH_ISA(isa)
    {
        float *ky = tensor(n), *rm = tensor(C), *rv = tensor(C), *kdx = tensor(n);
        float *kda = tensor(n), *kdg = tensor(C), *kdb = tensor(C);
        const float *plus = t->add ? add : NULL;
        struct norm norm = {
            C,    t->act, eps, 1, gamma, beta, rm, rv, kdg, kdb, tensor(norm_floats(C)),
            NULL, false,  0,   0, NULL};
        for (size_t c = 0; c < C; c++)
            rm[c] = 0.25f, rv[c] = 2, kdg[c] = 1, kdb[c] = -1;
        norm_train(&norm, ky, x, plus, M); // momentum 1: the batch's own statistics
        for (size_t c = 0; c < C; c++) {
            double unbiased = M > 1 ? var[c] * (double)M / (double)(M - 1) : var[c];
            double slack = 0x1p-24 * fabs(mean[c]) + 1e-6 * t->deviation;
            check_within("mean", rm + c, mean + c, &slack, 1);
            check_close("variance", (double)rv[c], unbiased, 1e-5);
            rm[c] = 0.25f, rv[c] = 2;
        }
        norm.momentum = 0.1f;
        norm_train(&norm, ky, x, plus, M);
        for (size_t c = 0; c < C; c++) {
            double unbiased = M > 1 ? var[c] * (double)M / (double)(M - 1) : var[c];
            check_close("running mean", (double)rm[c], 0.9 * 0.25 + 0.1 * mean[c], 1e-6);
            check_close("running var", (double)rv[c], 1.8 + 0.1 * unbiased, 1e-5);
        }
        for (size_t i = 0; i < n; i++)
            check_close(isa, (double)ky[i], y[i], tol);
        norm_back(&norm, kdx, kda, dy, x, plus, ky, M);
        for (size_t c = 0; c < C; c++) {
            check_close("dgamma", (double)kdg[c] - 1, dg[c], tol * sqrt((double)M) + 1e-5);
            check_close("dbeta", (double)kdb[c] + 1, db[c], tol * sqrt((double)M) + 1e-5);
        }
        for (size_t i = 0; i < n; i++) {
            double scale = fabs(gd[i % C]) / sqrt(var[i % C] + (double)eps);
            check_close("dx", (double)kdx[i] / (scale + 1), dx[i] / (scale + 1), 4 * tol);
            check_close("g", (double)kda[i], g[i], 4 * tol);
        }
        // In place: g and dx over dy, y over x.
        float *over = tensor_copy(dy, n);
        norm_back(&norm, over, over, over, x, plus, ky, M);
        assert_memory_equal(over, kdx, n * sizeof *over);
        free(over);
        over = tensor_copy(x, n);
        norm_train(&norm, over, over, plus, M);
        assert_memory_equal(over, ky, n * sizeof *over);
        // Testing with the batch's own statistics gives the same result.
        for (size_t c = 0; c < C; c++)
            rm[c] = (float)mean[c], rv[c] = (float)var[c];
        norm_running(&norm);
        norm_apply(&norm, 0, over, x, plus, M);
        for (size_t i = 0; i < n; i++)
            check_close("test", (double)over[i], y[i], tol);
        free(over), free(ky), free(rm), free(rv), free(kdx), free(kda), free(kdg), free(kdb);
        free(norm.state);
    }
    // The formula itself, by differences of the loss.
    for (int j = 0; j < 6 && n < 2000; j++) {
        size_t at = rng_below(&r, n);
        double h = 1e-5 * t->deviation, old = xd[at];
        double *yy = xcalloc(n + 2 * C, sizeof *yy);
        xd[at] = old + h;
        double up = norm_exact(yy, yy + n, yy + n + C, xd, ad, gd, bd, dy, t, (double)eps);
        xd[at] = old - h;
        double down = norm_exact(yy, yy + n, yy + n + C, xd, ad, gd, bd, dy, t, (double)eps);
        xd[at] = old;
        if (fabs(t->mean) < 100 && t->act != ACT_RELU) // ReLU may flip between
            check_close("difference", (up - down) / (2 * h), dx[at], 1e-4);
        free(yy);
    }
    free(x), free(add), free(dy), free(gamma), free(beta), free(xd), free(ad), free(y);
    free(gd), free(bd), free(mean), free(g), free(dg);
}

static void test_norm(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1},    {2, 3},    {7, 8},    {64, 16},   {130, 24},
                                      {129, 33}, {643, 12}, {1000, 5}, {300, 259}, {5, 600}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int act = ACT_NONE; act <= ACT_SILU; act++)
            for (int add = 0; add <= 1; add++) {
                struct norm_case t = {sizes[i][0], sizes[i][1], (enum activation)act,
                                      add,         0.3,         2};
                check_norm(&t, i);
            }
    // |mean| >> deviation, and no deviation at all
    check_norm(&(struct norm_case){4096, 17, ACT_NONE, false, 1000, 0.5}, 50);
    check_norm(&(struct norm_case){1024, 24, ACT_SILU, false, -30000, 10}, 51);
}

static void test_norm_constant(void **state)
{
    (void)state;
    enum { M = 500, C = 24 };
    float *x = tensor(M * C), *y = tensor(M * C), *gamma = tensor(C), *beta = tensor(C);
    float *rm = tensor(C), *rv = tensor(C), *dg = tensor(C), *db = tensor(C);
    float *kept = tensor(norm_floats(C));
    for (int i = 0; i < M * C; i++)
        x[i] = 12345.678f;
    EACH_ISA(isa)
    {
        struct norm norm = {C,  ACT_NONE, 1e-5f, 1,    gamma, beta, rm, rv,
                            dg, db,       kept,  NULL, false, 0,    0,  NULL};
        for (int c = 0; c < C; c++)
            gamma[c] = 3, beta[c] = 0.5f, rm[c] = rv[c] = 0;
        norm_train(&norm, y, x, NULL, M);
        for (int i = 0; i < M * C; i++)
            check_close(isa, (double)y[i], 0.5, 1e-6);
        assert_true(rm[7] == 12345.678f && rv[7] == 0);
    }
    free(x), free(y), free(gamma), free(beta), free(rm), free(rv), free(dg), free(db);
    free(kept);
}

static void test_norm_nan(void **state)
{
    (void)state;
    enum { M = 300, C = 20 };
    struct rng r = rng_key(3, 3, RNG_SAMPLE);
    float *x = tensor_random(&r, M * C), *y = tensor(M * C), *dx = tensor(M * C);
    float *gamma = tensor(C), *beta = tensor(C), *rm = tensor(C), *rv = tensor(C);
    float *dg = tensor(C), *db = tensor(C), *kept = tensor(norm_floats(C));
    x[77 * C + 17] = NAN;
    EACH_ISA(isa)
    {
        struct norm norm = {C,  ACT_RELU, 1e-5f, 0.1f, gamma, beta, rm, rv,
                            dg, db,       kept,  NULL, false, 0,    0,  NULL};
        for (int c = 0; c < C; c++)
            gamma[c] = 1, beta[c] = dg[c] = db[c] = 0, rm[c] = rv[c] = 1;
        norm_train(&norm, y, x, NULL, M);
        for (int i = 0; i < M * C; i++)
            assert_int_equal(isnan(y[i]) != 0, i % C == 17);
        assert_true(isnan(rm[17]) && isnan(rv[17]) && !isnan(rm[16]));
        norm_back(&norm, dx, dx, x, x, NULL, y, M);
        assert_true(isnan(dx[17]) && !isnan(dx[16]) && isnan(dg[17]) && !isnan(dg[18]));
        for (norm.act = ACT_RELU; norm.act <= ACT_SILU; norm.act++) {
            rm[17] = rv[17] = 1;
            norm_running(&norm);
            norm_apply(&norm, 0, y, x, NULL, M);
            for (int i = 0; i < M * C; i++)
                assert_int_equal(isnan(y[i]) != 0, i == 77 * C + 17);
        }
    }
    free(x), free(y), free(dx), free(gamma), free(beta), free(rm), free(rv), free(dg);
    free(db), free(kept);
}

// ---- squeeze-excitation ----------------------------------------------------------------

struct se_size {
    size_t N, HW, C, Q;
};
static double se_loss(const double *x, const double *w1, const double *b1, const double *w2,
                      const double *b2, const float *dy, double *y, struct se_size s,
                      enum activation act)
{
    double loss = 0, *pool = xcalloc(s.C + s.Q, sizeof *pool), *hidden = pool + s.C;
    for (size_t n = 0; n < s.N; n++) {
        const double *xn = x + n * s.HW * s.C;
        for (size_t c = 0; c < s.C; c++) {
            pool[c] = 0;
            for (size_t i = 0; i < s.HW; i++)
                pool[c] += xn[i * s.C + c] / (double)s.HW;
        }
        for (size_t q = 0; q < s.Q; q++) {
            double z = b1[q];
            for (size_t c = 0; c < s.C; c++)
                z += pool[c] * w1[q * s.C + c];
            hidden[q] = act_of(z, act);
        }
        for (size_t c = 0; c < s.C; c++) {
            double z = b2[c];
            for (size_t q = 0; q < s.Q; q++)
                z += hidden[q] * w2[c * s.Q + q];
            for (size_t i = 0; i < s.HW; i++) {
                size_t at = (n * s.HW + i) * s.C + c;
                y[at] = x[at] / (1 + exp(-z));
                loss += (double)dy[at] * y[at];
            }
        }
    }
    free(pool);
    return loss;
}

static void test_se(void **state)
{
    (void)state;
    static const struct se_size sizes[] = {
        {3, 16, 24, 6}, {2, 1, 8, 1}, {4, 9, 140, 13}, {1, 64, 5, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int act = ACT_RELU; act <= ACT_SILU; act++) {
            struct se_size s = sizes[i];
            struct rng r = rng_key(i, 4, RNG_SAMPLE);
            size_t n = s.N * s.HW * s.C, CQ = s.C * s.Q, NC = s.N * s.C, NQ = s.N * s.Q;
            size_t counts[] = {n, CQ, s.Q, CQ, s.C};
            float *in[5], *grad[5], *dy = tensor_random(&r, n), *y = tensor(n);
            double *ind[5], *yd = xcalloc(2 * n, sizeof *yd), *ye = yd + n;
            for (int j = 0; j < 5; j++) {
                in[j] = tensor_random(&r, counts[j]);
                ind[j] = to_double(in[j], counts[j]);
                grad[j] = tensor(counts[j]);
            }
            se_loss(ind[0], ind[1], ind[2], ind[3], ind[4], dy, ye, s, (enum activation)act);
            float *pool = tensor(NC), *pre = tensor(NQ), *hidden = tensor(NQ),
                  *gate = tensor(NC);
            float *scratch = tensor(se_scratch(s.N, s.C, s.Q));
            EACH_ISA(isa)
            {
                se_forward(y, pool, pre, hidden, gate, in[0], in[1], in[2], in[3], in[4], s.N,
                           s.HW, s.C, s.Q, (enum activation)act, scratch);
                for (size_t j = 0; j < n; j++)
                    check_close(isa, (double)y[j], ye[j], 3e-6);
                for (int j = 1; j < 5; j++)
                    memset(grad[j], 0, counts[j] * sizeof(float));
                se_backward(grad[0], grad[1], grad[2], grad[3], grad[4], dy, in[0], pool, pre,
                            hidden, gate, in[1], in[3], s.N, s.HW, s.C, s.Q,
                            (enum activation)act, scratch);
                for (int j = 0; j < 20; j++) {
                    size_t at = rng_below(&r, counts[j % 5]);
                    double *p = &ind[j % 5][at], old = *p, h = 1e-6;
                    *p = old + h;
                    double up = se_loss(ind[0], ind[1], ind[2], ind[3], ind[4], dy, yd, s,
                                        (enum activation)act);
                    *p = old - h;
                    double down = se_loss(ind[0], ind[1], ind[2], ind[3], ind[4], dy, yd, s,
                                          (enum activation)act);
                    *p = old;
                    check_close(isa, (double)grad[j % 5][at], (up - down) / (2 * h), 2e-5);
                }
            }
            for (int j = 0; j < 5; j++)
                free(in[j]), free(ind[j]), free(grad[j]);
            free(dy), free(y), free(yd), free(pool), free(pre), free(hidden), free(gate);
            free(scratch);
        }
}

// ---- pooling ---------------------------------------------------------------------------

static void test_maxpool(void **state)
{
    (void)state;
    static const int sizes[][4] = {
        {2, 8, 8, 16}, {1, 7, 9, 5}, {3, 1, 1, 33}, {2, 2, 5, 24}, {1, 16, 3, 1}};
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        int N = sizes[t][0], H = sizes[t][1], W = sizes[t][2], C = sizes[t][3];
        int Ho = conv_out(H, 2), Wo = conv_out(W, 2);
        size_t n = (size_t)(N * H * W * C), m = (size_t)(N * Ho * Wo * C);
        struct rng r = rng_key(t, 5, RNG_SAMPLE);
        float *x = tensor_random(&r, n), *dy = tensor_random(&r, m), *y = tensor(m),
              *dx = tensor(n);
        for (size_t i = 0; i < n; i++) { // many ties, some NaN and Inf
            x[i] = (float)(int)(3 * x[i]);
            if (rng_below(&r, 40) == 0)
                x[i] = rng_below(&r, 2) ? NAN : -INFINITY;
        }
        int *from = xcalloc(m, sizeof *from);
        EACH_ISA(isa)
        {
            maxpool_forward(y, from, x, N, H, W, C);
            maxpool_backward(dx, dy, from, N, H, W, C);
            double *want = xcalloc(n, sizeof *want);
            for (int i = 0; i < (int)m; i++) {
                int c = i % C, ox = i / C % Wo, oy = i / C / Wo % Ho, img = i / C / Wo / Ho;
                int at = -1;
                const float *xi = x + (size_t)(img * H * W * C);
                for (int iy = 2 * oy - 1; iy <= 2 * oy + 1; iy++)
                    for (int ix = 2 * ox - 1; ix <= 2 * ox + 1; ix++) {
                        if (iy < 0 || iy >= H || ix < 0 || ix >= W)
                            continue;
                        float v = xi[(iy * W + ix) * C + c];
                        float b = at < 0 ? 0 : xi[at * C + c];
                        if (at < 0 || v > b || (isnan(v) && !isnan(b)))
                            at = iy * W + ix;
                    }
                float best = xi[at * C + c];
                assert_int_equal(from[i], at);
                assert_true(y[i] == best || (isnan(y[i]) && isnan(best)));
                want[(size_t)(img * H * W * C + at * C + c)] += (double)dy[i];
            }
            for (size_t i = 0; i < n; i++)
                check_close(isa, (double)dx[i], want[i], 1e-6);
            free(want);
        }
        free(x), free(dy), free(y), free(dx), free(from);
    }
}

static void test_gap(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{2, 64, 16}, {3, 1, 7}, {1, 49, 300}, {2, 16, 24}};
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        size_t N = sizes[t][0], HW = sizes[t][1], C = sizes[t][2];
        struct rng r = rng_key(t, 6, RNG_SAMPLE);
        float *x = tensor_random(&r, N * HW * C), *y = tensor(N * C),
              *dx = tensor(N * HW * C);
        EACH_ISA(isa)
        {
            gap_forward(y, x, N, HW, C);
            gap_backward(dx, y, N, HW, C);
            for (size_t n = 0; n < N; n++)
                for (size_t c = 0; c < C; c++) {
                    double sum = 0;
                    for (size_t i = 0; i < HW; i++)
                        sum += (double)x[(n * HW + i) * C + c];
                    check_close(isa, (double)y[n * C + c], sum / (double)HW, 1e-6);
                    for (size_t i = 0; i < HW; i++)
                        check_close(isa, (double)dx[(n * HW + i) * C + c],
                                    (double)y[n * C + c] / (double)HW, 1e-7);
                }
        }
        free(x), free(y), free(dx);
    }
}

// ---- linear, loss, optimiser -----------------------------------------------------------

static void test_linear(void **state)
{
    (void)state;
    enum { N = 7, C = 37, K = 11 };
    struct rng r = rng_key(1, 7, RNG_SAMPLE);
    float *x = tensor_random(&r, N * C), *w = tensor_random(&r, K * C),
          *b = tensor_random(&r, K);
    float *dy = tensor_random(&r, N * K), *y = tensor(N * K), *dx = tensor(N * C);
    float *scratch = tensor(linear_scratch(C, K));
    EACH_ISA(isa)
    {
        float dw[K * C] = {0}, db[K] = {0};
        linear_forward(y, x, w, b, N, C, K, scratch);
        linear_backward(dx, dw, db, dy, x, w, N, C, K);
        linear_backward(NULL, dw, db, dy, x, w, N, C, K); // adds a second time
        for (int n = 0; n < N; n++)
            for (int k = 0; k < K; k++) {
                double sum = (double)b[k];
                for (int c = 0; c < C; c++)
                    sum += (double)x[n * C + c] * (double)w[k * C + c];
                check_close(isa, (double)y[n * K + k], sum, 2e-6);
            }
        for (int c = 0; c < C; c++) {
            for (int n = 0; n < N; n++) {
                double sum = 0;
                for (int k = 0; k < K; k++)
                    sum += (double)dy[n * K + k] * (double)w[k * C + c];
                check_close("dx", (double)dx[n * C + c], sum, 2e-6);
            }
            for (int k = 0; k < K; k++) {
                double sum = 0, bias = 0;
                for (int n = 0; n < N; n++) {
                    sum += 2 * (double)dy[n * K + k] * (double)x[n * C + c];
                    bias += 2 * (double)dy[n * K + k];
                }
                check_close("dw", (double)dw[k * C + c], sum, 2e-6);
                check_close("db", (double)db[k], bias, 2e-6);
            }
        }
    }
    free(x), free(w), free(b), free(dy), free(y), free(dx), free(scratch);
}

static void test_loss(void **state)
{
    (void)state;
    // By hand: two classes, logits (0, ln 3): p = (1/4, 3/4).
    float logits[] = {0, 1.0986123f, 0, 1.0986123f}, d[4];
    int labels[] = {1, 0}, wrong = -1;
    double loss = softmax_loss(d, &wrong, logits, labels, 2, 2, 0);
    check_close("loss", loss, (log(4.0 / 3) + log(4.0)) / 2, 1e-7);
    assert_int_equal(wrong, 1);
    check_close("d", (double)d[0], 0.125, 1e-7);
    check_close("d", (double)d[1], -0.125, 1e-7);
    check_close("d", (double)d[2], -0.375, 1e-7);
    // Smoothing 0.2 over two classes: targets 0.9 and 0.1.
    loss = softmax_loss(NULL, &wrong, logits, labels, 1, 2, 0.2f);
    check_close("smooth", loss, 0.9 * log(4.0 / 3) + 0.1 * log(4.0), 1e-6);
    // Ties: the first of the largest is the answer.
    float tie[] = {1, 5, 5};
    softmax_loss(NULL, &wrong, tie, (int[]){1}, 1, 3, 0);
    assert_int_equal(wrong, 0);
    softmax_loss(NULL, &wrong, tie, (int[]){2}, 1, 3, 0);
    assert_int_equal(wrong, 1);
    // A NaN anywhere: wrong, and the loss says so; a huge logit does not overflow.
    float bad[] = {9, NAN, 1};
    assert_true(isnan(softmax_loss(d, &wrong, bad, (int[]){0}, 1, 3, 0)));
    assert_int_equal(wrong, 1);
    assert_true(isnan(d[0]));
    float huge[] = {3e4f, -3e4f, 0};
    check_close("huge", softmax_loss(d, &wrong, huge, (int[]){1}, 1, 3, 0), 6e4, 1e-9);
    float inf[] = {0, INFINITY};
    assert_false(isfinite(softmax_loss(d, &wrong, inf, (int[]){0}, 1, 2, 0)));
    // The gradient is the slope.
    struct rng r = rng_key(2, 8, RNG_SAMPLE);
    enum { N = 5, K = 10 };
    float x[N * K], dx[N * K];
    int lab[N];
    for (int i = 0; i < N * K; i++)
        x[i] = (float)(4 * rng_uniform(&r) - 2);
    for (int i = 0; i < N; i++)
        lab[i] = (int)rng_below(&r, K);
    softmax_loss(dx, &wrong, x, lab, N, K, 0.1f);
    for (int i = 0; i < N * K; i++) {
        float old = x[i], up = old + 0x1p-8f, down = old - 0x1p-8f;
        x[i] = up;
        double a = softmax_loss(NULL, &wrong, x, lab, N, K, 0.1f);
        x[i] = down;
        double b = softmax_loss(NULL, &wrong, x, lab, N, K, 0.1f);
        x[i] = old;
        check_close("slope", (double)dx[i], (a - b) / ((double)up - (double)down), 1e-6);
    }
}

// Two labels an image: the definition, sum over classes of target times -log p, and the slope.
static double mixed_loss(const float *x, const int *labels, const int *others, double share,
                         double smoothing, int N, int K)
{
    double loss = 0;
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            sum += exp((double)x[i * K + k]);
        for (int k = 0; k < K; k++) {
            double target = smoothing / K;
            target += (1 - smoothing) * share * (k == labels[i]);
            target += (1 - smoothing) * (1 - share) * (k == others[i]);
            loss -= target * ((double)x[i * K + k] - log(sum));
        }
    }
    return loss / N;
}

static void test_mixed_loss(void **state)
{
    (void)state;
    enum { N = 6, K = 7 };
    static const float shares[] = {0, 0.3f, 0.5f, 0.9f, 1}, smoothings[] = {0, 0.1f};
    struct rng r = rng_key(3, 8, RNG_SAMPLE);
    float x[N * K], dx[N * K], plain[N * K];
    int labels[N], others[N], wrong, old_wrong;
    for (int i = 0; i < N * K; i++)
        x[i] = (float)(4 * rng_uniform(&r) - 2);
    for (int i = 0; i < N; i++) {
        labels[i] = (int)rng_below(&r, K);
        others[i] = i == 2 ? labels[i] : (int)rng_below(&r, K);
    }
    for (int q = 0; q < 10; q++) {
        float share = shares[q / 2], ls = smoothings[q % 2];
        double loss = softmax_loss_mixed(dx, &wrong, x, labels, others, share, N, K, ls);
        check_close("loss", loss,
                    mixed_loss(x, labels, others, (double)share, (double)ls, N, K), 1e-9);
        int missed = 0; // against the heavier label
        for (int i = 0; i < N; i++) {
            int top = 0;
            for (int k = 1; k < K; k++)
                if (x[i * K + k] > x[i * K + top])
                    top = k;
            missed += top != (share >= 0.5f ? labels[i] : others[i]);
        }
        assert_int_equal(wrong, missed);
        for (int i = 0; i < N * K; i++) {
            float old = x[i], up = old + 0x1p-8f, down = old - 0x1p-8f;
            x[i] = up;
            double a = softmax_loss_mixed(NULL, &wrong, x, labels, others, share, N, K, ls);
            x[i] = down;
            double b = softmax_loss_mixed(NULL, &wrong, x, labels, others, share, N, K, ls);
            x[i] = old;
            check_close("slope", (double)dx[i], (a - b) / ((double)up - (double)down), 1e-6);
        }
        if (share == 1) { // of one label, to the bit
            double one = softmax_loss(plain, &old_wrong, x, labels, N, K, ls);
            assert_true(one == loss);
            assert_memory_equal(plain, dx, sizeof plain);
        }
    }
}

// Three steps by hand, each value a formula away from the definition.
static void test_sgd(void **state)
{
    (void)state;
    enum { N = 21 };
    EACH_ISA(isa)
    {
        for (int nesterov = 0; nesterov <= 1; nesterov++) {
            float p[N], v[N] = {0}, g[N];
            double q[N], u[N] = {0};
            for (int i = 0; i < N; i++)
                p[i] = 1 + (float)i / 8, q[i] = (double)p[i];
            for (int step = 0; step < 3; step++) {
                for (int i = 0; i < N; i++)
                    g[i] = (float)(step + 1) - (float)i / 4;
                sgd_step(p, v, g, N, 0.5f, 0.25f, 0.5f, nesterov);
                for (int i = 0; i < N; i++) {
                    double d = (double)g[i] + 0.25 * q[i];
                    u[i] = 0.5 * u[i] + d;
                    q[i] -= 0.5 * (nesterov ? d + 0.5 * u[i] : u[i]);
                    check_close(isa, (double)p[i], q[i], 1e-6);
                    check_close(isa, (double)v[i], u[i], 1e-6);
                }
            }
        }
    }
    // PyTorch 2: p 1, g 0.5 each step, lr 0.1, wd 0.01, momentum 0.9, Nesterov.
    float p = 1, v = 0, g = 0.5f;
    static const double want[] = {0.9031, 0.7650741, 0.5902100};
    for (int step = 0; step < 3; step++) {
        sgd_step(&p, &v, &g, 1, 0.1f, 0.01f, 0.9f, true);
        check_close("pytorch", (double)p, want[step], 1e-6);
    }
}

static void test_gemm(void **state)
{
    (void)state;
    struct error e = {""};
    if (!gemm_selfcheck(&e))
        fail_msg("%s", e.msg);
    assert_non_null(strstr(gemm_library(), gemm_corename()));
    // beta = 0 overwrites NaN even when there is nothing to sum
    float c[4] = {NAN, NAN, NAN, NAN}, a = 0;
    gemm(false, false, 2, 2, 0, 1, &a, 1, &a, 2, 0, c, 2);
    for (int i = 0; i < 4; i++)
        assert_true(c[i] == 0);
}

static void test_isa(void **state)
{
    (void)state;
    assert_true(isa_set("portable"));
    assert_string_equal(isa_name(), "portable");
    assert_false(isa_set("nothing"));
    assert_string_equal(isa_name(), "portable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm),       cmocka_unit_test(test_norm_constant),
        cmocka_unit_test(test_norm_nan),   cmocka_unit_test(test_se),
        cmocka_unit_test(test_maxpool),    cmocka_unit_test(test_gap),
        cmocka_unit_test(test_linear),     cmocka_unit_test(test_loss),
        cmocka_unit_test(test_mixed_loss), cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_gemm),       cmocka_unit_test(test_isa),
    };
    return cmocka_run_group_tests_name("nn", tests, NULL, NULL);
}
