/* See edf.h. */
#include "stats/edf.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void values_sort(double *v, size_t n)
{
    qsort(v, n, sizeof *v, ascending);
}

double values_quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

bool edf_init(struct edf *f, double *errors, size_t n, struct error *e)
{
    if (n == 0)
        return error_set(e, "there are no errors; an EDF needs at least one model");
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(errors[i]))
            return error_set(e, "error %zu is NaN; give a diverged model an error of 100",
                             i + 1);
        if (!(errors[i] >= 0 && errors[i] <= 100))
            return error_set(e, "error %zu is %g; errors are percent, 0 to 100", i + 1,
                             errors[i]);
        sum += errors[i];
    }
    values_sort(errors, n);
    *f = (struct edf){n, errors, sum / (double)n};
    return true;
}

double edf_at(const struct edf *f, double e)
{
    size_t lo = 0, hi = f->n; // e[0 … lo-1] < e <= e[hi …]
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (f->e[mid] < e)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (double)lo / (double)f->n;
}

double edf_area(const struct edf *f, double limit)
{
    assert(limit > 0);
    double sum = 0;
    for (size_t i = 0; i < f->n && f->e[i] < limit; i++)
        sum += 1 - f->e[i] / limit;
    return sum / (double)f->n;
}

size_t edf_steps(const struct edf *f, double *x, double *y)
{
    size_t k = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (k == 0 || f->e[i] != x[k - 1])
            x[k++] = f->e[i];
        y[k - 1] = (double)(i + 1) / (double)f->n;
    }
    return k;
}

double edf_variance(const struct edf *f)
{
    double sum = 0;
    for (size_t i = 0; i < f->n; i++)
        sum += (f->e[i] - f->mean) * (f->e[i] - f->mean);
    return f->n > 1 ? sum / (double)(f->n - 1) : 0;
}

double edf_dkw(size_t n, double level)
{
    return sqrt(log(2 / (1 - level)) / (2 * (double)n));
}
