/* Data and a network for tests of training: random images with random labels, so that there
 * is nothing to learn but by heart. */
#ifndef NOISE_H
#define NOISE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/train.h"

enum { SIDE = 8, CLASSES = 4, PIXELS = SIDE * SIDE * 3 };

static inline void noise_image(float *x, uint32_t index)
{
    struct rng r = rng_key(11, index, RNG_SHAPES);
    for (int i = 0; i < PIXELS; i++)
        x[i] = (float)rng_normal(&r);
}

static inline int noise_label(uint32_t index)
{
    struct rng r = rng_key(12, index, RNG_SHAPES);
    return (int)rng_below(&r, CLASSES);
}

static inline bool noise_train(const void *self, float *x, int *labels, const uint32_t *index,
                               int n, const struct augment *augment, uint64_t seed, int epoch,
                               struct error *e)
{
    (void)self, (void)augment, (void)seed, (void)epoch, (void)e;
    for (int i = 0; i < n; i++) {
        noise_image(x + (size_t)i * PIXELS, index[i]);
        labels[i] = noise_label(index[i]);
    }
    return true;
}

static inline bool noise_test(const void *self, enum split_name split, float *x, int *labels,
                              uint32_t first, int n, struct error *e)
{
    (void)self, (void)split, (void)e;
    for (int i = 0; i < n; i++) {
        noise_image(x + (size_t)i * PIXELS, first + (uint32_t)i);
        labels[i] = noise_label(first + (uint32_t)i);
    }
    return true;
}

static inline struct source noise(uint32_t train_n, uint32_t validation_n)
{
    return (struct source){.image = SIDE,
                           .channels = 3,
                           .classes = CLASSES,
                           .n = {train_n, validation_n, validation_n},
                           .train_batch = noise_train,
                           .test_batch = noise_test};
}

static inline struct net *small_net(int batch, uint64_t seed)
{
    struct arch a = {.stages = 2,
                     .d = {1, 1},
                     .w = {16, 32},
                     .g = {8, 8},
                     .b = {1, 1},
                     .stride = {1, 2},
                     .block = BLOCK_X,
                     .stem = STEM_CIFAR,
                     .stem_width = 8,
                     .act = ACT_RELU,
                     .classes = CLASSES,
                     .image = SIDE};
    struct error e;
    if (!arch_complete(&a, &e))
        fail_msg("%s", e.msg);
    struct net *n = net_new(&a, batch, &e);
    if (!n)
        fail_msg("%s", e.msg);
    net_init(n, seed, false);
    return n;
}

static const struct recipe paper = {
    .epochs = 10,
    .batch = 20,
    .lr = 0.05f,
    .wd = 5e-5f,
    .wd_bn = -1,
    .wd_bias = -1,
    .momentum = 0.9f,
    .nesterov = true,
    .schedule = SCHEDULE_COS,
    .warmup_factor = 0.1f,
    .lr_scale = 1,
    .lr_mult = 0.1f,
    .ema_period = 32,
    .seed = 3,
};

/* All that training changes: values and momentum of every parameter. */
static inline size_t weights_of(struct net *n, float *out)
{
    size_t at = 0;
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        const float *from[] = {net_values(n, p), net_momentum(n, p)};
        for (int k = 0; k < 2 && from[k]; k++, at += p->count)
            if (out)
                memcpy(out + at, from[k], p->count * sizeof *out);
    }
    return at;
}

static inline float *weights_copy(struct net *n, size_t *count)
{
    *count = weights_of(n, NULL);
    float *v = malloc(*count * sizeof *v);
    weights_of(n, v);
    return v;
}

#endif
