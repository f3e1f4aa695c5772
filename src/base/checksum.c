/* See checksum.h. */
#include "base/checksum.h"

#include <string.h>

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u + 0xd1b54a32d192ed03u;
    return sum ^ sum >> 32;
}

uint64_t checksum(uint64_t sum, const void *bytes, size_t n)
{
    const char *p = bytes;
    uint64_t word = 0;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        sum = mix(sum, word);
    }
    word = n; // so that zeros at the end count
    memcpy((char *)&word + 1, p, n);
    return n ? mix(sum, word) : sum;
}
