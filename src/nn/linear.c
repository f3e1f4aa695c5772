/* The fully connected layer: three matrix products (see layers.h).  Not OpenBLAS's, which
 * allocate for small matrices.  Threads share images, and for the weights classes: no sum is
 * split. */
#include <string.h>

#include "base/pool.h"
#include "nn/kernels.h"

struct linear {
    float *to, *dw, *db;
    const float *x, *dy, *w, *b, *packed;
    size_t N, C, K;
};

size_t linear_scratch(size_t C, size_t K)
{
    return (K + 15) / 16 * 16 * C; // packed weights, for any instruction set
}

void linear_pack(float *packed, const float *w, size_t C, size_t K)
{
    kernels_get()->product_pack(packed, w, K, C);
}

void linear_images(float *y, const float *x, const float *packed, const float *b, size_t N,
                   size_t C, size_t K)
{
    for (size_t n = 0; n < N; n++)
        memcpy(y + n * K, b, K * sizeof *b);
    kernels_get()->product(y, K, x, C, 1, packed, 0, N, K, C, true, NULL);
}

static void forward_images(void *self, size_t from, size_t to)
{
    const struct linear *l = self;
    linear_images(l->to + from * l->K, l->x + from * l->C, l->packed, l->b, to - from, l->C,
                  l->K);
}

void linear_forward(float *y, const float *x, const float *w, const float *b, size_t N,
                    size_t C, size_t K, float *scratch)
{
    struct linear l = {.to = y, .x = x, .b = b, .packed = scratch, .N = N, .C = C, .K = K};
    linear_pack(scratch, w, C, K);
    pool_share(N, 1, forward_images, &l);
}

void linear_data(float *dx, const float *dy, const float *w, size_t N, size_t C, size_t K)
{
    kernels_get()->product(dx, C, dy, K, 1, w, C, N, C, K, false, NULL);
}

static void data_images(void *self, size_t from, size_t to)
{
    const struct linear *l = self;
    linear_data(l->to + from * l->C, l->dy + from * l->K, l->w, to - from, l->C, l->K);
}

static void weight_rows(void *self, size_t from, size_t to)
{
    const struct linear *l = self;
    kernels_get()->product(l->dw + from * l->C, l->C, l->dy + from, 1, l->K, l->x, l->C,
                           to - from, l->C, l->N, true, NULL);
}

void linear_weights(float *dw, float *db, const float *dy, const float *x, size_t N, size_t C,
                    size_t K)
{
    struct linear l = {.dw = dw, .dy = dy, .x = x, .N = N, .C = C, .K = K};
    kernels_get()->column_sums(db, dy, N, K);
    pool_share(K, 8, weight_rows, &l);
}

void linear_backward(float *dx, float *dw, float *db, const float *dy, const float *x,
                     const float *w, size_t N, size_t C, size_t K)
{
    linear_weights(dw, db, dy, x, N, C, K);
    struct linear l = {.to = dx, .dy = dy, .w = w, .C = C, .K = K};
    if (dx)
        pool_share(N, 1, data_images, &l);
}
