/* folder:DIR (feed.h): class folders, as torchvision's ImageFolder has them, with train, val (or
 * validation, valid) and test above them or without.  Folders may be nested within a class.
 * Symbolic links are followed, but for those that lead back to a folder they are in.  Names that
 * begin with a dot, empty files, and files in no class folder are left out and counted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "data/classes.h"

enum { DEPTH_MOST = 64, LOOKERS_MOST = 8, LOOK_LEAST = 1000 };

struct file {
    char *name; // from the directory on
    int32_t label;
    uint8_t part;
    int error;     // of stat
    uint64_t size; // 0: not a plain file, or empty
};

struct folder {
    int dir; // its descriptor
    struct file *files;
    uint32_t n, at;
    bool placed;
    bool linked;              // a file may be a link
    struct feed_names hollow; // folders with nothing in them
};

// The folders from the first to the present one.
struct way {
    const struct way *up;
    dev_t device;
    ino_t inode;
};

static bool walk(struct feed *f, int fd, char *path, size_t n, const struct way *up,
                 int depth, struct error *e);

static bool entry(struct feed *f, int fd, const char *name, int type, char *path, size_t n,
                  const struct way *up, int depth, struct error *e)
{
    struct folder *s = f->self;
    struct stat st;
    size_t length = strlen(name);
    if (n + length + 2 > PATH_MAX)
        return error_set(e, "%s/%.100s…: the name of a file in it is too long", f->spec,
                         path);
    memcpy(path + n, name, length + 1);
    bool link = type == DT_UNKNOWN || type == DT_LNK; // of the former nobody knows
    if (link || type == DT_DIR) {
        if (fstatat(fd, name, &st, 0) != 0) {
            if (errno == ENOENT || errno == ELOOP) { // a link to nothing
                s->linked = true;
                f->counts.empty++;
                return true;
            }
            return error_set(e, "%s/%.200s: %s", f->spec, path, strerror(errno));
        }
        if (S_ISDIR(st.st_mode)) {
            for (const struct way *w = up; w; w = w->up)
                if (w->device == st.st_dev && w->inode == st.st_ino)
                    return true;
            int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (inner < 0)
                return error_set(e, "%s/%.200s: %s", f->spec, path, strerror(errno));
            struct way here = {up, st.st_dev, st.st_ino};
            path[n + length] = '/';
            return walk(f, inner, path, n + length + 1, &here, depth + 1, e);
        }
    }
    s->linked = s->linked || link;
    if (s->n == UINT32_MAX)
        return error_set(e, "%s has more than %u files", f->spec, UINT32_MAX);
    s->files = xgrow(s->files, s->n, sizeof *s->files);
    s->files[s->n++] = (struct file){xstrdup(path), NO_LABEL, PART_NONE, 0, 0};
    return true;
}

static void stamps_free(struct feed *f)
{
    for (uint32_t k = 0; k < f->nstamps; k++)
        free(f->stamps[k].path);
    free(f->stamps);
    f->stamps = NULL;
    f->nstamps = 0;
}

// Before a folder is read.
static bool stamp(struct feed *f, int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    f->stamps = xgrow(f->stamps, f->nstamps, sizeof *f->stamps);
    f->stamps[f->nstamps++] =
        (struct feed_stamp){xstrdup(path), st.st_dev, st.st_ino, st.st_ctim};
    return true;
}

// Closes fd.
static bool walk(struct feed *f, int fd, char *path, size_t n, const struct way *up,
                 int depth, struct error *e)
{
    path[n] = 0;
    DIR *dir = stamp(f, fd, path) ? fdopendir(fd) : NULL;
    bool good = dir && depth <= DEPTH_MOST;
    if (!dir)
        close(fd);
    if (!good)
        error_set(e, "%s/%.200s: %s", f->spec, path,
                  dir ? "folders within folders, more than 64 deep" : strerror(errno));
    errno = 0;
    bool hollow = true;
    for (struct dirent *d; good && (d = readdir(dir)); errno = 0) {
        if (interrupt_pending())
            good = error_set(e, "interrupted");
        else if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        else if (d->d_name[0] == '.' || strcmp(d->d_name, "__MACOSX") == 0)
            f->counts.hidden++;
        else {
            hollow = false;
            good = entry(f, fd, d->d_name, d->d_type, path, n, up, depth, e);
        }
    }
    path[n] = 0;
    if (good && !errno && hollow && n > 0)
        feed_names_add(&((struct folder *)f->self)->hollow, path, n - 1);
    if (good && errno)
        good = error_set(e, "%s/%.200s: %s", f->spec, path, strerror(errno));
    if (dir)
        closedir(dir);
    return good;
}

// Sizes and times of all files are looked at by several threads: that is most of the time that it
// takes to find a pack again.
struct looker {
    pthread_t thread;
    struct folder *s;
    uint32_t first, step;
    uint64_t sum;
};

static void *look(void *self)
{
    struct looker *l = self;
    for (uint32_t i = l->first; i < l->s->n && !interrupt_pending(); i += l->step) {
        struct file *file = &l->s->files[i];
        struct stat st;
        if (fstatat(l->s->dir, file->name, &st, 0) != 0)
            file->error = errno;
        else if (S_ISREG(st.st_mode) && st.st_size > 0) {
            file->size = (uint64_t)st.st_size;
            l->sum += feed_stat_sum(file->name, &st);
        }
    }
    return NULL;
}

static bool look_at_all(struct feed *f, struct error *e)
{
    struct folder *s = f->self;
    struct looker l[LOOKERS_MOST];
    cpu_set_t set;
    uint32_t cores =
        sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
    uint32_t n = s->n < LOOK_LEAST ? 1 : cores < LOOKERS_MOST ? cores : LOOKERS_MOST;
    bool started[LOOKERS_MOST] = {false};
    for (uint32_t k = 0; k < n; k++) {
        l[k] = (struct looker){.s = s, .first = k, .step = n};
        started[k] = k > 0 && pthread_create(&l[k].thread, NULL, look, &l[k]) == 0;
    }
    for (uint32_t k = 0; k < n; k++) {
        if (started[k])
            pthread_join(l[k].thread, NULL);
        else
            look(&l[k]);
        f->sum += l[k].sum;
    }
    if (interrupt_pending())
        return error_set(e, "interrupted");
    uint32_t kept = 0;
    bool good = true;
    for (uint32_t i = 0; i < s->n; i++) {
        struct file file = s->files[i];
        if (file.error && file.error != ENOENT && file.error != ELOOP && good)
            good = error_set(e, "%s/%.200s: %s", f->spec, file.name, strerror(file.error));
        if (file.size)
            s->files[kept++] = file;
        else {
            f->counts.empty++;
            free(file.name);
        }
    }
    f->files = s->n = kept;
    return good;
}

static bool folder_open(struct feed *f, const char *path, bool coarse, struct error *e)
{
    (void)coarse;
    struct folder *s = f->self = xcalloc(1, sizeof *s);
    struct stat st;
    char name[PATH_MAX];
    s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return error_set(e, "%.200s: %s", path,
                         errno == ENOTDIR
                             ? "is a file; folder: needs a folder with a folder for "
                               "each class"
                             : strerror(errno));
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return error_set(e, "%.200s: %s", path, strerror(errno));
    struct way here = {NULL, st.st_dev, st.st_ino};
    if (!walk(f, fd, name, 0, &here, 1, e) || !look_at_all(f, e))
        return false;
    if (s->linked)
        stamps_free(f);
    if (s->n == 0)
        return error_set(e, "%s has no files that could be images%s", f->spec,
                         f->counts.empty ? ": all are empty" : "");
    if (s->hollow.n > 0) {
        bool one = s->hollow.n == 1;
        feed_remark(f, "%s %s empty: %s", feed_names_text(&s->hollow), one ? "is" : "are",
                    one ? "a folder without images is no class"
                        : "folders without images are no classes");
    }
    f->images = s->n;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

// Sorts the files and finds their classes.
static bool place(struct feed *f, struct error *e)
{
    struct folder *s = f->self;
    if (s->placed)
        return true;
    qsort(s->files, s->n, sizeof *s->files, by_name);
    struct placed *items = xcalloc(s->n, sizeof *items);
    for (uint32_t i = 0; i < s->n; i++)
        items[i] = (struct placed){s->files[i].name, NO_LABEL, PART_NONE, false};
    s->placed = classes_of_folders(f, items, s->n, e);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        struct file file = s->files[i];
        if (s->placed && !items[i].drop)
            s->files[kept++] =
                (struct file){file.name, items[i].label, items[i].part, 0, file.size};
        else if (s->placed)
            free(file.name);
    }
    if (s->placed)
        f->images = s->n = kept;
    free(items);
    return s->placed;
}

static int folder_next(struct feed *f, struct feed_item *item, struct error *e)
{
    struct folder *s = f->self;
    if (!place(f, e))
        return -1;
    if (s->at == s->n)
        return 0;
    const struct file *file = &s->files[s->at++];
    item->name = xstrdup(file->name);
    item->label = file->label;
    item->part = file->part;
    item->size = file->size;
    return 1;
}

// A file whose name does not say so may still be an image, by its first bytes.
static bool image_inside(int dir, const char *name)
{
    uint8_t head[16];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && feed_image("", head, (size_t)n);
}

static bool folder_load(const struct feed *f, struct feed_item *item, bool *gone,
                        struct error *e)
{
    const struct folder *s = f->self;
    size_t listed = item->size;
    if (!feed_image(item->name, NULL, 0) && !image_inside(s->dir, item->name)) {
        item->drop = true;
        return true;
    }
    if (!feed_read(s->dir, item->name, &item->bytes, &item->size, gone, e))
        return false;
    if (item->size != listed) {
        *gone = true;
        return error_set(e, "it had %zu bytes when the folder was listed and has %zu now",
                         listed, item->size);
    }
    return true;
}

static bool folder_finish(struct feed *f, struct placed *items, uint32_t n, struct error *e)
{
    (void)f, (void)items, (void)n, (void)e; // all was known
    return true;
}

static bool folder_rewind(struct feed *f, struct error *e)
{
    (void)e;
    ((struct folder *)f->self)->at = 0;
    return true;
}

static void folder_free(struct feed *f)
{
    struct folder *s = f->self;
    stamps_free(f);
    if (s->dir >= 0)
        close(s->dir);
    for (uint32_t i = 0; i < s->n; i++)
        free(s->files[i].name);
    free(s->files);
    free(s);
}

const struct feed_kind feed_folder = {"folder",      "folder:DIR (class folders)",
                                      folder_open,   folder_next,
                                      folder_load,   folder_finish,
                                      folder_rewind, folder_free};
