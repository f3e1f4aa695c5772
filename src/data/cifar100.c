/* cifar100:DIR (feed.h): CIFAR-100, binary version: train.bin of 50,000 and test.bin of 10,000
 * records of a coarse label, a fine label, and 3,072 bytes in planes; the names of the classes from
 * fine_label_names.txt and coarse_label_names.txt.  Source: Krizhevsky 2009 and the page of the
 * data set. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/arrays.h"

enum { SIDE = 32, RECORD = 2 + 3 * SIDE * SIDE, FINE = 100, COARSE = 20, FILES = 2 };
static const uint32_t records[FILES] = {50000, 10000};
static const char *const file_names[FILES] = {"train.bin", "test.bin"};

struct cifar100 {
    char *dir;
    bool coarse;
    FILE *file;
    int which; // of the files
    uint32_t at;
};

static void path_of(const struct cifar100 *s, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", s->dir, name);
}

static bool cifar100_open(struct feed *f, const char *dir, bool coarse, struct error *e)
{
    struct cifar100 *s = f->self = xcalloc(1, sizeof *s);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cifar-100-binary", dir);
    s->dir = xstrdup(access(path, F_OK) == 0 ? path : dir);
    s->coarse = coarse;
    for (int i = 0; i < FILES; i++) {
        struct stat st;
        path_of(s, file_names[i], path);
        if (stat(path, &st) != 0)
            return error_set(
                e,
                "%.200s: %s; CIFAR-100 needs train.bin and test.bin of its binary "
                "version, cifar-100-binary.tar.gz from "
                "https://www.cs.toronto.edu/~kriz/cifar.html",
                path, strerror(errno));
        if (st.st_size != (off_t)records[i] * RECORD)
            return error_set(
                e, "%.200s has %lld bytes; that of CIFAR-100 has %u (%u records of %d)", path,
                (long long)st.st_size, records[i] * RECORD, records[i], RECORD);
        feed_note_stat(f, file_names[i], &st);
    }
    f->sum += coarse;
    f->images = records[0] + records[1];
    return true;
}

static int cifar100_next(struct feed *f, struct feed_item *item, struct error *e)
{
    struct cifar100 *s = f->self;
    uint8_t record[RECORD];
    char path[PATH_MAX];
    if (s->which == FILES)
        return 0;
    path_of(s, file_names[s->which], path);
    if (!s->file && !(s->file = fopen(path, "rb"))) {
        error_set(e, "%.200s: %s", path, strerror(errno));
        return -1;
    }
    if (fread(record, RECORD, 1, s->file) != 1) {
        error_set(e, "%.200s: record %u cannot be read", path, s->at + 1);
        return -1;
    }
    if (record[0] >= COARSE || record[1] >= FINE) {
        error_set(
            e,
            "%.200s: record %u has labels %d and %d; CIFAR-100 has 0 to 19 and 0 to 99: the "
            "file is damaged",
            path, s->at + 1, record[0], record[1]);
        return -1;
    }
    item->part = s->which == 0 ? PART_TRAIN : PART_TEST;
    item->label = record[s->coarse ? 0 : 1];
    item->name = array_name(item->part, s->at + 1);
    item->size = RECORD;
    item->picture = array_picture(record + 2, SIDE, SIDE, 3, ORDER_PLANES);
    if (++s->at == records[s->which]) {
        fclose(s->file);
        s->file = NULL;
        s->at = 0;
        s->which++;
    }
    return 1;
}

// Names, one a line, where the file has as many as there are classes; else numbers.
static bool cifar100_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    (void)items, (void)n, (void)e;
    const struct cifar100 *s = f->self;
    char path[PATH_MAX], line[64];
    f->nclasses = s->coarse ? COARSE : FINE;
    f->classes = xcalloc((size_t)f->nclasses, sizeof *f->classes);
    path_of(s, s->coarse ? "coarse_label_names.txt" : "fine_label_names.txt", path);
    FILE *file = fopen(path, "r");
    for (int k = 0; k < f->nclasses; k++) {
        if (!file || !fgets(line, sizeof line, file) || line[0] < ' ')
            snprintf(line, sizeof line, "%d", k);
        line[strcspn(line, "\r\n")] = 0;
        f->classes[k] = xstrdup(line);
    }
    if (file)
        fclose(file);
    return true;
}

static bool cifar100_rewind(struct feed *f, struct error *e)
{
    (void)e;
    struct cifar100 *s = f->self;
    if (s->file)
        fclose(s->file);
    s->file = NULL;
    s->which = 0;
    s->at = 0;
    return true;
}

static void cifar100_free(struct feed *f)
{
    struct cifar100 *s = f->self;
    if (s->file)
        fclose(s->file);
    free(s->dir);
    free(s);
}

const struct feed_kind feed_cifar100 = {"cifar100",      "cifar100:DIR", cifar100_open,
                                        cifar100_next,   array_load,     cifar100_finish,
                                        cifar100_rewind, cifar100_free};
