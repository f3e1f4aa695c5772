/* gp.h and adjust.h: the gradient against finite differences, everything else against a second
 * computation (tests/data/adjust.txt, by scripts/make_adjust_fixture.py), exact identities, and
 * what happens to odd data. */
#include "stats_check.h"

#include <stdio.h>

#include "stats/adjust.h"
#include "stats/special.h"
#include "stats/gp.c" // for the posterior, which is its own

enum { TOTAL = 54, DRAWN = 500, D = 3 };

static const struct gp_shape shape = {.D = D, .groups = 2, .start = {0, 2, 3}};

// The array `name` of the fixture, as doubles.
static size_t fixture(const char *name, double *out, size_t most)
{
    char found[64];
    size_t n, got = 0;
    FILE *f = fopen("tests/data/adjust.txt", "r");
    assert_non_null(f);
    while (!got && fscanf(f, "%63s %zu", found, &n) == 2) {
        for (size_t i = 0; i < n; i++) {
            double v;
            assert_int_equal(fscanf(f, "%lf", &v), 1);
            if (strcmp(found, name) == 0 && i < most)
                out[i] = v;
        }
        if (strcmp(found, name) == 0)
            got = n;
    }
    fclose(f);
    assert_true(got > 0 && got <= most);
    return got;
}

struct problem {
    size_t n[2], N[2];
    float x[TOTAL * D], drawn[DRAWN * D];
    double y[TOTAL];
    struct adjust_data data;
};

static struct problem load(void)
{
    struct problem p;
    double list[DRAWN * D];
    assert_int_equal(fixture("x", list, DRAWN * D), TOTAL * D);
    for (int i = 0; i < TOTAL * D; i++)
        p.x[i] = (float)list[i];
    assert_int_equal(fixture("drawn", list, DRAWN * D), DRAWN * D);
    for (int i = 0; i < DRAWN * D; i++)
        p.drawn[i] = (float)list[i];
    assert_int_equal(fixture("y", p.y, TOTAL), TOTAL);
    fixture("n", list, 2);
    p.n[0] = (size_t)list[0], p.n[1] = (size_t)list[1];
    fixture("N", list, 2);
    p.N[0] = (size_t)list[0], p.N[1] = (size_t)list[1];
    fixture("seed", list, 1);
    p.data = (struct adjust_data){.shape = shape, .P = 2, .seed = (uint64_t)list[0]};
    return p;
}

// The pointers of p's data, which must not move any more.
static const struct adjust_data *data_of(struct problem *p)
{
    p->data.n = p->n;
    p->data.N = p->N;
    p->data.x = p->x;
    p->data.y = p->y;
    p->data.drawn_x = p->drawn;
    return &p->data;
}

static void the_gradient_is_that_of_the_posterior(void **state)
{
    (void)state;
    enum { N = 24, P = 4 };
    struct rng r = rng_key(3, 0, RNG_SUBSET);
    static float distance[2 * N * N], k[N * N];
    static double K[N * N], a[N], y[N];
    struct learning t = {.n = N,
                         .padded = N,
                         .groups = 2,
                         .P = P,
                         .distance = distance,
                         .y = y,
                         .K = K,
                         .k = k,
                         .a = a,
                         .prior = {-0.3, -0.5, 0.5, 0.5},
                         .width = {1, 0.7, 1, 1}};
    double x[N][2];
    for (int i = 0; i < N; i++) {
        x[i][0] = rng_normal(&r), x[i][1] = rng_normal(&r);
        y[i] = x[i][0] + 0.3 * rng_normal(&r);
        for (int j = 0; j <= i; j++)
            for (int g = 0; g < 2; g++)
                distance[(i * 2 + g) * N + j] = (float)pow(x[i][g] - x[j][g], 2);
    }
    double at[P] = {0.2, -0.8, 0.1, 0.6}, gradient[P], unused[P];
    assert_true(isfinite(posterior(&t, at, gradient)));
    for (int i = 0; i < P; i++) {
        double step = 5e-3, old = at[i], up, down;
        at[i] = old + step, up = posterior(&t, at, unused);
        at[i] = old - step, down = posterior(&t, at, unused);
        at[i] = old;
        NEAR(gradient[i], (up - down) / (2 * step), 1e-3); // k has single precision
    }
}

static void a_fit_agrees_with_numpy(void **state)
{
    (void)state;
    struct problem p = load();
    struct gp gp;
    double want[20], f[20], log[4];
    gp_fit(&gp, &shape, p.x, p.y, p.n[0], 1, NULL);
    assert_int_equal(fixture("log", log, 4), 4);
    for (int i = 0; i < 4; i++)
        NEAR(gp.at.log[i], log[i], 0.01);
    gp_predict(&gp, p.drawn, 20, NULL, f, NULL);
    assert_int_equal(fixture("f", want, 20), 20);
    for (int i = 0; i < 20; i++)
        NEAR(f[i], want[i], 0.01);
    gp_free(&gp);
}

static void weights_are_the_derivative_of_predictions(void **state)
{
    (void)state;
    struct problem p = load();
    size_t n = p.n[0];
    struct gp gp;
    double f[200], before = 0, columns[TOTAL], sum = 0, weight[200], total = 0;
    for (int i = 0; i < 200; i++)
        total += weight[i] = i % 3 - 0.5;
    gp_fit(&gp, &shape, p.x, p.y, n, 1, NULL);
    gp_predict(&gp, p.drawn, 200, weight, f, columns);
    gp_weights(&gp, columns, total);
    for (int i = 0; i < 200; i++)
        before += weight[i] * f[i];
    for (size_t j = 0; j < n; j++)
        sum += columns[j] * p.y[j];
    NEAR(sum, before, 5e-3);            // of sums of 5,000: rounding of single precision
    for (size_t j = 0; j < n; j += 7) { // the same fit to other errors
        double y[TOTAL], after = 0, mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += (y[i] = p.y[i] + (i == j)) / (double)n;
        gp.mean = mean;
        for (size_t i = 0; i < n; i++)
            gp.alpha[i] = (y[i] - mean) / gp.deviation;
        cholesky_solve(gp.L, n, gp.alpha, 1);
        gp_predict(&gp, p.drawn, 200, NULL, f, NULL);
        for (int i = 0; i < 200; i++)
            after += weight[i] * f[i];
        NEAR(after - before, columns[j], 1e-3);
    }
    gp_free(&gp);
}

static void estimates_agree_with_numpy(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a;
    struct adjusted_mean m[2];
    double want[8], e[7], F[7], curve[7], influence[2][TOTAL], square = 0;
    assert_true(adjust_fit(&a, data));
    fixture("estimates", want, 8);
    for (int q = 0; q < 2; q++) {
        m[q].influence = influence[q];
        adjust_mean(&a, data, q, NULL, &m[q]);
        NEAR(m[q].mean, want[4 * q], 0.01);
        NEAR(m[q].se, want[4 * q + 1], 0.01);
        NEAR(m[q].lambda, want[4 * q + 2], 0.01);
        NEAR(m[q].plain_se, want[4 * q + 3], 1e-8);
        square += m[q].drawn_se * m[q].drawn_se;
        fixture("e", e, 7);
        fixture(q ? "edf1" : "edf0", curve, 7);
        assert_true(adjust_edf(&a, data, q, e, 7, F, 0.95, 100, NULL));
        for (int k = 0; k < 7; k++)
            NEAR(F[k], fmax(0, fmin(1, curve[k])), 0.01);
    }
    for (int i = 0; i < TOTAL; i++)
        square += pow(influence[1][i] - influence[0][i], 2);
    fixture("difference", want, 2);
    NEAR(m[1].mean - m[0].mean, want[0], 0.02);
    NEAR(sqrt(square), want[1], 0.01);
    adjust_free(&a);
}

static void what_errors_add_through_the_fits_is_exact(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a;
    assert_true(adjust_fit(&a, data));
    for (size_t q = 0, first = 0, drawn = 0; q < 2; first += p.n[q], drawn += p.N[q++]) {
        double sum = 0, moved = 0;
        for (size_t i = 0; i < TOTAL; i++)
            sum += a.through[q * TOTAL + i] * (a.f[i] + a.r[i]); // of errors as they were cut
        for (size_t i = 0; i < p.n[q]; i++)
            moved += a.f[first + i] / (double)p.n[q];
        for (size_t i = 0; i < p.N[q]; i++)
            moved -= a.drawn[drawn + i] / (double)p.N[q];
        NEAR(sum, moved, 1e-4);
    }
    adjust_free(&a);
}

static void two_phases_agree_with_numpy(void **state)
{
    (void)state;
    enum { ALL = 70 };
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a, b;
    struct adjusted_mean m = {0}, s = {0};
    double more[40 * D], signal[ALL], influence[ALL], want[4];
    float x[ALL * D];
    fixture("more", more, 40 * D);
    fixture("signal", signal, ALL);
    fixture("two_phase", want, 4);
    for (int i = 0; i < ALL * D; i++)
        x[i] = i < 30 * D ? p.x[i] : (float)more[i - 30 * D];
    struct adjust_data signals = {
        .shape = shape, .P = 1, .seed = data->seed, .x = x, .y = signal};
    signals.n = (size_t[]){ALL};
    signals.N = data->N;
    signals.drawn_x = data->drawn_x;
    assert_true(adjust_fit(&a, data) && adjust_fit(&b, &signals));
    s.influence = influence;
    adjust_mean(&b, &signals, 0, NULL, &s);
    struct adjust_early early = {ALL, signal, s.mean, s.drawn_se, influence};
    adjust_mean(&a, data, 0, &early, &m);
    NEAR(m.mean, want[0], 0.001);
    NEAR(m.se, want[1], 0.001);
    NEAR(m.lambda, want[2], 0.001);
    NEAR(m.beta, want[3], 0.02);
    adjust_free(&a);
    adjust_free(&b);
}

static void networks_in_two_populations_count_once(void **state)
{
    (void)state;
    struct problem p = load();
    uint32_t same[TOTAL];
    double influence[2][TOTAL];
    struct adjusted a, once;
    struct adjusted_mean m[2] = {{.influence = influence[0]}, {.influence = influence[1]}},
                         alone;
    // the second population: 24 of the first, of the same space
    memcpy(p.x + 30 * D, p.x, 24 * D * sizeof *p.x);
    memcpy(p.y + 30, p.y, 24 * sizeof *p.y);
    memmove(p.drawn + 300 * D, p.drawn, 200 * D * sizeof *p.drawn);
    for (uint32_t i = 0; i < TOTAL; i++)
        same[i] = i < 30 ? i : i - 30;
    const struct adjust_data *data = data_of(&p);
    p.data.same = same;
    alone = (struct adjusted_mean){0};
    assert_true(adjust_fit(&a, data));
    for (int q = 0; q < 2; q++)
        adjust_mean(&a, data, q, NULL, &m[q]);
    struct adjust_data first = *data;
    first.P = 1, first.same = NULL;
    assert_true(adjust_fit(&once, &first));
    adjust_mean(&once, &first, 0, NULL, &alone);
    NEAR(m[0].mean, alone.mean, 1e-9); // the copies add nothing to the fit
    NEAR(m[0].se, alone.se, 1e-9);
    double product = 0, square[2] = {0, 0};
    for (int i = 0; i < TOTAL; i++) {
        product += influence[0][i] * influence[1][i];
        for (int q = 0; q < 2; q++)
            square[q] += influence[q][i] * influence[q][i];
        assert_true(i < 30 || (influence[0][i] == 0 && influence[1][i] == 0));
    }
    assert_true(product > 0.8 * sqrt(square[0] * square[1])); // nearly one sample
    adjust_free(&a);
    adjust_free(&once);
}

static void others_are_predicted_as_drawn_ones_are(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a;
    double f[20];
    assert_true(adjust_fit(&a, data));
    adjust_predict(&a, data->drawn_x + 3 * data->shape.D, 20, f);
    for (size_t i = 0; i < 20; i++)
        NEAR(f[i], a.drawn[3 + i], 1e-12);
    adjust_free(&a);
}

static void forms_are_what_networks_add_to_the_curve(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a;
    double e[3] = {38, 41, 44}, c[3] = {1, -2, 0.5}, all[TOTAL], one[TOTAL], sum = 0;
    assert_true(adjust_fit(&a, data));
    adjust_form(&a, data, 0, e, c, 3, all);
    for (size_t i = 0; i < p.n[0]; i++)
        sum += all[i];
    NEAR(sum, 0, 1e-12); // around the estimate
    for (int k = 0; k < 3; k++) {
        adjust_form(&a, data, 0, &e[k], &c[k], 1, one);
        for (size_t i = 0; i < p.n[0]; i++)
            all[i] -= one[i];
    }
    for (size_t i = 0; i < p.n[0]; i++)
        NEAR(all[i], 0, 1e-12);
    adjust_form(&a, data, 0, (double[]){200}, (double[]){1}, 1, one);
    for (size_t i = 0; i < p.n[0]; i++)
        NEAR(one[i], 0, 1e-12); // all are below 200
    adjust_free(&a);
}

// A population of a few networks is predicted by what the others tell alone.
static void guests_are_in_no_fit(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    struct adjusted a, b;
    struct adjusted_mean m = {0}, moved = {0}, host = {0}, left = {0};
    size_t first = p.n[0], n = 6, N = p.N[0];
    p.n[1] = n;
    assert_true(adjust_fit(&a, data));
    adjust_mean(&a, data, 1, NULL, &m);
    double y = 0, f = 0, F = 0, squares = 0, drawn = 0;
    for (size_t i = first; i < first + n; i++) {
        y += p.y[i] / (double)n;
        f += a.f[i] / (double)n;
    }
    for (size_t i = 0; i < p.N[1]; i++)
        F += a.drawn[N + i] / (double)p.N[1];
    for (size_t i = first; i < first + n; i++)
        squares += pow(p.y[i] - a.f[i] - y + f, 2);
    for (size_t i = 0; i < p.N[1]; i++)
        drawn += pow((a.drawn[N + i] - F) / (double)p.N[1], 2);
    NEAR(m.mean, y - f + F, 1e-9); // the difference estimator, and the error of a mean
    NEAR(m.se, sqrt(squares / (double)(n * (n - 1)) + drawn), 1e-9);
    NEAR(m.df, n - 1, 1e-9);
    adjust_mean(&a, data, 0, NULL, &host);
    p.y[first + 2] += 7; // tells nobody else anything
    assert_true(adjust_fit(&b, data));
    adjust_mean(&b, data, 1, NULL, &moved);
    adjust_mean(&b, data, 0, NULL, &left);
    NEAR(moved.mean - m.mean, 7 / (double)n, 1e-9);
    NEAR(left.mean, host.mean, 1e-12);
    NEAR(left.se, host.se, 1e-12);
    adjust_free(&a);
    adjust_free(&b);
}

// Each bin has the same weight: the mean of one population is that of the means of its bins.
static void bins_have_equal_weights(void **state)
{
    (void)state;
    struct problem p = load();
    const struct adjust_data *data = data_of(&p);
    uint32_t bin[TOTAL], drawn_bin[DRAWN];
    struct adjusted a, b;
    struct adjusted_mean plain = {0}, one = {0}, m = {0};
    double y[2] = {0}, f[2] = {0}, F[2] = {0}, c[2] = {0}, C[2] = {0}, v[2] = {0}, G;
    size_t n = p.n[0];
    assert_true(adjust_fit(&a, data));
    adjust_mean(&a, data, 0, NULL, &plain);
    memset(bin, 0, sizeof bin);
    memset(drawn_bin, 0, sizeof drawn_bin);
    p.data.bins = 1, p.data.bin = bin, p.data.drawn_bin = drawn_bin;
    assert_true(adjust_fit(&b, data));
    adjust_mean(&b, data, 0, NULL, &one);
    NEAR(one.mean, plain.mean, 1e-12); // one bin is none
    NEAR(one.se, plain.se, 1e-12);
    adjust_free(&b);
    for (uint32_t i = 0; i < TOTAL; i++)
        bin[i] = i % 7 == 0 ? ADJUST_OUTSIDE : i % 3 == 0;
    for (uint32_t i = 0; i < DRAWN; i++)
        drawn_bin[i] = i % 5 == 0 ? ADJUST_OUTSIDE : i % 4 == 0;
    p.data.bins = 2;
    assert_true(adjust_fit(&b, data));
    adjust_mean(&b, data, 0, NULL, &m);
    for (size_t i = 0; i < n; i++)
        if (bin[i] != ADJUST_OUTSIDE)
            y[bin[i]] += p.y[i], f[bin[i]] += b.f[i], c[bin[i]]++;
    for (size_t i = 0; i < p.N[0]; i++)
        if (drawn_bin[i] != ADJUST_OUTSIDE)
            F[drawn_bin[i]] += b.drawn[i], C[drawn_bin[i]]++;
    double want = 0, se = 0;
    for (int k = 0; k < 2; k++) {
        want += (y[k] / c[k] - m.lambda * (f[k] / c[k] - F[k] / C[k])) / 2;
        for (size_t i = 0; i < n; i++)
            v[k] += bin[i] == (uint32_t)k ? pow(p.y[i] - y[k] / c[k], 2) : 0;
        se += v[k] / (c[k] * (c[k] - 1)) / 4;
    }
    NEAR(m.mean, want, 1e-9);
    NEAR(m.plain, (y[0] / c[0] + y[1] / c[1]) / 2, 1e-9);
    NEAR(m.plain_se, sqrt(se), 1e-9); // of a stratified mean
    assert_true(m.df > 3 && m.df <= c[0] + c[1] - 3);
    assert_true(m.se < m.plain_se);
    assert_true(adjust_edf(&b, data, 0, (double[]){200}, 1, &G, 0.95, 100, NULL));
    NEAR(G, 1, 1e-9);
    adjust_free(&a);
    adjust_free(&b);
}

// The test of equal means holds its level where some values are in both lists.
static void the_permutation_test_holds_its_level(void **state)
{
    (void)state;
    enum { TIMES = 400, A = 12, B = 9, BOTH = 6 };
    for (int shared = 0; shared < 2; shared++) {
        int rejected = 0;
        size_t both = shared ? BOTH : 0, n = A + both, m = B + both;
        for (uint64_t s = 1; s <= TIMES; s++) {
            struct rng r = rng_key(s, (uint64_t)shared, RNG_SUBSET);
            double z[A + B + BOTH], x = 0, y = 0, v = 0;
            for (size_t i = 0; i < A + B + both; i++)
                z[i] = exp(rng_normal(&r)); // far from normal
            for (size_t i = 0; i < A + B + both; i++) {
                x += i < A || i >= A + B ? z[i] / (double)n : 0;
                y += i >= A ? z[i] / (double)m : 0;
            }
            for (size_t i = 0; i < A + B + both; i++) {
                double u = (z[i] - x) / sqrt((double)n * ((double)n - 2));
                double w = (z[i] - y) / sqrt((double)m * ((double)m - 2));
                v += pow((i >= A ? w : 0) - (i < A || i >= A + B ? u : 0), 2);
            }
            rejected +=
                adjust_test(z, (size_t[]){A, B, both}, 2, (y - x) / sqrt(v), 199, s) <= 0.05;
        }
        assert_true(rejected >= 8 && rejected <= 36); // of 20; six deviations
    }
}

// n networks whose error has nothing to do with their features, or everything.
static void simulate(struct problem *p, uint64_t seed, size_t n, double signal)
{
    struct rng r = rng_key(seed, 0, RNG_SUBSET);
    p->n[0] = n;
    p->N[0] = DRAWN;
    p->data = (struct adjust_data){.shape = shape, .P = 1, .seed = seed};
    for (size_t i = 0; i < n * D; i++)
        p->x[i] = (float)rng_normal(&r);
    for (size_t i = 0; i < DRAWN * D; i++)
        p->drawn[i] = (float)rng_normal(&r);
    for (size_t i = 0; i < n; i++)
        p->y[i] = 40 + signal * (double)p->x[D * i] + rng_normal(&r);
}

static void a_useless_predictor_biases_nothing_and_a_good_one_pays(void **state)
{
    (void)state;
    enum { TIMES = 200 };
    for (int good = 0; good < 2; good++) {
        double sum = 0, square = 0, plain = 0, claimed = 0;
        for (uint64_t s = 1; s <= TIMES; s++) {
            struct problem p;
            struct adjusted a;
            struct adjusted_mean m = {0};
            simulate(&p, s, 30, good ? 3 : 0);
            assert_true(adjust_fit(&a, data_of(&p)));
            adjust_mean(&a, &p.data, 0, NULL, &m);
            adjust_free(&a);
            sum += (m.mean - 40) / TIMES;
            square += pow(m.mean - 40, 2) / TIMES;
            plain += pow(m.plain - 40, 2) / TIMES;
            claimed += m.se * m.se / TIMES;
        }
        assert_true(fabs(sum) < 4 * sqrt(square / TIMES));
        NEAR(claimed / square, 1, 0.35); // the variance it says is the one it has
        assert_true(good ? square < 0.35 * plain : square < 1.1 * plain);
    }
}

static void early_signals_of_more_networks_pay(void **state)
{
    (void)state;
    enum { TIMES = 200, N = 30, ALL = 120 };
    double square = 0, without = 0, claimed = 0, sum = 0;
    int inside = 0;
    for (uint64_t t = 1; t <= TIMES; t++) {
        struct problem p;
        struct adjusted a, b;
        struct adjusted_mean m = {0}, s = {0}, plain = {0};
        float x[ALL * D];
        double signal[ALL], influence[ALL];
        simulate(&p, t, N, 2);
        struct rng r = rng_key(t, 1, RNG_SUBSET);
        for (size_t i = 0; i < ALL * D; i++)
            x[i] = i < N * D ? p.x[i] : (float)rng_normal(&r);
        for (size_t i = 0; i < ALL; i++) // knows the error's own part, and half as much else
            signal[i] = (i < N ? p.y[i] : 2 * (double)x[D * i] + rng_normal(&r)) / 20 +
                        0.5 * rng_normal(&r) / 20;
        struct adjust_data signals = {.shape = shape, .P = 1, .seed = t, .x = x, .y = signal};
        for (size_t i = 0; i < N; i++)
            signal[i] -= 2; // 40 / 20
        const struct adjust_data *data = data_of(&p);
        signals.n = (size_t[]){ALL};
        signals.N = p.N;
        signals.drawn_x = p.drawn;
        assert_true(adjust_fit(&a, data) && adjust_fit(&b, &signals));
        s.influence = influence;
        adjust_mean(&b, &signals, 0, NULL, &s);
        struct adjust_early early = {ALL, signal, s.mean, s.drawn_se, influence};
        adjust_mean(&a, data, 0, NULL, &plain);
        adjust_mean(&a, data, 0, &early, &m);
        adjust_free(&a);
        adjust_free(&b);
        sum += (m.mean - 40) / TIMES;
        square += pow(m.mean - 40, 2) / TIMES;
        without += pow(plain.mean - 40, 2) / TIMES;
        claimed += m.se * m.se / TIMES;
        inside += fabs(m.mean - 40) <= student_quantile(0.975, N - 3) * m.se;
    }
    assert_true(fabs(sum) < 4 * sqrt(square / TIMES));
    NEAR(claimed / square, 1, 0.35);
    assert_true(inside >= 178); // of 190 expected; four deviations
    // 1/30 of what is left becomes 0.2/30 + 0.8/120
    assert_true(square < 0.6 * without);
}

static void odd_data_give_the_plain_mean(void **state)
{
    (void)state;
    struct problem p;
    struct adjusted a;
    struct adjusted_mean m = {0};
    double e[3] = {30, 50, 70}, F[3], half;
    for (int odd = 0; odd < 5; odd++) {
        simulate(&p, 2, ADJUST_LEAST, 2);
        for (size_t i = 0; i < ADJUST_LEAST; i++)
            p.y[i] = odd == 0 ? 42 : odd == 1 ? 100 : odd == 2 && i < 4 ? 100 : p.y[i];
        if (odd == 3) // all networks alike
            memset(p.x, 0, sizeof p.x), memset(p.drawn, 0, sizeof p.drawn);
        if (odd == 4) // two drawn ones only
            p.N[0] = 2;
        assert_true(adjust_fit(&a, data_of(&p)));
        adjust_mean(&a, &p.data, 0, NULL, &m);
        assert_true(isfinite(m.mean) && isfinite(m.se) && isfinite(m.r2));
        assert_true(m.lambda >= 0 && m.lambda <= 1);
        if (odd == 0 || odd == 1) {
            NEAR(m.mean, odd ? 100 : 42, 1e-9);
            NEAR(m.se, 0, 1e-9);
        }
        if (odd == 3)
            NEAR(m.mean, m.plain, 1e-3);
        assert_true(adjust_edf(&a, &p.data, 0, e, 3, F, 0.95, 100, &half));
        for (int k = 0; k < 3; k++)
            assert_true(F[k] >= (k ? F[k - 1] : 0) && F[k] <= 1 && isfinite(half));
        adjust_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_that_of_the_posterior),
        cmocka_unit_test(a_fit_agrees_with_numpy),
        cmocka_unit_test(weights_are_the_derivative_of_predictions),
        cmocka_unit_test(estimates_agree_with_numpy),
        cmocka_unit_test(two_phases_agree_with_numpy),
        cmocka_unit_test(networks_in_two_populations_count_once),
        cmocka_unit_test(guests_are_in_no_fit),
        cmocka_unit_test(bins_have_equal_weights),
        cmocka_unit_test(others_are_predicted_as_drawn_ones_are),
        cmocka_unit_test(forms_are_what_networks_add_to_the_curve),
        cmocka_unit_test(the_permutation_test_holds_its_level),
        cmocka_unit_test(early_signals_of_more_networks_pay),
        cmocka_unit_test(what_errors_add_through_the_fits_is_exact),
        cmocka_unit_test(a_useless_predictor_biases_nothing_and_a_good_one_pays),
        cmocka_unit_test(odd_data_give_the_plain_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
