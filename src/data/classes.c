/* See classes.h. */
#include "data/classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checksum.h"
#include "base/memory.h"

static uint32_t *slot(const struct words *w, const char *word, size_t n)
{
    uint32_t at = (uint32_t)checksum(0, word, n) & (w->room - 1);
    for (uint32_t k; (k = w->table[at]) != 0; at = (at + 1) & (w->room - 1))
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a number k is put in with a word
        if (strncmp(w->word[k - 1], word, n) == 0 && !w->word[k - 1][n])
            break;
    return &w->table[at];
}

uint32_t words_add(struct words *w, const char *word, size_t n)
{
    if (2 * (w->n + 1) > w->room) {
        w->room = w->room ? 2 * w->room : 64;
        free(w->table);
        w->table = xcalloc(w->room, sizeof *w->table);
        for (uint32_t k = 0; k < w->n; k++)
            *slot(w, w->word[k], strlen(w->word[k])) = k + 1;
    }
    uint32_t *at = slot(w, word, n);
    if (!*at) {
        w->word = xgrow(w->word, w->n, sizeof *w->word);
        char *copy = xmalloc(n + 1);
        memcpy(copy, word, n);
        copy[n] = 0;
        w->word[w->n++] = copy;
        *at = w->n;
    }
    return *at - 1;
}

void words_free(struct words *w)
{
    for (uint32_t k = 0; k < w->n; k++)
        free(w->word[k]);
    free(w->word);
    free(w->table);
    *w = (struct words){0};
}

enum part part_named(const char *word, size_t n)
{
    static const struct {
        const char *word;
        enum part part;
    } names[] = {{"train", PART_TRAIN},
                 {"training", PART_TRAIN},
                 {"val", PART_VALIDATION},
                 {"valid", PART_VALIDATION},
                 {"validation", PART_VALIDATION},
                 {"dev", PART_VALIDATION},
                 {"test", PART_TEST},
                 {"tests", PART_TEST},
                 {"testing", PART_TEST},
                 {"eval", PART_TEST},
                 {"evaluation", PART_TEST}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].word) == n && strncasecmp(names[i].word, word, n) == 0)
            return names[i].part;
    return PART_NONE;
}

// The length of the first folder of a name; 0: it is in none.
static size_t folder(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash ? (size_t)(slash - name) : 0;
}

// How many bytes all names that are in a folder begin with, as whole folders, each with another
// folder below it.
static size_t in_front(const struct placed *items, uint32_t n)
{
    for (size_t skip = 0;;) {
        const char *first = NULL;
        size_t length = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (items[i].drop || strlen(items[i].name) <= skip)
                continue;
            const char *name = items[i].name + skip;
            size_t m = folder(name);
            if (m == 0)
                continue;
            if (!first)
                first = name, length = m;
            if (m != length || memcmp(name, first, m) != 0 || !strchr(name + m + 1, '/'))
                return skip;
        }
        if (!first || part_named(first, length) != PART_NONE)
            return skip;
        skip += length + 1;
    }
}

// Numbers of words, by what is sorted (for qsort_r).
static int by_bytes(const void *a, const void *b, void *words)
{
    char *const *word = words;
    return strcmp(word[*(const uint32_t *)a], word[*(const uint32_t *)b]);
}

static bool number(const char *word, long long *value)
{
    char *end;
    *value = strtoll(word, &end, 10);
    return *word && !*end && strlen(word) <= 9;
}

static int by_value(const void *a, const void *b, void *words)
{
    char *const *word = words;
    long long x, y;
    number(word[*(const uint32_t *)a], &x);
    number(word[*(const uint32_t *)b], &y);
    return x != y ? (x > y) - (x < y) : by_bytes(a, b, words);
}

static bool enough(const struct feed *f, uint32_t classes, const char *only, struct error *e)
{
    if (classes == 0 && f->counts.outside > 0)
        return error_set(e,
                         "%s has no images in class folders: %u lie directly in it; put them "
                         "into a folder for each class, or name them with their labels in a "
                         "list of path,label (list:FILE)",
                         f->spec, f->counts.outside);
    if (classes == 0)
        return error_set(e, "%s has no images in class folders", f->spec);
    if (classes == 1)
        return error_set(e,
                         "%s has one class, '%s': there is nothing to tell apart; class "
                         "folders lie side by side, below the one that is opened",
                         f->spec, only);
    if (classes > CLASSES_MOST)
        return error_set(e, "%s has %u classes; %d are the most", f->spec, classes,
                         CLASSES_MOST);
    return true;
}

bool classes_of_words(struct feed *f, struct words *w, struct placed *items, uint32_t n,
                      struct error *e)
{
    // those that training images have are the classes
    bool *trained = xcalloc(w->n, sizeof *trained);
    for (uint32_t i = 0; i < n; i++)
        if (!items[i].drop && (items[i].part == PART_TRAIN || items[i].part == PART_NONE))
            trained[items[i].label] = true;
    uint32_t *order = xcalloc(w->n, sizeof *order), *rank = xcalloc(w->n, sizeof *rank);
    uint32_t classes = 0;
    bool numbers = true;
    for (uint32_t k = 0; k < w->n; k++) {
        long long value;
        numbers = numbers && number(w->word[k], &value);
        if (trained[k])
            order[classes++] = k;
    }
    qsort_r(order, classes, sizeof *order, numbers ? by_value : by_bytes, w->word);
    bool good = enough(f, classes, classes ? w->word[order[0]] : "", e);
    if (good) {
        f->classes = xcalloc(classes, sizeof *f->classes);
        f->nclasses = (int)classes;
        for (uint32_t k = 0; k < classes; k++) {
            f->classes[k] = xstrdup(w->word[order[k]]);
            rank[order[k]] = k;
        }
    }
    for (uint32_t i = 0; i < n && good; i++) {
        if (items[i].drop)
            continue;
        if (!trained[items[i].label])
            // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): items that stay have labels
            good = error_set(e,
                             "%s: '%s' has class '%s', of which there is no training image: "
                             "the classes of the parts differ",
                             f->spec, items[i].name, w->word[items[i].label]);
        else
            items[i].label = (int32_t)rank[items[i].label];
    }
    free(trained);
    free(order);
    free(rank);
    return good;
}

// Whether what lies in the class folders looks as if the sets themselves began one level further
// down: a class folder that has train or test in it is a set of its own.
static bool one_too_high(struct feed *f, const struct placed *items, uint32_t n, size_t skip,
                         struct error *e)
{
    uint32_t nested = 0, all = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].drop || strlen(items[i].name) <= skip)
            continue;
        const char *name = items[i].name + skip;
        size_t m = folder(name), inner = m ? folder(name + m + 1) : 0;
        if (m == 0)
            continue;
        enum part part = inner ? part_named(name + m + 1, inner) : PART_NONE;
        if (part == PART_TRAIN || part == PART_TEST) {
            const char *dir = f->kind == &feed_folder ? strchr(f->spec, ':') + 1 : NULL;
            return !error_set(
                e,
                "%s: '%.*s' would be a class, but it has a folder '%.*s' of its "
                "own; %s%s%s%.*s%s",
                f->spec, (int)m, name, (int)inner, name + m + 1,
                dir ? "did you mean " : "unpack it and open the folder ", dir ? dir : "",
                dir ? "/" : "", (int)(skip + m), items[i].name, dir ? "?" : "");
        }
        all++;
        nested += inner > 0;
    }
    if (all > 0 && nested == all)
        feed_remark(f, "the class folders have no images themselves, only folders of images: "
                       "each is one class, with all that is below it");
    return false;
}

bool classes_of_folders(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    size_t skip = in_front(items, n);
    bool parts = false;
    for (uint32_t i = 0; i < n && !parts; i++)
        if (!items[i].drop && strlen(items[i].name) > skip) {
            const char *name = items[i].name + skip;
            parts = part_named(name, folder(name)) == PART_TRAIN;
        }
    if (!parts && one_too_high(f, items, n, skip, e))
        return false;
    struct words w = {0};
    struct feed_names beside = {0};
    f->counts.outside = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].drop)
            continue;
        const char *name = items[i].name;
        name += strlen(name) > skip ? skip : strlen(name);
        size_t m = folder(name);
        items[i].part = parts ? part_named(name, m) : PART_NONE;
        if (parts && m > 0) {
            if (items[i].part == PART_NONE)
                feed_names_add(&beside, name, m);
            name += m + 1;
            m = items[i].part == PART_NONE ? 0 : folder(name);
        }
        if (m == 0) {
            items[i].drop = true;
            f->counts.outside++;
        } else
            items[i].label = (int32_t)words_add(&w, name, m);
    }
    bool good = classes_of_words(f, &w, items, n, e);
    words_free(&w);
    if (beside.n > 0)
        feed_remark(f,
                    "%s beside the training images %s not used: the parts are called train, "
                    "val (valid, validation) and test (testing, eval)",
                    feed_names_text(&beside), beside.n == 1 ? "is" : "are");
    return good;
}

bool classes_of_numbers(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    uint32_t *count = xcalloc(CLASSES_MOST + 1, sizeof *count);
    int32_t low = CLASSES_MOST, high = -1;
    bool good = true;
    for (uint32_t i = 0; i < n && good; i++) {
        int32_t k = items[i].label;
        if (items[i].drop)
            continue;
        if (k < 0 || k >= CLASSES_MOST)
            good = error_set(e, "%s: '%s' has label %d; labels are 0 to %d", f->spec,
                             items[i].name, k, CLASSES_MOST - 1);
        else if (items[i].part == PART_TRAIN || items[i].part == PART_NONE) {
            count[k]++;
            low = k < low ? k : low;
            high = k > high ? k : high;
        }
    }
    if (good && high >= 0 && low > 1)
        good = error_set(e, "%s: the lowest label is %d; labels begin with 0 or 1", f->spec,
                         low);
    for (int32_t k = low; k <= high && good; k++)
        if (!count[k])
            good = error_set(e,
                             "%s: there is label %d, but no training image has label %d: "
                             "labels have no gaps",
                             f->spec, high, k);
    for (uint32_t i = 0; i < n && good; i++) {
        if (items[i].drop)
            continue;
        if (items[i].label < low || items[i].label > high)
            good = error_set(
                e, "%s: '%s' has label %d; those of the training images are %d to %d",
                f->spec, items[i].name, items[i].label, low, high);
        items[i].label -= low;
    }
    char only[16];
    snprintf(only, sizeof only, "%d", low);
    int32_t classes = high < 0 ? 0 : high - low + 1;
    good = good && enough(f, (uint32_t)classes, only, e);
    if (good) {
        f->nclasses = classes;
        f->classes = xcalloc((size_t)classes, sizeof *f->classes);
        for (int32_t k = 0; k < classes; k++) {
            char name[16];
            snprintf(name, sizeof name, "%d", low + k);
            f->classes[k] = xstrdup(name);
        }
    }
    free(count);
    return good;
}
