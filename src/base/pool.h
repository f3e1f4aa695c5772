/* Threads of this process that work on one thing together.
 *
 *   pool_set(4);                    // from now on four: the caller is number 0
 *   pool_run(part, &job);           // part(&job, 0 … 3), at once; back when all are done
 *
 * What they do is cut into pieces that do not depend on how many they are, and what is added
 * up is added in the order of the pieces, so that results are the same bits for any number:
 *
 *   struct turns t;  turns_begin(&t);
 *   each thread:     while ((i = turns_take(&t)) < pieces) {
 *                        …piece i…
 *                        if (!turns_wait(&t, i)) break;     // until 0 … i-1 have passed
 *                        …add it…
 *                        turns_pass(&t, i);
 *                    }
 *
 * Who waits looks again and again for some microseconds, and then sleeps (futex): in a step of
 * training the next piece is there before.  Threads that were started stay, asleep.  One thread
 * of the process uses the pool; none of it is for signal handlers.
 * Source of waiting: Drepper, Futexes Are Tricky (2011). */
#ifndef BASE_POOL_H
#define BASE_POOL_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { POOL_MOST = 256 }; // threads

/* How many threads pool_run has from now on, from 1: fewer than asked for where the system gives
 * no more. */
void pool_set(int threads);
int pool_threads(void);

/* part(self, t) for t = 0 … pool_threads() - 1, each by a thread of its own. */
void pool_run(void (*part)(void *self, int thread), void *self);
/* part(self, from, to) for ranges that together are 0 … n - 1, each thread one; all but the last
 * begin and end at multiples of `unit`. */
void pool_share(size_t n, size_t unit, void (*part)(void *self, size_t from, size_t to),
                void *self);

/* Memory of each thread but the caller, at least so many bytes, aligned to 64; what was there
 * stays only where it was enough.  Where the system has none, the pool gets smaller. */
void pool_reserve(size_t bytes);
void *pool_room(int thread); // from 1
void pool_trim(void);        // frees it

/* A number that threads wait for. */
struct word {
    atomic_uint value, sleepers;
};

struct turns {
    atomic_int next;
    struct word turn;
};
void turns_begin(struct turns *t);
int turns_take(struct turns *t);             // the next piece: 0, 1, 2, …
bool turns_now(struct turns *t, int i);      // whether it is the turn of piece i
bool turns_wait(struct turns *t, int i);     // false: given up
void turns_pass(struct turns *t, int i);
void turns_give_up(struct turns *t);         // whoever waits, or will, need not

#endif
