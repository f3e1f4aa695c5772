/* The pieces whose times add up to that of a network (timing.h): a convolution with the norm
 * that is carried out with it, squeeze-excitation, a pool, the linear layer, and the end of a
 * step.  A norm that has a pass of its own belongs to what reads it; that of a projection, to
 * the projection.  In the order of the operations of a plan.
 *
 * Each has a work, a rough count in multiply-adds, in which the padding of the kernels, memory
 * and what is fused are counted; and two or three logarithms of its sizes, of which what a unit
 * of work takes is a smooth function.  What kernels a shape gets: conv.c. */
#ifndef MODEL_PIECES_H
#define MODEL_PIECES_H
#include "model/block.h"
#include "model/lattice.h"
#include "model/plan.h"

enum piece_kind {
    PIECE_PRODUCT,   // 1×1
    PIECE_GATHERED,  // 1×1 of a stride
    PIECE_WIDE,      // by im2col, such as the 7×7 of a stem
    PIECE_DIRECT,    // in groups, and dense 3×3
    PIECE_DIRECT_S,  // the same of a stride
    PIECE_DEPTHWISE, //
    PIECE_DEPTHWISE_S,
    PIECE_WINOGRAD,
    PIECE_SE,
    PIECE_MAXPOOL,
    PIECE_GAP,
    PIECE_LINEAR,
    PIECE_STEP, // training: loss, gradients to zero, optimizer
    PIECE_KINDS
};
const char *piece_name(enum piece_kind k);

enum {                     // switches of its lattice
    PIECE_APPLIES = 1,     // the norm before it is applied to its input, which is not stored,
    PIECE_STORES = 2,      // or is, with what it adds
    PIECE_ACCUMULATES = 4, // its gradient is added to that of another reader
    PIECE_SILU = 8,
};

struct piece {
    enum piece_kind kind;
    int times; // blocks that have it
    unsigned switches;
    double at[LATTICE_AXES];
    double work[MODES];
};

enum { PIECES_MOST = 4 + 2 * PARTS_MOST * ARCH_STAGES + 4 };

/* Of a complete arch, whose own image size is not used; into rows, PIECES_MOST of them.
 * Returns their number. */
int pieces_of(const struct arch *a, int image, int batch, struct piece *rows);

/* A lattice for pieces of a kind: its axes, no values. */
struct lattice piece_lattice(enum piece_kind k);

#endif
