/* See steps.h. */
#include "model/steps.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static size_t filled(size_t n)
{
    return (n + STEP_LANES - 1) / STEP_LANES * STEP_LANES;
}

// A parameter in PyTorch's order (K,C,R,R), value by value.
struct values {
    const float *at;
    const struct param *p;
};

static struct values values_of(struct net *n, const struct op *o, size_t entry)
{
    const struct param *p = net_param(n, o->param + entry);
    return (struct values){net_values(n, p), p};
}

static float value(const struct values *v, size_t i)
{
    return v->at[param_index(v->p, i)];
}

static long place(const struct plan *p, int tensor)
{
    return tensor == NONE ? -1 : (long)p->tensors[tensor].offset[MODE_TEST];
}

// Room for `count` floats at the end of the weights.
static float *more(struct steps *s, size_t count)
{
    float *at = s->weights + s->n_weights;
    s->n_weights += count;
    return at;
}

static void conv(struct net *n, const struct plan *p, const struct op *o, struct steps *s,
                 struct step *t)
{
    const struct op *norm = o + 1;
    assert(norm->kind == OP_NORM && norm->in == o->out);
    t->R = o->R, t->S = o->S, t->G = o->G;
    t->act = norm->act;
    t->out = place(p, norm->out);
    t->add = place(p, norm->add);
    size_t K = (size_t)t->K, C = (size_t)t->C, G = (size_t)t->G, RR = (size_t)(t->R * t->R);
    size_t Cg = C / G, Kg = K / G, row = filled(Kg);
    bool single = Cg == 1 && Kg == 1;
    struct values w = values_of(n, o, 0), gamma = values_of(n, norm, 0),
                  beta = values_of(n, norm, 1), mean = values_of(n, norm, 2),
                  var = values_of(n, norm, 3);
    float *to = more(s, single ? RR * C : G * RR * Cg * row);
    float *bias = more(s, single ? K : G * row);
    t->weight = (size_t)(to - s->weights), t->bias = (size_t)(bias - s->weights);
    for (size_t k = 0; k < K; k++) {
        float scale = gamma.at[k] / sqrtf(var.at[k] + NET_NORM_EPS);
        bias[single ? k : k / Kg * row + k % Kg] = beta.at[k] - mean.at[k] * scale;
        for (size_t c = 0; c < Cg; c++)
            for (size_t r = 0; r < RR; r++) {
                size_t i = single ? r * C + k : ((k / Kg * RR + r) * Cg + c) * row + k % Kg;
                to[i] = value(&w, (k * Cg + c) * RR + r) * scale;
            }
    }
    size_t side = (size_t)(t->H + 2 * (t->R / 2)) * (size_t)(t->W + 2 * (t->R / 2));
    if (t->R > 1 && side * C > s->scratch)
        s->scratch = side * C;
}

// (to,from) of PyTorch as rows of `to` values, filled up to `row`, and its bias.
static void dense(struct net *n, const struct op *o, size_t entry, size_t from, size_t to,
                  size_t row, struct steps *s, size_t *weight, size_t *bias)
{
    struct values w = values_of(n, o, entry), b = values_of(n, o, entry + 1);
    float *out = more(s, from * row), *shift = more(s, row);
    *weight = (size_t)(out - s->weights), *bias = (size_t)(shift - s->weights);
    for (size_t k = 0; k < to; k++) {
        shift[k] = b.at[k];
        for (size_t c = 0; c < from; c++)
            out[c * row + k] = value(&w, k * from + c);
    }
}

bool steps_make(struct net *n, struct steps *s, struct error *e)
{
    struct plan *p = plan_new(net_arch(n), 1);
    size_t room = 0, unused;
    for (size_t i = 0; i < p->n_params; i++) {
        const struct param *q = &p->params[i];
        room += q->count * (q->dims == 4 ? STEP_LANES : 1) + 2 * STEP_LANES;
    }
    room += filled((size_t)p->arch.classes) * 2;
    *s = (struct steps){.list = xcalloc((size_t)p->n, sizeof *s->list)};
    s->weights = calloc(room, sizeof *s->weights);
    if (!s->weights) {
        plan_free(p);
        free(s->list);
        return error_set(e, "no memory for a copy of %zu weights", room);
    }
    s->image = place(p, p->input), s->logits = place(p, p->logits);
    for (int t = 0; t < p->n_tensors; t++) {
        const struct tensor *x = &p->tensors[p->tensors[t].root];
        size_t end = x->offset[MODE_TEST] + x->floats;
        if (x->first[MODE_TEST] <= x->last[MODE_TEST] && end > s->memory)
            s->memory = end;
    }
    for (int i = 0; i < p->n; i++) {
        const struct op *o = &p->ops[i];
        const struct tensor *x = &p->tensors[o->in];
        if (o->kind == OP_NORM)
            continue;
        struct step *t = &s->list[s->n++];
        *t = (struct step){.kind = o->kind,
                           .in = place(p, o->in),
                           .out = place(p, o->out),
                           .add = -1,
                           .H = x->H,
                           .W = x->W,
                           .C = x->C,
                           .K = p->tensors[o->out].C,
                           .act = o->act};
        size_t C = (size_t)t->C;
        if (o->kind == OP_CONV) {
            conv(n, p, o, s, t);
        } else if (o->kind == OP_SE) {
            size_t Q = (size_t)(t->Q = o->Q);
            dense(n, o, 0, C, Q, Q, s, &t->weight, &t->bias);
            dense(n, o, 2, Q, C, C, s, &unused, &unused);
        } else if (o->kind == OP_LINEAR) {
            size_t K = (size_t)t->K;
            dense(n, o, 0, C, K, filled(K), s, &t->weight, &t->bias);
        }
    }
    assert(s->n_weights <= room);
    plan_free(p);
    return true;
}

void steps_free(struct steps *s)
{
    free(s->list);
    free(s->weights);
}
