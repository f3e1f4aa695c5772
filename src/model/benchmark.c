/* See benchmark.h. */
#include "model/benchmark.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/complexity.h"
#include "nn/gemm.h"

static void fill(float *x, size_t n)
{
    struct rng r = rng_key(1, 0, RNG_SHAPES);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(&r) - 1);
}

// The best of five products: what the core can do, not what else it is doing.
static double sgemm_gflops(void)
{
    enum { SIDE = 768 };
    size_t n = (size_t)SIDE * SIDE, bytes = 3 * n * sizeof(float);
    float *block = block_alloc(bytes);
    double best = 0;
    if (!block)
        return 0;
    fill(block, 2 * n);
    for (int i = 0; i < 6; i++) {
        double start = clock_now();
        gemm(false, false, SIDE, SIDE, SIDE, 1, block, SIDE, block + n, SIDE, 0,
             block + 2 * n, SIDE);
        double rate = 2e-9 * SIDE * SIDE * SIDE / (clock_now() - start);
        if (i > 0 && rate > best)
            best = rate;
    }
    block_free(block, bytes);
    return best;
}

static void one_step(struct net *n, const float *images, size_t pixels, const int *labels,
                     bool train)
{
    const float wd[3] = {5e-5f, 5e-5f, 5e-5f};
    int wrong;
    float *x = net_input(n);
    for (size_t i = 0; i < pixels; i++)
        x[i] = images[i];
    net_forward(n, net_batch(n), train);
    if (!train)
        return;
    net_backward(n, labels, 0, &wrong);
    net_step(n, 0.01f, 0.9f, true, wd);
}

bool benchmark_run(struct benchmark *b, const struct arch *a, int batch, bool train,
                   double seconds, struct error *e)
{
    struct net *n = net_new(a, batch, e);
    if (!n)
        return false;
    net_init(n, 1, false);
    size_t pixels = (size_t)batch * (size_t)a->image * (size_t)a->image * 3;
    float *images = block_alloc(pixels * sizeof *images);
    if (!images) {
        net_free(n);
        return error_set(e, "no memory for %d images", batch);
    }
    int *labels = xmalloc((size_t)batch * sizeof *labels);
    fill(images, pixels);
    for (int i = 0; i < batch; i++)
        labels[i] = i % a->classes;
    double start = 0, now = 0;
    *b = (struct benchmark){.peak_bytes = net_bytes(a, batch)};
    for (int i = 0; !interrupt_pending(); i++) {
        one_step(n, images, pixels, labels, train);
        now = clock_now();
        if (i < 2)
            start = now;
        b->steps = i < 2 ? 0 : b->steps + 1;
        if (b->steps > 0 && now - start >= seconds)
            break;
    }
    block_free(images, pixels * sizeof *images);
    free(labels);
    net_free(n);
    if (interrupt_pending())
        return error_set(e, "interrupted");
    double flops = (double)complexity(a, a->image, false).flops;
    b->images_per_s = (double)b->steps * batch / (now - start);
    b->gflops = 2e-9 * flops * (train ? 3 : 1) * b->images_per_s;
    b->sgemm_gflops = sgemm_gflops();
    return true;
}
