/* The kernels for any processor: 4 lanes in plain C with vector types, which compilers
 * turn into SSE2, NEON or scalar code, of 16 registers.  Sources: see the included headers. */
#define V 4
#define REGISTERS 16
#define KERNELS kernels_portable
#define KERNELS_NAME "portable"
#include "nn/kernels/vec.h"

// clang-format off
INLINE vf vset(float a) { return (vf){ a, a, a, a }; }
INLINE vh vlow(vf a) { return (vh){ a[0], a[1] }; }
INLINE vf vmax(vf a, vf b) { return vselect(a > b, a, b); }
INLINE vi vlanes(const int *lanes) { return vload_i(lanes); }
INLINE vf vperm(vf a, vi at) { return (vf){ a[at[0]], a[at[1]], a[at[2]], a[at[3]] }; }
// clang-format on
INLINE vf vload_n(const float *p, int n)
{
    return (vf){n > 0 ? p[0] : 0, n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, n > 3 ? p[3] : 0};
}
INLINE void vstore_n(float *p, vf a, int n)
{
    for (int l = 0; l < n; l++)
        p[l] = a[l];
}

#include "nn/kernels/table.h"
