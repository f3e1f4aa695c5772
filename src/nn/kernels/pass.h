/* One direction of a convolution in groups, and the blocks of lanes that it goes by:
 * kernels/direct.h says how they are laid out. */
#ifndef KERNELS_PASS_H
#define KERNELS_PASS_H
#include "nn/kernels/vec.h"

enum { ACCS = REGISTERS == 32 ? 16 : 8 }; // vectors of sums kept in registers

// How an output row is made: 3×3 kernels in tiles, everything else by pixels.
enum way { ANY, STRIDE1, STRIDE2, SPREAD };

// One direction of a convolution: `in` (N,H,W,C) to `out` (N,Ho,Wo,K), groups of gi
// inputs and go outputs.  For the data gradient these are dy and dx.
struct pass {
    int N, H, W, C, Ho, Wo, K, R, S, gi, go;
    bool narrow;     // several groups in a vector
    bool transposed; // gradient of the data
    enum way way;
    int tile;                        // columns of a tile: ACCS, ACCS/2 or ACCS/4
    int per, blocks;                 // channels of a block (narrow), number of blocks
    const float *w;                  // packed
    const struct epilogue *epilogue; // or NULL
};

static struct pass pass_of(const struct conv *c, bool transposed)
{
    int Ho = conv_out(c->H, c->S), Wo = conv_out(c->W, c->S);
    struct pass p = {c->N, c->H, c->W, c->C,        Ho,          Wo,
                     c->K, c->R, c->S, c->C / c->G, c->K / c->G, .transposed = transposed};
    if (transposed) {
        p.H = Ho, p.W = Wo, p.C = c->K, p.Ho = c->H, p.Wo = c->W, p.K = c->C;
        p.gi = c->K / c->G, p.go = c->C / c->G;
    }
    // At stride 1 the gradient of the data is a convolution with the kernel turned round.
    if (c->R == 3 && c->S <= 2)
        p.way = c->S == 1 ? STRIDE1 : transposed ? SPREAD : STRIDE2;
    int width = p.way == SPREAD ? p.Wo / 2 * 2 : p.Wo, least = 1 << 30;
    if (width < ACCS / 4)
        p.way = ANY;
    for (int T = ACCS; T >= ACCS / 4; T /= 2) { // a tile also fetches its two neighbours
        int cost = (width + T - 1) / T * (T + 2);
        if (T <= width && cost < least)
            p.tile = T, least = cost;
    }
    p.narrow = direct_narrow(p.gi, p.go, V);
    p.per = p.narrow ? V / p.go * p.go : V;
    p.blocks = (int)direct_blocks(p.K, p.gi, p.go, V);
    return p;
}

// Where block b is: output channels k0 … k0+n-1; its inputs are loaded (narrow) or
// broadcast from channel c0 on; at[ci] says which loaded channel lane l takes.
struct block {
    int k0, n, c0;
    vi at[8]; // narrow groups have at most V/2 channels
};

static void block_at(struct block *k, const struct pass *p, int b)
{
    if (!p->narrow) {
        int in_group = (p->go + V - 1) / V, q = b / in_group, j = b % in_group * V;
        k->k0 = q * p->go + j;
        k->n = p->go - j < V ? p->go - j : V;
        k->c0 = q * p->gi;
        return;
    }
    k->k0 = b * p->per;
    k->n = p->K - k->k0 < p->per ? p->K - k->k0 : p->per;
    // The load of V channels stays inside the row, or runs into the slack (C < V, or where
    // lanes have to stay in their half of a vector).
    k->c0 = V != 8 && p->C >= V && k->k0 > p->C - V ? p->C - V : k->k0;
    for (int ci = 0; ci < p->gi; ci++) {
        int at[V];
        for (int l = 0; l < V; l++)
            at[l] = l < k->n ? l / p->gi * p->gi + ci + k->k0 - k->c0 : 0;
        k->at[ci] = vlanes(at);
    }
}

// Input channel ci of the lanes of a block.
INLINE vf input(const float *x, const struct block *k, int ci, bool narrow)
{
    return narrow ? vperm(vload(x), k->at[ci]) : vset(x[ci]);
}

#endif
