/* netspace.core.recipe: recipes between Lua tables and C. */
#include "bind/bind.h"

#include <math.h>
#include <string.h>

#include "base/table.h"
#include "model/train.h"

static double number_field(lua_State *L, int t, const char *name, double missing)
{
    double v = missing;
    if (lua_getfield(L, t, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER)
            luaL_error(L, "recipe: %s is %s; it must be a number", name,
                       luaL_tolstring(L, -1, NULL));
        v = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return v;
}

static int integer_field(lua_State *L, int t, const char *name)
{
    double v = number_field(L, t, name, NAN);
    if (!(v == rint(v) && fabs(v) < 1e9))
        luaL_error(L, "recipe: %s is %f; it must be a whole number", name, v);
    return (int)v;
}

static bool true_field(lua_State *L, int t, const char *name)
{
    lua_getfield(L, t, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

void recipe_from_lua(lua_State *L, int t, const struct source *s, struct recipe *r)
{
    static const char *const names[] = {
        [SCHEDULE_COS] = "cos",
        [SCHEDULE_COS_STEP] = "cos_step",
        [SCHEDULE_CONSTANT] = "constant",
    };
    TABLE_HAS(names, SCHEDULES);
    struct error e;
    luaL_checktype(L, t, LUA_TTABLE);
    *r = (struct recipe){
        .epochs = integer_field(L, t, "epochs"),
        .batch = integer_field(L, t, "batch"),
        .lr = (float)number_field(L, t, "lr", NAN),
        .wd = (float)number_field(L, t, "wd", NAN),
        .wd_bn = (float)number_field(L, t, "wd_bn", -1),
        .wd_bias = (float)number_field(L, t, "wd_bias", -1),
        .momentum = (float)number_field(L, t, "momentum", NAN),
        .nesterov = true_field(L, t, "nesterov"),
        .warmup = integer_field(L, t, "warmup"),
        .warmup_factor = (float)number_field(L, t, "warmup_factor", NAN),
        .label_smoothing = (float)number_field(L, t, "label_smoothing", NAN),
        .zero_gamma = true_field(L, t, "zero_gamma"),
    };
    lua_getfield(L, t, "schedule");
    const char *schedule = luaL_tolstring(L, -1, NULL);
    for (r->schedule = 0; strcmp(schedule, names[r->schedule]) != 0;)
        if (++r->schedule == SCHEDULES)
            luaL_error(L,
                       "recipe: schedule is '%s'; it must be \"cos\", \"cos_step\" or "
                       "\"constant\"",
                       schedule);
    lua_pop(L, 2);
    if (!recipe_check(r, s, &e))
        luaL_error(L, "recipe: %s", e.msg);
}

// check(t): raises what is wrong with a complete recipe
static int core_check(lua_State *L)
{
    struct recipe r;
    recipe_from_lua(L, 1, NULL, &r);
    return 0;
}

// lr(t, epoch) -> learning rate of a complete recipe in an epoch, from 1
static int core_lr(lua_State *L)
{
    struct recipe r;
    recipe_from_lua(L, 1, NULL, &r);
    lua_Integer epoch = luaL_checkinteger(L, 2);
    if (epoch < 1 || epoch > r.epochs)
        return luaL_error(L, "epoch is %I; the recipe has epochs 1 to %d", epoch, r.epochs);
    lua_pushnumber(L, (lua_Number)recipe_lr(&r, (int)epoch - 1));
    return 1;
}

static const luaL_Reg functions[] = {
    {"check", core_check},
    {"lr", core_lr},
    {NULL, NULL},
};

int open_recipe(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
