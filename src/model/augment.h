/* What a recipe says of augmentation.  Source: pycls transforms.py, torchvision transforms. */
#ifndef MODEL_AUGMENT_H
#define MODEL_AUGMENT_H
#include <stdbool.h>

/* How training images are changed, image by image, keyed by (seed, epoch, image); computed by
 * data/augment.h.  Everything 0 and CROP_AUTO: what suits the data set (CROP_PADDED for images
 * of the size that the network takes, CROP_RESIZED with area 0.35 … 1 and a flip for others). */
enum crop_kind { CROP_AUTO, CROP_NONE, CROP_PADDED, CROP_RESIZED, CROP_KINDS };
enum policy { POLICY_NONE, POLICY_RANDAUGMENT, POLICY_TRIVIAL, POLICIES };

struct augment {
    enum crop_kind crop;
    int pad;                  // CROP_PADDED: pixels of zeros around; -1: as the data set says
    float area[2], aspect[2]; // CROP_RESIZED: share of the image, width/height
    bool swap;                // the aspect drawn as pycls does: uniformly, then turned or not
    bool flip;                // half of the images, left-right
    float lighting;           // standard deviation of PCA lighting (AlexNet), 0: none
    float brightness, contrast, saturation, hue; // colour jitter as torchvision's, 0: none
    enum policy policy;
    int operations, magnitude; // of RandAugment: how many, of 0 … 30
    float mixup, cutmix;       // alpha of their beta distribution, 0: none
};

#endif
