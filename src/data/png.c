/* PNG files (see decode.h), by libpng: every colour type, palettes, 1 to 16 bits, alpha and
 * transparent colours, interlaced.  libpng's errors jump back into the one function that
 * called it; its warnings (checksums of chunks that do not matter) are dropped. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/formats.h"

struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *at;
    size_t left;
    bool ended;
    png_uint_32 row, height; // rows that are there, of how many
    int pass, passes;
    char why[128];
};

static void failed(png_structp png, png_const_charp why)
{
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->why, sizeof r->why, "%s", why);
    png_longjmp(png, 1);
}

static void warned(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void read_bytes(png_structp png, png_bytep to, png_size_t n)
{
    struct reader *r = png_get_io_ptr(png);
    if (n > r->left) {
        r->ended = true;
        png_error(png, "the file ends early");
    }
    memcpy(to, r->at, n);
    r->at += n;
    r->left -= n;
}

static bool refuse(const struct reader *r, struct error *e)
{
    if (r->ended && r->passes > 1)
        return error_set(e, "ends early: in pass %d of %d, %u of %u rows are there",
                         r->pass + 1, r->passes, r->row, r->height);
    if (r->ended && r->height)
        return error_set(e, "ends early: %u of %u rows are there", r->row, r->height);
    if (r->ended)
        return error_set(e, "ends within its head");
    if (r->height)
        return error_set(e, "is a PNG file that cannot be decoded: %s at row %u of %u",
                         r->why, r->row, r->height);
    return error_set(e, "is a PNG file that cannot be decoded: %s", r->why);
}

/* Up to the first pixels. */
static bool head(struct reader *r, struct error *e)
{
    png_set_read_fn(r->png, r, read_bytes);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); // checked below
    png_set_chunk_malloc_max(r->png, 8 << 20);
    png_set_benign_errors(r->png, 1);
    png_read_info(r->png, r->info);
    return image_size_check(png_get_image_width(r->png, r->info),
                            png_get_image_height(r->png, r->info), e);
}

static bool head_alone(struct reader *r, struct error *e)
{
    return setjmp(png_jmpbuf(r->png)) ? refuse(r, e) : head(r, e);
}

static bool pixels(struct reader *r, struct picture *out, struct error *e)
{
    if (setjmp(png_jmpbuf(r->png)))
        return refuse(r, e);
    if (!head(r, e))
        return false;
    png_set_expand(r->png);
    png_set_strip_16(r->png);
    r->passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    *out = (struct picture){(int)png_get_image_width(r->png, r->info),
                            (int)png_get_image_height(r->png, r->info),
                            png_get_channels(r->png, r->info), NULL};
    size_t line = png_get_rowbytes(r->png, r->info);
    out->pixels = image_memory(out->width, out->height, out->channels, e);
    if (!out->pixels)
        return false;
    r->height = (png_uint_32)out->height;
    for (r->pass = 0; r->pass < r->passes; r->pass++)
        for (r->row = 0; r->row < r->height; r->row++)
            png_read_row(r->png, out->pixels + (size_t)r->row * line, NULL);
    return true;
}

static bool reader_start(struct reader *r, const uint8_t *bytes, size_t n, struct error *e)
{
    *r = (struct reader){.at = bytes, .left = n};
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, failed, warned);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    return r->info || error_set(e, "no memory for libpng");
}

bool png_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    struct reader r;
    bool good = reader_start(&r, bytes, n, e) && head_alone(&r, e);
    if (good) {
        int type = png_get_color_type(r.png, r.info);
        out->width = (int)png_get_image_width(r.png, r.info);
        out->height = (int)png_get_image_height(r.png, r.info);
        out->channels = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
        out->alpha =
            type & PNG_COLOR_MASK_ALPHA || png_get_valid(r.png, r.info, PNG_INFO_tRNS);
        out->depth = png_get_bit_depth(r.png, r.info);
    }
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return good;
}

bool png_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e)
{
    struct reader r;
    bool good = reader_start(&r, bytes, n, e) && pixels(&r, out, e);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return good;
}
