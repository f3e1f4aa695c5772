/* What the tests of src/stats share: numbers that must be near, EDFs with their errors. */
#ifndef STATS_CHECK_H
#define STATS_CHECK_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/edf.h"

#define NEAR(got, want, tol)                                                                 \
    do {                                                                                     \
        double got_ = (got), want_ = (want);                                                 \
        if (!(fabs(got_ - want_) <= (tol)))                                                  \
            fail_msg("%s is %.10g, wanted %.10g", #got, got_, want_);                        \
    } while (0)

enum { MAX = 4096 };

// An EDF that owns its errors, so that tests can hold several.
struct sample {
    struct edf f;
    double e[MAX];
};

static inline const struct edf *fill(struct sample *s, size_t n, const double *errors)
{
    struct error e;
    memcpy(s->e, errors, n * sizeof *errors);
    assert_true(edf_init(&s->f, s->e, n, &e));
    return &s->f;
}

// n errors below `values`, whole numbers, so that small `values` give ties.
static inline const struct edf *fill_random(struct sample *s, size_t n, uint64_t seed,
                                            uint64_t values)
{
    struct rng r = rng_key(seed, 0, RNG_SUBSET);
    double e[MAX];
    for (size_t i = 0; i < n; i++)
        e[i] = (double)rng_below(&r, values);
    return fill(s, n, e);
}

static inline const struct edf *fill_range(struct sample *s, size_t n, double first,
                                           double step)
{
    double e[MAX];
    for (size_t i = 0; i < n; i++)
        e[i] = first + (double)i * step;
    return fill(s, n, e);
}

#endif
