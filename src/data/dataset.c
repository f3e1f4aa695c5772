/* See dataset.h. */
#include "data/dataset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checksum.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/rng.h"
#include "data/sha256.h"

struct dataset *dataset_new(const char *name, const char *spec, int image, int channels,
                            int classes, const char *const *class_names,
                            const struct data_options *o)
{
    struct dataset *d = xcalloc(1, sizeof *d);
    d->name = xstrdup(name);
    d->spec = xstrdup(spec);
    d->look = (struct look){.image = image,
                            .channels = channels,
                            .scale = 1,
                            .resize = RESIZE_ANTIALIAS,
                            .pad = o->pad,
                            .exact = true};
    d->classes = classes;
    d->seed = o->seed;
    d->work = xcalloc(POOL_MOST, sizeof *d->work);
    d->class_names = xcalloc((size_t)classes, sizeof *d->class_names);
    for (int k = 0; k < classes; k++)
        d->class_names[k] = xstrdup(class_names[k]);
    return d;
}

static void split_free(struct split *s)
{
    free(s->images);
    free(s->labels);
    free(s->sums);
    free(s->seen);
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
    split_free(&d->train);
    split_free(&d->validation);
    split_free(&d->test);
    for (int i = 0; i < POOL_MOST; i++)
        view_work_free(&d->work[i]);
    free(d->work);
    free(d->class_names);
    free(d->name);
    free(d->spec);
    free(d);
}

void split_alloc(struct split *s, uint32_t n, bool sums)
{
    s->n = n;
    s->images = xcalloc(n, sizeof *s->images);
    s->labels = xcalloc(n, sizeof *s->labels);
    s->sums = sums ? xcalloc(n, sizeof *s->sums) : NULL;
    s->seen = sums ? xcalloc(n / 64 + 1, sizeof *s->seen) : NULL;
}

bool split_intact(const struct split *s, uint32_t i)
{
    uint64_t bit = (uint64_t)1 << i % 64;
    if (!s->sums || __atomic_load_n(&s->seen[i / 64], __ATOMIC_RELAXED) & bit)
        return true;
    if (checksum(0, s->images[i].bytes, s->images[i].size) != s->sums[i])
        return false;
    __atomic_fetch_or(&s->seen[i / 64], bit, __ATOMIC_RELAXED);
    return true;
}

const struct split *dataset_split(const struct dataset *d, enum split_name name)
{
    if (name == SPLIT_TRAIN)
        return &d->train;
    return name == SPLIT_VALIDATION && d->validation.n > 0 ? &d->validation : &d->test;
}

// ---- which images are used ---------------------------------------------------------------

// Images by class, each class in random order: those of class k are
// list[start[k]] … list[start[k+1] - 1].
struct hand {
    uint32_t *start, *list;
};

static struct hand shuffle(const struct split *s, int classes, uint64_t seed, int which)
{
    struct hand h = {xcalloc((size_t)classes + 1, sizeof *h.start),
                     xcalloc(s->n, sizeof *h.list)};
    uint32_t *members = xcalloc(s->n, sizeof *members), *at = NULL;
    uint32_t *order = xcalloc(s->n, sizeof *order);
    for (uint32_t i = 0; i < s->n; i++)
        h.start[s->labels[i] + 1]++;
    for (int k = 0; k < classes; k++)
        h.start[k + 1] += h.start[k];
    at = xcalloc((size_t)classes, sizeof *at);
    for (uint32_t i = 0; i < s->n; i++) {
        int k = s->labels[i];
        members[h.start[k] + at[k]++] = i;
    }
    for (int k = 0; k < classes; k++) {
        uint32_t first = h.start[k], m = h.start[k + 1] - first;
        struct rng r = rng_key(seed, (uint64_t)which << 32 | (uint64_t)k, RNG_SUBSET);
        rng_permutation(&r, order, m);
        for (uint32_t i = 0; i < m; i++)
            h.list[first + i] = members[first + order[i]];
    }
    free(members);
    free(order);
    free(at);
    return h;
}

static void hand_free(struct hand *h)
{
    free(h->start);
    free(h->list);
}

static void take(struct split *to, const struct split *from, uint32_t i)
{
    to->images[to->n] = from->images[i];
    to->labels[to->n] = from->labels[i];
    if (to->sums)
        to->sums[to->n] = from->sums[i];
    to->n++;
}

// Room for n images, none there yet.
static struct split room(const struct split *like, uint32_t n)
{
    struct split s;
    split_alloc(&s, n, like->sums);
    s.n = 0;
    return s;
}

static void replace(struct split *s, struct split by)
{
    split_free(s);
    *s = by;
}

// `want` images dealt in turn from the classes; the last held[k] of class k stay.
static struct split deal(const struct split *from, const struct hand *h, int classes,
                         const uint32_t *held, uint32_t want)
{
    struct split to = room(from, want);
    for (uint32_t round = 0; to.n < want; round++)
        for (int k = 0; k < classes && to.n < want; k++)
            if (round < h->start[k + 1] - h->start[k] - held[k])
                take(&to, from, h->list[h->start[k] + round]);
    return to;
}

// The held images, dealt in turn from the end of each class.
static struct split deal_held(const struct split *from, const struct hand *h, int classes,
                              const uint32_t *held, uint32_t want)
{
    struct split to = room(from, want);
    for (uint32_t round = 0; to.n < want; round++)
        for (int k = 0; k < classes; k++)
            if (round < held[k])
                take(&to, from, h->list[h->start[k + 1] - 1 - round]);
    return to;
}

// All that are not held, in their order.
static struct split others(const struct split *from, const struct hand *h, int classes,
                           const uint32_t *held, uint32_t want)
{
    struct split to = room(from, want);
    bool *gone = xcalloc(from->n, sizeof *gone);
    for (int k = 0; k < classes; k++)
        for (uint32_t i = 0; i < held[k]; i++)
            gone[h->list[h->start[k + 1] - 1 - i]] = true;
    for (uint32_t i = 0; i < from->n; i++)
        if (!gone[i])
            take(&to, from, i);
    free(gone);
    return to;
}

// How many of `want` images each class gives: its share, rounded so that they are `want` (the
// largest remainders are rounded up, of equal ones those of the first classes).
static uint32_t *shares(const struct hand *h, int classes, uint32_t want)
{
    uint64_t n = h->start[classes];
    uint32_t *share = xcalloc((size_t)classes, sizeof *share), given = 0;
    uint64_t *rest = xcalloc((size_t)classes, sizeof *rest);
    for (int k = 0; k < classes; k++) {
        uint64_t exact = (uint64_t)want * (h->start[k + 1] - h->start[k]);
        given += share[k] = (uint32_t)(exact / n);
        rest[k] = exact % n;
    }
    for (; given < want; given++) {
        int most = 0;
        for (int k = 1; k < classes; k++)
            if (rest[k] > rest[most])
                most = k;
        share[most]++;
        rest[most] = 0;
    }
    free(rest);
    return share;
}

// Only `want` images of a split are left, after `out` are taken out of it (out->n of them are
// asked for).  want 0: all others.
static void choose(struct split *s, uint32_t want, struct split *out, uint32_t held_n,
                   int classes, uint64_t seed, int which)
{
    if (held_n == 0 && (want == 0 || want == s->n))
        return;
    struct hand h = shuffle(s, classes, seed, which);
    uint32_t *held = shares(&h, classes, held_n), rest = s->n - held_n;
    if (held_n)
        *out = deal_held(s, &h, classes, held, held_n);
    replace(s, want == 0 || want == rest ? others(s, &h, classes, held, rest)
                                         : deal(s, &h, classes, held, want));
    free(held);
    hand_free(&h);
}

static bool enough(const struct split *s, const char *what, uint32_t want, struct error *e)
{
    return want <= s->n ||
           error_set(e, "%u %s images asked for; there are %u", want, what, s->n);
}

bool dataset_choose(struct dataset *d, const struct data_options *o, struct error *e)
{
    bool apart = d->validation.n > 0; // the files have validation images
    uint32_t n = d->train.n, held = o->validation;
    if (!enough(&d->train, "training", o->train, e) || !enough(&d->test, "test", o->test, e))
        return false;
    if (held == VALIDATION_DEFAULT) {
        uint32_t all = apart ? d->validation.n : n / 10;
        held = o->test && !(apart && o->test > all) ? o->test : all;
    }
    if (apart && held == 0)
        replace(&d->validation, (struct split){0});
    else if (apart) {
        if (!enough(&d->validation, "validation", held, e))
            return false;
        choose(&d->validation, held, NULL, 0, d->classes, d->seed, 2);
        held = 0;
    }
    uint32_t least = o->train ? o->train : 1;
    if (held && (held >= n || least > n - held))
        return error_set(e,
                         "%u training and %u validation images asked for; both are taken out "
                         "of %u training images (validation = 0 takes none)",
                         least, held, n);
    choose(&d->train, o->train, &d->validation, held, d->classes, d->seed, 0);
    choose(&d->test, o->test, NULL, 0, d->classes, d->seed, 1);
    return true;
}

// ---- the functions of struct source (model/train.h); self is a struct dataset ------------

static const char *const split_words[] = {"training", "validation", "test"};

// A batch, which the threads of the pool make, each taking the next image.
struct batch {
    const struct dataset *d;
    enum split_name split;
    float *x;
    int *labels, n;
    const uint32_t *index; // which images; NULL: from `first` on, as they are tested
    uint32_t first;
    const struct augment *augment;
    uint64_t seed;
    int epoch;
    atomic_int next;
    int failed[POOL_MOST]; // the first image that a thread could not read; n: none
};

// Whether image i of a split can be used.
static bool intact(const struct dataset *d, const struct split *s, uint32_t i,
                   struct view_work *work)
{
    return split_intact(s, i) ||
           error_set(&work->error,
                     "its bytes are not those that were written; the pack is damaged%s",
                     strncmp(d->spec, "pack:", 5) == 0 ? ": `netspace pack` makes it again"
                                                       : "");
}

static uint32_t image_of(const struct batch *b, int i)
{
    return b->index ? b->index[i] : b->first + (uint32_t)i;
}

// Image i of the batch, with its label.
static bool make_image(const struct batch *b, int i, struct view_work *work)
{
    const struct dataset *d = b->d;
    const struct split *s = b->index ? &d->train : dataset_split(d, b->split);
    size_t side = (size_t)d->look.image;
    float *x = b->x + (size_t)i * side * side * (size_t)d->look.channels;
    uint32_t k = image_of(b, i);
    assert(k < s->n);
    if (!intact(d, s, k, work) ||
        !(b->index ? view_train(x, &s->images[k], d->layout, &d->look, b->augment, b->seed,
                                b->epoch, k, work)
                   : view_test(x, &s->images[k], d->layout, &d->look, work)))
        return false;
    b->labels[i] = d->relabel && !b->index ? d->relabel[s->labels[k]] : s->labels[k];
    return true;
}

static void make_some(void *self, int thread)
{
    struct batch *b = self;
    int i = 0;
    while ((i = atomic_fetch_add(&b->next, 1)) < b->n &&
           make_image(b, i, &b->d->work[thread]))
        ;
    b->failed[thread] = i < b->n ? i : b->n;
}

// Of several images that cannot be read the first is named.
static bool make_batch(struct batch *b, struct error *e)
{
    int first = b->n, whose = 0;
    pool_run(make_some, b);
    for (int t = 0; t < pool_threads(); t++)
        if (b->failed[t] < first)
            first = b->failed[t], whose = t;
    return first == b->n ||
           error_set(e, "%s: %s image %u cannot be read: %s", b->d->spec,
                     split_words[b->split], image_of(b, first) + 1,
                     b->d->work[whose].error.msg);
}

static bool train_batch(const void *self, float *x, int *labels, const uint32_t *index, int n,
                        const struct augment *augment, uint64_t seed, int epoch,
                        struct error *e)
{
    struct batch b = {.d = self,
                      .split = SPLIT_TRAIN,
                      .x = x,
                      .labels = labels,
                      .n = n,
                      .index = index,
                      .augment = augment,
                      .seed = seed,
                      .epoch = epoch};
    return make_batch(&b, e);
}

static bool test_batch(const void *self, enum split_name split, float *x, int *labels,
                       uint32_t first, int n, struct error *e)
{
    struct batch b = {
        .d = self, .split = split, .x = x, .labels = labels, .n = n, .first = first};
    return make_batch(&b, e);
}

void dataset_resize(struct dataset *d, const struct data_options *o, int side)
{
    if (o->image)
        d->look.image = o->image;
    d->look.exact = d->look.image == side;
    d->look.scale = o->scale > 0 ? o->scale : d->look.exact ? 1 : 8.0 / 7;
    d->look.resize = o->resize;
}

void dataset_ready(struct dataset *d, const double mean[3], const double std[3])
{
    for (int c = 0; c < 3; c++) {
        d->mean[c] = mean[c];
        d->std[c] = std[c];
    }
    look_normalise(&d->look, mean, std);
    d->source = (struct source){.self = d,
                                .image = d->look.image,
                                .channels = d->look.channels,
                                .classes = d->classes,
                                .shared = d->validation.n == 0,
                                .train_batch = train_batch,
                                .test_batch = test_batch};
    for (int k = 0; k < SPLITS; k++)
        d->source.n[k] = dataset_split(d, (enum split_name)k)->n;
}

void dataset_see(struct dataset *seen, const struct dataset *d, const double mean[3],
                 const double std[3], const uint16_t *relabel)
{
    *seen = *d;
    seen->relabel = relabel;
    dataset_ready(seen, mean, std);
}

// ---- checksums ---------------------------------------------------------------------------

static void add_split(struct sha256 *h, const struct split *s)
{
    for (uint32_t i = 0; i < s->n && !interrupt_pending(); i++) {
        const uint8_t label[2] = {s->labels[i] & 255, (uint8_t)(s->labels[i] >> 8)};
        sha256_add(h, label, 2);
        const uint64_t of[2] = {s->images[i].size, s->sums ? s->sums[i] : 0};
        uint8_t word[12];
        for (int k = 0; k < 12; k++)
            word[k] = (uint8_t)(k < 4 ? of[0] >> 8 * k : of[1] >> 8 * (k - 4));
        if (s->sums)
            sha256_add(h, word, sizeof word);
        else
            sha256_add(h, s->images[i].bytes, s->images[i].size);
    }
}

// What makes numbers of the images, where it is not as it was before there was a choice.
static int look_text(char *text, size_t size, const struct dataset *d)
{
    const struct look *l = &d->look;
    int n = 0;
    *text = 0;
    if (l->pad != CROP_PAD)
        n = snprintf(text, size, " pad %d", l->pad);
    if (d->layout != LAYOUT_PLANES || !l->exact || l->scale != 1)
        n += snprintf(
            text + n, size - (size_t)n,
            " channels %d scale %.9g resize %d mean %.9g %.9g %.9g std %.9g %.9g %.9g",
            l->channels, l->scale, (int)l->resize, d->mean[0], d->mean[1], d->mean[2],
            d->std[0], d->std[1], d->std[2]);
    return n;
}

// Of two splits (the first may be NULL), after a line that begins with `counts`.
static const char *sha256(struct dataset *d, char sum[65], const char *counts,
                          const struct split *a, const struct split *b)
{
    if (*sum)
        return sum;
    struct sha256 h;
    char look[256];
    int n = look_text(look, sizeof look, d);
    sha256_init(&h);
    sha256_add(&h, counts, strlen(counts));
    sha256_add(&h, look, (size_t)n);
    sha256_add(&h, "\n", 1);
    if (a)
        add_split(&h, a);
    add_split(&h, b);
    if (interrupt_pending())
        return NULL;
    sha256_hex(&h, sum);
    return sum;
}

const char *dataset_checksum(struct dataset *d)
{
    const struct split *v = dataset_split(d, SPLIT_VALIDATION);
    char counts[64];
    snprintf(counts, sizeof counts, "%d %d %u %u", d->look.image, d->classes, d->train.n,
             v->n);
    return sha256(d, d->checksum, counts, &d->train, v);
}

const char *dataset_test_checksum(struct dataset *d)
{
    char counts[64];
    snprintf(counts, sizeof counts, "test %d %d %u", d->look.image, d->classes, d->test.n);
    return sha256(d, d->test_checksum, counts, NULL, &d->test);
}
