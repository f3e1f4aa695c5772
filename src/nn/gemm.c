/* See gemm.h.  The self-check follows the list of known wrong results of OpenBLAS: odd
 * sizes around the tile edges of its kernels, all transposes, alpha and beta, C holding
 * NaN under beta = 0, padding columns that must stay untouched; bound of the error of a
 * dot product: (K + 4)·2^-24·(|alpha|·Σ|a·b| + |beta·c|). */
#include "nn/gemm.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

// One thread: the project runs one model a core, and bits depend on the number.
static void start(void)
{
    static bool started;
    if (!started) {
        openblas_set_num_threads(1);
        started = true;
    }
}

void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *A,
          size_t lda, const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    assert(M <= INT_MAX && N <= INT_MAX && K <= INT_MAX);
    assert(lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX);
    start();
    if (M == 0 || N == 0)
        return;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (int)M, (int)N, (int)K, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
}

// LAPACK, as OpenBLAS has it: by columns, so that our lower triangle is its upper one.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *count, const double *a,
             const int *lda, double *b, const int *ldb, int *info);

bool cholesky(double *A, size_t n)
{
    int size = (int)n, info = 0;
    start();
    dpotrf_("U", &size, A, &size, &info);
    return info == 0;
}

void cholesky_invert(double *L, size_t n)
{
    int size = (int)n, info = 0;
    dpotri_("U", &size, L, &size, &info);
    assert(info == 0);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            L[j * n + i] = L[i * n + j];
}

void cholesky_solve(const double *L, size_t n, double *b, size_t count)
{
    int size = (int)n, many = (int)count, info = 0;
    dpotrs_("U", &size, &many, L, &size, b, &size, &info);
    assert(info == 0);
}

const char *gemm_corename(void)
{
    return openblas_get_corename();
}

const char *gemm_other_core(void)
{
#if defined(__aarch64__)
    return "ARMV8";
#else
    return "Haswell";
#endif
}

const char *gemm_library(void)
{
    static char text[96];
    if (!text[0]) {
        char name[32] = "OpenBLAS", version[32] = "?";
        sscanf(openblas_get_config(), "%31s %31s", name, version);
        snprintf(text, sizeof text, "%s %s %s", name, version, gemm_corename());
    }
    return text;
}

enum { SIZE_MAX_CHECKED = 129, PAD = 3 };
struct product {
    bool ta, tb;
    int M, N, K;
    float alpha, beta;
};

static void fill(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(r) - 1);
}

static bool product_right(const struct product *p, float *A, float *B, float *C, float *old,
                          struct rng *r, struct error *e)
{
    size_t M = (size_t)p->M, N = (size_t)p->N, K = (size_t)p->K;
    size_t lda = (p->ta ? M : K) + PAD, ldb = (p->tb ? K : N) + PAD, ldc = N + PAD;
    fill(r, A, (p->ta ? K : M) * lda);
    fill(r, B, (p->tb ? N : K) * ldb);
    fill(r, C, M * ldc);
    if (p->beta == 0)
        for (size_t i = 0; i < M * ldc; i++)
            C[i] = NAN;
    memcpy(old, C, M * ldc * sizeof *C);
    gemm(p->ta, p->tb, M, N, K, p->alpha, A, lda, B, ldb, p->beta, C, ldc);
    for (size_t i = 0; i < M; i++) {
        for (size_t j = 0; j < ldc; j++) {
            float got = C[i * ldc + j], was = old[i * ldc + j];
            if (j >= N) {
                if (memcmp(&got, &was, sizeof got) != 0)
                    return error_set(e,
                                     "sgemm of %s wrote outside the matrix: M=%d N=%d K=%d "
                                     "transposed %d %d, row %zu column %zu",
                                     gemm_library(), p->M, p->N, p->K, p->ta, p->tb, i, j);
                continue;
            }
            double sum = 0, size = 0;
            for (size_t k = 0; k < K; k++) {
                double ab = (double)(p->ta ? A[k * lda + i] : A[i * lda + k]) *
                            (double)(p->tb ? B[j * ldb + k] : B[k * ldb + j]);
                sum += ab;
                size += fabs(ab);
            }
            double extra = p->beta == 0 ? 0 : (double)p->beta * (double)was;
            double want = (double)p->alpha * sum + extra;
            double scale = fabs((double)p->alpha) * size + fabs(extra);
            double bound = ((double)K + 4) * 0x1p-24 * scale;
            if (!(fabs((double)got - want) <= bound))
                return error_set(
                    e,
                    "sgemm of %s is wrong on this processor: M=%d N=%d K=%d "
                    "transposed %d %d alpha %g beta %g, row %zu column %zu is %.9g "
                    "instead of %.9g; try OPENBLAS_CORETYPE=%s",
                    gemm_library(), p->M, p->N, p->K, p->ta, p->tb, (double)p->alpha,
                    (double)p->beta, i, j, (double)got, want, gemm_other_core());
        }
    }
    return true;
}

bool gemm_selfcheck(struct error *e)
{
    static const int sizes[] = {1,  2,  3,  5,  7,  8,  9,  15, 16,
                                17, 31, 33, 48, 63, 64, 65, 97, SIZE_MAX_CHECKED};
    static const float alphas[] = {1, 0.5f}, betas[] = {0, 1, -0.25f};
    enum { COUNT = sizeof sizes / sizeof *sizes, RANDOM = 288 };
    size_t floats = (size_t)SIZE_MAX_CHECKED * (SIZE_MAX_CHECKED + PAD);
    float *A = xmalloc(4 * floats * sizeof *A), *B = A + floats, *C = B + floats,
          *old = C + floats;
    struct rng r = rng_key(1, 0, RNG_SAMPLE);
    bool right = true;
    for (int i = 0; i < RANDOM && right; i++) {
        struct product p = {.ta = i & 1, .tb = i & 2};
        p.M = sizes[rng_below(&r, COUNT)];
        p.N = sizes[rng_below(&r, COUNT)];
        p.K = sizes[rng_below(&r, COUNT)];
        p.alpha = alphas[i / 4 % 2];
        p.beta = betas[i / 8 % 3];
        right = product_right(&p, A, B, C, old, &r, e);
    }
    free(A);
    // A few of the tall and the long shapes that convolutions make.
    static const struct product tall[] = {
        {false, true, 2048, 64, 48, 1, 0}, {false, false, 2048, 48, 64, 1, 0},
        {true, false, 48, 64, 2048, 1, 1}, {false, true, 1024, 24, 216, 1, 0},
        {true, false, 24, 27, 4096, 1, 1}, {false, true, 1000, 10, 131, 1, 0},
    };
    for (size_t i = 0; i < sizeof tall / sizeof *tall && right; i++) {
        const struct product *p = &tall[i];
        size_t M = (size_t)p->M, N = (size_t)p->N, K = (size_t)p->K;
        size_t a = (M + PAD) * (K + PAD), b = (K + PAD) * (N + PAD), c = M * (N + PAD);
        float *mem = xmalloc((a + b + 2 * c) * sizeof *mem);
        right = product_right(p, mem, mem + a, mem + a + b, mem + a + b + c, &r, e);
        free(mem);
    }
    return right;
}
