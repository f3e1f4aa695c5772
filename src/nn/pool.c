/* Max pooling (3×3, stride 2) and global average pooling: see layers.h; kernels in
 * kernels/point.h. */
#include <assert.h>

#include "base/pool.h"
#include "nn/kernels.h"

// One direction of either, over the images from … to-1.
struct pooling {
    float *to;
    int *from;
    const int *winners;
    const float *x;
    size_t in, out; // floats of an image
    int H, W, C;
};

static void max_forward(void *self, size_t from, size_t to)
{
    const struct pooling *p = self;
    kernels_get()->maxpool_forward(p->to + from * p->out, p->from + from * p->out,
                                   p->x + from * p->in, (int)(to - from), p->H, p->W, p->C);
}

static void max_backward(void *self, size_t from, size_t to)
{
    const struct pooling *p = self;
    kernels_get()->maxpool_backward(p->to + from * p->in, p->x + from * p->out,
                                    p->winners + from * p->out, (int)(to - from), p->H, p->W,
                                    p->C);
}

static struct pooling max_pooling(int H, int W, int C)
{
    return (struct pooling){.in = (size_t)H * (size_t)W * (size_t)C,
                            .out = (size_t)conv_out(H, 2) * (size_t)conv_out(W, 2) * (size_t)C,
                            .H = H,
                            .W = W,
                            .C = C};
}

void maxpool_forward(float *y, int *from, const float *x, int N, int H, int W, int C)
{
    assert(N > 0 && H > 0 && W > 0 && C > 0);
    struct pooling p = max_pooling(H, W, C);
    p.to = y, p.from = from, p.x = x;
    pool_share((size_t)N, 1, max_forward, &p);
}

void maxpool_backward(float *dx, const float *dy, const int *from, int N, int H, int W, int C)
{
    assert(N > 0 && H > 0 && W > 0 && C > 0);
    struct pooling p = max_pooling(H, W, C);
    p.to = dx, p.x = dy, p.winners = from;
    pool_share((size_t)N, 1, max_backward, &p);
}

static void mean_forward(void *self, size_t from, size_t to)
{
    const struct pooling *p = self;
    kernels_get()->gap_forward(p->to + from * p->out, p->x + from * p->in, to - from,
                               p->in / p->out, p->out);
}

static void mean_backward(void *self, size_t from, size_t to)
{
    const struct pooling *p = self;
    kernels_get()->gap_backward(p->to + from * p->in, p->x + from * p->out, to - from,
                                p->in / p->out, p->out);
}

void gap_forward(float *y, const float *x, size_t N, size_t HW, size_t C)
{
    assert(HW > 0 && C > 0);
    pool_share(N, 1, mean_forward, &(struct pooling){.to = y, .x = x, .in = HW * C, .out = C});
}

void gap_backward(float *dx, const float *dy, size_t N, size_t HW, size_t C)
{
    assert(HW > 0 && C > 0);
    pool_share(N, 1, mean_backward,
               &(struct pooling){.to = dx, .x = dy, .in = HW * C, .out = C});
}
