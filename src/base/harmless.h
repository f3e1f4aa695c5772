/* Text from elsewhere that a terminal may show: without what a terminal obeys.
 *
 * A name in a store, a trainer's complaint or a class of somebody's data set may hold escape
 * sequences, which move the cursor, change the title or answer questions, and characters that
 * turn the direction of text.  (ECMA-48, 5.2 and 5.3: C0 and C1; Unicode UAX #9: overrides.) */
#ifndef BASE_HARMLESS_H
#define BASE_HARMLESS_H
#include <stdbool.h>
#include <stddef.h>

/* Puts a '?' for every control character but tab, line feed and zero, for DEL, C1 and, unless
 * `turned` allows them, for characters that turn text around.  The text becomes no longer.
 * Returns its new length. */
size_t harmless(char *text, size_t n, bool turned);
/* Whether harmless would change it. */
bool harmless_already(const char *text, size_t n, bool turned);

#endif
