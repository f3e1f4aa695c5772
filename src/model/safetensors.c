/* See safetensors.h.  Reading: file → header bytes → UTF-8 check → one pass of a strict JSON
 * scanner, which unescapes strings in place → layout check. */
#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

static const struct {
    const char *name;
    int bits;
} dtypes[ST_DTYPES] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},
    {"I8", 8},      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},     {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16}, {"U16", 16},   {"F16", 16},        {"BF16", 16},
    {"I32", 32},    {"U32", 32},    {"F32", 32},    {"C64", 64},        {"F64", 64},
    {"I64", 64},    {"U64", 64},
};

const char *st_dtype_name(enum st_dtype t)
{
    return dtypes[t].name;
}

// ---- the header's JSON ------------------------------------------------------------------

struct scan {
    char *p, *start, *end;
    struct error *e;
};

static bool bad(struct scan *s, const char *what)
{
    return error_set(s->e, "header: %s at byte %zu", what, (size_t)(s->p - s->start));
}

static void space(struct scan *s)
{
    while (s->p < s->end && memchr(" \t\r\n", *s->p, 4))
        s->p++;
}

// The next character that is not space, if it is c: passed.
static bool take(struct scan *s, char c)
{
    space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool expect(struct scan *s, char c)
{
    char what[] = "'?' expected";
    what[1] = c;
    return take(s, c) || bad(s, what);
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
              : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

// After "\u": the code point, of one or of a pair of escapes; -1 when malformed.
static long escape_u(struct scan *s)
{
    if (s->end - s->p < 4)
        return -1;
    int high = hex4(s->p);
    s->p += 4;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u')
        return -1;
    int low = hex4(s->p + 2);
    s->p += 6;
    return low < 0xdc00 || low > 0xdfff ? -1
         : 0x10000 + ((long)(high & 0x3ff) << 10) + (low & 0x3ff);
}

// A string, unescaped where it stands (that never needs more room) and ended by a zero.
static const char *string(struct scan *s)
{
    if (!take(s, '"')) {
        bad(s, "a string expected");
        return NULL;
    }
    char *text = s->p, *to = text;
    while (s->p < s->end && *s->p != '"') {
        unsigned char c = (unsigned char)*s->p++;
        if (c < 0x20) {
            bad(s, "a control character in a string");
            return NULL;
        }
        if (c != '\\') {
            *to++ = (char)c;
            continue;
        }
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *at;
        char kind = s->p < s->end ? *s->p++ : 0;
        long code = kind == 'u' ? escape_u(s) : 0;
        if (kind == 'u' && code > 0) {
            to = put_utf8(to, (unsigned)code);
        } else if (kind && kind != 'u' && (at = strchr(names, kind))) {
            *to++ = values[at - names];
        } else {
            bad(s, "a bad escape in a string");
            return NULL;
        }
    }
    if (s->p == s->end) {
        bad(s, "a string without end");
        return NULL;
    }
    s->p++;
    *to = 0; // at the latest on the closing quote
    return text;
}

static bool number(struct scan *s, uint64_t *value)
{
    space(s);
    const char *first = s->p;
    uint64_t v = 0;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        uint64_t digit = (uint64_t)(*s->p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return bad(s, "a number above 2^64");
        v = 10 * v + digit;
    }
    if (s->p == first || (*first == '0' && s->p - first > 1))
        return bad(s, "a whole number from 0 up expected");
    *value = v;
    return true;
}

// [n, n, …] with at most `most` entries
static bool numbers(struct scan *s, uint64_t *values, int most, int *n)
{
    *n = 0;
    if (!expect(s, '['))
        return false;
    if (take(s, ']'))
        return true;
    do {
        if (*n == most)
            return bad(s, "too long a list");
        if (!number(s, &values[(*n)++]))
            return false;
    } while (take(s, ','));
    return expect(s, ']');
}

// ---- what the header says ---------------------------------------------------------------

static bool printable(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static bool dtype_of(const char *name, enum st_dtype *t)
{
    for (int i = 0; i < ST_DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *t = (enum st_dtype)i;
            return true;
        }
    return false;
}

// {"dtype":…, "shape":…, "data_offsets":…} in any order, each once
static bool tensor(struct scan *s, struct st_tensor *t)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
    int seen = 0, count;
    uint64_t offsets[2];
    if (!expect(s, '{'))
        return false;
    do {
        const char *key = string(s), *name;
        if (!key || !expect(s, ':'))
            return false;
        int field = !strcmp(key, "dtype") ? DTYPE : !strcmp(key, "shape") ? SHAPE
                  : !strcmp(key, "data_offsets") ? OFFSETS : 0;
        if (!field || seen & field)
            return error_set(s->e, "header: tensor '%.60s' has %s field '%.30s'", t->name,
                             field ? "twice the" : "the unknown",
                             printable(key) ? key : "?");
        seen |= field;
        if (field == DTYPE) {
            if (!(name = string(s)))
                return false;
            if (!dtype_of(name, &t->dtype))
                return error_set(s->e, "header: tensor '%.60s' has the unknown dtype '%.20s'",
                                 t->name, printable(name) ? name : "?");
        } else if (field == SHAPE) {
            if (!numbers(s, t->shape, ST_DIMS, &t->dims))
                return false;
        } else {
            if (!numbers(s, offsets, 2, &count))
                return false;
            if (count != 2)
                return bad(s, "two data_offsets expected");
            t->begin = offsets[0];
            t->end = offsets[1];
        }
    } while (take(s, ','));
    if (seen != (DTYPE | SHAPE | OFFSETS))
        return error_set(s->e, "header: tensor '%.60s' lacks its %s", t->name,
                         !(seen & DTYPE) ? "dtype" : !(seen & SHAPE) ? "shape" : "data_offsets");
    return expect(s, '}');
}

static void *room(void *list, size_t n, size_t size)
{
    return n & (n - 1) ? list : xrealloc(list, (n ? 2 * n : 1) * size);
}

static bool metadata(struct scan *s, struct st_file *f)
{
    if (!expect(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        f->metadata = room(f->metadata, f->n_metadata, sizeof *f->metadata);
        struct st_pair *m = &f->metadata[f->n_metadata];
        if (!(m->key = string(s)) || !expect(s, ':') || !(m->value = string(s)))
            return false;
        f->n_metadata++;
    } while (take(s, ','));
    return expect(s, '}');
}

static bool entries(struct scan *s, struct st_file *f)
{
    bool met = false;
    if (!expect(s, '{'))
        return false;
    if (!take(s, '}')) {
        do {
            const char *name = string(s);
            if (!name || !expect(s, ':'))
                return false;
            if (strcmp(name, "__metadata__") == 0) {
                if (met)
                    return bad(s, "__metadata__ twice");
                met = true;
                if (!metadata(s, f))
                    return false;
                continue;
            }
            if (!printable(name))
                return bad(s, "a control character in a tensor's name");
            f->tensors = room(f->tensors, f->n, sizeof *f->tensors);
            struct st_tensor *t = &f->tensors[f->n++];
            *t = (struct st_tensor){.name = name};
            if (!tensor(s, t))
                return false;
        } while (take(s, ','));
        if (!expect(s, '}'))
            return false;
    }
    space(s);
    return s->p == s->end || bad(s, "something after the last brace");
}

static int by_begin(const void *a, const void *b)
{
    const struct st_tensor *s = a, *t = b;
    if (s->begin != t->begin)
        return s->begin < t->begin ? -1 : 1;
    return s->end < t->end ? -1 : s->end > t->end ? 1 : strcmp(s->name, t->name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct st_tensor *)a)->name, ((const struct st_tensor *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct st_pair *)a)->key, ((const struct st_pair *)b)->key);
}

// Bytes of a tensor; false when the product does not fit, or is not whole bytes.
static bool size_of(const struct st_tensor *t, uint64_t *bytes)
{
    uint64_t n = (uint64_t)dtypes[t->dtype].bits;
    for (int i = 0; i < t->dims; i++)
        if (__builtin_mul_overflow(n, t->shape[i], &n))
            return false;
    *bytes = n / 8;
    return n % 8 == 0;
}

// No name twice; tensors one after another from the first byte of data to the last.
static bool check_layout(struct st_file *f, struct error *e)
{
    if (f->n_metadata)
        qsort(f->metadata, f->n_metadata, sizeof *f->metadata, by_key);
    for (size_t i = 1; i < f->n_metadata; i++)
        if (by_key(&f->metadata[i - 1], &f->metadata[i]) == 0)
            return error_set(e, "header: a metadata key is there twice");
    if (f->n)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    for (size_t i = 1; i < f->n; i++)
        if (by_name(&f->tensors[i - 1], &f->tensors[i]) == 0)
            return error_set(e, "header: tensor '%.60s' is there twice", f->tensors[i].name);
    if (f->n)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_begin);
    uint64_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        uint64_t bytes;
        if (t->begin != at || t->end < t->begin)
            return error_set(e, "tensor '%.60s' has data_offsets %" PRIu64 " … %" PRIu64
                             ", but should begin at %" PRIu64 " (%s)", t->name, t->begin, t->end,
                             at, t->end < t->begin ? "backwards" : t->begin < at ? "overlap" : "gap");
        if (!size_of(t, &bytes))
            return error_set(e, "tensor '%.60s': its shape overflows or is not whole bytes",
                             t->name);
        if (bytes != t->end - t->begin)
            return error_set(e, "tensor '%.60s' has %" PRIu64 " bytes by its data_offsets and "
                             "%" PRIu64 " by its shape and dtype", t->name, t->end - t->begin,
                             bytes);
        at = t->end;
    }
    if (at != f->data_bytes)
        return error_set(e, "the header speaks of %" PRIu64 " bytes of data, the file has %"
                         PRIu64 "%s", at, f->data_bytes, at > f->data_bytes ? ": it is cut short" : "");
    return true;
}

static bool valid_utf8(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    while (p < end) {
        unsigned c = *p++, more, least;
        if (c < 0x80)
            continue;
        if (c >= 0xf8 || c < 0xc0)
            return false;
        more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        c &= 0x3fu >> more;
        for (; more; more--, p++) {
            if (p == end || (*p & 0xc0) != 0x80)
                return false;
            c = c << 6 | (*p & 63);
        }
        if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
    }
    return true;
}

static bool read_at(int fd, void *to, uint64_t n, uint64_t at, struct error *e)
{
    for (char *p = to; n;) {
        ssize_t got = pread(fd, p, n < 1u << 30 ? n : 1u << 30, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(e, "cannot be read: %s", got ? strerror(errno) : "it became shorter");
        p += got;
        at += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return true;
}

static bool read_header(struct st_file *f, struct error *e)
{
    struct stat st;
    uint64_t n, size;
    if (fstat(f->fd, &st) != 0)
        return error_set(e, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(e, "is not a plain file");
    size = (uint64_t)st.st_size;
    if (size < 8)
        return error_set(e, "has %" PRIu64 " bytes; a safetensors file begins with 8 bytes of "
                         "header length", size);
    if (!read_at(f->fd, &n, 8, 0, e))
        return false;
    if (n > ST_HEADER_MOST)
        return error_set(e, "states a header of %" PRIu64 " bytes; at most %d are allowed: is it "
                         "a safetensors file?", n, ST_HEADER_MOST);
    if (n > size - 8)
        return error_set(e, "states a header of %" PRIu64 " bytes, but has %" PRIu64
                         " after that: it is cut short", n, size - 8);
    f->header = xmalloc(n);
    f->data_bytes = size - 8 - n;
    if (!read_at(f->fd, f->header, n, 8, e))
        return false;
    if (n == 0 || *f->header != '{')
        return error_set(e, "has a header that does not begin with '{': is it a safetensors "
                         "file?");
    if (!valid_utf8(f->header, n))
        return error_set(e, "has a header that is not UTF-8");
    struct scan s = {f->header, f->header, f->header + n, e};
    return entries(&s, f) && check_layout(f, e);
}

bool st_open(struct st_file *f, const char *path, struct error *e)
{
    struct error why;
    *f = (struct st_file){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (f->fd < 0)
        return error_set(e, "%s: %s", path, strerror(errno));
    if (read_header(f, &why))
        return true;
    st_close(f);
    return error_set(e, "%s: %s", path, why.msg);
}

void st_close(struct st_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->tensors);
    free(f->metadata);
    free(f->header);
    *f = (struct st_file){.fd = -1};
}

bool st_read(const struct st_file *f, const char *path, void *to, struct error *e)
{
    struct error why;
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return error_set(e, "%s: %s", path, strerror(errno));
    return read_at(f->fd, to, f->data_bytes, (uint64_t)st.st_size - f->data_bytes, &why)
        || error_set(e, "%s: %s", path, why.msg);
}

// ---- writing ----------------------------------------------------------------------------

static int by_dtype_and_name(const void *a, const void *b)
{
    const struct st_tensor *s = a, *t = b;
    return s->dtype != t->dtype ? (int)t->dtype - (int)s->dtype : strcmp(s->name, t->name);
}

static void put_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++)
        if ((unsigned char)*s < 0x20)
            fprintf(f, "\\u%04x", (unsigned)*s);
        else
            fprintf(f, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    fputc('"', f);
}

static char *make_header(const struct st_tensor *sorted, size_t n, const struct st_pair *m,
                         size_t nm, size_t *bytes)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, bytes);
    if (!f)
        die("out of memory");
    fputs("{", f);
    if (nm) {
        fputs("\"__metadata__\":{", f);
        for (size_t i = 0; i < nm; i++) {
            put_string(f, m[i].key);
            fputc(':', f);
            put_string(f, m[i].value);
            fputs(i + 1 < nm ? "," : n ? "}," : "}", f);
        }
    }
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct st_tensor *t = &sorted[i];
        put_string(f, t->name);
        fprintf(f, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[t->dtype].name);
        for (int k = 0; k < t->dims; k++)
            fprintf(f, "%s%" PRIu64, k ? "," : "", t->shape[k]);
        fprintf(f, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}%s", at, at + t->end - t->begin,
                i + 1 < n ? "," : "");
        at += t->end - t->begin;
    }
    fputs("}", f);
    while (ftell(f) % 8)
        fputc(' ', f);
    if (fclose(f) != 0)
        die("out of memory");
    return text;
}

// The entry of a directory is on the disk only when the directory is synced.
static void sync_directory(const char *path)
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

bool st_write(const char *path, const struct st_tensor *tensors, size_t n,
              const struct st_pair *m, size_t nm, const void *block, struct error *e)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid()) >= (int)sizeof part)
        return error_set(e, "%.200s…: the name is too long", path);
    FILE *f = fopen(part, "wb");
    if (!f)
        return error_set(e, "%s cannot be written: %s", path, strerror(errno));
    struct st_tensor *sorted = xcalloc(n, sizeof *sorted);
    if (n) {
        memcpy(sorted, tensors, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_dtype_and_name);
    }
    size_t bytes;
    char *header = make_header(sorted, n, m, nm, &bytes);
    uint64_t length = bytes;
    fwrite(&length, 8, 1, f);
    fwrite(header, 1, bytes, f);
    for (size_t i = 0; i < n; i++)
        fwrite((const char *)block + sorted[i].begin, 1, sorted[i].end - sorted[i].begin, f);
    free(header);
    free(sorted);
    bool good = fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
    int error = errno;
    if (fclose(f) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(part, path) != 0) {
        good = false;
        error = errno;
    }
    if (!good) {
        unlink(part);
        return error_set(e, "%s cannot be written: %s", path, strerror(error));
    }
    sync_directory(path);
    return true;
}
