/* What the targets that read feeds share: bytes as a file, and a feed read to its end. */
#ifndef FUZZ_FEEDS_H
#define FUZZ_FEEDS_H
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/feed.h"

enum { ITEMS_MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Opens a feed and takes every image of it; what is said is never empty. */
static inline void drain(const char *spec)
{
    volatile uint8_t last = 0;
    struct error e = {""};
    struct feed *f = feed_open(spec, false, &e);
    if (!f) {
        assert(*e.msg);
        return;
    }
    for (int round = 0; round < 2; round++) {
        struct placed *items = NULL;
        uint32_t n = 0;
        int answer = 0;
        struct feed_item x;
        while (n < ITEMS_MOST && (answer = feed_next(f, &x, &e)) != 0 && answer != -1) {
            bool gone;
            items = realloc(items, (n + 1) * sizeof *items);
            if (answer == -2)
                assert(*e.msg);
            else if (!x.bytes && !x.picture.pixels)
                feed_load(f, &x, &gone, &e);
            const struct picture *p = &x.picture;
            if (p->pixels) // all of it is there
                last = p->pixels[(size_t)p->width * (size_t)p->height * (size_t)p->channels - 1];
            items[n++] = (struct placed){x.name, x.label, (uint8_t)x.part, answer == -2};
            assert(x.name);
            free(x.bytes);
            free(x.picture.pixels);
        }
        if (answer == -1)
            assert(*e.msg);
        else if (round == 1) {
            if (feed_finish(f, items, n, &e)) {
                assert(f->nclasses > 1);
                for (uint32_t i = 0; i < n; i++)
                    assert(items[i].drop || items[i].label < f->nclasses);
            } else
                assert(*e.msg);
        }
        for (uint32_t i = 0; i < n; i++)
            free((char *)items[i].name);
        free(items);
        if (answer == -1 || !feed_rewind(f, &e))
            break;
    }
    feed_free(f);
    (void)last;
}

/* A file in memory, and its name. */
static inline int file_of(const uint8_t *bytes, size_t n, char path[64])
{
    int fd = memfd_create("fuzz", 0);
    assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* A folder in memory, the same at every call. */
static inline const char *folder(void)
{
    static char name[64];
    if (!*name) {
        snprintf(name, sizeof name, "/dev/shm/netspace-fuzz-%ld", (long)getpid());
        mkdir(name, 0700);
    }
    return name;
}

static inline void put(const char *name, const uint8_t *bytes, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    FILE *f = fopen(path, "wb");
    assert(f && fwrite(bytes, 1, n, f) == n);
    fclose(f);
}

#endif
