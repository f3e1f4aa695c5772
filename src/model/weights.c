/* Weights of a network in a safetensors file, under the names and in the shapes of
 * pycls's state dict (declared in net.h).  Convolutions are stored as PyTorch has them,
 * (K,C/G,R,R); each batch norm also gets its counter `num_batches_tracked`, which PyTorch
 * expects and does not use at a fixed momentum: 0, and not needed when loading.  A file may
 * also have other names, or the first convolution for images with blue first (struct naming).
 *
 * A checkpoint is such a file with more in it: the momentum of each parameter as
 * "momentum.<name>", and in the metadata which training it is of, where that stands, and
 * a checksum of all values and of these two texts. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "model/net.h"
#include "model/safetensors.h"

#define COUNTER "num_batches_tracked"
#define MOMENTUM "momentum."
enum { NAME = 80 };
static const char ARCH_KEY[] = "netspace.arch", DATA_KEY[] = "netspace.data",
                  STATE_KEY[] = "netspace.state", IDENTITY_KEY[] = "netspace.identity",
                  SUM_KEY[] = "netspace.checksum";

// "s1.b1.f.a_bn.running_mean" → "s1.b1.f.a_bn.num_batches_tracked"; false for other
// names.
static bool counter_name(char counter[NAME], const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot, ".running_mean") != 0)
        return false;
    size_t n = (size_t)(dot + 1 - name);
    assert(n + sizeof COUNTER <= NAME);
    memcpy(counter, name, n);
    memcpy(counter + n, COUNTER, sizeof COUNTER);
    return true;
}

// What parameter i is called in a file.
static const char *file_name(const struct naming *names, const struct net *n, size_t i)
{
    return names && names->names ? names->names[i] : net_param(n, i)->name;
}

// Whether parameter i lies in a file with its input channels the other way round: that of the
// first convolution, the first of all.
static bool reversed(const struct naming *names, size_t i)
{
    return names && names->reversed && i == 0;
}

// Where value k of PyTorch's order lies in the engine's; `reverse`: input channels from last to
// first.
static size_t place(const struct param *p, size_t k, bool reverse)
{
    size_t C = (size_t)p->shape[1], RR = (size_t)(p->shape[2] * p->shape[3]);
    if (reverse)
        k = (k / RR / C * C + C - 1 - k / RR % C) * RR + k % RR;
    return param_index(p, k);
}

// "s1.b1.f.a.weight" → "momentum.s1.b1.f.a.weight"
static void momentum_name(char name[NAME], const struct param *p)
{
    snprintf(name, NAME, MOMENTUM "%s", p->name);
}

// The tensors of a file while they are gathered, and a copy of their values as they are
// in it, one after another.
struct gathered {
    struct st_tensor *list;
    char (*names)[NAME]; // of those that no parameter has
    size_t n;
    char *block, *end;
    uint64_t sum; // of them
};

static void gather(struct gathered *g, const char *name, const struct param *p,
                   const float *values, bool reverse)
{
    struct st_tensor *t = &g->list[g->n++];
    *t = (struct st_tensor){.name = name, .dtype = ST_F32, .dims = p->dims};
    for (int k = 0; k < p->dims; k++)
        t->shape[k] = (uint64_t)p->shape[k];
    t->begin = (uint64_t)(g->end - g->block);
    for (size_t k = 0; k < p->count; k++, g->end += sizeof *values)
        memcpy(g->end, &values[place(p, k, reverse)], sizeof *values);
    t->end = (uint64_t)(g->end - g->block);
    g->sum = checksum(g->sum, g->block + t->begin, t->end - t->begin);
}

static void sum_text(char text[17], uint64_t sum, const char *identity, const char *state)
{
    sum = checksum(sum, identity, strlen(identity));
    sum = checksum(sum, state, strlen(state));
    snprintf(text, 17, "%016llx", (unsigned long long)sum);
}

// Weights, and with `identity` also momentum.
static bool write_file(struct net *n, const char *path, const char *arch_json,
                       const char *data_json, const struct naming *names,
                       const char *identity, const char *state, struct error *e)
{
    size_t params = net_params(n), floats = 0;
    for (size_t i = 0; i < params; i++) {
        const struct param *p = net_param(n, i);
        floats += identity && !p->buffer ? 2 * p->count : p->count;
    }
    size_t bytes = floats * sizeof(float) + sizeof(int64_t);
    struct gathered g = {.block = block_alloc(bytes)}; // all values, then one counter
    if (!g.block)
        return error_set(e, "%s: no memory for a copy of %zu weights", path, floats);
    g.end = g.block;
    g.list = xcalloc(2 * params, sizeof *g.list);
    g.names = xcalloc(params, sizeof *g.names);
    for (size_t i = 0; i < params; i++) {
        const struct param *p = net_param(n, i);
        gather(&g, file_name(names, n, i), p, net_values(n, p), reversed(names, i));
        if (counter_name(g.names[i], file_name(names, n, i)))
            g.list[g.n++] = (struct st_tensor){.name = g.names[i],
                                               .dtype = ST_I64,
                                               .begin = floats * sizeof(float),
                                               .end = bytes};
    }
    for (size_t i = 0; i < params && identity; i++) {
        const struct param *p = net_param(n, i);
        if (!p->buffer) {
            momentum_name(g.names[i], p);
            gather(&g, g.names[i], p, net_momentum(n, p), false);
        }
    }
    char sum[17] = "";
    if (identity)
        sum_text(sum, g.sum, identity, state);
    const struct st_pair all[] = {{"format", "pt"},      {ARCH_KEY, arch_json},
                                  {DATA_KEY, data_json}, {IDENTITY_KEY, identity},
                                  {STATE_KEY, state},    {SUM_KEY, identity ? sum : NULL}};
    struct st_pair metadata[sizeof all / sizeof *all];
    size_t pairs = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value)
            metadata[pairs++] = all[i];
    bool good = st_write(path, g.list, g.n, metadata, pairs, g.block, e);
    free(g.list);
    free(g.names);
    block_free(g.block, bytes);
    return good;
}

bool net_save(struct net *n, const char *path, const char *arch_json, const char *data_json,
              const struct naming *names, struct error *e)
{
    return write_file(n, path, arch_json, data_json, names, NULL, NULL, e);
}

bool net_checkpoint(struct net *n, const char *path, const char *arch_json,
                    const char *identity, const char *state, struct error *e)
{
    return write_file(n, path, arch_json, NULL, NULL, identity, state, e);
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

static const char *metadata(const struct st_file *f, const char *key)
{
    for (size_t i = 0; i < f->n_metadata; i++)
        if (strcmp(f->metadata[i].key, key) == 0)
            return f->metadata[i].value;
    return NULL;
}

static const struct st_tensor *lookup(const struct st_file *f, const char *name)
{
    const struct st_tensor key = {.name = name};
    return f->n ? bsearch(&key, f->tensors, f->n, sizeof key, by_name) : NULL;
}

// The tensor of that name, if dtype and shape are those of the parameter.
static const struct st_tensor *find(const struct st_file *f, const char *name,
                                    const struct param *p, struct error *e)
{
    const struct st_tensor *t = lookup(f, name);
    if (!t) {
        error_set(e, "has no tensor '%s'; the file is of another network", name);
        return NULL;
    }
    if (t->dtype != ST_F32) {
        error_set(e, "tensor '%s' is %s; the network takes F32", name,
                  st_dtype_name(t->dtype));
        return NULL;
    }
    uint64_t shape[4];
    for (int k = 0; k < p->dims; k++)
        shape[k] = (uint64_t)p->shape[k];
    if (t->dims != p->dims || memcmp(t->shape, shape, (size_t)p->dims * sizeof *shape) != 0) {
        char has[200], takes[200];
        shape_text(has, t->dims, t->shape);
        shape_text(takes, p->dims, shape);
        error_set(e, "tensor '%s' is %s; the network takes %s", name, has, takes);
        return NULL;
    }
    return t;
}

// Every parameter has its tensor (found[i]) and, if the file has any, its momentum
// (moments[i]), but those that keep their values; nothing is left over but counters.
static bool match(const struct net *n, struct st_file *f, const struct naming *names,
                  const struct st_tensor **found, const struct st_tensor **moments,
                  struct error *e)
{
    size_t params = net_params(n);
    if (f->n)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    bool *used = xcalloc(f->n, sizeof *used), good = true;
    bool momentum = metadata(f, IDENTITY_KEY) != NULL;
    for (size_t i = 0; i < params && good; i++) {
        const struct param *p = net_param(n, i);
        const char *in_file = file_name(names, n, i);
        const struct st_tensor *t;
        char name[NAME];
        if (names && names->kept && names->kept[i]) {
            for (int k = 0; k < 2; k++) {
                momentum_name(name, p);
                if ((t = lookup(f, k ? name : in_file)))
                    used[t - f->tensors] = true;
            }
            continue;
        }
        good = (found[i] = find(f, in_file, p, e)) != NULL;
        if (good)
            used[found[i] - f->tensors] = true;
        if (good && momentum && !p->buffer) {
            momentum_name(name, p);
            good = (moments[i] = find(f, name, p, e)) != NULL;
            if (good)
                used[moments[i] - f->tensors] = true;
        }
        if (good && counter_name(name, in_file) && (t = lookup(f, name)))
            used[t - f->tensors] = true;
    }
    for (size_t i = 0; i < f->n && good; i++)
        if (!used[i])
            good = error_set(e, "has the tensor '%.60s', which the network lacks",
                             f->tensors[i].name);
    free(used);
    return good;
}

// Whether the values and texts are those that were written.
static bool intact(const struct net *n, const struct st_file *f, const char *block,
                   const struct st_tensor *const *found,
                   const struct st_tensor *const *moments)
{
    const char *wanted = metadata(f, SUM_KEY), *state = metadata(f, STATE_KEY);
    uint64_t sum = 0;
    char text[17];
    for (size_t i = 0; i < 2 * net_params(n); i++) {
        const struct st_tensor *t = i < net_params(n) ? found[i] : moments[i - net_params(n)];
        if (t)
            sum = checksum(sum, block + t->begin, t->end - t->begin);
    }
    if (!wanted || !state)
        return false;
    sum_text(text, sum, metadata(f, IDENTITY_KEY), state);
    return strcmp(text, wanted) == 0;
}

static void take_values(struct net *n, const char *block, const struct st_tensor *const *from,
                        const struct naming *names,
                        float *(*values_of)(struct net *n, const struct param *p))
{
    for (size_t i = 0; i < net_params(n); i++) {
        const struct param *p = net_param(n, i);
        float *values = from[i] ? values_of(n, p) : NULL;
        for (size_t k = 0; k < p->count && values; k++)
            memcpy(&values[place(p, k, reversed(names, i))],
                   block + from[i]->begin + k * sizeof *values, sizeof *values);
    }
}

// Values of a file into the network; a checkpoint (identity) with its momentum and, if it
// is of another training or damaged, not at all.
static bool read_file(struct net *n, const char *path, struct st_file *f,
                      const struct naming *names, const char *identity, struct error *e)
{
    size_t params = net_params(n);
    const struct st_tensor **found = xcalloc(2 * params, sizeof *found),
                           **moments = found + params;
    const char *other = metadata(f, IDENTITY_KEY);
    char *block = NULL;
    struct error why;
    bool good = true;
    if (identity && (!other || strcmp(other, identity) != 0))
        good = error_set(&why, other ? "is of another training: its network, recipe, "
                                       "data, seed or engine differs"
                                     : "is not a checkpoint");
    good = good && match(n, f, names, found, moments, &why);
    if (good && !(block = block_alloc(f->data_bytes)))
        good = error_set(&why, "no memory for %llu bytes", (unsigned long long)f->data_bytes);
    if (!good)
        error_set(e, "%s: %s", path, why.msg);
    good = good && st_read(f, path, block, e);
    if (good && identity && !intact(n, f, block, found, moments))
        good = error_set(e, "%s is damaged: its checksum does not match", path);
    if (good)
        take_values(n, block, found, names, net_values);
    if (good && identity)
        take_values(n, block, moments, NULL, net_momentum);
    else if (good)
        net_rest(n);
    block_free(block, f->data_bytes);
    free(found);
    return good;
}

bool net_load(struct net *n, const char *path, const struct naming *names, struct error *e)
{
    struct st_file f;
    if (!st_open(&f, path, e))
        return false;
    bool good = read_file(n, path, &f, names, NULL, e);
    st_close(&f);
    return good;
}

char *net_restore(struct net *n, const char *path, const char *identity, struct error *e)
{
    struct st_file f;
    if (!st_open(&f, path, e))
        return NULL;
    char *state = NULL;
    if (read_file(n, path, &f, NULL, identity, e))
        state = xstrdup(metadata(&f, STATE_KEY));
    st_close(&f);
    return state;
}
