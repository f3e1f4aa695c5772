/* Every operation of the engine on one page, with its shapes.
 *
 * Layout: float32, NHWC: x[n][y][x][c], channels innermost and dense, M = N·H·W rows of C.
 * Order of arguments: outputs, saved for backward, inputs, parameters, sizes, scalars.
 * `backward` WRITES gradients of activations (dx, dadd) and ADDS to gradients of
 * parameters (dw, dgamma, dbeta, db).  dx never aliases dy unless said so.
 * Nothing here allocates, prints or fails: sizes are asserted, scratch comes from the
 * caller (64-byte aligned, as are all tensors; 64 bytes of slack behind the images of a
 * convolution may be read, and are not used).  NaN and Inf travel.
 * Whole layers (not the parts of a norm, nor the loss) share their work among the threads of
 * the pool (base/pool.h), whose rooms hold what *_own_scratch says; the bits do not depend on
 * how many there are.
 * A convolution leaves its results unfinished when an interrupt is pending
 * (base/interrupt.h): its caller has to look.
 * Each kernel exists for AVX-512, AVX2, NEON and portable C, chosen once at start (isa.h).
 * Sources: method of each layer named beside it; conventions of pycls (padding (k-1)/2,
 * no convolution bias, batch norm before the activation). */
#ifndef NN_LAYERS_H
#define NN_LAYERS_H
#include <stdbool.h>
#include <stddef.h>

enum activation { ACT_NONE, ACT_RELU, ACT_SILU, ACT_KINDS };

/* ---- batch normalisation + optional residual add + activation (Ioffe & Szegedy 2015)
 *   y (M,C) = act(scale·(x - mean) + beta + add),  scale = gamma·rstd
 * in parts, because its neighbours carry them out tile by tile while the rows are in cache
 * (Jung et al. 2018, arXiv 1807.01702); rows may come in any number of tiles, in order.
 * Training: mean and biased variance over all M rows (in blocks merged in double:
 * |mean| >> deviation loses nothing); running_mean and running_var move by `momentum`
 * (running = (1-momentum)·running + momentum·batch, with the unbiased variance). */
struct survival; // stochastic depth, below
struct norm {
    size_t C;
    enum activation act;
    float eps, momentum;
    const float *gamma, *beta;         // (C)
    float *running_mean, *running_var; // (C)
    float *dgamma, *dbeta;             // (C), added to
    float *state;                      // norm_floats(C), kept from forward to backward
    const struct survival *survival;   // in training; NULL: every image has its branch
    bool fixed;                        // forward, training: as in testing
    // What follows is not what a part (norm_part) takes over from the whole.
    size_t rows, rest; // passed so far: rows folded (norm.c), and not
    double *sums;      // of a part; NULL: in state
};
size_t norm_floats(size_t C);
void norm_begin(struct norm *n); // training, before the first tile of either direction
void norm_gather(struct norm *n, const float *x, size_t M); // forward: all rows of x
void norm_end(struct norm *n);
void norm_running(struct norm *n); // forward, testing: the running statistics
/* After norm_end or norm_running; rows from number `first` on; add (M,C) or NULL; y may be x. */
void norm_apply(const struct norm *n, size_t first, float *y, const float *x,
                const float *add, size_t M);
/* Backward: begin; g = dy·act' and its sums for all rows; end; then dx.  x, add as in
 * forward, y its result (ReLU takes its mask from y > 0 and is the only one to read y; SiLU
 * alone reads add).  g may be dy; it is also the gradient of add.  dx may be g. */
void norm_grad(struct norm *n, size_t first, float *g, const float *dy, const float *x,
               const float *add, const float *y, size_t M);
void norm_back_end(struct norm *n);
void norm_dx(const struct norm *n, size_t first, float *dx, const float *g, const float *x,
             size_t M);
/* A part of the rows, which another thread may take: norm_gather or norm_grad of it, and then
 * the part goes into the norm, in the order of the parts.  sums: norm_sums(C), 64-byte aligned. */
size_t norm_sums(size_t C);
struct norm norm_part(const struct norm *n, float *sums);
void norm_gather_part(struct norm *n, const struct norm *part);
void norm_grad_part(struct norm *n, const struct norm *part);
/* Whole layers: norm_apply, and begin, norm_grad and norm_back_end, of all rows.  scratch: floats,
 * norm_sums(C), for every thread. */
void norm_forward(const struct norm *n, float *y, const float *x, const float *add, size_t M);
void norm_backward(struct norm *n, float *g, const float *dy, const float *x,
                   const float *add, const float *y, size_t M, float *scratch);
/* Stochastic depth (Huang et al. 2016, arXiv 1603.09382; EfficientNet's drop connect): of the
 * images of a batch some keep the branch that the norm ends, times `scale`, the others have
 * none of it:  y = act((kept ? scale : 0)·(norm of x) + add). */
struct survival {
    const unsigned char *kept; // of each image
    float scale;               // 1/(1 - rate)
    size_t rows;               // of an image
    float *state;              // survival_floats(C), kept from forward to backward
};
size_t survival_floats(size_t C);

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
/* "product", "im2col", "direct", "depthwise", "winograd" */
const char *conv_method(const struct conv *c);
size_t conv_scratch(const struct conv *c);     // floats of scratch, for either direction
size_t conv_own_scratch(const struct conv *c); // of every other thread: its room in the pool

/* The norms fused with a convolution, which works on them while a tile is in cache; NULL where
 * there is none.
 *   in    x is the input of this norm; the convolution works on its result, which forward
 *         also stores in in_y and backward finds there; where in_y is NULL the result is
 *         only ever made tile by tile.  in_add (forward): what `in` adds
 *   out   the norm that follows: y is its input
 * Forward, training: gathers out (begin to end).  Forward, testing: y = out(y) with add.
 * Backward: dy is the g of out and out's sums are done; from it and y (of forward) the
 * convolution makes its own gradient.  dx (NULL: not wanted), to which this gradient is
 * added where `sum` says that it holds one, becomes the g of in, with in's sums. */
struct fusion {
    struct norm *in, *out;
    const float *in_add;
    float *in_y;
    bool testing;
    const float *add;
    const float *y;
    bool sum;
};
void conv_forward(float *y, const float *x, const float *w, const struct conv *c,
                  const struct fusion *b, float *scratch);
/* dw (K,R,R,C/G) is added to. */
void conv_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                   const struct conv *c, const struct fusion *b, float *scratch);

/* ---- squeeze-excitation (Hu et al. 2018; pycls SE), on x (N,HW,C), squeeze width Q
 *   pool (N,C) = mean of x over HW;  hidden (N,Q) = act(pool·w1ᵀ + b1), w1 (Q,C);
 *   gate (N,C) = sigmoid(hidden·w2ᵀ + b2), w2 (C,Q);  y = x·gate
 * pool, hidden (before and after the activation: pre, hidden), gate are saved.  y may not
 * be x.  scratch: se_scratch floats in either direction. */
size_t se_scratch(size_t N, size_t C, size_t Q);
void se_forward(float *y, float *pool, float *pre, float *hidden, float *gate, const float *x,
                const float *w1, const float *b1, const float *w2, const float *b2, size_t N,
                size_t HW, size_t C, size_t Q, enum activation act, float *scratch);
void se_backward(float *dx, float *dw1, float *db1, float *dw2, float *db2, const float *dy,
                 const float *x, const float *pool, const float *pre, const float *hidden,
                 const float *gate, const float *w1, const float *w2, size_t N, size_t HW,
                 size_t C, size_t Q, enum activation act, float *scratch);

/* ---- pooling
 * max: 3×3, stride 2, padding 1; y (N,Ho,Wo,C); `from` (same) keeps the winning input
 * position (first in row order on ties) as an offset into the image's H·W.
 * gap: y (N,C) = mean over HW. */
void maxpool_forward(float *y, int *from, const float *x, int N, int H, int W, int C);
void maxpool_backward(float *dx, const float *dy, const int *from, int N, int H, int W,
                      int C);
void gap_forward(float *y, const float *x, size_t N, size_t HW, size_t C);
void gap_backward(float *dx, const float *dy, size_t N, size_t HW, size_t C);

/* ---- linear: y (N,K) = x (N,C)·wᵀ + b;  w (K,C), b (K).  dx may be NULL.
 * scratch: linear_scratch floats. */
size_t linear_scratch(size_t C, size_t K);
void linear_forward(float *y, const float *x, const float *w, const float *b, size_t N,
                    size_t C, size_t K, float *scratch);
void linear_backward(float *dx, float *dw, float *db, const float *dy, const float *x,
                     const float *w, size_t N, size_t C, size_t K);
/* Its parts, of which squeeze-excitation is made: weights packed into linear_scratch floats; y
 * and dx of some images, by the calling thread alone; the gradient of the parameters. */
void linear_pack(float *packed, const float *w, size_t C, size_t K);
void linear_images(float *y, const float *x, const float *packed, const float *b, size_t N,
                   size_t C, size_t K);
void linear_data(float *dx, const float *dy, const float *w, size_t N, size_t C, size_t K);
void linear_weights(float *dw, float *db, const float *dy, const float *x, size_t N, size_t C,
                    size_t K);

/* ---- loss: mean over the batch of softmax cross-entropy with label smoothing ls:
 * target ls/K for every class plus 1-ls for the label (method of pycls: pos = 1-ls+ls/K).
 * Returns the loss; dlogits (N,K) out or NULL; *wrong = images whose largest logit (first
 * on ties; a NaN row counts as wrong) is not the label.  labels (N) in 0 … K-1. */
double softmax_loss(float *dlogits, int *wrong, const float *logits, const int *labels,
                    size_t N, size_t K, float ls);

/* The same of mixed images (mixup, cutmix): (1-ls)·share for the label and (1-ls)·(1-share)
 * for the other label; *wrong counts against the heavier of the two (the label when equal). */
double softmax_loss_mixed(float *dlogits, int *wrong, const float *logits, const int *labels,
                          const int *others, float share, size_t N, size_t K, float ls);

/* ---- optimiser: one fused pass of SGD in PyTorch's order:
 *   g += wd·p;  v = mu·v + g;  g = nesterov ? g + mu·v : v;  p -= lr·g
 * dampening 0; the first step starts from v = 0, which equals PyTorch's v = g. */
void sgd_step(float *p, float *v, const float *g, size_t n, float lr, float wd, float mu,
              bool nesterov);

#endif
