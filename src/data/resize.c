/* See resize.h.  Source of the arithmetic: Pillow's libImaging/Resample.c. */
#include "data/resize.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/taps.h"
#include "nn/isa.h"

struct pixels picture_pixels(const struct picture *p)
{
    return (struct pixels){p->pixels, p->width, p->height, p->channels,
                           (size_t)p->width * (size_t)p->channels};
}

struct pixels pixels_part(struct pixels p, int x, int y, int width, int height)
{
    assert(x >= 0 && y >= 0 && width >= 1 && height >= 1);
    assert(x + width <= p.width && y + height <= p.height);
    p.at += (size_t)y * p.stride + (size_t)x * (size_t)p.channels;
    p.width = width;
    p.height = height;
    return p;
}

void resize_work_free(struct resize_work *w)
{
    free(w->memory);
    *w = (struct resize_work){0};
}

void short_side(int width, int height, int side, int *new_width, int *new_height)
{
    bool wide = width > height;
    int64_t longer = (int64_t)side * (wide ? width : height) / (wide ? height : width);
    int most = 1 << 20; // a hair of an image stays in bounds
    int other = longer > most ? most : (int)longer;
    *new_width = wide ? other : side;
    *new_height = wide ? side : other;
}

/* Whether neighbours are weighed by distance (a triangle of this reach) or by overlap. */
struct filter {
    bool overlap;
    double reach;
};

static struct filter filter_of(enum resize kind, double step)
{
    if (kind == RESIZE_AREA && step > 1)
        return (struct filter){true, step / 2};
    return (struct filter){false, kind == RESIZE_ANTIALIAS && step > 1 ? step : 1};
}

static int most_taps(struct filter f)
{
    return (int)ceil(f.reach) * 2 + 1;
}

/* Old pixels are 0 … size - 1; `new` pixels of equal width lie between from and to. */
static void taps_set(struct taps *t, int size, float from, float to, int new, int skip,
                     struct filter f)
{
    double step = (double)(to - from) / new, share = 1 / f.reach, *weight = t->exact;
    t->low = size;
    t->high = 0;
    for (int i = 0; i < t->n; i++) {
        double centre = from + (i + skip + 0.5) * step, sum = 0;
        int first = (int)(centre - f.reach + 0.5), end = (int)(centre + f.reach + 0.5);
        if (f.overlap) {
            first = (int)floor(centre - f.reach);
            end = (int)ceil(centre + f.reach);
        }
        first = first < 0 ? 0 : first >= size ? size - 1 : first;
        end = end > size ? size : end <= first ? first + 1 : end;
        if (end - first > t->most)
            end = first + t->most;
        int n = end - first;
        for (int k = 0; k < n; k++) {
            double at = first + k;
            if (f.overlap) {
                weight[k] = fmin(at + 1, centre + f.reach) - fmax(at, centre - f.reach);
                weight[k] = fmax(weight[k], 0);
            } else {
                double far = fabs((at - centre + 0.5) * share);
                weight[k] = far < 1 ? 1 - far : 0;
            }
            sum += weight[k];
        }
        if (sum <= 0) { // beyond the picture: its last pixel
            weight[0] = sum = 1;
            n = 1;
        }
        int32_t *out = t->weight + (size_t)i * (size_t)t->most;
        for (int k = 0; k < n; k++)
            out[k] = (int32_t)(0.5 + weight[k] / sum * (1 << BITS));
        while (n > 1 && out[n - 1] == 0)
            n--;
        while (n > 1 && out[0] == 0) {
            memmove(out, out + 1, (size_t)--n * sizeof *out);
            first++;
        }
        t->first[i] = first;
        t->count[i] = n;
        t->low = first < t->low ? first : t->low;
        t->high = first + n > t->high ? first + n : t->high;
    }
}

/* Along rows, in plain C. */
static void rows_plain(uint8_t *to, const struct taps *t, struct pixels from)
{
    int channels = from.channels;
    for (int y = 0; y < from.height; y++)
        for (int i = 0; i < t->n; i++) {
            const int32_t *weight = t->weight + (size_t)i * (size_t)t->most;
            const uint8_t *p =
                from.at + (size_t)y * from.stride + (size_t)t->first[i] * (size_t)channels;
            for (int c = 0; c < channels; c++) {
                int32_t sum = 1 << (BITS - 1);
                for (int k = 0; k < t->count[i]; k++)
                    sum += p[k * channels + c] * weight[k];
                sum >>= BITS;
                *to++ = (uint8_t)(sum > 255 ? 255 : sum);
            }
        }
}

/* Along columns.  from: rows of `width` bytes, the first of them old row t->low. */
static void columns_plain(uint8_t *to, const struct taps *t, const uint8_t *from,
                          size_t width)
{
    for (int i = 0; i < t->n; i++, to += width) {
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->most;
        const uint8_t *p = from + (size_t)(t->first[i] - t->low) * width;
        for (size_t x = 0; x < width; x++) {
            int32_t sum = 1 << (BITS - 1);
            for (int k = 0; k < t->count[i]; k++)
                sum += p[(size_t)k * width + x] * weight[k];
            sum >>= BITS;
            to[x] = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}

/* By AVX2 or in plain C, as the kernels; both give the same. */
static void both_passes(uint8_t *to, const struct taps *columns, const struct taps *rows,
                        struct pixels from, uint8_t *between, uint8_t *side)
{
    bool plain = strcmp(isa_name(), "portable") == 0;
    if (!plain && resize_avx2(to, columns, rows, &from, between, side))
        return;
    rows_plain(between, columns, from);
    columns_plain(to, rows, between, (size_t)columns->n * (size_t)from.channels);
}

/* Parts of one piece of memory. */
static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void *take(uint8_t **at, size_t bytes)
{
    void *p = *at;
    *at += rounded(bytes);
    return p;
}

static size_t taps_bytes(const struct taps *t)
{
    size_t n = (size_t)t->n, most = (size_t)t->most;
    return 2 * rounded(n * sizeof *t->first) + rounded(n * most * sizeof *t->weight) +
           rounded(most * sizeof *t->exact);
}

static void taps_take(struct taps *t, uint8_t **at)
{
    size_t n = (size_t)t->n, most = (size_t)t->most;
    t->first = take(at, n * sizeof *t->first);
    t->count = take(at, n * sizeof *t->count);
    t->weight = take(at, n * most * sizeof *t->weight);
    t->exact = take(at, most * sizeof *t->exact);
}

void pixels_resize_window(uint8_t *to, struct window window, int width, int height,
                          struct pixels from, struct box box, enum resize kind,
                          struct resize_work *w)
{
    assert(from.channels == 1 || from.channels == 3);
    assert(window.x >= 0 && window.x + window.width <= width);
    assert(window.y >= 0 && window.y + window.height <= height);
    struct filter across = filter_of(kind, box.width / width);
    struct filter down = filter_of(kind, box.height / height);
    struct taps columns = {.n = window.width, .most = most_taps(across)};
    struct taps rows = {.n = window.height, .most = most_taps(down)};
    size_t line = (size_t)window.width * (size_t)from.channels;
    size_t side_bytes = SIDE * (size_t)from.width,
           between_bytes = line * (size_t)from.height + 64;
    size_t bytes = taps_bytes(&columns) + taps_bytes(&rows) + rounded(side_bytes) +
                   rounded(between_bytes);
    if (bytes > w->bytes) {
        free(w->memory);
        w->memory = xcalloc(bytes, 1);
        w->bytes = bytes;
    }
    uint8_t *at = w->memory;
    taps_take(&columns, &at);
    taps_take(&rows, &at);
    uint8_t *side = take(&at, side_bytes), *between = take(&at, between_bytes);
    taps_set(&columns, from.width, (float)box.x, (float)(box.x + box.width), width, window.x,
             across);
    taps_set(&rows, from.height, (float)box.y, (float)(box.y + box.height), height, window.y,
             down);
    struct pixels seen = pixels_part(from, 0, rows.low, from.width, rows.high - rows.low);
    both_passes(to, &columns, &rows, seen, between, side);
}

void pixels_resize(uint8_t *to, int width, int height, struct pixels from, struct box box,
                   enum resize kind, struct resize_work *w)
{
    pixels_resize_window(to, (struct window){0, 0, width, height}, width, height, from, box,
                         kind, w);
}

void picture_resize(struct picture *out, int width, int height, const struct picture *from,
                    enum resize kind, struct resize_work *w)
{
    *out = (struct picture){width, height, from->channels, NULL};
    out->pixels = xmalloc((size_t)width * (size_t)height * (size_t)from->channels);
    pixels_resize(out->pixels, width, height, picture_pixels(from),
                  (struct box){0, 0, from->width, from->height}, kind, w);
}
