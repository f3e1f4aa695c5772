/* netspace.core.sys: what Lua needs of the machine and the process. */
#include "bind/bind.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/limit.h"
#include "base/lock.h"
#include "base/rng.h"
#include "data/decode.h"
#include "model/selfcheck.h"
#include "nn/gemm.h"
#include "nn/isa.h"
#include "commit.h" // made by make: NETSPACE_COMMIT

#ifdef __clang__
#define COMPILER __VERSION__ // "Clang 14.0.6"
#else
#define COMPILER "gcc " __VERSION__
#endif

static enum color_choice color;
static const char *graphics = "auto";
static lua_Integer seed = 1;
static bool yes;
static int exit_status;

void sys_choose(enum color_choice c, const char *g, lua_Integer s, bool y)
{
    color = c;
    graphics = g;
    seed = s;
    yes = y;
}

int sys_exit_status(void)
{
    return exit_status;
}

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

// isatty(fd) -> bool
static int sys_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

// color(fd) -> bool: --color, else NO_COLOR, TERM and whether fd is a terminal decide
static int sys_color(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    bool able = !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(fd);
    lua_pushboolean(L, color == COLOR_ALWAYS || (color == COLOR_AUTO && able));
    return 1;
}

// graphics() -> how pictures are shown: "auto", or as --graphics says
static int sys_graphics(lua_State *L)
{
    lua_pushstring(L, graphics);
    return 1;
}

// terminal(fd) -> columns, rows; nothing when fd is no terminal or hides its size; only
// columns when it hides its rows
static int sys_terminal(lua_State *L)
{
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    lua_pushinteger(L, size.ws_col);
    lua_pushinteger(L, size.ws_row);
    return size.ws_row ? 2 : 1;
}

// seed() -> the seed where a script gives none: 1, or --seed
static int sys_seed(lua_State *L)
{
    lua_pushinteger(L, seed);
    return 1;
}

// yes() -> whether --yes was given: nothing is asked
static int sys_yes(lua_State *L)
{
    lua_pushboolean(L, yes);
    return 1;
}

// status(n): the process ends with n (3: failed models, 4: damaged store or data) unless
// something else goes wrong; the highest n asked for counts
static int sys_status(lua_State *L)
{
    int n = (int)luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n < 126, 1, "exit status is 0 to 125");
    if (n > exit_status)
        exit_status = n;
    return 0;
}

// blas() -> "OpenBLAS 0.3.21 Haswell"
static int sys_blas(lua_State *L)
{
    lua_pushstring(L, gemm_library());
    return 1;
}

// isa() -> "avx512" | "avx2" | "neon" | "portable": what the kernels use
static int sys_isa(lua_State *L)
{
    lua_pushstring(L, isa_name());
    return 1;
}

// images() -> for each format of images: { name = "JPEG", read = true }
static int sys_images(lua_State *L)
{
    lua_createtable(L, IMAGE_FORMATS, 0);
    for (int f = 0; f < IMAGE_FORMATS; f++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, image_format_name((enum image_format)f));
        lua_setfield(L, -2, "name");
        lua_pushboolean(L, image_format_read((enum image_format)f));
        lua_setfield(L, -2, "read");
        lua_rawseti(L, -2, f + 1);
    }
    return 1;
}

static int checked(lua_State *L, bool right, const struct error *e)
{
    if (!right && interrupt_pending())
        return raise_interrupted(L);
    if (!right)
        return push_failure(L, e->msg);
    lua_pushboolean(L, true);
    return 1;
}

// check_blas() -> true | nil, message: matrix products against double precision
static int sys_check_blas(lua_State *L)
{
    struct error e;
    return checked(L, gemm_selfcheck(&e), &e);
}

// check_kernels() -> true | nil, message: the chosen kernels against others
static int sys_check_kernels(lua_State *L)
{
    struct error e;
    return checked(L, selfcheck_kernels(&e), &e);
}

// exe() -> path of this program
static int sys_exe(lua_State *L)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0)
        return luaL_error(L, "/proc is not mounted");
    lua_pushlstring(L, path, (size_t)n);
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

// memory() -> bytes this process may use: what the machine has, or less by a control group
static int sys_memory(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)memory_allowed());
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

// limit_memory(bytes) -> true | nil, message: from now on this process may have so many bytes
// more of its own than it has now, and whoever asks for more gets none; nil: no limit
static int sys_limit_memory(lua_State *L)
{
    struct rlimit limit;
    unsigned long long pages = 0; // of data; the sixth number of statm
    FILE *f = fopen("/proc/self/statm", "r");
    bool good = f && fscanf(f, "%*u %*u %*u %*u %*u %llu", &pages) == 1 &&
                getrlimit(RLIMIT_DATA, &limit) == 0;
    if (f)
        fclose(f);
    if (good)
        limit.rlim_cur = limit.rlim_max;
    if (good && !lua_isnoneornil(L, 1)) {
        rlim_t most =
            (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)luaL_checkinteger(L, 1);
        if (limit.rlim_max == RLIM_INFINITY || most < limit.rlim_max)
            limit.rlim_cur = most;
    }
    if (!good || setrlimit(RLIMIT_DATA, &limit) != 0)
        return push_failure(L, "the memory of this process cannot be limited");
    lua_pushboolean(L, true);
    return 1;
}

// purpose: what a stream of random numbers is for, by name (rng.h)
static void set_purposes(lua_State *L)
{
    lua_newtable(L);
#define SET_PURPOSE(name, lua, number) set_integer(L, #lua, number);
    RNG_PURPOSES(SET_PURPOSE)
#undef SET_PURPOSE
    lua_setfield(L, -2, "purpose");
}

// random(seed, index, purpose) -> 63-bit integer, the first of that stream (rng.h)
static int sys_random(lua_State *L)
{
    struct rng r =
        rng_key((uint64_t)luaL_checkinteger(L, 1), (uint64_t)luaL_checkinteger(L, 2),
                (enum rng_purpose)luaL_checkinteger(L, 3));
    lua_pushinteger(L, (lua_Integer)(rng_u64(&r) >> 1));
    return 1;
}

// The version with a checksum of the program: two builds may differ in the last digits.
static const char *engine_name(void)
{
    static char name[64];
    if (*name)
        return name;
    uint64_t sum = 0;
    char part[1 << 16];
    FILE *f = fopen("/proc/self/exe", "rb");
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        sum = checksum(sum, part, n);
    if (f)
        fclose(f);
    snprintf(name, sizeof name, "%s+%08x", NETSPACE_VERSION, (unsigned)(sum >> 32));
    return name;
}

// engine() -> {engine, blas, corename, isa}: everything the bits of a result depend on
static int sys_engine(lua_State *L)
{
    const char *const keys[] = {"engine", "blas", "corename", "isa"};
    const char *const values[] = {engine_name(), gemm_library(), gemm_corename(), isa_name()};
    lua_createtable(L, 0, 4);
    for (int i = 0; i < 4; i++) {
        lua_pushstring(L, values[i]);
        lua_setfield(L, -2, keys[i]);
    }
    return 1;
}

// harmless(text) -> the text without what a terminal obeys (base/harmless.h)
static int sys_harmless(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    push_harmless(L, text, n, false);
    return 1;
}

#define LOCK "netspace.lock"

struct held {
    int fd; // -1: let go
    char path[];
};

static int held_close(lua_State *L)
{
    struct held *h = luaL_checkudata(L, 1, LOCK);
    if (h->fd >= 0)
        lock_release(h->fd, h->path);
    h->fd = -1;
    return 0;
}

// lock(path, n) -> lock with :close(), or nil and why: "held" by another,
// "unsupported" by the file system, or a message (base/lock.h)
static int sys_lock(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    struct held *h = lua_newuserdatauv(L, sizeof *h + length + 1, 0);
    h->fd = -1;
    memcpy(h->path, path, length + 1);
    luaL_setmetatable(L, LOCK);
    h->fd = lock_take(path, luaL_checkinteger(L, 2));
    if (h->fd < 0)
        return push_failure(L, errno == EAGAIN ? "held"
                               : errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL
                                   ? "unsupported"
                                   : strerror(errno));
    return 1;
}

// locked(path, n) -> boolean, nil where nobody knows
static int sys_locked(lua_State *L)
{
    enum lock_state state = lock_look(luaL_checkstring(L, 1), luaL_checkinteger(L, 2));
    if (state == LOCK_UNKNOWN)
        lua_pushnil(L);
    else
        lua_pushboolean(L, state == LOCK_HELD);
    return 1;
}

static const luaL_Reg held_meta[] = {
    {"__gc", held_close}, {"__close", held_close}, {NULL, NULL}};
static const luaL_Reg held_methods[] = {{"close", held_close}, {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"now", sys_now},
    {"interrupted", sys_interrupted},
    {"isatty", sys_isatty},
    {"color", sys_color},
    {"terminal", sys_terminal},
    {"graphics", sys_graphics},
    {"seed", sys_seed},
    {"yes", sys_yes},
    {"status", sys_status},
    {"blas", sys_blas},
    {"isa", sys_isa},
    {"images", sys_images},
    {"check_blas", sys_check_blas},
    {"check_kernels", sys_check_kernels},
    {"exe", sys_exe},
    {"cores", sys_cores},
    {"memory", sys_memory},
    {"die_with_parent", sys_die_with_parent},
    {"limit_memory", sys_limit_memory},
    {"random", sys_random},
    {"engine", sys_engine},
    {"harmless", sys_harmless},
    {"lock", sys_lock},
    {"locked", sys_locked},
    {NULL, NULL},
};

int open_sys(lua_State *L)
{
    type_register(L, LOCK, held_meta, held_methods);
    luaL_newlib(L, functions);
    lua_pushstring(L, gemm_other_core());
    lua_setfield(L, -2, "other_core");
    lua_pushliteral(L, NETSPACE_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushliteral(L, NETSPACE_COMMIT);
    lua_setfield(L, -2, "commit");
    lua_pushliteral(L, NETSPACE_BUILD " build by " COMPILER);
    lua_setfield(L, -2, "build");
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
    set_purposes(L);
    signals_open(L);
    return 1;
}
