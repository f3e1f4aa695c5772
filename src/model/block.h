/* What the stem, a block and the head of a network consist of: the one description from
 * which its operations (plan.h), its counts and the layers that are shown (complexity.h) are
 * made.
 * Source: structure and names of pycls anynet.py, blocks.py and effnet.py.  The V and VR
 * blocks of Radosavovic et al. 2020 (appendix D), which pycls lacks, are named as the first
 * half of its vanilla_block (s1.b1.a, .a_bn) and of its res_basic_block (s1.b1.f.a, .f.a_bn,
 * with proj and bn where shapes differ). */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H
#include <stdbool.h>
#include "model/arch.h"

enum part_kind {
    PART_CONV,    // a convolution and its batch norm
    PART_SE,      // squeeze-excitation, w_out the squeeze width
    PART_MAXPOOL, // 3×3, stride 2
    PART_GAP,     // the mean over all pixels
    PART_LINEAR,  // with bias
};

/* Each works on the result of the one before, the first on the input of the whole. */
struct part {
    enum part_kind kind;
    const char *name, *norm; // what follows the name of the whole: ".f.a", ".f.a_bn"
    int w_in, w_out;         // channels
    int kernel, stride, groups;
    enum activation act; // after the norm; of SE: in the middle
    bool projects;       // works on the input of the whole; its result is the shortcut
    bool adds;           // the norm adds the shortcut: without a projection the input
};

enum { PARTS_MOST = 5 };
struct parts {
    int n;
    struct part list[PARTS_MOST];
};

void stem_parts(struct parts *b, const struct arch *a);
/* A block of stage i (0-based) with w_in channels and stride S. */
void block_parts(struct parts *b, const struct arch *a, int i, int w_in, int S);
void head_parts(struct parts *b, const struct arch *a);

#endif
