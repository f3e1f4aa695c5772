/* stats: EDF, Kolmogorov-Smirnov, resampling and random search against closed forms, full
 * enumeration and naive restatements. */
#include "stats_check.h"

#include "base/interrupt.h"
#include "stats/best.h"
#include "stats/bootstrap.h"
#include "stats/compare.h"
#include "stats/search.h"

static struct sample A, B; // large for the stack

/* --- EDF --- */

static void edf_is_strict_at_ties_and_at_the_minimum(void **state)
{
    (void)state;
    const struct edf *f = fill(&A, 5, (double[]){50, 40, 50, 60, 50});
    NEAR(edf_at(f, 39), 0, 0);
    NEAR(edf_at(f, 40), 0, 0);
    NEAR(edf_at(f, nextafter(40, 41)), 0.2, 1e-15);
    NEAR(edf_at(f, 50), 0.2, 1e-15);
    NEAR(edf_at(f, nextafter(50, 51)), 0.8, 1e-15);
    NEAR(edf_at(f, 60), 0.8, 1e-15);
    NEAR(edf_at(f, 60.5), 1, 0);
    double x[5], y[5];
    assert_int_equal(edf_steps(f, x, y), 3);
    for (int k = 0; k < 3; k++) {
        NEAR(x[k], 40 + 10 * k, 0);
        NEAR(y[k], edf_at(f, nextafter(x[k], 100)), 0);
    }
    const struct edf *one = fill(&A, 1, (double[]){7});
    NEAR(edf_at(one, 7), 0, 0);
    NEAR(edf_at(one, 8), 1, 0);
    NEAR(values_quantile(one->e, 1, 0.3), 7, 0);
    NEAR(edf_variance(one), 0, 0);
}

static void edf_refuses_what_is_no_error(void **state)
{
    (void)state;
    struct {
        double e[3];
        size_t n;
        const char *part;
    } bad[] = {
        {{0}, 0, "no errors"},
        {{1, NAN, 2}, 3, "error 2 is NaN"},
        {{1, 2, 100.5}, 3, "error 3 is 100.5"},
        {{-1, 2, 3}, 3, "error 1 is -1"},
        {{1, INFINITY, 3}, 3, "error 2 is inf"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct edf f;
        struct error e;
        assert_false(edf_init(&f, bad[i].e, bad[i].n, &e));
        assert_non_null(strstr(e.msg, bad[i].part));
    }
}

// mean = integral of 1 - F, added up step by step from edf_at alone.
static void mean_is_the_area_above(void **state)
{
    (void)state;
    double x[MAX], y[MAX];
    for (uint64_t seed = 0; seed < 20; seed++) {
        const struct edf *f = fill_random(&A, 1 + 13 * seed, seed, 101);
        size_t n = edf_steps(f, x, y);
        double area = 0, below = 0, left = 0;
        for (size_t k = 0; k <= n; k++) {
            double right = k < n ? x[k] : 100;
            area += (1 - edf_at(f, right)) * (right - left);
            below += edf_at(f, fmin(right, 60)) * fmax(0, fmin(right, 60) - left);
            left = right;
        }
        NEAR(area, f->mean, 1e-10);
        NEAR(100 * (1 - edf_area(f, 100)), f->mean, 1e-10);
        NEAR(60 * edf_area(f, 60), below, 1e-10);
    }
}

static void quantiles_interpolate_and_variance_is_unbiased(void **state)
{
    (void)state;
    const struct edf *f = fill(&A, 4, (double[]){1, 2, 4, 9});
    const double p[] = {0, 0.25, 0.5, 0.75, 0.9, 1}, want[] = {1, 1.75, 3, 5.25, 7.5, 9};
    for (int k = 0; k < 6; k++)
        NEAR(values_quantile(f->e, f->n, p[k]), want[k], 1e-12);
    NEAR(edf_variance(f), (9 + 4 + 0 + 25) / 3.0, 1e-12);
}

// Few by comparison, many digit by digit: the same order, negative and equal values too.
static void sorting_is_an_order_of_the_same_values(void **state)
{
    (void)state;
    static double v[MAX], want[MAX];
    for (size_t n = 1; n <= MAX; n = 3 * n + 1) {
        struct rng r = rng_key(n, 0, RNG_SUBSET);
        for (size_t i = 0; i < n; i++)
            v[i] = i % 5 ? ldexp(rng_uniform(&r) - 0.5, (int)(i % 40) - 20)
                         : (double)(i % 3) - 1;
        memcpy(want, v, sizeof v);
        values_sort(v, n);
        for (size_t i = 0; i + 1 < n; i++) // by insertion
            for (size_t j = i + 1; j > 0 && want[j - 1] > want[j]; j--) {
                double swap = want[j];
                want[j] = want[j - 1];
                want[j - 1] = swap;
            }
        assert_memory_equal(v, want, n * sizeof *v);
    }
}

static void band_has_the_known_width(void **state)
{
    (void)state;
    NEAR(edf_dkw(500, 0.95), 0.0607, 5e-5);
    NEAR(edf_dkw(100, 0.95), 0.1358, 5e-5);
}

/* --- Kolmogorov-Smirnov --- */

static double naive_ks(const struct edf *a, const struct edf *b)
{
    double d = 0;
    for (double e = -0.5; e < 101; e += 0.5) // errors are whole numbers here
        d = fmax(d, fabs(edf_at(a, e) - edf_at(b, e)));
    return d;
}

static int bits(uint32_t x)
{
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

// Share of all ways to call n of the pooled errors a for which D is at least the observed.
static double enumerated_ks_p(const struct edf *a, const struct edf *b)
{
    static struct sample s, t;
    double pool[16], x[16], y[16], d = naive_ks(a, b);
    size_t n = a->n, m = b->n;
    memcpy(pool, a->e, n * sizeof *pool);
    memcpy(pool + n, b->e, m * sizeof *pool);
    double all = 0, hits = 0;
    for (uint32_t mask = 0; mask < 1u << (n + m); mask++) {
        if ((size_t)bits(mask) != n)
            continue;
        size_t i = 0, j = 0;
        for (size_t k = 0; k < n + m; k++)
            if (mask >> k & 1)
                x[i++] = pool[k];
            else
                y[j++] = pool[k];
        all++;
        hits += naive_ks(fill(&s, n, x), fill(&t, m, y)) >= d - 1e-9;
    }
    return hits / all;
}

static void ks_p_equals_full_enumeration(void **state)
{
    (void)state;
    const size_t sizes[][2] = {{1, 1}, {1, 5}, {4, 4}, {4, 5}, {5, 5}, {3, 6}, {6, 4}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (uint64_t values = 3; values <= 100; values += 97) { // with ties, and few
            const struct edf *a = fill_random(&A, sizes[k][0], 10 + k, values);
            const struct edf *b = fill_random(&B, sizes[k][1], 90 + k, values);
            NEAR(ks_statistic(a, b), naive_ks(a, b), 1e-12);
            NEAR(ks_p(a, b), enumerated_ks_p(a, b), 1e-12);
        }
}

/* n = m without ties, D = k/n: 2 sum (-1)^{i-1} C(2n, n - ik) / C(2n, n), by reflection
 * (Gnedenko and Korolyuk 1951). */
static double reflected_ks_p(int n, int k)
{
    double sum = 0;
    for (int i = 1; i * k <= n; i++)
        sum += (i % 2 ? 2 : -2) *
               exp(2 * lgamma(n + 1) - lgamma(n - i * k + 1) - lgamma(n + i * k + 1));
    return sum;
}

// Two samples of n, interleaved, the second ahead by k: D = k/n.
static void shifted(size_t n, size_t k, const struct edf **a, const struct edf **b)
{
    *a = fill_range(&A, n, 10, 50.0 / (double)n);
    *b = fill_range(&B, n, 10 + 50.0 / (double)n * ((double)k - 0.5), 50.0 / (double)n);
}

static void ks_p_equals_the_closed_form(void **state)
{
    (void)state;
    NEAR(reflected_ks_p(5, 4), 20 / 252.0, 1e-12);
    const int cases[][2] = {{4, 4}, {5, 4}, {16, 7}, {100, 20}, {500, 43}, {500, 100}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int n = cases[c][0], k = cases[c][1];
        const struct edf *a, *b;
        shifted((size_t)n, (size_t)k, &a, &b);
        NEAR(ks_statistic(a, b), (double)k / n, 1e-12);
        double want = reflected_ks_p(n, k);
        NEAR(ks_p(a, b) / want, 1, 1e-9);
    }
}

/* A sample of 100 against 1000 at D = 0.079: p = 0.60 (Radosavovic et al. 2019, B vs M). */
static void ks_p_of_unequal_sizes_is_the_published_one(void **state)
{
    (void)state;
    double a[100];
    const struct edf *b = fill_range(&B, 1000, 5, 0.09);
    for (int i = 0; i < 100; i++) // just after b's (10(i + 1) - 79)th error
        a[i] = 5 + 0.09 * (fmax(0, 10 * (i + 1) - 79) - 0.5);
    NEAR(ks_statistic(fill(&A, 100, a), b), 0.079, 1e-12);
    NEAR(ks_p(&A.f, b), 0.60, 0.005);
}

static void ks_limit_meets_the_tables_and_the_exact_p(void **state)
{
    (void)state;
    NEAR(ks_critical(500, 500, 0.05), 0.0859, 5e-5);
    NEAR(ks_critical(100, 100, 0.05), 0.192, 5e-4);
    NEAR(ks_p_limit(ks_critical(500, 500, 0.05), 500, 500), 0.05, 1e-9);
    NEAR(ks_p_limit(1 - 1e-9, 2, 2), 0.2699996717, 1e-8); // both series at x = 1
    NEAR(ks_p_limit(1 + 1e-9, 2, 2), 0.2699996717, 1e-8);
    NEAR(ks_p_limit(0, 2, 2), 1, 0);
    const struct edf *a, *b;
    shifted(1900, 60, &a, &b);
    NEAR(ks_p_limit(ks_statistic(a, b), 1900, 1900) / ks_p(a, b), 1, 0.01);
    shifted(2001, 60, &a, &b);
    NEAR(ks_p(a, b), ks_p_limit(60 / 2001.0, 2001, 2001), 1e-12);
    NEAR(ks_p(a, a), 1, 0);
}

static void p_better_counts_pairs(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        const struct edf *a = fill_random(&A, 7 + seed, seed, 12);
        const struct edf *b = fill_random(&B, 20, 50 + seed, 12);
        double wins = 0;
        for (size_t i = 0; i < a->n; i++)
            for (size_t j = 0; j < b->n; j++)
                wins += b->e[j] < a->e[i] ? 1 : b->e[j] == a->e[i] ? 0.5 : 0;
        NEAR(compare_p_better(a, b), wins / (double)(a->n * b->n), 1e-12);
        NEAR(compare_p_better(a, b) + compare_p_better(b, a), 1, 1e-12);
    }
}

// Half a standard deviation needs 63 of each at 80 % power, the textbook figure.
static void more_models_as_in_the_textbook(void **state)
{
    (void)state;
    double e[20], f[20];
    for (int i = 0; i < 20; i++) {
        e[i] = 40 + (i % 2 ? 1 : -1) * sqrt(19 / 20.0); // variance 1
        f[i] = e[i] + 0.5;
    }
    NEAR(compare_more(fill(&A, 20, e), fill(&B, 20, f)), 63 - 20, 0);
    double va = edf_variance(&A.f), vb = edf_variance(fill(&B, 10, f));
    double k = compare_more(&A.f, &B.f), bound = pow(0.5 / (1.959964 + 0.841621), 2);
    assert_true(va / (20 + k) + vb / (10 + k) <= bound);
    assert_true(va / (19 + k) + vb / (9 + k) > bound);
    assert_true(isinf(compare_more(&A.f, &A.f)));
    for (int i = 0; i < 20; i++)
        f[i] = e[i] + 10;
    NEAR(compare_more(&A.f, fill(&B, 20, f)), 0, 0);
}

/* --- resampling --- */

// p over every split of the pooled errors, by masks and means.
static double enumerated_permutation_p(const struct edf *a, const struct edf *b)
{
    double pool[24], all = 0, hits = 0, observed = fabs(a->mean - b->mean);
    size_t n = a->n, m = b->n;
    memcpy(pool, a->e, n * sizeof *pool);
    memcpy(pool + n, b->e, m * sizeof *pool);
    for (uint32_t mask = 0; mask < 1u << (n + m); mask++) {
        if ((size_t)bits(mask) != n)
            continue;
        double x = 0, y = 0;
        for (size_t k = 0; k < n + m; k++)
            *(mask >> k & 1 ? &x : &y) += pool[k];
        all++;
        hits += fabs(x / (double)n - y / (double)m) >= observed - 1e-9;
    }
    return hits / all;
}

static void permutation_equals_full_enumeration(void **state)
{
    (void)state;
    double p;
    for (uint64_t seed = 0; seed < 8; seed++) {
        const struct edf *a = fill_random(&A, 3 + seed % 3, seed, 9);
        const struct edf *b = fill_random(&B, 7 - seed % 4, 30 + seed, 9);
        assert_true(permutation_mean_difference(&p, a, b, 1, 1));
        NEAR(p, enumerated_permutation_p(a, b), 1e-12);
    }
    // C(21, 9) = 293,930 splits are too many and sampled
    const struct edf *a = fill_random(&A, 9, 3, 40), *b = fill_random(&B, 12, 4, 30);
    assert_true(permutation_mean_difference(&p, a, b, 10000, 1));
    NEAR(p, enumerated_permutation_p(a, b), 0.02); // 4 standard errors
    a = fill_range(&A, 30, 10, 0.1), b = fill_range(&B, 40, 90, 0.1);
    assert_true(permutation_mean_difference(&p, a, b, 999, 1));
    NEAR(p, 1 / 1000.0, 1e-12); // never 0
}

// Skewed populations (minimum + exponential, as errors are) whose difference is 1.5.
static void interval_covers_the_true_difference(void **state)
{
    (void)state;
    enum { TRIALS = 1000, N = 60 };
    int covered = 0;
    for (uint64_t t = 0; t < TRIALS; t++) {
        struct rng r = rng_key(11, t, RNG_SUBSET);
        double a[N], b[N], lo, hi;
        for (int i = 0; i < N; i++) {
            a[i] = fmin(100, 41.5 - 5 * log(1 - rng_uniform(&r)));
            b[i] = fmin(100, 40 - 5 * log(1 - rng_uniform(&r)));
        }
        assert_true(bootstrap_mean_difference(&lo, &hi, fill(&A, N, a), fill(&B, N, b), 400,
                                              t, 0.95));
        assert_true(lo < hi);
        covered += lo <= -1.5 && -1.5 <= hi;
    }
    NEAR((double)covered / TRIALS, 0.95, 0.02);
}

/* Few models of normal errors, unequal spread: plain percentiles would cover 0 in some 85 % of
 * the trials. */
static void interval_covers_with_few_models(void **state)
{
    (void)state;
    enum { TRIALS = 2000, N = 5, M = 4 };
    int covered = 0;
    for (uint64_t t = 0; t < TRIALS; t++) {
        struct rng r = rng_key(12, t, RNG_SUBSET);
        double a[N], b[M], lo, hi;
        for (int i = 0; i < N; i++)
            a[i] = 50 + 3 * rng_normal(&r);
        for (int i = 0; i < M; i++)
            b[i] = 50 + 4 * rng_normal(&r);
        const struct edf *f = fill(&A, N, a), *g = fill(&B, M, b);
        assert_true(bootstrap_mean_difference(&lo, &hi, f, g, 1000, t, 0.95));
        covered += lo <= 0 && 0 <= hi;
    }
    NEAR((double)covered / TRIALS, 0.95, 0.025);
}

// Student's interval of a mean of 10: percentiles expanded by t(9) and sqrt(10/9).
static void tails_are_students(void **state)
{
    (void)state;
    NEAR(bootstrap_tail(0.95, 0.9, 9), 0.5 * erfc(2.262157 * sqrt(10 / 9.0) / sqrt(2)), 1e-8);
    NEAR(bootstrap_tail(0.95, 1, 1e7), 0.025, 1e-6);
    NEAR(bootstrap_tail(0.9, 0, 0), 0.05, 1e-15);
    NEAR(bootstrap_tail(0.9, NAN, NAN), 0.05, 1e-15);
}

static void interval_has_the_normal_width_and_follows_the_seed(void **state)
{
    (void)state;
    const struct edf *a = fill_random(&A, 400, 1, 60), *b = fill_random(&B, 300, 2, 50);
    double lo, hi, lo2, hi2, d = b->mean - a->mean;
    double se = sqrt(edf_variance(a) / 400 + edf_variance(b) / 300);
    assert_true(bootstrap_mean_difference(&lo, &hi, a, b, 10000, 1, 0.95));
    NEAR((lo - d) / se, -1.96, 0.08);
    NEAR((hi - d) / se, 1.96, 0.08);
    assert_true(bootstrap_mean_difference(&lo2, &hi2, a, b, 10000, 1, 0.95));
    assert_true(lo == lo2 && hi == hi2);
    assert_true(bootstrap_mean_difference(&lo2, &hi2, a, b, 10000, 2, 0.95));
    assert_true(lo != lo2 && hi != hi2);
    a = fill_range(&A, 9, 40, 0), b = fill_range(&B, 5, 42, 0);
    assert_true(bootstrap_mean_difference(&lo, &hi, a, b, 100, 1, 0.95));
    assert_true(lo == 2 && hi == 2);
}

static struct best_band best_of(const double *x, const double *e, size_t n,
                                struct best_options o)
{
    struct best_band band;
    assert_true(best_property(&band, x, e, n, &o));
    return band;
}

/* With 125 draws of 500 the best pair wins 22.1 % of the time: the x of the kept pairs is 0
 * for it and 1 else, so quantiles below and above that share tell. */
static void best_pair_wins_as_often_as_it_should(void **state)
{
    (void)state;
    double sum = 0, x[500], e[500];
    for (size_t r = 1; r <= 500; r++)
        sum += search_survival(500, 125, r - 1) - search_survival(500, 125, r);
    NEAR(sum, 1, 1e-12);
    NEAR(1 - search_survival(500, 125, 1), 0.2214, 5e-5);
    for (int i = 0; i < 500; i++) {
        e[i] = (i * 7 + 3) % 500 / 5.0;
        x[i] = e[i] > 0;
    }
    for (uint32_t draws = 0; draws <= 10000; draws += 10000) {
        struct best_options o = {0.25, draws, 1, 0, true};
        o.level = 1 - 2 * 0.205;
        NEAR(best_of(x, e, 500, o).lo, 0, 0);
        o.level = 1 - 2 * 0.238;
        NEAR(best_of(x, e, 500, o).lo, 1, 0);
    }
}

static void best_simulated_meets_exact(void **state)
{
    (void)state;
    double x[500], e[500];
    for (int i = 0; i < 500; i++) {
        e[i] = (i * 13 + 5) % 500 / 5.0;
        x[i] = 5 * e[i]; // the rank from 0
    }
    struct best_options o = {0.25, 0, 3, 0.95, false};
    struct best_band exact = best_of(x, e, 500, o);
    o.draws = 10000;
    struct best_band drawn = best_of(x, e, 500, o);
    assert_int_equal(exact.taken, 125);
    NEAR(exact.best, 0, 0);
    NEAR(exact.lo, 0, 0);
    NEAR(exact.median, 2, 1e-9); // S(2) = 0.606, S(3) = 0.471
    NEAR(exact.hi, 14, 1e-9);    // "the top 15"
    NEAR(drawn.lo, exact.lo, 0);
    NEAR(drawn.median, exact.median, 0);
    NEAR(drawn.hi, exact.hi, 1);
}

static void best_breaks_ties_by_order_and_takes_a_share(void **state)
{
    (void)state;
    const double e[] = {50, 50, 50};
    for (uint32_t draws = 0; draws <= 1000; draws += 1000) {
        struct best_options o = {1, draws, 1, 0.2, true}; // 40 % and 60 %; the first has 70 %
        struct best_band up = best_of((double[]){5, 6, 7}, e, 3, o);
        struct best_band down = best_of((double[]){7, 6, 5}, e, 3, o);
        assert_true(up.best == 5 && up.median == 5 && up.hi == 5);
        assert_true(down.best == 7 && down.median == 7 && down.lo == 7);
    }
    double x[100] = {0};
    const size_t want[][2] = {{3, 1}, {4, 1}, {8, 2}, {100, 25}};
    for (int k = 0; k < 4; k++)
        assert_int_equal(
            best_of(x, x, want[k][0], (struct best_options){0.25, 5, 1, 0.95, false}).taken,
            want[k][1]);
    assert_int_equal(best_of(x, x, 100, (struct best_options){0.29, 5, 1, 0.9, false}).taken,
                     29);
    int halves = 0; // two draws that keep 1 and 2: their median, and the lower of them
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct best_options o = {0.5, 2, seed, 0.95, false};
        const double y[] = {1, 2};
        double between = best_of(y, y, 2, o).median;
        o.categorical = true;
        NEAR(best_of(y, y, 2, o).median, floor(between), 0);
        halves += between == 1.5;
    }
    assert_true(halves > 0 && halves < 20);
}

// The weights by model: exact ones in closed form, simulated ones near them and whole draws.
static void best_weights_are_by_model(void **state)
{
    (void)state;
    const double e[] = {50, 40, 60, 40, 45, 70, 80, 90};
    const int rank[] = {4, 1, 5, 2, 3, 6, 7, 8};
    double weight[8], sum = 0;
    struct best_options o = {.share = 0.25};
    assert_true(best_weights(weight, e, 8, &o));
    for (int i = 0; i < 8; i++)
        NEAR(weight[i], pow((9 - rank[i]) / 8.0, 2) - pow((8 - rank[i]) / 8.0, 2), 1e-14);
    o.draws = 20000;
    double exact[8];
    memcpy(exact, weight, sizeof exact);
    assert_true(best_weights(weight, e, 8, &o));
    for (int i = 0; i < 8; i++) {
        NEAR(weight[i], exact[i], 4 * 0.5 / sqrt(o.draws));
        NEAR(weight[i] * o.draws, round(weight[i] * o.draws), 1e-9);
        sum += weight[i];
    }
    NEAR(sum, 1, 1e-12);
}

/* --- the difference of two minima --- */

// Over every resample of 4 and of 3: the percentiles of the difference of their minima.
static void minimum_interval_equals_full_enumeration(void **state)
{
    (void)state;
    const struct edf *a = fill(&A, 4, (double[]){52, 44, 60, 47});
    const struct edf *b = fill(&B, 3, (double[]){49, 40, 50});
    static double all[256 * 27];
    size_t n = 0;
    for (int i = 0; i < 256; i++)
        for (int j = 0; j < 27; j++) {
            double x = 100, y = 100;
            for (int k = 0, d = i; k < 4; k++, d /= 4)
                x = fmin(x, a->e[d % 4]);
            for (int k = 0, d = j; k < 3; k++, d /= 3)
                y = fmin(y, b->e[d % 3]);
            all[n++] = y - x;
        }
    values_sort(all, n);
    for (double level = 0.13; level < 1; level += 0.17) {
        double lo, hi;
        bootstrap_min_difference(&lo, &hi, a, b, level);
        NEAR(lo, all[(size_t)ceil((1 - level) / 2 * (double)n - 1e-9) - 1], 0);
        NEAR(hi, all[(size_t)ceil((1 + level) / 2 * (double)n - 1e-9) - 1], 0);
    }
    const struct edf *one = fill(&A, 1, (double[]){30});
    double lo, hi;
    bootstrap_min_difference(&lo, &hi, one, one, 0.95);
    assert_true(lo == 0 && hi == 0);
    bootstrap_min_difference(&lo, &hi, fill_range(&A, 4000, 20, 0.01), one, 0.95);
    NEAR(lo, 20 - 20.03, 0.011); // P(rank > 3) = e^-3 = 0.05
}

/* --- random search --- */

static int ascending(const void *p, const void *q)
{
    double x = *(const double *)p, y = *(const double *)q;
    return (x > y) - (x < y);
}

// Every draw of 3 of 5 models, ordered: mean and order statistics of the least error.
static void search_equals_full_enumeration(void **state)
{
    (void)state;
    const struct edf *f = fill(&A, 5, (double[]){70, 42, 55, 55, 61});
    for (int replacement = 0; replacement < 2; replacement++) {
        double best[125], sum = 0;
        size_t n = 0;
        for (int i = 0; i < 125; i++) {
            int a = i / 25, b = i / 5 % 5, c = i % 5;
            if (!replacement && (a == b || a == c || b == c))
                continue;
            best[n] = fmin(f->e[a], fmin(f->e[b], f->e[c]));
            sum += best[n++];
        }
        qsort(best, n, sizeof *best, ascending);
        for (double level = 0.15; level < 1; level += 0.2) {
            struct search_point p = search_best(f, 3, replacement, level);
            NEAR(p.mean, sum / (double)n, 1e-12);
            NEAR(p.lo, best[(size_t)ceil((1 - level) / 2 * (double)n - 1e-9) - 1], 0);
            NEAR(p.hi, best[(size_t)ceil((1 + level) / 2 * (double)n - 1e-9) - 1], 0);
        }
    }
    // a share reached exactly counts: P(rank 1) = 61/125 or 6/10, P(rank <= 3) = 117/125
    NEAR(search_best(f, 3, true, 1 - 2 * 61 / 125.0).lo, 42, 0);
    NEAR(search_best(f, 3, false, 0.2).hi, 42, 0);
    NEAR(search_best(f, 3, true, 2 * 117 / 125.0 - 1).hi, 55, 0);
}

static void search_ends_are_mean_and_minimum(void **state)
{
    (void)state;
    const struct edf *f = fill_random(&A, 300, 5, 90);
    for (int replacement = 0; replacement < 2; replacement++)
        NEAR(search_best(f, 1, replacement, 0.95).mean, f->mean, 1e-9);
    struct search_point all = search_best(f, 300, false, 0.95);
    assert_true(all.mean == f->e[0] && all.lo == f->e[0] && all.hi == f->e[0]);
    NEAR(search_best(f, 1000000, true, 0.95).mean, f->e[0], 1e-9);
    double last = INFINITY;
    for (size_t m = 1; m <= 300; m++) {
        double mean = search_best(f, m, false, 0.95).mean;
        assert_true(mean <= last && mean <= search_best(f, m, true, 0.95).mean + 1e-12);
        last = mean;
    }
}

/* The simulation draws from the distribution the exact curve has: means near, and few repeats
 * where the source has few. */
static void simulated_search_meets_the_exact_curve(void **state)
{
    (void)state;
    const struct edf *f = fill_random(&A, 2048, 7, 90);
    struct search_trial t, again;
    for (size_t m = 1; m <= 16; m *= 2) {
        struct search_point exact = search_best(f, m, true, 0.95);
        assert_true(search_simulate(&t, f, m, 3));
        assert_int_equal(t.repeats, 2048 / m);
        NEAR(t.mean, exact.mean, 4 * t.deviation / sqrt((double)t.repeats));
        assert_true(search_simulate(&again, f, m, 3) && again.mean == t.mean);
    }
    assert_true(search_simulate(&t, f, 2048, 3) && t.repeats == 1 && t.deviation == 0);
    double e[2] = {40, 60}, w[2] = {3, 1};
    struct edf g;
    struct error why;
    assert_true(edf_init_weighted(&g, e, w, 2, &why));
    double mean = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        assert_true(search_simulate(&t, &g, 2, seed));
        mean += t.mean / 4000;
    }
    NEAR(mean, 40 + 20 / 16.0, 4 * 5 / sqrt(4000)); // both of two are 60: (1/4)^2
}

static void interrupt_ends_every_loop(void **state)
{
    (void)state;
    const struct edf *a = fill_range(&A, 50, 40, 0.2), *b = fill_range(&B, 50, 41, 0.2);
    struct comparison c;
    struct best_band band;
    struct best_options o = {0.25, 100, 1, 0.95, false};
    double p;
    interrupt_flag = 1;
    bool compared = compare_edfs(&c, a, b, 100, 1, 0.95);
    bool permuted = permutation_mean_difference(&p, a, b, 100, 1);
    bool drawn = best_property(&band, a->e, b->e, 50, &o);
    bool searched = search_simulate(&(struct search_trial){0}, a, 2, 1);
    interrupt_flag = 0;
    assert_false(compared || permuted || drawn || searched);
    assert_true(compare_edfs(&c, a, b, 100, 1, 0.95));
    NEAR(c.mean_difference, 1, 1e-9);
    assert_true(c.lo <= 1 && 1 <= c.hi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edf_is_strict_at_ties_and_at_the_minimum),
        cmocka_unit_test(edf_refuses_what_is_no_error),
        cmocka_unit_test(mean_is_the_area_above),
        cmocka_unit_test(quantiles_interpolate_and_variance_is_unbiased),
        cmocka_unit_test(sorting_is_an_order_of_the_same_values),
        cmocka_unit_test(band_has_the_known_width),
        cmocka_unit_test(ks_p_equals_full_enumeration),
        cmocka_unit_test(ks_p_equals_the_closed_form),
        cmocka_unit_test(ks_p_of_unequal_sizes_is_the_published_one),
        cmocka_unit_test(ks_limit_meets_the_tables_and_the_exact_p),
        cmocka_unit_test(p_better_counts_pairs),
        cmocka_unit_test(more_models_as_in_the_textbook),
        cmocka_unit_test(permutation_equals_full_enumeration),
        cmocka_unit_test(interval_covers_the_true_difference),
        cmocka_unit_test(interval_covers_with_few_models),
        cmocka_unit_test(tails_are_students),
        cmocka_unit_test(interval_has_the_normal_width_and_follows_the_seed),
        cmocka_unit_test(best_pair_wins_as_often_as_it_should),
        cmocka_unit_test(best_simulated_meets_exact),
        cmocka_unit_test(best_breaks_ties_by_order_and_takes_a_share),
        cmocka_unit_test(best_weights_are_by_model),
        cmocka_unit_test(minimum_interval_equals_full_enumeration),
        cmocka_unit_test(search_equals_full_enumeration),
        cmocka_unit_test(search_ends_are_mean_and_minimum),
        cmocka_unit_test(simulated_search_meets_the_exact_curve),
        cmocka_unit_test(interrupt_ends_every_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
