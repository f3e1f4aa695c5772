/* The line editor of the prompt: GNU readline through its callback interface, as the Lua
 * module "netspace.core.readline".  Reading, evaluating and printing are
 * lua/netspace/prompt/repl.lua; this file is the only one that knows readline. */
#ifndef REPL_H
#define REPL_H
#include "bind/bind.h"

int open_readline(lua_State *L);

#endif
