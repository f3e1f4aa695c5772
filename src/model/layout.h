/* First fit over time: pieces of memory that are wanted for a while each get a place in one
 * arena, so that no two that are wanted at the same time overlap. */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H
#include <stddef.h>

struct piece {
    size_t size;
    int first, last; // the times it is wanted, both included
    size_t offset;   // its place: set by layout
};

/* Places pieces in the order given, each as low as it can go beside those before it.  Times
 * are from 0 to times - 1.  Returns the size of the arena.  steps, where not NULL, counts
 * the extents that were looked at or moved. */
size_t layout(struct piece *pieces, int n, int times, size_t *steps);

#endif
