/* Softmax cross-entropy with label smoothing (pycls: SoftmaxCrossEntropyLoss), and of two
 * labels (pycls: mixup_data, whose loss is the same sum).
 *   loss = -1/N Σ_n Σ_k t_nk·log p_nk,  dlogits = (p - t)/N,  t = ls/K (+ 1-ls at the label)
 * In double: N·K is small beside everything else. */
#include <assert.h>
#include <math.h>

#include "nn/layers.h"

double softmax_loss_mixed(float *dlogits, int *wrong, const float *logits, const int *labels,
                          const int *others, float share, size_t N, size_t K, float ls)
{
    assert(N > 0 && K > 0 && share >= 0 && share <= 1);
    double loss = 0, rest = (double)ls / (double)K, n = (double)N;
    double one = 1 - (double)ls, first = one * (double)share, second = one - first;
    int misses = 0;
    for (size_t i = 0; i < N; i++) {
        const float *x = logits + i * K;
        size_t label = (size_t)labels[i], other = (size_t)others[i], top = 0;
        assert(labels[i] >= 0 && label < K && others[i] >= 0 && other < K);
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
        loss -= (ls != 0 ? rest * all : 0) + first * own - log_sum;
        if (second != 0)
            loss -= second * ((double)x[other] - (double)x[top]);
        misses += nan || top != (share >= 0.5f ? label : other);
        if (dlogits)
            for (size_t k = 0; k < K; k++) {
                double p = exp((double)x[k] - (double)x[top]) / sum;
                double t = rest + (k == label ? first : 0) + (k == other ? second : 0);
                dlogits[i * K + k] = (float)((p - t) / n);
            }
    }
    *wrong = misses;
    return loss / n;
}

double softmax_loss(float *dlogits, int *wrong, const float *logits, const int *labels,
                    size_t N, size_t K, float ls)
{
    return softmax_loss_mixed(dlogits, wrong, logits, labels, labels, 1, N, K, ls);
}
