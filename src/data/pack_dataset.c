/* pack_dataset of pack.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/pack.h"

enum { OWN_MOST = 64, DROP_EVERY = 1 << 16 };

// The part of an image in none, by its name.
static enum part drawn(const char *name, uint64_t seed, const double share[3])
{
    uint64_t hash = rng_mix(checksum(rng_mix(seed + 1), name, strlen(name)));
    double u = (double)(hash >> 11) * 0x1p-53 * (share[0] + share[1] + share[2]);
    return u < share[0] ? PART_TRAIN : u < share[0] + share[1] ? PART_VALIDATION : PART_TEST;
}

static void forget_index(const struct pack *p, uint32_t n)
{
    uintptr_t from = (uintptr_t)p->map, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (from + p->index_at) / page * page;
    uintptr_t last = (from + p->index_at + n * sizeof(struct pack_entry)) / page * page;
    if (last > first)
        madvise((void *)first, last - first, MADV_DONTNEED);
}

// The images of a pack by part.
static bool fill(struct dataset *d, const struct pack *p, const struct pack_view *v,
                 struct error *e)
{
    bool alone = p->parts[PART_VALIDATION] + p->parts[PART_TEST] == 0;
    bool two = !alone && (!p->parts[PART_VALIDATION] || !p->parts[PART_TEST]);
    uint8_t *part = xmalloc(p->n);
    uint32_t n[3] = {0};
    for (uint32_t i = 0; i < p->n; i++) {
        int k = pack_entry(p, i).part;
        if (alone)
            k = drawn(pack_name(p, i), d->seed, v->share);
        else if (two && k == PART_VALIDATION)
            k = PART_TEST;
        part[i] = (uint8_t)k;
        if (k < PART_NONE)
            n[k]++;
        if (i % DROP_EVERY == 0) // read again below; 1.3 million images are 52 MB
            forget_index(p, i);
    }
    struct split *split[3] = {&d->train, &d->validation, &d->test};
    for (int k = 0; k < 3; k++)
        if (n[k] > 0) { // an empty validation is made by dataset_choose
            split_alloc(split[k], n[k], true);
            split[k]->n = 0;
        }
    for (uint32_t i = 0; i < p->n; i++) {
        struct pack_entry x = pack_entry(p, i);
        if (part[i] < PART_NONE) {
            struct split *s = split[part[i]];
            s->images[s->n] = (struct stored){p->map + x.at, x.bytes, x.width, x.height};
            s->labels[s->n] = x.label;
            s->sums[s->n++] = x.sum;
        }
        if (i % DROP_EVERY == 0)
            forget_index(p, i);
    }
    forget_index(p, p->n);
    free(part);
    if (d->test.n == 0 && alone)
        return error_set(
            e,
            "%.300s: none of its %u images is drawn as a test image; more images, "
            "another seed, or a larger third share of split gives some",
            d->spec, p->n);
    return d->test.n > 0 ||
           error_set(e, "%.300s has no test images beside those of training", d->spec);
}

// Images lie in a pack in the order of its index.
const char *dataset_name(const struct dataset *d, const struct stored *s)
{
    if (!d->pack.map)
        return NULL;
    uint64_t at = (uint64_t)(s->bytes - d->pack.map);
    struct pack_entry x;
    for (uint32_t low = 0, high = d->pack.n; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        memcpy(&x, d->pack.map + d->pack.index_at + middle * sizeof x, sizeof x);
        if (x.at == at)
            return (const char *)d->pack.map + d->pack.names_at + x.name;
        if (x.at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool every_class(const struct dataset *d, struct error *e)
{
    uint32_t *count = xcalloc((size_t)d->classes, sizeof *count);
    for (uint32_t i = 0; i < d->train.n; i++)
        count[d->train.labels[i]]++;
    int k = 0;
    while (k < d->classes && count[k])
        k++;
    free(count);
    return k == d->classes ||
           error_set(
               e,
               "%.200s: no image of class '%.100s' is among the %u training images; more of "
               "them, or another seed or split, are needed",
               d->spec, d->class_names[k], d->train.n);
}

static bool check_bad(const struct pack *p, const struct pack_view *v, struct error *e)
{
    return p->nbad == 0 || v->skip_bad ||
           error_set(
               e,
               "%.150s: %u of %u files cannot be read, the first is '%.100s': %.100s; bad = "
               "\"skip\" goes on without them",
               v->spec, p->nbad, p->nbad + p->n, p->bad[0].name, p->bad[0].reason);
}

struct dataset *pack_dataset(struct pack *p, const struct data_options *o,
                             const struct pack_view *v, struct error *e)
{
    // torchvision's, of 0 … 1
    static const double mean[3] = {0.485 * 255, 0.456 * 255, 0.406 * 255},
                        deviation[3] = {0.229 * 255, 0.224 * 255, 0.225 * 255};
    if (!check_bad(p, v, e)) {
        pack_close(p);
        return NULL;
    }
    struct pack_entry first = pack_entry(p, 0);
    bool square = p->one_size && first.width == first.height;
    int image = square && first.width <= OWN_MOST ? first.width : OWN_MOST;
    struct dataset *d = dataset_new(v->name, v->spec, image, p->channels, p->classes,
                                    (const char *const *)p->class_names, o);
    d->layout = p->layout;
    dataset_resize(d, o, square ? first.width : 0);
    bool good = fill(d, p, v, e) && dataset_choose(d, o, e) && every_class(d, e);
    if (good && v->imagenet && p->channels == 3)
        dataset_ready(d, mean, deviation);
    else if (good)
        dataset_ready(d, p->mean, p->deviation);
    d->maps[0].at = (void *)p->map; // from now on the data set's
    d->maps[d->nmaps++].bytes = p->bytes;
    d->pack.map = p->map;
    d->pack.index_at = p->index_at;
    d->pack.names_at = p->names_at;
    d->pack.n = p->n;
    p->map = NULL;
    pack_close(p);
    if (!good) {
        dataset_free(d);
        return NULL;
    }
    return d;
}
