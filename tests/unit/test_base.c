/* base: keyed streams, their distributions at both ends, permutations, blocks, errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

static void streams_are_named_by_key_not_by_order(void **state)
{
    (void)state;
    struct rng a = rng_key(7, 3, RNG_SAMPLE), b = rng_key(7, 3, RNG_SAMPLE);
    struct rng others[] = {rng_key(8, 3, RNG_SAMPLE), rng_key(7, 4, RNG_SAMPLE),
                           rng_key(7, 3, RNG_INIT), rng_key(3, 7, RNG_SAMPLE)};
    uint64_t first = rng_u64(&a);
    assert_int_equal(first, rng_u64(&b));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(first, rng_u64(&others[i]));
}

// The numbers are part of every stored result; a change of generator must show here.
static void first_values_are_fixed(void **state)
{
    (void)state;
    struct rng r = rng_key(1, 2, RNG_ORDER);
    assert_int_equal(rng_u64(&r), 0x8dd1ba1b1d61d559u);
    assert_int_equal(rng_u64(&r), 0x9d89c3bfe0767742u);
}

static void below_reaches_both_ends_evenly(void **state)
{
    (void)state;
    enum { K = 7, DRAWS = 70000 };
    int seen[K] = {0};
    struct rng r = rng_key(1, 0, RNG_BOOTSTRAP);
    for (int i = 0; i < DRAWS; i++)
        seen[rng_below(&r, K)]++;
    double chi2 = 0, want = (double)DRAWS / K;
    for (int k = 0; k < K; k++)
        chi2 += (seen[k] - want) * (seen[k] - want) / want;
    assert_true(chi2 < 22.5); // 99.9 % point of chi-square with 6 degrees of freedom
    assert_int_equal(rng_below(&r, 1), 0);
}

static void uniform_and_normal_have_their_moments(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    struct rng r = rng_key(5, 0, RNG_INIT);
    double u = 0, s = 0, s2 = 0, s4 = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = rng_uniform(&r), z = rng_normal(&r);
        assert_true(x >= 0 && x < 1 && isfinite(z));
        u += x, s += z, s2 += z * z, s4 += z * z * z * z;
    }
    assert_true(fabs(u / DRAWS - 0.5) < 0.004);
    assert_true(fabs(s / DRAWS) < 0.012 && fabs(s2 / DRAWS - 1) < 0.02);
    assert_true(fabs(s4 / DRAWS - 3) < 0.15);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Against the distribution function, and beyond the ziggurat's last layer on its own.
static void normal_has_its_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 1000000 };
    struct rng r = rng_key(6, 0, RNG_INIT);
    double *z = xmalloc(DRAWS * sizeof *z), far = 0, largest = 0;
    for (int i = 0; i < DRAWS; i++) {
        z[i] = rng_normal(&r);
        far += fabs(z[i]) > 3.442619855899;
    }
    qsort(z, DRAWS, sizeof *z, by_value);
    for (int i = 0; i < DRAWS; i++) {
        double d = 0.5 * erfc(-z[i] / sqrt(2)) - (i + 0.5) / DRAWS;
        largest = fmax(largest, fabs(d));
    }
    assert_true(largest * sqrt(DRAWS) < 1.95); // Kolmogorov's 99.9 % point
    double tail = erfc(3.442619855899 / sqrt(2)) * DRAWS;
    assert_true(fabs(far - tail) < 4 * sqrt(tail));
    assert_true(z[DRAWS - 1] > 4.2 && z[0] < -4.2);
    free(z);
}

static void permutation_holds_every_index_once(void **state)
{
    (void)state;
    uint32_t order[1000];
    char seen[1000] = {0};
    struct rng r = rng_key(1, 1, RNG_ORDER);
    rng_permutation(&r, order, 1000);
    int moved = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(order[i] < 1000 && !seen[order[i]]);
        seen[order[i]] = 1;
        moved += order[i] != i;
    }
    assert_true(moved > 950);
}

static void blocks_are_zero_aligned_and_may_be_refused(void **state)
{
    (void)state;
    size_t sizes[] = {1, 4097, (2u << 20) - 1, (2u << 20) + 1};
    for (size_t i = 0; i < 4; i++) {
        unsigned char *p = block_alloc(sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        assert_int_equal(p[0] | p[sizes[i] - 1], 0);
        memset(p, 1, sizes[i]);
        block_free(p, sizes[i]);
    }
    assert_null(block_alloc((size_t)1 << 62));
    block_free(NULL, 10);
}

static void errors_are_formatted_and_cut(void **state)
{
    (void)state;
    struct error e;
    assert_false(error_set(&e, "stage %d: width %d", 2, 20));
    assert_string_equal(e.msg, "stage 2: width 20");
    char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    error_set(&e, "%s", longer);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    double last = clock_now();
    for (int i = 0; i < 1000; i++) {
        double now = clock_now();
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_named_by_key_not_by_order),
        cmocka_unit_test(first_values_are_fixed),
        cmocka_unit_test(below_reaches_both_ends_evenly),
        cmocka_unit_test(uniform_and_normal_have_their_moments),
        cmocka_unit_test(normal_has_its_distribution),
        cmocka_unit_test(permutation_holds_every_index_once),
        cmocka_unit_test(blocks_are_zero_aligned_and_may_be_refused),
        cmocka_unit_test(errors_are_formatted_and_cut),
        cmocka_unit_test(the_clock_never_goes_back),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
