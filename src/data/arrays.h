/* Sets of arrays: images of one size and labels, in parts (CIFAR-100, MNIST's family, NumPy). */
#ifndef DATA_ARRAYS_H
#define DATA_ARRAYS_H
#include "data/feed.h"

/* A picture of w×h pixels from bytes that are in planes, or turned (columns first), or neither. */
enum order { ORDER_ROWS, ORDER_PLANES, ORDER_TURNED };
struct picture array_picture(const uint8_t *bytes, int width, int height, int channels,
                             enum order order);

/* "train/17": image 17 of a part. */
char *array_name(enum part part, uint32_t i);

/* For feeds whose items have pixels already. */
bool array_load(const struct feed *f, struct feed_item *item, bool *gone, struct error *e);

#endif
