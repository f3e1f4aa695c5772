/* Group-sequential tests: limits that allow a few planned looks at data that still arrive.
 *
 * At information t_k (a fraction of the planned maximum) the statistic Z_k is normal, and
 * B = Z sqrt(t) is a Brownian motion with a drift: 0 when there is no difference, and
 * difference / (standard error at t = 1) otherwise.  An error-spending function says how much
 * of alpha may be spent up to t; the limits |Z_k| >= c_k spend just that.  The density of B on
 * the paths that go on is known at Gauss-Legendre nodes and carried from look to look, so the
 * looks need neither be equally spaced nor be known in advance; that of a drift is the same
 * times exp(drift B - drift² t / 2).  About 10 digits.
 * Sources: Armitage, McPherson and Rowe 1969 (the recursion); Lan and DeMets 1983 (spending);
 * Kim and DeMets 1987 (power family, stage-wise intervals); Jennison and Turnbull 2000,
 * chapters 7 to 9 (estimates; repeated intervals, which are difference -+ c_k standard
 * errors); Tsiatis, Rosner and Mehta 1984 (the stage-wise order). */
#ifndef STATS_BOUNDARY_H
#define STATS_BOUNDARY_H
#include "base/error.h"

enum { LOOKS_MOST = 50 };
#define LOOKS_APART 1e-4 // of information, at least

enum spending_kind { SPEND_OBRIEN_FLEMING, SPEND_POCOCK, SPEND_POWER };

struct spending {
    enum spending_kind kind;
    double alpha; // of all sides together
    double rho;   // SPEND_POWER: alpha t^rho
    int sides;    // 2, or 1: only large Z decide
};

/* What may be spent up to information t; all of alpha from 1 on. */
double spending_at(const struct spending *s, double t);

struct looks {
    int K, sides;
    double t[LOOKS_MOST];     // information at each look, ascending
    double c[LOOKS_MOST];     // |Z| from which on a difference is claimed; INFINITY: never
    double same[LOOKS_MOST];  // |Z| up to which the two are called the same; 0: never
    double spent[LOOKS_MOST]; // up to this look
};

/* Finds c and spent of l->K looks at l->t, and sets same to 0.  What is less than 1e-14 is
 * left for the next look. */
bool looks_solve(struct looks *l, const struct spending *s, struct error *e);

/* The same where at[k], and not the information, says what may be spent up to look k: for
 * information that is only known when a look is taken, by any plan that the data have no part
 * in (Lan and DeMets 1983). */
bool looks_solve_at(struct looks *l, const struct spending *s, const double *at,
                    struct error *e);

/* The limits of a claim of sameness, for a margin in standard errors at t = 1: two one-sided
 * tests, |Z_k| + c_k <= margin sqrt(t_k), which is the repeated interval inside the margin.
 * The error of each stays below what c spends. */
void looks_equivalence(struct looks *l, double margin);

struct crossing {
    double upper[LOOKS_MOST], lower[LOOKS_MOST],
        same[LOOKS_MOST]; // probabilities of stopping
    double power;         // of an upper claim
    double expected;      // information when it stops, at the last look at the latest
};
void looks_cross(const struct looks *l, double drift, struct crossing *out);

/* The drift that is claimed with probability `power`, above alpha and below 1. */
double looks_drift(const struct looks *l, double power);

struct stagewise {
    double p;                // two-sided
    double estimate, lo, hi; // of the drift: median unbiased, and an interval
};
enum { STAGEWISE_MOST = 25 }; // a larger |z| is taken as this
/* After a stop at look k, from 0, with statistic z.  An earlier stop is more extreme, at one
 * look a larger |z| is.  Two-sided limits only. */
void looks_stagewise(const struct looks *l, int k, double z, double level,
                     struct stagewise *out);

#endif
