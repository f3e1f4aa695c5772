/* netspace.core.look: data sets as people look at them, for lua/netspace/data/show.lua and
 * describe.lua, and single files as a network sees them, for network/predict.lua. */
#include "bind/bind.h"

#include <math.h>

#include "data/dataset.h"
#include "data/pack.h"
#include "data/single.h"
#include "data/survey.h"

// labels(d, split) -> list of labels, from 0
static int look_labels(lua_State *L)
{
    const struct dataset *d = dataset_from_lua(L, 1);
    const struct split *s =
        dataset_split(d, (enum split_name)split_from_lua(L, 2, SPLIT_TRAIN));
    lua_createtable(L, (int)s->n, 0);
    for (uint32_t i = 0; i < s->n; i++) {
        lua_pushinteger(L, s->labels[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

// seen(d, i, epoch, seed, recipe) -> bytes, label, name: training image i as it is seen in an
// epoch, brought back from normalised numbers to bytes
static int look_seen(lua_State *L)
{
    struct dataset *d = dataset_from_lua(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, i >= 1 && i <= d->train.n, 2, "there is no such training image");
    struct recipe r;
    recipe_from_lua(L, 5, &d->source, &r);
    int channels = d->look.channels, n = d->look.image * d->look.image * channels;
    float *x = lua_newuserdatauv(L, (size_t)n * sizeof *x, 0);
    if (!view_train(x, &d->train.images[i - 1], d->layout, &d->look, &r.augment,
                    (uint64_t)luaL_checkinteger(L, 4), (int)luaL_checkinteger(L, 3) - 1,
                    (uint32_t)i - 1, d->work))
        return luaL_error(L, "dataset:show: %s", d->work->error.msg);
    lua_createtable(L, n, 0);
    for (int k = 0; k < n; k++) {
        double v = (double)x[k] * d->std[k % channels] + d->mean[k % channels];
        lua_pushinteger(L, (lua_Integer)rint(v < 0 ? 0 : v > 255 ? 255 : v));
        lua_rawseti(L, -2, k + 1);
    }
    uint16_t label = d->train.labels[i - 1];
    lua_pushinteger(L, label);
    lua_pushstring(L, d->class_names[label]);
    return 3;
}

static const char *const splits[SPLITS] = {"train", "validation", "test"};

static void push_three(lua_State *L, const char *name, const uint32_t v[3])
{
    lua_createtable(L, 0, 3);
    set_integer(L, "min", v[0]);
    set_integer(L, "median", v[1]);
    set_integer(L, "max", v[2]);
    lua_setfield(L, -2, name);
}

// Each split as { n = { of each class }, bytes = { … }, again = { split = images } }.
static void push_splits(lua_State *L, const struct survey *s, int classes)
{
    for (int a = 0; a < SPLITS; a++) {
        lua_createtable(L, 0, 3);
        lua_createtable(L, classes, 0);
        lua_createtable(L, classes, 0);
        for (int k = 0; k < classes; k++) {
            lua_pushinteger(L, s->of[a][k].n);
            lua_rawseti(L, -3, k + 1);
            lua_pushinteger(L, (lua_Integer)s->of[a][k].bytes);
            lua_rawseti(L, -2, k + 1);
        }
        lua_setfield(L, -3, "bytes");
        lua_setfield(L, -2, "n");
        lua_createtable(L, 0, SPLITS);
        for (int b = 0; b < SPLITS; b++)
            set_integer(L, splits[b], s->again[a][b]);
        lua_setfield(L, -2, "again");
        lua_setfield(L, -2, splits[a]);
    }
}

static void push_same(lua_State *L, const struct survey *s)
{
    lua_createtable(L, s->nfirst, 0);
    for (int i = 0; i < s->nfirst; i++) {
        const struct same *x = &s->first[i];
        lua_createtable(L, 0, 5);
        set_string(L, "split", splits[x->split]);
        set_integer(L, "image", (lua_Integer)x->image + 1);
        set_string(L, "other_split", splits[x->other_split]);
        set_integer(L, "other", (lua_Integer)x->other + 1);
        lua_pushboolean(L, x->labels_differ);
        lua_setfield(L, -2, "labels_differ");
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "same");
}

// survey(d) -> { train = { n =, bytes =, again = }, …, width =, height =, same =, … }
static int look_survey(lua_State *L)
{
    const struct dataset *d = dataset_from_lua(L, 1);
    static const char *const layouts[] = {"planes", "rows", "jpeg"};
    struct survey s;
    bool made = survey_make(&s, d);
    if (made) {
        lua_createtable(L, 0, 12);
        push_splits(L, &s, d->classes);
        push_three(L, "width", s.width);
        push_three(L, "height", s.height);
        push_same(L, &s);
        lua_pushboolean(L, s.one_size);
        lua_setfield(L, -2, "one_size");
        set_integer(L, "mislabelled", s.mislabelled);
        set_string(L, "layout", layouts[d->layout]);
        set_number(L, "scale", d->look.scale);
        set_string(L, "resize", d->look.resize == RESIZE_PYCLS ? "pycls" : "antialias");
        lua_pushboolean(L, d->look.exact);
        lua_setfield(L, -2, "exact");
    }
    survey_end(&s);
    return made ? 1 : raise_interrupted(L);
}

// files(path of a pack) -> { width =, height =, bytes = }, each with min, median, max; or nil
// and a message
static int look_files(lua_State *L)
{
    struct error e;
    struct pack *p = pack_open(luaL_checkstring(L, 1), &e);
    if (!p)
        return push_failure(L, e.msg);
    struct survey_files s;
    survey_files(&s, p);
    pack_close(p);
    lua_createtable(L, 0, 3);
    push_three(L, "width", s.width);
    push_three(L, "height", s.height);
    push_three(L, "bytes", s.bytes);
    return 1;
}

// single(path, { image =, channels =, scale =, resize =, size =, size_resize =, white =, mean =,
// std = }) -> list of numbers, or nil and a message (data/single.h)
static int look_single(lua_State *L)
{
    static const char *const resizes[] = {"antialias", "pycls", NULL};
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct single s = {.look = {.scale = 1}};
    double mean[3], std[3];
    lua_getfield(L, 2, "image");
    lua_getfield(L, 2, "channels");
    lua_getfield(L, 2, "scale");
    lua_getfield(L, 2, "resize");
    lua_getfield(L, 2, "size");
    lua_getfield(L, 2, "size_resize");
    lua_getfield(L, 2, "white");
    s.look.image = (int)luaL_checkinteger(L, 3);
    s.look.channels = (int)luaL_checkinteger(L, 4);
    luaL_argcheck(L, s.look.image >= 1 && s.look.image <= 4096, 2, "image");
    luaL_argcheck(L, s.look.channels == 1 || s.look.channels == 3, 2, "channels");
    s.look.scale = luaL_checknumber(L, 5);
    luaL_argcheck(L, s.look.scale >= 1 && s.look.scale <= 4, 2, "scale");
    s.look.resize = (enum resize)luaL_checkoption(L, 6, "antialias", resizes);
    s.size = (uint32_t)luaL_optinteger(L, 7, 0);
    s.size_resize = (enum resize)luaL_checkoption(L, 8, "antialias", resizes);
    s.white = lua_toboolean(L, 9);
    channels_from_lua(L, 2, "mean", s.look.channels, mean);
    channels_from_lua(L, 2, "std", s.look.channels, std);
    look_normalise(&s.look, mean, std);
    int n = s.look.image * s.look.image * s.look.channels;
    float *x = lua_newuserdatauv(L, (size_t)n * sizeof *x, 0);
    struct error e;
    if (!single_view(x, path, &s, &e))
        return push_failure(L, e.msg);
    lua_createtable(L, n, 0);
    for (int k = 0; k < n; k++) {
        lua_pushnumber(L, (lua_Number)x[k]);
        lua_rawseti(L, -2, k + 1);
    }
    return 1;
}

int open_look(lua_State *L)
{
    static const luaL_Reg functions[] = {{"labels", look_labels}, {"seen", look_seen},
                                         {"survey", look_survey}, {"files", look_files},
                                         {"single", look_single}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
