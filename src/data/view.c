/* See view.h.  For the time being: planes of the network's size alone. */
#include "data/view.h"

#include <stdlib.h>

#include "data/batch.h"

void view_work_free(struct view_work *w)
{
    (void)w;
}

bool view_train(float *x, const struct stored *s, enum layout layout, const struct look *look,
                const struct augment *a, uint64_t seed, int epoch, uint32_t image,
                struct view_work *w)
{
    (void)layout, (void)a, (void)w;
    crop_image(x, s->bytes, look->image, look->level,
               crop_draw(look->pad, seed, epoch, image));
    return true;
}

bool view_test(float *x, const struct stored *s, enum layout layout, const struct look *look,
               struct view_work *w)
{
    (void)layout, (void)w;
    crop_image(x, s->bytes, look->image, look->level, (struct crop){0, 0, false});
    return true;
}

bool view_picture(struct picture *out, const struct stored *s, enum layout layout,
                  const struct look *look, struct view_work *w)
{
    (void)layout, (void)w;
    int n = look->image * look->image;
    *out = (struct picture){look->image, look->image, 3, malloc((size_t)n * 3)};
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            out->pixels[3 * i + c] = s->bytes[c * n + i];
    return true;
}
