/* Feeds: where the images of a pack come from, one after the other.
 *
 *   folder:DIR      class folders, with train, val and test above them or without (torchvision's
 *                   ImageFolder); names are sorted, links followed, hidden and empty files left out
 *   list:FILE       lines of path,label[,split] (CSV, tabs); paths are relative to the file
 *   tar:PATTERN     tar or zip, plain or compressed: class folders, or WebDataset's samples
 *                   (key.jpg with key.cls or key.json); braces {000..146} and * make many of one
 *   cifar100:DIR    train.bin and test.bin
 *   idx:DIR         MNIST and its family, gzip or not; idx:DIR/emnist-letters is one set of several
 *   npz:FILE        x_train, y_train … as Keras, train_images, train_labels … as MedMNIST
 *
 * A feed opens by a listing of the files (names, sizes, times): its checksum names the pack made
 * of them.  What an image's class is may be known only at the end, in archives. */
#ifndef DATA_FEED_H
#define DATA_FEED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "data/picture.h"

enum part { PART_TRAIN, PART_VALIDATION, PART_TEST, PART_NONE, PARTS }; // NONE: to be split

enum { CLASSES_MOST = 65535, NO_LABEL = -1 };
#define IMAGE_FILE_MOST ((size_t)256 << 20) // bytes of one image's file

struct feed_item {
    char *name;             // bytes without a zero, unique in most feeds; owned
    uint8_t *bytes;         // a file in memory (owned), or NULL: feed_load reads it
    size_t size;            // of the file
    struct picture picture; // or pixels, which need no decoding (owned)
    int32_t label;          // or NO_LABEL: feed_finish knows
    enum part part;
    bool drop; // feed_load: another kind of file
};

/* What feed_finish says of the item of that name. */
struct placed {
    const char *name;
    int32_t label; // in: as the item had it
    uint8_t part;
    bool drop; // in: there is no image of it; out: nor is it one of this set
};

struct feed_counts {
    uint32_t hidden, empty, outside; // left out: by name, of no bytes, in no class folder
    uint32_t other;                  // not images, by name and content
};

/* A folder that was read, and what tells whether a file in it was added, removed, renamed or
 * replaced since. */
struct feed_stamp {
    char *path; // "train/cat/", from that which was opened; "" is that one
    dev_t device;
    ino_t inode;
    struct timespec changed; // ctime, before it was read
};

struct feed;
struct feed_kind {
    const char *name, *what; // "folder"; what the word opens, for messages
    bool (*open)(struct feed *f, const char *path, bool coarse, struct error *e);
    int (*next)(struct feed *f, struct feed_item *item, struct error *e);
    bool (*load)(const struct feed *f, struct feed_item *item, bool *gone, struct error *e);
    bool (*finish)(struct feed *f, struct placed *items, uint32_t n, struct error *e);
    bool (*rewind)(struct feed *f, struct error *e);
    void (*free)(struct feed *f);
};

struct feed {
    const struct feed_kind *kind;
    char *spec;      // with the absolute name: opens the same again
    uint64_t sum;    // checksum of the listing
    uint64_t files;  // in it
    uint64_t images; // expected, 0 when not known before the end
    char **classes;  // names, after feed_finish
    int nclasses;
    struct feed_counts counts;
    char *note; // what people should know of what was left out, or NULL
    struct feed_stamp
        *stamps; // of folder: only; none where files are links, which lie elsewhere
    uint32_t nstamps;
    void *self;
};

/* spec as above; coarse: the 20 classes of CIFAR-100 instead of the 100. */
struct feed *feed_open(const char *spec, bool coarse, struct error *e);
void feed_free(struct feed *f);

/* The next image: 1; 0 at the end; -1 with a message; -2: with a message, what comes next could
 * not be read (an archive that is cut), item->name says what, and the rest follows.  Calls must
 * not overlap. */
int feed_next(struct feed *f, struct feed_item *item, struct error *e);

/* Reads the file of an item that has no bytes.  By any number of threads at once.  False: it
 * cannot be read, with the reason (no name in it); *gone: it is not what was listed. */
bool feed_load(const struct feed *f, struct feed_item *item, bool *gone, struct error *e);

/* After the last: class names, and label, part and drop of all n items given. */
bool feed_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e);

/* Back to the first. */
bool feed_rewind(struct feed *f, struct error *e);

/* Whether a file may be an image by its first bytes or, by the ending of its name, was to be one:
 * an HTML page called .jpg is, and cannot be read. */
bool feed_image(const char *name, const uint8_t *bytes, size_t n);

extern const struct feed_kind feed_folder, feed_list, feed_archive, feed_cifar100, feed_idx,
    feed_npz;

/* For the kinds: a file goes into the listing (a missing one: false with a message). */
bool feed_note(struct feed *f, const char *path, struct error *e);
void feed_note_stat(struct feed *f, const char *name, const struct stat *st);
/* What a file adds to the sum: a sum, so that the order in which a folder is read is nothing. */
uint64_t feed_stat_sum(const char *name, const struct stat *st);
/* Adds a remark to the note, once. */
void feed_remark(struct feed *f, const char *form, ...) __attribute__((format(printf, 2, 3)));
/* Names for a message, each once in a row: "'a', 'b', 'c' and 4 more"; starts as {0}. */
struct feed_names {
    char text[192], last[64];
    uint32_t n, shown;
};
void feed_names_add(struct feed_names *s, const char *name, size_t length);
const char *feed_names_text(struct feed_names *s);
/* Reads a whole file; *gone as for feed_load. */
bool feed_read(int dir, const char *path, uint8_t **bytes, size_t *size, bool *gone,
               struct error *e);

/* "folder", "list", "tar", … : what a path or pattern without such a word is, by its content; NULL
 * with what can be opened. */
const char *feed_guess(const char *path, struct error *e);

#endif
