/* The file of a pack, as man/netspace-pack.5 describes it:
 *
 *   header | images | index: n × struct pack_entry | names | classes, bad files, about
 *
 * The index begins at a multiple of 8.  Words end with a zero byte. */
#ifndef DATA_PACK_FORMAT_H
#define DATA_PACK_FORMAT_H
#include "data/pack.h"

#define PACK_MAGIC "netspack"
enum { PACK_ENDIAN = 0x01020304, PACK_CHUNK = 1 << 20 };

struct pack_header {
    char magic[8];
    uint32_t version, endian;
    uint64_t bytes, index_at, names_at, text_at;
    uint32_t n, classes, bad, about; // images, words of each; about: pairs
    uint32_t channels, jpeg, size, zero;
    uint64_t listing, content;
    double mean[3], deviation[3];
    uint64_t tail; // checksum from index_at to the end
    uint64_t head; // checksum of what is before
};

_Static_assert(sizeof(struct pack_entry) == 40, "an entry has 40 bytes");
_Static_assert(sizeof(struct pack_header) == 160, "a header has 160 bytes");

#endif
