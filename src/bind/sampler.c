/* netspace.core.sampler: the candidates of a design space (stats/sampler.h).
 *   s = sampler.new{ kind =, base = <options of arch.anynet>, groups = bool, seed =,
 *         window =, timing = { table =, batch =, train = },
 *         factors = { { bond = "equal" | "up" | "sorted", slots = {…},
 *           dist = { { v = {…}, p = {…} }, … } } … } }
 *   list, next = s:next(index, end, capacity);  rows, hashes, next = s:rows(index, end, capacity,
 *         threads);  s:keep(hash);  s:counts();  s:share() */
#include "bind/bind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "base/table.h"
#include "stats/sampler.h"

#define TYPE "netspace.sampler"
enum {
    CAPACITY = 256,
    ROWS = 1 << 20
}; // candidates a call may return, as tables and as rows

struct owner {
    struct sampler *sampler;
    struct candidate *found; // CAPACITY of them
    uint64_t seed;
};

static struct owner *check(lua_State *L)
{
    struct owner *o = luaL_checkudata(L, 1, TYPE);
    if (!o->sampler)
        luaL_error(L, "closed sampler");
    return o;
}

static int sampler_close(lua_State *L)
{
    struct owner *o = luaL_checkudata(L, 1, TYPE);
    sampler_free(o->sampler);
    free(o->found);
    o->sampler = NULL;
    o->found = NULL;
    return 0;
}

static int sampler_tostring(lua_State *L)
{
    struct owner *o = luaL_checkudata(L, 1, TYPE);
    if (o->sampler)
        lua_pushfstring(L, "sampler: %d parameters", sampler_slots(o->sampler));
    else
        lua_pushliteral(L, "closed sampler");
    return 1;
}

// The factor table at the top of the stack.
static void add_factor(lua_State *L, struct sampler *s)
{
    struct distribution dist[ARCH_STAGES];
    struct error e;
    int slots[ARCH_STAGES], n, t = lua_gettop(L);
    luaL_checkstack(L, 3 * ARCH_STAGES, NULL);
    lua_getfield(L, t, "bond");
    static const char *const bonds[] = {"equal", "up", "sorted", NULL};
    TABLE_HAS(bonds, BONDS + 1);
    enum sampler_bond bond = (enum sampler_bond)luaL_checkoption(L, -1, NULL, bonds);
    lua_getfield(L, t, "slots");
    double *list = number_list(L, "slots", &n);
    if (n > ARCH_STAGES)
        luaL_error(L, "a factor has at most %d parameters", ARCH_STAGES);
    lua_getfield(L, t, "dist");
    int dists = lua_gettop(L);
    for (int k = 0; k < n; k++) {
        int values, weights;
        slots[k] = (int)list[k];
        lua_rawgeti(L, dists, k + 1);
        int d = lua_gettop(L);
        lua_getfield(L, d, "v");
        dist[k].value = number_list(L, "v", &values);
        lua_getfield(L, d, "p");
        dist[k].p = number_list(L, "p", &weights);
        dist[k].n = values < weights ? values : weights;
    }
    if (!sampler_bind(s, bond, n, slots, dist, &e))
        luaL_error(L, "%s", e.msg);
    lua_settop(L, t);
}

static const char *const windows[] = {"flops", "params", "acts", "time"};
TABLE_HAS(windows, WINDOWS);

static void set_window(lua_State *L, int t, struct sampler *s)
{
    for (int i = 0; i < WINDOWS; i++) {
        if (lua_getfield(L, t, windows[i]) == LUA_TTABLE) {
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            sampler_window(s, i, luaL_checknumber(L, -2), luaL_checknumber(L, -1));
            lua_pop(L, 2);
        }
        lua_pop(L, 1);
    }
}

// The field timing = { table = netspace.core.timing's, batch =, train = } of the argument; the
// sampler, on top of the stack, keeps the table.
static void set_timing(lua_State *L, struct sampler *s)
{
    if (lua_getfield(L, 1, "timing") == LUA_TTABLE) {
        lua_getfield(L, -1, "batch");
        int batch = batch_from_lua(L, -1);
        lua_getfield(L, -2, "train");
        enum mode mode = lua_toboolean(L, -1) ? MODE_TRAIN : MODE_TEST;
        lua_getfield(L, -3, "table");
        sampler_timing(s, timing_from_lua(L, -1), batch, mode);
        lua_setiuservalue(L, -5, 1);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

static int core_new(lua_State *L)
{
    struct arch base;
    struct error e;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "base");
    arch_from_lua(L, 2, &base);
    lua_getfield(L, 1, "kind");
    bool regnet = strcmp(luaL_checkstring(L, 3), "regnet") == 0;
    lua_getfield(L, 1, "seed");
    lua_Integer seed = luaL_checkinteger(L, 4);
    lua_getfield(L, 1, "window");
    lua_getfield(L, 1, "factors");
    luaL_checktype(L, 6, LUA_TTABLE);

    struct owner *o = lua_newuserdatauv(L, sizeof *o, 1);
    *o = (struct owner){.seed = (uint64_t)seed};
    luaL_setmetatable(L, TYPE);
    o->sampler = sampler_new(regnet ? SAMPLE_REGNET : SAMPLE_ANYNET, &base);
    o->found = xcalloc(CAPACITY, sizeof *o->found);
    if (lua_istable(L, 5))
        set_window(L, 5, o->sampler);
    set_timing(L, o->sampler);
    lua_getfield(L, 1, "groups");
    if (lua_toboolean(L, -1))
        sampler_by_groups(o->sampler);
    lua_pop(L, 1);
    for (lua_Integer i = 1; lua_rawgeti(L, 6, i) == LUA_TTABLE; i++) {
        add_factor(L, o->sampler);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!sampler_complete(o->sampler, &e))
        luaL_error(L, "%s", e.msg);
    return 1;
}

static void push_candidate(lua_State *L, const struct candidate *c, bool regnet)
{
    arch_to_lua(L, &c->arch);
    arch_set_asked(L, &c->asked);
    if (regnet) {
        regnet_to_lua(L, &c->regnet);
        lua_setfield(L, -2, "regnet");
    }
}

// next(index, end, capacity) -> list of {m =, index =, hash =}, index to go on from
static int sampler_next_(lua_State *L)
{
    struct owner *o = check(L);
    uint64_t index = (uint64_t)luaL_checkinteger(L, 2);
    uint64_t end = (uint64_t)luaL_checkinteger(L, 3);
    lua_Integer capacity = luaL_checkinteger(L, 4);
    size_t most = capacity < 1 ? 1 : capacity > CAPACITY ? CAPACITY : (size_t)capacity;
    size_t n = sampler_next(o->sampler, o->seed, &index, end, o->found, most);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        push_candidate(L, &o->found[i], o->found[i].regnet.d > 0);
        lua_setfield(L, -2, "m");
        lua_pushinteger(L, (lua_Integer)o->found[i].index);
        lua_setfield(L, -2, "index");
        lua_pushinteger(L, (lua_Integer)o->found[i].hash);
        lua_setfield(L, -2, "hash");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(L, (lua_Integer)index);
    return 2;
}

// Where the logarithms and hashes of candidates go.
struct rows {
    float *next;
    uint64_t *hash;
};

static void add_row(void *self, const struct candidate *c)
{
    struct rows *r = self;
    const struct arch *a = &c->arch;
    for (int i = 0; i < a->stages; i++)
        *r->next++ = (float)log(a->d[i]);
    for (int i = 0; i < a->stages; i++)
        *r->next++ = (float)log(a->w[i]);
    for (int i = 0; i < a->stages; i++)
        *r->next++ = (float)log(a->b[i]);
    for (int i = 0; i < a->stages; i++)
        *r->next++ = (float)log(a->g[i]);
    *r->hash++ = c->hash;
}

// rows(index, end, capacity, threads) -> of each candidate the logarithms of its d, w, b and g in
// single precision (lua/netspace/stats/features.lua), packed one after the other, and the hash:
// string, list of hashes, index to go on from
static int sampler_rows_(lua_State *L)
{
    struct owner *o = check(L);
    uint64_t index = (uint64_t)luaL_checkinteger(L, 2);
    uint64_t end = (uint64_t)luaL_checkinteger(L, 3);
    lua_Integer capacity = luaL_checkinteger(L, 4), threads = luaL_checkinteger(L, 5);
    luaL_argcheck(L, capacity >= 1 && capacity <= ROWS, 4, "out of range");
    luaL_argcheck(L, threads >= 1, 5, "out of range");
    size_t row = (size_t)(4 * sampler_stages(o->sampler)) * sizeof(float);
    float *logs = lua_newuserdatauv(L, (size_t)capacity * row, 0);
    uint64_t *hash = lua_newuserdatauv(L, (size_t)capacity * sizeof *hash, 0);
    struct rows r = {logs, hash};
    int before = pool_threads();
    pool_set(threads < POOL_MOST ? (int)threads : POOL_MOST);
    size_t n = sampler_each(o->sampler, o->seed, &index, end, (size_t)capacity, add_row, &r);
    pool_set(before);
    lua_pushlstring(L, (const char *)logs, n * row);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, (lua_Integer)hash[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(L, (lua_Integer)index);
    return 3;
}

// keep(hash) -> true, or false when that network was kept before
static int sampler_keep_(lua_State *L)
{
    struct owner *o = check(L);
    lua_pushboolean(L, sampler_keep(o->sampler, (uint64_t)luaL_checkinteger(L, 2)));
    return 1;
}

static int sampler_share_(lua_State *L)
{
    lua_pushnumber(L, sampler_share(check(L)->sampler));
    return 1;
}

static void set(lua_State *L, const char *name, lua_Integer v)
{
    lua_pushinteger(L, v);
    lua_setfield(L, -2, name);
}

// counts() -> { tried, shape, incompatible, duplicate, flops = {outside, least, most}, … }
static int sampler_counts_(lua_State *L)
{
    const struct sampler_counts *c = sampler_counts(check(L)->sampler);
    lua_createtable(L, 0, 7);
    set(L, "tried", (lua_Integer)c->tried);
    set(L, "shape", (lua_Integer)c->shape);
    set(L, "incompatible", (lua_Integer)c->incompatible);
    set(L, "duplicate", (lua_Integer)c->duplicate);
    for (int i = 0; i < WINDOWS; i++) {
        lua_createtable(L, 0, 3);
        set(L, "outside", (lua_Integer)c->window[i]);
        if (c->least[i] <= c->most[i]) {
            set_number(L, "least", c->least[i]);
            set_number(L, "most", c->most[i]);
        }
        lua_setfield(L, -2, windows[i]);
    }
    return 1;
}

static const luaL_Reg functions[] = {{"new", core_new}, {NULL, NULL}};
static const luaL_Reg methods[] = {
    {"next", sampler_next_},
    {"keep", sampler_keep_},
    {"share", sampler_share_},
    {"counts", sampler_counts_},
    {"close", sampler_close},
    {"rows", sampler_rows_},
    {NULL, NULL},
};
static const luaL_Reg metamethods[] = {
    {"__gc", sampler_close},
    {"__close", sampler_close},
    {"__tostring", sampler_tostring},
    {NULL, NULL},
};

int open_sampler(lua_State *L)
{
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    return 1;
}
