/* e_fit: the pruned search against computing every point of a grid, plainly. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/fit.h"

enum { W0 = 9, WA = 14, WM = 8 };

static double axis[3][16];

static struct fit_grid grid(bool rounded)
{
    for (int i = 0; i < 16; i++) {
        axis[0][i] = 8 * (i + 1) * (i + 1);
        axis[1][i] = 3 * i * i;
        axis[2][i] = 1.4 + 0.2 * i;
    }
    return (struct fit_grid){{W0, WA, WM}, {axis[0], axis[1], axis[2]}, rounded};
}

static struct fit plain(const struct fit_grid *g, const struct arch *a)
{
    struct fit best = {1e9, 0, 0, 0};
    for (int x = 0; x < W0; x++)
        for (int y = 0; y < WA; y++)
            for (int z = 0; z < WM; z++) {
                double w_0 = axis[0][x], w_a = axis[1][y], w_m = axis[2][z], sum = 0;
                int j = 0;
                for (int i = 0; i < a->stages; i++)
                    for (int k = 0; k < a->d[i]; k++, j++) {
                        double w =
                            w_0 * pow(w_m, rint(log((w_0 + w_a * j) / w_0) / log(w_m)));
                        if (g->rounded)
                            w = fmax(8, 8 * rint(w / 8));
                        sum += fabs(log(w / a->w[i]));
                    }
                if (sum < best.e_fit * j - 1e-9)
                    best = (struct fit){sum / j, w_0, w_a, w_m};
            }
    return best;
}

static void search(void **state)
{
    (void)state;
    for (int rounded = 0; rounded < 2; rounded++) {
        struct fit_grid g = grid(rounded);
        struct error e;
        struct fitter *f = fitter_new(&g, 64, &e);
        assert_non_null(f);
        for (uint64_t i = 0; i < 200; i++) {
            struct rng r = rng_key(11, i, RNG_SAMPLE);
            struct arch a = {.stages = 1 + (int)(rng_u64(&r) % 4)};
            for (int s = 0; s < a.stages; s++) {
                a.d[s] = 1 + (int)(rng_u64(&r) % 16);
                a.w[s] = 8 * (1 + (int)(rng_u64(&r) % 128));
            }
            struct fit got = fitter_fit(f, &a), want = plain(&g, &a);
            if (fabs(got.e_fit - want.e_fit) > 1e-9)
                fail_msg("%.17g, plainly %.17g", got.e_fit, want.e_fit);
            assert_true(got.w_0 == want.w_0 && got.w_a == want.w_a && got.w_m == want.w_m);
        }
        fitter_free(f);
    }
}

static void refused(int which, double value, const char *part)
{
    struct fit_grid g = grid(false);
    struct error e;
    axis[which][2] = value;
    assert_null(fitter_new(&g, 4, &e));
    if (!strstr(e.msg, part))
        fail_msg("message '%s' lacks '%s'", e.msg, part);
}

static void bad_grids(void **state)
{
    (void)state;
    refused(0, 0, "w_0 is 0; it must be from 1");
    refused(1, -1, "w_a is -1; it must be from 0");
    refused(2, 1, "w_m is 1; it must be from 1.01");
    refused(2, NAN, "w_m is nan");
    struct fit_grid g = grid(false);
    struct error e;
    g.n[1] = 0;
    assert_null(fitter_new(&g, 4, &e));
    assert_non_null(strstr(e.msg, "0 values of w_a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search),
        cmocka_unit_test(bad_grids),
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
