/* See anytime.h. */
#include "stats/anytime.h"

#include <math.h>

double mixture_rho(double most, double alpha)
{
    double log_alpha = -2 * log(alpha);
    return most / (log_alpha + log1p(log_alpha));
}

/* With r = rho / (rho + n) the e-value is
 *   sqrt(r) ((1 + t²/df) / (1 + r t²/df))^((df + 1)/2),   exp((1 - r) t²/2) for df = ∞. */
double mixture_log(double t, double n, double df, double rho)
{
    double r = rho / (rho + n), square = t * t;
    double power = isinf(df) ? 0.5 * (1 - r) * square
                             : 0.5 * (df + 1) * (log1p(square / df) - log1p(r * square / df));
    return 0.5 * log(r) + power;
}

double mixture_bound(double n, double df, double rho, double alpha)
{
    double r = rho / (rho + n), wanted = -2 * log(alpha) - log(r);
    if (isinf(df))
        return sqrt(wanted / (1 - r));
    double q = exp(wanted / (df + 1)); // (1 + t²/df) / (1 + r t²/df)
    return r * q < 1 ? sqrt(df * (q - 1) / (1 - r * q)) : INFINITY;
}

// Mean and sum of squares of what has come so far (Welford 1962).
struct running {
    double mean, squares;
};

static void add(struct running *r, double x, size_t n)
{
    double d = x - r->mean;
    r->mean += d / (double)n;
    r->squares += d * (x - r->mean);
}

void sequence_means(struct sequence_point *out, const double *a, const double *b, size_t n,
                    double rho, double alpha)
{
    struct running x = {0}, y = {0};
    for (size_t i = 0; i < n; i++) {
        double m = (double)i + 1, f = m - 1;
        add(&x, a[i], i + 1);
        add(&y, b[i], i + 1);
        struct sequence_point *p = &out[i];
        *p = (struct sequence_point){y.mean - x.mean, -INFINITY, INFINITY, 0};
        double squares = x.squares + y.squares;
        if (squares <= 0)
            continue; // one model, or all alike: nothing is known of the spread
        // Welch's degrees of freedom, and the standard error
        double df = f * squares * squares / (x.squares * x.squares + y.squares * y.squares);
        double se = sqrt(squares / (f * m));
        double half = se * mixture_bound(m, df, rho, alpha);
        p->lo = p->difference - half;
        p->hi = p->difference + half;
        p->log_e = mixture_log(p->difference / se, m, df, rho);
    }
}

void betting_bets(double *bet, const double *x, size_t n, double alpha)
{
    double sum = 0.5, squares = 0.25; // as if one observation of deviation 1/2 came first
    for (size_t i = 0; i < n; i++) {
        double t = (double)i + 1;
        bet[i] = sqrt(2 * log(2 / alpha) * t / (squares * t * log1p(t)));
        sum += x[i];
        double d = x[i] - sum / (t + 1);
        squares += d * d;
    }
}

void betting_capital(double *above, double *below, const double *x, const double *bet,
                     size_t n, double m)
{
    double up = log(0.5), down = up;
    for (size_t i = 0; i < n; i++) {
        up += log1p(fmin(bet[i], 0.5 / m) * (x[i] - m));
        down += log1p(fmin(bet[i], 0.5 / (1 - m)) * (m - x[i]));
        if (above)
            above[i] = up;
        if (below)
            below[i] = down;
    }
}

// The logarithm of what n bets on a mean above m have made of 1; it falls as m grows.
static double last_capital(const double *x, const double *bet, size_t n, double m,
                           double sign)
{
    double sum = 0, c = sign > 0 ? m : 1 - m;
    for (size_t i = 0; i < n; i++)
        sum += log1p(fmin(bet[i], 0.5 / c) * sign * (x[i] - m));
    return sum;
}

void betting_interval(double *lo, double *hi, const double *x, const double *bet, size_t n,
                      double alpha)
{
    for (int side = 0; side <= 1; side++) {
        double in = side ? 0 : 1, out = side ? 1 : 0; // `in` is refuted last
        for (int i = 0; i < 50; i++) {
            double m = (in + out) / 2;
            if (last_capital(x, bet, n, m, side ? -1 : 1) >= log(2 / alpha))
                out = m;
            else
                in = m;
        }
        *(side ? hi : lo) = out;
    }
}

/* Theorem 2: the distance exceeds A sqrt((ln(1 + ln(n/first)) + C)/n) at some n >= first with
 * probability at most min over eta of 4 exp(-g C) (1 + 1/((g - 1) ln eta)), where
 * g = 2/eta (A - sqrt(2 (eta - 1)/C))² must exceed 1. */
static const double A = 0.85;

static double exceeds(double C, double eta)
{
    double root = A - sqrt(2 * (eta - 1) / C), g = 2 / eta * root * root;
    if (root <= 0 || g <= 1)
        return INFINITY;
    return 4 * exp(-g * C) * (1 + 1 / ((g - 1) * log(eta)));
}

// The least over eta, which lies between 1 and 2 A² (golden section; infinite from some on).
static double least(double C)
{
    const double ratio = 0.6180339887498949;
    double lo = 1, hi = 2 * A * A;
    double p = hi - ratio * (hi - lo), q = lo + ratio * (hi - lo);
    double at_p = exceeds(C, p), at_q = exceeds(C, q);
    for (int i = 0; i < 60; i++) {
        if (at_p <= at_q) {
            hi = q;
            q = p;
            at_q = at_p;
            p = hi - ratio * (hi - lo);
            at_p = exceeds(C, p);
        } else {
            lo = p;
            p = q;
            at_p = at_q;
            q = lo + ratio * (hi - lo);
            at_q = exceeds(C, q);
        }
    }
    return fmin(at_p, at_q);
}

double band_iterated(size_t n, size_t first, double alpha)
{
    if (n < first)
        return INFINITY;
    double lo = 0, hi = 1000;
    for (int i = 0; i < 60; i++) {
        double C = (lo + hi) / 2;
        if (least(C) > alpha)
            lo = C;
        else
            hi = C;
    }
    return A * sqrt((log1p(log((double)n / (double)first)) + hi) / (double)n);
}

double band_union(size_t n, size_t first, double alpha)
{
    if (n < first)
        return INFINITY;
    double m = (double)n, share = (double)first / (m * (m + 1));
    return sqrt(log(2 / (alpha * share)) / (2 * m));
}

double band_anytime(size_t n, size_t first, double alpha)
{
    return fmin(band_iterated(n, first, alpha / 2), band_union(n, first, alpha / 2));
}
