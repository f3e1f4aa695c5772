/* What a step of training leaves out at random: entries of what the last layer reads (dropout,
 * Srivastava et al. 2014) and whole residual branches, image by image (stochastic depth, Huang
 * et al. 2016, arXiv 1603.09382).
 *
 * Source: EfficientNet as published (Tan & Le 2019, arXiv 1905.11946, and its code, which calls
 * the latter drop connect): block i of n, from 0, leaves out its branch at the rate depth·i/n;
 * pycls effnet.py has the same rate for all.  What stays is divided by 1 - rate.  Keyed by
 * (seed, epoch, step): the entries, image by image, in the order of RNG_DROPOUT; the images,
 * block by block of those that add a shortcut, in that of RNG_DEPTH. */
#ifndef MODEL_DROP_H
#define MODEL_DROP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/plan.h"

struct drop {
    float dropout, depth; // rates, from 0 (nothing) to below 1
    bool constant;        // every block has the rate `depth`
};

/* The draws of one step for the network of a plan. */
struct drops;
size_t drops_bytes(const struct plan *p);
struct drops *drops_new(const struct plan *p); // NULL: no memory
void drops_free(struct drops *d);
void drops_draw(struct drops *d, const struct drop *what, uint64_t seed, int epoch,
                uint32_t step);
const struct survival *drops_of(const struct drops *d, int op); // NULL: it leaves out nothing
/* Dropout of x (N,C), or of its gradient. */
void drops_apply(const struct drops *d, float *x, size_t N, size_t C);

#endif
