/* How long networks take on this machine, told from the times of layers that were measured
 * once.
 *
 * What is measured are the operations of small networks at work (probes), drawn at random once
 * for all machines: in a network a layer meets the caches, and the norms that are carried out
 * with it, as in any other.  For each kind of piece (pieces.h) ln₂ of seconds a unit of work is
 * a lattice over ln₂ of its sizes, fitted to all that were measured; the time of a network is
 * the sum over its pieces, times what whole steps of the probes took beside their own sums.
 *
 * That times of layers add up to those of networks on processors, and are well told from a few
 * of their sizes: Cai et al. 2017 (NeuralPower, arXiv 1710.05420), Zhang et al. 2021 (nn-Meter). */
#ifndef MODEL_TIMING_H
#define MODEL_TIMING_H
#include "base/error.h"
#include "model/pieces.h"

enum {
    TIMING_PROBES = 256,    // in all
    TIMING_LEAST_IMAGE = 8, // sizes of images and batches of which it says something
    TIMING_MOST_IMAGE = 448,
    TIMING_MOST_BATCH = 1024,
};

/* Seconds of the pieces of a probe, and of a whole step beside their sum. */
struct probe {
    int number, n;
    double seconds[MODES][PIECES_MOST], whole[MODES];
};

/* Measures probe `number` with so many threads.  False when interrupted, or without memory. */
bool probe_measure(int number, int threads, struct probe *p, struct error *e);

/* The network of a probe, and its batch. */
void probe_network(int number, struct arch *a, int *batch);

struct timing {
    struct lattice lattice[PIECE_KINDS][MODES];
    double whole[MODES]; // seconds of a step beside the sum of its pieces
    double error[MODES]; // median of |told / measured - 1| of the probes
};

struct timing *timing_new(void); // zeros
void timing_free(struct timing *t);
void timing_fit(struct timing *t, const struct probe *probes, int n);

/* Seconds of a step of `batch` images; `a` is complete, and its own image size not used. */
double timing_of(const struct timing *t, const struct arch *a, int image, int batch,
                 enum mode mode);

#endif
