/* netspace.core.data: data sets as userdata (data/dataset.h).  Names, specs and option
 * tables are the business of lua/netspace/data/data.lua.
 *
 * A net may be in the middle of a training when its callback closes the data set, so one
 * that has been lent (source_from_lua) is only marked closed; its memory goes with the
 * userdata, which whoever borrowed it keeps on the Lua stack. */
#include "bind/bind.h"

#include <string.h>

#include "base/interrupt.h"
#include "data/pack.h"

#define TYPE "netspace.dataset"

struct handle {
    struct dataset *d;
    bool lent, closed;
};

static struct dataset *check(lua_State *L, int index)
{
    struct handle *h = luaL_checkudata(L, index, TYPE);
    if (!h->d || h->closed)
        luaL_error(L, "closed dataset");
    return h->d;
}

struct dataset *dataset_from_lua(lua_State *L, int index)
{
    return check(L, index);
}

const struct source *source_from_lua(lua_State *L, int index)
{
    struct dataset *d = check(L, index);
    ((struct handle *)lua_touserdata(L, index))->lent = true;
    return &d->source;
}

// The table of options at an index: train, validation, test, seed, pad; as in
// lua/netspace/data/data.lua, which has checked them.
static uint32_t count_field(lua_State *L, int index, const char *name, uint32_t missing)
{
    lua_getfield(L, index, name);
    lua_Integer n = luaL_optinteger(L, -1, missing);
    luaL_argcheck(L, n >= 0 && n <= UINT32_MAX, index, name);
    lua_pop(L, 1);
    return (uint32_t)n;
}

static struct data_options options(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    struct data_options o = {
        .train = count_field(L, index, "train", 0),
        .validation = count_field(L, index, "validation", VALIDATION_DEFAULT),
        .test = count_field(L, index, "test", 0),
        .pad = (int)count_field(L, index, "pad", CROP_PAD),
    };
    luaL_argcheck(L, o.pad <= CROP_PAD_MOST, index, "pad");
    static const char *const resizes[] = {"antialias", "pycls", NULL};
    o.image = (int)count_field(L, index, "image", 0);
    lua_getfield(L, index, "scale");
    o.scale = luaL_optnumber(L, -1, 0);
    lua_getfield(L, index, "resize");
    o.resize = (enum resize)luaL_checkoption(L, -1, "antialias", resizes);
    lua_pop(L, 2);
    lua_getfield(L, index, "seed");
    o.seed = (uint64_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return o;
}

static struct handle *new_handle(lua_State *L)
{
    struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (struct handle){NULL, false, false};
    luaL_setmetatable(L, TYPE);
    return h;
}

static int opened(lua_State *L, const struct handle *h, const struct error *e)
{
    if (h->d)
        return 1;
    if (interrupt_pending())
        return raise_interrupted(L);
    lua_pushnil(L);
    lua_pushstring(L, e->msg);
    return 2;
}

// shapes(options) -> dataset | nil, message
static int data_shapes(lua_State *L)
{
    struct data_options o = options(L, 1);
    struct error e;
    struct handle *h = new_handle(L);
    h->d = shapes_open(&o, &e);
    return opened(L, h, &e);
}

// cifar10(dir, options) -> dataset | nil, message
static int data_cifar10(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    struct data_options o = options(L, 2);
    struct error e;
    struct handle *h = new_handle(L);
    h->d = cifar10_open(dir, &o, &e);
    return opened(L, h, &e);
}

// packed(path, options) -> dataset | nil, message, whether it is the pack's fault; options also
// name, spec, split, and imagenet, skip_bad (booleans)
static int data_packed(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct data_options o = options(L, 2);
    struct pack_view v = {.share = {0.8, 0.1, 0.1}};
    lua_settop(L, 2);
    lua_getfield(L, 2, "name");
    v.name = luaL_checkstring(L, -1);
    lua_getfield(L, 2, "spec");
    v.spec = luaL_checkstring(L, -1);
    lua_getfield(L, 2, "imagenet");
    v.imagenet = lua_toboolean(L, -1);
    lua_getfield(L, 2, "skip_bad");
    v.skip_bad = lua_toboolean(L, -1);
    if (lua_getfield(L, 2, "split") == LUA_TTABLE)
        for (int k = 0; k < 3; k++) {
            lua_rawgeti(L, -1, k + 1);
            v.share[k] = luaL_checknumber(L, -1);
            lua_pop(L, 1);
        }
    struct error e;
    struct pack *p = pack_open(path, &e);
    if (!p) {
        push_failure(L, e.msg);
        lua_pushboolean(L, true);
        return 3;
    }
    struct handle *h = new_handle(L);
    h->d = pack_dataset(p, &o, &v, &e);
    return opened(L, h, &e);
}

static void set_numbers(lua_State *L, const char *key, const double *x, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushnumber(L, x[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

void channels_from_lua(lua_State *L, int t, const char *key, int channels, double x[3])
{
    lua_getfield(L, t, key);
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int c = 0; c < 3; c++) {
        lua_rawgeti(L, -1, c < channels ? c + 1 : 1);
        x[c] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int dataset_sum(lua_State *L)
{
    const char *sum = dataset_checksum(check(L, 1));
    if (!sum)
        return raise_interrupted(L);
    lua_pushstring(L, sum);
    return 1;
}

static int dataset_test_sum(lua_State *L)
{
    const char *sum = dataset_test_checksum(check(L, 1));
    if (!sum)
        return raise_interrupted(L);
    lua_pushstring(L, sum);
    return 1;
}

// The name of a class is a folder's or a file's: of somebody else, and for people.
static void push_class(lua_State *L, const struct dataset *d, int k)
{
    push_harmless(L, d->class_names[k], strlen(d->class_names[k]), false);
}

// Of the images that networks are compared by: how many the largest class has, and the names of
// the classes that have none, where there are such, into the table on top.
static void set_balance(lua_State *L, const struct dataset *d)
{
    const struct split *s = dataset_split(d, SPLIT_VALIDATION);
    uint32_t *of = lua_newuserdatauv(L, (size_t)d->classes * sizeof *of, 0), largest = 0;
    memset(of, 0, (size_t)d->classes * sizeof *of);
    for (uint32_t i = 0; i < s->n; i++)
        if (++of[s->labels[i]] > largest)
            largest = of[s->labels[i]];
    lua_newtable(L);
    lua_Integer none = 0;
    for (int k = 0; k < d->classes; k++)
        if (!of[k]) {
            push_class(L, d, k);
            lua_rawseti(L, -2, ++none);
        }
    if (none)
        lua_setfield(L, -3, "unmeasured");
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
    set_integer(L, "largest", largest);
}

static int dataset_card(lua_State *L)
{
    struct dataset *d = check(L, 1);
    int channels = d->look.channels;
    lua_createtable(L, 0, 19);
    set_string(L, "name", d->name);
    set_string(L, "spec", d->spec);
    set_integer(L, "seed", (lua_Integer)d->seed);
    set_integer(L, "classes", d->classes);
    set_integer(L, "pad", d->look.pad);
    set_integer(L, "image", d->look.image);
    set_integer(L, "channels", channels);
    set_number(L, "scale", d->look.scale);
    set_string(L, "resize", d->look.resize == RESIZE_PYCLS ? "pycls" : "antialias");
    set_integer(L, "train_n", d->train.n);
    set_integer(L, "validation_n", d->validation.n);
    set_integer(L, "test_n", d->test.n);
    set_numbers(L, "mean", d->mean, channels);
    set_numbers(L, "std", d->std, channels);
    dataset_sum(L);
    lua_setfield(L, -2, "checksum");
    dataset_test_sum(L);
    lua_setfield(L, -2, "test_checksum");
    lua_createtable(L, d->classes, 0);
    for (int k = 0; k < d->classes; k++) {
        push_class(L, d, k);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "class_names");
    set_balance(L, d);
    return 1;
}

int split_from_lua(lua_State *L, int index, int missing)
{
    static const char *const names[] = {"train", "validation", "test", NULL};
    return luaL_checkoption(L, index, names[missing], names);
}

// Image i of a split; `where` is the function called.
static const struct stored *stored_image(lua_State *L, const struct dataset *d,
                                         const char *where, uint16_t *label)
{
    const struct split *s =
        dataset_split(d, (enum split_name)split_from_lua(L, 2, SPLIT_TRAIN));
    lua_Integer i = luaL_checkinteger(L, 3);
    if (i < 1 || i > s->n)
        luaL_error(L, "%s: there is no %s image %I; they are numbered 1 to %I", where,
                   lua_tostring(L, 2), (LUAI_UACINT)i, (LUAI_UACINT)s->n);
    *label = s->labels[i - 1];
    return &s->images[i - 1];
}

static int push_label(lua_State *L, const struct dataset *d, uint16_t label)
{
    lua_pushinteger(L, label);
    push_class(L, d, label);
    return 3;
}

// image(d, split, i) -> flat list of bytes (row, column, channel), label, name: to look at
static int dataset_image(lua_State *L)
{
    struct dataset *d = check(L, 1);
    uint16_t label;
    const struct stored *s = stored_image(L, d, "dataset:image", &label);
    struct picture p; // in memory of d->work
    if (!view_picture(&p, s, d->layout, &d->look, d->work))
        return luaL_error(L, "dataset:image: %s", d->work->error.msg);
    int n = p.width * p.height * p.channels;
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushinteger(L, p.pixels[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return push_label(L, d, label);
}

// input(d, split, i) -> flat list of numbers, label, name: for net:forward
static int dataset_input(lua_State *L)
{
    struct dataset *d = check(L, 1);
    uint16_t label;
    const struct stored *s = stored_image(L, d, "dataset:input", &label);
    int n = d->look.image * d->look.image * d->look.channels;
    float *x = lua_newuserdatauv(L, (size_t)n * sizeof *x, 0);
    if (!view_test(x, s, d->layout, &d->look, d->work))
        return luaL_error(L, "dataset:input: %s", d->work->error.msg);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushnumber(L, (lua_Number)x[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return push_label(L, d, label);
}

// name(d, split, i) -> the name of its file in its pack, or nil
static int dataset_file_name(lua_State *L)
{
    struct dataset *d = check(L, 1);
    uint16_t label;
    lua_pushstring(L, dataset_name(d, stored_image(L, d, "dataset:name", &label)));
    return 1;
}

static int dataset_len(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->train.n);
    return 1;
}

static void push_sizes(lua_State *L, const struct dataset *d)
{
    lua_pushfstring(L, "dataset %s: %d classes, %d training", d->spec, d->classes,
                    (int)d->train.n);
    if (d->validation.n)
        lua_pushfstring(L, " + %d validation", (int)d->validation.n);
    else
        lua_pushliteral(L, "");
    lua_pushfstring(L, " + %d test images of %dx%d", (int)d->test.n, d->look.image,
                    d->look.image);
    lua_concat(L, 3);
}

static int dataset_tostring(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, TYPE);
    if (!h->d || h->closed)
        lua_pushliteral(L, "closed dataset");
    else
        push_sizes(L, h->d);
    return 1;
}

static int dataset_gc(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, TYPE);
    dataset_free(h->d);
    h->d = NULL;
    return 0;
}

static int dataset_close(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, TYPE);
    h->closed = true;
    return h->lent ? 0 : dataset_gc(L);
}

static const luaL_Reg methods[] = {
    {"card", dataset_card},    {"image", dataset_image},
    {"input", dataset_input},  {"name", dataset_file_name},
    {"checksum", dataset_sum}, {"test_checksum", dataset_test_sum},
    {"close", dataset_close},  {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", dataset_len}, {"__tostring", dataset_tostring},
    {"__gc", dataset_gc},   {"__close", dataset_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"shapes", data_shapes},
    {"cifar10", data_cifar10},
    {"packed", data_packed},
    {NULL, NULL},
};

int open_data(lua_State *L)
{
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    luaL_getmetatable(L, TYPE);
    lua_getfield(L, -1, "__index");
    lua_setfield(L, -3, "methods"); // lua/netspace/data/data.lua adds the rest
    lua_pop(L, 1);
    return 1;
}
