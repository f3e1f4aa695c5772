/* Readers of the formats, for decode.c alone: what each does is decode.h's. */
#ifndef DATA_FORMATS_H
#define DATA_FORMATS_H
#include "data/image.h"

bool jpeg_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);
bool jpeg_decode(const uint8_t *bytes, size_t n, const struct decode *how,
                 const struct box *part, struct picture *out, struct box *at,
                 struct error *e);

/* The others: a picture of 1 to 4 channels, the last of an even number alpha, of the bytes of a
 * file whose head has passed. */
bool png_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);
bool png_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e);
bool webp_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);
bool webp_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e);
bool pnm_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);
bool pnm_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e);
bool bmp_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e);
bool bmp_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e);
bool webp_here(void); // libwebp was there when this was built

#endif
