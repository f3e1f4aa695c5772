/* The Lua border: one file per Lua-visible thing, one open function each, all preloaded
 * as "netspace.core.<name>" and wrapped by lua/netspace/.  Lua headers are known only
 * here, in repl.c and in main.c. */
#ifndef BIND_BIND_H
#define BIND_BIND_H
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/* Registers every core module in package.preload (bind.c holds the list). */
void bind_preload(lua_State *L);

int open_sys(lua_State *L);

#endif
