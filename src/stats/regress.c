/* See regress.h. */
#include "stats/regress.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/special.h"

static int terms_of(enum regress_form form)
{
    return form == REGRESS_LINEAR || form == REGRESS_SQRT ? 1 : 2;
}

// The value of term k at x.
static double term(enum regress_form form, int k, double x)
{
    switch (form) {
    case REGRESS_SQRT:
        return sqrt(x);
    case REGRESS_LINEAR_SQRT:
        return k ? sqrt(x) : x;
    case REGRESS_AFFINE:
        return k ? x : 1;
    case REGRESS_POWER:
        return k ? log(x) : 1;
    default:
        return x;
    }
}

double regress_at(enum regress_form form, const double c[2], double x)
{
    if (form == REGRESS_POWER)
        return c[0] * pow(x, c[1]);
    double y = 0;
    for (int k = 0; k < terms_of(form); k++)
        y += c[k] * term(form, k, x);
    return y;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static bool check(enum regress_form form, const double *x, const double *y, size_t n,
                  struct error *e)
{
    size_t least = (size_t)terms_of(form) + 1;
    if (n < least)
        return error_set(e, "%zu points are too few; this form needs %zu", n, least);
    bool root = form == REGRESS_SQRT || form == REGRESS_LINEAR_SQRT;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            return error_set(e, "point %zu is (%g, %g); both must be finite", i + 1, x[i],
                             y[i]);
        if (root && x[i] < 0)
            return error_set(e, "point %zu has x = %g, which has no square root", i + 1,
                             x[i]);
        if (form == REGRESS_POWER && !(x[i] > 0 && y[i] > 0))
            return error_set(e, "point %zu is (%g, %g); a power law needs both above 0",
                             i + 1, x[i], y[i]);
    }
    return true;
}

bool regress(struct regression *out, enum regress_form form, const double *x, const double *y,
             size_t n, double level, struct error *e)
{
    if (!check(form, x, y, n, e))
        return false;
    const int terms = terms_of(form);
    const bool logarithms = form == REGRESS_POWER;
    // Columns q, orthogonal; column k = q_k + r01 q_0; rest: y, then what is not fitted.
    double *q = xmalloc(3 * n * sizeof *q), *q1 = q + n, *rest = q + 2 * n;
    double mean = 0, around = 0, r01 = 0, b[2] = {0, 0}, size[2] = {0, 0}, first;
    for (size_t i = 0; i < n; i++) {
        q[i] = term(form, 0, x[i]);
        q1[i] = terms > 1 ? term(form, 1, x[i]) : 0;
        rest[i] = logarithms ? log(y[i]) : y[i];
        mean += rest[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        around += (rest[i] - mean) * (rest[i] - mean);
    size[0] = dot(q, q, n);
    first = dot(q1, q1, n);
    if (terms > 1 && size[0] > 0) {
        r01 = dot(q, q1, n) / size[0];
        for (size_t i = 0; i < n; i++)
            q1[i] -= r01 * q[i];
        size[1] = dot(q1, q1, n);
    }
    if (size[0] == 0 || (terms > 1 && size[1] <= 1e-20 * first)) {
        free(q);
        return error_set(e, "the values of x do not tell the terms apart; %s",
                         size[0] == 0 ? "all are 0" : "they are (nearly) equal");
    }
    for (int k = 0; k < terms; k++) {
        const double *column = k ? q1 : q;
        b[k] = dot(column, rest, n) / size[k];
        for (size_t i = 0; i < n; i++)
            rest[i] -= b[k] * column[i];
    }
    double free_points = (double)n - terms, squares = dot(rest, rest, n);
    double variance = squares / free_points;
    double t = student_quantile((1 + level) / 2, free_points);
    free(q);
    // y = b0 q0 + b1 q1 = (b0 - r01 b1) column 0 + b1 column 1
    double c[2] = {b[0] - r01 * b[1], b[1]};
    double error[2] = {sqrt(variance / size[0]), 0};
    if (terms > 1) {
        error[0] = sqrt(variance * (1 / size[0] + r01 * r01 / size[1]));
        error[1] = sqrt(variance / size[1]);
    }
    *out = (struct regression){.terms = terms,
                               .residual = sqrt(variance),
                               .r2 = around > 0 ? 1 - squares / around : NAN};
    for (int k = 0; k < terms; k++) {
        bool logarithm = logarithms && k == 0;
        double low = c[k] - t * error[k], high = c[k] + t * error[k];
        out->c[k] = logarithm ? exp(c[k]) : c[k];
        out->lo[k] = logarithm ? exp(low) : low;
        out->hi[k] = logarithm ? exp(high) : high;
    }
    return true;
}
