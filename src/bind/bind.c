/* See bind.h.  A new core module is one file and one row here. */
#include "bind/bind.h"

#include <string.h>

#include "base/harmless.h"

static const luaL_Reg modules[] = {
    {"netspace.core.adjust", open_adjust},
    {"netspace.core.arch", open_arch},
    {"netspace.core.benchmark", open_benchmark},
    {"netspace.core.canvas", open_canvas},
    {"netspace.core.count", open_count},
    {"netspace.core.sqlite", open_sqlite},
    {"netspace.core.data", open_data},
    {"netspace.core.edf", open_edf},
    {"netspace.core.export", open_export},
    {"netspace.core.net", open_net},
    {"netspace.core.pack", open_pack},
    {"netspace.core.recipe", open_recipe},
    {"netspace.core.screen", open_screen},
    {"netspace.core.sampler", open_sampler},
    {"netspace.core.sequential", open_sequential},
    {"netspace.core.stats", open_stats},
    {"netspace.core.look", open_look},
    {"netspace.core.sys", open_sys},
    {"netspace.core.timing", open_timing},
    {"netspace.core.weights", open_weights},
    {"netspace.core.yaml", open_yaml},
    {NULL, NULL},
};

void bind_preload(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
}

void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

void set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

void push_harmless(lua_State *L, const char *text, size_t n, bool turned)
{
    if (harmless_already(text, n, turned)) {
        lua_pushlstring(L, text, n);
        return;
    }
    luaL_Buffer b;
    char *copy = luaL_buffinitsize(L, &b, n);
    memcpy(copy, text, n);
    luaL_pushresultsize(&b, harmless(copy, n, turned));
}

void push_list(lua_State *L, const double *v, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushnumber(L, v[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

double *number_list(lua_State *L, const char *what, int *n)
{
    luaL_checktype(L, -1, LUA_TTABLE);
    size_t count = lua_rawlen(L, -1);
    if (count > 1 << 24)
        luaL_error(L, "%s has too many values", what);
    double *v = lua_newuserdatauv(L, (count + 1) * sizeof *v, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        if (!lua_isnumber(L, -1))
            luaL_error(L, "%s should be numbers", what);
        v[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    *n = (int)count;
    return v;
}

int push_failure(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

int raise_interrupted(lua_State *L)
{
    lua_pushliteral(L, "interrupted");
    return lua_error(L);
}

void type_register(lua_State *L, const char *name, const luaL_Reg *metamethods,
                   const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
