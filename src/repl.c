/* The prompt: readline, evaluation, printing.  (Being built.) */
#include "bind/bind.h"

int repl_run(lua_State *L);
int repl_run(lua_State *L)
{
    (void)L;
    return 0;
}
