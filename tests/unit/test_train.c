/* Training: schedules to the digit, fitting, divergence, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "noise.h"

static void test_schedule(void **state)
{
    (void)state;
    static const double ten[] = {.05,  .048776, .045225, .039695, .032725,
                                 .025, .017275, .010305, .004775, .001224};
    struct recipe r = paper;
    for (int e = 0; e < 10; e++)
        assert_true(fabs((double)recipe_lr(&r, e) - ten[e]) < 5.1e-7);
    r.epochs = 100, r.lr = 0.8f, r.warmup = 5;
    static const struct {
        int epoch;
        double lr;
    } hundred[] = {
        {0, .08},     {1, .223945}, {2, .367637}, {3, .510864},
        {4, .653414}, {5, .795075}, {50, .4},     {99, .000197},
    };
    for (size_t i = 0; i < sizeof hundred / sizeof *hundred; i++)
        assert_true(fabs((double)recipe_lr(&r, hundred[i].epoch) - hundred[i].lr) < 5.1e-7);
    r.schedule = SCHEDULE_CONSTANT, r.warmup = 0;
    assert_true(recipe_lr(&r, 73) == 0.8f);
    r.schedule = SCHEDULE_COS_STEP, r.warmup = 2;
    assert_true(fabs((double)recipe_lr(&r, 0.5) - 0.8 * 0.99993832 * 0.325) < 1e-7);
}

static void test_check(void **state)
{
    (void)state;
    struct error e;
    struct source s = noise(20, 10);
    struct recipe r = paper;
    assert_true(recipe_check(&r, &s, &e));
    r.batch = 21;
    assert_false(recipe_check(&r, &s, &e));
    assert_string_equal(e.msg, "batch is 21, and there are only 20 training images; use a "
                               "batch of at most 20");
    r = paper, r.lr = NAN;
    assert_false(recipe_check(&r, NULL, &e));
    r = paper, r.wd_bn = -0.5f;
    assert_false(recipe_check(&r, NULL, &e));
    r = paper, r.momentum = 0;
    assert_false(recipe_check(&r, NULL, &e));
    r = paper, r.warmup = 11;
    assert_false(recipe_check(&r, NULL, &e));
    r = paper, r.epochs = 0;
    assert_false(recipe_check(&r, NULL, &e));
    assert_string_equal(e.msg, "epochs is 0; it must be from 1 to 100000");
}

static void test_overfit(void **state)
{
    (void)state;
    struct net *n = small_net(20, 1);
    struct source s = noise(20, 20);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    r.epochs = 100, r.lr = 0.1f;
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                     TRAIN_DONE);
    assert_int_equal(last.epoch, 100);
    print_message("# loss of 20 images learnt by heart: %g\n", last.train_loss);
    assert_true(last.train_loss < 0.02);
    assert_true(last.train_error == 0);
    assert_true(last.test_error == 0); // the same images, by the running statistics
    net_free(n);
}

static void test_diverges(void **state)
{
    (void)state;
    struct net *n = small_net(10, 1);
    struct source s = noise(40, 10);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    r.batch = 10, r.lr = 1000;
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                     TRAIN_DIVERGED);
    assert_true(last.test_error == 100 && last.epoch >= 1);
    assert_non_null(strstr(why.msg, "the loss became"));
    net_init(n, 1, false);
    net_values(n, net_param(n, 0))[5] = NAN; // one bad weight is enough
    r.lr = 0.01f;
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                     TRAIN_DIVERGED);
    assert_string_equal(why.msg + strlen("the loss became "), strstr(why.msg, "nan"));
    assert_true(train_test(n, &s) == 100);
    net_free(n);
}

static void test_same_seed(void **state)
{
    (void)state;
    struct source s = noise(45, 17);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    float *v[3];
    size_t count = 0;
    r.batch = 10, r.epochs = 2;
    for (int i = 0; i < 3; i++) {
        // whatever lay in the arena before must not matter
        struct net *other = small_net(7 + 20 * i, 9), *n = small_net(10, 1);
        net_free(other);
        r.seed = i == 2 ? 4 : 3;
        assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                         TRAIN_DONE);
        v[i] = weights_copy(n, &count);
        net_free(n);
    }
    assert_memory_equal(v[0], v[1], count * sizeof *v[0]);
    assert_true(memcmp(v[0], v[2], count * sizeof *v[0]) != 0); // another order
    for (int i = 0; i < 3; i++)
        free(v[i]);
}

// Rates set at every step are those of steps taken by hand.
static void test_cos_step(void **state)
{
    (void)state;
    static const double rates[] = {0.2, 0.1 + 0.1 * 0.70710678118654752, 0.1,
                                   0.1 - 0.1 * 0.70710678118654752};
    struct source s = noise(45, 17);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    r.batch = 10, r.epochs = 1, r.seed = 3, r.lr = 0.2f, r.schedule = SCHEDULE_COS_STEP;
    r.wd_bn = r.wd_bias = r.wd;
    struct net *n = small_net(10, 1), *m = small_net(10, 1);
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                     TRAIN_DONE);
    assert_true(last.lr == 0.2f);
    uint32_t order[45];
    struct rng rng = rng_key(r.seed, 0, RNG_ORDER);
    rng_permutation(&rng, order, 45);
    net_rest(m);
    for (int k = 0; k < 4; k++) {
        int labels[10], wrong;
        s.train_batch(s.self, net_input(m), labels, order + 10 * k, 10, r.seed, 0);
        assert_non_null(net_forward(m, 10, true));
        assert_true(net_backward(m, labels, 0, &wrong) > 0);
        net_step(m, (float)rates[k], r.momentum, r.nesterov, (float[]){r.wd, r.wd, r.wd});
    }
    size_t count;
    float *a = weights_copy(n, &count), *b = weights_copy(m, &count);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(a[i] - b[i]) <= 1e-5f * (1 + fabsf(a[i])));
    free(a);
    free(b);
    net_free(n);
    net_free(m);
}

static bool count_steps(void *self, const struct train_point *at, int steps, double loss)
{
    assert_true(at->step >= 1 && at->step <= steps && steps == 4 && loss > 0);
    ++*(int *)self;
    return true;
}

// The last partial batch is dropped in training and weighs as it should in the test;
// steps are reported, but not more than ten a second.
static void test_batches(void **state)
{
    (void)state;
    int reports = 0;
    struct net *n = small_net(10, 1);
    struct source s = noise(45, 17);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    struct train_report report = {.step = count_steps, .self = &reports};
    r.batch = 10, r.epochs = 3;
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, &report, &last, &why),
                     TRAIN_DONE);
    assert_true(last.seconds > 0 && reports <= 10 * 60);
    assert_true(fabs(last.images_per_s * last.seconds - 40) < 1e-6);
    double wrong = last.test_error / 100 * 17, trained = last.train_error / 100 * 40;
    assert_true(fabs(wrong - rint(wrong)) < 1e-9 && fabs(trained - rint(trained)) < 1e-9);
    struct error e;
    assert_true(net_set_batch(n, 17, &e));
    assert_true(train_test(n, &s) == last.test_error);
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule),  cmocka_unit_test(test_check),
        cmocka_unit_test(test_overfit),   cmocka_unit_test(test_diverges),
        cmocka_unit_test(test_same_seed), cmocka_unit_test(test_cos_step),
        cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
