/* rank correlation, seed noise and least squares against naive restatements, textbook
 * figures and exact lines. */
#include "stats_check.h"

#include "base/interrupt.h"
#include "stats/noise.h"
#include "stats/rank.h"
#include "stats/regress.h"
#include "stats/special.h"

/* --- rank correlation --- */

static double naive_tau(const double *x, const double *y, size_t n)
{
    double score = 0, in_x = 0, in_y = 0; // pairs untied in each
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double dx = (x[i] > x[j]) - (x[i] < x[j]), dy = (y[i] > y[j]) - (y[i] < y[j]);
            score += dx * dy;
            in_x += dx * dx;
            in_y += dy * dy;
        }
    return score / sqrt(in_x * in_y);
}

// Pearson's correlation of ranks found by counting.
static double naive_rho(const double *x, const double *y, size_t n)
{
    double a[64], b[64], sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        a[i] = b[i] = 0;
        for (size_t j = 0; j < n; j++) {
            a[i] += x[j] < x[i] ? 1 : x[j] == x[i] ? 0.5 : 0;
            b[i] += y[j] < y[i] ? 1 : y[j] == y[i] ? 0.5 : 0;
        }
        sa += a[i] / (double)n;
        sb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - sa) * (b[i] - sb);
        aa += (a[i] - sa) * (a[i] - sa);
        bb += (b[i] - sb) * (b[i] - sb);
    }
    return ab / sqrt(aa * bb);
}

static void correlations_count_pairs(void **state)
{
    (void)state;
    double x[64], y[64];
    for (uint64_t seed = 0; seed < 30; seed++) {
        size_t n = 2 + 2 * seed;
        struct rng r = rng_key(seed, 0, RNG_SUBSET);
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)rng_below(&r, 1 + seed % 3 * 20) + (i == 0); // with ties
            y[i] = (double)rng_below(&r, 9) + x[i] / 2 - (i == 0);
        }
        double tau = naive_tau(x, y, n);
        if (isnan(tau))
            assert_true(isnan(rank_kendall(x, y, n)) && isnan(rank_spearman(x, y, n)));
        else {
            NEAR(rank_kendall(x, y, n), tau, 1e-12);
            NEAR(rank_spearman(x, y, n), naive_rho(x, y, n), 1e-12);
        }
    }
    for (size_t i = 0; i < 64; i++) {
        x[i] = (double)i;
        y[i] = -exp(x[i] / 9);
    }
    NEAR(rank_kendall(x, y, 64), -1, 0);
    NEAR(rank_spearman(x, y, 64), -1, 1e-12);
    assert_true(isnan(rank_kendall(x, y, 1)));
    assert_true(isnan(rank_kendall(x, (double[]){5, 5, 5}, 3)));
}

/* Independent ranks: tau has the standard deviation sqrt(2(2n + 5) / 9n(n - 1)) (Kendall
 * 1938); the bootstrap must give intervals of about that width, mostly around 0. */
static void interval_of_tau_has_the_known_width(void **state)
{
    (void)state;
    enum { N = 60, TRIALS = 40 };
    double x[N], y[N], lo, hi, width = 0;
    int covered = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        struct rng r = rng_key(seed, 1, RNG_SUBSET);
        for (int i = 0; i < N; i++) {
            x[i] = rng_uniform(&r);
            y[i] = rng_uniform(&r);
        }
        assert_true(rank_interval(&lo, &hi, x, y, N, 300, 1, 0.95));
        covered += lo <= 0 && 0 <= hi;
        width += (hi - lo) / TRIALS;
    }
    double deviation = sqrt(2 * (2.0 * N + 5) / (9.0 * N * (N - 1)));
    NEAR(width / (2 * 1.96 * deviation), 1, 0.1);
    assert_true(covered >= TRIALS * 85 / 100);
    double again, flat[N] = {0};
    assert_true(rank_interval(&again, &hi, x, y, N, 300, 1, 0.95));
    NEAR(again, lo, 0);
    assert_true(rank_interval(&lo, &hi, x, flat, N, 10, 1, 0.95) && isnan(lo) && isnan(hi));
    interrupt_flag = 1;
    bool done = rank_interval(&lo, &hi, x, y, N, 300, 1, 0.95);
    interrupt_flag = 0;
    assert_false(done);
}

/* --- seed noise --- */

/* Shrout and Fleiss 1979, tables 2 to 4: six targets, four judges; ICC(1,1) = .17, its mean
 * squares 11.24 and 6.26. */
static void noise_is_the_published_example(void **state)
{
    (void)state;
    const double x[] = {9, 2, 5, 8, 6,  1, 3, 2, 8, 4, 6, 8,
                        7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7};
    struct noise t = noise_of(x, 6, 4, 0.95);
    NEAR(t.within * t.within, 6.26, 0.005);
    NEAR(t.between * t.between, (11.24 - 6.26) / 4, 0.005);
    NEAR(t.reliability, 0.17, 0.005);
    NEAR(t.mean, 127 / 24.0, 1e-12);
    double f = 11.24 / 6.26;
    double low = f / f_quantile(0.975, 5, 18), high = f * f_quantile(0.975, 18, 5);
    NEAR(t.lo, fmax(0, (low - 1) / (low + 3)), 0.002);
    NEAR(t.hi, (high - 1) / (high + 3), 0.002);
}

static void noise_has_its_limits(void **state)
{
    (void)state;
    const double same[] = {50, 50, 60, 60, 70, 70}, level[] = {50, 52, 52, 50, 51, 51};
    struct noise t = noise_of(same, 3, 2, 0.95);
    assert_true(t.within == 0 && t.between == 10 && t.reliability == 1 && t.lo == 1);
    t = noise_of(level, 3, 2, 0.95);
    assert_true(t.between == 0 && t.reliability == 0 && t.lo == 0 && t.within > 1);
    const double flat[] = {7, 7, 7, 7};
    assert_true(isnan(noise_of(flat, 2, 2, 0.95).reliability));
}

// Models of deviation 3, trainings of 1: reliability 0.9, inside 95 % of the intervals.
static void noise_finds_the_variances_it_was_made_of(void **state)
{
    (void)state;
    enum { N = 30, K = 3, TRIALS = 400 };
    static double x[N * K];
    double within = 0, between = 0, covered = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        struct rng r = rng_key(seed, 2, RNG_SUBSET);
        for (int i = 0; i < N; i++) {
            double model = 50 + 3 * rng_normal(&r);
            for (int j = 0; j < K; j++)
                x[i * K + j] = model + rng_normal(&r);
        }
        struct noise t = noise_of(x, N, K, 0.95);
        within += t.within * t.within / TRIALS;
        between += t.between * t.between / TRIALS;
        covered += t.lo <= 0.9 && 0.9 <= t.hi;
    }
    NEAR(within, 1, 4 * sqrt(2 / (N * (K - 1.0)) / TRIALS));
    NEAR(between, 9, 4 * 9.4 * sqrt(2 / (N - 1.0) / TRIALS));
    NEAR(covered / TRIALS, 0.95, 0.035);
}

/* --- least squares --- */

static void exact_lines_are_found(void **state)
{
    (void)state;
    double x[20], y[20];
    const double c[REGRESS_FORMS][2] = {{3, 0}, {7, 0}, {2, 5}, {-4, 0.5}, {6, 0.5}};
    for (int form = 0; form < REGRESS_FORMS; form++) {
        for (int i = 0; i < 20; i++) {
            x[i] = 1e6 * (1 + i * i);
            y[i] = regress_at((enum regress_form)form, c[form], x[i]);
        }
        struct regression r;
        struct error e;
        assert_true(regress(&r, (enum regress_form)form, x, y, 20, 0.95, &e));
        for (int k = 0; k < r.terms; k++) {
            NEAR(r.c[k] / c[form][k], 1, 1e-9);
            NEAR(r.lo[k] / c[form][k], 1, 1e-6);
        }
        NEAR(r.r2, 1, 1e-12);
    }
    NEAR(regress_at(REGRESS_POWER, (double[]){6, 0.5}, 9), 18, 1e-12);
    NEAR(regress_at(REGRESS_LINEAR_SQRT, (double[]){2, 5}, 9), 33, 1e-12);
}

/* Anscombe's first data set (1973): y = 3.00 + 0.500 x, R^2 = 0.67, standard errors 1.125
 * and 0.118, residual 1.237. */
static void textbook_line(void **state)
{
    (void)state;
    const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    const double y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    struct regression r;
    struct error e;
    assert_true(regress(&r, REGRESS_AFFINE, x, y, 11, 0.95, &e));
    NEAR(r.c[0], 3.00, 0.005);
    NEAR(r.c[1], 0.500, 0.0005);
    NEAR(r.r2, 0.67, 0.005);
    NEAR(r.residual, 1.237, 0.0005);
    double t = 2.262157; // Student, 9 degrees of freedom
    NEAR((r.hi[0] - r.lo[0]) / 2 / t, 1.125, 0.0005);
    NEAR((r.hi[1] - r.lo[1]) / 2 / t, 0.118, 0.0005);
}

/* Two terms through the origin by Cramer's rule; one term by its closed form. */
static void small_systems_agree_with_cramer(void **state)
{
    (void)state;
    double x[30], y[30], aa = 0, ab = 0, bb = 0, ay = 0, by = 0;
    struct rng r = rng_key(4, 0, RNG_SUBSET);
    for (int i = 0; i < 30; i++) {
        x[i] = 1 + rng_uniform(&r) * 50;
        y[i] = 2 * x[i] + 3 * sqrt(x[i]) + rng_normal(&r);
        aa += x[i] * x[i];
        ab += x[i] * sqrt(x[i]);
        bb += x[i];
        ay += x[i] * y[i];
        by += sqrt(x[i]) * y[i];
    }
    struct regression fit;
    struct error e;
    assert_true(regress(&fit, REGRESS_LINEAR_SQRT, x, y, 30, 0.95, &e));
    double det = aa * bb - ab * ab;
    NEAR(fit.c[0], (ay * bb - by * ab) / det, 1e-9);
    NEAR(fit.c[1], (aa * by - ab * ay) / det, 1e-9);
    double s2 = fit.residual * fit.residual, t = student_quantile(0.975, 28);
    NEAR((fit.hi[0] - fit.lo[0]) / 2, t * sqrt(s2 * bb / det), 1e-9);
    NEAR((fit.hi[1] - fit.lo[1]) / 2, t * sqrt(s2 * aa / det), 1e-9);
    assert_true(regress(&fit, REGRESS_SQRT, x, y, 30, 0.95, &e));
    NEAR(fit.c[0], by / bb, 1e-12);
}

static void impossible_fits_say_why(void **state)
{
    (void)state;
    struct {
        enum regress_form form;
        double x[3], y[3];
        size_t n;
        const char *part;
    } bad[] = {
        {REGRESS_LINEAR, {1}, {1}, 1, "1 points are too few; this form needs 2"},
        {REGRESS_AFFINE, {5, 5, 5}, {1, 2, 3}, 3, "(nearly) equal"},
        {REGRESS_LINEAR, {0, 0, 0}, {1, 2, 3}, 3, "all are 0"},
        {REGRESS_SQRT, {1, -2, 3}, {1, 2, 3}, 3, "point 2 has x = -2"},
        {REGRESS_POWER, {1, 2, 3}, {1, 2, 0}, 3, "point 3 is (3, 0)"},
        {REGRESS_LINEAR, {1, NAN, 3}, {1, 2, 0}, 3, "point 2 is (nan, 2)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct regression r;
        struct error e;
        assert_false(regress(&r, bad[i].form, bad[i].x, bad[i].y, bad[i].n, 0.95, &e));
        if (!strstr(e.msg, bad[i].part))
            fail_msg("%s", e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correlations_count_pairs),
        cmocka_unit_test(interval_of_tau_has_the_known_width),
        cmocka_unit_test(noise_is_the_published_example),
        cmocka_unit_test(noise_has_its_limits),
        cmocka_unit_test(noise_finds_the_variances_it_was_made_of),
        cmocka_unit_test(exact_lines_are_found),
        cmocka_unit_test(textbook_line),
        cmocka_unit_test(small_systems_agree_with_cramer),
        cmocka_unit_test(impossible_fits_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
