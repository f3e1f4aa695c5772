/* Says what is on a picture: ./a.out picture.ppm, a binary PPM (PGM for gray networks).
 *
 *   cc -O3 -march=native net.c demo.c -lm
 *
 * The middle of the picture is cut to a square, of the share of the short side that the network
 * was tested on, and brought to its size, each pixel being the mean of what it covers. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "net.h"

static float image[NET_IMAGE * NET_IMAGE * NET_CHANNELS];

static int number(FILE *f)
{
    int c = fgetc(f), v = 0;
    while (isspace(c) || c == '#') {
        while (c == '#' && (c = fgetc(f)) != '\n' && c != EOF)
            c = '#';
        c = fgetc(f);
    }
    for (; isdigit(c) && v < 1 << 20; c = fgetc(f))
        v = 10 * v + c - '0';
    return v;
}

/* The mean of the pixels from (x0, y0) to (x1, y1), parts of pixels included. */
static double area(const unsigned char *p, int w, int c, double x0, double y0, double x1, double y1)
{
    double sum = 0, weight = 0;
    for (int y = (int)y0; y < y1; y++)
        for (int x = (int)x0; x < x1; x++) {
            double a = (fmin(x + 1, x1) - fmax(x, x0)) * (fmin(y + 1, y1) - fmax(y, y0));
            sum += a * p[(y * w + x) * NET_CHANNELS + c];
            weight += a;
        }
    return sum / weight;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PICTURE.%s\n", argv[0], NET_CHANNELS == 3 ? "ppm" : "pgm");
        return 2;
    }
    if (!net_load()) {
        fprintf(stderr, "net.weights cannot be read here\n");
        return 1;
    }
    FILE *f = fopen(argv[1], "rb");
    if (!f) {
        perror(argv[1]);
        return 1;
    }
    if (fgetc(f) != 'P' || fgetc(f) != (NET_CHANNELS == 3 ? '6' : '5')) {
        fprintf(stderr, "%s: it is no binary %s\n", argv[1], NET_CHANNELS == 3 ? "PPM" : "PGM");
        return 1;
    }
    int w = number(f), h = number(f), most = number(f);
    size_t n = (size_t)w * (size_t)h * NET_CHANNELS;
    unsigned char *p = w > 0 && h > 0 && most == 255 ? malloc(n) : NULL;
    if (!p || fread(p, 1, n, f) != n) {
        fprintf(stderr, "%s: it is cut short, or has no values to 255\n", argv[1]);
        return 1;
    }
    fclose(f);
    double side = (w < h ? w : h) * ((double)NET_IMAGE / NET_SIDE);
    double left = (w - side) / 2, top = (h - side) / 2;
    double step = side / NET_IMAGE;
    for (int i = 0; i < NET_IMAGE * NET_IMAGE; i++)
        for (int c = 0; c < NET_CHANNELS; c++) {
            double x = left + i % NET_IMAGE * step, y = top + i / NET_IMAGE * step;
            image[i * NET_CHANNELS + c] =
                (float)area(p, w, c, x, y, fmin(x + step, w), fmin(y + step, h));
        }
    free(p);
    float logits[NET_CLASSES];
    net_run(image, logits);
    double sum = 0, top_logit = -INFINITY;
    for (int k = 0; k < NET_CLASSES; k++)
        top_logit = fmax(top_logit, logits[k]);
    for (int k = 0; k < NET_CLASSES; k++)
        sum += exp(logits[k] - top_logit);
    for (int shown = 0; shown < 5 && shown < NET_CLASSES; shown++) {
        int best = 0;
        for (int k = 1; k < NET_CLASSES; k++)
            if (logits[k] > logits[best])
                best = k;
        printf("%5.1f %%  %s\n", 100 * exp(logits[best] - top_logit) / sum, net_class_names[best]);
        logits[best] = -INFINITY;
    }
    return 0;
}
