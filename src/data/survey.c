/* See survey.h. */
#include "data/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "data/pack.h"

// What tells one image from another, and where it is.
struct mark {
    uint64_t key;
    uint32_t size, image;
    uint16_t label;
    uint8_t split;
};

static int by_key(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    if (x->split != y->split)
        return x->split < y->split ? -1 : 1;
    return x->image < y->image ? -1 : x->image > y->image;
}

static bool same(const struct mark *a, const struct mark *b)
{
    return a->key == b->key && a->size == b->size;
}

// A group of n equal images, in order of their splits.
static void note_group(struct survey *s, const struct mark *m, size_t n)
{
    uint32_t in[SPLITS] = {0};
    bool differ = false;
    for (size_t i = 0; i < n; i++) {
        in[m[i].split]++;
        differ = differ || m[i].label != m[0].label;
    }
    for (int a = 0; a < SPLITS; a++) {
        s->again[a][a] += in[a] > 1 ? in[a] - 1 : 0;
        for (int b = 0; b < SPLITS; b++)
            if (b != a && in[b] > 0)
                s->again[a][b] += in[a];
    }
    s->mislabelled += differ;
    for (size_t i = 1; i < n && s->nfirst < (int)(sizeof s->first / sizeof *s->first); i++)
        s->first[s->nfirst++] = (struct same){m[0].image, m[i].image, m[0].split, m[i].split,
                                              m[0].label != m[i].label};
}

static void find_same(struct survey *s, struct mark *marks, size_t n)
{
    qsort(marks, n, sizeof *marks, by_key);
    for (size_t i = 0, to; i < n; i = to) {
        for (to = i + 1; to < n && same(&marks[i], &marks[to]); to++)
            ;
        if (to - i > 1)
            note_group(s, marks + i, to - i);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void summarise(uint32_t of[3], uint32_t *values, size_t n)
{
    if (n == 0)
        return;
    qsort(values, n, sizeof *values, by_value);
    of[0] = values[0], of[1] = values[n / 2], of[2] = values[n - 1];
}

bool survey_make(struct survey *s, const struct dataset *d)
{
    size_t n = (size_t)d->train.n + d->validation.n + d->test.n, at = 0;
    const struct split *const splits[SPLITS] = {&d->train, &d->validation, &d->test};
    struct mark *marks = xcalloc(n + 1, sizeof *marks);
    uint32_t *width = xcalloc(n + 1, sizeof *width), *height = xcalloc(n + 1, sizeof *height);
    memset(s, 0, sizeof *s);
    for (int k = 0; k < SPLITS; k++) {
        s->of[k] = xcalloc((size_t)d->classes, sizeof **s->of);
        for (uint32_t i = 0; i < splits[k]->n && !interrupt_pending(); i++, at++) {
            const struct stored *x = &splits[k]->images[i];
            struct mark *m = &marks[at];
            *m = (struct mark){.size = x->size,
                               .image = i,
                               .label = splits[k]->labels[i],
                               .split = (uint8_t)k};
            m->key = splits[k]->sums ? splits[k]->sums[i] : checksum(0, x->bytes, x->size);
            s->of[k][m->label].n++;
            s->of[k][m->label].bytes += x->size;
            width[at] = x->width, height[at] = x->height;
        }
    }
    if (!interrupt_pending()) {
        summarise(s->width, width, n);
        summarise(s->height, height, n);
        s->one_size = s->width[0] == s->width[2] && s->height[0] == s->height[2];
        find_same(s, marks, n);
    }
    free(marks);
    free(width);
    free(height);
    return !interrupt_pending();
}

void survey_end(struct survey *s)
{
    for (int k = 0; k < SPLITS; k++)
        free(s->of[k]);
}

void survey_files(struct survey_files *s, const struct pack *p)
{
    uint32_t *values[3], *const of[3] = {s->width, s->height, s->bytes};
    memset(s, 0, sizeof *s);
    for (int k = 0; k < 3; k++)
        values[k] = xcalloc((size_t)p->n + 1, sizeof *values[k]);
    for (uint32_t i = 0; i < p->n; i++) {
        struct pack_entry x = pack_entry(p, i);
        values[0][i] = x.file_width, values[1][i] = x.file_height,
        values[2][i] = x.file_bytes;
    }
    for (int k = 0; k < 3; k++) {
        summarise(of[k], values[k], p->n);
        free(values[k]);
    }
}
