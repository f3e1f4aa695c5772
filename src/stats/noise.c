/* See noise.h. */
#include "stats/noise.h"

#include <assert.h>
#include <math.h>

#include "stats/special.h"

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double bounded(double share)
{
    return fmin(1, fmax(0, share));
}

struct noise noise_of(const double *x, size_t n, size_t k, double level)
{
    assert(n >= 2 && k >= 2);
    double mean = mean_of(x, n * k), msb = 0, msw = 0;
    double models = (double)n - 1, trainings = (double)n * ((double)k - 1);
    for (size_t i = 0; i < n; i++) {
        double own = mean_of(x + i * k, k);
        msb += (double)k / models * (own - mean) * (own - mean);
        for (size_t j = 0; j < k; j++)
            msw += (x[i * k + j] - own) * (x[i * k + j] - own) / trainings;
    }
    double between = fmax(0, (msb - msw) / (double)k), tail = (1 - level) / 2;
    double f = msb / msw; // 0/0 = NaN, x/0 = inf
    double low = f / f_quantile(1 - tail, models, trainings);
    double high = f * f_quantile(1 - tail, trainings, models);
    return (struct noise){
        .mean = mean,
        .within = sqrt(msw),
        .between = sqrt(between),
        .reliability = between / (between + msw),
        .lo = isinf(f)   ? 1
              : isnan(f) ? NAN
                         : bounded((low - 1) / (low + (double)k - 1)),
        .hi = isinf(f)   ? 1
              : isnan(f) ? NAN
                         : bounded((high - 1) / (high + (double)k - 1)),
    };
}
