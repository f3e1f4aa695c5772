/* What a network is inside: for net.c, which computes, and net_extras.c, which has what recipes
 * ask for besides. */
#ifndef MODEL_NET_STATE_H
#define MODEL_NET_STATE_H
#include "model/drop.h"
#include "model/plan.h"

static const float NORM_MOMENTUM = 0.1f;

struct net {
    struct plan *plan;
    float *params, *grads, *momentum, *buffers, *arena;
    float *before; // the running statistics before the last forward in training
    float *average, *average_buffers; // of params and buffers, or NULL
    bool average_shown;               // these are the parameters, and those the averages
    struct drops *drops;              // or NULL
    float norm_momentum;
    size_t arena_bytes; // as allocated: at least what the plan needs
    int threads;
    double work;    // multiply-adds of a forward pass of one image
    enum mode mode; // of the last forward
    int count;      // images in it
    double *stamps; // when each operation ended, or NULL
    int frozen;     // operations before this one stay as they are
    float scale;    // rate of a part over that of the next one
};

#endif
