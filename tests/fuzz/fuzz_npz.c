/* Any bytes as an archive of NumPy's arrays (make fuzz T=npz). */
#include "feeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64], spec[80];
    int fd = file_of(bytes, n, path);
    snprintf(spec, sizeof spec, "npz:%s", path);
    drain(spec);
    close(fd);
    return 0;
}
