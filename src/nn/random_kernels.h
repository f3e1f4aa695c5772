/* Normally distributed numbers, many at a time: the very stream of rng_normal (base/rng.h),
 * whose draw number k is a function of k alone, so that lanes can work on different ones.
 *
 *      u, v = draws 2i + 1, 2i + 2      x[i] = deviation · sqrt(-2·log(1 - u)) · cos(2πv)
 *
 * log by its exponent and 2·atanh((m - 1)/(m + 1)) of its mantissa m in [√½, √2); cos by a
 * quarter turn and the Taylor series of sine and cosine up to π/4.  Both are within an ulp
 * or two of a double, so that nearly every float is the one rng_normal gives.  Plain C in
 * loops over a block; the compiler makes vectors of it: 4 ns a number with AVX-512, where
 * libm takes 30. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "nn/kernels.h"

enum { RANDOM_BLOCK = 64 };

INLINE uint64_t bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

INLINE double double_of(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

// The upper 53 bits as a number in [0, 1), exactly, by bits alone: 52 of them become the
// mantissa of a number in [1, 2), the last one is 0 or 2^-53.
INLINE double uniform_of(uint64_t b)
{
    double most = double_of(b >> 12 | 0x3ff0000000000000u) - 1;
    return most + double_of(-(b >> 11 & 1) & 0x3ca0000000000000u);
}

INLINE double log_of(double u) // u in [2^-53, 1]
{
    static const double odd[] = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23};
    const double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;
    // adding this moves the border between exponents from 1 to √½
    uint64_t b = bits_of(u) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    uint64_t exponent = b >> 52; // of u/√½, biased
    double m = double_of((b & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu);
    // as a double without converting an integer: 2^52 + exponent
    double e = double_of(0x4330000000000000u | exponent) - (0x1p52 + 1023);
    double s = (m - 1) / (m + 1), z = s * s, sum = 1 / odd[11];
    UNROLL for (int k = 10; k > 0; k--)
        sum = sum * z + 1 / odd[k];
    return e * ln2_high + (e * ln2_low + (2 * s + 2 * s * z * sum));
}

INLINE double cos_of(double x) // x in [0, 2π)
{
    const double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a626331p-34};
    const double to_integer = 0x1.8p52; // what is added to it rounds to a whole number
    double q = x * 0.6366197723675814 + to_integer; // quarter turns
    uint64_t quarter = bits_of(q);
    double turns = q - to_integer;
    double t = (x - turns * half_pi[0]) - turns * half_pi[1], z = t * t;
    double c = 0, s = 0, fc[9], fs[9]; // 1/(2k)!, 1/(2k+1)!, with alternating signs
    fc[0] = fs[0] = 1;
    UNROLL for (int k = 1; k < 9; k++) {
        fc[k] = -fc[k - 1] / (2 * k * (2 * k - 1));
        fs[k] = -fs[k - 1] / (2 * k * (2 * k + 1));
    }
    UNROLL for (int k = 8; k > 0; k--) {
        c = (c + fc[k]) * z;
        s = (s + fs[k]) * z;
    }
    // by bits, without a branch: cos, -sin, -cos, sin
    uint64_t odd = -(quarter & 1), sign = ((quarter + 1) & 2) << 62;
    return double_of(((odd & bits_of(t + t * s)) | (~odd & bits_of(1 + c))) ^ sign);
}

static void random_normal_k(float *x, size_t n, double deviation, struct rng r)
{
    const uint64_t step = rng_stride;
    double radius[RANDOM_BLOCK], angle[RANDOM_BLOCK];
    for (size_t i = 0; i < n; i += RANDOM_BLOCK) {
        uint64_t state = r.state + 2 * i * step;
        for (size_t k = 0; k < RANDOM_BLOCK; k++)
            radius[k] = 1 - uniform_of(rng_mix(state + (2 * k + 1) * step));
        for (size_t k = 0; k < RANDOM_BLOCK; k++)
            angle[k] = 6.283185307179586 * uniform_of(rng_mix(state + (2 * k + 2) * step));
        for (size_t k = 0; k < RANDOM_BLOCK; k++)
            radius[k] = sqrt(-2 * log_of(radius[k]));
        for (size_t k = 0; k < RANDOM_BLOCK; k++)
            angle[k] = deviation * (radius[k] * cos_of(angle[k]));
        size_t count = n - i < RANDOM_BLOCK ? n - i : RANDOM_BLOCK;
        for (size_t k = 0; k < count; k++)
            x[i + k] = (float)angle[k];
    }
}
