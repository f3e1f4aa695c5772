/* netspace: the command line, the start of Lua, scripts, exit statuses.
 *
 *   0 done   1 script error   2 usage   3 ended with failed models
 *   4 damaged store or data   5 self-check failed   129 hung up   130 interrupted   143
 *   terminated */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/table.h"
#include "repl.h"

enum { EXIT_SCRIPT = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

static const char usage[] =
    "netspace: design network design spaces from the terminal\n"
    "\n"
    "examples:\n"
    "  netspace                                  the prompt; help() lists what there is\n"
    "  netspace experiment.lua runs.db           run a script with an argument\n"
    "  netspace -e 'print(arch.complexity(zoo[\"RegNetX-400MF\"]).flops)'\n"
    "  netspace monitor runs.db                  follow a sweep from another terminal\n"
    "\n"
    "usage: netspace [OPTION]… [FILE.lua [ARG]…]     FILE - reads the script from stdin\n"
    "  -e CODE         run the statements CODE (may be given several times, before FILE)\n"
    "  -i              the prompt after CODE or FILE\n"
    "  -q, --quiet     no banner\n"
    "  --seed N        the first seed where a script gives none (1)\n"
    "  --color=WHEN    auto, always or never (auto)\n"
    "  --graphics=HOW  how pictures are shown: auto, kitty, sixel or text (auto)\n"
    "  --yes           start long sweeps without asking\n"
    "  --no-init       leave out $XDG_CONFIG_HOME/netspace/init.lua at the prompt\n"
    "  -v, --version   versions of netspace and its libraries\n"
    "  -h, --help      this text\n"
    "\n"
    "commands:\n"
    "  netspace monitor STORE [--once] [--text | --json] [--ascii] [--wait]\n"
    "                                                 live view of a store; --once prints\n"
    "                                                 what is in it, --wait waits for it\n"
    "  netspace resume STORE [--workers N|PLACES] [--retry[=all]]    finish what is open,\n"
    "           [--memory SIZE] [--patience SECONDS]  --retry: also what has failed (all: "
    "and\n"
    "           [--budget TIME | --by HH:MM]          diverged), with other limits; on a\n"
    "           [--on here|SCHEDULER]                 cluster what was begun there\n"
    "  netspace submit STORE [NAME]... [--dry-run] [--OPTION VALUE]...  what is open, to a\n"
    "                                                 cluster (netspace-cluster(7))\n"
    "  netspace collect STORE [--wait]                what its tasks have done\n"
    "  netspace export STORE -o FILE [NAME]... [--salvage]           .csv, .jsonl, .json;\n"
    "                                                 -o -: to standard output;\n"
    "                                                 --salvage: what can still be read\n"
    "  netspace report STORE -o FILE.html [NAME]...                  an HTML page of it\n"
    "  netspace copy STORE NEW                                       also while it is "
    "trained\n"
    "  netspace data SPEC [--KEY VALUE]...                           what images there are\n"
    "  netspace data --cache [--clear] [--limit SIZE]                packs that are kept\n"
    "  netspace pack SPEC -o FILE [--size N] [--jpeg]                images as one file\n"
    "  netspace pack --check FILE                                    verify each of them\n"
    "  netspace import FILE.yaml [-o SCRIPT.lua]                     a job or sweep of "
    "pycls\n"
    "  netspace remove STORE NAME [--yes]                            a population, for good\n"
    "  netspace rename STORE OLD NEW                                 another name for one\n"
    "  netspace trainer check COMMAND [ARG]...                       try a trainer of your "
    "own\n"
    "  netspace doctor [STORE]                                       check this machine\n"
    "  netspace help [TOPIC]                                         documentation\n"
    "\n"
    "exit status: 0 done, 1 script error, 2 usage, 3 ended with failed models, 4 damaged\n"
    "store or data, 5 self-check failed, 129 hung up, 130 interrupted, 143 terminated\n";

// What the command line asks for; indexes point into argv.
struct request {
    bool quiet, interactive, no_init, version, help, worker, yes;
    int first_code, codes; // argv index of the first -e; how many there are
    int file;              // argv index of FILE or the command; argc when there is none
    enum color_choice color;
    const char *graphics;
    lua_Integer seed;
};

static const char *const options[] = {
    "-e", "-i",        "-q", "--quiet", "--seed",   "--color", "--graphics", "--no-init",
    "-v", "--version", "-h", "--help",  "--worker", "--yes",   NULL,
};

static const char *const commands[] = {
    "monitor", "resume", "submit", "collect", "export", "report", "copy", "remove", "rename",
    "data",    "pack",   "import", "trainer", "doctor", "help",   "task", NULL,
};

// " (did you mean 'x'?)" from the list, pushed on the stack; "" when nothing is near.
// "--name=value" counts as "--name"; every "-x" would be near every other.
static const char *hint(lua_State *L, const char *word, const char *const *names)
{
    if (word[0] == '-' && strlen(word) <= 2)
        return "";
    lua_getglobal(L, "require");
    lua_pushliteral(L, "netspace.lib.options");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        return "";
    lua_getfield(L, -1, "hint");
    lua_pushlstring(L, word, strcspn(word, "="));
    lua_newtable(L);
    for (int i = 0; names[i]; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return lua_pcall(L, 2, 1, 0) == LUA_OK ? lua_tostring(L, -1) : "";
}

static bool usage_error(const char *what, const char *value, const char *more)
{
    fprintf(stderr, "netspace: %s '%s'%s\ntry 'netspace --help'\n", what, value, more);
    return false;
}

static bool parse_color(const char *s, struct request *r)
{
    static const char *const names[] = {"auto", "always", "never"};
    TABLE_HAS(names, COLOR_CHOICES);
    for (int i = 0; i < COLOR_CHOICES; i++)
        if (strcmp(s, names[i]) == 0) {
            r->color = (enum color_choice)i;
            return true;
        }
    return usage_error("--color is auto, always or never, not", s, "");
}

static bool parse_graphics(const char *s, struct request *r)
{
    static const char *const names[] = {"auto", "kitty", "sixel", "text", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(s, names[i]) == 0) {
            r->graphics = names[i];
            return true;
        }
    return usage_error("--graphics is auto, kitty, sixel or text, not", s, "");
}

static bool parse_seed(const char *s, struct request *r)
{
    char *end;
    errno = 0;
    r->seed = strtoll(s, &end, 10);
    if (*s && !*end && r->seed >= 0 && errno == 0)
        return true;
    return usage_error("--seed is a whole number from 0 to 2^63 - 1, not", s, "");
}

// "--name=value" or "--name value": the value, or NULL when argv[*i] is another option.
// A value that is missing is "".
static const char *value_of(char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0 || (argv[*i][n] && argv[*i][n] != '='))
        return NULL;
    if (argv[*i][n])
        return argv[*i] + n + 1;
    return argv[*i + 1] ? argv[++*i] : "";
}

static bool parse(lua_State *L, int argc, char **argv, struct request *r)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *a = argv[i], *v;
        if (strcmp(a, "--") == 0) {
            i++;
            break;
        } else if (strcmp(a, "-e") == 0) {
            if (!argv[i + 1])
                return usage_error("code is missing after", a, "");
            if (r->codes++ == 0)
                r->first_code = i;
            i++;
        } else if ((v = value_of(argv, &i, "--color"))) {
            if (!parse_color(v, r))
                return false;
        } else if ((v = value_of(argv, &i, "--graphics"))) {
            if (!parse_graphics(v, r))
                return false;
        } else if ((v = value_of(argv, &i, "--seed"))) {
            if (!parse_seed(v, r))
                return false;
        } else if (strcmp(a, "-i") == 0)
            r->interactive = true;
        else if (strcmp(a, "-q") == 0 || strcmp(a, "--quiet") == 0)
            r->quiet = true;
        else if (strcmp(a, "--no-init") == 0)
            r->no_init = true;
        else if (strcmp(a, "-v") == 0 || strcmp(a, "--version") == 0)
            r->version = true;
        else if (strcmp(a, "-h") == 0 || strcmp(a, "--help") == 0)
            r->help = true;
        else if (strcmp(a, "--worker") == 0)
            r->worker = true;
        else if (strcmp(a, "--yes") == 0)
            r->yes = true;
        else
            return usage_error("unknown option", a, hint(L, a, options));
    }
    r->file = i;
    return true;
}

static bool has_lua(const char *dir)
{
    char file[2 * PATH_MAX + 64];
    snprintf(file, sizeof file, "%s/netspace/init.lua", dir);
    return access(file, R_OK) == 0;
}

// Lua files: $NETSPACE_PATH; else beside an uninstalled binary (build/<variant>/netspace);
// else where an installed or moved tree has them (bin/../share); else under PREFIX.
// False, with a message, when they are not there.
static bool set_path(lua_State *L)
{
    static const char *const places[] = {"%s/../../lua", "%s/../share/netspace/lua"};
    char exe[PATH_MAX + 1], dir[2 * PATH_MAX], real[PATH_MAX + 1];
    const char *path = getenv("NETSPACE_PATH");
    ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX);
    bool named = path && *path;
    if (!named) {
        path = NETSPACE_LUADIR;
        exe[n > 0 ? n : 0] = 0;
        char *slash = strrchr(exe, '/');
        if (slash)
            *slash = 0;
        for (int i = 0; i < 2 && slash; i++) {
            snprintf(dir, sizeof dir, places[i], exe);
            if (has_lua(dir) && realpath(dir, real)) {
                path = real;
                break;
            }
        }
    }
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", path, path, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pushstring(L, path);
    lua_setfield(L, LUA_REGISTRYINDEX, "netspace.luadir");
    lua_pop(L, 2);
    if (!has_lua(path))
        fprintf(stderr, "netspace: its Lua files are not in %s%s\n", path,
                named ? " (NETSPACE_PATH)" : "; NETSPACE_PATH can name them");
    return has_lua(path);
}

// arg as in lua.c: arg[0] is the script, options before it have negative indexes.
static void set_arg(lua_State *L, int argc, char **argv, int script)
{
    if (script >= argc)
        script = 0;
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

// Pushes require(module)[name]; false with the message on the stack.
static bool push_function(lua_State *L, const char *module, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        return false;
    lua_getfield(L, -1, name);
    return true;
}

static int script_status(void)
{
    int n = signals_status();
    if (n == 0) // what is damaged is the reason; models that failed before are not
        n = sys_exit_status() > EXIT_FAILED ? sys_exit_status() : EXIT_SCRIPT;
    return n;
}

// Shows the error on top of the stack; its text is what exception.handler or Lua made of it.
static int fail(lua_State *L)
{
    fflush(stdout);
    if (push_function(L, "netspace.prompt.exception", "show")) {
        lua_pushvalue(L, -3);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK)
            return script_status();
    }
    fprintf(stderr, "netspace: %s\n", luaL_tolstring(L, -1, NULL));
    return script_status();
}

// Waits for sweeps that user code has started (after a failure: stops them).
static int finish(lua_State *L, bool failed)
{
    int top = lua_gettop(L);
    bool good = push_function(L, "netspace.prompt.prelude", "finish");
    if (good) {
        lua_pushboolean(L, failed);
        good = lua_pcall(L, 1, 0, 0) == LUA_OK;
    }
    int status = good ? 0 : fail(L);
    lua_settop(L, top);
    return status;
}

// Calls the chunk under its nargs arguments on the stack as the user's code.
static int run_chunk(lua_State *L, int nargs)
{
    int base = lua_gettop(L) - nargs;
    if (!push_function(L, "netspace.prompt.exception", "handler"))
        return fail(L);
    lua_insert(L, base);
    lua_pop(L, 1);
    int status = signals_call(L, nargs, base) == LUA_OK ? 0 : EXIT_SCRIPT;
    if (status != 0) {
        if (signals_status() != 0) // what the sweeps say comes before the last word
            finish(L, true);
        status = fail(L);
    }
    lua_settop(L, base - 1);
    return status;
}

// Pushes code that is in no file (NULL: what stdin has) as a chunk; chunk.load keeps its
// text for messages.  False with the message on the stack.
static bool load_text(lua_State *L, const char *code, const char *name)
{
    if (!push_function(L, "netspace.lib.chunk", "load"))
        return false;
    lua_pushstring(L, code);
    lua_pushstring(L, name);
    if (lua_pcall(L, 2, 2, 0) != LUA_OK)
        return false;
    bool good = !lua_isnil(L, -2);
    lua_remove(L, good ? -1 : -2);
    return good;
}

// The nth -e of the command line.
static int run_code(lua_State *L, const char *code, int nth)
{
    char name[16] = "=-e";
    if (nth > 1)
        snprintf(name, sizeof name, "=-e[%d]", nth);
    return load_text(L, code, name) ? run_chunk(L, 0) : fail(L);
}

// Why a file is not a script, from its name (absent.lua) or its first bytes; NULL where it may be
// one, or is a pipe.  What it says is on the stack.
static const char *no_script(lua_State *L, const char *name)
{
    char bytes[512];
    struct stat about;
    FILE *f = stat(name, &about) == 0 && S_ISREG(about.st_mode) ? fopen(name, "rb") : NULL;
    if (!f)
        return NULL; // luaL_loadfile says what is wrong, if anything is
    if (push_function(L, "netspace.lib.absent", "file")) {
        lua_pushstring(L, name);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_isstring(L, -1)) {
            fclose(f);
            return lua_tostring(L, -1);
        }
    }
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    if (n >= 15 && memcmp(bytes, "SQLite format 3", 15) == 0)
        return "is a store, not a script; 'netspace monitor STORE' shows it";
    bool binary = memchr(bytes, 0, n) && bytes[0] != LUA_SIGNATURE[0];
    return binary ? "is a binary file, not a script" : NULL;
}

static int run_file(lua_State *L, int argc, char **argv, int script)
{
    const char *name = strcmp(argv[script], "-") == 0 ? NULL : argv[script];
    if (name && !strchr(name, '/') && !strchr(name, '.') && access(name, F_OK) != 0) {
        char more[256];
        snprintf(more, sizeof more, "%s\n%s", hint(L, name, commands),
                 "commands: monitor, resume, submit, collect, export, report, copy, remove, "
                 "rename, data, pack, import, trainer, doctor, help; 'monitor STORE --once' "
                 "lists a store");
        usage_error("no such script or command", name, more);
        return EXIT_USAGE;
    }
    const char *why = name ? no_script(L, name) : NULL;
    if (why) {
        fprintf(stderr, "netspace: %s %s\n", name, why);
        return EXIT_USAGE;
    }
    if (name ? luaL_loadfile(L, name) != LUA_OK : !load_text(L, NULL, "=stdin"))
        return fail(L);
    for (int i = script + 1; i < argc; i++)
        lua_pushstring(L, argv[i]);
    return run_chunk(L, argc - script - 1);
}

// netspace COMMAND ARG…: commands.lua knows which module does it.
static int run_command(lua_State *L, int argc, char **argv, int first)
{
    if (!push_function(L, "netspace.prompt.commands", argv[first]))
        return fail(L);
    lua_newtable(L);
    for (int i = first + 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - first);
    }
    int base = lua_gettop(L) - 1;
    if (!push_function(L, "netspace.prompt.exception", "handler"))
        return fail(L);
    lua_insert(L, base);
    lua_pop(L, 1);
    if (lua_pcall(L, 1, 1, base) != LUA_OK) // shielded: they stop by themselves
        return fail(L);
    return (int)lua_tointeger(L, base + 1);
}

static int run_module(lua_State *L, const char *module, const char *function)
{
    if (!push_function(L, module, function) || lua_pcall(L, 0, 0, 0) != LUA_OK)
        return fail(L);
    return 0;
}

static bool is_command(const char *word)
{
    for (int i = 0; commands[i]; i++)
        if (strcmp(word, commands[i]) == 0)
            return true;
    return false;
}

static int run_repl(lua_State *L, const struct request *r)
{
    if (!push_function(L, "netspace.prompt.repl", "main"))
        return fail(L);
    lua_newtable(L);
    lua_pushboolean(L, r->quiet);
    lua_setfield(L, -2, "quiet");
    lua_pushboolean(L, r->no_init);
    lua_setfield(L, -2, "no_init");
    return lua_pcall(L, 1, 0, 0) == LUA_OK ? 0 : fail(L);
}

static int run(lua_State *L, int argc, char **argv, struct request *r)
{
    if (!push_function(L, "netspace.prompt.prelude", "install"))
        return fail(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "netspace.luadir");
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        return fail(L);
    if (!push_function(L, "netspace.prompt.prelude", "guard"))
        return fail(L);
    lua_toclose(L, -1); // by lua_close, also that of os.exit(n, true)
    if (r->version)
        return run_module(L, "netspace.prompt.doctor", "version");
    if (r->worker)
        return run_module(L, "netspace.sweep.worker", "main");
    set_arg(L, argc, argv, r->file);
    int status = 0;
    for (int i = r->first_code, n = 0; n < r->codes && status == 0; i++)
        if (strcmp(argv[i], "-e") == 0) {
            status = run_code(L, argv[++i], ++n);
        }
    bool script = r->file < argc, prompt = r->interactive;
    if (status == 0 && script)
        status = is_command(argv[r->file]) ? run_command(L, argc, argv, r->file)
                                           : run_file(L, argc, argv, r->file);
    if (!script && !r->codes && !prompt) {
        prompt = isatty(STDIN_FILENO);
        char *from_stdin[] = {argv[0], "-", NULL};
        if (!prompt)
            status = run_file(L, 2, from_stdin, 1);
    }
    if (prompt)
        return run_repl(L, r);
    int end = finish(L, status != 0);
    return status ? status : end;
}

// OpenBLAS starts its threads when it is loaded, before main: one is asked for in the
// environment, and the program started again.
static void one_blas_thread(char **argv)
{
    const char *threads = getenv("OPENBLAS_NUM_THREADS");
    char exe[PATH_MAX + 1];
    ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX);
    if ((threads && strcmp(threads, "1") == 0) || n <= 0)
        return;
    exe[n] = 0;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv(exe, argv); // when this fails, it runs with more threads than it needs
}

int main(int argc, char **argv)
{
    one_blas_thread(argv);
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); // numbers are written with a point everywhere
    setvbuf(stdout, NULL, _IOLBF,
            BUFSIZ); // in a log, lines stand in the order of what happened
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("netspace: no memory for Lua\n", stderr);
        return EXIT_SCRIPT;
    }
    luaL_openlibs(L);
    bind_preload(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_readline);
    lua_setfield(L, -2, "netspace.core.readline");
    lua_pop(L, 1);
    if (!set_path(L))
        return EXIT_SCRIPT;
    struct request r = {.file = argc, .seed = 1, .graphics = "auto"};
    int status = EXIT_USAGE;
    if (parse(L, argc, argv, &r)) {
        sys_choose(r.color, r.graphics, r.seed, r.yes);
        if (r.help) {
            fputs(usage, stdout);
            status = 0;
        } else {
            signals_install(L);
            status = run(L, argc, argv, &r);
        }
    }
    if (status == 0)
        status = signals_status() ? signals_status() : sys_exit_status();
    lua_close(L);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        fputs("netspace: cannot write standard output\n", stderr);
        status = EXIT_SCRIPT;
    }
    return status;
}
