/* boundary and anytime: limits, estimates and sequences against other programs and published
 * values; coverage and level by simulation. */
#include "stats_check.h"

#include "stats/anytime.h"
#include "stats/boundary.h"
#include "stats/special.h"

// Group-sequential tests ----------------------------------------------------------------------

static struct looks solved(struct spending s, int K, const double *t)
{
    struct looks l = {.K = K};
    struct error e;
    for (int k = 0; k < K; k++)
        l.t[k] = t ? t[k] : (k + 1.0) / K;
    assert_true(looks_solve(&l, &s, &e));
    return l;
}

static void limits_are(const struct looks *l, const double *want)
{
    for (int k = 0; k < l->K; k++)
        NEAR(l->c[k], want[k], 2e-6);
}

// getDesignGroupSequential of R's rpact 3.3.4, tolerance 1e-10.
static void limits_are_those_of_rpact(void **state)
{
    (void)state;
    const double uneven[] = {0.2, 0.3, 0.7, 0.75, 1};
    struct spending s = {SPEND_OBRIEN_FLEMING, 0.05, 1, 2};
    struct looks l = solved(s, 5, NULL);
    limits_are(&l, (double[]){4.876885, 3.357012, 2.680280, 2.289817, 2.031032});
    l = solved(s, 5, uneven);
    limits_are(&l, (double[]){4.876885, 3.929682, 2.438744, 2.425270, 2.016018});
    l = solved(s, 20, NULL);
    NEAR(l.c[3], 4.877999, 2e-4); // (rpact leaves out what the first looks spend: 5e-17)
    NEAR(l.c[9], 3.024411, 2e-6);
    NEAR(l.c[19], 2.122829, 2e-6);
    s.kind = SPEND_POCOCK;
    l = solved(s, 5, NULL);
    limits_are(&l, (double[]){2.437977, 2.426814, 2.410194, 2.396645, 2.385985});
    l = solved(s, 5, uneven);
    limits_are(&l, (double[]){2.437977, 2.554000, 2.273089, 2.432161, 2.345528});
    s.alpha = 0.01;
    l = solved(s, 10, NULL);
    limits_are(&l, (double[]){3.158534, 3.152021, 3.136303, 3.122136, 3.110383, 3.100713,
                              3.092700, 3.085990, 3.080310, 3.075453});
    l = solved((struct spending){SPEND_POWER, 0.05, 1, 2}, 5, NULL);
    limits_are(&l, (double[]){2.575829, 2.491969, 2.410825, 2.339143, 2.275513});
    l = solved((struct spending){SPEND_POWER, 0.1, 3, 2}, 4, NULL);
    limits_are(&l, (double[]){3.162818, 2.522998, 2.081396, 1.707466});
    l = solved((struct spending){SPEND_OBRIEN_FLEMING, 0.05, 1, 1}, 4, NULL);
    limits_are(&l, (double[]){3.749552, 2.539943, 2.016070, 1.720177});
}

static void limits_spend_what_they_should(void **state)
{
    (void)state;
    for (int kind = SPEND_OBRIEN_FLEMING; kind <= SPEND_POWER; kind++)
        for (int sides = 1; sides <= 2; sides++)
            for (int K = 1; K <= LOOKS_MOST; K += 7) {
                struct spending s = {(enum spending_kind)kind, 0.05, 2, sides};
                struct looks l = solved(s, K, NULL);
                struct crossing c;
                looks_cross(&l, 0, &c);
                double sum = 0;
                for (int k = 0; k < K; k++) {
                    sum += c.upper[k] + c.lower[k];
                    NEAR(sum, l.spent[k], 1e-10);
                    NEAR(l.spent[k], spending_at(&s, l.t[k]), 1e-13);
                }
                NEAR(sum, 0.05, 1e-10);
            }
    // a look that may spend nothing has no limit; one look is the plain test
    struct looks l = solved((struct spending){SPEND_OBRIEN_FLEMING, 0.05, 1, 2}, 50, NULL);
    assert_true(isinf(l.c[0]) && !isinf(l.c[10]));
    l = solved((struct spending){SPEND_POCOCK, 0.05, 1, 2}, 1, NULL);
    NEAR(l.c[0], 1.959963985, 1e-9);
    // looks that are as near to each other as may be
    l = solved((struct spending){SPEND_POCOCK, 0.05, 1, 2}, 3, (double[]){0.5, 0.50011, 1});
    struct crossing c;
    looks_cross(&l, 0, &c);
    NEAR(2 * c.power, 0.05, 1e-9);
    // spent by the plan, at other information: scipy 1.17.1, quad of the bivariate normal
    l = (struct looks){.K = 2, .t = {0.3, 1}};
    struct error e;
    assert_true(looks_solve_at(&l, &(struct spending){SPEND_OBRIEN_FLEMING, 0.05, 1, 2},
                               (double[]){0.5, 1}, &e));
    NEAR(l.spent[0], 0.003050645515978, 1e-12);
    NEAR(l.c[0], 2.9625880427275, 1e-9);
    NEAR(l.c[1], 1.9756536496551, 1e-9);
    struct looks bad = {.K = 2, .t = {0.5, 0.50005}};
    assert_false(looks_solve(&bad, &(struct spending){SPEND_POCOCK, 0.05, 1, 2}, &e));
    assert_non_null(strstr(e.msg, "look 2 has information 0.50005 after 0.5"));
}

// getDesignCharacteristics of rpact 3.3.4: models at most and on average, over one look's.
static void power_and_expected_models_are_those_of_rpact(void **state)
{
    (void)state;
    static const struct {
        enum spending_kind kind;
        double power, most, expected, none;
    } want[] = {{SPEND_OBRIEN_FLEMING, 0.8, 1.024719877, 0.8236623194, 1.017991754},
                {SPEND_OBRIEN_FLEMING, 0.9, 1.023078323, 0.7586670125, 1.016360977},
                {SPEND_POCOCK, 0.8, 1.212625945, 0.795646626, 1.183621333},
                {SPEND_POCOCK, 0.9, 1.192347648, 0.6839926933, 1.16382807}};
    for (int i = 0; i < 4; i++) {
        struct looks l = solved((struct spending){want[i].kind, 0.05, 1, 2}, 5, NULL);
        double drift = looks_drift(&l, want[i].power);
        double one = normal_quantile(0.975) + normal_quantile(want[i].power);
        struct crossing c;
        looks_cross(&l, drift, &c);
        NEAR(c.power, want[i].power, 1e-9);
        NEAR(drift * drift / (one * one), want[i].most, 1e-6);
        NEAR(c.expected * drift * drift / (one * one), want[i].expected, 1e-6);
        looks_cross(&l, 0, &c);
        NEAR(c.expected * drift * drift / (one * one), want[i].none, 1e-6);
    }
}

// getFinalConfidenceInterval ("general") and getFinalPValue of rpact 3.3.4 for single means
// with standard deviation 1 and 20 a stage, for which the drift is ten times the mean.
static void stagewise_is_that_of_rpact(void **state)
{
    (void)state;
    static const struct {
        enum spending_kind kind;
        int look;
        double z, p, estimate, lo, hi;
    } want[] = {
        {SPEND_OBRIEN_FLEMING, 3, 3.014766609, 0.001500385038, 0.3869551513, 0.1321521918,
         0.6407267087},
        {SPEND_OBRIEN_FLEMING, 2, 4.526209329, 3.490230001e-06, 0.715221564, 0.4048947831,
         1.0252740779},
        {SPEND_OBRIEN_FLEMING, 5, 1.7303280502, 0.04361647482, 0.1716877767, -0.02512937384,
         0.36806904323},
        {SPEND_POCOCK, 3, 2.866215252, 0.0138527537, 0.3346915084, 0.0404590676,
         0.6020844139},
    };
    for (int i = 0; i < 4; i++) {
        struct looks l = solved((struct spending){want[i].kind, 0.05, 1, 2}, 5, NULL);
        struct stagewise s, mirrored;
        looks_stagewise(&l, want[i].look - 1, want[i].z, 0.95, &s);
        NEAR(s.p / 2, want[i].p, 1e-9);
        NEAR(s.estimate / 10, want[i].estimate, 1e-7);
        NEAR(s.lo / 10, want[i].lo, 1e-7);
        NEAR(s.hi / 10, want[i].hi, 1e-7);
        looks_stagewise(&l, want[i].look - 1, -want[i].z, 0.95, &mirrored);
        NEAR(mirrored.p, s.p, 0);
        NEAR(mirrored.estimate, -s.estimate, 0);
        NEAR(mirrored.lo, -s.hi, 0);
    }
    // far out, after looks without limits
    struct looks many =
        solved((struct spending){SPEND_OBRIEN_FLEMING, 0.001, 1, 2}, 50, NULL);
    for (int k = 0; k < 50; k += 7) {
        struct stagewise s;
        looks_stagewise(&many, k, 1000, 0.95, &s);
        assert_true(s.lo < s.estimate && s.estimate < s.hi && s.hi < 30 / sqrt(many.t[k]));
        assert_true(s.p >= 0 && s.p <= many.spent[k] + 1e-12);
    }
    // one look: the plain test
    struct looks l = solved((struct spending){SPEND_POCOCK, 0.05, 1, 2}, 1, NULL);
    struct stagewise s;
    looks_stagewise(&l, 0, 1.7, 0.95, &s);
    NEAR(s.p, erfc(1.7 / sqrt(2)), 1e-12);
    NEAR(s.estimate, 1.7, 1e-8);
    NEAR(s.hi, 1.7 + 1.959963985, 1e-8);
}

/* Simulated paths of a Brownian motion with drift, looked at as planned: where they stop. */
static void paths_do_what_is_computed(void **state)
{
    (void)state;
    enum { PATHS = 20000, K = 4 };
    const double t[K] = {0.3, 0.5, 0.6, 1}, drift = 2, margin = 5;
    struct looks l = solved((struct spending){SPEND_POCOCK, 0.1, 1, 2}, K, t);
    looks_equivalence(&l, margin);
    struct crossing want;
    looks_cross(&l, drift, &want);
    double expected = 0, upper[K] = {0}, same[K] = {0}, lower = 0;
    struct rng r = rng_key(7, 0, RNG_SUBSET);
    for (int path = 0; path < PATHS; path++) {
        double b = 0, before = 0;
        for (int k = 0; k < K; k++) {
            b += drift * (t[k] - before) + sqrt(t[k] - before) * rng_normal(&r);
            before = t[k];
            double z = b / sqrt(t[k]);
            bool up = z >= l.c[k], down = z <= -l.c[k], close = fabs(z) < l.same[k];
            upper[k] += up;
            lower += down;
            same[k] += close;
            if (up || down || close || k == K - 1) {
                expected += t[k];
                break;
            }
        }
    }
    double lower_sum = 0;
    for (int k = 0; k < K; k++) {
        NEAR(upper[k] / PATHS, want.upper[k], 0.013); // four standard errors
        NEAR(same[k] / PATHS, want.same[k], 0.013);
        lower_sum += want.lower[k];
    }
    assert_true(want.same[1] + want.same[2] > 0.1);
    NEAR(lower / PATHS, lower_sum, 0.004);
    NEAR(expected / PATHS, want.expected, 0.008);
}

// Two spaces that differ by the margin are called the same in at most half of alpha of cases.
static void sameness_errs_on_one_side(void **state)
{
    (void)state;
    for (int kind = SPEND_OBRIEN_FLEMING; kind <= SPEND_POCOCK; kind++)
        for (double margin = 3; margin < 8; margin++) {
            struct looks l =
                solved((struct spending){(enum spending_kind)kind, 0.05, 1, 2}, 5, NULL);
            looks_equivalence(&l, margin);
            struct crossing at_margin, none;
            looks_cross(&l, margin, &at_margin);
            looks_cross(&l, 0, &none);
            double wrong = 0, right = 0;
            for (int k = 0; k < 5; k++) {
                wrong += at_margin.same[k];
                right += none.same[k];
            }
            assert_true(wrong <= 0.025 && wrong > 0.001);
            assert_true(right > 5 * wrong && right <= 1);
        }
}

// Without stops for sameness, the interval holds the drift as often as it says, and half of
// the estimates are too large.
static void stagewise_is_unbiased_after_stopping(void **state)
{
    (void)state;
    enum { PATHS = 4000, K = 3 };
    struct looks l = solved((struct spending){SPEND_OBRIEN_FLEMING, 0.05, 1, 2}, K, NULL);
    for (double drift = 0; drift < 4; drift += 1.5) {
        struct rng r = rng_key(8, (uint64_t)(2 * drift), RNG_SUBSET);
        int covered = 0, above = 0, repeated = 0, claims = 0;
        for (int path = 0; path < PATHS; path++) {
            double b = 0, z = 0;
            int k = 0;
            for (bool inside = true; k < K; k++) {
                b += drift / K + rng_normal(&r) / sqrt(K);
                z = b / sqrt(l.t[k]);
                inside = inside && fabs(z - drift * sqrt(l.t[k])) < l.c[k];
                if (fabs(z) >= l.c[k] || k == K - 1) {
                    repeated += inside;
                    break;
                }
            }
            struct stagewise s;
            looks_stagewise(&l, k, z, 0.95, &s);
            covered += s.lo <= drift && drift <= s.hi;
            above += s.estimate > drift;
            claims += s.p <= 0.05;
            assert_true((s.p <= 0.05) == (fabs(z) >= l.c[k]));
        }
        NEAR(covered / (double)PATHS, 0.95, 0.014);
        NEAR(above / (double)PATHS, 0.5, 0.032);
        assert_true(repeated >= 0.936 * PATHS);
        if (drift == 0)
            NEAR(claims / (double)PATHS, 0.05, 0.014);
    }
}

static void deviate_has_the_tail_of_student(void **state)
{
    (void)state;
    for (double z = -6; z <= 6; z += 0.7)
        for (double df = 1.5; df < 400; df *= 3) {
            double t = student_quantile(0.5 * erfc(-z / sqrt(2)), df);
            NEAR(student_deviate(t, df), z, 1e-6);
            NEAR(student_deviate(deviate_student(z, df), df), z, 1e-9);
        }
    NEAR(student_deviate(2.228138852, 10), 1.959963985, 1e-8); // tables
    NEAR(deviate_student(-1.959963985, 10), -2.228138852, 1e-7);
    NEAR(deviate_student(8, 1e9), 8, 1e-6); // far out, where 1 - p has no digits left
    NEAR(student_deviate(1e200, 30), 40, 1e-9);
}

// Valid at every moment -----------------------------------------------------------------------

// normal_log_mixture, normal_mixture_bound and empirical_process_lil_bound of confseq 0.0.11,
// two-sided; the last is found there to 24 bits.
static void mixtures_are_those_of_confseq(void **state)
{
    (void)state;
    double rho = mixture_rho(100, 0.05);
    NEAR(rho, 12.60056, 1e-5);
    NEAR(mixture_log(1, 100, INFINITY, rho), -0.65100516, 1e-8);
    NEAR(10 * mixture_bound(100, INFINITY, rho, 0.05), 30.3520899, 1e-7);
    rho = mixture_rho(200, 0.01);
    NEAR(mixture_log(-25 / sqrt(50), 50, INFINITY, rho), 3.962240135, 1e-9);
    NEAR(sqrt(50) * mixture_bound(50, INFINITY, rho, 0.01), 26.67565123, 1e-8);
    for (double n = 2; n < 1000; n *= 1.7)
        for (double df = 2; df < 1e5; df *= 4) {
            double t = mixture_bound(n, df, rho, 0.01);
            if (!isinf(t)) // where the e-value gets to 1/alpha
                NEAR(mixture_log(t, n, df, rho), log(100), 1e-9);
            else
                assert_true(mixture_log(1e12, n, df, rho) < log(100));
            assert_true(t >= mixture_bound(n, 4 * df, rho, 0.01));
        }
    NEAR(mixture_bound(100, 1e9, rho, 0.05), mixture_bound(100, INFINITY, rho, 0.05), 1e-6);
    NEAR(band_iterated(1000, 100, 0.05), 0.08204778771, 1e-6);
    NEAR(band_iterated(100, 100, 0.05), 0.2422532709, 1e-6);
    NEAR(band_iterated(10000, 20, 0.1), 0.02633502795, 1e-6);
    NEAR(band_iterated(50, 10, 0.01), 0.3847163889, 1e-6);
}

// betting_mart (theta 1, 0, 1/2) of confseq 0.0.11 at these numbers.
static void bets_are_those_of_confseq(void **state)
{
    (void)state;
    enum { N = 200 };
    double x[N], bet[N], above[N], below[N], lo, hi;
    for (int i = 0; i < N; i++)
        x[i] = (i + 1) * 37 % 101 / 101.0 * 0.4 + 0.35;
    static const double want[3][7] = {
        {0.5, -0.6966185453154042, -0.6896878245031958, -0.19881767894635635,
         -1.3314922349009013, 6.9956811134207335, -11.08440559773205},
        {0.52, -0.7159684492436127, -0.6689980626536851, -0.4015343558832752,
         -1.1401749767972966, 3.352855308285622, -7.417918209774548},
        {0.6, -0.7833138452699143, -0.571521153624394, -1.108871285077876,
         -0.23567659014589243, -10.18532157567837, 8.218202264071259}};
    betting_bets(bet, x, N, 0.05);
    for (int i = 0; i < 3; i++) {
        betting_capital(above, below, x, bet, N, want[i][0]);
        NEAR(above[0], want[i][1], 1e-12);
        NEAR(below[0], want[i][2], 1e-12);
        NEAR(above[9], want[i][3], 1e-12);
        NEAR(below[9], want[i][4], 1e-12);
        NEAR(above[N - 1], want[i][5], 1e-11);
        NEAR(below[N - 1], want[i][6], 1e-11);
    }
    betting_interval(&lo, &hi, x, bet, N, 0.05);
    NEAR(lo, 0.5219921922199666, 1e-10);
    NEAR(hi, 0.5740940338278772, 1e-10);
    betting_interval(&lo, &hi, x, bet, 1, 0.05);
    assert_true(lo == 0 && hi == 1); // one observation refutes nothing
}

/* How often, of REPEATS sequences of normal pairs with the deviations sa and sb, the interval
 * misses a difference of `shift` at some n from `first` to N. */
enum { REPEATS = 2000, N = 400 };

static double missed(double sa, double sb, double shift, int first, uint64_t seed)
{
    static double a[N], b[N];
    static struct sequence_point p[N];
    int misses = 0;
    for (int k = 0; k < REPEATS; k++) {
        struct rng r = rng_key(seed, (uint64_t)k, RNG_SUBSET);
        for (int i = 0; i < N; i++) {
            a[i] = 40 + sa * rng_normal(&r);
            b[i] = 40 + shift + sb * rng_normal(&r);
        }
        sequence_means(p, a, b, N, mixture_rho(100, 0.05), 0.05);
        bool good = true;
        for (int i = first - 1; i < N; i++)
            good = good && p[i].lo <= shift && shift <= p[i].hi;
        misses += !good;
    }
    return misses / (double)REPEATS;
}

// 5 % and three standard errors, from the second pair on.
static void sequence_holds_at_every_n(void **state)
{
    (void)state;
    assert_true(missed(3, 3, 0, 2, 1) <= 0.05 + 0.015);
    assert_true(missed(3, 1, 1, 2, 2) <= 0.05 + 0.015);
    assert_true(missed(0.5, 3, -2, 2, 3) <= 0.05 + 0.015);
    assert_true(missed(3, 3, 0, 2, 4) >= 0.01); // and not by being endless
}

static void sequence_starts_from_nothing(void **state)
{
    (void)state;
    const double a[] = {40, 40, 41, 42, 40.5}, b[] = {39, 39, 40, 44, 41};
    struct sequence_point p[5];
    sequence_means(p, a, b, 5, 1, 0.05);
    assert_true(isinf(p[0].lo) && isinf(p[0].hi) && p[0].log_e == 0);
    assert_true(isinf(p[1].hi) && p[1].difference == -1); // no spread so far
    // the last by hand: means 40.7 and 40.6, squares 2.8 and 17.2
    NEAR(p[4].difference, -0.1, 1e-12);
    double df = 4 * 20.0 * 20.0 / (2.8 * 2.8 + 17.2 * 17.2), se = sqrt(20.0 / 20);
    NEAR(p[4].hi, -0.1 + se * mixture_bound(5, df, 1, 0.05), 1e-9);
    NEAR(p[4].log_e, mixture_log(-0.1 / se, 5, df, 1), 1e-9);
}

// Of skewed numbers in 0 … 1: neither interval nor band may be wrong at any moment in more
// than 5 % of sequences.
static void bets_and_bands_hold_at_every_n(void **state)
{
    (void)state;
    enum { MANY = 1000, LAST = 300, FIRST = 10 };
    static double x[LAST], bet[LAST], above[LAST], below[LAST], height[LAST + 1];
    for (int n = FIRST; n <= LAST; n++)
        height[n] = band_anytime((size_t)n, FIRST, 0.05);
    int missed_mean = 0, missed_band = 0, naive = 0;
    for (int k = 0; k < MANY; k++) {
        struct rng r = rng_key(11, (uint64_t)k, RNG_SUBSET);
        int below_it[9] = {0}; // how many x are below 0.1 … 0.9, in u
        bool good_mean = true, good_band = true, good_naive = true;
        for (int i = 0; i < LAST; i++) {
            double u = rng_uniform(&r);
            x[i] = u * u * u; // mean 1/4
            for (int j = 0; j < 9; j++) {
                below_it[j] += u < (j + 1) / 10.0;
                double off = fabs(below_it[j] / (i + 1.0) - (j + 1) / 10.0);
                good_band = good_band && (i + 1 < FIRST || off <= height[i + 1]);
                good_naive =
                    good_naive && (i + 1 < FIRST || off <= edf_dkw((size_t)i + 1, 0.95));
            }
        }
        betting_bets(bet, x, LAST, 0.05);
        betting_capital(above, below, x, bet, LAST, 0.25);
        for (int i = 0; i < LAST; i++)
            good_mean = good_mean && above[i] < log(20) && below[i] < log(20);
        missed_mean += !good_mean;
        missed_band += !good_band;
        naive += !good_naive;
    }
    assert_true(missed_mean <= 0.07 * MANY && missed_band <= 0.05 * MANY);
    assert_true(naive > missed_band); // the band for one n does not hold at all of them
}

static void band_is_the_lower_of_two(void **state)
{
    (void)state;
    assert_true(isinf(band_anytime(9, 10, 0.05)));
    NEAR(band_union(100, 10, 0.05), sqrt(log(2 * 100 * 101 / (0.05 * 10)) / 200), 1e-12);
    NEAR(band_anytime(50, 10, 0.05), band_union(50, 10, 0.025), 0);
    NEAR(band_anytime(5000, 10, 0.05), band_iterated(5000, 10, 0.025), 0);
    double spent = 0; // of the union: all of alpha over all n
    for (int n = 10; n < 100000; n++) {
        double h = band_union((size_t)n, 10, 0.05);
        spent += 2 * exp(-2 * n * h * h);
    }
    NEAR(spent, 0.05, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_those_of_rpact),
        cmocka_unit_test(limits_spend_what_they_should),
        cmocka_unit_test(power_and_expected_models_are_those_of_rpact),
        cmocka_unit_test(stagewise_is_that_of_rpact),
        cmocka_unit_test(paths_do_what_is_computed),
        cmocka_unit_test(sameness_errs_on_one_side),
        cmocka_unit_test(stagewise_is_unbiased_after_stopping),
        cmocka_unit_test(deviate_has_the_tail_of_student),
        cmocka_unit_test(mixtures_are_those_of_confseq),
        cmocka_unit_test(bets_are_those_of_confseq),
        cmocka_unit_test(sequence_holds_at_every_n),
        cmocka_unit_test(sequence_starts_from_nothing),
        cmocka_unit_test(bets_and_bands_hold_at_every_n),
        cmocka_unit_test(band_is_the_lower_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
