/* Vectors of which a part is used: the last ones of a row. */
#ifndef KERNELS_LANES_H
#define KERNELS_LANES_H
#include "nn/kernels/vec.h"

// The first n lanes at p, the rest 0.
INLINE vf some(const float *p, int n)
{
    return n == V ? vload(p) : vload_n(p, n);
}
// Only the first n lanes are stored.
INLINE void put(float *p, vf a, int n)
{
    if (n == V)
        vstore(p, a);
    else
        vstore_n(p, a, n);
}
// Lanes of the vector that starts at channel c of a panel of P.
INLINE int lanes(size_t P, size_t c)
{
    return P - c < V ? (int)(P - c) : V;
}

#endif
