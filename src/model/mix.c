/* See mix.h. */
#include "model/mix.h"

#include <math.h>
#include <stddef.h>

#include "base/rng.h"

// The logarithm of a gamma variable of shape a (Marsaglia & Tsang 2000, of shape a + 1, times
// U^(1/a)): of a tiny shape the variable itself would be 0.
static double log_gamma(struct rng *r, double a)
{
    double d = a + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(r), v = 1 + c * x, u = 1 - rng_uniform(r);
        v *= v * v;
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return log(d * v) + log(1 - rng_uniform(r)) / a;
    }
}

static double beta(struct rng *r, double alpha)
{
    double a = log_gamma(r, alpha), b = log_gamma(r, alpha);
    return 1 / (1 + exp(b - a));
}

static int clamp(int x, int most)
{
    return x < 0 ? 0 : x > most ? most : x;
}

struct mix mix_draw(const struct augment *a, int image, uint64_t seed, int epoch,
                    uint32_t batch)
{
    struct mix m = {.share = 1};
    if (a->mixup == 0 && a->cutmix == 0)
        return m;
    struct rng r = rng_key(seed, (uint64_t)epoch << 32 | batch, RNG_MIX);
    bool cut = a->mixup == 0 || (a->cutmix != 0 && rng_below(&r, 2));
    double share = beta(&r, (double)(cut ? a->cutmix : a->mixup));
    if (cut) {
        int half = (int)(0.5 * sqrt(1 - share) * image);
        int x = (int)rng_below(&r, (uint64_t)image), y = (int)rng_below(&r, (uint64_t)image);
        int left = clamp(x - half, image), right = clamp(x + half, image);
        int top = clamp(y - half, image), bottom = clamp(y + half, image);
        m.box = (struct rect){left, top, right - left, bottom - top};
        share = 1 - (double)m.box.width * m.box.height / ((double)image * image);
    }
    m.share = (float)share;
    return m;
}

// The two of a pair.
static void mix_pair(const struct mix *m, float *a, float *b, int image, int channels)
{
    size_t row = (size_t)image * (size_t)channels;
    if (m->box.width == 0) {
        float own = m->share, other = 1 - m->share;
        for (size_t i = 0; i < (size_t)image * row; i++) {
            float x = a[i], y = b[i];
            a[i] = own * x + other * y;
            b[i] = own * y + other * x;
        }
        return;
    }
    size_t from = (size_t)m->box.x * (size_t)channels;
    size_t to = from + (size_t)m->box.width * (size_t)channels;
    for (int y = m->box.y; y < m->box.y + m->box.height; y++)
        for (size_t i = (size_t)y * row + from; i < (size_t)y * row + to; i++) {
            float x = a[i];
            a[i] = b[i];
            b[i] = x;
        }
}

void mix_apply(const struct mix *m, float *x, int n, int image, int channels)
{
    size_t length = (size_t)image * (size_t)image * (size_t)channels;
    for (int i = 0; i < n / 2; i++)
        mix_pair(m, x + (size_t)i * length, x + (size_t)(n - 1 - i) * length, image,
                 channels);
}
