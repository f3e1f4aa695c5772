/* Any bytes as the images and, from the first zero pair 00 00 08 01 on, the labels of an IDX set
 * (make fuzz T=idx); the test images are the same. */
#include "feeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const uint8_t mark[4] = {0, 0, 8, 1};
    const uint8_t *labels = memmem(bytes, n, mark, 4);
    size_t images = labels ? (size_t)(labels - bytes) : n;
    char spec[128];
    for (int k = 0; k < 2; k++) {
        put(k ? "t10k-images-idx3-ubyte" : "train-images-idx3-ubyte", bytes, images);
        put(k ? "t10k-labels-idx1-ubyte" : "train-labels-idx1-ubyte", bytes + images, n - images);
    }
    snprintf(spec, sizeof spec, "idx:%s", folder());
    drain(spec);
    return 0;
}
