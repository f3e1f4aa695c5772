/* Vectors of V floats: the small language the kernels are written in.
 *
 * Included once by each isa_*.c after V is defined; that file then adds what a vector
 * type cannot say (vset, vmax, vperm, vload_n, vstore_n).  Arithmetic is the compiler's:
 * a·b + c becomes one fused operation, and nothing assumes that NaN or Inf do not occur.
 *   vload/vstore   any alignment          vload_n/vstore_n  the first n < V lanes, rest 0
 *   vmax(a, b)     a > b ? a : b per lane, so vmax(0, x) keeps a NaN of x
 *   vperm(a, at)   lane l is a[at[l]]     vselect(m, a, b)  m ? a : b, m = 0 or ~0 */
#include <stdint.h>
#include <string.h>

typedef float vf __attribute__((vector_size(4 * V)));
typedef int vi __attribute__((vector_size(4 * V)));
typedef float vf_any __attribute__((vector_size(4 * V), aligned(4), may_alias));
typedef int vi_any __attribute__((vector_size(4 * V), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

INLINE vf vload(const float *p) { return *(const vf_any *)p; }
INLINE void vstore(float *p, vf a) { *(vf_any *)p = a; }
INLINE vi vload_i(const int *p) { return *(const vi_any *)p; }
INLINE void vstore_i(int *p, vi a) { *(vi_any *)p = a; }
INLINE vf vselect(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
