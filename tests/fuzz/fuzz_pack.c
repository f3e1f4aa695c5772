/* Any bytes as a pack (make fuzz T=pack).  Its checksums are set right first, so that what lies
 * behind them is reached: a pack that was written by someone else. */
#include "feeds.h"

#include "base/checksum.h"
#include "data/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct pack_header h;
    struct error e = {""};
    char path[64];
    uint32_t first;
    if (n < sizeof h)
        return 0;
    uint8_t *copy = malloc(n);
    memcpy(copy, bytes, n);
    memcpy(&h, bytes, sizeof h);
    h.bytes = n;
    if (h.index_at % 8 == 0 && h.index_at <= n)
        h.tail = checksum(0, copy + h.index_at, n - h.index_at);
    h.head = checksum(0, &h, sizeof h - 8);
    memcpy(copy, &h, sizeof h);
    int fd = file_of(copy, n, path);
    free(copy);
    struct pack *p = pack_open(path, &e);
    if (p) {
        for (uint32_t i = 0; i < p->n; i++)
            assert(strlen(pack_name(p, i)) < n && pack_entry(p, i).label < p->classes);
        for (uint32_t i = 0; i < p->nbad; i++)
            assert(strlen(p->bad[i].name) + strlen(p->bad[i].reason) < n);
        assert(strlen(pack_about(p, "spec")) < n);
        pack_check(p, &first);
        struct data_options o = {.seed = 1, .validation = VALIDATION_DEFAULT, .pad = 4};
        struct pack_view v = {.share = {0.8, 0.1, 0.1}, .skip_bad = true, .name = "x",
                              .spec = "x"};
        struct dataset *d = pack_dataset(p, &o, &v, &e);
        if (d) {
            assert(dataset_checksum(d));
            dataset_free(d);
        } else
            assert(*e.msg);
    } else
        assert(*e.msg);
    close(fd);
    return 0;
}
