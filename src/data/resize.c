/* See resize.h.  Source of the arithmetic: Pillow's libImaging/Resample.c. */
#include "data/resize.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/isa.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BITS = 32 - 8 - 2 }; // of a weight

/* New pixel i is the sum of weight[i·most + k] times old pixel first[i] + k, k below count[i]. */
struct taps {
    int *first, *count;
    int32_t *weight;
    double *exact; // of one new pixel
    int n, most;
    int low, high; // old pixels that are looked at: low … high - 1
};

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

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

/* sum + the 8 bytes at p, each times the weight. */
#define ADD(sum, p, weight)                                                                  \
    _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(           \
                                                 (const __m128i *)(const void *)(p))),       \
                                             weight))

enum { SIDE = 16 }; // bytes for each column in rows_avx2

/* Brings rows side by side: for each column four pixels of three channels and a blank, or 16
 * of one. */
static void side_by_side(uint8_t *side, const struct taps *t, const uint8_t *row,
                         size_t stride, int channels, int rows)
{
    for (int r = 0; r < rows; r++, row += stride) {
        int last = t->high - 1;
        if (channels == 1) {
            for (int x = t->low; x <= last; x++)
                side[SIDE * (size_t)x + (size_t)r] = row[x];
            continue;
        }
        uint8_t *s = side + 4 * r + SIDE * (size_t)t->low;
        const uint8_t *p = row + 3 * (size_t)t->low;
        for (int x = t->low; x < last; x++, s += SIDE, p += 3)
            memcpy(s, p, 4); // the fourth is not used
        memcpy(s, p, 3);
    }
}

/* As rows_plain, for groups of rows at once, so that a tap is two loads of 8 bytes. */
AVX2 static void rows_avx2(uint8_t *to, const struct taps *t, struct pixels from,
                           uint8_t *side)
{
    int channels = from.channels, group = channels == 3 ? 4 : 16;
    size_t width = (size_t)t->n * (size_t)channels;
    for (int y = 0; y < from.height; y += group) {
        int rows = from.height - y < group ? from.height - y : group;
        side_by_side(side, t, from.at + (size_t)y * from.stride, from.stride, channels, rows);
        uint8_t *out = to + (size_t)y * width;
        for (int i = 0; i < t->n; i++, out += channels) {
            const int32_t *weight = t->weight + (size_t)i * (size_t)t->most;
            const uint8_t *s = side + SIDE * (size_t)t->first[i];
            __m256i a = _mm256_set1_epi32(1 << (BITS - 1)), b = a;
            for (int k = 0; k < t->count[i]; k++, s += SIDE) {
                __m256i w = _mm256_set1_epi32(weight[k]);
                a = ADD(a, s, w);
                b = ADD(b, s + 8, w);
            }
            __m256i ab =
                _mm256_packus_epi32(_mm256_srai_epi32(a, BITS), _mm256_srai_epi32(b, BITS));
            ab = _mm256_permute4x64_epi64(ab, _MM_SHUFFLE(3, 1, 2, 0));
            uint8_t sums[SIDE];
            _mm_storeu_si128((__m128i *)(void *)sums,
                             _mm_packus_epi16(_mm256_castsi256_si128(ab),
                                              _mm256_extracti128_si256(ab, 1)));
            for (int r = 0; r < rows; r++)
                if (channels == 3)
                    memcpy(out + (size_t)r * width, sums + 4 * r, 3);
                else
                    out[(size_t)r * width] = sums[r];
        }
    }
}

/* As columns_plain; from may be read up to 31 bytes beyond its end. */
AVX2 static void columns_avx2(uint8_t *to, const struct taps *t, const uint8_t *from,
                              size_t width)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int i = 0; i < t->n; i++, to += width) {
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->most;
        const uint8_t *first = from + (size_t)(t->first[i] - t->low) * width;
        for (size_t x = 0; x < width; x += 32) {
            const uint8_t *p = first + x;
            __m256i a = _mm256_set1_epi32(1 << (BITS - 1)), b = a, c = a, d = a;
            for (int k = 0; k < t->count[i]; k++, p += width) {
                __m256i w = _mm256_set1_epi32(weight[k]);
                a = ADD(a, p, w);
                b = ADD(b, p + 8, w);
                c = ADD(c, p + 16, w);
                d = ADD(d, p + 24, w);
            }
            a = _mm256_packus_epi32(_mm256_srai_epi32(a, BITS), _mm256_srai_epi32(b, BITS));
            c = _mm256_packus_epi32(_mm256_srai_epi32(c, BITS), _mm256_srai_epi32(d, BITS));
            a = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, c), order);
            if (width - x >= 32) {
                _mm256_storeu_si256((__m256i *)(void *)(to + x), a);
            } else {
                uint8_t rest[32];
                _mm256_storeu_si256((__m256i *)(void *)rest, a);
                memcpy(to + x, rest, width - x);
            }
        }
    }
}
#endif

/* Which of the two: the kernels' instruction set; both give the same. */
static void both_passes(uint8_t *to, const struct taps *columns, const struct taps *rows,
                        struct pixels from, uint8_t *between, uint8_t *side)
{
    size_t line = (size_t)columns->n * (size_t)from.channels;
#if defined(__x86_64__)
    if (strcmp(isa_name(), "portable") != 0) { // avx2 or avx512
        rows_avx2(between, columns, from, side);
        columns_avx2(to, rows, between, line);
        return;
    }
#endif
    (void)side;
    rows_plain(between, columns, from);
    columns_plain(to, rows, between, line);
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
    size_t side_bytes = 16 * (size_t)from.width,
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
