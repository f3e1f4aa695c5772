/* See st_types.h. */
#include "model/st_types.h"

#include <string.h>

#include "base/table.h"

static const struct {
    const char *name;
    int bits;
} dtypes[] = {
    {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
    {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
    {"I64", 64},        {"U64", 64},
};
TABLE_HAS(dtypes, ST_DTYPES);

const char *st_dtype_name(enum st_dtype t)
{
    return dtypes[t].name;
}

bool st_dtype_of(const char *name, enum st_dtype *t)
{
    for (int i = 0; i < ST_DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *t = (enum st_dtype)i;
            return true;
        }
    return false;
}

int st_dtype_bits(enum st_dtype t)
{
    return dtypes[t].bits;
}
