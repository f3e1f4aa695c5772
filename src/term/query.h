/* Questions to the terminal: what it answers comes in as if it were typed. */
#ifndef TERM_QUERY_H
#define TERM_QUERY_H
#include <stddef.h>

/* Writes the question, which must end with a request for the device attributes (DA1), as
 * every terminal answers that one; reads until its answer, ESC [ ? … c, for `ms` milliseconds
 * at most, and then for `more`, where another terminal answers as well.  Returns how many
 * bytes came, also without the answer; -1 when it was not asked: stdin and stdout are no
 * terminal, we are in the background, or keys are waiting, which would get mixed up. */
int term_ask(const char *question, size_t n, char *reply, size_t size, int ms, int more);

/* Pixels of a cell, 0 where the terminal does not tell. */
void term_cell(int *width, int *height);

/* Takes back what came with an answer but was typed: as input that is still to be read.
 * The prompt sets who takes it; else the terminal, where the system allows it. */
extern void (*term_typed)(const char *bytes, size_t n);
void term_give_back(const char *bytes, size_t n);

#endif
