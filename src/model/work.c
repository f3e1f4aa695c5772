/* What an operation of a plan must do at least (declared in plan.h): operations, and the
 * bytes it moves when it touches everything it reads and writes once.  The two sides of a
 * roofline (Williams, Waterman, Patterson 2009). */
#include "model/plan.h"

static double bytes_of(const struct plan *p, int tensor)
{
    return 4.0 * (double)p->tensors[tensor].floats;
}

// The last time before `time` at which the tensor was used, or NONE.
static int used_before(const struct plan *p, int tensor, enum mode m, int time)
{
    int last = NONE;
    for (const struct use *u = p->uses; u < p->uses + p->n_uses; u++)
        if (u->tensor == tensor && u->mode == m && u->time < time && u->time > last)
            last = u->time;
    return last;
}

// Have fewer than `cache` bytes been touched since this tensor was used before `time`?
static bool is_near(const struct plan *p, int tensor, enum mode m, int time, double cache)
{
    int before = used_before(p, tensor, m, time);
    double since = 0;
    for (const struct use *u = p->uses; u < p->uses + p->n_uses; u++)
        if (u->mode == m && u->time > before && u->time < time)
            since += bytes_of(p, u->tensor);
    return before != NONE && since + bytes_of(p, tensor) < cache;
}

// `written` counts twice when it held something.
static void add_tensors(struct work *w, const struct plan *p, const struct op *o,
                        enum mode m, int time, int written, double cache)
{
    for (const struct use *u = p->uses; u < p->uses + p->n_uses; u++) {
        int t = u->tensor;
        if (u->mode != m || u->time != time || t == o->scratch || t == o->dscratch)
            continue;
        const struct use *first = p->uses;
        while (first->tensor != t || first->mode != m || first->time != time)
            first++;
        if (first != u) // it has been counted
            continue;
        int times = t == written && p->tensors[t].first[m] < time ? 2 : 1;
        w->bytes += times * bytes_of(p, t);
        w->near += is_near(p, t, m, time, cache) ? times * bytes_of(p, t) : 0;
    }
}

struct work plan_work(const struct plan *p, const struct op *o, enum mode m, bool backward,
                      double cache)
{
    const struct tensor *x = &p->tensors[o->in], *y = &p->tensors[o->out];
    bool idle = o->kind == OP_NORM &&
                (m == MODE_TEST || (backward ? o->summed : o->carried));
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
