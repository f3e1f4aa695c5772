/* netspace.core.weights: files of weights and checkpoints, in and out of nets. */
#include "bind/bind.h"

#include <stdlib.h>
#include <string.h>

#include "model/net.h"
#include "model/safetensors.h"

// What a file calls the parameters of n: the table at index t { names = list, reversed =,
// kept = list of booleans } (each may be missing), or nil.  Lists are in buffers that Lua owns.
static const struct naming *naming_from_lua(lua_State *L, int t, const struct net *n,
                                            struct naming *to)
{
    if (lua_isnoneornil(L, t))
        return NULL;
    size_t params = net_params(n);
    luaL_checktype(L, t, LUA_TTABLE);
    *to = (struct naming){NULL};
    lua_getfield(L, t, "reversed");
    to->reversed = lua_toboolean(L, -1);
    luaL_argcheck(L, !to->reversed || net_arch(n)->channels == 3, t, "gray images");
    if (lua_getfield(L, t, "names") == LUA_TTABLE) {
        const char **names = lua_newuserdatauv(L, params * sizeof *names, 0);
        for (size_t i = 0; i < params; i++) {
            lua_rawgeti(L, -2, (lua_Integer)i + 1);
            names[i] = luaL_checkstring(L, -1); // the table holds it
            lua_pop(L, 1);
        }
        to->names = names;
    }
    if (lua_getfield(L, t, "kept") == LUA_TTABLE) {
        bool *kept = lua_newuserdatauv(L, params * sizeof *kept, 0);
        for (size_t i = 0; i < params; i++) {
            lua_rawgeti(L, -2, (lua_Integer)i + 1);
            kept[i] = lua_toboolean(L, -1);
            lua_pop(L, 1);
        }
        to->kept = kept;
    }
    return to;
}

static int succeeded(lua_State *L)
{
    lua_pushboolean(L, 1);
    return 1;
}

// write(net, path, json, json of the data or nil, naming or nil) -> true, or nil and a message
static int core_write(lua_State *L)
{
    struct net *n = net_from_lua(L, 1);
    struct naming names;
    struct error e;
    lua_settop(L, 5);
    if (!net_save(n, luaL_checkstring(L, 2), luaL_checkstring(L, 3), luaL_optstring(L, 4, NULL),
                  naming_from_lua(L, 5, n, &names), &e))
        return push_failure(L, e.msg);
    return succeeded(L);
}

// read(net, path, naming or nil) -> true, or nil and a message
static int core_read(lua_State *L)
{
    struct net *n = net_from_lua(L, 1);
    struct naming names;
    struct error e;
    lua_settop(L, 3);
    if (!net_load(n, luaL_checkstring(L, 2), naming_from_lua(L, 3, n, &names), &e))
        return push_failure(L, e.msg);
    net_used(L, 1);
    return succeeded(L);
}

// checkpoint(net, path, json, identity, state) -> true, or nil and a message; also from the
// progress function of a training
static int core_checkpoint(lua_State *L)
{
    struct error e;
    if (!net_checkpoint(net_at_work(L, 1), luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                        luaL_checkstring(L, 4), luaL_checkstring(L, 5), &e))
        return push_failure(L, e.msg);
    return succeeded(L);
}

// restore(net, path, identity) -> state, or nil and a message
static int core_restore(lua_State *L)
{
    struct error e;
    char *state = net_restore(net_from_lua(L, 1), luaL_checkstring(L, 2),
                              luaL_checkstring(L, 3), &e);
    if (!state)
        return push_failure(L, e.msg);
    net_used(L, 1);
    lua_pushstring(L, state);
    free(state);
    return 1;
}

// header(path) -> { shapes = { [name] = shape, … }, metadata = { [key] = text, … } }, or nil
// and a message
static int core_header(lua_State *L)
{
    struct st_file f;
    struct error e;
    if (!st_open(&f, luaL_checkstring(L, 1), &e))
        return push_failure(L, e.msg);
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, (int)(f.n < 10000 ? f.n : 10000));
    for (size_t i = 0; i < f.n; i++) {
        const struct st_tensor *t = &f.tensors[i];
        lua_createtable(L, t->dims, 0);
        for (int k = 0; k < t->dims; k++) {
            lua_pushinteger(L, (lua_Integer)t->shape[k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_setfield(L, -2, t->name);
    }
    lua_setfield(L, -2, "shapes");
    lua_newtable(L);
    for (size_t i = 0; i < f.n_metadata; i++)
        set_string(L, f.metadata[i].key, f.metadata[i].value);
    lua_setfield(L, -2, "metadata");
    st_close(&f);
    return 1;
}

static const luaL_Reg functions[] = {
    {"write", core_write},     {"read", core_read},     {"checkpoint", core_checkpoint},
    {"restore", core_restore}, {"header", core_header}, {NULL, NULL},
};

int open_weights(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
