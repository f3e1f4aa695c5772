/* netspace.core.stats: EDFs as Lua values, and the comparisons of src/stats.
 * An edf is one block of Lua's memory with its sorted errors inside; nothing to close. */
#include "bind/bind.h"

#include <math.h>
#include <string.h>

#include "stats/bootstrap.h"
#include "stats/compare.h"
#include "stats/edf.h"
#include "stats/search.h"

#define EDF "edf"

struct edf_object { // user value 1: the name of the population, or nil
    struct edf f;
    lua_Integer failed;
    double errors[];
};

static const struct edf *check_edf(lua_State *L, int index)
{
    return &((struct edf_object *)luaL_checkudata(L, index, EDF))->f;
}

static double check_level(lua_State *L, int index)
{
    double level = luaL_optnumber(L, index, 0.95);
    luaL_argcheck(L, level > 0 && level < 1, index, "the level must lie between 0 and 1");
    return level;
}

static size_t check_count(lua_State *L, int index, lua_Integer lo, lua_Integer hi)
{
    lua_Integer n = luaL_checkinteger(L, index);
    if (n < lo || n > hi)
        luaL_argerror(L, index, lua_pushfstring(L, "%I is not from %I to %I", n, lo, hi));
    return (size_t)n;
}

static void push_list(lua_State *L, const double *v, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushnumber(L, v[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

// new(errors [, name [, failed]]) -> edf, or nil and what is wrong with the list.
// Without a count of failed models, those with error 100 are it.
static int stats_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    size_t n = lua_rawlen(L, 1);
    struct edf_object *o = lua_newuserdatauv(L, sizeof *o + n * sizeof *o->errors, 1);
    struct error e;
    o->failed = 0;
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 1, (lua_Integer)i + 1) != LUA_TNUMBER) {
            error_set(&e, "error %zu is a %s; errors are numbers, percent, 0 to 100",
                      i + 1, luaL_typename(L, -1));
            return push_failure(L, e.msg);
        }
        o->errors[i] = lua_tonumber(L, -1);
        o->failed += o->errors[i] == 100;
        lua_pop(L, 1);
    }
    if (!edf_init(&o->f, o->errors, n, &e))
        return push_failure(L, e.msg);
    o->failed = luaL_optinteger(L, 3, o->failed);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, EDF);
    return 1;
}

// is_edf(x) -> bool
static int stats_is_edf(lua_State *L)
{
    lua_pushboolean(L, luaL_testudata(L, 1, EDF) != NULL);
    return 1;
}

static int edf_call(lua_State *L)
{
    lua_pushnumber(L, edf_at(check_edf(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

static int edf_quantile(lua_State *L)
{
    const struct edf *f = check_edf(L, 1);
    double p = luaL_checknumber(L, 2);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "a quantile is asked for a share from 0 to 1");
    lua_pushnumber(L, values_quantile(f->e, f->n, p));
    return 1;
}

static int edf_area_below(lua_State *L)
{
    double limit = luaL_optnumber(L, 2, 100);
    luaL_argcheck(L, limit > 0 && limit <= 100, 2, "the limit lies above 0, at most at 100");
    lua_pushnumber(L, edf_area(check_edf(L, 1), limit));
    return 1;
}

static int edf_lists(lua_State *L)
{
    const struct edf *f = check_edf(L, 1);
    double *x = lua_newuserdatauv(L, 2 * f->n * sizeof *x, 0), *y = x + f->n;
    size_t n = edf_steps(f, x, y);
    push_list(L, x, n);
    push_list(L, y, n);
    return 2;
}

// upvalues: the edf, and what is added to F
static int band_edge(lua_State *L)
{
    const struct edf *f = check_edf(L, lua_upvalueindex(1));
    double at = edf_at(f, luaL_checknumber(L, 1)), shift = lua_tonumber(L, lua_upvalueindex(2));
    lua_pushnumber(L, fmin(1, fmax(0, at + shift)));
    return 1;
}

static int edf_band(lua_State *L)
{
    const struct edf *f = check_edf(L, 1);
    double level = check_level(L, 2), epsilon = edf_dkw(f->n, level);
    lua_createtable(L, 0, 4);
    set_number(L, "level", level);
    set_number(L, "epsilon", epsilon);
    for (int side = -1; side <= 1; side += 2) {
        lua_pushvalue(L, 1);
        lua_pushnumber(L, side * epsilon);
        lua_pushcclosure(L, band_edge, 2);
        lua_setfield(L, -2, side < 0 ? "lo" : "hi");
    }
    return 1;
}

// Fields are computed; what is none is a method (upvalue 1).
static int edf_index(lua_State *L)
{
    const struct edf_object *o = luaL_checkudata(L, 1, EDF);
    const struct edf *f = &o->f;
    const char *key = luaL_checkstring(L, 2);
    if (strcmp(key, "n") == 0)
        lua_pushinteger(L, (lua_Integer)f->n);
    else if (strcmp(key, "min") == 0)
        lua_pushnumber(L, f->e[0]);
    else if (strcmp(key, "mean") == 0)
        lua_pushnumber(L, f->mean);
    else if (strcmp(key, "median") == 0)
        lua_pushnumber(L, values_quantile(f->e, f->n, 0.5));
    else if (strcmp(key, "max") == 0)
        lua_pushnumber(L, f->e[f->n - 1]);
    else if (strcmp(key, "failed") == 0)
        lua_pushinteger(L, o->failed);
    else if (strcmp(key, "name") == 0)
        lua_getiuservalue(L, 1, 1);
    else
        lua_getfield(L, lua_upvalueindex(1), key);
    return 1;
}

static int edf_tostring(lua_State *L)
{
    const struct edf_object *o = luaL_checkudata(L, 1, EDF);
    const struct edf *f = &o->f;
    char figures[160], failed[64] = "";
    snprintf(figures, sizeof figures,
             "min %.2f %%, mean %.2f %%, median %.2f %%, max %.2f %%", f->e[0], f->mean, values_quantile(f->e, f->n, 0.5), f->e[f->n - 1]);
    if (o->failed)
        snprintf(failed, sizeof failed, " (%lld failed)", (long long)o->failed);
    lua_getiuservalue(L, 1, 1);
    const char *name = lua_tostring(L, -1);
    lua_pushfstring(L, "EDF of %I model%s%s%s%s: %s", (lua_Integer)f->n,
                    f->n == 1 ? "" : "s", name ? " of " : "", name ? name : "", failed, figures);
    return 1;
}

// ks(a, b) -> D, p
static int stats_ks(lua_State *L)
{
    const struct edf *a = check_edf(L, 1), *b = check_edf(L, 2);
    lua_pushnumber(L, ks_statistic(a, b));
    lua_pushnumber(L, ks_p(a, b));
    return 2;
}

enum { MAX_DRAWS = 10000000 };

// compare(a, b, draws, seed, level) -> table
static int stats_compare(lua_State *L)
{
    const struct edf *a = check_edf(L, 1), *b = check_edf(L, 2);
    struct comparison c;
    if (!compare_edfs(&c, a, b, (uint32_t)check_count(L, 3, 1, MAX_DRAWS),
                      (uint64_t)luaL_checkinteger(L, 4), check_level(L, 5)))
        return raise_interrupted(L);
    lua_createtable(L, 0, 16);
    set_number(L, "ks", c.ks);
    set_number(L, "p", c.ks_p);
    set_number(L, "ks_critical", c.ks_critical);
    set_number(L, "mean_difference", c.mean_difference);
    set_number(L, "p_better", c.p_better);
    set_number(L, "p_permutation", c.p_permutation);
    set_number(L, "more", c.more);
    push_list(L, (double[]){c.lo, c.hi}, 2);
    lua_setfield(L, -2, "ci");
    return 1;
}

// best(x, errors, share, draws, seed, level, categorical) -> table
static int stats_best(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n = lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1 && n == lua_rawlen(L, 2), 1, "one value for each error");
    struct best_options o = {.share = luaL_checknumber(L, 3),
                             .draws = (uint32_t)check_count(L, 4, 0, MAX_DRAWS),
                             .seed = (uint64_t)luaL_checkinteger(L, 5),
                             .level = check_level(L, 6),
                             .categorical = lua_toboolean(L, 7)};
    luaL_argcheck(L, o.share > 0 && o.share <= 1, 3, "the share lies above 0, at most at 1");
    double *x = lua_newuserdatauv(L, 2 * n * sizeof *x, 0), *errors = x + n;
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        x[i] = luaL_checknumber(L, -2);
        errors[i] = luaL_checknumber(L, -1);
        lua_pop(L, 2);
    }
    struct best_band band;
    if (!bootstrap_best(&band, x, errors, n, &o))
        return raise_interrupted(L);
    lua_createtable(L, 0, 8);
    set_number(L, "lo", band.lo);
    set_number(L, "median", band.median);
    set_number(L, "hi", band.hi);
    set_number(L, "best", band.best);
    lua_pushinteger(L, (lua_Integer)band.taken);
    lua_setfield(L, -2, "taken");
    return 1;
}

// search(edf, m, replacement, level) -> mean, lo, hi of the best of m
static int stats_search(lua_State *L)
{
    const struct edf *f = check_edf(L, 1);
    bool replacement = lua_toboolean(L, 3);
    size_t m = check_count(L, 2, 1, replacement ? LUA_MAXINTEGER : (lua_Integer)f->n);
    struct search_point p = search_best(f, m, replacement, check_level(L, 4));
    lua_pushnumber(L, p.mean);
    lua_pushnumber(L, p.lo);
    lua_pushnumber(L, p.hi);
    return 3;
}

static const luaL_Reg methods[] = {
    {"band", edf_band},
    {"quantile", edf_quantile},
    {"steps", edf_lists},
    {"area", edf_area_below},
    {NULL, NULL},
};
static const luaL_Reg metamethods[] = {
    {"__call", edf_call},
    {"__tostring", edf_tostring},
    {NULL, NULL},
};
static const luaL_Reg functions[] = {
    {"new", stats_new},
    {"is_edf", stats_is_edf},
    {"ks", stats_ks},
    {"compare", stats_compare},
    {"best", stats_best},
    {"search", stats_search},
    {NULL, NULL},
};

int open_stats(lua_State *L)
{
    luaL_newmetatable(L, EDF);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, edf_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
