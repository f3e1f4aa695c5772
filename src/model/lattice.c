/* See lattice.h. */
#include "model/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CORNERS = 1 << LATTICE_AXES };
static const double BEND = 0.1;    // weight of a second difference
static const double SLOPE = 0.2;   // of a first one: where nothing is known it is level
static const double LEVEL = 1e-6;  // of the value itself, so that there is one solution
static const double SWITCH = 1e-3; // of what a switch adds

int lattice_nodes(const struct lattice *l)
{
    int n = 1;
    for (int d = 0; d < LATTICE_AXES; d++)
        n *= l->axis[d].n;
    return n;
}

// The node at or below x on an axis (there is one after it), and how far x is on the way.
static int cell(const struct axis *a, double x, double *part)
{
    double k = (x - a->from) / a->step, last = a->n - 1;
    k = k < 0 ? 0 : k > last ? last : k;
    int i = (int)k;
    i = i < a->n - 1 ? i : a->n - 2;
    *part = k - i;
    return i;
}

// The nodes around a point and their weights; returns their number.
static int corners(const struct lattice *l, const double at[LATTICE_AXES], int node[CORNERS],
                   double weight[CORNERS])
{
    int n = 1;
    node[0] = 0;
    weight[0] = 1;
    for (int d = 0; d < LATTICE_AXES; d++) {
        const struct axis *a = &l->axis[d];
        if (a->n == 1)
            continue;
        double part;
        int k = cell(a, at[d], &part);
        for (int i = 0; i < n; i++) {
            node[i] = node[i] * a->n + k;
            node[n + i] = node[i] + 1;
            weight[n + i] = weight[i] * part;
            weight[i] *= 1 - part;
        }
        n *= 2;
    }
    return n;
}

double lattice_at(const struct lattice *l, const double at[LATTICE_AXES], unsigned switches)
{
    int node[CORNERS], n = 0;
    double weight[CORNERS], sum = 0;
    n = corners(l, at, node, weight);
    for (int i = 0; i < n; i++)
        sum += weight[i] * l->value[node[i]];
    for (int s = 0; s < LATTICE_SWITCHES; s++)
        sum += switches >> s & 1 ? l->switched[s] : 0;
    return sum;
}

// ---- fitting ----------------------------------------------------------------------------

// Normal equations; only the lower triangle of A is used.
struct equations {
    size_t n;
    double *A, *b;
};

// Adds weight · (Σ c·value[node] - y)².
static void add_row(struct equations *q, const int *node, const double *c, int n,
                    double weight, double y)
{
    for (int i = 0; i < n; i++) {
        size_t row = (size_t)node[i];
        q->b[row] += weight * c[i] * y;
        for (int j = 0; j < n; j++)
            if (node[j] <= node[i])
                q->A[row * q->n + (size_t)node[j]] += weight * c[i] * c[j];
    }
}

static void add_point(struct equations *q, const struct lattice *l, int nodes,
                      const struct lattice_point *p)
{
    int node[CORNERS + LATTICE_SWITCHES];
    double weight[CORNERS + LATTICE_SWITCHES];
    int n = corners(l, p->at, node, weight);
    for (int s = 0; s < LATTICE_SWITCHES; s++)
        if (p->switches >> s & 1) {
            node[n] = nodes + s;
            weight[n++] = 1;
        }
    add_row(q, node, weight, n, p->weight, p->y);
}

static void add_penalties(struct equations *q, const struct lattice *l, int nodes)
{
    static const double bend[] = {1, -2, 1}, slope[] = {1, -1}, one[] = {1};
    int stride = nodes;
    for (int d = 0; d < LATTICE_AXES; d++) {
        int n = l->axis[d].n;
        stride /= n;
        for (int i = 0; i < nodes; i++) {
            int k = i / stride % n, node[] = {i, i + stride, i + 2 * stride};
            if (k + 1 < n)
                add_row(q, node, slope, 2, SLOPE, 0);
            if (k + 2 < n)
                add_row(q, node, bend, 3, BEND, 0);
        }
    }
    for (int i = 0; i < (int)q->n; i++)
        add_row(q, &i, one, 1, i < nodes ? LEVEL : SWITCH, 0);
}

// b = A⁻¹·b by Cholesky's L·Lᵀ, in place; the penalties make A positive definite.
static void solve(struct equations *q)
{
    size_t n = q->n;
    double *b = q->b;
    for (size_t i = 0; i < n; i++) {
        double *row = q->A + i * n;
        for (size_t j = 0; j <= i; j++) {
            const double *other = q->A + j * n;
            double sum = row[j];
            for (size_t k = 0; k < j; k++)
                sum -= row[k] * other[k];
            row[j] = i == j ? sqrt(sum) : sum / other[j];
        }
        for (size_t k = 0; k < i; k++)
            b[i] -= row[k] * b[k];
        b[i] /= row[i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= q->A[k * n + i] * b[k];
        b[i] /= q->A[i * n + i];
    }
}

void lattice_fit(struct lattice *l, const struct lattice_point *points, size_t n)
{
    int nodes = lattice_nodes(l);
    struct equations q = {.n = (size_t)nodes + LATTICE_SWITCHES};
    q.A = xcalloc(q.n * q.n, sizeof *q.A);
    q.b = xcalloc(q.n, sizeof *q.b);
    for (size_t i = 0; i < n; i++)
        add_point(&q, l, nodes, &points[i]);
    add_penalties(&q, l, nodes);
    solve(&q);
    memcpy(l->value, q.b, (size_t)nodes * sizeof *l->value);
    memcpy(l->switched, q.b + nodes, sizeof l->switched);
    free(q.A);
    free(q.b);
}
