/* Convolution, all tiles (conv.c): what the norms fused with it need is done to a tile at once,
 *
 *      forward    x ─ norm ─► z ─ conv ─► y ─► statistics     z lives in scratch only
 *      backward   dy, y ─► du ──┬─ weights ◄─ z ◄─ norm ─ x
 *                               └─ data ─► dx ─► g and its sums
 *
 * and tiles are shared by the threads of the pool.  A piece of this work is a tile forward, some
 * tiles backward; whoever is free takes the next.  What a piece adds to the statistics of a norm
 * and to the gradient of the weights it first sums for itself, and puts to the whole when all
 * pieces before it have: the bits depend on the pieces, which the shape alone decides.
 *
 * Source: norms split and carried out by their neighbours: Jung et al. 2018, arXiv 1807.01702. */
#include <assert.h>

#include "base/interrupt.h"
#include "base/pool.h"
#include "nn/conv_tile.h"

enum {
    PIECE_PIXELS = 1024, // least output pixels of a piece backward, which sums weights for itself,
    PIECES = 16,         // where there are two; and most pieces
};

static const struct fusion unfused;

// One direction of one convolution, for all threads.
struct pass {
    float *y, *dx, *dw;
    const float *x, *dy, *w;
    const struct conv *conv; // as it was asked for
    const struct fusion *b;
    float *scratch; // that of the first thread
    struct conv all;
    struct workspace shared;
    size_t own_scratch; // where that of the first thread begins
    int images, tiles, pieces;
    const struct epilogue *epilogue; // of testing, when it is part of the convolution
    struct turns turns;
};

static void pass_begin(struct pass *p, bool backward)
{
    p->all = conv_tiled(p->conv);
    p->own_scratch = place_shared(&p->shared, p->scratch, &p->all);
    p->images = conv_tile_images(&p->all);
    p->tiles = p->pieces = (p->all.N - 1) / p->images + 1;
    if (backward && !conv_is_plain(p->conv)) {
        size_t most = conv_pixels(&p->all) / PIECE_PIXELS;
        for (p->pieces = 2; p->pieces < PIECES && (size_t)p->pieces * 2 <= most;)
            p->pieces *= 2;
        p->pieces = p->pieces < p->tiles ? p->pieces : p->tiles;
    }
    turns_begin(&p->turns);
}

static struct workspace workspace_of(const struct pass *p, int thread)
{
    struct workspace r = p->shared;
    place_own(&r, thread > 0 ? pool_room(thread) : p->scratch + p->own_scratch, &p->all);
    return r;
}

// The first tile of a piece.
static int piece_begin(const struct pass *p, int piece)
{
    return (int)((long long)p->tiles * piece / p->pieces);
}

// A tile: its images are first … first+n-1.
struct tile {
    size_t first;
    struct conv c;
};

static struct tile tile_of(const struct pass *p, int number)
{
    struct tile t = {(size_t)number * (size_t)p->images, p->all};
    int left = p->all.N - (int)t.first;
    t.c.N = left < p->images ? left : p->images;
    return t;
}

// The tile that this thread probably takes after one of that piece; false: there is none.
static bool tile_next(const struct pass *p, int number, int piece, struct tile *next)
{
    if (++number == piece_begin(p, piece + 1)) {
        piece += pool_threads();
        if (piece >= p->pieces)
            return false;
        number = piece_begin(p, piece);
    }
    *next = tile_of(p, number);
    return true;
}

// A tile's part of a tensor of so many floats an image is to be fetched.
static void prefetch(struct span *spans, int *n, const float *x, const struct tile *t,
                     size_t image)
{
    if (x)
        spans[(*n)++] = (struct span){x + t->first * image, (size_t)t->c.N * image};
}

// Everybody may stop: those who wait for their turn, too.
static bool interrupted(struct pass *p)
{
    if (!interrupt_pending())
        return false;
    turns_give_up(&p->turns);
    return true;
}

// ---- forward ------------------------------------------------------------------------------

static void fetch_forward(const struct pass *p, const struct tile *t)
{
    size_t xi = conv_image_in(&p->all), yi = conv_image_out(&p->all);
    const struct fusion *b = p->b;
    struct span spans[AHEAD];
    int n = 0;
    if (t) {
        prefetch(spans, &n, p->x, t, xi);
        prefetch(spans, &n, p->y, t, yi);
        prefetch(spans, &n, b->in_y, t, xi);
        prefetch(spans, &n, b->in_add, t, xi);
        prefetch(spans, &n, b->add, t, yi);
    }
    kernels_get()->ahead(spans, n);
}

static void forward_one(const struct pass *p, const struct tile *t, const struct workspace *r,
                        struct norm *part)
{
    const struct fusion *b = p->b;
    size_t xi = conv_image_in(&p->all), yi = conv_image_out(&p->all), xat = t->first * xi;
    size_t rows = conv_pixels(&t->c);
    const float *x = p->x + xat;
    float *y = p->y + t->first * yi;
    if (b->in) {
        float *z = b->in_y ? b->in_y + xat : r->z;
        norm_apply(b->in, z, x, b->in_add ? b->in_add + xat : NULL,
                   (size_t)t->c.N * xi / (size_t)t->c.C);
        x = z;
    }
    forward_tile(y, x, &t->c, r, p->epilogue);
    if (b->out && b->testing && !p->epilogue)
        norm_apply(b->out, y, y, b->add ? b->add + t->first * yi : NULL, rows);
    else if (part)
        norm_gather(part, y, rows);
}

// Whether the statistics of the norm that follows are there before its input is.
static bool given(const struct fusion *b)
{
    return b->testing || (b->out && b->out->fixed);
}

static void forward_part(void *self, int thread)
{
    struct pass *p = self;
    struct norm *out = given(p->b) ? NULL : p->b->out;
    struct workspace r = workspace_of(p, thread);
    for (int i; (i = turns_take(&p->turns)) < p->pieces;) {
        struct tile t = tile_of(p, i), next;
        struct norm part;
        if (interrupted(p))
            return;
        fetch_forward(p, tile_next(p, i, i, &next) ? &next : NULL);
        if (out)
            part = norm_part(out, r.norm);
        forward_one(p, &t, &r, out ? &part : NULL);
        if (!out)
            continue;
        if (!turns_wait(&p->turns, i))
            return;
        norm_gather_part(out, &part);
        turns_pass(&p->turns, i);
    }
}

void conv_forward(float *y, const float *x, const float *w, const struct conv *c,
                  const struct fusion *b, float *scratch)
{
    struct pass p = {
        .y = y, .x = x, .w = w, .conv = c, .b = b ? b : &unfused, .scratch = scratch};
    struct epilogue epilogue;
    struct norm *out = p.b->out;
    pass_begin(&p, false);
    conv_pack(&p.shared, w, c, false);
    if (out && given(p.b))
        norm_running(out);
    else if (out)
        norm_begin(out);
    if (out && p.b->testing && !p.b->add && norm_epilogue(&epilogue, out))
        p.epilogue = &epilogue;
    pool_run(forward_part, &p);
    if (out && !given(p.b) && !interrupt_pending())
        norm_end(out);
}

// ---- backward -----------------------------------------------------------------------------

static void fetch_backward(const struct pass *p, const struct tile *t)
{
    size_t xi = conv_image_in(&p->all), yi = conv_image_out(&p->all);
    const struct fusion *b = p->b;
    struct span spans[AHEAD];
    int n = 0;
    if (t) {
        prefetch(spans, &n, p->dx, t, xi);
        prefetch(spans, &n, b->in_y, t, xi);
        prefetch(spans, &n, p->x, t, xi);
        prefetch(spans, &n, b->out ? b->y : NULL, t, yi);
        prefetch(spans, &n, p->dy, t, yi);
    }
    kernels_get()->ahead(spans, n);
}

// sum: of the weights, to which the tile adds, or which it writes as `first`; part: of in.
static void backward_one(const struct pass *p, const struct tile *t, const struct workspace *r,
                         float *sum, bool first, struct norm *part)
{
    const struct fusion *b = p->b;
    size_t xi = conv_image_in(&p->all), yi = conv_image_out(&p->all);
    size_t xat = t->first * xi, yat = t->first * yi, rows = (size_t)t->c.N * xi / (size_t)t->c.C;
    const float *x = p->x + xat, *z = x, *du = p->dy + yat;
    if (b->out) {
        norm_dx(b->out, r->du, du, b->y + yat, conv_pixels(&t->c));
        du = r->du;
    }
    if (b->in && b->in_y) {
        z = b->in_y + xat;
    } else if (b->in) {
        norm_apply(b->in, r->z, x, NULL, rows);
        z = r->z;
    }
    if (sum)
        weight_tile(sum, du, z, &t->c, r, first);
    if (!p->dx)
        return;
    float *dx = p->dx + xat;
    data_tile(dx, du, p->w, &t->c, r, b->sum);
    if (part)
        norm_grad(part, dx, dx, x, NULL, z, rows);
}

static void backward_part(void *self, int thread)
{
    struct pass *p = self;
    struct norm *in = p->dx ? p->b->in : NULL;
    bool own = conv_own_kernels(p->conv) != NULL, plain = conv_is_plain(p->conv);
    float *total = own ? p->shared.total : p->dw;
    struct workspace r = workspace_of(p, thread);
    for (int i; (i = turns_take(&p->turns)) < p->pieces;) {
        // What is one sum may go to the whole at once, if it is its turn already.
        bool at_once = i == 0 || (plain && turns_now(&p->turns, i));
        float *sum = !p->dw ? NULL : at_once ? total : r.sum;
        bool first = at_once ? own && i == 0 : true;
        struct norm part;
        if (in)
            part = norm_part(in, r.norm);
        for (int k = piece_begin(p, i); k < piece_begin(p, i + 1); k++, first = false) {
            struct tile t = tile_of(p, k), next;
            if (interrupted(p))
                return;
            fetch_backward(p, tile_next(p, k, i, &next) ? &next : NULL);
            backward_one(p, &t, &r, sum, first, in ? &part : NULL);
        }
        if (!turns_wait(&p->turns, i))
            return;
        if (in)
            norm_grad_part(in, &part);
        if (sum && !at_once)
            kernels_get()->add(total, sum, conv_weight_floats(p->conv));
        turns_pass(&p->turns, i);
    }
}

void conv_backward(float *dx, float *dw, const float *dy, const float *x, const float *w,
                   const struct conv *c, const struct fusion *b, float *scratch)
{
    struct pass p = {.dx = dx,
                     .dw = dw,
                     .dy = dy,
                     .x = x,
                     .w = w,
                     .conv = c,
                     .b = b ? b : &unfused,
                     .scratch = scratch};
    pass_begin(&p, true);
    if (dx)
        conv_pack(&p.shared, w, c, true);
    if (dx && p.b->in)
        norm_begin(p.b->in);
    pool_run(backward_part, &p);
    if (interrupt_pending())
        return;
    if (dw && conv_own_kernels(c))
        conv_own_kernels(c)->weight_end(dw, p.shared.total, c);
    if (dx && p.b->in)
        norm_back_end(p.b->in);
}
