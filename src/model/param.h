/* One parameter or buffer of a network: what it is called, its shape and its place. */
#ifndef MODEL_PARAM_H
#define MODEL_PARAM_H
#include <stdbool.h>
#include <stddef.h>

enum param_group { PARAM_BN, PARAM_BIAS, PARAM_WEIGHT, PARAM_GROUPS }; // for weight decay

struct param {
    char name[48];      // "s1.b1.f.a.weight"
    int dims, shape[4]; // as PyTorch has it: (K, C/G, R, R), (K, C) or (C)
    enum param_group group;
    size_t offset, count; // floats, into the parameter, gradient and momentum blocks
    bool buffer;          // running_mean / running_var: no gradient, own block
};

/* Where value i of PyTorch's order (K, C, R, R) lies in the engine's (K, R, R, C). */
static inline size_t param_index(const struct param *p, size_t i)
{
    if (p->dims != 4)
        return i;
    size_t C = (size_t)p->shape[1], RR = (size_t)p->shape[2] * (size_t)p->shape[3];
    size_t k = i / (C * RR), c = i / RR % C, r = i % RR;
    return (k * RR + r) * C + c;
}

#endif
