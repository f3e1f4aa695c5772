/* See regnet.h. */
#include "model/regnet.h"

#include <math.h>

enum { QUANTUM = 8, MOST_DEPTH = 1000, MOST_W = 32768 };

static bool check(const struct regnet *r, struct error *e)
{
    if (r->d < 1 || r->d > MOST_DEPTH)
        return error_set(e, "d is %d; a RegNet has from 1 to %d blocks", r->d, MOST_DEPTH);
    if (r->w_0 < QUANTUM || r->w_0 > MOST_W || r->w_0 % QUANTUM)
        return error_set(e,
                         "w_0 is %d; the initial width must be a multiple of 8 from 8 to %d",
                         r->w_0, MOST_W);
    if (!(r->w_a >= 0 && r->w_a <= MOST_W))
        return error_set(e, "w_a is %g; the slope must be from 0 to %d", r->w_a, MOST_W);
    if (!(r->w_m > 1 && r->w_m <= 100))
        return error_set(e, "w_m is %g; the width multiplier must be above 1, at most 100",
                         r->w_m);
    return true;
}

static int exponent(const struct regnet *r, double log_m, int j)
{
    double u = r->w_0 + r->w_a * j;
    return (int)rint(log(u / r->w_0) / log_m);
}

int regnet_exponent(const struct regnet *r, int j)
{
    return exponent(r, log(r->w_m), j);
}

bool regnet_reaches(const struct regnet *r, int k)
{
    // Without logarithms: whether u/w_0 is between w_m^(k-1/2) and w_m^(k+1/2); near either, where
    // rounding could decide, as everywhere else.
    double ratio = (r->w_0 + r->w_a * (r->d - 1)) / r->w_0, root = sqrt(r->w_m), level = 1;
    for (int i = 0; i < k; i++)
        level *= r->w_m;
    if (ratio < level / root * (1 - 1e-9) || ratio > level * root * (1 + 1e-9))
        return false;
    return regnet_exponent(r, r->d - 1) == k;
}

static int quantised(double w)
{
    return w > MOST_W ? 0 : (int)rint(w / QUANTUM) * QUANTUM;
}

int regnet_width(int w_0, double w_m, int k)
{
    return quantised(w_0 * pow(w_m, k));
}

bool regnet_shape(const struct regnet *r, struct regnet_shape *s, struct error *e)
{
    if (!check(r, e))
        return false;
    double log_m = log(r->w_m);
    int k = -1, w = -1;
    s->stages = 0;
    for (int j = 0; j < r->d;) {
        k = exponent(r, log_m, j);
        double exact = r->w_0 * pow(r->w_m, k);
        int width = quantised(exact);
        if (!width)
            return error_set(e,
                             "block %d would be %.0f channels wide; the limit is %d: lower "
                             "d, w_a or w_m",
                             j + 1, exact, MOST_W);
        if (width != w) {
            if (s->stages == ARCH_STAGES)
                return error_set(e,
                                 "these RegNet parameters give more than %d stages; raise "
                                 "w_m or lower w_a",
                                 ARCH_STAGES);
            w = width;
            s->w[s->stages] = w;
            s->d[s->stages++] = 0;
        }
        // Exponents never fall with j, so the run ends where the next exponent begins: near
        // u = w_0·w_m^(k+1/2).  Only blocks beside that point need the logarithm again.
        double end = r->w_a > 0 ? (exact * sqrt(r->w_m) - r->w_0) / r->w_a : r->d;
        int next = end < r->d ? (int)end : r->d;
        next = next > j + 1 ? next : j + 1;
        while (next > j + 1 && exponent(r, log_m, next - 1) > k)
            next--;
        while (next < r->d && exponent(r, log_m, next) == k)
            next++;
        s->d[s->stages - 1] += next - j;
        j = next;
    }
    s->levels = k + 1;
    return true;
}

void regnet_fill(const struct regnet *r, const struct regnet_shape *s, struct arch *a)
{
    a->stages = s->stages;
    for (int i = 0; i < s->stages; i++) {
        a->d[i] = s->d[i];
        a->w[i] = s->w[i];
        a->b[i] = r->b;
        a->g[i] = r->g;
        a->stride[i] = 2;
    }
}
