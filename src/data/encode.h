/* Pictures to JPEG files in memory, for packs (libjpeg-turbo; 4:2:0, optimal Huffman tables). */
#ifndef DATA_ENCODE_H
#define DATA_ENCODE_H
#include <stddef.h>
#include "base/error.h"
#include "data/picture.h"

/* quality: 1 … 100.  *bytes (the caller's to free) and *n: the file. */
bool picture_to_jpeg(const struct picture *p, int quality, uint8_t **bytes, size_t *n,
                     struct error *e);

#endif
