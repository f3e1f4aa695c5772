/* WebP files (see decode.h), by libwebp where it was found when this was built. */
#include "data/formats.h"

#ifdef NETSPACE_WEBP
#include <webp/decode.h>

bool webp_here(void)
{
    return true;
}

bool webp_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    WebPBitstreamFeatures f;
    VP8StatusCode status = WebPGetFeatures(bytes, n, &f);
    if (status == VP8_STATUS_NOT_ENOUGH_DATA)
        return error_set(e, "ends within its head, after %zu bytes", n);
    if (status != VP8_STATUS_OK)
        return error_set(e, "is a WebP file that cannot be decoded: its head is damaged");
    if (f.has_animation)
        return error_set(e, "is an animated WebP image; only still ones are read");
    out->width = f.width;
    out->height = f.height;
    out->channels = 3;
    out->depth = 8;
    out->alpha = f.has_alpha;
    return image_size_check((uint32_t)f.width, (uint32_t)f.height, e);
}

bool webp_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e)
{
    struct image_info info = {0};
    WebPDecoderConfig how;
    if (!webp_head(bytes, n, &info, e))
        return false;
    if (!WebPInitDecoderConfig(&how))
        return error_set(e, "libwebp is of another version than it was when this was built");
    *out = (struct picture){info.width, info.height, info.alpha ? 4 : 3, NULL};
    size_t line = (size_t)out->width * (size_t)out->channels;
    out->pixels = image_memory(out->width, out->height, out->channels, e);
    if (!out->pixels)
        return false;
    how.output.colorspace = info.alpha ? MODE_RGBA : MODE_RGB;
    how.output.is_external_memory = 1;
    how.output.u.RGBA = (WebPRGBABuffer){out->pixels, (int)line, line * (size_t)out->height};
    VP8StatusCode status = WebPDecode(bytes, n, &how);
    WebPFreeDecBuffer(&how.output);
    if (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED)
        return error_set(e, "ends early, after %zu bytes", n);
    if (status != VP8_STATUS_OK)
        return error_set(e, "is a WebP file that cannot be decoded: %s",
                         status == VP8_STATUS_OUT_OF_MEMORY ? "no memory" : "it is damaged");
    return true;
}

#else

bool webp_here(void)
{
    return false;
}

bool webp_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    (void)bytes, (void)n, (void)out;
    return error_set(
        e, "is a WebP image, and this netspace was built without libwebp; install "
           "it (Debian, Ubuntu: libwebp-dev) and build again, or convert the image");
}

bool webp_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e)
{
    return webp_head(bytes, n, &(struct image_info){0}, e) && out;
}
#endif
