/* See pool.h. */
#include "base/pool.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    LOOKS = 4000,     // before a thread sleeps: some 100 µs
    STACK = 1 << 20,  // bytes
    OVER = INT_MAX,   // the turn when all was given up
};

// ---- waiting ----------------------------------------------------------------------------

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Until the word is another than `old`; returns it.
static unsigned word_change(struct word *w, unsigned old)
{
    unsigned value;
    for (int i = 0; i < LOOKS; i++, pause_briefly())
        if ((value = atomic_load_explicit(&w->value, memory_order_acquire)) != old)
            return value;
    // In one order for all: either it sees the new value, or who sets it sees the sleeper.
    atomic_fetch_add(&w->sleepers, 1);
    while ((value = atomic_load(&w->value)) == old)
        syscall(SYS_futex, &w->value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
    atomic_fetch_sub(&w->sleepers, 1);
    return value;
}

static void word_wake(struct word *w)
{
    if (atomic_load(&w->sleepers) > 0)
        syscall(SYS_futex, &w->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

// ---- the threads --------------------------------------------------------------------------

// Each has a cache line of its own to wait at.
struct worker {
    _Alignas(64) struct word go; // one more for each work
    void *room;
    size_t bytes;
};

static struct {
    int threads, started; // with the caller
    struct worker worker[POOL_MOST]; // from 1
    void (*part)(void *self, int thread);
    void *self;
    _Alignas(64) struct word left; // threads that are not done yet
} pool = {.threads = 1, .started = 1};

static void *serve(void *arg)
{
    int thread = (int)(intptr_t)arg;
    for (unsigned seen = 0;;) {
        seen = word_change(&pool.worker[thread].go, seen);
        pool.part(pool.self, thread);
        if (atomic_fetch_sub(&pool.left.value, 1) == 1)
            word_wake(&pool.left);
    }
    return NULL;
}

// One more thread, which gets no signals.
static bool start(void)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int bad = pthread_create(&thread, &attr, serve, (void *)(intptr_t)pool.started);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (bad)
        return false;
    pool.started++;
    return true;
}

void pool_set(int threads)
{
    assert(threads >= 1);
    threads = threads < POOL_MOST ? threads : POOL_MOST;
    while (pool.started < threads && start())
        ;
    pool.threads = threads < pool.started ? threads : pool.started;
}

int pool_threads(void)
{
    return pool.threads;
}

void pool_run(void (*part)(void *self, int thread), void *self)
{
    int others = pool.threads - 1;
    if (others > 0) {
        pool.part = part, pool.self = self;
        atomic_store_explicit(&pool.left.value, (unsigned)others, memory_order_relaxed);
    }
    for (int i = 1; i <= others; i++) {
        atomic_fetch_add(&pool.worker[i].go.value, 1);
        word_wake(&pool.worker[i].go);
    }
    part(self, 0);
    for (unsigned left = (unsigned)others; left > 0;)
        left = word_change(&pool.left, left);
}

struct range {
    size_t n, unit;
    void (*part)(void *self, size_t from, size_t to);
    void *self;
};

static void one_range(void *self, int thread)
{
    const struct range *r = self;
    size_t units = (r->n + r->unit - 1) / r->unit, T = (size_t)pool.threads, t = (size_t)thread;
    size_t from = units * t / T * r->unit, to = units * (t + 1) / T * r->unit;
    to = to < r->n ? to : r->n;
    if (from < to)
        r->part(r->self, from, to);
}

void pool_share(size_t n, size_t unit, void (*part)(void *self, size_t from, size_t to),
                void *self)
{
    struct range r = {n, unit, part, self};
    pool_run(one_range, &r);
}

// ---- memory -------------------------------------------------------------------------------

void pool_reserve(size_t bytes)
{
    for (int i = 1; i < pool.threads; i++) {
        struct worker *w = &pool.worker[i];
        if (w->room && w->bytes >= bytes)
            continue;
        block_free(w->room, w->bytes);
        w->room = block_alloc(bytes);
        w->bytes = bytes;
        if (!w->room)
            pool.threads = i;
    }
}

void *pool_room(int thread)
{
    assert(thread > 0 && thread < pool.threads);
    return pool.worker[thread].room;
}

void pool_trim(void)
{
    for (int i = 1; i < POOL_MOST; i++) {
        block_free(pool.worker[i].room, pool.worker[i].bytes);
        pool.worker[i].room = NULL;
    }
}

// ---- turns --------------------------------------------------------------------------------

void turns_begin(struct turns *t)
{
    atomic_init(&t->next, 0);
    atomic_init(&t->turn.value, 0);
    atomic_init(&t->turn.sleepers, 0);
}

int turns_take(struct turns *t)
{
    return atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);
}

bool turns_now(struct turns *t, int i)
{
    return atomic_load_explicit(&t->turn.value, memory_order_acquire) == (unsigned)i;
}

bool turns_wait(struct turns *t, int i)
{
    unsigned turn = atomic_load_explicit(&t->turn.value, memory_order_acquire);
    while (turn != (unsigned)i && turn != OVER)
        turn = word_change(&t->turn, turn);
    return turn != OVER;
}

void turns_pass(struct turns *t, int i)
{
    unsigned turn = (unsigned)i; // unless it is over
    if (atomic_compare_exchange_strong(&t->turn.value, &turn, turn + 1))
        word_wake(&t->turn);
}

void turns_give_up(struct turns *t)
{
    atomic_store(&t->turn.value, OVER);
    word_wake(&t->turn);
}
