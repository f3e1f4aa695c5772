/* netspace: command line, Lua start-up, scripts. */
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"

// Lua files: $NETSPACE_PATH, else beside an uninstalled binary (build/<variant>/netspace),
// else where `make install` put them.
static void set_path(lua_State *L)
{
    char exe[PATH_MAX + 64], dir[PATH_MAX + 64];
    const char *path = getenv("NETSPACE_PATH");
    ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX);
    if (!path && n > 0) {
        exe[n] = 0;
        for (int up = 0; up < 3; up++)
            if (strrchr(exe, '/'))
                *strrchr(exe, '/') = 0;
        snprintf(dir, sizeof dir, "%s/lua/netspace/init.lua", exe);
        if (access(dir, R_OK) == 0) {
            snprintf(dir, sizeof dir, "%s/lua", exe);
            path = dir;
        }
    }
    if (!path)
        path = NETSPACE_LUADIR;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", path, path, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

int main(int argc, char **argv)
{
    if (!getenv("OPENBLAS_NUM_THREADS")) { // OpenBLAS starts its threads when loaded
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        execv("/proc/self/exe", argv);
    }
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    bind_preload(L);
    set_path(L);
    int bad = 0;
    if (argc > 2 && strcmp(argv[1], "-e") == 0)
        bad = luaL_dostring(L, argv[2]);
    else if (argc > 1)
        bad = luaL_dofile(L, argv[1]);
    if (bad)
        fprintf(stderr, "netspace: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return bad;
}
