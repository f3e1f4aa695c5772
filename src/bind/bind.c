/* See bind.h.  A new core module is one file and one row here. */
#include "bind/bind.h"

static const luaL_Reg modules[] = {
    {"netspace.core.arch", open_arch},
    {"netspace.core.canvas", open_canvas},
    {"netspace.core.sqlite", open_sqlite},
    {"netspace.core.data", open_data},
    {"netspace.core.net", open_net},
    {"netspace.core.recipe", open_recipe},
    {"netspace.core.screen", open_screen},
    {"netspace.core.sampler", open_sampler},
    {"netspace.core.stats", open_stats},
    {"netspace.core.sys", open_sys},
    {NULL, NULL},
};

void bind_preload(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
}
