/* Images without compression (see decode.h): binary PPM and PGM of up to 16 bits, and Windows
 * BMP of 1, 4, 8, 24 and 32 bits a pixel.  Read here: the formats are small, and strict. */
#include <stdlib.h>
#include <string.h>

#include "data/formats.h"

struct pnm {
    uint32_t width, height, most; // the value of white
    int channels;
    size_t start; // of the pixels
};

static bool blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next number of the head, after blanks and comments. */
static bool pnm_number(const uint8_t *bytes, size_t n, size_t *at, uint32_t *value)
{
    size_t i = *at;
    while (i < n && (blank(bytes[i]) || bytes[i] == '#')) {
        if (bytes[i] == '#')
            while (i < n && bytes[i] != '\n' && bytes[i] != '\r')
                i++;
        else
            i++;
    }
    size_t first = i;
    uint64_t v = 0;
    while (i < n && bytes[i] >= '0' && bytes[i] <= '9' && i - first < 9)
        v = 10 * v + (uint64_t)(bytes[i++] - '0');
    *at = i;
    *value = (uint32_t)v;
    return i > first && i < n && (blank(bytes[i]) || bytes[i] == '#');
}

static bool pnm_read(const uint8_t *bytes, size_t n, struct pnm *p, struct error *e)
{
    int kind = bytes[1] - '0';
    if (kind != 5 && kind != 6)
        return error_set(e,
                         "is a P%d image of the netpbm family; binary PGM (P5) and PPM (P6) "
                         "are read: convert it",
                         kind);
    p->channels = kind == 6 ? 3 : 1;
    p->start = 2;
    if (!pnm_number(bytes, n, &p->start, &p->width) ||
        !pnm_number(bytes, n, &p->start, &p->height) ||
        !pnm_number(bytes, n, &p->start, &p->most) || !blank(bytes[p->start]))
        return error_set(e, "is a %s file with a damaged head", kind == 6 ? "PPM" : "PGM");
    p->start++;
    if (p->most < 1 || p->most > 65535)
        return error_set(e, "says that white is %u; 1 to 65535 is possible", p->most);
    return image_size_check(p->width, p->height, e);
}

bool pnm_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    struct pnm p;
    if (!pnm_read(bytes, n, &p, e))
        return false;
    out->width = (int)p.width;
    out->height = (int)p.height;
    out->channels = p.channels;
    for (uint32_t m = p.most; m; m >>= 1)
        out->depth++;
    return true;
}

bool pnm_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e)
{
    struct pnm p;
    if (!pnm_read(bytes, n, &p, e))
        return false;
    size_t wide = p.most > 255 ? 2 : 1, line = (size_t)p.width * (size_t)p.channels;
    size_t there = (n - p.start) / (line * wide);
    if (there < p.height)
        return error_set(e, "ends early: %zu of %u rows are there", there, p.height);
    *out = (struct picture){(int)p.width, (int)p.height, p.channels, NULL};
    out->pixels = image_memory(out->width, out->height, out->channels, e);
    if (!out->pixels)
        return false;
    const uint8_t *from = bytes + p.start;
    for (size_t i = 0; i < line * p.height; i++, from += wide) {
        uint32_t v = wide == 2 ? (uint32_t)(from[0] << 8 | from[1]) : from[0];
        v = v > p.most ? p.most : v;
        out->pixels[i] = (uint8_t)((v * 255 + p.most / 2) / p.most);
    }
    return true;
}

struct bmp {
    uint32_t width, height;
    bool downwards; // the first row is the uppermost
    int bits, colours;
    bool gray;
    size_t start, palette, entry; // of the pixels, of the palette; bytes of its entries
    int at[3];                    // 32 bits: the byte of red, green, blue
};

static uint32_t little(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << 8 * i;
    return v;
}

/* A mask of one whole byte: which; else -1. */
static int mask_byte(uint32_t mask)
{
    for (int i = 0; i < 4; i++)
        if (mask == 0xffu << 8 * i)
            return i;
    return -1;
}

static bool bmp_read(const uint8_t *bytes, size_t n, struct bmp *b, struct error *e)
{
    size_t head = little(bytes + 14, 4);
    bool old = head == 12;
    if (n < 26 || n - 14 < head)
        return error_set(e, "ends within its head, after %zu bytes", n);
    if (!old && head < 40)
        return error_set(
            e, "is a BMP file with a head of %zu bytes; 12 and 40 to 255 are read", head);
    *b = (struct bmp){.start = little(bytes + 10, 4), .palette = 14 + head, .at = {2, 1, 0}};
    uint32_t packing = 0;
    if (old) {
        b->width = little(bytes + 18, 2);
        b->height = little(bytes + 20, 2);
        b->bits = (int)little(bytes + 24, 2);
    } else {
        b->width = little(bytes + 18, 4);
        b->height = little(bytes + 22, 4);
        b->bits = (int)little(bytes + 28, 2);
        packing = little(bytes + 30, 4);
        b->colours = (int)(little(bytes + 46, 4) & 0xffff);
        b->downwards = b->height >> 31;
        if (b->downwards)
            b->height = -b->height;
    }
    b->entry = old ? 3 : 4;
    if (!image_size_check(b->width, b->height, e))
        return false;
    if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 24 && b->bits != 32)
        return error_set(e, "is a BMP file of %d bits a pixel; 1, 4, 8, 24 and 32 are read",
                         b->bits);
    if (packing == 3 && b->bits == 32 && n >= 66) { // masks say where the colours are
        for (int c = 0; c < 3; c++)
            b->at[c] = mask_byte(little(bytes + 54 + 4 * c, 4));
        if (b->at[0] < 0 || b->at[1] < 0 || b->at[2] < 0)
            return error_set(e, "is a BMP file whose colours are not bytes; convert it");
    } else if (packing != 0) {
        return error_set(e, "is a compressed BMP file; convert it to PNG");
    }
    if (b->bits <= 8) {
        int most = 1 << b->bits;
        if (b->colours == 0 || b->colours > most)
            b->colours = most;
        if (n < b->palette + (size_t)b->colours * b->entry)
            return error_set(e, "ends within its palette");
        b->gray = true;
        for (int i = 0; i < b->colours; i++) {
            const uint8_t *p = bytes + b->palette + (size_t)i * b->entry;
            b->gray = b->gray && p[0] == p[1] && p[1] == p[2];
        }
    }
    return true;
}

bool bmp_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    struct bmp b;
    if (!bmp_read(bytes, n, &b, e))
        return false;
    out->width = (int)b.width;
    out->height = (int)b.height;
    out->channels = b.gray ? 1 : 3;
    out->depth = 8;
    return true;
}

bool bmp_decode(const uint8_t *bytes, size_t n, struct picture *out, struct error *e)
{
    struct bmp b;
    if (!bmp_read(bytes, n, &b, e))
        return false;
    size_t line = ((size_t)b.width * (size_t)b.bits + 31) / 32 * 4;
    size_t there = b.start < n ? (n - b.start) / line : 0;
    if (there < b.height)
        return error_set(e, "ends early: %zu of %u rows are there", there, b.height);
    int channels = b.gray ? 1 : 3;
    *out = (struct picture){(int)b.width, (int)b.height, channels, NULL};
    out->pixels = image_memory(out->width, out->height, channels, e);
    if (!out->pixels)
        return false;
    uint8_t *to = out->pixels;
    for (uint32_t y = 0; y < b.height; y++) {
        const uint8_t *row = bytes + b.start + line * (b.downwards ? y : b.height - 1 - y);
        for (uint32_t x = 0; x < b.width; x++, to += channels) {
            if (b.bits >= 24) {
                const uint8_t *p = row + (size_t)x * (size_t)(b.bits / 8);
                for (int c = 0; c < 3; c++)
                    to[c] = p[b.at[c]];
                continue;
            }
            uint32_t bit = x * (uint32_t)b.bits;
            int i = row[bit / 8] >> (8 - b.bits - (int)(bit % 8)) & ((1 << b.bits) - 1);
            i = i < b.colours ? i : 0;
            const uint8_t *p = bytes + b.palette + (size_t)i * b.entry;
            for (int c = 0; c < channels; c++)
                to[c] = p[channels == 1 ? 0 : 2 - c];
        }
    }
    return true;
}
