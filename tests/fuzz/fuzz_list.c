/* Any bytes as a list of paths and labels (make fuzz T=list); the files a, b and c are there. */
#include "feeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static bool made;
    char spec[128];
    for (const char *name = "a\0b\0c\0"; !made && *name; name += 2)
        put(name, (const uint8_t *)"x", 1);
    made = true;
    put("list", bytes, n);
    snprintf(spec, sizeof spec, "list:%s/list", folder());
    drain(spec);
    return 0;
}
