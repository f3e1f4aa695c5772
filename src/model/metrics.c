/* See metrics.h. */
#include "model/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "nn/layers.h"

enum { TOP = 5 };

void tally_start(struct tally *t, int classes, bool matrix)
{
    size_t k = (size_t)classes;
    *t = (struct tally){.classes = classes};
    t->of_class = xcalloc(k, sizeof *t->of_class);
    t->wrong_of_class = xcalloc(k, sizeof *t->wrong_of_class);
    if (matrix)
        t->matrix = xcalloc(k * k, sizeof *t->matrix);
}

void tally_end(struct tally *t)
{
    free(t->of_class);
    free(t->wrong_of_class);
    free(t->matrix);
    free(t->answers);
}

// Where the label stands among the logits, 0 the first; of equal ones the lower class is
// before.  -1 where one is NaN.
static int rank_of(const float *x, int label, int classes)
{
    int before = 0;
    for (int k = 0; k < classes; k++) {
        if (isnan(x[k]))
            return -1;
        before += x[k] > x[label] || (x[k] == x[label] && k < label);
    }
    return before;
}

static int largest(const float *x, int classes)
{
    int top = 0;
    for (int k = 1; k < classes; k++)
        if (x[k] > x[top])
            top = k;
    return top;
}

void tally_add(struct tally *t, const float *logits, const int *labels, int n)
{
    int wrong, classes = t->classes;
    int32_t *answers = t->answers ? t->answers + t->n : NULL;
    t->n += (uint64_t)n;
    t->loss_sum +=
        n * softmax_loss(NULL, &wrong, logits, labels, (size_t)n, (size_t)classes, 0);
    for (int i = 0; i < n; i++, logits += classes) {
        int label = labels[i], rank = rank_of(logits, label, classes);
        t->of_class[label]++;
        t->wrong += rank != 0;
        t->wrong_of_class[label] += rank != 0;
        t->wrong5 += rank < 0 || rank >= TOP;
        int answer = rank < 0 ? -1 : largest(logits, classes);
        if (t->matrix && answer >= 0)
            t->matrix[label * classes + answer]++;
        if (answers)
            answers[i] = answer;
    }
}

struct metrics tally_metrics(const struct tally *t)
{
    assert(t->n > 0);
    double n = (double)t->n, sum = 0;
    int present = 0;
    for (int k = 0; k < t->classes; k++)
        if (t->of_class[k]) {
            sum += (double)t->wrong_of_class[k] / (double)t->of_class[k];
            present++;
        }
    return (struct metrics){
        .error = 100.0 * (double)t->wrong / n,
        .loss = t->loss_sum / n,
        .top5_error = t->classes > TOP ? 100.0 * (double)t->wrong5 / n : (double)NAN,
        .class_error = 100.0 * sum / present,
    };
}
