/* The distributions that intervals are made of, from one function: the regularised
 * incomplete beta I_x(a, b), by its continued fraction (NIST Handbook of Mathematical
 * Functions, 8.17.22), about 13 digits for a, b up to 10^6.
 *   P(Beta(a,b) <= x) = I_x(a, b)
 *   P(F(d1,d2) <= f)  = I_x(d1/2, d2/2),  x = d1 f / (d1 f + d2)
 *   P(Bin(n,p) <= k)  = I_{1-p}(n - k, k + 1) */
#ifndef STATS_SPECIAL_H
#define STATS_SPECIAL_H
#include <stddef.h>

double beta_cdf(double x, double a, double b); // a, b > 0; x in [0, 1]
double beta_quantile(double p, double a, double b);
double f_quantile(double p, double d1, double d2);
double student_quantile(double p, double df);
/* The normal deviate z with the tail of Student's t: P(N > z) = P(T > t); at most 40. */
double student_deviate(double t, double df);
double deviate_student(double z, double df); // the t of a z

double binomial_cdf(size_t k, size_t n, double p);
double normal_quantile(double q);
/* The least k with P(Bin(n,p) <= k) >= q; z is normal_quantile(q).  Exact while the
 * variance is below 1000, beyond by Cornish and Fisher's expansion, at most 1 away. */
size_t binomial_quantile(double q, double z, size_t n, double p);

#endif
