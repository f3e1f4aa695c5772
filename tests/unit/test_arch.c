/* Architectures: group compatibility, RegNet generation, counts, hashes, and the sampler's
 * draws against the distributions they claim. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/pool.h"
#include "base/rng.h"
#include "model/arch.h"
#include "model/complexity.h"
#include "model/regnet.h"
#include "stats/sampler.h"

static struct arch one_stage(int w, double b, int g)
{
    struct arch a = {.stages = 1,
                     .d = {1},
                     .w = {w},
                     .g = {g},
                     .stride = {2},
                     .b = {b},
                     .stem_width = 32,
                     .act = ACT_RELU,
                     .classes = 10,
                     .image = 32};
    return a;
}

static void group_compatibility(void **state)
{
    (void)state;
    // width, b, g asked; width, g final: the half-to-even cases of published nets among them
    static const struct {
        int w;
        double b;
        int g, w_out, g_out;
    } cases[] = {
        {136, 1, 16, 128, 16}, {392, 1, 16, 384, 16}, {776, 1, 16, 768, 16},
        {176, 1, 24, 168, 24}, {80, 1, 120, 80, 80},  {152, 1, 16, 160, 16},
        {24, 4, 32, 24, 6},    {40, 2, 16, 32, 16},   {56, 0.25, 8, 56, 8},
        {20, 0.5, 12, 18, 12}, {64, 2, 32, 64, 32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arch a = one_stage(cases[i].w, cases[i].b, cases[i].g);
        struct error e;
        assert_true(arch_complete(&a, &e));
        assert_int_equal(a.w[0], cases[i].w_out);
        assert_int_equal(a.g[0], cases[i].g_out);
    }
}

// Over all of AnyNetX: compatible, unchanged by a second pass, at most (and once) 1/3 off.
static void whole_grid(void **state)
{
    (void)state;
    static const int bs[] = {1, 2, 4}, gs[] = {1, 2, 4, 8, 16, 32};
    double most = 0;
    for (int w = 8; w <= 1024; w += 8)
        for (int k = 0; k < 18; k++) {
            struct arch a = one_stage(w, bs[k / 6], gs[k % 6]);
            struct error e;
            assert_true(arch_complete(&a, &e));
            int inner = arch_inner(&a, 0, a.w[0]);
            assert_int_equal(inner * bs[k / 6], a.w[0]);
            assert_int_equal(inner % a.g[0], 0);
            assert_int_equal(arch_groups(&a, 0, a.w[0]), inner / a.g[0]);
            most = fmax(most, fabs((double)a.w[0] / w - 1));
            struct arch again = a;
            assert_true(arch_complete(&again, &e));
            assert_int_equal(again.w[0], a.w[0]);
            assert_int_equal(again.g[0], a.g[0]);
        }
    assert_float_equal(most, 1. / 3, 1e-12);
}

static void refused(struct arch a, const char *part)
{
    struct error e = {""};
    assert_false(arch_complete(&a, &e));
    if (!strstr(e.msg, part))
        fail_msg("message '%s' lacks '%s'", e.msg, part);
}

static void bad_values(void **state)
{
    (void)state;
    refused(one_stage(8, 1, 0), "stage 1: group width is 0");
    refused(one_stage(0, 1, 8), "stage 1: width is 0");
    refused(one_stage(8, 1.5, 8), "stage 1: b is 1.5");
    refused(one_stage(8, 0.3, 8), "b is 0.3");
    refused(one_stage(8, -1, 8), "b is -1");
    refused(one_stage(8, NAN, 8), "must be 1, 2, 4");
    refused(one_stage(2, 0.25, 7), "fits no width near 2: the nearest is 7");
    refused(one_stage(1, 4, 1), "fits no width near 1: the nearest is 4");
}

static void limits(void **state)
{
    (void)state;
    struct arch a = one_stage(32768, 0.25, 8);
    refused(a, "inner width of 131072");
    a = one_stage(8, 1, 8);
    a.channels = 2;
    refused(a, "channels is 2; images have 3 (red, green, blue) or 1 (gray)");
    a = one_stage(8, 1, 8);
    a.stages = ARCH_STAGES + 1;
    refused(a, "number of stages is 17");
    a = one_stage(8, 1, 8);
    a.se = 0.25;
    a.block = BLOCK_BASIC;
    refused(a, "block 'basic' has no squeeze-excitation");
    a = one_stage(8, 1, 8);
    a.d[0] = 1001;
    refused(a, "depth is 1001");
    a = one_stage(8, 1, 8);
    a.image = 0;
    refused(a, "image is 0");
    a = one_stage(8, 1, 8);
    a.kernel[0] = 4;
    refused(a, "stage 1: kernel is 4; it must be odd");
    a = one_stage(8, 2, 1);
    a.block = BLOCK_MB;
    refused(a, "block 'mb' expands its input 1/b times");
    a = one_stage(2048, 1. / 64, 1);
    a.block = BLOCK_MB;
    refused(a, "inner width of 131072");
}

static void names(void **state)
{
    (void)state;
    for (int i = BLOCK_X; i <= BLOCK_MB; i++)
        assert_int_equal(arch_block_of(arch_block_name((enum arch_block)i)), i);
    for (int i = STEM_SIMPLE; i <= STEM_CIFAR; i++)
        assert_int_equal(arch_stem_of(arch_stem_name((enum arch_stem)i)), i);
    assert_int_equal(arch_act_of("relu"), ACT_RELU);
    assert_int_equal(arch_act_of("none"), -1);
    assert_int_equal(arch_block_of("z"), -1);
}

// Blocks one by one, as equations 2 to 4 are written; `away` rounds halves away from zero.
static void naive_regnet(const struct regnet *r, bool away, struct regnet_shape *s)
{
    s->stages = 0;
    for (int j = 0; j < r->d; j++) {
        double u = r->w_0 + r->w_a * j;
        double k = rint(log(u / r->w_0) / log(r->w_m));
        double q = r->w_0 * pow(r->w_m, k) / 8;
        int w = (int)(away ? round(q) : rint(q)) * 8;
        if (s->stages == 0 || s->w[s->stages - 1] != w) {
            assert_true(s->stages < ARCH_STAGES);
            s->w[s->stages] = w;
            s->d[s->stages++] = 0;
        }
        s->d[s->stages - 1]++;
        s->levels = (int)k + 1;
    }
}

static void regnet_runs(void **state)
{
    (void)state;
    struct rng rng = rng_key(5, 0, RNG_SAMPLE);
    int skipped = 0;
    for (int i = 0; i < 20000; i++) {
        struct regnet r = {.d = 1 + (int)rng_below(&rng, 64),
                           .b = 1,
                           .g = 8,
                           .w_0 = 8 * (1 + (int)rng_below(&rng, 32)),
                           .w_a = (double)rng_below(&rng, 2560) / 10,
                           .w_m = 1.8 + (double)rng_below(&rng, 1200) / 1000};
        struct regnet_shape fast, slow;
        struct error e;
        assert_true(regnet_shape(&r, &fast, &e));
        naive_regnet(&r, false, &slow);
        assert_int_equal(fast.stages, slow.stages);
        assert_int_equal(fast.levels, slow.levels);
        for (int k = 0; k < 8; k++)
            assert_int_equal(regnet_reaches(&r, k), k == slow.levels - 1);
        assert_memory_equal(fast.d, slow.d, (size_t)fast.stages * sizeof *fast.d);
        assert_memory_equal(fast.w, slow.w, (size_t)fast.stages * sizeof *fast.w);
        skipped += fast.stages != fast.levels;
    }
    assert_true(skipped > 0);
}

// RegNetX-1.6GF: 80 · 2.25 / 8 = 22.5 goes to 22, so that w_2 = 176, then 168 for g = 24.
static void half_to_even(void **state)
{
    (void)state;
    struct regnet r = {.d = 18, .w_0 = 80, .w_a = 34.01, .w_m = 2.25, .b = 1, .g = 24};
    struct regnet_shape s, away;
    struct error e;
    struct arch a = one_stage(8, 1, 8);
    assert_true(regnet_shape(&r, &s, &e));
    naive_regnet(&r, true, &away);
    assert_int_equal(s.w[1], 176);
    assert_int_equal(away.w[1], 184);
    regnet_fill(&r, &s, &a);
    assert_true(arch_complete(&a, &e));
    assert_int_equal(a.w[1], 168);
    assert_int_equal(s.stages, 4);
    assert_int_equal(s.levels, 4);
}

static void regnet_bad(void **state)
{
    (void)state;
    struct regnet_shape s;
    struct error e;
    struct regnet r = {.d = 60, .w_0 = 20, .w_a = 36, .w_m = 2.5, .b = 1, .g = 8};
    assert_false(regnet_shape(&r, &s, &e));
    assert_non_null(strstr(e.msg, "w_0 is 20"));
    r.w_0 = 24, r.w_m = 1;
    assert_false(regnet_shape(&r, &s, &e));
    assert_non_null(strstr(e.msg, "w_m is 1"));
    r.w_m = 1.1;
    assert_false(regnet_shape(&r, &s, &e));
    assert_non_null(strstr(e.msg, "more than 16 stages"));
    r.w_m = 2, r.w_a = NAN;
    assert_false(regnet_shape(&r, &s, &e));
    r.w_a = 0;
    assert_true(regnet_shape(&r, &s, &e));
    assert_int_equal(s.stages, 1);
    assert_int_equal(s.d[0], 60);
}

static void parts_sum(void **state)
{
    (void)state;
    for (int block = BLOCK_X; block <= BLOCK_MB; block++)
        for (int stem = STEM_SIMPLE; stem <= STEM_CIFAR; stem++) {
            struct arch a = {.stages = 3,
                             .d = {2, 1, 3},
                             .w = {16, 40, 40},
                             .g = {8, 8, 16},
                             .b = {1, 2, 0.5},
                             .stride = {1, 2, 2},
                             .stem_width = 16,
                             .block = (enum arch_block)block,
                             .stem = (enum arch_stem)stem,
                             .head_width = 64,
                             .act = ACT_RELU,
                             .classes = 7,
                             .image = 33};
            struct error e;
            struct complexity parts[ARCH_STAGES + 2], sum = {0, 0, 0};
            int size[ARCH_STAGES + 2];
            a.se = block_has_bottleneck(a.block) ? 0.25 : 0;
            a.b[1] = block == BLOCK_MB ? 0.25 : 2;
            assert_true(arch_complete(&a, &e));
            complexity_parts(&a, 33, false, parts, size);
            for (int i = 0; i < a.stages + 2; i++) {
                sum.flops += parts[i].flops;
                sum.params += parts[i].params;
                sum.acts += parts[i].acts;
            }
            struct complexity c = complexity(&a, 33, false);
            assert_memory_equal(&sum, &c, sizeof c);
            assert_int_equal(size[0], stem == STEM_SIMPLE ? 17 : stem == STEM_RES ? 9 : 33);
        }
}

// One stage of each block by hand: 8×8 input, stem cifar of 4, width 6, stride 2.
static void by_hand(void **state)
{
    (void)state;
    static const struct {
        enum arch_block block;
        int64_t flops, params, acts;
    } cases[] = {
        // projection 4·6·16, one 3×3 (V, VR), second 3×3 (basic, vanilla)
        {BLOCK_V, 9 * 24 * 16, 9 * 24 + 12, 96},
        {BLOCK_VR, (9 * 24 + 24) * 16, 9 * 24 + 24 + 24, 192},
        {BLOCK_BASIC, (24 + 9 * 24 + 9 * 36) * 16, 24 + 9 * 24 + 9 * 36 + 36, 288},
        {BLOCK_VANILLA, (9 * 24 + 9 * 36) * 16, 9 * 24 + 9 * 36 + 24, 192},
        // first 1×1 at 8×8, dense 3×3 on 3 channels, last 1×1 and projection at 4×4
        {BLOCK_R, 12 * 64 + (81 + 18 + 24) * 16, 12 + 81 + 18 + 24 + 6 + 6 + 12 + 12,
         192 + 48 + 96 + 96},
        // the same without projection, and grouped; MB: 4 to 8 at 8×8, depthwise, 8 to 6
        {BLOCK_LINEAR, 12 * 64 + (27 + 18) * 16, 12 + 27 + 18 + 6 + 6 + 12, 192 + 48 + 96},
        {BLOCK_MB, 32 * 64 + (9 * 8 + 48) * 16, 32 + 72 + 48 + 16 + 16 + 12, 512 + 128 + 96},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arch a = one_stage(6, cases[i].block == BLOCK_MB ? 0.5 : 2, 1);
        struct complexity parts[3];
        struct error e;
        int size[3];
        a.block = cases[i].block, a.stem = STEM_CIFAR, a.stem_width = 4, a.image = 8;
        assert_true(arch_complete(&a, &e));
        complexity_parts(&a, 8, false, parts, size);
        assert_int_equal(parts[1].flops, cases[i].flops);
        assert_int_equal(parts[1].params, cases[i].params);
        assert_int_equal(parts[1].acts, cases[i].acts);
    }
}

// A gray network is the same but for the weights of its first convolution.
static void gray(void **state)
{
    (void)state;
    for (enum arch_stem stem = STEM_SIMPLE; stem < STEM_KINDS; stem++) {
        struct arch colour = one_stage(64, 2, 8), one = colour;
        struct error e;
        colour.stem = one.stem = stem;
        one.channels = 1;
        assert_true(arch_complete(&colour, &e) && arch_complete(&one, &e));
        assert_int_equal(colour.channels, 3);
        struct complexity c = complexity(&colour, 33, false), g = complexity(&one, 33, false);
        int taps = stem == STEM_RES ? 49 : 9, side = stem == STEM_CIFAR ? 33 : 17;
        int64_t less = (int64_t)taps * 2 * colour.stem_width;
        assert_int_equal(c.params - g.params, less);
        assert_int_equal(c.flops - g.flops, less * side * side);
        assert_int_equal(c.acts, g.acts);
        assert_true(arch_hash(&colour) != arch_hash(&one));
        assert_int_equal(arch_input(&one) * 3, arch_input(&colour));
    }
}

static void hashes(void **state)
{
    (void)state;
    struct arch a = one_stage(64, 2, 8), b = one_stage(64, 2, 8);
    struct error e;
    assert_true(arch_complete(&a, &e) && arch_complete(&b, &e));
    assert_true(arch_hash(&a) == arch_hash(&b));
    b.d[0] = 2;
    assert_true(arch_hash(&a) != arch_hash(&b));
    b = a, b.g[0] = 16;
    assert_true(arch_hash(&a) != arch_hash(&b));
    b = a, b.classes = 100;
    assert_true(arch_hash(&a) != arch_hash(&b));
    b = a, b.se = 0.25;
    assert_true(arch_hash(&a) != arch_hash(&b));
    b = a, b.act = ACT_SILU;
    assert_true(arch_hash(&a) != arch_hash(&b));
    // one group: R and X are one network
    a = one_stage(64, 2, 32), b = one_stage(64, 2, 1);
    b.block = BLOCK_R;
    assert_true(arch_complete(&a, &e) && arch_complete(&b, &e));
    assert_true(arch_hash(&a) == arch_hash(&b));
    // asked differently, the same once compatible
    a = one_stage(30, 1, 16), b = one_stage(34, 1, 16);
    assert_true(arch_complete(&a, &e) && arch_complete(&b, &e));
    assert_true(arch_hash(&a) == arch_hash(&b));
}

/* ---- sampler */

static double values[] = {1, 2, 3, 4}, weights[] = {0.4, 0.1, 0.2, 0.3}, flat[] = {8};
static double unit[] = {1};

static struct sampler *depths(int stages, enum sampler_bond bond, bool bound)
{
    struct arch base = {.stages = stages,
                        .stem = STEM_CIFAR,
                        .stem_width = 8,
                        .act = ACT_RELU,
                        .classes = 10,
                        .image = 8};
    struct error e;
    for (int i = 0; i < stages; i++)
        base.stride[i] = 1;
    struct sampler *s = sampler_new(SAMPLE_ANYNET, &base);
    struct distribution d[ARCH_STAGES], w = {1, flat, unit};
    int slots[ARCH_STAGES];
    for (int i = 0; i < stages; i++) {
        slots[i] = i;
        d[i] = (struct distribution){4, values, weights};
    }
    if (bound)
        assert_true(sampler_bind(s, bond, stages, slots, d, &e));
    for (int i = bound ? stages : 0; i < 4 * stages; i++)
        assert_true(sampler_bind(s, BOND_EQUAL, 1, &i, i < stages ? d : &w, &e));
    assert_true(sampler_complete(s, &e));
    return s;
}

/* Frequencies of the 64 depth vectors of three stages over n candidates, against P ∝ Πp
 * over the vectors that obey: Pearson's statistic must be below its 0.1 % point. */
static void check_frequencies(enum sampler_bond bond, bool bound)
{
    enum { N = 200000 };
    struct sampler *s = depths(3, bond, bound);
    static struct candidate found[1000];
    double count[64] = {0}, p[64] = {0}, sum = 0, chi = 0;
    uint64_t index = 0;
    while (index < N) {
        size_t n = sampler_next(s, 11, &index, N, found, 1000);
        for (size_t i = 0; i < n; i++) {
            const int *d = found[i].asked.d;
            count[(d[0] - 1) * 16 + (d[1] - 1) * 4 + d[2] - 1]++;
        }
    }
    int freedom = -1;
    for (int i = 0; i < 64; i++) {
        int x = i / 16, y = i / 4 % 4, z = i % 4;
        bool obeys = !bound || (bond == BOND_UP ? x <= y && y <= z : x == y && y == z);
        p[i] = obeys ? weights[x] * weights[y] * weights[z] : 0;
        sum += p[i];
        freedom += obeys;
    }
    for (int i = 0; i < 64; i++) {
        double want = N * p[i] / sum;
        if (want == 0)
            assert_true(count[i] == 0);
        else
            chi += (count[i] - want) * (count[i] - want) / want;
    }
    double z = 3.09, f = freedom; // Wilson-Hilferty
    double limit = f * pow(1 - 2 / (9 * f) + z * sqrt(2 / (9 * f)), 3);
    if (chi > limit)
        fail_msg("chi-square %g above %g", chi, limit);
    assert_float_equal(sampler_share(s), sum, 1e-12);
    sampler_free(s);
}

static void frequencies(void **state)
{
    (void)state;
    check_frequencies(BOND_EQUAL, false);
    check_frequencies(BOND_EQUAL, true);
    check_frequencies(BOND_UP, true);
}

static void keyed_by_index(void **state)
{
    (void)state;
    struct sampler *s = depths(4, BOND_UP, true);
    static struct candidate all[500], part[7];
    uint64_t index = 0;
    assert_int_equal(sampler_next(s, 3, &index, 500, all, 500), 500);
    for (uint64_t from = 0; from < 480; from += 61) { // any start, any batch
        index = from;
        size_t n = sampler_next(s, 3, &index, 500, part, 7);
        assert_int_equal(n, 7);
        assert_int_equal(index, from + 7);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(part[i].index, from + i);
            assert_true(part[i].hash == all[from + i].hash);
        }
    }
    index = 0;
    assert_int_equal(sampler_next(s, 4, &index, 7, part, 7), 7);
    int same = 0;
    for (int i = 0; i < 7; i++)
        same += part[i].hash == all[i].hash;
    assert_true(same < 7);
    sampler_free(s);
}

static void keeps_and_windows(void **state)
{
    (void)state;
    struct sampler *s = depths(1, BOND_EQUAL, false);
    static struct candidate found[100];
    uint64_t index = 0;
    size_t n = sampler_next(s, 1, &index, 100, found, 100);
    assert_int_equal(n, 100);
    int kept = 0;
    for (size_t i = 0; i < n; i++)
        kept += sampler_keep(s, found[i].hash);
    assert_int_equal(kept, 4); // there are four networks
    assert_int_equal(sampler_counts(s)->duplicate, 96);
    assert_int_equal(sampler_next(s, 1, &index, 300, found, 100), 0);
    assert_int_equal(index, 300);
    sampler_free(s);

    s = depths(1, BOND_EQUAL, false);
    sampler_window(s, 0, 1, 2);
    index = 0;
    assert_int_equal(sampler_next(s, 1, &index, 1000, found, 100), 0);
    assert_int_equal(sampler_counts(s)->window[0], 1000);
    assert_true(sampler_counts(s)->least[0] < sampler_counts(s)->most[0]);
    index = 0;
    interrupt_flag = 1;
    assert_int_equal(sampler_next(s, 1, &index, 1000, found, 100), 0);
    interrupt_flag = 0;
    assert_int_equal(index, 0);
    sampler_free(s);
}

// With any number of threads the same networks are found, in order, and the same counts.
static void by_threads(void **state)
{
    (void)state;
    static struct candidate one[300], many[300];
    struct sampler *s = depths(4, BOND_UP, true), *with = depths(4, BOND_UP, true);
    uint64_t index = 0, at = 0;
    assert_int_equal(sampler_next(s, 7, &index, 300, one, 300), 300);
    assert_int_equal(sampler_next(with, 7, &at, 300, many, 300), 300);
    double middle = (double)(sampler_counts(s)->least[0] + sampler_counts(s)->most[0]) / 2;
    sampler_window(s, 0, middle, INFINITY); // refuses some
    sampler_window(with, 0, middle, INFINITY);
    assert_true(sampler_keep(s, one[299].hash) && sampler_keep(with, one[299].hash));
    for (size_t capacity = 1; capacity <= 300; capacity += 23) {
        index = at = capacity;
        size_t n = sampler_next(s, 7, &index, 5000, one, capacity);
        pool_set(1 + (int)(capacity % 4));
        assert_int_equal(sampler_next(with, 7, &at, 5000, many, capacity), n);
        pool_set(1);
        assert_int_equal(at, index);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(one[i].index, many[i].index);
            assert_memory_equal(one[i].arch.d, many[i].arch.d, sizeof one[i].arch.d);
        }
    }
    const struct sampler_counts *c = sampler_counts(s), *d = sampler_counts(with);
    assert_int_equal(c->tried, d->tried);
    assert_int_equal(c->window[0], d->window[0]);
    assert_int_equal(c->duplicate, d->duplicate);
    assert_true(c->window[0] > 0);
    assert_int_equal(c->least[0], d->least[0]);
    assert_int_equal(c->most[0], d->most[0]);
    sampler_free(s);
    sampler_free(with);
}

static void bonds_refused(void **state)
{
    (void)state;
    struct arch base = {.stages = 2};
    struct sampler *s = sampler_new(SAMPLE_ANYNET, &base);
    double low[] = {1, 2}, high[] = {3, 4}, p[] = {0.5, 0.5};
    struct distribution falling[] = {{2, high, p}, {2, low, p}};
    struct error e;
    int slots[] = {0, 1}, w[] = {2, 3}, beyond = 8;
    assert_false(sampler_complete(s, &e));
    assert_false(sampler_bind(s, BOND_UP, 2, slots, falling, &e));
    assert_non_null(strstr(e.msg, "in the required order"));
    assert_false(sampler_bind(s, BOND_EQUAL, 2, w, falling, &e));
    assert_non_null(strstr(e.msg, "no value in common"));
    assert_false(sampler_bind(s, BOND_EQUAL, 1, slots, falling, &e));
    assert_non_null(strstr(e.msg, "bound twice"));
    assert_false(sampler_bind(s, BOND_EQUAL, 1, &beyond, falling, &e));
    sampler_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_compatibility),
        cmocka_unit_test(whole_grid),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(limits),
        cmocka_unit_test(names),
        cmocka_unit_test(regnet_runs),
        cmocka_unit_test(half_to_even),
        cmocka_unit_test(regnet_bad),
        cmocka_unit_test(parts_sum),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(gray),
        cmocka_unit_test(hashes),
        cmocka_unit_test(frequencies),
        cmocka_unit_test(keyed_by_index),
        cmocka_unit_test(keeps_and_windows),
        cmocka_unit_test(by_threads),
        cmocka_unit_test(bonds_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
