/* What an operation of a plan must do at least (declared in plan.h): operations, and the
 * bytes it moves when it touches everything it reads and writes once.  The two sides of a
 * roofline (Williams, Waterman, Patterson 2009). */
#include "model/plan.h"

static double bytes_of(const struct plan *p, int tensor)
{
    return 4.0 * (double)p->tensors[tensor].floats;
}

// Have fewer than `cache` bytes been touched since the tensor of this use was used before?
static bool is_near(const struct plan *p, const struct use *u, double cache)
{
    if (u->before == NONE)
        return false;
    double since = p->used_bytes[plan_slot(p, u->mode, u->time)] -
                   p->used_bytes[plan_slot(p, u->mode, u->before) + 1];
    return since + bytes_of(p, u->tensor) < cache;
}

// `written` counts twice when it held something.
static void add_tensors(struct work *w, const struct plan *p, const struct op *o, enum mode m,
                        int time, int written, double cache)
{
    int slot = plan_slot(p, m, time);
    for (size_t i = p->first_use[slot]; i < p->first_use[slot + 1]; i++) {
        const struct use *u = &p->uses[i];
        int t = u->tensor;
        if (u->before == time || t == o->scratch || t == o->dscratch)
            continue;
        int times = t == written && p->tensors[t].first[m] < time ? 2 : 1;
        w->bytes += times * bytes_of(p, t);
        w->near += is_near(p, u, cache) ? times * bytes_of(p, t) : 0;
    }
}

struct work plan_work(const struct plan *p, const struct op *o, enum mode m, bool backward,
                      double cache)
{
    const struct tensor *x = &p->tensors[o->in], *y = &p->tensors[o->out];
    bool idle =
        o->kind == OP_NORM && (m == MODE_TEST || (backward ? o->backward_fused : o->fused));
    if (idle || (m == MODE_TEST && backward))
        return (struct work){0, 0, 0};
    int i = (int)(o - p->ops), time = backward ? 2 * p->n - i : i;
    size_t end = o + 1 < p->ops + p->n ? o[1].param : p->n_params;
    double weights = 0, madds = 0;
    for (size_t k = o->param; k < end; k++)
        weights += p->params[k].buffer ? 0 : (double)p->params[k].count;
    if (o->kind == OP_CONV)
        madds = (double)y->floats * o->R * o->R * x->C / o->G;
    else if (o->kind == OP_SE)
        madds = (double)p->batch * (2.0 * x->C * o->Q + x->C + o->Q);
    else if (o->kind == OP_LINEAR)
        madds = (double)p->batch * (x->C + 1) * y->C;
    struct work w = {.operations = 2 * madds, .bytes = 4 * weights};
    if (backward) {
        w.operations *= o->din == NONE ? 1 : 2; // of the weights, of the input
        w.bytes *= 3;                           // their gradient is added to
    }
    add_tensors(&w, p, o, m, time, backward ? o->din : p->tensors[o->out].root, cache);
    return w;
}
