/* Training: schedules to the digit, fitting, divergence, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "model/mix.h"
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

static struct metrics measured(struct net *n, const struct source *s, enum split_name split)
{
    struct tally t;
    struct error why;
    tally_start(&t, s->classes, false);
    assert_int_equal(train_measure(n, s, split, &t, &why), TRAIN_DONE);
    assert_int_equal(t.n, s->n[split]);
    struct metrics m = tally_metrics(&t);
    tally_end(&t);
    return m;
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
    assert_true(last.validation.error == 0); // the same images, by the running statistics
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
    assert_true(last.validation.error == 100 && last.epoch >= 1);
    assert_non_null(strstr(why.msg, "the loss became"));
    net_init(n, 1, false);
    net_values(n, net_param(n, 0))[5] = NAN; // one bad weight is enough
    r.lr = 0.01f;
    assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                     TRAIN_DIVERGED);
    assert_string_equal(why.msg + strlen("the loss became "), strstr(why.msg, "nan"));
    assert_true(measured(n, &s, SPLIT_TEST).error == 100);
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
        assert_true(s.train_batch(s.self, net_input(m), labels, order + 10 * k, 10,
                                  &r.augment, r.seed, 0, &why));
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
    double wrong = last.validation.error / 100 * 17, trained = last.train_error / 100 * 40;
    assert_true(fabs(wrong - rint(wrong)) < 1e-9 && fabs(trained - rint(trained)) < 1e-9);
    struct error e;
    assert_true(net_set_batch(n, 17, &e));
    assert_true(measured(n, &s, SPLIT_VALIDATION).error == last.validation.error);
    net_free(n);
}

// Metrics against a naive count: sort the logits of each image, and look where its label is.
static int place_of(const float *x, int label, int classes)
{
    int order[32], n = 0;
    for (int k = 0; k < classes; k++) { // insertion sort, stable, largest first
        int i = n++;
        for (; i > 0 && x[order[i - 1]] < x[k]; i--)
            order[i] = order[i - 1];
        order[i] = k;
    }
    for (int i = 0; i < n; i++)
        if (order[i] == label)
            return i;
    return -1;
}

static void test_metrics(void **state)
{
    (void)state;
    enum { IMAGES = 300, MOST = 12 };
    static const int class_counts[] = {1, 2, 5, 6, 12};
    for (int round = 0; round < 5; round++) {
        int K = class_counts[round], labels[IMAGES], wrong = 0, wrong5 = 0;
        static float x[IMAGES * MOST];
        struct rng r = rng_key(1, (uint64_t)round, RNG_BOOTSTRAP);
        double loss = 0, of[MOST] = {0}, missed[MOST] = {0};
        int matrix[MOST][MOST] = {{0}};
        int32_t answers[IMAGES];
        for (int i = 0; i < IMAGES; i++) {
            float *row = x + i * K;
            // the last class has no images; the first few are rare
            labels[i] = (int)rng_below(&r, (uint64_t)(K > 1 ? K - 1 : 1));
            if (labels[i] == 0 && i % 9)
                labels[i] = K > 2;
            double sum = 0, top = -1e9;
            for (int k = 0; k < K; k++) {
                row[k] = (float)(int)(4 * rng_normal(&r)) / 2; // with ties
                top = fmax(top, (double)row[k]);
            }
            for (int k = 0; k < K; k++)
                sum += exp((double)row[k] - top);
            loss += top + log(sum) - (double)row[labels[i]];
            int place = place_of(row, labels[i], K), answer = 0;
            while (place_of(row, answer, K) != 0)
                answer++;
            wrong += place > 0;
            wrong5 += place >= 5;
            of[labels[i]]++;
            missed[labels[i]] += place > 0;
            matrix[labels[i]][answer]++;
            answers[i] = answer;
        }
        struct tally t;
        tally_start(&t, K, true);
        t.answers = xcalloc(IMAGES, sizeof *t.answers);
        for (int i = 0; i < IMAGES; i += 7) // in batches
            tally_add(&t, x + i * K, labels + i, IMAGES - i < 7 ? IMAGES - i : 7);
        struct metrics m = tally_metrics(&t);
        assert_true(m.error == 100.0 * wrong / IMAGES);
        assert_true(fabs(m.loss - loss / IMAGES) < 1e-9);
        if (K <= 5)
            assert_true(isnan(m.top5_error));
        else
            assert_true(m.top5_error == 100.0 * wrong5 / IMAGES);
        double mean = 0;
        int present = 0;
        for (int k = 0; k < K; k++)
            if (of[k] > 0) {
                mean += 100 * missed[k] / of[k];
                present++;
            }
        assert_true(fabs(m.class_error - mean / present) < 1e-9);
        for (int i = 0; i < K; i++)
            for (int k = 0; k < K; k++)
                assert_int_equal(t.matrix[i * K + k], matrix[i][k]);
        assert_memory_equal(t.answers, answers, sizeof answers);
        tally_end(&t);
    }
    // a row that is no number is wrong, also among the first five, and answers nothing
    struct tally t;
    float bad[6] = {3, 2, NAN, 0, 0, 0};
    tally_start(&t, 6, true);
    t.answers = xcalloc(1, sizeof *t.answers);
    tally_add(&t, bad, (int[]){0}, 1);
    struct metrics m = tally_metrics(&t);
    assert_true(m.error == 100 && m.top5_error == 100 && m.class_error == 100);
    for (int i = 0; i < 36; i++)
        assert_int_equal(t.matrix[i], 0);
    assert_int_equal(t.answers[0], -1);
    tally_end(&t);
}

// An image that cannot be read ends the training with its name; the steps before it stay.
static bool unreadable_after(const void *self, float *x, int *labels, const uint32_t *index,
                             int n, const struct augment *augment, uint64_t seed, int epoch,
                             struct error *e)
{
    if (epoch == 1)
        return error_set(e, "image %u cannot be read", index[0]);
    return noise_train(self, x, labels, index, n, augment, seed, epoch, e);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct net *n = small_net(10, 1);
    struct source s = noise(40, 10);
    struct recipe r = paper;
    struct train_point at = {0};
    struct epoch_result last;
    struct error why;
    s.train_batch = unreadable_after;
    r.batch = 10;
    assert_int_equal(train_run(n, &s, &r, &at, NULL, &last, &why), TRAIN_UNREADABLE);
    assert_non_null(strstr(why.msg, "cannot be read"));
    assert_int_equal(last.epoch, 1);
    assert_true(at.epoch == 1 && at.step == 0);
    net_free(n);
}

// Shares of mixup and cutmix: the moments of a beta distribution; the box has the pixels that
// the share says; the key is all that matters.
static void test_mix_draws(void **state)
{
    (void)state;
    enum { DRAWS = 20000, IMAGE = 32 };
    static const float alphas[] = {0.2f, 1, 8};
    for (int k = 0; k < 3; k++) {
        struct augment a = {.mixup = alphas[k]};
        double sum = 0, squares = 0, variance = 1 / (4 * (2 * (double)alphas[k] + 1));
        for (uint32_t i = 0; i < DRAWS; i++) {
            struct mix m = mix_draw(&a, IMAGE, 5, (int)(i % 3), i);
            assert_true(m.share >= 0 && m.share <= 1 && m.box.width == 0);
            sum += (double)m.share;
            squares += ((double)m.share - 0.5) * ((double)m.share - 0.5);
        }
        assert_true(fabs(sum / DRAWS - 0.5) < 5 * sqrt(variance / DRAWS));
        assert_true(fabs(squares / DRAWS / variance - 1) < 0.05);
    }
    struct augment both = {.mixup = 1, .cutmix = 1}, none = {0}, tiny = {.mixup = 1e-6f};
    int cut = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        struct mix m = mix_draw(&both, IMAGE, 5, 0, i),
                   again = mix_draw(&both, IMAGE, 5, 0, i);
        assert_memory_equal(&m, &again, sizeof m);
        assert_true(m.box.x >= 0 && m.box.x + m.box.width <= IMAGE && m.box.y >= 0 &&
                    m.box.y + m.box.height <= IMAGE);
        if (m.box.width) {
            float outside = (float)(1 - m.box.width * m.box.height / (double)(IMAGE * IMAGE));
            assert_true(m.share == outside);
            cut++;
        }
        m = mix_draw(&tiny, IMAGE, 5, 0, i);
        assert_true(m.share >= 0 && m.share <= 1); // no 0/0
        assert_true(mix_draw(&none, IMAGE, 5, 0, i).share == 1);
    }
    assert_true(cut > 0.4 * DRAWS && cut < 0.6 * DRAWS);
}

// Pixels and targets of mixed batches, by their definition; an odd one stays in the middle.
static void test_mix_pixels(void **state)
{
    (void)state;
    enum { N = 5, IMAGE = 4, C = 3, LENGTH = IMAGE * IMAGE * C };
    static float before[N][LENGTH], x[N][LENGTH];
    const struct mix mixes[] = {{.share = 0.3f}, {.share = 0.75f, .box = {1, 2, 2, 2}}};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < N * LENGTH; i++)
            before[i / LENGTH][i % LENGTH] = x[i / LENGTH][i % LENGTH] = (float)i;
        mix_apply(&mixes[k], x[0], N, IMAGE, C);
        for (int i = 0; i < N; i++)
            for (int p = 0; p < LENGTH; p++) {
                const struct rect *b = &mixes[k].box;
                int row = p / (IMAGE * C), column = p / C % IMAGE;
                float own = before[i][p], other = before[N - 1 - i][p], want;
                bool inside = row >= b->y && row < b->y + b->height && column >= b->x &&
                              column < b->x + b->width;
                if (k == 0)
                    want = mixes[k].share * own + (1 - mixes[k].share) * other;
                else
                    want = inside ? other : own;
                assert_true(fabsf(x[i][p] - (i == N / 2 ? own : want)) < 1e-3f);
            }
    }
}

// A training with mixed images goes on at the same bits, and is another one than without.
static void test_mixed_training(void **state)
{
    (void)state;
    struct source s = noise(45, 17);
    struct recipe r = paper;
    struct epoch_result last;
    struct error why;
    float *v[3];
    size_t count = 0;
    r.batch = 10, r.epochs = 2, r.label_smoothing = 0.1f;
    for (int i = 0; i < 3; i++) {
        struct net *n = small_net(10, 1);
        r.augment = i == 2 ? (struct augment){0} : (struct augment){.mixup = 1, .cutmix = 1};
        assert_int_equal(train_run(n, &s, &r, &(struct train_point){0}, NULL, &last, &why),
                         TRAIN_DONE);
        v[i] = weights_copy(n, &count);
        net_free(n);
    }
    assert_memory_equal(v[0], v[1], count * sizeof *v[0]);
    assert_true(memcmp(v[0], v[2], count * sizeof *v[0]) != 0);
    for (int i = 0; i < 3; i++)
        free(v[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule),   cmocka_unit_test(test_check),
        cmocka_unit_test(test_overfit),    cmocka_unit_test(test_diverges),
        cmocka_unit_test(test_same_seed),  cmocka_unit_test(test_cos_step),
        cmocka_unit_test(test_batches),    cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_unreadable), cmocka_unit_test(test_mix_draws),
        cmocka_unit_test(test_mix_pixels), cmocka_unit_test(test_mixed_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
