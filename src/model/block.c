/* See block.h. */
#include "model/block.h"

#include <assert.h>

static struct part *add(struct parts *b, enum part_kind kind, const char *name, int w_in,
                        int w_out)
{
    assert(b->n < PARTS_MOST);
    struct part *p = &b->list[b->n++];
    *p = (struct part){.kind = kind,
                       .name = name,
                       .w_in = w_in,
                       .w_out = w_out,
                       .kernel = 1,
                       .stride = 1,
                       .groups = 1};
    return p;
}

// R×R with stride S in G groups, and its norm.
static struct part *conv(struct parts *b, const char *name, const char *norm, int w_in,
                         int w_out, int R, int S, int G, enum activation act)
{
    struct part *p = add(b, PART_CONV, name, w_in, w_out);
    p->norm = norm;
    p->kernel = R, p->stride = S, p->groups = G;
    p->act = act;
    return p;
}

static void squeeze(struct parts *b, const char *name, int w, int squeezed,
                    enum activation act)
{
    if (squeezed > 0)
        add(b, PART_SE, name, w, squeezed)->act = act;
}

void stem_parts(struct parts *b, const struct arch *a)
{
    b->n = 0;
    int R = a->stem == STEM_RES ? 7 : 3, S = a->stem == STEM_CIFAR ? 1 : 2;
    conv(b, ".conv", ".bn", a->channels, a->stem_width, R, S, 1, a->act);
    if (a->stem == STEM_RES) {
        struct part *p = add(b, PART_MAXPOOL, ".pool", a->stem_width, a->stem_width);
        p->kernel = 3, p->stride = 2, p->groups = a->stem_width;
    }
}

void block_parts(struct parts *b, const struct arch *a, int i, int w_in, int S)
{
    b->n = 0;
    int w = a->w[i], R = a->kernel[i];
    int inner = arch_inner(a, i, w_in), squeezed = arch_squeeze(a, w_in);
    int G = arch_groups(a, i, w_in);
    enum activation act = a->act;
    bool same = w_in == w && S == 1;
    if (block_has_projection(a->block) && !same)
        conv(b, ".proj", ".bn", w_in, w, 1, S, 1, ACT_NONE)->projects = true;
    switch (a->block) {
    case BLOCK_X:
    case BLOCK_R:
        conv(b, ".f.a", ".f.a_bn", w_in, inner, 1, 1, 1, act);
        conv(b, ".f.b", ".f.b_bn", inner, inner, R, S, G, act);
        squeeze(b, ".f.se.f_ex", inner, squeezed, act);
        conv(b, ".f.c", ".f.c_bn", inner, w, 1, 1, 1, act)->adds = true;
        break;
    case BLOCK_LINEAR:
        conv(b, ".f.a", ".f.a_bn", w_in, inner, 1, 1, 1, act);
        conv(b, ".f.b", ".f.b_bn", inner, inner, R, S, G, act);
        squeeze(b, ".f.se.f_ex", inner, squeezed, act);
        conv(b, ".f.c", ".f.c_bn", inner, w, 1, 1, 1, ACT_NONE)->adds = same;
        break;
    case BLOCK_MB:
        if (inner != w_in)
            conv(b, ".exp", ".exp_bn", w_in, inner, 1, 1, 1, act);
        conv(b, ".dwise", ".dwise_bn", inner, inner, R, S, G, act);
        squeeze(b, ".se.f_ex", inner, squeezed, act);
        conv(b, ".lin_proj", ".lin_proj_bn", inner, w, 1, 1, 1, ACT_NONE)->adds = same;
        break;
    case BLOCK_BASIC:
        conv(b, ".f.a", ".f.a_bn", w_in, w, R, S, 1, act);
        conv(b, ".f.b", ".f.b_bn", w, w, R, 1, 1, act)->adds = true;
        break;
    case BLOCK_VANILLA:
        conv(b, ".a", ".a_bn", w_in, w, R, S, 1, act);
        conv(b, ".b", ".b_bn", w, w, R, 1, 1, act);
        break;
    case BLOCK_V:
        conv(b, ".a", ".a_bn", w_in, w, R, S, 1, act);
        break;
    case BLOCK_VR:
        conv(b, ".f.a", ".f.a_bn", w_in, w, R, S, 1, act)->adds = true;
        break;
    case BLOCK_KINDS:
        break;
    }
}

void head_parts(struct parts *b, const struct arch *a)
{
    b->n = 0;
    int w = a->w[a->stages - 1];
    if (a->head_width > 0) {
        const char *norm = a->block == BLOCK_MB ? ".conv_bn" : ".bn";
        conv(b, ".conv", norm, w, a->head_width, 1, 1, 1, a->act);
        w = a->head_width;
    }
    add(b, PART_GAP, ".pool", w, w);
    add(b, PART_LINEAR, ".fc", w, a->classes);
}
