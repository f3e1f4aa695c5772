/* A network gives the same bits for any number of threads: weights, momentum, running
 * statistics, losses and logits after steps of networks with every kind of layer, at a batch
 * that no number of threads divides.  An interrupt reaches all threads. */
#include "nn_check.h"

#include <pthread.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/pool.h"
#include "model/drop.h"
#include "model/net.h"

enum { BATCH = 13, CLASSES = 7, STEPS = 2 };

// Every kind of stem, block, activation, stride, group, kernel and method of convolution.
static const struct arch archs[] = {
    {.d = {1, 2},
     .w = {24, 48},
     .g = {8, 16},
     .b = {1, 2},
     .stem = STEM_RES,
     .stem_width = 16,
     .head_width = 40,
     .se = 0.25,
     .act = ACT_SILU,
     .image = 64},
    {.d = {1, 1},
     .w = {32, 64},
     .g = {1, 1},
     .b = {1, 1},
     .stem = STEM_CIFAR,
     .stem_width = 12},
    {.d = {1, 2},
     .w = {24, 40},
     .g = {8, 5},
     .b = {0.5, 1},
     .stem = STEM_SIMPLE,
     .stem_width = 16,
     .se = 0.25,
     .image = 34},
    {.d = {1, 1},
     .w = {16, 48},
     .b = {1, 1},
     .block = BLOCK_BASIC,
     .stem = STEM_CIFAR,
     .stem_width = 16,
     .image = 24},
    {.d = {1, 1},
     .w = {16, 40},
     .b = {1, 4},
     .block = BLOCK_R,
     .stem = STEM_CIFAR,
     .stem_width = 16},
    {.d = {1, 1},
     .w = {16, 24},
     .b = {1, 1},
     .block = BLOCK_VR,
     .stem = STEM_SIMPLE,
     .stem_width = 16,
     .kernel = {5, 5}},
    {.d = {1, 1},
     .w = {16, 24},
     .g = {1, 1},
     .b = {0.25, 0.25},
     .block = BLOCK_MB,
     .stem = STEM_SIMPLE,
     .stem_width = 16,
     .se = 0.25,
     .act = ACT_SILU,
     .kernel = {3, 5}},
    {.d = {1, 1},
     .w = {20, 24},
     .b = {1, 1},
     .block = BLOCK_VANILLA,
     .stem = STEM_CIFAR,
     .stem_width = 8,
     .channels = 1},
    {.d = {2, 1},
     .w = {16, 32},
     .g = {4, 32},
     .b = {1, 1},
     .block = BLOCK_LINEAR,
     .stem = STEM_CIFAR,
     .stem_width = 16,
     .image = 16},
};
enum { ARCHS = sizeof archs / sizeof *archs };

static bool drops; // steps leave out what drop.h says

static struct net *make(int number, int threads)
{
    struct arch a = archs[number];
    struct error e;
    a.stages = 2, a.stride[0] = 1, a.stride[1] = 2, a.classes = CLASSES;
    a.image = a.image ? a.image : 32;
    struct net *n = arch_complete(&a, &e) ? net_new(&a, BATCH, &e) : NULL;
    if (!n)
        fail_msg("network %d: %s", number, e.msg);
    net_init(n, 5, false);
    net_set_threads(n, threads);
    assert_true(net_want_drops(n, drops, &e));
    return n;
}

static void fill(struct net *n, int step)
{
    struct rng r = rng_key(7, (uint64_t)step, RNG_SHAPES);
    for (size_t i = 0; i < BATCH * arch_input(net_arch(n)); i++)
        net_input(n)[i] = (float)rng_normal(&r);
}

static double step(struct net *n, int number)
{
    static const int labels[BATCH] = {0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5};
    const float wd[3] = {1e-4f, 1e-4f, 1e-4f};
    int wrong;
    fill(n, number);
    if (drops)
        net_drop(n, &(struct drop){.dropout = 0.3f, .depth = 0.6f}, 3, 0, (uint32_t)number);
    net_forward(n, BATCH, true);
    double loss = net_backward(n, labels, 0.1f, &wrong);
    net_step(n, 0.05f, 0.9f, true, wd);
    return loss;
}

static void same_values(struct net *a, struct net *b, int number, int threads)
{
    for (size_t i = 0; i < net_params(a); i++) {
        const struct param *p = net_param(a, i);
        float *const of[][2] = {{net_values(a, p), net_values(b, p)},
                                {net_momentum(a, p), net_momentum(b, p)}};
        for (int k = 0; k < (p->buffer ? 1 : 2); k++)
            if (memcmp(of[k][0], of[k][1], p->count * sizeof(float)) != 0)
                fail_msg("network %d: %s of %s differs with %d threads", number,
                         k ? "momentum" : "value", p->name, threads);
    }
}

static void test_bits(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    static const int threads[] = {3}; // as it takes minutes
#else
    static const int threads[] = {2, 3, 5};
#endif
    EACH_ISA(isa)
    {
        for (int i = 0; i < ARCHS; i++) {
            drops = i % 2;
            struct net *one = make(i, 1);
            double losses[STEPS];
            for (int s = 0; s < STEPS; s++)
                losses[s] = step(one, s);
            for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
                struct net *n = make(i, threads[t]);
                for (int s = 0; s < STEPS; s++) {
                    assert_true(step(n, s) == losses[s]);
                    assert_true(isfinite(losses[s]));
                }
                assert_int_equal(pool_threads(), threads[t]);
                same_values(one, n, i, threads[t]);
                fill(one, STEPS), fill(n, STEPS);
                float logits[BATCH * CLASSES];
                memcpy(logits, net_forward(one, BATCH, false), sizeof logits);
                assert_memory_equal(net_forward(n, BATCH, false), logits, sizeof logits);
                net_free(n);
            }
            net_free(one);
        }
    }
    drops = false;
}

// A network may get other threads between two steps.
static void test_change(void **state)
{
    (void)state;
    struct net *one = make(0, 1), *n = make(0, 2);
    for (int s = 0; s < 4; s++) {
        net_set_threads(n, 1 + 3 * s % 4);
        assert_true(step(one, s) == step(n, s));
    }
    same_values(one, n, 0, 0);
    net_free(one);
    net_free(n);
}

static void *interrupt_soon(void *microseconds)
{
    usleep((useconds_t)(intptr_t)microseconds);
    __atomic_store_n(&interrupt_flag, 1, __ATOMIC_RELAXED);
    return NULL;
}

// Wherever the interrupt comes, all threads give up, and the step can be taken anew.
static void test_interrupt(void **state)
{
    (void)state;
    struct net *one = make(2, 1), *n = make(2, 3);
    int early = 0;
    for (int s = 0; s < 12; s++) {
        pthread_t thread;
        static const int labels[BATCH] = {0};
        int wrong;
        fill(n, s);
        pthread_create(&thread, NULL, interrupt_soon, (void *)(intptr_t)(300 * s));
        if (!net_forward(n, BATCH, true) || isnan(net_backward(n, labels, 0, &wrong)))
            early++;
        pthread_join(thread, NULL);
        interrupt_flag = 0;
    }
    assert_true(early > 0);
    net_init(n, 5, false);
    assert_true(step(one, 0) == step(n, 0));
    same_values(one, n, 2, 3);
    net_free(one);
    net_free(n);
}

// What net_bytes says is what a network and its threads take.
static void test_bytes(void **state)
{
    (void)state;
    drops = false;
    net_trim();
    size_t before = block_total();
    struct net *n = make(0, 1);
    assert_int_equal(block_total() - before, net_bytes(net_arch(n), BATCH, 1));
    net_set_threads(n, 3);
    assert_int_equal(block_total() - before, net_bytes(net_arch(n), BATCH, 3));
    net_free(n);
    net_trim();
    assert_int_equal(block_total(), before);
}

static void add_up(void *self, int thread)
{
    (void)thread;
    atomic_fetch_add((atomic_int *)self, 1);
}

// Threads that sleep wake up, and pieces are added in their order.
struct ordered {
    struct turns turns;
    int seen[1000], n;
};

static void in_order(void *self, int thread)
{
    struct ordered *o = self;
    (void)thread;
    for (int i; (i = turns_take(&o->turns)) < 1000;) {
        if (i % 333 == 7)
            usleep(2000);
        assert_true(turns_wait(&o->turns, i));
        o->seen[o->n++] = i;
        turns_pass(&o->turns, i);
    }
}

static void mark(void *self, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        ((char *)self)[i]++;
}

static void test_pool(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 6; threads++) {
        atomic_int count = 0;
        struct ordered o = {.n = 0};
        pool_set(threads);
        for (int i = 0; i < 100; i++) {
            if (i % 50 == 0)
                usleep(1000);
            pool_run(add_up, &count);
        }
        assert_int_equal(count, 100 * threads);
        turns_begin(&o.turns);
        pool_run(in_order, &o);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(o.seen[i], i);
        for (size_t n = 0; n < 70; n++) {
            char marks[70] = {0};
            pool_share(n, 16, mark, marks);
            for (size_t i = 0; i < 70; i++)
                assert_int_equal(marks[i], i < n);
        }
    }
    pool_set(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),      cmocka_unit_test(test_bits),
        cmocka_unit_test(test_change),    cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
