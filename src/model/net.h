/* A trainable network: an architecture at one batch size (how it is laid out: plan.h).
 *
 * Memory is six blocks and nothing else: parameters, gradients, momentum (laid out
 * alike), running statistics, these before the step, and an activation arena, all of a size
 * known before anything is allocated; where a recipe asks for them, also averages of
 * parameters and running statistics, and draws (drop.h).  After net_new, net_set_threads,
 * net_want_average and net_want_drops no call allocates.  The arena of a freed
 * network is kept for the next one, which takes it if it is large enough.  Source of
 * structure, names and initialisation: pycls anynet.py / blocks.py; names as its state dict
 * (stem.conv, s1.b1.f.a, …).  Weight layout inside: (K,R,R,C/G). */
#ifndef MODEL_NET_H
#define MODEL_NET_H
#include <stddef.h>
#include <stdint.h>
#include "model/arch.h"
#include "model/param.h"

static const float NET_NORM_EPS = 1e-5f; // added to the variance in every batch norm

struct net;
struct plan;
struct drop;

/* Owns everything; false/NULL with a message when memory is above the limit or missing.
 */
struct net *net_new(const struct arch *a, int batch, struct error *e);
void net_free(struct net *n);
/* What net_new would allocate, and with it the threads of a step. */
size_t net_bytes(const struct arch *a, int batch, int threads);
void net_trim(void); // frees the kept arena, and what threads keep
/* The same network for another batch size; on failure nothing has changed. */
bool net_set_batch(struct net *n, int batch, struct error *e);
/* How many threads take part in its steps from the next on (1 after net_new), of the one pool
 * of this process (base/pool.h): fewer where the system has no more, or there are so few images
 * that it does not pay.  Results are the same bits for any number. */
void net_set_threads(struct net *n, int threads);
int net_threads(const struct net *n);

/* Initial weights of method: conv N(0, sqrt(2/(R·R·K))), BN 1 and 0, FC N(0, .01) and 0,
 * SE biases U(±1/sqrt(fan_in)); zero_gamma: the last BN of a residual branch starts at 0.
 * Also forgets momentum. */
void net_init(struct net *n, uint64_t seed, bool zero_gamma);

const struct arch *net_arch(const struct net *n);
int net_batch(const struct net *n);
const struct plan *net_plan(const struct net *n);
size_t net_params(const struct net *n); // entries below
const struct param *net_param(const struct net *n, size_t i);
float *net_values(struct net *n, const struct param *p);    // parameter or buffer
float *net_gradients(struct net *n, const struct param *p); // NULL for a buffer
float *net_momentum(struct net *n, const struct param *p);  // NULL for a buffer
float *net_average(struct net *n, const struct param *p);   // NULL where there is none

/* Input buffer (batch, image, image, channels) to fill before every forward (what it held is
 * gone after one).  Logits (count, classes) stay valid until the next call; count <=
 * batch. train: batch statistics, activations kept.
 * When an interrupt is pending forward and backward give up, with NULL and NaN: weights and
 * running statistics are those before the forward. */
float *net_input(struct net *n);
const float *net_forward(struct net *n, int count, bool train);
/* Gradients of everything, from the loss of the last forward, which must have been a
 * training one; overwrites the gradient block.  Returns the mean loss. */
double net_backward(struct net *n, const int *labels, float label_smoothing, int *wrong);
/* The same of mixed images: others, share as softmax_loss_mixed has them (nn/layers.h). */
double net_backward_mixed(struct net *n, const int *labels, const int *others, float share,
                          float label_smoothing, int *wrong);
/* One SGD step over all parameters; wd per group. */
void net_step(struct net *n, float lr, float momentum, bool nesterov,
              const float wd[PARAM_GROUPS]);
void net_rest(struct net *n); // momentum 0
/* Fine-tuning.  The parts of a network are its stem, its stages and its head.  From now on the
 * first `frozen` of them (not the head) stay as they are, their norms with the running statistics
 * in training as well, and of the others each learns at `scale` times the rate of the next, the
 * head at the rate itself.  0, 1: all alike. */
void net_tune(struct net *n, int frozen, float scale);

/* The exponential moving average of parameters and running statistics (of pycls net.py,
 * update_model_ema): average = (1-alpha)·average + alpha·weights. */
bool net_want_average(struct net *n, bool wanted, struct error *e); // keeps one that is there
void net_average_step(struct net *n, double alpha);
/* Exchanges the two: what is computed, saved and exported is of the averages until the next
 * call.  True from the first to the second: net_average_shown. */
void net_average_show(struct net *n);
bool net_average_shown(const struct net *n);
void net_average_keep(struct net *n); // the averages become the weights, and there are none

/* What the next forward in training leaves out (drop.h); net_want_drops before. */
bool net_want_drops(struct net *n, bool wanted, struct error *e);
void net_drop(struct net *n, const struct drop *what, uint64_t seed, int epoch,
              uint32_t step);

/* A forward in training after which the running statistics are those of this batch alone;
 * false as net_forward's NULL. */
bool net_gather(struct net *n, int count);
/* From now on each operation leaves net_clock of its end at its time in the plan, backward's
 * loss at n and net_step at 2n + 1 (plan->n + plan->n + 2 places); NULL: no longer.  For
 * profiles. */
void net_stamps(struct net *n, double *stamps);
/* Processor seconds of one thread; of several, seconds of the clock on the wall. */
double net_clock(const struct net *n);

/* What a file calls the parameters, where not as net_param: a name for each of them (NULL:
 * its own); whether its first convolution takes images with blue first; and which parameters
 * keep their values when the others are loaded (NULL: none). */
struct naming {
    const char *const *names;
    bool reversed;
    const bool *kept;
};
/* safetensors, pycls names or those of `names`, metadata format=pt, netspace.arch=<the arch as
 * JSON given by the caller> and netspace.data=<what it was trained on> (NULL: none)
 * (weights.c).  Written to a temporary file, fsynced, renamed. */
bool net_save(struct net *n, const char *path, const char *arch_json, const char *data_json,
              const struct naming *names, struct error *e);
bool net_load(struct net *n, const char *path, const struct naming *names, struct error *e);
/* The same with momentum and two texts: `identity` names the training, `state` says where
 * it stands (train.h).  Restoring gives the state, to be freed; NULL with a message, and the
 * net as it was, when the file is damaged or its identity is another one.  net_load takes
 * the weights of such a file too. */
bool net_checkpoint(struct net *n, const char *path, const char *arch_json,
                    const char *identity, const char *state, struct error *e);
char *net_restore(struct net *n, const char *path, const char *identity, struct error *e);

#endif
