/* See dataset.h. */
#include "data/dataset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/batch.h"
#include "data/sha256.h"

struct dataset *dataset_new(const char *name, const char *spec, int image, int classes,
                            const char *const *class_names, const struct data_options *o)
{
    struct dataset *d = xcalloc(1, sizeof *d);
    d->name = xstrdup(name);
    d->spec = xstrdup(spec);
    d->image = image;
    d->classes = classes;
    d->seed = o->seed;
    d->pad = o->pad;
    d->class_names = xcalloc((size_t)classes, sizeof *d->class_names);
    for (int k = 0; k < classes; k++)
        d->class_names[k] = xstrdup(class_names[k]);
    return d;
}

void dataset_free(struct dataset *d)
{
    if (!d)
        return;
    for (int k = 0; k < d->classes; k++)
        free(d->class_names[k]);
    for (int i = 0; i < d->nmaps; i++)
        munmap(d->maps[i].at, d->maps[i].bytes);
    block_free(d->block, d->block_bytes);
    free(d->class_names);
    free(d->train.pixels);
    free(d->train.labels);
    free(d->test.pixels);
    free(d->test.labels);
    free(d->name);
    free(d->spec);
    free(d);
}

void split_alloc(struct split *s, uint32_t n)
{
    s->n = n;
    s->pixels = xcalloc(n, sizeof *s->pixels);
    s->labels = xcalloc(n, sizeof *s->labels);
}

bool split_subset(struct split *s, const char *what, uint32_t want, int classes,
                  uint64_t seed, int which, struct error *e)
{
    if (want > s->n)
        return error_set(e, "%u %s images asked for; there are %u", want, what, s->n);
    if (want == 0 || want == s->n)
        return true;
    // images[start[k] … start[k+1]-1]: those of class k, in random order
    uint32_t *start = xcalloc((size_t)classes + 1, sizeof *start);
    uint32_t *images = xcalloc(s->n, sizeof *images), *order = xcalloc(s->n, sizeof *order);
    uint32_t at = 0;
    for (int k = 0; k < classes; k++) {
        start[k] = at;
        for (uint32_t i = 0; i < s->n; i++)
            if (s->labels[i] == k)
                order[at++] = i;
        uint32_t m = at - start[k], *from = order + start[k];
        struct rng r = rng_key(seed, (uint64_t)which << 32 | (uint64_t)k, RNG_SUBSET);
        uint32_t *p = xcalloc(m, sizeof *p);
        rng_permutation(&r, p, m);
        for (uint32_t i = 0; i < m; i++)
            images[start[k] + i] = from[p[i]];
        free(p);
    }
    start[classes] = at;
    struct split sub;
    split_alloc(&sub, want);
    for (uint32_t n = 0, round = 0; n < want; round++)
        for (int k = 0; k < classes && n < want; k++)
            if (round < start[k + 1] - start[k]) {
                uint32_t i = images[start[k] + round];
                sub.pixels[n] = s->pixels[i];
                sub.labels[n++] = s->labels[i];
            }
    free(start);
    free(images);
    free(order);
    free(s->pixels);
    free(s->labels);
    *s = sub;
    return true;
}

// The functions of struct source (model/train.h); self is a struct dataset.
static void train_batch(const void *self, float *x, int *labels, const uint32_t *index, int n,
                        uint64_t seed, int epoch)
{
    const struct dataset *d = self;
    size_t image = 3 * (size_t)d->image * (size_t)d->image;
    for (int i = 0; i < n; i++, x += image) {
        assert(index[i] < d->train.n);
        crop_image(x, d->train.pixels[index[i]], d->image, d->level,
                   crop_draw(d->pad, seed, epoch, index[i]));
        labels[i] = d->train.labels[index[i]];
    }
}

static void test_batch(const void *self, float *x, int *labels, uint32_t first, int n)
{
    const struct dataset *d = self;
    size_t image = 3 * (size_t)d->image * (size_t)d->image;
    assert(first + (uint32_t)n <= d->test.n);
    for (uint32_t i = first; i < first + (uint32_t)n; i++, x += image) {
        crop_image(x, d->test.pixels[i], d->image, d->level, (struct crop){0, 0, false});
        *labels++ = d->test.labels[i];
    }
}

void dataset_ready(struct dataset *d, const double mean[3], const double std[3])
{
    for (int c = 0; c < 3; c++) {
        d->mean[c] = mean[c];
        d->std[c] = std[c];
        for (int v = 0; v < 256; v++)
            d->level[c][v] = (float)((v - mean[c]) / std[c]);
    }
    d->source = (struct source){d,          d->image,  3,           d->classes,
                                d->train.n, d->test.n, train_batch, test_batch};
}

static void checksum_split(struct sha256 *h, const struct split *s, size_t bytes)
{
    for (uint32_t i = 0; i < s->n && !interrupt_pending(); i++) {
        const uint8_t label[2] = {s->labels[i] & 255, (uint8_t)(s->labels[i] >> 8)};
        sha256_add(h, label, 2);
        sha256_add(h, s->pixels[i], bytes);
    }
}

const char *dataset_checksum(struct dataset *d)
{
    if (!*d->checksum) {
        struct sha256 h;
        char head[80];
        int n = snprintf(head, sizeof head, "%d %d %u %u", d->image, d->classes, d->train.n,
                         d->test.n);
        if (d->pad != CROP_PAD)
            n += snprintf(head + n, sizeof head - (size_t)n, " pad %d", d->pad);
        head[n++] = '\n';
        sha256_init(&h);
        sha256_add(&h, head, (size_t)n);
        size_t bytes = 3 * (size_t)d->image * (size_t)d->image;
        checksum_split(&h, &d->train, bytes);
        checksum_split(&h, &d->test, bytes);
        if (interrupt_pending())
            return NULL;
        sha256_hex(&h, d->checksum);
    }
    return d->checksum;
}
