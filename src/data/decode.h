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
#include "data/image.h"

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
