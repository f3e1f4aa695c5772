/* The kernels for AVX-512 (F, DQ, BW, VL): 16 lanes.  Chosen at run time by isa.c, so this
 * file alone is compiled for it.  Sources: see the included headers. */
#if defined(__x86_64__)
#ifdef __clang__
// clang-format off
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,avx2"))), apply_to = function)
// clang-format on
#else
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,fma,avx2,prefer-vector-width=512")
#endif
#include <immintrin.h>

#define V 16
#define REGISTERS 32
#define KERNELS kernels_avx512
#define KERNELS_NAME "avx512"
#include "nn/kernels/vec.h"

// clang-format off
INLINE vf vset(float a) { return _mm512_set1_ps(a); }
INLINE vf vmax(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vperm(vf a, vi at) { return _mm512_permutexvar_ps((__m512i)at, a); }
INLINE vh vlow(vf a) { return _mm512_castps512_ps256(a); }
INLINE vi vlanes(const int *lanes) { return vload_i(lanes); }
INLINE __mmask16 first(int n) { return (__mmask16)((1u << n) - 1); }
// clang-format on
// Half a vector, the commonest part, needs no mask: a load that overlaps a masked store,
// even where the mask is 0, waits for it; a pass in place over rows of C = 24 has one a row.
INLINE vf vload_n(const float *p, int n)
{
    return n == 8 ? _mm512_zextps256_ps512(_mm256_loadu_ps(p))
                  : _mm512_maskz_loadu_ps(first(n), p);
}
INLINE void vstore_n(float *p, vf a, int n)
{
    if (n == 8)
        _mm256_storeu_ps(p, _mm512_castps512_ps256(a));
    else
        _mm512_mask_storeu_ps(p, first(n), a);
}

#include "nn/kernels/table.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
