/* See pieces.h. */
#include "model/pieces.h"

#include <math.h>
#include <string.h>

#include "base/table.h"

static const double ELEMENT = 30; // multiply-adds that take as long as touching a float once
static const double WEIGHT = 10;  // as long as packing a weight
static const double BEGINNING = 2e4; // as long as beginning an operation
enum { LANES = 8 };                  // to which output channels are padded

const char *piece_name(enum piece_kind k)
{
    static const char *const names[] = {"product",
                                        "gathered",
                                        "wide",
                                        "direct",
                                        "direct strided",
                                        "depthwise",
                                        "depthwise strided",
                                        "winograd",
                                        "se",
                                        "max pool",
                                        "pool",
                                        "linear",
                                        "step"};
    TABLE_HAS(names, PIECE_KINDS);
    return names[k];
}

struct lattice piece_lattice(enum piece_kind k)
{
    static const struct axis any = {0, 1, 1}, widths = {3, 1, 9}, groups = {0, 1, 10},
                             pixels = {6, 3, 5}, sides = {1, 1.5, 5}, rough = {3, 2, 5},
                             params = {10, 4, 5};
    struct lattice l = {.axis = {any, any, any}};
    switch (k) {
    case PIECE_PRODUCT:
    case PIECE_GATHERED:
        l.axis[0] = widths, l.axis[1] = widths, l.axis[2] = pixels;
        break;
    case PIECE_DIRECT:
    case PIECE_DIRECT_S:
    case PIECE_WINOGRAD:
        l.axis[0] = groups, l.axis[1] = widths, l.axis[2] = sides;
        break;
    case PIECE_DEPTHWISE:
    case PIECE_DEPTHWISE_S:
        l.axis[1] = widths, l.axis[2] = sides;
        break;
    case PIECE_WIDE:
    case PIECE_SE:
    case PIECE_MAXPOOL:
    case PIECE_GAP:
    case PIECE_LINEAR:
        l.axis[1] = rough, l.axis[2] = sides;
        break;
    case PIECE_STEP:
        l.axis[1] = params;
        break;
    case PIECE_KINDS:
        break;
    }
    return l;
}

// A walk through a network: what the next part works on.
struct walk {
    struct piece *rows;
    int n, times, batch;
    bool silu;
    double params;
};

static struct piece *add(struct walk *w, enum piece_kind kind, double a, double b, double c,
                         double test, double train)
{
    struct piece *p = &w->rows[w->n++];
    *p = (struct piece){
        .kind = kind,
        .times = w->times,
        .at = {log2(a), log2(b), log2(c)},
        .work = {[MODE_TEST] = test + BEGINNING, [MODE_TRAIN] = train + 2 * BEGINNING}};
    return p;
}

static enum piece_kind kind_of(const struct conv *c)
{
    const char *method = conv_method(c);
    if (strcmp(method, "winograd") == 0)
        return PIECE_WINOGRAD;
    if (strcmp(method, "depthwise") == 0)
        return c->S > 1 ? PIECE_DEPTHWISE_S : PIECE_DEPTHWISE;
    if (c->R == 1 && c->G == 1)
        return c->S > 1 ? PIECE_GATHERED : PIECE_PRODUCT;
    if (strcmp(method, "im2col") == 0)
        return PIECE_WIDE;
    return c->S > 1 ? PIECE_DIRECT_S : PIECE_DIRECT;
}

static double pad(int x, int to)
{
    return (x + to - 1) / to * to;
}

// q on h×h pixels; first: its input is that of the network.
static void add_conv(struct walk *w, const struct part *q, int h, unsigned switches,
                     bool first)
{
    struct conv c = {.N = w->batch,
                     .H = h,
                     .W = h,
                     .C = q->w_in,
                     .K = q->w_out,
                     .R = q->kernel,
                     .S = q->stride,
                     .G = q->groups};
    enum piece_kind kind = kind_of(&c);
    double N = w->batch, out = conv_out(h, c.S), M = N * out * out, gi = c.C / c.G;
    double x = N * h * h * c.C, y = M * c.K, taps = c.R * c.R, weights = taps * gi * c.K;
    double read = c.R == 1 ? x / (c.S * c.S) : x;
    double madds = M * taps * gi * pad(c.K, LANES);
    if (kind == PIECE_WINOGRAD) {
        double tiles = ((int)out + 3) / 4;
        madds = N * tiles * tiles * 36 * gi * pad(c.K, LANES);
    }
    double more = (switches & PIECE_STORES ? 2 * x : 0) +
                  (switches & PIECE_ACCUMULATES ? x : 0) + (q->projects ? 5 * y : 0);
    bool plain = kind == PIECE_PRODUCT || kind == PIECE_GATHERED;
    add(w, kind, gi, c.K, plain ? M : out, madds + ELEMENT * (read + y) + WEIGHT * weights,
        (first ? 2 : 3) * madds + ELEMENT * (3 * (read + y) + more) + 3 * WEIGHT * weights)
        ->switches = switches | (w->silu ? PIECE_SILU : 0);
    w->params += w->times * (weights + 2 * c.K);
}

/* The parts of a stem, block or head, whose input is h×h; input: the norm that has yet to be
 * applied to it, as switches.  Returns the side of the output. */
static int add_parts(struct walk *w, const struct parts *b, int h, unsigned input, bool first)
{
    bool shared = false, read = false; // whether two parts read the input; whether one has
    unsigned x = input;                // the same of what the next part works on
    int N = w->batch;
    for (int i = 0; i < b->n; i++)
        shared = shared || b->list[i].projects || b->list[i].adds;
    for (int i = 0; i < b->n; i++) {
        const struct part *q = &b->list[i];
        int out = q->stride > 1 ? conv_out(h, q->stride) : h;
        double X = (double)N * h * h * q->w_in;
        switch (q->kind) {
        case PART_CONV: {
            // Of the readers of the input the first applies its norm and, backward, is the last.
            bool on_input = q->projects || i == 0 || b->list[i - 1].projects;
            unsigned s = on_input && read ? 0 : x;
            if (on_input && shared && !read)
                s = (x ? PIECE_STORES : 0) | PIECE_ACCUMULATES;
            read = read || on_input;
            add_conv(w, q, h, s, first && i == 0);
            if (!q->projects) {
                x = PIECE_APPLIES;
                h = out;
            }
            break;
        }
        case PART_SE: {
            double madds = 2.0 * N * q->w_in * q->w_out;
            add(w, PIECE_SE, 1, q->w_in, h, madds + ELEMENT * 3 * X,
                3 * madds + ELEMENT * 12 * X)
                ->switches = w->silu ? PIECE_SILU : 0;
            w->params += w->times * (2.0 * q->w_in * q->w_out + q->w_in + q->w_out);
            x = 0;
            break;
        }
        case PART_MAXPOOL:
            add(w, PIECE_MAXPOOL, 1, q->w_in, h, ELEMENT * 3 * X, ELEMENT * 8 * X);
            h = out;
            x = 0;
            break;
        case PART_GAP:
            add(w, PIECE_GAP, 1, q->w_in, h, ELEMENT * X, ELEMENT * 6 * X);
            h = 1;
            break;
        case PART_LINEAR: {
            double weights = (double)q->w_in * q->w_out;
            add(w, PIECE_LINEAR, 1, q->w_in, q->w_out, N * weights + ELEMENT * X,
                3 * N * weights + 3 * ELEMENT * X);
            w->params += weights + q->w_out;
            break;
        }
        }
    }
    return h;
}

// Of a block's result: what the first reader has yet to do.
static unsigned pending(const struct parts *b)
{
    const struct part *last = &b->list[b->n - 1];
    if (last->kind != PART_CONV)
        return 0;
    return last->adds ? PIECE_STORES : PIECE_APPLIES;
}

int pieces_of(const struct arch *a, int image, int batch, struct piece *rows)
{
    struct walk w = {.rows = rows, .times = 1, .batch = batch, .silu = a->act == ACT_SILU};
    struct parts b;
    stem_parts(&b, a);
    int h = add_parts(&w, &b, image, 0, true);
    unsigned x = pending(&b);
    for (int i = 0; i < a->stages; i++) {
        w.times = 1;
        block_parts(&b, a, i, i ? a->w[i - 1] : a->stem_width, a->stride[i]);
        h = add_parts(&w, &b, h, x, false);
        x = pending(&b);
        if (a->d[i] == 1)
            continue;
        w.times = a->d[i] - 1;
        block_parts(&b, a, i, a->w[i], 1);
        h = add_parts(&w, &b, h, x, false);
        x = pending(&b);
    }
    w.times = 1;
    head_parts(&b, a);
    add_parts(&w, &b, h, x, false);
    add(&w, PIECE_STEP, 1, w.params, 1, 0, 12 * ELEMENT * w.params);
    return w.n;
}
