/* Runs a target that is written in Lua under libFuzzer: tests/fuzz/TARGET.lua returns a function
 * that takes the bytes; what it raises is a finding.  The lines of Lua that follow one another
 * are counted like edges of C code (libFuzzer's extra counters), so that the search is led by the
 * coverage of both. */
#include <stdio.h>
#include <stdlib.h>

#include "bind/bind.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { COUNTERS = 1 << 16 };

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];
static lua_State *state;

static void on_line(lua_State *L, lua_Debug *at)
{
    static uint32_t last;
    lua_getinfo(L, "S", at);
    uint32_t here = ((uint32_t)(uintptr_t)at->source * 31 + (uint32_t)at->currentline) * 2654435761u;
    counters[((last >> 1) ^ here) >> 16]++;
    last = here;
}

static int traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

static void call(int n, int results, int handler)
{
    if (lua_pcall(state, n, results, handler) == LUA_OK)
        return;
    fprintf(stderr, "finding: %s\n", lua_tostring(state, -1));
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    state = luaL_newstate();
    luaL_openlibs(state);
    bind_preload(state);
    signals_install(state); // the event loop wants its pipe; libFuzzer takes the signals back
    lua_pushcfunction(state, traceback);
    if (luaL_loadstring(state, "package.path = 'lua/?.lua;lua/?/init.lua;' .. package.path\n"
                               "require('netspace.prompt.prelude').install('lua')\n"
                               "return dofile 'tests/fuzz/" TARGET ".lua'") != LUA_OK)
        abort();
    call(0, 1, 1);
    lua_sethook(state, on_line, LUA_MASKLINE, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    lua_pushvalue(state, 2);
    lua_pushlstring(state, (const char *)bytes, n);
    call(1, 0, 1);
    return 0;
}
