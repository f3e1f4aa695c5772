/* The Lua border: one file per Lua-visible thing, one open function each, all preloaded
 * as "netspace.core.<name>" and wrapped by lua/netspace/.  Lua headers are known only
 * here, in repl.c and in main.c. */
#ifndef BIND_BIND_H
#define BIND_BIND_H
#include <stdbool.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/* Registers every core module in package.preload (bind.c holds the list). */
void bind_preload(lua_State *L);

int open_adjust(lua_State *L);
int open_arch(lua_State *L);
int open_benchmark(lua_State *L);
int open_canvas(lua_State *L);
int open_count(lua_State *L);
int open_data(lua_State *L);
int open_look(lua_State *L);
int open_edf(lua_State *L);
int open_export(lua_State *L);
int open_net(lua_State *L);
int open_pack(lua_State *L);
int open_recipe(lua_State *L);
int open_sampler(lua_State *L);
int open_screen(lua_State *L);
int open_sequential(lua_State *L);
int open_sqlite(lua_State *L);
int open_stats(lua_State *L);
int open_sys(lua_State *L);
int open_timing(lua_State *L);
int open_weights(lua_State *L);
int open_yaml(lua_State *L);

/* What every module does the same way (bind.c).
 * set_*: field `key` of the table on top of the stack. */
void set_number(lua_State *L, const char *key, double value);
void set_integer(lua_State *L, const char *key, lua_Integer value);
void set_string(lua_State *L, const char *key, const char *value);
/* A text that a terminal may show (base/harmless.h). */
void push_harmless(lua_State *L, const char *text, size_t n, bool turned);
void push_list(lua_State *L, const double *v, size_t n);
/* The list of numbers on top of the stack as a buffer that Lua owns and that takes its place
 * there; an error names `what`. */
double *number_list(lua_State *L, const char *what, int *n);
/* The outside world failed: pushes nil, message; returns 2 for `return`. */
int push_failure(lua_State *L, const char *message);
/* Ctrl-C: raises "interrupted", without a position. */
int raise_interrupted(lua_State *L);
/* Registers the type of a userdata: its metamethods, and its methods as __index. */
void type_register(lua_State *L, const char *name, const luaL_Reg *metamethods,
                   const luaL_Reg *methods);

struct canvas *canvas_from_lua(lua_State *L, int index);

/* Architectures as Lua tables (bind/arch.c).  arch_from_lua raises a Lua error that names
 * the bad value; the result is complete (arch_complete).
 * arch_to_lua pushes a new table. */
struct arch;
struct regnet;
void arch_from_lua(lua_State *L, int index, struct arch *a);
void arch_to_lua(lua_State *L, const struct arch *a);
void arch_set_asked(lua_State *L, const struct arch *asked); // field of the table on top
void regnet_to_lua(lua_State *L, const struct regnet *r);

/* Pushes the plan of a network as a table (bind/plan.c). */
struct plan;
void plan_to_lua(lua_State *L, const struct plan *p);

/* A table of times (bind/timing.c); keep the value while it is in use. */
struct timing;
const struct timing *timing_from_lua(lua_State *L, int index);

/* A batch size (bind/net.c) as an int; what does not fit stays out of range, and net_new
 * names it. */
int batch_from_lua(lua_State *L, int index);

/* The network of a net that is open and does not train (bind/net.c); raises an error else. */
struct net;
struct net *net_from_lua(lua_State *L, int index);
struct net *net_at_work(lua_State *L, int index); // that of one that may train, too
void net_used(lua_State *L, int index);           // its weights are not fresh any more

/* Data sets (bind/data.c): what a training reads.  Raises an error when the value is not an
 * open dataset; keep that value on the stack while the source is in use. */
struct dataset;
struct dataset *dataset_from_lua(lua_State *L, int index);
struct source;
const struct source *source_from_lua(lua_State *L, int index);
/* The mean or deviation of each channel from the table at index t; of gray images, which have one
 * number, it is that of all three. */
void channels_from_lua(lua_State *L, int t, const char *key, int channels, double x[3]);
/* "train", "validation" or "test" as enum split_name (model/train.h); nil: `missing`. */
int split_from_lua(lua_State *L, int index, int missing);

/* A complete recipe (lua/netspace/network/recipe.lua fills in what is missing); raises an error
 * that names the bad value.  source: what it will train on, or NULL. */
struct recipe;
void recipe_from_lua(lua_State *L, int index, const struct source *s, struct recipe *r);

/* EDFs (bind/edf.c): raises an error when the value is none; keep it on the stack while the
 * EDF is in use.  A level of confidence, 0.95 when there is none. */
struct edf;
const struct edf *edf_from_lua(lua_State *L, int index);
double level_from_lua(lua_State *L, int index);

/* Signals (signals.c).  signals_install takes SIGINT, SIGTERM, SIGHUP and SIGPIPE for the
 * process; signals_open adds its functions to the table on top (sys) and tracks
 * coroutines.  signals_call is lua_pcall for user code: Ctrl-C raises "interrupted" in it.
 * signals_status is what the process should exit with because of a signal, or 0. */
void signals_install(lua_State *L);
void signals_open(lua_State *L);
int signals_call(lua_State *L, int nargs, int handler);
int signals_status(void);

/* --color, --graphics (its word), --seed and --yes of the command line, and the exit status
 * asked for by sys.status. */
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER, COLOR_CHOICES };
void sys_choose(enum color_choice color, const char *graphics, lua_Integer seed, bool yes);
int sys_exit_status(void);

#endif
