/* netspace.core.timing: the times of layers (model/timing.h).
 *   probe = timing.measure(number, threads)   a table, to be kept until all are there
 *   t = timing.fit{ probe, … }                a table of numbers, to be written to a file
 *   T = timing.new(t)                         userdata;  T:seconds(m, image, batch, train) */
#include "bind/bind.h"

#include "base/interrupt.h"
#include "base/table.h"
#include "model/timing.h"

#define TYPE "netspace.timing"

static const char *const modes[] = {"test", "train"};
TABLE_HAS(modes, MODES);

// measure(number, threads) -> { number =, test = {…}, train = {…}, whole_test =, whole_train = }
static int core_measure(lua_State *L)
{
    struct probe *p = lua_newuserdatauv(L, sizeof *p, 0);
    struct error e;
    if (!probe_measure((int)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2), p, &e))
        return interrupt_pending() ? raise_interrupted(L) : push_failure(L, e.msg);
    lua_createtable(L, 0, 5);
    set_integer(L, "number", p->number);
    for (int m = 0; m < MODES; m++) {
        push_list(L, p->seconds[m], (size_t)p->n);
        lua_setfield(L, -2, modes[m]);
        lua_pushfstring(L, "whole_%s", modes[m]);
        lua_pushnumber(L, p->whole[m]);
        lua_rawset(L, -3);
    }
    return 1;
}

// The probe on top of the stack; false: it is none of this program.
static bool read_probe(lua_State *L, struct probe *p)
{
    struct piece rows[PIECES_MOST];
    struct arch a;
    int batch, t = lua_gettop(L);
    lua_getfield(L, t, "number");
    *p = (struct probe){.number = (int)luaL_checkinteger(L, -1)};
    probe_network(p->number, &a, &batch);
    p->n = pieces_of(&a, a.image, batch, rows);
    bool good = true;
    for (int m = 0; m < MODES; m++) {
        int n;
        lua_getfield(L, t, modes[m]);
        double *v = number_list(L, modes[m], &n);
        for (int i = 0; i < n && i < p->n; i++)
            p->seconds[m][i] = v[i];
        good = good && n == p->n;
        lua_pushfstring(L, "whole_%s", modes[m]);
        lua_rawget(L, t);
        p->whole[m] = luaL_checknumber(L, -1);
    }
    lua_settop(L, t);
    return good;
}

static void push_timing(lua_State *L, const struct timing *t)
{
    lua_createtable(L, 0, 2 * MODES + 1);
    for (int m = 0; m < MODES; m++) {
        lua_createtable(L, 0, PIECE_KINDS + 2);
        set_number(L, "whole", t->whole[m]);
        set_number(L, "error", t->error[m]);
        for (int k = 0; k < PIECE_KINDS; k++) {
            const struct lattice *l = &t->lattice[k][m];
            lua_createtable(L, 0, 2);
            push_list(L, l->value, (size_t)lattice_nodes(l));
            lua_setfield(L, -2, "nodes");
            push_list(L, l->switched, LATTICE_SWITCHES);
            lua_setfield(L, -2, "switches");
            lua_setfield(L, -2, piece_name((enum piece_kind)k));
        }
        lua_setfield(L, -2, modes[m]);
    }
}

static struct timing **new_timing(lua_State *L)
{
    struct timing **t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = NULL;
    luaL_setmetatable(L, TYPE);
    *t = timing_new();
    return t;
}

// fit(list of probes) -> { test = { whole =, error =, product = { nodes =, switches = }, … },
// train = … }
static int core_fit(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t n = lua_rawlen(L, 1);
    luaL_argcheck(L, n > 0 && n <= TIMING_PROBES, 1, "probes");
    struct probe *probes = lua_newuserdatauv(L, n * sizeof *probes, 0);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, read_probe(L, &probes[i]), 1, "probes of another version");
        lua_pop(L, 1);
    }
    struct timing **t = new_timing(L);
    timing_fit(*t, probes, (int)n);
    push_timing(L, *t);
    return 1;
}

// Fills n numbers from the list in field `key` of the table on top.
static bool read_list(lua_State *L, const char *key, double *to, int n)
{
    int got = 0;
    if (lua_getfield(L, -1, key) == LUA_TTABLE) {
        double *v = number_list(L, key, &got);
        for (int i = 0; i < n && i < got; i++)
            to[i] = v[i];
    }
    lua_pop(L, 1);
    return got == n;
}

static bool read_mode(lua_State *L, struct timing *t, int m)
{
    bool good = true;
    lua_getfield(L, -1, "whole");
    lua_getfield(L, -2, "error");
    good = lua_isnumber(L, -1) && lua_isnumber(L, -2);
    t->error[m] = lua_tonumber(L, -1);
    t->whole[m] = lua_tonumber(L, -2);
    lua_pop(L, 2);
    for (int k = 0; good && k < PIECE_KINDS; k++) {
        struct lattice *l = &t->lattice[k][m];
        good = lua_getfield(L, -1, piece_name((enum piece_kind)k)) == LUA_TTABLE &&
               read_list(L, "nodes", l->value, lattice_nodes(l)) &&
               read_list(L, "switches", l->switched, LATTICE_SWITCHES);
        lua_pop(L, 1);
    }
    return good;
}

// new(table of fit) -> userdata, or nil and why not
static int core_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct timing **t = new_timing(L);
    bool good = true;
    for (int m = 0; good && m < MODES; m++) {
        good = lua_getfield(L, 1, modes[m]) == LUA_TTABLE && read_mode(L, *t, m);
        lua_pop(L, 1);
    }
    return good ? 1 : push_failure(L, "it is not whole, or of another version");
}

const struct timing *timing_from_lua(lua_State *L, int index)
{
    struct timing **t = luaL_checkudata(L, index, TYPE);
    luaL_argcheck(L, *t, index, "closed table of times");
    return *t;
}

// seconds(T, m, image or nil, batch, train) -> seconds of a step
static int core_seconds(lua_State *L)
{
    const struct timing *t = timing_from_lua(L, 1);
    struct arch a;
    arch_from_lua(L, 2, &a);
    int image = (int)luaL_optinteger(L, 3, a.image), batch = batch_from_lua(L, 4);
    luaL_argcheck(L, image >= TIMING_LEAST_IMAGE && image <= TIMING_MOST_IMAGE, 3, "image");
    luaL_argcheck(L, batch >= 1 && batch <= TIMING_MOST_BATCH, 4, "batch");
    enum mode mode = lua_toboolean(L, 5) ? MODE_TRAIN : MODE_TEST;
    lua_pushnumber(L, timing_of(t, &a, image, batch, mode));
    return 1;
}

static int timing_close(lua_State *L)
{
    struct timing **t = luaL_checkudata(L, 1, TYPE);
    timing_free(*t);
    *t = NULL;
    return 0;
}

int open_timing(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__gc", timing_close}, {"__close", timing_close}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"seconds", core_seconds}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"measure", core_measure}, {"fit", core_fit}, {"new", core_new}, {NULL, NULL}};
    type_register(L, TYPE, meta, methods);
    luaL_newlib(L, functions);
    set_integer(L, "probes", TIMING_PROBES);
    set_integer(L, "least_image", TIMING_LEAST_IMAGE);
    set_integer(L, "most_image", TIMING_MOST_IMAGE);
    set_integer(L, "most_batch", TIMING_MOST_BATCH);
    return 1;
}
