/* Which lines of Lua run, for `make coverage`: part of the program in the variant V=cov alone.
 *
 * Each Lua file has a file of bytes under LINES, one for each of its lines, which is set to 1
 * when the line is reached.  The files are mapped and shared, so that all processes of a test
 * add to them at once, and one that is killed loses nothing.
 *
 * luaL_newstate and lua_sethook stand before those of the Lua library (the dynamic linker looks
 * into the program first): every state has the hook from its birth, and coroutines take it
 * over.  While the program has a hook of its own (Ctrl-C) lines are not noted. */
#include <dlfcn.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_LINES = 4096, MAX_FILES = 1024 };

static struct {
    const char *source; // as Lua names it, "@…/lua/netspace/…"
    unsigned char *hit; // NULL: no file of ours
} files[MAX_FILES];

static void (*lua_own_sethook)(lua_State *, lua_Hook, int, int);

// The bytes of a Lua file, by its name from lua/ on: "netspace/lib/path.lua".
static unsigned char *map(const char *source)
{
    const char *name = NULL;
    for (const char *s = source; (s = strstr(s, "/lua/")); s++)
        name = s + strlen("/lua/");
    if (source[0] != '@' || !name)
        return NULL;
    char path[1024];
    size_t n = (size_t)snprintf(path, sizeof path, "%s/", LINES);
    if (n + strlen(name) >= sizeof path)
        return NULL;
    for (; *name; name++)
        path[n++] = *name == '/' ? '!' : *name;
    path[n] = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    void *at = ftruncate(fd, MAX_LINES) == 0
                   ? mmap(NULL, MAX_LINES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                   : MAP_FAILED;
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

// Lua keeps one string for each source as long as a function of it lives: its address leads to
// the file, its text makes sure of that.
static unsigned char *bytes_of(const char *source)
{
    size_t i = (size_t)source / 8 % MAX_FILES;
    for (int n = 0; n < MAX_FILES; n++, i = (i + 1) % MAX_FILES) {
        if (!files[i].source) {
            files[i].source = strdup(source);
            files[i].hit = map(source);
            return files[i].hit;
        }
        if (strcmp(files[i].source, source) == 0)
            return files[i].hit;
    }
    return NULL;
}

static void note(lua_State *L, lua_Debug *ar)
{
    lua_getinfo(L, "Sl", ar);
    if (ar->source[0] != '@' || ar->currentline < 1 || ar->currentline >= MAX_LINES)
        return;
    unsigned char *hit = bytes_of(ar->source);
    if (hit)
        hit[ar->currentline] = 1;
}

void lua_sethook(lua_State *L, lua_Hook hook, int mask, int count)
{
    if (hook)
        lua_own_sethook(L, hook, mask, count);
    else
        lua_own_sethook(L, note, LUA_MASKLINE, 0);
}

lua_State *luaL_newstate(void)
{
    lua_State *(*own)(void);
    *(void **)&own = dlsym(RTLD_NEXT, "luaL_newstate");
    *(void **)&lua_own_sethook = dlsym(RTLD_NEXT, "lua_sethook");
    lua_State *L = own && lua_own_sethook ? own() : NULL;
    if (L)
        lua_sethook(L, NULL, 0, 0);
    return L;
}
