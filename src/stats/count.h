/* How many different networks the settings of a space make: group compatibility turns
 * several settings into one network.
 * For AnyNets exactly: the networks are the words of a finite automaton that reads a stage
 * at a time and remembers which settings of it are still possible (the subset construction);
 * for RegNets by the number of settings that make a given network, whose inverse averages to
 * the number sought.  Source of the spaces: arXiv 2003.13678 section 3, appendix D. */
#ifndef STATS_COUNT_H
#define STATS_COUNT_H
#include "model/arch.h"
#include "model/regnet.h"

enum count_bond {
    COUNT_FREE,
    COUNT_EQUAL,
    COUNT_UP,
    COUNT_DOWN,
    COUNT_BONDS
}; // over the stages

struct values {
    int n;
    const double *v; // increasing
};

struct count_space { // w, b, g of the stages of `base`
    struct arch base;
    struct values value[3][ARCH_STAGES];
    enum count_bond bond[3];
    bool groups; // g counts groups
};

/* Different sequences of (w, b, g) after group compatibility, or a negative number: -1 where
 * there are too many states to count, -2 when interrupted.  Exact below 2^64 (the mantissa of
 * a long double). */
long double count_distinct(const struct count_space *s);

struct count_regnet {
    struct arch base;
    struct values d, w_0, w_a, w_m, b, g;
    bool tied; // w_0 and w_a are equal
};

/* Prepares to count; NULL when that would take too much memory.  The values are not copied. */
struct multiplicity *multiplicity_new(const struct count_regnet *s);
void multiplicity_free(struct multiplicity *m);
/* Settings of the space that make the (complete) network a. */
double multiplicity_of(const struct multiplicity *m, const struct arch *a);

#endif
