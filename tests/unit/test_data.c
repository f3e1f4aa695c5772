/* Data sets: the drawn shapes, CIFAR-10's files good and bad, subsets, batches, SHA-256. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/sha256.h"

enum {
    IMAGE = 3 * 32 * 32,
    RECORD = IMAGE + 1,
    RECORDS = 10000,
    FILE_BYTES = RECORD * RECORDS
};

static struct dataset *shapes(uint32_t train, uint32_t test, uint64_t seed)
{
    struct error e;
    struct data_options o = {.train = train, .test = test, .seed = seed, .pad = CROP_PAD};
    struct dataset *d = shapes_open(&o, &e);
    assert_non_null(d);
    return d;
}

static void sha256_of_known_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } known[] = {
        // FIPS 180-4 examples, and the empty text
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[65];
    struct sha256 s;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        sha256_init(&s);
        sha256_add(&s, known[i].text, strlen(known[i].text));
        sha256_hex(&s, hex);
        assert_string_equal(hex, known[i].hex);
    }
    // a million times "a", given in pieces of every size
    char a[300];
    memset(a, 'a', sizeof a);
    sha256_init(&s);
    for (size_t left = 1000000, n = 0; left; left -= n) {
        n = (n + 7) % 300;
        n = n < left ? n : left;
        sha256_add(&s, a, n);
    }
    sha256_hex(&s, hex);
    assert_string_equal(hex,
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void shapes_depend_on_seed_alone(void **state)
{
    (void)state;
    struct dataset *a = shapes(200, 100, 7), *b = shapes(200, 100, 7),
                   *c = shapes(200, 100, 8);
    struct dataset *longer = shapes(500, 300, 7);
    assert_string_equal(dataset_checksum(a), dataset_checksum(b));
    assert_string_not_equal(dataset_checksum(a), dataset_checksum(c));
    for (uint32_t i = 0; i < 200; i++) {
        assert_memory_equal(a->train.images[i].bytes, longer->train.images[i].bytes, IMAGE);
        assert_int_equal(a->train.labels[i], longer->train.labels[i]);
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_memory_equal(a->test.images[i].bytes, longer->test.images[i].bytes, IMAGE);
    for (uint32_t i = 0; i < 100; i++) // no image is in both splits
        for (uint32_t j = 0; j < 200; j++)
            assert_memory_not_equal(a->test.images[i].bytes, a->train.images[j].bytes, IMAGE);
    dataset_free(a);
    dataset_free(b);
    dataset_free(c);
    dataset_free(longer);
}

// The same bytes on every machine and by every compiler.
static void shapes_are_the_same_everywhere(void **state)
{
    (void)state;
    struct dataset *d = shapes(1000, 200, 1);
    assert_string_equal(dataset_checksum(d),
                        "9062c9f37730ad68b7f908114c6d22bfd1e88cf8313dc303d53184ccbcc4581f");
    dataset_free(d);
}

static void shapes_have_every_class_equally(void **state)
{
    (void)state;
    struct dataset *d = shapes(1000, 200, 1);
    assert_int_equal(d->classes, 10);
    for (uint32_t i = 0; i < d->train.n; i += 10) {
        unsigned seen = 0;
        for (uint32_t j = i; j < i + 10; j++)
            seen |= 1u << d->train.labels[j];
        assert_int_equal(seen, 1023);
    }
    // not in the same order each time
    assert_memory_not_equal(d->train.labels, d->train.labels + 10, 10 * sizeof(uint16_t));
    dataset_free(d);
}

// The stated mean and deviation are those of the images.
static void shapes_are_normalised(void **state)
{
    (void)state;
    struct dataset *d = shapes(2000, 10, 3);
    for (int c = 0; c < 3; c++) {
        double sum = 0, squares = 0, n = 1024.0 * d->train.n;
        for (uint32_t i = 0; i < d->train.n; i++)
            for (int p = 0; p < 1024; p++) {
                double v = (double)d->look.level[c][d->train.images[i].bytes[1024 * c + p]];
                sum += v;
                squares += v * v;
            }
        assert_true(sum / n > -0.05 && sum / n < 0.05);
        double deviation = squares / n - sum / n * (sum / n);
        assert_true(deviation > 0.9 && deviation < 1.1);
    }
    dataset_free(d);
}

static void too_many_shapes_are_refused(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.train = 2000000, .test = 10, .seed = 1, .pad = CROP_PAD};
    assert_null(shapes_open(&o, &e));
    assert_non_null(strstr(e.msg, "2000000"));
    assert_non_null(strstr(e.msg, "at most 1000000"));
}

static void interrupts_end_drawing_and_summing(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.train = 1000000, .test = 10, .seed = 1, .pad = CROP_PAD};
    struct dataset *d = shapes(200, 10, 1);
    interrupt_flag = 1;
    assert_null(shapes_open(&o, &e));
    assert_string_equal(e.msg, "interrupted");
    assert_null(dataset_checksum(d));
    interrupt_flag = 0;
    assert_int_equal(strlen(dataset_checksum(d)), 64);
    dataset_free(d);
}

// How a training image is moved: the first three draws of its key.
static struct shift drawn_shift(int pad, uint64_t seed, int epoch, uint32_t image, bool *flip)
{
    struct rng r = rng_key(seed, (uint64_t)epoch << 32 | image, RNG_AUGMENT);
    struct shift s = shift_draw(&r, pad);
    *flip = flip_draw(&r);
    return s;
}

// Every one of 9 × 9 places and both directions, about equally often.
static void every_crop_is_drawn(void **state)
{
    (void)state;
    int count[9][9][2] = {0};
    enum { DRAWS = 162 * 100 };
    for (uint32_t i = 0; i < DRAWS; i++) {
        bool flip;
        struct shift s = drawn_shift(4, 5, (int)(i % 3), i, &flip);
        count[s.y + 4][s.x + 4][flip]++;
        s = drawn_shift(0, 5, (int)(i % 3), i, &flip);
        assert_true(s.y == 0 && s.x == 0);
    }
    double chi2 = 0;
    for (int i = 0; i < 162; i++) {
        int n = (&count[0][0][0])[i];
        assert_true(n > 0);
        chi2 += (n - 100.0) * (n - 100.0) / 100;
    }
    assert_true(chi2 < 161 + 4 * 18); // mean 161, deviation 17.9
}

static const struct augment usual = {.crop = CROP_AUTO, .pad = -1};

static void train_images(const struct dataset *d, float *x, int *labels,
                         const uint32_t *index, int n, uint64_t seed, int epoch)
{
    struct error e;
    assert_true(d->source.train_batch(d, x, labels, index, n, &usual, seed, epoch, &e));
}

// Against the definition: pad, crop, flip, in three plain steps; the same bits as ever.
static void crop_equals_the_definition(void **state)
{
    (void)state;
    struct dataset *d = shapes(10, 10, 1);
    static float padded[40][40][3], want[32][32][3], got[32][32][3];
    for (uint32_t k = 0; k < 400; k++) {
        uint32_t image = k % 10;
        int label, epoch = (int)k;
        bool flip;
        struct shift crop = drawn_shift(4, 7, epoch, image, &flip);
        const uint8_t *planes = d->train.images[image].bytes;
        memset(padded, 0, sizeof padded);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++)
                for (int c = 0; c < 3; c++)
                    padded[y + 4][x + 4][c] =
                        (float)((planes[c * 1024 + y * 32 + x] - d->mean[c]) / d->std[c]);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++)
                memcpy(want[y][x], padded[y + 4 + crop.y][4 + crop.x + (flip ? 31 - x : x)],
                       sizeof want[y][x]);
        memset(got, 0xff, sizeof got);
        train_images(d, &got[0][0][0], &label, &image, 1, 7, epoch);
        assert_memory_equal(got, want, sizeof want);
    }
    dataset_free(d);
}

// What is done to an image does not depend on the batch it is in, but on seed and epoch.
static void augmentation_is_keyed(void **state)
{
    (void)state;
    struct dataset *d = shapes(40, 10, 1);
    static float forth[40][IMAGE], back[40][IMAGE], alone[IMAGE], other[40][IMAGE];
    uint32_t index[40], reversed[40];
    int labels[40], label;
    for (uint32_t i = 0; i < 40; i++) {
        index[i] = i;
        reversed[i] = 39 - i;
    }
    train_images(d, forth[0], labels, index, 40, 11, 2);
    train_images(d, back[0], labels, reversed, 40, 11, 2);
    for (int i = 0; i < 40; i++) {
        assert_memory_equal(forth[i], back[39 - i], sizeof *forth);
        train_images(d, alone, &label, &index[i], 1, 11, 2);
        assert_memory_equal(forth[i], alone, sizeof alone);
        assert_int_equal(label, d->train.labels[i]);
    }
    int moved_by_epoch = 0, moved_by_seed = 0;
    train_images(d, other[0], labels, index, 40, 11, 3);
    for (int i = 0; i < 40; i++)
        moved_by_epoch += memcmp(forth[i], other[i], sizeof *forth) != 0;
    train_images(d, other[0], labels, index, 40, 12, 2);
    for (int i = 0; i < 40; i++)
        moved_by_seed += memcmp(forth[i], other[i], sizeof *forth) != 0;
    assert_true(moved_by_epoch > 30 && moved_by_seed > 30);
    dataset_free(d);
}

static void test_batches_are_plain(void **state)
{
    (void)state;
    struct dataset *d = shapes(10, 30, 1);
    static float x[20][32][32][3];
    int labels[20];
    struct error e;
    assert_true(d->source.test_batch(d, SPLIT_TEST, &x[0][0][0][0], labels, 10, 20, &e));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(labels[i], d->test.labels[10 + i]);
        for (int c = 0; c < 3; c++) {
            float want =
                d->look.level[c][d->test.images[10 + i].bytes[1024 * c + 5 * 32 + 17]];
            assert_memory_equal(&x[i][5][17][c], &want, sizeof want);
        }
    }
    dataset_free(d);
}

/* ---- CIFAR-10, on files made here */

static char dir[] = "/tmp/netspace-cifar-XXXXXX";
static const char *const files[] = {"data_batch_1.bin", "data_batch_2.bin",
                                    "data_batch_3.bin", "data_batch_4.bin",
                                    "data_batch_5.bin", "test_batch.bin"};

static const char *path(const char *name)
{
    static char p[200];
    snprintf(p, sizeof p, "%s/%s", dir, name);
    return p;
}

static void write_file(const char *name, const void *data, size_t n)
{
    FILE *f = fopen(path(name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void poke(const char *name, off_t at, const void *data, size_t n)
{
    int fd = open(path(name), O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, n, at), (ssize_t)n);
    close(fd);
}

// Record i of file k: label i % 10 (and so 1,000 of each), pixels that say which it is.
static void make_record(uint8_t *r, int k, uint32_t i)
{
    memset(r, 0, RECORD);
    r[0] = (uint8_t)(i % 10);
    r[1] = (uint8_t)k;
    memcpy(r + 2, &i, sizeof i);
    r[IMAGE] = 201;
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    uint8_t *records = xmalloc(FILE_BYTES);
    for (int k = 0; k < 6; k++) {
        for (uint32_t i = 0; i < RECORDS; i++)
            make_record(records + (size_t)i * RECORD, k, i);
        write_file(files[k], records, FILE_BYTES);
    }
    free(records);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++)
        unlink(path(files[k]));
    unlink(path("batches.meta.txt"));
    return rmdir(dir);
}

static struct dataset *cifar(uint32_t train, uint32_t test, uint64_t seed)
{
    struct error e = {""};
    struct data_options o = {.train = train, .test = test, .seed = seed, .pad = CROP_PAD};
    struct dataset *d = cifar10_open(dir, &o, &e);
    if (!d)
        fail_msg("%s", e.msg);
    return d;
}

// Opening must fail, and say all of what is listed.
static void refused(const char *where, const char *a, const char *b, const char *c)
{
    struct error e = {""};
    struct data_options o = {.seed = 1, .pad = CROP_PAD};
    struct dataset *d = cifar10_open(where, &o, &e);
    assert_null(d);
    const char *parts[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        if (!strstr(e.msg, parts[i]))
            fail_msg("'%s' does not say '%s'", e.msg, parts[i]);
}

static void cifar_is_read_whole(void **state)
{
    (void)state;
    struct dataset *d = cifar(0, 0, 1);
    assert_int_equal(d->train.n, 50000);
    assert_int_equal(d->test.n, 10000);
    assert_string_equal(d->class_names[3], "cat");
    uint8_t want[RECORD];
    for (uint32_t i = 0; i < 50000; i += 777) {
        make_record(want, (int)(i / RECORDS), i % RECORDS);
        assert_memory_equal(d->train.images[i].bytes, want + 1, IMAGE);
        assert_int_equal(d->train.labels[i], want[0]);
    }
    make_record(want, 5, 1234);
    assert_memory_equal(d->test.images[1234].bytes, want + 1, IMAGE);
    struct data_options o = {.seed = 1, .pad = CROP_PAD};
    struct error e;
    struct dataset *again = cifar10_open(strchr(d->spec, ':') + 1, &o, &e);
    assert_non_null(again);
    assert_string_equal(again->spec, d->spec);
    dataset_free(again);
    dataset_free(d);
}

// A data set of images without pixels: `counts` of each class, in turn as long as there are.
static struct dataset *plain(const uint32_t *counts, int classes, uint32_t test,
                             const struct data_options *o)
{
    static const char *const names[] = {"a", "b", "c"};
    static uint8_t bytes[4000];
    struct dataset *d = dataset_new("plain", "plain", 8, 3, classes, names, o);
    uint32_t n = 0, left[3] = {0};
    for (int k = 0; k < classes; k++)
        n += left[k] = counts[k];
    split_alloc(&d->train, n, true);
    for (uint32_t i = 0, k = 0; i < n; k = (k + 1) % (uint32_t)classes)
        if (left[k]) {
            left[k]--;
            d->train.images[i] = (struct stored){&bytes[i], 1, 1, 1};
            d->train.sums[i] = (uintptr_t)&bytes[i];
            d->train.labels[i++] = (uint16_t)k;
        }
    split_alloc(&d->test, test, false);
    for (uint32_t i = 0; i < test; i++)
        d->test.images[i] = (struct stored){&bytes[2000 + i], 1, 1, 1};
    return d;
}

static uint32_t of_class(const struct split *s, int class)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        n += s->labels[i] == class;
    return n;
}

// More than a scarce class has: all of it, and the rest from the others.
static void subsets_take_all_of_a_scarce_class(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.train = 20, .seed = 1};
    struct dataset *d = plain((uint32_t[]){4, 26}, 2, 5, &o);
    o.train = 31;
    assert_false(dataset_choose(d, &o, &e));
    assert_non_null(strstr(e.msg, "31 training images asked for; there are 30"));
    o.train = 20;
    assert_true(dataset_choose(d, &o, &e));
    assert_int_equal(d->train.n, 20);
    assert_int_equal(of_class(&d->train, 0), 4);
    for (uint32_t i = 0; i < 20; i++) // the checksums go with the images
        assert_int_equal((uintptr_t)d->train.images[i].bytes, d->train.sums[i]);
    dataset_free(d);
}

// Validation images out of the training images: each class gives its share, no image is in
// both, fewer are the beginning of more, and the training images are otherwise the same.
static void validation_is_taken_out_of_training(void **state)
{
    (void)state;
    struct error e;
    const uint32_t counts[] = {500, 301, 40};
    struct data_options o = {.seed = 3, .validation = 84};
    struct dataset *d = plain(counts, 3, 50, &o);
    assert_true(dataset_choose(d, &o, &e));
    assert_int_equal(d->validation.n, 84);
    assert_int_equal(d->train.n, 841 - 84);
    for (int k = 0; k < 3; k++) {
        double share = 84.0 * counts[k] / 841, n = of_class(&d->validation, k);
        assert_true(n > share - 1 && n < share + 1);
    }
    for (uint32_t i = 1; i < d->train.n; i++) // in the order of the files
        assert_true(d->train.images[i - 1].bytes < d->train.images[i].bytes);
    for (uint32_t i = 0; i < d->validation.n; i++) {
        assert_int_equal((uintptr_t)d->validation.images[i].bytes, d->validation.sums[i]);
        for (uint32_t j = 0; j < d->train.n; j++)
            assert_ptr_not_equal(d->validation.images[i].bytes, d->train.images[j].bytes);
        for (uint32_t j = 0; j < i; j++)
            assert_ptr_not_equal(d->validation.images[i].bytes,
                                 d->validation.images[j].bytes);
    }
    dataset_free(d);

    struct dataset *some[3];
    const struct data_options how[] = {{.seed = 3, .train = 90},
                                       {.seed = 3, .train = 90, .validation = 84},
                                       {.seed = 4, .train = 90, .validation = 84}};
    for (int i = 0; i < 3; i++) {
        some[i] = plain(counts, 3, 50, &how[i]);
        assert_true(dataset_choose(some[i], &how[i], &e));
        assert_int_equal(some[i]->train.n, 90);
    }
    assert_memory_equal(some[0]->train.images, some[1]->train.images,
                        90 * sizeof(struct stored));
    assert_memory_not_equal(some[1]->train.images, some[2]->train.images,
                            90 * sizeof(struct stored));
    assert_memory_not_equal(some[1]->validation.images, some[2]->validation.images,
                            84 * sizeof(struct stored));
    for (int i = 0; i < 3; i++)
        dataset_free(some[i]);

    // how many, when nobody says
    const struct {
        uint32_t test, validation, want;
    } usual_counts[] = {
        {0, VALIDATION_DEFAULT, 84}, {30, VALIDATION_DEFAULT, 30}, {30, 7, 7}, {30, 0, 0}};
    for (int i = 0; i < 4; i++) {
        o = (struct data_options){.seed = 1,
                                  .test = usual_counts[i].test,
                                  .validation = usual_counts[i].validation};
        d = plain(counts, 3, 50, &o);
        assert_true(dataset_choose(d, &o, &e));
        assert_int_equal(d->validation.n, usual_counts[i].want);
        assert_ptr_equal(dataset_split(d, SPLIT_VALIDATION),
                         usual_counts[i].want ? &d->validation : &d->test);
        dataset_free(d);
    }
    o = (struct data_options){.seed = 1, .train = 800, .validation = 84};
    d = plain(counts, 3, 50, &o);
    assert_false(dataset_choose(d, &o, &e));
    assert_non_null(strstr(e.msg, "800 training and 84 validation images asked for"));
    assert_non_null(strstr(e.msg, "841"));
    assert_non_null(strstr(e.msg, "validation = 0"));
    dataset_free(d);
}

// Images that the files have for validation are used, a subset of them when asked.
static void validation_of_the_files_is_used(void **state)
{
    (void)state;
    struct error e;
    const uint32_t counts[] = {50, 50};
    for (uint32_t want = 0; want <= 10; want += 5) {
        struct data_options o = {.seed = 1, .validation = want};
        struct dataset *d = plain(counts, 2, 20, &o);
        split_alloc(&d->validation, 12, false);
        for (uint16_t i = 0; i < 12; i++)
            d->validation.labels[i] = i % 2;
        assert_true(dataset_choose(d, &o, &e));
        assert_int_equal(d->train.n, 100);
        assert_int_equal(d->validation.n, want);
        o.validation = 13;
        if (want == 10)
            assert_false(dataset_choose(d, &o, &e));
        dataset_free(d);
    }
}

// `shapes` has three splits without an image in two of them.  Its validation images are those
// that were its test images, so that what was trained before is compared by the same ones:
// same checksum.
static void shapes_have_three_splits(void **state)
{
    (void)state;
    struct error e;
    struct data_options o = {.train = 100, .validation = 60, .test = 40, .seed = 7, .pad = 4};
    struct dataset *d = shapes_open(&o, &e), *old = shapes(100, 60, 7);
    assert_true(d && d->validation.n == 60 && d->test.n == 40 && old->validation.n == 0);
    for (uint32_t i = 0; i < 60; i++) {
        assert_memory_equal(d->validation.images[i].bytes, old->test.images[i].bytes, IMAGE);
        assert_int_equal(d->validation.labels[i], old->test.labels[i]);
        for (uint32_t j = 0; j < 40; j++)
            assert_memory_not_equal(d->validation.images[i].bytes, d->test.images[j].bytes,
                                    IMAGE);
    }
    for (uint32_t i = 0; i < 100; i++)
        for (uint32_t j = 0; j < 40; j++)
            assert_memory_not_equal(d->train.images[i].bytes, d->test.images[j].bytes, IMAGE);
    for (int k = 0; k < 10; k++)
        assert_true(of_class(&d->validation, k) == 6 && of_class(&d->test, k) == 4);
    assert_string_equal(dataset_checksum(d), dataset_checksum(old));
    assert_string_not_equal(dataset_test_checksum(d), dataset_test_checksum(old));
    assert_true(old->source.shared && !d->source.shared);
    assert_true(d->source.n[SPLIT_VALIDATION] == 60 && old->source.n[SPLIT_VALIDATION] == 60);
    static float a[IMAGE], b[IMAGE];
    int label;
    assert_true(d->source.test_batch(d, SPLIT_VALIDATION, a, &label, 5, 1, &e));
    assert_true(old->source.test_batch(old, SPLIT_VALIDATION, b, &label, 5, 1, &e));
    assert_memory_equal(a, b, sizeof a);
    dataset_free(d);
    dataset_free(old);
    o.validation = VALIDATION_DEFAULT;
    d = shapes_open(&o, &e);
    assert_int_equal(d->validation.n, 40);
    dataset_free(d);
}

// CIFAR-10 as it was opened before has the checksum of before (this one is of version 0.1).
static void cifar_without_validation_is_as_ever(void **state)
{
    (void)state;
    struct dataset *whole = cifar(0, 0, 1), *some = cifar(1003, 57, 4);
    assert_string_equal(dataset_checksum(whole),
                        "7464258cc4891b639dffc61bb763edea70c949edf0a8c26ea2617fa5e9f8e526");
    assert_string_equal(dataset_checksum(some),
                        "defa1c5f0658677c7cd8cb17cc9e675dd49eb5ff992073352be2ee923231609e");
    dataset_free(whole);
    dataset_free(some);
    struct error e;
    struct data_options o = {.validation = VALIDATION_DEFAULT, .seed = 1, .pad = CROP_PAD};
    struct dataset *d = cifar10_open(dir, &o, &e);
    assert_true(d && d->train.n == 45000 && d->validation.n == 5000 && d->test.n == 10000);
    for (int k = 0; k < 10; k++)
        assert_int_equal(of_class(&d->validation, k), 500);
    dataset_free(d);
}

static void subsets_are_balanced_nested_and_keyed(void **state)
{
    (void)state;
    struct dataset *a = cifar(1003, 57, 4), *b = cifar(2500, 570, 4), *c = cifar(1003, 57, 5);
    int count[10] = {0};
    static bool seen[50000];
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < a->train.n; i++) {
        count[a->train.labels[i]]++;
        assert_int_equal(a->train.labels[i], b->train.labels[i]);
        assert_memory_equal(a->train.images[i].bytes, b->train.images[i].bytes, IMAGE);
        uint32_t id, file = a->train.images[i].bytes[0];
        memcpy(&id, a->train.images[i].bytes + 1, sizeof id);
        assert_int_equal(id % 10, a->train.labels[i]);
        assert_false(seen[file * RECORDS + id]);
        seen[file * RECORDS + id] = true;
    }
    for (int k = 0; k < 10; k++)
        assert_true(count[k] == 100 || count[k] == 101);
    assert_memory_equal(a->test.images[56].bytes, b->test.images[56].bytes, IMAGE);
    assert_string_not_equal(dataset_checksum(a), dataset_checksum(c));
    dataset_free(a);
    dataset_free(b);
    dataset_free(c);
}

static void class_names_are_read_if_sound(void **state)
{
    (void)state;
    write_file("batches.meta.txt", "a0\na1\na2\na3\na4\na5\na6\na7\na8\na9\n\n", 31);
    struct dataset *d = cifar(10, 10, 1);
    assert_string_equal(d->class_names[9], "a9");
    dataset_free(d);
    write_file("batches.meta.txt", "a0\na1\n\033[2J\na3\na4\na5\na6\na7\na8\na9\n", 32);
    d = cifar(10, 10, 1);
    assert_string_equal(d->class_names[9], "truck");
    dataset_free(d);
    unlink(path("batches.meta.txt"));
}

static void missing_files_are_named(void **state)
{
    (void)state;
    refused("/nowhere/at/all", "/nowhere/at/all", "No such file", "cifar-10-binary.tar.gz");
    char file[200];
    snprintf(file, sizeof file, "%s", path(files[0]));
    refused(file, file, "is a file", "directory");
    char from[200];
    snprintf(from, sizeof from, "%s", path(files[3]));
    assert_int_equal(rename(from, path("elsewhere")), 0);
    refused(dir, "has no data_batch_4.bin", "test_batch.bin", "cifar-10-binary.tar.gz");
    snprintf(from, sizeof from, "%s", path("elsewhere"));
    assert_int_equal(rename(from, path(files[3])), 0);
}

static void other_data_sets_are_recognised(void **state)
{
    (void)state;
    char other[] = "/tmp/netspace-other-XXXXXX", name[100];
    assert_non_null(mkdtemp(other));
    snprintf(name, sizeof name, "%s/train.bin", other);
    close(open(name, O_CREAT | O_WRONLY, 0600));
    refused(other, other, "CIFAR-100", "cifar-10-binary.tar.gz");
    unlink(name);
    snprintf(name, sizeof name, "%s/data_batch_1", other);
    close(open(name, O_CREAT | O_WRONLY, 0600));
    refused(other, other, "Python version", "cifar-10-binary.tar.gz");
    unlink(name);
    rmdir(other);
}

static void damaged_files_are_named(void **state)
{
    (void)state;
    uint8_t record[RECORD];
    struct {
        off_t size;
        const char *says;
    } sizes[] = {{0, "has 0 bytes"},
                 {1000, "cut short"},
                 {FILE_BYTES - 1, "cut short"},
                 {FILE_BYTES - RECORD, "has 30726927 bytes"},
                 {FILE_BYTES + 1, "not of CIFAR-10"}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(truncate(path(files[2]), sizes[i].size), 0);
        refused(dir, "data_batch_3.bin", sizes[i].says, "30,730,000");
        assert_int_equal(truncate(path(files[2]), FILE_BYTES), 0);
    }
    for (uint32_t i = 0; i < RECORDS; i++) { // whole again
        make_record(record, 2, i);
        poke(files[2], (off_t)i * RECORD, record, RECORD);
    }
    record[0] = 10;
    poke(files[5], 99 * (off_t)RECORD, record, 1);
    refused(dir, "test_batch.bin", "record 100 has label 10", "0 to 9");
    record[0] = 9;
    poke(files[5], 99 * (off_t)RECORD, record, 1);

    int fd = open(path(files[5]), O_RDWR); // no test image of class 4
    uint8_t *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    for (uint32_t i = 4; i < RECORDS; i += 10)
        map[i * RECORD] = 5;
    refused(dir, "no test image has label 4", "(deer)", "not CIFAR-10");
    for (uint32_t i = 4; i < RECORDS; i += 10)
        map[i * RECORD] = 4;
    munmap(map, FILE_BYTES);
    close(fd);

    char from[200];
    snprintf(from, sizeof from, "%s", path(files[4]));
    assert_int_equal(rename(from, path("aside")), 0);
    snprintf(from, sizeof from, "%s", path(files[1]));
    assert_int_equal(link(from, path(files[4])), 0);
    refused(dir, "data_batch_2.bin and data_batch_5.bin", "the same images", dir);
    unlink(path(files[4]));
    snprintf(from, sizeof from, "%s", path("aside"));
    assert_int_equal(rename(from, path(files[4])), 0);
    dataset_free(cifar(0, 0, 1));
}

// Random bytes anywhere, random sizes: opening succeeds or says why, and what it opens can
// be used.
static void mutated_files_never_crash(void **state)
{
    (void)state;
    struct rng r = rng_key(1, 0, RNG_BOOTSTRAP);
    int opened = 0;
    for (int round = 0; round < 60; round++) {
        const char *name = files[rng_below(&r, 6)];
        off_t at = (off_t)rng_below(&r, RECORDS) * RECORD;
        uint8_t byte = (uint8_t)rng_below(&r, 20);
        if (round % 3 == 0)
            assert_int_equal(truncate(path(name), (off_t)rng_below(&r, FILE_BYTES + 5000)),
                             0);
        else
            poke(name, at, &byte, 1);
        struct error e = {""};
        struct data_options o = {.train = (uint32_t)rng_below(&r, 300),
                                 .test = (uint32_t)rng_below(&r, 300),
                                 .validation = (uint32_t)rng_below(&r, 300),
                                 .seed = 1,
                                 .pad = 4};
        struct dataset *d = cifar10_open(dir, &o, &e);
        if (d) {
            float x[IMAGE];
            int label = -1;
            assert_true(d->source.test_batch(d, SPLIT_TEST, x, &label, d->test.n - 1, 1, &e));
            assert_in_range(label, 0, 9);
            opened++;
        } else
            assert_true(strlen(e.msg) > 20);
        dataset_free(d);
        if (round % 3 == 0)
            assert_int_equal(truncate(path(name), FILE_BYTES), 0);
        else if (byte > 9) {
            byte = 3;
            poke(name, at, &byte, 1);
        }
    }
    assert_true(opened > 5 && opened < 55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_texts),
        cmocka_unit_test(shapes_depend_on_seed_alone),
        cmocka_unit_test(shapes_are_the_same_everywhere),
        cmocka_unit_test(shapes_have_every_class_equally),
        cmocka_unit_test(shapes_are_normalised),
        cmocka_unit_test(too_many_shapes_are_refused),
        cmocka_unit_test(interrupts_end_drawing_and_summing),
        cmocka_unit_test(every_crop_is_drawn),
        cmocka_unit_test(crop_equals_the_definition),
        cmocka_unit_test(augmentation_is_keyed),
        cmocka_unit_test(test_batches_are_plain),
        cmocka_unit_test(cifar_is_read_whole),
        cmocka_unit_test(subsets_are_balanced_nested_and_keyed),
        cmocka_unit_test(subsets_take_all_of_a_scarce_class),
        cmocka_unit_test(validation_is_taken_out_of_training),
        cmocka_unit_test(validation_of_the_files_is_used),
        cmocka_unit_test(shapes_have_three_splits),
        cmocka_unit_test(cifar_without_validation_is_as_ever),
        cmocka_unit_test(class_names_are_read_if_sound),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(other_data_sets_are_recognised),
        cmocka_unit_test(damaged_files_are_named),
        cmocka_unit_test(mutated_files_never_crash),
    };
    return cmocka_run_group_tests_name("data", tests, make_files, remove_files);
}
