/* What resize.c asks of its two passes: along rows, then along columns. */
#ifndef DATA_TAPS_H
#define DATA_TAPS_H
#include <stdbool.h>
#include <stdint.h>

enum { BITS = 32 - 8 - 2 }; // of a weight

/* New pixel i is the sum of weight[i·most + k] times old pixel first[i] + k, k below count[i]. */
struct taps {
    int *first, *count;
    int32_t *weight;
    double *exact; // of one new pixel
    int n, most;
    int low, high; // old pixels that are looked at: low … high - 1
};

enum { SIDE = 16 }; // bytes for each column in resize_avx2's side

struct pixels;

/* Both passes on processors with AVX2; false on those of another kind, where nothing is done.
 * between may be read up to 31 bytes beyond its end. */
bool resize_avx2(uint8_t *to, const struct taps *columns, const struct taps *rows,
                 const struct pixels *from, uint8_t *between, uint8_t *side);

#endif
