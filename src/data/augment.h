/* Augmentation: what is drawn for a training image, and what is done to its pixels.
 *
 * Draws are keyed by (seed, epoch, image), never by order or worker.  In the order in which
 * they are drawn:
 *   crop          padded: y and x, each of 2·pad + 1 offsets.  (pycls draws 0 … 2·pad - 1, so
 *                 that the lowest and rightmost never occur.)
 *                 resized: area and aspect until the crop fits, ten times at most, then its
 *                 place; else the largest centred crop of an allowed aspect.  The aspect is
 *                 drawn log-uniformly as torchvision does; with `swap` uniformly and turned
 *                 upside down half of the time, as pycls does (and pycls's centre is square).
 *   flip          half of the images, left-right
 *   policy        RandAugment (Cubuk et al. 2020), TrivialAugment Wide (Müller, Hutter 2021):
 *                 operations, magnitudes, signs from torchvision's tables; nearest neighbour,
 *                 black where nothing was
 *   colour        brightness, contrast, saturation from U(max(0, 1 - v), 1 + v), hue from
 *                 U(-h, h), in an order that is drawn, as torchvision's ColorJitter
 *   lighting      a multiple of the colours' principal components (Krizhevsky et al. 2012),
 *                 with AlexNet's values, added to the whole image
 * Operations on bytes are Pillow's to the bit, but for sharpness (±1). */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H
#include "base/rng.h"
#include "data/picture.h"
#include "model/augment.h"

/* Of the padded crop: how far the corner is moved, -pad … pad. */
struct shift {
    int y, x;
};
struct shift shift_draw(struct rng *r, int pad);

/* Of the resized crop, in pixels of the image. */
struct region {
    int x, y, width, height;
};
struct region region_draw(struct rng *r, int width, int height, const struct augment *a);

bool flip_draw(struct rng *r);

/* The policy's operations, then the colour jitter, drawn and done in place; `work` has room
 * for a second picture of the size. */
void colours_change(struct picture *p, uint8_t *work, struct rng *r, const struct augment *a);

/* What lighting adds to red, green, blue (of 0 … 1). */
void lighting_draw(struct rng *r, float deviation, float shift[3]);

/* The operations of the policies; magnitude as torchvision's _apply_op takes it. */
enum operation {
    OP_IDENTITY,
    OP_SHEAR_X,
    OP_SHEAR_Y,
    OP_TRANSLATE_X,
    OP_TRANSLATE_Y,
    OP_ROTATE,
    OP_BRIGHTNESS,
    OP_COLOR,
    OP_CONTRAST,
    OP_SHARPNESS,
    OP_POSTERIZE,
    OP_SOLARIZE,
    OP_AUTOCONTRAST,
    OP_EQUALIZE,
    OPERATIONS
};
void operation_do(struct picture *p, uint8_t *work, enum operation op, double magnitude);
/* What a policy gives at a level of 0 … 30, and whether it is negated half of the time. */
double policy_magnitude(enum policy policy, enum operation op, int level, int width,
                        int height, bool *both_signs);
void hue_turn(struct picture *p, double turn); // -0.5 … 0.5 of the circle

#endif
