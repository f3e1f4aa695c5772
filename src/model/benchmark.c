/* See benchmark.h. */
#include "model/benchmark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/complexity.h"
#include "model/plan.h"

struct benchmark {
    struct net *net;
    float *images;
    size_t bytes; // of the images
    int *labels;
};

static void fill(float *x, size_t n)
{
    struct rng r = rng_key(1, 0, RNG_SHAPES);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(&r) - 1);
}

struct benchmark *benchmark_new(const struct arch *a, int batch, struct error *e)
{
    struct net *n = net_new(a, batch, e);
    if (!n)
        return NULL;
    net_init(n, 1, false);
    struct benchmark *b = xcalloc(1, sizeof *b);
    size_t floats = (size_t)batch * arch_input(a);
    b->net = n;
    b->bytes = floats * sizeof(float);
    b->images = block_alloc(b->bytes);
    b->labels = xmalloc((size_t)batch * sizeof *b->labels);
    for (int i = 0; i < batch; i++)
        b->labels[i] = i % a->classes;
    if (!b->images) {
        benchmark_free(b);
        error_set(e, "no memory for %d images", batch);
        return NULL;
    }
    fill(b->images, floats);
    return b;
}

void benchmark_free(struct benchmark *b)
{
    if (!b)
        return;
    net_free(b->net);
    block_free(b->images, b->bytes);
    free(b->labels);
    free(b);
}

void benchmark_set_threads(struct benchmark *b, int threads)
{
    net_set_threads(b->net, threads);
}

static void one_pass(struct benchmark *b, bool train)
{
    const float wd[3] = {5e-5f, 5e-5f, 5e-5f};
    int wrong;
    net_forward(b->net, net_batch(b->net), train);
    if (!train)
        return;
    net_backward(b->net, b->labels, 0, &wrong);
    net_step(b->net, 0.01f, 0.9f, true, wd);
}

static void one_step(struct benchmark *b, bool train)
{
    memcpy(net_input(b->net), b->images, b->bytes);
    one_pass(b, train);
}

bool benchmark_run(struct benchmark *b, bool train, double seconds, struct speed *s,
                   struct error *e)
{
    struct rusage before, after;
    *s = (struct speed){
        .peak_bytes = net_bytes(net_arch(b->net), net_batch(b->net), net_threads(b->net))};
    one_step(b, train);
    getrusage(RUSAGE_SELF, &before);
    double start = clock_cpu(), spent = 0, began = clock_now();
    while (spent < seconds && !interrupt_pending()) {
        one_step(b, train);
        s->steps++;
        spent = clock_cpu() - start;
    }
    double wall = clock_now() - began;
    getrusage(RUSAGE_SELF, &after);
    if (interrupt_pending())
        return error_set(e, "interrupted");
    const struct arch *a = net_arch(b->net);
    double flops = (double)complexity(a, a->image, false).flops;
    s->images_per_s = (double)s->steps * net_batch(b->net) / spent;
    s->wall_images_per_s = (double)s->steps * net_batch(b->net) / wall;
    s->gflops = 2e-9 * flops * (train ? 3 : 1) * s->images_per_s;
    s->faults = (double)(after.ru_minflt - before.ru_minflt) / s->steps;
    s->switches = (double)(after.ru_nvcsw - before.ru_nvcsw) / s->steps;
    return true;
}

const struct plan *benchmark_plan(const struct benchmark *b)
{
    return net_plan(b->net);
}

bool benchmark_profile(struct benchmark *b, bool train, double budget, double *seconds,
                       double *whole)
{
    enum { LEAST = 3 };
    const struct plan *p = net_plan(b->net);
    int slots = train ? 2 * p->n + 2 : p->n;
    double *stamps = xcalloc((size_t)(2 * p->n + 2), sizeof *stamps);
    double began = clock_now(), least = INFINITY;
    for (int i = 0; i < 2 * p->n + 2; i++)
        seconds[i] = i < slots ? INFINITY : 0;
    one_step(b, train);
    net_stamps(b->net, stamps);
    for (int step = 0; step < LEAST || clock_now() - began < budget; step++) {
        double begin = net_clock(b->net);
        memcpy(net_input(b->net), b->images, b->bytes);
        double last = net_clock(b->net);
        one_pass(b, train);
        for (int i = 0; i < slots; i++) {
            seconds[i] = fmin(seconds[i], stamps[i] - last);
            last = stamps[i];
        }
        least = fmin(least, last - begin);
        if (interrupt_pending())
            break;
    }
    net_stamps(b->net, NULL);
    free(stamps);
    if (whole)
        *whole = least;
    return !interrupt_pending();
}

double benchmark_source(const struct source *s, int batch, double seconds)
{
    size_t length = (size_t)s->image * (size_t)s->image * (size_t)s->channels;
    size_t bytes = (size_t)batch * length * sizeof(float);
    const struct augment usual = {.crop = CROP_AUTO, .pad = -1};
    struct error e;
    float *x = block_alloc(bytes);
    uint32_t *index = xmalloc((size_t)batch * sizeof *index), images = 0;
    int *labels = xmalloc((size_t)batch * sizeof *labels);
    double start = clock_cpu(), spent = 0;
    for (int step = 0; x && spent < seconds; step++) {
        for (int i = 0; i < batch; i++)
            index[i] = images++ % s->n[SPLIT_TRAIN];
        if (!s->train_batch(s->self, x, labels, index, batch, &usual, 1, step, &e))
            break;
        spent = clock_cpu() - start;
    }
    block_free(x, bytes);
    free(index);
    free(labels);
    return spent / images;
}
