/* npz:FILE (feed.h): NumPy's archives of arrays, as Keras (x_train, y_train, x_test, y_test) and
 * MedMNIST (train_images, train_labels, val_…, test_…) have them.  Images are bytes (n, h, w),
 * (n, h, w, 1) or (n, h, w, 3); labels whole numbers (n) or (n, 1).
 * Format: numpy.lib.format: "\x93NUMPY", version, length, a dictionary in Python's notation. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/archive.h"
#include "data/arrays.h"
#include "data/classes.h"

enum { SIDE_MOST = 4096, IMAGES_MOST = 100000000, HEADER_MOST = 1 << 16, DIMENSIONS = 4 };

struct array {
    char type[8]; // "|u1", "<i8"
    int dimensions;
    uint64_t shape[DIMENSIONS];
};

struct npz {
    char *path;
    struct archive_file *open;
    bool known; // the labels are read
    int32_t *labels[3];
    uint32_t n[3];  // labels of each part
    bool images[3]; // there is an array of images
    int part;       // of the array that is read; -1: none
    struct array array;
    uint32_t at; // its next image
};

static const struct {
    const char *images, *labels;
    enum part part;
} names[] = {
    {"x_train", "y_train", PART_TRAIN},
    {"train_images", "train_labels", PART_TRAIN},
    {"x_val", "y_val", PART_VALIDATION},
    {"x_valid", "y_valid", PART_VALIDATION},
    {"val_images", "val_labels", PART_VALIDATION},
    {"x_test", "y_test", PART_TEST},
    {"test_images", "test_labels", PART_TEST},
};

// The part of a member such as "x_train.npy", and whether it has images; -1: something else.
static int member_part(const char *member, bool *images)
{
    size_t n = strlen(member);
    if (n < 5 || strcmp(member + n - 4, ".npy") != 0)
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int k = 0; k < 2; k++) {
            const char *name = k ? names[i].labels : names[i].images;
            if (strlen(name) == n - 4 && strncmp(name, member, n - 4) == 0) {
                *images = k == 0;
                return names[i].part;
            }
        }
    return -1;
}

static bool npz_open(struct feed *f, const char *path, bool coarse, struct error *e)
{
    (void)coarse;
    struct npz *s = f->self = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    s->part = -1;
    return feed_note(f, path, e);
}

// Exactly n bytes of the member.
static bool take(struct archive_file *a, void *to, size_t n, struct error *e)
{
    for (size_t at = 0; at < n;) {
        int64_t got = archive_file_read(a, (char *)to + at, n - at, e);
        if (got == 0)
            return error_set(e, "it is cut short");
        if (got < 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static const char *blank(const char *p)
{
    return p + strspn(p, " ");
}

// 'word' at *p, to room bytes.
static bool quoted(const char **p, char *word, size_t room)
{
    char mark = **p;
    const char *end = mark == '\'' || mark == '"' ? strchr(*p + 1, mark) : NULL;
    if (!end || (size_t)(end - *p) > room)
        return false;
    size_t n = (size_t)(end - *p) - 1;
    memcpy(word, *p + 1, n);
    word[n] = 0;
    *p = end + 1;
    return true;
}

static bool shape(const char **p, struct array *a)
{
    if (**p != '(')
        return false;
    ++*p;
    for (a->dimensions = 0; *(*p = blank(*p)) != ')'; a->dimensions++) {
        int length = 0;
        unsigned long long size;
        if (a->dimensions == DIMENSIONS || **p < '0' || **p > '9' ||
            sscanf(*p, "%15llu%n", &size, &length) != 1)
            return false;
        a->shape[a->dimensions] = size;
        *p = blank(*p + length);
        if (**p == ',')
            ++*p;
        else if (**p != ')')
            return false;
    }
    ++*p;
    return true;
}

// {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }
static bool dictionary(const char *p, struct array *a, bool *fortran)
{
    bool type = false, order = false, size = false;
    char key[32];
    p = blank(p);
    if (*p++ != '{')
        return false;
    while (*(p = blank(p)) != '}') {
        if (!quoted(&p, key, sizeof key) || *(p = blank(p)) != ':')
            return false;
        p = blank(p + 1);
        bool good = false;
        if (strcmp(key, "descr") == 0 && !type)
            good = type = quoted(&p, a->type, sizeof a->type);
        else if (strcmp(key, "fortran_order") == 0 && !order) {
            *fortran = strncmp(p, "True", 4) == 0;
            good = order = *fortran || strncmp(p, "False", 5) == 0;
            p += !good ? 0 : *fortran ? 4 : 5;
        } else if (strcmp(key, "shape") == 0 && !size)
            good = size = shape(&p, a);
        if (!good)
            return false;
        p = blank(p);
        if (*p == ',')
            p++;
        else if (*p != '}')
            return false;
    }
    return type && order && size;
}

// The head of an array.
static bool head(struct archive_file *file, struct array *a, struct error *e)
{
    uint8_t b[12];
    *a = (struct array){0};
    if (!take(file, b, 10, e))
        return false;
    if (memcmp(b, "\x93NUMPY", 6) != 0 || b[6] < 1 || b[6] > 3)
        return error_set(e, "it is not an array of NumPy (.npy, version 1 to 3)");
    size_t n = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1) {
        if (!take(file, b + 10, 2, e))
            return false;
        n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    }
    if (n > HEADER_MOST)
        return error_set(e, "its head has %zu bytes; %d are the most", n, HEADER_MOST);
    char *text = xcalloc(n + 1, 1);
    bool fortran = false, good = take(file, text, n, e);
    if (good && !dictionary(text, a, &fortran))
        good = error_set(e, "its head is not understood: %.200s", text);
    else if (good && fortran)
        good = error_set(e, "it has columns first (fortran_order); save it as rows: "
                            "numpy.ascontiguousarray");
    free(text);
    return good;
}

static bool check_images(const struct array *a, struct error *e)
{
    if (strcmp(a->type, "|u1") != 0)
        return error_set(e, "its values have type '%s'; images are bytes (uint8, '|u1')",
                         a->type);
    bool good =
        a->dimensions == 3 || (a->dimensions == 4 && (a->shape[3] == 1 || a->shape[3] == 3));
    if (!good)
        return error_set(e,
                         "it has %d dimensions%s; images are (n, h, w), (n, h, w, 1) or "
                         "(n, h, w, 3)",
                         a->dimensions, a->dimensions == 4 ? " and other channels" : "");
    for (int k = 0; k < 3; k++) {
        uint64_t most = k == 0 ? IMAGES_MOST : SIDE_MOST;
        if (a->shape[k] == 0 || a->shape[k] > most)
            return error_set(e, "its size %d is %llu; 1 to %llu can be read", k,
                             (unsigned long long)a->shape[k], (unsigned long long)most);
    }
    return true;
}

static bool read_labels(struct npz *s, int part, const struct array *a, struct error *e)
{
    size_t width =
        a->type[0] && a->type[1] && a->type[2] >= '1' && a->type[2] <= '8' && !a->type[3]
            ? (size_t)(a->type[2] - '0')
            : 0;
    bool sign = a->type[1] == 'i';
    if (!width || (width & (width - 1)) || (!sign && a->type[1] != 'u') || a->type[0] == '>')
        return error_set(e, "its values have type '%s'; labels are whole numbers", a->type);
    if (a->dimensions == 2 && a->shape[1] != 1)
        return error_set(e, "there are %llu labels an image; one is needed",
                         (unsigned long long)a->shape[1]);
    if (a->dimensions < 1 || a->dimensions > 2 || a->shape[0] == 0 ||
        a->shape[0] > IMAGES_MOST)
        return error_set(e, "labels are (n) or (n, 1), n from 1 to %d", IMAGES_MOST);
    s->n[part] = (uint32_t)a->shape[0];
    free(s->labels[part]);
    s->labels[part] = NULL;
    size_t room = 0;
    for (uint32_t i = 0; i < s->n[part]; i++) {
        uint8_t b[8];
        if (!take(s->open, b, width, e))
            return false;
        uint64_t value = sign && b[width - 1] & 0x80 ? UINT64_MAX : 0;
        for (size_t k = width; k-- > 0;)
            value = value << 8 | b[k];
        if (i == room) // grows with what is there, not with what the head says
            s->labels[part] =
                xrealloc(s->labels[part], (room = room ? 2 * room : 1024) * sizeof(int32_t));
        s->labels[part][i] = value < CLASSES_MOST ? (int32_t)value : CLASSES_MOST;
    }
    return true;
}

static bool reopen(struct npz *s, struct error *e)
{
    struct error why;
    archive_file_close(s->open);
    s->open = archive_file_open(s->path, true, &why);
    s->part = -1;
    return s->open || error_set(e, "%.200s: %.200s", s->path, why.msg);
}

// The labels of all parts; images are passed over.
static bool look(struct feed *f, struct error *e)
{
    struct npz *s = f->self;
    struct error why = {""};
    const char *name = "";
    struct feed_names others = {0};
    int answer;
    if (!reopen(s, e))
        return false;
    f->images = 0;
    while ((answer = archive_file_next(s->open, &name, &why)) == 1) {
        bool images;
        int part = member_part(name, &images);
        struct array a;
        if (part < 0) {
            feed_names_add(&others, name, strlen(name));
            continue;
        }
        if (interrupt_pending())
            return error_set(e, "interrupted");
        bool good = head(s->open, &a, &why) &&
                    (images ? check_images(&a, &why) : read_labels(s, part, &a, &why));
        if (!good)
            return error_set(e, "%.200s, %.40s: %.200s", s->path, name, why.msg);
        if (images) {
            if (s->images[part])
                return error_set(e, "%.200s has two arrays of %s images", s->path,
                                 part == PART_TRAIN ? "training" : "other");
            s->images[part] = true;
            f->images += a.shape[0];
        }
    }
    if (answer < 0)
        return error_set(e, "%.200s is cut short or damaged: %.200s", s->path, why.msg);
    if (!s->images[PART_TRAIN] || !s->labels[PART_TRAIN])
        return error_set(
            e,
            "%.200s has no arrays x_train and y_train (Keras) or train_images and "
            "train_labels (MedMNIST)%s%s",
            s->path, others.n ? "; it has " : "", feed_names_text(&others));
    for (int k = 0; k < 3; k++)
        if (s->images[k] != (s->labels[k] != NULL))
            return error_set(e, "%.200s: of the %s part only the %s are there", s->path,
                             k == PART_TEST ? "test" : "validation",
                             s->images[k] ? "images" : "labels");
    return s->known = reopen(s, e);
}

// Goes to the next array of images: 1, 0 or -1.
static int next_array(struct npz *s, struct error *e)
{
    struct error why = {""};
    const char *name = "";
    for (int answer; (answer = archive_file_next(s->open, &name, &why)) != 0;) {
        bool images;
        int part = answer == 1 ? member_part(name, &images) : -1;
        if (answer == 1 && (part < 0 || !images))
            continue;
        bool good =
            answer == 1 && head(s->open, &s->array, &why) && check_images(&s->array, &why);
        if (good && s->array.shape[0] != s->n[part])
            good = error_set(&why, "there are %llu images and %u labels",
                             (unsigned long long)s->array.shape[0], s->n[part]);
        if (!good) {
            error_set(e, "%.200s, %.40s: %.200s", s->path, name, why.msg);
            return -1;
        }
        s->part = part;
        s->at = 0;
        return 1;
    }
    return 0;
}

static int npz_next(struct feed *f, struct feed_item *item, struct error *e)
{
    struct npz *s = f->self;
    struct error why;
    if (!s->known && !look(f, e))
        return -1;
    if (s->part < 0) {
        int answer = next_array(s, e);
        if (answer != 1)
            return answer;
    }
    const struct array *a = &s->array;
    int channels = a->dimensions == 4 ? (int)a->shape[3] : 1;
    item->size = a->shape[1] * a->shape[2] * (size_t)channels;
    uint8_t *pixels = xmalloc(item->size);
    if (!take(s->open, pixels, item->size, &why)) {
        free(pixels);
        error_set(e, "%.200s, image %u: %.200s", s->path, s->at + 1, why.msg);
        return -1;
    }
    item->picture = (struct picture){(int)a->shape[2], (int)a->shape[1], channels, pixels};
    item->part = (enum part)s->part;
    item->label = s->labels[s->part][s->at];
    item->name = array_name(item->part, ++s->at);
    if (s->at == a->shape[0])
        s->part = -1;
    return 1;
}

static bool npz_rewind(struct feed *f, struct error *e)
{
    return reopen(f->self, e);
}

static void npz_free(struct feed *f)
{
    struct npz *s = f->self;
    archive_file_close(s->open);
    for (int k = 0; k < 3; k++)
        free(s->labels[k]);
    free(s->path);
    free(s);
}

const struct feed_kind feed_npz = {
    "npz",      "npz:FILE (NumPy's arrays)", npz_open,   npz_next,
    array_load, classes_of_numbers,          npz_rewind, npz_free};
