/* Activations of vectors, and their gradients: ReLU, SiLU, the sigmoid. */
#ifndef KERNELS_ACTIVATION_H
#define KERNELS_ACTIVATION_H
#include "nn/kernels/vec.h"

// exp without tables, to 1 unit in the last place or so; NaN stays NaN.
// x = n·ln 2 + f, e^f by its series to the 6th power (Cody & Waite's reduction).
INLINE vf vexp(vf x)
{
    vf lo = vset(-87.0f), hi = vset(88.0f);
    x = vmax(lo, x);
    x = -vmax(-hi, -x);
    vf magic = vset(12582912.0f); // 1.5·2^23: adding it rounds to an integer
    vf n = x * 1.44269504f + magic;
    vi shift = (vi)n << 23;
    n -= magic;
    vf f = x - n * 0.693359375f;
    f -= n * -2.12194440e-4f;
    vf e = f * 1.9875691500e-4f + 1.3981999507e-3f;
    e = e * f + 8.3334519073e-3f;
    e = e * f + 4.1665795894e-2f;
    e = e * f + 1.6666665459e-1f;
    e = e * f + 5.0000001201e-1f;
    e = e * (f * f) + f + 1.0f;
    return (vf)((vi)e + shift);
}

INLINE vf vsigmoid(vf z)
{
    return 1.0f / (1.0f + vexp(-z));
}

INLINE vf activate(vf z, enum activation act)
{
    return act == ACT_RELU ? vmax(vset(0), z) : act == ACT_SILU ? z * vsigmoid(z) : z;
}

// dy·act'(z); ReLU may be given y in place of z.
INLINE vf activate_back(vf dy, vf z, enum activation act)
{
    if (act == ACT_RELU)
        return (vf)((vi)dy & (z > 0));
    if (act == ACT_SILU) {
        vf s = vsigmoid(z);
        return dy * s * (1.0f + z * (1.0f - s));
    }
    return dy;
}

#endif
