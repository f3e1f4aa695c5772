/* Squeeze-excitation (Hu et al. 2018) as pycls builds it: see layers.h.
 * Backward, with dg the gradient of the gate and da of what enters sigmoid or activation:
 *   dg = Σ_pixels dy·x,  da2 = dg·gate·(1 - gate),  dhidden = da2·w2,
 *   da1 = dhidden·act'(pre),  dpool = da1·w1,  dx = dy·gate + dpool/HW.
 * Threads share images, and for the gradient of the weights their rows (linear.c). */
#include <assert.h>

#include "base/pool.h"
#include "nn/kernels.h"

// One direction, for some images.
struct se {
    float *y, *pool, *pre, *hidden, *gate;   // forward
    float *dx, *da1, *da2, *dpool;           // backward
    const float *x, *dy, *w1, *b1, *w2, *b2; // forward the weights are packed
    size_t HW, C, Q;
    enum activation act;
};

size_t se_scratch(size_t N, size_t C, size_t Q)
{
    size_t forward = linear_scratch(C, Q) + linear_scratch(Q, C), backward = N * (2 * C + Q);
    return forward > backward ? forward : backward;
}

static void forward_images(void *self, size_t from, size_t to)
{
    const struct se *s = self;
    const struct kernels *k = kernels_get();
    size_t n = to - from, wide = from * s->C, narrow = from * s->Q, at = wide * s->HW;
    k->gap_forward(s->pool + wide, s->x + at, n, s->HW, s->C);
    linear_images(s->pre + narrow, s->pool + wide, s->w1, s->b1, n, s->C, s->Q);
    k->act_forward(s->hidden + narrow, s->pre + narrow, n * s->Q, s->act);
    linear_images(s->gate + wide, s->hidden + narrow, s->w2, s->b2, n, s->Q, s->C);
    k->sigmoid(s->gate + wide, s->gate + wide, n * s->C);
    k->gate(s->y + at, s->x + at, s->gate + wide, n, s->HW, s->C);
}

void se_forward(float *y, float *pool, float *pre, float *hidden, float *gate, const float *x,
                const float *w1, const float *b1, const float *w2, const float *b2, size_t N,
                size_t HW, size_t C, size_t Q, enum activation act, float *scratch)
{
    assert(N > 0 && HW > 0 && C > 0 && Q > 0 && y != x);
    float *packed1 = scratch, *packed2 = scratch + linear_scratch(C, Q);
    struct se s = {.y = y, .pool = pool, .pre = pre, .hidden = hidden, .gate = gate, .x = x,
                   .w1 = packed1, .b1 = b1, .w2 = packed2, .b2 = b2, .HW = HW, .C = C, .Q = Q,
                   .act = act};
    linear_pack(packed1, w1, C, Q);
    linear_pack(packed2, w2, Q, C);
    pool_share(N, 1, forward_images, &s);
}

static void backward_images(void *self, size_t from, size_t to)
{
    const struct se *s = self;
    const struct kernels *k = kernels_get();
    size_t n = to - from, wide = from * s->C, narrow = from * s->Q, at = wide * s->HW;
    float *da2 = s->da2 + wide, *da1 = s->da1 + narrow;
    const float *gate = s->gate + wide;
    k->gate_dot(da2, s->dy + at, s->x + at, n, s->HW, s->C);
    for (size_t i = 0; i < n * s->C; i++)
        da2[i] *= gate[i] * (1 - gate[i]);
    linear_data(da1, da2, s->w2, n, s->Q, s->C);
    k->act_backward(da1, da1, s->pre + narrow, n * s->Q, s->act);
    linear_data(s->dpool + wide, da1, s->w1, n, s->C, s->Q);
    k->gate_backward(s->dx + at, s->dy + at, gate, s->dpool + wide, n, s->HW, s->C);
}

void se_backward(float *dx, float *dw1, float *db1, float *dw2, float *db2, const float *dy,
                 const float *x, const float *pool, const float *pre, const float *hidden,
                 const float *gate, const float *w1, const float *w2, size_t N, size_t HW,
                 size_t C, size_t Q, enum activation act, float *scratch)
{
    assert(N > 0 && HW > 0 && C > 0 && Q > 0);
    float *da2 = scratch, *dpool = da2 + N * C, *da1 = dpool + N * C;
    struct se s = {.pre = (float *)pre, .gate = (float *)gate, .dx = dx, .da1 = da1,
                   .da2 = da2, .dpool = dpool, .x = x, .dy = dy, .w1 = w1, .w2 = w2, .HW = HW,
                   .C = C, .Q = Q, .act = act};
    pool_share(N, 1, backward_images, &s);
    linear_weights(dw2, db2, da2, hidden, N, Q, C);
    linear_weights(dw1, db1, da1, pool, N, C, Q);
}
