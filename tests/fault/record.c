/* A preload library for tests: writes down what programs do to files, so that a power cut can be
 * played at any moment afterwards (tests/fault/power.lua).  All processes write to the one file
 * RECORD_LOG, in the order of what they did.  Only files whose path contains RECORD_PATH count.
 *
 *   record   u32 its bytes, after this; u8 operation; u16 bytes of the path; the path; u64 number;
 *            the rest: bytes, or a path
 *   w        bytes written at an offset        t   truncated to a size
 *   s        synced: all bytes of the file     d   a directory was synced
 *   c        created                           u   unlinked
 *   r        renamed to a path                 m   a directory was made
 *
 * What stdio writes is seen when the file is synced; before, a power cut leaves nothing of it.
 * What is written through a mapping (SQLite's -shm) is not seen.  For Linux with glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *wanted;
static int log_fd = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void setup(void)
{
    const char *path = getenv("RECORD_LOG");
    log_fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (log_fd >= 0)
        wanted = getenv("RECORD_PATH"); // last: from here on it records
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// Whoever holds this may change files, and records how.
static void take(void)
{
    pthread_mutex_lock(&mutex);
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(log_fd, F_OFD_SETLKW, &all) != 0 && errno == EINTR)
        ;
}

static void give(void)
{
    int saved = errno;
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    fcntl(log_fd, F_OFD_SETLK, &all);
    pthread_mutex_unlock(&mutex);
    errno = saved;
}

static void record(char operation, const char *path, uint64_t number, const void *rest, size_t n)
{
    int saved = errno;
    uint16_t length = (uint16_t)strlen(path);
    uint32_t total = (uint32_t)(1 + 2 + length + 8 + n);
    char *r = malloc(4 + total), *p = r;
    if (!r)
        abort();
    p = mempcpy(p, &total, 4);
    *p++ = operation;
    p = mempcpy(p, &length, 2);
    p = mempcpy(p, path, length);
    p = mempcpy(p, &number, 8);
    memcpy(p, rest, n);
    if (REAL(write)(log_fd, r, 4 + total) != (ssize_t)(4 + total))
        abort();
    free(r);
    errno = saved;
}

static bool ours(const char *path)
{
    return wanted && path && strstr(path, wanted);
}

static bool path_of(int fd, char *buffer, size_t size)
{
    char link[64];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = wanted ? readlink(link, buffer, size - 1) : -1;
    errno = saved;
    if (n < 0)
        return false;
    buffer[n] = 0;
    return ours(buffer);
}

// Opening ------------------------------------------------------------------------------------

static void opened(const char *path, bool there, bool truncates)
{
    if (!there)
        record('c', path, 0, "", 0);
    else if (truncates)
        record('t', path, 0, "", 0);
}

#define OPEN(name)                                                                            \
    int name(const char *path, int flags, ...)                                                \
    {                                                                                         \
        va_list list;                                                                         \
        va_start(list, flags);                                                                \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;                     \
        va_end(list);                                                                         \
        if (!ours(path) || !(flags & (O_CREAT | O_TRUNC)))                                    \
            return REAL(name)(path, flags, mode);                                             \
        take();                                                                               \
        bool there = access(path, F_OK) == 0;                                                 \
        int fd = REAL(name)(path, flags, mode);                                               \
        if (fd >= 0)                                                                          \
            opened(path, there, flags & O_TRUNC);                                             \
        give();                                                                               \
        return fd;                                                                            \
    }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                                                           \
    FILE *name(const char *path, const char *mode)                                            \
    {                                                                                         \
        if (!ours(path) || mode[0] == 'r')                                                    \
            return REAL(name)(path, mode);                                                    \
        take();                                                                               \
        bool there = access(path, F_OK) == 0;                                                 \
        FILE *f = REAL(name)(path, mode);                                                     \
        if (f)                                                                                \
            opened(path, there, mode[0] == 'w');                                              \
        give();                                                                               \
        return f;                                                                             \
    }
FOPEN(fopen)
FOPEN(fopen64)

// Writing ------------------------------------------------------------------------------------

ssize_t write(int fd, const void *bytes, size_t n)
{
    char path[4096];
    if (!path_of(fd, path, sizeof path))
        return REAL(write)(fd, bytes, n);
    take();
    ssize_t done = REAL(write)(fd, bytes, n);
    if (done > 0)
        record('w', path, (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), bytes, (size_t)done);
    give();
    return done;
}

#define PWRITE(name, offset)                                                                  \
    ssize_t name(int fd, const void *bytes, size_t n, offset at)                              \
    {                                                                                         \
        char path[4096];                                                                      \
        if (!path_of(fd, path, sizeof path))                                                  \
            return REAL(name)(fd, bytes, n, at);                                              \
        take();                                                                               \
        ssize_t done = REAL(name)(fd, bytes, n, at);                                          \
        if (done > 0)                                                                         \
            record('w', path, (uint64_t)at, bytes, (size_t)done);                             \
        give();                                                                               \
        return done;                                                                          \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, offset)                                                                \
    int name(int fd, offset n)                                                                \
    {                                                                                         \
        char path[4096];                                                                      \
        if (!path_of(fd, path, sizeof path))                                                  \
            return REAL(name)(fd, n);                                                         \
        take();                                                                               \
        int status = REAL(name)(fd, n);                                                       \
        if (status == 0)                                                                      \
            record('t', path, (uint64_t)n, "", 0);                                            \
        give();                                                                               \
        return status;                                                                        \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

// All bytes of a file, whatever it was opened for.
static void record_bytes(const char *path)
{
    int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        abort();
    char *bytes = malloc((size_t)st.st_size + 1);
    if (!bytes || pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
        abort();
    close(fd);
    record('s', path, (uint64_t)st.st_size, bytes, (size_t)st.st_size);
    free(bytes);
}

static int sync_of(int (*real)(int), int fd)
{
    char path[4096];
    struct stat st;
    if (!wanted || fstat(fd, &st) != 0)
        return real(fd);
    bool directory = S_ISDIR(st.st_mode);
    if (!path_of(fd, path, sizeof path))
        return real(fd);
    take();
    int status = real(fd);
    if (status == 0 && directory)
        record('d', path, 0, "", 0);
    else if (status == 0 && access(path, F_OK) == 0)
        record_bytes(path);
    give();
    return status;
}
int fsync(int fd) { return sync_of(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_of(REAL(fdatasync), fd); }

// Names --------------------------------------------------------------------------------------

int rename(const char *from, const char *to)
{
    if (!ours(from))
        return REAL(rename)(from, to);
    take();
    int status = REAL(rename)(from, to);
    if (status == 0)
        record('r', from, 0, to, strlen(to));
    give();
    return status;
}

#define NAME(name, operation, parameters, ...)                                                \
    int name parameters                                                                       \
    {                                                                                         \
        if (!ours(path))                                                                      \
            return REAL(name)(__VA_ARGS__);                                                   \
        take();                                                                               \
        int status = REAL(name)(__VA_ARGS__);                                                 \
        if (status == 0)                                                                      \
            record(operation, path, 0, "", 0);                                                \
        give();                                                                               \
        return status;                                                                        \
    }
NAME(unlink, 'u', (const char *path), path)
NAME(remove, 'u', (const char *path), path)
NAME(mkdir, 'm', (const char *path, mode_t mode), path, mode)
