/* Max pooling (3×3, stride 2) and global average pooling: see layers.h; kernels in
 * kernels/point.h. */
#include <assert.h>

#include "nn/kernels.h"

void maxpool_forward(float *y, int *from, const float *x, int N, int H, int W, int C)
{
    assert(N > 0 && H > 0 && W > 0 && C > 0);
    kernels_get()->maxpool_forward(y, from, x, N, H, W, C);
}

void maxpool_backward(float *dx, const float *dy, const int *from, int N, int H, int W, int C)
{
    assert(N > 0 && H > 0 && W > 0 && C > 0);
    kernels_get()->maxpool_backward(dx, dy, from, N, H, W, C);
}

void gap_forward(float *y, const float *x, size_t N, size_t HW, size_t C)
{
    assert(HW > 0 && C > 0);
    kernels_get()->gap_forward(y, x, N, HW, C);
}

void gap_backward(float *dx, const float *dy, size_t N, size_t HW, size_t C)
{
    assert(HW > 0 && C > 0);
    kernels_get()->gap_backward(dx, dy, N, HW, C);
}
