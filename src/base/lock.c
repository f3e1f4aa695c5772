/* See lock.h. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// All bytes of a file.
static const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static struct flock byte_of(int64_t at)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
}

// Is what was opened still the file of that name?
static bool same_file(int fd, const char *path)
{
    struct stat open, named;
    return fstat(fd, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

// Another one holds all of the file for the moment it takes to remove it.
static bool being_removed(int fd, int64_t at)
{
    struct flock f = byte_of(at);
    return fcntl(fd, F_OFD_GETLK, &f) == 0 && (f.l_type == F_UNLCK || f.l_len == 0);
}

int lock_take(const char *path, int64_t at)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return -1;
        struct flock f = byte_of(at);
        int error = fcntl(fd, F_OFD_SETLK, &f) == 0 ? 0 : errno;
        if (!error && same_file(fd, path))
            return fd;
        bool held = error == EAGAIN || error == EACCES;
        bool again = !error || (held && being_removed(fd, at));
        close(fd);
        if (!again) {
            errno = held ? EAGAIN : error;
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

void lock_release(int fd, const char *path)
{
    struct flock f = whole;
    if (fcntl(fd, F_OFD_SETLK, &f) == 0 && same_file(fd, path))
        unlink(path);
    close(fd);
}

enum lock_state lock_look(const char *path, int64_t at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return LOCK_UNKNOWN;
    struct flock f = byte_of(at);
    int answer = fcntl(fd, F_OFD_GETLK, &f);
    close(fd);
    if (answer != 0)
        return LOCK_UNKNOWN;
    return f.l_type == F_UNLCK ? LOCK_FREE : LOCK_HELD;
}
