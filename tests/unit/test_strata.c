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

enum { BINS = 3, MOST = 128 };
struct pool {
    size_t n;
    struct labelled m[MOST];
};

static void add(struct pool *p, double e, uint32_t bin, enum label label)
{
    assert_true(p->n < MOST);
    p->m[p->n++] = (struct labelled){e, bin, label};
}

// n models of a label over the bins; errors below `values`, growing with the bin.
static void add_random(struct pool *p, size_t n, enum label label, uint64_t seed,
                       uint64_t values, double shift)
{
    struct rng r = rng_key(seed, 0, RNG_SUBSET);
    for (size_t i = 0; i < n; i++) {
        uint32_t bin = i < BINS ? (uint32_t)i : (uint32_t)rng_below(&r, BINS);
        add(p, (double)rng_below(&r, values) + 10 * bin + shift, bin, label);
    }
}

static double weight_of(const struct pool *p, size_t i, enum label side, double bins)
{
    double same = 0;
    for (size_t j = 0; j < p->n; j++)
        same += p->m[j].bin == p->m[i].bin && (p->m[j].label & side);
    return p->m[i].label & side ? 1 / (same * bins) : 0;
}

// The normalised EDF, difference of means and distance by their definitions.
static double naive_at(const struct pool *p, enum label side, double e, double bins)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->m[i].e < e ? weight_of(p, i, side, bins) : 0;
    return sum;
}

static double naive_difference(const struct pool *p, double bins)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->m[i].e * (weight_of(p, i, OF_B, bins) - weight_of(p, i, OF_A, bins));
    return sum;
}

static double naive_ks(const struct pool *p, double bins)
{
    double d = 0;
    for (size_t i = 0; i < p->n; i++) {
        double e = nextafter(p->m[i].e, 200);
        d = fmax(d, fabs(naive_at(p, OF_A, e, bins) - naive_at(p, OF_B, e, bins)));
    }
    return d;
}

static bool compare(struct comparison *c, const struct pool *p, uint32_t bins, uint32_t draws)
{
    return strata_compare(c, p->m, p->n, bins, draws, 1, 0.95);
}

static void figures_are_the_definitions(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        static struct pool p;
        p.n = 0;
        add_random(&p, 20 + seed, OF_A, seed, 9, 2);
        add_random(&p, 31, OF_B, 50 + seed, 12, 0);
        add_random(&p, seed, OF_BOTH, 90 + seed, 12, 0);
        struct comparison c;
        assert_true(compare(&c, &p, BINS, 10));
        NEAR(c.mean_difference, naive_difference(&p, BINS), 1e-12);
        NEAR(c.ks, naive_ks(&p, BINS), 1e-12);
        double wins = 0;
        for (size_t i = 0; i < p.n; i++)
            for (size_t j = 0; j < p.n; j++)
                wins += weight_of(&p, i, OF_A, BINS) * weight_of(&p, j, OF_B, BINS) *
                        (p.m[j].e < p.m[i].e    ? 1
                         : p.m[j].e == p.m[i].e ? 0.5
                                                : 0);
        NEAR(c.p_better, wins, 1e-12);
    }
}

/* Every way to give the labels of each bin to its models, by recursion over the models. */
struct count {
    double all, means, gaps, seen, ks;
    int left[BINS][4];
};

static void enumerate(struct pool *p, size_t i, struct count *c)
{
    if (i == p->n) {
        c->all++;
        c->means += fabs(naive_difference(p, BINS)) >= c->seen - 1e-9;
        c->gaps += naive_ks(p, BINS) >= c->ks - 1e-9;
        return;
    }
    for (int label = OF_A; label <= OF_BOTH; label++)
        if (c->left[p->m[i].bin][label]) {
            c->left[p->m[i].bin][label]--;
            p->m[i].label = (enum label)label;
            enumerate(p, i + 1, c);
            c->left[p->m[i].bin][label]++;
        }
}

static void random_relabelling_meets_enumeration(void **state)
{
    (void)state;
    for (int both = 0; both <= 2; both++) {
        static struct pool p;
        p.n = 0;
        add_random(&p, 5, OF_A, 3, 9, 4);
        add_random(&p, 5, OF_B, 9, 9, 0);
        add_random(&p, (size_t)both, OF_BOTH, 11, 9, 0);
        enum { DRAWS = 20000 };
        struct comparison c;
        assert_true(compare(&c, &p, BINS, DRAWS));
        struct count count = {.seen = fabs(naive_difference(&p, BINS)),
                              .ks = naive_ks(&p, BINS)};
        for (size_t i = 0; i < p.n; i++)
            count.left[p.m[i].bin][p.m[i].label]++;
        enumerate(&p, 0, &count);
        assert_true(count.all > 20 && count.means < count.all && count.gaps < count.all);
        NEAR(c.p_permutation, count.means / count.all, 4 * 0.5 / sqrt(DRAWS));
        NEAR(c.ks_p, count.gaps / count.all, 4 * 0.5 / sqrt(DRAWS)); // four standard errors
    }
}

/* b has the same errors in every bin but more models in the bad one: plain means differ,
 * normalised ones do not. */
static void a_drift_of_complexity_is_no_difference(void **state)
{
    (void)state;
    static struct pool p;
    for (int i = 0; i < 24; i++) {
        uint32_t a = (uint32_t)(i % 3), b = i < 16 ? 2 : (uint32_t)(i % 2);
        add(&p, 20 * a + 10 + i / 2 % 4, a, OF_A);
        add(&p, 20 * b + 10 + i / 2 % 4, b, OF_B);
    }
    struct comparison c, again;
    assert_true(compare(&c, &p, BINS, 2000));
    NEAR(c.mean_difference, 0, 1e-9);
    assert_true(c.lo < 0 && 0 < c.hi && c.p_permutation > 0.5 && isnan(c.ks_critical));
    assert_true(compare(&again, &p, BINS, 2000));
    assert_true(c.lo == again.lo && c.p_permutation == again.p_permutation);
    interrupt_flag = 1;
    bool done = compare(&c, &p, BINS, 2000);
    interrupt_flag = 0;
    assert_false(done);
}

// One model of each in every bin: nobody knows how they scatter, and nothing is claimed.
static void single_models_give_no_interval(void **state)
{
    (void)state;
    static struct pool p;
    add_random(&p, BINS, OF_A, 1, 30, 3);
    add_random(&p, BINS, OF_B, 2, 30, 0);
    struct comparison c;
    assert_true(compare(&c, &p, BINS, 100));
    assert_true(c.lo == -100 && c.hi == 100);
}

// One bin and nothing shared: the plain comparison.
static void one_bin_is_the_plain_comparison(void **state)
{
    (void)state;
    static struct pool p;
    static struct sample sa, sb;
    double a[MOST], b[MOST];
    size_t n = 0, m = 0;
    add_random(&p, 40, OF_A, 1, 30, 3);
    add_random(&p, 40, OF_B, 2, 30, 0);
    for (size_t i = 0; i < p.n; i++) {
        p.m[i].bin = 0;
        *(p.m[i].label == OF_A ? &a[n++] : &b[m++]) = p.m[i].e;
    }
    struct comparison c, plain;
    assert_true(compare(&c, &p, 1, 10000));
    assert_true(compare_edfs(&plain, fill(&sa, n, a), fill(&sb, m, b), 10000, 1, 0.95));
    NEAR(c.mean_difference, plain.mean_difference, 1e-9);
    NEAR(c.ks, plain.ks, 1e-9);
    NEAR(c.p_better, plain.p_better, 1e-9);
    NEAR(c.more / plain.more, 1, 0.1); // its variance is that of the resamples
    NEAR(c.min_lo, plain.min_lo, 0);
    double width = plain.hi - plain.lo;
    NEAR(c.lo, plain.lo, width / 20);
    NEAR(c.hi, plain.hi, width / 20);
    NEAR(c.p_permutation, plain.p_permutation, 0.02);
    NEAR(c.ks_p, plain.ks_p, 0.02);
}

/* A child that took over what it could of its parent, and nothing distinguishes them: the
 * test keeps its level and the interval covers 0; taken for independent, it would reject far
 * too seldom. */
static void shared_models_keep_the_level(void **state)
{
    (void)state;
    enum { TRIALS = 400, N = 30 };
    double rejected = 0, covered = 0, plain_rejected = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        static struct pool p;
        static struct sample sa, sb;
        double a[N], b[N];
        size_t m = 0;
        struct rng r = rng_key(seed, 7, RNG_SUBSET);
        p.n = 0;
        for (int i = 0; i < N; i++) { // a; two thirds of it obey
            a[i] = 50 + 5 * rng_normal(&r);
            bool obeys = rng_below(&r, 3) > 0;
            add(&p, a[i], 0, obeys ? OF_BOTH : OF_A);
            if (obeys)
                b[m++] = a[i];
        }
        while (m < N) {
            b[m] = 50 + 5 * rng_normal(&r);
            add(&p, b[m++], 0, OF_B);
        }
        struct comparison c, plain;
        assert_true(compare(&c, &p, 1, 199));
        assert_true(compare_edfs(&plain, fill(&sa, N, a), fill(&sb, N, b), 199, 1, 0.95));
        rejected += c.p_permutation <= 0.1;
        plain_rejected += plain.p_permutation <= 0.1;
        covered += c.lo <= 0 && 0 <= c.hi;
    }
    NEAR(rejected / TRIALS, 0.1, 4 * sqrt(0.09 / TRIALS));
    assert_true(plain_rejected / TRIALS < 0.04);
    assert_true(covered / TRIALS > 0.9 && covered / TRIALS < 0.99);
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
        cmocka_unit_test(single_models_give_no_interval),
        cmocka_unit_test(one_bin_is_the_plain_comparison),
        cmocka_unit_test(shared_models_keep_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
