/* A preload library for tests: makes the k-th call of a kind fail, as a full or broken disk or
 * a machine at its limits would.  Counted are the calls on files whose path contains
 * FAULT_PATH, over all processes that share the file FAULT_STATE (8 bytes, a counter).
 *
 *   FAULT_CALLS   which calls, of "open write sync truncate rename" (these, where it is not set)
 *                 "unlink find read map make close process exec wait talk"
 *   FAULT_AT      the number of the first call that fails; 0: none, they are only counted
 *   FAULT_TIMES   how many fail from there on (1)
 *   FAULT_ERROR   ENOSPC, EIO, EINTR, EMFILE, EAGAIN, ENOMEM, or SHORT: half of the bytes are
 *                 written or read (calls that write or read only)
 *
 * write stands for write, pwrite and fwrite, read for read and pread, sync for fsync and
 * fdatasync, open for opening to write, find for opening to read, map for mmap, make for mkdir;
 * close closes before it fails.  Some have no path: process stands for fork, pipe2, socketpair,
 * epoll_create1 and eventfd, exec for execve and execvp, wait for waitpid and epoll_pwait, talk
 * for read, write and writev on pipes and sockets, where EAGAIN is for those that do not block.
 * For Linux with glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
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
    calls = calls ? calls : "open write sync truncate rename";
    first = number("FAULT_AT", 0);
    times = number("FAULT_TIMES", 1);
    error = !what                          ? EIO
            : strcmp(what, "ENOSPC") == 0  ? ENOSPC
            : strcmp(what, "EINTR") == 0   ? EINTR
            : strcmp(what, "EMFILE") == 0  ? EMFILE
            : strcmp(what, "EAGAIN") == 0  ? EAGAIN
            : strcmp(what, "ENOMEM") == 0  ? ENOMEM
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

// Whether this call is one of those that fail.
static bool any_fails(const char *call)
{
    if (!wanted || !strstr(calls, call))
        return false;
    uint64_t n = atomic_fetch_add(counter, 1) + 1;
    return first && n >= first && n - first < times;
}

// The same of a call on a file.
static bool fails(const char *call, const char *path)
{
    char full[8192], *here;
    if (!wanted || !path || !strstr(calls, call))
        return false;
    if (path[0] != '/' && (here = getcwd(full, sizeof full / 2))) {
        size_t n = strlen(here);
        snprintf(full + n, sizeof full - n, "/%s", path);
        path = full;
    }
    return strstr(path, wanted) && any_fails(call);
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
    const char *path = path_of(fd, buffer, sizeof buffer);
    bool yes = path && *path == '/' && fails(call, path);
    errno = yes && error ? error : saved;
    return yes;
}

// A pipe or socket to another process.
static bool talk_fails(int fd)
{
    char buffer[64];
    int saved = errno;
    const char *path = wanted && strstr(calls, "talk") ? path_of(fd, buffer, sizeof buffer) : NULL;
    bool talks = path && (strncmp(path, "pipe:", 5) == 0 || strncmp(path, "socket:", 7) == 0);
    if (talks && error == EAGAIN)
        talks = (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
    bool yes = talks && any_fails("talk");
    errno = yes && error ? error : saved;
    return yes;
}

// Opening ------------------------------------------------------------------------------------

static bool open_fails(const char *path, int flags)
{
    const char *call = flags & (O_WRONLY | O_RDWR) ? "open" : "find";
    if (!error || !fails(call, path))
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
    bool talk = talk_fails(fd); // which are whole up to PIPE_BUF
    if (talk || fd_fails("write", fd)) {
        if (error)
            return -1;
        n = n < 2 || (talk && n <= PIPE_BUF) ? n : n / 2;
    }
    return REAL(write)(fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    if (!talk_fails(fd))
        return REAL(writev)(fd, parts, n);
    size_t whole = parts[0].iov_len;
    return error ? -1 : REAL(write)(fd, parts[0].iov_base, whole < 2 ? whole : whole / 2);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (fd_fails("write", fd)) {
        if (error)
            return -1;
        n = n < 2 ? n : n / 2;
    }
    return REAL(pwrite)(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    if (fd_fails("write", fd)) {
        if (error)
            return -1;
        n = n < 2 ? n : n / 2;
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

// Reading ------------------------------------------------------------------------------------

#define READ(name, parameters, ...)                                                           \
    ssize_t name parameters                                                                   \
    {                                                                                         \
        if (fd_fails("read", fd) || talk_fails(fd)) {                                         \
            if (error)                                                                        \
                return -1;                                                                    \
            n = n < 2 ? n : n / 2;                                                            \
        }                                                                                     \
        return REAL(name)(__VA_ARGS__);                                                       \
    }
READ(read, (int fd, void *bytes, size_t n), fd, bytes, n)
READ(pread, (int fd, void *bytes, size_t n, off_t at), fd, bytes, n, at)
READ(pread64, (int fd, void *bytes, size_t n, off64_t at), fd, bytes, n, at)

#define MAP(name, offset)                                                                     \
    void *name(void *at, size_t n, int protection, int flags, int fd, offset from)            \
    {                                                                                         \
        if (fd >= 0 && error && fd_fails("map", fd))                                          \
            return MAP_FAILED;                                                                \
        return REAL(name)(at, n, protection, flags, fd, from);                                \
    }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

// Processes ----------------------------------------------------------------------------------

#define PROCESS(call, name, parameters, ...)                                                  \
    int name parameters                                                                       \
    {                                                                                         \
        if (error && any_fails(call)) {                                                   \
            errno = error;                                                                    \
            return -1;                                                                        \
        }                                                                                     \
        return REAL(name)(__VA_ARGS__);                                                       \
    }
PROCESS("process", fork, (void))
PROCESS("process", pipe2, (int pair[2], int flags), pair, flags)
PROCESS("process", socketpair, (int domain, int type, int protocol, int pair[2]), domain, type,
        protocol, pair)
PROCESS("process", epoll_create1, (int flags), flags)
PROCESS("process", eventfd, (unsigned count, int flags), count, flags)
PROCESS("exec", execvp, (const char *file, char *const argv[]), file, argv)
PROCESS("exec", execve, (const char *file, char *const argv[], char *const env[]), file, argv, env)
PROCESS("wait", waitpid, (pid_t pid, int *status, int options), pid, status, options)
PROCESS("wait", epoll_pwait,
        (int fd, struct epoll_event *events, int most, int timeout, const sigset_t *mask), fd,
        events, most, timeout, mask)

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

int mkdir(const char *path, mode_t mode)
{
    if (error && fails("make", path)) {
        errno = error;
        return -1;
    }
    return REAL(mkdir)(path, mode);
}

int close(int fd)
{
    bool fail = wanted && error && strstr(calls, "close") && fd_fails("close", fd);
    int result = REAL(close)(fd);
    if (fail)
        errno = error;
    return fail ? -1 : result;
}

#define UNLINK(name)                                                                          \
    int name(const char *path)                                                                \
    {                                                                                         \
        if (error && fails("unlink", path)) {                                                 \
            errno = error;                                                                    \
            return -1;                                                                        \
        }                                                                                     \
        return REAL(name)(path);                                                              \
    }
UNLINK(unlink)
UNLINK(remove)
