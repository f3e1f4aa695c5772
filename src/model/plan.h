/* The plan of a network: an architecture at one batch size as a list of operations, with
 * the place of every parameter and of every activation and gradient.
 *
 * Time runs over one training step: operation i works forward at time i, the loss at
 * time n, and operation i backward at time 2n - i.  A tensor occupies the arena only
 * between its first and its last use, so the planner can lay tensors over each other;
 * testing has a layout of its own in the same arena.
 * What a network consists of: block.h.  The layout is "greedy by size" of Pisarchyk & Lee
 * 2020 (arXiv 2001.03288).  Invariant: a plan never changes after plan_new. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H
#include "model/arch.h"
#include "model/param.h"

enum mode { MODE_TEST, MODE_TRAIN, MODES };
enum { NONE = -1 }; // no tensor

struct tensor {
    int H, W, C;   // of one image; 1×1 for vectors
    size_t floats; // at full batch
    int first[MODES],
        last[MODES];      // time it is written, last time it is read; first > last: unused
    int root;             // when testing it lies where `root` lies (itself, or its input)
    size_t offset[MODES]; // floats into the arena
};

enum op_kind { OP_CONV, OP_NORM, OP_SE, OP_MAXPOOL, OP_GAP, OP_LINEAR, OP_KINDS };

/* In training a norm has no pass of its own where it can be fused with a convolution (struct
 * fusion in nn/layers.h): the one before it gathers its statistics in its epilogue; where its
 * first reader is a convolution, the prologue of that one applies it to tiles of the input
 * (`fused`), and the epilogue of its data gradient, the last to add to the norm's gradient,
 * makes the norm's sums (`backward_fused`).  The result of a fused norm without another reader
 * is never stored (`unstored`).  In testing every norm is applied by the convolution before
 * it. */
struct op {
    enum op_kind kind;
    char name[32];         // "s1.b1.f.a": the parameters' name without its last part
    int in, out, add;      // tensors; add: the shortcut a norm adds, or NONE
    int R, S, G;           // conv: kernel, stride, groups
    int Q;                 // SE: squeeze width
    enum activation act;   // norm, SE
    size_t param;          // its first entry in params
    int saved[4];          // kept for backward; norm: its state; SE: pool, pre, hidden, gate;
                           // max pool: winning positions
    int din, dout;         // gradients of in and out; din NONE: not needed
    int scratch, dscratch; // of the forward and of the backward pass, or NONE
    bool fused, unstored, backward_fused; // norm: see above
    bool accumulates;                     // conv: din holds another reader's gradient already
    int norm_after, norm_before;          // conv: in its epilogue, in its prologue, or NONE
};

struct use {
    int tensor;
    enum mode mode;
    int time;
    int before; // when it was used before, or NONE; `time` where this is no first mention
};

struct plan {
    struct arch arch;
    int batch;
    struct op *ops;
    int n;
    struct tensor *tensors;
    int n_tensors;
    struct use *uses; // of tensors by operations, by mode and time
    size_t n_uses;
    // of each mode and time (plan_slot), and one more: where its uses begin, and the bytes
    // of all uses in slots before it
    size_t *first_use;
    double *used_bytes;
    struct param *params;
    size_t n_params;
    size_t
        group[PARAM_GROUPS + 1]; // parameters of decay group k lie in [group[k], group[k+1])
    size_t buffers;              // floats of running statistics
    size_t arena;                // floats of the activation arena
    size_t own;                  // floats that each further thread needs for itself
    int input, logits, dlogits;  // tensors; the input is at offset 0 in both modes
};

/* NULL never; the arch must have passed arch_complete. */
struct plan *plan_new(const struct arch *a, int batch);
void plan_free(struct plan *p);
static inline int plan_slot(const struct plan *p, enum mode m, int time)
{
    return (int)m * (2 * p->n + 1) + time;
}
struct conv plan_conv(const struct plan *p, const struct op *o, int count);
/* What an operation must do forward or backward, for a full batch: operations (two a
 * multiply-add, counted as complexity.h does) and the bytes it must move if it touches
 * everything it reads and writes once: tensors but its scratch, and weights.  near: how
 * many of these are in a cache of `cache` bytes still, because fewer were touched since.
 * Nothing for a norm that is fused. */
struct work {
    double operations, bytes, near;
};
struct work plan_work(const struct plan *p, const struct op *o, enum mode m, bool backward,
                      double cache);

#endif
