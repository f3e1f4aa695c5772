/* What is known of an image file, how it is to be decoded, and what is too large: the words
 * that decode.h and the readers of the formats share. */
#ifndef DATA_IMAGE_H
#define DATA_IMAGE_H
#include <stddef.h>
#include "base/error.h"
#include "data/picture.h"
#include "data/resize.h"

enum image_format { IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_PNM, IMAGE_BMP, IMAGE_FORMATS };

enum {
    /* Pixels of the largest image that is read: where Pillow stops (twice its
     * MAX_IMAGE_PIXELS, 89,478,485). */
    IMAGE_PIXELS_MOST = 178956970,
    IMAGE_SIDE_MOST = 65500, // libjpeg's
};

struct image_info {
    enum image_format format;
    int width, height; // as it is shown: after its orientation
    int channels;      // 1: gray, 3: colours
    int depth;         // bits a channel: 1 … 16
    bool alpha;
    int orientation; // EXIF: 1 … 8
};

/* How to decode; {0}: whole, in full, channels as the file has them, alpha over black. */
struct decode {
    int channels;       // 1 or 3; 0: as the file
    uint8_t background; // under alpha: 0 (black) or 255 (white)
    /* Pixels that the short side of the wanted part has to have: a JPEG file is decoded at a
     * half, a quarter or an eighth of its size as long as that leaves so many.  0: in full. */
    int least;
};

/* Memory for an image, whose size a file decides: NULL and a message when there is none. */
uint8_t *image_memory(int width, int height, int channels, struct error *e);
/* Refuses sizes beyond IMAGE_PIXELS_MOST and IMAGE_SIDE_MOST. */
bool image_size_check(uint32_t width, uint32_t height, struct error *e);

#endif
