/* Are the engine's own kernels right on this processor?  Some dozens of small random
 * networks, with every kind of layer at odd sizes, take a training step and a forward pass
 * with the chosen instruction set and with portable C, and must come to the same numbers.
 * That goes through everything a training uses, the plan's fusions included; the kernels
 * one by one, against plain loops, are the matter of the tests. */
#ifndef MODEL_SELFCHECK_H
#define MODEL_SELFCHECK_H
#include "base/error.h"

/* False with the network and the tensor that differ, and with what to do.  About a tenth
 * of a second.  With portable C chosen the fastest other variant is what it is compared
 * with, and on a processor that has no other there is nothing to compare. */
bool selfcheck_kernels(struct error *e);

#endif
