/* Any bytes as a tar or zip archive, of class folders or WebDataset's (make fuzz T=archive). */
#include "feeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64], spec[80];
    int fd = file_of(bytes, n, path);
    snprintf(spec, sizeof spec, "tar:%s", path);
    drain(spec);
    close(fd);
    return 0;
}
