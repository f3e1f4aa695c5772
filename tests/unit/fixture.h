/* Reads the reference networks of tests/data (made by scripts/make_fixtures.py): just
 * enough of safetensors and JSON for files whose form is known.  Any surprise fails. */
#ifndef FIXTURE_H
#define FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/net.h"

struct fixture {
    char *header; // JSON text
    unsigned char *data;
};

static inline struct fixture fixture_open(const char *name, const char *ending)
{
    char path[128];
    snprintf(path, sizeof path, "tests/data/%s%s", name, ending);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    uint64_t length;
    assert_int_equal(fread(&length, 8, 1, f), 1);
    struct fixture x = {.header = calloc(1, length + 1)};
    assert_int_equal(fread(x.header, 1, length, f), length);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(f) - 8 - length;
    assert_int_equal(fseek(f, (long)(8 + length), SEEK_SET), 0);
    x.data = malloc(size + 1);
    assert_int_equal(fread(x.data, 1, size, f), size);
    fclose(f);
    return x;
}

static inline void fixture_close(struct fixture *x)
{
    free(x->header);
    free(x->data);
}

/* The values of a tensor and how many there are; NULL when the file has none so named. */
static inline const float *fixture_find(const struct fixture *x, const char *name, size_t *n)
{
    char key[128];
    snprintf(key, sizeof key, "\"%s\":{", name);
    const char *at = strstr(x->header, key);
    *n = 0;
    if (!at)
        return NULL;
    size_t begin, end;
    at = strstr(at, "\"data_offsets\":[");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"data_offsets\":[%zu,%zu]", &begin, &end), 2);
    *n = (end - begin) / 4;
    return (const float *)(const void *)(x->data + begin);
}

/* Start of the value of a key of the architecture, which is JSON inside a JSON string. */
static inline const char *fixture_field(const struct fixture *x, const char *key)
{
    char quoted[48];
    snprintf(quoted, sizeof quoted, "\\\"%s\\\": ", key);
    const char *at = strstr(x->header, quoted);
    if (!at)
        fail_msg("the architecture has no %s", key);
    return at + strlen(quoted);
}

static inline int fixture_list(const struct fixture *x, const char *key, double *values)
{
    const char *at = fixture_field(x, key);
    int n = 0;
    while (*at == '[' || *at == ',' || *at == ' ') {
        char *end;
        values[n++] = strtod(at + 1, &end);
        at = end;
    }
    return n;
}

static inline void fixture_ints(const struct fixture *x, const char *key, int *out)
{
    double v[ARCH_STAGES];
    int n = fixture_list(x, key, v);
    for (int i = 0; i < n; i++)
        out[i] = (int)v[i];
}

static inline const char *fixture_word(const struct fixture *x, const char *key,
                                       char word[32])
{
    assert_int_equal(sscanf(fixture_field(x, key), "\\\"%31[a-z]", word), 1);
    return word;
}

static inline struct arch fixture_arch(const struct fixture *x)
{
    struct arch a = {0};
    char word[32];
    a.stages = fixture_list(x, "b", a.b);
    fixture_ints(x, "d", a.d);
    fixture_ints(x, "w", a.w);
    fixture_ints(x, "g", a.g);
    fixture_ints(x, "stride", a.stride);
    if (strstr(x->header, "kernel\\\""))
        fixture_ints(x, "kernel", a.kernel);
    a.block = (enum arch_block)arch_block_of(fixture_word(x, "block", word));
    a.stem = (enum arch_stem)arch_stem_of(fixture_word(x, "stem", word));
    a.act = (enum activation)arch_act_of(fixture_word(x, "activation", word));
    a.stem_width = atoi(fixture_field(x, "stem_width"));
    a.head_width = atoi(fixture_field(x, "head_width"));
    a.se = atof(fixture_field(x, "se"));
    a.classes = atoi(fixture_field(x, "classes"));
    a.image = atoi(fixture_field(x, "image"));
    if (strstr(x->header, "channels\\\""))
        a.channels = atoi(fixture_field(x, "channels"));
    struct error e;
    if (!arch_complete(&a, &e))
        fail_msg("%s", e.msg);
    return a;
}

#endif
