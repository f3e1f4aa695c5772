/* See batch.h. */
#include "data/batch.h"

#include <string.h>

#include "base/rng.h"

struct crop crop_draw(int pad, uint64_t seed, int epoch, uint32_t image)
{
    struct rng r = rng_key(seed, (uint64_t)epoch << 32 | image, RNG_AUGMENT);
    struct crop c;
    c.y = (int)rng_below(&r, 2 * (uint64_t)pad + 1) - pad;
    c.x = (int)rng_below(&r, 2 * (uint64_t)pad + 1) - pad;
    c.flip = rng_below(&r, 2);
    return c;
}

void crop_image(float *x, const uint8_t *planes, int size, const float level[3][256],
                struct crop crop)
{
    int dy = crop.y, dx = crop.x;
    int from = dx > 0 ? dx : 0, to = dx < 0 ? size + dx : size; // source columns seen
    size_t row = (size_t)size * 3, plane = (size_t)size * (size_t)size;
    int step = crop.flip ? -3 : 3;
    for (int y = 0; y < size; y++, x += row) {
        int sy = y + dy;
        if (sy < 0 || sy >= size) {
            memset(x, 0, row * sizeof *x);
            continue;
        }
        if (dx)
            memset(x, 0, row * sizeof *x);
        const uint8_t *p = planes + (size_t)sy * (size_t)size;
        int first = from - dx;
        float *out = x + 3 * (crop.flip ? size - 1 - first : first);
        for (int sx = from; sx < to; sx++, out += step) {
            out[0] = level[0][p[sx]];
            out[1] = level[1][p[plane + (size_t)sx]];
            out[2] = level[2][p[2 * plane + (size_t)sx]];
        }
    }
}
