/* The file of a pack, as man/netspace-pack.5 describes it:
 *
 *   header | images | index: n × struct pack_entry | names | classes, bad files, about
 *
 * The index begins at a multiple of 8.  Words end with a zero byte. */
#ifndef DATA_PACK_FORMAT_H
#define DATA_PACK_FORMAT_H
#include <stdint.h>

#define PACK_MAGIC "netspack"
enum { PACK_VERSION = 1, PACK_ENDIAN = 0x01020304 };

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

struct pack_entry {                   // as it is in the file, little-endian
    uint64_t at, sum;                 // where its bytes are; their checksum (base/checksum.h)
    uint32_t bytes;                   // how many
    uint32_t name;                    // where its name is, from the beginning of the names
    uint32_t file_bytes;              // of the file it was
    uint16_t width, height;           // as kept
    uint16_t file_width, file_height; // as it was (upright)
    uint16_t label;
    uint8_t part;     // enum part
    uint8_t channels; // 1 or 3
};

_Static_assert(sizeof(struct pack_entry) == 40, "an entry has 40 bytes");
_Static_assert(sizeof(struct pack_header) == 160, "a header has 160 bytes");

#endif
