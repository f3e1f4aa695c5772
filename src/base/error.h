/* Errors that a user can cause or meet: a message in a buffer the caller owns.
 *
 * The convention of the whole engine: a function that can fail takes a
 * `struct error *` last and returns false (or NULL) with e->msg set; it prints
 * nothing and never exits.  The message names the value, the limit and, where
 * there is one, the remedy.  Bugs are asserts, never errors. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H
#include <stdbool.h>

struct error {
    char msg[512];
};

/* Formats the message; always returns false, so that a check is one line:
 *     if (n < 1) return error_set(e, "batch is %d; it must be at least 1", n); */
bool error_set(struct error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
