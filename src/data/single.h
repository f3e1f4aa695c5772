/* One image file as a network sees it, by the steps that an image of a data set goes through: it
 * is decoded and brought to the short side that the pack kept (pack_image.h), then looked at as
 * the test view (view.h). */
#ifndef DATA_SINGLE_H
#define DATA_SINGLE_H
#include "data/view.h"

struct single {
    struct look look;        // look_normalise has been called
    uint32_t size;           // short side kept, 0: that of the file
    enum resize size_resize; // how it was brought to that
    bool white;              // background under alpha, else black
};

/* x (image, image, channels) of the file at `path`; false with why, which names it. */
bool single_view(float *x, const char *path, const struct single *s, struct error *e);

#endif
