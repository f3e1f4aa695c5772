/* Complexity-normalised comparison: models are counted by strata of a complexity (flops,
 * params, acts), so that a space which merely holds larger models is not taken for a
 * better one.  A common range is cut into equal bins, closed below, the last closed on both
 * sides; each bin has the weight 1/bins and shares it equally among its models.
 *   F(e) = 1/bins * sum over bins of (share of the bin's models with error < e)
 * Models outside the range have no weight.  Every bin must hold a model of each space.
 * Source: Radosavovic et al. 2019 (arXiv 1905.13214).
 *
 * The tests condition on the strata: if inside a bin the space does not matter, the labels
 * of a bin's models are exchangeable, so they are shuffled bin by bin (Good 2005), and the
 * bootstrap resamples bin by bin. */
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

struct stratified {
    size_t n;
    const double *e;     // any order
    const uint32_t *bin; // below bins: no model without one
};
/* As compare_edfs, with normalised EDFs; every p-value is by `draws` random relabellings,
 * that of KS too.  out->ks_critical is NaN: there is no table.  False: interrupted. */
bool strata_compare(struct comparison *out, const struct stratified *a,
                    const struct stratified *b, uint32_t bins, uint32_t draws,
                    uint64_t seed, double level);

#endif
