/* See augment.h.  Sources: pycls datasets/augment.py and transforms.py; torchvision
 * transforms.py and autoaugment.py; Pillow ImageEnhance, ImageOps, Geometry.c,
 * Blend.c, Filter.c, Convert.c. */
#include "data/augment.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

struct shift shift_draw(struct rng *r, int pad)
{
    struct shift s;
    s.y = (int)rng_below(r, 2 * (uint64_t)pad + 1) - pad;
    s.x = (int)rng_below(r, 2 * (uint64_t)pad + 1) - pad;
    return s;
}

bool flip_draw(struct rng *r)
{
    return rng_below(r, 2);
}

static double between(struct rng *r, double low, double high)
{
    return low + (high - low) * rng_uniform(r);
}

/* The whole image, or as much of its middle as has an allowed aspect. */
static struct region centre(int width, int height, const struct augment *a)
{
    double aspect = (double)width / height, low = a->aspect[0], high = a->aspect[1];
    int w = width, h = height;
    if (a->swap)
        w = h = width < height ? width : height;
    else if (aspect < low)
        h = (int)lrint(w / low);
    else if (aspect > high)
        w = (int)lrint(h * high);
    w = w < 1 ? 1 : w;
    h = h < 1 ? 1 : h;
    return (struct region){(width - w) / 2, (height - h) / 2, w, h};
}

struct region region_draw(struct rng *r, int width, int height, const struct augment *a)
{
    double pixels = (double)width * height;
    for (int i = 0; i < 10; i++) {
        double area = pixels * between(r, a->area[0], a->area[1]);
        double aspect = a->swap ? between(r, a->aspect[0], a->aspect[1])
                                : exp(between(r, log(a->aspect[0]), log(a->aspect[1])));
        int w = (int)lrint(sqrt(area * aspect)), h = (int)lrint(sqrt(area / aspect));
        if (a->swap && rng_below(r, 2)) {
            int t = w;
            w = h;
            h = t;
        }
        if (w < 1 || w > width || h < 1 || h > height)
            continue;
        int y = (int)rng_below(r, (uint64_t)(height - h) + 1);
        int x = (int)rng_below(r, (uint64_t)(width - w) + 1);
        return (struct region){x, y, w, h};
    }
    return centre(width, height, a);
}

void lighting_draw(struct rng *r, float deviation, float shift[3])
{
    static const double value[3] = {0.2175, 0.0188, 0.0045};
    static const double vector[3][3] = {
        {-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}};
    double alpha[3];
    for (int k = 0; k < 3; k++)
        alpha[k] = deviation * rng_normal(r);
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (int k = 0; k < 3; k++)
            sum += vector[c][k] * alpha[k] * value[k];
        shift[c] = (float)sum;
    }
}

static size_t bytes_of(const struct picture *p)
{
    return (size_t)p->width * (size_t)p->height * (size_t)p->channels;
}

/* from + share·(to - from), cut to bytes, as Image.blend. */
static uint8_t blend(int from, int to, float share)
{
    float v = (float)from + share * (float)(to - from);
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v;
}

static void brighten(struct picture *p, float factor)
{
    for (size_t i = 0, n = bytes_of(p); i < n; i++)
        p->pixels[i] = blend(0, p->pixels[i], factor);
}

static void contrast(struct picture *p, float factor)
{
    uint64_t sum = 0;
    size_t n = (size_t)p->width * (size_t)p->height;
    for (size_t i = 0; i < n; i++)
        sum += p->channels == 3 ? picture_luma(p->pixels + 3 * i) : p->pixels[i];
    int mean = (int)((double)sum / (double)n + 0.5);
    for (size_t i = 0, m = bytes_of(p); i < m; i++)
        p->pixels[i] = blend(mean, p->pixels[i], factor);
}

static void saturate(struct picture *p, float factor)
{
    if (p->channels == 1)
        return;
    for (uint8_t *c = p->pixels, *end = c + bytes_of(p); c < end; c += 3) {
        int gray = picture_luma(c);
        for (int k = 0; k < 3; k++)
            c[k] = blend(gray, c[k], factor);
    }
}

/* Between the picture and itself smoothed; the outermost pixels are not smoothed. */
static void sharpen(struct picture *p, uint8_t *work, float factor)
{
    const float side = 1.0f / 13, middle = 5.0f / 13;
    int c = p->channels, line = p->width * c;
    memcpy(work, p->pixels, bytes_of(p));
    for (int y = 1; y < p->height - 1; y++) {
        const uint8_t *in = work + (size_t)y * (size_t)line;
        uint8_t *out = p->pixels + (size_t)y * (size_t)line;
        for (int x = c; x < line - c; x++) {
            const uint8_t *a = in + x - line, *b = in + x, *d = in + x + line;
            float s = 0.5f;
            s += a[-c] * side + a[0] * side + a[c] * side;
            s += b[-c] * side + b[0] * middle + b[c] * side;
            s += d[-c] * side + d[0] * side + d[c] * side;
            out[x] = blend((int)s, b[0], factor);
        }
    }
}

/* New pixel (x, y) is old pixel (m[0]·x + m[1]·y + m[2], m[3]·x + m[4]·y + m[5]), taken at
 * their centres in 1/65536 of a pixel as Pillow does; black where there is none. */
static void transform(struct picture *p, uint8_t *work, const double m[6])
{
    size_t c = (size_t)p->channels, line = (size_t)p->width * c;
    memcpy(work, p->pixels, bytes_of(p));
    int64_t fixed[6];
    const double at[6] = {m[0], m[1], m[2] + m[0] * 0.5 + m[1] * 0.5,
                          m[3], m[4], m[5] + m[3] * 0.5 + m[4] * 0.5};
    for (int k = 0; k < 6; k++)
        fixed[k] = (int64_t)floor(at[k] * 65536 + 0.5);
    uint8_t *to = p->pixels;
    for (int y = 0; y < p->height; y++) {
        int64_t fx = fixed[2] + y * fixed[1], fy = fixed[5] + y * fixed[4];
        for (int x = 0; x < p->width; x++, to += c, fx += fixed[0], fy += fixed[3]) {
            int64_t sx = fx >> 16, sy = fy >> 16;
            if (sx < 0 || sx >= p->width || sy < 0 || sy >= p->height)
                memset(to, 0, c);
            else
                memcpy(to, work + (size_t)sy * line + (size_t)sx * c, c);
        }
    }
}

static void rotate(struct picture *p, uint8_t *work, double degrees)
{
    double angle = -degrees * PI / 180, c = cos(angle), s = sin(angle);
    double x = p->width / 2.0, y = p->height / 2.0;
    transform(p, work, (double[]){c, s, -x * c - y * s + x, -s, c, x * s - y * c + y});
}

/* Each byte by its channel's table. */
static void replace(struct picture *p, uint8_t table[][256])
{
    int c = p->channels;
    for (uint8_t *at = p->pixels, *end = at + bytes_of(p); at < end; at += c)
        for (int k = 0; k < c; k++)
            at[k] = table[k][at[k]];
}

static void histogram(const struct picture *p, uint32_t count[3][256])
{
    memset(count, 0, 3 * sizeof *count);
    int c = p->channels;
    for (const uint8_t *at = p->pixels, *end = at + bytes_of(p); at < end; at += c)
        for (int k = 0; k < c; k++)
            count[k][at[k]]++;
}

static void autocontrast(struct picture *p)
{
    uint32_t count[3][256];
    uint8_t table[3][256];
    histogram(p, count);
    for (int c = 0; c < p->channels; c++) {
        int low = 0, high = 255;
        while (low < 255 && !count[c][low])
            low++;
        while (high > 0 && !count[c][high])
            high--;
        double scale = high > low ? 255.0 / (high - low) : 1;
        double offset = high > low ? -low * scale : 0;
        for (int v = 0; v < 256; v++) {
            int t = (int)(v * scale + offset);
            table[c][v] = (uint8_t)(t < 0 ? 0 : t > 255 ? 255 : t);
        }
    }
    replace(p, table);
}

static void equalize(struct picture *p)
{
    uint32_t count[3][256];
    uint8_t table[3][256];
    uint32_t n = (uint32_t)p->width * (uint32_t)p->height;
    histogram(p, count);
    for (int c = 0; c < p->channels; c++) {
        int last = 255;
        while (last > 0 && !count[c][last])
            last--;
        uint32_t step = (n - count[c][last]) / 255, sum = step / 2;
        for (int v = 0; v < 256; v++) {
            uint32_t t = step ? sum / step : (uint32_t)v;
            table[c][v] = (uint8_t)(t > 255 ? 255 : t);
            sum += count[c][v];
        }
    }
    replace(p, table);
}

static void one_table(struct picture *p, const uint8_t table[256])
{
    for (size_t i = 0, n = bytes_of(p); i < n; i++)
        p->pixels[i] = table[p->pixels[i]];
}

static void posterize(struct picture *p, int bits)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(v & ~((1 << (8 - bits)) - 1));
    one_table(p, table);
}

static void solarize(struct picture *p, double threshold)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(v < threshold ? v : 255 - v);
    one_table(p, table);
}

/* Hue, saturation and value in bytes, as Pillow's mode HSV. */
static void to_hsv(const uint8_t c[3], uint8_t hsv[3])
{
    int most = c[0] > c[1] ? c[0] : c[1], least = c[0] < c[1] ? c[0] : c[1];
    most = most > c[2] ? most : c[2];
    least = least < c[2] ? least : c[2];
    hsv[0] = hsv[1] = 0;
    hsv[2] = (uint8_t)most;
    if (most == least)
        return;
    float span = (float)(most - least), s = span / (float)most, h;
    float r = (float)(most - c[0]) / span, g = (float)(most - c[1]) / span;
    float b = (float)(most - c[2]) / span;
    if (c[0] == most)
        h = b - g;
    else if (c[1] == most)
        h = (float)(2.0 + r - b);
    else
        h = (float)(4.0 + g - r);
    h = (float)fmod(h / 6.0 + 1.0, 1.0);
    hsv[0] = (uint8_t)(int)(h * 255.0);
    hsv[1] = (uint8_t)(int)(s * 255.0);
}

static void from_hsv(const uint8_t hsv[3], uint8_t c[3])
{
    int value = hsv[2];
    float h = (float)(hsv[0] * 6.0 / 255.0), s = (float)(hsv[1] / 255.0);
    int i = (int)floorf(h);
    float f = h - (float)i;
    int p = (int)round(value * (1.0 - s)), q = (int)round(value * (1.0 - s * f));
    int t = (int)round(value * (1.0 - s * (1.0 - f)));
    const int by_sixth[6][3] = {{value, t, p}, {q, value, p}, {p, value, t},
                                {p, q, value}, {t, p, value}, {value, p, q}};
    for (int k = 0; k < 3; k++)
        c[k] = (uint8_t)by_sixth[i % 6][k];
}

void hue_turn(struct picture *p, double turn)
{
    if (p->channels == 1)
        return;
    uint8_t add = (uint8_t)(int)(turn * 255), hsv[3];
    for (uint8_t *c = p->pixels, *end = c + bytes_of(p); c < end; c += 3) {
        to_hsv(c, hsv);
        hsv[0] = (uint8_t)(hsv[0] + add);
        from_hsv(hsv, c);
    }
}

void operation_do(struct picture *p, uint8_t *work, enum operation op, double magnitude)
{
    float factor = (float)(1 + magnitude);
    switch (op) {
    case OP_SHEAR_X:
        transform(p, work, (double[]){1, magnitude, 0, 0, 1, 0});
        break;
    case OP_SHEAR_Y:
        transform(p, work, (double[]){1, 0, 0, magnitude, 1, 0});
        break;
    case OP_TRANSLATE_X:
        transform(p, work, (double[]){1, 0, -trunc(magnitude), 0, 1, 0});
        break;
    case OP_TRANSLATE_Y:
        transform(p, work, (double[]){1, 0, 0, 0, 1, -trunc(magnitude)});
        break;
    case OP_ROTATE:
        rotate(p, work, magnitude);
        break;
    case OP_BRIGHTNESS:
        brighten(p, factor);
        break;
    case OP_COLOR:
        saturate(p, factor);
        break;
    case OP_CONTRAST:
        contrast(p, factor);
        break;
    case OP_SHARPNESS:
        sharpen(p, work, factor);
        break;
    case OP_POSTERIZE:
        posterize(p, (int)magnitude);
        break;
    case OP_SOLARIZE:
        solarize(p, magnitude);
        break;
    case OP_AUTOCONTRAST:
        autocontrast(p);
        break;
    case OP_EQUALIZE:
        equalize(p);
        break;
    case OP_IDENTITY:
    case OPERATIONS:
        break;
    }
}

/* Of torchvision's 31 steps from 0 to `most` in single precision. */
static double step_of(int level, double most)
{
    float end = (float)most, step = end / 30;
    return level < 15 ? step * (float)level : end - step * (float)(30 - level);
}

double policy_magnitude(enum policy policy, enum operation op, int level, int width,
                        int height, bool *both_signs)
{
    bool wide = policy == POLICY_TRIVIAL;
    *both_signs = op >= OP_SHEAR_X && op <= OP_SHARPNESS;
    switch (op) {
    case OP_SHEAR_X:
    case OP_SHEAR_Y:
        return step_of(level, wide ? 0.99 : 0.3);
    case OP_TRANSLATE_X:
        return step_of(level, wide ? 32 : 150.0 / 331.0 * width);
    case OP_TRANSLATE_Y:
        return step_of(level, wide ? 32 : 150.0 / 331.0 * height);
    case OP_ROTATE:
        return step_of(level, wide ? 135 : 30);
    case OP_BRIGHTNESS:
    case OP_COLOR:
    case OP_CONTRAST:
    case OP_SHARPNESS:
        return step_of(level, wide ? 0.99 : 0.9);
    case OP_POSTERIZE:
        return 8 - rint((float)level / (float)(30.0 / (wide ? 6 : 4)));
    case OP_SOLARIZE:
        return 255 - 8.5 * level;
    default:
        return 0;
    }
}

static void policy_do(struct picture *p, uint8_t *work, struct rng *r,
                      const struct augment *a)
{
    int operations = a->policy == POLICY_TRIVIAL ? 1 : a->operations;
    for (int i = 0; i < operations; i++) {
        enum operation op = (enum operation)rng_below(r, OPERATIONS);
        int level = a->policy == POLICY_TRIVIAL ? (int)rng_below(r, 31) : a->magnitude;
        bool both_signs;
        double m = policy_magnitude(a->policy, op, level, p->width, p->height, &both_signs);
        if (both_signs && rng_below(r, 2))
            m = -m;
        operation_do(p, work, op, m);
    }
}

static float factor_draw(struct rng *r, float v)
{
    return (float)between(r, v < 1 ? 1 - v : 0, 1 + v);
}

void colours_change(struct picture *p, uint8_t *work, struct rng *r, const struct augment *a)
{
    if (a->policy != POLICY_NONE)
        policy_do(p, work, r, a);
    if (!(a->brightness > 0 || a->contrast > 0 || a->saturation > 0 || a->hue > 0))
        return;
    uint32_t order[4];
    rng_permutation(r, order, 4);
    float b = factor_draw(r, a->brightness), c = factor_draw(r, a->contrast);
    float s = factor_draw(r, a->saturation);
    double h = between(r, -a->hue, a->hue);
    for (int i = 0; i < 4; i++) {
        if (order[i] == 0 && a->brightness > 0)
            brighten(p, b);
        else if (order[i] == 1 && a->contrast > 0)
            contrast(p, c);
        else if (order[i] == 2 && a->saturation > 0)
            saturate(p, s);
        else if (order[i] == 3 && a->hue > 0)
            hue_turn(p, h);
    }
}
