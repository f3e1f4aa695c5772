/* Flops, parameters and activations of an architecture in closed form, nothing built.
 * Conventions of pycls, exact to the unit: flops are multiply-adds of convolutions and
 * linear layers; params count batch norm's scale and shift, not its statistics; acts are
 * the output elements of every convolution, max pool and linear layer.  Everything else
 * (activation, additions, global pool, softmax) is free. */
#ifndef MODEL_COMPLEXITY_H
#define MODEL_COMPLEXITY_H
#include "model/arch.h"

struct complexity {
    int64_t flops, params, acts;
};

/* Of one image, image × image pixels (a->image is not used).  `a` is complete.
 * paper_acts: leave the max pool out of acts, as the paper's tables do. */
struct complexity complexity(const struct arch *a, int image, bool paper_acts);

/* The same by part: stem, each stage, head (a->stages + 2 entries, which sum to the whole);
 * size[i] is the side of part i's output in pixels. */
void complexity_parts(const struct arch *a, int image, bool paper_acts,
                      struct complexity *parts, int *size);

/* A convolution with its batch norm, a linear layer or (as kernel 3, groups of 1) the max
 * pool.  Of a stage, its first block and its second are told apart: the layers of the second
 * stand for all that follow it. */
struct layer {
    char name[24]; // as net.h has its parameters: "s1.b1.f.a"
    int times, kernel, stride, groups, width, size; // times: blocks that have it; output
    struct complexity cost;                         // of one
};
enum { LAYERS_MOST = 4 + 2 * 6 * ARCH_STAGES };

/* The same by layer, in order, into rows (LAYERS_MOST of them); returns their number. */
int complexity_layers(const struct arch *a, int image, bool paper_acts, struct layer *rows);

#endif
