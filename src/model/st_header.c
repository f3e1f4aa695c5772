/* See st_header.h: a UTF-8 check, then one pass of a strict scanner of just the JSON that a
 * header may have (strings, whole numbers, lists of them, objects two deep). */
#include "model/st_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

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
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
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
    return low < 0xdc00 || low > 0xdfff
               ? -1
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
        int field = !strcmp(key, "dtype")          ? DTYPE
                    : !strcmp(key, "shape")        ? SHAPE
                    : !strcmp(key, "data_offsets") ? OFFSETS
                                                   : 0;
        if (!field || seen & field)
            return error_set(s->e, "header: tensor '%.60s' has %s field '%.30s'", t->name,
                             field ? "twice the" : "the unknown", printable(key) ? key : "?");
        seen |= field;
        if (field == DTYPE) {
            if (!(name = string(s)))
                return false;
            if (!st_dtype_of(name, &t->dtype))
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
                         !(seen & DTYPE)   ? "dtype"
                         : !(seen & SHAPE) ? "shape"
                                           : "data_offsets");
    return expect(s, '}');
}

static bool metadata(struct scan *s, struct st_file *f)
{
    if (!expect(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        f->metadata = xgrow(f->metadata, f->n_metadata, sizeof *f->metadata);
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
            f->tensors = xgrow(f->tensors, f->n, sizeof *f->tensors);
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

bool st_header_parse(struct st_file *f, char *text, size_t n, struct error *e)
{
    if (n == 0 || *text != '{')
        return error_set(e, "has a header that does not begin with '{': is it a safetensors "
                            "file?");
    if (!valid_utf8(text, n))
        return error_set(e, "has a header that is not UTF-8");
    struct scan s = {text, text, text + n, e};
    return entries(&s, f);
}
