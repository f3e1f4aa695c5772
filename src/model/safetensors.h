/* Files of tensors in the safetensors format: 8 bytes of header length (little-endian), a
 * JSON header of that length, the data.  Source: huggingface/safetensors, README and
 * safetensors/src/tensor.rs; the writer orders and pads as that library does, the reader
 * refuses what it refuses, and besides: unknown fields of a tensor, more than 8 dimensions,
 * control characters in names.
 *
 * A reader trusts nothing: every offset, product and length is checked before use, so a
 * file opened without error has tensors that lie one after another and fill it exactly. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H
#include "base/error.h"
#include "model/st_types.h"

/* Opens and checks; false with a message that begins with the path and leaves nothing
 * open.  st_close after success. */
bool st_open(struct st_file *f, const char *path, struct error *e);
void st_close(struct st_file *f);
/* All data, data_bytes of it, into `to`. */
bool st_read(const struct st_file *f, const char *path, void *to, struct error *e);

/* Writes the tensors, whose bytes are block+begin … block+end, to a temporary file beside
 * `path`, syncs it and renames it: `path` has all of it or what it had before. */
bool st_write(const char *path, const struct st_tensor *tensors, size_t n,
              const struct st_pair *metadata, size_t n_metadata, const void *block,
              struct error *e);

#endif
