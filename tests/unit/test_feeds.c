/* What packs are made of: folders and their parts, names and links, lists, class numbers. */
#include "pack_check.h"

#include "data/classes.h"
#include "data/single.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACK_TEST(parts),
        PACK_TEST(drawn_parts),
        PACK_TEST(folders_that_are_refused),
        PACK_TEST(names_and_links),
        PACK_TEST(common_folders),
        PACK_TEST(lists),
        PACK_TEST(files_of_images),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
