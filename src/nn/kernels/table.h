/* All kernels and their table, for one instruction set: what each of kernels/avx512.c, avx2.c,
 * neon.c and portable.c includes after its vectors.  The headers of kernels/ include what they
 * use, so their order does not matter. */
#ifndef KERNELS_TABLE_H
#define KERNELS_TABLE_H
#include "nn/kernels.h"
#include "nn/kernels/depthwise.h"
#include "nn/kernels/direct.h"
#include "nn/kernels/direct_weights.h"
#include "nn/kernels/norm.h"
#include "nn/kernels/point.h"
#include "nn/kernels/product.h"
#include "nn/kernels/winograd.h"

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .ahead = ahead_set,
    .direct = {direct_pack, direct_forward, direct_data, direct_weight, direct_weight_end},
    .depthwise = {depth_pack, depth_forward, depth_data, depth_weight, depth_weight_end},
    .winograd = {winograd_pack, winograd_forward, winograd_data, winograd_weight,
                 winograd_weight_end},
    .product = product,
    .product_pack = product_pack,
    .norm_gather = norm_gather_k,
    .norm_apply = norm_apply_k,
    .norm_grad = norm_grad_k,
    .norm_dx = norm_dx_k,
    .act_forward = act_forward,
    .act_backward = act_backward,
    .sigmoid = sigmoid_k,
    .gap_forward = gap_forward_k,
    .gap_backward = gap_backward_k,
    .gate = gate_k,
    .gate_dot = gate_dot,
    .gate_backward = gate_backward,
    .maxpool_forward = maxpool_forward_k,
    .maxpool_backward = maxpool_backward_k,
    .add = add_k,
    .pixels = pixels_k,
    .column_sums = column_sums,
    .sgd_step = sgd_step_k,
};

#endif
