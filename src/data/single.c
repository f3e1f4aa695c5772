/* See single.h. */
#include "data/single.h"

#include <fcntl.h>
#include <stdlib.h>

#include "data/pack_image.h"

bool single_view(float *x, const char *path, const struct single *s, struct error *e)
{
    const struct pack_options o = {.size = s->size,
                                   .channels = s->look.channels,
                                   .no_antialias = s->size_resize == RESIZE_PYCLS,
                                   .white = s->white};
    const struct pack_how how = {&o, s->look.channels, false};
    struct feed_item item = {0};
    struct pack_image kept = {0};
    struct resize_work work = {0};
    struct view_work view = {0};
    struct error why;
    bool gone;
    if (!feed_read(AT_FDCWD, path, &item.bytes, &item.size, &gone, &why))
        return error_set(e, "%.300s: %s", path, why.msg);
    pack_image(&how, NULL, &item, &kept, &gone, &work);
    bool good = kept.bytes;
    if (!good)
        error_set(e, "%.300s: %s", path, kept.reason);
    else {
        struct stored stored = {kept.bytes, kept.entry.bytes, kept.entry.width,
                                kept.entry.height};
        good = view_test(x, &stored, LAYOUT_ROWS, &s->look, &view);
    }
    free(kept.bytes);
    free(kept.reason);
    resize_work_free(&work);
    view_work_free(&view);
    return good;
}
