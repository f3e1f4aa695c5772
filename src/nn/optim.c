/* Stochastic gradient descent with (Nesterov) momentum and weight decay, in the order of
 * torch.optim.SGD: see layers.h. */
#include "base/pool.h"
#include "nn/kernels.h"

struct sgd {
    float *p, *v;
    const float *g;
    float lr, wd, mu;
    bool nesterov;
};

static void step(void *self, size_t from, size_t to)
{
    const struct sgd *s = self;
    kernels_get()->sgd_step(s->p + from, s->v + from, s->g + from, to - from, s->lr, s->wd,
                            s->mu, s->nesterov);
}

void sgd_step(float *p, float *v, const float *g, size_t n, float lr, float wd, float mu,
              bool nesterov)
{
    enum { LINE = 16 };
    struct sgd s = {p, v, g, lr, wd, mu, nesterov};
    pool_share(n, LINE, step, &s);
}
