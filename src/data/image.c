/* See image.h. */
#include "data/image.h"

#include <stdlib.h>

bool image_size_check(uint32_t width, uint32_t height, struct error *e)
{
    if (width == 0 || height == 0)
        return error_set(e, "says that it has %u×%u pixels", width, height);
    if (width > IMAGE_SIDE_MOST || height > IMAGE_SIDE_MOST ||
        (uint64_t)width * height > IMAGE_PIXELS_MOST)
        return error_set(e,
                         "says that it has %u×%u pixels; at most %d million, and %d a side, "
                         "are read: make it smaller",
                         width, height, IMAGE_PIXELS_MOST / 1000000, IMAGE_SIDE_MOST);
    return true;
}

uint8_t *image_memory(int width, int height, int channels, struct error *e)
{
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    uint8_t *p = malloc(bytes);
    if (!p)
        error_set(e, "no memory for %d×%d pixels (%zu MB)", width, height, bytes >> 20);
    return p;
}
