/* Classes: of class folders (torchvision's ImageFolder) and of numbers. */
#ifndef DATA_CLASSES_H
#define DATA_CLASSES_H
#include "data/feed.h"

/* Words, each once, numbered as they come. */
struct words {
    char **word;
    uint32_t n;
    uint32_t *table; // open addressing: number + 1
    uint32_t room;   // of the table: a power of two
};
uint32_t words_add(struct words *w, const char *word, size_t n);
void words_free(struct words *w);

/* "train", "training"; "val", "valid", "validation", "dev"; "test", "tests", "testing", "eval",
 * "evaluation" (any case): the part; else PART_NONE. */
enum part part_named(const char *word, size_t n);

/* Label and part of each name such as "train/dog/a/1.jpg" or "dog/1.jpg": what all names have in
 * front is left out, then comes the part where one folder is called train, then the class.
 * Classes are in the order of their bytes.  A name in no class folder is dropped and counted. */
bool classes_of_folders(struct feed *f, struct placed *items, uint32_t n, struct error *e);

/* The words are the labels: sorted by bytes, or by value where all are numbers. */
bool classes_of_words(struct feed *f, struct words *w, struct placed *items, uint32_t n,
                      struct error *e);

/* Labels are numbers, from 0 or 1 without gaps, each with a training image. */
bool classes_of_numbers(struct feed *f, struct placed *items, uint32_t n, struct error *e);

#endif
