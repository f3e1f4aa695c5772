/* The records of tests/data/images.bin (scripts/make_images.py), and comparisons of pictures. */
#ifndef IMAGES_CHECK_H
#define IMAGES_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/picture.h"

enum { RECORDS_MOST = 400, NUMBERS_MOST = 40 };

struct record {
    char name[40];
    const uint8_t *bytes;
    size_t n;
    int numbers;
    double number[NUMBERS_MOST];
};

static struct record records[RECORDS_MOST];
static int nrecords;

static void records_read(void)
{
    FILE *f = fopen("tests/data/images.bin", "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    static char *all; // kept: the records point into it
    all = malloc((size_t)size + 1);
    assert_int_equal(fread(all, 1, (size_t)size, f), size);
    fclose(f);
    all[size] = '\0';
    for (char *at = all; at < all + size;) {
        assert_true(nrecords < RECORDS_MOST);
        struct record *r = &records[nrecords++];
        int used = 0;
        assert_int_equal(sscanf(at, "%39s %zu%n", r->name, &r->n, &used), 2);
        at += used;
        while (*at == ' ' && r->numbers < NUMBERS_MOST)
            r->number[r->numbers++] = strtod(at, &at);
        assert_int_equal(*at, '\n');
        r->bytes = (const uint8_t *)at + 1;
        at += 1 + r->n;
    }
}

static const struct record *record_of(const char *name)
{
    for (int i = 0; i < nrecords; i++)
        if (strcmp(records[i].name, name) == 0)
            return &records[i];
    fail_msg("no record '%s'", name);
    return NULL;
}

/* The picture of a record; its pixels are the record's. */
static struct picture picture_of(const struct record *r)
{
    struct picture p = {(int)r->number[0], (int)r->number[1], (int)r->number[2],
                        (uint8_t *)(uintptr_t)r->bytes};
    assert_int_equal(r->n, p.width * p.height * p.channels);
    return p;
}

/* The largest difference of two pictures of one size. */
static int apart(const struct picture *a, const struct picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    int most = 0;
    for (int i = 0; i < a->width * a->height * a->channels; i++) {
        int d = abs(a->pixels[i] - b->pixels[i]);
        most = d > most ? d : most;
    }
    return most;
}

#endif
