/* The networks on which the times of layers are measured (declared in timing.h). */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/benchmark.h"
#include "model/complexity.h"
#include "model/timing.h"

static const double ROOM = 7e8;     // work of a step forward, in multiply-adds, at most
static const double ACT = 50;       //   where an activation counts as so many (forecast.lua)
static const double SECONDS = 0.06; // to measure, of each mode
enum { STAGES = 4, MOST_WIDTH = 1024 };

static int pick(struct rng *r, const int *list, int n)
{
    return list[rng_below(r, (uint64_t)n)];
}
#define PICK(r, list) pick(r, list, (int)(sizeof(list) / sizeof *(list)))

// One that may be too large, or none.
static void draw(struct rng *r, struct arch *a)
{
    static const int images[] = {16, 32, 32, 48, 64, 96, 128, 160, 224, 224};
    static const int blocks[] = {BLOCK_X, BLOCK_X, BLOCK_X, BLOCK_X,     BLOCK_X,  BLOCK_X,
                                 BLOCK_X, BLOCK_X, BLOCK_R, BLOCK_BASIC, BLOCK_VR, BLOCK_MB};
    static const int bottlenecks[] = {1, 1, 2, 4}, kernels[] = {3, 3, 3, 5};
    static const int groups[] = {1, 2, 4, 8, 16, 32, 64}, stems[] = {16, 32};
    *a = (struct arch){.stages = STAGES, .classes = 10, .channels = 3};
    a->image = PICK(r, images);
    a->block = (enum arch_block)PICK(r, blocks);
    a->stem = rng_below(r, 2) && a->image <= 64 ? STEM_CIFAR : STEM_SIMPLE;
    if (a->image > 64 && rng_below(r, 5) == 0)
        a->stem = STEM_RES;
    a->stem_width = PICK(r, stems);
    a->se = rng_below(r, 5) == 0 ? 0.25 : 0;
    a->act = a->block == BLOCK_MB || rng_below(r, 12) == 0 ? ACT_SILU : ACT_RELU;
    a->head_width = a->block == BLOCK_MB ? 8 * a->stem_width : 0;
    bool at_once = a->image <= 64 && rng_below(r, 2);
    for (int i = 0; i < STAGES; i++) {
        double w = 8 * exp2(rng_uniform(r) * log2(MOST_WIDTH / 8.0));
        a->d[i] = 1 + (int)rng_below(r, 2);
        a->w[i] = 8 * (int)rint(w / 8);
        a->b[i] = a->block == BLOCK_MB ? 0.25 : PICK(r, bottlenecks);
        a->g[i] = PICK(r, groups);
        a->stride[i] = i == 0 && at_once ? 1 : 2;
        a->kernel[i] = a->block == BLOCK_MB ? PICK(r, kernels) : 3;
    }
}

void probe_network(int number, struct arch *a, int *batch)
{
    struct rng r = rng_key(0, (uint64_t)number, RNG_PROBE);
    struct error e;
    for (;;) {
        draw(&r, a);
        double most = ROOM;
        *batch = 4 << rng_below(&r, 6);
        if (!arch_complete(a, &e))
            continue;
        struct complexity c = complexity(a, a->image, false);
        double work = (double)c.flops + ACT * (double)c.acts;
        while (*batch > 2 && *batch * work > most)
            *batch /= 2;
        if (*batch * work <= 1.5 * most)
            return;
    }
}

// Adds seconds of operations (benchmark_profile) to the pieces that they belong to.
static void gather(struct probe *p, enum mode m, const struct plan *plan,
                   const double *seconds)
{
    int j = -1; // the piece
    for (int i = 0; i < plan->n; i++) {
        double t = seconds[i] + (m == MODE_TRAIN ? seconds[2 * plan->n - i] : 0);
        bool norm = plan->ops[i].kind == OP_NORM;
        bool projects = norm && i + 1 < plan->n && plan->ops[i + 1].kind == OP_CONV &&
                        plan->ops[i + 1].in != plan->ops[i].out;
        if (!norm)
            j++;
        p->seconds[m][norm && !projects ? j + 1 : j] += t;
    }
    assert(j + 2 == p->n);
    if (m == MODE_TRAIN)
        p->seconds[m][j + 1] += seconds[plan->n] + seconds[2 * plan->n + 1];
}

bool probe_measure(int number, int threads, struct probe *p, struct error *e)
{
    struct arch a;
    struct piece rows[PIECES_MOST];
    int batch;
    probe_network(number, &a, &batch);
    *p = (struct probe){.number = number, .n = pieces_of(&a, a.image, batch, rows)};
    struct benchmark *b = benchmark_new(&a, batch, e);
    if (!b)
        return false;
    benchmark_set_threads(b, threads);
    const struct plan *plan = benchmark_plan(b);
    double *seconds = xcalloc((size_t)(2 * plan->n + 2), sizeof *seconds);
    bool good = true;
    for (enum mode m = MODE_TEST; good && m < MODES; m++) {
        bool train = m == MODE_TRAIN;
        good = benchmark_profile(b, train, SECONDS, seconds, &p->whole[m]);
        if (good)
            gather(p, m, plan, seconds);
    }
    free(seconds);
    benchmark_free(b);
    return good || error_set(e, "interrupted");
}
