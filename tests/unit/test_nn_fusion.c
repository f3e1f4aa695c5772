/* Norms fused with a convolution, tile by tile (struct fusion of nn/layers.h) against
 * the same operations one after the other over whole tensors. */
#include "nn_check.h"

// A norm of C channels with its own parameters and state.
struct fixture {
    struct norm norm;
    float *block;
};

static struct fixture norm_random(struct rng *r, size_t C, enum activation act)
{
    size_t step = (C + 15) / 16 * 16;
    float *b = tensor_random(r, 6 * step + norm_floats(C));
    for (size_t c = 0; c < C; c++)
        b[3 * step + c] = b[3 * step + c] * b[3 * step + c] + 0.5f; // a variance
    return (struct fixture){{C, act, 1e-5f, 0.1f, b, b + step, b + 2 * step, b + 3 * step,
                             b + 4 * step, b + 5 * step, b + 6 * step, NULL, false, 0, 0,
                             NULL},
                            b};
}

static void gather_all(struct norm *n, const float *x, size_t M)
{
    norm_begin(n);
    norm_gather(n, x, M);
    norm_end(n);
}

static void check_same(const char *what, const char *name, const float *got,
                       const float *want, size_t n)
{
    float most = 0; // in double GCC 12.2 fails on this loop for aarch64
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(want[i]));
    double largest = (double)most;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= 3e-5 * largest))
            fail_msg("%s, %s: element %zu of %zu is %.9g, wanted %.9g (largest %.3g)", what,
                     name, i, n, (double)got[i], (double)want[i], largest);
}

// One way of using a convolution: which norms, and whether in's result is stored.
struct use {
    bool in, kept, add, out, sum, drops; // drops: some images lack what the norms end
    enum activation act;
};

static void check_use(const char *isa, const struct conv *c, const struct use *u,
                      uint64_t seed)
{
    struct rng r = rng_key(seed, 5, RNG_SAMPLE);
    size_t Mx = (size_t)(c->N * c->H * c->W), nx = Mx * (size_t)c->C;
    size_t My = (size_t)(c->N * conv_out(c->H, c->S) * conv_out(c->W, c->S));
    size_t ny = My * (size_t)c->K, nw = (size_t)(c->K * c->R * c->R * c->C / c->G);
    float *x = tensor_random(&r, nx), *w = tensor_random(&r, nw),
          *add = tensor_random(&r, nx);
    float *dy = tensor_random(&r, ny), *held = tensor_random(&r, nx);
    float *scratch = tensor(conv_scratch(c)), *plus = u->add ? add : NULL;
    struct rng same = r; // in2 and out2 start as in and out
    struct fixture in = norm_random(&r, (size_t)c->C, u->act);
    struct fixture out = norm_random(&r, (size_t)c->K, ACT_RELU);
    struct fixture in2 = norm_random(&same, (size_t)c->C, u->act);
    struct fixture out2 = norm_random(&same, (size_t)c->K, ACT_RELU);
    unsigned char has[64];
    struct fixture *norms[] = {&in, &in2, &out, &out2};
    struct survival lives[4];
    for (int i = 0; i < c->N; i++)
        has[i] = rng_below(&r, 3) > 0;
    for (size_t i = 0; i < 4; i++) {
        lives[i] = (struct survival){has, 1.5f, (i < 2 ? Mx : My) / (size_t)c->N,
                                     tensor(survival_floats(norms[i]->norm.C))};
        norms[i]->norm.survival = u->drops ? &lives[i] : NULL;
    }
    gather_all(&in.norm, x, Mx), gather_all(&in2.norm, x, Mx);
    char what[160];
    snprintf(what, sizeof what, "%s N%d H%d C%d K%d R%d S%d G%d, act %d%s%s%s%s", isa, c->N,
             c->H, c->C, c->K, c->R, c->S, c->G, (int)u->act, u->kept ? " kept" : "",
             u->add ? " add" : "", u->sum ? " sum" : "", u->drops ? " drops" : "");

    // Forward, training: one after the other, then as one.
    float *z = tensor(nx), *z2 = tensor(nx), *y = tensor(ny), *y2 = tensor(ny);
    norm_apply(&in.norm, 0, z, x, plus, Mx);
    conv_forward(y, u->in ? z : x, w, c, NULL, scratch);
    gather_all(&out.norm, y, My);
    struct fusion b = {.in = u->in ? &in2.norm : NULL,
                       .in_add = plus,
                       .in_y = u->kept ? z2 : NULL,
                       .out = u->out ? &out2.norm : NULL};
    conv_forward(y2, x, w, c, &b, scratch);
    check_same(what, "y", y2, y, ny);
    if (u->in && u->kept)
        check_same(what, "kept", z2, z, nx);
    if (u->out)
        check_same(what, "running mean", out2.norm.running_mean, out.norm.running_mean,
                   (size_t)c->K);
    // Backward: dy is the g of out once its sums are made.
    float *du = tensor_copy(dy, ny), *dx = tensor_copy(held, nx),
          *dx2 = tensor_copy(held, nx);
    float *dw = tensor(nw), *dw2 = tensor(nw);
    memset(dw, 0, nw * sizeof *dw), memset(dw2, 0, nw * sizeof *dw2);
    if (u->out) {
        struct norm *both[] = {&out.norm, &out2.norm};
        for (int i = 0; i < 2; i++) {
            norm_begin(both[i]);
            norm_grad(both[i], 0, du, i ? du : dy, y, NULL, y, My);
            norm_back_end(both[i]);
        }
    }
    float *g = tensor_copy(du, ny);
    if (u->out)
        norm_dx(&out.norm, 0, du, du, y, My);
    float *part = tensor(nx);
    conv_backward(part, dw, du, u->in ? z : x, w, c, NULL, scratch);
    for (size_t i = 0; i < nx; i++)
        dx[i] = u->sum ? held[i] + part[i] : part[i];
    if (u->in) {
        norm_begin(&in.norm);
        norm_grad(&in.norm, 0, dx, dx, x, NULL, z, Mx);
        norm_back_end(&in.norm);
    }
    b.y = y2;
    b.sum = u->sum;
    conv_backward(dx2, dw2, g, x, w, c, &b, scratch);
    check_same(what, "dw", dw2, dw, nw);
    check_same(what, "dx", dx2, dx, nx);
    if (u->in) {
        check_same(what, "dgamma", in2.norm.dgamma, in.norm.dgamma, (size_t)c->C);
        check_same(what, "dbeta", in2.norm.dbeta, in.norm.dbeta, (size_t)c->C);
    }
    // Forward, testing: out is applied, with what it adds.
    const float *more = u->add ? dy : NULL;
    struct fusion t = {.out = &out2.norm, .testing = true, .add = more};
    out.norm.act = out2.norm.act = u->act;
    out.norm.survival = out2.norm.survival = NULL;
    conv_forward(y2, x, w, c, &t, scratch);
    conv_forward(y, x, w, c, NULL, scratch);
    memcpy(out.norm.running_mean, out2.norm.running_mean, (size_t)c->K * sizeof(float));
    memcpy(out.norm.running_var, out2.norm.running_var, (size_t)c->K * sizeof(float));
    norm_running(&out.norm);
    norm_apply(&out.norm, 0, y, y, more, My);
    check_same(what, "testing", y2, y, ny);
    float *all[] = {x,         w,         add,        dy, held, scratch, in.block,
                    in2.block, out.block, out2.block, z,  z2,   y,       y2,
                    du,        dx,        dx2,        dw, dw2,  g,       part};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (size_t i = 0; i < 4; i++)
        free(lives[i].state);
}

static void test_beside(void **state)
{
    (void)state;
    // Each way a convolution may go, in one tile and in many.
    static const struct conv shapes[] = {
        {3, 5, 7, 24, 40, 1, 1, 1},    {40, 16, 16, 24, 8, 1, 1, 1},
        {20, 16, 16, 24, 40, 1, 2, 1}, {3, 9, 9, 20, 12, 5, 1, 1},
        {20, 16, 16, 24, 24, 3, 1, 3}, {20, 16, 16, 24, 24, 3, 2, 24},
        {5, 8, 8, 32, 32, 3, 1, 2},    {14, 16, 16, 32, 48, 3, 1, 1},
        {2, 33, 31, 40, 40, 3, 1, 5},  {2, 64, 33, 40, 24, 1, 2, 1},
        {3, 33, 32, 56, 56, 3, 2, 7},  {3, 9, 9, 24, 12, 1, 1, 1},
        {3, 9, 9, 30, 30, 3, 1, 10},   {4, 12, 12, 20, 20, 3, 1, 20},
        {3, 9, 9, 40, 40, 3, 2, 2},
    };
    static const struct use uses[] = {
        {true, false, false, true, false, false, ACT_RELU},
        {true, true, true, true, true, false, ACT_RELU},
        {true, true, false, false, true, false, ACT_NONE},
        {true, false, false, true, false, false, ACT_SILU},
        {false, false, false, true, true, false, ACT_NONE},
        {true, true, false, true, false, false, ACT_RELU},
        {true, true, true, true, true, true, ACT_RELU},
        {true, true, true, true, false, true, ACT_NONE},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t j = 0; j < sizeof uses / sizeof *uses; j++)
            EACH_ISA(isa)
    check_use(isa, &shapes[i], &uses[j], 10 * i + j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside)};
    return cmocka_run_group_tests_name("nn_beside", tests, NULL, NULL);
}
