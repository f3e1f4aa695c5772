/* How fast a network runs here: whole training steps or forward passes on random images,
 * beside the speed of a plain matrix product on the same core.
 *
 * Rates count processor seconds of this process, not wall seconds: on a quiet machine they
 * are the same, and on a busy one only these say something about the engine. */
#ifndef MODEL_BENCHMARK_H
#define MODEL_BENCHMARK_H
#include "model/net.h"
#include "model/train.h"

struct benchmark; // a network with a batch of random images and labels

struct speed {
    int steps; // timed; one more warms the caches before them
    double images_per_s;
    double wall_images_per_s; // of the clock on the wall: what counts with several threads
    double gflops;            // 10^9 operations a second: 2·flops·(3 training, 1 test)
    double faults;            // pages first touched, per timed step
    double switches;          // times the process had to wait for the system, per timed step
    size_t peak_bytes;        // all memory of the network
};

/* NULL with the reason why there is no such network. */
struct benchmark *benchmark_new(const struct arch *a, int batch, struct error *e);
void benchmark_set_threads(struct benchmark *b, int threads); // 1 before
void benchmark_free(struct benchmark *b);

/* Steps (train) or forward passes for `seconds`.  False with "interrupted". */
bool benchmark_run(struct benchmark *b, bool train, double seconds, struct speed *s,
                   struct error *e);

/* Where a step's time goes: seconds of every operation at its time in the plan (plan.h; the
 * loss at n, the optimiser at 2n + 1), each the least of all steps, of which there are at
 * least three; whole (or NULL): of a step with its copying of images.  By net_clock (net.h).
 * `seconds` has room for 2n + 2.  False when interrupted. */
bool benchmark_profile(struct benchmark *b, bool train, double budget, double *seconds,
                       double *whole);
const struct plan *benchmark_plan(const struct benchmark *b);

/* Processor seconds that a source takes for one training image, in batches. */
double benchmark_source(const struct source *s, int batch, double seconds);

#endif
