/* Squeeze-excitation (Hu et al. 2018) as pycls builds it: see layers.h.
 * Backward, with dg the gradient of the gate and da of what enters sigmoid or activation:
 *   dg = Σ_pixels dy·x,  da2 = dg·gate·(1 - gate),  dhidden = da2·w2,
 *   da1 = dhidden·act'(pre),  dpool = da1·w1,  dx = dy·gate + dpool/HW. */
#include <assert.h>

#include "nn/kernels.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t se_scratch(size_t N, size_t C, size_t Q)
{
    size_t forward = larger(linear_scratch(C, Q), linear_scratch(Q, C));
    return larger(forward, N * (C + Q));
}

void se_forward(float *y, float *pool, float *pre, float *hidden, float *gate, const float *x,
                const float *w1, const float *b1, const float *w2, const float *b2, size_t N,
                size_t HW, size_t C, size_t Q, enum activation act, float *scratch)
{
    assert(N > 0 && HW > 0 && C > 0 && Q > 0 && y != x);
    const struct kernels *k = kernels_get();
    k->gap_forward(pool, x, N, HW, C);
    linear_forward(pre, pool, w1, b1, N, C, Q, scratch);
    k->act_forward(hidden, pre, N * Q, act);
    linear_forward(gate, hidden, w2, b2, N, Q, C, scratch);
    k->sigmoid(gate, gate, N * C);
    k->gate(y, x, gate, N, HW, C);
}

void se_backward(float *dx, float *dw1, float *db1, float *dw2, float *db2, const float *dy,
                 const float *x, const float *pool, const float *pre, const float *hidden,
                 const float *gate, const float *w1, const float *w2, size_t N, size_t HW,
                 size_t C, size_t Q, enum activation act, float *scratch)
{
    assert(N > 0 && HW > 0 && C > 0 && Q > 0);
    const struct kernels *k = kernels_get();
    float *wide = scratch, *narrow = scratch + N * C;
    k->gate_dot(wide, dy, x, N, HW, C);
    for (size_t i = 0; i < N * C; i++)
        wide[i] *= gate[i] * (1 - gate[i]);
    linear_backward(narrow, dw2, db2, wide, hidden, w2, N, Q, C);
    k->act_backward(narrow, narrow, pre, N * Q, act);
    linear_backward(wide, dw1, db1, narrow, pool, w1, N, C, Q);
    k->gate_backward(dx, dy, gate, wide, N, HW, C);
}
