/* Mixed images: mixup (Zhang et al. 2018, arXiv 1710.09412) and cutmix (Yun et al. 2019, arXiv
 * 1905.04899).
 *
 * Image i of a batch gets what it loses from image n - 1 - i, and counts as `share` of its own
 * label and 1 - share of the other's; batches are in random order, so the partner is random.
 * One share a batch, from Beta(alpha, alpha); with both asked for, a coin chooses.  For cutmix
 * it is the share of pixels kept outside the box (torchvision's RandomMixup, RandomCutmix). */
#ifndef MODEL_MIX_H
#define MODEL_MIX_H
#include <stdint.h>
#include "model/augment.h"

/* A rectangle of pixels. */
struct rect {
    int x, y, width, height;
};

struct mix {
    float share;     // 1: nothing is mixed
    struct rect box; // of cutmix; width 0: mixup
};

/* What happens to a batch, keyed by (seed, epoch, batch). */
struct mix mix_draw(const struct augment *a, int image, uint64_t seed, int epoch,
                    uint32_t batch);
/* x (n,image,image,channels), in place. */
void mix_apply(const struct mix *m, float *x, int n, int image, int channels);

#endif
