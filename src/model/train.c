/* See train.h. */
#include "model/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    if (!between(r->lr_end, 0, 1))
        return error_set(e, "lr_end is %g; it must be a share of lr, from 0 to 1",
                         (double)r->lr_end);
    bool falls = r->schedule == SCHEDULE_EXP || r->schedule == SCHEDULE_EXP_STEP;
    if (falls && r->lr_end == 0)
        return error_set(e,
                         "an exponential schedule never reaches 0; give lr_end, the share of "
                         "lr where it ends, such as 0.01");
    if (r->schedule == SCHEDULE_STEPS && r->n_steps == 0)
        return error_set(
            e, "schedule \"steps\" needs steps, the epochs at which lr is multiplied "
               "by lr_mult, such as { 30, 60 }");
    for (int i = 0; i < r->n_steps; i++)
        if (r->steps[i] < 1 || r->steps[i] >= r->epochs ||
            (i && r->steps[i] <= r->steps[i - 1]))
            return error_set(e, "steps has %d; they must rise, from 1 to below the %d epochs",
                             r->steps[i], r->epochs);
    if (!between(r->lr_mult, 0, 10))
        return error_set(e, "lr_mult is %g; it must be from 0 to 10", (double)r->lr_mult);
    if (!between(r->ema, 0, 1))
        return error_set(e, "ema is %g; it must be from 0 to 1", (double)r->ema);
    if (r->ema_period < 1 || r->ema_period > 1000000)
        return error_set(e, "ema_period is %d steps; it must be from 1 to 1000000",
                         r->ema_period);
    if (!(r->drop.dropout >= 0 && r->drop.dropout < 1))
        return error_set(e, "dropout is %g; it must be from 0 to below 1",
                         (double)r->drop.dropout);
    if (!(r->drop.depth >= 0 && r->drop.depth < 1))
        return error_set(e, "stochastic_depth is %g; it must be from 0 to below 1",
                         (double)r->drop.depth);
    if (r->precise < 0 || (r->precise > 0 && r->precise < r->batch))
        return error_set(e,
                         "precise_bn is %d images; it must be 0, or at least a batch of %d",
                         r->precise, r->batch);
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
    double lr = r->lr, end = r->lr_end, past = epoch / r->epochs;
    switch (r->schedule) {
    case SCHEDULE_COS:
    case SCHEDULE_COS_STEP:
        lr *= (1 - end) * 0.5 * (1 + cos(pi * past)) + end;
        break;
    case SCHEDULE_LINEAR:
    case SCHEDULE_LINEAR_STEP:
        lr *= (1 - end) * (1 - past) + end;
        break;
    case SCHEDULE_EXP:
    case SCHEDULE_EXP_STEP:
        lr *= pow(end, past);
        break;
    case SCHEDULE_STEPS:
        for (int i = 0; i < r->n_steps && epoch >= r->steps[i]; i++)
            lr *= (double)r->lr_mult;
        break;
    case SCHEDULE_CONSTANT:
    case SCHEDULES:
        break;
    }
    if (epoch < r->warmup) {
        double a = epoch / r->warmup;
        lr *= r->warmup_factor * (1 - a) + a;
    }
    return (float)lr;
}

static bool set_each_step(enum schedule s)
{
    return s == SCHEDULE_COS_STEP || s == SCHEDULE_LINEAR_STEP || s == SCHEDULE_EXP_STEP;
}

double recipe_alpha(const struct recipe *r, int epoch)
{
    double alpha = (double)r->ema * r->ema_period * r->batch / r->epochs;
    return alpha > 1 || epoch < r->warmup ? 1 : alpha;
}

// ---- what a recipe takes ----------------------------------------------------------------

static bool leaves_out(const struct recipe *r)
{
    return r->drop.dropout > 0 || r->drop.depth > 0;
}

size_t train_bytes(const struct arch *a, const struct recipe *r, int threads)
{
    size_t bytes = net_bytes(a, r->batch, threads);
    if (r->ema == 0 && !leaves_out(r))
        return bytes;
    struct plan *p = plan_new(a, r->batch);
    if (r->ema > 0)
        bytes += sizeof(float) * (p->group[PARAM_GROUPS] + p->buffers);
    if (leaves_out(r))
        bytes += drops_bytes(p);
    plan_free(p);
    return bytes;
}

bool train_ready(struct net *n, const struct recipe *r, struct error *e)
{
    return net_set_batch(n, r->batch, e) && net_want_average(n, r->ema > 0, e) &&
           net_want_drops(n, leaves_out(r), e);
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

// Fills the network's input with the images of a step of this epoch, and draws what it leaves out.
static bool take_images(struct run *t, int step, struct error *why)
{
    const struct recipe *r = t->recipe;
    int epoch = t->at->epoch;
    if (leaves_out(r))
        net_drop(t->net, &r->drop, r->seed, epoch, (uint32_t)step);
    return t->source->train_batch(t->source->self, net_input(t->net), t->labels,
                                  t->order + (size_t)step * (size_t)r->batch, r->batch,
                                  &r->augment, r->seed, epoch, why);
}

// The same for the next step, mixed where the recipe says so: labels and others (of the images
// mixed into them), *share of the former.
static bool take_batch(struct run *t, float *share, struct error *why)
{
    const struct recipe *r = t->recipe;
    const struct source *s = t->source;
    int epoch = t->at->epoch, step = t->at->step;
    if (!take_images(t, step, why))
        return false;
    float *x = net_input(t->net);
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
        if (set_each_step(r->schedule))
            lr = recipe_lr(r, at->epoch + (double)at->step / steps);
        net_step(t->net, lr, r->momentum, r->nesterov, t->wd);
        if (r->ema > 0 && at->step % r->ema_period == 0)
            net_average_step(t->net, recipe_alpha(r, at->epoch));
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

// Copies the running statistics to or from `all`, one behind the other; their number.
static size_t statistics(struct net *n, float *all, bool back)
{
    size_t at = 0;
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        if (!p->buffer)
            continue;
        float *values = net_values(n, p);
        if (all)
            memcpy(back ? values : all + at, back ? all + at : values,
                   p->count * sizeof *all);
        at += p->count;
    }
    return at;
}

// The running statistics become the means of those of the first batches of this epoch; or stay.
static enum train_end be_precise(struct run *t, struct error *why)
{
    const struct recipe *r = t->recipe;
    int steps = (int)(t->source->n[SPLIT_TRAIN] / (uint32_t)r->batch);
    int batches = r->precise / r->batch < steps ? r->precise / r->batch : steps;
    size_t count = statistics(t->net, NULL, false);
    float *before = xmalloc(count * sizeof *before), *now = xmalloc(count * sizeof *now);
    double *sum = xcalloc(count, sizeof *sum);
    enum train_end end = TRAIN_DONE;
    statistics(t->net, before, false);
    for (int i = 0; i < batches && end == TRAIN_DONE; i++) {
        if (!take_images(t, i, why))
            end = TRAIN_UNREADABLE;
        else if (!net_gather(t->net, r->batch))
            end = TRAIN_INTERRUPTED;
        statistics(t->net, now, false);
        for (size_t k = 0; k < count; k++)
            sum[k] += (double)now[k] / batches;
    }
    for (size_t k = 0; k < count; k++)
        now[k] = (float)sum[k];
    statistics(t->net, end == TRAIN_DONE ? now : before, true);
    free(before);
    free(now);
    free(sum);
    return end;
}

static enum train_end validate(struct run *t, struct epoch_result *out, struct error *why)
{
    struct tally tally;
    enum train_end end = TRAIN_DONE;
    if (t->recipe->ema > 0)
        net_average_show(t->net);
    if (t->recipe->precise > 0)
        end = be_precise(t, why);
    tally_start(&tally, t->source->classes, false);
    if (end == TRAIN_DONE)
        end = measure(t->net, t->source, SPLIT_VALIDATION, &tally, t, why);
    if (end == TRAIN_DONE)
        out->validation = tally_metrics(&tally);
    tally_end(&tally);
    if (t->recipe->ema > 0)
        net_average_show(t->net);
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
        if (result.epoch == t->recipe->epochs && t->recipe->ema > 0)
            net_average_keep(t->net);
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
    if (at->epoch == 0 && at->step == 0) {
        net_rest(n);
        if (r->ema > 0)
            net_average_step(n, 1);
    }
    enum train_end end = train_all(&t, last, why);
    free(t.order);
    free(t.labels);
    free(t.others);
    return end;
}
