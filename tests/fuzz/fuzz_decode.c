/* Any bytes as an image file (make fuzz T=decode): a picture of the size that its head says, or
 * a message; a part of it holds the part; nothing is left behind.  Images above 512×512 pixels are
 * left out, as they only cost time. */
#include <assert.h>
#include <stdlib.h>

#include "data/decode.h"

enum { PIXELS_MOST = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const int channels[3] = {0, 1, 3};
    struct image_info info;
    struct picture p;
    struct error e;
    struct box at;
    if (!image_probe(bytes, n, &info, &e)) {
        assert(*e.msg);
        return 0;
    }
    if ((int64_t)info.width * info.height > PIXELS_MOST)
        return 0;
    struct decode how = {.channels = channels[n % 3], .background = n & 1 ? 255 : 0};
    if (image_decode(bytes, n, &how, &p, &e)) {
        assert(p.width == info.width && p.height == info.height);
        assert(p.channels == (how.channels ? how.channels : info.channels));
        free(p.pixels);
    } else {
        assert(*e.msg && !p.pixels);
    }
    unsigned key = bytes[n / 2] + 256u * bytes[n / 3];
    struct box part = {(int)(key % 97) * info.width / 97, (int)(key % 89) * info.height / 89,
                       0, 0};
    part.width = 1 + (int)(key % 83) * (info.width - (int)part.x - 1) / 83;
    part.height = 1 + (int)(key % 79) * (info.height - (int)part.y - 1) / 79;
    how.least = (int)(key % 13);
    if (image_decode_part(bytes, n, &how, &part, &p, &at, &e)) {
        assert(at.x >= 0 && at.y >= 0 && at.width > 0 && at.height > 0);
        assert(at.x < p.width && at.x + at.width <= p.width + 1);
        assert(at.y < p.height && at.y + at.height <= p.height + 1);
        free(p.pixels);
    }
    return 0;
}
