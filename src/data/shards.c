/* tar:PATTERN (feed.h): one archive or many, of class folders or of WebDataset's samples: members
 * whose names are equal up to the first dot of their last part are one sample, its class stands in
 * key.cls (a number) or as "label" or "cls" in key.json.  Samples are in the order of the pattern.
 * Where there is such a class for one image, there must be one for every image; the part comes
 * from the name of the archive, where it has train, val or test in it. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/archive.h"
#include "data/classes.h"

enum { SHARDS_MOST = 1000000, NAME_MOST = 4096, LABEL_FILE_MOST = 1 << 20 };

struct shards {
    char **path;
    uint8_t *part;
    uint32_t n, at; // the one that is read, and after it
    struct archive_file *open;
    struct feed_item held; // an image whose class may follow; name NULL: none
    char key[NAME_MOST];   // of the last class read
    int32_t label;
    uint32_t labelled; // images with a class of their own
};

static bool add(struct shards *s, const char *path, struct error *e)
{
    if (s->n == SHARDS_MOST)
        return error_set(e, "the pattern stands for more than %d archives", SHARDS_MOST);
    s->path = xgrow(s->path, s->n, sizeof *s->path);
    s->path[s->n++] = xstrdup(path);
    return true;
}

static bool expand(struct shards *s, const char *pattern, int depth, struct error *e);

// head, what stands for the braces, tail: expanded further.
static bool put(struct shards *s, const char *head, size_t n, const char *middle, size_t m,
                const char *tail, int depth, struct error *e)
{
    size_t rest = strlen(tail) + 1;
    char *text = xmalloc(n + m + rest);
    memcpy(text, head, n);
    memcpy(text + n, middle, m);
    memcpy(text + n + m, tail, rest);
    bool good = expand(s, text, depth + 1, e);
    free(text);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Without braces: a name, or a pattern of names that are there.
static bool names(struct shards *s, const char *pattern, struct error *e)
{
    if (!strpbrk(pattern, "*?["))
        return add(s, pattern, e);
    glob_t found;
    int answer = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (answer != 0)
        return error_set(e, "%.200s: %s", pattern,
                         answer == GLOB_NOMATCH ? "no file has such a name"
                                                : "the folder cannot be read");
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_name);
    bool good = true;
    for (size_t i = 0; i < found.gl_pathc && good; i++)
        good = add(s, found.gl_pathv[i], e);
    globfree(&found);
    return good;
}

// The first of `marks` that is not within braces of its own, or the end.
static const char *past(const char *p, const char *marks)
{
    for (int depth = 0; *p; p++) {
        if (depth == 0 && strchr(marks, *p))
            break;
        depth += (*p == '{') - (*p == '}');
    }
    return p;
}

// {000..146} and {train,val}, as the shell has them.
static bool expand(struct shards *s, const char *pattern, int depth, struct error *e)
{
    const char *open = strchr(pattern, '{'), *close = open ? past(open + 1, "}") : NULL;
    if (!close || !*close)
        return names(s, pattern, e);
    if (depth > 8)
        return error_set(e, "%.200s: more than eight braces", pattern);
    size_t head = (size_t)(open - pattern), inside = (size_t)(close - open) - 1;
    unsigned long first, last;
    int from = 0, to = 0;
    if (inside < 64 && sscanf(open + 1, "%9lu%n..%9lu%n", &first, &from, &last, &to) == 2 &&
        (size_t)to == inside) {
        if (last < first || last - first >= SHARDS_MOST)
            return error_set(e, "%.200s: from %lu to %lu", pattern, first, last);
        for (unsigned long i = first; i <= last; i++) {
            char number[80];
            int m = snprintf(number, sizeof number, "%0*lu", from, i);
            if (!put(s, pattern, head, number, (size_t)m, close + 1, depth, e))
                return false;
        }
        return true;
    }
    for (const char *p = open + 1; p <= close;) {
        size_t m = (size_t)(past(p, ",}") - p);
        if (!put(s, pattern, head, p, m, close + 1, depth, e))
            return false;
        p += m + 1;
    }
    return true;
}

// By a word in the name of an archive: imagenet-train-000.tar.
static enum part part_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *p = slash ? slash + 1 : path;
    while (*p) {
        size_t n = 0;
        while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z'))
            n++;
        if (n && part_named(p, n) != PART_NONE)
            return part_named(p, n);
        p += n ? n : 1;
    }
    return PART_NONE;
}

static bool shards_open(struct feed *f, const char *path, bool coarse, struct error *e)
{
    (void)coarse;
    struct shards *s = f->self = xcalloc(1, sizeof *s);
    if (!expand(s, path, 0, e))
        return false;
    s->part = xcalloc(s->n, 1);
    bool train = false;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!feed_note(f, s->path[i], e))
            return false;
        s->part[i] = (uint8_t)part_of(s->path[i]);
        train = train || s->part[i] == PART_TRAIN;
    }
    for (uint32_t i = 0; i < s->n && !train; i++)
        s->part[i] = PART_NONE;
    return true;
}

// Where the last part of a name begins, and its first dot after that.
static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static size_t key_length(const char *name)
{
    const char *last = last_part(name), *dot = strchr(last, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

static bool same_key(const char *a, const char *b)
{
    size_t n = key_length(a);
    return n == key_length(b) && memcmp(a, b, n) == 0;
}

// The number that "label" or "cls" has in a JSON object, outside of inner ones.
static int32_t json_label(const char *p)
{
    int depth = 0;
    for (; *p; p++) {
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        if (*p != '"')
            continue;
        const char *word = ++p;
        while (*p && *p != '"')
            p += *p == '\\' && p[1] ? 2 : 1;
        if (!*p)
            return NO_LABEL;
        size_t n = (size_t)(p - word);
        if (depth != 1 || (strncmp(word, "label\"", n + 1) && strncmp(word, "cls\"", n + 1)))
            continue;
        const char *rest = p + 1 + strspn(p + 1, " \t\r\n");
        int value;
        if (*rest == ':' && sscanf(rest + 1, "%9d", &value) == 1)
            return value;
    }
    return NO_LABEL;
}

// key.cls, key.json
static bool class_file(const char *name)
{
    const char *dot = strchr(last_part(name), '.');
    return dot && (strcasecmp(dot, ".cls") == 0 || strcasecmp(dot, ".json") == 0);
}

static void read_class(struct shards *s, const char *name)
{
    uint8_t *bytes;
    size_t size;
    struct error e;
    if (!archive_file_take(s->open, LABEL_FILE_MOST, &bytes, &size, &e))
        return; // its image has no class then, which is said
    bytes = xrealloc(bytes, size + 1);
    bytes[size] = 0;
    int value;
    bool json = strcasecmp(strchr(last_part(name), '.'), ".json") == 0;
    if (json)
        value = json_label((const char *)bytes);
    else if (sscanf((const char *)bytes, "%9d", &value) != 1)
        value = NO_LABEL;
    free(bytes);
    if (value == NO_LABEL)
        return;
    if (s->held.name && same_key(s->held.name, name))
        s->held.label = value;
    snprintf(s->key, sizeof s->key, "%s", name);
    s->label = value;
}

// Hands over the image that is held.
static int give(struct shards *s, struct feed_item *item)
{
    *item = s->held;
    s->held.name = NULL;
    s->labelled += item->label != NO_LABEL;
    return 1;
}

// A member of the open archive: 1 when *item is to be handed over.
static int member(struct feed *f, const char *name, struct feed_item *item, struct error *e)
{
    struct shards *s = f->self;
    const char *last = last_part(name);
    if (*last == '.' || strstr(name, "__MACOSX/")) {
        f->counts.hidden++;
        return 0;
    }
    if (class_file(name)) {
        read_class(s, name);
        return 0;
    }
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    struct feed_item next = {.label = NO_LABEL, .part = s->part[s->at]};
    struct error why = {""};
    bool good = archive_file_take(s->open, IMAGE_FILE_MOST, &next.bytes, &next.size, &why);
    if (good && next.size == 0)
        f->counts.empty++;
    else if (!feed_image(name, next.bytes, next.size))
        f->counts.other++;
    else {
        next.name = xstrdup(name);
        if (!good) {
            *item = next;
            error_set(e, "%s", why.msg);
            return -2;
        }
        if (same_key(name, s->key))
            next.label = s->label;
        int have = s->held.name ? give(s, item) : 0;
        s->held = next;
        return have;
    }
    free(next.bytes);
    return 0;
}

static int shards_next(struct feed *f, struct feed_item *item, struct error *e)
{
    struct shards *s = f->self;
    struct error why;
    for (; s->at < s->n; s->at++) {
        const char *path = s->path[s->at], *name = NULL;
        if (!s->open) {
            s->key[0] = 0;
            s->open = archive_file_open(path, false, &why);
            if (!s->open) {
                item->name = xstrdup(path);
                *e = why;
                s->at++;
                return -2;
            }
        }
        int answer;
        while ((answer = archive_file_next(s->open, &name, &why)) == 1) {
            if (interrupt_pending()) {
                error_set(e, "interrupted");
                return -1;
            }
            int have = member(f, name, item, e);
            if (have != 0)
                return have;
        }
        if (s->held.name) // the next call finds the end, or the damage, again
            return give(s, item);
        archive_file_close(s->open);
        s->open = NULL;
        if (answer < 0) {
            item->name = xstrdup(path);
            error_set(e, "it is cut short or damaged: %s", why.msg);
            s->at++;
            return -2;
        }
    }
    return 0;
}

static bool shards_load(const struct feed *f, struct feed_item *item, bool *gone,
                        struct error *e)
{
    (void)f, (void)item, (void)gone, (void)e; // next has read it
    return true;
}

static bool shards_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    struct shards *s = f->self;
    if (s->labelled == 0)
        return classes_of_folders(f, items, n, e);
    for (uint32_t i = 0; i < n; i++)
        if (!items[i].drop && items[i].label == NO_LABEL)
            return error_set(
                e,
                "%s: '%.200s' has no class (key.cls, or \"label\" in key.json), as "
                "others have",
                f->spec, items[i].name);
    return classes_of_numbers(f, items, n, e);
}

static void forget(struct shards *s)
{
    archive_file_close(s->open);
    s->open = NULL;
    if (s->held.name) {
        free(s->held.name);
        free(s->held.bytes);
        s->held.name = NULL;
    }
}

static bool shards_rewind(struct feed *f, struct error *e)
{
    (void)e;
    struct shards *s = f->self;
    forget(s);
    s->at = s->labelled = 0;
    f->counts = (struct feed_counts){0};
    return true;
}

static void shards_free(struct feed *f)
{
    struct shards *s = f->self;
    forget(s);
    for (uint32_t i = 0; i < s->n; i++)
        free(s->path[i]);
    free(s->path);
    free(s->part);
    free(s);
}

const struct feed_kind feed_archive = {"tar",         "tar:PATTERN (tar or zip archives)",
                                       shards_open,   shards_next,
                                       shards_load,   shards_finish,
                                       shards_rewind, shards_free};
