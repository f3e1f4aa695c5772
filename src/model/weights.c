/* Weights of a network in a safetensors file, under the names and in the shapes of pycls's
 * state dict (declared in net.h).  Convolutions are stored as PyTorch has them, (K,C/G,R,R);
 * each batch norm also gets its counter `num_batches_tracked`, which PyTorch expects and
 * does not use at a fixed momentum: 0, and not needed when loading. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/net.h"
#include "model/safetensors.h"

#define COUNTER "num_batches_tracked"
static const char ARCH_KEY[] = "netspace.arch";

// "s1.b1.f.a_bn.running_mean" → "s1.b1.f.a_bn.num_batches_tracked"; false for other names.
static bool counter_name(char counter[80], const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot, ".running_mean") != 0)
        return false;
    size_t n = (size_t)(dot + 1 - name);
    assert(n + sizeof COUNTER <= 80);
    memcpy(counter, name, n);
    memcpy(counter + n, COUNTER, sizeof COUNTER);
    return true;
}

bool net_save(struct net *n, const char *path, const char *arch_json, struct error *e)
{
    size_t params = net_params(n), floats = 0, tensors = 0;
    for (size_t i = 0; i < params; i++)
        floats += net_param(n, i)->count;
    size_t bytes = floats * sizeof(float) + sizeof(int64_t);
    char *block = block_alloc(bytes); // all values, then one counter
    if (!block)
        return error_set(e, "%s: no memory for a copy of %zu weights", path, floats);
    struct st_tensor *list = xcalloc(2 * params, sizeof *list);
    char(*names)[80] = xcalloc(params, sizeof *names);
    float *to = (float *)block;
    for (size_t i = 0; i < params; i++) {
        const struct param *p = net_param(n, i);
        const float *values = net_values(n, p);
        struct st_tensor *t = &list[tensors++];
        *t = (struct st_tensor){.name = p->name, .dtype = ST_F32, .dims = p->dims};
        for (int k = 0; k < p->dims; k++)
            t->shape[k] = (uint64_t)p->shape[k];
        t->begin = (uint64_t)((char *)to - block);
        for (size_t k = 0; k < p->count; k++)
            *to++ = values[param_index(p, k)];
        t->end = (uint64_t)((char *)to - block);
        if (counter_name(names[i], p->name))
            list[tensors++] = (struct st_tensor){.name = names[i], .dtype = ST_I64,
                                                 .begin = floats * sizeof(float), .end = bytes};
    }
    const struct st_pair metadata[] = {{"format", "pt"}, {ARCH_KEY, arch_json}};
    bool good = st_write(path, list, tensors, metadata, arch_json ? 2 : 1, block, e);
    free(list);
    free(names);
    block_free(block, bytes);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct st_tensor *)a)->name, ((const struct st_tensor *)b)->name);
}

static void shape_text(char text[200], int dims, const uint64_t *shape)
{
    size_t at = 1;
    strcpy(text, "(");
    for (int k = 0; k < dims && at < 170; k++)
        at += (size_t)snprintf(text + at, 200 - at, k ? ", %llu" : "%llu",
                               (unsigned long long)shape[k]);
    strcpy(text + at, ")");
}

// The tensor of a parameter, if dtype and shape are what the network has.
static const struct st_tensor *find(const struct st_file *f, const struct param *p,
                                    struct error *e)
{
    const struct st_tensor key = {.name = p->name};
    const struct st_tensor *t =
        f->n ? bsearch(&key, f->tensors, f->n, sizeof key, by_name) : NULL;
    if (!t) {
        error_set(e, "has no tensor '%s'; the file is of another network", p->name);
        return NULL;
    }
    if (t->dtype != ST_F32) {
        error_set(e, "tensor '%s' is %s; the network takes F32", p->name,
                  st_dtype_name(t->dtype));
        return NULL;
    }
    uint64_t shape[4];
    for (int k = 0; k < p->dims; k++)
        shape[k] = (uint64_t)p->shape[k];
    if (t->dims != p->dims
        || memcmp(t->shape, shape, (size_t)p->dims * sizeof *shape) != 0) {
        char has[200], takes[200];
        shape_text(has, t->dims, t->shape);
        shape_text(takes, p->dims, shape);
        error_set(e, "tensor '%s' is %s; the network takes %s", p->name, has, takes);
        return NULL;
    }
    return t;
}

// Every parameter has its tensor (found[i]), and nothing is left over but counters.
static bool match(const struct net *n, struct st_file *f, const struct st_tensor **found,
                  struct error *e)
{
    size_t params = net_params(n);
    if (f->n)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    bool *used = xcalloc(f->n, sizeof *used), good = true;
    for (size_t i = 0; i < params && good; i++) {
        const struct param *p = net_param(n, i);
        good = (found[i] = find(f, p, e)) != NULL;
        if (good)
            used[found[i] - f->tensors] = true;
        char counter[80];
        if (good && counter_name(counter, p->name)) {
            const struct st_tensor key = {.name = counter};
            const struct st_tensor *t = bsearch(&key, f->tensors, f->n, sizeof key, by_name);
            if (t)
                used[t - f->tensors] = true;
        }
    }
    for (size_t i = 0; i < f->n && good; i++)
        if (!used[i])
            good = error_set(e, "has the tensor '%.60s', which the network has not",
                             f->tensors[i].name);
    free(used);
    return good;
}

bool net_load(struct net *n, const char *path, struct error *e)
{
    struct st_file f;
    struct error why;
    if (!st_open(&f, path, e))
        return false;
    const struct st_tensor **found = xcalloc(net_params(n), sizeof *found);
    char *block = NULL;
    bool good = match(n, &f, found, &why);
    if (!good)
        error_set(e, "%s: %s", path, why.msg);
    else if (!(block = block_alloc(f.data_bytes)))
        good = error_set(e, "%s: no memory for %llu bytes", path,
                         (unsigned long long)f.data_bytes);
    else
        good = st_read(&f, path, block, e);
    for (size_t i = 0; i < net_params(n) && good; i++) {
        const struct param *p = net_param(n, i);
        float *values = net_values(n, p);
        for (size_t k = 0; k < p->count; k++)
            memcpy(&values[param_index(p, k)], block + found[i]->begin + k * sizeof(float),
                   sizeof(float));
    }
    if (good)
        net_rest(n);
    block_free(block, f.data_bytes);
    free(found);
    st_close(&f);
    return good;
}

char *weights_arch(const char *path, struct error *e)
{
    struct st_file f;
    if (!st_open(&f, path, e))
        return NULL;
    char *arch = NULL;
    for (size_t i = 0; i < f.n_metadata; i++)
        if (strcmp(f.metadata[i].key, ARCH_KEY) == 0)
            arch = xstrdup(f.metadata[i].value);
    st_close(&f);
    if (!arch)
        error_set(e, "%s: its metadata has no '%s', so it does not say which network it is of; "
                  "make the network, then load the weights into it", path, ARCH_KEY);
    return arch;
}
