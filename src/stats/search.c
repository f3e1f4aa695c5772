/* See search.h. */
#include "stats/search.h"

#include <assert.h>
#include <math.h>

double search_survival(size_t n, size_t m, size_t r)
{
    return exp((double)m * log1p(-(double)r / (double)n)); // r = n: exp(-inf) = 0
}

struct search_point search_best(const struct edf *f, size_t m, bool replacement,
                                double level)
{
    size_t n = f->n;
    assert(m >= 1 && (replacement || m <= n));
    // Interval: the smallest error whose rank r has P(rank <= r) = 1 - S(r) >= p.
    const double slack = 1e-12, tail = (1 - level) / 2;
    struct search_point p = {f->e[0], NAN, f->e[n - 1]};
    double s = 1;
    for (size_t r = 1; r <= n; r++) {
        double left = (double)(n - r + 1);
        s = replacement ? search_survival(n, m, r) : s * fmax(0, left - (double)m) / left;
        if (isnan(p.lo) && 1 - s >= tail - slack)
            p.lo = f->e[r - 1];
        if (s <= tail + slack) {
            p.hi = fmin(p.hi, f->e[r - 1]);
            if (s == 0)
                break;
        }
        if (r < n)
            p.mean += (f->e[r] - f->e[r - 1]) * s;
    }
    return p;
}
