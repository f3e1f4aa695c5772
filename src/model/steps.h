/* What a network computes of one image when it is tested, step by step, with everything that other
 * code needs to do the same: places in one block of memory, and weights with the batch norms
 * folded in, in the order in which plain loops read them.  For net:export{ c = true }. */
#ifndef MODEL_STEPS_H
#define MODEL_STEPS_H
#include "model/net.h"
#include "model/plan.h"

enum { STEP_LANES = 8 }; // rows of weights are filled up with zeros to a multiple of this

struct step {
    enum op_kind kind; // never OP_NORM
    long in, out,
        add;        // floats into the memory; add: what is added before the activation, or -1
    int H, W, C, K; // of the input; channels of the output
    int R, S, G, Q; // as struct op has them
    enum activation act;
    size_t weight,
        bias; // floats into the weights; SE: of its first layer, the second follows
};

/* Weights: of a convolution (G,R,R,C/G,K/G), rows of K/G filled up; of one with a channel a group
 * (R,R,C); of SE (C,Q) (Q) (Q,C) (C); of the last layer (C,K), rows filled up.  A bias (K) follows
 * each (filled up where rows are). */
struct steps {
    struct step *list;
    int n;
    long image, logits; // places of input and output
    size_t memory;      // floats
    size_t scratch;     // floats that the largest input takes with zeros around it
    float *weights;
    size_t n_weights;
};

/* False with a message when memory is missing. */
bool steps_make(struct net *n, struct steps *s, struct error *e);
void steps_free(struct steps *s);

#endif
