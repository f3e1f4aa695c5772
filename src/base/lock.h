/* Locks that end with the process that holds them, however it ends.
 *
 * A lock is a byte of a file, held by an open file description (F_OFD_SETLK, fcntl(2)).  The
 * kernel keeps it: it is seen from every container and PID namespace that shares the file, and
 * gone in the moment its holder is.  Children that a process starts do not inherit it (the
 * descriptor closes at exec). */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H
#include <stdbool.h>
#include <stdint.h>

enum lock_state { LOCK_FREE, LOCK_HELD, LOCK_UNKNOWN };

/* Takes byte `at` of the file at `path`, which is made when missing.  Returns a descriptor for
 * lock_release, or -1 with errno: EAGAIN when it is held, another where files cannot be locked. */
int lock_take(const char *path, int64_t at);

/* Lets go.  The file is removed when no other byte of it is held. */
void lock_release(int fd, const char *path);

/* Whether somebody (this process too) holds byte `at`; unknown without the file. */
enum lock_state lock_look(const char *path, int64_t at);

#endif
