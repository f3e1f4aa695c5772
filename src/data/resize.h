/* Resizing of pictures of bytes.
 *
 * Antialias: Pillow's Image.resize(BILINEAR, box=…) to the bit: a triangle as wide as the step
 * when shrinking, rows first, then columns, 8 bits in between, weights of 22 bits.  Pillow 13
 * takes columns first where that costs less: 1 of 255 away at most.
 * Pycls: cv2.resize(INTER_LINEAR), two by two neighbours whatever the step, so that shrinking
 * aliases.  Area: the mean of the area that a new pixel covers, as cv2.INTER_AREA; two by two
 * neighbours when enlarging.  These two in the same arithmetic: within 1 of OpenCV's, which
 * rounds once.  Every instruction set gives the same bits. */
#ifndef DATA_RESIZE_H
#define DATA_RESIZE_H
#include <stddef.h>
#include "data/picture.h"

enum resize { RESIZE_ANTIALIAS, RESIZE_PYCLS, RESIZE_AREA, RESIZES };

/* In pixels of a picture; (0, 0) is the upper left corner of the upper left pixel. */
struct box {
    double x, y, width, height;
};

/* A picture or a rectangle of one. */
struct pixels {
    const uint8_t *at;
    int width, height, channels;
    size_t stride; // bytes from row to row
};

struct pixels picture_pixels(const struct picture *p);
struct pixels pixels_part(struct pixels p, int x, int y, int width, int height);

/* Memory that is used again from picture to picture; starts as {0}. */
struct resize_work {
    void *memory;
    size_t bytes;
};
void resize_work_free(struct resize_work *w);

/* to (height, width, channels) from a box inside `from`.  Pixels outside the box, but in
 * `from`, weigh in at its edges, as in Pillow: crop first (pixels_part) where they must not. */
void pixels_resize(uint8_t *to, int width, int height, struct pixels from, struct box box,
                   enum resize kind, struct resize_work *w);

/* Of that result (width, height) only the window: to (window's height, its width, channels). */
struct window {
    int x, y, width, height;
};
void pixels_resize_window(uint8_t *to, struct window window, int width, int height,
                          struct pixels from, struct box box, enum resize kind,
                          struct resize_work *w);

/* The whole of a picture; out->pixels is the caller's to free. */
void picture_resize(struct picture *out, int width, int height, const struct picture *from,
                    enum resize kind, struct resize_work *w);

/* Width and height with the short side brought to `side`, as torchvision's Resize has them:
 * the long side rounded down. */
void short_side(int width, int height, int side, int *new_width, int *new_height);

#endif
