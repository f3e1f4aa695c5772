/* The kernels for AVX2 and FMA: 8 lanes.  Chosen at run time by isa.c, so this file alone
 * is compiled for it.  Sources: see the included headers. */
#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include <immintrin.h>

#define V 8
#define REGISTERS 16
#define KERNELS kernels_avx2
#define KERNELS_NAME "avx2"
#include "nn/kernels/vec.h"

// clang-format off
INLINE vf vset(float a) { return _mm256_set1_ps(a); }
INLINE vh vlow(vf a) { return _mm256_castps256_ps128(a); }
INLINE vf vmax(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vi vlanes(const int *lanes) { return vload_i(lanes); }
INLINE vf vperm(vf a, vi at) { return _mm256_permutevar_ps(a, (__m256i)at); }
INLINE __m256i first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vf vload_n(const float *p, int n) { return _mm256_maskload_ps(p, first(n)); }
INLINE void vstore_n(float *p, vf a, int n) { _mm256_maskstore_ps(p, first(n), a); }
// clang-format on

#include "nn/kernels/table.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
