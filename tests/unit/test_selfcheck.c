/* The self-check of the kernels: right ones pass, and each kind of wrong one is found, with
 * the instruction set that helps. */
#include "nn_check.h"

#include "model/selfcheck.h"
#include "nn/kernels.h"

static void test_right(void **state)
{
    (void)state;
    EACH_ISA(isa)
    {
        struct error e;
        if (!selfcheck_kernels(&e))
            fail_msg("%s", e.msg);
        assert_string_equal(isa_name(), isa);
    }
}

static void lazy_step(float *p, float *v, const float *g, size_t n, float lr, float wd,
                      float mu, bool nesterov)
{
    kernels_portable.sgd_step(p, v, g, n, lr * 0.98f, wd, mu, nesterov);
}

static void forgetful_pool(float *y, const float *x, size_t N, size_t HW, size_t C)
{
    kernels_portable.gap_forward(y, x, N, HW, C);
    y[N * C - 1] = 0;
}

static void poisoned_pool(float *dx, const float *dy, size_t N, size_t HW, size_t C)
{
    kernels_portable.gap_backward(dx, dy, N, HW, C);
    dx[0] = NAN;
}

// Wrong of one plane of gray alone: the stem of such networks.
static void colourful_weight(float *sum, const float *dy, const float *x,
                             const struct conv *c, float *scratch)
{
    kernels_portable.direct.weight(sum, dy, x, c, scratch);
    if (c->C == 1)
        sum[0] += 1;
}

static void test_wrong(void **state)
{
    (void)state;
    struct kernels broken[] = {kernels_portable, kernels_portable, kernels_portable,
                               kernels_portable};
    broken[0].sgd_step = lazy_step;
    broken[1].gap_forward = forgetful_pool;
    broken[2].gap_backward = poisoned_pool;
    broken[3].direct.weight = colourful_weight;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct error e = {""};
        broken[i].name = "broken";
        kernels_use(&broken[i]);
        assert_false(selfcheck_kernels(&e));
        assert_ptr_equal(kernels_get(), &broken[i]);
        assert_non_null(strstr(e.msg, "the broken kernels are wrong on this processor"));
        char remedy[64];
        snprintf(remedy, sizeof remedy, "NETSPACE_ISA=%s uses others", kernels_here(0)->name);
        assert_non_null(strstr(e.msg, remedy));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right),
                                       cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests_name("selfcheck", tests, NULL, NULL);
}
