/* What recipes ask for besides forward, backward and step (declared in net.h): the average of the
 * weights, what a step leaves out (drop.h), precise statistics of norms.  Source: pycls net.py. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "model/net.h"
#include "model/net_state.h"

bool net_want_average(struct net *n, bool wanted, struct error *e)
{
    const size_t bytes[] = {n->plan->group[PARAM_GROUPS] * sizeof(float),
                            n->plan->buffers * sizeof(float)};
    float **const blocks[] = {&n->average, &n->average_buffers};
    assert(!n->average_shown || wanted);
    for (int i = 0; i < 2; i++) {
        if (wanted && !*blocks[i])
            *blocks[i] = block_alloc(bytes[i]);
        if (wanted && !*blocks[i]) {
            net_want_average(n, false, NULL);
            return error_set(e, "out of memory: averages of the weights need %.2f GB",
                             (double)(bytes[0] + bytes[1]) / 1e9);
        }
        if (!wanted) {
            block_free(*blocks[i], bytes[i]);
            *blocks[i] = NULL;
        }
    }
    return true;
}

static void average(float *to, const float *from, size_t n, float alpha, float rest)
{
    for (size_t i = 0; i < n; i++)
        to[i] = rest * to[i] + alpha * from[i];
}

void net_average_step(struct net *n, double alpha)
{
    assert(n->average && !n->average_shown);
    const struct plan *p = n->plan;
    if (alpha == 1) {
        memcpy(n->average, n->params, p->group[PARAM_GROUPS] * sizeof(float));
        memcpy(n->average_buffers, n->buffers, p->buffers * sizeof(float));
        return;
    }
    float a = (float)alpha, rest = (float)(1 - alpha);
    average(n->average, n->params, p->group[PARAM_GROUPS], a, rest);
    average(n->average_buffers, n->buffers, p->buffers, a, rest);
}

void net_average_show(struct net *n)
{
    float *params = n->params, *buffers = n->buffers;
    assert(n->average);
    n->params = n->average, n->buffers = n->average_buffers;
    n->average = params, n->average_buffers = buffers;
    n->average_shown = !n->average_shown;
}

bool net_average_shown(const struct net *n)
{
    return n->average_shown;
}

void net_average_keep(struct net *n)
{
    net_average_show(n);
    n->average_shown = false;
    net_want_average(n, false, NULL);
}

bool net_want_drops(struct net *n, bool wanted, struct error *e)
{
    if (!wanted) {
        drops_free(n->drops);
        n->drops = NULL;
    } else if (!n->drops && !(n->drops = drops_new(n->plan))) {
        return error_set(e, "out of memory for what dropout and stochastic depth draw");
    }
    return true;
}

void net_drop(struct net *n, const struct drop *what, uint64_t seed, int epoch, uint32_t step)
{
    assert(n->drops);
    drops_draw(n->drops, what, seed, epoch, step);
}

float *net_average(struct net *n, const struct param *p)
{
    return !n->average ? NULL : (p->buffer ? n->average_buffers : n->average) + p->offset;
}

bool net_gather(struct net *n, int count)
{
    n->norm_momentum = 1;
    bool good = net_forward(n, count, true) != NULL;
    n->norm_momentum = NORM_MOMENTUM;
    return good;
}
