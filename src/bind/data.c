/* netspace.core.data: data sets as userdata (data/dataset.h).  Names, specs and option
 * tables are the business of lua/netspace/data/data.lua.
 *
 * A net may be in the middle of a training when its callback closes the data set, so one
 * that has been lent (source_from_lua) is only marked closed; its memory goes with the
 * userdata, which whoever borrowed it keeps on the Lua stack. */
#include "bind/bind.h"

#include "base/interrupt.h"
#include "data/dataset.h"

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

const struct source *source_from_lua(lua_State *L, int index)
{
    struct dataset *d = check(L, index);
    ((struct handle *)lua_touserdata(L, index))->lent = true;
    return &d->source;
}

static struct data_options options(lua_State *L, int index)
{
    lua_Integer train = luaL_checkinteger(L, index), test = luaL_checkinteger(L, index + 1);
    luaL_argcheck(L, train >= 0 && train <= UINT32_MAX, index, "out of range");
    luaL_argcheck(L, test >= 0 && test <= UINT32_MAX, index + 1, "out of range");
    lua_Integer pad = luaL_checkinteger(L, index + 3);
    luaL_argcheck(L, pad >= 0 && pad <= CROP_PAD_MOST, index + 3, "out of range");
    return (struct data_options){(uint32_t)train, (uint32_t)test,
                                 (uint64_t)luaL_checkinteger(L, index + 2), (int)pad};
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

// shapes(train, test, seed, pad) -> dataset | nil, message; 0 images: the default
static int data_shapes(lua_State *L)
{
    struct data_options o = options(L, 1);
    struct error e;
    struct handle *h = new_handle(L);
    h->d = shapes_open(&o, &e);
    return opened(L, h, &e);
}

// cifar10(dir, train, test, seed, pad) -> dataset | nil, message; 0 images: all
static int data_cifar10(lua_State *L)
{
    const char *dir = luaL_checkstring(L, 1);
    struct data_options o = options(L, 2);
    struct error e;
    struct handle *h = new_handle(L);
    h->d = cifar10_open(dir, &o, &e);
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

static int dataset_sum(lua_State *L)
{
    const char *sum = dataset_checksum(check(L, 1));
    if (!sum)
        return raise_interrupted(L);
    lua_pushstring(L, sum);
    return 1;
}

static int dataset_card(lua_State *L)
{
    struct dataset *d = check(L, 1);
    lua_createtable(L, 0, 13);
    set_string(L, "name", d->name);
    set_string(L, "spec", d->spec);
    set_integer(L, "seed", (lua_Integer)d->seed);
    set_integer(L, "classes", d->classes);
    set_integer(L, "pad", d->pad);
    set_integer(L, "image", d->image);
    set_integer(L, "channels", d->source.channels);
    set_integer(L, "train_n", d->train.n);
    set_integer(L, "test_n", d->test.n);
    set_numbers(L, "mean", d->mean, 3);
    set_numbers(L, "std", d->std, 3);
    dataset_sum(L);
    lua_setfield(L, -2, "checksum");
    lua_createtable(L, d->classes, 0);
    for (int k = 0; k < d->classes; k++) {
        lua_pushstring(L, d->class_names[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "class_names");
    return 1;
}

// A flat list of image·image·3 bytes (row, column, channel), or normalised; label, name.
static int push_image(lua_State *L, const char *where, bool normalised)
{
    static const char *const splits[] = {"train", "test", NULL};
    struct dataset *d = check(L, 1);
    const char *split = splits[luaL_checkoption(L, 2, NULL, splits)];
    const struct split *s = *split == 't' && split[1] == 'r' ? &d->train : &d->test;
    lua_Integer i = luaL_checkinteger(L, 3);
    if (i < 1 || i > s->n)
        return luaL_error(L, "%s: there is no %s image %I; they are numbered 1 to %I", where,
                          split, (LUAI_UACINT)i, (LUAI_UACINT)s->n);
    int pixels = d->image * d->image;
    const uint8_t *planes = s->pixels[i - 1];
    lua_createtable(L, 3 * pixels, 0);
    for (int p = 0, at = 1; p < pixels; p++)
        for (int c = 0; c < 3; c++) {
            uint8_t byte = planes[c * pixels + p];
            if (normalised)
                lua_pushnumber(L, (lua_Number)d->level[c][byte]);
            else
                lua_pushinteger(L, byte);
            lua_rawseti(L, -2, at++);
        }
    lua_pushinteger(L, s->labels[i - 1]);
    lua_pushstring(L, d->class_names[s->labels[i - 1]]);
    return 3;
}

// d:image(split, i): to look at
static int dataset_image(lua_State *L)
{
    return push_image(L, "dataset:image", false);
}

// d:input(split, i): for net:forward
static int dataset_input(lua_State *L)
{
    return push_image(L, "dataset:input", true);
}

static int dataset_len(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->train.n);
    return 1;
}

static int dataset_tostring(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, TYPE);
    if (!h->d || h->closed)
        lua_pushliteral(L, "closed dataset");
    else
        lua_pushfstring(L, "dataset %s: %d classes, %d + %d images of %dx%d", h->d->spec,
                        h->d->classes, (int)h->d->train.n, (int)h->d->test.n, h->d->image,
                        h->d->image);
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
    {"card", dataset_card},    {"image", dataset_image}, {"input", dataset_input},
    {"checksum", dataset_sum}, {"close", dataset_close}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", dataset_len}, {"__tostring", dataset_tostring},
    {"__gc", dataset_gc},   {"__close", dataset_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"shapes", data_shapes},
    {"cifar10", data_cifar10},
    {NULL, NULL},
};

int open_data(lua_State *L)
{
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    return 1;
}
