/* data/decode.h: every format against what Pillow reads, parts and scales against the whole,
 * files that are damaged, cut, too large, or no images. */
#include "images_check.h"

#include <jpeglib.h>

#include "data/decode.h"
#include "data/encode.h"

static struct error e;

static bool decode(const uint8_t *bytes, size_t n, int channels, struct picture *out)
{
    return image_decode(bytes, n, &(struct decode){.channels = channels}, out, &e);
}

/* A copy that a test may damage, just as long as the file, so that ASan sees reads beyond. */
static uint8_t *copy(const uint8_t *bytes, size_t n)
{
    uint8_t *c = malloc(n ? n : 1);
    memcpy(c, bytes, n);
    return c;
}

static void says(const char *what)
{
    if (!strstr(e.msg, what))
        fail_msg("'%s' does not say '%s'", e.msg, what);
}

static void refused(const void *bytes, size_t n, const char *what)
{
    struct picture p;
    uint8_t *c = copy(bytes, n);
    if (decode(c, n, 0, &p))
        fail_msg("decoded, where '%s' was expected", what);
    assert_null(p.pixels);
    says(what);
    free(c);
}

static bool is(const char *name, const char *kind)
{
    return strncmp(name, kind, strlen(kind)) == 0;
}

/* Pillow's own libjpeg or libwebp may be of another version: 1 is allowed where they differ. */
static int allowed(const char *name)
{
    return is(name, "jpeg") || strcmp(name, "webp") == 0 ? 1 : 0;
}

typedef void with_file(const struct record *file, const struct picture *want);

static void each_file(with_file *f)
{
    int seen = 0;
    for (int i = 0; i + 1 < nrecords; i++) {
        size_t n = strlen(records[i].name);
        const struct record *next = &records[i + 1];
        if (strncmp(records[i].name, next->name, n) != 0 || strcmp(next->name + n, "=") != 0)
            continue;
        if (is(records[i].name, "webp") && !image_format_read(IMAGE_WEBP))
            continue;
        struct picture want = picture_of(next);
        f(&records[i], &want);
        seen++;
    }
    assert_true(seen >= 30);
}

static void file_as_pillow(const struct record *file, const struct picture *want)
{
    struct image_info info;
    struct picture p;
    uint8_t background = strstr(file->name, "white") ? 255 : 0;
    struct decode how = {.background = background};
    uint8_t *c = copy(file->bytes, file->n);
    assert_true(image_probe(c, file->n, &info, &e));
    assert_int_equal(info.width, want->width);
    assert_int_equal(info.height, want->height);
    assert_int_equal(info.channels, want->channels);
    assert_int_equal(info.alpha, strstr(file->name, "alpha") || strstr(file->name, "clear"));
    assert_int_equal(info.depth > 8, strstr(file->name, "16") != NULL);
    assert_true(image_decode(c, file->n, &how, &p, &e));
    assert_string_equal(e.msg, "");
    int d = apart(&p, want);
    if (d > allowed(file->name))
        fail_msg("%s: %d apart", file->name, d);
    free(p.pixels);
    free(c);
}

static void as_pillow(void **state)
{
    (void)state;
    each_file(file_as_pillow);
}

/* Asked for 3 channels, gray files give three equal ones; asked for 1, colours give luma. */
static void file_other_channels(const struct record *file, const struct picture *want)
{
    struct picture p, own;
    uint8_t background = strstr(file->name, "white") ? 255 : 0;
    struct decode how = {.background = background},
                  other = {4 - want->channels, background, 0};
    assert_true(image_decode(file->bytes, file->n, &how, &own, &e));
    assert_true(image_decode(file->bytes, file->n, &other, &p, &e));
    assert_int_equal(p.channels, 4 - want->channels);
    for (int i = 0; i < p.width * p.height; i++) {
        if (p.channels == 3) {
            for (int k = 0; k < 3; k++)
                assert_int_equal(p.pixels[3 * i + k], own.pixels[i]);
            continue;
        }
        const uint8_t *c = own.pixels + 3 * i;
        int luma = (c[0] * 19595 + c[1] * 38470 + c[2] * 7471 + 0x8000) >> 16;
        // JPEG has a luma of its own, which is not cut to what colours can show
        int near = is(file->name, "jpeg") && !strstr(file->name, "cmyk") ? 12 : 0;
        assert_in_range(abs(p.pixels[i] - luma), 0, near);
    }
    free(own.pixels);
    free(p.pixels);
}

static void channels(void **state)
{
    (void)state;
    each_file(file_other_channels);
}

static void file_in_parts(const struct record *file, const struct picture *want)
{
    struct picture all, p;
    struct decode how = {0};
    assert_true(image_decode(file->bytes, file->n, &how, &all, &e));
    const struct box boxes[] = {{0, 0, 37, 29}, {5, 3, 9, 11},  {20, 17, 9, 12},
                                {16, 8, 8, 8},  {28, 28, 1, 1}, {0, 12, 29, 2}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        struct box b = boxes[i], at;
        if (i == 0)
            b = (struct box){0, 0, want->width, want->height};
        assert_true(image_decode_part(file->bytes, file->n, &how, &b, &p, &at, &e));
        for (int y = 0; y < (int)b.height; y++)
            assert_memory_equal(
                p.pixels + (((int)at.y + y) * p.width + (int)at.x) * p.channels,
                all.pixels + (((int)b.y + y) * all.width + (int)b.x) * p.channels,
                (size_t)((int)b.width * p.channels));
        free(p.pixels);
    }
    free(all.pixels);
}

static void in_parts(void **state)
{
    (void)state;
    each_file(file_in_parts);
}

/* Of a larger JPEG file only the part is kept, at a scale that leaves what was asked for. */
static void scaled(void **state)
{
    (void)state;
    const struct record *file = record_of("jpeg-large"); // 150×110
    struct picture half = picture_of(record_of("jpeg-large-half")), p, q;
    struct box at;
    const int cases[][3] = {{0, 150, 110}, {110, 150, 110}, {56, 150, 110},
                            {55, 75, 55},  {28, 75, 55},    {27, 38, 28},
                            {14, 38, 28},  {13, 19, 14},    {1, 19, 14}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decode how = {.least = cases[i][0]};
        assert_true(image_decode(file->bytes, file->n, &how, &p, &e));
        assert_int_equal(p.width, cases[i][1]);
        assert_int_equal(p.height, cases[i][2]);
        if (p.width == 75)
            assert_in_range(apart(&p, &half), 0, 1);
        free(p.pixels);
    }
    // a part of 64×40 that needs 20 pixels: at a half
    struct decode how = {.least = 20};
    struct box part = {35, 50, 64, 40};
    assert_true(image_decode_part(file->bytes, file->n, &how, &part, &p, &at, &e));
    assert_int_equal(p.width, 33); // from 17.5 to 49.5
    assert_int_equal(p.height, 20);
    assert_float_equal(at.x, 0.5, 1e-12);
    assert_float_equal(at.y, 0, 1e-12);
    assert_float_equal(at.width, 32, 1e-12);
    assert_float_equal(at.height, 20, 1e-12);
    how.least = 55;
    assert_true(image_decode(file->bytes, file->n, &how, &q, &e));
    for (int y = 0; y < p.height; y++)
        assert_memory_equal(p.pixels + y * p.width * 3, q.pixels + ((25 + y) * 75 + 17) * 3,
                            (size_t)p.width * 3);
    free(p.pixels);
    free(q.pixels);
}

/* CMYK without Adobe's marker: 0 is no ink.  YCCK, with it: 255 is. */
static void inks(void **state)
{
    (void)state;
    for (int adobe = 0; adobe < 2; adobe++) {
        struct jpeg_compress_struct c;
        struct jpeg_error_mgr errors;
        unsigned char *bytes = NULL;
        unsigned long n = 0;
        c.err = jpeg_std_error(&errors);
        jpeg_create_compress(&c);
        jpeg_mem_dest(&c, &bytes, &n);
        c.image_width = c.image_height = 8;
        c.input_components = 4;
        c.in_color_space = JCS_CMYK;
        jpeg_set_defaults(&c);
        jpeg_set_colorspace(&c, adobe ? JCS_YCCK : JCS_CMYK);
        jpeg_set_quality(&c, 100, TRUE);
        c.write_Adobe_marker = adobe;
        jpeg_start_compress(&c, TRUE);
        uint8_t row[8 * 4];
        for (int x = 0; x < 8; x++)
            memcpy(row + 4 * x, adobe ? "\xff\x37\xff\xff" : "\x00\xc8\x00\x00", 4);
        JSAMPROW at = row;
        for (int y = 0; y < 8; y++)
            jpeg_write_scanlines(&c, &at, 1);
        jpeg_finish_compress(&c);
        jpeg_destroy_compress(&c);
        struct picture p;
        assert_true(decode(bytes, n, 0, &p));
        assert_int_equal(p.channels, 3);
        assert_in_range(p.pixels[0], 253, 255); // magenta ink of 200
        assert_in_range(p.pixels[1], 53, 57);
        assert_in_range(p.pixels[2], 253, 255);
        free(p.pixels);
        free(bytes);
    }
}

static void encoded(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct picture want = picture_of(record_of(k ? "png-gray=" : "png-rgb=")), p;
        uint8_t *bytes;
        size_t n;
        assert_true(picture_to_jpeg(&want, 95, &bytes, &n, &e));
        assert_true(n < want.width * want.height * (k ? 1u : 3u));
        assert_true(decode(bytes, n, 0, &p));
        assert_int_equal(p.channels, want.channels);
        long sum = 0;
        for (int i = 0; i < p.width * p.height * p.channels; i++)
            sum += abs(p.pixels[i] - want.pixels[i]);
        assert_true(sum < 8L * p.width * p.height * p.channels);
        free(p.pixels);
        free(bytes);
    }
}

static void cut_off(void **state)
{
    (void)state;
    const struct record *f = record_of("jpeg-large");
    struct picture p, whole;
    refused(f->bytes, 200, "ends within its head, after 200 bytes");
    refused(f->bytes, f->n * 6 / 10, "ends early: ");
    says("of 110 rows are there");
    int rows = 0;
    assert_int_equal(sscanf(strstr(e.msg, "early: ") + 7, "%d", &rows), 1);
    assert_in_range(rows, 40, 90);
    f = record_of("jpeg-progressive");
    refused(f->bytes, f->n / 2, "ends early: ");
    says("scan");
    size_t last = f->n - 2;
    while (f->bytes[last] != 0xff || f->bytes[last + 1] != 0xda)
        last--;
    refused(f->bytes, last, "details are missing"); // between two scans
    f = record_of("png-rgb");
    refused(f->bytes, f->n / 2, "of 29 rows are there");
    refused(f->bytes, 20, "ends within its head");
    f = record_of("png-interlaced");
    refused(f->bytes, f->n / 2, "ends early: in pass");
    f = record_of("ppm");
    refused(f->bytes, f->n - 1, "ends early: 28 of 29 rows are there");
    f = record_of("bmp-24");
    refused(f->bytes, f->n - 1, "ends early: 28 of 29 rows are there");
    if (image_format_read(IMAGE_WEBP)) {
        f = record_of("webp");
        refused(f->bytes, f->n / 2, "ends early");
    }
    // without its end marker a file lacks nothing
    f = record_of("jpeg-420");
    assert_true(decode(f->bytes, f->n, 0, &whole));
    assert_true(decode(f->bytes, f->n - 2, 0, &p));
    says("its end marker is missing");
    assert_int_equal(apart(&p, &whole), 0);
    free(p.pixels);
    free(whole.pixels);
}

/* A scan of a JPEG file with wrong bytes in the middle: a picture and a warning. */
static void damaged(void **state)
{
    (void)state;
    const struct record *f = record_of("jpeg-large");
    struct picture whole, p;
    uint8_t *c = copy(f->bytes, f->n);
    assert_true(decode(c, f->n, 0, &whole));
    c[f->n / 2] = 0xff; // a marker where none belongs
    c[f->n / 2 + 1] = 0xd3;
    assert_true(decode(c, f->n, 0, &p));
    says("is damaged, but was decoded: ");
    assert_int_equal(memcmp(p.pixels, whole.pixels, 150 * 30 * 3), 0); // above it
    free(p.pixels);
    free(whole.pixels);
    free(c);
    f = record_of("png-rgb");
    c = copy(f->bytes, f->n);
    c[f->n / 2] ^= 1;
    refused(c, f->n, "is a PNG file that cannot be decoded");
    free(c);
}

static size_t find(const uint8_t *bytes, size_t n, const char *what, size_t m)
{
    for (size_t i = 0; i + m <= n; i++)
        if (memcmp(bytes + i, what, m) == 0)
            return i;
    fail();
    return 0;
}

static uint32_t crc(const uint8_t *p, size_t n)
{
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static void big_endian(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * (3 - i));
}

static void lies_about_size(void **state)
{
    (void)state;
    const struct record *f = record_of("jpeg-420");
    uint8_t *c = copy(f->bytes, f->n);
    size_t at = find(c, f->n, "\xff\xc0", 2) + 5;
    memset(c + at, 0xff, 4);
    refused(c, f->n, "has 65535×65535 pixels; at most 178 million");
    struct image_info info;
    assert_false(image_probe(c, f->n, &info, &e));
    free(c);
    f = record_of("png-rgb");
    c = copy(f->bytes, f->n);
    big_endian(c + 20, 116); // four times the rows
    big_endian(c + 29, crc(c + 12, 17));
    refused(c, f->n, "29 of 116");
    big_endian(c + 16, 100000);
    big_endian(c + 29, crc(c + 12, 17));
    refused(c, f->n, "has 100000×116 pixels");
    big_endian(c + 16, 60000);
    big_endian(c + 20, 60000);
    big_endian(c + 29, crc(c + 12, 17));
    refused(c, f->n, "has 60000×60000 pixels");
    big_endian(c + 16, 0);
    big_endian(c + 29, crc(c + 12, 17));
    refused(c, f->n, "");
    free(c);
    refused("P6 65000 65000 255\n123", 22, "has 65000×65000 pixels");
    refused("P5 0 7 255\n123", 14, "has 0×7 pixels");
    refused("P5 3 3 70000\n123", 16, "white is 70000");
    refused("P5 3 3\n", 7, "damaged head");
    f = record_of("bmp-24");
    c = copy(f->bytes, f->n);
    memset(c + 18, 0x7f, 8);
    refused(c, f->n, "pixels; at most");
    free(c);
}

#define TEXT(s) s, sizeof s - 1

static void no_images(void **state)
{
    (void)state;
    refused("", 0, "is empty");
    refused(TEXT("\r\n<!DOCTYPE html>\n<html><body>Not found</body></html>"),
            "is an HTML page, not an image");
    refused(TEXT("\xef\xbb\xbf<html>"), "is an HTML page");
    refused(TEXT("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG");
    refused(TEXT("\0\0\0\x20"
                 "ftypheic\0\0\0\0mif1heic"),
            "is a HEIC image, which is not read; convert");
    refused(TEXT("\0\0\0\x20"
                 "ftypavif\0\0\0\0mif1avif"),
            "is an AVIF image");
    refused(TEXT("hello, world"), "begins with the bytes 68 65 6c 6c 6f 2c 20 77");
    refused(TEXT("P3 1 1 255 1 2 3"), "P3");
    refused(TEXT("\xff\xd8\xff"), "ends within its head");
    refused(record_of("gif")->bytes, record_of("gif")->n,
            "is a GIF image, which is not read");
    refused(record_of("tiff")->bytes, record_of("tiff")->n,
            "is a TIFF image, which is not read");
    if (!image_format_read(IMAGE_WEBP))
        refused(record_of("webp")->bytes, record_of("webp")->n, "libwebp-dev");
}

/* Every length, and single wrong bytes: an error or a picture, never more (ASan, UBSan). */
static void file_every_damage(const struct record *file, const struct picture *want)
{
    (void)want;
    struct picture p;
    for (size_t n = 0; n < file->n; n += n < 100 ? 1 : 23) {
        uint8_t *c = copy(file->bytes, n);
        assert_true(decode(c, n, 0, &p) || (!p.pixels && *e.msg));
        free(p.pixels);
        free(c);
    }
    uint8_t *c = copy(file->bytes, file->n);
    for (size_t i = 0; i < file->n; i += i < 200 ? 1 : 19) {
        struct image_info info;
        c[i] ^= 0x55;
        if (image_probe(c, file->n, &info, &e) && info.width * info.height < 1 << 20) {
            assert_true(decode(c, file->n, 3, &p) || (!p.pixels && *e.msg));
            free(p.pixels);
        }
        c[i] ^= 0x55;
    }
    free(c);
}

static void every_damage(void **state)
{
    (void)state;
    each_file(file_every_damage);
}

/* An orientation outside 1 … 8, or an Exif block that ends early, is none. */
static void strange_exif(void **state)
{
    (void)state;
    const struct record *f = record_of("jpeg-exif-6");
    struct image_info info;
    size_t at = find(f->bytes, f->n, "Exif", 4);
    uint8_t *c = copy(f->bytes, f->n);
    size_t value = at + 6 + 8 + 2 + 12 + 8;
    assert_int_equal(c[value] | c[value + 1], 6);
    c[value] = c[value + 1] = 9;
    assert_true(image_probe(c, f->n, &info, &e));
    assert_int_equal(info.orientation, 1);
    for (int i = 0; i < 4; i++)
        c[at + 6 + 4 + (size_t)i] = 0xff; // where the directory is
    assert_true(image_probe(c, f->n, &info, &e));
    assert_int_equal(info.width, 37);
    free(c);
}

int main(void)
{
    records_read();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pillow),
        cmocka_unit_test(channels),
        cmocka_unit_test(in_parts),
        cmocka_unit_test(scaled),
        cmocka_unit_test(inks),
        cmocka_unit_test(encoded),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(damaged),
        cmocka_unit_test(lies_about_size),
        cmocka_unit_test(no_images),
        cmocka_unit_test(every_damage),
        cmocka_unit_test(strange_exif),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
