/* Softmax cross-entropy with label smoothing (pycls: SoftmaxCrossEntropyLoss), and of two
 * labels (pycls: mixup_data, whose loss is the same sum).
 *   loss = -1/N Σ_n Σ_k t_nk·log p_nk,  dlogits = (p - t)/N,  t = ls/K (+ 1-ls at the label)
 * In double: N·K is small beside everything else.  Threads share images, whose losses are added
 * in their order. */
#include <assert.h>
#include <math.h>

#include "base/pool.h"
#include "nn/layers.h"

enum { PIECE = 8 }; // images
struct losses {
    float *dlogits;
    const float *logits;
    const int *labels, *others;
    size_t N, K;
    double ls;
    float share;
    struct turns turns;
    double loss;
    int wrong;
};

// What one image takes off the loss: of its label, and of the other one.
struct terms {
    double first, second;
    bool wrong;
};

static struct terms one_image(const struct losses *l, size_t i)
{
    size_t K = l->K, label = (size_t)l->labels[i], other = (size_t)l->others[i], top = 0;
    double rest = l->ls / (double)K, one = 1 - l->ls;
    double first = one * (double)l->share, second = one - first;
    const float *x = l->logits + i * K;
    assert(l->labels[i] >= 0 && label < K && l->others[i] >= 0 && other < K);
    bool nan = x[0] != x[0];
    for (size_t k = 1; k < K; k++) {
        nan |= x[k] != x[k];
        if (x[k] > x[top])
            top = k;
    }
    double sum = 0, all = 0;
    for (size_t k = 0; k < K; k++) {
        double d = (double)x[k] - (double)x[top];
        sum += exp(d);
        all += d;
    }
    // Σ t·log p = rest·Σ(x - top) + Σ t_label·(x_label - top) - log Σ e^(x - top)
    double log_sum = log(sum), own = (double)x[label] - (double)x[top];
    struct terms t = {(l->ls != 0 ? rest * all : 0) + first * own - log_sum, 0,
                      nan || top != (l->share >= 0.5f ? label : other)};
    if (second != 0)
        t.second = second * ((double)x[other] - (double)x[top]);
    for (size_t k = 0; k < K && l->dlogits; k++) {
        double p = exp((double)x[k] - (double)x[top]) / sum;
        double want = rest + (k == label ? first : 0) + (k == other ? second : 0);
        l->dlogits[i * K + k] = (float)((p - want) / (double)l->N);
    }
    return t;
}

static void some_images(void *self, int thread)
{
    struct losses *l = self;
    (void)thread;
    for (size_t piece; (piece = (size_t)turns_take(&l->turns)) * PIECE < l->N;) {
        struct terms t[PIECE];
        size_t from = piece * PIECE, n = l->N - from < PIECE ? l->N - from : PIECE;
        for (size_t i = 0; i < n; i++)
            t[i] = one_image(l, from + i);
        turns_wait(&l->turns, (int)piece);
        for (size_t i = 0; i < n; i++) {
            l->loss -= t[i].first;
            l->loss -= t[i].second;
            l->wrong += t[i].wrong;
        }
        turns_pass(&l->turns, (int)piece);
    }
}

double softmax_loss_mixed(float *dlogits, int *wrong, const float *logits, const int *labels,
                          const int *others, float share, size_t N, size_t K, float ls)
{
    assert(N > 0 && K > 0 && share >= 0 && share <= 1);
    struct losses l = {.dlogits = dlogits,
                       .logits = logits,
                       .labels = labels,
                       .others = others,
                       .N = N,
                       .K = K,
                       .ls = (double)ls,
                       .share = share};
    turns_begin(&l.turns);
    pool_run(some_images, &l);
    *wrong = l.wrong;
    return l.loss / (double)N;
}

double softmax_loss(float *dlogits, int *wrong, const float *logits, const int *labels,
                    size_t N, size_t K, float ls)
{
    return softmax_loss_mixed(dlogits, wrong, logits, labels, labels, 1, N, K, ls);
}
