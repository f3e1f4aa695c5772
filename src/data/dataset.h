/* Data sets: training, validation and test images with labels, and the batches a training
 * takes.
 *
 * Populations are compared, and networks chosen, by the validation images; the test images
 * are for a network already chosen.  A data set without validation images (`validation` 0)
 * has its test images serve for both, as all did once.
 *
 * An image is a `struct stored`: bytes in one of three layouts (picture.h), in mapped files or
 * in memory of the data set; how it becomes numbers says `look` (view.h).  What a data set
 * holds never changes once it is open, so processes may share it: built-in images are drawn
 * again by each process from the seed, files are mapped read-only.
 *
 * Subsets (`train`, `validation`, `test` below what there is) are drawn by seed, balanced over
 * classes: each class is put in random order, and the classes are then dealt in turn.  So
 * image j of a subset is the same image whatever its size: a subset of 1,000 is the beginning
 * of the subset of 2,000.  A split taken whole keeps the order of its files.
 *
 * Where the files have only training and test images, validation images are taken out of the
 * training images: of each class the same share, from the end of that class's random order,
 * dealt in turn.  So a subset of the training images is the same with and without them. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "data/picture.h"
#include "data/view.h"
#include "model/train.h"

enum {
    SHAPES_TRAIN = 10000,
    SHAPES_TEST = 2000,    // taken when nothing is asked, of validation images as well
    SHAPES_MOST = 1000000, // of each; 3 GB
    CIFAR_TRAIN = 50000,
    CIFAR_TEST = 10000, // all there are
    CROP_PAD = 4,
    CROP_PAD_MOST = 16, // pycls; half an image of 32 pixels
};

struct split {
    uint32_t n;
    struct stored *images;
    uint16_t *labels; // below `classes`
    uint64_t *sums;   // checksum of each image (base/checksum.h) where a file has it; or NULL
    uint64_t *seen;   // with sums: a bit for each image that this process has verified
};

struct dataset {
    char *name, *spec; // "cifar10", "cifar10:/absolute/dir": opens the same again
    int classes;
    char **class_names;
    uint64_t seed;
    double mean[3], std[3]; // of R, G, B (or gray) in 0 … 255, taken off and divided by
    enum layout layout;
    struct look look;
    struct split train, validation, test; // validation.n 0: the test images serve for both
    struct view_work *work;               // of look; one for each thread of the pool
    struct source source;                 // what trains on it takes this
    const uint16_t *relabel; // labels of the test view, by label; NULL: as they are

    char checksum[65], test_checksum[65]; // "" until asked for
    void *block;                          // images this process owns
    size_t block_bytes;
    struct {
        void *at;
        size_t bytes;
    } maps[8]; // mapped files
    int nmaps;
    struct { // of a pack: its file, and the index and names in it
        const uint8_t *map;
        uint64_t index_at, names_at;
        uint32_t n;
    } pack;
};

/* `validation` that nobody has given: as many as `test` where that is given, else a tenth of
 * the training images, or what the format says. */
#define VALIDATION_DEFAULT UINT32_MAX

struct data_options {
    uint32_t train, test; // how many images; 0: all (shapes: SHAPES_TRAIN, SHAPES_TEST)
    uint32_t validation;  // 0: none; VALIDATION_DEFAULT
    uint64_t seed;        // of the drawing (shapes) or of the subset
    int pad;              // pixels of zeros around a training image, 0 … CROP_PAD_MOST
    int image;            // side that networks take; 0: that of the files
    double scale;         // of the test view (view.h); 0: what suits
    enum resize resize;
};

/* Ten drawn classes of 32×32 pixels (shapes.c); CIFAR-10's binary version (cifar.c).
 * NULL with a message naming the file, what was found and what was expected, or
 * "interrupted". */
struct dataset *shapes_open(const struct data_options *o, struct error *e);
struct dataset *cifar10_open(const char *dir, const struct data_options *o, struct error *e);
void dataset_free(struct dataset *d);

/* Before the first use of an image by this process: whether it has its checksum. */
bool split_intact(const struct split *s, uint32_t i);

/* The name of an image in its pack; NULL where it has none. */
const char *dataset_name(const struct dataset *d, const struct stored *s);

/* The images of a name of model/train.h, with test for validation where there is none. */
const struct split *dataset_split(const struct dataset *d, enum split_name name);

/* SHA-256, in hexadecimal, of what trainings and comparisons see: a line
 * "image classes train_n validation_n" (test_n where there is no validation), and what makes
 * numbers of the images where it is not usual (" pad n" when not CROP_PAD; of other layouts
 * than planes, channels, scale, resize, mean and deviation), then for each training and then
 * each validation (test) image in order its label (2 bytes, little-endian) and its bytes, or,
 * where the split has them, their size and checksum (4 and 8 bytes).
 *
 * The test images that only net:test sees are not part.  So a store of a data set opened
 * before there was validation goes on: `shapes` has the same checksum as then, as its
 * validation images are those that were its test images, and CIFAR-10 has it with
 * validation 0.
 *
 * Computed when first asked for (about 3 s per GB); NULL when interrupted. */
const char *dataset_checksum(struct dataset *d);

/* The same of the test images alone: by it looks at them are counted. */
const char *dataset_test_checksum(struct dataset *d);

/* For the formats: a data set without images; room for n images in a split (sums as well
 * when asked); which images are used (validation out of train where the split is empty, then
 * the subsets); and the last step, which sets mean, deviation (3 numbers each, of gray images
 * the same) and the source. */
struct dataset *dataset_new(const char *name, const char *spec, int image, int channels,
                            int classes, const char *const *class_names,
                            const struct data_options *o);
void split_alloc(struct split *s, uint32_t n, bool sums);
bool dataset_choose(struct dataset *d, const struct data_options *o, struct error *e);
void dataset_ready(struct dataset *d, const double mean[3], const double std[3]);

/* *seen: d as a network sees it that was trained on another set: normalised by the mean and
 * deviation of that one, its class k called relabel[k] (NULL: k).  For the test view; it lives as
 * long as d and relabel, and is not freed. */
void dataset_see(struct dataset *seen, const struct dataset *d, const double mean[3],
                 const double std[3], const uint16_t *relabel);

/* Networks take images of the size that is asked for (before dataset_ready): `side` is that of
 * all files, 0 when they differ. */
void dataset_resize(struct dataset *d, const struct data_options *o, int side);

#endif
