/* See complexity.h. */
#include "model/complexity.h"

#include <stdio.h>

/* What is summed, and (where rows is not NULL) each layer on its own. */
struct tally {
    struct complexity sum;
    struct layer *rows;
    int n, times;
    char part[16]; // "s1.b1"
};

static void row(struct tally *t, const char *name, struct layer l)
{
    l.times = t->times;
    snprintf(l.name, sizeof l.name, "%s%s", t->part, name);
    t->rows[t->n++] = l;
}

static void add(struct tally *t, int64_t flops, int64_t params, int64_t acts)
{
    t->sum.flops += flops;
    t->sum.params += params;
    t->sum.acts += acts;
}

// Convolution R×R with stride s and `groups`, output h×h, and its batch norm.
static void conv_norm(struct tally *t, const char *name, int R, int s, int64_t w_in,
                      int64_t w_out, int64_t groups, int64_t h)
{
    int64_t weights = R * R * w_in * w_out / groups;
    add(t, weights * h * h, weights + 2 * w_out, w_out * h * h);
    if (t->rows)
        row(t, name, (struct layer){.kernel = R, .stride = s, .groups = (int)groups,
                                    .size = (int)h, .width = (int)w_out,
                                    .cost = {weights * h * h, weights + 2 * w_out,
                                             w_out * h * h}});
}

// Linear layer with bias; also a 1×1 convolution with bias at 1×1 (squeeze-excitation).
static void linear(struct tally *t, const char *name, int64_t w_in, int64_t w_out)
{
    int64_t weights = w_in * w_out + w_out;
    add(t, weights, weights, w_out);
    if (t->rows)
        row(t, name, (struct layer){.kernel = 1, .stride = 1, .groups = 1, .size = 1,
                                    .width = (int)w_out, .cost = {weights, weights, w_out}});
}

// The blocks that pycls names by functions of a residual, f, and those that it does not.
static void bottleneck(struct tally *t, const struct arch *a, int i, int w_in, int h, int s)
{
    int inner = arch_inner(a, i, w_in), squeeze = arch_squeeze(a, w_in), out = conv_out(h, s);
    bool mb = a->block == BLOCK_MB;
    if (!mb || inner != w_in)
        conv_norm(t, mb ? ".exp" : ".f.a", 1, 1, w_in, inner, 1, h);
    conv_norm(t, mb ? ".dwise" : ".f.b", a->kernel[i], s, inner, inner, arch_groups(a, i, w_in),
              out);
    if (squeeze) {
        linear(t, mb ? ".se.f_ex.0" : ".f.se.f_ex.0", inner, squeeze);
        linear(t, mb ? ".se.f_ex.2" : ".f.se.f_ex.2", squeeze, inner);
    }
    conv_norm(t, mb ? ".lin_proj" : ".f.c", 1, 1, inner, a->w[i], 1, out);
}

/* One block of stage i, from w_in channels at h×h, with stride s. */
static void block(struct tally *t, const struct arch *a, int i, int w_in, int h, int s)
{
    int w = a->w[i], R = a->kernel[i], out = conv_out(h, s);
    bool plain = a->block == BLOCK_V || a->block == BLOCK_VANILLA;
    if (block_has_projection(a->block) && (w_in != w || s != 1))
        conv_norm(t, ".proj", 1, s, w_in, w, 1, out);
    if (block_has_bottleneck(a->block)) {
        bottleneck(t, a, i, w_in, h, s);
        return;
    }
    conv_norm(t, plain ? ".a" : ".f.a", R, s, w_in, w, 1, out);
    if (a->block == BLOCK_BASIC || a->block == BLOCK_VANILLA)
        conv_norm(t, plain ? ".b" : ".f.b", R, 1, w, w, 1, out);
}

static void part(struct tally *t, int times, const char *format, int stage, int number)
{
    t->times = times;
    if (t->rows)
        snprintf(t->part, sizeof t->part, format, stage, number);
}

static int stem(struct tally *t, const struct arch *a, int h, bool paper_acts)
{
    int kernel = a->stem == STEM_RES ? 7 : 3, stride = a->stem == STEM_CIFAR ? 1 : 2;
    h = conv_out(h, stride);
    part(t, 1, "stem", 0, 0);
    conv_norm(t, ".conv", kernel, stride, 3, a->stem_width, 1, h);
    if (a->stem == STEM_RES) {
        h = conv_out(h, 2);
        int64_t acts = paper_acts ? 0 : (int64_t)a->stem_width * h * h;
        add(t, 0, 0, acts);
        if (t->rows)
            row(t, ".pool", (struct layer){.kernel = 3, .stride = 2, .groups = a->stem_width,
                                           .size = h, .width = a->stem_width,
                                           .cost = {0, 0, acts}});
    }
    return h;
}

// Absurd nets (a thousand blocks of 65536 channels at 1024 pixels) end at a large number
// that leaves room for what is added singly: at most 2^58 a block.
static int64_t add_times(int64_t sum, int64_t v, int n)
{
    return v > (INT64_MAX / 2 - sum) / n ? INT64_MAX / 2 : sum + v * n;
}

// The first block of stage i and d - 1 equal ones after it.  Returns the new side.
static int stage(struct tally *t, const struct arch *a, int i, int h)
{
    part(t, 1, "s%d.b%d", i + 1, 1);
    block(t, a, i, i ? a->w[i - 1] : a->stem_width, h, a->stride[i]);
    h = conv_out(h, a->stride[i]);
    if (a->d[i] > 1) {
        struct complexity first = t->sum, *sum = &t->sum;
        *sum = (struct complexity){0, 0, 0};
        part(t, a->d[i] - 1, "s%d.b%d", i + 1, 2);
        block(t, a, i, a->w[i], h, 1);
        sum->flops = add_times(first.flops, sum->flops, a->d[i] - 1);
        sum->params = first.params + sum->params * (a->d[i] - 1);
        sum->acts = first.acts + sum->acts * (a->d[i] - 1);
    }
    return h;
}

static void head(struct tally *t, const struct arch *a, int h)
{
    int w = a->w[a->stages - 1];
    part(t, 1, "head", 0, 0);
    if (a->head_width) {
        conv_norm(t, ".conv", 1, 1, w, a->head_width, 1, h);
        w = a->head_width;
    }
    linear(t, ".fc", w, a->classes);
}

static void whole(struct tally *t, const struct arch *a, int image, bool paper_acts)
{
    int h = stem(t, a, image, paper_acts);
    for (int i = 0; i < a->stages; i++)
        h = stage(t, a, i, h);
    head(t, a, h);
}

struct complexity complexity(const struct arch *a, int image, bool paper_acts)
{
    struct tally t = {.rows = NULL};
    whole(&t, a, image, paper_acts);
    return t.sum;
}

int complexity_layers(const struct arch *a, int image, bool paper_acts, struct layer *rows)
{
    struct tally t = {.rows = rows};
    whole(&t, a, image, paper_acts);
    return t.n;
}

void complexity_parts(const struct arch *a, int image, bool paper_acts,
                      struct complexity *parts, int *size)
{
    int n = a->stages, h = image;
    for (int i = 0; i < n + 2; i++) {
        struct tally t = {.rows = NULL};
        if (i == 0)
            h = stem(&t, a, h, paper_acts);
        else if (i <= n)
            h = stage(&t, a, i - 1, h);
        else
            head(&t, a, h);
        parts[i] = t.sum;
        size[i] = i <= n ? h : 1;
    }
}
