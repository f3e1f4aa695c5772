/* netspace.core.benchmark: a network that runs slices of steps, and what the machine can do.
 * A benchmark is userdata; net.benchmark and `make bench` are made of it. */
#include "bind/bind.h"

#include "model/benchmark.h"

static struct benchmark **any_benchmark(lua_State *L)
{
    return luaL_checkudata(L, 1, "benchmark");
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
    luaL_setmetatable(L, "benchmark");
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

// run(benchmark, train, seconds) -> struct speed as a table
static int benchmark_slice(lua_State *L)
{
    struct benchmark **b = any_benchmark(L);
    struct speed s;
    struct error e;
    luaL_argcheck(L, *b, 1, "closed benchmark");
    if (!benchmark_run(*b, lua_toboolean(L, 2), luaL_checknumber(L, 3), &s, &e))
        return raise_interrupted(L);
    lua_createtable(L, 0, 8);
    set_number(L, "images_per_s", s.images_per_s);
    set_number(L, "gflops", s.gflops);
    set_integer(L, "steps", s.steps);
    set_number(L, "faults", s.faults);
    set_number(L, "switches", s.switches);
    set_integer(L, "peak_bytes", (lua_Integer)s.peak_bytes);
    return 1;
}

// sgemm() -> 10^9 operations a second of a matrix product
static int core_sgemm(lua_State *L)
{
    lua_pushnumber(L, benchmark_sgemm());
    return 1;
}

int open_benchmark(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", benchmark_close}, {"__close", benchmark_close}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"run", benchmark_slice}, {"close", benchmark_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"new", core_new}, {"sgemm", core_sgemm}, {NULL, NULL}};
    type_register(L, "benchmark", meta, methods);
    luaL_newlib(L, functions);
    return 1;
}
