/* netspace.core.arch, and the passage of architectures between Lua tables and C.
 * The table: lists d, w, b, g, stride; strings block, stem, activation; numbers
 * stem_width, head_width, se, classes, image.  d and w are required; the rest has the
 * defaults below, and a number stands for a list of equal values. */
#include "bind/bind.h"

#include <stdio.h>
#include <string.h>

#include "model/arch.h"

static lua_Integer whole(lua_State *L, const char *name, int stage)
{
    int ok;
    lua_Integer v = lua_tointegerx(L, -1, &ok);
    if (!ok || lua_type(L, -1) != LUA_TNUMBER || v < -1000000000 || v > 1000000000) {
        const char *shown = luaL_tolstring(L, -1, NULL);
        if (stage)
            luaL_error(L, "stage %d: %s is %s; it must be a whole number", stage, name, shown);
        luaL_error(L, "%s is %s; it must be a whole number", name, shown);
    }
    return v;
}

static double real(lua_State *L, const char *name, int stage)
{
    if (lua_type(L, -1) != LUA_TNUMBER) {
        const char *shown = luaL_tolstring(L, -1, NULL);
        if (stage)
            luaL_error(L, "stage %d: %s is %s; it must be a number", stage, name, shown);
        luaL_error(L, "%s is %s; it must be a number", name, shown);
    }
    return lua_tonumber(L, -1);
}

/* Field `name` of the table as one value a stage, into ints or (when given) reals. */
static void read_stages(lua_State *L, int t, const char *name, int stages, int missing,
                        int *ints, double *reals)
{
    int type = lua_getfield(L, t, name);
    if (type == LUA_TTABLE && (int)lua_rawlen(L, -1) != stages)
        luaL_error(L, "%s has %d values, but there are %d stages (d has one value a stage)",
                   name, (int)lua_rawlen(L, -1), stages);
    for (int i = 0; i < stages; i++) {
        if (type == LUA_TTABLE)
            lua_rawgeti(L, -1, i + 1);
        else if (type == LUA_TNIL && missing)
            lua_pushinteger(L, missing);
        else
            lua_pushvalue(L, -1);
        if (reals)
            reals[i] = real(L, name, i + 1);
        else
            ints[i] = (int)whole(L, name, i + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int read_int(lua_State *L, int t, const char *name, int missing)
{
    int v = lua_getfield(L, t, name) == LUA_TNIL ? missing : (int)whole(L, name, 0);
    lua_pop(L, 1);
    return v;
}

static int read_name(lua_State *L, int t, const char *name, int (*of)(const char *),
                     int missing, const char *known)
{
    int v = missing;
    if (lua_getfield(L, t, name) != LUA_TNIL) {
        const char *s = luaL_tolstring(L, -1, NULL);
        v = of(s);
        if (v < 0)
            luaL_error(L, "%s is '%s'; it must be one of %s", name, s, known);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return v;
}

void arch_read(lua_State *L, int t, struct arch *a)
{
    t = lua_absindex(L, t);
    luaL_checktype(L, t, LUA_TTABLE);
    memset(a, 0, sizeof *a);
    if (lua_getfield(L, t, "d") != LUA_TTABLE)
        luaL_error(L, "d is %s; it must be a list with the depth of each stage, such as "
                   "{1, 2, 4, 2}", luaL_typename(L, -1));
    size_t stages = lua_rawlen(L, -1);
    lua_pop(L, 1);
    if (stages < 1 || stages > ARCH_STAGES)
        luaL_error(L, "d has %d stages; a network has from 1 to %d", (int)stages, ARCH_STAGES);
    a->stages = (int)stages;
    read_stages(L, t, "d", a->stages, 0, a->d, NULL);
    read_stages(L, t, "w", a->stages, 0, a->w, NULL);
    read_stages(L, t, "b", a->stages, 1, NULL, a->b);
    read_stages(L, t, "g", a->stages, 8, a->g, NULL);
    read_stages(L, t, "stride", a->stages, 2, a->stride, NULL);
    a->block = (enum arch_block)read_name(L, t, "block", arch_block_of, BLOCK_X,
                                          "x, r, v, vr, basic, vanilla");
    a->stem = (enum arch_stem)read_name(L, t, "stem", arch_stem_of, STEM_SIMPLE,
                                        "simple, res, cifar");
    a->act = (enum activation)read_name(L, t, "activation", arch_act_of, ACT_RELU,
                                        "relu, silu");
    a->stem_width = read_int(L, t, "stem_width", 32);
    a->head_width = read_int(L, t, "head_width", 0);
    a->classes = read_int(L, t, "classes", 10);
    a->image = read_int(L, t, "image", 32);
    a->se = lua_getfield(L, t, "se") == LUA_TNIL ? 0 : real(L, "se", 0);
    lua_pop(L, 1);
}

void arch_from_lua(lua_State *L, int index, struct arch *a)
{
    struct error e;
    arch_read(L, index, a);
    if (!arch_finish(a, &e))
        luaL_error(L, "%s", e.msg);
}

static void push_real(lua_State *L, double v)
{
    if (v == (double)(int)v)
        lua_pushinteger(L, (lua_Integer)v);
    else
        lua_pushnumber(L, v);
}

static void set_stages(lua_State *L, const char *name, int n, const int *ints,
                       const double *reals)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_real(L, ints ? ints[i] : reals[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

static void set_int(lua_State *L, const char *name, lua_Integer v)
{
    lua_pushinteger(L, v);
    lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *s)
{
    lua_pushstring(L, s);
    lua_setfield(L, -2, name);
}

void arch_to_lua(lua_State *L, const struct arch *a)
{
    lua_createtable(L, 0, 15);
    set_stages(L, "d", a->stages, a->d, NULL);
    set_stages(L, "w", a->stages, a->w, NULL);
    set_stages(L, "b", a->stages, NULL, a->b);
    set_stages(L, "g", a->stages, a->g, NULL);
    set_stages(L, "stride", a->stages, a->stride, NULL);
    set_string(L, "block", arch_block_name(a->block));
    set_string(L, "stem", arch_stem_name(a->stem));
    set_string(L, "activation", arch_act_name(a->act));
    set_int(L, "stem_width", a->stem_width);
    set_int(L, "head_width", a->head_width);
    set_int(L, "classes", a->classes);
    set_int(L, "image", a->image);
    push_real(L, a->se);
    lua_setfield(L, -2, "se");
}

// finish(t) -> m, or nil and why no network has these values
static int core_finish(lua_State *L)
{
    struct arch a;
    struct error e;
    arch_read(L, 1, &a);
    if (!arch_finish(&a, &e)) {
        lua_pushnil(L);
        lua_pushstring(L, e.msg);
        return 2;
    }
    arch_to_lua(L, &a);
    return 1;
}

// hash(m) -> 16 hexadecimal digits, equal exactly for equal networks
static int core_hash(lua_State *L)
{
    struct arch a;
    char hex[20];
    arch_from_lua(L, 1, &a);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)arch_hash(&a));
    lua_pushstring(L, hex);
    return 1;
}

static const luaL_Reg functions[] = {
    {"finish", core_finish},
    {"hash", core_hash},
    {NULL, NULL},
};

int open_arch(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
