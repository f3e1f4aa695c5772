/* The survey of a data set: counts, bytes, sizes, and equal images within and between splits, on
 * a data set made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/survey.h"

enum { SIDE = 4, BYTES = SIDE * SIDE };

static uint8_t pixels[16][BYTES];

// Gray images of the numbers and labels given; number k has the pixels pixels[k].
static void fill(struct split *s, const int *numbers, const int *labels, uint32_t n)
{
    split_alloc(s, n, false);
    for (uint32_t i = 0; i < n; i++) {
        s->images[i] = (struct stored){pixels[numbers[i]], BYTES, SIDE, SIDE};
        s->labels[i] = (uint16_t)labels[i];
    }
}

static struct dataset *by_hand(void)
{
    static const char *const names[] = {"a", "b"};
    static const int train[] = {0, 1, 2, 2, 2, 3}, train_labels[] = {0, 0, 1, 1, 0, 1};
    static const int validation[] = {4, 3}, validation_labels[] = {0, 1};
    static const int test[] = {5, 2, 4, 6}, test_labels[] = {0, 1, 0, 1};
    struct data_options o = {.seed = 1};
    struct dataset *d = dataset_new("hand", "hand", SIDE, 1, 2, names, &o);
    for (int i = 0; i < 16; i++)
        memset(pixels[i], i, BYTES);
    fill(&d->train, train, train_labels, 6);
    fill(&d->validation, validation, validation_labels, 2);
    fill(&d->test, test, test_labels, 4);
    return d;
}

static void counts(void **state)
{
    (void)state;
    struct dataset *d = by_hand();
    struct survey s;
    assert_true(survey_make(&s, d));
    assert_int_equal(s.of[SPLIT_TRAIN][0].n, 3);
    assert_int_equal(s.of[SPLIT_TRAIN][1].n, 3);
    assert_int_equal(s.of[SPLIT_VALIDATION][1].n, 1);
    assert_int_equal(s.of[SPLIT_TEST][0].bytes, 2 * BYTES);
    assert_true(s.one_size);
    assert_int_equal(s.width[1], SIDE);
    // 2 is there three times in train and once in test; 3 in train and validation; 4 in
    // validation and test
    assert_int_equal(s.again[SPLIT_TRAIN][SPLIT_TRAIN], 2);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_TEST], 0);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_TRAIN], 1);
    assert_int_equal(s.again[SPLIT_TRAIN][SPLIT_TEST], 3);
    assert_int_equal(s.again[SPLIT_VALIDATION][SPLIT_TRAIN], 1);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_VALIDATION], 1);
    assert_int_equal(s.mislabelled, 1);
    assert_int_equal(s.nfirst, 5);
    int differ = 0;
    for (int i = 0; i < s.nfirst; i++)
        differ += s.first[i].labels_differ;
    assert_int_equal(differ, 1);
    survey_end(&s);
    dataset_free(d);
}

static void sizes(void **state)
{
    (void)state;
    struct dataset *d = by_hand();
    struct survey s;
    d->train.images[0].width = 9, d->train.images[0].height = 2;
    d->train.images[1].size = BYTES - 1; // not the same as any other, whatever its bytes
    d->test.images[0].bytes = pixels[1];
    assert_true(survey_make(&s, d));
    assert_false(s.one_size);
    assert_int_equal(s.width[0], SIDE);
    assert_int_equal(s.width[1], SIDE);
    assert_int_equal(s.width[2], 9);
    assert_int_equal(s.height[0], 2);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_TRAIN], 1);
    survey_end(&s);
    dataset_free(d);
}

// Where the split has checksums they tell images apart, not the bytes.
static void sums(void **state)
{
    (void)state;
    struct dataset *d = by_hand();
    struct survey s;
    d->validation.sums = xcalloc(2, sizeof *d->validation.sums);
    d->test.sums = xcalloc(4, sizeof *d->test.sums);
    for (int i = 0; i < 4; i++)
        d->test.sums[i] = i == 3 ? 2 : 1;
    d->validation.sums[0] = 2, d->validation.sums[1] = 1;
    assert_true(survey_make(&s, d));
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_TEST], 2);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_VALIDATION], 4);
    assert_int_equal(s.again[SPLIT_TEST][SPLIT_TRAIN], 0);
    survey_end(&s);
    dataset_free(d);
}

static void interrupted(void **state)
{
    (void)state;
    struct dataset *d = by_hand();
    struct survey s;
    interrupt_flag = 1;
    assert_false(survey_make(&s, d));
    survey_end(&s);
    interrupt_flag = 0;
    dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(sizes),
        cmocka_unit_test(sums),
        cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
