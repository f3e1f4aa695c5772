/* Training: schedules to the digit, fitting, divergence, interrupts, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/interrupt.h"
#include "base/rng.h"
#include "model/train.h"

enum { SIDE = 8, CLASSES = 4, PIXELS = SIDE * SIDE * 3 };

// Random images with random labels: nothing to learn but by heart.
static void noise_image(float *x, uint32_t index)
{
    struct rng r = rng_key(11, index, RNG_SHAPES);
    for (int i = 0; i < PIXELS; i++)
        x[i] = (float)rng_normal(&r);
}

static int noise_label(uint32_t index)
{
    struct rng r = rng_key(12, index, RNG_SHAPES);
    return (int)rng_below(&r, CLASSES);
}

static void noise_train(const void *self, float *x, int *labels, const uint32_t *index,
                        int n, uint64_t seed, int epoch)
{
    (void)self, (void)seed, (void)epoch;
    for (int i = 0; i < n; i++) {
        noise_image(x + (size_t)i * PIXELS, index[i]);
        labels[i] = noise_label(index[i]);
    }
}

static void noise_test(const void *self, float *x, int *labels, uint32_t first, int n)
{
    (void)self;
    for (int i = 0; i < n; i++) {
        noise_image(x + (size_t)i * PIXELS, first + (uint32_t)i);
        labels[i] = noise_label(first + (uint32_t)i);
    }
}

static struct source noise(uint32_t train_n, uint32_t test_n)
{
    return (struct source){.image = SIDE,
                           .classes = CLASSES,
                           .train_n = train_n,
                           .test_n = test_n,
                           .train_batch = noise_train,
                           .test_batch = noise_test};
}

static struct net *small_net(int batch, uint64_t seed)
{
    struct arch a = {.stages = 2,
                     .d = {1, 1},
                     .w = {16, 32},
                     .g = {8, 8},
                     .b = {1, 1},
                     .stride = {1, 2},
                     .block = BLOCK_X,
                     .stem = STEM_CIFAR,
                     .stem_width = 8,
                     .act = ACT_RELU,
                     .classes = CLASSES,
                     .image = SIDE};
    struct error e;
    if (!arch_finish(&a, &e))
        fail_msg("%s", e.msg);
    struct net *n = net_new(&a, batch, &e);
    if (!n)
        fail_msg("%s", e.msg);
    net_init(n, seed, false);
    return n;
}

static const struct recipe paper = {
    .epochs = 10,
    .batch = 20,
    .lr = 0.05f,
    .wd = 5e-5f,
    .wd_bn = -1,
    .wd_bias = -1,
    .momentum = 0.9f,
    .nesterov = true,
    .schedule = SCHEDULE_COS,
    .warmup_factor = 0.1f,
    .seed = 3,
};

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
        assert_true(fabs((double)recipe_lr(&r, hundred[i].epoch) - hundred[i].lr) <
                    5.1e-7);
    r.schedule = SCHEDULE_CONSTANT, r.warmup = 0;
    assert_true(recipe_lr(&r, 73) == 0.8f);
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
    assert_string_equal(e.msg,
                        "batch is 21, and there are only 20 training images; use a "
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
    assert_int_equal(train_run(n, &s, &r, 0, NULL, &last, &why), TRAIN_DONE);
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
    assert_int_equal(train_run(n, &s, &r, 0, NULL, &last, &why), TRAIN_DIVERGED);
    assert_true(last.test_error == 100 && last.epoch >= 1);
    assert_non_null(strstr(why.msg, "the loss became"));
    net_init(n, 1, false);
    net_values(n, net_param(n, 0))[5] = NAN; // one bad weight is enough
    r.lr = 0.01f;
    assert_int_equal(train_run(n, &s, &r, 0, NULL, &last, &why), TRAIN_DIVERGED);
    assert_string_equal(why.msg + strlen("the loss became "), strstr(why.msg, "nan"));
    assert_true(train_test(n, &s) == 100);
    net_free(n);
}

static bool interrupt_after(void *self, const struct epoch_result *r)
{
    if (r->epoch == *(int *)self)
        interrupt_flag = 1;
    return true;
}

static bool stop_after(void *self, const struct epoch_result *r)
{
    return r->epoch != *(int *)self;
}

static size_t weights_of(struct net *n, float *out)
{
    size_t at = 0;
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        if (out)
            memcpy(out + at, net_values(n, p), p->count * sizeof *out);
        at += p->count;
    }
    return at;
}

static float *weights_copy(struct net *n, size_t *count)
{
    *count = weights_of(n, NULL);
    float *v = malloc(*count * sizeof *v);
    weights_of(n, v);
    return v;
}

// Interrupted after epoch 2 and continued from there: what was learnt is kept, and the
// epochs that were done are the same epochs.
static void test_interrupt(void **state)
{
    (void)state;
    int two = 2;
    size_t count;
    struct source s = noise(40, 10);
    struct recipe r = paper;
    struct epoch_result last, stopped;
    struct error why;
    r.batch = 10, r.epochs = 4;
    struct net *a = small_net(10, 1), *b = small_net(10, 1);
    struct train_report stop = {.epoch = stop_after, .self = &two};
    struct train_report interrupt = {.epoch = interrupt_after, .self = &two};
    assert_int_equal(train_run(a, &s, &r, 0, &stop, &stopped, &why), TRAIN_STOPPED);
    assert_int_equal(train_run(b, &s, &r, 0, &interrupt, &last, &why), TRAIN_INTERRUPTED);
    assert_int_equal(last.epoch, 2);
    assert_true(last.train_loss == stopped.train_loss);
    float *x = weights_copy(a, &count), *y = weights_copy(b, &count);
    assert_memory_equal(x, y, count * sizeof *x);
    assert_true(isnan(train_test(b, &s)));
    interrupt_flag = 0;
    assert_true(train_test(b, &s) == last.test_error);
    assert_int_equal(train_run(b, &s, &r, 2, NULL, &last, &why), TRAIN_DONE);
    assert_int_equal(last.epoch, 4);
    struct net *c = small_net(10, 1);
    assert_int_equal(train_run(c, &s, &r, 0, NULL, &stopped, &why), TRAIN_DONE);
    assert_true(stopped.train_loss == last.train_loss &&
                stopped.test_error == last.test_error);
    free(x), free(y);
    net_free(a), net_free(b), net_free(c);
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
        assert_int_equal(train_run(n, &s, &r, 0, NULL, &last, &why), TRAIN_DONE);
        v[i] = weights_copy(n, &count);
        net_free(n);
    }
    assert_memory_equal(v[0], v[1], count * sizeof *v[0]);
    assert_true(memcmp(v[0], v[2], count * sizeof *v[0]) != 0); // another order
    for (int i = 0; i < 3; i++)
        free(v[i]);
}

static bool count_steps(void *self, int epoch, int step, int steps, double loss)
{
    assert_true(epoch >= 1 && step >= 1 && step <= steps && steps == 4 && loss > 0);
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
    assert_int_equal(train_run(n, &s, &r, 0, &report, &last, &why), TRAIN_DONE);
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
        cmocka_unit_test(test_interrupt), cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
