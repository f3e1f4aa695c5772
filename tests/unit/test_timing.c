/* Times of networks from those of layers: pieces are the operations of the plan, the lattice
 * finds functions that are known, and times that are known come out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/lattice.h"
#include "model/timing.h"

static void assert_near(double x, double want, double off)
{
    if (!(fabs(x - want) <= off))
        fail_msg("%.17g is not %.17g, give or take %g", x, want, off);
}

static void same_as_plan(const struct arch *a, int batch)
{
    struct piece rows[PIECES_MOST];
    struct plan *p = plan_new(a, batch);
    int n = pieces_of(a, a->image, batch, rows), j = 0;
    for (int i = 0; i < p->n; i++) {
        const struct op *o = &p->ops[i];
        if (o->kind == OP_NORM)
            continue;
        const struct piece *q = &rows[j++];
        if (o->kind != OP_CONV) {
            assert_true(o->kind == OP_SE        ? q->kind == PIECE_SE
                        : o->kind == OP_MAXPOOL ? q->kind == PIECE_MAXPOOL
                        : o->kind == OP_GAP     ? q->kind == PIECE_GAP
                                                : q->kind == PIECE_LINEAR);
            continue;
        }
        const struct op *before = o->norm_before == NONE ? NULL : &p->ops[o->norm_before];
        unsigned want = !before ? 0 : before->unstored ? PIECE_APPLIES : PIECE_STORES;
        want |= o->accumulates ? PIECE_ACCUMULATES : 0;
        assert_int_equal(q->switches & ~(unsigned)PIECE_SILU, want);
        assert_near(q->at[0], log2(p->tensors[o->in].C / o->G), 1e-12);
        assert_near(q->at[1], log2(p->tensors[o->out].C), 1e-12);
    }
    assert_int_equal(j + 1, n);
    assert_int_equal(rows[j].kind, PIECE_STEP);
    plan_free(p);
}

static void test_pieces(void **state)
{
    (void)state;
    unsigned blocks = 0;
    for (int i = 0; i < 200; i++) {
        struct arch a;
        int batch;
        probe_network(i, &a, &batch);
        assert_true(batch >= 1 && batch <= TIMING_MOST_BATCH);
        blocks |= 1u << a.block;
        same_as_plan(&a, 2);
    }
    assert_true(blocks >> BLOCK_MB & blocks >> BLOCK_BASIC & blocks >> BLOCK_VR & 1);
}

// Blocks that are alike count once each.
static void test_times(void **state)
{
    (void)state;
    struct piece one[PIECES_MOST], many[PIECES_MOST];
    struct arch a;
    int batch;
    probe_network(3, &a, &batch);
    a.d[1] = 2;
    int n = pieces_of(&a, a.image, batch, one);
    a.d[1] = 9;
    assert_int_equal(pieces_of(&a, a.image, batch, many), n);
    int more = 0;
    for (int i = 0; i < n; i++) {
        assert_true(many[i].times == one[i].times || many[i].times == 8);
        more += many[i].times != one[i].times;
    }
    assert_true(more >= 1);
}

static void test_lattice(void **state)
{
    (void)state;
    double value[5 * 4 * 3];
    struct lattice l = {.axis = {{0, 1, 5}, {3, 2, 4}, {1, 1, 3}}, .value = value};
    struct lattice_point points[400];
    srand(1);
    for (int i = 0; i < 400; i++) {
        struct lattice_point *p = &points[i];
        *p = (struct lattice_point){.weight = 100, .switches = (unsigned)(i & 1)};
        for (int d = 0; d < 3; d++) {
            const struct axis *x = &l.axis[d];
            p->at[d] = x->from + x->step * (x->n - 1) * rand() / RAND_MAX;
        }
        p->y = 1 + 2 * p->at[0] - p->at[1] + 0.5 * p->at[2] + 3 * (i & 1);
    }
    lattice_fit(&l, points, 400);
    const double at[3] = {2.3, 6.1, 1.9}, beyond[3] = {99, 6.1, -5}, end[3] = {4, 6.1, 1};
    assert_near(lattice_at(&l, at, 0), 1 + 4.6 - 6.1 + 0.95, 0.05);
    assert_near(lattice_at(&l, at, 1) - lattice_at(&l, at, 0), 3, 0.05);
    assert_near(lattice_at(&l, beyond, 0), lattice_at(&l, end, 0), 1e-12);
    lattice_fit(&l, points, 0);
    assert_near(lattice_at(&l, at, 3), 0, 1e-12);
}

// Where every unit of work takes 2 ns, networks take the sum of theirs.
static void test_fit(void **state)
{
    (void)state;
    enum { PROBES = 30 };
    struct probe *probes = calloc(PROBES, sizeof *probes);
    struct piece rows[PIECES_MOST];
    struct arch a;
    int batch;
    for (int i = 0; i < PROBES; i++) {
        struct probe *p = &probes[i];
        probe_network(i, &a, &batch);
        p->number = i;
        p->n = pieces_of(&a, a.image, batch, rows);
        for (int m = 0; m < MODES; m++)
            for (int j = 0; j < p->n; j++) {
                bool idle = m == MODE_TEST && rows[j].kind == PIECE_STEP;
                p->seconds[m][j] = idle ? 0 : 2e-9 * rows[j].work[m];
                p->whole[m] += 1.25 * p->seconds[m][j];
            }
    }
    struct timing *t = timing_new();
    timing_fit(t, probes, PROBES);
    assert_near(t->whole[MODE_TRAIN], 1.25, 1e-4);
    assert_true(t->error[MODE_TRAIN] < 0.02 && t->error[MODE_TEST] < 0.02);
    probe_network(1000, &a, &batch); // of another number, with more blocks
    a.d[2] = 7;
    double work = 0;
    int n = pieces_of(&a, 64, 16, rows);
    for (int j = 0; j < n; j++)
        work += rows[j].times * rows[j].work[MODE_TRAIN];
    double seconds = timing_of(t, &a, 64, 16, MODE_TRAIN);
    assert_near(seconds / (1.25 * 2e-9 * work), 1, 0.05);
    assert_near(timing_of(t, &a, 64, 16, MODE_TRAIN), seconds, 0);
    timing_free(t);
    free(probes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_times),
        cmocka_unit_test(test_lattice), cmocka_unit_test(test_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
