/* A preload library for tests: makes the k-th allocation fail, as where memory is short.  It counts
 * from the moment when the program sets the variable MEMORY_FAULT of its environment to "K", or to
 * "K TIMES": the calls K to K + TIMES - 1 fail (TIMES 1; Lua collects garbage and tries once more, so
 * that it takes 2 to reach it; K = 0: none).  When it sets it to "off", the number of calls since
 * then goes to the file MEMORY_COUNT.  Counted are malloc, calloc, realloc, aligned blocks and
 * anonymous mappings of all threads of the process.  What stands behind it is the allocator of the
 * program: the sanitizers' where it is built with them, which then find what a failure leaks
 * (ASAN_OPTIONS=verify_asan_link_order=0).  For Linux with glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// The next function of that name: the allocator itself.
#define NEXT(name)                                             \
    static __typeof__(&name) next;                             \
    if (!next)                                                 \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static atomic_bool armed;
static _Atomic uint64_t calls;
static uint64_t first, times;

static bool fails(void)
{
    if (!armed)
        return false;
    uint64_t k = atomic_fetch_add(&calls, 1) + 1;
    if (!first || k < first || k - first >= times)
        return false;
    errno = ENOMEM;
    return true;
}

static void arm(const char *value)
{
    unsigned long long k = 0, n = 1;
    if (sscanf(value, "%llu %llu", &k, &n) >= 1) {
        calls = 0;
        first = k;
        times = n;
        armed = true;
        return;
    }
    armed = false;
    const char *path = getenv("MEMORY_COUNT");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (!f)
        return;
    fprintf(f, "%llu\n", (unsigned long long)calls);
    fclose(f);
}

int setenv(const char *name, const char *value, int overwrite)
{
    NEXT(setenv);
    if (strcmp(name, "MEMORY_FAULT") == 0) {
        arm(value);
        return 0;
    }
    return next(name, value, overwrite);
}

void *malloc(size_t n)
{
    NEXT(malloc);
    return fails() ? NULL : next(n);
}

void *calloc(size_t n, size_t size)
{
    NEXT(calloc);
    return fails() ? NULL : next(n, size);
}

void *realloc(void *p, size_t n)
{
    NEXT(realloc);
    return n && fails() ? NULL : next(p, n);
}

void *memalign(size_t alignment, size_t n)
{
    NEXT(memalign);
    return fails() ? NULL : next(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    void *block = memalign(alignment, n);
    if (block)
        *p = block;
    return block ? 0 : ENOMEM;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    NEXT(mmap);
    return (flags & MAP_ANONYMOUS) && fails() ? MAP_FAILED
                                              : next(at, n, protection, flags, fd, offset);
}
