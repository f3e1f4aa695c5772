/* Places of pieces of memory (model/layout.h) against the plain way to find them: random
 * pieces, and the tensors of a very deep network, for which the work must grow with the
 * depth and not with its square. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/layout.h"
#include "model/plan.h"

static bool meet(const struct piece *a, const struct piece *b)
{
    return a->first <= b->last && b->first <= a->last;
}

// Whether p, at p->offset, overlaps a piece before it.
static bool blocked(const struct piece *pieces, const struct piece *p)
{
    for (const struct piece *q = pieces; q < p; q++)
        if (meet(p, q) && q->size && p->size && q->offset < p->offset + p->size &&
            p->offset < q->offset + q->size)
            return true;
    return false;
}

// As low as it can go: 0, or where an earlier piece ends.
static void place_plainly(struct piece *pieces, int n)
{
    for (struct piece *p = pieces; p < pieces + n; p++) {
        size_t best = SIZE_MAX;
        for (const struct piece *q = pieces; q <= p; q++) {
            p->offset = q < p ? q->offset + q->size : 0;
            if (p->offset < best && (q == p || meet(p, q)) && !blocked(pieces, p))
                best = p->offset;
        }
        p->offset = best;
    }
}

// The same in order of offset, for thousands of pieces.
static void place_by_offset(struct piece *pieces, int n)
{
    struct piece **order = xmalloc((size_t)n * sizeof *order);
    for (int k = 0; k < n; k++) {
        struct piece *p = &pieces[k];
        size_t at = 0;
        for (int j = 0; j < k && (!meet(p, order[j]) || order[j]->offset < at + p->size); j++)
            if (meet(p, order[j]) && order[j]->offset + order[j]->size > at)
                at = order[j]->offset + order[j]->size;
        p->offset = at;
        int j = k;
        for (; j > 0 && order[j - 1]->offset > at; j--)
            order[j] = order[j - 1];
        order[j] = p;
    }
    free(order);
}

static void compare(const struct piece *got, const struct piece *want, int n)
{
    for (int i = 0; i < n; i++)
        if (got[i].offset != want[i].offset)
            fail_msg("piece %d of %d: at %zu instead of %zu", i, n, got[i].offset,
                     want[i].offset);
}

// Many forms: few and many times, long and short lives, sizes in order and not, none.
static void test_random(void **state)
{
    (void)state;
    struct rng r = rng_key(1, 0, RNG_SAMPLE);
    for (int round = 0; round < 500; round++) {
        struct piece got[60], want[60];
        int n = (int)rng_below(&r, 61), times = 1 + (int)rng_below(&r, 40);
        for (int i = 0; i < n; i++) {
            int a = (int)rng_below(&r, (uint64_t)times),
                b = (int)rng_below(&r, (uint64_t)times);
            got[i] = (struct piece){.size = rng_below(&r, round % 2 ? 9 : 1000),
                                    .first = a < b ? a : b,
                                    .last = a < b ? b : a};
        }
        memcpy(want, got, sizeof got);
        size_t top = layout(got, n, times, NULL), end = 0;
        place_plainly(want, n);
        compare(got, want, n);
        for (int i = 0; i < n; i++)
            end = got[i].offset + got[i].size > end ? got[i].offset + got[i].size : end;
        assert_int_equal(top, end);
    }
}

static int larger_first(const void *x, const void *y)
{
    const struct piece *a = x, *b = y;
    return a->size != b->size ? (a->size < b->size ? 1 : -1) : a->first - b->first;
}

// What a network of `depth` blocks wants in one mode, largest first.
static struct piece *pieces_of(int depth, enum mode m, int *n, int *times)
{
    struct error e;
    struct arch a = {.stages = 4,
                     .stem_width = 16,
                     .act = ACT_RELU,
                     .classes = 10,
                     .image = 32,
                     .se = 0.25};
    for (int i = 0; i < a.stages; i++) {
        a.d[i] = depth / a.stages;
        a.w[i] = 24 << i, a.g[i] = 8, a.stride[i] = i ? 2 : 1, a.b[i] = 1;
    }
    assert_true(arch_complete(&a, &e));
    struct plan *p = plan_new(&a, 16);
    struct piece *pieces = xmalloc((size_t)p->n_tensors * sizeof *pieces);
    *n = 0;
    *times = 2 * p->n + 1;
    for (int i = 0; i < p->n_tensors; i++) {
        const struct tensor *t = &p->tensors[i];
        if (t->first[m] <= t->last[m])
            pieces[(*n)++] = (struct piece){t->floats, t->first[m], t->last[m], 0};
    }
    qsort(pieces, (size_t)*n, sizeof *pieces, larger_first);
    plan_free(p);
    return pieces;
}

static void test_deep(void **state)
{
    (void)state;
    size_t steps[2];
    for (int k = 0; k < 2; k++)
        for (enum mode m = MODE_TEST; m < MODES; m++) {
            int n, times;
            struct piece *got = pieces_of(k ? 800 : 200, m, &n, &times);
            struct piece *want = xmalloc((size_t)n * sizeof *want);
            memcpy(want, got, (size_t)n * sizeof *want);
            layout(got, n, times, &steps[k]);
            place_by_offset(want, n);
            compare(got, want, n);
            free(got);
            free(want);
        }
    if (steps[1] > 6 * steps[0])
        fail_msg("%zu steps for 200 blocks and %zu for 800", steps[0], steps[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
