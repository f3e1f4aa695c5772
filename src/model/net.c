/* See net.h.  This file owns the memory of a network and walks its plan. */
#include "model/net.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/limit.h"
#include "base/memory.h"
#include "base/pool.h"
#include "model/complexity.h"
#include "model/drop.h"
#include "model/net_state.h"
#include "model/plan.h"

static const double THREAD_WORK =
    2e6; // multiply-adds of a pass that are worth another thread

// ---- memory ---------------------------------------------------------------------------

// The largest arena of a freed network, kept for the next one: a worker trains many, and
// the first touch of fresh memory is what costs.
static struct {
    float *block;
    size_t bytes;
} spare;

static float *arena_take(size_t bytes, size_t *got)
{
    float *block = spare.block;
    if (block && spare.bytes >= bytes) {
        *got = spare.bytes;
        spare.block = NULL;
        return block;
    }
    block_free(spare.block, spare.bytes);
    spare.block = NULL;
    *got = bytes;
    return block_alloc(bytes);
}

static void arena_give(float *block, size_t bytes)
{
    if (spare.block && spare.bytes >= bytes) {
        block_free(block, bytes);
        return;
    }
    block_free(spare.block, spare.bytes);
    spare.block = block;
    spare.bytes = bytes;
}

void net_trim(void)
{
    block_free(spare.block, spare.bytes);
    spare.block = NULL;
    pool_trim();
}

static size_t plan_bytes(const struct plan *p)
{
    return sizeof(float) * (3 * p->group[PARAM_GROUPS] + 2 * p->buffers + p->arena);
}

size_t net_bytes(const struct arch *a, int batch, int threads)
{
    struct plan *p = plan_new(a, batch);
    size_t bytes = plan_bytes(p) + sizeof(float) * p->own * (size_t)(threads - 1);
    plan_free(p);
    return bytes;
}

// Refuses what this process may not use, before any of it is allocated.
static bool fits(size_t bytes, int batch, struct error *e)
{
    uint64_t all = memory_allowed();
    if (bytes <= all / 10 * 9)
        return true;
    return error_set(
        e,
        "this network needs %.1f GB at batch %d, and this process may use %.1f GB;"
        " use a smaller batch, image or width",
        (double)bytes / 1e9, batch, (double)all / 1e9);
}

struct net *net_new(const struct arch *a, int batch, struct error *e)
{
    if (batch < 1 || batch > 65536) {
        error_set(e, "batch is %d; it must be from 1 to 65536", batch);
        return NULL;
    }
    struct plan *p = plan_new(a, batch);
    if (!fits(plan_bytes(p), batch, e)) {
        plan_free(p);
        return NULL;
    }
    struct net *n = xcalloc(1, sizeof *n);
    n->norm_momentum = NORM_MOMENTUM;
    size_t bytes = p->group[PARAM_GROUPS] * sizeof(float);
    n->plan = p;
    n->scale = 1;
    n->threads = 1;
    n->work = (double)complexity(a, a->image, false).flops;
    n->params = block_alloc(bytes);
    n->grads = block_alloc(bytes);
    n->momentum = block_alloc(bytes);
    n->buffers = block_alloc(p->buffers * sizeof(float));
    n->before = block_alloc(p->buffers * sizeof(float));
    n->arena = arena_take(p->arena * sizeof(float), &n->arena_bytes);
    if (n->params && n->grads && n->momentum && n->buffers && n->before && n->arena)
        return n;
    error_set(e, "out of memory: this network needs %.2f GB at batch %d; use a smaller batch",
              (double)plan_bytes(p) / 1e9, batch);
    net_free(n);
    return NULL;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    size_t bytes = n->plan->group[PARAM_GROUPS] * sizeof(float);
    block_free(n->params, bytes);
    block_free(n->grads, bytes);
    block_free(n->momentum, bytes);
    block_free(n->buffers, n->plan->buffers * sizeof(float));
    block_free(n->before, n->plan->buffers * sizeof(float));
    net_want_average(n, false, NULL);
    drops_free(n->drops);
    if (n->arena)
        arena_give(n->arena, n->arena_bytes);
    plan_free(n->plan);
    free(n);
}

bool net_set_batch(struct net *n, int batch, struct error *e)
{
    if (batch == n->plan->batch)
        return true;
    struct error ignored;
    struct net *other = net_new(&n->plan->arch, batch, e ? e : &ignored);
    if (!other)
        return false;
    // parameters lie alike at every batch: exchange only what depends on it
    drops_free(n->drops);
    n->drops = NULL;
    struct plan *p = n->plan;
    float *arena = n->arena;
    size_t bytes = n->arena_bytes;
    n->plan = other->plan, n->arena = other->arena, n->arena_bytes = other->arena_bytes;
    other->plan = p, other->arena = arena, other->arena_bytes = bytes;
    n->count = 0;
    net_free(other);
    return true;
}

const struct arch *net_arch(const struct net *n)
{
    return &n->plan->arch;
}

int net_batch(const struct net *n)
{
    return n->plan->batch;
}

// The pool is as large as this network wants it for so many images.
static void gather_threads(const struct net *n, int count)
{
    double worth = 1 + count * n->work / THREAD_WORK;
    pool_set(worth < n->threads ? (int)worth : n->threads);
    pool_reserve(n->plan->own * sizeof(float));
}

void net_set_threads(struct net *n, int threads)
{
    assert(threads >= 1);
    n->threads = threads;
    gather_threads(n, n->plan->batch);
}

int net_threads(const struct net *n)
{
    return n->threads;
}

const struct plan *net_plan(const struct net *n)
{
    return n->plan;
}

size_t net_params(const struct net *n)
{
    return n->plan->n_params;
}

const struct param *net_param(const struct net *n, size_t i)
{
    assert(i < n->plan->n_params);
    return &n->plan->params[i];
}

float *net_values(struct net *n, const struct param *p)
{
    return (p->buffer ? n->buffers : n->params) + p->offset;
}

float *net_gradients(struct net *n, const struct param *p)
{
    return p->buffer ? NULL : n->grads + p->offset;
}

float *net_momentum(struct net *n, const struct param *p)
{
    return p->buffer ? NULL : n->momentum + p->offset;
}

// ---- forward --------------------------------------------------------------------------

static float *place(const struct net *n, int tensor)
{
    return tensor == NONE ? NULL : n->arena + n->plan->tensors[tensor].offset[n->mode];
}

static float *value(const struct net *n, const struct op *o, size_t entry)
{
    const struct param *p = &n->plan->params[o->param + entry];
    return (p->buffer ? n->buffers : n->params) + p->offset;
}

static float *gradient(const struct net *n, const struct op *o, size_t entry)
{
    return n->grads + n->plan->params[o->param + entry].offset;
}

static size_t pixels(const struct tensor *t)
{
    return (size_t)t->H * (size_t)t->W;
}

// The norm of an operation, with everything it needs in either direction.
static struct norm *norm_of(const struct net *n, int op, struct norm *norm)
{
    if (op == NONE)
        return NULL;
    const struct op *o = &n->plan->ops[op];
    size_t rows = (size_t)n->count * pixels(&n->plan->tensors[o->in]);
    *norm = (struct norm){.C = (size_t)n->plan->tensors[o->in].C,
                          .act = o->act,
                          .eps = NET_NORM_EPS,
                          .momentum = n->norm_momentum,
                          .gamma = value(n, o, 0),
                          .beta = value(n, o, 1),
                          .running_mean = value(n, o, 2),
                          .running_var = value(n, o, 3),
                          .dgamma = gradient(n, o, 0),
                          .dbeta = gradient(n, o, 1),
                          .state = place(n, o->saved[0]),
                          .rows = rows,
                          .fixed = op < n->frozen,
                          .survival = n->mode == MODE_TRAIN ? drops_of(n->drops, op) : NULL};
    return norm;
}

static void forward_conv(struct net *n, const struct op *o)
{
    struct conv c = plan_conv(n->plan, o, n->count);
    struct norm in, out;
    bool testing = n->mode == MODE_TEST;
    const struct op *ops = n->plan->ops,
                    *before = o->norm_before == NONE ? NULL : &ops[o->norm_before];
    const float *x = place(n, o->in);
    struct fusion b = {.out = norm_of(n, o->norm_after, &out), .testing = testing};
    if (testing && o->norm_after != NONE)
        b.add = place(n, ops[o->norm_after].add);
    if (!testing && before) {
        b.in = norm_of(n, o->norm_before, &in);
        b.in_add = place(n, before->add);
        b.in_y = before->unstored ? NULL : place(n, o->in);
        x = place(n, before->in);
    }
    conv_forward(place(n, o->out), x, value(n, o, 0), &c, &b, place(n, o->scratch));
}

// In training, and where no convolution applies it.
static void forward_norm(struct net *n, const struct op *o)
{
    struct norm norm;
    if (n->mode == MODE_TEST || o->fused)
        return;
    norm_of(n, (int)(o - n->plan->ops), &norm);
    norm_forward(&norm, place(n, o->out), place(n, o->in), place(n, o->add), norm.rows);
}

static void forward(struct net *n, const struct op *o)
{
    const struct tensor *x = &n->plan->tensors[o->in], *y = &n->plan->tensors[o->out];
    float *in = place(n, o->in), *out = place(n, o->out);
    float *const s[] = {place(n, o->saved[0]), place(n, o->saved[1]), place(n, o->saved[2]),
                        place(n, o->saved[3])};
    size_t N = (size_t)n->count, C = (size_t)x->C;
    switch (o->kind) {
    case OP_CONV:
        forward_conv(n, o);
        break;
    case OP_NORM:
        forward_norm(n, o);
        break;
    case OP_SE:
        se_forward(out, s[0], s[1], s[2], s[3], in, value(n, o, 0), value(n, o, 1),
                   value(n, o, 2), value(n, o, 3), N, pixels(x), C, (size_t)o->Q, o->act,
                   place(n, o->scratch));
        break;
    case OP_MAXPOOL:
        maxpool_forward(out, (int *)(void *)s[0], in, n->count, x->H, x->W, x->C);
        break;
    case OP_GAP:
        gap_forward(out, in, N, pixels(x), C);
        if (n->mode == MODE_TRAIN)
            drops_apply(n->drops, out, N, C);
        break;
    case OP_LINEAR:
        linear_forward(out, in, value(n, o, 0), value(n, o, 1), N, C, (size_t)y->C,
                       place(n, o->scratch));
        break;
    case OP_KINDS:
        break;
    }
}

void net_stamps(struct net *n, double *stamps)
{
    n->stamps = stamps;
}

double net_clock(const struct net *n)
{
    return n->threads > 1 ? clock_now() : clock_cpu();
}

static void stamp(const struct net *n, int time)
{
    if (n->stamps)
        n->stamps[time] = net_clock(n);
}

float *net_input(struct net *n)
{
    return n->arena; // where both layouts have it
}

// Whether the step ends here; it then has left no trace in the running statistics.
static bool abandoned(struct net *n)
{
    if (!interrupt_pending())
        return false;
    if (n->mode == MODE_TRAIN)
        memcpy(n->buffers, n->before, n->plan->buffers * sizeof(float));
    return true;
}

const float *net_forward(struct net *n, int count, bool train)
{
    assert(count >= 1 && count <= n->plan->batch);
    n->mode = train ? MODE_TRAIN : MODE_TEST;
    n->count = count;
    gather_threads(n, count);
    if (train)
        memcpy(n->before, n->buffers, n->plan->buffers * sizeof(float));
    for (int i = 0; i < n->plan->n; i++) {
        forward(n, &n->plan->ops[i]);
        if (abandoned(n))
            return NULL;
        stamp(n, i);
    }
    return place(n, n->plan->logits);
}

// ---- backward -------------------------------------------------------------------------

// Where the gradient of an operation's input goes; NULL: it is of a frozen part.
static float *input_gradient(const struct net *n, const struct op *o)
{
    if (n->frozen > 0)
        for (const struct op *from = o; from-- > n->plan->ops;)
            if (from->out == o->in)
                return from - n->plan->ops < n->frozen ? NULL : place(n, o->din);
    return place(n, o->din);
}

static void backward_conv(struct net *n, const struct op *o)
{
    struct conv c = plan_conv(n->plan, o, n->count);
    struct norm in, out;
    const struct op *before = o->norm_before == NONE ? NULL : &n->plan->ops[o->norm_before];
    const float *x = place(n, o->in);
    struct fusion b = {
        .out = norm_of(n, o->norm_after, &out), .y = place(n, o->out), .sum = o->accumulates};
    if (before && before->backward_fused) {
        b.in = norm_of(n, o->norm_before, &in);
        b.in_y = before->unstored ? NULL : place(n, o->in);
        x = place(n, before->in);
    }
    conv_backward(input_gradient(n, o), gradient(n, o, 0), place(n, o->dout), x,
                  value(n, o, 0), &c, &b, place(n, o->dscratch));
}

static void backward_norm(struct net *n, const struct op *o)
{
    struct norm norm;
    if (o->backward_fused)
        return;
    norm_of(n, (int)(o - n->plan->ops), &norm);
    norm_backward(&norm, place(n, o->din), place(n, o->dout), place(n, o->in),
                  place(n, o->add), place(n, o->out), norm.rows, place(n, o->dscratch));
}

static void backward(struct net *n, const struct op *o)
{
    const struct tensor *x = &n->plan->tensors[o->in], *y = &n->plan->tensors[o->out];
    const float *in = place(n, o->in), *dout = place(n, o->dout);
    float *din = input_gradient(n, o);
    float *const s[] = {place(n, o->saved[0]), place(n, o->saved[1]), place(n, o->saved[2]),
                        place(n, o->saved[3])};
    size_t N = (size_t)n->count, C = (size_t)x->C;
    switch (o->kind) {
    case OP_CONV:
        backward_conv(n, o);
        break;
    case OP_NORM:
        backward_norm(n, o);
        break;
    case OP_SE:
        se_backward(din, gradient(n, o, 0), gradient(n, o, 1), gradient(n, o, 2),
                    gradient(n, o, 3), dout, in, s[0], s[1], s[2], s[3], value(n, o, 0),
                    value(n, o, 2), N, pixels(x), C, (size_t)o->Q, o->act,
                    place(n, o->dscratch));
        break;
    case OP_MAXPOOL:
        maxpool_backward(din, dout, (const int *)(const void *)s[0], n->count, x->H, x->W,
                         x->C);
        break;
    case OP_GAP:
        drops_apply(n->drops, place(n, o->dout), N, C);
        if (din)
            gap_backward(din, dout, N, pixels(x), C);
        break;
    case OP_LINEAR:
        linear_backward(din, gradient(n, o, 0), gradient(n, o, 1), dout, in, value(n, o, 0),
                        N, C, (size_t)y->C);
        break;
    case OP_KINDS:
        break;
    }
}

double net_backward(struct net *n, const int *labels, float label_smoothing, int *wrong)
{
    return net_backward_mixed(n, labels, labels, 1, label_smoothing, wrong);
}

double net_backward_mixed(struct net *n, const int *labels, const int *others, float share,
                          float label_smoothing, int *wrong)
{
    assert(n->mode == MODE_TRAIN && n->count > 0);
    const struct plan *p = n->plan;
    gather_threads(n, n->count);
    memset(n->grads, 0, p->group[PARAM_GROUPS] * sizeof(float));
    double loss =
        softmax_loss_mixed(place(n, p->dlogits), wrong, place(n, p->logits), labels, others,
                           share, (size_t)n->count, (size_t)p->arch.classes, label_smoothing);
    stamp(n, p->n);
    for (int i = p->n - 1; i >= n->frozen; i--) {
        backward(n, &p->ops[i]);
        if (abandoned(n))
            return (double)NAN;
        stamp(n, 2 * p->n - i);
    }
    return loss;
}

// ---- optimiser ------------------------------------------------------------------------

// The part of a network that has this parameter or operation.
static int part_of(const char *name, const struct arch *a)
{
    if (strncmp(name, "stem", 4) == 0)
        return 0;
    return name[0] == 's' ? atoi(name + 1) : a->stages + 1;
}

void net_tune(struct net *n, int frozen, float scale)
{
    const struct plan *p = n->plan;
    assert(frozen >= 0 && frozen <= p->arch.stages + 1);
    for (n->frozen = 0; part_of(p->ops[n->frozen].name, &p->arch) < frozen;)
        n->frozen++;
    n->scale = scale;
}

// A step parameter by parameter: parts have rates of their own, or none.
static void step_parts(struct net *n, float lr, float momentum, bool nesterov,
                       const float wd[PARAM_GROUPS])
{
    const struct plan *p = n->plan;
    size_t first = p->ops[n->frozen].param;
    for (size_t i = first; i < p->n_params; i++) {
        const struct param *q = &p->params[i];
        int after = p->arch.stages + 1 - part_of(q->name, &p->arch);
        if (!q->buffer)
            sgd_step(n->params + q->offset, n->momentum + q->offset, n->grads + q->offset,
                     q->count, lr * powf(n->scale, (float)after), wd[q->group], momentum,
                     nesterov);
    }
}

void net_step(struct net *n, float lr, float momentum, bool nesterov,
              const float wd[PARAM_GROUPS])
{
    const size_t *group = n->plan->group;
    gather_threads(n, n->count);
    bool alike = n->frozen == 0 && n->scale == 1;
    if (!alike)
        step_parts(n, lr, momentum, nesterov, wd);
    for (int k = 0; alike && k < PARAM_GROUPS; k++) {
        size_t at = group[k];
        sgd_step(n->params + at, n->momentum + at, n->grads + at, group[k + 1] - at, lr,
                 wd[k], momentum, nesterov);
    }
    stamp(n, 2 * n->plan->n + 1);
}

void net_rest(struct net *n)
{
    memset(n->momentum, 0, n->plan->group[PARAM_GROUPS] * sizeof(float));
}
