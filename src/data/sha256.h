/* SHA-256 (FIPS 180-4), for naming the content of a data set in results.  Not for
 * secrets: nothing here runs in constant time. */
#ifndef DATA_SHA256_H
#define DATA_SHA256_H
#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t h[8];
    uint64_t bytes;    // taken so far
    uint8_t block[64]; // the last bytes % 64 of them
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
/* The digest as 64 lower-case hexadecimal digits and a zero. */
void sha256_hex(struct sha256 *s, char hex[65]);

#endif
