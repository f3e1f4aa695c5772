/* See train.h. */
#include "model/train.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/mix.h"

static const double LOSS_LIMIT = 1e4;     // above it a model has run away
static const double REPORT_SECONDS = 0.1; // at least between two reports of steps
enum { PAD_MOST = 16 };

// Of a model that has run away: every image is wrong.
static const struct metrics lost = {100, NAN, 100, 100};

static bool between(double x, double lo, double hi)
{
    return x >= lo && x <= hi; // false for NaN
}

static bool augment_check(const struct augment *a, struct error *e)
{
    if (a->pad < -1 || a->pad > PAD_MOST)
        return error_set(e, "augment: pad is %d; it must be from 0 to %d", a->pad, PAD_MOST);
    bool resized = a->crop == CROP_RESIZED || a->area[1] > 0;
    if (resized && !(a->area[0] > 0 && a->area[0] <= a->area[1] && a->area[1] <= 1))
        return error_set(e,
                         "augment: area is from %g to %g; it must be a range within 0 to 1, "
                         "above 0",
                         (double)a->area[0], (double)a->area[1]);
    if ((a->crop == CROP_RESIZED || a->aspect[1] > 0) &&
        !(a->aspect[0] >= 0.1f && a->aspect[0] <= a->aspect[1] && a->aspect[1] <= 10))
        return error_set(
            e, "augment: aspect is from %g to %g; it must be a range within 0.1 to 10",
            (double)a->aspect[0], (double)a->aspect[1]);
    const struct {
        const char *name;
        float value, most;
    } reals[] = {{"lighting", a->lighting, 1}, {"brightness", a->brightness, 1},
                 {"contrast", a->contrast, 1}, {"saturation", a->saturation, 1},
                 {"hue", a->hue, 0.5f},        {"mixup", a->mixup, 100},
                 {"cutmix", a->cutmix, 100}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (!between(reals[i].value, 0, reals[i].most))
            return error_set(e, "augment: %s is %g; it must be from 0 to %g", reals[i].name,
                             (double)reals[i].value, (double)reals[i].most);
    if (a->policy == POLICY_RANDAUGMENT && (a->operations < 1 || a->operations > 10))
        return error_set(e, "augment: operations is %d; it must be from 1 to 10",
                         a->operations);
    if (a->magnitude < 0 || a->magnitude > 30)
        return error_set(e, "augment: magnitude is %d; it must be from 0 to 30",
                         a->magnitude);
    return true;
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
    if (s && (uint32_t)r->batch > s->n[SPLIT_TRAIN])
        return error_set(e,
                         "batch is %d, and there are only %u training images; use a batch "
                         "of at most %u",
                         r->batch, s->n[SPLIT_TRAIN], s->n[SPLIT_TRAIN]);
    if (!(r->lr_scale > 0 && r->lr_scale <= 1))
        return error_set(e, "lr_scale is %g; it must be above 0, to 1", (double)r->lr_scale);
    return augment_check(&r->augment, e);
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
    uint32_t *order;      // of the training images in this epoch
    int *labels, *others; // of the images; of the images mixed into them
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

// t: the training that it belongs to, or NULL.
static enum train_end measure(struct net *n, const struct source *s, enum split_name split,
                              struct tally *tally, struct run *t, struct error *why)
{
    enum train_end end = TRAIN_DONE;
    int batch = net_batch(n);
    int *labels = xmalloc((size_t)batch * sizeof *labels);
    uint32_t first = 0;
    while (first < s->n[split] && end == TRAIN_DONE) {
        uint32_t left = s->n[split] - first;
        int count = left < (uint32_t)batch ? (int)left : batch;
        const float *logits;
        if (interrupt_pending())
            end = TRAIN_INTERRUPTED;
        else if (!s->test_batch(s->self, split, net_input(n), labels, first, count, why))
            end = TRAIN_UNREADABLE;
        else if (!(logits = net_forward(n, count, false)))
            end = TRAIN_INTERRUPTED;
        else {
            tally_add(tally, logits, labels, count);
            first += (uint32_t)count;
            if (t && !report_step(t, t->at->step, t->at->loss_sum / t->at->step))
                end = TRAIN_STOPPED;
        }
    }
    free(labels);
    return end;
}

enum train_end train_measure(struct net *n, const struct source *s, enum split_name split,
                             struct tally *t, struct error *why)
{
    return measure(n, s, split, t, NULL, why);
}

static bool runaway(double loss)
{
    return !(loss <= LOSS_LIMIT);
}

// Fills the network's input with the images of a step, mixed where the recipe says so: labels
// and others (of the images mixed into them), *share of the former.
static bool take_batch(struct run *t, float *share, struct error *why)
{
    const struct recipe *r = t->recipe;
    const struct source *s = t->source;
    int epoch = t->at->epoch, step = t->at->step;
    float *x = net_input(t->net);
    if (!s->train_batch(s->self, x, t->labels, t->order + (size_t)step * (size_t)r->batch,
                        r->batch, &r->augment, r->seed, epoch, why))
        return false;
    struct mix mix = mix_draw(&r->augment, s->image, r->seed, epoch, (uint32_t)step);
    *share = mix.share;
    if (mix.share < 1)
        mix_apply(&mix, x, r->batch, s->image, s->channels);
    for (int i = 0; i < r->batch; i++)
        t->others[i] = t->labels[r->batch - 1 - i];
    return true;
}

// The rest of one pass over the images, in the order of this epoch; the last partial
// batch is dropped.
static enum train_end train_epoch(struct run *t, struct epoch_result *out, struct error *why)
{
    const struct recipe *r = t->recipe;
    struct train_point *at = t->at;
    uint32_t n = t->source->n[SPLIT_TRAIN];
    int steps = (int)(n / (uint32_t)r->batch);
    double before = at->seconds, start = clock_now();
    struct rng rng = rng_key(r->seed, (uint64_t)at->epoch, RNG_ORDER);
    rng_permutation(&rng, t->order, n);
    *out = (struct epoch_result){.epoch = at->epoch + 1, .lr = recipe_lr(r, at->epoch)};
    while (at->step < steps) {
        int wrong;
        float share;
        if (!take_batch(t, &share, why))
            return TRAIN_UNREADABLE;
        if (!net_forward(t->net, r->batch, true))
            return TRAIN_INTERRUPTED;
        double loss = net_backward_mixed(t->net, t->labels, t->others, share,
                                         r->label_smoothing, &wrong);
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

static enum train_end validate(struct run *t, struct epoch_result *out, struct error *why)
{
    struct tally tally;
    tally_start(&tally, t->source->classes, false);
    enum train_end end = measure(t->net, t->source, SPLIT_VALIDATION, &tally, t, why);
    if (end == TRAIN_DONE)
        out->validation = tally_metrics(&tally);
    tally_end(&tally);
    return end;
}

static enum train_end train_all(struct run *t, struct epoch_result *last, struct error *why)
{
    while (t->at->epoch < t->recipe->epochs) {
        struct epoch_result result;
        enum train_end end = train_epoch(t, &result, why);
        if (end == TRAIN_DIVERGED) {
            last->epoch = result.epoch;
            last->lr = result.lr;
            last->validation = lost;
        }
        if (end == TRAIN_DONE)
            end = validate(t, &result, why);
        if (end != TRAIN_DONE)
            return end;
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
    t.order = xmalloc((size_t)s->n[SPLIT_TRAIN] * sizeof *t.order);
    t.labels = xmalloc((size_t)r->batch * sizeof *t.labels);
    t.others = xmalloc((size_t)r->batch * sizeof *t.others);
    t.reported = clock_now();
    *last = (struct epoch_result){.epoch = at->epoch, .validation = lost};
    int body = net_arch(n)->stages + 1;
    net_tune(n, r->frozen < body ? r->frozen : body, r->lr_scale);
    if (at->epoch == 0 && at->step == 0)
        net_rest(n);
    enum train_end end = train_all(&t, last, why);
    free(t.order);
    free(t.labels);
    free(t.others);
    return end;
}
