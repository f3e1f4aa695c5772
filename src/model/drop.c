/* See drop.h. */
#include "model/drop.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/layers.h"

struct drops {
    const struct plan *plan;
    struct drop what;
    struct rng head;         // where the draws of dropout begin
    struct survival *depths; // of each operation; those that add no shortcut have no state
    unsigned char *kept;     // of each of these that does, and of each image
    float *states;
    size_t bytes; // of states
};

static bool drops(const struct op *o)
{
    return o->kind == OP_NORM && o->add != NONE;
}

static size_t state_floats(const struct plan *p, const struct op *o)
{
    return drops(o) ? survival_floats((size_t)p->tensors[o->in].C) : 0;
}

size_t drops_bytes(const struct plan *p)
{
    size_t floats = 0;
    for (int i = 0; i < p->n; i++)
        floats += state_floats(p, &p->ops[i]);
    return floats * sizeof(float);
}

struct drops *drops_new(const struct plan *p)
{
    size_t images = (size_t)p->batch;
    struct drops *d = xcalloc(1, sizeof *d);
    d->plan = p;
    d->depths = xcalloc((size_t)p->n, sizeof *d->depths);
    d->kept = xcalloc((size_t)p->n, images);
    d->bytes = drops_bytes(p);
    d->states = block_alloc(d->bytes);
    if (!d->states) {
        drops_free(d);
        return NULL;
    }
    float *at = d->states;
    for (int i = 0; i < p->n; at += state_floats(p, &p->ops[i++])) {
        const struct tensor *x = &p->tensors[p->ops[i].in];
        if (drops(&p->ops[i]))
            d->depths[i] = (struct survival){.kept = d->kept + (size_t)i * images,
                                             .rows = (size_t)x->H * (size_t)x->W,
                                             .state = at};
    }
    return d;
}

void drops_free(struct drops *d)
{
    if (!d)
        return;
    block_free(d->states, d->bytes);
    free(d->depths);
    free(d->kept);
    free(d);
}

void drops_draw(struct drops *d, const struct drop *what, uint64_t seed, int epoch,
                uint32_t step)
{
    const struct plan *p = d->plan;
    uint64_t index = (uint64_t)epoch << 32 | step;
    d->what = *what;
    d->head = rng_key(seed, index, RNG_DROPOUT);
    struct rng r = rng_key(seed, index, RNG_DEPTH);
    for (int i = 0; i < p->n && what->depth > 0; i++) {
        const struct op *o = &p->ops[i];
        if (!drops(o))
            continue;
        double rate = (double)what->depth;
        if (!what->constant)
            rate *= (double)o->block / p->blocks;
        d->depths[i].scale = (float)(1 / (1 - rate));
        for (int k = 0; k < p->batch; k++)
            d->kept[(size_t)i * (size_t)p->batch + (size_t)k] = rng_uniform(&r) >= rate;
    }
}

const struct survival *drops_of(const struct drops *d, int op)
{
    return d && d->what.depth > 0 && drops(&d->plan->ops[op]) ? &d->depths[op] : NULL;
}

void drops_apply(const struct drops *d, float *x, size_t N, size_t C)
{
    if (!d || d->what.dropout == 0)
        return;
    struct rng r = d->head;
    double rate = (double)d->what.dropout;
    float scale = (float)(1 / (1 - rate));
    for (size_t i = 0; i < N * C; i++)
        x[i] *= rng_uniform(&r) >= rate ? scale : 0;
}
