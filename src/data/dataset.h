/* Data sets: training and test images with labels, and the batches a training takes.
 *
 * Every image is `image`×`image` RGB in bytes, three planes (R, G, B), each row by row,
 * as CIFAR-10's files have it; other formats are brought to this form when opened.  What
 * a data set holds never changes once it is open, so processes may share it: built-in
 * images are drawn again by each process from the seed, files are mapped read-only.
 *
 * Subsets (`train`, `test` below what there is) are drawn by seed, balanced over classes:
 * each class is put in random order, and the classes are then dealt in turn.  So image j
 * of a subset is the same image whatever its size: a subset of 1,000 is the beginning of
 * the subset of 2,000.  A data set taken whole keeps the order of its files.
 *
 * Not here: decoding of JPEG and the like; images of other than three channels. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "model/train.h"

enum {
    SHAPES_TRAIN = 10000,
    SHAPES_TEST = 2000,    // taken when nothing is asked
    SHAPES_MOST = 1000000, // of each; 3 GB
    CIFAR_TRAIN = 50000,
    CIFAR_TEST = 10000, // all there are
    CROP_PAD = 4,
    CROP_PAD_MOST = 16, // pycls; half an image of 32 pixels
};

struct split {
    uint32_t n;
    const uint8_t **pixels; // n times (3, image, image)
    uint16_t *labels;       // below `classes`
};

struct dataset {
    char *name, *spec;       // "cifar10", "cifar10:/absolute/dir": opens the same again
    int image, classes, pad; // pad: of training images, before the random crop
    char **class_names;
    uint64_t seed;
    double mean[3], std[3]; // of R, G, B in 0 … 255, taken off and divided by
    float level[3][256];    // so normalised: the value of each byte
    struct split train, test;
    struct source source; // what trains on it takes this

    char checksum[65]; // "" until asked for
    void *block;       // images this process owns
    size_t block_bytes;
    struct {
        void *at;
        size_t bytes;
    } maps[8]; // mapped files
    int nmaps;
};

struct data_options {
    uint32_t train, test; // how many images; 0: all (shapes: SHAPES_TRAIN, SHAPES_TEST)
    uint64_t seed;        // of the drawing (shapes) or of the subset
    int pad;              // pixels of zeros around a training image, 0 … CROP_PAD_MOST
};

/* Ten drawn classes of 32×32 pixels (shapes.c); CIFAR-10's binary version (cifar.c).
 * NULL with a message naming the file, what was found and what was expected, or
 * "interrupted". */
struct dataset *shapes_open(const struct data_options *o, struct error *e);
struct dataset *cifar10_open(const char *dir, const struct data_options *o, struct error *e);
void dataset_free(struct dataset *d);

/* SHA-256, in hexadecimal, of what is used: a line "image classes train_n test_n" (and, when
 * it is not CROP_PAD, " pad n": what networks were trained on differs by it), then
 * for each training and then each test image in order its label (2 bytes, little-endian)
 * and its pixels.  Computed when first asked for (about 3 s per GB); NULL when interrupted. */
const char *dataset_checksum(struct dataset *d);

/* For the formats: a data set without images; room for n images in a split; the subset
 * of `want` images drawn from a split (`which`: 0 train, 1 test); and the last step,
 * which sets mean, deviation and the source. */
struct dataset *dataset_new(const char *name, const char *spec, int image, int classes,
                            const char *const *class_names, const struct data_options *o);
void split_alloc(struct split *s, uint32_t n);
bool split_subset(struct split *s, const char *what, uint32_t want, int classes,
                  uint64_t seed, int which, struct error *e);
void dataset_ready(struct dataset *d, const double mean[3], const double std[3]);

#endif
