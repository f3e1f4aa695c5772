/* See selfcheck.h. */
#include "model/selfcheck.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "model/net.h"
#include "nn/kernels.h"

enum { NETWORKS = 48, BATCH_MOST = 6, CLASSES = 5 };

// Sums in another order differ by this much of a tensor's norm; a ReLU that falls the other
// way, in one place of a small tensor, by as much as the second.
static const double ROUNDING = 1e-3, FLIP = 0.1, SMALL = 1e-3;

// ---- networks --------------------------------------------------------------------------

static int pick(struct rng *r, const int *from, int count)
{
    return from[rng_below(r, (uint64_t)count)];
}

#define PICK(r, ...)                                                                         \
    pick(r, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

// Network `number`: its block and stem go through all there are, one in five is of gray images, the
// rest is random.
static struct arch draw(int number)
{
    static const enum arch_block blocks[] = {BLOCK_X,  BLOCK_X,     BLOCK_BASIC, BLOCK_X,
                                             BLOCK_MB, BLOCK_R,     BLOCK_X,     BLOCK_VR,
                                             BLOCK_X,  BLOCK_LINEAR};
    struct rng r = rng_key(1, (uint64_t)number, RNG_SAMPLE);
    struct arch a = {.stages = 2, .classes = CLASSES, .channels = number % 5 == 4 ? 1 : 3};
    a.block = blocks[(size_t)number % (sizeof blocks / sizeof *blocks)];
    a.stem = (enum arch_stem)(number % 3);
    a.act = rng_below(&r, 3) == 0 ? ACT_RELU : ACT_SILU;
    a.image = PICK(&r, 5, 8, 9, 12, 17);
    a.stem_width = PICK(&r, 3, 8, 12, 17, 32);
    a.head_width = PICK(&r, 0, 0, 0, 24);
    a.se = PICK(&r, 0, 0, 1) * (block_has_bottleneck(a.block) ? 0.25 : 0);
    for (int i = 0; i < a.stages; i++) {
        a.d[i] = 1;
        a.w[i] = PICK(&r, 8, 12, 16, 24, 33, 40, 48, 64);
        a.g[i] = PICK(&r, 1, 2, 3, 4, 5, 8, 8, 12, 16, 16, 24, 32);
        a.b[i] = PICK(&r, 1, 1, 1, 2, 4);
        if (a.block == BLOCK_MB)
            a.b[i] = 1 / a.b[i];
        a.stride[i] = PICK(&r, 1, 2);
        a.kernel[i] = PICK(&r, 3, 3, 3, 5, 7);
    }
    struct error e;
    bool valid = arch_complete(&a, &e);
    assert(valid);
    (void)valid;
    return a;
}

// ---- comparison ------------------------------------------------------------------------

// The network after one training step and one forward pass, computed by `k`.
static struct net *stepped(const struct kernels *k, const struct arch *a, int number,
                           const float **logits, double *loss, struct error *e)
{
    const float wd[3] = {0.01f, 0.02f, 0.03f};
    int batch = BATCH_MOST - number % 4, labels[BATCH_MOST], wrong;
    kernels_use(k);
    struct net *n = net_new(a, batch, e);
    if (!n)
        return NULL;
    net_init(n, 1, false);
    size_t floats = (size_t)batch * arch_input(a);
    for (int pass = 0; pass < 2; pass++) { // a step, a test
        struct rng r = rng_key(2, (uint64_t)number, RNG_SAMPLE);
        for (size_t i = 0; i < floats; i++)
            net_input(n)[i] = (float)(2 * rng_uniform(&r) - 1);
        for (int i = 0; i < batch; i++)
            labels[i] = (int)rng_below(&r, CLASSES);
        *logits = net_forward(n, batch, pass == 0);
        if (!*logits) {
            error_set(e, "interrupted");
            net_free(n);
            return NULL;
        }
        if (pass == 0) {
            *loss = net_backward(n, labels, 0.1f, &wrong);
            net_step(n, 0.1f, 0.9f, true, wd);
        }
    }
    return n;
}

// |x - y| / |y| in the Euclidean norm.  Values around SMALL count as 0: some are exactly
// that, but for rounding.  What is not a number counts as 1.
static double difference(const float *x, const float *y, size_t n)
{
    double apart = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - (double)y[i];
        apart += d * d;
        size += (double)y[i] * (double)y[i];
    }
    double ratio = sqrt(apart) / (sqrt(size) + SMALL * sqrt((double)n));
    return isfinite(ratio) ? ratio : 1;
}

struct worst {
    char name[80];
    double difference;
};

static void note(struct worst *w, const char *what, const char *name, double d)
{
    if (d <= w->difference)
        return;
    w->difference = d;
    snprintf(w->name, sizeof w->name, "%s%s", what, name);
}

// Is network `number` the same by k as by `reference`?  The worst tensor in *w.
static bool same(const struct kernels *k, const struct kernels *reference, int number,
                 struct worst *w, struct error *e)
{
    const float *la = NULL, *lb = NULL;
    double loss_a = 0, loss_b = 0;
    struct arch a = draw(number);
    struct net *x = stepped(k, &a, number, &la, &loss_a, e);
    struct net *y = x ? stepped(reference, &a, number, &lb, &loss_b, e) : NULL;
    *w = (struct worst){{0}, 0};
    if (y) {
        double apart = fabs(loss_a - loss_b) / fabs(loss_b);
        note(w, "the loss", "", isfinite(apart) ? apart : 1);
        note(w, "the logits", "", difference(la, lb, (size_t)net_batch(x) * CLASSES));
        for (size_t i = 0; i < net_params(x); i++) {
            const struct param *p = net_param(x, i);
            const float *ga = net_gradients(x, p), *gb = net_gradients(y, p);
            note(w, "", p->name, difference(net_values(x, p), net_values(y, p), p->count));
            if (ga)
                note(w, "the gradient of ", p->name, difference(ga, gb, p->count));
        }
    }
    net_free(x);
    net_free(y);
    return y && w->difference <= (a.act == ACT_RELU ? FLIP : ROUNDING);
}

// The number of the first network that differs, or NETWORKS.
static int first_wrong(const struct kernels *k, const struct kernels *reference,
                       struct worst *w, struct error *e)
{
    int i = 0;
    while (i < NETWORKS && same(k, reference, i, w, e))
        i++;
    return i;
}

bool selfcheck_kernels(struct error *e)
{
    const struct kernels *chosen = kernels_get(), *reference = &kernels_portable;
    struct worst w, other;
    if (chosen == reference)
        reference = kernels_here(0);
    if (chosen == reference)
        return true;
    e->msg[0] = 0;
    int number = first_wrong(chosen, reference, &w, e);
    const struct kernels *remedy = reference;
    struct error ignored;
    for (int i = 0; number < NETWORKS && kernels_here(i) != reference; i++)
        if (kernels_here(i) != chosen &&
            first_wrong(kernels_here(i), reference, &other, &ignored) == NETWORKS) {
            remedy = kernels_here(i);
            break;
        }
    kernels_use(chosen);
    if (number == NETWORKS)
        return true;
    if (e->msg[0]) // no memory, or an interrupt
        return false;
    struct arch a = draw(number);
    return error_set(e,
                     "the %s kernels are wrong on this processor: in a network of block %s, "
                     "widths %d and %d, %s differs from the %s kernels by %.2g of its size; "
                     "NETSPACE_ISA=%s uses others",
                     chosen->name, arch_block_name(a.block), a.w[0], a.w[1], w.name,
                     reference->name, w.difference, remedy->name);
}
