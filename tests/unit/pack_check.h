/* A directory of made images for the tests of packs and of what they are made of: files by name,
 * a folder of two classes in two parts, a pack of it. */
#ifndef PACK_CHECK_H
#define PACK_CHECK_H
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

#include "data/pack.h"

static char dir[64];

static inline const char *at(const char *name)
{
    static char path[4][4096];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static inline int rm(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static inline int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/netspace-pack-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    return nftw(dir, rm, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void put(const char *name, const void *bytes, size_t n)
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

static inline void text(const char *name, const char *words)
{
    put(name, words, strlen(words));
}

// A PPM (3 channels) or PGM file whose bytes follow from `seed`.
static inline void image(const char *name, int w, int h, int channels, unsigned seed)
{
    uint8_t bytes[64 + 3 * 64 * 64];
    int n = snprintf((char *)bytes, 64, "P%d\n%d %d\n255\n", channels == 3 ? 6 : 5, w, h);
    for (int i = 0; i < w * h * channels; i++)
        bytes[n++] = (uint8_t)(seed = seed * 1103515245u + 12345u, seed >> 16);
    put(name, bytes, (size_t)n);
}

static inline uint8_t *whole(const char *path, size_t *n)
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

static inline bool make(const char *spec, const char *path, struct pack_options o,
                        struct error *e)
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

static inline char *folder_spec(void)
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
static inline void make_set(void)
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

#define PACK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
