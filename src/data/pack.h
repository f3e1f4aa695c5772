/* Packs: the images of a data set in one file, mapped read-only and shared by all processes
 * through the page cache.  The format is described in man/netspace-pack.5.
 *
 * Opening reads the index once and checks it, without touching an image or keeping the index
 * in memory: 1.3 million images need 30 MB.  Each image has a checksum of its own: pack_check
 * verifies all, and a training verifies an image before it first uses it (split_intact). */
#ifndef DATA_PACK_H
#define DATA_PACK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "data/dataset.h"
#include "data/feed.h"
#include "data/pack_format.h"
#include "data/picture.h"

#define PACK_BYTES_MOST ((uint64_t)4 << 30) // of a pack of bytes, where none is asked for

struct pack {
    char *path;
    const uint8_t *map; // the file
    uint64_t bytes;
    uint32_t n, size;      // images; the short side asked for (smaller ones are as they were)
    int classes, channels; // 1: all are gray; 3: all have three, in a pack of bytes
    enum layout layout;    // LAYOUT_ROWS or LAYOUT_JPEG
    uint32_t parts[PARTS]; // images of each
    bool one_size;         // all have the size of the first
    uint64_t listing, content; // checksums: of the listing; of all labels, parts and images
    char **class_names;
    uint32_t nbad; // files that could not be read
    struct pack_bad {
        const char *name, *reason;
    } * bad;
    const char *about, *about_end; // key, zero, value, zero; …
    uint64_t index_at, names_at, names_bytes;
    double mean[3], deviation[3]; // of images that are not validation or test, 0 … 255
};

/* NULL with a message: what is wrong with the file. */
struct pack *pack_open(const char *path, struct error *e);
void pack_close(struct pack *p);

struct pack_entry pack_entry(const struct pack *p, uint32_t i);
const char *pack_name(const struct pack *p, uint32_t i);
/* "spec", "options", … : what a pack was made of; "" when it does not say. */
const char *pack_about(const struct pack *p, const char *key);

/* Verifies all images; how many are damaged, the number of the first in *first. */
uint32_t pack_check(const struct pack *p, uint32_t *first);

enum pack_kind { PACK_AUTO, PACK_BYTES, PACK_JPEG };

struct pack_options {
    uint32_t size;       // short side kept; 0: as the files are
    int channels;        // 1 or 3; 0: 1 where all files are gray
    enum pack_kind kind; // AUTO: bytes up to `most`, else JPEG
    uint64_t most;       // PACK_BYTES_MOST
    bool no_antialias;   // resized as pycls does
    bool white;          // background under alpha, else black
    int threads;
};

/* Called from the thread that makes the pack, about ten times a second. */
struct pack_progress {
    void (*tell)(void *self, uint64_t done, uint64_t of, bool anew); // of 0: unknown
    void *self;
};

/* Makes the pack of a feed: whole, or not at all.  The same bytes for any number of threads.
 * Images that cannot be read are listed in it.  False with a message, or "interrupted". */
bool pack_make(const char *path, struct feed *f, const struct pack_options *o,
               const struct pack_progress *p, struct error *e);

/* Why the listing of a feed that was just opened is not that of its pack, in e->msg: an image of a
 * folder that is new, gone, or of other size; else that files are newer. */
void pack_differs(const struct pack *p, struct feed *f, struct error *e);

/* How the images of a pack are looked at. */
struct pack_view {
    bool imagenet;   // normalised as is usual for ImageNet, not by the pack's own mean
    bool skip_bad;   // files that could not be read are no error
    double share[3]; // training, validation, test, of images in no part
    const char *name, *spec;
};

/* The data set of a pack, which is closed.  The side that networks take is, where none is asked for, that of all
 * images when they are squares of 64 pixels or less, else 64.  Images in no part are put in one by a hash of (seed, name), so that an
 * image stays where it is when others are added.  Where only one part stands beside training, it
 * is the test, and validation is taken out of training (dataset.h). */
struct dataset *pack_dataset(struct pack *p, const struct data_options *o,
                             const struct pack_view *v, struct error *e);

#endif
