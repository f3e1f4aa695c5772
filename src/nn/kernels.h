/* The table of kernels of one instruction set, and who fills it.
 *
 * The layer files (conv.c, norm.c, …) assert sizes and call through the table; the four
 * files kernels/avx512.c, avx2.c, neon.c and portable.c compile the same sources
 * (kernels/direct.h, direct_weights.h, depthwise.h, winograd.h, norm.h, product.h, point.h)
 * for their vector width.  Signatures are those of layers.h. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H
#include "nn/layers.h"

/* What becomes of sums while they are in registers: act((y - mean)·scale + beta), as
 * norm_apply makes it in a pass of its own; NULL: nothing.  Whole vectors are read from any
 * channel on.  norm.c gives that of the running statistics, if its activation is cheap. */
struct epilogue {
    const float *mean, *scale, *beta;
    bool relu;
};
bool norm_epilogue(struct epilogue *f, const struct norm *n);

/* A convolution, all but its choice (conv.c).  Packed weights serve any number of images:
 * c->N of each call.  `weight` adds to sum, which is as long as packed weights and starts
 * from 0; `weight_end` adds sum to dw.  scratch: winograd_scratch; else NULL. */
struct conv_kernels {
    void (*pack)(float *packed, const float *w, const struct conv *c, bool data);
    void (*forward)(float *y, const float *x, const float *packed, const struct conv *c,
                    const struct epilogue *epilogue, float *scratch);
    void (*data)(float *dx, const float *dy, const float *packed, const struct conv *c,
                 float *scratch);
    void (*weight)(float *sum, const float *dy, const float *x, const struct conv *c,
                   float *scratch);
    void (*weight_end)(float *dw, const float *sum, const struct conv *c);
};

/* Floats that the next tile will read (ahead_set in vec.h). */
enum { AHEAD = 6 };
struct span {
    const float *at;
    size_t floats;
};

struct kernels {
    const char *name;
    void (*ahead)(const struct span *spans, int n); // until the next call; n = 0: nothing
    struct conv_kernels direct, depthwise, winograd;
    // C (M,N) = or += A (M,L)·B (L,N), A[m][l] at a[m·ap + l·ai]; ldb = 0: packed B
    void (*product)(float *c, size_t ldc, const float *a, size_t ap, size_t ai,
                    const float *b, size_t ldb, size_t M, size_t N, size_t L, bool add,
                    const struct epilogue *epilogue);
    void (*product_pack)(float *out, const float *w, size_t N, size_t L); // B = wᵀ, w (N,L)
    // A tile of M rows each; layers.h and kernels/norm.h say what of.
    void (*norm_gather)(double *mean, double *m2, size_t seen, const float *x, size_t M,
                        size_t C);
    void (*norm_apply)(float *y, const float *x, const float *add, const float *mean,
                       const float *scale, const float *beta, size_t M, size_t C,
                       enum activation act);
    void (*norm_grad)(double *sg, double *sgx, float *g, const float *dy, const float *x,
                      const float *add, const float *y, const float *mean, const float *scale,
                      const float *beta, size_t M, size_t C, enum activation act);
    void (*norm_dx)(float *dx, const float *g, const float *x, const float *mean,
                    const float *scale, const float *c1, const float *c2, size_t M, size_t C);
    void (*act_forward)(float *y, const float *x, size_t n, enum activation act);
    void (*act_backward)(float *dx, const float *dy, const float *x, size_t n,
                         enum activation act);
    void (*sigmoid)(float *y, const float *x, size_t n);
    void (*gap_forward)(float *y, const float *x, size_t N, size_t HW, size_t C);
    void (*gap_backward)(float *dx, const float *dy, size_t N, size_t HW, size_t C);
    void (*gate)(float *y, const float *x, const float *gate, size_t N, size_t HW, size_t C);
    void (*gate_dot)(float *dot, const float *dy, const float *x, size_t N, size_t HW,
                     size_t C);
    void (*gate_backward)(float *dx, const float *dy, const float *gate, const float *dpool,
                          size_t N, size_t HW, size_t C);
    void (*maxpool_forward)(float *y, int *from, const float *x, int N, int H, int W, int C);
    void (*maxpool_backward)(float *dx, const float *dy, const int *from, int N, int H, int W,
                             int C);
    void (*add)(float *y, const float *x, size_t n); // y += x
    // y = x, or y += x, for n pixels of C channels, `to` and `from` floats apart
    void (*pixels)(float *y, size_t to, const float *x, size_t from, size_t n, size_t C,
                   bool add);
    void (*column_sums)(float *sum, const float *x, size_t M, size_t C);
    void (*sgd_step)(float *p, float *v, const float *g, size_t n, float lr, float wd,
                     float mu, bool nesterov);
};

extern const struct kernels kernels_avx512, kernels_avx2, kernels_neon, kernels_portable;

const struct kernels *kernels_get(void);   // the chosen table (isa.c)
void kernels_use(const struct kernels *k); // chooses: for checks
const struct kernels *kernels_here(int i); // of this processor, widest first, then NULL

/* Blocks of output lanes: how many vectors of `lanes` cover `out` channels in groups of
 * `gi` inputs and `go` outputs.  Blocks hold several whole groups when groups are narrow
 * (2·g <= lanes; of 8 lanes, whose halves are permuted, a divisor of 4), else they lie inside
 * one group. */
static inline bool direct_narrow(int gi, int go, int lanes)
{
    return gi == go && 2 * go <= lanes && (lanes != 8 || 4 % go == 0);
}

static inline size_t direct_blocks(int out, int gi, int go, int lanes)
{
    if (direct_narrow(gi, go, lanes)) {
        int per = lanes / go * go;
        return (size_t)(out + per - 1) / (size_t)per;
    }
    return (size_t)(out / go) * (size_t)((go + lanes - 1) / lanes);
}

/* Tiles that one turn of kernels/winograd.h takes: their frequencies stay in cache, and
 * there are enough of them to read the weights once for. */
enum { WINOGRAD_GAP = 16 }; // floats between frequencies: they do not all meet in one set
static inline size_t winograd_turn(const struct conv *c)
{
    size_t tiles = (size_t)c->N * (size_t)((c->H + 3) / 4) * (size_t)((c->W + 3) / 4);
    size_t n = (1 << 18) / (36 * (size_t)(c->C + c->K)) / 8 * 8;
    n = n < 64 ? 64 : n;
    return n < tiles ? n : tiles;
}

#endif
