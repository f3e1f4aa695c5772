/* netspace.core.recipe: recipes between Lua tables and C. */
#include "bind/bind.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
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

static int integer_or(lua_State *L, int t, const char *name, int missing)
{
    double v = number_field(L, t, name, missing);
    if (!(v == rint(v) && fabs(v) < 1e9))
        luaL_error(L, "recipe: %s is %f; it must be a whole number", name, v);
    return (int)v;
}

static int integer_field(lua_State *L, int t, const char *name)
{
    return integer_or(L, t, name, INT_MAX);
}

static bool true_field(lua_State *L, int t, const char *name)
{
    lua_getfield(L, t, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

// ---- augmentation ---------------------------------------------------------------------

#define AUGMENT(pixels, least, ...)                                                          \
    {                                                                                        \
        .pad = pixels, .area = {least, 1}, .aspect = {3 / 4.0f, 4 / 3.0f}, .operations = 2,  \
        .magnitude = 9, __VA_ARGS__                                                          \
    }
static const struct {
    const char *name;
    struct augment augment;
} presets[] = {
    {"auto", AUGMENT(-1, 0.35f, .crop = CROP_AUTO)},
    {"none", AUGMENT(-1, 0.35f, .crop = CROP_NONE)},
    {"cifar", AUGMENT(4, 0.35f, .crop = CROP_PADDED, .flip = true)},
    {"light", AUGMENT(-1, 0.35f, .crop = CROP_RESIZED, .flip = true)},
    {"pycls",
     AUGMENT(-1, 0.08f, .crop = CROP_RESIZED, .swap = true, .flip = true, .lighting = 0.1f)},
};

static const struct augment *preset(lua_State *L, const char *what, const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(name, presets[i].name) == 0)
            return &presets[i].augment;
    luaL_error(L,
               "recipe: %s is '%s'; it must be \"auto\", \"none\", \"cifar\", "
               "\"light\", \"pycls\"%s",
               what, name, strcmp(what, "augment") == 0 ? " or a table" : "");
    return &presets[0].augment; // not reached
}

// The fields of the augmentation on top of the stack.
static double real(lua_State *L, const char *name, double missing)
{
    double v = missing;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER)
            luaL_error(L, "recipe: augment: %s is %s; it must be a number", name,
                       luaL_tolstring(L, -1, NULL));
        v = lua_tonumber(L, -1);
    }
    lua_pop(L, 1);
    return v;
}

static int whole(lua_State *L, const char *name, int missing)
{
    double v = real(L, name, missing);
    if (!(v == rint(v) && fabs(v) < 1e9))
        luaL_error(L, "recipe: augment: %s is %f; it must be a whole number", name, v);
    return (int)v;
}

static bool truth(lua_State *L, const char *name, bool missing)
{
    int type = lua_getfield(L, -1, name);
    bool v = type == LUA_TNIL ? missing : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static void range(lua_State *L, const char *name, float lo_hi[2])
{
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        bool two = lua_istable(L, -1) && lua_rawlen(L, -1) == 2;
        for (int i = 0; two && i < 2; i++) {
            two = lua_rawgeti(L, -1, i + 1) == LUA_TNUMBER;
            lo_hi[i] = (float)lua_tonumber(L, -1);
            lua_pop(L, 1);
        }
        if (!two)
            luaL_error(L, "recipe: augment: %s is %s; it must be two numbers, {from, to}",
                       name, luaL_tolstring(L, -1, NULL));
    }
    lua_pop(L, 1);
}

// One of the names (NULL at the end), in the order of an enum that begins with a value for
// none of them; nil: `missing`.
static int choice(lua_State *L, const char *name, const char *const *names, int missing)
{
    int v = missing;
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        const char *text = luaL_tolstring(L, -1, NULL);
        for (v = 0; names[v] && strcmp(text, names[v]) != 0;)
            v++;
        if (!names[v]) {
            luaL_Buffer b;
            luaL_buffinit(L, &b);
            for (int i = 0; names[i]; i++) {
                luaL_addstring(&b, i == 0 ? "\"" : names[i + 1] ? "\", \"" : "\" or \"");
                luaL_addstring(&b, names[i]);
            }
            luaL_addstring(&b, "\"");
            luaL_pushresult(&b);
            luaL_error(L, "recipe: augment: %s is '%s'; it must be %s", name, text,
                       lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return v;
}

// What recipe.augment says, at the top of the stack: nil, the name of a preset, or a table.
static struct augment augment_from_lua(lua_State *L)
{
    static const char *const crops[] = {"auto", "none", "padded", "resized", NULL};
    static const char *const policies[] = {"none", "randaugment", "trivial", NULL};
    _Static_assert(sizeof crops / sizeof *crops == CROP_KINDS + 1, "a name for each crop");
    _Static_assert(sizeof policies / sizeof *policies == POLICIES + 1, "and each policy");
    if (lua_isnil(L, -1))
        return presets[0].augment;
    if (lua_type(L, -1) != LUA_TTABLE)
        return *preset(L, "augment", luaL_tolstring(L, -1, NULL));
    int top = lua_gettop(L);
    lua_getfield(L, top, "like");
    struct augment a = *preset(
        L, "augment: like", lua_isnil(L, -1) ? presets[0].name : luaL_tolstring(L, -1, NULL));
    lua_settop(L, top);
    a.crop = (enum crop_kind)choice(L, "crop", crops, (int)a.crop);
    a.pad = whole(L, "pad", a.pad);
    range(L, "area", a.area);
    range(L, "aspect", a.aspect);
    a.swap = truth(L, "swap", a.swap);
    a.flip = truth(L, "flip", a.flip);
    a.lighting = (float)real(L, "lighting", (double)a.lighting);
    a.brightness = (float)real(L, "brightness", (double)a.brightness);
    a.contrast = (float)real(L, "contrast", (double)a.contrast);
    a.saturation = (float)real(L, "saturation", (double)a.saturation);
    a.hue = (float)real(L, "hue", (double)a.hue);
    a.policy = (enum policy)choice(L, "policy", policies, (int)a.policy);
    a.operations = whole(L, "operations", a.operations);
    a.magnitude = whole(L, "magnitude", a.magnitude);
    a.mixup = (float)real(L, "mixup", (double)a.mixup);
    a.cutmix = (float)real(L, "cutmix", (double)a.cutmix);
    return a;
}

// What of the network is not trained: nil, "body", "stem", or "s2", a stage with all before it.
static int frozen_from_lua(lua_State *L, int t)
{
    int frozen = 0, rest = 0, stage = 0;
    if (lua_getfield(L, t, "freeze") != LUA_TNIL) {
        const char *name = luaL_tolstring(L, -1, NULL);
        if (strcmp(name, "body") == 0)
            frozen = FROZEN_BODY;
        else if (strcmp(name, "stem") == 0)
            frozen = 1;
        else if (sscanf(name, "s%2d%n", &stage, &rest) == 1 && stage >= 1 && !name[rest])
            frozen = stage + 1;
        else
            luaL_error(L,
                       "recipe: freeze is '%s'; it must be \"body\", \"stem\" or a stage, "
                       "such as \"s2\", which is frozen with all before it",
                       name);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return frozen;
}

// ---- recipes --------------------------------------------------------------------------

// The epochs at which the rate falls.
static void steps_from_lua(lua_State *L, int t, struct recipe *r)
{
    if (lua_getfield(L, t, "steps") != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        r->n_steps = (int)lua_rawlen(L, -1);
        if (r->n_steps > STEPS_MOST)
            luaL_error(L, "recipe: steps has %d epochs; it can have %d", r->n_steps,
                       STEPS_MOST);
        for (int i = 0; i < r->n_steps; i++) {
            int whole;
            lua_rawgeti(L, -1, i + 1);
            r->steps[i] = (int)lua_tointegerx(L, -1, &whole);
            if (!whole)
                luaL_error(L, "recipe: steps has %s; they must be whole numbers of epochs",
                           luaL_tolstring(L, -1, NULL));
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static bool constant_depth(lua_State *L, int t)
{
    lua_getfield(L, t, "stochastic_depth_rule");
    const char *rule = lua_isnil(L, -1) ? "linear" : luaL_tolstring(L, -1, NULL);
    bool constant = strcmp(rule, "constant") == 0;
    if (!constant && strcmp(rule, "linear") != 0)
        luaL_error(L,
                   "recipe: stochastic_depth_rule is '%s'; it must be \"linear\" or "
                   "\"constant\"",
                   rule);
    return constant;
}

void recipe_from_lua(lua_State *L, int t, const struct source *s, struct recipe *r)
{
    static const char *const names[] = {
        [SCHEDULE_COS] = "cos",
        [SCHEDULE_COS_STEP] = "cos_step",
        [SCHEDULE_CONSTANT] = "constant",
        [SCHEDULE_LINEAR] = "linear",
        [SCHEDULE_LINEAR_STEP] = "linear_step",
        [SCHEDULE_EXP] = "exp",
        [SCHEDULE_EXP_STEP] = "exp_step",
        [SCHEDULE_STEPS] = "steps",
    };
    TABLE_HAS(names, SCHEDULES);
    struct error e;
    int top = lua_gettop(L);
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
        .frozen = frozen_from_lua(L, t),
        .lr_scale = (float)number_field(L, t, "lr_scale", 1),
        .lr_end = (float)number_field(L, t, "lr_end", 0),
        .lr_mult = (float)number_field(L, t, "lr_mult", 0.1),
        .ema = (float)number_field(L, t, "ema", 0),
        .ema_period = integer_or(L, t, "ema_period", 32),
        .drop = {.dropout = (float)number_field(L, t, "dropout", 0),
                 .depth = (float)number_field(L, t, "stochastic_depth", 0),
                 .constant = constant_depth(L, t)},
        .precise = integer_or(L, t, "precise_bn", 0),
    };
    steps_from_lua(L, t, r);
    lua_getfield(L, t, "schedule");
    const char *schedule = luaL_tolstring(L, -1, NULL);
    for (r->schedule = 0; strcmp(schedule, names[r->schedule]) != 0;)
        if (++r->schedule == SCHEDULES)
            luaL_error(L,
                       "recipe: schedule is '%s'; it must be \"cos\", \"linear\", \"exp\" "
                       "(each also with \"_step\"), \"steps\" or \"constant\"",
                       schedule);
    lua_getfield(L, t, "augment");
    r->augment = augment_from_lua(L);
    lua_settop(L, top);
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
