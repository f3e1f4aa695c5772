/* Ctrl-C for Lua code, and the other signals of the process.  See bind.h.
 *
 * lua.c sets its hook on the main state only, so a loop inside a coroutine never sees it;
 * here coroutine.resume and coroutine.wrap note which coroutine runs, and the handler
 * arms the hook on that one (a permanent hook would cost a loop two thirds of its speed).
 * A hook never fires inside a C function: the engine polls interrupt_flag itself.
 *
 * Code is "shielded" when it deals with interrupts itself by asking sys.interrupted():
 * then only the flag is set.  The program starts shielded; user code runs through
 * signals_call, which lifts the shield. */
#include "bind/bind.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"

#define LOOP_ERROR "netspace.loop_error" // registry key

// What a handler and the rest of the program share is sig_atomic_t or a lock-free atomic.
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2,
               "atomics that a signal handler may use");
static _Atomic(lua_State *) main_state;
static _Atomic(lua_State *) running; // the coroutine that runs now
static volatile sig_atomic_t shield = 1;
static volatile sig_atomic_t end_signal;  // SIGTERM or SIGHUP, once one came
static volatile sig_atomic_t raised;      // times the hook raised since the flag was set
static atomic_llong last_press, last_end; // when the last SIGINT, SIGTERM or SIGHUP came, µs
static int wake[2] = {-1, -1};            // one byte for each signal: wakes the event loop
static struct termios terminal;           // these two are set before a handler is
static bool have_terminal;

// Raises once, and leaves the unwinding code in peace.  Who caught the error and goes on
// (`while true do pcall(f) end`) meets the hook again some ten million instructions later,
// and then at every instruction.
static void hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (!interrupt_flag || shield) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    int next = raised++ ? 1 : 10000000;
    lua_sethook(L, hook, LUA_MASKCOUNT, next);
    lua_sethook(main_state, hook, LUA_MASKCOUNT, next);
    lua_pushliteral(L, "interrupted");
    lua_error(L);
}

// lua_sethook is the one function of Lua that may be called from a signal handler.
static void arm(void)
{
    const int mask = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
    lua_State *now = running, *first = main_state;
    if (now)
        lua_sethook(now, hook, mask, 1);
    if (first && first != now) // callbacks of the event loop run there
        lua_sethook(first, hook, mask, 1);
}

// The way out when nothing reacts: the terminal as it was found, no clean-up.
static void exit_hard(int status)
{
    die_hook *restore = at_die;
    if (restore)
        restore();
    if (have_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    static const char text[] = "\nnetspace: stopped hard\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(status);
}

static void on_signal(int sig)
{
    int saved = errno;
    long long now = (long long)(1e6 * clock_now()); // clock_gettime may be called here
    if (sig == SIGINT) {
        long long since = now - last_press;
        // A second press before the first had its effect.  A held key repeats faster than
        // 0.2 s and is one press.
        last_press = now;
        if (interrupt_flag && since < 200000)
            return;
        if (interrupt_flag)
            exit_hard(128 + SIGINT);
    } else {
        // timeout(1) signals the process and then its group; a terminal that closes does, too.
        if (end_signal && now - last_end < 500000)
            return;
        if (end_signal)
            exit_hard(128 + sig);
        end_signal = sig;
        last_end = now;
    }
    interrupt_flag = 1;
    if (!shield)
        arm();
    ssize_t ignored = write(wake[1], "", 1);
    (void)ignored;
    errno = saved;
}

// Ends the program when it is our reader who left (`netspace … | head`); a broken pipe to
// a worker is an error code for whoever wrote to it.
static void on_pipe(int sig)
{
    int saved = errno;
    struct pollfd out = {.fd = STDOUT_FILENO};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR)) {
        signal(sig, SIG_DFL);
        raise(sig);
    }
    errno = saved;
}

static void take_pipe(void)
{
    struct sigaction act = {.sa_handler = on_pipe, .sa_flags = SA_RESTART | SA_NODEFER};
    sigemptyset(&act.sa_mask);
    sigaction(SIGPIPE, &act, NULL);
}

// User code that waits in a system call (io.read) meets the signal there; shielded code (SQLite,
// the event loop, files) has its calls begun anew.
static void take_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = shield ? SA_RESTART : 0},
                     old;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, NULL, &old);
    if (old.sa_handler != SIG_IGN) // nohup netspace …
        sigaction(SIGHUP, &act, NULL);
}

void signals_install(lua_State *L)
{
    main_state = L;
    running = L;
    if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
        die("no pipe for signals");
    have_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
    take_signals();
    take_pipe();
}

int signals_status(void)
{
    return end_signal ? 128 + end_signal : interrupt_flag ? 128 + SIGINT : 0;
}

static void set_shield(int level)
{
    bool other = !shield != !level;
    shield = level;
    if (other)
        take_signals();
}

static int call_with_shield(lua_State *L, int nargs, int handler, int level)
{
    lua_State *before = running;
    int old = shield;
    running = L;
    set_shield(level);
    if (interrupt_flag && !shield)
        arm();
    int status = lua_pcall(L, nargs, LUA_MULTRET, handler);
    set_shield(old);
    running = before;
    return status;
}

int signals_call(lua_State *L, int nargs, int handler)
{
    return call_with_shield(L, nargs, handler, 0);
}

// shielded(f, …) -> what f returns; while it runs Ctrl-C only sets the flag
static int sys_shielded(lua_State *L)
{
    luaL_checkany(L, 1);
    bool good = call_with_shield(L, lua_gettop(L) - 1, 0, shield + 1) == LUA_OK;
    if (interrupt_flag && !shield)
        arm();
    return good ? lua_gettop(L) : lua_error(L);
}

// interruptible(handler, f, …) -> true, what f returns | false, what handler returned
static int sys_interruptible(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checkany(L, 2);
    bool good = signals_call(L, lua_gettop(L) - 2, 1) == LUA_OK;
    lua_pushboolean(L, good);
    lua_replace(L, 1);
    return lua_gettop(L);
}

// coroutine.resume, noting the running coroutine; upvalue 1 is Lua's own
static int tracked_resume(lua_State *L)
{
    lua_State *before = running, *co = lua_tothread(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (co)
        running = co;
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET); // it raises only when there is no co
    running = before;
    return lua_gettop(L);
}

// The function coroutine.wrap gives; upvalue 1 is Lua's own, 2 its coroutine
static int tracked_wrapped(lua_State *L)
{
    lua_State *before = running;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    running = lua_tothread(L, lua_upvalueindex(2));
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    running = before;
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int tracked_wrap(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    lua_getupvalue(L, -1, 1);
    lua_pushcclosure(L, tracked_wrapped, 2);
    return 1;
}

// How luv calls Lua (luv.h, luv_CFpcall).  luv's own way ends the program on any error;
// here the first error waits until uv.run returns, and is raised there.
static int loop_call(lua_State *L, int nargs, int nresults, int flags)
{
    (void)flags;
    int top = lua_gettop(L) - nargs - 1;
    lua_State *before = running;
    running = L;
    int status = lua_pcall(L, nargs, nresults, 0);
    running = before;
    if (status == LUA_OK)
        return lua_gettop(L) - top;
    if (lua_getfield(L, LUA_REGISTRYINDEX, LOOP_ERROR) == LUA_TNIL) {
        lua_pushvalue(L, top + 1);
        lua_setfield(L, LUA_REGISTRYINDEX, LOOP_ERROR);
    }
    lua_settop(L, top);
    ssize_t ignored = write(wake[1], "", 1); // the watcher of wake stops the loop
    (void)ignored;
    return -status;
}

// uv.run; upvalue 1 is luv's own
static int loop_run(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    if (lua_getfield(L, LUA_REGISTRYINDEX, LOOP_ERROR) != LUA_TNIL) {
        lua_pushnil(L);
        lua_setfield(L, LUA_REGISTRYINDEX, LOOP_ERROR);
        return lua_error(L);
    }
    lua_pop(L, 1);
    return lua_gettop(L);
}

// before_luv(): to be called when luv's library is loaded and before it is opened
static int sys_before_luv(lua_State *L)
{
    void (*set)(lua_State *, int (*)(lua_State *, int, int, int));
    *(void **)&set = dlsym(RTLD_DEFAULT, "luv_set_callback");
    if (!set)
        return luaL_error(L, "this version of lua-luv has no luv_set_callback");
    set(L, loop_call);
    return 0;
}

// after_luv(uv): errors of callbacks come out of uv.run; SIGPIPE, which luv ignores, is ours
static int sys_after_luv(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "run");
    lua_pushcclosure(L, loop_run, 1);
    lua_setfield(L, 1, "run");
    take_pipe();
    return 0;
}

// wake_fd() -> descriptor that becomes readable when a signal came; for the event loop
static int sys_wake_fd(lua_State *L)
{
    lua_pushinteger(L, wake[0]);
    return 1;
}

// drain_wake(): what wake_fd has is read away
static int sys_drain_wake(lua_State *L)
{
    (void)L;
    char bytes[16];
    while (read(wake[0], bytes, sizeof bytes) > 0)
        ;
    return 0;
}

// clear_interrupt(): whoever told the user does this
static int sys_clear_interrupt(lua_State *L)
{
    (void)L;
    if (!end_signal)
        interrupt_flag = 0;
    raised = 0;
    return 0;
}

// ending() -> "terminated" (SIGTERM came) | "hung up" (SIGHUP) | nil
static int sys_ending(lua_State *L)
{
    lua_pushstring(L, !end_signal ? NULL : end_signal == SIGHUP ? "hung up" : "terminated");
    return 1;
}

static const luaL_Reg functions[] = {
    {"shielded", sys_shielded},
    {"interruptible", sys_interruptible},
    {"before_luv", sys_before_luv},
    {"after_luv", sys_after_luv},
    {"wake_fd", sys_wake_fd},
    {"drain_wake", sys_drain_wake},
    {"clear_interrupt", sys_clear_interrupt},
    {"ending", sys_ending},
    {NULL, NULL},
};

void signals_open(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
    lua_getglobal(L, "coroutine");
    lua_getfield(L, -1, "resume");
    lua_pushcclosure(L, tracked_resume, 1);
    lua_setfield(L, -2, "resume");
    lua_getfield(L, -1, "wrap");
    lua_pushcclosure(L, tracked_wrap, 1);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
}
