/* See boundary.h. */
#include "stats/boundary.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/special.h"

enum { NODES = 10 };
// The positive half of the Gauss-Legendre rule of 10 nodes on -1 … 1.
static const double node[NODES / 2] = {0.1488743389816312, 0.4333953941292472,
                                       0.6794095682990244, 0.8650633666889845,
                                       0.9739065285171717};
static const double weight[NODES / 2] = {0.2955242247147529, 0.2692667193099964,
                                         0.2190863625159820, 0.1494513491505806,
                                         0.0666713443086881};
static const double LEAST = 1e-14; // what is worth spending
static const double FAR = 36;      // a normal density ends here: 10^-282

static double upper_tail(double z)
{
    return 0.5 * erfc(z / sqrt(2));
}

double spending_at(const struct spending *s, double t)
{
    if (t >= 1)
        return s->alpha;
    double one = s->alpha / s->sides;
    switch (s->kind) {
    case SPEND_OBRIEN_FLEMING:
        return 2 * s->sides * upper_tail(-normal_quantile(one / 2) / sqrt(t));
    case SPEND_POCOCK:
        return s->alpha * log1p((exp(1) - 1) * t);
    default:
        return s->alpha * pow(t, s->rho);
    }
}

/* Where B may be after a look, on the paths that go on, without drift: nodes in ascending
 * order, and how much probability each stands for. */
struct grid {
    size_t n;
    double *b, *mass;
};

static void push(struct grid *g, double b, double mass)
{
    g->b = xgrow(g->b, g->n, sizeof *g->b);
    g->mass = xgrow(g->mass, g->n, sizeof *g->mass);
    g->b[g->n] = b;
    g->mass[g->n++] = mass;
}

// Before the first look: B is 0.
static struct grid start(void)
{
    struct grid g = {0};
    push(&g, 0, 1);
    return g;
}

static void release(struct grid *g)
{
    free(g->b);
    free(g->mass);
    *g = (struct grid){0};
}

// The density of B at x, information s² after the grid, whose nodes from *first on count.
static double density(const struct grid *g, size_t *first, double s, double x)
{
    double sum = 0;
    while (*first < g->n && g->b[*first] < x - FAR * s)
        ++*first;
    for (size_t i = *first; i < g->n && g->b[i] <= x + FAR * s; i++) {
        double z = (x - g->b[i]) / s;
        sum += g->mass[i] * exp(-0.5 * z * z);
    }
    return sum / (s * sqrt(2 * M_PI));
}

/* P(sign B >= sign x) information s² after the grid, which is that of information t, under a
 * drift. */
static double beyond(const struct grid *g, double t, double s, double drift, double x,
                     double sign)
{
    double sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        double z = sign * (x - g->b[i] - drift * s * s) / s;
        if (z > FAR)
            continue;
        double ratio = drift == 0 ? 1 : exp(drift * (g->b[i] - 0.5 * drift * t));
        sum += g->mass[i] * ratio * upper_tail(z);
    }
    return sum;
}

static double above(const struct grid *g, double t, double s, double drift, double x)
{
    return beyond(g, t, s, drift, x, 1);
}

// Nodes for from … to, not further apart than the kernels of width s resolve.
static void cover(struct grid *g, double from, double to, double s)
{
    size_t panels = (size_t)ceil((to - from) / (3 * s));
    double half = (to - from) / (2 * (double)panels);
    for (size_t p = 0; p < panels; p++) {
        double middle = from + half * (2 * (double)p + 1);
        for (int i = NODES / 2 - 1; i >= 0; i--)
            push(g, middle - half * node[i], half * weight[i]);
        for (int i = 0; i < NODES / 2; i++)
            push(g, middle + half * node[i], half * weight[i]);
    }
}

// The information before look k, and the deviation of what is added to B up to it.
static double before(const struct looks *l, int k)
{
    return k ? l->t[k - 1] : 0;
}

static double step(const struct looks *l, int k)
{
    return sqrt(l->t[k] - before(l, k));
}

// The grid after look k, when `last` is that after the look before.
static struct grid advance(const struct looks *l, int k, const struct grid *last)
{
    struct grid g = {0};
    double root = sqrt(l->t[k]), s = step(l, k), next = k + 1 < l->K ? step(l, k + 1) : s;
    double end = fmin(FAR, 9 + 100 * root) * root; // room for a drift of 100
    double hi = fmin(end, l->c[k] * root), lo = l->sides == 2 ? -hi : -end;
    double inner = l->same[k] * root;
    if (inner > 0) {
        if (lo < -inner)
            cover(&g, lo, -inner, fmin(s, next));
        lo = inner;
    }
    if (lo < hi)
        cover(&g, lo, hi, fmin(s, next));
    size_t first = 0;
    for (size_t i = 0; i < g.n; i++)
        g.mass[i] *= density(last, &first, s, g.b[i]);
    return g;
}

// The x from which on B has the probability p.  The logarithm of the tail is concave, so that
// Newton's steps from a point to the right of x stay there.
static double limit(const struct grid *g, double s, double root, double p)
{
    double x = fmin(-normal_quantile(p) * root, g->b[g->n - 1] + 8 * s);
    for (int i = 0; i < 100; i++) {
        size_t first = 0;
        double tail = above(g, 0, s, 0, x),
               change = tail * log(tail / p) / density(g, &first, s, x);
        x += change;
        if (fabs(change) < 1e-12 * root)
            break;
    }
    return x;
}

bool looks_solve_at(struct looks *l, const struct spending *s, const double *at,
                    struct error *e)
{
    assert(l->K >= 1 && l->K <= LOOKS_MOST && (s->sides == 1 || s->sides == 2));
    for (int k = 0; k < l->K; k++)
        if (!(l->t[k] - before(l, k) >= LOOKS_APART))
            return error_set(e,
                             "look %d has information %g after %g; each look needs %g more",
                             k + 1, l->t[k], before(l, k), LOOKS_APART);
    struct grid g = start();
    double spent = 0;
    l->sides = s->sides;
    for (int k = 0; k < l->K; k++) {
        double root = sqrt(l->t[k]), budget = spending_at(s, at[k]) - spent;
        l->c[k] = INFINITY;
        l->same[k] = 0;
        if (budget >= LEAST) {
            l->c[k] = limit(&g, step(l, k), root, budget / s->sides) / root;
            spent += budget;
        }
        l->spent[k] = spent;
        struct grid after = advance(l, k, &g);
        release(&g);
        g = after;
    }
    release(&g);
    return true;
}

bool looks_solve(struct looks *l, const struct spending *s, struct error *e)
{
    return looks_solve_at(l, s, l->t, e);
}

void looks_equivalence(struct looks *l, double margin)
{
    for (int k = 0; k < l->K; k++)
        l->same[k] = fmin(l->c[k], fmax(0, margin * sqrt(l->t[k]) - l->c[k]));
}

// What the paths that go on have come to before each look, up to look `last`.
struct paths {
    const struct looks *l;
    int last;
    struct grid at[LOOKS_MOST];
};

static void follow(struct paths *p, const struct looks *l, int last)
{
    p->l = l;
    p->last = last;
    p->at[0] = start();
    for (int k = 0; k < last; k++)
        p->at[k + 1] = advance(l, k, &p->at[k]);
}

static void forget(struct paths *p)
{
    for (int k = 0; k <= p->last; k++)
        release(&p->at[k]);
}

static void cross(const struct paths *p, double drift, struct crossing *out)
{
    const struct looks *l = p->l;
    double left = 1;
    *out = (struct crossing){0};
    for (int k = 0; k < l->K; k++) {
        const struct grid *g = &p->at[k];
        double root = sqrt(l->t[k]), s = step(l, k), t = before(l, k);
        double c = l->c[k] * root, a = l->same[k] * root;
        out->upper[k] = above(g, t, s, drift, c);
        if (l->sides == 2)
            out->lower[k] = beyond(g, t, s, drift, -c, -1);
        if (a > 0)
            out->same[k] = above(g, t, s, drift, -a) - above(g, t, s, drift, a);
        double stopped = out->upper[k] + out->lower[k] + out->same[k];
        out->power += out->upper[k];
        out->expected += (k + 1 < l->K ? stopped : left) * l->t[k];
        left -= stopped;
    }
}

void looks_cross(const struct looks *l, double drift, struct crossing *out)
{
    struct paths p;
    follow(&p, l, l->K - 1);
    cross(&p, drift, out);
    forget(&p);
}

/* The root of the increasing f, sought from lo … hi, which is widened as needed: regula falsi
 * with the halving of Dowell and Jarratt 1971 ("Illinois"). */
typedef double increasing(const void *data, double x);

static double root_of(increasing *f, const void *data, double lo, double hi)
{
    double f_lo = f(data, lo), f_hi = f(data, hi);
    for (int i = 0; i < 60 && f_lo > 0; i++)
        f_lo = f(data, lo -= hi - lo);
    for (int i = 0; i < 60 && f_hi < 0; i++)
        f_hi = f(data, hi += hi - lo);
    for (int i = 0; i < 100 && hi - lo > 1e-10 * (1 + fabs(lo)); i++) {
        double x = (lo * f_hi - hi * f_lo) / (f_hi - f_lo), y = f(data, x);
        if (y == 0)
            return x;
        if (y < 0) {
            lo = x;
            f_lo = y;
            f_hi /= 2;
        } else {
            hi = x;
            f_hi = y;
            f_lo /= 2;
        }
    }
    return (lo + hi) / 2;
}

struct wanted_power {
    struct paths paths;
    double power;
};

static double missing_power(const void *data, double drift)
{
    const struct wanted_power *w = data;
    struct crossing c;
    cross(&w->paths, drift, &c);
    return c.power - w->power;
}

double looks_drift(const struct looks *l, double power)
{
    struct wanted_power w = {.power = power};
    follow(&w.paths, l, l->K - 1);
    double guess = normal_quantile(power) - normal_quantile(l->spent[l->K - 1] / l->sides);
    double drift = root_of(missing_power, &w, guess, 1.2 * guess);
    forget(&w.paths);
    return drift;
}

// A stop with B = x at the last look that is followed, and what is wanted of its tail.
struct stop {
    struct paths paths;
    double x, target;
};

// P(a stop that is more extreme upwards, or the same) - target; it increases with the drift.
static double upward(const void *data, double drift)
{
    const struct stop *s = data;
    const struct paths *p = &s->paths;
    double sum = -s->target;
    for (int k = 0; k <= p->last; k++) {
        double x = k < p->last ? p->l->c[k] * sqrt(p->l->t[k]) : s->x;
        sum += above(&p->at[k], before(p->l, k), step(p->l, k), drift, x);
    }
    return sum;
}

void looks_stagewise(const struct looks *l, int k, double z, double level,
                     struct stagewise *out)
{
    assert(l->sides == 2 && k >= 0 && k < l->K);
    struct looks plain = *l; // a claim of sameness does not end the order
    for (int j = 0; j < l->K; j++)
        plain.same[j] = 0;
    double sign = z < 0 ? -1 : 1, root = sqrt(l->t[k]);
    z = fmin(fabs(z), STAGEWISE_MOST);
    struct stop s = {.x = z * root};
    follow(&s.paths, &plain, k);
    out->p = fmin(1, 2 * upward(&s, 0));
    double tail = (1 - level) / 2, middle = z / root, side = 2 / root;
    const double targets[] = {tail, 0.5, 1 - tail};
    double found[3];
    for (int i = 0; i < 3; i++) {
        s.target = targets[i];
        found[i] = sign * root_of(upward, &s, middle + (i - 2) * side, middle + i * side);
    }
    out->estimate = found[1];
    out->lo = fmin(found[0], found[2]);
    out->hi = fmax(found[0], found[2]);
    forget(&s.paths);
}
