/* Packs: how they are made, what is in them, what is damaged, what has changed since. */
#include "pack_check.h"

#include "base/interrupt.h"
#include "data/encode.h"

static void same_for_any_number_of_threads(void **state)
{
    (void)state;
    struct error e;
    size_t n = 0, m;
    uint8_t *first = NULL;
    make_set();
    text("set/train/dog/broken.jpg", "<html>not an image</html>");
    for (int threads = 1; threads <= 7; threads += 3) {
        assert_true(
            make(folder_spec(), at("a.pack"), (struct pack_options){.threads = threads}, &e));
        uint8_t *bytes = whole(at("a.pack"), &m);
        if (first) {
            assert_int_equal(n, m);
            assert_memory_equal(first, bytes, n);
            free(bytes);
        } else
            first = bytes, n = m;
    }
    free(first);
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_non_null(p);
    assert_int_equal(p->n, 40);
    assert_int_equal(p->parts[PART_TRAIN], 20);
    assert_int_equal(p->parts[PART_TEST], 20);
    assert_int_equal(p->classes, 2);
    assert_string_equal(p->class_names[0], "cat");
    assert_int_equal(p->channels, 3);
    assert_false(p->one_size);
    assert_int_equal(p->nbad, 1);
    assert_string_equal(p->bad[0].name, "train/dog/broken.jpg");
    assert_string_equal(pack_about(p, "spec"), folder_spec());
    assert_string_equal(pack_about(p, "hidden"), "1");
    assert_string_equal(pack_about(p, "empty"), "1");
    assert_string_equal(pack_about(p, "outside"), "1");
    assert_string_equal(pack_about(p, "other"), "1");
    // in the order of the names, with the bytes of the file after its head
    assert_string_equal(pack_name(p, 0), "test/cat/00.ppm");
    assert_string_equal(pack_name(p, 39), "train/dog/19.ppm");
    struct pack_entry x = pack_entry(p, 39);
    uint8_t *file = whole(at("set/train/dog/19.ppm"), &m);
    assert_int_equal(x.label, 1);
    assert_int_equal(x.width * x.height * 3, x.bytes);
    assert_memory_equal(p->map + x.at, file + m - x.bytes, x.bytes);
    free(file);
    uint32_t bad;
    assert_int_equal(pack_check(p, &bad), 0);
    pack_close(p);
}

// Mean and deviation: of the training images, each counting alike.
static void moments(void **state)
{
    (void)state;
    struct error e;
    uint8_t black[64 + 12] = {0}, white[64 + 48];
    int n = snprintf((char *)black, 64, "P6\n2 2\n255\n");
    put("set/train/a/1.ppm", memset(black + n, 50, 12) - n, (size_t)n + 12);
    n = snprintf((char *)white, 64, "P6\n4 4\n255\n");
    put("set/train/b/1.ppm", memset(white + n, 150, 48) - n, (size_t)n + 48);
    image("set/val/a/1.ppm", 4, 4, 3, 1);
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_non_null(p);
    for (int c = 0; c < 3; c++) {
        assert_true(p->mean[c] == 100);
        assert_true(p->deviation[c] == 50);
    }
    pack_close(p);
}

static void gray_becomes_colour_when_one_is(void **state)
{
    (void)state;
    struct error e;
    for (unsigned i = 0; i < 300; i++) { // more than the ring holds
        char name[64];
        snprintf(name, sizeof name, "set/%s/%03u.pgm", i % 2 ? "x" : "y", i);
        image(name, 8, 8, 1, i);
    }
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->channels, 1);
    assert_int_equal(pack_entry(p, 0).bytes, 64);
    pack_close(p);
    image("set/y/z.ppm", 8, 8, 3, 7); // the last but nothing
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->n, 301);
    assert_int_equal(p->channels, 3);
    assert_int_equal(pack_entry(p, 0).bytes, 192);
    pack_close(p);
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){.channels = 1}, &e));
    p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->channels, 1);
    // red, green, blue in Pillow's L
    size_t n;
    uint8_t *file = whole(at("set/y/z.ppm"), &n);
    const uint8_t *c = file + n - 192;
    assert_string_equal(pack_name(p, 300), "y/z.ppm");
    assert_int_equal(p->map[pack_entry(p, 300).at],
                     (c[0] * 19595 + c[1] * 38470 + c[2] * 7471 + 0x8000) >> 16);
    free(file);
    pack_close(p);
}

static void bytes_until_the_limit_then_jpeg(void **state)
{
    (void)state;
    struct error e;
    make_set();
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){.most = 4000}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->layout, LAYOUT_JPEG);
    struct pack_entry x = pack_entry(p, 5);
    assert_memory_equal(p->map + x.at, "\xff\xd8\xff", 3);
    pack_close(p);
    assert_true(make(folder_spec(), at("a.pack"),
                     (struct pack_options){.most = 4000, .kind = PACK_BYTES}, &e));
    p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->layout, LAYOUT_ROWS);
    pack_close(p);
}

// A JPEG file that is small enough stays as it is in a pack of JPEG files.
static void jpeg_as_it_is(void **state)
{
    (void)state;
    struct error e;
    uint8_t pixels[32 * 24 * 3], *bytes;
    size_t n;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7);
    struct picture picture = {32, 24, 3, pixels};
    assert_true(picture_to_jpeg(&picture, 70, &bytes, &n, &e));
    put("set/a/1.jpg", bytes, n);
    put("set/b/1.png", bytes, n); // told by content, not by the ending
    put("set/b/2.jpg", bytes, n / 2);
    assert_true(make(folder_spec(), at("a.pack"),
                     (struct pack_options){.kind = PACK_JPEG, .size = 24}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    struct pack_entry x = pack_entry(p, 1);
    assert_int_equal(x.bytes, n);
    assert_memory_equal(p->map + x.at, bytes, n);
    pack_close(p);
    assert_true(make(folder_spec(), at("a.pack"),
                     (struct pack_options){.kind = PACK_JPEG, .size = 12}, &e));
    p = pack_open(at("a.pack"), &e);
    x = pack_entry(p, 1);
    assert_int_equal(x.width, 16);
    assert_int_equal(x.height, 12);
    assert_int_equal(x.file_width, 32);
    pack_close(p);
    free(bytes);
}

// Whatever byte changes: outside of the images the pack is refused, within them the image is found.
static void one_byte_changed(void **state)
{
    (void)state;
    struct error e;
    size_t n;
    image("set/a/1.ppm", 4, 4, 3, 1);
    image("set/b/1.ppm", 4, 4, 3, 2);
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    uint8_t *bytes = whole(at("a.pack"), &n);
    const struct pack_header *h = (const struct pack_header *)bytes;
    for (size_t i = 0; i < n; i++) {
        uint8_t was = bytes[i];
        uint64_t index = h->index_at;
        bytes[i] ^= (uint8_t)(1u << i % 8);
        put("b.pack", bytes, n);
        bytes[i] = was;
        struct pack *p = pack_open(at("b.pack"), &e);
        bool inside = i >= sizeof *h && i < index;
        if (inside != (p != NULL))
            fail_msg("byte %zu of %zu: %s", i, n, p ? "accepted" : e.msg);
        if (p) {
            uint32_t first = 9;
            assert_int_equal(pack_check(p, &first), 1);
            assert_int_equal(first, i < sizeof *h + 48 ? 0 : 1);
            pack_close(p);
        }
    }
    for (size_t i = 0; i < n; i += 1 + i / 8) {
        put("b.pack", bytes, i);
        assert_null(pack_open(at("b.pack"), &e));
    }
    put("b.pack", bytes, n - 1);
    assert_null(pack_open(at("b.pack"), &e));
    assert_says(e, "cut short");
    ((struct pack_header *)bytes)->version = 7;
    put("b.pack", bytes, n);
    assert_null(pack_open(at("b.pack"), &e));
    assert_says(e, "version 7; this netspace reads version 1");
    ((struct pack_header *)bytes)->endian = 0x04030201;
    put("b.pack", bytes, n);
    assert_null(pack_open(at("b.pack"), &e));
    assert_says(e, "other byte order");
    free(bytes);
}

// An image that is damaged is refused before its first use, by name of the split.
static void damage_is_found_at_first_use(void **state)
{
    (void)state;
    struct error e;
    size_t n;
    make_set();
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    uint8_t *bytes = whole(at("a.pack"), &n);
    struct pack *p = pack_open(at("a.pack"), &e);
    uint64_t place = pack_entry(p, 7).at + 5; // a test image
    struct data_options o = {.seed = 1, .validation = 0, .pad = 4, .image = 8};
    struct pack_view v = {.share = {0.8, 0.1, 0.1}, .name = "folder", .spec = "folder:x"};
    struct dataset *d = pack_dataset(p, &o, &v, &e);
    assert_non_null(d);
    char sum[65];
    strcpy(sum, dataset_checksum(d));
    dataset_free(d);
    bytes[place] ^= 1;
    put("a.pack", bytes, n);
    free(bytes);
    p = pack_open(at("a.pack"), &e);
    d = pack_dataset(p, &o, &v, &e);
    assert_non_null(d);
    assert_string_equal(dataset_checksum(d), sum); // of what was written
    float x[8 * 8 * 3];
    int label;
    assert_true(d->source.test_batch(d, SPLIT_TEST, x, &label, 6, 1, &e));
    assert_false(d->source.test_batch(d, SPLIT_TEST, x, &label, 7, 1, &e));
    assert_says(e, "test image 8 cannot be read: its bytes are not those that were written");
    dataset_free(d);
}

static void interrupted_leaves_nothing(void **state)
{
    (void)state;
    struct error e;
    make_set();
    struct feed *f = feed_open(folder_spec(), false, &e);
    interrupt_flag = 1;
    struct pack_options o = {.threads = 2, .most = PACK_BYTES_MOST};
    assert_false(pack_make(at("a.pack"), f, &o, NULL, &e));
    interrupt_flag = 0;
    assert_string_equal(e.msg, "interrupted");
    feed_free(f);
    char part[4096];
    snprintf(part, sizeof part, "%s.part-%ld", at("a.pack"), (long)getpid());
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(access(at("a.pack"), F_OK), -1);
}

// A file that goes, or changes, after it was listed.
static void files_that_vanish(void **state)
{
    (void)state;
    struct error e;
    make_set();
    struct pack_options o = {.threads = 2, .most = PACK_BYTES_MOST};
    struct feed *f = feed_open(folder_spec(), false, &e);
    unlink(at("set/train/dog/07.ppm"));
    assert_false(pack_make(at("a.pack"), f, &o, NULL, &e));
    assert_says(e, "'train/dog/07.ppm'");
    assert_says(e, "vanished or changed");
    feed_free(f);
    f = feed_open(folder_spec(), false, &e);
    image("set/train/cat/06.ppm", 20, 20, 3, 1);
    assert_false(pack_make(at("a.pack"), f, &o, NULL, &e));
    assert_says(e, "'train/cat/06.ppm'");
    feed_free(f);
    assert_int_equal(access(at("a.pack"), F_OK), -1);
}

static void what_differs(void **state)
{
    (void)state;
    struct error e;
    make_set();
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    static const char *const says[] = {"'train/dog/new.ppm' is new",
                                       "'train/cat/08.ppm' has 1213 bytes, it had 282",
                                       "'test/dog/03.ppm' is gone", "its files are newer"};
    for (int i = 0; i < 4; i++) {
        if (i == 0)
            image("set/train/dog/new.ppm", 4, 4, 3, 1);
        else if (i == 1)
            unlink(at("set/train/dog/new.ppm")), image("set/train/cat/08.ppm", 20, 20, 3, 1);
        else if (i == 2)
            image("set/train/cat/08.ppm", 10, 9, 3, 8), unlink(at("set/test/dog/03.ppm"));
        else
            image("set/test/dog/03.ppm", 8, 8, 3, 9);
        struct feed *f = feed_open(folder_spec(), false, &e);
        assert_int_not_equal(f->sum, p->listing);
        pack_differs(p, f, &e);
        assert_says(e, says[i]);
        feed_free(f);
    }
    pack_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACK_TEST(same_for_any_number_of_threads),
        PACK_TEST(moments),
        PACK_TEST(gray_becomes_colour_when_one_is),
        PACK_TEST(bytes_until_the_limit_then_jpeg),
        PACK_TEST(jpeg_as_it_is),
        PACK_TEST(one_byte_changed),
        PACK_TEST(damage_is_found_at_first_use),
        PACK_TEST(interrupted_leaves_nothing),
        PACK_TEST(files_that_vanish),
        PACK_TEST(what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
