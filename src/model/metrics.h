/* How well a network does on images: top-1, top-5 and mean per-class error, loss, and the
 * confusion matrix, all counted from logits.
 * Source: pycls meters.py (top-1 and top-5 error in percent, weighted by image). */
#ifndef MODEL_METRICS_H
#define MODEL_METRICS_H
#include <stdbool.h>
#include <stdint.h>

/* Errors in percent.  top5_error: the label is not among the five largest logits; NaN of five
 * classes and fewer, where it says nothing.  class_error: the mean of every class's own error,
 * of the classes that have images: what counts where some are rare.  loss: cross-entropy
 * without label smoothing. */
struct metrics {
    double error, loss, top5_error, class_error;
};

/* Counts of images seen so far: zeroed by tally_start, released by tally_end. */
struct tally {
    int classes;
    uint64_t n, wrong, wrong5;
    double loss_sum;
    uint64_t *of_class, *wrong_of_class; // [classes]
    uint64_t *matrix;                    // [label · classes + answer], or NULL
    int32_t *answers; // of each image, -1 for none; NULL, or room made by the caller
};

void tally_start(struct tally *t, int classes, bool matrix);
/* Adds n images: logits (n,classes), labels (n).  The answer is the largest logit, the first
 * of equal ones; a row with a NaN is wrong in every sense and answers nothing (not counted in
 * the matrix). */
void tally_add(struct tally *t, const float *logits, const int *labels, int n);
struct metrics tally_metrics(const struct tally *t);
void tally_end(struct tally *t);

#endif
