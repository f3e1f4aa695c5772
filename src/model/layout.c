/* See layout.h.
 *
 * A binary tree over the times: a node stands for a range of them, its children for the two
 * halves.  A piece's times are the union of O(log times) nodes, which it `covers`; it `meets`
 * these and the nodes above them.  Each node keeps the memory taken by the pieces that cover
 * it, and by those that meet it, as few extents as possible in order.  What is taken at some
 * time of a piece is then what meets the nodes that it covers, and what covers a node above
 * these.  Extents that touch become one, so that there are few even when there are
 * thousands of pieces, as in a deep network, whose activations lie one after the other. */
#include "model/layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct extent {
    size_t begin, end;
};

struct taken {
    struct extent *list; // in order, none touching the next
    int n, capacity;
};

struct node {
    struct taken meets, covers;
};

/* A set of extents being searched from low to high. */
struct cursor {
    const struct extent *at, *end;
};

enum { MOST_LEVELS = 31, MOST_CURSORS = 4 * MOST_LEVELS };

struct tree {
    struct node *nodes; // nodes[1] is the root; the children of i are 2i and 2i + 1
    int leaves;         // a power of 2
    struct cursor cursors[MOST_CURSORS];
    int n_cursors;
    size_t steps;
};

static void take(struct tree *t, struct taken *s, size_t begin, size_t end)
{
    int lo = 0, hi = s->n; // lo: the first extent that ends at `begin` or later
    while (lo < hi) {
        int middle = (lo + hi) / 2;
        if (s->list[middle].end < begin)
            lo = middle + 1;
        else
            hi = middle;
    }
    int after = lo; // the first extent beyond `end`
    for (; after < s->n && s->list[after].begin <= end; after++) {
        begin = s->list[after].begin < begin ? s->list[after].begin : begin;
        end = s->list[after].end > end ? s->list[after].end : end;
    }
    if (after == lo && s->n == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 4;
        s->list = xrealloc(s->list, (size_t)s->capacity * sizeof *s->list);
    }
    if (after != lo + 1)
        memmove(s->list + lo + 1, s->list + after, (size_t)(s->n - after) * sizeof *s->list);
    t->steps += after == lo + 1 ? 1 : (size_t)(s->n - lo + 1);
    s->n += 1 - (after - lo);
    s->list[lo] = (struct extent){begin, end};
}

// Node i stands for the times from lo to hi - 1.
static void insert(struct tree *t, const struct piece *p, int i, int lo, int hi)
{
    if (p->last < lo || p->first >= hi)
        return;
    take(t, &t->nodes[i].meets, p->offset, p->offset + p->size);
    bool covered = p->first <= lo && p->last >= hi - 1;
    if (covered && hi - lo > 1) // a leaf is above nothing
        take(t, &t->nodes[i].covers, p->offset, p->offset + p->size);
    if (covered)
        return;
    int middle = lo + (hi - lo) / 2;
    insert(t, p, 2 * i, lo, middle);
    insert(t, p, 2 * i + 1, middle, hi);
}

// Collects what is taken at the times of p.
static void collect(struct tree *t, const struct piece *p, int i, int lo, int hi)
{
    if (p->last < lo || p->first >= hi)
        return;
    bool covered = p->first <= lo && p->last >= hi - 1;
    const struct taken *s = covered ? &t->nodes[i].meets : &t->nodes[i].covers;
    if (s->n)
        t->cursors[t->n_cursors++] = (struct cursor){s->list, s->list + s->n};
    if (covered)
        return;
    int middle = lo + (hi - lo) / 2;
    collect(t, p, 2 * i, lo, middle);
    collect(t, p, 2 * i + 1, middle, hi);
}

// The lowest place of `size` that is free in all that was collected.
static size_t first_fit(struct tree *t, size_t size)
{
    size_t at = 0;
    for (int k = 0, free = 0; free < t->n_cursors; k = k + 1 < t->n_cursors ? k + 1 : 0) {
        struct cursor *c = &t->cursors[k];
        size_t before = at;
        for (; c->at < c->end && c->at->begin < at + size; c->at++, t->steps++)
            at = c->at->end > at ? c->at->end : at;
        free = at > before ? 1 : free + 1; // cursors in a row at which `at` is free
    }
    return at;
}

size_t layout(struct piece *pieces, int n, int times, size_t *steps)
{
    struct tree t = {.leaves = 1};
    while (t.leaves < times)
        t.leaves *= 2;
    t.nodes = xcalloc(2 * (size_t)t.leaves, sizeof *t.nodes);
    size_t top = 0;
    for (struct piece *p = pieces; p < pieces + n; p++) {
        p->offset = 0;
        if (p->size == 0) // lies anywhere, in nobody's way
            continue;
        t.n_cursors = 0;
        collect(&t, p, 1, 0, t.leaves);
        p->offset = first_fit(&t, p->size);
        insert(&t, p, 1, 0, t.leaves);
        top = p->offset + p->size > top ? p->offset + p->size : top;
    }
    for (int i = 1; i < 2 * t.leaves; i++) {
        free(t.nodes[i].meets.list);
        free(t.nodes[i].covers.list);
    }
    free(t.nodes);
    if (steps)
        *steps = t.steps;
    return top;
}
