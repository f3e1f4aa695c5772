/* A survey of a data set: how many images and bytes each class has in each split, their sizes,
 * and which are exactly the same, within a split and between splits.
 *
 * Two images are the same when their bytes are, as they are kept: told by their number and their
 * 64-bit checksum, which a pack has of each image. */
#ifndef DATA_SURVEY_H
#define DATA_SURVEY_H
#include "data/dataset.h"

struct same {              // one image and another that is the same
    uint32_t image, other; // numbers in their splits, from 0
    uint8_t split, other_split;
    bool labels_differ;
};

struct survey {
    struct {
        uint32_t n;
        uint64_t bytes;
    } * of[SPLITS];               // [class]
    uint32_t width[3], height[3]; // least, median, most, as kept
    bool one_size;
    /* Groups of equal images: how many images are there again, in the split [a] and, of those of
     * [a] that are in [b] as well, [a][b]; how many of all have another label. */
    uint32_t again[SPLITS][SPLITS], mislabelled;
    struct same first[20]; // some of them
    int nfirst;
};

/* false when interrupted.  free with survey_end. */
bool survey_make(struct survey *s, const struct dataset *d);
void survey_end(struct survey *s);

/* Of the files of a pack, as they were (upright): least, median, most. */
struct survey_files {
    uint32_t width[3], height[3], bytes[3];
};
struct pack;
void survey_files(struct survey_files *s, const struct pack *p);

#endif
