/* Packs and what they are made of: feeds of made folders, lists, archives' patterns, arrays. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/interrupt.h"
#include "data/classes.h"
#include "data/encode.h"
#include "data/pack.h"
#include "data/single.h"

static char dir[64];

static const char *at(const char *name)
{
    static char path[4][4096];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/netspace-pack-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(dir, rm, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const void *bytes, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", at(name));
    for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = 0;
        mkdir(path, 0777);
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void text(const char *name, const char *words)
{
    put(name, words, strlen(words));
}

// A PPM (3 channels) or PGM file whose bytes follow from `seed`.
static void image(const char *name, int w, int h, int channels, unsigned seed)
{
    uint8_t bytes[64 + 3 * 64 * 64];
    int n = snprintf((char *)bytes, 64, "P%d\n%d %d\n255\n", channels == 3 ? 6 : 5, w, h);
    for (int i = 0; i < w * h * channels; i++)
        bytes[n++] = (uint8_t)(seed = seed * 1103515245u + 12345u, seed >> 16);
    put(name, bytes, (size_t)n);
}

static uint8_t *whole(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*n);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static bool make(const char *spec, const char *path, struct pack_options o, struct error *e)
{
    struct feed *f = feed_open(spec, false, e);
    if (!f)
        return false;
    o.threads = o.threads ? o.threads : 2;
    o.most = o.most ? o.most : PACK_BYTES_MOST;
    bool good = pack_make(path, f, &o, NULL, e);
    feed_free(f);
    return good;
}

static char *folder_spec(void)
{
    static char spec[128];
    snprintf(spec, sizeof spec, "folder:%s/set", dir);
    return spec;
}

#define assert_says(e, part)                                                                 \
    do {                                                                                     \
        if (!strstr((e).msg, part))                                                          \
            fail_msg("'%s' is not in '%s'", part, (e).msg);                                  \
    } while (0)

// Two classes in two parts, and some that are left out.
static void make_set(void)
{
    for (unsigned i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/train/%s/%02u.ppm", i % 2 ? "dog" : "cat", i);
        image(name, 8 + (int)i % 3, 9, 3, i);
        snprintf(name, sizeof name, "set/test/%s/%02u.ppm", i % 2 ? "dog" : "cat", i);
        image(name, 8, 8, 3, 100 + i);
    }
    text("set/train/cat/.hidden", "x");
    text("set/train/cat/notes.txt", "not an image");
    text("set/train/cat/empty.jpg", "");
    image("set/outside.ppm", 8, 8, 3, 1);
}

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

static void counts(const struct dataset *d, const char *name, uint32_t train,
                   uint32_t validation, uint32_t test)
{
    if (d->train.n != train || d->validation.n != validation || d->test.n != test)
        fail_msg("%s: %u, %u, %u", name, d->train.n, d->validation.n, d->test.n);
}

static struct dataset *open_set(const struct data_options *o, struct error *e)
{
    struct pack_view v = {.share = {0.8, 0.1, 0.1}, .name = "folder", .spec = "folder:x"};
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, e));
    struct pack *p = pack_open(at("a.pack"), e);
    return pack_dataset(p, o, &v, e);
}

static void parts(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.seed = 1, .validation = VALIDATION_DEFAULT, .pad = 4};
    make_set();
    struct dataset *d = open_set(&o, &e);
    counts(d, "train and test", 18, 2, 20);
    assert_int_equal(d->look.image, 64);
    dataset_free(d);
    image("set/Valid/cat/1.ppm", 8, 8, 3, 1);
    d = open_set(&o, &e);
    counts(d, "all three", 20, 1, 20);
    dataset_free(d);
}

// An image stays in its part when others are added, and the shares are met.
static void drawn_parts(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.seed = 5, .validation = VALIDATION_DEFAULT, .pad = 4};
    for (unsigned i = 0; i < 1000; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/%u/%u.pgm", i % 4, i);
        image(name, 2, 2, 1, i);
    }
    struct dataset *d = open_set(&o, &e);
    assert_int_equal(d->train.n + d->validation.n + d->test.n, 1000);
    assert_in_range(d->test.n, 70, 130); // 100 ± 3 deviations
    assert_in_range(d->validation.n, 70, 130);
    uint64_t *was = malloc(d->test.n * sizeof *was);
    uint32_t n = d->test.n, found = 0;
    memcpy(was, d->test.sums, n * sizeof *was);
    dataset_free(d);
    for (unsigned i = 0; i < 50; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/%u/a%u.pgm", i % 4, i);
        image(name, 2, 3, 1, 5000 + i);
    }
    d = open_set(&o, &e);
    for (uint32_t i = 0; i < d->test.n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (d->test.sums[i] == was[k]) {
                found++;
                break;
            }
    assert_int_equal(found, n);
    free(was);
    dataset_free(d);
    o.seed = 6;
    d = open_set(&o, &e);
    assert_int_not_equal(d->test.n, n); // another seed draws others
    dataset_free(d);
}

static void refuse(const char *part)
{
    struct error e;
    unlink(at("a.pack"));
    assert_false(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    assert_says(e, part);
    assert_int_equal(access(at("a.pack"), F_OK), -1);
}

static void folders_that_are_refused(void **state)
{
    (void)state;
    mkdir(at("set"), 0777);
    refuse("no files");
    image("set/dog/1.ppm", 4, 4, 3, 1);
    refuse("one class, 'dog'");
    image("set/train/dog/1.ppm", 4, 4, 3, 1);
    image("set/train/cat/1.ppm", 4, 4, 3, 1);
    image("set/val/Dog/1.ppm", 4, 4, 3, 1);
    refuse("'val/Dog/1.ppm' has class 'Dog', of which there is no training image");
    unlink(at("set/val/Dog/1.ppm"));
    text("set/train/bird/1.jpg", "<html>");
    refuse("class 'bird' has no training image that can be read; the first that cannot: "
           "train/bird/1.jpg");
    struct error e;
    assert_null(feed_open("folder:/no/such", false, &e));
    assert_says(e, "No such file");
    assert_null(feed_open("fodler:/", false, &e));
    assert_says(e, "folder:DIR (class folders), list:FILE");
}

// Names of any bytes, links, and links that lead back.
static void names_and_links(void **state)
{
    (void)state;
    struct error e;
    image("set/a b/it's \"one\".ppm", 4, 4, 3, 1);
    image("set/a b/\xff\xfe.ppm", 4, 4, 3, 2);
    image("set/\xc3\xa4/new\nline/2.ppm", 4, 4, 3, 3);
    image("elsewhere/9.ppm", 4, 4, 3, 4);
    assert_int_equal(symlink(at("elsewhere"), at("set/a b/link")), 0);
    assert_int_equal(symlink(at("elsewhere/9.ppm"), at("set/a b/file.ppm")), 0);
    assert_int_equal(symlink(at("set"), at("set/a b/back")), 0);
    assert_int_equal(symlink("nowhere", at("set/a b/broken.ppm")), 0);
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->n, 5);
    assert_string_equal(p->class_names[1], "\xc3\xa4");
    assert_string_equal(pack_name(p, 0), "a b/file.ppm");
    assert_string_equal(pack_name(p, 1), "a b/it's \"one\".ppm");
    assert_string_equal(pack_name(p, 2), "a b/link/9.ppm");
    assert_string_equal(pack_name(p, 3), "a b/\xff\xfe.ppm");
    pack_close(p);
    struct feed *f = feed_open(folder_spec(), false, &e);
    assert_int_equal(f->nstamps, 0); // links lie elsewhere
    feed_free(f);
}

// Every folder that was read has a stamp.  An image of a data set has the name of its file, and is
// seen as that file is.
static void files_of_images(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.seed = 1, .validation = VALIDATION_DEFAULT, .image = 8};
    make_set();
    struct feed *f = feed_open(folder_spec(), false, &e);
    assert_int_equal(f->nstamps, 7);
    for (uint32_t i = 0; i < f->nstamps; i++) {
        char path[256];
        struct stat st;
        snprintf(path, sizeof path, "set/%s", f->stamps[i].path);
        assert_int_equal(stat(at(path), &st), 0);
        assert_int_equal(st.st_ino, f->stamps[i].inode);
        assert_int_equal(st.st_ctim.tv_nsec, f->stamps[i].changed.tv_nsec);
    }
    feed_free(f);
    struct dataset *d = open_set(&o, &e);
    struct single s = {.look = d->look};
    struct view_work work = {0};
    float x[2][8 * 8 * 3];
    const struct split *const splits[] = {&d->train, &d->validation, &d->test};
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < splits[k]->n; i++) {
            const struct stored *image_of = &splits[k]->images[i];
            const char *name = dataset_name(d, image_of);
            char path[256];
            assert_non_null(strstr(name, splits[k]->labels[i] ? "/dog/" : "/cat/"));
            snprintf(path, sizeof path, "set/%s", name);
            assert_true(single_view(x[0], at(path), &s, &e));
            assert_true(view_test(x[1], image_of, d->layout, &d->look, &work));
            assert_memory_equal(x[0], x[1], sizeof x[0]);
        }
    struct stored other = d->train.images[0];
    other.bytes++;
    assert_null(dataset_name(d, &other));
    assert_false(single_view(x[0], at("set/train/cat/notes.txt"), &s, &e));
    assert_non_null(strstr(e.msg, "cat/notes.txt: "));
    view_work_free(&work);
    dataset_free(d);
}

// What lies in a folder all classes share is left out of the names of the classes.
static void common_folders(void **state)
{
    (void)state;
    struct error e;
    image("set/Data/Photos/dog/1.ppm", 4, 4, 3, 1);
    image("set/Data/Photos/cat/b/1.ppm", 4, 4, 3, 1);
    text("set/README.md", "about");
    assert_true(make(folder_spec(), at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->classes, 2);
    assert_string_equal(p->class_names[0], "cat");
    assert_int_equal(p->parts[PART_NONE], 2);
    pack_close(p);
}

static void lists(void **state)
{
    (void)state;
    struct error e;
    char spec[128];
    snprintf(spec, sizeof spec, "list:%s/list.csv", dir);
    image("a,b \"c\".ppm", 4, 4, 3, 1);
    image("x/2.ppm", 4, 4, 3, 2);
    text("list.csv",
         "\xef\xbb\xbflabel,other,path,split\r\n10,,\"a,b \"\"c\"\".ppm\",train\r\n"
         "9,,x/2.ppm,train\r\n\r\n9,,x/2.ppm,test\n");
    assert_true(make(spec, at("a.pack"), (struct pack_options){0}, &e));
    struct pack *p = pack_open(at("a.pack"), &e);
    assert_int_equal(p->n, 3);
    assert_string_equal(p->class_names[0], "9"); // by value
    assert_string_equal(pack_name(p, 0), "a,b \"c\".ppm");
    assert_int_equal(pack_entry(p, 0).label, 1);
    assert_int_equal(p->parts[PART_TEST], 1);
    pack_close(p);
    static const char *const bad[][2] = {
        {"x/2.ppm", "line 1 has 1 field"},
        {"x/2.ppm,\n", "line 1 has no label"},
        {"x/2.ppm,a\nno.ppm,b\n", "'no.ppm': No such file"},
        {"x/2.ppm,a,train\nx/2.ppm,b,tset\n", "line 2 has split 'tset'"},
        {"x/2.ppm,a,train\nx/2.ppm,b\n", "line 2 has no split, unlike"},
        {"x/2.ppm,a,train\nx/2.ppm,b,test\n", "one class, 'a'"},
        {"", "no lines"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        text("list.csv", bad[i][0]);
        assert_false(make(spec, at("b.pack"), (struct pack_options){0}, &e));
        assert_says(e, bad[i][1]);
    }
    text("list.csv", "x/2.ppm\tb\na,b \"c\".ppm\ta\n");
    assert_true(make(spec, at("b.pack"), (struct pack_options){0}, &e));
}

static void numbers(void **state)
{
    (void)state;
    struct error e;
    struct feed f = {.spec = "x"};
    struct placed ok[] = {
        {"1", 1, PART_TRAIN, false}, {"2", 2, PART_TRAIN, false}, {"3", 2, PART_TEST, false}};
    assert_true(classes_of_numbers(&f, ok, 3, &e));
    assert_int_equal(f.nclasses, 2);
    assert_string_equal(f.classes[0], "1");
    assert_int_equal(ok[2].label, 1);
    free(f.classes[0]);
    free(f.classes[1]);
    free(f.classes);
    f.classes = NULL;
    static const struct {
        int32_t label[3];
        const char *says;
    } bad[] = {{{0, 2, 0}, "no training image has label 1"},
               {{0, 1, 7}, "'3' has label 7; those of the training images are 0 to 1"},
               {{0, -3, 0}, "label -3"},
               {{5, 6, 5}, "the lowest label is 5"},
               {{0, 0, 0}, "one class"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct placed x[] = {{"1", bad[i].label[0], PART_TRAIN, false},
                             {"2", bad[i].label[1], PART_TRAIN, false},
                             {"3", bad[i].label[2], PART_TEST, false}};
        assert_false(classes_of_numbers(&f, x, 3, &e));
        assert_says(e, bad[i].says);
    }
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
#define PACK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        PACK_TEST(same_for_any_number_of_threads),
        PACK_TEST(moments),
        PACK_TEST(gray_becomes_colour_when_one_is),
        PACK_TEST(bytes_until_the_limit_then_jpeg),
        PACK_TEST(jpeg_as_it_is),
        PACK_TEST(one_byte_changed),
        PACK_TEST(damage_is_found_at_first_use),
        PACK_TEST(parts),
        PACK_TEST(drawn_parts),
        PACK_TEST(folders_that_are_refused),
        PACK_TEST(names_and_links),
        PACK_TEST(common_folders),
        PACK_TEST(lists),
        PACK_TEST(files_of_images),
        cmocka_unit_test(numbers),
        PACK_TEST(interrupted_leaves_nothing),
        PACK_TEST(files_that_vanish),
        PACK_TEST(what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
