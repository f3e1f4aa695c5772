/* A preload library for tests: makes the k-th call that writes fail, as a full or broken
 * disk would.  Counted are the calls on files whose path contains FAULT_PATH, over all
 * processes that share the file FAULT_STATE (8 bytes, a counter).
 *
 *   FAULT_CALLS   which calls, of "open write sync truncate rename" (all)
 *   FAULT_AT      the number of the first call that fails; 0: none, they are only counted
 *   FAULT_TIMES   how many fail from there on (1)
 *   FAULT_ERROR   ENOSPC, EIO, EINTR, or SHORT: half of the bytes are written (calls that
 *                 write only)
 *
 * write stands for write, pwrite and fwrite, sync for fsync and fdatasync, open for opening
 * to write.  For Linux with glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *wanted, *calls;
static uint64_t first, times;
static int error; // 0: SHORT
static _Atomic uint64_t *counter;

static uint64_t number(const char *name, uint64_t missing)
{
    const char *s = getenv(name);
    return s ? strtoull(s, NULL, 10) : missing;
}

__attribute__((constructor)) static void setup(void)
{
    const char *state = getenv("FAULT_STATE"), *what = getenv("FAULT_ERROR");
    calls = getenv("FAULT_CALLS");
    first = number("FAULT_AT", 0);
    times = number("FAULT_TIMES", 1);
    error = !what                          ? EIO
            : strcmp(what, "ENOSPC") == 0  ? ENOSPC
            : strcmp(what, "EINTR") == 0   ? EINTR
            : strcmp(what, "SHORT") == 0   ? 0
                                           : EIO;
    int fd = state ? open(state, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return;
    counter = p;
    wanted = getenv("FAULT_PATH"); // last: from here on calls are counted
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool fails(const char *call, const char *path)
{
    if (!wanted || !path || !strstr(path, wanted) || (calls && !strstr(calls, call)))
        return false;
    uint64_t n = atomic_fetch_add(counter, 1) + 1;
    return first && n >= first && n - first < times;
}

static const char *path_of(int fd, char *buffer, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = wanted ? readlink(link, buffer, size - 1) : -1;
    if (n < 0)
        return NULL;
    buffer[n] = 0;
    return buffer;
}

static bool fd_fails(const char *call, int fd)
{
    char buffer[4096];
    int saved = errno;
    bool yes = fails(call, path_of(fd, buffer, sizeof buffer));
    errno = yes && error ? error : saved;
    return yes;
}

// Opening ------------------------------------------------------------------------------------

static bool open_fails(const char *path, int flags)
{
    if (!(flags & (O_WRONLY | O_RDWR)) || !error || !fails("open", path))
        return false;
    errno = error;
    return true;
}

#define OPEN(name)                                                                            \
    int name(const char *path, int flags, ...)                                                \
    {                                                                                         \
        va_list list;                                                                         \
        va_start(list, flags);                                                                \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;                     \
        va_end(list);                                                                         \
        return open_fails(path, flags) ? -1 : REAL(name)(path, flags, mode);                  \
    }
OPEN(open)
OPEN(open64)

FILE *fopen(const char *path, const char *mode)
{
    return open_fails(path, mode[0] == 'r' ? O_RDONLY : O_WRONLY) ? NULL
                                                                  : REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return open_fails(path, mode[0] == 'r' ? O_RDONLY : O_WRONLY) ? NULL
                                                                  : REAL(fopen64)(path, mode);
}

// Writing ------------------------------------------------------------------------------------

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd_fails("write", fd)) {
        if (error || n < 2)
            return -1;
        n /= 2;
    }
    return REAL(write)(fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (fd_fails("write", fd)) {
        if (error || n < 2)
            return -1;
        n /= 2;
    }
    return REAL(pwrite)(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    if (fd_fails("write", fd)) {
        if (error || n < 2)
            return -1;
        n /= 2;
    }
    return REAL(pwrite64)(fd, bytes, n, at);
}

// stdio writes by calls of its own, which a preload library does not see.
size_t fwrite(const void *bytes, size_t size, size_t n, FILE *f)
{
    if (!fd_fails("write", fileno(f)))
        return REAL(fwrite)(bytes, size, n, f);
    size_t part = error ? 0 : REAL(fwrite)(bytes, size, n / 2, f);
    if (!error)
        errno = ENOSPC;
    f->_flags |= 0x20; // the stream's error indicator
    return part;
}

// The rest -----------------------------------------------------------------------------------

#define SYNC(name, call, ...)                                                                 \
    {                                                                                         \
        return error && fd_fails(call, fd) ? -1 : REAL(name)(__VA_ARGS__);                    \
    }
int fsync(int fd) SYNC(fsync, "sync", fd)
int fdatasync(int fd) SYNC(fdatasync, "sync", fd)
int ftruncate(int fd, off_t n) SYNC(ftruncate, "truncate", fd, n)
int ftruncate64(int fd, off64_t n) SYNC(ftruncate64, "truncate", fd, n)

int rename(const char *from, const char *to)
{
    if (error && fails("rename", from)) {
        errno = error;
        return -1;
    }
    return REAL(rename)(from, to);
}
