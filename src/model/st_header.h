/* The JSON header of a safetensors file, parsed: for safetensors.c alone. */
#ifndef MODEL_ST_HEADER_H
#define MODEL_ST_HEADER_H
#include "base/error.h"
#include "model/st_types.h"

/* Fills tensors (as they stand in the text) and metadata of f from n bytes of text, which is
 * changed: strings are unescaped in place and point into it.  Checks the text only, not
 * whether offsets and shapes make sense. */
bool st_header_parse(struct st_file *f, char *text, size_t n, struct error *e);

#endif
