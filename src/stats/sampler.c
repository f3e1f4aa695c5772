/* See sampler.h.  A single value is drawn by Walker's alias method (one multiplication and
 * one comparison whatever the size of the table); an ordered vector by the sums of a
 * backward pass over its stages: tail(v) is the weight of all ways to go on from v. */
#include "stats/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/rng.h"

enum { SLOTS = 4 * ARCH_STAGES, PIECE = 128 };  // candidates that a thread walks at once
static const uint64_t MOST = (uint64_t)1 << 36; // that threads walk together

struct alias {
    int n;
    double *value;
    uint64_t *keep; // of 2^32: below it the cell's own value, else the other's
    int *other;
};

struct link { // one slot of an ordered vector
    int n;
    double *value;
    double *tail; // n + 1 sums of p·(tail of the next link), from i on
    int *next;    // first value of the next link that is not below value[i]
};

struct factor {
    enum sampler_bond bond;
    int n, slot[ARCH_STAGES];
    struct alias one;   // BOND_EQUAL (also every lone slot), BOND_SORTED: a single value
    struct link *links; // BOND_UP
};

struct sampler {
    enum sampler_kind kind;
    struct arch base;
    int slots, factors;
    struct factor factor[SLOTS];
    bool bound[SLOTS], groups;
    double share;
    double lo[WINDOWS], hi[WINDOWS];
    const struct timing *timing; // or NULL
    int batch;
    enum mode mode;
    struct sampler_counts counts;
    uint64_t *set; // hashes of the kept networks: open addressing, 0 is empty
    size_t set_size, set_used;
};

static const struct sampler_counts NOTHING = {
    .least = {INFINITY, INFINITY, INFINITY, INFINITY},
};

struct sampler *sampler_new(enum sampler_kind kind, const struct arch *base)
{
    struct sampler *s = xcalloc(1, sizeof *s);
    s->kind = kind;
    s->base = *base;
    s->slots = kind == SAMPLE_ANYNET ? 4 * base->stages : 6;
    s->share = 1;
    s->counts = NOTHING;
    for (int i = 0; i < WINDOWS; i++) {
        s->lo[i] = -INFINITY;
        s->hi[i] = INFINITY;
    }
    return s;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->factors; i++) {
        struct factor *f = &s->factor[i];
        free(f->one.value);
        free(f->one.keep);
        free(f->one.other);
        for (int j = 0; f->links && j < f->n; j++) {
            free(f->links[j].value);
            free(f->links[j].tail);
            free(f->links[j].next);
        }
        free(f->links);
    }
    free(s->set);
    free(s);
}

int sampler_slots(const struct sampler *s)
{
    return s->slots;
}

int sampler_stages(const struct sampler *s)
{
    return s->base.stages;
}

void sampler_by_groups(struct sampler *s)
{
    s->groups = true;
}

static double total(const struct distribution *d)
{
    double sum = 0;
    for (int i = 0; i < d->n; i++)
        sum += d->p[i];
    return sum;
}

/* Vose's construction; p sums to `sum`. */
static void alias_init(struct alias *a, int n, const double *value, const double *p,
                       double sum)
{
    a->n = n;
    a->value = xmalloc((size_t)n * sizeof *a->value);
    a->keep = xmalloc((size_t)n * sizeof *a->keep);
    a->other = xmalloc((size_t)n * sizeof *a->other);
    double *scaled = xmalloc((size_t)n * sizeof *scaled);
    int *small = xmalloc((size_t)n * sizeof *small),
        *large = xmalloc((size_t)n * sizeof *large);
    int smalls = 0, larges = 0;
    for (int i = 0; i < n; i++) {
        a->value[i] = value[i];
        a->keep[i] = (uint64_t)1 << 32;
        a->other[i] = i;
        scaled[i] = p[i] * n / sum;
        if (scaled[i] < 1)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls && larges) {
        int i = small[--smalls], j = large[--larges];
        a->keep[i] = (uint64_t)rint(scaled[i] * 0x1p32);
        a->other[i] = j;
        scaled[j] -= 1 - scaled[i];
        if (scaled[j] < 1)
            small[smalls++] = j;
        else
            large[larges++] = j;
    }
    free(scaled);
    free(small);
    free(large);
}

static double alias_draw(const struct alias *a, struct rng *r)
{
    uint64_t u = rng_u64(r);
    uint64_t i = (u >> 32) * (uint64_t)a->n >> 32;
    return a->value[(u & 0xffffffff) < a->keep[i] ? (int)i : a->other[i]];
}

/* One value for all slots: of those they share, with the product of their weights. */
static bool bind_equal(struct sampler *s, struct factor *f, const struct distribution *dist)
{
    int n = 0, at[ARCH_STAGES] = {0};
    double scale = 1, sum = 0;
    double *value = xmalloc((size_t)dist->n * sizeof *value);
    double *p = xmalloc((size_t)dist->n * sizeof *p);
    for (int k = 0; k < f->n; k++)
        scale /= total(&dist[k]);
    for (int i = 0; i < dist->n; i++) {
        double v = dist->value[i], weight = dist->p[i] * scale;
        for (int k = 1; k < f->n; k++) {
            while (at[k] < dist[k].n && dist[k].value[at[k]] < v)
                at[k]++;
            bool has = at[k] < dist[k].n && dist[k].value[at[k]] == v;
            weight *= has ? dist[k].p[at[k]] : 0;
        }
        if (weight > 0) {
            value[n] = v;
            p[n++] = weight;
            sum += weight;
        }
    }
    if (n)
        alias_init(&f->one, n, value, p, sum);
    s->share *= sum;
    free(value);
    free(p);
    return n > 0;
}

static bool bind_up(struct sampler *s, struct factor *f, const struct distribution *dist)
{
    f->links = xcalloc((size_t)f->n, sizeof *f->links);
    for (int k = f->n - 1; k >= 0; k--) {
        struct link *l = &f->links[k], *after = k + 1 < f->n ? l + 1 : NULL;
        const struct distribution *d = &dist[k];
        size_t n = (size_t)d->n;
        double sum = total(d);
        l->n = d->n;
        l->value = xmalloc(n * sizeof *l->value);
        l->tail = xmalloc((n + 1) * sizeof *l->tail);
        l->next = xmalloc(n * sizeof *l->next);
        l->tail[n] = 0;
        for (int i = d->n - 1, to = after ? after->n : 0; i >= 0; i--) {
            while (to > 0 && after->value[to - 1] >= d->value[i])
                to--;
            l->value[i] = d->value[i];
            l->next[i] = to;
            l->tail[i] = l->tail[i + 1] + d->p[i] / sum * (after ? after->tail[to] : 1);
        }
    }
    s->share *= f->links[0].tail[0];
    return f->links[0].tail[0] > 0;
}

// Independent draws from what must be one distribution, to be sorted.
static bool bind_sorted(struct factor *f, const struct distribution *dist)
{
    size_t bytes = (size_t)dist->n * sizeof *dist->value;
    for (int k = 1; k < f->n; k++)
        if (dist[k].n != dist->n || memcmp(dist[k].value, dist->value, bytes) != 0 ||
            memcmp(dist[k].p, dist->p, bytes) != 0)
            return false;
    alias_init(&f->one, dist->n, dist->value, dist->p, total(dist));
    return true;
}

static void sorted_draw(const struct factor *f, double *x, struct rng *rng)
{
    for (int k = 0; k < f->n; k++) {
        double v = alias_draw(&f->one, rng);
        int at = k;
        for (; at > 0 && x[f->slot[at - 1]] > v; at--)
            x[f->slot[at]] = x[f->slot[at - 1]];
        x[f->slot[at]] = v;
    }
}

/* A point r of the tail's total, counted from its far end, falls on the value i with
 * tail[i+1] < r <= tail[i]; there is one because 0 < r <= tail[from]. */
static void up_draw(const struct factor *f, double *x, struct rng *rng)
{
    int from = 0;
    for (int k = 0; k < f->n; k++) {
        const struct link *l = &f->links[k];
        double r = l->tail[from] * (1 - rng_uniform(rng));
        int lo = from, hi = l->n;
        while (hi - lo > 1) {
            int mid = lo + (hi - lo) / 2;
            if (l->tail[mid] >= r)
                lo = mid;
            else
                hi = mid;
        }
        x[f->slot[k]] = l->value[lo];
        from = l->next[lo];
    }
}

bool sampler_bind(struct sampler *s, enum sampler_bond bond, int n, const int *slots,
                  const struct distribution *dist, struct error *e)
{
    if (n < 1 || n > ARCH_STAGES)
        return error_set(e, "a factor has from 1 to %d parameters, not %d", ARCH_STAGES, n);
    for (int k = 0; k < n; k++) {
        if (slots[k] < 0 || slots[k] >= s->slots)
            return error_set(e, "there is no parameter %d; the space has %d", slots[k],
                             s->slots);
        if (s->bound[slots[k]])
            return error_set(e, "parameter %d is bound twice", slots[k]);
        if (dist[k].n < 1 || !(total(&dist[k]) > 0))
            return error_set(e, "parameter %d has no values", slots[k]);
    }
    struct factor *f = &s->factor[s->factors++];
    f->n = n;
    f->bond = bond;
    for (int k = 0; k < n; k++) {
        f->slot[k] = slots[k];
        s->bound[slots[k]] = true;
    }
    switch (bond) {
    case BOND_EQUAL:
        return bind_equal(s, f, dist) ||
               error_set(e, "these parameters have no value in common");
    case BOND_UP:
        return bind_up(s, f, dist) ||
               error_set(e, "no values of these parameters are in the required order");
    case BOND_SORTED:
        return bind_sorted(f, dist) ||
               error_set(e, "stages of different ranges cannot be sorted; draw them by "
                            "rejection");
    case BONDS:
        break;
    }
    return false;
}

void sampler_window(struct sampler *s, int what, double lo, double hi)
{
    s->lo[what] = lo;
    s->hi[what] = hi;
}

void sampler_timing(struct sampler *s, const struct timing *t, int batch, enum mode mode)
{
    s->timing = t;
    s->batch = batch;
    s->mode = mode;
}

bool sampler_complete(const struct sampler *s, struct error *e)
{
    for (int i = 0; i < s->slots; i++)
        if (!s->bound[i])
            return error_set(e, "parameter %d has no distribution", i);
    return true;
}

double sampler_share(const struct sampler *s)
{
    return s->share;
}

const struct sampler_counts *sampler_counts(const struct sampler *s)
{
    return &s->counts;
}

// Where the hash is in the set, or the empty place where it would go.
static size_t place(const struct sampler *s, uint64_t hash)
{
    size_t i = hash & (s->set_size - 1);
    while (s->set[i] && s->set[i] != hash)
        i = (i + 1) & (s->set_size - 1);
    return i;
}

bool sampler_keep(struct sampler *s, uint64_t hash)
{
    hash = hash ? hash : 1;
    if (2 * s->set_used >= s->set_size) {
        uint64_t *old = s->set;
        size_t old_size = s->set_size;
        s->set_size = old_size ? 2 * old_size : 1024;
        s->set = xcalloc(s->set_size, sizeof *s->set);
        for (size_t i = 0; i < old_size; i++)
            if (old[i])
                s->set[place(s, old[i])] = old[i];
        free(old);
    }
    size_t i = place(s, hash);
    if (s->set[i]) {
        s->counts.duplicate++;
        return false;
    }
    s->set[i] = hash;
    s->set_used++;
    return true;
}

// Candidate `index` as drawn, into a (and r); false when a RegNet has another shape.
static bool draw(const struct sampler *s, uint64_t seed, uint64_t index, struct arch *a,
                 struct regnet *r)
{
    double x[SLOTS];
    struct rng rng = rng_key(seed, index, RNG_SAMPLE);
    for (int i = 0; i < s->factors; i++) {
        const struct factor *f = &s->factor[i];
        if (f->bond == BOND_UP) {
            up_draw(f, x, &rng);
        } else if (f->bond == BOND_SORTED) {
            sorted_draw(f, x, &rng);
        } else {
            double v = alias_draw(&f->one, &rng);
            for (int k = 0; k < f->n; k++)
                x[f->slot[k]] = v;
        }
    }
    if (s->kind == SAMPLE_ANYNET) {
        int n = s->base.stages;
        for (int i = 0; i < n; i++) {
            a->d[i] = (int)x[i];
            a->w[i] = (int)x[n + i];
            a->b[i] = x[2 * n + i];
            a->g[i] = (int)x[3 * n + i];
            if (s->groups)
                a->g[i] = arch_inner(a, i, a->w[i]) / a->g[i];
        }
        return true;
    }
    struct regnet_shape shape;
    struct error e;
    *r = (struct regnet){(int)x[0], (int)x[1], x[2], x[3], x[4], (int)x[5]};
    if (!regnet_reaches(r, s->base.stages - 1)) // soon known
        return false;
    if (!regnet_shape(r, &shape, &e) || shape.stages != s->base.stages ||
        shape.levels != shape.stages)
        return false;
    regnet_fill(r, &shape, a);
    memcpy(a->stride, s->base.stride, sizeof a->stride);
    return true;
}

// Which bound of the window the network breaks, or -1.  The extremes seen are noted.
static int outside(const struct sampler *s, struct sampler_counts *counts,
                   const struct arch *a)
{
    struct complexity c = complexity(a, a->image, false);
    double v[WINDOWS] = {(double)c.flops, (double)c.params, (double)c.acts};
    int broken = -1;
    if (s->timing)
        v[WINDOW_TIME] = timing_of(s->timing, a, a->image, s->batch, s->mode) / s->batch;
    for (int i = s->timing ? WINDOW_TIME : WINDOW_ACTS; i >= 0; i--) {
        counts->least[i] = fmin(counts->least[i], v[i]);
        counts->most[i] = fmax(counts->most[i], v[i]);
        if (!(v[i] >= s->lo[i] && v[i] <= s->hi[i]))
            broken = i;
    }
    return broken;
}

// The candidates from *index to end, until `capacity` are found.
static size_t walk(const struct sampler *s, uint64_t seed, uint64_t *index, uint64_t end,
                   struct candidate *out, size_t capacity, struct sampler_counts *counts)
{
    struct arch a = s->base;
    struct regnet r = {0};
    struct error e;
    size_t found = 0;
    for (; *index < end && found < capacity; ++*index) {
        counts->tried++;
        if (!draw(s, seed, *index, &a, &r)) {
            counts->shape++;
            continue;
        }
        if (!arch_complete(&a, &e)) {
            counts->incompatible++;
            continue;
        }
        int broken = outside(s, counts, &a);
        if (broken >= 0) {
            counts->window[broken]++;
            continue;
        }
        uint64_t hash = arch_hash(&a);
        if (s->set_used && s->set[place(s, hash ? hash : 1)]) {
            counts->duplicate++;
            continue;
        }
        struct candidate *o = &out[found++];
        *o = (struct candidate){.index = *index, .hash = hash, .asked = s->base, .arch = a};
        draw(s, seed, *index, &o->asked, &o->regnet);
    }
    return found;
}

static void add_counts(struct sampler_counts *to, const struct sampler_counts *c)
{
    to->tried += c->tried;
    to->shape += c->shape;
    to->incompatible += c->incompatible;
    to->duplicate += c->duplicate;
    for (int i = 0; i < WINDOWS; i++) {
        to->window[i] += c->window[i];
        to->least[i] = fmin(to->least[i], c->least[i]);
        to->most[i] = fmax(to->most[i], c->most[i]);
    }
}

// Candidates that threads walk, piece by piece.
struct job {
    struct sampler *s;
    uint64_t seed, from, end, index; // index: where to go on
    size_t capacity, found;
    void (*take)(void *self, const struct candidate *c);
    void *self;
    struct turns turns;
};

static void pieces(void *self, int thread)
{
    (void)thread;
    struct job *j = self;
    struct candidate *out = xmalloc(PIECE * sizeof *out);
    bool last = false;
    while (!last) {
        int i = turns_take(&j->turns);
        uint64_t from = j->from + (uint64_t)i * PIECE, index = from;
        uint64_t end = j->end - from < PIECE ? j->end : from + PIECE;
        if (from >= j->end)
            break;
        struct sampler_counts counts = NOTHING;
        bool sole = turns_now(&j->turns, i); // all before are known: it may end where it must
        size_t n = walk(j->s, j->seed, &index, end, out,
                        sole ? j->capacity - j->found : PIECE, &counts);
        if (!turns_wait(&j->turns, i))
            break;
        if (interrupt_pending()) { // what this piece has is walked again
            turns_give_up(&j->turns);
            break;
        }
        size_t left = j->capacity - j->found;
        last = n >= left;
        if (n >= left && !sole) { // it went too far
            counts = NOTHING;
            index = from;
            n = walk(j->s, j->seed, &index, end, out, left, &counts);
        }
        for (size_t k = 0; k < n; k++)
            j->take(j->self, &out[k]);
        add_counts(&j->s->counts, &counts);
        j->found += n;
        j->index = index;
        if (last)
            turns_give_up(&j->turns);
        else
            turns_pass(&j->turns, i);
    }
    free(out);
}

size_t sampler_each(struct sampler *s, uint64_t seed, uint64_t *index, uint64_t end,
                    size_t capacity, void (*take)(void *self, const struct candidate *c),
                    void *self)
{
    if (end > *index && end - *index > MOST) // so that pieces can be counted
        end = *index + MOST;
    struct job j = {.s = s,
                    .seed = seed,
                    .from = *index,
                    .end = end,
                    .index = *index,
                    .capacity = capacity,
                    .take = take,
                    .self = self};
    turns_begin(&j.turns);
    if (capacity > 0 && *index < end)
        pool_run(pieces, &j);
    *index = j.index;
    return j.found;
}

static void put(void *self, const struct candidate *c)
{
    struct candidate **out = self;
    *(*out)++ = *c;
}

size_t sampler_next(struct sampler *s, uint64_t seed, uint64_t *index, uint64_t end,
                    struct candidate *out, size_t capacity)
{
    return sampler_each(s, seed, index, end, capacity, put, &out);
}
