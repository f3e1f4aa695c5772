/* JPEG files (see decode.h, encode.h), by libjpeg-turbo.
 *
 * Baseline, progressive and arithmetic coding; gray, YCbCr, RGB, CMYK and YCCK (inverted when
 * Adobe's marker is there).  The library's ways of failing end here: error_exit jumps back into
 * the one function that called it, messages are kept, not printed. */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

#include "data/encode.h"
#include "data/formats.h"

enum {
    SCANS_MOST = 200, // of a progressive file; encoders make 10, a bomb thousands
    EXIF = JPEG_APP0 + 1,
    MARGIN = 2, // pixels around a part: what smooth upsampling of colours looks at
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const uint8_t *bytes;
    size_t n;
    bool read;    // the head
    bool ended;   // the decoder asked for more bytes than there are
    bool missing; // … and did not have what it needed
    bool vague;   // … of a progressive file: only details
    int row;      // of the image, where something was first missing
    char why[JMSG_LENGTH_MAX], warning[JMSG_LENGTH_MAX];
};

static struct reader *reader_of(j_common_ptr jpeg)
{
    return jpeg->client_data;
}

static void error_exit(j_common_ptr jpeg)
{
    struct reader *r = reader_of(jpeg);
    jpeg->err->format_message(jpeg, r->why);
    longjmp(r->back, 1);
}

static void emit_message(j_common_ptr jpeg, int level)
{
    struct reader *r = reader_of(jpeg);
    if (level >= 0)
        return;
    if (jpeg->err->msg_code == JWRN_HIT_MARKER && !r->missing) {
        struct jpeg_decompress_struct *d = &r->jpeg;
        r->missing = true;
        JDIMENSION row = d->input_iMCU_row * (JDIMENSION)(d->max_v_samp_factor * DCTSIZE);
        r->row = (int)(row < d->image_height ? row : d->image_height);
    }
    if (!*r->warning && jpeg->err->msg_code != JWRN_JPEG_EOF)
        jpeg->err->format_message(jpeg, r->warning);
}

static void output_message(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void source_nothing(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static boolean source_fill(j_decompress_ptr jpeg)
{
    static const JOCTET end[2] = {0xff, JPEG_EOI};
    struct reader *r = reader_of((j_common_ptr)jpeg);
    r->ended = true;
    r->source.next_input_byte = end;
    r->source.bytes_in_buffer = 2;
    return TRUE;
}

static void source_skip(j_decompress_ptr jpeg, long n)
{
    struct jpeg_source_mgr *s = jpeg->src;
    if (n > 0 && (size_t)n >= s->bytes_in_buffer) {
        source_fill(jpeg);
    } else if (n > 0) {
        s->next_input_byte += n;
        s->bytes_in_buffer -= (size_t)n;
    }
}

static void scans_count(j_common_ptr jpeg)
{
    struct reader *r = reader_of(jpeg);
    if (r->jpeg.input_scan_number > SCANS_MOST) {
        snprintf(r->why, sizeof r->why, "it has more than %d scans", SCANS_MOST);
        longjmp(r->back, 1);
    }
}

/* A reader at the first byte; jumps to r->back from here on. */
static void reader_start(struct reader *r)
{
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = error_exit;
    r->errors.emit_message = emit_message;
    r->errors.output_message = output_message;
    r->jpeg.client_data = r;
    jpeg_create_decompress(&r->jpeg);
    r->source = (struct jpeg_source_mgr){.next_input_byte = r->bytes,
                                         .bytes_in_buffer = r->n,
                                         .init_source = source_nothing,
                                         .fill_input_buffer = source_fill,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_nothing};
    r->jpeg.src = &r->source;
    r->progress.progress_monitor = scans_count;
    r->jpeg.progress = &r->progress;
    jpeg_save_markers(&r->jpeg, EXIF, 0xffff);
}

static unsigned number(const uint8_t *p, int bytes, bool little)
{
    unsigned v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (unsigned)p[i] << 8 * (little ? i : bytes - 1 - i);
    return v;
}

/* Of an APP1 marker: the orientation, or 0.  (TIFF's first directory, tag 0x112, one SHORT.) */
static int exif_orientation(const uint8_t *p, size_t n)
{
    if (n < 14 || memcmp(p, "Exif\0\0", 6) != 0)
        return 0;
    p += 6, n -= 6;
    bool little = p[0] == 'I';
    if (memcmp(p, little ? "II*\0" : "MM\0*", 4) != 0)
        return 0;
    size_t at = number(p + 4, 4, little);
    if (at > n || n - at < 2)
        return 0;
    unsigned entries = number(p + at, 2, little);
    at += 2;
    for (unsigned i = 0; i < entries && n - at >= 12; i++, at += 12) {
        if (number(p + at, 2, little) != 0x112)
            continue;
        unsigned o = number(p + at + 8, 2, little);
        bool one_short = number(p + at + 2, 2, little) == 3;
        return one_short && o >= 1 && o <= 8 ? (int)o : 0;
    }
    return 0;
}

static int orientation(const struct jpeg_decompress_struct *d)
{
    for (jpeg_saved_marker_ptr m = d->marker_list; m; m = m->next) {
        int o = m->marker == EXIF ? exif_orientation(m->data, m->data_length) : 0;
        if (o)
            return o;
    }
    return 1;
}

static bool turned(int o)
{
    return o >= 5;
}

static bool refuse(struct reader *r, struct error *e)
{
    if (r->ended && !r->read)
        return error_set(e, "ends within its head, after %zu bytes", r->n);
    if (r->errors.msg_code == JERR_IMAGE_TOO_BIG &&
        !image_size_check(r->jpeg.image_width, r->jpeg.image_height, e))
        return false;
    return error_set(e, "is a JPEG file that cannot be decoded: %s", r->why);
}

/* Up to the first scan. */
static bool head(struct reader *r, struct error *e)
{
    reader_start(r);
    jpeg_read_header(&r->jpeg, TRUE);
    r->read = true;
    struct jpeg_decompress_struct *d = &r->jpeg;
    if (d->num_components != 1 && d->num_components != 3 && d->num_components != 4)
        return error_set(e, "has %d channels; 1 (gray), 3 (colours) and 4 (CMYK) are read",
                         d->num_components);
    return image_size_check(d->image_width, d->image_height, e);
}

static bool head_alone(struct reader *r, struct error *e)
{
    return setjmp(r->back) ? refuse(r, e) : head(r, e);
}

bool jpeg_head(const uint8_t *bytes, size_t n, struct image_info *out, struct error *e)
{
    struct reader r = {.bytes = bytes, .n = n};
    bool good = head_alone(&r, e);
    if (good) {
        bool turn = turned(out->orientation = orientation(&r.jpeg));
        out->width = (int)(turn ? r.jpeg.image_height : r.jpeg.image_width);
        out->height = (int)(turn ? r.jpeg.image_width : r.jpeg.image_height);
        out->channels = r.jpeg.num_components == 1 ? 1 : 3;
        out->depth = 8;
    }
    jpeg_destroy_decompress(&r.jpeg);
    return good;
}

/* A box of an image of width×height as it is shown, in the file's own directions, or back: all
 * orientations but 6 and 8, which are each other's, are their own inverse. */
static struct box turn_box(struct box b, int o, double width, double height, bool back)
{
    if (back && (o == 6 || o == 8))
        o = 14 - o;
    double right = width - b.x - b.width, below = height - b.y - b.height;
    switch (o) {
    case 2:
        return (struct box){right, b.y, b.width, b.height};
    case 3:
        return (struct box){right, below, b.width, b.height};
    case 4:
        return (struct box){b.x, below, b.width, b.height};
    case 5:
        return (struct box){b.y, b.x, b.height, b.width};
    case 6:
        return (struct box){b.y, right, b.height, b.width};
    case 7:
        return (struct box){below, right, b.height, b.width};
    case 8:
        return (struct box){below, b.x, b.height, b.width};
    default:
        return b;
    }
}

/* Pixels as they are shown.  False: no memory. */
static bool turn_pixels(struct picture *p, int o, struct error *e)
{
    if (o == 1)
        return true;
    bool turn = turned(o);
    int c = p->channels;
    struct picture t = {turn ? p->height : p->width, turn ? p->width : p->height, c, NULL};
    t.pixels = image_memory(t.width, t.height, c, e);
    if (!t.pixels)
        return false;
    uint8_t *to = t.pixels;
    for (int y = 0; y < t.height; y++)
        for (int x = 0; x < t.width; x++, to += c) {
            int fx = turn ? y : x, fy = turn ? x : y;
            if (o == 2 || o == 3 || o == 7 || o == 8)
                fx = p->width - 1 - fx;
            if (o == 3 || o == 4 || o == 6 || o == 7)
                fy = p->height - 1 - fy;
            memcpy(to, p->pixels + ((size_t)fy * (size_t)p->width + (size_t)fx) * (size_t)c,
                   (size_t)c);
        }
    free(p->pixels);
    *p = t;
    return true;
}

/* A row of CMYK (0: no ink) to red, green, blue in Pillow's arithmetic; inverted: 255 is none. */
static void ink_row(uint8_t *to, const uint8_t *from, int width, bool inverted, int channels)
{
    for (int x = 0; x < width; x++, from += 4) {
        unsigned light = inverted ? from[3] : 255u - from[3], c[3];
        for (int k = 0; k < 3; k++) {
            unsigned ink = inverted ? 255u - from[k] : from[k], t = ink * light + 128;
            c[k] = light - ((t + (t >> 8)) >> 8);
        }
        if (channels == 1) {
            *to++ = (uint8_t)((c[0] * 19595 + c[1] * 38470 + c[2] * 7471 + 0x8000) >> 16);
            continue;
        }
        for (int k = 0; k < 3; k++)
            *to++ = (uint8_t)c[k];
    }
}

/* Whether a progressive file that ended lacks bits of some coefficients. */
static bool vague(const struct reader *r)
{
    const struct jpeg_decompress_struct *d = &r->jpeg;
    if (!r->ended || !d->progressive_mode || !d->coef_bits)
        return false;
    for (int c = 0; c < d->num_components; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (d->coef_bits[c][k] != 0)
                return true;
    return false;
}

/* How far the file lacks something; false: so much that it is an error. */
static bool judge(struct reader *r, bool whole, struct error *e)
{
    struct jpeg_decompress_struct *d = &r->jpeg;
    if (r->ended && r->missing && d->progressive_mode)
        return error_set(e, "ends early: its scan %d stops at row %d of %u",
                         d->input_scan_number, r->row, d->image_height);
    if (r->ended && r->missing)
        return error_set(e, "ends early: %d of %u rows are there", r->row, d->image_height);
    if (r->vague)
        return error_set(e, "ends early: after scan %d, details are missing",
                         d->input_scan_number);
    if (*r->warning)
        error_set(e, "is damaged, but was decoded: %s", r->warning);
    else if (r->ended && whole)
        error_set(e, "is damaged, but was decoded: its end marker is missing");
    return true;
}

/* The part `raw`, of the file's own directions, decoded at a half, a quarter … of its size;
 * *raw then says where it lies in out. */
static bool rows(struct reader *r, const struct decode *how, struct box *raw,
                 struct picture *out, uint8_t **row, struct error *e)
{
    struct jpeg_decompress_struct *d = &r->jpeg;
    double side = fmin(raw->width, raw->height);
    unsigned scale = how->least ? 8 : 1;
    while (scale > 1 && side / scale < how->least)
        scale /= 2;
    int channels = how->channels ? how->channels : d->num_components == 1 ? 1 : 3;
    bool ink = d->num_components == 4;
    d->scale_num = 1;
    d->scale_denom = scale;
    d->out_color_space = ink ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(d);

    int width = (int)d->output_width, height = (int)d->output_height;
    int x0 = (int)floor(raw->x / scale), x1 = (int)ceil((raw->x + raw->width) / scale);
    int y0 = (int)floor(raw->y / scale), y1 = (int)ceil((raw->y + raw->height) / scale);
    x0 = x0 < 0 ? 0 : x0 >= width ? width - 1 : x0;
    y0 = y0 < 0 ? 0 : y0 >= height ? height - 1 : y0;
    x1 = x1 > width ? width : x1 <= x0 ? x0 + 1 : x1;
    y1 = y1 > height ? height : y1 <= y0 ? y0 + 1 : y1;
    bool whole = x0 == 0 && y0 == 0 && x1 == width && y1 == height;
    *out = (struct picture){x1 - x0, y1 - y0, channels, NULL};
    out->pixels = image_memory(out->width, out->height, channels, e);
    if (!out->pixels)
        return false;

    JDIMENSION left = (JDIMENSION)(x0 < MARGIN ? 0 : x0 - MARGIN);
    JDIMENSION across = (JDIMENSION)(x1 + MARGIN > width ? width : x1 + MARGIN) - left;
    if (across < d->output_width)
        jpeg_crop_scanline(d, &left, &across);
    if (y0 > 0)
        jpeg_skip_scanlines(d, (JDIMENSION)y0);
    size_t line = (size_t)out->width * (size_t)channels;
    bool direct = !ink && (int)left == x0 && across == (JDIMENSION)out->width;
    if (!direct) {
        *row = image_memory((int)across, 1, ink ? 4 : channels, e);
        if (!*row)
            return false;
    }
    for (int y = 0; y < out->height; y++) {
        uint8_t *to = out->pixels + (size_t)y * line;
        JSAMPROW at = direct ? to : *row;
        jpeg_read_scanlines(d, &at, 1);
        const uint8_t *from = at + (size_t)(x0 - (int)left) * (ink ? 4 : (size_t)channels);
        if (ink)
            ink_row(to, from, out->width, d->saw_Adobe_marker, channels);
        else if (!direct)
            memcpy(to, from, line);
    }
    r->vague = whole && vague(r); // before the library forgets the coefficients
    if (whole)
        jpeg_finish_decompress(d);
    raw->x = raw->x / scale - x0;
    raw->y = raw->y / scale - y0;
    raw->width /= scale;
    raw->height /= scale;
    return judge(r, whole, e);
}

/* What has to be freed when rows() jumps out lies with the caller. */
static bool decode(struct reader *r, const struct decode *how, const struct box *part,
                   struct picture *out, struct box *at, uint8_t **row, struct error *e)
{
    if (setjmp(r->back))
        return refuse(r, e);
    if (!head(r, e))
        return false;
    int o = orientation(&r->jpeg);
    bool turn = turned(o);
    double width = turn ? r->jpeg.image_height : r->jpeg.image_width;
    double height = turn ? r->jpeg.image_width : r->jpeg.image_height;
    struct box raw = turn_box(*part, o, width, height, false);
    if (!rows(r, how, &raw, out, row, e))
        return false;
    *at = turn_box(raw, o, out->width, out->height, true);
    return turn_pixels(out, o, e);
}

bool jpeg_decode(const uint8_t *bytes, size_t n, const struct decode *how,
                 const struct box *part, struct picture *out, struct box *at, struct error *e)
{
    struct reader r = {.bytes = bytes, .n = n};
    uint8_t *row = NULL;
    bool good = decode(&r, how, part, out, at, &row, e);
    jpeg_destroy_decompress(&r.jpeg);
    free(row);
    if (!good) {
        free(out->pixels);
        *out = (struct picture){0};
    }
    return good;
}

struct writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    char why[JMSG_LENGTH_MAX];
};

static void write_failed(j_common_ptr jpeg)
{
    struct writer *w = jpeg->client_data;
    jpeg->err->format_message(jpeg, w->why);
    longjmp(w->back, 1);
}

static bool write(struct writer *w, const struct picture *p, int quality,
                  unsigned char **bytes, unsigned long *n, struct error *e)
{
    struct jpeg_compress_struct *c = &w->jpeg;
    if (setjmp(w->back))
        return error_set(e, "no JPEG file of %d×%d pixels: %s", p->width, p->height, w->why);
    jpeg_create_compress(c);
    jpeg_mem_dest(c, bytes, n);
    c->image_width = (JDIMENSION)p->width;
    c->image_height = (JDIMENSION)p->height;
    c->input_components = p->channels;
    c->in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    c->optimize_coding = TRUE;
    jpeg_start_compress(c, TRUE);
    for (int y = 0; y < p->height; y++) {
        JSAMPROW row = p->pixels + (size_t)y * (size_t)p->width * (size_t)p->channels;
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
    return true;
}

bool picture_to_jpeg(const struct picture *p, int quality, uint8_t **bytes, size_t *n,
                     struct error *e)
{
    struct writer w = {0};
    unsigned char *at = NULL;
    unsigned long length = 0;
    w.jpeg.err = jpeg_std_error(&w.errors);
    w.errors.error_exit = write_failed;
    w.errors.output_message = output_message;
    w.jpeg.client_data = &w;
    bool good = write(&w, p, quality, &at, &length, e);
    jpeg_destroy_compress(&w.jpeg);
    *bytes = good ? at : (free(at), NULL);
    *n = good ? length : 0;
    return good;
}
