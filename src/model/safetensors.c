/* See safetensors.h.  The JSON of the header is st_header.c's; here are the layout of the
 * data, reading and writing. */
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

#include "base/file.h"
#include "base/memory.h"
#include "model/st_header.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

// ---- reading ----------------------------------------------------------------------------

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
    uint64_t n = (uint64_t)st_dtype_bits(t->dtype);
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
            return error_set(e,
                             "tensor '%.60s' has data_offsets %" PRIu64 " … %" PRIu64
                             ", but should begin at %" PRIu64 " (%s)",
                             t->name, t->begin, t->end, at,
                             t->end < t->begin ? "backwards"
                             : t->begin < at   ? "overlap"
                                               : "gap");
        if (!size_of(t, &bytes))
            return error_set(e, "tensor '%.60s': its shape overflows or is not whole bytes",
                             t->name);
        if (bytes != t->end - t->begin)
            return error_set(e,
                             "tensor '%.60s' has %" PRIu64 " bytes by its data_offsets and "
                             "%" PRIu64 " by its shape and dtype",
                             t->name, t->end - t->begin, bytes);
        at = t->end;
    }
    if (at != f->data_bytes)
        return error_set(
            e, "the header describes %" PRIu64 " bytes of data, the file has %" PRIu64 "%s",
            at, f->data_bytes, at > f->data_bytes ? ": it is cut short" : "");
    return true;
}

static bool read_at(int fd, void *to, uint64_t n, uint64_t at, struct error *e)
{
    for (char *p = to; n;) {
        ssize_t got = pread(fd, p, n < 1u << 30 ? n : 1u << 30, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(e, "cannot be read: %s",
                             got ? strerror(errno) : "it became shorter");
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
        return error_set(e,
                         "has %" PRIu64 " bytes; a safetensors file begins with 8 bytes of "
                         "header length",
                         size);
    if (!read_at(f->fd, &n, 8, 0, e))
        return false;
    if (n > ST_HEADER_MOST)
        return error_set(e,
                         "states a header of %" PRIu64
                         " bytes; at most %d are allowed: is it "
                         "a safetensors file?",
                         n, ST_HEADER_MOST);
    if (n > size - 8)
        return error_set(e,
                         "states a header of %" PRIu64 " bytes, but has %" PRIu64
                         " after that: it is cut short",
                         n, size - 8);
    f->header = xmalloc(n);
    f->data_bytes = size - 8 - n;
    if (!read_at(f->fd, f->header, n, 8, e))
        return false;
    return st_header_parse(f, f->header, n, e) && check_layout(f, e);
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
    return read_at(f->fd, to, f->data_bytes, (uint64_t)st.st_size - f->data_bytes, &why) ||
           error_set(e, "%s: %s", path, why.msg);
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
        fprintf(f, ":{\"dtype\":\"%s\",\"shape\":[", st_dtype_name(t->dtype));
        for (int k = 0; k < t->dims; k++)
            fprintf(f, "%s%" PRIu64, k ? "," : "", t->shape[k]);
        fprintf(f, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}%s", at,
                at + t->end - t->begin, i + 1 < n ? "," : "");
        at += t->end - t->begin;
    }
    fputs("}", f);
    while (ftell(f) % 8)
        fputc(' ', f);
    if (fclose(f) != 0)
        die("out of memory");
    return text;
}

bool st_write(const char *path, const struct st_tensor *tensors, size_t n,
              const struct st_pair *m, size_t nm, const void *block, struct error *e)
{
    struct new_file out;
    if (!file_begin(&out, path, e))
        return false;
    struct st_tensor *sorted = xcalloc(n, sizeof *sorted);
    if (n) {
        memcpy(sorted, tensors, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_dtype_and_name);
    }
    size_t bytes;
    char *header = make_header(sorted, n, m, nm, &bytes);
    uint64_t length = bytes;
    fwrite(&length, 8, 1, out.f);
    fwrite(header, 1, bytes, out.f);
    for (size_t i = 0; i < n; i++)
        fwrite((const char *)block + sorted[i].begin, 1, sorted[i].end - sorted[i].begin,
               out.f);
    free(header);
    free(sorted);
    return file_commit(&out, e);
}
