/* Pictures: one image in memory, and how a data set keeps its images.
 *
 * A picture has 1 (gray) or 3 (red, green, blue) channels of bytes, row by row, channels
 * innermost.  A data set keeps its images as planes (CIFAR's files, drawn shapes: all of one
 * size), as rows (a byte pack), or as JPEG files (a JPEG pack); each split is a list of
 * `struct stored`, in mapped files or in memory of the data set. */
#ifndef DATA_PICTURE_H
#define DATA_PICTURE_H
#include <stdint.h>

enum layout { LAYOUT_PLANES, LAYOUT_ROWS, LAYOUT_JPEG };

struct stored {
    const uint8_t *bytes;
    uint32_t size; // of them; PLANES and ROWS: channels·width·height
    uint16_t width, height;
};

struct picture {
    int width, height, channels;
    uint8_t *pixels; // (height, width, channels); owned: free()
};

/* Gray of red, green and blue: ITU-R 601 luma in Pillow's arithmetic (its mode L). */
static inline uint8_t picture_luma(const uint8_t *c)
{
    return (uint8_t)((c[0] * 19595u + c[1] * 38470u + c[2] * 7471u + 0x8000u) >> 16);
}

#endif
