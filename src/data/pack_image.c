/* See pack_image.h. */
#include "data/pack_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "data/decode.h"
#include "data/encode.h"

enum { QUALITY = 90 }; // of JPEG files

// Gray of colours in Pillow's arithmetic, colours of gray.
static void set_channels(struct picture *p, int channels)
{
    if (p->channels == channels)
        return;
    size_t n = (size_t)p->width * (size_t)p->height;
    uint8_t *to = xmalloc(n * (size_t)channels);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *c = p->pixels + i * (size_t)p->channels;
        if (channels == 1)
            to[i] = picture_luma(c);
        else
            memset(to + 3 * i, c[0], 3);
    }
    free(p->pixels);
    p->pixels = to;
    p->channels = channels;
}

static void shrink(struct picture *p, const struct pack_options *o, struct resize_work *w)
{
    int side = p->width < p->height ? p->width : p->height, width, height;
    if (o->size == 0 || side <= (int)o->size)
        return;
    struct picture small;
    short_side(p->width, p->height, (int)o->size, &width, &height);
    picture_resize(&small, width, height, p,
                   o->no_antialias ? RESIZE_PYCLS : RESIZE_ANTIALIAS, w);
    free(p->pixels);
    *p = small;
}

static struct moments moments_of(const struct picture *p)
{
    uint64_t sum[3] = {0}, square[3] = {0};
    size_t n = (size_t)p->width * (size_t)p->height;
    struct moments m;
    if (p->channels == 1)
        for (size_t i = 0; i < n; i++) {
            uint32_t v = p->pixels[i];
            sum[0] += v;
            square[0] += v * v;
        }
    else
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 3; c++) {
                uint32_t v = p->pixels[3 * i + c];
                sum[c] += v;
                square[c] += v * v;
            }
    for (int c = 0; c < 3; c++) {
        int k = p->channels == 1 ? 0 : c;
        m.mean[c] = (float)((double)sum[k] / (double)n);
        m.square[c] = (float)((double)square[k] / (double)n);
    }
    return m;
}

// What is kept of a picture: its bytes, or a JPEG file.
static bool keep(const struct pack_how *how, struct picture *p, struct pack_image *to,
                 struct error *e)
{
    struct pack_entry *x = &to->entry;
    size_t n = (size_t)p->width * (size_t)p->height * (size_t)p->channels;
    x->width = (uint16_t)p->width;
    x->height = (uint16_t)p->height;
    x->channels = (uint8_t)p->channels;
    to->moments = moments_of(p);
    if (!how->jpeg) {
        to->bytes = p->pixels;
        p->pixels = NULL;
    } else if (!picture_to_jpeg(p, QUALITY, &to->bytes, &n, e))
        return false;
    if (n > UINT32_MAX)
        return error_set(e, "%zu bytes are too many for one image", n);
    x->bytes = (uint32_t)n;
    return true;
}

// A JPEG file that needs no change is kept as it is in a pack of JPEG files.
static bool as_it_is(const struct pack_how *how, const struct image_info *info)
{
    int side = info->width < info->height ? info->width : info->height;
    return how->jpeg && info->format == IMAGE_JPEG && info->orientation <= 1 &&
           (how->o->size == 0 || side <= (int)how->o->size);
}

static bool decode(const struct pack_how *how, struct feed_item *item, struct pack_image *to,
                   struct error *e)
{
    struct image_info info;
    struct pack_entry *x = &to->entry;
    struct decode want = {.channels = how->channels,
                          .background = how->o->white ? 255 : 0,
                          .least = (int)how->o->size};
    if (!image_probe(item->bytes, item->size, &info, e))
        return false;
    x->file_width = (uint16_t)info.width;
    x->file_height = (uint16_t)info.height;
    if (!how->jpeg && how->channels == 1 && how->o->channels == 0 && info.channels == 3) {
        to->colours = true;
        return true;
    }
    if (as_it_is(how, &info))
        want.least = 0;
    if (!image_decode(item->bytes, item->size, &want, &item->picture, e))
        return false;
    if (as_it_is(how, &info)) {
        x->width = (uint16_t)item->picture.width;
        x->height = (uint16_t)item->picture.height;
        x->channels = (uint8_t)info.channels;
        to->moments = moments_of(&item->picture);
        x->bytes = (uint32_t)item->size;
        to->bytes = item->bytes;
        item->bytes = NULL;
    }
    return true;
}

void pack_image(const struct pack_how *how, const struct feed *f, struct feed_item *item,
                struct pack_image *to, bool *gone, struct resize_work *w)
{
    struct error e = {""};
    struct pack_entry *x = &to->entry;
    bool good = item->bytes || item->picture.pixels || feed_load(f, item, gone, &e);
    x->file_bytes = item->size < UINT32_MAX ? (uint32_t)item->size : UINT32_MAX;
    if (good && !item->drop) {
        if (item->picture.pixels) {
            x->file_width = (uint16_t)item->picture.width;
            x->file_height = (uint16_t)item->picture.height;
            to->colours = !how->jpeg && how->channels == 1 && how->o->channels == 0 &&
                          item->picture.channels == 3;
        } else
            good = decode(how, item, to, &e);
        if (good && !to->bytes && !to->colours) {
            if (how->channels)
                set_channels(&item->picture, how->channels);
            shrink(&item->picture, how->o, w);
            good = keep(how, &item->picture, to, &e);
        }
        if (to->bytes)
            x->sum = checksum(0, to->bytes, x->bytes);
    }
    if (!good)
        to->reason = xstrdup(e.msg);
    free(item->bytes);
    free(item->picture.pixels);
}
