/* Checkpoints: a training stopped anywhere and taken up by another network goes on at the
 * same bits; a damaged or foreign file is refused and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "noise.h"

enum { EPOCHS = 3, STEPS = 3, BATCH = 10 };

static char file[64];
static int left; // batches until the interrupt

static void count_down(void)
{
    if (left-- == 0)
        interrupt_flag = 1;
}

static bool counted_train(const void *self, float *x, int *labels, const uint32_t *index,
                          int n, const struct augment *augment, uint64_t seed, int epoch,
                          struct error *e)
{
    count_down();
    return noise_train(self, x, labels, index, n, augment, seed, epoch, e);
}

static bool counted_test(const void *self, enum split_name split, float *x, int *labels,
                         uint32_t first, int n, struct error *e)
{
    count_down();
    return noise_test(self, split, x, labels, first, n, e);
}

static bool note(void *self, const struct epoch_result *r)
{
    ((struct epoch_result *)self)[r->epoch - 1] = *r;
    return true;
}

static struct source data(void)
{
    struct source s = noise(BATCH * STEPS, BATCH + 3);
    s.train_batch = counted_train;
    s.test_batch = counted_test;
    return s;
}

static enum train_end train(struct net *n, struct train_point *at,
                            struct epoch_result rows[EPOCHS])
{
    struct source s = data();
    struct recipe r = paper;
    struct train_report report = {.epoch = note, .self = rows};
    struct epoch_result last;
    struct error why;
    r.batch = BATCH, r.epochs = EPOCHS;
    return train_run(n, &s, &r, at, &report, &last, &why);
}

static bool same_rows(const struct epoch_result *a, const struct epoch_result *b)
{
    for (int i = 0; i < EPOCHS; i++)
        if (a[i].epoch != b[i].epoch || a[i].lr != b[i].lr ||
            a[i].train_loss != b[i].train_loss || a[i].train_error != b[i].train_error ||
            a[i].validation.error != b[i].validation.error ||
            a[i].validation.loss != b[i].validation.loss)
            return false;
    return true;
}

// What an undisturbed training comes to.
struct calm {
    struct epoch_result rows[EPOCHS];
    float *weights;
    size_t count;
    double seconds;
};

static struct calm calm_training(void)
{
    struct calm c;
    struct train_point begin = {0};
    struct net *n = small_net(BATCH, 1);
    left = 1000;
    double start = clock_now();
    assert_int_equal(train(n, &begin, c.rows), TRAIN_DONE);
    c.seconds = clock_now() - start;
    c.weights = weights_copy(n, &c.count);
    net_free(n);
    return c;
}

// Trains until it is interrupted, keeps that in a file, which a network of other weights
// takes up and trains to the end; returns how the first one ended.
static enum train_end train_in_two(const struct calm *c)
{
    struct epoch_result rows[EPOCHS];
    struct train_point at = {0};
    struct error e;
    struct net *n = small_net(BATCH, 1);
    enum train_end end = train(n, &at, rows);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    interrupt_flag = 0;
    if (!net_checkpoint(n, file, "{}", "me", "here", &e))
        fail_msg("%s", e.msg);
    net_free(n);
    n = small_net(BATCH, 2);
    char *text = net_restore(n, file, "me", &e);
    if (!text)
        fail_msg("%s", e.msg);
    assert_string_equal(text, "here");
    free(text);
    left = 1000;
    assert_int_equal(train(n, &at, rows), TRAIN_DONE);
    assert_true(same_rows(rows, c->rows));
    size_t same;
    float *got = weights_copy(n, &same);
    assert_int_equal(same, c->count);
    assert_memory_equal(got, c->weights, c->count * sizeof *got);
    free(got);
    net_free(n);
    return end;
}

// At each batch of training or of a test, of each epoch.
static void test_batches(void **state)
{
    (void)state;
    struct calm c = calm_training();
    for (int stop = 0; stop < EPOCHS * (STEPS + 2); stop++) {
        left = stop;
        assert_int_equal(train_in_two(&c), TRAIN_INTERRUPTED);
    }
    free(c.weights);
}

static void on_alarm(int sig)
{
    (void)sig;
    interrupt_flag = 1;
}

// At any moment: also in the middle of a step, forward or backward.
static void test_anywhere(void **state)
{
    (void)state;
    struct calm c = calm_training();
    int interrupted = 0;
    signal(SIGALRM, on_alarm);
    for (int i = 1; i <= 100; i++) {
        left = 1000;
        long after = (long)(c.seconds * 1e6 * i / 100) + 1;
        struct itimerval timer = {.it_value = {after / 1000000, after % 1000000}};
        setitimer(ITIMER_REAL, &timer, NULL);
        interrupted += train_in_two(&c) == TRAIN_INTERRUPTED;
    }
    print_message("# %d of 100 trainings interrupted\n", interrupted);
    assert_true(interrupted > 0);
    free(c.weights);
}

static char *read_file(size_t *bytes)
{
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *bytes = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*bytes);
    assert_int_equal(fread(text, 1, *bytes, f), *bytes);
    fclose(f);
    return text;
}

static void write_file(const char *text, size_t bytes)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    fclose(f);
}

static void refused(struct net *n, const char *identity, const char *why)
{
    struct error e;
    size_t count;
    float *before = weights_copy(n, &count);
    char *text = net_restore(n, file, identity, &e);
    if (text)
        fail_msg("a bad checkpoint was taken");
    if (why && !strstr(e.msg, why))
        fail_msg("'%s' is not in '%s'", why, e.msg);
    assert_true(strncmp(e.msg, file, strlen(file)) == 0);
    float *after = weights_copy(n, &count);
    assert_memory_equal(before, after, count * sizeof *after);
    free(before), free(after);
}

static void test_refuses(void **state)
{
    (void)state;
    struct error e;
    struct net *n = small_net(BATCH, 1), *m = small_net(BATCH, 2);
    assert_true(net_checkpoint(n, file, "{}", "me", "{\"epoch\":12}", &e));
    refused(m, "you", "is of another training");
    size_t bytes;
    char *text = read_file(&bytes);
    struct rng r = rng_key(1, 1, RNG_ORDER);
    for (int i = 0; i < 300; i++) { // one bit anywhere: in lengths, names, texts, values
        size_t at = i < 40 ? rng_below(&r, 4096) : rng_below(&r, (uint32_t)bytes);
        char bit = (char)(1 << rng_below(&r, 8));
        text[at] ^= bit;
        write_file(text, bytes);
        char *taken = net_restore(m, file, "me", &e);
        if (taken) { // only where nobody looks: counters, the name of the format
            size_t count;
            float *x = weights_copy(n, &count), *y = weights_copy(m, &count);
            assert_memory_equal(x, y, count * sizeof *x);
            assert_string_equal(taken, "{\"epoch\":12}");
            free(taken), free(x), free(y);
            net_init(m, 2, false);
        }
        text[at] ^= bit;
    }
    char *epoch = memmem(text, bytes, ":12}", 4);
    assert_non_null(epoch);
    epoch[1] = '2';
    write_file(text, bytes);
    refused(m, "me", "is damaged: its checksum does not match");
    for (size_t cut = 1; cut < bytes; cut += 997) {
        write_file(text, bytes - cut);
        refused(m, "me", NULL);
    }
    assert_true(net_save(n, file, "{}", NULL, NULL, &e));
    refused(m, "me", "is not a checkpoint");
    unlink(file);
    refused(m, "me", "No such file");
    free(text);
    net_free(n), net_free(m);
}

// The weights of a checkpoint can be used as those of any file; momentum starts anew.
static void test_load(void **state)
{
    (void)state;
    struct error e;
    struct train_point at = {0};
    struct epoch_result rows[EPOCHS];
    struct net *n = small_net(BATCH, 1), *m = small_net(BATCH, 2);
    left = 1000;
    assert_int_equal(train(n, &at, rows), TRAIN_DONE);
    assert_true(net_checkpoint(n, file, "{\"d\":[1]}", "me", "", &e));
    if (!net_load(m, file, NULL, &e))
        fail_msg("%s", e.msg);
    net_rest(n);
    size_t count;
    float *x = weights_copy(n, &count), *y = weights_copy(m, &count);
    assert_memory_equal(x, y, count * sizeof *x);
    free(x), free(y);
    net_free(n), net_free(m);
}

static void test_checksum(void **state)
{
    (void)state;
    char bytes[64] = {0};
    uint64_t zero = checksum(0, bytes, 64);
    assert_true(checksum(checksum(0, bytes, 24), bytes, 40) == zero);
    for (size_t n = 1; n < 64; n++)
        assert_true(checksum(0, bytes, n) != checksum(0, bytes, n - 1));
    for (int i = 0; i < 64 * 8; i++) {
        bytes[i / 8] ^= (char)(1 << i % 8);
        assert_true(checksum(0, bytes, 64) != zero);
        for (int k = 0; k < i; k++) { // two bits: words cannot make up for each other
            bytes[k / 8] ^= (char)(1 << k % 8);
            assert_true(checksum(0, bytes, 64) != zero);
            bytes[k / 8] ^= (char)(1 << k % 8);
        }
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
}

int main(void)
{
    snprintf(file, sizeof file, "/tmp/netspace-checkpoint-%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),  cmocka_unit_test(test_anywhere),
        cmocka_unit_test(test_refuses),  cmocka_unit_test(test_load),
        cmocka_unit_test(test_checksum),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    return status;
}
