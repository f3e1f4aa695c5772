/* The built-in data set `shapes`: ten figures in 32×32 RGB, drawn from a seed.
 *
 * The class is the figure alone.  Place, size, rotation, colours, shading, texture of the
 * ground, stray strokes and pixel noise vary independently of it, so that a network must
 * see form at several scales and turns.  The figure is always lighter than the ground:
 * without that sign, networks spend their first thousand steps finding out that both
 * are the same figure, and a short training tells them apart by luck.
 * Image i of a split depends on (seed, split, i) alone, and each ten consecutive images
 * have each class once, so a smaller set is the beginning of a larger one.
 *
 * Figures are signed distances (after Quilez) in units of the figure's radius; the edge
 * is smoothed over one pixel.  Only + - × ÷ and square roots are used, which IEEE 754
 * defines to the last bit: the same seed gives the same bytes on every machine. */
#include <math.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/dataset.h"

enum { CLASSES = 10, SIDE = 32, PIXELS = SIDE * SIDE, GRID = 5, STROKES = 3 };

static const char *const names[CLASSES] = {"disc", "square", "triangle", "ring",    "cross",
                                           "star", "moon",   "bars",     "checker", "dots"};

static double uniform(struct rng *r, double lo, double hi)
{
    return lo + (hi - lo) * rng_uniform(r);
}

// A direction, uniform on the circle, without sine and cosine.
static void direction(struct rng *r, double *x, double *y)
{
    double n;
    do {
        *x = uniform(r, -1, 1);
        *y = uniform(r, -1, 1);
        n = *x * *x + *y * *y;
    } while (n > 1 || n < 0.01);
    n = sqrt(n);
    *x /= n;
    *y /= n;
}

// Five lines at distance c from the centre: inside a star at most one of them is passed,
// so its distance is the second largest of the five.
static double star(double u, double v)
{
    static const double n[5][2] = {{0, 1},
                                   {0.9510565162951535, 0.30901699437494745},
                                   {0.5877852522924731, -0.8090169943749475},
                                   {-0.5877852522924731, -0.8090169943749475},
                                   {-0.9510565162951535, 0.30901699437494745}};
    double first = -9, second = -9;
    for (int k = 0; k < 5; k++) {
        double d = n[k][0] * u + n[k][1] * v;
        if (d > first) {
            second = first;
            first = d;
        } else if (d > second)
            second = d;
    }
    return second - 0.38;
}

// Distance to the nearest multiple of `step`.
static double near(double t, double step)
{
    return fabs(t - step * floor(t / step + 0.5));
}

// Signed distance of (u, v) to the figure of a class: negative inside.
static double figure(int class, double u, double v)
{
    double a = fabs(u), b = fabs(v), r;
    switch (class) {
    case 0: // disc
        return sqrt(u * u + v * v) - 0.85;
    case 1: // square
        return fmax(a, b) - 0.75;
    case 2: // triangle
        return fmax(-v, 0.8660254037844386 * a + 0.5 * v) - 0.5;
    case 3: // ring
        return fabs(sqrt(u * u + v * v) - 0.7) - 0.22;
    case 4: // cross
        return fmax(fmax(a, b) - 0.95, fmin(a, b) - 0.28);
    case 5:
        return star(u, v);
    case 6: // moon: a disc without another
        r = sqrt((u - 0.5) * (u - 0.5) + v * v);
        return fmax(sqrt(u * u + v * v) - 0.95, 0.75 - r);
    case 7: // three bars
        return fmax(fmax(a, b) - 0.9, near(v, 0.72) - 0.18);
    case 8:                                           // checker of 3×3 squares: five of them
        r = fmax(fabs(a - 0.6), fabs(b - 0.6)) - 0.3; // the four corners
        return fmin(r, fmax(a, b) - 0.3);
    default: // 3×3 dots
        u = a > 0.31 ? a - 0.62 : a;
        v = b > 0.31 ? b - 0.62 : b;
        return sqrt(u * u + v * v) - 0.22;
    }
}

struct stroke {
    double x, y, dx, dy, length, width, colour[3];
};

// How far inside the pixel a distance d (in pixels) covers: 0 … 1.
static double coverage(double d)
{
    return d <= -0.5 ? 1 : d >= 0.5 ? 0 : 0.5 - d;
}

static double stroke_coverage(const struct stroke *s, double x, double y)
{
    double u = (x - s->x) * s->dx + (y - s->y) * s->dy;
    double v = (y - s->y) * s->dx - (x - s->x) * s->dy;
    return coverage(fmax(fabs(u) - s->length, fabs(v) - s->width));
}

static void draw(uint8_t *planes, int class, struct rng *r)
{
    double cx, cy, radius, ux, uy, gx, gy, ground[3], paint[3], slope[3], shade;
    double lattice[3][GRID][GRID];
    struct stroke strokes[STROKES];

    radius = uniform(r, 9, 13);
    cx = uniform(r, 13, SIDE - 13);
    cy = uniform(r, 13, SIDE - 13);
    direction(r, &ux, &uy);
    direction(r, &gx, &gy);
    double contrast;
    do {
        contrast = 0;
        for (int c = 0; c < 3; c++) {
            ground[c] = uniform(r, 30, 225);
            paint[c] = uniform(r, 30, 225);
            contrast += paint[c] - ground[c];
        }
    } while (contrast < 180);
    shade = uniform(r, -2, 2); // of the figure along its own axis
    double rough = uniform(r, 3, 25), noise = uniform(r, 3, 16);
    for (int c = 0; c < 3; c++) {
        slope[c] = uniform(r, -2, 2);
        for (int i = 0; i < GRID; i++)
            for (int j = 0; j < GRID; j++)
                lattice[c][i][j] = uniform(r, -rough, rough);
    }
    int nstrokes = (int)rng_below(r, STROKES + 1);
    for (int k = 0; k < nstrokes; k++) {
        struct stroke *s = &strokes[k];
        s->x = uniform(r, 0, SIDE);
        s->y = uniform(r, 0, SIDE);
        direction(r, &s->dx, &s->dy);
        s->length = uniform(r, 2, 10);
        s->width = uniform(r, 0.5, 1.2);
        for (int c = 0; c < 3; c++)
            s->colour[c] = uniform(r, 20, 235);
    }

    const double cell = (double)SIDE / (GRID - 1);
    for (int py = 0; py < SIDE; py++) {
        double y = py + 0.5, fy = y / cell;
        int iy = (int)fy;
        fy -= iy;
        for (int px = 0; px < SIDE; px++) {
            double x = px + 0.5, fx = x / cell;
            int ix = (int)fx;
            fx -= ix;
            double u = ((x - cx) * ux + (y - cy) * uy) / radius;
            double v = ((y - cy) * ux - (x - cx) * uy) / radius;
            double cover = coverage(radius * figure(class, u, v));
            double along = (x - SIDE / 2) * gx + (y - SIDE / 2) * gy;
            double over[STROKES];
            for (int k = 0; k < nstrokes; k++)
                over[k] = stroke_coverage(&strokes[k], x, y);
            uint64_t bits = rng_u64(r);
            for (int c = 0; c < 3; c++) {
                const double(*g)[GRID] = lattice[c];
                double top = g[iy][ix] + fx * (g[iy][ix + 1] - g[iy][ix]);
                double low = g[iy + 1][ix] + fx * (g[iy + 1][ix + 1] - g[iy + 1][ix]);
                double value = ground[c] + slope[c] * along + top + fy * (low - top);
                for (int k = 0; k < nstrokes; k++)
                    value += over[k] * (strokes[k].colour[c] - value);
                value += cover * (paint[c] + shade * radius * v - value);
                // the sum of two bytes less their mean: deviation 104.5
                int dice = (int)(bits & 255) + (int)(bits >> 8 & 255) - 255;
                bits >>= 16;
                value += noise * dice / 104.5;
                planes[c * PIXELS + py * SIDE + px] = value <= 0     ? 0
                                                      : value >= 255 ? 255
                                                                     : (uint8_t)(value + 0.5);
            }
        }
    }
}

// The splits' part of the key of their images.  The validation images are those that were the
// test images when there were two splits; without them they are the test images again.
enum { KEY_TRAIN, KEY_VALIDATION, KEY_TEST };

// Draws n images of a split at *block, which moves on.
static void draw_split(struct split *s, uint32_t n, uint8_t **block, uint64_t seed,
                       uint64_t which)
{
    uint32_t order[CLASSES];
    split_alloc(s, n, false);
    for (uint32_t i = 0; i < n && !interrupt_pending(); i++, *block += 3 * PIXELS) {
        if (i % CLASSES == 0) { // the classes of the next ten
            struct rng r = rng_key(seed, (which << 1 | 1) << 32 | i, RNG_SHAPES);
            rng_permutation(&r, order, CLASSES);
        }
        struct rng r = rng_key(seed, which << 33 | i, RNG_SHAPES);
        draw(*block, (int)order[i % CLASSES], &r);
        s->images[i] = (struct stored){*block, 3 * PIXELS, SIDE, SIDE};
        s->labels[i] = (uint16_t)order[i % CLASSES];
    }
}

struct dataset *shapes_open(const struct data_options *o, struct error *e)
{
    // Of 10,000 images; fixed, so that an image's values do not depend on the others.
    static const double mean[3] = {105.5, 105.5, 105.5}, std[3] = {57, 57, 57};
    uint32_t train = o->train ? o->train : SHAPES_TRAIN;
    uint32_t test = o->test ? o->test : SHAPES_TEST;
    uint32_t validation = o->validation == VALIDATION_DEFAULT ? test : o->validation;
    if (train > SHAPES_MOST || validation > SHAPES_MOST || test > SHAPES_MOST) {
        error_set(e,
                  "%u training, %u validation and %u test images asked for; shapes draws at "
                  "most %d of each",
                  train, validation, test, SHAPES_MOST);
        return NULL;
    }
    struct dataset *d = dataset_new("shapes", "shapes", SIDE, 3, CLASSES, names, o);
    d->block_bytes = ((size_t)train + validation + test) * 3 * PIXELS;
    d->block = block_alloc(d->block_bytes);
    if (!d->block) {
        error_set(e, "no memory for %u images (%zu MB)", train + validation + test,
                  d->block_bytes >> 20);
        dataset_free(d);
        return NULL;
    }
    uint8_t *at = d->block;
    draw_split(&d->train, train, &at, o->seed, KEY_TRAIN);
    draw_split(&d->validation, validation, &at, o->seed, KEY_VALIDATION);
    draw_split(&d->test, test, &at, o->seed, validation ? KEY_TEST : KEY_VALIDATION);
    if (interrupt_pending()) {
        error_set(e, "interrupted");
        dataset_free(d);
        return NULL;
    }
    dataset_resize(d, o, SIDE);
    dataset_ready(d, mean, std);
    return d;
}
