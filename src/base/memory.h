/* Memory.  Small allocations die on failure (after at_die restored the terminal);
 * blocks, whose size comes from the user (nets, data), fail with NULL instead. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H
#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t bytes);
char *xstrdup(const char *s);
/* Room for one more entry in an array of n that grew by this alone (to powers of two). */
void *xgrow(void *array, size_t n, size_t size);

/* Says why on stderr and exits with status 1.  at_die, when set, runs first; signal handlers
 * call it, too, so it may only do what they may. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
typedef void die_hook(void);
extern _Atomic(die_hook *) at_die;

/* A block of zeroed bytes, aligned to 64, huge pages advised from 2 MB on;
 * NULL when the system has no memory.  block_free needs the size again. */
void *block_alloc(size_t bytes);
void block_free(void *block, size_t bytes);
size_t block_total(void); // bytes asked for in blocks that are alive

#endif
