/* See decode.h: which format it is, sizes, alpha, gray and colours. */
#include "data/decode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/formats.h"

static const char *const names[] = {"JPEG", "PNG", "WebP", "PPM and PGM", "BMP"};

const char *image_format_name(enum image_format f)
{
    return names[f];
}

bool image_format_read(enum image_format f)
{
    return f != IMAGE_WEBP || webp_here();
}

/* What begins like this is known, but not read.  `at`: where the mark lies. */
struct foreign {
    size_t at, length;
    const char *mark, *what;
};
#define FOREIGN(at, mark, what)                                                              \
    {                                                                                        \
        at, sizeof mark - 1, mark, what                                                      \
    }
static const struct foreign foreigns[] = {
    FOREIGN(0, "GIF8", "a GIF image"),
    FOREIGN(0, "II*\0", "a TIFF image"),
    FOREIGN(0, "MM\0*", "a TIFF image"),
    FOREIGN(4, "ftypavif", "an AVIF image"),
    FOREIGN(4, "ftypavis", "an AVIF image"),
    FOREIGN(4, "ftypheic", "a HEIC image"),
    FOREIGN(4, "ftypheix", "a HEIC image"),
    FOREIGN(4, "ftypmif1", "a HEIC image"),
    FOREIGN(4, "ftypmsf1", "a HEIC image"),
    FOREIGN(0, "\xff\x0a", "a JPEG XL image"),
    FOREIGN(4, "JXL \r\n\x87\n", "a JPEG XL image"),
    FOREIGN(4, "jP  \r\n\x87\n", "a JPEG 2000 image"),
    FOREIGN(0, "8BPS", "a Photoshop image"),
    FOREIGN(0, "%PDF", "a PDF document"),
};

static bool begins(const uint8_t *bytes, size_t n, const char *mark, size_t length)
{
    return n >= length && memcmp(bytes, mark, length) == 0;
}

/* Pages of a server that did not have the image, and drawings. */
static const char *markup(const uint8_t *bytes, size_t n)
{
    if (begins(bytes, n, "\xef\xbb\xbf", 3))
        bytes += 3, n -= 3;
    while (n && (*bytes == ' ' || (*bytes >= '\t' && *bytes <= '\r')))
        bytes++, n--;
    char head[1024];
    if (n == 0 || *bytes != '<')
        return NULL;
    size_t m = n < sizeof head ? n : sizeof head - 1;
    for (size_t i = 0; i < m; i++)
        head[i] = bytes[i] ? (char)bytes[i] : ' ';
    head[m] = '\0';
    if (strcasestr(head, "<svg"))
        return "an SVG drawing, not an image of pixels; convert it to PNG";
    if (strcasestr(head, "<html") || strcasestr(head, "<!doctype html") ||
        strcasestr(head, "<head") || strcasestr(head, "<body"))
        return "an HTML page, not an image";
    return "a text in XML or HTML, not an image";
}

static bool unknown(const uint8_t *bytes, size_t n, struct error *e)
{
    if (n == 0)
        return error_set(e, "is empty");
    for (size_t i = 0; i < sizeof foreigns / sizeof *foreigns; i++) {
        const struct foreign *f = &foreigns[i];
        if (n > f->at && begins(bytes + f->at, n - f->at, f->mark, f->length))
            return error_set(e, "is %s, which is not read; convert it to JPEG or PNG",
                             f->what);
    }
    const char *text = markup(bytes, n);
    if (text)
        return error_set(e, "is %s", text);
    char hex[3 * 8 + 1];
    int m = 0;
    for (size_t i = 0; i < n && i < 8; i++)
        m += snprintf(hex + m, sizeof hex - (size_t)m, "%s%02x", i ? " " : "", bytes[i]);
    return error_set(e,
                     "is no image that is read (JPEG, PNG, WebP, PPM, PGM, BMP); it begins "
                     "with the bytes %s",
                     hex);
}

bool image_probe(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    *out = (struct image_info){.orientation = 1};
    if (begins(bytes, n, "\xff\xd8\xff", 3)) {
        out->format = IMAGE_JPEG;
        return jpeg_head(bytes, n, out, e);
    }
    if (begins(bytes, n, "\x89PNG\r\n\x1a\n", 8)) {
        out->format = IMAGE_PNG;
        return png_head(bytes, n, out, e);
    }
    if (n >= 12 && begins(bytes, n, "RIFF", 4) && memcmp(bytes + 8, "WEBP", 4) == 0) {
        out->format = IMAGE_WEBP;
        return webp_head(bytes, n, out, e);
    }
    if (n >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
        (bytes[2] == '#' || bytes[2] == ' ' || (bytes[2] >= '\t' && bytes[2] <= '\r'))) {
        out->format = IMAGE_PNM;
        return pnm_head(bytes, n, out, e);
    }
    if (n >= 18 && begins(bytes, n, "BM", 2) && bytes[15] == 0 && bytes[16] == 0 &&
        bytes[17] == 0) {
        out->format = IMAGE_BMP;
        return bmp_head(bytes, n, out, e);
    }
    return unknown(bytes, n, e);
}

/* a·b/255, rounded. */
static unsigned part_of_255(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

/* From 1 to 4 channels, in place, to gray or colours over the background. */
static void settle(struct picture *p, int channels, uint8_t background)
{
    int had = p->channels, colours = had >= 3 ? 3 : 1;
    bool alpha = had % 2 == 0;
    size_t n = (size_t)p->width * (size_t)p->height;
    const uint8_t *from = p->pixels;
    uint8_t *to = p->pixels;
    for (size_t i = 0; i < n; i++, from += had) {
        uint8_t c[3] = {from[0], from[0], from[0]};
        if (colours == 3)
            c[1] = from[1], c[2] = from[2];
        if (alpha) {
            unsigned a = from[had - 1], under = part_of_255(background, 255 - a);
            for (int k = 0; k < 3; k++)
                c[k] = (uint8_t)(part_of_255(c[k], a) + under);
        }
        if (channels == 1 && colours == 3)
            c[0] = picture_luma(c);
        for (int k = 0; k < channels; k++)
            *to++ = c[k]; // NOLINT(clang-analyzer-core.uninitialized.Assign): 1 or 3 channels
    }
    p->channels = channels;
}

static bool whole(const uint8_t *bytes, size_t n, const struct image_info *info,
                  const struct decode *how, struct picture *out, struct error *e)
{
    bool (*const read[])(const uint8_t *, size_t, struct picture *, struct error *) = {
        NULL, png_decode, webp_decode, pnm_decode, bmp_decode};
    if (!read[info->format](bytes, n, out, e)) {
        free(out->pixels);
        out->pixels = NULL;
        return false;
    }
    int channels = how->channels ? how->channels : info->channels;
    if (channels > out->channels) { // gray to colours: not in place
        struct picture wide = {out->width, out->height, channels, NULL};
        wide.pixels = image_memory(out->width, out->height, channels, e);
        if (wide.pixels) {
            size_t m = (size_t)out->width * (size_t)out->height;
            struct picture gray = *out;
            settle(&gray, 1, how->background);
            for (size_t i = 0; i < m; i++)
                memset(wide.pixels + 3 * i, gray.pixels[i], 3);
        }
        free(out->pixels);
        *out = wide;
        return wide.pixels != NULL;
    }
    settle(out, channels, how->background);
    return true;
}

bool image_decode_part(const uint8_t *bytes, size_t n, const struct decode *how,
                       const struct box *part, struct picture *out, struct box *at,
                       struct error *e)
{
    struct image_info info;
    *out = (struct picture){0};
    *e->msg = '\0';
    if (!image_probe(bytes, n, &info, e))
        return false;
    if (info.format == IMAGE_JPEG)
        return jpeg_decode(bytes, n, how, part, out, at, e);
    *at = *part;
    return whole(bytes, n, &info, how, out, e);
}

bool image_decode(const uint8_t *bytes, size_t n, const struct decode *how,
                  struct picture *out, struct error *e)
{
    struct image_info info;
    struct box at;
    *out = (struct picture){0};
    *e->msg = '\0';
    if (!image_probe(bytes, n, &info, e))
        return false;
    if (info.format == IMAGE_JPEG) {
        struct box all = {0, 0, info.width, info.height};
        return jpeg_decode(bytes, n, how, &all, out, &at, e);
    }
    return whole(bytes, n, &info, how, out, e);
}
