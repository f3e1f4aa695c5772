/* See special.h. */
#include "stats/special.h"

#include <assert.h>
#include <math.h>

// A denominator that vanishes is taken as this (Lentz's method).
static double apart(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

// 1 / (1 + d1/(1 + d2/(1 + …))) from the front, for x below the mean.
static double fraction(double x, double a, double b)
{
    double c = 1, d = 1 / apart(1 - (a + b) * x / (a + 1)), f = d;
    for (int m = 1; m <= 100000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / apart(1 + even * d);
        c = apart(1 + even / c);
        f *= c * d;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / apart(1 + odd * d);
        c = apart(1 + odd / c);
        f *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return f;
}

double beta_cdf(double x, double a, double b)
{
    assert(a > 0 && b > 0);
    if (x <= 0 || x >= 1)
        return x >= 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * fraction(x, a, b) / a;
    return 1 - front * fraction(1 - x, b, a) / b;
}

double beta_quantile(double p, double a, double b)
{
    double lo = 0, hi = 1;
    for (int k = 0; k < 100; k++) {
        double mid = (lo + hi) / 2;
        if (beta_cdf(mid, a, b) < p)
            lo = mid;
        else
            hi = mid;
    }
    return (lo + hi) / 2;
}

// The complement where x is near 1, so that neither end loses digits.
double f_quantile(double p, double d1, double d2)
{
    double y = beta_quantile(1 - p, d2 / 2, d1 / 2); // y = 1 - x
    return d2 * (1 - y) / (d1 * y);
}

// t^2 is F(1, df).
double student_quantile(double p, double df)
{
    double t = sqrt(f_quantile(fabs(2 * p - 1), 1, df));
    return p < 0.5 ? -t : t;
}

double binomial_cdf(size_t k, size_t n, double p)
{
    if (k >= n)
        return 1;
    return beta_cdf(1 - p, (double)(n - k), (double)k + 1);
}

double normal_quantile(double q)
{
    double lo = -40, hi = 40;
    for (int k = 0; k < 60; k++) {
        double mid = (lo + hi) / 2;
        if (0.5 * erfc(-mid / sqrt(2)) < q)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

// P(T > t) for t >= 0.
static double student_tail(double t, double df)
{
    return 0.5 * beta_cdf(df / (df + t * t), df / 2, 0.5);
}

double student_deviate(double t, double df)
{
    double z = -normal_quantile(student_tail(fabs(t), df));
    return t < 0 ? -z : z;
}

// The logarithm of the tail is a concave function of that of t, so that Newton's steps stay on
// one side from the second on.
double deviate_student(double z, double df)
{
    double tail = 0.5 * erfc(fabs(z) / sqrt(2)), t = fabs(z);
    double scale = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * M_PI);
    for (int k = 0; k < 50 && t > 0; k++) {
        double p = student_tail(t, df);
        double density = scale * exp(-0.5 * (df + 1) * log1p(t * t / df));
        double change = p * log(p / tail) / (density * t);
        t *= exp(change);
        if (fabs(change) < 1e-14)
            break;
    }
    return z < 0 ? -t : t;
}

size_t binomial_quantile(double q, double z, size_t n, double p)
{
    if (p <= 0 || p >= 1)
        return p >= 1 ? n : 0;
    double mean = (double)n * p, variance = mean * (1 - p), s = sqrt(variance);
    double at = mean + s * z + (1 - 2 * p) * (z * z - 1) / 6 +
                ((1 - 6 * p * (1 - p)) * (z * z * z - 3 * z) / 24 -
                 (1 - 4 * p * (1 - p)) * (2 * z * z * z - 5 * z) / 36) /
                    s;
    size_t k = (size_t)fmin(fmax(ceil(at - 0.5), 0), (double)n);
    if (variance >= 1000)
        return k;
    const double slack = 1e-12; // a probability reached exactly counts
    while (k > 0 && binomial_cdf(k - 1, n, p) >= q - slack)
        k--;
    while (binomial_cdf(k, n, p) < q - slack)
        k++;
    return k;
}
