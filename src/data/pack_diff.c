/* What has changed in a folder since its pack was made (pack.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/classes.h"
#include "data/pack.h"

void pack_differs(const struct pack *p, struct feed *f, struct error *e)
{
    error_set(e, "its files are newer");
    if (f->kind != &feed_folder && f->kind != &feed_list)
        return; // the listing has archives, not images
    struct words names = {0};
    uint32_t *at = xcalloc(p->n, sizeof *at);
    bool *there = xcalloc(p->n, sizeof *there), known = false;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t k = words_add(&names, pack_name(p, i), strlen(pack_name(p, i)));
        at[k] = i;
    }
    uint32_t images = names.n;
    for (uint32_t i = 0; i < p->nbad; i++)
        words_add(&names, p->bad[i].name, strlen(p->bad[i].name));
    struct feed_item item;
    struct error why;
    while (!known && feed_next(f, &item, &why) == 1) {
        uint32_t before = names.n, k = words_add(&names, item.name, strlen(item.name));
        if (k == before && feed_image(item.name, NULL, 0))
            known = !error_set(e, "'%.200s' is new", item.name);
        else if (k < images) {
            uint32_t was = pack_entry(p, at[k]).file_bytes;
            there[k] = true;
            if (item.size && item.size != was)
                known = !error_set(e, "'%.200s' has %zu bytes, it had %u", item.name,
                                   item.size, was);
        }
        free(item.name);
    }
    for (uint32_t k = 0; k < images && !known; k++)
        if (!there[k])
            known = !error_set(e, "'%.200s' is gone", names.word[k]);
    free(at);
    free(there);
    words_free(&names);
}
