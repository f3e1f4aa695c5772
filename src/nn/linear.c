/* The fully connected layer: three matrix products (see layers.h).  Not OpenBLAS's, which
 * allocate for small matrices. */
#include <string.h>

#include "nn/kernels.h"

size_t linear_scratch(size_t C, size_t K)
{
    return (K + 15) / 16 * 16 * C; // packed weights, for any instruction set
}

void linear_forward(float *y, const float *x, const float *w, const float *b, size_t N,
                    size_t C, size_t K, float *scratch)
{
    const struct kernels *k = kernels_get();
    for (size_t n = 0; n < N; n++)
        memcpy(y + n * K, b, K * sizeof *b);
    k->product_pack(scratch, w, K, C);
    k->product(y, K, x, C, 1, scratch, 0, N, K, C, true, NULL);
}

void linear_backward(float *dx, float *dw, float *db, const float *dy, const float *x,
                     const float *w, size_t N, size_t C, size_t K)
{
    const struct kernels *k = kernels_get();
    k->column_sums(db, dy, N, K);
    k->product(dw, C, dy, 1, K, x, C, K, C, N, true, NULL);
    if (dx)
        k->product(dx, C, dy, K, 1, w, C, N, C, K, false, NULL);
}
