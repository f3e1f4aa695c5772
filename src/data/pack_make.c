/* pack_make of pack.h.  Threads take images from the feed in its order, decode and resize them on
 * their own, and write them in that order again; the index follows when the feed has ended.
 *
 * Two things are known only at the end: whether all images are gray, and whether their bytes stay
 * under the limit.  It begins as if they were, and anew when one is not. */
#include "data/pack_image.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

enum { RING = 256, THREADS_MOST = 64, BUFFER = 1 << 20 };

/* What a thread has made of an image. */
struct made {
    bool ready;
    struct pack_image image;
};

struct bad {
    char *name, *reason;
};

/* A file that is written from its beginning to its end. */
struct out {
    int fd;
    uint8_t *buffer;
    size_t held;
    uint64_t at; // bytes put
};

struct maker {
    struct feed *feed;
    struct pack_how how; // of this try
    int next_channels;   // of the next, when it begins anew
    bool next_jpeg;
    uint32_t lost; // images that had been written then

    pthread_mutex_t lock;
    pthread_cond_t room, news;
    bool ended, stop, anew;
    struct error *error;
    int running;

    struct out out;
    struct made ring[RING];
    uint32_t n, written; // images taken from the feed, images written
    struct pack_entry *entry;
    struct moments *moments;
    struct placed *placed; // names: numbers in `names` until the end
    char *names;
    size_t names_n, names_room;
    struct bad *bad;
    uint32_t nbad, other;
};

static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

static bool flush(struct out *out)
{
    bool good = write_all(out->fd, out->buffer, out->held);
    out->held = 0;
    return good;
}

static bool put(struct out *out, const void *bytes, size_t n)
{
    out->at += n;
    if (n > BUFFER - out->held && !flush(out))
        return false;
    if (n > BUFFER)
        return write_all(out->fd, bytes, n);
    memcpy(out->buffer + out->held, bytes, n);
    out->held += n;
    return true;
}

static bool stopped(struct maker *m)
{
    pthread_cond_broadcast(&m->room);
    pthread_cond_signal(&m->news);
    m->stop = true;
    return false;
}

static bool add_name(struct maker *m, const char *name)
{
    size_t n = strlen(name) + 1;
    if (m->names_n + n > UINT32_MAX)
        return error_set(m->error, "the names of all images have more than 4 GB");
    if (m->names_n + n > m->names_room)
        m->names = xrealloc(m->names, m->names_room = 2 * m->names_room + n + 4096);
    memcpy(m->names + m->names_n, name, n);
    m->names_n += n;
    return true;
}

// The next image of the feed, with the lock held: its number in *at.  False: there is none.
static bool take(struct maker *m, struct feed_item *item, uint32_t *at)
{
    struct error e = {""};
    while (!m->stop && !m->ended && m->n - m->written >= RING)
        pthread_cond_wait(&m->room, &m->lock);
    if (m->stop || m->ended)
        return false;
    int answer = feed_next(m->feed, item, &e);
    if (answer == 0) {
        m->ended = true;
        return false;
    }
    if (answer == -1) {
        *m->error = e;
        return stopped(m);
    }
    uint32_t i = *at = m->n;
    if (i == UINT32_MAX - 1) {
        error_set(m->error, "there are more than %u images", i);
        return stopped(m);
    }
    m->entry = xgrow(m->entry, i, sizeof *m->entry);
    m->moments = xgrow(m->moments, i, sizeof *m->moments);
    m->placed = xgrow(m->placed, i, sizeof *m->placed);
    m->entry[i] = (struct pack_entry){.name = (uint32_t)m->names_n};
    m->placed[i] = (struct placed){NULL, item->label, (uint8_t)item->part, false};
    m->n++;
    if (!add_name(m, item->name))
        return stopped(m);
    if (answer == -2) { // nothing of it can be read
        free(item->bytes);
        item->bytes = NULL;
        m->ring[i % RING] = (struct made){.ready = true, .image = {.reason = xstrdup(e.msg)}};
    }
    return true;
}

static bool write_failed(struct maker *m)
{
    error_set(m->error, "the pack cannot be written: %s", strerror(errno));
    return stopped(m);
}

// Writes what is ready and next, with the lock held.
static bool write_ready(struct maker *m)
{
    for (; m->written < m->n && m->ring[m->written % RING].ready; m->written++) {
        struct made *made = &m->ring[m->written % RING];
        struct pack_image *x = &made->image;
        uint32_t i = m->written, name = m->entry[i].name;
        made->ready = false;
        m->placed[i].drop = !x->bytes;
        if (x->colours || (x->bytes && m->how.o->kind == PACK_AUTO && !m->how.jpeg &&
                           m->out.at + x->entry.bytes > m->how.o->most)) {
            m->next_channels = x->colours ? 3 : m->how.o->channels;
            m->next_jpeg = !x->colours;
            m->anew = true;
            m->lost = m->written;
            free(x->bytes);
            return stopped(m);
        }
        if (x->reason) {
            m->bad = xgrow(m->bad, m->nbad, sizeof *m->bad);
            m->bad[m->nbad++] = (struct bad){xstrdup(m->names + name), x->reason};
        } else if (!x->bytes)
            m->other++;
        m->entry[i] = x->entry;
        m->moments[i] = x->moments;
        m->entry[i].name = name;
        m->entry[i].at = m->out.at;
        bool good = !x->bytes || put(&m->out, x->bytes, x->entry.bytes);
        free(x->bytes);
        if (!good)
            return write_failed(m);
    }
    pthread_cond_broadcast(&m->room);
    return true;
}

static void *work(void *self)
{
    struct maker *m = self;
    struct resize_work resize = {0};
    struct feed_item item;
    uint32_t at = 0;
    pthread_mutex_lock(&m->lock);
    while (take(m, &item, &at)) {
        bool gone = false;
        struct made to = {.ready = true};
        if (!m->ring[at % RING].ready) {
            pthread_mutex_unlock(&m->lock);
            pack_image(&m->how, m->feed, &item, &to.image, &gone, &resize);
            pthread_mutex_lock(&m->lock);
            m->ring[at % RING] = to;
        }
        if (gone && !m->stop) {
            error_set(
                m->error,
                "'%.200s' of %.200s vanished or changed while the pack was made (%.60s); "
                "once nobody writes there, try again",
                item.name, m->feed->spec, to.image.reason);
            stopped(m);
        }
        free(item.name);
        if (m->stop || !write_ready(m))
            break;
    }
    if (--m->running == 0)
        pthread_cond_signal(&m->news);
    pthread_cond_broadcast(&m->room);
    pthread_mutex_unlock(&m->lock);
    resize_work_free(&resize);
    return NULL;
}

// What a try has collected.
static void forget(struct maker *m)
{
    for (int i = 0; i < RING; i++)
        if (m->ring[i].ready) {
            free(m->ring[i].image.bytes);
            free(m->ring[i].image.reason);
            m->ring[i].ready = false;
        }
    for (uint32_t i = 0; i < m->nbad; i++) {
        free(m->bad[i].name);
        free(m->bad[i].reason);
    }
    free(m->bad);
    free(m->entry);
    free(m->moments);
    free(m->placed);
    free(m->names);
    m->bad = NULL;
    m->entry = NULL;
    m->moments = NULL;
    m->placed = NULL;
    m->names = NULL;
    m->names_n = m->names_room = 0;
    m->n = m->written = m->nbad = m->other = 0;
}

// All images, by all threads.  False: an error, an interrupt, or m->anew.
static bool run(struct maker *m, const struct pack_progress *p)
{
    pthread_t thread[THREADS_MOST];
    int threads = m->how.o->threads < 1              ? 1
                  : m->how.o->threads > THREADS_MOST ? THREADS_MOST
                                                     : m->how.o->threads;
    static const struct pack_header room;
    bool again = m->anew && m->lost >= RING; // of fewer nobody need know
    m->ended = m->stop = m->anew = false;
    m->out.held = 0;
    m->out.at = 0;
    if (lseek(m->out.fd, 0, SEEK_SET) != 0 || ftruncate(m->out.fd, 0) != 0 ||
        !put(&m->out, &room, sizeof room))
        return write_failed(m);
    pthread_mutex_lock(&m->lock);
    m->running = threads;
    int started = 0;
    while (started < threads && pthread_create(&thread[started], NULL, work, m) == 0)
        started++;
    m->running -= threads - started;
    if (started == 0) {
        error_set(m->error, "no thread can be started");
        stopped(m);
    }
    while (m->running > 0) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 100000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&m->news, &m->lock, &t);
        if (interrupt_pending() && !m->stop) {
            error_set(m->error, "interrupted");
            stopped(m);
        }
        uint64_t done = m->written, of = m->feed->images;
        pthread_mutex_unlock(&m->lock);
        if (p && p->tell)
            p->tell(p->self, done, of, again);
        pthread_mutex_lock(&m->lock);
    }
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    return !m->stop && !m->anew;
}

static bool learnt(const struct placed *x)
{
    return x->part == PART_TRAIN || x->part == PART_NONE;
}

// Every class has an image to learn from.
static bool check_classes(struct maker *m)
{
    const struct feed *f = m->feed;
    uint32_t *count = xcalloc((size_t)f->nclasses, sizeof *count), have = 0;
    for (uint32_t i = 0; i < m->n; i++)
        if (!m->placed[i].drop) {
            have++;
            count[m->placed[i].label] += learnt(&m->placed[i]);
        }
    int empty = 0;
    while (empty < f->nclasses && count[empty])
        empty++;
    bool good = empty == f->nclasses;
    free(count);
    if (!good)
        error_set(
            m->error,
            "%.200s: class '%.100s' has no training image that can be read%s%.200s%s%.100s",
            f->spec, f->classes[empty], m->nbad ? "; the first that cannot: " : "",
            m->nbad ? m->bad[0].name : "", m->nbad ? ": " : "",
            m->nbad ? m->bad[0].reason : "");
    return good;
}

static size_t add_word(char **text, size_t n, const char *word)
{
    size_t length = strlen(word) + 1;
    *text = xrealloc(*text, n + length);
    memcpy(*text + n, word, length);
    return n + length;
}

static size_t add_number(char **text, size_t n, const char *key, uint64_t value)
{
    char word[32];
    snprintf(word, sizeof word, "%llu", (unsigned long long)value);
    return add_word(text, add_word(text, n, key), word);
}

// Classes, bad files, and what the pack was made of.
static size_t make_text(struct maker *m, char **text, uint32_t *about)
{
    const struct feed *f = m->feed;
    size_t n = 0;
    for (int k = 0; k < f->nclasses; k++)
        n = add_word(text, n, f->classes[k]);
    for (uint32_t i = 0; i < m->nbad; i++)
        n = add_word(text, add_word(text, n, m->bad[i].name), m->bad[i].reason);
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"files", f->files},
                   {"hidden", f->counts.hidden},
                   {"empty", f->counts.empty},
                   {"outside", f->counts.outside},
                   {"other", f->counts.other + m->other}};
    const char *const words[][2] = {
        {"spec", f->spec},
        {"netspace", NETSPACE_VERSION},
        {"resize", m->how.o->no_antialias ? "pycls" : "antialias"},
        {"background", m->how.o->white ? "white" : "black"}};
    *about = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++, ++*about)
        n = add_word(text, add_word(text, n, words[i][0]), words[i][1]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, ++*about)
        n = add_number(text, n, numbers[i].key, numbers[i].value);
    if (f->note) {
        n = add_word(text, add_word(text, n, "note"), f->note);
        ++*about;
    }
    return n;
}

// Mean and deviation of the images to learn from; all count alike, whatever their size.
static void normalise(const struct maker *m, struct pack_header *h)
{
    double square[3] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->placed[i].drop || !learnt(&m->placed[i]))
            continue;
        n++;
        for (int c = 0; c < 3; c++) {
            h->mean[c] += (double)m->moments[i].mean[c];
            square[c] += (double)m->moments[i].square[c];
        }
    }
    for (int c = 0; c < 3; c++) {
        h->mean[c] /= n;
        double variance = square[c] / n - h->mean[c] * h->mean[c];
        h->deviation[c] = variance > 1 ? sqrt(variance) : 1; // of images of one colour
    }
}

// The index of the images that are kept, in place of that of all; how many.
static uint32_t make_index(struct maker *m, struct pack_header *h)
{
    uint32_t n = 0;
    h->channels = 1;
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->placed[i].drop)
            continue;
        struct pack_entry x = m->entry[i];
        x.label = (uint16_t)m->placed[i].label;
        x.part = m->placed[i].part;
        m->entry[n++] = x;
        h->channels = x.channels > h->channels ? x.channels : h->channels;
        const uint64_t of[2] = {
            x.sum, (uint64_t)x.label | (uint64_t)x.part << 16 | (uint64_t)x.channels << 24 |
                       (uint64_t)x.width << 32 | (uint64_t)x.height << 48};
        h->content = checksum(h->content, of, sizeof of);
    }
    for (int k = 0; k < m->feed->nclasses; k++) {
        uint64_t word = checksum(0, m->feed->classes[k], strlen(m->feed->classes[k]));
        h->content = checksum(h->content, &word, sizeof word);
    }
    return n;
}

static bool write_end(struct maker *m)
{
    struct pack_header h = {.magic = PACK_MAGIC,
                            .version = PACK_VERSION,
                            .endian = PACK_ENDIAN,
                            .classes = (uint32_t)m->feed->nclasses,
                            .bad = m->nbad,
                            .jpeg = m->how.jpeg,
                            .size = m->how.o->size,
                            .listing = m->feed->sum};
    const uint8_t zeros[8] = {0};
    normalise(m, &h);
    h.n = make_index(m, &h);
    if (m->how.jpeg && m->how.o->channels)
        h.channels = (uint32_t)m->how.o->channels;
    // names and words in one piece, as the checksum takes them
    char *text = NULL;
    size_t words = make_text(m, &text, &h.about), names = m->names_n;
    m->names = xrealloc(m->names, names + words);
    memcpy(m->names + names, text, words);
    free(text);
    bool good = put(&m->out, zeros, (8 - m->out.at % 8) % 8);
    h.index_at = m->out.at;
    h.names_at = h.index_at + h.n * sizeof *m->entry;
    h.text_at = h.names_at + names;
    h.bytes = h.text_at + words;
    h.tail = checksum(0, m->entry, h.n * sizeof *m->entry);
    h.tail = checksum(h.tail, m->names, names + words);
    h.head = checksum(0, &h, sizeof h - 8);
    good = good && put(&m->out, m->entry, h.n * sizeof *m->entry) &&
           put(&m->out, m->names, names + words) && flush(&m->out) &&
           pwrite(m->out.fd, &h, sizeof h, 0) == (ssize_t)sizeof h && fsync(m->out.fd) == 0;
    return good || write_failed(m);
}

static bool finish(struct maker *m)
{
    if (m->n == m->nbad + m->other && m->nbad)
        return error_set(m->error, "%.200s has no image that can be read: '%.100s' %.200s",
                         m->feed->spec, m->bad[0].name, m->bad[0].reason);
    if (m->n == m->other)
        return error_set(m->error,
                         "%.200s has no image that can be read: its %u files are no images "
                         "(JPEG, PNG, WebP, PPM, PGM, BMP)%s",
                         m->feed->spec, m->other,
                         m->feed->counts.empty ? ", others are empty" : "");
    for (uint32_t i = 0; i < m->n; i++)
        m->placed[i].name = m->names + m->entry[i].name;
    if (!feed_finish(m->feed, m->placed, m->n, m->error)) {
        struct error why = *m->error; // what could not be read may be why
        return m->nbad ? error_set(m->error, "%.300s; '%.100s' cannot be read: %.150s",
                                   why.msg, m->bad[0].name, m->bad[0].reason)
                       : false;
    }
    return check_classes(m) && write_end(m);
}

bool pack_make(const char *path, struct feed *f, const struct pack_options *o,
               const struct pack_progress *p, struct error *e)
{
    size_t room = strlen(path) + 32;
    char *part = xmalloc(room);
    snprintf(part, room, "%s.part-%ld", path, (long)getpid());
    struct maker *m = xcalloc(1, sizeof *m);
    m->feed = f;
    m->how.o = o;
    m->error = e;
    m->how.jpeg = o->kind == PACK_JPEG;
    m->how.channels = o->channels ? o->channels : m->how.jpeg ? 0 : 1;
    m->out.fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool good = m->out.fd >= 0;
    if (!good)
        error_set(e, "%.300s cannot be written: %s", part, strerror(errno));
    else {
        m->out.buffer = xmalloc(BUFFER);
        pthread_mutex_init(&m->lock, NULL);
        pthread_cond_init(&m->room, NULL);
        pthread_cond_init(&m->news, NULL);
        while (!(good = run(m, p)) && m->anew && feed_rewind(f, e)) {
            forget(m);
            m->how.channels = m->next_channels;
            m->how.jpeg = m->next_jpeg;
        }
        good = good && finish(m);
        forget(m);
        pthread_cond_destroy(&m->news);
        pthread_cond_destroy(&m->room);
        pthread_mutex_destroy(&m->lock);
        free(m->out.buffer);
        close(m->out.fd);
        if (good && rename(part, path) != 0)
            good = error_set(e, "%.300s cannot be written: %s", path, strerror(errno));
        if (good)
            file_sync_directory(path);
        else
            unlink(part);
    }
    free(m);
    free(part);
    return good;
}
