/* strata and weighted EDFs: bins and weights as the source defines them, and comparisons
 * against naive restatements and full enumeration. */
#include "stats_check.h"

#include "base/interrupt.h"
#include "stats/search.h"
#include "stats/strata.h"

static void bins_are_closed_below_and_the_last_on_both_sides(void **state)
{
    (void)state;
    const struct strata s = {10, 30, 4};
    const double x[] = {10, 14.99, 15, 20, 25, 29.99, 30}, out[] = {9.99, 30.01, NAN};
    const uint32_t want[] = {0, 0, 1, 2, 3, 3, 3};
    for (int i = 0; i < 7; i++)
        assert_int_equal(strata_bin(&s, x[i]), want[i]);
    for (int i = 0; i < 3; i++)
        assert_true(strata_bin(&s, out[i]) == NO_BIN);
    uint32_t bin[8];
    double weight[8], sum = 0;
    struct error e;
    const double y[] = {12, 13, 14, 16, 22, 26, 99, 30};
    assert_true(strata_assign(&s, y, 8, bin, weight, &e));
    const double share[] = {12, 12, 12, 4, 4, 8, INFINITY, 8};
    for (int i = 0; i < 8; i++) {
        NEAR(weight[i], 1 / share[i], 1e-15);
        sum += weight[i];
    }
    NEAR(sum, 1, 1e-14);
    assert_false(strata_assign(&s, (double[]){12, 16, 26}, 3, bin, weight, &e));
    assert_non_null(strstr(e.msg, "bin 3 of 4, from 20 to 25"));
}

static void weighted_edf_is_the_definition(void **state)
{
    (void)state;
    double e[] = {50, 40, 60, 50}, w[] = {1, 2, 4, 3}, naive[] = {50, 40, 60, 50};
    const double weight[] = {0.1, 0.2, 0.4, 0.3};
    struct edf f;
    struct error why;
    assert_true(edf_init_weighted(&f, e, w, 4, &why));
    double area = 0, mean = 0;
    for (double at = 35; at <= 65; at += 2.5) {
        double want = 0;
        for (int i = 0; i < 4; i++)
            want += naive[i] < at ? weight[i] : 0;
        NEAR(edf_at(&f, at), want, 1e-15);
    }
    for (int i = 0; i < 4; i++) {
        mean += weight[i] * naive[i];
        area += weight[i] * fmax(0, 1 - naive[i] / 55);
    }
    NEAR(f.mean, mean, 1e-13);
    NEAR(edf_area(&f, 55), area, 1e-13);
    NEAR(100 * (1 - edf_area(&f, 100)), mean, 1e-12);
    double x[4], y[4];
    assert_int_equal(edf_steps(&f, x, y), 3);
    assert_true(x[1] == 50 && y[2] == 1);
    NEAR(y[1], 0.6, 1e-15);
    NEAR(edf_quantile(&f, 0.2), 40, 0);
    NEAR(edf_quantile(&f, 0.21), 50, 0);
    NEAR(edf_quantile(&f, 0.6), 50, 0);
    NEAR(edf_quantile(&f, 1), 60, 0);
}

// A model of weight 3 counts as three alike.
static void whole_weights_count_as_copies(void **state)
{
    (void)state;
    static struct sample copies;
    double e[] = {50, 40, 60}, w[] = {1, 3, 2};
    struct edf f;
    struct error why;
    assert_true(edf_init_weighted(&f, e, w, 3, &why));
    const struct edf *g = fill(&copies, 6, (double[]){50, 40, 40, 40, 60, 60});
    for (size_t m = 1; m < 6; m++) {
        struct search_point p = search_best(&f, m, true, 0.8);
        struct search_point q = search_best(g, m, true, 0.8);
        NEAR(p.mean, q.mean, 1e-12);
        assert_true(p.lo == q.lo && p.hi == q.hi);
    }
}

/* --- comparison --- */

enum { BINS = 3, MOST = 64 };
struct space {
    double e[MOST];
    uint32_t bin[MOST];
    struct stratified s;
};

// n models over the bins; errors grow with the bin, and by `shift`.
static void make(struct space *p, size_t n, uint64_t seed, uint64_t values, double shift)
{
    struct rng r = rng_key(seed, 0, RNG_SUBSET);
    for (size_t i = 0; i < n; i++) {
        p->bin[i] = i < BINS ? (uint32_t)i : (uint32_t)rng_below(&r, BINS);
        p->e[i] = (double)rng_below(&r, values) + 10 * p->bin[i] + shift;
    }
    p->s = (struct stratified){n, p->e, p->bin};
}

static double weight_of(const struct space *p, size_t i)
{
    double same = 0;
    for (size_t j = 0; j < p->s.n; j++)
        same += p->bin[j] == p->bin[i];
    return 1 / (same * BINS);
}

// The normalised EDF, mean and pairs by their definitions.
static double naive_at(const struct space *p, double e)
{
    double sum = 0;
    for (size_t i = 0; i < p->s.n; i++)
        sum += p->e[i] < e ? weight_of(p, i) : 0;
    return sum;
}

static double naive_mean(const struct space *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->s.n; i++)
        sum += p->e[i] * weight_of(p, i);
    return sum;
}

static double naive_ks(const struct space *a, const struct space *b)
{
    double d = 0;
    for (double e = -0.25; e < 101; e += 0.5)
        d = fmax(d, fabs(naive_at(a, e) - naive_at(b, e)));
    return d;
}

static void figures_are_the_definitions(void **state)
{
    (void)state;
    static struct space a, b;
    for (uint64_t seed = 0; seed < 6; seed++) {
        make(&a, 20 + seed, seed, 9, 2);
        make(&b, 31, 50 + seed, 12, 0);
        struct comparison c;
        assert_true(strata_compare(&c, &a.s, &b.s, BINS, 10, 1, 0.95));
        NEAR(c.mean_difference, naive_mean(&b) - naive_mean(&a), 1e-12);
        NEAR(c.ks, naive_ks(&a, &b), 1e-12);
        double wins = 0;
        for (size_t i = 0; i < a.s.n; i++)
            for (size_t j = 0; j < b.s.n; j++)
                wins += weight_of(&a, i) * weight_of(&b, j) *
                        (b.e[j] < a.e[i] ? 1 : b.e[j] == a.e[i] ? 0.5 : 0);
        NEAR(c.p_better, wins, 1e-12);
    }
}

/* p-values over every relabelling inside the bins, which the random ones approach. */
static void random_relabelling_meets_enumeration(void **state)
{
    (void)state;
    static struct space a, b, x, y;
    make(&a, 6, 3, 9, 4);
    make(&b, 6, 9, 9, 0);
    double all = 0, means = 0, gaps = 0;
    double seen = fabs(naive_mean(&b) - naive_mean(&a)), d = naive_ks(&a, &b);
    int want[BINS] = {0};
    for (size_t i = 0; i < 6; i++)
        want[a.bin[i]]++;
    for (uint32_t mask = 0; mask < 1u << 12; mask++) {
        int have[BINS] = {0};
        x.s = (struct stratified){0, x.e, x.bin};
        y.s = (struct stratified){0, y.e, y.bin};
        for (size_t i = 0; i < 12; i++) {
            const struct space *from = i < 6 ? &a : &b;
            struct space *to = mask >> i & 1 ? &x : &y;
            to->e[to->s.n] = from->e[i % 6];
            to->bin[to->s.n++] = from->bin[i % 6];
            have[from->bin[i % 6]] += mask >> i & 1;
        }
        if (memcmp(have, want, sizeof want) != 0)
            continue;
        all++;
        means += fabs(naive_mean(&y) - naive_mean(&x)) >= seen - 1e-9;
        gaps += naive_ks(&x, &y) >= d - 1e-9;
    }
    struct comparison c;
    enum { DRAWS = 20000 };
    assert_true(strata_compare(&c, &a.s, &b.s, BINS, DRAWS, 1, 0.95));
    assert_true(all > 20 && means < all && gaps < all);
    NEAR(c.p_permutation, means / all, 4 * 0.5 / sqrt(DRAWS)); // four standard errors
    NEAR(c.ks_p, gaps / all, 4 * 0.5 / sqrt(DRAWS));
}

/* b has the same errors in every bin but more models in the bad one: plain means differ,
 * normalised ones do not. */
static void a_drift_of_complexity_is_no_difference(void **state)
{
    (void)state;
    static struct space a, b;
    struct comparison c;
    a.s = (struct stratified){0, a.e, a.bin};
    b.s = (struct stratified){0, b.e, b.bin};
    for (int i = 0; i < 24; i++) {
        struct space *each[] = {&a, &b};
        for (int k = 0; k < 2; k++) {
            struct stratified *s = &each[k]->s;
            each[k]->bin[s->n] = k ? (i < 16 ? 2 : (uint32_t)(i % 2)) : (uint32_t)(i % 3);
            each[k]->e[s->n] = 20 * each[k]->bin[s->n] + 10 + (i / 2 % 4);
            s->n++;
        }
    }
    assert_true(strata_compare(&c, &a.s, &b.s, BINS, 2000, 1, 0.95));
    NEAR(c.mean_difference, 0, 1e-9);
    assert_true(c.lo < 0 && 0 < c.hi && c.p_permutation > 0.5 && isnan(c.ks_critical));
    struct comparison again;
    assert_true(strata_compare(&again, &a.s, &b.s, BINS, 2000, 1, 0.95));
    assert_true(c.lo == again.lo && c.p_permutation == again.p_permutation);
    interrupt_flag = 1;
    bool done = strata_compare(&c, &a.s, &b.s, BINS, 2000, 1, 0.95);
    interrupt_flag = 0;
    assert_false(done);
}

// One bin is no normalisation: the plain comparison, and the textbook number of models.
static void one_bin_is_the_plain_comparison(void **state)
{
    (void)state;
    static struct space a, b;
    static struct sample sa, sb;
    make(&a, 40, 1, 30, 3);
    make(&b, 30, 2, 30, 0);
    memset(a.bin, 0, sizeof a.bin);
    memset(b.bin, 0, sizeof b.bin);
    const struct edf *fa = fill(&sa, 40, a.e), *fb = fill(&sb, 30, b.e);
    struct comparison c, plain;
    assert_true(strata_compare(&c, &a.s, &b.s, 1, 10000, 1, 0.95));
    assert_true(compare_edfs(&plain, fa, fb, 10000, 1, 0.95));
    NEAR(c.mean_difference, plain.mean_difference, 1e-9);
    NEAR(c.ks, plain.ks, 1e-9);
    NEAR(c.p_better, plain.p_better, 1e-9);
    NEAR(c.more, plain.more, 0);
    NEAR(c.min_lo, plain.min_lo, 0);
    double width = plain.hi - plain.lo;
    NEAR(c.lo, plain.lo, width / 20);
    NEAR(c.hi, plain.hi, width / 20);
    NEAR(c.p_permutation, plain.p_permutation, 0.02);
    NEAR(c.ks_p, plain.ks_p, 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_closed_below_and_the_last_on_both_sides),
        cmocka_unit_test(weighted_edf_is_the_definition),
        cmocka_unit_test(whole_weights_count_as_copies),
        cmocka_unit_test(figures_are_the_definitions),
        cmocka_unit_test(random_relabelling_meets_enumeration),
        cmocka_unit_test(a_drift_of_complexity_is_no_difference),
        cmocka_unit_test(one_bin_is_the_plain_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
