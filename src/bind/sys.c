/* netspace.core.sys: what Lua needs of the machine and the process. */
#include "bind/bind.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "nn/gemm.h"
#include "nn/isa.h"

// now() -> monotonic seconds
static int sys_now(lua_State *L)
{
    lua_pushnumber(L, clock_now());
    return 1;
}

// interrupted() -> bool: Ctrl-C was pressed and nobody has dealt with it yet
static int sys_interrupted(lua_State *L)
{
    lua_pushboolean(L, interrupt_pending());
    return 1;
}

static int sys_clear_interrupt(lua_State *L)
{
    (void)L;
    interrupt_flag = 0;
    return 0;
}

// isatty(fd) -> bool
static int sys_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

// cores() -> processors this process may use (affinity, not what the machine has)
static int sys_cores(lua_State *L)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    lua_pushinteger(L, n);
    return 1;
}

// die_with_parent(): this process is killed when its parent ends (workers)
static int sys_die_with_parent(lua_State *L)
{
    (void)L;
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        raise(SIGKILL);
    return 0;
}

// random(seed, index, purpose) -> 63-bit integer, the first of that stream (rng.h)
static int sys_random(lua_State *L)
{
    struct rng r = rng_key((uint64_t)luaL_checkinteger(L, 1), (uint64_t)luaL_checkinteger(L, 2),
                           (enum rng_purpose)luaL_checkinteger(L, 3));
    lua_pushinteger(L, (lua_Integer)(rng_u64(&r) >> 1));
    return 1;
}

// engine() -> {engine, blas, corename, isa}: everything the bits of a result depend on
static int sys_engine(lua_State *L)
{
    const char *const keys[] = {"engine", "blas", "corename", "isa"};
    const char *const values[] = {NETSPACE_VERSION, gemm_library(), gemm_corename(),
                                  isa_name()};
    lua_createtable(L, 0, 4);
    for (int i = 0; i < 4; i++) {
        lua_pushstring(L, values[i]);
        lua_setfield(L, -2, keys[i]);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"now", sys_now},
    {"interrupted", sys_interrupted},
    {"clear_interrupt", sys_clear_interrupt},
    {"isatty", sys_isatty},
    {"cores", sys_cores},
    {"die_with_parent", sys_die_with_parent},
    {"random", sys_random},
    {"engine", sys_engine},
    {NULL, NULL},
};

int open_sys(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushliteral(L, NETSPACE_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
