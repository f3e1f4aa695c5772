/* netspace.core.edf: EDFs as Lua values.  An edf is one block of Lua's memory with its
 * sorted errors (and weights) inside; nothing to close. */
#include "bind/bind.h"

#include <math.h>
#include <string.h>

#include "base/table.h"
#include "stats/anytime.h"
#include "stats/edf.h"

#define EDF "netspace.edf"

struct edf_object { // user value 1: the name of the population, or nil
    struct edf f;
    lua_Integer failed;
    double block[]; // n errors, then n shares where there are weights
};

static struct edf_object *check_object(lua_State *L, int index)
{
    return luaL_checkudata(L, index, EDF);
}

const struct edf *edf_from_lua(lua_State *L, int index)
{
    return &check_object(L, index)->f;
}

double level_from_lua(lua_State *L, int index)
{
    double level = luaL_optnumber(L, index, 0.95);
    luaL_argcheck(L, level > 0 && level < 1, index, "the level must lie between 0 and 1");
    return level;
}

// A new edf for up to n models on the stack, not yet filled.
static struct edf_object *new_object(lua_State *L, size_t n, bool weighted)
{
    struct edf_object *o =
        lua_newuserdatauv(L, sizeof *o + (weighted ? 2 : 1) * n * sizeof *o->block, 1);
    o->failed = 0;
    return o;
}

// Fills the object on top from its block; returns 1, or 2 for nil and a message.
static int fill(lua_State *L, struct edf_object *o, size_t n, double *weights, int name)
{
    struct error e;
    if (!(weights ? edf_init_weighted(&o->f, o->block, weights, n, &e)
                  : edf_init(&o->f, o->block, n, &e)))
        return push_failure(L, e.msg);
    lua_pushvalue(L, name);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, EDF);
    return 1;
}

// new(errors [, name [, failed [, weights]]]) -> edf, or nil and what is wrong with it.
// Without a count of failed models, those with error 100 are it; a model of weight 0 is
// left out.
static int new_edf(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 4);
    size_t n = lua_rawlen(L, 1), kept = 0;
    bool weighted = !lua_isnil(L, 4);
    struct edf_object *o = new_object(L, n, weighted);
    struct error e;
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 1, (lua_Integer)i + 1) != LUA_TNUMBER) {
            error_set(&e, "error %zu is a %s; errors are numbers, percent, 0 to 100", i + 1,
                      luaL_typename(L, -1));
            return push_failure(L, e.msg);
        }
        o->block[kept] = lua_tonumber(L, -1);
        lua_pop(L, 1);
        if (weighted) {
            lua_rawgeti(L, 4, (lua_Integer)i + 1);
            double weight = luaL_checknumber(L, -1);
            lua_pop(L, 1);
            luaL_argcheck(L, weight >= 0 && isfinite(weight), 4, "a weight is negative");
            if (weight == 0)
                continue;
            o->block[n + kept] = weight;
        }
        o->failed += o->block[kept++] == 100;
    }
    if (!weighted)
        o->failed = luaL_optinteger(L, 3, o->failed);
    return fill(L, o, kept, weighted ? o->block + n : NULL, 2);
}

// is_edf(x) -> bool
static int is_edf(lua_State *L)
{
    lua_pushboolean(L, luaL_testudata(L, 1, EDF) != NULL);
    return 1;
}

static int edf_call(lua_State *L)
{
    lua_pushnumber(L, edf_at(edf_from_lua(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

static int quantile(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, 1);
    double p = luaL_checknumber(L, 2);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "a quantile is asked for a share from 0 to 1");
    lua_pushnumber(L, edf_quantile(f, p));
    return 1;
}

static int area(lua_State *L)
{
    double limit = luaL_optnumber(L, 2, 100);
    luaL_argcheck(L, limit > 0 && limit <= 100, 2, "the limit must be above 0, at most 100");
    lua_pushnumber(L, edf_area(edf_from_lua(L, 1), limit));
    return 1;
}

// Room for x and y of every model, as a userdata on the stack.
static double *step_room(lua_State *L, const struct edf *f)
{
    return lua_newuserdatauv(L, 2 * f->n * sizeof(double), 0);
}

static int steps(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, 1);
    double *x = step_room(L, f), *y = x + f->n;
    size_t n = edf_steps(f, x, y);
    push_list(L, x, n);
    push_list(L, y, n);
    return 2;
}

/* The edge of a band at values y[count] of F. */
struct edge {
    bool bootstrap, upper;
    double value; // the level of a bootstrap, else half the height
};

static void edge_of(const struct edf *f, struct edge edge, double *y, size_t count)
{
    if (edge.bootstrap) {
        edf_bootstrap_edge(f->n, edge.value, edge.upper, y, count);
        return;
    }
    double shift = edge.upper ? edge.value : -edge.value;
    for (size_t i = 0; i < count; i++)
        y[i] = fmin(1, fmax(0, y[i] + shift));
}

// Upvalues of what a band's functions are made of: the edf, and the fields of an edge.
static struct edge check_edge(lua_State *L)
{
    return (struct edge){.bootstrap = lua_toboolean(L, lua_upvalueindex(2)),
                         .value = lua_tonumber(L, lua_upvalueindex(3)),
                         .upper = lua_toboolean(L, lua_upvalueindex(4))};
}

static int band_edge(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, lua_upvalueindex(1));
    double y = edf_at(f, luaL_checknumber(L, 1));
    edge_of(f, check_edge(L), &y, 1);
    lua_pushnumber(L, y);
    return 1;
}

static int band_steps(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, lua_upvalueindex(1));
    struct edge edge = check_edge(L);
    double *x = step_room(L, f), *y = x + f->n;
    size_t n = edf_steps(f, x, y);
    push_list(L, x, n);
    for (int upper = 0; upper <= 1; upper++) {
        edge.upper = upper;
        edf_steps(f, x, y);
        edge_of(f, edge, y, n);
        push_list(L, y, n);
    }
    return 3;
}

static void set_band_function(lua_State *L, const char *key, lua_CFunction f,
                              struct edge edge)
{
    lua_pushvalue(L, 1);
    lua_pushboolean(L, edge.bootstrap);
    lua_pushnumber(L, edge.value);
    lua_pushboolean(L, edge.upper);
    lua_pushcclosure(L, f, 4);
    lua_setfield(L, -2, key);
}

enum { DKW, BOOTSTRAP, ANYTIME, BANDS };
enum { FIRST_LOOK = 10 }; // models; a band for every moment is none before

static int band(lua_State *L)
{
    static const char *const kinds[] = {"dkw", "bootstrap", "anytime", NULL};
    TABLE_HAS(kinds, BANDS + 1);
    const struct edf *f = edf_from_lua(L, 1);
    double level = level_from_lua(L, 2);
    int kind = luaL_checkoption(L, 3, "dkw", kinds);
    luaL_argcheck(L, !f->share, 1, "there is no band for an EDF with weights");
    struct edge lower = {.bootstrap = kind == BOOTSTRAP, .value = level}, upper;
    if (kind == DKW)
        lower.value = edf_dkw(f->n, level);
    else if (kind == ANYTIME)
        lower.value = fmin(1, band_anytime(f->n, FIRST_LOOK, 1 - level));
    upper = lower;
    upper.upper = true;
    lua_createtable(L, 0, 6);
    set_number(L, "level", level);
    set_string(L, "kind", kinds[kind]);
    if (kind != BOOTSTRAP)
        set_number(L, "epsilon", lower.value);
    set_band_function(L, "lo", band_edge, lower);
    set_band_function(L, "hi", band_edge, upper);
    set_band_function(L, "steps", band_steps, lower);
    return 1;
}

// finished() -> the edf without its failed models, or nil and a message
static int finished(lua_State *L)
{
    lua_settop(L, 1);
    struct edf_object *o = check_object(L, 1);
    size_t n = o->f.n;
    for (lua_Integer left = o->failed; left > 0 && n > 0 && o->f.e[n - 1] == 100; left--)
        n--;
    if (n == 0)
        return push_failure(L, "all of its models failed");
    lua_getiuservalue(L, 1, 1);
    struct edf_object *copy = new_object(L, n, o->f.share != NULL);
    double *weights = o->f.share ? copy->block + n : NULL;
    memcpy(copy->block, o->f.e, n * sizeof *copy->block);
    for (size_t i = 0; weights && i < n; i++)
        weights[i] = edf_share(&o->f, i + 1) - edf_share(&o->f, i);
    return fill(L, copy, n, weights, 2);
}

enum { N, MIN, MEAN, MEDIAN, MAX, FAILED, WEIGHTED, NAME, FIELDS };
static const char *const fields[FIELDS] = {"n",   "min",    "mean",     "median",
                                           "max", "failed", "weighted", "name"};

// Fields are computed; what is none is a method (upvalue 1).
static int edf_index(lua_State *L)
{
    const struct edf_object *o = check_object(L, 1);
    const struct edf *f = &o->f;
    const char *key = luaL_checkstring(L, 2);
    int i = 0;
    while (i < FIELDS && strcmp(key, fields[i]) != 0)
        i++;
    switch (i) {
    case N:
        lua_pushinteger(L, (lua_Integer)f->n);
        break;
    case MIN:
        lua_pushnumber(L, f->e[0]);
        break;
    case MEAN:
        lua_pushnumber(L, f->mean);
        break;
    case MEDIAN:
        lua_pushnumber(L, edf_quantile(f, 0.5));
        break;
    case MAX:
        lua_pushnumber(L, f->e[f->n - 1]);
        break;
    case FAILED:
        lua_pushinteger(L, o->failed);
        break;
    case WEIGHTED:
        lua_pushboolean(L, f->share != NULL);
        break;
    case NAME:
        lua_getiuservalue(L, 1, 1);
        break;
    default:
        lua_getfield(L, lua_upvalueindex(1), key);
    }
    return 1;
}

static int edf_tostring(lua_State *L)
{
    const struct edf_object *o = check_object(L, 1);
    const struct edf *f = &o->f;
    char figures[160], failed[64] = "";
    snprintf(figures, sizeof figures,
             "min %.2f %%, mean %.2f %%, median %.2f %%, max %.2f %%", f->e[0], f->mean,
             edf_quantile(f, 0.5), f->e[f->n - 1]);
    if (o->failed)
        snprintf(failed, sizeof failed, " (%lld failed)", (long long)o->failed);
    lua_getiuservalue(L, 1, 1);
    const char *name = lua_tostring(L, -1);
    lua_pushfstring(L, "%sEDF of %I model%s%s%s%s: %s", f->share ? "weighted " : "",
                    (lua_Integer)f->n, f->n == 1 ? "" : "s", name ? " of " : "",
                    name ? name : "", failed, figures);
    return 1;
}

static const luaL_Reg methods[] = {
    {"area", area},         {"band", band},   {"finished", finished},
    {"quantile", quantile}, {"steps", steps}, {NULL, NULL},
};
static const luaL_Reg metamethods[] = {
    {"__call", edf_call},
    {"__tostring", edf_tostring},
    {NULL, NULL},
};
static const luaL_Reg functions[] = {
    {"new", new_edf},
    {"is_edf", is_edf},
    {NULL, NULL},
};

int open_edf(lua_State *L)
{
    luaL_newmetatable(L, EDF);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "_methods"); // for completion and help
    lua_pushcclosure(L, edf_index, 1);
    lua_setfield(L, -2, "__index");
    lua_createtable(L, FIELDS, 0);
    for (int i = 0; i < FIELDS; i++) {
        lua_pushstring(L, fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "_names");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
