/* Initial weights (declared in net.h).
 * Source: pycls init_weights: convolutions N(0, sqrt(2 / (R·R·K))) with K all output
 * channels, also when grouped; batch norm 1 and 0; fully connected N(0, 0.01) and 0.  SE
 * biases are left to PyTorch's default there: U(-1/sqrt(fan in), 1/sqrt(fan in)).  Every
 * parameter has its own random stream. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "model/net.h"
#include "model/plan.h"

static void fill(float *x, size_t n, float v)
{
    for (size_t i = 0; i < n; i++)
        x[i] = v;
}

static void fill_normal(float *x, size_t n, double deviation, struct rng r)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(deviation * rng_normal(&r));
}

static void fill_uniform(float *x, size_t n, double limit, struct rng r)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(limit * (2 * rng_uniform(&r) - 1));
}

void net_init(struct net *n, uint64_t seed, bool zero_gamma)
{
    const struct plan *p = net_plan(n);
    for (int i = 0; i < p->n; i++) {
        const struct op *o = &p->ops[i];
        const struct param *q = &p->params[o->param];
        struct rng r[4];
        float *v[4];
        size_t entries = (i + 1 < p->n ? p->ops[i + 1].param : p->n_params) - o->param;
        for (size_t k = 0; k < entries; k++) {
            r[k] = rng_key(seed, o->param + k, RNG_INIT);
            v[k] = net_values(n, &q[k]);
        }
        if (o->kind == OP_CONV) {
            fill_normal(v[0], q[0].count, sqrt(2.0 / (o->R * o->R * q[0].shape[0])), r[0]);
        } else if (o->kind == OP_NORM) {
            bool last = o->add != NONE; // ends a residual branch
            fill(v[0], q[0].count, zero_gamma && last ? 0 : 1);
            fill(v[1], q[1].count, 0);
            fill(v[2], q[2].count, 0);
            fill(v[3], q[3].count, 1);
        } else if (o->kind == OP_SE) {
            for (int k = 0; k < 4; k += 2) {
                fill_normal(v[k], q[k].count, sqrt(2.0 / q[k].shape[0]), r[k]);
                fill_uniform(v[k + 1], q[k + 1].count, 1 / sqrt(q[k].shape[1]), r[k + 1]);
            }
        } else if (o->kind == OP_LINEAR) {
            fill_normal(v[0], q[0].count, 0.01, r[0]);
            fill(v[1], q[1].count, 0);
        }
    }
    net_rest(n);
}
