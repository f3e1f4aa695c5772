/* Batches: bytes in planes to normalised float NHWC, with the augmentation of pycls's
 * CIFAR-10 for training: pad by 4 (the data set's `pad`) with zeros (the mean, as normalising
 * comes first), crop at a random place, flip left-right half of the time.
 *
 * A deliberate difference from pycls: its crop draws each offset from 0 … 7, so the lowest and
 * rightmost of the nine positions never occurs; here all 2·pad + 1 are equally likely.
 * What happens to an image depends on (seed, epoch, image) alone, not on its batch. */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H
#include <stdbool.h>
#include <stdint.h>

struct crop {
    int y, x;  // how far the corner is moved, -pad … pad
    bool flip; // after cropping
};

struct crop crop_draw(int pad, uint64_t seed, int epoch, uint32_t image);

/* x (size,size,3) from planes (3,size,size): x = level[c][byte], 0 outside the image. */
void crop_image(float *x, const uint8_t *planes, int size, const float level[3][256],
                struct crop crop);

#endif
