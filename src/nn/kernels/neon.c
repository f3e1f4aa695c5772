/* The kernels for ARM's NEON (aarch64, whose every processor has it): 4 lanes and 32 registers,
 * so that the tiles hold as many sums as those of avx512.c.  Sources: see the included headers.
 * Right under qemu (scripts/cross-arm64); how fast they are on a processor was not measured. */
#if defined(__aarch64__)
#include <arm_neon.h>

#define V 4
#define REGISTERS 32
#define KERNELS kernels_neon
#define KERNELS_NAME "neon"
#include "nn/kernels/vec.h"

// clang-format off
INLINE vf vset(float a) { return vdupq_n_f32(a); }
INLINE vh vlow(vf a) { return vget_low_f32(a); }
INLINE vf vmax(vf a, vf b) { return vmaxq_f32(a, b); } // a NaN of either
// clang-format on

// Lane l of the table is bytes 4l … 4l + 3.
INLINE vi vlanes(const int *lanes)
{
    return vload_i(lanes) * 0x04040404 + 0x03020100;
}
INLINE vf vperm(vf a, vi at)
{
    return (vf)vqtbl1q_u8((uint8x16_t)a, (uint8x16_t)at);
}

INLINE vf vload_n(const float *p, int n)
{
    float32x2_t none = vdup_n_f32(0);
    if (n >= 2)
        return vcombine_f32(vld1_f32(p), n == 2 ? none : vld1_lane_f32(p + 2, none, 0));
    return vcombine_f32(n == 1 ? vld1_lane_f32(p, none, 0) : none, none);
}
INLINE void vstore_n(float *p, vf a, int n)
{
    if (n & 2)
        vst1_f32(p, vget_low_f32(a));
    if (n & 1)
        p[n & 2] = n & 2 ? a[2] : a[0];
}

#include "nn/kernels/table.h"
#endif
