/* special: the distributions behind intervals, against closed forms and plain sums; and the
 * band they give an EDF. */
#include "stats_check.h"

#include "stats/resample.h"
#include "stats/special.h"

static void beta_has_its_closed_forms(void **state)
{
    (void)state;
    for (double x = 0.05; x < 1; x += 0.05) {
        NEAR(beta_cdf(x, 1, 1), x, 1e-14);
        for (double a = 0.3; a < 40; a *= 2.1) {
            NEAR(beta_cdf(x, a, 1), pow(x, a), 1e-13);
            NEAR(beta_cdf(x, 1, a), 1 - pow(1 - x, a), 1e-13);
            NEAR(beta_cdf(x, a, 3.7) + beta_cdf(1 - x, 3.7, a), 1, 1e-13);
            NEAR(beta_cdf(beta_quantile(x, a, 3.7), a, 3.7), x, 1e-12);
        }
        NEAR(beta_cdf(x, 0.5, 0.5), 2 / M_PI * asin(sqrt(x)), 1e-13); // the arcsine law
    }
    NEAR(beta_cdf(0, 2, 3), 0, 0);
    NEAR(beta_cdf(1, 2, 3), 1, 0);
    NEAR(beta_cdf(0.5, 1e5, 1e5), 0.5, 1e-9);
}

static void quantiles_have_their_closed_forms(void **state)
{
    (void)state;
    for (double p = 0.01; p < 1; p += 0.049) {
        NEAR(student_quantile(p, 1), tan(M_PI * (p - 0.5)), 1e-9 * (1 + 1 / (p * (1 - p))));
        NEAR(student_quantile(p, 2), (2 * p - 1) / sqrt(2 * p * (1 - p)), 1e-9);
        NEAR(f_quantile(p, 2, 2), p / (1 - p), 1e-9 / (1 - p) / (1 - p));
        NEAR(f_quantile(p, 2, 10), 5 * (pow(1 - p, -0.2) - 1), 1e-9); // Pareto
        NEAR(f_quantile(p, 7, 4) * f_quantile(1 - p, 4, 7), 1, 1e-9);
        NEAR(student_quantile(p, 1e6), normal_quantile(p), 1e-4);
        NEAR(0.5 * erfc(-normal_quantile(p) / sqrt(2)), p, 1e-14);
    }
    NEAR(student_quantile(0.5, 9), 0, 1e-9);
}

// The distribution function by adding up its terms.
static double summed_binomial(size_t k, size_t n, double p)
{
    double sum = 0, all = lgamma((double)n + 1);
    for (size_t i = 0; i <= k; i++)
        sum += exp(all - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) +
                   (double)i * log(p) + (double)(n - i) * log1p(-p));
    return sum;
}

static void binomial_is_the_sum_of_its_terms(void **state)
{
    (void)state;
    for (double p = 0.03; p < 1; p += 0.12)
        for (size_t n = 1; n < 60; n += 7)
            for (size_t k = 0; k <= n; k++)
                NEAR(binomial_cdf(k, n, p), k == n ? 1 : summed_binomial(k, n, p), 1e-12);
    const double q[] = {0.005, 0.025, 0.3, 0.5, 0.975};
    for (int i = 0; i < 5; i++)
        for (size_t n = 1; n < 400; n += 37)
            for (size_t j = 0; j <= n; j++) {
                double p = (double)j / (double)n;
                size_t k = binomial_quantile(q[i], normal_quantile(q[i]), n, p);
                if (j == 0 || j == n) {
                    assert_int_equal(k, j);
                    continue;
                }
                assert_true(k == n || summed_binomial(k, n, p) >= q[i] - 1e-10);
                assert_true(k == 0 || summed_binomial(k - 1, n, p) < q[i] + 1e-10);
            }
    assert_int_equal(binomial_quantile(0.975, 1.96, 10, 0), 0);
}

// Beyond the exact range: at most one away, and hardly ever.
static void large_binomial_is_at_most_one_away(void **state)
{
    (void)state;
    const size_t n = 100000;
    double z = normal_quantile(0.975);
    int away = 0;
    for (size_t j = 1500; j < n - 1500; j += 997) {
        double p = (double)j / (double)n;
        size_t k = binomial_quantile(0.975, z, n, p);
        bool low = binomial_cdf(k, n, p) < 0.975, high = binomial_cdf(k - 1, n, p) >= 0.975;
        away += low || high;
        assert_true(binomial_cdf(k + 1, n, p) >= 0.975);
        assert_true(binomial_cdf(k - 2, n, p) < 0.975);
    }
    assert_true(away <= 2);
}

static int ascending(const void *p, const void *q)
{
    return *(const int *)p - *(const int *)q;
}

// The edges are the percentiles of EDFs of resampled errors.
static void band_is_the_bootstrap_without_simulation(void **state)
{
    (void)state;
    enum { N = 40, DRAWS = 20000 };
    static struct sample a;
    static int below[DRAWS];
    const struct edf *f = fill_range(&a, N, 20, 1);
    for (int k = 1; k < N; k += 6) {
        double e = f->e[k]; // F(e) = k/N
        uint32_t drawn[N];
        for (uint32_t t = 0; t < DRAWS; t++) {
            struct rng r = replicate_rng(1, USE_BEST, t);
            draw_indices(&r, drawn, N, N);
            below[t] = 0;
            for (int i = 0; i < N; i++)
                below[t] += f->e[drawn[i]] < e;
        }
        qsort(below, DRAWS, sizeof *below, ascending);
        double lo = edf_at(f, e), hi = lo;
        edf_bootstrap_edge(N, 0.9, false, &lo, 1);
        edf_bootstrap_edge(N, 0.9, true, &hi, 1);
        // percentiles 4 and 6, 94 and 96: seven standard errors of a share of 5 %
        assert_true(below[DRAWS * 4 / 100] <= lo * N + 1e-9);
        assert_true(below[DRAWS * 6 / 100] >= lo * N - 1e-9);
        assert_true(below[DRAWS * 94 / 100] <= hi * N + 1e-9);
        assert_true(below[DRAWS * 96 / 100] >= hi * N - 1e-9);
    }
    double ends[] = {0, 1};
    edf_bootstrap_edge(N, 0.9, true, ends, 2);
    assert_true(ends[0] == 0 && ends[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beta_has_its_closed_forms),
        cmocka_unit_test(quantiles_have_their_closed_forms),
        cmocka_unit_test(binomial_is_the_sum_of_its_terms),
        cmocka_unit_test(large_binomial_is_at_most_one_away),
        cmocka_unit_test(band_is_the_bootstrap_without_simulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
