/* Draws networks from a design space.
 *
 * A space here is a list of independent factors.  A factor is one parameter, or several
 * that are bound: equal, or in non-decreasing order.  Each parameter has a finite table of
 * values with probabilities (made from its range by the caller), and bound parameters are
 * drawn exactly from the distribution that rejection would give: P ∝ Πp over the vectors
 * that obey.  Sorting independent draws gives another one, with fewer ties:
 * P ∝ Πp·(n!/Π multiplicities!); it is there by the name of BOND_SORTED.
 *
 * Candidate i depends on (seed, i) and nothing else; a population is the first n candidates,
 * in index order, that are valid, within the window, and not the same network as one kept
 * before.  Source of the spaces: arXiv 2003.13678 section 3. */
#ifndef STATS_SAMPLER_H
#define STATS_SAMPLER_H
#include <stddef.h>

#include "model/arch.h"
#include "model/complexity.h"
#include "model/regnet.h"
#include "model/timing.h"

enum sampler_kind {
    SAMPLE_ANYNET, // parameters d, w, b, g of every stage: slot = parameter · stages + stage
    SAMPLE_REGNET, // parameters d, w_0, w_a, w_m, b, g: slots 0 … 5
};
enum sampler_bond {
    BOND_EQUAL,
    BOND_UP,
    BOND_SORTED,
    BONDS
}; // of a factor with several slots

struct distribution {
    int n;
    double *value; // increasing
    double *p;     // >= 0, of any positive sum
};

enum { WINDOW_FLOPS, WINDOW_PARAMS, WINDOW_ACTS, WINDOW_TIME, WINDOWS };

/* Why candidates were not taken, and the extremes seen among the valid ones (of time: where it
 * is asked for). */
struct sampler_counts {
    uint64_t tried, shape, incompatible, window[WINDOWS], duplicate;
    double least[WINDOWS], most[WINDOWS];
};

struct candidate {
    uint64_t index, hash;
    struct arch asked, arch; // as drawn, and after group compatibility
    struct regnet regnet;    // SAMPLE_REGNET only
};

struct sampler;

/* `base` has the fixed options: stages, strides, block, stem, …, image.  A RegNet must come
 * out with base->stages stages, no level skipped. */
struct sampler *sampler_new(enum sampler_kind kind, const struct arch *base);
void sampler_free(struct sampler *s);
int sampler_slots(const struct sampler *s);
int sampler_stages(const struct sampler *s);

/* SAMPLE_ANYNET: the slots of g are numbers of groups, and the width follows. */
void sampler_by_groups(struct sampler *s);

/* Adds a factor of n slots, in order, with one distribution each (copied).  False when a
 * slot has a factor already, no values satisfy the bond, or what is to be sorted differs
 * in distribution. */
bool sampler_bind(struct sampler *s, enum sampler_bond bond, int n, const int *slots,
                  const struct distribution *dist, struct error *e);

/* Bounds (inclusive). */
void sampler_window(struct sampler *s, int what, double lo, double hi);

/* What WINDOW_TIME is: seconds an image, in steps of `batch`, by a table that outlives s. */
void sampler_timing(struct sampler *s, const struct timing *t, int batch, enum mode mode);

/* True when every slot has its factor. */
bool sampler_complete(const struct sampler *s, struct error *e);

/* Share of independent draws that would obey all bonds. */
double sampler_share(const struct sampler *s);

/* Walks the candidates from *index up to (not including) end until `capacity` (from 1) are found
 * or an interrupt is pending; *index is where to go on.  take gets those found, in order.  Returns
 * their number.  Networks recorded by sampler_keep are passed over.  All threads of the pool
 * (base/pool.h) walk; take is called by one at a time, and what is found and counted is the same
 * for any number of them. */
size_t sampler_each(struct sampler *s, uint64_t seed, uint64_t *index, uint64_t end,
                    size_t capacity, void (*take)(void *self, const struct candidate *c),
                    void *self);

/* The same into `out`. */
size_t sampler_next(struct sampler *s, uint64_t seed, uint64_t *index, uint64_t end,
                    struct candidate *out, size_t capacity);

/* Records a network as taken; false when it already was (then counted as a duplicate). */
bool sampler_keep(struct sampler *s, uint64_t hash);

const struct sampler_counts *sampler_counts(const struct sampler *s);

#endif
