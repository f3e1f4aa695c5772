/* Least squares of one quantity on another, in the forms of the paper's figure 12: acts ~
 * sqrt(flops), params ~ flops, time ~ a flops + b sqrt(flops).  Solved by orthogonal
 * columns (modified Gram-Schmidt).
 *   R^2 = 1 - sum (y - fit)^2 / sum (y - mean)^2, against the mean in every form; of POWER
 *   in the logarithms, where it is fitted
 * Sources: Radosavovic et al. 2020, section 4 and figure 12; Golub and Van Loan 2013,
 * chapter 5; standard errors with n - k degrees of freedom. */
#ifndef STATS_REGRESS_H
#define STATS_REGRESS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum regress_form {
    REGRESS_LINEAR,      // y = a x
    REGRESS_SQRT,        // y = a sqrt(x)
    REGRESS_LINEAR_SQRT, // y = a x + b sqrt(x)
    REGRESS_AFFINE,      // y = a + b x
    REGRESS_POWER,       // y = a x^b
    REGRESS_FORMS
};

struct regression {
    int terms;
    double c[2];         // a, b
    double lo[2], hi[2]; // their intervals (Student); of POWER's a from that of ln a
    double r2;           // NaN when all y are equal
    double residual;     // standard deviation around the fit; of POWER in the logarithms
};
/* False when there are too few points, when x does not tell the terms apart, or when a root
 * or logarithm is asked of a number that has none; the message counts from 1. */
bool regress(struct regression *out, enum regress_form form, const double *x, const double *y,
             size_t n, double level, struct error *e);
double regress_at(enum regress_form form, const double c[2], double x);

#endif
