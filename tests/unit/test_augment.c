/* data/augment.h and data/view.h: operations against Pillow and torchvision, draws against
 * their distributions, views against their definition in plain steps. */
#include "images_check.h"

#include <math.h>

#include "data/encode.h"
#include "data/view.h"

static struct view_work work;

static void operations(void **state)
{
    (void)state;
    struct picture from = picture_of(record_of("changed")), gray = from;
    uint8_t lumas[23 * 20], pixels[23 * 20 * 3], second[23 * 20 * 3];
    for (int i = 0; i < 23 * 20; i++) {
        const uint8_t *c = from.pixels + 3 * i;
        lumas[i] = (uint8_t)((c[0] * 19595 + c[1] * 38470 + c[2] * 7471 + 0x8000) >> 16);
    }
    gray.channels = 1;
    gray.pixels = lumas;
    int seen[OPERATIONS] = {0};
    for (int i = 0; i < nrecords; i++) {
        bool hue = strcmp(records[i].name, "hue") == 0;
        if (!hue && strcmp(records[i].name, "operation") != 0)
            continue;
        struct picture want = picture_of(&records[i]);
        struct picture p = want.channels == 1 ? gray : from;
        memcpy(pixels, p.pixels, (size_t)(23 * 20 * p.channels));
        p.pixels = pixels;
        const double *n = records[i].number + 3;
        if (hue) {
            hue_turn(&p, n[0]);
        } else {
            operation_do(&p, second, (enum operation)n[0], n[1]);
            seen[(int)n[0]]++;
        }
        int d = apart(&p, &want), most = !hue && n[0] == OP_SHARPNESS ? 1 : 0;
        if (d > most)
            fail_msg("%s %g %g: %d apart", records[i].name, n[0], n[1], d);
    }
    for (int k = 0; k < OPERATIONS; k++)
        assert_in_range(seen[k], 3, 4);
}

static void magnitudes(void **state)
{
    (void)state;
    int seen = 0;
    for (int i = 0; i < nrecords; i++) {
        if (strcmp(records[i].name, "magnitudes") != 0)
            continue;
        const double *n = records[i].number;
        for (int level = 0; level < 31; level++) {
            bool both;
            double m = policy_magnitude((enum policy)n[0], (enum operation)n[1], level, 23,
                                        20, &both);
            assert_int_equal(both, n[2]);
            assert_float_equal(m, n[3 + level], 1e-5);
        }
        seen++;
    }
    assert_int_equal(seen, 2 * OPERATIONS);
}

static double chi_square(const int *count, const double *share, int bins, int n)
{
    double sum = 0;
    for (int i = 0; i < bins; i++) {
        double want = share[i] * n;
        sum += (count[i] - want) * (count[i] - want) / want;
    }
    return sum;
}

enum { BINS = 20, DRAWS = 40000 };
static const double CHI_MOST = 43.8; // 19 degrees of freedom, p = 0.001

/* Areas and aspects of crops that always fit at the first try, so that nothing bends their
 * distributions: area U(.1, .5) of a large square image. */
static void areas_and_aspects(void **state)
{
    (void)state;
    for (int swap = 0; swap < 2; swap++) {
        struct augment a = {.area = {0.1f, 0.5f}, .aspect = {0.75f, 4 / 3.0f}, .swap = swap};
        int areas[BINS] = {0}, aspects[BINS] = {0}, places[BINS] = {0};
        double even[BINS], share[BINS];
        for (int i = 0; i < DRAWS; i++) {
            struct rng r = rng_key(7, (uint64_t)i, RNG_AUGMENT);
            struct region c = region_draw(&r, 10000, 10000, &a);
            assert_true(c.x >= 0 && c.y >= 0 && c.x + c.width <= 10000 &&
                        c.y + c.height <= 10000);
            double area = (double)c.width * c.height / 1e8;
            double aspect = log((double)c.width / c.height) / log(4 / 3.0); // -1 … 1
            int k = (int)((area - 0.1) / 0.4 * BINS), m = (int)((aspect + 1) / 2 * BINS);
            areas[k < 0 ? 0 : k >= BINS ? BINS - 1 : k]++;
            aspects[m < 0 ? 0 : m >= BINS ? BINS - 1 : m]++;
            places[(int)((double)c.x / (10001 - c.width) * BINS)]++;
        }
        for (int k = 0; k < BINS; k++) {
            even[k] = share[k] = 1.0 / BINS;
            // pycls: uniform in the aspect or, half of the time, in its inverse
            double low = pow(4 / 3.0, 2.0 * k / BINS - 1),
                   high = pow(4 / 3.0, 2.0 * (k + 1) / BINS - 1);
            if (swap)
                share[k] = ((high - low) + (1 / low - 1 / high)) / 2 / (4 / 3.0 - 0.75);
        }
        assert_true(chi_square(areas, even, BINS, DRAWS) < CHI_MOST);
        assert_true(chi_square(aspects, share, BINS, DRAWS) < CHI_MOST);
        assert_true(chi_square(places, even, BINS, DRAWS) < CHI_MOST);
    }
}

/* Of two histograms. */
static double two_samples(const int *a, const double *b, int bins, int n, int m)
{
    double sum = 0, k = sqrt((double)m / n);
    for (int i = 0; i < bins; i++)
        if (a[i] + b[i] > 0)
            sum += (k * a[i] - b[i] / k) * (k * a[i] - b[i] / k) / (a[i] + b[i]);
    return sum;
}

/* Where crops often do not fit, beside torchvision's own draws, and those of pycls's code; other
 * areas and aspects are told apart. */
static void crops_beside_others(void **state)
{
    (void)state;
    static const char *const names[2][2] = {{"torchvision-areas", "torchvision-aspects"},
                                            {"pycls-areas", "pycls-aspects"}};
    for (int kind = 0; kind < 4; kind++) {
        struct augment a = {
            .area = {0.08f, 1}, .aspect = {0.75f, 4 / 3.0f}, .swap = kind % 2};
        if (kind >= 2) {
            a.area[0] = 0.1f;
            a.aspect[0] = 0.8f;
        }
        int count[2][BINS] = {{0}};
        for (int i = 0; i < DRAWS; i++) {
            struct rng r = rng_key(13, (uint64_t)i, RNG_AUGMENT);
            struct region c = region_draw(&r, 450, 300, &a);
            double x[2] = {((double)c.width * c.height / (450 * 300) - 0.08) / 0.92,
                           (log((double)c.width / c.height) / log(4 / 3.0) + 1) / 2};
            for (int k = 0; k < 2; k++) {
                int bin = (int)(x[k] * BINS);
                count[k][bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
            }
        }
        for (int k = 0; k < 2; k++) {
            double chi = two_samples(count[k], record_of(names[kind % 2][k])->number, BINS,
                                     DRAWS, DRAWS);
            assert_true(kind < 2 ? chi < CHI_MOST : chi > CHI_MOST);
        }
    }
}

/* The test above can fail: uniform aspects are not log-uniform. */
static void draws_differ(void **state)
{
    (void)state;
    int aspects[BINS] = {0};
    double even[BINS];
    struct augment a = {.area = {0.1f, 0.5f}, .aspect = {0.5f, 2}, .swap = true};
    for (int i = 0; i < DRAWS; i++) {
        struct rng r = rng_key(7, (uint64_t)i, RNG_AUGMENT);
        struct region c = region_draw(&r, 10000, 10000, &a);
        int m = (int)((log((double)c.width / c.height) / log(2.0) + 1) / 2 * BINS);
        aspects[m < 0 ? 0 : m >= BINS ? BINS - 1 : m]++;
    }
    for (int k = 0; k < BINS; k++)
        even[k] = 1.0 / BINS;
    assert_true(chi_square(aspects, even, BINS, DRAWS) > CHI_MOST);
}

/* What never fits ends in the middle: all of it, or cut to an allowed aspect. */
static void crops_that_never_fit(void **state)
{
    (void)state;
    struct augment a = {.area = {1, 1}, .aspect = {0.75f, 4 / 3.0f}};
    const int cases[][6] = {{300, 100, 83, 0, 133, 100}, {100, 300, 0, 83, 100, 133}};
    for (int i = 0; i < 2; i++) {
        struct rng r = rng_key(1, 0, RNG_AUGMENT);
        struct region c = region_draw(&r, cases[i][0], cases[i][1], &a);
        assert_int_equal(c.x, cases[i][2]);
        assert_int_equal(c.y, cases[i][3]);
        assert_int_equal(c.width, cases[i][4]);
        assert_int_equal(c.height, cases[i][5]);
    }
    a.swap = true;
    struct rng r = rng_key(1, 0, RNG_AUGMENT);
    struct region c = region_draw(&r, 300, 100, &a);
    assert_true(c.x == 100 && c.y == 0 && c.width == 100 && c.height == 100);
    a.aspect[0] = a.aspect[1] = 1;
    c = region_draw(&r, 64, 64, &a);
    assert_true(c.x == 0 && c.y == 0 && c.width == 64 && c.height == 64);
}

static void shifts_and_flips(void **state)
{
    (void)state;
    int count[81] = {0}, flips = 0;
    double even[81];
    for (uint32_t i = 0; i < DRAWS; i++) {
        struct rng r = rng_key(5, i, RNG_AUGMENT);
        struct shift s = shift_draw(&r, 4);
        assert_true(s.x >= -4 && s.x <= 4 && s.y >= -4 && s.y <= 4);
        count[(s.y + 4) * 9 + s.x + 4]++;
        flips += flip_draw(&r);
    }
    for (int k = 0; k < 81; k++)
        even[k] = 1.0 / 81;
    assert_true(chi_square(count, even, 81, DRAWS) < 125); // 80 degrees, p = 0.001
    assert_in_range(flips, DRAWS / 2 - 400, DRAWS / 2 + 400);
}

/* Mean 0 and the covariance of AlexNet's components, s²·V·diag(λ²)·Vᵀ. */
static void lighting(void **state)
{
    (void)state;
    static const double value[3] = {0.2175, 0.0188, 0.0045};
    static const double vector[3][3] = {
        {-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}};
    double mean[3] = {0}, square[3][3] = {{0}};
    for (int i = 0; i < DRAWS; i++) {
        struct rng r = rng_key(3, (uint64_t)i, RNG_AUGMENT);
        float add[3];
        lighting_draw(&r, 0.1f, add);
        for (int c = 0; c < 3; c++) {
            mean[c] += add[c] / DRAWS;
            for (int d = 0; d < 3; d++)
                square[c][d] += (double)add[c] * add[d] / DRAWS;
        }
    }
    for (int c = 0; c < 3; c++) {
        assert_float_equal(mean[c], 0, 5 * 0.0125 / 200);
        for (int d = 0; d < 3; d++) {
            double want = 0;
            for (int k = 0; k < 3; k++)
                want += 0.01 * vector[c][k] * vector[d][k] * value[k] * value[k];
            assert_float_equal(square[c][d], want, 0.04 * 1.6e-4);
        }
    }
}

/* A set of images in rows, planes and JPEG; each look at them. */
static struct look look_of(int image, int channels, double scale, bool exact)
{
    struct look l = {
        .image = image, .channels = channels, .scale = scale, .pad = 4, .exact = exact};
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            l.level[c][v] = (float)((v - 100 - 10 * c) / (50.0 + c));
    return l;
}

static struct stored stored_of(const struct picture *p)
{
    return (struct stored){p->pixels, (uint32_t)(p->width * p->height * p->channels),
                           (uint16_t)p->width, (uint16_t)p->height};
}

static void planes_of(uint8_t *to, const struct picture *p)
{
    int n = p->width * p->height;
    for (int i = 0; i < n; i++)
        for (int c = 0; c < p->channels; c++)
            to[c * n + i] = p->pixels[p->channels * i + c];
}

static struct picture noise(int width, int height, int channels, uint64_t seed)
{
    struct rng r = rng_key(seed, 0, RNG_SAMPLE);
    struct picture p = {width, height, channels, NULL};
    p.pixels = malloc((size_t)(width * height * channels));
    for (int i = 0; i < width * height * channels; i++)
        p.pixels[i] = (uint8_t)rng_below(&r, 256);
    return p;
}

/* Resize of the short side and CenterCrop, as torchvision has them, from rows and planes. */
static void test_views(void **state)
{
    (void)state;
    struct picture from = picture_of(record_of("resize"));
    uint8_t planes[45 * 34 * 3];
    planes_of(planes, &from);
    int seen = 0;
    for (int i = 0; i < nrecords; i++) {
        if (strcmp(records[i].name, "view") != 0)
            continue;
        struct picture want = picture_of(&records[i]), p;
        struct look l = look_of(want.width, 3, records[i].number[3] / want.width, false);
        struct stored s = stored_of(&from);
        assert_true(view_picture(&p, &s, LAYOUT_ROWS, &l, &work));
        assert_int_equal(apart(&p, &want), 0);
        float x[34 * 34 * 3];
        for (int k = 0; k < 2; k++) {
            s.bytes = k ? planes : from.pixels;
            assert_true(view_test(x, &s, k ? LAYOUT_PLANES : LAYOUT_ROWS, &l, &work));
            for (int j = 0; j < want.width * want.height; j++)
                for (int c = 0; c < 3; c++)
                    assert_true(x[3 * j + c] == l.level[c][want.pixels[3 * j + c]]);
        }
        seen++;
    }
    assert_int_equal(seen, 4);
}

/* pycls's CIFAR-10: pad, crop, flip in three plain steps; the same of rows, planes and gray. */
static void padded_crops(void **state)
{
    (void)state;
    enum { N = 12, PAD = 4 };
    for (int channels = 1; channels <= 3; channels += 2) {
        struct picture p = noise(N, N, channels, 9);
        uint8_t planes[N * N * 3];
        planes_of(planes, &p);
        struct look l = look_of(N, channels, 1, true);
        struct augment a = {0};
        bool flipped[2] = {false};
        for (uint32_t image = 0; image < 200; image++) {
            struct rng r = rng_key(11, (uint64_t)3 << 32 | image, RNG_AUGMENT);
            int y0 = (int)rng_below(&r, 2 * PAD + 1), x0 = (int)rng_below(&r, 2 * PAD + 1);
            bool flip = rng_below(&r, 2);
            float padded[N + 2 * PAD][N + 2 * PAD][3] = {{{0}}}, x[N * N * 3];
            for (int y = 0; y < N; y++)
                for (int k = 0; k < N; k++)
                    for (int c = 0; c < channels; c++)
                        padded[y + PAD][k + PAD][c] =
                            l.level[c][p.pixels[(y * N + k) * channels + c]];
            for (int layout = 0; layout < 2; layout++) {
                struct stored s = stored_of(&p);
                s.bytes = layout ? p.pixels : planes;
                assert_true(view_train(x, &s, layout ? LAYOUT_ROWS : LAYOUT_PLANES, &l, &a,
                                       11, 3, image, &work));
                for (int y = 0; y < N; y++)
                    for (int k = 0; k < N; k++)
                        for (int c = 0; c < channels; c++)
                            assert_true(x[(y * N + k) * channels + c] ==
                                        padded[y0 + y][x0 + (flip ? N - 1 - k : k)][c]);
            }
            flipped[flip] = true;
        }
        assert_true(flipped[0] && flipped[1]);
        free(p.pixels);
    }
}

/* Gray images in a network of three channels: each channel by its own table. */
static void gray_in_three(void **state)
{
    (void)state;
    struct picture p = noise(40, 30, 1, 4);
    struct stored s = stored_of(&p);
    struct look one = look_of(16, 1, 1.25, false), three = look_of(16, 3, 1.25, false);
    float x[16 * 16], y[16 * 16 * 3];
    struct augment a = {
        .brightness = 0.4f, .saturation = 0.4f, .hue = 0.1f, .policy = POLICY_TRIVIAL};
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(view_train(x, &s, LAYOUT_ROWS, &one, &a, 1, 0, i, &work));
        assert_true(view_train(y, &s, LAYOUT_ROWS, &three, &a, 1, 0, i, &work));
        for (int k = 0; k < 256; k++) {
            int v = (int)lrint(x[k] * 50 + 100);
            for (int c = 0; c < 3; c++)
                assert_true(y[3 * k + c] == three.level[c][v]);
        }
    }
    free(p.pixels);
}

/* A resized crop: the region drawn, cut out, resized, flipped, normalised; from JPEG in full
 * resolution the same as from the decoded rows. */
static void resized_crops(void **state)
{
    (void)state;
    const struct record *file = record_of("jpeg-large"); // 150×110
    struct picture all;
    struct error e;
    assert_true(image_decode(file->bytes, file->n, &(struct decode){0}, &all, &e));
    struct stored rows = stored_of(&all), jpeg = {file->bytes, (uint32_t)file->n, 150, 110};
    struct resize_work resize = {0};
    for (int kind = 0; kind < 2; kind++) {
        struct look l = look_of(48, 3, 1.25, false);
        l.resize = kind ? RESIZE_PYCLS : RESIZE_ANTIALIAS;
        // antialias: so large a part that no smaller scale leaves enough
        struct augment a = {.crop = CROP_RESIZED,
                            .area = {kind ? 0.08f : 0.3f, kind ? 1 : 0.5f},
                            .aspect = {0.75f, 4 / 3.0f},
                            .flip = true};
        for (uint32_t i = 0; i < 30; i++) {
            float x[48 * 48 * 3], y[48 * 48 * 3];
            uint8_t want[48 * 48 * 3];
            struct rng r = rng_key(2, (uint64_t)5 << 32 | i, RNG_AUGMENT);
            struct region c = region_draw(&r, 150, 110, &a);
            bool flip = flip_draw(&r);
            pixels_resize(want, 48, 48,
                          pixels_part(picture_pixels(&all), c.x, c.y, c.width, c.height),
                          (struct box){0, 0, c.width, c.height}, l.resize, &resize);
            assert_true(view_train(x, &rows, LAYOUT_ROWS, &l, &a, 2, 5, i, &work));
            assert_true(view_train(y, &jpeg, LAYOUT_JPEG, &l, &a, 2, 5, i, &work));
            assert_memory_equal(x, y, sizeof x);
            for (int k = 0; k < 48 * 48; k++)
                for (int d = 0; d < 3; d++) {
                    int from = flip ? k / 48 * 48 + 47 - k % 48 : k;
                    assert_true(x[3 * k + d] == l.level[d][want[3 * from + d]]);
                }
        }
    }
    resize_work_free(&resize);
    free(all.pixels);
}

/* From JPEG the test view is that of the rows; at a smaller scale, nearly. */
static void jpeg_test_views(void **state)
{
    (void)state;
    const struct record *file = record_of("jpeg-large");
    struct picture all, p, q;
    struct error e;
    assert_true(image_decode(file->bytes, file->n, &(struct decode){0}, &all, &e));
    struct stored rows = stored_of(&all), jpeg = {file->bytes, (uint32_t)file->n, 150, 110};
    struct view_work second = {0};
    const double cases[][3] = {
        {96, 8 / 7.0, 0}, {110, 1, 0}, {80, 11 / 8.0, 0}, {130, 1, 0}, {32, 8 / 7.0, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct look l = look_of((int)cases[i][0], 3, cases[i][1], false);
        assert_true(view_picture(&p, &rows, LAYOUT_ROWS, &l, &work));
        assert_true(view_picture(&q, &jpeg, LAYOUT_JPEG, &l, &second));
        double sum = 0;
        int n = p.width * p.height * 3;
        for (int k = 0; k < n; k++)
            sum += abs(p.pixels[k] - q.pixels[k]);
        if (cases[i][2] == 0)
            assert_int_equal(apart(&p, &q), 0);
        assert_true(sum / n <= cases[i][2]);
    }
    struct look l = look_of(64, 3, 1, false);
    jpeg.size /= 3;
    float x[64 * 64 * 3];
    assert_false(view_test(x, &jpeg, LAYOUT_JPEG, &l, &work));
    assert_non_null(strstr(work.error.msg, "ends early"));
    view_work_free(&second);
    free(all.pixels);
}

/* What is drawn depends on seed, epoch and image, on nothing that came before. */
static void keyed(void **state)
{
    (void)state;
    struct picture p = noise(40, 40, 3, 6);
    struct stored s = stored_of(&p);
    struct look l = look_of(24, 3, 1.25, false);
    struct augment a = {.lighting = 0.1f,
                        .brightness = 0.4f,
                        .contrast = 0.4f,
                        .saturation = 0.4f,
                        .hue = 0.1f,
                        .policy = POLICY_RANDAUGMENT,
                        .operations = 2,
                        .magnitude = 9};
    enum { N = 24 * 24 * 3 };
    float *first = malloc(40 * N * sizeof *first), x[N];
    for (uint32_t i = 0; i < 40; i++)
        assert_true(view_train(first + i * N, &s, LAYOUT_ROWS, &l, &a, 1, 2, i, &work));
    int same = 0;
    for (uint32_t i = 40; i-- > 0;) {
        struct view_work fresh = {0};
        assert_true(view_train(x, &s, LAYOUT_ROWS, &l, &a, 1, 2, i, &fresh));
        assert_memory_equal(x, first + i * N, sizeof x);
        assert_true(view_train(x, &s, LAYOUT_ROWS, &l, &a, 1, 3, i, &fresh));
        same += memcmp(x, first + i * N, sizeof x) == 0;
        assert_true(view_train(x, &s, LAYOUT_ROWS, &l, &a, 2, 2, i, &fresh));
        same += memcmp(x, first + i * N, sizeof x) == 0;
        view_work_free(&fresh);
    }
    assert_int_equal(same, 0);
    free(first);
    free(p.pixels);
}

/* Lighting adds a colour to every pixel of the image, not to the padding. */
static void lit(void **state)
{
    (void)state;
    struct picture p = noise(12, 12, 3, 8);
    struct stored s = stored_of(&p);
    struct look l = look_of(12, 3, 1, true);
    struct augment plain = {.crop = CROP_PADDED, .pad = -1}, a = plain;
    a.lighting = 0.1f;
    float x[12 * 12 * 3], y[12 * 12 * 3];
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(view_train(x, &s, LAYOUT_ROWS, &l, &plain, 1, 0, i, &work));
        assert_true(view_train(y, &s, LAYOUT_ROWS, &l, &a, 1, 0, i, &work));
        struct rng r = rng_key(1, i, RNG_AUGMENT);
        shift_draw(&r, 4);
        float add[3];
        lighting_draw(&r, 0.1f, add);
        for (int k = 0; k < 12 * 12 * 3; k++) {
            double want = x[k] == 0 ? 0 : x[k] + add[k % 3] * 255 / (50.0 + k % 3);
            assert_float_equal(y[k], want, 1e-5);
        }
    }
    free(p.pixels);
}

/* Colour jitter stays in torchvision's ranges: of a gray picture, brightness alone is read off. */
static void jitter(void **state)
{
    (void)state;
    uint8_t pixels[3] = {100, 100, 100}, second[3];
    struct augment a = {.brightness = 0.4f};
    int low = 255, high = 0, count[12] = {0};
    double even[12];
    for (int i = 0; i < 12000; i++) {
        struct picture p = {1, 1, 3, pixels};
        struct rng r = rng_key(4, (uint64_t)i, RNG_AUGMENT);
        memset(pixels, 100, 3);
        colours_change(&p, second, &r, &a);
        low = pixels[0] < low ? pixels[0] : low;
        high = pixels[0] > high ? pixels[0] : high;
        int k = (pixels[0] - 64) / 6; // 64 … 135: each of 72 values as likely
        if (pixels[0] >= 64 && k < 12)
            count[k]++;
    }
    assert_in_range(low, 59, 60);
    assert_in_range(high, 139, 140);
    int n = 0;
    for (int k = 0; k < 12; k++)
        n += count[k], even[k] = 1.0 / 12;
    assert_true(chi_square(count, even, 12, n) < 31.3); // 11 degrees, p = 0.001
}

int main(void)
{
    records_read();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(magnitudes),
        cmocka_unit_test(areas_and_aspects),
        cmocka_unit_test(draws_differ),
        cmocka_unit_test(crops_beside_others),
        cmocka_unit_test(crops_that_never_fit),
        cmocka_unit_test(shifts_and_flips),
        cmocka_unit_test(lighting),
        cmocka_unit_test(test_views),
        cmocka_unit_test(padded_crops),
        cmocka_unit_test(gray_in_three),
        cmocka_unit_test(resized_crops),
        cmocka_unit_test(jpeg_test_views),
        cmocka_unit_test(keyed),
        cmocka_unit_test(lit),
        cmocka_unit_test(jitter),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    view_work_free(&work);
    return failed;
}
