/* Convolution, one tile at a time: what conv.c does and conv_pass.c puts together.
 * A tile is struct conv with fewer images. */
#ifndef NN_CONV_TILE_H
#define NN_CONV_TILE_H
#include "nn/kernels.h"

/* Where things lie in scratch.  Of all threads: weights packed, and sums of their gradient.  Of
 * one: what the kernels use (frequencies, or rows of im2col), one tile each of z, du and of a dx
 * to be added, its sums of the gradient of the weights, and those of a part of a norm. */
struct workspace {
    float *packed, *total;
    float *work, *z, *du, *part, *sum, *norm;
};
size_t place_shared(struct workspace *r, float *scratch, const struct conv *c);
size_t place_own(struct workspace *r, float *scratch, const struct conv *c);

/* The convolution as tiles see it, and how many of its images (conv.c) are a tile. */
struct conv conv_tiled(const struct conv *c);
int conv_tile_images(const struct conv *c);
size_t conv_pixels(const struct conv *c); // of the output, of all images
size_t conv_image_in(const struct conv *c);
size_t conv_image_out(const struct conv *c);

/* Whether the gradient of the weights of a tile is one sum, added once. */
bool conv_is_plain(const struct conv *c);

/* Kernels that make the whole convolution, or NULL: it goes through product(). */
const struct conv_kernels *conv_own_kernels(const struct conv *c);
size_t conv_weight_floats(const struct conv *c); // of the sums of their gradient

void conv_pack(const struct workspace *r, const float *w, const struct conv *c, bool data);
void forward_tile(float *y, const float *x, const struct conv *c, const struct workspace *r,
                  const struct epilogue *epilogue);
/* Adds to sum, or with `first` writes it. */
void weight_tile(float *sum, const float *dy, const float *x, const struct conv *c,
                 const struct workspace *r, bool first);
/* sum: dx holds a gradient already. */
void data_tile(float *dx, const float *dy, const float *w, const struct conv *c,
               const struct workspace *r, bool sum);

#endif
