/* See archive.h. */
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK = 1 << 18 };

struct archive_file {
    struct archive *a;
    char name[4096];
    uint32_t members;
    bool ended;
    struct error why; // it cannot be read any further; "": it can
};

static bool failed(struct archive_file *f, int answer, struct error *e)
{
    if (archive_errno(f->a) == ENOMEM)
        die("out of memory (libarchive)");
    const char *text = archive_error_string(f->a);
    error_set(e, "%.200s", text ? text : "it cannot be read");
    if (answer == ARCHIVE_FATAL)
        f->why = *e;
    return false;
}

struct archive_file *archive_file_open(const char *path, bool zip, struct error *e)
{
    struct archive_file *f = xcalloc(1, sizeof *f);
    f->a = archive_read_new();
    if (!f->a)
        die("out of memory (libarchive)");
    archive_read_support_format_zip(f->a);
    if (!zip) {
        archive_read_support_format_tar(f->a);
        // those that libarchive reads by itself, without starting other programs
        archive_read_support_filter_gzip(f->a);
        archive_read_support_filter_bzip2(f->a);
        archive_read_support_filter_xz(f->a);
        archive_read_support_filter_zstd(f->a);
    }
    archive_read_set_options(f->a, "hdrcharset=BINARY"); // names as they are
    int answer = archive_read_open_filename(f->a, path, BLOCK);
    if (answer != ARCHIVE_OK && answer != ARCHIVE_WARN) {
        failed(f, answer, e);
        archive_file_close(f);
        return NULL;
    }
    return f;
}

void archive_file_close(struct archive_file *f)
{
    if (!f)
        return;
    archive_read_free(f->a);
    free(f);
}

int archive_file_next(struct archive_file *f, const char **name, struct error *e)
{
    struct archive_entry *entry;
    for (;;) {
        *e = f->why;
        if (f->ended || *f->why.msg)
            return f->ended ? 0 : -1;
        int answer = archive_read_next_header(f->a, &entry);
        f->ended = answer == ARCHIVE_EOF;
        if (f->ended)
            continue;
        if (answer != ARCHIVE_OK && answer != ARCHIVE_WARN) {
            failed(f, ARCHIVE_FATAL, e); // it does not say where the next one begins
            continue;
        }
        f->members++;
        // a hard link is a name of a file that has come before, without bytes
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
            continue;
        const char *path = archive_entry_pathname(entry);
        if (!path)
            path = archive_entry_pathname_utf8(entry);
        if (path)
            snprintf(f->name, sizeof f->name, "%s", path);
        else
            snprintf(f->name, sizeof f->name, "member %u", f->members);
        *name = f->name;
        return 1;
    }
}

int64_t archive_file_read(struct archive_file *f, void *to, size_t room, struct error *e)
{
    *e = f->why;
    if (*f->why.msg)
        return -1;
    la_ssize_t n = archive_read_data(f->a, to, room);
    if (n < 0) {
        failed(f, (int)n, e);
        return -1;
    }
    return n;
}

bool archive_file_take(struct archive_file *f, size_t most, uint8_t **bytes, size_t *size,
                       struct error *e)
{
    size_t n = 0, room = 1 << 16;
    uint8_t *to = xmalloc(room);
    for (int64_t got; (got = archive_file_read(f, to + n, room - n, e)) != 0;) {
        if (got > 0 && (n += (size_t)got) > most) {
            error_set(e, "more than %zu bytes, the most that are taken", most);
            got = -1;
        }
        if (got < 0) {
            free(to);
            return false;
        }
        if (n == room)
            to = xrealloc(to, room *= 2);
    }
    *bytes = to;
    *size = n;
    return true;
}
