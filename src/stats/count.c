/* See count.h. */
#include "stats/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"

enum { MOST_SETTINGS = 1 << 20, MOST_STATES = 1 << 16, MOST_WORK = 1 << 30 };

/* A setting of one stage: places in the lists of w, b, g, as values; where nothing binds a
 * parameter it is 0, so that settings alike but for it are one. */
struct setting {
    double x[3];
};

// What one stage may look like, and the settings that make it so.
struct element {
    int w, g;
    double b;
    int n, capacity;
    struct setting *from;
};

struct stage {
    int n;
    struct element *list;
};

/* States: sets of settings of the stage read last, none of which makes another one
 * needless, sorted; with the number of prefixes that lead there. */
struct state {
    int n;
    struct setting *set;
    long double words;
};

struct states {
    int n, capacity; // capacity: a power of two, of `table`
    struct state *list;
    int *table; // open addressing: index + 1, or 0
};

static int by_value(const void *a, const void *b)
{
    const struct setting *x = a, *y = b;
    for (int k = 0; k < 3; k++)
        if (x->x[k] != y->x[k])
            return x->x[k] < y->x[k] ? -1 : 1;
    return 0;
}

static bool bond_holds(enum count_bond bond, double before, double after)
{
    switch (bond) {
    case COUNT_EQUAL:
        return before == after;
    case COUNT_UP:
        return before <= after;
    case COUNT_DOWN:
        return before >= after;
    case COUNT_FREE:
    case COUNT_BONDS:
        break;
    }
    return true;
}

// May `after` follow `before`?  (And then what `after` allows to follow, `before` does too.)
static bool follows(const struct count_space *s, const struct setting *before,
                    const struct setting *after)
{
    return bond_holds(s->bond[0], before->x[0], after->x[0]) &&
           bond_holds(s->bond[1], before->x[1], after->x[1]) &&
           bond_holds(s->bond[2], before->x[2], after->x[2]);
}

// ---- elements of a stage --------------------------------------------------------------

static void element_add(struct element *e, const struct setting *from)
{
    for (int i = 0; i < e->n; i++)
        if (by_value(&e->from[i], from) == 0)
            return;
    e->from = xgrow(e->from, (size_t)e->n, sizeof *e->from);
    e->from[e->n++] = *from;
}

struct made { // a setting and what it makes
    int w, g;
    double b;
    struct setting from;
};

static int by_network(const void *a, const void *b)
{
    const struct made *x = a, *y = b;
    if (x->w != y->w)
        return x->w - y->w;
    if (x->g != y->g)
        return x->g - y->g;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    return by_value(&x->from, &y->from);
}

// One stage with these values, made compatible; false when it cannot be.
static bool make(const struct count_space *s, int stage, const double x[3], struct made *m)
{
    struct arch a = s->base;
    struct error e;
    a.stages = 1;
    a.d[0] = 1;
    a.kernel[0] = s->base.kernel[stage];
    a.w[0] = (int)x[0];
    a.b[0] = x[1];
    a.g[0] = (int)x[2];
    if (s->groups)
        a.g[0] = arch_inner(&a, 0, a.w[0]) / a.g[0];
    if (!arch_complete(&a, &e))
        return false;
    *m = (struct made){.w = a.w[0], .g = a.g[0], .b = a.b[0]};
    for (int k = 0; k < 3; k++)
        m->from.x[k] = s->bond[k] == COUNT_FREE ? 0 : x[k];
    return true;
}

static bool read_stage(const struct count_space *s, int i, struct stage *stage)
{
    const struct values *v[3] = {&s->value[0][i], &s->value[1][i], &s->value[2][i]};
    double all = (double)v[0]->n * v[1]->n * v[2]->n;
    if (all > MOST_SETTINGS)
        return false;
    struct made *made = xmalloc((size_t)all * sizeof *made + 1);
    size_t n = 0;
    for (int w = 0; w < v[0]->n; w++)
        for (int b = 0; b < v[1]->n; b++)
            for (int g = 0; g < v[2]->n; g++) {
                const double x[3] = {v[0]->v[w], v[1]->v[b], v[2]->v[g]};
                n += make(s, i, x, &made[n]);
            }
    qsort(made, n, sizeof *made, by_network);
    for (size_t k = 0; k < n; k++) {
        const struct made *m = &made[k];
        struct element *last = stage->n ? &stage->list[stage->n - 1] : NULL;
        if (!last || last->w != m->w || last->g != m->g || last->b != m->b) {
            stage->list = xgrow(stage->list, (size_t)stage->n, sizeof *stage->list);
            last = &stage->list[stage->n++];
            *last = (struct element){.w = m->w, .g = m->g, .b = m->b};
        }
        element_add(last, &m->from);
    }
    free(made);
    return true;
}

// ---- states ---------------------------------------------------------------------------

static uint64_t hash_of(const struct setting *set, int n)
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            uint64_t bits;
            memcpy(&bits, &set[i].x[k], sizeof bits);
            h = (h ^ bits) * 0xff51afd7ed558ccdu;
            h ^= h >> 32;
        }
    return h;
}

static int *find(const struct states *s, const struct setting *set, int n)
{
    size_t mask = (size_t)s->capacity - 1, i = hash_of(set, n) & mask;
    while (s->table[i]) {
        const struct state *t = &s->list[s->table[i] - 1];
        if (t->n == n && memcmp(t->set, set, (size_t)n * sizeof *set) == 0)
            break;
        i = (i + 1) & mask;
    }
    return &s->table[i];
}

static void states_add(struct states *s, const struct setting *set, int n, long double words)
{
    if (2 * s->n >= s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        free(s->table);
        s->table = xcalloc((size_t)s->capacity, sizeof *s->table);
        for (int i = 0; i < s->n; i++)
            *find(s, s->list[i].set, s->list[i].n) = i + 1;
    }
    int *at = find(s, set, n);
    if (!*at) {
        s->list = xgrow(s->list, (size_t)s->n, sizeof *s->list);
        struct state *t = &s->list[s->n++];
        *t = (struct state){.n = n, .set = xmalloc((size_t)n * sizeof *set)};
        memcpy(t->set, set, (size_t)n * sizeof *set);
        *at = s->n;
    }
    s->list[*at - 1].words += words;
}

static void states_free(struct states *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->list[i].set);
    free(s->list);
    free(s->table);
    *s = (struct states){0};
}

// Settings of e that may follow one of t, without those that others make needless.
static int successors(const struct count_space *s, const struct state *t,
                      const struct element *e, struct setting *out)
{
    int n = 0;
    for (int i = 0; i < e->n; i++) {
        bool possible = false, needless = false;
        for (int k = 0; k < t->n && !possible; k++)
            possible = follows(s, &t->set[k], &e->from[i]);
        for (int k = 0; k < n && possible && !needless; k++)
            needless = follows(s, &out[k], &e->from[i]);
        if (!possible || needless)
            continue;
        int kept = 0;
        for (int k = 0; k < n; k++)
            if (!follows(s, &e->from[i], &out[k]))
                out[kept++] = out[k];
        out[kept] = e->from[i];
        n = kept + 1;
    }
    qsort(out, (size_t)n, sizeof *out, by_value);
    return n;
}

// Reads one stage: all states that follow, or false when there are too many.
static bool advance(const struct count_space *s, const struct states *from,
                    const struct stage *stage, struct states *to)
{
    int longest = 1;
    double work = 0;
    for (int i = 0; i < stage->n; i++)
        longest = stage->list[i].n > longest ? stage->list[i].n : longest;
    struct setting *set = xmalloc((size_t)longest * sizeof *set);
    bool good = true;
    for (int k = 0; k < from->n && good; k++)
        for (int i = 0; i < stage->n && good; i++) {
            const struct element *e = &stage->list[i];
            int n = successors(s, &from->list[k], e, set);
            if (n)
                states_add(to, set, n, from->list[k].words);
            work += (double)from->list[k].n * e->n;
            good = to->n <= MOST_STATES && work <= MOST_WORK && !interrupt_pending();
        }
    free(set);
    return good;
}

long double count_distinct(const struct count_space *s)
{
    struct states now = {0}, next = {0};
    bool good = true;
    long double words = 0;
    for (int i = 0; i < s->base.stages && good; i++) {
        struct stage stage = {0};
        good = read_stage(s, i, &stage);
        if (good && i == 0) { // any setting may come first
            for (int k = 0; k < stage.n; k++) {
                struct element *e = &stage.list[k];
                struct state any = {.n = e->n, .set = e->from};
                struct setting *set = xmalloc((size_t)e->n * sizeof *set);
                int n = successors(s, &any, e, set);
                states_add(&next, set, n, 1);
                free(set);
            }
        } else if (good) {
            good = advance(s, &now, &stage, &next);
        }
        states_free(&now);
        now = next;
        next = (struct states){0};
        for (int k = 0; k < stage.n; k++)
            free(stage.list[k].from);
        free(stage.list);
    }
    for (int i = 0; i < now.n; i++)
        words += now.list[i].words;
    states_free(&now);
    return good ? words : interrupt_pending() ? -2 : -1;
}

// ---- RegNets --------------------------------------------------------------------------

struct multiplicity {
    struct count_regnet space;
    int *width; // [w_0][w_m][stage]: before group compatibility; 0: out of range
};

struct multiplicity *multiplicity_new(const struct count_regnet *s)
{
    int stages = s->base.stages;
    size_t rows = (size_t)s->w_0.n * (size_t)s->w_m.n;
    if (rows * (size_t)stages > 1 << 25)
        return NULL;
    struct multiplicity *m = xcalloc(1, sizeof *m);
    m->space = *s;
    m->width = xmalloc((rows * (size_t)stages + 1) * sizeof *m->width);
    for (size_t i = 0; i < rows; i++)
        for (int k = 0; k < stages; k++) {
            double w_0 = s->w_0.v[i / (size_t)s->w_m.n], w_m = s->w_m.v[i % (size_t)s->w_m.n];
            int w = regnet_width((int)w_0, w_m, k);
            m->width[i * (size_t)stages + (size_t)k] = w;
        }
    return m;
}

void multiplicity_free(struct multiplicity *m)
{
    if (!m)
        return;
    free(m->width);
    free(m);
}

// Does stage i of the network come of width w and group width g?
static bool comes_of(const struct arch *a, int i, int w, int g)
{
    struct arch one = {.stages = 1,
                       .d = {1},
                       .w = {w},
                       .g = {g},
                       .b = {a->b[i]},
                       .stride = {1},
                       .block = a->block,
                       .stem_width = 8,
                       .classes = 1,
                       .image = 1};
    struct error e;
    return arch_complete(&one, &e) && one.w[0] == a->w[i] && one.g[0] == a->g[i];
}

// Values of w_a for which exponent(j) is at most k: as many as come first.
static int below(const struct multiplicity *m, struct regnet r, int j, int k)
{
    int lo = 0, hi = m->space.w_a.n;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        r.w_a = m->space.w_a.v[mid];
        if (regnet_exponent(&r, j) <= k)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

// Slopes that give the depths of `a`, for w_0 and w_m of r.
static int slopes(const struct multiplicity *m, const struct arch *a, struct regnet r)
{
    int lo = 0, hi = m->space.w_a.n, first = 0;
    for (int i = 0; i < a->stages; i++) {
        int last = first + a->d[i] - 1, most = below(m, r, last, i);
        hi = most < hi ? most : hi;
        int least = i ? below(m, r, first, i - 1) : 0;
        lo = least > lo ? least : lo;
        first += a->d[i];
    }
    if (!m->space.tied || lo >= hi)
        return hi > lo ? hi - lo : 0;
    for (int i = lo; i < hi; i++)
        if (m->space.w_a.v[i] == r.w_0)
            return 1;
    return 0;
}

static bool has(const struct values *v, double x)
{
    for (int i = 0; i < v->n; i++)
        if (v->v[i] == x)
            return true;
    return false;
}

// Settings (w_0, w_a, w_m) that make `a` when the group width asked for is g.
static double lines(const struct multiplicity *m, const struct arch *a, int g)
{
    const struct count_regnet *s = &m->space;
    double sum = 0;
    for (int i = 0; i < s->w_0.n; i++) {
        if (!comes_of(a, 0, (int)s->w_0.v[i], g))
            continue;
        int known[ARCH_STAGES] = {0}; // widths found to fit, so that they are tried once
        for (int k = 0; k < s->w_m.n; k++) {
            const int *w =
                m->width + ((size_t)i * (size_t)s->w_m.n + (size_t)k) * (size_t)a->stages;
            bool good = true;
            for (int j = 1; j < a->stages && good; j++) {
                good = w[j] > w[j - 1] && (w[j] == known[j] || comes_of(a, j, w[j], g));
                if (good)
                    known[j] = w[j];
            }
            if (good)
                sum += slopes(m, a,
                              (struct regnet){.w_0 = (int)s->w_0.v[i], .w_m = s->w_m.v[k]});
        }
    }
    return sum;
}

double multiplicity_of(const struct multiplicity *m, const struct arch *a)
{
    const struct count_regnet *s = &m->space;
    bool bottleneck = block_has_bottleneck(a->block), grouped = block_has_groups(a->block);
    if (a->stages != s->base.stages || !has(&s->d, arch_blocks(a)))
        return 0;
    if (bottleneck && !has(&s->b, a->b[0]))
        return 0;
    double b = bottleneck ? 1 : s->b.n;
    if (!grouped)
        return b * s->g.n * lines(m, a, 1);
    double sum = 0;
    for (int i = 0; i < s->g.n; i++)
        sum += lines(m, a, (int)s->g.v[i]);
    return b * sum;
}
