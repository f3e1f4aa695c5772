/* netspace.core.arch, and the passage of architectures between Lua tables and C.
 * The table: lists d, w, b, g, stride, kernel; strings block, stem, activation; numbers
 * stem_width, head_width, se, classes, image, channels.  d and w are required; the rest has the
 * defaults below, and a number stands for a list of equal values. */
#include "bind/bind.h"

#include <stdio.h>
#include <string.h>

#include "model/arch.h"
#include "base/interrupt.h"
#include "model/complexity.h"
#include "model/fit.h"
#include "model/regnet.h"

static lua_Integer whole(lua_State *L, const char *name, int stage)
{
    int ok;
    lua_Integer v = lua_tointegerx(L, -1, &ok);
    if (!ok || lua_type(L, -1) != LUA_TNUMBER || v < -1000000000 || v > 1000000000) {
        const char *shown = luaL_tolstring(L, -1, NULL);
        if (stage)
            luaL_error(L, "stage %d: %s is %s; it must be a whole number below 2^31", stage,
                       name, shown);
        luaL_error(L, "%s is %s; it must be a whole number below 2^31", name, shown);
    }
    return v;
}

static double real(lua_State *L, const char *name, int stage)
{
    if (lua_type(L, -1) != LUA_TNUMBER) {
        const char *shown = luaL_tolstring(L, -1, NULL);
        if (stage)
            luaL_error(L, "stage %d: %s is %s; it must be a number", stage, name, shown);
        luaL_error(L, "%s is %s; it must be a number", name, shown);
    }
    return lua_tonumber(L, -1);
}

/* Field `name` of the table as one value a stage, into ints or (when given) reals. */
static void read_stages(lua_State *L, int t, const char *name, int stages, int missing,
                        int *ints, double *reals)
{
    int type = lua_getfield(L, t, name);
    int values = type == LUA_TTABLE ? (int)lua_rawlen(L, -1) : stages;
    if (values != stages)
        luaL_error(L, "%s has %d value%s, but there %s %d stage%s (d has one value a stage)",
                   name, values, values == 1 ? "" : "s", stages == 1 ? "is" : "are", stages,
                   stages == 1 ? "" : "s");
    for (int i = 0; i < stages; i++) {
        if (type == LUA_TTABLE)
            lua_rawgeti(L, -1, i + 1);
        else if (type == LUA_TNIL && missing)
            lua_pushinteger(L, missing);
        else
            lua_pushvalue(L, -1);
        if (reals)
            reals[i] = real(L, name, i + 1);
        else
            ints[i] = (int)whole(L, name, i + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int read_int(lua_State *L, int t, const char *name, int missing)
{
    int v = lua_getfield(L, t, name) == LUA_TNIL ? missing : (int)whole(L, name, 0);
    lua_pop(L, 1);
    return v;
}

static int read_name(lua_State *L, int t, const char *name, int (*of)(const char *),
                     int missing, const char *known)
{
    int v = missing;
    if (lua_getfield(L, t, name) != LUA_TNIL) {
        const char *s = luaL_tolstring(L, -1, NULL);
        v = of(s);
        if (v < 0)
            luaL_error(L, "%s is '%s'; it must be one of %s", name, s, known);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return v;
}

// The table as it stands: arch_complete is yet to be called.
static void arch_read(lua_State *L, int t, struct arch *a)
{
    t = lua_absindex(L, t);
    luaL_checktype(L, t, LUA_TTABLE);
    memset(a, 0, sizeof *a);
    if (lua_getfield(L, t, "d") != LUA_TTABLE)
        luaL_error(L,
                   "d is %s; it must be a list with the depth of each stage, such as "
                   "{1, 2, 4, 2}",
                   luaL_typename(L, -1));
    size_t stages = lua_rawlen(L, -1);
    lua_pop(L, 1);
    if (stages < 1 || stages > ARCH_STAGES)
        luaL_error(L, "d has %d stages; a network has from 1 to %d", (int)stages,
                   ARCH_STAGES);
    a->stages = (int)stages;
    read_stages(L, t, "d", a->stages, 0, a->d, NULL);
    read_stages(L, t, "w", a->stages, 0, a->w, NULL);
    read_stages(L, t, "b", a->stages, 1, NULL, a->b);
    read_stages(L, t, "g", a->stages, 8, a->g, NULL);
    read_stages(L, t, "stride", a->stages, 2, a->stride, NULL);
    read_stages(L, t, "kernel", a->stages, 3, a->kernel, NULL);
    a->block = (enum arch_block)read_name(L, t, "block", arch_block_of, BLOCK_X,
                                          "x, r, v, vr, basic, vanilla, linear, mb");
    a->stem = (enum arch_stem)read_name(L, t, "stem", arch_stem_of, STEM_SIMPLE,
                                        "simple, res, cifar");
    a->act =
        (enum activation)read_name(L, t, "activation", arch_act_of, ACT_RELU, "relu, silu");
    a->stem_width = read_int(L, t, "stem_width", 32);
    a->head_width = read_int(L, t, "head_width", 0);
    a->classes = read_int(L, t, "classes", 10);
    a->image = read_int(L, t, "image", 32);
    a->channels = read_int(L, t, "channels", 3);
    a->se = lua_getfield(L, t, "se") == LUA_TNIL ? 0 : real(L, "se", 0);
    lua_pop(L, 1);
}

// A network made by this program (it has `asked`) is final; where somebody has changed it by
// hand since, it must still be, or what is shown and stored were not what is trained.
static void check_final(lua_State *L, const struct arch *is, const struct arch *completed)
{
    for (int i = 0; i < is->stages; i++) {
        if (is->g[i] != completed->g[i])
            luaL_error(L,
                       "stage %d: g = %d does not fit w = %d, b = %f; it would be %d: set "
                       "g[%d] = %d, or make the network with arch.anynet{ … }, which adjusts",
                       i + 1, is->g[i], is->w[i], is->b[i], completed->g[i], i + 1,
                       completed->g[i]);
        if (is->w[i] != completed->w[i])
            luaL_error(L,
                       "stage %d: w = %d does not fit groups of g = %d; it would be %d: set "
                       "w[%d] = %d, or make the network with arch.anynet{ … }, which adjusts",
                       i + 1, is->w[i], is->g[i], completed->w[i], i + 1, completed->w[i]);
    }
}

void arch_from_lua(lua_State *L, int index, struct arch *a)
{
    struct arch is;
    struct error e;
    index = lua_absindex(L, index);
    arch_read(L, index, &is);
    *a = is;
    if (!arch_complete(a, &e))
        luaL_error(L, "%s", e.msg);
    if (lua_getfield(L, index, "asked") != LUA_TNIL)
        check_final(L, &is, a);
    lua_pop(L, 1);
}

static void push_real(lua_State *L, double v)
{
    if (v == (double)(int)v)
        lua_pushinteger(L, (lua_Integer)v);
    else
        lua_pushnumber(L, v);
}

static void set_stages(lua_State *L, const char *name, int n, const int *ints,
                       const double *reals)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_real(L, ints ? ints[i] : reals[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

void arch_to_lua(lua_State *L, const struct arch *a)
{
    lua_createtable(L, 0, 16);
    set_stages(L, "d", a->stages, a->d, NULL);
    set_stages(L, "w", a->stages, a->w, NULL);
    set_stages(L, "b", a->stages, NULL, a->b);
    set_stages(L, "g", a->stages, a->g, NULL);
    set_stages(L, "stride", a->stages, a->stride, NULL);
    set_stages(L, "kernel", a->stages, a->kernel, NULL);
    set_string(L, "block", arch_block_name(a->block));
    set_string(L, "stem", arch_stem_name(a->stem));
    set_string(L, "activation", arch_act_name(a->act));
    set_integer(L, "stem_width", a->stem_width);
    set_integer(L, "head_width", a->head_width);
    set_integer(L, "classes", a->classes);
    set_integer(L, "image", a->image);
    if (a->channels != 3) // so that stores and files of before mean the same
        set_integer(L, "channels", a->channels);
    push_real(L, a->se);
    lua_setfield(L, -2, "se");
}

void arch_set_asked(lua_State *L, const struct arch *asked)
{
    lua_createtable(L, 0, 4);
    set_stages(L, "d", asked->stages, asked->d, NULL);
    set_stages(L, "w", asked->stages, asked->w, NULL);
    set_stages(L, "b", asked->stages, NULL, asked->b);
    set_stages(L, "g", asked->stages, asked->g, NULL);
    lua_setfield(L, -2, "asked");
}

// complete(t) -> m, with d, w, b, g as they were before group compatibility in m.asked; or
// nil and why no network has these values
static int core_complete(lua_State *L)
{
    struct arch asked, a;
    struct error e;
    arch_read(L, 1, &asked);
    a = asked;
    if (!arch_complete(&a, &e))
        return push_failure(L, e.msg);
    arch_to_lua(L, &a);
    arch_set_asked(L, &asked);
    return 1;
}

static double field(lua_State *L, int t, const char *name)
{
    lua_getfield(L, t, name);
    double v = real(L, name, 0);
    lua_pop(L, 1);
    return v;
}

static void regnet_from_lua(lua_State *L, int t, struct regnet *r)
{
    t = lua_absindex(L, t);
    luaL_checktype(L, t, LUA_TTABLE);
    lua_getfield(L, t, "d");
    r->d = (int)whole(L, "d", 0);
    lua_getfield(L, t, "w_0");
    r->w_0 = (int)whole(L, "w_0", 0);
    lua_getfield(L, t, "g");
    r->g = (int)whole(L, "g", 0);
    lua_pop(L, 3);
    r->w_a = field(L, t, "w_a");
    r->w_m = field(L, t, "w_m");
    r->b = field(L, t, "b");
}

void regnet_to_lua(lua_State *L, const struct regnet *r)
{
    lua_createtable(L, 0, 6);
    set_integer(L, "d", r->d);
    set_integer(L, "w_0", r->w_0);
    set_integer(L, "g", r->g);
    const char *const names[] = {"w_a", "w_m", "b"};
    const double values[] = {r->w_a, r->w_m, r->b};
    for (int i = 0; i < 3; i++) {
        push_real(L, values[i]);
        lua_setfield(L, -2, names[i]);
    }
}

// regnet{d, w_0, w_a, w_m, b, g} -> depths, widths before group compatibility, levels;
// or nil and why
static int core_regnet(lua_State *L)
{
    struct regnet r;
    struct regnet_shape s;
    struct error e;
    regnet_from_lua(L, 1, &r);
    if (!regnet_shape(&r, &s, &e))
        return push_failure(L, e.msg);
    lua_createtable(L, 0, 3);
    set_stages(L, "d", s.stages, s.d, NULL);
    set_stages(L, "w", s.stages, s.w, NULL);
    set_integer(L, "levels", s.levels);
    return 1;
}

static void push_complexity(lua_State *L, const struct complexity *c)
{
    lua_createtable(L, 0, 3);
    set_integer(L, "flops", c->flops);
    set_integer(L, "params", c->params);
    set_integer(L, "acts", c->acts);
}

static int check_image(lua_State *L, int index, const struct arch *a)
{
    lua_Integer image = luaL_optinteger(L, index, a->image);
    if (image < 1 || image > 1024)
        luaL_error(L, "image is %I; it must be from 1 to 1024 pixels", image);
    return (int)image;
}

// complexity(m, image or nil, paper_acts) -> {flops, params, acts}
static int core_complexity(lua_State *L)
{
    struct arch a;
    arch_from_lua(L, 1, &a);
    struct complexity c = complexity(&a, check_image(L, 2, &a), lua_toboolean(L, 3));
    push_complexity(L, &c);
    return 1;
}

// parts(m, image or nil, paper_acts) -> list of {part, size, flops, params, acts}
static int core_parts(lua_State *L)
{
    struct arch a;
    struct complexity parts[ARCH_STAGES + 2];
    int size[ARCH_STAGES + 2];
    arch_from_lua(L, 1, &a);
    complexity_parts(&a, check_image(L, 2, &a), lua_toboolean(L, 3), parts, size);
    lua_createtable(L, a.stages + 2, 0);
    for (int i = 0; i < a.stages + 2; i++) {
        push_complexity(L, &parts[i]);
        set_integer(L, "size", size[i]);
        if (i == 0 || i == a.stages + 1)
            lua_pushstring(L, i ? "head" : "stem");
        else
            lua_pushfstring(L, "s%d", i);
        lua_setfield(L, -2, "part");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

// layers(m, image or nil, paper_acts) -> list of {layer, times, kernel, stride, groups, size,
// width, flops, params, acts}
static int core_layers(lua_State *L)
{
    struct arch a;
    struct layer rows[LAYERS_MOST];
    arch_from_lua(L, 1, &a);
    int n = complexity_layers(&a, check_image(L, 2, &a), lua_toboolean(L, 3), rows);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        const struct layer *l = &rows[i];
        push_complexity(L, &l->cost);
        set_string(L, "layer", l->name);
        set_integer(L, "times", l->times);
        set_integer(L, "kernel", l->kernel);
        set_integer(L, "stride", l->stride);
        set_integer(L, "groups", l->groups);
        set_integer(L, "size", l->size);
        set_integer(L, "width", l->width);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

// hash(m) -> 16 hexadecimal digits, equal exactly for equal networks
static int core_hash(lua_State *L)
{
    struct arch a;
    char hex[20];
    arch_from_lua(L, 1, &a);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)arch_hash(&a));
    lua_pushstring(L, hex);
    return 1;
}

// fit(list of m, { w_0 = {…}, w_a = {…}, w_m = {…}, rounded = bool }) -> list of
// {e_fit, w_0, w_a, w_m}
static int core_fit(lua_State *L)
{
    static const char *const names[] = {"w_0", "w_a", "w_m"};
    struct fit_grid grid;
    struct error e;
    lua_settop(L, 2);
    size_t n = lua_rawlen(L, 1);
    struct arch *list = lua_newuserdatauv(L, (n + 1) * sizeof *list, 0);
    int blocks = 1;
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        arch_from_lua(L, -1, &list[i]);
        blocks = arch_blocks(&list[i]) > blocks ? arch_blocks(&list[i]) : blocks;
        lua_pop(L, 1);
    }
    for (int i = 0; i < 3; i++) {
        lua_getfield(L, 2, names[i]);
        grid.value[i] = number_list(L, names[i], &grid.n[i]);
    }
    lua_getfield(L, 2, "rounded");
    grid.rounded = lua_toboolean(L, -1);
    struct fit *fits = lua_newuserdatauv(L, (n + 1) * sizeof *fits, 0);
    struct fitter *f = fitter_new(&grid, blocks, &e);
    if (!f)
        return luaL_error(L, "%s", e.msg);
    bool stopped = false;
    for (size_t i = 0; i < n && !stopped; i++) {
        fits[i] = fitter_fit(f, &list[i]);
        stopped = interrupt_pending();
    }
    fitter_free(f);
    if (stopped)
        return raise_interrupted(L);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 4);
        set_number(L, "e_fit", fits[i].e_fit);
        const double best[] = {fits[i].w_0, fits[i].w_a, fits[i].w_m};
        for (int k = 0; k < 3; k++) {
            push_real(L, best[k]);
            lua_setfield(L, -2, names[k]);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"complete", core_complete}, {"fit", core_fit},
    {"regnet", core_regnet},     {"complexity", core_complexity},
    {"parts", core_parts},       {"layers", core_layers},
    {"hash", core_hash},         {NULL, NULL},
};

int open_arch(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_createtable(L, 0, 2); // limits of networks
    set_integer(L, "blocks", ARCH_MOST_BLOCKS);
    set_integer(L, "width", ARCH_MOST_WIDTH);
    lua_setfield(L, -2, "limits");
    return 1;
}
