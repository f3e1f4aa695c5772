/* netspace.core.export: networks for programs that know nothing of netspace.
 *
 *   onnx(net, path, { fold =, mean =, std =, metadata = { { key, value }, … }, inside = })
 *     -> true, or nil, message
 *   onnx_there: whether this build can
 *   steps(net) -> { list of { kind =, out =, … }, memory =, scratch =, image =, logits = },
 *     weights; or nil, message
 *
 * mean, std: lists of numbers, one a channel, or nil; inside: bytes (onnx.h).  Steps are those of
 * steps.h; weights: the floats as bytes. */
#include "bind/bind.h"

#include "model/onnx.h"
#include "model/steps.h"

// The list of numbers in the field `key` of the table at 3, one a channel; NULL where it is nil.
// Stays on the stack.
static const float *channels_of(lua_State *L, const char *key, int channels)
{
    lua_getfield(L, 3, key);
    if (lua_isnil(L, -1))
        return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    float *v = lua_newuserdatauv(L, (size_t)channels * sizeof *v, 0);
    for (int c = 0; c < channels; c++) {
        lua_rawgeti(L, -2, c + 1);
        v[c] = (float)luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return v;
}

static int core_onnx(lua_State *L)
{
    struct net *n = net_from_lua(L, 1);
    const char *path = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    int channels = net_arch(n)->channels;
    struct onnx_options o = {0};
    lua_getfield(L, 3, "fold");
    o.fold = lua_toboolean(L, -1);
    lua_getfield(L, 3, "inside");
    o.inside = (size_t)luaL_checkinteger(L, -1);
    o.mean = channels_of(L, "mean", channels);
    o.std = channels_of(L, "std", channels);
    if (!o.mean != !o.std)
        return luaL_error(L, "onnx: mean without std");
    lua_getfield(L, 3, "metadata");
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    o.n_metadata = lua_rawlen(L, list);
    const char *(*pairs)[2] = lua_newuserdatauv(L, (o.n_metadata + 1) * sizeof *pairs, 0);
    for (size_t i = 0; i < o.n_metadata; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        for (int k = 0; k < 2; k++) {
            lua_rawgeti(L, -1, k + 1); // the table keeps the text
            pairs[i][k] = luaL_checkstring(L, -1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    o.metadata = (const char *const(*)[2])pairs;
    struct error e;
    if (!onnx_write(n, path, &o, &e))
        return push_failure(L, e.msg);
    lua_pushboolean(L, true);
    return 1;
}

static int core_steps(lua_State *L)
{
    static const char *const kinds[OP_KINDS] = {
        [OP_CONV] = "conv",       [OP_NORM] = "norm", [OP_SE] = "squeeze",
        [OP_MAXPOOL] = "maxpool", [OP_GAP] = "mean",  [OP_LINEAR] = "linear"};
    struct error e;
    struct steps s;
    if (!steps_make(net_from_lua(L, 1), &s, &e))
        return push_failure(L, e.msg);
    lua_createtable(L, s.n, 4);
    set_integer(L, "memory", (lua_Integer)s.memory);
    set_integer(L, "scratch", (lua_Integer)s.scratch);
    set_integer(L, "image", s.image);
    set_integer(L, "logits", s.logits);
    for (int i = 0; i < s.n; i++) {
        const struct step *t = &s.list[i];
        lua_createtable(L, 0, 15);
        set_string(L, "kind", kinds[t->kind]);
        const struct {
            const char *key;
            long v;
        } all[] = {{"in", t->in},
                   {"out", t->out},
                   {"add", t->add},
                   {"H", t->H},
                   {"W", t->W},
                   {"C", t->C},
                   {"K", t->K},
                   {"R", t->R},
                   {"S", t->S},
                   {"G", t->G},
                   {"Q", t->Q},
                   {"act", t->act},
                   {"weight", (long)t->weight},
                   {"bias", (long)t->bias}};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            set_integer(L, all[k].key, all[k].v);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushlstring(L, (const char *)s.weights, s.n_weights * sizeof *s.weights);
    steps_free(&s);
    return 2;
}

int open_export(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"onnx", core_onnx}, {"steps", core_steps}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushboolean(L, onnx_there());
    lua_setfield(L, -2, "onnx_there");
    return 1;
}
