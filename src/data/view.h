/* What the network sees of a stored image: decoded, cropped, resized, changed, normalised.
 *
 * The test view: the short side brought to round(scale·image), the centre image×image cut out,
 * as torchvision does (the long side and the offset in whole pixels); an image of just the
 * network's size is taken as it is when scale is 1.  The training view: augment.h.  CROP_PADDED
 * and CROP_NONE start from the test view.  Pixels outside an image are 0, the mean, as
 * normalising comes first there (pycls's CIFAR-10).
 *
 * Of JPEG no more is decoded than the crop needs, at the scale it needs. */
#ifndef DATA_VIEW_H
#define DATA_VIEW_H
#include "data/augment.h"
#include "data/decode.h"

/* How a data set is looked at. */
struct look {
    int image, channels; // of the network's input; the stored images have these channels
    double scale;        // short side : image, for the test view
    enum resize resize;
    int pad;             // of CROP_PADDED where the recipe leaves it to the data set
    bool exact;          // all images have the network's size
    float level[3][256]; // the normalised value of each byte, by channel
};

/* Memory used again from image to image, one for each thread; starts as {0}. */
struct view_work {
    struct picture picture; // of image×image
    struct picture decoded;
    uint8_t *second;
    size_t room;
    struct resize_work resize;
    struct error error; // why the last view failed
};
void view_work_free(struct view_work *w);

/* x (image, image, channels).  False, with w->error: the image cannot be decoded (packs check
 * their images, so that this means a damaged file).  What is drawn depends on (seed, epoch,
 * image) alone. */
bool view_train(float *x, const struct stored *s, enum layout layout, const struct look *look,
                const struct augment *a, uint64_t seed, int epoch, uint32_t image,
                struct view_work *w);
bool view_test(float *x, const struct stored *s, enum layout layout, const struct look *look,
               struct view_work *w);

/* The picture itself, bytes (image, image, channels), of a test view: to look at. */
bool view_picture(struct picture *out, const struct stored *s, enum layout layout,
                  const struct look *look, struct view_work *w);

#endif
