/* The passes of resize.c for AVX2, 8 sums at a time, with the same bits. */
#include "data/resize.h"
#include "data/taps.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

/* sum + the 8 bytes at p, each times the weight. */
#define ADD(sum, p, weight)                                                                  \
    _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(           \
                                                 (const __m128i *)(const void *)(p))),       \
                                             weight))

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

/* Along rows, for groups of rows at once, so that a tap is two loads of 8 bytes. */
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

/* Along columns; from may be read up to 31 bytes beyond its end. */
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

bool resize_avx2(uint8_t *to, const struct taps *columns, const struct taps *rows,
                 const struct pixels *from, uint8_t *between, uint8_t *side)
{
    rows_avx2(between, columns, *from, side);
    columns_avx2(to, rows, between, (size_t)columns->n * (size_t)from->channels);
    return true;
}
#else
bool resize_avx2(uint8_t *to, const struct taps *columns, const struct taps *rows,
                 const struct pixels *from, uint8_t *between, uint8_t *side)
{
    (void)to, (void)columns, (void)rows, (void)from, (void)between, (void)side;
    return false;
}
#endif
