/* See fit.h.  All points of the grid are compared, few are computed: for a line (w_0, w_a),
 * whatever w_m, |ln ŵ_j - ln u_j| <= ln(w_m)/2, so that
 *     Σ_j max(0, |ln u_j - ln w_j| - ln(largest w_m)/2)
 * is a lower bound of its error.  The line of the smallest bound comes first; those whose
 * bound exceeds the best error are skipped, and a sum that exceeds it is not finished. */
#include "model/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct fitter {
    int n[3], blocks, levels;
    double *value[3];
    double *log_u;     // [line][block]: ln(u_j / w_0); a line is w_0, then w_a
    double *log_level; // [w_0][w_m][level]: ln ŵ
    double *log_w0, *log_wm;
    double slack;  // ln(largest w_m) / 2, and what rounding adds
    double *bound; // of the error, by line
    double *log_w; // of the network's blocks
};

struct best {
    double sum;
    int point; // in grid order
};

static const double TIE = 1e-9; // sums that differ by rounding alone

static bool small_enough(const char *what, double numbers, struct error *e)
{
    return numbers <= FIT_MOST_TABLE ||
           error_set(e,
                     "the grid needs a table of %.0f numbers for %s; the limit is %d: "
                     "take larger steps",
                     numbers, what, FIT_MOST_TABLE);
}

static bool check(const struct fit_grid *g, int blocks, struct error *e)
{
    static const char *const names[] = {"w_0", "w_a", "w_m"};
    double points = 1;
    for (int i = 0; i < 3; i++) {
        if (g->n[i] < 1 || g->n[i] > FIT_MOST_AXIS)
            return error_set(e, "the grid has %d values of %s; it must have from 1 to %d",
                             g->n[i], names[i], FIT_MOST_AXIS);
        points *= g->n[i];
        for (int k = 0; k < g->n[i]; k++) {
            double v = g->value[i][k];
            bool good = i == 0 ? v >= 1 : i == 1 ? v >= 0 : v >= 1.01;
            if (!(good && v <= 1e6))
                return error_set(e, "%s is %g; it must be from %s to 1e6", names[i], v,
                                 i == 0   ? "1"
                                 : i == 1 ? "0"
                                          : "1.01");
        }
    }
    if (points > FIT_MOST_POINTS)
        return error_set(e, "the grid has %.0f points; the limit is %d: take larger steps",
                         points, FIT_MOST_POINTS);
    return small_enough("w_0, w_a and blocks", (double)g->n[0] * g->n[1] * blocks, e);
}

static double *copied(const double *v, int n)
{
    return memcpy(xmalloc((size_t)n * sizeof *v), v, (size_t)n * sizeof *v);
}

static double *logs(const double *v, int n)
{
    double *l = xmalloc((size_t)n * sizeof *l);
    for (int i = 0; i < n; i++)
        l[i] = log(v[i]);
    return l;
}

// x to the nearest whole number, half to even, for |x| < 2^51: rint without a call.
static inline double nearest(double x)
{
    const double shift = 0x1.8p52;
    return x + shift - shift;
}

static bool tabulate(struct fitter *f, bool rounded, struct error *e)
{
    double most = 0, least_wm = INFINITY, most_wm = 0;
    for (int i = 0; i < f->n[2]; i++) {
        least_wm = fmin(least_wm, f->log_wm[i]);
        most_wm = fmax(most_wm, f->log_wm[i]);
    }
    f->slack = most_wm / 2;
    for (int i = 0; i < f->n[0] * f->n[1]; i++) {
        double w_0 = f->value[0][i / f->n[1]], w_a = f->value[1][i % f->n[1]];
        double *row = f->log_u + (size_t)i * (size_t)f->blocks;
        for (int j = 0; j < f->blocks; j++)
            row[j] = log((w_0 + w_a * j) / w_0);
        most = fmax(most, row[f->blocks - 1]);
    }
    f->levels = (int)(most / least_wm + 0.5) + 2;
    size_t rows = (size_t)f->n[0] * (size_t)f->n[2];
    if (!small_enough("w_0, w_m and widths", (double)rows * f->levels, e))
        return false;
    f->log_level = xmalloc(rows * (size_t)f->levels * sizeof *f->log_level);
    for (size_t i = 0; i < rows; i++) {
        size_t i0 = i / (size_t)f->n[2], im = i % (size_t)f->n[2];
        for (int k = 0; k < f->levels; k++) {
            double *l = &f->log_level[i * (size_t)f->levels + (size_t)k];
            *l = f->log_w0[i0] + k * f->log_wm[im];
            if (rounded) {
                double w = f->value[0][i0] * pow(f->value[2][im], k);
                w = log(fmax(8, 8 * rint(w / 8)));
                f->slack = fmax(f->slack, most_wm / 2 + fabs(w - *l));
                *l = w;
            }
        }
    }
    return true;
}

struct fitter *fitter_new(const struct fit_grid *g, int blocks, struct error *e)
{
    if (!check(g, blocks, e))
        return NULL;
    struct fitter *f = xcalloc(1, sizeof *f);
    size_t lines = (size_t)g->n[0] * (size_t)g->n[1];
    for (int i = 0; i < 3; i++) {
        f->n[i] = g->n[i];
        f->value[i] = copied(g->value[i], g->n[i]);
    }
    f->blocks = blocks;
    f->log_w0 = logs(g->value[0], g->n[0]);
    f->log_wm = logs(g->value[2], g->n[2]);
    f->log_u = xmalloc(lines * (size_t)blocks * sizeof *f->log_u);
    f->log_w = xmalloc((size_t)blocks * sizeof *f->log_w);
    f->bound = xmalloc(lines * sizeof *f->bound);
    if (tabulate(f, g->rounded, e))
        return f;
    fitter_free(f);
    return NULL;
}

void fitter_free(struct fitter *f)
{
    if (!f)
        return;
    for (int i = 0; i < 3; i++)
        free(f->value[i]);
    free(f->log_u);
    free(f->log_level);
    free(f->log_w0);
    free(f->log_wm);
    free(f->bound);
    free(f->log_w);
    free(f);
}

// Lower bounds of all lines for d blocks; returns the line of the smallest.
static int bound_lines(struct fitter *f, int d)
{
    int least = 0;
    for (int i = 0; i < f->n[0] * f->n[1]; i++) {
        const double *row = f->log_u + (size_t)i * (size_t)f->blocks;
        double log_w0 = f->log_w0[i / f->n[1]], sum = 0;
        for (int j = 0; j < d; j++) {
            double over = fabs(row[j] + log_w0 - f->log_w[j]) - f->slack;
            sum += over > 0 ? over : 0;
        }
        f->bound[i] = sum;
        if (sum < f->bound[least])
            least = i;
    }
    return least;
}

static void search_line(const struct fitter *f, int line, int d, struct best *b)
{
    const double *row = f->log_u + (size_t)line * (size_t)f->blocks;
    for (int m = 0; m < f->n[2]; m++) {
        size_t at = (size_t)(line / f->n[1]) * (size_t)f->n[2] + (size_t)m;
        const double *level = f->log_level + at * (size_t)f->levels;
        double sum = 0, step = f->log_wm[m];
        for (int j = d - 1; j >= 0 && sum <= b->sum + TIE; j--)
            sum += fabs(level[(int)nearest(row[j] / step)] - f->log_w[j]);
        int point = line * f->n[2] + m;
        if (sum < b->sum - TIE || (sum <= b->sum + TIE && point < b->point))
            *b = (struct best){sum, point};
    }
}

struct fit fitter_fit(struct fitter *f, const struct arch *a)
{
    int d = 0;
    for (int i = 0; i < a->stages; i++)
        for (int k = 0; k < a->d[i]; k++)
            f->log_w[d++] = log(a->w[i]);
    struct best b = {INFINITY, 0};
    int first = bound_lines(f, d);
    search_line(f, first, d, &b);
    for (int i = 0; i < f->n[0] * f->n[1]; i++)
        if (i != first && f->bound[i] <= b.sum + TIE)
            search_line(f, i, d, &b);
    int line = b.point / f->n[2];
    return (struct fit){b.sum / d, f->value[0][line / f->n[1]], f->value[1][line % f->n[1]],
                        f->value[2][b.point % f->n[2]]};
}
