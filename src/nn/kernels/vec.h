/* Vectors of V floats: the small language the kernels are written in.
 *
 * Each of kernels/avx512.c, avx2.c, neon.c and portable.c defines V and how many vector
 * REGISTERS there are (16 or 32), includes this and adds what a vector type cannot say (vset,
 * vmax, vperm, vlanes, vlow, vload_n, vstore_n), before all kernels.
 * Arithmetic is the compiler's: a·b + c becomes one fused operation, and nothing assumes that
 * NaN or Inf do not occur.
 *   vload/vstore   any alignment          vload_n/vstore_n  the first n < V lanes, rest 0
 *   vlow(a)        its first V/2 lanes    vload_half/vstore_half  V/2 lanes
 *   vmax(a, b)     a > b ? a : b per lane; vmax(0, x) keeps a NaN of x
 *   vperm(a, vlanes(at))  lane l is a[at[l]], of the same half of a (AVX2) or of all
 *                                         vselect(m, a, b)  m ? a : b, m = 0 or ~0 */
#ifndef KERNELS_VEC_H
#define KERNELS_VEC_H
#include <stdint.h>
#include <string.h>

#include "nn/kernels.h"

typedef float vf __attribute__((vector_size(4 * V)));
typedef int vi __attribute__((vector_size(4 * V)));
typedef float vh __attribute__((vector_size(2 * V))); // half a vector
typedef int vhi __attribute__((vector_size(2 * V)));
typedef float vh_any __attribute__((vector_size(2 * V), aligned(4), may_alias));
typedef float vf_any __attribute__((vector_size(4 * V), aligned(4), may_alias));
typedef int vi_any __attribute__((vector_size(4 * V), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL_FOR _Pragma("clang loop unroll(full)") for
#else
#define UNROLL_FOR _Pragma("GCC unroll 64") for
#endif

/* The compiler knows nothing of p any more, and so keeps it in a register instead of many
 * addresses that follow from it.  PIN: where there are sixteen vector registers of AVX2, whose
 * loops are too short to hide the loads of addresses that did not fit. */
#define OPAQUE(p) __asm__("" : "+r"(p))
#define PIN(p)                                                                               \
    if (V == 8)                                                                              \
    OPAQUE(p)

// clang-format off
INLINE vf vload(const float *p) { return *(const vf_any *)p; }
INLINE void vstore(float *p, vf a) { *(vf_any *)p = a; }
INLINE vh vload_half(const float *p) { return *(const vh_any *)p; }
INLINE void vstore_half(float *p, vh a) { *(vh_any *)p = a; }
INLINE vi vload_i(const int *p) { return *(const vi_any *)p; }
INLINE void vstore_i(int *p, vi a) { *(vi_any *)p = a; }
INLINE vf vselect(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
// clang-format on

/* What the next tile of a convolution reads, fetched into the second-level cache while the
 * kernels work on this one: they ask for as many lines as they have steps to fetch them in,
 * so that memory and arithmetic are busy at once. */
static _Thread_local struct {
    const char *at;
    size_t step, lines; // bytes to the next line, 0 when there are none left
    int n;
    struct span spans[AHEAD];
} ahead;

static void ahead_set(const struct span *spans, int n)
{
    ahead.n = n;
    ahead.lines = ahead.step = 0;
    for (int i = 0; i < n; i++)
        ahead.spans[i] = spans[i];
}

// Claims up to `lines` lines: the first is at the result, the next one ahead.step further.
INLINE const char *ahead_take(size_t lines)
{
    static const char nothing[64] __attribute__((aligned(64)));
    while (ahead.lines == 0) {
        if (ahead.n == 0) {
            ahead.step = 0;
            return nothing;
        }
        const struct span *s = &ahead.spans[--ahead.n];
        ahead.at = (const char *)s->at;
        ahead.lines = (s->floats + 15) / 16;
        ahead.step = 64;
    }
    const char *at = ahead.at;
    lines = lines < ahead.lines ? lines : ahead.lines;
    ahead.at += 64 * lines;
    ahead.lines -= lines;
    return at;
}

// Fetches that many lines at once.
INLINE void ahead_fetch(const int lines)
{
    const char *prefetch = ahead_take((size_t)lines);
    size_t step = ahead.step;
    UNROLL_FOR (int i = 0; i < lines; i++, prefetch += step) {
        PIN(prefetch);
        __builtin_prefetch(prefetch, 0, 2);
    }
}

#endif
