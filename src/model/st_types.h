/* What a safetensors file holds (safetensors.h), as its header (st_header.h) says it. */
#ifndef MODEL_ST_TYPES_H
#define MODEL_ST_TYPES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ST_DIMS = 8, ST_HEADER_MOST = 100000000 };

/* In the order of the reference library, lowest first; names by st_dtype_name. */
// clang-format off
enum st_dtype {
    ST_BOOL, ST_F4, ST_F6_E2M3, ST_F6_E3M2, ST_U8, ST_I8, ST_F8_E5M2, ST_F8_E4M3, ST_F8_E8M0,
    ST_F8_E4M3FNUZ, ST_F8_E5M2FNUZ, ST_I16, ST_U16, ST_F16, ST_BF16, ST_I32, ST_U32, ST_F32,
    ST_C64, ST_F64, ST_I64, ST_U64, ST_DTYPES
};
// clang-format on

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
bool st_dtype_of(const char *name, enum st_dtype *t); // false when unknown
int st_dtype_bits(enum st_dtype t);                   // of one value

#endif
