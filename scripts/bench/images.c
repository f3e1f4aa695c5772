/* The engine's side of `make bench-images` (images.py): slices of work on JPEG files in memory,
 * on one core.
 *
 *   images --draw DIR      writes 24 drawn photographs there
 *   images DIR             then, for each line read, works for half a second of processor time and
 *                          prints images per second; the lines are
 *     decode               whole images, in full
 *     crop N               training views of N pixels, area 0.08 to 1, flipped, normalised
 *     bytes N              the same from bytes of short side 146 in memory
 *     resize               270×268 to 224×224, antialias */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "data/encode.h"
#include "data/view.h"
#include "nn/isa.h"

enum { MOST = 2000, DRAWN = 24, SHORT = 146 };

static struct stored jpeg[MOST], bytes[MOST];
static int n;
static struct view_work work;
static float x[512 * 512 * 3];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("bench: %s cannot be read", path);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = xmalloc(*size + 1);
    if (fread(p, 1, *size, f) != *size)
        die("bench: %s cannot be read", path);
    fclose(f);
    return p;
}

static void read_folder(const char *dir)
{
    struct dirent **names;
    int found = scandir(dir, &names, NULL, alphasort);
    if (found < 0)
        die("bench: %s cannot be read", dir);
    for (int i = 0; i < found; i++) {
        char path[4096];
        struct image_info info;
        struct picture p, small;
        struct error e;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (n == MOST || names[i]->d_name[0] == '.')
            continue;
        uint8_t *file = read_file(path, &size);
        if (!image_probe(file, size, &info, &e) || info.format != IMAGE_JPEG ||
            !image_decode(file, size, &(struct decode){.channels = 3}, &p, &e))
            continue;
        int w, h;
        short_side(p.width, p.height, SHORT, &w, &h);
        picture_resize(&small, w, h, &p, RESIZE_ANTIALIAS, &work.resize);
        jpeg[n] =
            (struct stored){file, (uint32_t)size, (uint16_t)p.width, (uint16_t)p.height};
        bytes[n++] =
            (struct stored){small.pixels, (uint32_t)(w * h * 3), (uint16_t)w, (uint16_t)h};
        free(p.pixels);
    }
    if (n == 0)
        die("bench: no JPEG file in %s", dir);
}

/* Waves of all lengths, edges and a little noise: about as many bytes as photographs. */
static void draw(const char *dir)
{
    for (int i = 0; i < DRAWN; i++) {
        struct rng r = rng_key(1, (uint64_t)i, RNG_SHAPES);
        int w = i % 3 ? 400 : 534, h = i % 3 ? 534 : 400;
        struct picture p = {w, h, 3, xmalloc((size_t)(w * h * 3))};
        double wave[12][5];
        for (int k = 0; k < 12; k++)
            for (int j = 0; j < 5; j++)
                wave[k][j] = (rng_uniform(&r) - 0.5) * (j < 2 ? 0.02 * pow(1.5, k) : 6.28);
        for (int y = 0; y < h; y++)
            for (int k = 0; k < w; k++)
                for (int c = 0; c < 3; c++) {
                    double v = 128 + 4 * rng_normal(&r);
                    for (int j = 0; j < 12; j++)
                        v += 60 / (j + 1.0) *
                             sin(wave[j][0] * k + wave[j][1] * y + wave[j][2 + c]);
                    if ((k - w / 2) * (k - w / 2) + (y - h / 2) * (y - h / 2) < 90 * 90)
                        v = 255 - v;
                    p.pixels[(y * w + k) * 3 + c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
                }
        uint8_t *file;
        size_t size;
        struct error e;
        char path[4096];
        snprintf(path, sizeof path, "%s/%02d.jpg", dir, i);
        FILE *f = fopen(path, "wb");
        if (!f || !picture_to_jpeg(&p, 85, &file, &size, &e) ||
            fwrite(file, 1, size, f) != size || fclose(f) != 0)
            die("bench: %s cannot be written", path);
        free(file);
        free(p.pixels);
    }
}

static double slice(const char *what, int side)
{
    static uint8_t from[270 * 268 * 3], to[224 * 224 * 3];
    static uint32_t image;
    struct look look = {.image = side, .channels = 3, .scale = 8 / 7.0};
    struct augment a = {.crop = CROP_RESIZED, .area = {0.08f, 1}, .flip = true};
    bool crop = strcmp(what, "crop") == 0, rows = strcmp(what, "bytes") == 0;
    for (int i = 0; i < 256; i++)
        look.level[0][i] = look.level[1][i] = look.level[2][i] = (float)i / 64 - 2;
    double begin = now(), took = 0;
    int done = 0;
    for (; took < 0.5; took = now() - begin)
        for (int k = 0; k < 16; k++, done++, image++) {
            const struct stored *s =
                rows ? &bytes[image % (uint32_t)n] : &jpeg[image % (uint32_t)n];
            struct picture p;
            if (crop || rows) {
                if (!view_train(x, s, rows ? LAYOUT_ROWS : LAYOUT_JPEG, &look, &a, 1, 0,
                                image, &work))
                    die("bench: %s", work.error.msg);
            } else if (strcmp(what, "resize") == 0) {
                struct pixels part = {from, 270, 268, 3, 270 * 3};
                pixels_resize(to, 224, 224, part, (struct box){0, 0, 270, 268},
                              RESIZE_ANTIALIAS, &work.resize);
            } else {
                if (!image_decode(s->bytes, s->size, &(struct decode){.channels = 3}, &p,
                                  &work.error))
                    die("bench: %s", work.error.msg);
                free(p.pixels);
            }
        }
    return done / took;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--draw") == 0) {
        draw(argv[2]);
        return 0;
    }
    if (argc != 2)
        die("usage: images --draw DIR, or images DIR");
    read_folder(argv[1]);
    double size = 0, pixels = 0;
    for (int i = 0; i < n; i++) {
        size += jpeg[i].size / 1024.0 / n;
        pixels += (double)jpeg[i].width * jpeg[i].height / n;
    }
    printf("%d JPEG files, on average %.0f kB and %.0f thousand pixels; kernels %s\n", n,
           size, pixels / 1000, isa_name());
    fflush(stdout);
    char what[16];
    int side;
    for (char line[64]; fgets(line, sizeof line, stdin);) {
        side = 64;
        if (sscanf(line, "%15s %d", what, &side) < 1 || side < 8 || side > 512)
            continue;
        printf("%.6g\n", slice(what, side));
        fflush(stdout);
    }
    return 0;
}
