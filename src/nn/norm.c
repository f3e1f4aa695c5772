/* Batch normalisation, residual add and activation: see layers.h for what the parts
 * compute and kernels/norm.h for how.  Source: Ioffe & Szegedy 2015, Algorithm 1. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "nn/kernels.h"

/* Rows that end inside half a vector are folded: `fold` of them, one behind the other, are
 * one row of fold·C columns, which whole vectors fill; what belongs to channel c is there
 * `fold` times.  C = 12, fold = 4, for the 16 lanes of the widest vector:
 *
 *      rows 0 … 3   ▪▪▪▪▪▪▪▪▪▪▪▪ ▪▪▪▪▪▪▪▪▪▪▪▪ ▪▪▪▪▪▪▪▪▪▪▪▪ ▪▪▪▪▪▪▪▪▪▪▪▪
 *      vectors      ████████████████ ████████████████ ████████████████
 *
 * (a pass in place over parts of vectors waits, row after row, for its own stores).  Rows
 * that are left at the end of a tile are taken one by one.  Statistics are those of each
 * column until norm_end merges them. */
enum { LANES = 16 };

static size_t fold_of(size_t C)
{
    size_t fold = 1;
    while (C % (LANES / 2) != 0 && fold * C % LANES != 0)
        fold *= 2;
    return fold;
}

// The arrays of a norm's state, columns of them each; rest: of the rows left over.  A part of a
// norm has sums of its own.
struct state {
    size_t fold, columns;
    float *mean, *scale, *beta; // scale = gamma·rstd
    float *c1, *c2;             // dx = scale·(g - c1 - (x - mean)·c2)
    float *rstd;                // C
    // forward: mean, Σ (x - mean)²; backward: Σg, Σ g·(x - mean)
    double *sum, *sum2;
    double *rest, *rest2; // forward alone
};

static size_t padded(size_t columns)
{
    return (columns + LANES - 1) / LANES * LANES;
}

size_t norm_floats(size_t C)
{
    return 14 * padded(C * fold_of(C));
}

size_t norm_sums(size_t C)
{
    return 8 * padded(C * fold_of(C));
}

static struct state state_of(const struct norm *n)
{
    size_t fold = fold_of(n->C), step = padded(fold * n->C);
    float *f = n->state;
    double *d = n->sums ? n->sums : (double *)(void *)(f + 6 * step);
    return (struct state){
        fold,         fold * n->C,  f, f + step, f + 2 * step, f + 3 * step,
        f + 4 * step, f + 5 * step, d, d + step, d + 2 * step, d + 3 * step};
}

// What the first C columns have becomes that of all.
static void spread(float *a, size_t C, const struct state *s)
{
    for (size_t j = 1; j < s->fold; j++)
        memcpy(a + j * C, a, C * sizeof *a);
}

void norm_begin(struct norm *n)
{
    struct state s = state_of(n);
    memset(s.sum, 0, 4 * padded(s.columns) * sizeof *s.sum);
    n->rows = n->rest = 0;
}

void norm_gather(struct norm *n, const float *x, size_t M)
{
    struct state s = state_of(n);
    size_t folded = M / s.fold, done = folded * s.fold;
    kernels_get()->norm_gather(s.sum, s.sum2, n->rows / s.fold, x, folded, s.columns);
    kernels_get()->norm_gather(s.rest, s.rest2, n->rest, x + done * n->C, M - done, n->C);
    n->rows += done;
    n->rest += M - done;
}

// Merges two parts of the rows (Chan, Golub, LeVeque 1983): those of `more` rows into those
// of `rows`.
static void merge(double *mean, double *m2, double rows, double mean2, double m22,
                  double more)
{
    double d = mean2 - *mean, share = more / (rows + more);
    *mean += d * share;
    *m2 += m22 + d * d * rows * share;
}

struct norm norm_part(const struct norm *n, float *sums)
{
    struct norm part = *n;
    part.sums = (double *)(void *)sums;
    norm_begin(&part);
    return part;
}

// The same of n columns.
static void merge_all(double *mean, double *m2, size_t rows, const double *mean2,
                      const double *m22, size_t more, size_t n)
{
    if (more == 0)
        return;
    for (size_t c = 0; c < n; c++)
        merge(&mean[c], &m2[c], (double)rows, mean2[c], m22[c], (double)more);
}

void norm_gather_part(struct norm *n, const struct norm *part)
{
    struct state s = state_of(n), p = state_of(part);
    merge_all(s.sum, s.sum2, n->rows / s.fold, p.sum, p.sum2, part->rows / s.fold, s.columns);
    merge_all(s.rest, s.rest2, n->rest, p.rest, p.rest2, part->rest, n->C);
    n->rows += part->rows;
    n->rest += part->rest;
}

void norm_end(struct norm *n)
{
    struct state s = state_of(n);
    size_t C = n->C, M = n->rows + n->rest;
    double each = (double)(n->rows / s.fold);
    assert(M > 0);
    for (size_t c = 0; c < C; c++) {
        double mean = s.rest[c], m2 = s.rest2[c];
        for (size_t j = 0; j < s.fold && each > 0; j++)
            merge(&mean, &m2, (double)n->rest + (double)j * each, s.sum[j * C + c],
                  s.sum2[j * C + c], each);
        double ss = m2 < 0 ? 0 : m2;
        double var = ss / (double)M, unbiased = M > 1 ? ss / (double)(M - 1) : var;
        s.mean[c] = (float)mean;
        s.rstd[c] = (float)(1.0 / sqrt(var + (double)n->eps));
        s.scale[c] = n->gamma[c] * s.rstd[c];
        s.beta[c] = n->beta[c];
        float *rm = &n->running_mean[c], *rv = &n->running_var[c];
        *rm = (1 - n->momentum) * *rm + n->momentum * s.mean[c];
        *rv = (1 - n->momentum) * *rv + n->momentum * (float)unbiased;
    }
    spread(s.mean, C, &s);
    spread(s.scale, C, &s);
    spread(s.beta, C, &s);
}

void norm_running(struct norm *n)
{
    struct state s = state_of(n);
    for (size_t c = 0; c < n->C; c++) {
        s.mean[c] = n->running_mean[c];
        s.scale[c] = n->gamma[c] / sqrtf(n->running_var[c] + n->eps);
        s.beta[c] = n->beta[c];
    }
    spread(s.mean, n->C, &s);
    spread(s.scale, n->C, &s);
    spread(s.beta, n->C, &s);
}

void norm_apply(const struct norm *n, float *y, const float *x, const float *add, size_t M)
{
    struct state s = state_of(n);
    size_t folded = M / s.fold, done = folded * s.fold, at = done * n->C;
    kernels_get()->norm_apply(y, x, add, s.mean, s.scale, s.beta, folded, s.columns, n->act);
    kernels_get()->norm_apply(y + at, x + at, add ? add + at : NULL, s.mean, s.scale, s.beta,
                              M - done, n->C, n->act);
}

bool norm_epilogue(struct epilogue *f, const struct norm *n)
{
    struct state s = state_of(n);
    *f = (struct epilogue){s.mean, s.scale, s.beta, n->act == ACT_RELU};
    return n->act != ACT_SILU;
}

void norm_grad(struct norm *n, float *g, const float *dy, const float *x, const float *add,
               const float *y, size_t M)
{
    struct state s = state_of(n);
    size_t folded = M / s.fold, done = folded * s.fold, at = done * n->C;
    kernels_get()->norm_grad(s.sum, s.sum2, g, dy, x, add, y, s.mean, s.scale, s.beta, folded,
                             s.columns, n->act);
    kernels_get()->norm_grad(s.sum, s.sum2, g + at, dy + at, x + at, add ? add + at : NULL,
                             y ? y + at : NULL, s.mean, s.scale, s.beta, M - done, n->C,
                             n->act);
    n->rows += M;
}

void norm_grad_part(struct norm *n, const struct norm *part)
{
    struct state s = state_of(n), p = state_of(part);
    for (size_t c = 0; c < s.columns; c++)
        s.sum[c] += p.sum[c], s.sum2[c] += p.sum2[c];
    n->rows += part->rows;
}

void norm_back_end(struct norm *n)
{
    struct state s = state_of(n);
    size_t C = n->C;
    double M = (double)n->rows;
    assert(n->rows > 0);
    for (size_t c = 0; c < C; c++) {
        double r = (double)s.rstd[c], sum = 0, sum2 = 0;
        for (size_t j = 0; j < s.fold; j++)
            sum += s.sum[j * C + c], sum2 += s.sum2[j * C + c];
        n->dbeta[c] += (float)sum;
        n->dgamma[c] += (float)(sum2 * r);
        s.c1[c] = (float)(sum / M);
        s.c2[c] = (float)(sum2 * r * r / M);
    }
    spread(s.c1, C, &s);
    spread(s.c2, C, &s);
}

void norm_dx(const struct norm *n, float *dx, const float *g, const float *x, size_t M)
{
    struct state s = state_of(n);
    size_t folded = M / s.fold, done = folded * s.fold, at = done * n->C;
    kernels_get()->norm_dx(dx, g, x, s.mean, s.scale, s.c1, s.c2, folded, s.columns);
    kernels_get()->norm_dx(dx + at, g + at, x + at, s.mean, s.scale, s.c1, s.c2, M - done,
                           n->C);
}

// ---- whole layers -------------------------------------------------------------------------

// Rows for the threads of the pool: a piece is some blocks of them.
enum { PIECE = 1 << 16 }; // floats, about
struct rows {
    struct norm *n;
    float *to, *scratch;
    const float *dy, *x, *add, *y;
    size_t M, piece; // rows, of all and of a piece
    struct turns turns;
};

static const float *from_row(const struct rows *r, const float *x, size_t row)
{
    return x ? x + row * r->n->C : NULL;
}

static void apply_rows(void *self, size_t from, size_t to)
{
    const struct rows *r = self;
    norm_apply(r->n, r->to + from * r->n->C, from_row(r, r->x, from),
               from_row(r, r->add, from), to - from);
}

void norm_forward(const struct norm *n, float *y, const float *x, const float *add, size_t M)
{
    struct norm same = *n;
    struct rows r = {.n = &same, .to = y, .x = x, .add = add};
    pool_share(M, LANES * fold_of(n->C), apply_rows, &r);
}

static void grad_rows(void *self, int thread)
{
    struct rows *r = self;
    float *sums = thread > 0 ? pool_room(thread) : r->scratch;
    for (size_t i; (i = (size_t)turns_take(&r->turns)) * r->piece < r->M;) {
        size_t row = i * r->piece, left = r->M - row;
        struct norm part = norm_part(r->n, sums);
        float *g = r->to + row * r->n->C;
        norm_grad(&part, g, from_row(r, r->dy, row), from_row(r, r->x, row),
                  from_row(r, r->add, row), from_row(r, r->y, row),
                  left < r->piece ? left : r->piece);
        turns_wait(&r->turns, (int)i);
        norm_grad_part(r->n, &part);
        turns_pass(&r->turns, (int)i);
    }
}

void norm_backward(struct norm *n, float *g, const float *dy, const float *x, const float *add,
                   const float *y, size_t M, float *scratch)
{
    size_t block = 256 * fold_of(n->C), blocks = PIECE / (block * n->C);
    struct rows r = {.n = n,
                     .to = g,
                     .scratch = scratch,
                     .dy = dy,
                     .x = x,
                     .add = add,
                     .y = y,
                     .M = M,
                     .piece = block * (blocks ? blocks : 1)};
    turns_begin(&r.turns);
    norm_begin(n);
    pool_run(grad_rows, &r);
    norm_back_end(n);
}
