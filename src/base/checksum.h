/* A 64-bit checksum of bytes: against disks that lie, not against people.  Each step is
 * one-to-one, so damage within one word of 8 bytes never goes unseen. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/* Of `n` bytes after those that gave `sum` (0 for none).  Where one call ends and the next
 * begins matters unless n is a multiple of 8. */
uint64_t checksum(uint64_t sum, const void *bytes, size_t n);

#endif
