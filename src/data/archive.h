/* Archives, read from their beginning to their end by libarchive: tar and zip, plain or
 * compressed.  Nothing is unpacked: names in an archive are names, never paths. */
#ifndef DATA_ARCHIVE_H
#define DATA_ARCHIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct archive_file;

/* NULL with the reason (no name in it).  `zip`: nothing but a zip. */
struct archive_file *archive_file_open(const char *path, bool zip, struct error *e);
void archive_file_close(struct archive_file *a);

/* The next plain file: 1 with its name, which lives until the next call; 0 at the end; -1 with the
 * reason (no name in it): what follows cannot be read. */
int archive_file_next(struct archive_file *a, const char **name, struct error *e);

/* Up to `room` bytes of it: how many; 0 at its end; -1 with the reason. */
int64_t archive_file_read(struct archive_file *a, void *to, size_t room, struct error *e);

/* All of it (to be freed); false with the reason, as for more than `most` bytes. */
bool archive_file_take(struct archive_file *a, size_t most, uint8_t **bytes, size_t *size,
                       struct error *e);

#endif
