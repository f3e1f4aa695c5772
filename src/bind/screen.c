/* netspace.core.screen: what the terminal can do, and the full screen (term/screen.h,
 * term/query.h). */
#include "bind/bind.h"

#include <stdio.h>

#include "term/query.h"
#include "term/screen.h"

#define TYPE "netspace.screen"

static struct screen *check(lua_State *L)
{
    struct screen **s = luaL_checkudata(L, 1, TYPE);
    luaL_argcheck(L, *s, 1, "closed screen");
    return *s;
}

// unicode() -> bool: braille can be shown
static int l_unicode(lua_State *L)
{
    lua_pushboolean(L, term_unicode());
    return 1;
}

// colours() -> colours of $TERM, 0 for none
static int l_colours(lua_State *L)
{
    lua_pushinteger(L, term_colours());
    return 1;
}

// ask(question, ms, more) -> what came until the answer to DA1 and in `more` milliseconds
// after it; nil when it was not asked
static int l_ask(lua_State *L)
{
    char reply[4096];
    size_t n;
    const char *question = luaL_checklstring(L, 1, &n);
    fflush(stdout);
    int got = term_ask(question, n, reply, sizeof reply, (int)luaL_checkinteger(L, 2),
                       (int)luaL_checkinteger(L, 3));
    if (got < 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, reply, (size_t)got);
    return 1;
}

// give_back(bytes): what ask got that was typed is input again
static int l_give_back(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    term_give_back(bytes, n);
    return 0;
}

// cell() -> width, height of a cell in pixels; 0 where the terminal does not tell
static int l_cell(lua_State *L)
{
    int width, height;
    term_cell(&width, &height);
    lua_pushinteger(L, width);
    lua_pushinteger(L, height);
    return 2;
}

// open([no_colours]) -> screen, or nil and why not
static int l_open(lua_State *L)
{
    struct error e;
    bool colours = !lua_toboolean(L, 1);
    struct screen **s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = NULL;
    luaL_setmetatable(L, TYPE);
    *s = screen_open(colours, &e);
    if (*s)
        return 1;
    return push_failure(L, e.msg);
}

static int l_close(lua_State *L)
{
    struct screen **s = luaL_checkudata(L, 1, TYPE);
    screen_close(*s);
    *s = NULL;
    return 0;
}

static int l_tostring(lua_State *L)
{
    struct screen **s = luaL_checkudata(L, 1, TYPE);
    lua_pushstring(L, *s ? "screen" : "closed screen");
    return 1;
}

// s:size() -> width, height
static int l_screen_size(lua_State *L)
{
    int width, height;
    screen_size(check(L), &width, &height);
    lua_pushinteger(L, width);
    lua_pushinteger(L, height);
    return 2;
}

// s:leave(): the terminal as it was, until s:enter()
static int l_leave(lua_State *L)
{
    screen_leave(check(L));
    return 0;
}

// s:pressed(ms) -> bool: a key was pressed meanwhile; between leave and enter
static int l_pressed(lua_State *L)
{
    lua_pushboolean(L, screen_pressed(check(L), (int)luaL_checkinteger(L, 2)));
    return 1;
}

static int l_enter(lua_State *L)
{
    screen_enter(check(L));
    return 0;
}

// s:paint(canvas)
static int l_paint(lua_State *L)
{
    screen_paint(check(L), canvas_from_lua(L, 2));
    return 0;
}

// s:key(ms) -> name of the key, or nil when none came in time; of the mouse also its cell
static int l_key(lua_State *L)
{
    struct screen *s = check(L);
    int x = 0, y = 0;
    lua_pushstring(L, screen_key(s, (int)luaL_checkinteger(L, 2), &x, &y));
    lua_pushinteger(L, x + 1);
    lua_pushinteger(L, y + 1);
    return 3;
}

static const luaL_Reg functions[] = {
    {"unicode", l_unicode},     {"colours", l_colours}, {"open", l_open}, {"ask", l_ask},
    {"give_back", l_give_back}, {"cell", l_cell},       {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"size", l_screen_size}, {"paint", l_paint}, {"key", l_key},         {"leave", l_leave},
    {"enter", l_enter},      {"close", l_close}, {"pressed", l_pressed}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", l_close},
    {"__close", l_close},
    {"__tostring", l_tostring},
    {NULL, NULL},
};

int open_screen(lua_State *L)
{
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    lua_pushstring(L, screen_library());
    lua_setfield(L, -2, "version");
    return 1;
}
