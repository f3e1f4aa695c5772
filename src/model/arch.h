/* Network architectures as plain values: what AnyNet, RegNet and their relatives are made
 * of, what is valid, and group compatibility.
 * Source: Radosavovic et al. 2020 (arXiv 2003.13678) sections 3 and D; counting and
 * rounding as in pycls.  Letters are the paper's: d depth, w width, b bottleneck ratio
 * (w / inner width, so b < 1 is an inverted bottleneck), g group width. */
#ifndef MODEL_ARCH_H
#define MODEL_ARCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "nn/layers.h"

enum {
    ARCH_STAGES = 16,        // most stages a network may have
    ARCH_MOST_BLOCKS = 1000, // of a stage, and of all together
    ARCH_MOST_WIDTH = 32768,
};

enum arch_block {
    BLOCK_X,       // 1×1, 3×3 group, 1×1, residual; with se > 0 this is the Y block
    BLOCK_R,       // X with one group
    BLOCK_V,       // one 3×3, BN, activation; no residual (paper, appendix D)
    BLOCK_VR,      // V with a residual
    BLOCK_BASIC,   // two 3×3 with a residual (pycls res_basic_block)
    BLOCK_VANILLA, // two 3×3 without (pycls vanilla_block)
    BLOCK_LINEAR,  // X without the last activation; the residual only where shapes agree
                   // (pycls res_bottleneck_linear_block)
    BLOCK_MB,      // MBConv: 1×1 to inner = input width / b (left out at b = 1), k×k
                   // depthwise, squeeze-excitation, 1×1 without activation, residual where
                   // shapes agree (Sandler et al. 2018, Tan & Le 2019; pycls effnet.py)
    BLOCK_KINDS
};
enum arch_stem {
    STEM_SIMPLE, // 3×3 stride 2, BN, activation        (pycls simple_stem_in)
    STEM_RES,    // 7×7 stride 2, BN, act, maxpool 3 s2  (pycls res_stem_in)
    STEM_CIFAR,  // 3×3 stride 1, BN, activation        (pycls res_stem_cifar)
    STEM_KINDS
};

struct arch {
    int stages;
    int d[ARCH_STAGES], w[ARCH_STAGES], g[ARCH_STAGES], stride[ARCH_STAGES];
    int kernel[ARCH_STAGES]; // side of the blocks' k×k convolutions, odd (0 stands for 3)
    double b[ARCH_STAGES];   // 1, 2, 4, … or below 1 with 1/b a whole number
    enum arch_block block;
    enum arch_stem stem;
    int stem_width;
    int head_width;      // 0, or width of a 1×1 convolution before the pool
    double se;           // squeeze width = se · block input width, to the nearest (MB:
                         // the lower) whole number; 0: none
    enum activation act; // ACT_RELU or ACT_SILU
    int classes, image;  // outputs; side of the (square) input in pixels
    int channels;        // of the input: 3 (RGB) or 1 (gray) (0 stands for 3)
};

/* Names used by Lua and files; -1 when unknown. */
int arch_block_of(const char *name);
int arch_stem_of(const char *name);
int arch_act_of(const char *name);
const char *arch_block_name(enum arch_block b);
const char *arch_stem_name(enum arch_stem s);
const char *arch_act_name(enum activation a);
const char *arch_colour(int channels); // "colour", "gray"

/* True for blocks whose k×k is grouped by g (X, linear); for blocks that use b (these, R,
 * MB); for blocks that project their shortcut where shapes differ. */
bool block_has_groups(enum arch_block b);
bool block_has_bottleneck(enum arch_block b);
bool block_has_projection(enum arch_block b);

/* Of a block of stage i (0-based) whose input is w_in wide: inner width rint(w / b), of
 * MB rint(w_in / b); groups; squeeze width. */
int arch_inner(const struct arch *a, int i, int w_in);
int arch_groups(const struct arch *a, int i, int w_in);
int arch_squeeze(const struct arch *a, int w_in);
int arch_blocks(const struct arch *a);   // in all stages together
size_t arch_input(const struct arch *a); // values of one image

/* Checks ranges and makes widths and groups compatible, in place, per stage on the
 * bottleneck width (pycls adjust_block_compatibility; round half to even):
 *   v = max(1, w/b);  g = min(g, v);  m = b < 1 ? lcm(g, 1/b) : g
 *   v = max(m, rint(v/m)·m);  w = v·b
 * False with the stage, value and limit named. */
bool arch_complete(struct arch *a, struct error *e);

/* Everything that makes two networks the same network, hashed: duplicates are found on
 * the final network, not on the parameters as written. */
uint64_t arch_hash(const struct arch *a);

#endif
