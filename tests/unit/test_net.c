/* Whole small networks against PyTorch in double precision (tests/data, made by
 * scripts/make_fixtures.py): logits, gradients and three steps within 1e-4; and the
 * memory of a network. */
#include "fixture.h"

#include <math.h>

#include "base/memory.h"
#include "model/plan.h"

static const double TOLERANCE = 1e-4, FLOOR = 1e-2;

struct reference {
    struct fixture weights, expect;
    struct net *net;
    int batch;
    const int *labels;
    float smoothing;
};

static void reference_start(struct reference *r)
{
    for (size_t i = 0; i < net_params(r->net); i++) {
        const struct param *p = net_param(r->net, i);
        size_t n;
        const float *from = fixture_find(&r->weights, p->name, &n);
        if (!from || n != p->count)
            fail_msg("%s: not in the file with %zu values", p->name, p->count);
        float *to = net_values(r->net, p);
        for (size_t k = 0; k < n; k++)
            to[param_index(p, k)] = from[k];
    }
}

static void reference_input(struct reference *r)
{
    size_t n;
    const float *x = fixture_find(&r->expect, "x", &n);
    memcpy(net_input(r->net), x, n * sizeof *x);
}

static struct reference reference_open(const char *name)
{
    struct reference r = {.weights = fixture_open(name, ".safetensors"),
                          .expect = fixture_open(name, ".expect.safetensors")};
    struct arch a = fixture_arch(&r.weights);
    size_t n;
    r.labels = (const int *)(const void *)fixture_find(&r.expect, "labels", &n);
    r.batch = (int)n;
    struct error e;
    r.net = net_new(&a, r.batch, &e);
    if (!r.net)
        fail_msg("%s", e.msg);
    const char *s = strstr(r.expect.header, "\"label_smoothing\":\"");
    r.smoothing = strtof(s + strlen("\"label_smoothing\":\""), NULL);
    reference_start(&r);
    return r;
}

static void reference_close(struct reference *r)
{
    net_free(r->net);
    fixture_close(&r->weights);
    fixture_close(&r->expect);
}

// Relative error of values against the reference "KIND.NAME", which holds all of them or
// evenly spaced samples and the norm of all.  Zeros (the gradient of a shift before a batch
// norm is one) count as values of norm FLOOR.
static double difference(const struct reference *r, const char *kind, const char *name,
                         const float *got, const struct param *p, size_t count)
{
    char key[96];
    size_t n, one;
    snprintf(key, sizeof key, "%s%s", kind, name);
    const float *want = fixture_find(&r->expect, key, &n);
    if (!want)
        fail_msg("no reference %s", key);
    double error = 0, size = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = n == count ? i : i * count / n;
        double d = (double)got[p ? param_index(p, from) : from] - (double)want[i];
        error += d * d;
        size += (double)want[i] * (double)want[i];
    }
    double worst = sqrt(error) / (sqrt(size) + FLOOR);
    if (n == count)
        return worst;
    snprintf(key, sizeof key, "norm.%s%s", kind, name);
    want = fixture_find(&r->expect, key, &one);
    for (size_t i = 0; i < count; i++)
        norm += (double)got[i] * (double)got[i];
    double off = fabs(sqrt(norm) - (double)*want) / ((double)*want + FLOOR);
    return worst > off ? worst : off;
}

static double worst_of(struct reference *r, const char *kind, bool gradients)
{
    double worst = 0;
    for (size_t i = 0; i < net_params(r->net); i++) {
        const struct param *p = net_param(r->net, i);
        if (gradients && p->buffer)
            continue;
        const float *got = gradients ? net_gradients(r->net, p) : net_values(r->net, p);
        double d = difference(r, kind, p->name, got, p, p->count);
        if (!(d <= TOLERANCE))
            print_message("# %s%s is off by %g\n", kind, p->name, d);
        if (!(d <= worst))
            worst = d;
    }
    return worst;
}

static void check_net(void **state)
{
    const char *name = *state;
    struct reference r = reference_open(name);
    size_t classes = (size_t)net_arch(r.net)->classes, n = (size_t)r.batch * classes;
    const float wd[3] = {0.001f, 0.002f, 0.01f};
    double worst[4];
    reference_input(&r);
    worst[0] = difference(&r, "", "eval", net_forward(r.net, r.batch, false), NULL, n);
    for (int step = 0; step < 3; step++) {
        int wrong;
        reference_input(&r);
        const float *logits = net_forward(r.net, r.batch, true);
        if (step == 0)
            worst[1] = difference(&r, "", "logits", logits, NULL, n);
        double loss = net_backward(r.net, r.labels, r.smoothing, &wrong);
        assert_true(loss > 0 && loss < 100);
        if (step == 0)
            worst[2] = worst_of(&r, "gradient.", true);
        net_step(r.net, 0.05f, 0.9f, true, wd);
    }
    worst[3] = worst_of(&r, "after.", false);
    print_message("# %-12s eval %.1e  logits %.1e  gradients %.1e  three steps %.1e\n", name,
                  worst[0], worst[1], worst[2], worst[3]);
    for (int i = 0; i < 4; i++)
        assert_true(worst[i] <= TOLERANCE);
    reference_close(&r);
}

// The loss falls along the gradient as the gradient says, in every parameter at once: the
// net is smooth (SiLU), so single precision is enough for a central difference.
static void check_finite_difference(void **state)
{
    struct reference r = reference_open(*state);
    double h = 3e-3, norm = 0, loss[2];
    int wrong;
    reference_input(&r);
    net_forward(r.net, r.batch, true);
    net_backward(r.net, r.labels, r.smoothing, &wrong);
    for (size_t i = 0; i < net_params(r.net); i++) {
        const struct param *p = net_param(r.net, i);
        for (size_t k = 0; !p->buffer && k < p->count; k++)
            norm += (double)net_gradients(r.net, p)[k] * (double)net_gradients(r.net, p)[k];
    }
    norm = sqrt(norm);
    assert_true(norm > 0.1);
    for (int side = 0; side < 2; side++) {
        struct reference s = reference_open(*state);
        for (size_t i = 0; i < net_params(r.net); i++) {
            const struct param *p = net_param(r.net, i);
            for (size_t k = 0; !p->buffer && k < p->count; k++)
                net_values(s.net, p)[k] +=
                    (float)((side ? -h : h) / norm * (double)net_gradients(r.net, p)[k]);
        }
        reference_input(&s);
        net_forward(s.net, s.batch, true);
        loss[side] = net_backward(s.net, s.labels, s.smoothing, &wrong);
        reference_close(&s);
    }
    double slope = (loss[0] - loss[1]) / (2 * h);
    print_message("# %s: slope %g, norm of the gradient %g\n", (char *)*state, slope, norm);
    assert_true(fabs(slope / norm - 1) < 5e-3);
    reference_close(&r);
}

// What net_bytes says is what net_new takes, and freeing gives all of it back.
static void test_bytes(void **state)
{
    (void)state;
    struct fixture f = fixture_open("y", ".safetensors");
    struct arch a = fixture_arch(&f);
    struct error e;
    net_trim();
    size_t before = block_total();
    struct net *n = net_new(&a, 20, &e);
    assert_int_equal(block_total() - before, net_bytes(&a, 20, 1));
    assert_true(net_set_batch(n, 40, &e));
    assert_int_equal(net_batch(n), 40);
    net_free(n);
    net_trim();
    assert_int_equal(block_total(), before);
    fixture_close(&f);
}

static void test_refusals(void **state)
{
    (void)state;
    struct fixture f = fixture_open("x_g1", ".safetensors");
    struct arch a = fixture_arch(&f);
    struct error e;
    assert_null(net_new(&a, 0, &e));
    assert_string_equal(e.msg, "batch is 0; it must be from 1 to 65536");
    a.image = 1024;
    a.w[0] = 4096;
    assert_true(arch_complete(&a, &e));
    assert_null(net_new(&a, 65536, &e));
    assert_non_null(strstr(e.msg, "at batch 65536, and this process may use"));
    // more bytes than a size_t counts
    a = (struct arch){.stages = 1,
                      .d = {1000},
                      .w = {32768},
                      .b = {0.5},
                      .g = {65536},
                      .stride = {1},
                      .stem = STEM_CIFAR,
                      .stem_width = 32768,
                      .act = ACT_RELU,
                      .classes = 10,
                      .image = 1024};
    assert_true(arch_complete(&a, &e));
    assert_null(net_new(&a, 65536, &e));
    assert_non_null(strstr(e.msg, "at batch 65536, and this process may use"));
    fixture_close(&f);
}

// Tensors that live at the same time never overlap, in either mode, and the arena is
// hardly larger than what is alive at the fullest moment.
static void test_layout(void **state)
{
    (void)state;
    struct fixture f = fixture_open("y", ".safetensors");
    struct arch a = fixture_arch(&f);
    struct plan *p = plan_new(&a, 3);
    for (int m = 0; m < MODES; m++)
        for (int i = 0; i < p->n_tensors; i++)
            for (int j = 0; j < i; j++) {
                const struct tensor *x = &p->tensors[i], *y = &p->tensors[j];
                bool together = x->first[m] <= y->last[m] && y->first[m] <= x->last[m] &&
                                x->first[m] <= x->last[m] && y->first[m] <= y->last[m];
                bool apart = x->offset[m] + x->floats <= y->offset[m] ||
                             y->offset[m] + y->floats <= x->offset[m];
                assert_true(!together || apart);
                assert_true(x->offset[m] + x->floats <= p->arena);
            }
    size_t fullest = 0;
    for (int time = 0; time <= 2 * p->n; time++) {
        size_t alive = 0;
        for (int i = 0; i < p->n_tensors; i++)
            if (p->tensors[i].first[MODE_TRAIN] <= time &&
                time <= p->tensors[i].last[MODE_TRAIN])
                alive += p->tensors[i].floats;
        fullest = alive > fullest ? alive : fullest;
    }
    print_message("# arena %zu floats, alive at the fullest moment %zu\n", p->arena, fullest);
    assert_true(p->arena < fullest + fullest / 10);
    plan_free(p);
    fixture_close(&f);
}

// Fewer images than the batch, and any batch size, give the same logits when testing.
static void test_partial(void **state)
{
    (void)state;
    struct reference r = reference_open("basic");
    size_t classes = (size_t)net_arch(r.net)->classes;
    float whole[64];
    reference_input(&r);
    memcpy(whole, net_forward(r.net, 4, false), 4 * classes * sizeof *whole);
    struct error e;
    assert_true(net_set_batch(r.net, 9, &e));
    reference_input(&r);
    const float *part = net_forward(r.net, 3, false);
    for (size_t i = 0; i < 3 * classes; i++)
        assert_true(fabsf(part[i] - whole[i]) <= 1e-5f * (1 + fabsf(whole[i])));
    reference_close(&r);
}

// The kind of every drawn weight: its deviation, and constants where they belong.
static void test_init(void **state)
{
    (void)state;
    struct arch a = {.stages = 1,
                     .d = {2},
                     .w = {64},
                     .g = {16},
                     .b = {1},
                     .stride = {1},
                     .block = BLOCK_X,
                     .stem = STEM_CIFAR,
                     .stem_width = 64,
                     .se = 0.25,
                     .act = ACT_RELU,
                     .classes = 10,
                     .image = 8};
    struct error e;
    assert_true(arch_complete(&a, &e));
    struct net *n = net_new(&a, 1, &e), *same = net_new(&a, 2, &e);
    net_init(n, 7, true);
    net_init(same, 7, true);
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        const float *v = net_values(n, p);
        double square = 0, most = 0;
        for (size_t k = 0; k < p->count; k++) {
            square += (double)v[k] * (double)v[k];
            most = fmax(most, fabs((double)v[k]));
        }
        double deviation = sqrt(square / (double)p->count), want;
        assert_memory_equal(v, net_values(same, p), p->count * sizeof *v);
        if (p->group == PARAM_WEIGHT) {
            int fan = p->dims == 4 ? p->shape[2] * p->shape[3] * p->shape[0] : 0;
            want = fan ? sqrt(2.0 / fan) : 0.01;
            assert_true(fabs(deviation / want - 1) < 5 / sqrt(2.0 * (double)p->count));
        } else if (strstr(p->name, "f_ex") && strstr(p->name, "bias")) {
            double limit = 1 / sqrt(net_param(n, i - 1)->shape[1]);
            assert_true(most <= limit && most > 0.5 * limit);
        } else {
            bool last = strstr(p->name, "c_bn.weight") != NULL;
            want = strstr(p->name, "bias") || strstr(p->name, "mean") || last ? 0 : 1;
            assert_true(deviation == want && most == want);
        }
    }
    net_free(n);
    net_free(same);
}

// A name as the state that cmocka hands to a test.
static void *as_state(const char *name)
{
    return (void *)(uintptr_t)name;
}

int main(void)
{
    static const char *const nets[] = {
        "x_g1",     "x_g2",    "x_g4",        "x_g8",       "x_g16",   "x_g24",
        "x_g32",    "x_b2",    "x_b4",        "x_inverted", "x_mixed", "x_odd",
        "y",        "y_silu",  "silu",        "r",          "v",       "vr",
        "basic",    "vanilla", "stem_simple", "stem_res",   "head",    "linear",
        "mb",       "mb_relu", "x_k5",        "vanilla_k5", "gray",    "gray_simple",
        "gray_res",
    };
    enum { NETS = sizeof nets / sizeof *nets };
    struct CMUnitTest tests[NETS + 7];
    size_t n = 0;
    for (; n < NETS; n++)
        tests[n] = (struct CMUnitTest){nets[n], check_net, NULL, NULL, as_state(nets[n])};
    tests[n++] = (struct CMUnitTest){"finite difference: silu", check_finite_difference, NULL,
                                     NULL, as_state("silu")};
    tests[n++] = (struct CMUnitTest){"finite difference: y_silu", check_finite_difference,
                                     NULL, NULL, as_state("y_silu")};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_bytes);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_refusals);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_layout);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_partial);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_init);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
