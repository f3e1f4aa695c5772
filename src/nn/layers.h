/* Every operation of the engine on one page, with its shapes.
 *
 * Layout: float32, NHWC: x[n][y][x][c], channels innermost and dense, M = N·H·W rows of C.
 * Order of arguments: outputs, saved for backward, inputs, parameters, sizes, scalars.
 * `backward` WRITES gradients of activations (dx, dadd) and ADDS to gradients of
 * parameters (dw, dgamma, dbeta, db).  dx never aliases dy unless said so.
 * Nothing here allocates, prints or fails: sizes are asserted, scratch comes from the
 * caller (64-byte aligned, as are all tensors; 64 bytes of slack behind the images of a
 * convolution may be read, and are not used).  NaN and Inf travel.
 * Each kernel exists for AVX-512, AVX2 and portable C, chosen once at start (isa.h).
 * Sources: method of each layer named beside it; conventions of pycls (padding (k-1)/2,
 * no convolution bias, batch norm before the activation). */
#ifndef NN_LAYERS_H
#define NN_LAYERS_H
#include <stdbool.h>
#include <stddef.h>

enum activation { ACT_NONE, ACT_RELU, ACT_SILU };

/* ---- convolution: y (N,Ho,Wo,K) = x (N,H,W,C) * w (K,R,R,C/G), padding (R-1)/2, stride S
 * Ho = (H-1)/S+1.  R odd; C and K are multiples of G.  Which way a shape goes: conv.c.
 * Direct ones skip the padding, the others multiply by zeros; those by Winograd are as
 * exact as a sum in float of the same length, and a NaN or Inf makes whole 4×4 tiles of
 * outputs NaN or Inf. */
struct conv {
    int N, H, W, C; // input
    int K, R, S, G; // output channels, kernel size, stride, groups (not group width)
};
static inline int conv_out(int size, int S)
{
    return (size - 1) / S + 1;
}
const char *conv_way(const struct conv *c); // "product", "im2col", "direct", "winograd"
size_t conv_scratch(const struct conv *c); // floats of scratch any of the three may use
void conv_forward(float *y, const float *x, const float *w, const struct conv *c, float *scratch);
void conv_backward_data(float *dx, const float *dy, const float *w, const struct conv *c,
                        float *scratch);
void conv_backward_weight(float *dw, const float *dy, const float *x, const struct conv *c,
                          float *scratch);

/* ---- batch normalisation + optional residual add + activation (Ioffe & Szegedy 2015)
 *   y (M,C) = act(gamma·(x - mean)·rstd + beta + add);  add (M,C) or NULL; y may be x
 * Training: mean, rstd (C) are computed over the M rows (biased variance, in double or
 * compensated: |mean| >> deviation must not lose digits) and saved; running_mean and
 * running_var move by `momentum` (running = (1-momentum)·running + momentum·batch, with
 * the unbiased variance).  Testing: uses the running statistics. */
void norm_forward_train(float *y, float *mean, float *rstd, float *running_mean,
                        float *running_var, const float *x, const float *add,
                        const float *gamma, const float *beta, size_t M, size_t C,
                        float eps, float momentum, enum activation act);
void norm_forward_test(float *y, const float *x, const float *add, const float *running_mean,
                       const float *running_var, const float *gamma, const float *beta,
                       size_t M, size_t C, float eps, enum activation act);
/* x, add, y, mean, rstd as in forward; ReLU takes its mask from y > 0, SiLU recomputes.
 *   dx (M,C) out, may be dy;  dadd (M,C) out or NULL (gradient after the activation's);
 *   dgamma, dbeta (C) added to. */
void norm_backward(float *dx, float *dadd, float *dgamma, float *dbeta, const float *dy,
                   const float *x, const float *add, const float *y, const float *mean,
                   const float *rstd, const float *gamma, const float *beta, size_t M,
                   size_t C, enum activation act);

/* ---- squeeze-excitation (Hu et al. 2018; pycls SE), on x (N,HW,C), squeeze width Q
 *   pool (N,C) = mean of x over HW;  hidden (N,Q) = act(pool·w1ᵀ + b1), w1 (Q,C);
 *   gate (N,C) = sigmoid(hidden·w2ᵀ + b2), w2 (C,Q);  y = x·gate
 * pool, hidden (before and after the activation: pre, hidden), gate are saved.  y may not
 * be x.  scratch: N·(C+Q) floats (backward). */
void se_forward(float *y, float *pool, float *pre, float *hidden, float *gate, const float *x,
                const float *w1, const float *b1, const float *w2, const float *b2, size_t N,
                size_t HW, size_t C, size_t Q, enum activation act);
void se_backward(float *dx, float *dw1, float *db1, float *dw2, float *db2, const float *dy,
                 const float *x, const float *pool, const float *pre, const float *hidden,
                 const float *gate, const float *w1, const float *w2, size_t N, size_t HW,
                 size_t C, size_t Q, enum activation act, float *scratch);

/* ---- pooling
 * max: 3×3, stride 2, padding 1; y (N,Ho,Wo,C); `from` (same) keeps the winning input
 * position (first in row order on ties) as an offset into the image's H·W.
 * gap: y (N,C) = mean over HW. */
void maxpool_forward(float *y, int *from, const float *x, int N, int H, int W, int C);
void maxpool_backward(float *dx, const float *dy, const int *from, int N, int H, int W, int C);
void gap_forward(float *y, const float *x, size_t N, size_t HW, size_t C);
void gap_backward(float *dx, const float *dy, size_t N, size_t HW, size_t C);

/* ---- linear: y (N,K) = x (N,C)·wᵀ + b;  w (K,C), b (K).  dx may be NULL. */
void linear_forward(float *y, const float *x, const float *w, const float *b, size_t N,
                    size_t C, size_t K);
void linear_backward(float *dx, float *dw, float *db, const float *dy, const float *x,
                     const float *w, size_t N, size_t C, size_t K);

/* ---- loss: mean over the batch of softmax cross-entropy with label smoothing ls:
 * target ls/K for every class plus 1-ls for the label (method of pycls: pos = 1-ls+ls/K).
 * Returns the loss; dlogits (N,K) out or NULL; *wrong = images whose largest logit (first
 * on ties; a NaN row counts as wrong) is not the label.  labels (N) in 0 … K-1. */
double softmax_loss(float *dlogits, int *wrong, const float *logits, const int *labels,
                    size_t N, size_t K, float ls);

/* ---- optimiser: one fused pass of SGD in PyTorch's order:
 *   g += wd·p;  v = mu·v + g;  g = nesterov ? g + mu·v : v;  p -= lr·g
 * dampening 0; the first step starts from v = 0, which equals PyTorch's v = g. */
void sgd_step(float *p, float *v, const float *g, size_t n, float lr, float wd, float mu,
              bool nesterov);

#endif
