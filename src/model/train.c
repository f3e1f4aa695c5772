/* See train.h. */
#include "model/train.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"

static const double LOSS_LIMIT = 1e4;     // above it a model has run away
static const double REPORT_SECONDS = 0.1; // at least between two reports of steps

static bool between(double x, double lo, double hi)
{
    return x >= lo && x <= hi; // false for NaN
}

bool recipe_check(const struct recipe *r, const struct source *s, struct error *e)
{
    if (r->epochs < 1 || r->epochs > 100000)
        return error_set(e, "epochs is %d; it must be from 1 to 100000", r->epochs);
    if (r->batch < 1 || r->batch > 65536)
        return error_set(e, "batch is %d; it must be from 1 to 65536", r->batch);
    if (!between(r->lr, 0, 1000))
        return error_set(e, "lr is %g; it must be from 0 to 1000", (double)r->lr);
    if (!between(r->wd, 0, 10) || !(r->wd_bn == -1 || between(r->wd_bn, 0, 10)) ||
        !(r->wd_bias == -1 || between(r->wd_bias, 0, 10)))
        return error_set(e, "wd, wd_bn, wd_bias are %g, %g, %g; they must be from 0 to 10",
                         (double)r->wd, (double)r->wd_bn, (double)r->wd_bias);
    if (!(r->momentum >= 0 && r->momentum < 1))
        return error_set(e, "momentum is %g; it must be from 0 to below 1",
                         (double)r->momentum);
    if (r->nesterov && r->momentum == 0)
        return error_set(e, "nesterov needs a momentum above 0");
    if (r->warmup < 0 || r->warmup > r->epochs)
        return error_set(e,
                         "warmup is %d epochs; it must be from 0 to the %d epochs of the "
                         "recipe",
                         r->warmup, r->epochs);
    if (!between(r->warmup_factor, 0, 1))
        return error_set(e, "warmup_factor is %g; it must be from 0 to 1",
                         (double)r->warmup_factor);
    if (!(r->label_smoothing >= 0 && r->label_smoothing < 1))
        return error_set(e, "label_smoothing is %g; it must be from 0 to below 1",
                         (double)r->label_smoothing);
    if (s && (uint32_t)r->batch > s->train_n)
        return error_set(e,
                         "batch is %d, and there are only %u training images; use a batch "
                         "of at most %u",
                         r->batch, s->train_n, s->train_n);
    return true;
}

float recipe_lr(const struct recipe *r, double epoch)
{
    const double pi = 3.14159265358979323846;
    double lr = r->lr;
    if (r->schedule != SCHEDULE_CONSTANT)
        lr *= 0.5 * (1 + cos(pi * epoch / r->epochs));
    if (epoch < r->warmup) {
        double a = epoch / r->warmup;
        lr *= r->warmup_factor * (1 - a) + a;
    }
    return (float)lr;
}

// ---- testing and training -----------------------------------------------------------

struct run {
    struct net *net;
    const struct source *source;
    const struct recipe *recipe;
    const struct train_report *report;
    struct train_point *at;
    uint32_t *order; // of the training images in this epoch
    int *labels;
    float wd[3];
    double reported; // when the last step was
};

static bool report_step(struct run *t, int steps, double loss)
{
    double now = clock_now();
    if (!t->report || !t->report->step || now - t->reported < REPORT_SECONDS)
        return true;
    t->reported = now;
    return t->report->step(t->report->self, t->at, steps, loss);
}

// Test error in percent; NaN when interrupted, or stopped by a report (t may be NULL).
static double test_error(struct net *n, const struct source *s, struct run *t)
{
    int batch = net_batch(n), classes = net_arch(n)->classes;
    int *labels = xmalloc((size_t)batch * sizeof *labels);
    uint64_t wrong = 0;
    uint32_t first = 0;
    bool go_on = true;
    while (first < s->test_n && go_on && !interrupt_pending()) {
        uint32_t left = s->test_n - first;
        int count = left < (uint32_t)batch ? (int)left : batch, w;
        s->test_batch(s->self, net_input(n), labels, first, count);
        const float *logits = net_forward(n, count, false);
        if (!logits)
            break;
        softmax_loss(NULL, &w, logits, labels, (size_t)count, (size_t)classes, 0);
        wrong += (uint64_t)w;
        first += (uint32_t)count;
        if (t)
            go_on = report_step(t, t->at->step, t->at->loss_sum / t->at->step);
    }
    free(labels);
    return first < s->test_n || !go_on ? (double)NAN : 100.0 * (double)wrong / s->test_n;
}

double train_test(struct net *n, const struct source *s)
{
    return test_error(n, s, NULL);
}

static bool runaway(double loss)
{
    return !(loss <= LOSS_LIMIT);
}

// The rest of one pass over the images, in the order of this epoch; the last partial
// batch is dropped.
static enum train_end train_epoch(struct run *t, struct epoch_result *out, struct error *why)
{
    const struct recipe *r = t->recipe;
    const struct source *s = t->source;
    struct train_point *at = t->at;
    int steps = (int)(s->train_n / (uint32_t)r->batch);
    double before = at->seconds, start = clock_now();
    struct rng rng = rng_key(r->seed, (uint64_t)at->epoch, RNG_ORDER);
    rng_permutation(&rng, t->order, s->train_n);
    *out = (struct epoch_result){.epoch = at->epoch + 1, .lr = recipe_lr(r, at->epoch)};
    while (at->step < steps) {
        int wrong;
        s->train_batch(s->self, net_input(t->net), t->labels,
                       t->order + (size_t)at->step * (size_t)r->batch, r->batch, r->seed,
                       at->epoch);
        if (!net_forward(t->net, r->batch, true))
            return TRAIN_INTERRUPTED;
        double loss = net_backward(t->net, t->labels, r->label_smoothing, &wrong);
        if (isnan(loss) && interrupt_pending())
            return TRAIN_INTERRUPTED;
        if (runaway(loss)) {
            error_set(why, "the loss became %g in epoch %d, step %d of %d (lr %g)", loss,
                      at->epoch + 1, at->step + 1, steps, (double)out->lr);
            return TRAIN_DIVERGED;
        }
        float lr = out->lr;
        if (r->schedule == SCHEDULE_COS_STEP)
            lr = recipe_lr(r, at->epoch + (double)at->step / steps);
        net_step(t->net, lr, r->momentum, r->nesterov, t->wd);
        at->loss_sum += loss;
        at->wrong_sum += (uint64_t)wrong;
        at->step++;
        at->seconds = before + clock_now() - start;
        if (!report_step(t, steps, loss))
            return TRAIN_STOPPED;
    }
    double images = (double)steps * r->batch;
    out->seconds = at->seconds;
    out->train_loss = at->loss_sum / steps;
    out->train_error = 100.0 * (double)at->wrong_sum / images;
    out->images_per_s = images / out->seconds;
    return TRAIN_DONE;
}

static enum train_end train_all(struct run *t, struct epoch_result *last, struct error *why)
{
    while (t->at->epoch < t->recipe->epochs) {
        struct epoch_result result;
        enum train_end end = train_epoch(t, &result, why);
        if (end == TRAIN_DIVERGED) {
            last->epoch = result.epoch;
            last->lr = result.lr;
            last->test_error = 100;
        }
        if (end != TRAIN_DONE)
            return end;
        result.test_error = test_error(t->net, t->source, t);
        if (isnan(result.test_error))
            return interrupt_pending() ? TRAIN_INTERRUPTED : TRAIN_STOPPED;
        *last = result;
        *t->at = (struct train_point){.epoch = result.epoch};
        if (t->report && t->report->epoch && !t->report->epoch(t->report->self, last) &&
            result.epoch < t->recipe->epochs)
            return TRAIN_STOPPED;
    }
    return TRAIN_DONE;
}

enum train_end train_run(struct net *n, const struct source *s, const struct recipe *r,
                         struct train_point *at, const struct train_report *report,
                         struct epoch_result *last, struct error *why)
{
    struct run t = {.net = n, .source = s, .recipe = r, .report = report, .at = at};
    t.wd[PARAM_BN] = r->wd_bn == -1 ? r->wd : r->wd_bn;
    t.wd[PARAM_BIAS] = r->wd_bias == -1 ? r->wd : r->wd_bias;
    t.wd[PARAM_WEIGHT] = r->wd;
    t.order = xmalloc((size_t)s->train_n * sizeof *t.order);
    t.labels = xmalloc((size_t)r->batch * sizeof *t.labels);
    t.reported = clock_now();
    *last = (struct epoch_result){.epoch = at->epoch, .test_error = 100};
    if (at->epoch == 0 && at->step == 0)
        net_rest(n);
    enum train_end end = train_all(&t, last, why);
    free(t.order);
    free(t.labels);
    return end;
}
