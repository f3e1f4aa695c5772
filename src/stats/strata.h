/* Comparisons of populations that are more than two lists of errors.
 *
 * Strata: models are counted by a complexity (flops, params, acts), so that a space which
 * merely holds larger models is not taken for a better one.  A common range is cut into
 * equal bins, closed below, the last closed on both sides; each bin has the weight 1/bins
 * and shares it equally among its models.
 *   F(e) = 1/bins * sum over bins of (share of the bin's models with error < e)
 * Models outside the range have no weight; every bin must hold a model of each space.
 *
 * Shared models: a refined space that adopted trained models of its parent has them in
 * both populations, which are then not independent.
 *
 * Tests: if inside a bin the space does not matter, the errors of its models are exchangeable
 * whatever they are labelled (a, b or both), so the labels are shuffled bin by bin (Good
 * 2005).  Intervals: the models of a are resampled bin by bin, taking along what they are to
 * b, and then those of b alone.
 * Source of the weights: Radosavovic et al. 2019 (arXiv 1905.13214). */
#ifndef STATS_STRATA_H
#define STATS_STRATA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/compare.h"

enum { STRATA_MOST = 1000 };
#define NO_BIN UINT32_MAX

struct strata {
    double lo, hi; // the common range
    uint32_t bins;
};
uint32_t strata_bin(const struct strata *s, double x); // 0 … bins-1, or NO_BIN

/* bin[n] and weight[n] of models with complexities x[n]; no weight where there is no bin.
 * False names the first empty bin. */
bool strata_assign(const struct strata *s, const double *x, size_t n, uint32_t *bin,
                   double *weight, struct error *e);

enum label { OF_A = 1, OF_B = 2, OF_BOTH = 3 };
struct labelled {
    double e;
    uint32_t bin; // below bins: no model without one
    enum label label;
};
/* As compare_edfs, of normalised EDFs; every p-value is by `draws` random relabellings, that
 * of KS too, and out->ks_critical is NaN: there is no table.  False: interrupted. */
bool strata_compare(struct comparison *out, const struct labelled *models, size_t n,
                    uint32_t bins, uint32_t draws, uint64_t seed, double level);

#endif
