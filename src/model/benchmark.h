/* How fast a network runs here: whole training steps or forward passes on random images,
 * beside the speed of a plain matrix product on the same core at the same moment. */
#ifndef MODEL_BENCHMARK_H
#define MODEL_BENCHMARK_H
#include "model/net.h"

struct benchmark {
    double images_per_s;
    double gflops;       // 10^9 operations a second: 2·flops·(3 training, 1 test)
    double sgemm_gflops; // of a 768×768×768 product
    size_t peak_bytes;   // all memory of the network
    int steps;           // timed
};

/* Two steps to warm up, then steps for `seconds`.  False with "interrupted", or with the
 * reason why there is no such network. */
bool benchmark_run(struct benchmark *b, const struct arch *a, int batch, bool train,
                   double seconds, struct error *e);

#endif
