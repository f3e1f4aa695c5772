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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

enum { ST_DIMS = 8, ST_HEADER_MOST = 100000000 };

/* In the order of the reference library, lowest first; names by st_dtype_name. */
enum st_dtype {
    ST_BOOL, ST_F4, ST_F6_E2M3, ST_F6_E3M2, ST_U8, ST_I8, ST_F8_E5M2, ST_F8_E4M3, ST_F8_E8M0,
    ST_F8_E4M3FNUZ, ST_F8_E5M2FNUZ, ST_I16, ST_U16, ST_F16, ST_BF16, ST_I32, ST_U32, ST_F32,
    ST_C64, ST_F64, ST_I64, ST_U64, ST_DTYPES
};

struct st_tensor {
    const char *name;
    enum st_dtype dtype;
    int dims;
    uint64_t shape[ST_DIMS];
    uint64_t begin, end; // bytes of data
};
struct st_pair {
    const char *key, *value;
};

struct st_file {
    struct st_tensor *tensors; // by begin
    size_t n;
    struct st_pair *metadata;
    size_t n_metadata;
    uint64_t data_bytes;
    char *header; // what names and values point into
    int fd;
};

const char *st_dtype_name(enum st_dtype t);

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
