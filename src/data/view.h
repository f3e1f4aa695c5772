/* What the network sees of a stored image: decoded, cropped, resized, changed, normalised.
 *
 * The test view: the short side brought to round(scale·image), the centre image×image cut out,
 * as torchvision does (the long side and the offset in whole pixels); an image of just the
 * network's size is taken as it is when scale is 1.  The training view: augment.h.  CROP_PADDED
 * and CROP_NONE start from the test view.  Pixels outside an image are 0, the mean, as
 * normalising comes first there (pycls's CIFAR-10).
 *
 * Of JPEG no more is decoded than the crop needs, at the scale it needs (with RESIZE_PYCLS in
 * full, as pycls does). */
#ifndef DATA_VIEW_H
#define DATA_VIEW_H
#include "data/augment.h"
#include "data/decode.h"

/* How a data set is looked at. */
struct look {
    int image, channels; // of the network's input; stored images have as many, or are gray
    double scale;        // short side : image, for the test view; at least 1
    enum resize resize;
    int pad;             // of CROP_PADDED where the recipe leaves it to the data set
    bool exact;          // all images have the network's size
    float level[3][256]; // the normalised value of each byte, by channel
};

/* Fills in the levels: minus the mean, divided by the deviation of each channel. */
void look_normalise(struct look *look, const double mean[3], const double std[3]);

/* Memory used again from image to image, one for each thread; starts as {0}. */
struct view_work {
    uint8_t *bytes[3]; // rows of a stored image, the view, a second one for operations
    size_t room[3];
    struct picture decoded;
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

/* The test view as bytes, to look at: a picture of image×image, in memory of w until its next
 * use, with the channels that are stored. */
bool view_picture(struct picture *out, const struct stored *s, enum layout layout,
                  const struct look *look, struct view_work *w);

/* The augmentation with what it leaves open filled in: the crop that suits the data set, its
 * pad, areas and aspects. */
struct augment augment_for(const struct augment *a, const struct look *look);

#endif
