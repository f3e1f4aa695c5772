/* list:FILE (feed.h): lines of path, label and, perhaps, split, between commas (fields with quotes
 * as in RFC 4180), tabs or semicolons.  The first line may name the columns.  Paths are relative
 * to the folder of the file; labels are words, or numbers, which are sorted by value. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/classes.h"

enum { COLUMNS_MOST = 64 };

struct row {
    char *path; // in the text of the file
    int32_t label;
    uint8_t part;
};

struct list {
    int dir;
    uint8_t *text;
    struct row *rows;
    uint32_t n, at;
    struct words labels;
};

// The fields of the line at *p, ended by zeros in place; their number.  *p: the next line.
static int fields(char **p, char separator, char *field[COLUMNS_MOST])
{
    int n = 0;
    char *from = *p, *to = *p;
    for (bool more = true; more;) {
        char *start = to;
        if (*from == '"') {
            for (from++; *from; from++) {
                if (*from == '"' && from[1] == '"')
                    from++;
                else if (*from == '"')
                    break;
                *to++ = *from;
            }
            from += *from == '"';
        }
        while (*from && *from != separator && *from != '\n')
            *to++ = *from++;
        if (*from != separator && to > start && to[-1] == '\r')
            to--;
        more = *from == separator;
        bool end = !*from;
        *to++ = 0;
        from += !end;
        if (n < COLUMNS_MOST)
            field[n++] = start;
    }
    *p = from;
    return n;
}

static bool among(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(word, *words) == 0)
            return true;
    return false;
}

// The columns of path, label and split, where the first line names them.
static bool header(char *const *field, int n, int column[3])
{
    static const char *const paths[] = {"path",      "file",  "filename",
                                        "file_name", "image", "image_path",
                                        "filepath",  "name",  NULL};
    static const char *const labels[] = {"label", "class", "target", "class_name", NULL};
    static const char *const splits[] = {"split", "part", "set", "subset", NULL};
    int found[3] = {-1, -1, -1};
    for (int i = n - 1; i >= 0; i--)
        for (int k = 0; k < 3; k++)
            if (among(field[i], k == 0 ? paths : k == 1 ? labels : splits))
                found[k] = i;
    if (found[0] < 0 || found[1] < 0)
        return false;
    memcpy(column, found, sizeof found);
    return true;
}

// A first line whose fields are words, none of which is a file, names columns that are not known.
static bool other_header(const struct feed *f, char *const *field, int n, struct error *e)
{
    const struct list *s = f->self;
    struct feed_names names = {0};
    for (int i = 0; i < n; i++) {
        struct stat st;
        if (strpbrk(field[i], "./") || !*field[i] || strpbrk(field[i], "0123456789") ||
            fstatat(s->dir, field[i], &st, 0) == 0)
            return false;
        feed_names_add(&names, field[i], strlen(field[i]));
    }
    error_set(
        e,
        "%s has the columns %s; it needs one called path (file, filename, image) and one "
        "called label (class, target), and may have one called split",
        f->spec, feed_names_text(&names));
    return true;
}

static bool row(struct feed *f, char **field, int n, const int column[3], unsigned line,
                struct error *e)
{
    struct list *s = f->self;
    if (n <= column[0] || n <= column[1])
        return error_set(e, "%s: line %u has %d field%s; path,label[,split] is needed",
                         f->spec, line, n, n == 1 ? "" : "s");
    char *path = field[column[0]], *label = field[column[1]];
    if (!*path || !*label)
        return error_set(e, "%s: line %u has no %s", f->spec, line, *path ? "label" : "path");
    enum part part = PART_NONE;
    if (column[2] >= 0 && n > column[2]) {
        const char *word = field[column[2]];
        part = part_named(word, strlen(word));
        if (part == PART_NONE)
            return error_set(e,
                             "%s: line %u has split '%.60s'; it is train, validation or test",
                             f->spec, line, word);
    }
    if (s->n > 0 && (part == PART_NONE) != (s->rows[0].part == PART_NONE))
        return error_set(e, "%s: line %u has %s split, unlike the lines before", f->spec,
                         line, part == PART_NONE ? "no" : "a");
    s->rows = xgrow(s->rows, s->n, sizeof *s->rows);
    s->rows[s->n++] = (struct row){path, (int32_t)words_add(&s->labels, label, strlen(label)),
                                   (uint8_t)part};
    return true;
}

static bool parse(struct feed *f, size_t size, struct error *e)
{
    struct list *s = f->self;
    char *p = (char *)s->text, *field[COLUMNS_MOST];
    if (strlen(p) != size)
        return error_set(e, "%s has a zero byte; a list is text: path,label[,split]",
                         f->spec);
    if (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    char *end = strchr(p, '\n');
    size_t first = end ? (size_t)(end - p) : strlen(p);
    char separator = memchr(p, '\t', first) ? '\t' : memchr(p, ',', first) ? ',' : ';';
    int column[3] = {0, 1, -1};
    for (unsigned line = 1; *p; line++) {
        if (*p == '\n' || (*p == '\r' && p[1] == '\n')) {
            p += 1 + (*p == '\r');
            continue;
        }
        if (interrupt_pending())
            return error_set(e, "interrupted");
        int n = fields(&p, separator, field);
        if (line == 1 && header(field, n, column))
            continue;
        if (line == 1 && n > 1 && other_header(f, field, n, e))
            return false;
        if (s->n == 0 && column[2] < 0 && n > 2 && column[0] == 0 && column[1] == 1)
            column[2] = 2; // of lines without a header, the third field
        if (!row(f, field, n, column, line, e))
            return false;
    }
    return s->n > 0 || error_set(e, "%s has no lines of path,label[,split]", f->spec);
}

// The files of the list belong to the listing.
static bool note(struct feed *f, struct error *e)
{
    struct list *s = f->self;
    for (uint32_t i = 0; i < s->n; i++) {
        struct stat st;
        if (fstatat(s->dir, s->rows[i].path, &st, 0) != 0)
            return error_set(e, "%s names '%.200s': %s", f->spec, s->rows[i].path,
                             strerror(errno));
        feed_note_stat(f, s->rows[i].path, &st);
        if (interrupt_pending())
            return error_set(e, "interrupted");
    }
    return true;
}

static bool list_open(struct feed *f, const char *path, bool coarse, struct error *e)
{
    (void)coarse;
    struct list *s = f->self = xcalloc(1, sizeof *s);
    char dir[PATH_MAX];
    bool gone;
    struct error why;
    size_t size;
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    s->dir = AT_FDCWD;
    if (n + 1 > sizeof dir)
        return error_set(e, "%.100s…: the name is too long", path);
    memcpy(dir, path, n);
    dir[n] = 0;
    if (!feed_note(f, path, e))
        return false;
    if (n && (s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return error_set(e, "%.200s: %s", dir, strerror(errno));
    if (!feed_read(AT_FDCWD, path, &s->text, &size, &gone, &why))
        return error_set(e, "%.200s: %.200s", path, why.msg);
    s->text = xrealloc(s->text, size + 1);
    s->text[size] = 0;
    if (!parse(f, size, e) || !note(f, e))
        return false;
    f->images = s->n;
    return true;
}

static int list_next(struct feed *f, struct feed_item *item, struct error *e)
{
    (void)e;
    struct list *s = f->self;
    if (s->at == s->n)
        return 0;
    const struct row *row = &s->rows[s->at++];
    item->name = xstrdup(row->path);
    item->label = row->label;
    item->part = row->part;
    return 1;
}

static bool list_load(const struct feed *f, struct feed_item *item, bool *gone,
                      struct error *e)
{
    const struct list *s = f->self;
    return feed_read(s->dir, item->name, &item->bytes, &item->size, gone, e);
}

static bool list_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    return classes_of_words(f, &((struct list *)f->self)->labels, items, n, e);
}

static bool list_rewind(struct feed *f, struct error *e)
{
    (void)e;
    ((struct list *)f->self)->at = 0;
    return true;
}

static void list_free(struct feed *f)
{
    struct list *s = f->self;
    if (s->dir >= 0)
        close(s->dir);
    words_free(&s->labels);
    free(s->rows);
    free(s->text);
    free(s);
}

const struct feed_kind feed_list = {"list",      "list:FILE (lines of path,label)",
                                    list_open,   list_next,
                                    list_load,   list_finish,
                                    list_rewind, list_free};
