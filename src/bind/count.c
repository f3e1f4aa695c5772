/* netspace.core.count: how many networks a space has (stats/count.h). */
#include "bind/bind.h"

#include "base/interrupt.h"
#include "base/table.h"
#include "stats/count.h"

// Field `name` of the table t as values, which stay on the stack.
static struct values values_of(lua_State *L, int t, const char *name)
{
    struct values v;
    luaL_checkstack(L, 3, NULL);
    lua_getfield(L, t, name);
    v.v = number_list(L, name, &v.n);
    return v;
}

static void read_parameter(lua_State *L, struct count_space *s, int k, const char *name)
{
    static const char *const bonds[] = {"free", "equal", "up", "down", NULL};
    TABLE_HAS(bonds, COUNT_BONDS + 1);
    luaL_checkstack(L, ARCH_STAGES + 4, NULL);
    lua_getfield(L, 1, name);
    int t = lua_gettop(L);
    lua_getfield(L, t, "bond");
    s->bond[k] = (enum count_bond)luaL_checkoption(L, -1, "free", bonds);
    for (int i = 0; i < s->base.stages; i++) {
        lua_rawgeti(L, t, i + 1);
        s->value[k][i].v = number_list(L, name, &s->value[k][i].n);
    }
}

/* distinct{ base =, groups =, w = { bond =, {values of stage 1}, … }, b =, g = } -> number of
 * different networks but for their depths (an integer where it is one); nil where there is
 * too much to count */
static int core_distinct(lua_State *L)
{
    struct count_space s;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "base");
    arch_from_lua(L, 2, &s.base);
    lua_getfield(L, 1, "groups");
    s.groups = lua_toboolean(L, 3);
    read_parameter(L, &s, 0, "w");
    read_parameter(L, &s, 1, "b");
    read_parameter(L, &s, 2, "g");
    long double n = count_distinct(&s);
    if (n == -2)
        return raise_interrupted(L);
    if (n < 0)
        lua_pushnil(L);
    else if (n < 0x1p63L)
        lua_pushinteger(L, (lua_Integer)n);
    else
        lua_pushnumber(L, (lua_Number)n);
    return 1;
}

/* multiplicity(list of m, { base =, d =, w_0 =, w_a =, w_m =, b =, g = (lists), tied = })
 * -> for each network how many settings of that RegNet space make it */
static int core_multiplicity(lua_State *L)
{
    struct count_regnet s;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    lua_createtable(L, (int)n, 0);
    lua_getfield(L, 2, "base");
    arch_from_lua(L, 4, &s.base);
    lua_getfield(L, 2, "tied");
    s.tied = lua_toboolean(L, 5);
    s.d = values_of(L, 2, "d");
    s.w_0 = values_of(L, 2, "w_0");
    s.w_a = values_of(L, 2, "w_a");
    s.w_m = values_of(L, 2, "w_m");
    s.b = values_of(L, 2, "b");
    s.g = values_of(L, 2, "g");
    struct arch *list = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *list, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, 1, i + 1);
        arch_from_lua(L, -1, &list[i]);
        lua_pop(L, 1);
    }
    struct multiplicity *m = multiplicity_new(&s);
    if (!m)
        return push_failure(L, "the space has too many values of w_0 and w_m");
    bool stopped = false;
    for (lua_Integer i = 0; i < n && !stopped; i++) {
        lua_pushnumber(L, multiplicity_of(m, &list[i]));
        lua_rawseti(L, 3, i + 1);
        stopped = interrupt_pending();
    }
    multiplicity_free(m);
    if (stopped)
        return raise_interrupted(L);
    lua_pushvalue(L, 3);
    return 1;
}

static const luaL_Reg functions[] = {
    {"distinct", core_distinct}, {"multiplicity", core_multiplicity}, {NULL, NULL}};

int open_count(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
