/* CIFAR-10, binary version: data_batch_1.bin … data_batch_5.bin, test_batch.bin, each
 * 10,000 records of a label byte and 3,072 pixel bytes; batches.meta.txt (class names)
 * if there.  Source: Krizhevsky 2009 and the page of the data set.
 *
 * The files are mapped read-only, so any number of processes share one copy in memory; a
 * file that is cut short while it is in use ends the process (SIGBUS).
 * The files have no validation images: they are taken out of the training images.
 * Checked on opening: the size of each file, every label, that no class is empty and that
 * no file is there twice. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "data/dataset.h"

enum { CLASSES = 10, SIDE = 32, FILES = 6, RECORDS = 10000, RECORD = 1 + 3 * SIDE * SIDE };
#define FILE_BYTES ((size_t)RECORDS * RECORD)
#define FETCH                                                                                \
    "get the binary version, cifar-10-binary.tar.gz of 170,052,171 bytes, from "             \
    "https://www.cs.toronto.edu/~kriz/cifar.html and unpack it"

static const char *const file_names[FILES] = {"data_batch_1.bin", "data_batch_2.bin",
                                              "data_batch_3.bin", "data_batch_4.bin",
                                              "data_batch_5.bin", "test_batch.bin"};
static const char *const standard_names[CLASSES] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

static bool exists(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", dir, name) < PATH_MAX &&
           access(path, F_OK) == 0;
}

// The directory that has the files: dir, or what unpacking the archive there makes.
static bool find(char found[PATH_MAX], const char *dir, struct error *e)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return error_set(e, "%s: %s; CIFAR-10 needs a directory with %s … %s; " FETCH, dir,
                         strerror(errno), file_names[0], file_names[5]);
    if (!S_ISDIR(st.st_mode))
        return error_set(e, "%s is a file; CIFAR-10 needs the directory that has %s … %s",
                         dir, file_names[0], file_names[5]);
    char inner[PATH_MAX];
    const char *use = dir;
    if (!exists(dir, file_names[0]) &&
        snprintf(inner, sizeof inner, "%s/cifar-10-batches-bin", dir) < PATH_MAX &&
        exists(inner, file_names[0]))
        use = inner;
    if (!realpath(use, found))
        return error_set(e, "%s: %s", use, strerror(errno));
    for (int i = 0; i < FILES; i++) {
        if (exists(found, file_names[i]))
            continue;
        const char *kind = exists(dir, "data_batch_1") || exists(dir, "cifar-10-batches-py")
                               ? "the Python version of CIFAR-10, which is not read"
                           : exists(dir, "train.bin") ? "CIFAR-100 by the look of it"
                                                      : NULL;
        if (kind)
            return error_set(e, "%s has %s; " FETCH, dir, kind);
        return error_set(e, "%s has no %s; CIFAR-10 needs %s … %s and %s; " FETCH, found,
                         file_names[i], file_names[0], file_names[4], file_names[5]);
    }
    return true;
}

// Maps one file; its records, or NULL.
static const uint8_t *map_file(struct dataset *d, const char *path, struct error *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set(e, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    void *p = MAP_FAILED;
    if (!S_ISREG(st.st_mode))
        error_set(e, "%s is not a plain file", path);
    else if ((size_t)st.st_size != FILE_BYTES)
        error_set(e,
                  "%s has %lld bytes; a file of CIFAR-10 has 30,730,000 (10,000 records of "
                  "3,073): it is %s; " FETCH,
                  path, (long long)st.st_size,
                  (size_t)st.st_size < FILE_BYTES ? "cut short or not of CIFAR-10"
                                                  : "not of CIFAR-10");
    else if ((p = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
        error_set(e, "%s cannot be mapped: %s", path, strerror(errno));
    close(fd);
    if (p == MAP_FAILED)
        return NULL;
    d->maps[d->nmaps].at = p;
    d->maps[d->nmaps++].bytes = FILE_BYTES;
    return p;
}

// The records of a file become images first … of a split.
static bool take(struct split *s, uint32_t first, const uint8_t *records, const char *path,
                 struct error *e)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        const uint8_t *r = records + (size_t)i * RECORD;
        if (r[0] >= CLASSES)
            return error_set(e,
                             "%s: record %u has label %d; CIFAR-10 has 0 to 9: the file is "
                             "damaged or not of CIFAR-10; " FETCH,
                             path, i + 1, r[0]);
        s->labels[first + i] = r[0];
        s->images[first + i] = (struct stored){r + 1, RECORD - 1, SIDE, SIDE};
    }
    return true;
}

static bool all_classes(const struct split *s, const char *what, const char *dir,
                        char *const *names, struct error *e)
{
    uint32_t count[CLASSES] = {0};
    for (uint32_t i = 0; i < s->n; i++)
        count[s->labels[i]]++;
    for (int k = 0; k < CLASSES; k++)
        if (!count[k])
            return error_set(e,
                             "%s: no %s image has label %d (%s); the files are not "
                             "CIFAR-10; " FETCH,
                             dir, what, k, names[k]);
    return true;
}

static bool is_name(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (s[i] < 32 || s[i] > 126)
            return false;
    return n <= 64;
}

// Class names from batches.meta.txt, one a line, if it has ten; else the standard ones.
static void read_names(const char *dir, char text[1024], const char *names[CLASSES])
{
    memcpy(names, standard_names, sizeof standard_names);
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/batches.meta.txt", dir);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    text[fread(text, 1, 1023, f)] = 0;
    fclose(f);
    int n = 0;
    const char *found[CLASSES];
    char *rest = text, *word;
    while (n < CLASSES && (word = strtok_r(rest, "\r\n", &rest)) && is_name(word))
        found[n++] = word;
    if (n == CLASSES)
        memcpy(names, found, sizeof found);
}

static bool fill(struct dataset *d, const char *dir, struct error *e)
{
    const uint8_t *files[FILES];
    split_alloc(&d->train, CIFAR_TRAIN, false);
    split_alloc(&d->test, CIFAR_TEST, false);
    for (int i = 0; i < FILES; i++) {
        char path[PATH_MAX + 32];
        if (interrupt_pending())
            return error_set(e, "interrupted");
        snprintf(path, sizeof path, "%s/%s", dir, file_names[i]);
        if (!(files[i] = map_file(d, path, e)))
            return false;
        for (int j = 0; j < i; j++)
            if (memcmp(files[i], files[j], RECORD) == 0 &&
                memcmp(files[i], files[j], FILE_BYTES) == 0)
                return error_set(e, "%s: %s and %s hold the same images; " FETCH, dir,
                                 file_names[j], file_names[i]);
        bool test = i == FILES - 1;
        if (!take(test ? &d->test : &d->train, test ? 0 : (uint32_t)i * RECORDS, files[i],
                  path, e))
            return false;
    }
    return all_classes(&d->train, "training", dir, d->class_names, e) &&
           all_classes(&d->test, "test", dir, d->class_names, e);
}

struct dataset *cifar10_open(const char *dir, const struct data_options *o, struct error *e)
{
    // pycls, pycls/datasets/cifar10.py
    static const double mean[3] = {125.3, 123.0, 113.9}, std[3] = {63.0, 62.1, 66.7};
    char found[PATH_MAX], spec[PATH_MAX + 16], text[1024];
    const char *names[CLASSES];
    if (!find(found, dir, e))
        return NULL;
    read_names(found, text, names);
    snprintf(spec, sizeof spec, "cifar10:%s", found);
    struct dataset *d = dataset_new("cifar10", spec, SIDE, 3, CLASSES, names, o);
    if (!fill(d, found, e) || !dataset_choose(d, o, e)) {
        dataset_free(d);
        return NULL;
    }
    dataset_resize(d, o, SIDE);
    dataset_ready(d, mean, std);
    return d;
}
