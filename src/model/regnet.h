/* RegNet: the widths and depths of a network from four numbers (the quantised linear
 * parameterisation).  Source: arXiv 2003.13678, equations 2 to 4; rounding as in pycls
 * generate_regnet, that is half to even, in double, widths to multiples of 8. */
#ifndef MODEL_REGNET_H
#define MODEL_REGNET_H
#include "model/arch.h"

struct regnet {
    int d;      // blocks in all
    int w_0;    // initial width, a multiple of 8
    double w_a; // slope, >= 0
    double w_m; // width multiplier, > 1
    double b;   // bottleneck ratio and
    int g;      // group width of every stage
};

struct regnet_shape {
    int stages; // distinct widths
    int levels; // largest exponent + 1: differs from stages when a level was skipped or
                // two levels round to one width
    int d[ARCH_STAGES], w[ARCH_STAGES]; // as generated, before group compatibility
};

/* Stages by equation 2 to 4:  u_j = w_0 + w_a·j,  k_j = rint(log(u_j/w_0) / log(w_m)),
 * w_j = 8·rint(w_0·w_m^k_j / 8); a stage is a run of equal w_j.
 * False with a message for values out of range, or more than ARCH_STAGES stages. */
bool regnet_shape(const struct regnet *r, struct regnet_shape *s, struct error *e);

/* k_j of block j, and the width of level k (0: beyond the limit of widths). */
int regnet_exponent(const struct regnet *r, int j);
int regnet_width(int w_0, double w_m, int k);

/* Whether that of the last block is k. */
bool regnet_reaches(const struct regnet *r, int k);

/* The shape with b and g into the stages of `a` (strides 2); arch_complete is yet to be called. */
void regnet_fill(const struct regnet *r, const struct regnet_shape *s, struct arch *a);

#endif
