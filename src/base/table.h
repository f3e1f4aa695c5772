/* Tables with an entry for each value of an enum, which ends with their number. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#define ENTRIES(table) (sizeof(table) / sizeof *(table))
/* Does not compile when the table's length is another.  Lists that end with NULL, as
 * luaL_checkoption wants them, have n + 1. */
#define TABLE_HAS(table, n)                                                                  \
    _Static_assert(ENTRIES(table) == (n), #table " has not one entry for each value")

#endif
