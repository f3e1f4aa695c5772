/* Stochastic gradient descent with (Nesterov) momentum and weight decay, in the order of
 * torch.optim.SGD: see layers.h. */
#include "nn/kernels.h"

void sgd_step(float *p, float *v, const float *g, size_t n, float lr, float wd, float mu,
              bool nesterov)
{
    kernels_get()->sgd_step(p, v, g, n, lr, wd, mu, nesterov);
}
