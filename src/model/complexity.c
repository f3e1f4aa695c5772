/* See complexity.h. */
#include "model/complexity.h"

// Convolution R×R with `groups`, output h×h, and its batch norm.
static void conv_norm(struct complexity *c, int64_t R, int64_t w_in, int64_t w_out,
                      int64_t groups, int64_t h)
{
    int64_t weights = R * R * w_in * w_out / groups;
    c->flops += weights * h * h;
    c->params += weights + 2 * w_out;
    c->acts += w_out * h * h;
}

// Linear layer with bias; also a 1×1 convolution with bias at 1×1 (squeeze-excitation).
static void linear(struct complexity *c, int64_t w_in, int64_t w_out)
{
    c->flops += w_in * w_out + w_out;
    c->params += w_in * w_out + w_out;
    c->acts += w_out;
}

/* One block of stage i, from w_in channels at h×h, with stride s. */
static void block(struct complexity *c, const struct arch *a, int i, int w_in, int h, int s)
{
    int w = a->w[i], kernel = a->kernel[i], out = conv_out(h, s);
    if (block_has_projection(a->block) && (w_in != w || s != 1))
        conv_norm(c, 1, w_in, w, 1, out);
    if (block_has_bottleneck(a->block)) {
        int inner = arch_inner(a, i, w_in), squeeze = arch_squeeze(a, w_in);
        if (a->block != BLOCK_MB || inner != w_in)
            conv_norm(c, 1, w_in, inner, 1, h);
        conv_norm(c, kernel, inner, inner, arch_groups(a, i, w_in), out);
        if (squeeze) {
            linear(c, inner, squeeze);
            linear(c, squeeze, inner);
        }
        conv_norm(c, 1, inner, w, 1, out);
    } else {
        conv_norm(c, kernel, w_in, w, 1, out);
        if (a->block == BLOCK_BASIC || a->block == BLOCK_VANILLA)
            conv_norm(c, kernel, w, w, 1, out);
    }
}

static int stem(struct complexity *c, const struct arch *a, int h, bool paper_acts)
{
    int kernel = a->stem == STEM_RES ? 7 : 3, stride = a->stem == STEM_CIFAR ? 1 : 2;
    h = conv_out(h, stride);
    conv_norm(c, kernel, 3, a->stem_width, 1, h);
    if (a->stem == STEM_RES) {
        h = conv_out(h, 2);
        if (!paper_acts)
            c->acts += (int64_t)a->stem_width * h * h;
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
static int stage(struct complexity *c, const struct arch *a, int i, int h)
{
    block(c, a, i, i ? a->w[i - 1] : a->stem_width, h, a->stride[i]);
    h = conv_out(h, a->stride[i]);
    if (a->d[i] > 1) {
        struct complexity one = {0, 0, 0};
        block(&one, a, i, a->w[i], h, 1);
        c->flops = add_times(c->flops, one.flops, a->d[i] - 1);
        c->params += one.params * (a->d[i] - 1);
        c->acts += one.acts * (a->d[i] - 1);
    }
    return h;
}

static void head(struct complexity *c, const struct arch *a, int h)
{
    int w = a->w[a->stages - 1];
    if (a->head_width) {
        conv_norm(c, 1, w, a->head_width, 1, h);
        w = a->head_width;
    }
    linear(c, w, a->classes);
}

struct complexity complexity(const struct arch *a, int image, bool paper_acts)
{
    struct complexity c = {0, 0, 0};
    int h = stem(&c, a, image, paper_acts);
    for (int i = 0; i < a->stages; i++)
        h = stage(&c, a, i, h);
    head(&c, a, h);
    return c;
}

void complexity_parts(const struct arch *a, int image, bool paper_acts,
                      struct complexity *parts, int *size)
{
    int n = a->stages;
    for (int i = 0; i < n + 2; i++)
        parts[i] = (struct complexity){0, 0, 0};
    int h = size[0] = stem(&parts[0], a, image, paper_acts);
    for (int i = 0; i < n; i++)
        h = size[i + 1] = stage(&parts[i + 1], a, i, h);
    head(&parts[n + 1], a, h);
    size[n + 1] = 1;
}
