/* Matrix products, the one place that knows OpenBLAS.
 * Row-major: C (M,N) = alpha·op(A) (M,K) · op(B) (K,N) + beta·C, leading dimensions lda…
 * beta = 0 overwrites C even when it holds NaN. */
#ifndef NN_GEMM_H
#define NN_GEMM_H
#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *A,
          size_t lda, const float *B, size_t ldb, float beta, float *C, size_t ldc);

/* Cholesky factors of symmetric positive definite matrices in double precision (LAPACK's dpotrf,
 * dpotri and dpotrs, which OpenBLAS brings): A (n,n), of which the lower triangle is read and
 * becomes L, A = L Lᵀ.  False when A is not positive definite.  `invert` makes A⁻¹ (whole) of L;
 * `solve` makes A⁻¹ b of each of the `count` vectors b (count,n). */
bool cholesky(double *A, size_t n);
void cholesky_invert(double *L, size_t n);
void cholesky_solve(const double *L, size_t n, double *b, size_t count);

/* "OpenBLAS 0.3.21 Cooperlake": recorded with every result, because bits depend on it. */
const char *gemm_library(void);
const char *gemm_other_core(void); // to try when that of the processor is wrong
const char *gemm_corename(void);
/* A few hundred products of odd sizes against double precision; false with the first
 * wrong case named.  Some OpenBLAS releases are wrong on newer processors. */
bool gemm_selfcheck(struct error *e);

#endif
