/* idx:DIR (feed.h): MNIST, Fashion-MNIST, KMNIST, EMNIST and others of their form: files
 * train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (or test-…), gzip or not.  Where a folder
 * has several sets, as EMNIST's has, idx:DIR/emnist-letters is one; the files of EMNIST have their
 * images turned (columns first), which is undone for names that begin with emnist.
 * Format: LeCun, the page of MNIST: two zero bytes, type, dimensions, sizes (big-endian), data. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/memory.h"
#include "data/arrays.h"
#include "data/classes.h"

enum { UBYTE = 8, SIDE_MOST = 4096, IMAGES_MOST = 100000000 };

struct part_files {
    char *images, *labels;
    uint32_t n;
    int width, height, channels;
    uint8_t *label; // n
};

struct idx {
    struct part_files part[2]; // training, test
    bool turned;
    int which;
    uint32_t at;
    gzFile file;
    uint8_t *bytes; // of one image
};

// Finds base-images-idx3-ubyte and the like, with a dot or a dash, gzip or not.
static char *find(const char *base, const char *what, int dimensions)
{
    static const char *const forms[] = {"%s-%s-idx%d-ubyte", "%s-%s-idx%d-ubyte.gz",
                                        "%s-%s.idx%d-ubyte", "%s-%s.idx%d-ubyte.gz"};
    char path[PATH_MAX];
    struct stat st;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (snprintf(path, sizeof path, forms[i], base, what, dimensions) < PATH_MAX &&
            stat(path, &st) == 0)
            return xstrdup(path);
    return NULL;
}

static bool find_part(struct part_files *p, const char *base, const char *const *words,
                      struct error *e)
{
    char name[PATH_MAX];
    for (; *words && !p->images; words++) {
        snprintf(name, sizeof name, "%s%s", base, *words);
        p->images = find(name, "images", 3);
        if (!p->images)
            p->images = find(name, "images", 4);
        p->labels = find(name, "labels", 1);
    }
    if (!p->images)
        return error_set(
            e,
            "%.300s-images-idx3-ubyte (or .gz) is not there; of several sets in a "
            "folder one is named idx:DIR/emnist-letters",
            name);
    if (!p->labels)
        return error_set(e, "%.300s is there, its labels (…-labels-idx1-ubyte) are not",
                         p->images);
    return true;
}

static bool idx_open(struct feed *f, const char *path, bool coarse, struct error *e)
{
    (void)coarse;
    static const char *const train[] = {"train", NULL}, *const test[] = {"t10k", "test",
                                                                         NULL};
    struct idx *s = f->self = xcalloc(1, sizeof *s);
    struct stat st;
    char base[PATH_MAX];
    bool dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (snprintf(base, sizeof base, "%s%s", path, dir ? "/" : "-") >= PATH_MAX)
        return error_set(e, "%.100s…: the name is too long", path);
    const char *slash = strrchr(base, '/');
    s->turned = !dir && strncasecmp(slash ? slash + 1 : base, "emnist", 6) == 0;
    if (!find_part(&s->part[0], base, train, e) || !find_part(&s->part[1], base, test, e))
        return false;
    for (int k = 0; k < 2; k++)
        if (!feed_note(f, s->part[k].images, e) || !feed_note(f, s->part[k].labels, e))
            return false;
    return true;
}

static bool cut(const char *path, struct error *e)
{
    return error_set(e, "%.300s is cut short or damaged", path);
}

// Opens a file and reads its head: sizes of at most four dimensions.
static gzFile head(const char *path, int least, int most, uint32_t size[4], struct error *e)
{
    uint8_t b[4], d[4];
    gzFile file = gzopen(path, "rb");
    if (!file) {
        error_set(e, "%.300s: %s", path, strerror(errno));
        return NULL;
    }
    bool good = gzread(file, b, 4) == 4 || cut(path, e);
    if (good && (b[0] || b[1] || b[3] < least || b[3] > most))
        good =
            error_set(e,
                      "%.300s begins with %02x %02x %02x %02x; an IDX file of %d dimensions "
                      "begins with 00 00 08 %02x",
                      path, b[0], b[1], b[2], b[3], least, least);
    else if (good && b[2] != UBYTE)
        good =
            error_set(e, "%.300s has values of type %02x; bytes (08) are read", path, b[2]);
    for (int i = 0; i < 4; i++) {
        size[i] = 1;
        if (good && i < b[3]) {
            good = gzread(file, d, 4) == 4 || cut(path, e);
            size[i] =
                (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
        }
    }
    if (!good) {
        gzclose(file);
        return NULL;
    }
    return file;
}

// After the last: nothing may follow.
static bool ends(gzFile file, const char *path, struct error *e)
{
    uint8_t more;
    int n = gzread(file, &more, 1);
    if (n < 0)
        return cut(path, e);
    return n == 0 || error_set(e, "%.300s goes on after its last value", path);
}

static bool read_labels(struct part_files *p, struct error *e)
{
    uint32_t size[4];
    gzFile file = head(p->labels, 1, 1, size, e);
    if (!file)
        return false;
    bool good = size[0] == p->n ||
                error_set(e, "%.200s has %u labels for %u images", p->labels, size[0], p->n);
    if (good) {
        free(p->label);
        p->label = xmalloc(p->n);
        uint32_t at = 0;
        for (int got = 1; at < p->n && got > 0; at += got > 0 ? (uint32_t)got : 0)
            got = gzread(file, p->label + at, p->n - at);
        good = at == p->n || cut(p->labels, e);
    }
    good = good && ends(file, p->labels, e);
    gzclose(file);
    return good;
}

// The images' file of a part, after its head; its labels are read.
static bool begin(struct idx *s, struct error *e)
{
    struct part_files *p = &s->part[s->which];
    uint32_t size[4];
    s->file = head(p->images, 3, 4, size, e);
    if (!s->file)
        return false;
    if (size[0] == 0 || size[0] > IMAGES_MOST || size[1] == 0 || size[1] > SIDE_MOST ||
        size[2] == 0 || size[2] > SIDE_MOST || (size[3] != 1 && size[3] != 3))
        return error_set(
            e,
            "%.200s has %u images of %u×%u pixels and %u channels; 1 to %d of 1 to %d "
            "pixels a side and 1 or 3 channels can be read",
            p->images, size[0], size[1], size[2], size[3], IMAGES_MOST, SIDE_MOST);
    p->n = size[0];
    p->height = (int)size[1];
    p->width = (int)size[2];
    p->channels = (int)size[3];
    free(s->bytes);
    s->bytes = xmalloc((size_t)size[1] * size[2] * size[3]);
    return read_labels(p, e);
}

static int idx_next(struct feed *f, struct feed_item *item, struct error *e)
{
    struct idx *s = f->self;
    if (s->which == 2)
        return 0;
    if (!s->file && !begin(s, e))
        return -1;
    struct part_files *p = &s->part[s->which];
    item->size = (size_t)p->width * (size_t)p->height * (size_t)p->channels;
    if (gzread(s->file, s->bytes, (unsigned)item->size) != (int)item->size) {
        cut(p->images, e);
        return -1;
    }
    item->part = s->which == 0 ? PART_TRAIN : PART_TEST;
    item->label = p->label[s->at++];
    item->name = array_name(item->part, s->at);
    item->picture = array_picture(s->bytes, p->width, p->height, p->channels,
                                  s->turned ? ORDER_TURNED : ORDER_ROWS);
    if (s->at == p->n) {
        if (!ends(s->file, p->images, e))
            return -1;
        gzclose(s->file);
        s->file = NULL;
        s->at = 0;
        s->which++;
    }
    return 1;
}

static bool idx_rewind(struct feed *f, struct error *e)
{
    (void)e;
    struct idx *s = f->self;
    if (s->file)
        gzclose(s->file);
    s->file = NULL;
    s->which = 0;
    s->at = 0;
    return true;
}

static void idx_free(struct feed *f)
{
    struct idx *s = f->self;
    struct error e;
    idx_rewind(f, &e);
    for (int k = 0; k < 2; k++) {
        free(s->part[k].images);
        free(s->part[k].labels);
        free(s->part[k].label);
    }
    free(s->bytes);
    free(s);
}

const struct feed_kind feed_idx = {"idx",      "idx:DIR (MNIST and its family)",
                                   idx_open,   idx_next,
                                   array_load, classes_of_numbers,
                                   idx_rewind, idx_free};
