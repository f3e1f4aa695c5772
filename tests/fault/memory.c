/* A preload library for tests: makes the k-th allocation fail, as where memory is short.  It counts
 * from the moment when the program sets the variable MEMORY_FAULT of its environment to "K", or to
 * "K TIMES": the calls K to K + TIMES - 1 fail (TIMES 1; Lua collects garbage and tries once more, so
 * that it takes 2 to reach it; K = 0: none).  When it sets it to "off", the number of calls since
 * then goes to the file MEMORY_COUNT.  Counted are malloc, calloc, realloc, aligned blocks and
 * anonymous mappings of all threads of the process.  For Linux with glibc. */
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

// The allocator itself, under the names that glibc has for those who stand in front of it.
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

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
    if (strcmp(name, "MEMORY_FAULT") == 0) {
        arm(value);
        return 0;
    }
    __typeof__(&setenv) real = (__typeof__(&setenv))dlsym(RTLD_NEXT, "setenv");
    return real(name, value, overwrite);
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return n && fails() ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
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
    static __typeof__(&mmap) real;
    if (!real)
        real = (__typeof__(&mmap))dlsym(RTLD_NEXT, "mmap");
    return (flags & MAP_ANONYMOUS) && fails() ? MAP_FAILED
                                              : real(at, n, protection, flags, fd, offset);
}
