/* See pack.h. */
#include "data/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/interrupt.h"
#include "base/memory.h"

enum { CHUNK = 1 << 20 };
#define AGAIN "make it anew (netspace pack)"

static bool read_at(int fd, void *to, size_t n, uint64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool damaged(const struct pack *p, const char *what, struct error *e)
{
    return error_set(e, "%.300s is damaged: %s; " AGAIN, p->path, what);
}

static bool check_header(struct pack *p, const struct pack_header *h, struct error *e)
{
    if (memcmp(h->magic, PACK_MAGIC, 8) != 0)
        return error_set(e, "%.300s is not a pack of netspace", p->path);
    if (h->endian != PACK_ENDIAN)
        return error_set(e, "%.300s was made on a machine of other byte order; " AGAIN,
                         p->path);
    if (h->version != PACK_VERSION)
        return error_set(
            e, "%.300s is a pack of version %u; this netspace reads version %d; " AGAIN,
            p->path, h->version, PACK_VERSION);
    if (h->head != checksum(0, h, sizeof *h - 8))
        return damaged(p, "its header is not what was written", e);
    if (h->bytes != p->bytes)
        return error_set(
            e,
            "%.300s is cut short or has grown: it has %llu bytes and was made with "
            "%llu; " AGAIN,
            p->path, (unsigned long long)p->bytes, (unsigned long long)h->bytes);
    // written by a netspace with other ideas, or by someone else
    if (h->index_at % 8 || h->index_at < sizeof *h || h->index_at > h->bytes ||
        h->n > (h->bytes - h->index_at) / sizeof(struct pack_entry) ||
        h->names_at != h->index_at + h->n * sizeof(struct pack_entry) ||
        h->text_at < h->names_at || h->text_at > h->bytes || h->n == 0 || h->classes == 0 ||
        h->classes > CLASSES_MOST || (h->channels != 1 && h->channels != 3) || h->jpeg > 1)
        return damaged(p, "its header contradicts itself", e);
    return true;
}

// Words at *at: where each begins goes to word(i); false when there are fewer.
static bool words(const char **at, const char *end, uint64_t n, const char **word)
{
    for (uint64_t i = 0; i < n; i++) {
        const char *zero = *at < end ? memchr(*at, 0, (size_t)(end - *at)) : NULL;
        if (!zero)
            return false;
        if (word)
            word[i] = *at;
        *at = zero + 1;
    }
    return true;
}

static bool read_text(struct pack *p, const struct pack_header *h, struct error *e)
{
    const char *at = (const char *)p->map + h->text_at,
               *end = (const char *)p->map + p->bytes;
    const char **class = xcalloc(h->classes, sizeof *class), **pair = NULL;
    bool good = h->bad <= (uint64_t)(end - at) / 2 && words(&at, end, h->classes, class);
    if (good) {
        p->classes = (int)h->classes;
        p->class_names = xcalloc(h->classes, sizeof *p->class_names);
        for (uint32_t k = 0; k < h->classes; k++)
            p->class_names[k] = xstrdup(class[k]);
        pair = xcalloc((size_t)h->bad * 2, sizeof *pair);
        good = words(&at, end, (uint64_t)h->bad * 2, pair);
    }
    if (good) {
        p->nbad = h->bad;
        p->bad = xcalloc(h->bad, sizeof *p->bad);
        for (uint32_t i = 0; i < h->bad; i++)
            p->bad[i] = (struct pack_bad){pair[2 * i], pair[2 * i + 1]};
        p->about = at;
        good = words(&at, end, (uint64_t)h->about * 2, NULL);
        p->about_end = at;
    }
    free(class);
    free(pair);
    return good || damaged(p, "its words are not what was written", e);
}

static bool check_entry(struct pack *p, const struct pack_entry *x,
                        const struct pack_entry *first)
{
    uint64_t pixels = (uint64_t)x->width * x->height;
    p->parts[x->part < PARTS ? x->part : 0]++;
    p->one_size = p->one_size && x->width == first->width && x->height == first->height;
    return x->part < PARTS && x->label < p->classes && pixels > 0 && x->bytes > 0 &&
           (x->channels == 1 || x->channels == 3) && x->at >= sizeof(struct pack_header) &&
           x->at <= p->index_at && x->bytes <= p->index_at - x->at &&
           x->name < p->names_bytes &&
           (p->layout == LAYOUT_JPEG || x->bytes == pixels * (uint64_t)p->channels);
}

// Everything from the index on has the checksum of the header, and every entry makes sense.  Read
// piece by piece, so that it does not stay in memory.
static bool check_tail(struct pack *p, int fd, const struct pack_header *h, struct error *e)
{
    // a whole number of entries, and of the words of the checksum
    const size_t chunk = CHUNK / sizeof(struct pack_entry) * sizeof(struct pack_entry);
    uint8_t *bytes = xmalloc(chunk);
    struct pack_entry first = {0};
    uint64_t sum = 0;
    bool good = true, sense = true;
    for (uint64_t at = h->index_at; at < h->bytes && good;) {
        uint64_t left = (at < h->names_at ? h->names_at : h->bytes) - at;
        size_t n = left < chunk ? (size_t)left : chunk;
        good = read_at(fd, bytes, n, at);
        if (good)
            sum = checksum(sum, bytes, n);
        for (size_t i = 0; good && at < h->names_at && i < n / sizeof first; i++) {
            const struct pack_entry *x = (const struct pack_entry *)bytes + i;
            if (at == h->index_at && i == 0)
                first = *x;
            sense = check_entry(p, x, &first) && sense;
        }
        at += n;
    }
    free(bytes);
    if (!good)
        return error_set(e, "%.300s cannot be read: %s", p->path, strerror(errno));
    if (sum != h->tail)
        return damaged(p, "its index is not what was written", e);
    if (!sense || (p->names_bytes > 0 && p->map[h->text_at - 1] != 0))
        return damaged(p, "its index contradicts itself", e);
    return true;
}

static bool open_file(struct pack *p, struct error *e)
{
    struct pack_header h;
    struct stat st;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(e, "%.300s: %s", p->path, strerror(errno));
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!good)
        error_set(e, "%.300s is not a plain file", p->path);
    p->bytes = good ? (uint64_t)st.st_size : 0;
    if (good && p->bytes < sizeof h)
        good = error_set(e, "%.300s has %llu bytes and is not a pack of netspace", p->path,
                         (unsigned long long)p->bytes);
    if (good && !read_at(fd, &h, sizeof h, 0))
        good = error_set(e, "%.300s cannot be read: %s", p->path, strerror(errno));
    good = good && check_header(p, &h, e);
    if (good) {
        void *map = mmap(NULL, p->bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            good = error_set(e, "%.300s cannot be mapped: %s", p->path, strerror(errno));
        else
            p->map = map;
    }
    if (good) {
        p->n = h.n;
        p->size = h.size;
        p->channels = (int)h.channels;
        p->layout = h.jpeg ? LAYOUT_JPEG : LAYOUT_ROWS;
        p->listing = h.listing;
        p->content = h.content;
        p->index_at = h.index_at;
        p->names_at = h.names_at;
        p->names_bytes = h.text_at - h.names_at;
        p->classes = (int)h.classes;
        p->one_size = true;
        memcpy(p->mean, h.mean, sizeof p->mean);
        memcpy(p->deviation, h.deviation, sizeof p->deviation);
        good = check_tail(p, fd, &h, e) && read_text(p, &h, e);
    }
    close(fd);
    return good;
}

struct pack *pack_open(const char *path, struct error *e)
{
    struct pack *p = xcalloc(1, sizeof *p);
    p->path = xstrdup(path);
    if (!open_file(p, e)) {
        pack_close(p);
        return NULL;
    }
    return p;
}

void pack_close(struct pack *p)
{
    if (!p)
        return;
    if (p->map)
        munmap((void *)p->map, p->bytes);
    for (int k = 0; k < p->classes && p->class_names; k++)
        free(p->class_names[k]);
    free(p->class_names);
    free(p->bad);
    free(p->path);
    free(p);
}

struct pack_entry pack_entry(const struct pack *p, uint32_t i)
{
    struct pack_entry x;
    memcpy(&x, p->map + p->index_at + i * sizeof x, sizeof x);
    return x;
}

const char *pack_name(const struct pack *p, uint32_t i)
{
    return (const char *)p->map + p->names_at + pack_entry(p, i).name;
}

const char *pack_about(const struct pack *p, const char *key)
{
    for (const char *at = p->about; at < p->about_end;) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, key) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return "";
}

uint32_t pack_check(const struct pack *p, uint32_t *first)
{
    uint32_t bad = 0;
    for (uint32_t i = 0; i < p->n && !interrupt_pending(); i++) {
        struct pack_entry x = pack_entry(p, i);
        if (checksum(0, p->map + x.at, x.bytes) != x.sum && bad++ == 0)
            *first = i;
    }
    return bad;
}
