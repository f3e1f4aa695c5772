/* Image files to pictures: JPEG (libjpeg-turbo), PNG (libpng), WebP (libwebp, where it was
 * found when this was built), binary PPM and PGM, uncompressed BMP.
 *
 * The format is told by content.  A picture stands as its EXIF orientation says (JPEG), colours
 * become 3 channels, gray 1; alpha is laid over a background; of 16 bits the upper 8 are kept.
 * Gray of colours is ITU-R 601 luma in Pillow's arithmetic (its mode L).  Gamma and colour
 * profiles are ignored, as Pillow and pycls's OpenCV do.
 *
 * What is wrong with a file is said, never acted on: no function here exits, and a size that
 * no photograph has is refused before any memory is taken. */
#ifndef DATA_DECODE_H
#define DATA_DECODE_H
#include <stddef.h>
#include "base/error.h"
#include "data/picture.h"
#include "data/resize.h"

enum image_format { IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_PNM, IMAGE_BMP, IMAGE_FORMATS };

enum {
    /* Pixels of the largest image that is read: where Pillow stops (twice its
     * MAX_IMAGE_PIXELS, 89,478,485). */
    IMAGE_PIXELS_MOST = 178956970,
    IMAGE_SIDE_MOST = 65535,
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

/* The name for messages: "JPEG", …; whether this build reads it. */
const char *image_format_name(enum image_format f);
bool image_format_read(enum image_format f);

/* Reads the head alone.  False: not an image that is read here, too large, or cut off. */
bool image_probe(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);

/* Decodes; out->pixels is the caller's to free.  A slightly damaged file gives a picture and
 * true, with a warning in e->msg (else ""); one that ends early is an error that says how much
 * is missing. */
bool image_decode(const uint8_t *bytes, size_t n, const struct decode *how,
                  struct picture *out, struct error *e);

/* The same of the part that `part`, in pixels of the whole image as it is shown, lies on.  The
 * picture holds at least that part; *at says where the part is in it (in its pixels, perhaps
 * scaled).  Of a JPEG file little more than the part is computed, and what comes after it is
 * not looked at. */
bool image_decode_part(const uint8_t *bytes, size_t n, const struct decode *how,
                       const struct box *part, struct picture *out, struct box *at,
                       struct error *e);

#endif
