/* What a pack keeps of one image: read, decoded, resized, as bytes or as a JPEG file.  For
 * pack_make.c, whose threads work on images of their own. */
#ifndef DATA_PACK_IMAGE_H
#define DATA_PACK_IMAGE_H
#include "data/pack.h"
#include "data/resize.h"

struct pack_how {
    const struct pack_options *o;
    int channels; // 0 in a pack of JPEG: as the files are
    bool jpeg;
};

/* The means of an image's bytes and of their squares. */
struct moments {
    float mean[3], square[3];
};

struct pack_image {
    uint8_t *bytes; // NULL: nothing of it is kept; the caller's to free
    char *reason;   // it cannot be read; the caller's to free
    bool colours;   // but the pack is gray
    struct pack_entry entry;
    struct moments moments;
};

/* Fills *to (all zero) and frees what the item holds, but for its name.  *gone: the file is not what
 * was listed. */
void pack_image(const struct pack_how *how, const struct feed *f, struct feed_item *item,
                struct pack_image *to, bool *gone, struct resize_work *w);

#endif
