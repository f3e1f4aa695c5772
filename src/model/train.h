/* Training one network: epochs of SGD steps over a source of images, each measured on the
 * validation images.
 * Source: pycls trainer.py / optimizer.py (half cosine and linear warm-up, there set
 * once an epoch; last partial batch dropped in training, test weighted by true batch size);
 * mixup (Zhang et al. 2018), cutmix (Yun et al. 2019) as pycls and torchvision have them. */
#ifndef MODEL_TRAIN_H
#define MODEL_TRAIN_H
#include <limits.h>

#include "model/augment.h"
#include "model/metrics.h"
#include "model/net.h"

/* What images are for: training; comparing and choosing networks; measuring one chosen. */
enum split_name { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLITS };

/* COS: half a cosine, set once an epoch; COS_STEP: at every step, so that it ends near 0. */
enum schedule { SCHEDULE_COS, SCHEDULE_COS_STEP, SCHEDULE_CONSTANT, SCHEDULES };

/* Where images come from.  This layer does not know data sets: they fill this in.  x
 * (n,image,image,channels) normalised, labels (n).  Both return false when an image cannot be
 * read, with its name and the reason. */
struct source {
    const void *self;
    int image, channels, classes;
    uint32_t n[SPLITS];
    bool shared; // the validation images are the test images
    /* index: which of the training images; augmented, keyed by (seed, epoch, index),
     * independent of order. */
    bool (*train_batch)(const void *self, float *x, int *labels, const uint32_t *index, int n,
                        const struct augment *augment, uint64_t seed, int epoch,
                        struct error *e);
    /* Images first … first+n-1 of a split as they are tested: not augmented. */
    bool (*test_batch)(const void *self, enum split_name split, float *x, int *labels,
                       uint32_t first, int n, struct error *e);
};

enum { FROZEN_BODY = INT_MAX };

struct recipe {
    int epochs, batch;
    float lr, wd, wd_bn, wd_bias; // wd_bn, wd_bias -1: as wd
    float momentum;
    bool nesterov;
    enum schedule schedule;
    int warmup; // epochs of linear warm-up from warmup_factor
    float warmup_factor;
    float label_smoothing;
    bool zero_gamma;
    int frozen;     // parts that are not trained (net_tune); FROZEN_BODY: all but the head
    float lr_scale; // rate of a part over that of the next one
    struct augment augment;
    uint64_t seed; // initial weights, order, augmentation
};

bool recipe_check(const struct recipe *r, const struct source *s, struct error *e);
/* lr of epoch e (0-based; with COS_STEP a fraction is what of the epoch is over):
 * base·½(1+cos(πe/E)), times the warm-up factor. */
float recipe_lr(const struct recipe *r, double epoch);

struct epoch_result {
    int epoch;                      // 1-based when reported
    float lr;                       // at its start
    double train_loss, train_error; // in percent; of mixed images, against the heavier label
    struct metrics validation;
    double seconds, images_per_s; // of training this epoch
};

enum train_end {
    TRAIN_DONE,
    TRAIN_DIVERGED,
    TRAIN_INTERRUPTED,
    TRAIN_STOPPED,
    TRAIN_UNREADABLE,
    TRAIN_ENDS
};

/* Where a training stands: with the weights, momentum and running statistics of then, all
 * that it needs to go on at the same bits. */
struct train_point {
    int epoch, step; // epochs finished; steps taken of the next one
    double loss_sum; // over these steps, as the sum of wrong answers
    uint64_t wrong_sum;
    double seconds; // they took
};

/* Called after each epoch and, at most ten times a second, after a step; while testing with
 * step = steps.  Returning false stops the training.  A training can go on from the point *at
 * that a step is told with, as from one where it stopped. */
struct train_report {
    bool (*epoch)(void *self, const struct epoch_result *r);
    bool (*step)(void *self, const struct train_point *at, int steps, double loss);
    void *self;
};

/* Trains from *at (all zero: the beginning, with momentum 0) to the end, and leaves in *at
 * where it stopped; result of the last finished epoch in *last (none yet: epoch at->epoch,
 * error 100).  The recipe must have passed recipe_check and fit the net's batch.  DIVERGED:
 * the loss was NaN, Inf or above 1e4 (a result: error 100 in the epoch where it happened);
 * `why` says where.  INTERRUPTED, STOPPED: between two steps, or two batches of a validation;
 * the step at which the interrupt came has not been.  UNREADABLE: an image could not be read,
 * as `why` says; otherwise as STOPPED. */
enum train_end train_run(struct net *n, const struct source *s, const struct recipe *r,
                         struct train_point *at, const struct train_report *report,
                         struct epoch_result *last, struct error *why);

/* Measures a network on the images of a split as they are tested, counted in *t (started by
 * the caller).  DONE, INTERRUPTED or UNREADABLE. */
enum train_end train_measure(struct net *n, const struct source *s, enum split_name split,
                             struct tally *t, struct error *why);

#endif
