/* See feed.h. */
#include "data/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "base/rng.h"

static const struct feed_kind *const kinds[] = {&feed_folder,   &feed_list, &feed_archive,
                                                &feed_cifar100, &feed_idx,  &feed_npz};
enum { KINDS = sizeof kinds / sizeof *kinds };

uint64_t feed_stat_sum(const char *name, const struct stat *st)
{
    const uint64_t of[3] = {(uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                            (uint64_t)st->st_mtim.tv_nsec};
    return rng_mix(checksum(checksum(0, of, sizeof of), name, strlen(name)));
}

void feed_note_stat(struct feed *f, const char *name, const struct stat *st)
{
    f->sum += feed_stat_sum(name, st);
    f->files++;
}

bool feed_note(struct feed *f, const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_set(e, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(e, "%s is not a plain file", path);
    feed_note_stat(f, path, &st);
    return true;
}

void feed_remark(struct feed *f, const char *form, ...)
{
    char text[512];
    va_list args;
    va_start(args, form);
    vsnprintf(text, sizeof text, form, args);
    va_end(args);
    if (f->note && strstr(f->note, text))
        return;
    size_t n = f->note ? strlen(f->note) : 0;
    f->note = xrealloc(f->note, n + strlen(text) + 3);
    sprintf(f->note + n, "%s%s", n ? "; " : "", text);
}

void feed_names_add(struct feed_names *s, const char *name, size_t length)
{
    enum { SHOWN = 3 };
    char word[sizeof s->last];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    if (s->n > 0 && strcmp(word, s->last) == 0)
        return;
    memcpy(s->last, word, strlen(word) + 1);
    size_t at = strlen(s->text);
    if (s->n++ < SHOWN)
        snprintf(s->text + at, sizeof s->text - at, "%s'%.40s'", at ? ", " : "", word);
    s->shown = s->n < SHOWN ? s->n : SHOWN;
}

const char *feed_names_text(struct feed_names *s)
{
    size_t at = strlen(s->text);
    if (s->n > s->shown)
        snprintf(s->text + at, sizeof s->text - at, " and %u more", s->n - s->shown);
    s->shown = s->n;
    return s->text;
}

bool feed_read(int dir, const char *path, uint8_t **bytes, size_t *size, bool *gone,
               struct error *e)
{
    struct stat st;
    *gone = false;
    *bytes = NULL;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *gone = errno == ENOENT || errno == ENOTDIR;
        return error_set(e, "%s", strerror(errno));
    }
    bool good = false;
    if (fstat(fd, &st) != 0)
        error_set(e, "%s", strerror(errno));
    else if (!S_ISREG(st.st_mode))
        error_set(e, "not a plain file");
    else if ((size_t)st.st_size > IMAGE_FILE_MOST)
        error_set(e, "%lld bytes; an image's file has at most %zu", (long long)st.st_size,
                  IMAGE_FILE_MOST);
    else
        good = true;
    size_t n = 0, room = good ? (size_t)st.st_size : 0;
    if (good)
        *bytes = xmalloc(room);
    while (good && n < room) {
        ssize_t got = read(fd, *bytes + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            good = error_set(e, "%s", strerror(errno));
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (!good) {
        free(*bytes);
        *bytes = NULL;
    }
    *size = n;
    return good;
}

static bool ends_like_image(const char *name)
{
    static const char *const endings[] = {".jpg",  ".jpeg", ".jpe",  ".png",  ".webp", ".ppm",
                                          ".pgm",  ".pnm",  ".bmp",  ".jfif", ".gif",  ".tif",
                                          ".tiff", ".heic", ".heif", ".avif", ".jxl"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && strcasecmp(name + n - m, endings[i]) == 0)
            return true;
    }
    return false;
}

bool feed_image(const char *name, const uint8_t *bytes, size_t n)
{
    static const char *const magic[] = {"\xff\xd8\xff", "\x89PNG", "GIF8", "II*"};
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if (n > 4 && memcmp(bytes, magic[i], strlen(magic[i])) == 0)
            return true;
    return (n > 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) ||
           ends_like_image(name);
}

// What can be opened, for messages.
static void words(char *to, size_t room)
{
    size_t at = 0;
    for (int k = 0; k < KINDS && at < room; k++)
        at += (size_t)snprintf(to + at, room - at, "%s%s", k ? ", " : "", kinds[k]->what);
}

struct feed *feed_open(const char *spec, bool coarse, struct error *e)
{
    const char *colon = strchr(spec, ':');
    const struct feed_kind *kind = NULL;
    for (int k = 0; k < KINDS && colon; k++)
        if (strlen(kinds[k]->name) == (size_t)(colon - spec) &&
            strncmp(kinds[k]->name, spec, (size_t)(colon - spec)) == 0)
            kind = kinds[k];
    if (!kind) {
        char all[400];
        words(all, sizeof all);
        error_set(e, "'%.60s' is not one of %s", spec, all);
        return NULL;
    }
    struct feed *f = xcalloc(1, sizeof *f);
    f->kind = kind;
    f->spec = xstrdup(spec);
    if (!kind->open(f, colon + 1, coarse, e)) {
        feed_free(f);
        return NULL;
    }
    return f;
}

void feed_free(struct feed *f)
{
    if (!f)
        return;
    f->kind->free(f);
    for (int k = 0; k < f->nclasses; k++)
        free(f->classes[k]);
    free(f->classes);
    free(f->note);
    free(f->spec);
    free(f);
}

int feed_next(struct feed *f, struct feed_item *item, struct error *e)
{
    *item = (struct feed_item){.label = NO_LABEL, .part = PART_NONE};
    int answer = f->kind->next(f, item, e);
    if (answer == -1) { // the last image was there, but what follows it is wrong
        free(item->name);
        free(item->bytes);
        free(item->picture.pixels);
    }
    return answer;
}

bool feed_load(const struct feed *f, struct feed_item *item, bool *gone, struct error *e)
{
    *gone = false;
    return f->kind->load(f, item, gone, e);
}

bool feed_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    return f->kind->finish(f, items, n, e);
}

bool feed_rewind(struct feed *f, struct error *e)
{
    return f->kind->rewind(f, e);
}

static bool has(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", dir, name) < PATH_MAX &&
           access(path, F_OK) == 0;
}

static const char *guess_directory(const char *path)
{
    static const char *const idx[] = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz",
                                      "train-images.idx3-ubyte"};
    if (has(path, "train.bin") && has(path, "test.bin"))
        return "cifar100";
    if (has(path, "data_batch_1.bin") || has(path, "cifar-10-batches-bin"))
        return "cifar10";
    for (size_t i = 0; i < sizeof idx / sizeof *idx; i++)
        if (has(path, idx[i]))
            return "idx";
    return "folder";
}

// Of a file, by its first bytes.
static const char *guess_file(const uint8_t *b, size_t n)
{
    static const struct {
        size_t at;
        const char *bytes;
    } archives[] = {{0, "PK\3\4"},
                    {257, "ustar"},
                    {0, "\x1f\x8b"},
                    {0, "BZh"},
                    {0, "\xfd"
                        "7zXZ"},
                    {0, "\x28\xb5\x2f\xfd"}};
    if (n >= 8 && memcmp(b, "netspack", 8) == 0)
        return "pack";
    // the first file of an archive of arrays: its name follows the 30 bytes of its header
    if (n >= 40 && memcmp(b, "PK\3\4", 4) == 0) {
        size_t length = b[26] | (size_t)b[27] << 8;
        if (length > 4 && 30 + length <= n && memcmp(b + 30 + length - 4, ".npy", 4) == 0)
            return "npz";
    }
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        size_t m = strlen(archives[i].bytes);
        if (n >= archives[i].at + m && memcmp(b + archives[i].at, archives[i].bytes, m) == 0)
            return "tar";
    }
    const uint8_t *end = n > 0 ? memchr(b, '\n', n) : NULL;
    size_t line = end ? (size_t)(end - b) : n;
    bool text = n > 0 && !memchr(b, 0, n);
    return text && (memchr(b, ',', line) || memchr(b, '\t', line)) ? "list" : NULL;
}

const char *feed_guess(const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && strpbrk(path, "{*?["))
            return "tar";
        error_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (S_ISDIR(st.st_mode))
        return guess_directory(path);
    uint8_t head[4096];
    FILE *file = fopen(path, "rb");
    if (!file) {
        error_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    const char *kind = guess_file(head, n);
    if (!kind) {
        char all[400];
        words(all, sizeof all);
        error_set(e, "%.100s is %s; what can be opened is %s", path,
                  feed_image("", head, n) ? "one image" : "no data set that is known", all);
    }
    return kind;
}
