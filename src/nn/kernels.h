/* The table of kernels of one instruction set, and who fills it.
 *
 * The layer files (conv.c, norm.c, …) assert sizes and call through the table; the three
 * files isa_avx512.c, isa_avx2.c and isa_portable.c compile the same sources
 * (direct_kernels.h, direct_weights.h, norm_kernels.h, product_kernels.h, point_kernels.h)
 * for their vector width.  Signatures are those of layers.h. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H
#include "nn/layers.h"

struct kernels {
    const char *name;
    // Packed weights (direct_floats) serve any number of images: c->N of each call.
    void (*direct_pack)(float *packed, const float *w, const struct conv *c, bool data);
    void (*direct_forward)(float *y, const float *x, const float *packed, const struct conv *c);
    void (*direct_data)(float *dx, const float *dy, const float *packed, const struct conv *c);
    // Adds to sum (direct_floats, laid out as packed weights); _end adds sum to dw.
    void (*direct_weight)(float *sum, const float *dy, const float *x, const struct conv *c);
    void (*direct_weight_end)(float *dw, const float *sum, const struct conv *c);
    // C (M,N) = or += A (M,L)·B (L,N), A[m][l] at a[m·ap + l·ai]; ldb = 0: packed B
    void (*product)(float *c, size_t ldc, const float *a, size_t ap, size_t ai, const float *b,
                    size_t ldb, size_t M, size_t N, size_t L, bool add);
    void (*product_pack)(float *out, const float *w, size_t N, size_t L); // B = wᵀ, w (N,L)
    void (*norm_stats)(float *mean, float *rstd, float *running_mean, float *running_var,
                       const float *x, size_t M, size_t C, float eps, float momentum);
    // rstd, or NULL and var (rstd = 1/sqrt(var + eps))
    void (*norm_apply)(float *y, const float *x, const float *add, const float *mean,
                       const float *rstd, const float *var, float eps, const float *gamma,
                       const float *beta, size_t M, size_t C, enum activation act);
    void (*norm_backward)(float *dx, float *dadd, float *dgamma, float *dbeta,
                          const float *dy, const float *x, const float *add, const float *y,
                          const float *mean, const float *rstd, const float *gamma,
                          const float *beta, size_t M, size_t C, enum activation act);
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
    void (*maxpool_backward)(float *dx, const float *dy, const int *from, int N, int H,
                             int W, int C);
    void (*add)(float *y, const float *x, size_t n); // y += x
    void (*column_sums)(float *sum, const float *x, size_t M, size_t C);
    void (*sgd_step)(float *p, float *v, const float *g, size_t n, float lr, float wd,
                     float mu, bool nesterov);
};

extern const struct kernels kernels_avx512, kernels_avx2, kernels_portable;

const struct kernels *kernels_get(void); // the chosen table (isa.c)

/* Blocks of output lanes: how many vectors of `lanes` cover `out` channels in groups of
 * `gi` inputs and `go` outputs.  Blocks hold several whole groups when groups are narrow
 * (2·g <= lanes), else they lie inside one group. */
static inline size_t direct_blocks(int out, int gi, int go, int lanes)
{
    if (gi == go && 2 * go <= lanes) {
        int per = lanes / go * go;
        return (size_t)(out + per - 1) / (size_t)per;
    }
    return (size_t)(out / go) * (size_t)((go + lanes - 1) / lanes);
}

#endif
