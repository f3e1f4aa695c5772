/* See file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void file_sync_directory(const char *path)
{
    char dir[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

bool file_begin(struct new_file *n, const char *path, struct error *e)
{
    n->path = path;
    int length = snprintf(n->part, sizeof n->part, "%s.part-%ld", path, (long)getpid());
    if (length >= (int)sizeof n->part)
        return error_set(e, "%.200s…: the name is too long", path);
    n->f = fopen(n->part, "wb");
    if (!n->f)
        return error_set(e, "%s cannot be written: %s", path, strerror(errno));
    return true;
}

bool file_commit(struct new_file *n, struct error *e)
{
    bool good = fflush(n->f) == 0 && !ferror(n->f) && fsync(fileno(n->f)) == 0;
    int error = errno;
    if (fclose(n->f) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(n->part, n->path) != 0) {
        good = false;
        error = errno;
    }
    if (!good) {
        unlink(n->part);
        return error_set(e, "%s cannot be written: %s", n->path, strerror(error));
    }
    file_sync_directory(n->path);
    return true;
}
