/* See complexity.h. */
#include "model/complexity.h"

#include <stdio.h>

#include "model/block.h"

/* What is summed, and (where rows is not NULL) each layer on its own. */
struct tally {
    struct complexity sum;
    struct layer *rows;
    int n, times;
    char part[16]; // "s1.b1"
};

static void add(struct tally *t, int64_t flops, int64_t params, int64_t acts)
{
    t->sum.flops += flops;
    t->sum.params += params;
    t->sum.acts += acts;
}

// A layer named name and ending, with outputs of size × size.
static void layer(struct tally *t, const struct part *q, const char *ending, int width,
                  int size, struct complexity cost)
{
    add(t, cost.flops, cost.params, cost.acts);
    if (!t->rows)
        return;
    struct layer *l = &t->rows[t->n++];
    *l = (struct layer){.times = t->times,
                        .kernel = q->kernel,
                        .stride = q->stride,
                        .groups = q->groups,
                        .width = width,
                        .size = size,
                        .cost = cost};
    snprintf(l->name, sizeof l->name, "%s%s%s", t->part, q->name, ending);
}

// A convolution, outputs h×h, and its batch norm.
static void conv_norm(struct tally *t, const struct part *q, int64_t h)
{
    int w_in = q->groups > 1 ? q->w_in / q->groups : q->w_in; // of a group
    int64_t w_out = q->w_out, weights = q->kernel * q->kernel * w_out * w_in;
    layer(t, q, "", q->w_out, (int)h,
          (struct complexity){weights * h * h, weights + 2 * w_out, w_out * h * h});
}

// Linear layer with bias; also a 1×1 convolution with bias at 1×1 (squeeze-excitation).
static void linear(struct tally *t, const struct part *q, const char *ending, int64_t w_in,
                   int64_t w_out)
{
    int64_t weights = w_in * w_out + w_out;
    layer(t, q, ending, (int)w_out, 1, (struct complexity){weights, weights, w_out});
}

// The parts of a stem, block or head, whose input is h×h.  Returns the side of the output.
static int add_parts(struct tally *t, const struct parts *b, int h, bool paper_acts)
{
    for (const struct part *q = b->list; q < b->list + b->n; q++) {
        int out = q->stride > 1 ? conv_out(h, q->stride) : h; // a division is dear here
        switch (q->kind) {
        case PART_CONV:
            conv_norm(t, q, out);
            h = q->projects ? h : out;
            break;
        case PART_SE:
            linear(t, q, ".0", q->w_in, q->w_out);
            linear(t, q, ".2", q->w_out, q->w_in);
            break;
        case PART_MAXPOOL: {
            int64_t acts = paper_acts ? 0 : (int64_t)q->w_out * out * out;
            layer(t, q, "", q->w_out, out, (struct complexity){0, 0, acts});
            h = out;
            break;
        }
        case PART_GAP:
            h = 1;
            break;
        case PART_LINEAR:
            linear(t, q, "", q->w_in, q->w_out);
            break;
        }
    }
    return h;
}

static void name_part(struct tally *t, int times, const char *format, int stage, int number)
{
    t->times = times;
    if (t->rows)
        snprintf(t->part, sizeof t->part, format, stage, number);
}

static int stem(struct tally *t, const struct arch *a, int h, bool paper_acts)
{
    struct parts b;
    stem_parts(&b, a);
    name_part(t, 1, "stem", 0, 0);
    return add_parts(t, &b, h, paper_acts);
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
    struct parts b;
    block_parts(&b, a, i, i ? a->w[i - 1] : a->stem_width, a->stride[i]);
    name_part(t, 1, "s%d.b%d", i + 1, 1);
    h = add_parts(t, &b, h, false);
    if (a->d[i] > 1) {
        struct complexity first = t->sum, *sum = &t->sum;
        *sum = (struct complexity){0, 0, 0};
        block_parts(&b, a, i, a->w[i], 1);
        name_part(t, a->d[i] - 1, "s%d.b%d", i + 1, 2);
        h = add_parts(t, &b, h, false);
        sum->flops = add_times(first.flops, sum->flops, a->d[i] - 1);
        sum->params = first.params + sum->params * (a->d[i] - 1);
        sum->acts = first.acts + sum->acts * (a->d[i] - 1);
    }
    return h;
}

static void head(struct tally *t, const struct arch *a, int h)
{
    struct parts b;
    head_parts(&b, a);
    name_part(t, 1, "head", 0, 0);
    add_parts(t, &b, h, false);
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
