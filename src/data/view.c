/* See view.h. */
#include "data/view.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ROWS, VIEW, SECOND }; // of a view_work's bytes

/* Bytes of an image, wherever they lie. */
struct frame {
    const uint8_t *at;
    int width, height, channels;
    size_t pixel, row, plane; // bytes to the next pixel, row, channel
};

void view_work_free(struct view_work *w)
{
    for (int i = 0; i < 3; i++)
        free(w->bytes[i]);
    free(w->decoded.pixels);
    resize_work_free(&w->resize);
    *w = (struct view_work){0};
}

void look_normalise(struct look *look, const double mean[3], const double std[3])
{
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            look->level[c][v] = (float)((v - mean[c]) / std[c]);
}

static uint8_t *room(struct view_work *w, int which, size_t bytes)
{
    if (bytes > w->room[which]) {
        free(w->bytes[which]);
        w->bytes[which] = xmalloc(bytes);
        w->room[which] = bytes;
    }
    return w->bytes[which];
}

static struct frame frame_of_rows(struct pixels p)
{
    return (struct frame){p.at,     p.width, p.height, p.channels, (size_t)p.channels,
                          p.stride, 1};
}

/* Of an image that is stored as bytes. */
static struct frame frame_of(const struct stored *s, enum layout layout)
{
    size_t plane = (size_t)s->width * s->height;
    int channels = (int)(s->size / plane);
    assert((channels == 1 || channels == 3) && s->size == plane * (size_t)channels);
    if (layout == LAYOUT_PLANES)
        return (struct frame){s->bytes, s->width, s->height, channels, 1, s->width, plane};
    return frame_of_rows((struct pixels){s->bytes, s->width, s->height, channels,
                                         (size_t)s->width * (size_t)channels});
}

static inline __attribute__((always_inline)) void
levels_of(float *out, int step, const uint8_t *p, int n, size_t pixel, size_t plane,
          int channels, const float level[3][256])
{
    for (int i = 0; i < n; i++, p += pixel, out += step) {
        out[0] = level[0][p[0]];
        if (channels == 3) {
            out[1] = level[1][p[plane]];
            out[2] = level[2][p[2 * plane]];
        }
    }
}

/* x (image, image, channels): pixel (y, x) is that of f at (y + dy, x + dx), then flipped; 0
 * outside of f.  Gray is put into each of three channels. */
static void normalise(float *x, const struct frame *f, int image, int channels, int dy,
                      int dx, bool flip, const float level[3][256])
{
    int first = dx < 0 ? -dx : 0, last = f->width - dx < image ? f->width - dx : image;
    size_t row = (size_t)image * (size_t)channels;
    bool gray = f->channels < channels;
    assert(gray || f->channels == channels);
    for (int y = 0; y < image; y++, x += row) {
        int sy = y + dy;
        bool inside = sy >= 0 && sy < f->height && last > first;
        if (!inside || last - first < image)
            memset(x, 0, row * sizeof *x);
        if (!inside)
            continue;
        const uint8_t *p = f->at + (size_t)sy * f->row + (size_t)(first + dx) * f->pixel;
        float *out = x + channels * (flip ? image - 1 - first : first);
        int n = last - first, step = flip ? -channels : channels;
        if (channels == 1)
            levels_of(out, step, p, n, 1, 0, 1, level);
        else if (gray)
            levels_of(out, step, p, n, 1, 0, 3, level);
        else if (f->pixel == 3)
            levels_of(out, step, p, n, 3, 1, 3, level);
        else
            levels_of(out, step, p, n, 1, f->plane, 3, level);
    }
}

/* The same bytes in rows. */
static struct pixels rows_of(const struct frame *f, struct view_work *w)
{
    if (f->channels == 1 || f->pixel == 3)
        return (struct pixels){f->at, f->width, f->height, f->channels, f->row};
    size_t n = (size_t)f->width * (size_t)f->height;
    uint8_t *to = room(w, ROWS, 3 * n);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            to[3 * i + c] = f->at[c * f->plane + i];
    return (struct pixels){to, f->width, f->height, 3, 3 * (size_t)f->width};
}

/* Decodes a part of a JPEG image into w->decoded. */
static bool jpeg_part(const struct stored *s, const struct look *look, int least,
                      struct box part, struct box *at, struct view_work *w)
{
    struct decode how = {.channels = look->channels,
                         .least = look->resize == RESIZE_PYCLS ? 0 : least};
    free(w->decoded.pixels);
    w->decoded = (struct picture){0};
    return image_decode_part(s->bytes, s->size, &how, &part, &w->decoded, at, &w->error);
}

/* A rectangle of a stored image, resized to image×image, into the bytes VIEW. */
static bool cut(const struct stored *s, enum layout layout, const struct look *look,
                struct region r, struct picture *out, struct view_work *w)
{
    struct box box = {0, 0, r.width, r.height};
    struct pixels from;
    if (layout == LAYOUT_JPEG) {
        if (!jpeg_part(s, look, look->image, (struct box){r.x, r.y, r.width, r.height}, &box,
                       w))
            return false;
        int x0 = (int)floor(box.x), x1 = (int)ceil(box.x + box.width);
        int y0 = (int)floor(box.y), y1 = (int)ceil(box.y + box.height);
        from = picture_pixels(&w->decoded);
        x1 = x1 > from.width ? from.width : x1;
        y1 = y1 > from.height ? from.height : y1;
        from = pixels_part(from, x0, y0, x1 - x0, y1 - y0);
        box.x -= x0;
        box.y -= y0;
    } else {
        struct frame f = frame_of(s, layout);
        from = pixels_part(rows_of(&f, w), r.x, r.y, r.width, r.height);
    }
    size_t side = (size_t)look->image;
    *out = (struct picture){look->image, look->image, from.channels, NULL};
    out->pixels = room(w, VIEW, side * side * (size_t)from.channels);
    pixels_resize(out->pixels, look->image, look->image, from, box, look->resize, &w->resize);
    return true;
}

/* As Python's round(x / 2). */
static int half(int x)
{
    return (int)lrint(x / 2.0);
}

/* The test view as a frame of at least image×image whose pixel (*dy, *dx) is its first. */
static bool centre(const struct stored *s, enum layout layout, const struct look *look,
                   struct frame *f, int *dy, int *dx, struct view_work *w)
{
    int image = look->image, width, height;
    *w->error.msg = '\0';
    short_side(s->width, s->height, (int)lrint(look->scale * image), &width, &height);
    *dx = half(width - image);
    *dy = half(height - image);
    bool as_it_is = width == s->width && height == s->height;
    if (as_it_is && layout != LAYOUT_JPEG) {
        *f = frame_of(s, layout);
        return true;
    }
    double sx = (double)s->width / width, sy = (double)s->height / height;
    struct box all = {0, 0, s->width, s->height};
    struct pixels from;
    if (layout == LAYOUT_JPEG) {
        // as much around the middle as the resizing looks at
        struct box part = {(*dx - 1) * sx - 1, (*dy - 1) * sy - 1, (image + 2) * sx + 2,
                           (image + 2) * sy + 2};
        double right = fmin(part.x + part.width, s->width);
        double below = fmin(part.y + part.height, s->height);
        part.x = fmax(floor(part.x), 0);
        part.y = fmax(floor(part.y), 0);
        part.width = ceil(right) - part.x;
        part.height = ceil(below) - part.y;
        int least = (int)ceil(fmin(part.width / sx, part.height / sy));
        struct box at;
        if (!jpeg_part(s, look, as_it_is ? 0 : least, part, &at, w))
            return false;
        from = picture_pixels(&w->decoded);
        double scale = at.width / part.width;
        all = (struct box){at.x - part.x * scale, at.y - part.y * scale, s->width * scale,
                           s->height * scale};
        if (as_it_is) {
            *f = frame_of_rows(from);
            *dx += (int)all.x;
            *dy += (int)all.y;
            return true;
        }
    } else {
        struct frame stored = frame_of(s, layout);
        from = rows_of(&stored, w);
    }
    size_t side = (size_t)image;
    uint8_t *to = room(w, VIEW, side * side * (size_t)from.channels);
    pixels_resize_window(to, (struct window){*dx, *dy, image, image}, width, height, from,
                         all, look->resize, &w->resize);
    *dx = *dy = 0;
    *f = frame_of_rows(
        (struct pixels){to, image, image, from.channels, side * (size_t)from.channels});
    return true;
}

bool view_test(float *x, const struct stored *s, enum layout layout, const struct look *look,
               struct view_work *w)
{
    struct frame f;
    int dy, dx;
    if (!centre(s, layout, look, &f, &dy, &dx, w))
        return false;
    normalise(x, &f, look->image, look->channels, dy, dx, false, look->level);
    return true;
}

/* The middle of a frame as a picture in VIEW, which it may lie in already. */
static struct picture picture_of(const struct frame *f, int image, int dy, int dx,
                                 struct view_work *w)
{
    struct picture p = {image, image, f->channels, NULL};
    size_t side = (size_t)image, c = (size_t)f->channels;
    p.pixels = w->bytes[VIEW];
    if (f->at == p.pixels)
        return p;
    uint8_t *to = p.pixels = room(w, VIEW, side * side * c);
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t k = 0; k < c; k++)
                *to++ = f->at[((size_t)dy + y) * f->row + ((size_t)dx + x) * f->pixel +
                              k * f->plane];
    return p;
}

bool view_picture(struct picture *out, const struct stored *s, enum layout layout,
                  const struct look *look, struct view_work *w)
{
    struct frame f;
    int dy, dx;
    if (!centre(s, layout, look, &f, &dy, &dx, w))
        return false;
    *out = picture_of(&f, look->image, dy, dx, w);
    return true;
}

struct augment augment_for(const struct augment *a, const struct look *look)
{
    struct augment b = *a;
    if (b.crop == CROP_AUTO) {
        b.crop = look->exact ? CROP_PADDED : CROP_RESIZED;
        b.pad = -1;
        b.flip = true;
    }
    if (b.pad < 0)
        b.pad = look->pad;
    if (!(b.area[1] > 0)) {
        b.area[0] = 0.35f;
        b.area[1] = 1;
    }
    if (!(b.aspect[1] > 0)) {
        b.aspect[0] = 3.0f / 4;
        b.aspect[1] = 4.0f / 3;
    }
    return b;
}

bool view_train(float *x, const struct stored *s, enum layout layout, const struct look *look,
                const struct augment *open, uint64_t seed, int epoch, uint32_t image,
                struct view_work *w)
{
    struct augment a = augment_for(open, look);
    struct rng r = rng_key(seed, (uint64_t)epoch << 32 | image, RNG_AUGMENT);
    struct shift shift = {0, 0};
    struct picture p = {0};
    struct frame f;
    int dy = 0, dx = 0;
    *w->error.msg = '\0';
    if (a.crop == CROP_RESIZED) {
        struct region region = region_draw(&r, s->width, s->height, &a);
        if (!cut(s, layout, look, region, &p, w))
            return false;
        f = frame_of_rows(picture_pixels(&p));
    } else {
        if (a.crop == CROP_PADDED)
            shift = shift_draw(&r, a.pad);
        if (!centre(s, layout, look, &f, &dy, &dx, w))
            return false;
    }
    bool flip = a.flip && flip_draw(&r);
    if (a.policy != POLICY_NONE || a.brightness > 0 || a.contrast > 0 || a.saturation > 0 ||
        a.hue > 0) {
        p = picture_of(&f, look->image, dy, dx, w);
        size_t bytes = (size_t)p.width * (size_t)p.height * (size_t)p.channels;
        colours_change(&p, room(w, SECOND, bytes), &r, &a);
        f = frame_of_rows(picture_pixels(&p));
        dy = dx = 0;
    }
    float lit[3][256];
    const float(*level)[256] = look->level;
    if (a.lighting > 0) {
        float add[3];
        lighting_draw(&r, a.lighting, add);
        if (look->channels == 1)
            add[0] = 0.299f * add[0] + 0.587f * add[1] + 0.114f * add[2];
        for (int c = 0; c < look->channels; c++)
            for (int v = 0; v < 256; v++)
                lit[c][v] = level[c][v] + add[c] * (level[c][255] - level[c][0]);
        level = lit;
    }
    if (f.width > look->image || f.height > look->image) {
        // a frame around the view: what lies outside the view is padding all the same
        f.at += (size_t)dy * f.row + (size_t)dx * f.pixel;
        f.width = f.height = look->image;
        dy = dx = 0;
    }
    normalise(x, &f, look->image, look->channels, dy + shift.y, dx + shift.x, flip, level);
    return true;
}
