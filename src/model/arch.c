/* See arch.h. */
#include "model/arch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* More limits (arch.h has those of depths and widths). */
enum {
    MOST_INNER = 65536,
    MOST_STRIDE = 4,
    MOST_KERNEL = 7,
    MOST_IMAGE = 1024,
    MOST_CLASSES = 100000,
};

static const char *const block_names[] = {"x",     "r",       "v",      "vr",
                                          "basic", "vanilla", "linear", "mb"};
static const char *const stem_names[] = {"simple", "res", "cifar"};
static const char *const act_names[] = {"none", "relu", "silu"};
TABLE_HAS(block_names, BLOCK_KINDS);
TABLE_HAS(stem_names, STEM_KINDS);
TABLE_HAS(act_names, ACT_KINDS);

static int find(const char *name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

int arch_block_of(const char *name)
{
    return find(name, block_names, BLOCK_KINDS);
}
int arch_stem_of(const char *name)
{
    return find(name, stem_names, STEM_KINDS);
}
int arch_act_of(const char *name)
{
    int i = find(name, act_names, ACT_KINDS);
    return i == ACT_NONE ? -1 : i;
}
const char *arch_block_name(enum arch_block b)
{
    return block_names[b];
}
const char *arch_stem_name(enum arch_stem s)
{
    return stem_names[s];
}
const char *arch_act_name(enum activation a)
{
    return act_names[a];
}

const char *arch_colour(int channels)
{
    return channels == 1 ? "gray" : "colour";
}

bool block_has_groups(enum arch_block b)
{
    return b == BLOCK_X || b == BLOCK_LINEAR;
}
bool block_has_bottleneck(enum arch_block b)
{
    return block_has_groups(b) || b == BLOCK_R || b == BLOCK_MB;
}
bool block_has_projection(enum arch_block b)
{
    return b == BLOCK_X || b == BLOCK_R || b == BLOCK_VR || b == BLOCK_BASIC;
}

int arch_inner(const struct arch *a, int i, int w_in)
{
    if (!block_has_bottleneck(a->block))
        return a->w[i];
    return (int)rint((a->block == BLOCK_MB ? w_in : a->w[i]) / a->b[i]);
}

int arch_groups(const struct arch *a, int i, int w_in)
{
    if (a->block == BLOCK_MB)
        return arch_inner(a, i, w_in);
    return block_has_groups(a->block) ? arch_inner(a, i, w_in) / a->g[i] : 1;
}

int arch_squeeze(const struct arch *a, int w_in)
{
    if (!(a->se > 0))
        return 0;
    return a->block == BLOCK_MB ? (int)(a->se * w_in) : (int)rint(a->se * w_in);
}

int arch_blocks(const struct arch *a)
{
    int n = 0;
    for (int i = 0; i < a->stages; i++)
        n += a->d[i];
    return n;
}

size_t arch_input(const struct arch *a)
{
    return (size_t)a->image * (size_t)a->image * (size_t)a->channels;
}

static int gcd(int a, int b)
{
    while (b) {
        int r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* b as the pycls multiplier of an inverted bottleneck (1/b, at least 2), or 1 for b >= 1;
 * 0 when b is neither a whole number nor the inverse of one. */
static int inverse_of(double b)
{
    if (b >= 1)
        return b == rint(b) ? 1 : 0;
    double m = rint(1 / b);
    return fabs(m * b - 1) < 1e-9 ? (int)m : 0;
}

// MBConv takes any width; its groups are single channels.
static bool adjust_mb(struct arch *a, int i, int inv, struct error *e)
{
    int w_in = i ? a->w[i - 1] : a->stem_width, widest = w_in > a->w[i] ? w_in : a->w[i];
    if (a->b[i] > 1)
        return error_set(e,
                         "stage %d: b is %g; block 'mb' expands its input 1/b times, so b "
                         "must be 1, or 1 over a whole number (1/6)",
                         i + 1, a->b[i]);
    if (widest * inv > MOST_INNER)
        return error_set(e,
                         "stage %d: width %d / b %g makes an inner width of %d; the limit "
                         "is %d",
                         i + 1, widest, a->b[i], widest * inv, MOST_INNER);
    a->b[i] = 1. / inv;
    a->g[i] = 1;
    return true;
}

/* Width and group width of one stage made compatible.  The paper (appendix D) promises a
 * change of at most 1/3; where an odd combination would exceed that, the stage has no
 * compatible width near the one asked for and is refused. */
static bool adjust(struct arch *a, int i, struct error *e)
{
    int w = a->w[i], g = a->g[i];
    double b = a->b[i];
    if (!block_has_bottleneck(a->block)) {
        a->b[i] = 1;
        a->g[i] = w;
        return true;
    }
    int inv = b > 0 && b <= 64 && b >= 1. / 64 ? inverse_of(b) : 0;
    if (inv == 0)
        return error_set(e,
                         "stage %d: b is %g; the bottleneck ratio (width / inner width) "
                         "must be 1, 2, 4 or another whole number up to 64, or 1 over one "
                         "(0.5, 0.25) for an inverted bottleneck",
                         i + 1, b);
    if (a->block == BLOCK_MB)
        return adjust_mb(a, i, inv, e);
    int v = inv > 1 ? w * inv : (int)(w / b);
    v = v > 1 ? v : 1;
    if (!block_has_groups(a->block))
        g = v;
    if (g < 1 || g > MOST_INNER)
        return error_set(e, "stage %d: group width is %d; it must be from 1 to %d channels",
                         i + 1, g, MOST_INNER);
    if (g > v)
        g = v;
    int m = inv > 1 ? g / gcd(g, inv) * inv : g; // lcm
    int fit = (int)rint((double)v / m) * m;
    v = fit > m ? fit : m;
    int width = inv > 1 ? v / inv : v * (int)b;
    if (abs(width - w) * 3 > w)
        return error_set(e,
                         "stage %d: group width %d with b = %g fits no width near %d: the "
                         "nearest is %d, a change of more than a third; ask for that width, "
                         "or for another g or b",
                         i + 1, a->g[i], b, w, width);
    if (v > MOST_INNER)
        return error_set(e,
                         "stage %d: width %d / b %g makes an inner width of %d; the limit "
                         "is %d",
                         i + 1, w, b, v, MOST_INNER);
    a->w[i] = width;
    a->g[i] = g;
    a->b[i] = inv > 1 ? 1. / inv : b;
    return true;
}

static bool range(struct error *e, const char *what, int value, int lo, int hi)
{
    if (value >= lo && value <= hi)
        return true;
    return error_set(e, "%s is %d; it must be from %d to %d", what, value, lo, hi);
}

static bool stage_range(struct error *e, int i, const char *what, int value, int hi)
{
    if (value >= 1 && value <= hi)
        return true;
    return error_set(e, "stage %d: %s is %d; it must be from 1 to %d", i + 1, what, value,
                     hi);
}

bool arch_complete(struct arch *a, struct error *e)
{
    if (!range(e, "number of stages", a->stages, 1, ARCH_STAGES) ||
        !range(e, "stem_width", a->stem_width, 1, ARCH_MOST_WIDTH) ||
        !range(e, "head_width", a->head_width, 0, ARCH_MOST_WIDTH) ||
        !range(e, "classes", a->classes, 1, MOST_CLASSES) ||
        !range(e, "image", a->image, 1, MOST_IMAGE))
        return false;
    if (!(a->se >= 0 && a->se <= 1))
        return error_set(e, "se is %g; the squeeze ratio must be from 0 (none) to 1", a->se);
    a->channels = a->channels ? a->channels : 3;
    if (a->channels != 1 && a->channels != 3)
        return error_set(e, "channels is %d; images have 3 (red, green, blue) or 1 (gray)",
                         a->channels);
    if (a->se > 0 && !block_has_bottleneck(a->block))
        return error_set(e,
                         "se is %g, but block '%s' has no squeeze-excitation; use block 'x', "
                         "'r', 'linear' or 'mb', or se = 0",
                         a->se, arch_block_name(a->block));
    for (int i = 0; i < a->stages; i++) {
        a->kernel[i] = a->kernel[i] ? a->kernel[i] : 3;
        if (!stage_range(e, i, "depth", a->d[i], ARCH_MOST_BLOCKS) ||
            !stage_range(e, i, "width", a->w[i], ARCH_MOST_WIDTH) ||
            !stage_range(e, i, "stride", a->stride[i], MOST_STRIDE) ||
            !stage_range(e, i, "kernel", a->kernel[i], MOST_KERNEL))
            return false;
        if (a->kernel[i] % 2 == 0)
            return error_set(e, "stage %d: kernel is %d; it must be odd", i + 1,
                             a->kernel[i]);
        if (!adjust(a, i, e))
            return false;
    }
    if (arch_blocks(a) > ARCH_MOST_BLOCKS)
        return error_set(e, "the network has %d blocks; the limit is %d", arch_blocks(a),
                         ARCH_MOST_BLOCKS);
    return true;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0xff51afd7ed558ccdu; // a round of MurmurHash3's finaliser
    return h ^ h >> 32;
}

uint64_t arch_hash(const struct arch *a)
{
    // R is X with one group, and se counts through the squeeze widths it gives.
    int block = a->block == BLOCK_R ? BLOCK_X : (int)a->block;
    uint64_t h = mix(0x9e3779b97f4a7c15u, (uint64_t)a->stages);
    h = mix(h, (uint64_t)block << 16 | (uint64_t)a->stem << 8 | (uint64_t)a->act);
    h = mix(h, (uint64_t)a->stem_width << 32 | (uint64_t)a->head_width);
    h = mix(h, (uint64_t)a->classes << 32 | (uint64_t)a->image);
    if (a->channels == 1)
        h = mix(h, 1);
    int w_in = a->stem_width;
    for (int i = 0; i < a->stages; i++) {
        h = mix(h, (uint64_t)a->d[i] << 32 | (uint64_t)a->w[i]);
        h = mix(h, (uint64_t)arch_inner(a, i, a->w[i]) << 32 |
                       (uint64_t)arch_groups(a, i, a->w[i]));
        h = mix(h, (uint64_t)a->stride[i] ^ (uint64_t)(a->kernel[i] ^ 3) << 32);
        h = mix(h,
                (uint64_t)arch_squeeze(a, w_in) << 32 | (uint64_t)arch_squeeze(a, a->w[i]));
        w_in = a->w[i];
    }
    return h ^ h >> 29;
}
