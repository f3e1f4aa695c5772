/* See timing.h. */
#include "model/timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct timing *timing_new(void)
{
    struct timing *t = xcalloc(1, sizeof *t);
    for (int k = 0; k < PIECE_KINDS; k++)
        for (int m = 0; m < MODES; m++) {
            struct lattice *l = &t->lattice[k][m];
            *l = piece_lattice((enum piece_kind)k);
            l->value = xcalloc((size_t)lattice_nodes(l), sizeof *l->value);
        }
    return t;
}

void timing_free(struct timing *t)
{
    if (!t)
        return;
    for (int k = 0; k < PIECE_KINDS; k++)
        for (int m = 0; m < MODES; m++)
            free(t->lattice[k][m].value);
    free(t);
}

static double seconds_of(const struct timing *t, const struct piece *p, enum mode m)
{
    return p->work[m] * exp2(lattice_at(&t->lattice[p->kind][m], p->at, p->switches));
}

static double sum_of(const struct timing *t, const struct piece *rows, int n, enum mode m)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        if (m == MODE_TRAIN || rows[i].kind != PIECE_STEP)
            sum += rows[i].times * seconds_of(t, &rows[i], m);
    return sum;
}

double timing_of(const struct timing *t, const struct arch *a, int image, int batch,
                 enum mode mode)
{
    struct piece rows[PIECES_MOST];
    int n = pieces_of(a, image, batch, rows);
    return t->whole[mode] * sum_of(t, rows, n, mode);
}

// ---- fitting ----------------------------------------------------------------------------

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static int pieces_of_probe(int number, struct piece *rows)
{
    struct arch a;
    int batch;
    probe_network(number, &a, &batch);
    return pieces_of(&a, a.image, batch, rows);
}

static double measured(const struct probe *p, enum mode m)
{
    double sum = 0;
    for (int j = 0; j < p->n; j++)
        sum += p->seconds[m][j];
    return sum;
}

// What takes long in its network weighs more, as its error does.
static void fit_kind(struct timing *t, enum piece_kind k, enum mode m, const struct probe *p,
                     int n, struct lattice_point *points)
{
    struct piece rows[PIECES_MOST];
    size_t count = 0;
    for (int i = 0; i < n; i++) {
        int pieces = pieces_of_probe(p[i].number, rows);
        double sum = measured(&p[i], m);
        for (int j = 0; j < pieces; j++) {
            double seconds = p[i].seconds[m][j];
            if (rows[j].kind != k || !(seconds > 0))
                continue;
            struct lattice_point *q = &points[count++];
            *q = (struct lattice_point){.switches = rows[j].switches,
                                        .weight = sqrt(seconds / sum * pieces),
                                        .y = log2(seconds / rows[j].work[m])};
            memcpy(q->at, rows[j].at, sizeof q->at);
        }
    }
    lattice_fit(&t->lattice[k][m], points, count);
}

// Four digits after the point, so that a table reads the same as it was written.
static void round_all(double *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = rint(x[i] * 1e4) / 1e4;
}

static void fit_whole(struct timing *t, enum mode m, const struct probe *p, int n)
{
    struct piece rows[PIECES_MOST];
    double *ratio = xmalloc((size_t)n * sizeof *ratio);
    for (int i = 0; i < n; i++)
        ratio[i] = p[i].whole[m] / measured(&p[i], m);
    t->whole[m] = median(ratio, n);
    round_all(&t->whole[m], 1);
    for (int i = 0; i < n; i++) {
        int pieces = pieces_of_probe(p[i].number, rows);
        ratio[i] = fabs(t->whole[m] * sum_of(t, rows, pieces, m) / p[i].whole[m] - 1);
    }
    t->error[m] = median(ratio, n);
    round_all(&t->error[m], 1);
    free(ratio);
}

void timing_fit(struct timing *t, const struct probe *probes, int n)
{
    struct lattice_point *points = xmalloc((size_t)n * PIECES_MOST * sizeof *points);
    for (enum mode m = MODE_TEST; m < MODES; m++) {
        for (int k = 0; k < PIECE_KINDS; k++) {
            struct lattice *l = &t->lattice[k][m];
            fit_kind(t, (enum piece_kind)k, m, probes, n, points);
            round_all(l->value, lattice_nodes(l));
            round_all(l->switched, LATTICE_SWITCHES);
        }
        fit_whole(t, m, probes, n);
    }
    free(points);
}
