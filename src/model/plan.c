/* See plan.h. */
#include "model/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/block.h"
#include "model/layout.h"

// 64 bytes: every tensor and parameter starts a cache line (and a vector).
static size_t aligned(size_t floats)
{
    return (floats + 15) & ~(size_t)15;
}

// ---- pieces ---------------------------------------------------------------------------

// More than any machine has; so that no sum over the tensors of a network overflows.
static const size_t MOST_FLOATS = (size_t)1 << 44;

static int tensor_add(struct plan *p, int H, int W, int C, size_t floats)
{
    floats = floats < MOST_FLOATS ? floats : MOST_FLOATS;
    p->tensors = xgrow(p->tensors, (size_t)p->n_tensors, sizeof *p->tensors);
    p->tensors[p->n_tensors] = (struct tensor){
        .H = H, .W = W, .C = C, .root = p->n_tensors, .floats = floats, .first = {1, 1}};
    return p->n_tensors++;
}

static int image_tensor(struct plan *p, int H, int W, int C)
{
    return tensor_add(p, H, W, C, (size_t)p->batch * (size_t)H * (size_t)W * (size_t)C);
}

static int flat_tensor(struct plan *p, size_t floats)
{
    return tensor_add(p, 1, 1, 0, floats);
}

// Tensor t is used at this time in this mode.
static void touch(struct plan *p, int t, enum mode m, int time)
{
    if (t == NONE)
        return;
    t = m == MODE_TEST ? p->tensors[t].root : t;
    p->uses = xgrow(p->uses, p->n_uses, sizeof *p->uses);
    p->uses[p->n_uses++] = (struct use){t, m, time, NONE};
    struct tensor *x = &p->tensors[t];
    bool unused = x->first[m] > x->last[m];
    if (unused || time < x->first[m])
        x->first[m] = time;
    if (unused || time > x->last[m])
        x->last[m] = time;
}

static void param_add(struct plan *p, const char *name, enum param_group group, bool buffer,
                      int dims, int K, int C, int R)
{
    p->params = xgrow(p->params, p->n_params, sizeof *p->params);
    struct param *q = &p->params[p->n_params++];
    *q =
        (struct param){.dims = dims, .shape = {K, C, R, R}, .group = group, .buffer = buffer};
    int length = snprintf(q->name, sizeof q->name, "%s", name);
    assert(length < (int)sizeof q->name);
    (void)length;
    q->count = 1;
    for (int i = 0; i < dims; i++)
        q->count *= (size_t)q->shape[i];
}

static struct op *op_add(struct plan *p, enum op_kind kind, const char *name, int in, int out)
{
    p->ops = xgrow(p->ops, (size_t)p->n, sizeof *p->ops);
    struct op *o = &p->ops[p->n++];
    *o = (struct op){.kind = kind,
                     .in = in,
                     .out = out,
                     .add = NONE,
                     .param = p->n_params,
                     .saved = {NONE, NONE, NONE, NONE},
                     .din = NONE,
                     .dout = NONE,
                     .scratch = NONE,
                     .dscratch = NONE,
                     .norm_after = NONE,
                     .norm_before = NONE};
    int length = snprintf(o->name, sizeof o->name, "%s", name);
    assert(length < (int)sizeof o->name);
    (void)length;
    return o;
}

struct conv plan_conv(const struct plan *p, const struct op *o, int count)
{
    const struct tensor *x = &p->tensors[o->in];
    return (struct conv){.N = count,
                         .H = x->H,
                         .W = x->W,
                         .C = x->C,
                         .K = p->tensors[o->out].C,
                         .R = o->R,
                         .S = o->S,
                         .G = o->G};
}

// ---- operations: each returns its output tensor ---------------------------------------

static const char *join(char name[48], const char *prefix, const char *suffix)
{
    snprintf(name, 48, "%s%s", prefix, suffix);
    return name;
}

static int conv(struct plan *p, const char *prefix, const struct part *q, int in)
{
    char name[48];
    struct tensor x = p->tensors[in];
    int out = image_tensor(p, conv_out(x.H, q->stride), conv_out(x.W, q->stride), q->w_out);
    struct op *o = op_add(p, OP_CONV, join(name, prefix, q->name), in, out);
    o->R = q->kernel, o->S = q->stride, o->G = q->groups;
    param_add(p, join(name, o->name, ".weight"), PARAM_WEIGHT, false, 4, q->w_out,
              q->w_in / q->groups, q->kernel);
    return out;
}

static int norm(struct plan *p, const char *prefix, const struct part *q, int in, int add)
{
    char name[48];
    struct tensor x = p->tensors[in];
    int out = image_tensor(p, x.H, x.W, x.C);
    p->tensors[out].root = x.root; // in place when nothing is kept
    struct op *o = op_add(p, OP_NORM, join(name, prefix, q->norm), in, out);
    o->add = add, o->act = q->act;
    o->saved[0] = flat_tensor(p, norm_floats((size_t)x.C));
    param_add(p, join(name, o->name, ".weight"), PARAM_BN, false, 1, x.C, 0, 0);
    param_add(p, join(name, o->name, ".bias"), PARAM_BN, false, 1, x.C, 0, 0);
    param_add(p, join(name, o->name, ".running_mean"), PARAM_BN, true, 1, x.C, 0, 0);
    param_add(p, join(name, o->name, ".running_var"), PARAM_BN, true, 1, x.C, 0, 0);
    return out;
}

static int squeeze(struct plan *p, const char *prefix, const struct part *q, int in)
{
    char name[48];
    struct tensor x = p->tensors[in];
    int out = image_tensor(p, x.H, x.W, x.C), Q = q->w_out;
    struct op *o = op_add(p, OP_SE, join(name, prefix, q->name), in, out);
    size_t N = (size_t)p->batch;
    o->Q = Q, o->act = q->act;
    o->saved[0] = flat_tensor(p, N * (size_t)x.C);
    o->saved[1] = flat_tensor(p, N * (size_t)Q);
    o->saved[2] = flat_tensor(p, N * (size_t)Q);
    o->saved[3] = flat_tensor(p, N * (size_t)x.C);
    param_add(p, join(name, o->name, ".0.weight"), PARAM_WEIGHT, false, 4, Q, x.C, 1);
    param_add(p, join(name, o->name, ".0.bias"), PARAM_BIAS, false, 1, Q, 0, 0);
    param_add(p, join(name, o->name, ".2.weight"), PARAM_WEIGHT, false, 4, x.C, Q, 1);
    param_add(p, join(name, o->name, ".2.bias"), PARAM_BIAS, false, 1, x.C, 0, 0);
    return out;
}

static int maxpool(struct plan *p, const char *prefix, const struct part *q, int in)
{
    char name[48];
    struct tensor x = p->tensors[in];
    int out = image_tensor(p, conv_out(x.H, q->stride), conv_out(x.W, q->stride), x.C);
    struct op *o = op_add(p, OP_MAXPOOL, join(name, prefix, q->name), in, out);
    o->saved[0] = flat_tensor(p, p->tensors[out].floats); // int positions, 4 bytes each
    return out;
}

static int gap(struct plan *p, const char *prefix, const struct part *q, int in)
{
    char name[48];
    int out = image_tensor(p, 1, 1, q->w_out);
    op_add(p, OP_GAP, join(name, prefix, q->name), in, out);
    return out;
}

static int linear(struct plan *p, const char *prefix, const struct part *q, int in)
{
    char name[48];
    int out = image_tensor(p, 1, 1, q->w_out);
    struct op *o = op_add(p, OP_LINEAR, join(name, prefix, q->name), in, out);
    param_add(p, join(name, o->name, ".weight"), PARAM_WEIGHT, false, 2, q->w_out, q->w_in,
              0);
    param_add(p, join(name, o->name, ".bias"), PARAM_BIAS, false, 1, q->w_out, 0, 0);
    return out;
}

// The parts of a stem, block or head, whose name is `prefix`.
static int add_parts(struct plan *p, const char *prefix, const struct parts *b, int in)
{
    int x = in, shortcut = in;
    for (const struct part *q = b->list; q < b->list + b->n; q++) {
        switch (q->kind) {
        case PART_CONV: {
            int y = conv(p, prefix, q, q->projects ? in : x);
            y = norm(p, prefix, q, y, q->adds ? shortcut : NONE);
            *(q->projects ? &shortcut : &x) = y;
            break;
        }
        case PART_SE:
            x = squeeze(p, prefix, q, x);
            break;
        case PART_MAXPOOL:
            x = maxpool(p, prefix, q, x);
            break;
        case PART_GAP:
            x = gap(p, prefix, q, x);
            break;
        case PART_LINEAR:
            x = linear(p, prefix, q, x);
            break;
        }
    }
    return x;
}

// ---- norms fused with their neighbours --------------------------------------------------

static void fuse_norms(struct plan *p)
{
    struct readers {
        int first, n;
    } *readers = xmalloc((size_t)p->n_tensors * sizeof *readers); // of each tensor
    for (int t = 0; t < p->n_tensors; t++)
        readers[t] = (struct readers){NONE, 0};
    for (int i = p->n - 1; i >= 0; i--) {
        const struct op *o = &p->ops[i];
        readers[o->in] = (struct readers){i, readers[o->in].n + 1};
        if (o->add != NONE && o->add != o->in)
            readers[o->add] = (struct readers){i, readers[o->add].n + 1};
    }
    for (int i = 0; i < p->n; i++) {
        struct op *o = &p->ops[i];
        if (o->kind != OP_NORM)
            continue;
        assert(i > 0 && o[-1].kind == OP_CONV && o[-1].out == o->in);
        o[-1].norm_after = i;
        struct readers r = readers[o->out];
        assert(r.first != NONE);
        if (p->ops[r.first].kind != OP_CONV)
            continue;
        p->ops[r.first].norm_before = i;
        o->fused = true;
        o->unstored = o->add == NONE && r.n == 1;
        // SiLU's gradient also needs `add`, which no convolution has.
        o->backward_fused = o->act != ACT_SILU || o->add == NONE;
    }
    free(readers);
}

// ---- life of tensors ------------------------------------------------------------------

static void touch_norm(struct plan *p, int op, enum mode m, int time)
{
    if (op != NONE)
        touch(p, p->ops[op].saved[0], m, time);
}

static void needs_own(struct plan *p, size_t floats)
{
    p->own = p->own > floats ? p->own : floats;
}

static void live_forward_conv(struct plan *p, struct op *o, int i)
{
    struct conv c = plan_conv(p, o, p->batch);
    size_t floats = conv_scratch(&c);
    o->scratch = flat_tensor(p, floats);
    o->dscratch = flat_tensor(p, floats);
    needs_own(p, conv_own_scratch(&c));
    touch(p, o->dscratch, MODE_TRAIN, 2 * p->n - i);
    for (enum mode m = MODE_TEST; m < MODES; m++) {
        touch(p, o->out, m, i);
        touch(p, o->scratch, m, i);
        touch_norm(p, o->norm_after, m, i);
    }
    touch(p, o->in, MODE_TEST, i);
    if (o->norm_after != NONE)
        touch(p, p->ops[o->norm_after].add, MODE_TEST, i);
    const struct op *before = o->norm_before == NONE ? NULL : &p->ops[o->norm_before];
    if (before) {
        touch(p, before->in, MODE_TRAIN, i);
        touch(p, before->add, MODE_TRAIN, i);
        touch(p, before->saved[0], MODE_TRAIN, i);
    }
    if (!before || !before->unstored)
        touch(p, o->in, MODE_TRAIN, i);
}

static void live_forward(struct plan *p)
{
    touch(p, p->input, MODE_TEST, 0);
    touch(p, p->input, MODE_TRAIN, 0);
    for (int i = 0; i < p->n; i++) {
        struct op *o = &p->ops[i];
        if (o->kind == OP_CONV) {
            live_forward_conv(p, o, i);
            continue;
        }
        size_t C = (size_t)p->tensors[o->in].C;
        if (o->kind == OP_SE) {
            size_t floats = se_scratch((size_t)p->batch, C, (size_t)o->Q);
            o->scratch = flat_tensor(p, floats);
            o->dscratch = flat_tensor(p, floats);
            touch(p, o->dscratch, MODE_TRAIN, 2 * p->n - i);
        } else if (o->kind == OP_LINEAR) {
            o->scratch = flat_tensor(p, linear_scratch(C, (size_t)p->tensors[o->out].C));
        }
        if (o->kind == OP_NORM) {
            touch(p, o->out, MODE_TEST, i);
            if (!o->backward_fused) {
                o->dscratch = flat_tensor(p, norm_sums(C));
                needs_own(p, norm_sums(C));
                touch(p, o->dscratch, MODE_TRAIN, 2 * p->n - i);
            }
        }
        if (o->fused)
            continue;
        const int used[] = {o->in,       o->out,      o->add,      o->scratch,
                            o->saved[0], o->saved[1], o->saved[2], o->saved[3]};
        for (size_t k = 0; k < sizeof used / sizeof *used; k++) {
            touch(p, used[k], MODE_TRAIN, i);
            if (o->kind != OP_NORM)
                touch(p, used[k], MODE_TEST, i);
        }
    }
    touch(p, p->logits, MODE_TEST, p->n); // read by the caller
    touch(p, p->logits, MODE_TRAIN, p->n);
}

// What of the forward pass the backward pass of o reads.
static void live_saved(struct plan *p, const struct op *o, int time)
{
    if (o->kind == OP_CONV) {
        const struct op *before = o->norm_before == NONE ? NULL : &p->ops[o->norm_before];
        touch_norm(p, o->norm_after, MODE_TRAIN, time);
        if (o->norm_after != NONE)
            touch(p, o->out, MODE_TRAIN, time);
        if (!before || !before->unstored)
            touch(p, o->in, MODE_TRAIN, time);
        if (before && before->backward_fused) {
            touch(p, before->in, MODE_TRAIN, time);
            touch_norm(p, o->norm_before, MODE_TRAIN, time);
        }
        return;
    }
    if (o->backward_fused)
        return;
    if (o->kind == OP_NORM || o->kind == OP_SE || o->kind == OP_LINEAR)
        touch(p, o->in, MODE_TRAIN, time);
    if (o->kind == OP_NORM && o->act == ACT_RELU)
        touch(p, o->out, MODE_TRAIN, time); // the mask
    if (o->kind == OP_NORM && o->act == ACT_SILU)
        touch(p, o->add, MODE_TRAIN, time); // recomputes the activation's input
    for (int k = 0; k < 4; k++)
        touch(p, o->saved[k], MODE_TRAIN, time);
}

static void live_backward(struct plan *p)
{
    int *gradient =
        xmalloc((size_t)p->n_tensors * sizeof *gradient); // of each tensor, so far
    for (int i = 0; i < p->n_tensors; i++)
        gradient[i] = NONE;
    p->dlogits = gradient[p->logits] = image_tensor(p, 1, 1, p->arch.classes);
    touch(p, p->dlogits, MODE_TRAIN, p->n);
    for (int i = p->n - 1; i >= 0; i--) {
        struct op *o = &p->ops[i];
        int time = 2 * p->n - i;
        struct tensor x = p->tensors[o->in];
        live_saved(p, o, time);
        o->dout = gradient[o->out];
        touch(p, o->dout, MODE_TRAIN, time);
        if (o->kind == OP_NORM) { // in place, for what it adds as well
            assert(o->add == NONE || gradient[o->add] == NONE);
            if (o->add != NONE)
                gradient[o->add] = o->dout;
            o->din = gradient[o->in] = o->dout;
            continue;
        }
        if (o->in == p->input)
            continue;
        o->accumulates = gradient[o->in] != NONE;
        assert(!o->accumulates || o->kind == OP_CONV);
        if (!o->accumulates)
            gradient[o->in] = image_tensor(p, x.H, x.W, x.C);
        o->din = gradient[o->in];
        touch(p, o->din, MODE_TRAIN, time);
    }
    free(gradient);
}

// Puts the uses in order of mode and time.
static void sort_uses(struct plan *p)
{
    int slots = plan_slot(p, MODES, 0);
    size_t *at = p->first_use = xcalloc((size_t)slots + 2, sizeof *at);
    p->used_bytes = xcalloc((size_t)slots + 1, sizeof *p->used_bytes);
    struct use *sorted = xmalloc(p->n_uses * sizeof *sorted);
    for (size_t i = 0; i < p->n_uses; i++)
        at[plan_slot(p, p->uses[i].mode, p->uses[i].time) + 2]++;
    for (int s = 0; s < slots; s++)
        at[s + 2] += at[s + 1];
    for (size_t i = 0; i < p->n_uses; i++) // at[s + 1] moves from the begin of s to its end
        sorted[at[plan_slot(p, p->uses[i].mode, p->uses[i].time) + 1]++] = p->uses[i];
    free(p->uses);
    p->uses = sorted;
    int *last = xmalloc((size_t)p->n_tensors * sizeof *last); // use of each tensor, so far
    for (enum mode m = MODE_TEST; m < MODES; m++) {
        for (int t = 0; t < p->n_tensors; t++)
            last[t] = NONE;
        for (int s = plan_slot(p, m, 0); s < plan_slot(p, m + 1, 0); s++) {
            p->used_bytes[s + 1] = p->used_bytes[s];
            for (struct use *u = sorted + at[s]; u < sorted + at[s + 1]; u++) {
                u->before = last[u->tensor];
                last[u->tensor] = u->time;
                p->used_bytes[s + 1] += 4.0 * (double)p->tensors[u->tensor].floats;
            }
        }
    }
    free(last);
}

// ---- layout ---------------------------------------------------------------------------

struct wanted {
    size_t floats;
    int tensor;
};

static int larger_first(const void *x, const void *y)
{
    const struct wanted *a = x, *b = y;
    return a->floats != b->floats ? (a->floats < b->floats ? 1 : -1) : a->tensor - b->tensor;
}

// Gives every tensor of one mode a place: the input first, then the larger before the
// smaller.  Returns the floats needed.
static size_t place_tensors(struct plan *p, enum mode m)
{
    struct wanted *order = xmalloc((size_t)p->n_tensors * sizeof *order);
    struct piece *pieces = xmalloc((size_t)p->n_tensors * sizeof *pieces);
    int n = 0;
    for (int i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].first[m] <= p->tensors[i].last[m])
            order[n++] = (struct wanted){i == p->input ? SIZE_MAX : p->tensors[i].floats, i};
    qsort(order, (size_t)n, sizeof *order, larger_first);
    for (int k = 0; k < n; k++) {
        const struct tensor *t = &p->tensors[order[k].tensor];
        pieces[k] = (struct piece){
            .size = aligned(t->floats), .first = t->first[m], .last = t->last[m]};
    }
    size_t top = layout(pieces, n, 2 * p->n + 1, NULL);
    for (int k = 0; k < n; k++)
        p->tensors[order[k].tensor].offset[m] = pieces[k].offset;
    free(order);
    free(pieces);
    return top;
}

// Parameters by decay group, so that the optimiser makes three passes and no more.
static void place_params(struct plan *p)
{
    size_t at = 0;
    for (int g = 0; g < PARAM_GROUPS; g++) {
        p->group[g] = at;
        for (size_t i = 0; i < p->n_params; i++)
            if (!p->params[i].buffer && p->params[i].group == (enum param_group)g) {
                p->params[i].offset = at;
                at += aligned(p->params[i].count);
            }
    }
    p->group[PARAM_GROUPS] = at;
    for (size_t i = 0; i < p->n_params; i++)
        if (p->params[i].buffer) {
            p->params[i].offset = p->buffers;
            p->buffers += aligned(p->params[i].count);
        }
}

struct plan *plan_new(const struct arch *a, int batch)
{
    struct plan *p = xcalloc(1, sizeof *p);
    p->arch = *a;
    p->batch = batch;
    int x = p->input = image_tensor(p, a->image, a->image, a->channels);
    struct parts b;
    stem_parts(&b, a);
    x = add_parts(p, "stem", &b, x);
    for (int i = 0; i < a->stages; i++)
        for (int j = 0; j < a->d[i]; j++) {
            char name[32];
            snprintf(name, sizeof name, "s%d.b%d", i + 1, j + 1);
            block_parts(&b, a, i, p->tensors[x].C, j == 0 ? a->stride[i] : 1);
            x = add_parts(p, name, &b, x);
        }
    head_parts(&b, a);
    p->logits = add_parts(p, "head", &b, x);
    place_params(p);
    fuse_norms(p);
    live_forward(p);
    live_backward(p);
    sort_uses(p);
    size_t test = place_tensors(p, MODE_TEST), train = place_tensors(p, MODE_TRAIN);
    for (int i = 0; i < p->n_tensors; i++)
        p->tensors[i].offset[MODE_TEST] = p->tensors[p->tensors[i].root].offset[MODE_TEST];
    p->arena = (test > train ? test : train) + aligned(1); // slack, see layers.h
    return p;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    free(p->ops);
    free(p->tensors);
    free(p->uses);
    free(p->first_use);
    free(p->used_bytes);
    free(p->params);
    free(p);
}
