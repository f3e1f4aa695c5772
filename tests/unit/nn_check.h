/* Helpers of the kernel tests: random tensors with guard values behind them, the loop over
 * instruction sets, and comparison within a bound that follows from the arithmetic. */
#ifndef TEST_NN_CHECK_H
#define TEST_NN_CHECK_H
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/isa.h"
#include "nn/layers.h"

static const char *const isas[] = {"avx512", "avx2", "neon", "portable"};
// Runs the body once for each instruction set of this processor.
#define EACH_ISA(name)                                                                       \
    for (size_t isa_i = 0; isa_i < sizeof isas / sizeof *isas; isa_i++)                      \
        for (const char *name = isa_set(isas[isa_i]) ? isas[isa_i] : NULL; name; name = NULL)

// n floats and the slack that may be read (layers.h), 64-byte aligned at the start, so
// that ASan sees a read behind it.
static inline float *tensor(size_t n)
{
    float *p = n < SIZE_MAX / 8 ? memalign(64, (n + 16) * sizeof *p) : NULL;
    assert_non_null(p);
    for (size_t i = 0; i < n + 16; i++)
        p[i] = NAN; // what is never written shows
    return p;
}

static inline float *tensor_random(struct rng *r, size_t n)
{
    float *p = tensor(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2 * rng_uniform(r) - 1);
    return p;
}

static inline float *tensor_copy(const float *x, size_t n)
{
    float *p = tensor(n);
    for (size_t i = 0; i < n; i++)
        p[i] = x[i];
    return p;
}

// |got - want| <= bound everywhere, or the first wrong place is named.
static inline void check_within(const char *what, const float *got, const double *want,
                                const double *bound, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= bound[i]))
            fail_msg("%s: element %zu of %zu is %.9g, wanted %.9g within %.2g", what, i, n,
                     (double)got[i], want[i], bound[i]);
}

static inline void check_close(const char *what, double got, double want, double relative)
{
    double scale = fabs(want) > 1 ? fabs(want) : 1;
    if (!(fabs(got - want) <= relative * scale))
        fail_msg("%s: %.9g, wanted %.9g", what, got, want);
}

#endif
