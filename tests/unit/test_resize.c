/* data/resize.h against Pillow (to the bit), OpenCV's and area interpolation in NumPy (within
 * 1), and itself: instruction sets, windows, parts. */
#include "images_check.h"

#include "base/rng.h"
#include "data/resize.h"
#include "nn/isa.h"

static struct resize_work work;

static struct picture resized(const struct picture *from, int width, int height,
                              struct box box, enum resize kind)
{
    struct picture p = {width, height, from->channels, NULL};
    p.pixels = malloc((size_t)(width * height * p.channels));
    pixels_resize(p.pixels, width, height, picture_pixels(from), box, kind, &work);
    return p;
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

static struct picture gray_of(const struct picture *p)
{
    struct picture g = {p->width, p->height, 1, malloc((size_t)(p->width * p->height))};
    for (int i = 0; i < p->width * p->height; i++) {
        const uint8_t *c = p->pixels + 3 * i;
        g.pixels[i] = (uint8_t)((c[0] * 19595 + c[1] * 38470 + c[2] * 7471 + 0x8000) >> 16);
    }
    return g;
}

static void against_pillow(void **state)
{
    (void)state;
    struct picture from = picture_of(record_of("resize")), gray = gray_of(&from);
    int seen = 0;
    for (int i = 0; i < nrecords; i++) {
        if (strcmp(records[i].name, "resized") != 0)
            continue;
        struct picture want = picture_of(&records[i]);
        const double *n = records[i].number + 3;
        struct box box = {n[0], n[1], n[2] - n[0], n[3] - n[1]};
        struct picture p = resized(want.channels == 1 ? &gray : &from, want.width,
                                   want.height, box, RESIZE_ANTIALIAS);
        assert_int_equal(apart(&p, &want), 0);
        free(p.pixels);
        seen++;
    }
    assert_int_equal(seen, 18);
    free(gray.pixels);
}

static void other_kinds(void **state)
{
    (void)state;
    struct picture from = picture_of(record_of("resize"));
    int seen = 0;
    for (int i = 0; i < nrecords; i++) {
        bool pycls = strcmp(records[i].name, "pycls") == 0;
        if (!pycls && strcmp(records[i].name, "area") != 0)
            continue;
        struct picture want = picture_of(&records[i]), p;
        picture_resize(&p, want.width, want.height, &from, pycls ? RESIZE_PYCLS : RESIZE_AREA,
                       &work);
        assert_in_range(apart(&p, &want), 0, 1);
        free(p.pixels);
        seen++;
    }
    assert_int_equal(seen, 6);
}

/* Shrinking without antialias skips pixels; with it, none. */
static void kinds_differ(void **state)
{
    (void)state;
    struct picture p = noise(64, 64, 1, 3), half;
    for (int i = 0; i < 64 * 64; i++)
        p.pixels[i] = i % 4 == 1 || i % 4 == 2 ? 255 : 0; // columns: 0 255 255 0
    struct {
        enum resize kind;
        int want;
    } expect[] = {{RESIZE_PYCLS, 255}, {RESIZE_AREA, 128}, {RESIZE_ANTIALIAS, 128}};
    for (int k = 0; k < 3; k++) {
        picture_resize(&half, 16, 16, &p, expect[k].kind, &work);
        // the middle: both neighbours of (4x + 1.5) are 255
        assert_in_range(half.pixels[8 * 16 + 8], expect[k].want - 20, expect[k].want);
        free(half.pixels);
    }
    free(p.pixels);
}

/* Windows are cut out of the whole; every instruction set gives the same. */
static void windows_and_sets(void **state)
{
    (void)state;
    struct rng r = rng_key(5, 0, RNG_SAMPLE);
    for (int round = 0; round < 60; round++) {
        int w = 1 + (int)rng_below(&r, 90), h = 1 + (int)rng_below(&r, 90);
        int channels = rng_below(&r, 2) ? 3 : 1;
        int nw = 1 + (int)rng_below(&r, 90), nh = 1 + (int)rng_below(&r, 90);
        enum resize kind = (enum resize)rng_below(&r, RESIZES);
        struct picture from = noise(w, h, channels, (uint64_t)round);
        double x = rng_uniform(&r) * w / 2, y = rng_uniform(&r) * h / 2;
        struct box box = {x, y, w - x, h - y};
        struct picture all = resized(&from, nw, nh, box, kind);
        const char *was = isa_name();
        assert_true(isa_set("portable"));
        struct picture plain = resized(&from, nw, nh, box, kind);
        assert_true(isa_set(was));
        assert_int_equal(apart(&all, &plain), 0);
        int x0 = (int)rng_below(&r, (uint64_t)nw), y0 = (int)rng_below(&r, (uint64_t)nh);
        struct window window = {x0, y0, 1 + (int)rng_below(&r, (uint64_t)(nw - x0)),
                                1 + (int)rng_below(&r, (uint64_t)(nh - y0))};
        uint8_t *part = malloc((size_t)(window.width * window.height * channels));
        pixels_resize_window(part, window, nw, nh, picture_pixels(&from), box, kind, &work);
        for (int i = 0; i < window.height; i++)
            assert_memory_equal(part + i * window.width * channels,
                                all.pixels + ((y0 + i) * nw + x0) * channels,
                                (size_t)(window.width * channels));
        free(part);
        free(plain.pixels);
        free(all.pixels);
        free(from.pixels);
    }
}

/* A part is resized as if it had been cut out: its surroundings do not matter. */
static void parts(void **state)
{
    (void)state;
    struct picture a = noise(40, 30, 3, 1), b = noise(40, 30, 3, 2);
    for (int y = 5; y < 25; y++)
        memcpy(b.pixels + (y * 40 + 8) * 3, a.pixels + (y * 40 + 8) * 3, 21 * 3);
    uint8_t one[9 * 9 * 3], two[9 * 9 * 3];
    struct box box = {0, 0, 21, 20};
    pixels_resize(one, 9, 9, pixels_part(picture_pixels(&a), 8, 5, 21, 20), box,
                  RESIZE_ANTIALIAS, &work);
    pixels_resize(two, 9, 9, pixels_part(picture_pixels(&b), 8, 5, 21, 20), box,
                  RESIZE_ANTIALIAS, &work);
    assert_memory_equal(one, two, sizeof one);
    free(a.pixels);
    free(b.pixels);
}

static void short_sides(void **state)
{
    (void)state;
    const int cases[][5] = {{500, 375, 256, 341, 256},
                            {375, 500, 256, 256, 341},
                            {32, 32, 64, 64, 64},
                            {1, 65535, 64, 64, 1 << 20},
                            {400, 267, 73, 109, 73}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int w, h;
        short_side(cases[i][0], cases[i][1], cases[i][2], &w, &h);
        assert_int_equal(w, cases[i][3]);
        assert_int_equal(h, cases[i][4]);
    }
}

int main(void)
{
    records_read();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_pillow), cmocka_unit_test(other_kinds),
        cmocka_unit_test(kinds_differ),   cmocka_unit_test(windows_and_sets),
        cmocka_unit_test(parts),          cmocka_unit_test(short_sides),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    resize_work_free(&work);
    return failed;
}
