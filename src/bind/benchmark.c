/* netspace.core.benchmark: a network that runs slices of steps, and what the machine can do.
 * A benchmark is userdata; net.benchmark and `make bench` are made of it. */
#include "bind/bind.h"

#include "base/pool.h"
#include "model/benchmark.h"
#include "model/plan.h"
#include "nn/machine.h"

#define TYPE "netspace.benchmark"

static struct benchmark **any_benchmark(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

// new(m, batch) -> benchmark
static int core_new(lua_State *L)
{
    struct arch a;
    struct error e;
    arch_from_lua(L, 1, &a);
    int batch = batch_from_lua(L, 2);
    struct benchmark **b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = NULL;
    luaL_setmetatable(L, TYPE);
    *b = benchmark_new(&a, batch, &e);
    return *b ? 1 : luaL_error(L, "%s", e.msg);
}

static int benchmark_close(lua_State *L)
{
    struct benchmark **b = any_benchmark(L);
    benchmark_free(*b);
    *b = NULL;
    return 0;
}

static struct benchmark *check_benchmark(lua_State *L)
{
    struct benchmark **b = any_benchmark(L);
    luaL_argcheck(L, *b, 1, "closed benchmark");
    return *b;
}

// run(benchmark, train, seconds) -> struct speed as a table
static int core_run(lua_State *L)
{
    struct speed s;
    struct error e;
    if (!benchmark_run(check_benchmark(L), lua_toboolean(L, 2), luaL_checknumber(L, 3), &s,
                       &e))
        return raise_interrupted(L);
    lua_createtable(L, 0, 7);
    set_number(L, "images_per_s", s.images_per_s);
    set_number(L, "wall_images_per_s", s.wall_images_per_s);
    set_number(L, "gflops", s.gflops);
    set_integer(L, "steps", s.steps);
    set_number(L, "faults", s.faults);
    set_number(L, "switches", s.switches);
    set_integer(L, "peak_bytes", (lua_Integer)s.peak_bytes);
    return 1;
}

// threads(benchmark, n): from now on
static int core_threads(lua_State *L)
{
    struct benchmark *b = check_benchmark(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 1 && n <= POOL_MOST, 2, "threads");
    benchmark_set_threads(b, (int)n);
    return 0;
}

// profile(benchmark, train, seconds) -> { plan =, seconds = {…} }: seconds of each operation
// by its time in the plan, from 0
static int core_profile(lua_State *L)
{
    struct benchmark *b = check_benchmark(L);
    const struct plan *p = benchmark_plan(b);
    int slots = 2 * p->n + 2;
    double *seconds = lua_newuserdatauv(L, (size_t)slots * sizeof *seconds, 0);
    if (!benchmark_profile(b, lua_toboolean(L, 2), luaL_checknumber(L, 3), seconds, NULL))
        return raise_interrupted(L);
    lua_createtable(L, 0, 2);
    plan_to_lua(L, p);
    lua_setfield(L, -2, "plan");
    lua_createtable(L, slots, 0);
    for (int i = 0; i < slots; i++) {
        lua_pushnumber(L, seconds[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "seconds");
    return 1;
}

// sgemm() -> operations a second of a matrix product
static int core_sgemm(lua_State *L)
{
    lua_pushnumber(L, machine_sgemm());
    return 1;
}

// stream(bytes) -> bytes a second moved by y += x over a working set
static int core_stream(lua_State *L)
{
    lua_pushnumber(L, machine_stream((size_t)luaL_checkinteger(L, 1)));
    return 1;
}

// cache(level) -> bytes
static int core_cache(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)machine_cache((int)luaL_checkinteger(L, 1)));
    return 1;
}

// source(dataset, batch, seconds) -> processor seconds of one training image
static int core_source(lua_State *L)
{
    const struct source *s = source_from_lua(L, 1);
    lua_pushnumber(L, benchmark_source(s, batch_from_lua(L, 2), luaL_checknumber(L, 3)));
    return 1;
}

int open_benchmark(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__gc", benchmark_close}, {"__close", benchmark_close}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"run", core_run},
                                       {"profile", core_profile},
                                       {"threads", core_threads},
                                       {"close", benchmark_close},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", core_new},       {"sgemm", core_sgemm},
                                         {"stream", core_stream}, {"cache", core_cache},
                                         {"source", core_source}, {NULL, NULL}};
    type_register(L, TYPE, meta, methods);
    luaL_newlib(L, functions);
    return 1;
}
