/* netspace.core.net: networks that can be trained.
 * A net is userdata; its user value is the table m it was made from.  While it trains
 * (and calls Lua to report) it refuses every other use. */
#include "bind/bind.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/table.h"
#include "data/dataset.h"
#include "model/plan.h"
#include "model/train.h"

#define TYPE "netspace.net"

struct lua_net {
    struct net *net; // NULL when closed
    uint64_t seed;
    bool fresh; // weights are as net_init left them
    bool busy;  // a training is on the C stack
};

static struct lua_net *any_net(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

static struct lua_net *usable(lua_State *L, int index)
{
    struct lua_net *n = luaL_checkudata(L, index, TYPE);
    if (!n->net)
        luaL_error(L, "closed net");
    if (n->busy)
        luaL_error(L, "this net is training; it can be used when the training has ended");
    return n;
}

static struct lua_net *check_net(lua_State *L)
{
    return usable(L, 1);
}

struct net *net_from_lua(lua_State *L, int index)
{
    return usable(L, index)->net;
}

struct net *net_at_work(lua_State *L, int index)
{
    struct lua_net *n = luaL_checkudata(L, index, TYPE);
    if (!n->net)
        luaL_error(L, "closed net");
    return n->net;
}

void net_used(lua_State *L, int index)
{
    ((struct lua_net *)luaL_checkudata(L, index, TYPE))->fresh = false;
}

int batch_from_lua(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);
    return n > INT_MAX ? INT_MAX : n < INT_MIN ? INT_MIN : (int)n;
}

// new(m, batch, seed) -> net
static int core_new(lua_State *L)
{
    struct arch a;
    struct error e;
    arch_from_lua(L, 1, &a);
    int batch = batch_from_lua(L, 2);
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 3);
    struct lua_net *n = lua_newuserdatauv(L, sizeof *n, 1);
    *n = (struct lua_net){.seed = seed, .fresh = true};
    luaL_setmetatable(L, TYPE);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    n->net = net_new(&a, batch, &e);
    if (!n->net)
        return luaL_error(L, "%s", e.msg);
    net_init(n->net, seed, false);
    return 1;
}

static int net_close(lua_State *L)
{
    struct lua_net *n = any_net(L);
    if (n->busy)
        return luaL_error(L, "this net is training; it can be closed when that has ended");
    net_free(n->net);
    n->net = NULL;
    return 0;
}

// need(m, batch[, threads]) -> bytes that new(m, batch) would allocate, and so many threads
static int core_need(lua_State *L)
{
    struct arch a;
    arch_from_lua(L, 1, &a);
    int batch = batch_from_lua(L, 2);
    luaL_argcheck(L, batch >= 1 && batch <= 65536, 2, "batch must be from 1 to 65536");
    lua_pushinteger(L, (lua_Integer)net_bytes(&a, batch, (int)luaL_optinteger(L, 3, 1)));
    return 1;
}

// trim(): frees the memory that a closed net has left for the next one
static int core_trim(lua_State *L)
{
    (void)L;
    net_trim();
    return 0;
}

// threads(net[, n]) -> how many its steps take; n: from now on, also from the progress function
// of a training
static int core_threads(lua_State *L)
{
    struct lua_net *n = any_net(L);
    if (!n->net)
        return luaL_error(L, "closed net");
    lua_Integer threads = luaL_optinteger(L, 2, net_threads(n->net));
    if (threads < 1 || threads > POOL_MOST)
        return luaL_error(L, "threads is %I; it must be from 1 to %d", threads, POOL_MOST);
    net_set_threads(n->net, (int)threads);
    lua_pushinteger(L, threads);
    return 1;
}

static int net_tostring(lua_State *L)
{
    struct lua_net *n = any_net(L);
    if (!n->net) {
        lua_pushliteral(L, "net (closed)");
        return 1;
    }
    const struct arch *a = net_arch(n->net);
    size_t count = 0;
    for (size_t i = 0; i < net_params(n->net); i++)
        if (!net_param(n->net, i)->buffer)
            count += net_param(n->net, i)->count;
    int depth = 0;
    for (int i = 0; i < a->stages; i++)
        depth += a->d[i];
    lua_pushfstring(L, "net: %d stages, %d blocks '%s', %I parameters, batch %d", a->stages,
                    depth, arch_block_name(a->block), (lua_Integer)count, net_batch(n->net));
    return 1;
}

static int net_arch_table(lua_State *L)
{
    check_net(L);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int net_bytes_now(lua_State *L)
{
    struct lua_net *n = check_net(L);
    lua_pushinteger(L, (lua_Integer)net_bytes(net_arch(n->net), net_batch(n->net), net_threads(n->net)));
    return 1;
}

// ---- parameters -----------------------------------------------------------------------

static void push_shape(lua_State *L, const struct param *p)
{
    lua_createtable(L, p->dims, 0);
    for (int i = 0; i < p->dims; i++) {
        lua_pushinteger(L, p->shape[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static int net_params_list(lua_State *L)
{
    struct lua_net *n = check_net(L);
    static const char *const groups[] = {"bn", "bias", "weight"};
    TABLE_HAS(groups, PARAM_GROUPS);
    size_t all = net_params(n->net);
    lua_createtable(L, (int)all, 0);
    for (size_t i = 0; i < all; i++) {
        const struct param *p = net_param(n->net, i);
        lua_createtable(L, 0, 4);
        lua_pushstring(L, p->name);
        lua_setfield(L, -2, "name");
        push_shape(L, p);
        lua_setfield(L, -2, "shape");
        lua_pushinteger(L, (lua_Integer)p->count);
        lua_setfield(L, -2, "count");
        lua_pushstring(L, p->buffer ? "buffer" : groups[p->group]);
        lua_setfield(L, -2, "group");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

// values(name) -> flat list in the order of the shape params() gives: (K, C, R, R)
static int net_values_list(lua_State *L)
{
    struct lua_net *n = check_net(L);
    const char *name = luaL_checkstring(L, 2);
    for (size_t i = 0; i < net_params(n->net); i++) {
        const struct param *p = net_param(n->net, i);
        if (strcmp(p->name, name) != 0)
            continue;
        const float *v = net_values(n->net, p);
        lua_createtable(L, (int)p->count, 0);
        for (size_t k = 0; k < p->count; k++) {
            lua_pushnumber(L, (lua_Number)v[param_index(p, k)]);
            lua_rawseti(L, -2, (lua_Integer)k + 1);
        }
        return 1;
    }
    return luaL_error(L, "this net has no parameter '%s'; net:params() lists them", name);
}

// plan(net) -> table
static int core_plan(lua_State *L)
{
    plan_to_lua(L, net_plan(check_net(L)->net));
    return 1;
}

// ---- forward --------------------------------------------------------------------------

// One image: a flat list of image·image·channels numbers.
static void read_image(lua_State *L, int index, lua_Integer which, float *x,
                       const struct arch *a)
{
    size_t length = arch_input(a);
    if (lua_type(L, index) != LUA_TTABLE || lua_rawlen(L, index) != length)
        luaL_error(L,
                   "image %I is %s with %I values; this net takes flat lists of %I numbers "
                   "(rows of pixels of %s)",
                   which, luaL_typename(L, index),
                   lua_type(L, index) == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, index) : 0,
                   (lua_Integer)length, a->channels == 1 ? "1 channel" : "3 channels");
    for (size_t i = 0; i < length; i++) {
        int ok;
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        x[i] = (float)lua_tonumberx(L, -1, &ok);
        if (!ok)
            luaL_error(L, "image %I: value %I is %s, not a number", which, (lua_Integer)i + 1,
                       luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

// forward(list of images) -> list of lists of logits, with running statistics
static int net_forward_images(lua_State *L)
{
    struct lua_net *n = check_net(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    const struct arch *a = net_arch(n->net);
    size_t length = arch_input(a);
    lua_Integer all = (lua_Integer)lua_rawlen(L, 2), batch = net_batch(n->net);
    lua_createtable(L, (int)all, 0);
    for (lua_Integer first = 0; first < all; first += batch) {
        lua_Integer count = all - first < batch ? all - first : batch;
        for (lua_Integer i = 0; i < count; i++) {
            lua_rawgeti(L, 2, first + i + 1);
            read_image(L, lua_gettop(L), first + i + 1,
                       net_input(n->net) + (size_t)i * length, a);
            lua_pop(L, 1);
        }
        const float *logits = net_forward(n->net, (int)count, false);
        if (!logits)
            return raise_interrupted(L);
        for (lua_Integer i = 0; i < count; i++) {
            lua_createtable(L, a->classes, 0);
            for (int k = 0; k < a->classes; k++) {
                lua_pushnumber(L, (lua_Number)logits[i * a->classes + k]);
                lua_rawseti(L, -2, k + 1);
            }
            lua_rawseti(L, 3, first + i + 1);
        }
    }
    return 1;
}

// ---- training -------------------------------------------------------------------------

// Calls the progress function (argument 4) with the event on top of the stack; an error
// in it is left there and ends the training.
static bool call_progress(lua_State *L, bool *failed)
{
    lua_pushvalue(L, 4);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        *failed = true;
        return false;
    }
    bool go_on = lua_isnil(L, -1) || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return go_on;
}

struct progress {
    lua_State *L;
    bool failed;
};

// The number of fewest digits that is x as a float: 0.01, not 0.009999999776482582.
static double shortest(float x)
{
    char text[32];
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
    while (strtof(text, NULL) != x && digits++ < 9);
    return strtod(text, NULL);
}

// Fields of the table on top; what is no number (the loss of a diverged network, the top-5
// error of few classes) is left out.
static void set_metrics(lua_State *L, const struct metrics *m, const char *error,
                        const char *loss)
{
    set_number(L, error, m->error);
    set_number(L, "class_error", m->class_error);
    if (!isnan(m->loss))
        set_number(L, loss, m->loss);
    if (!isnan(m->top5_error))
        set_number(L, "top5_error", m->top5_error);
}

static bool report_epoch(void *self, const struct epoch_result *r)
{
    struct progress *p = self;
    lua_createtable(p->L, 0, 11);
    set_string(p->L, "kind", "epoch");
    set_integer(p->L, "epoch", r->epoch);
    set_number(p->L, "lr", shortest(r->lr));
    set_number(p->L, "train_loss", r->train_loss);
    set_number(p->L, "train_error", r->train_error);
    set_metrics(p->L, &r->validation, "validation_error", "validation_loss");
    set_number(p->L, "seconds", r->seconds);
    set_number(p->L, "images_per_s", r->images_per_s);
    return call_progress(p->L, &p->failed);
}

static void push_point(lua_State *L, const struct train_point *p)
{
    lua_createtable(L, 0, 5);
    set_integer(L, "epoch", p->epoch);
    set_integer(L, "step", p->step);
    set_number(L, "loss_sum", p->loss_sum);
    set_integer(L, "wrong_sum", (lua_Integer)p->wrong_sum);
    set_number(L, "seconds", p->seconds);
}

static bool report_step(void *self, const struct train_point *at, int steps, double loss)
{
    struct progress *p = self;
    lua_createtable(p->L, 0, 6);
    set_string(p->L, "kind", "step");
    set_integer(p->L, "epoch", at->epoch + 1);
    set_integer(p->L, "step", at->step);
    set_integer(p->L, "steps", steps);
    set_number(p->L, "loss", loss);
    push_point(p->L, at);
    lua_setfield(p->L, -2, "at");
    return call_progress(p->L, &p->failed);
}

static const struct source *check_source(lua_State *L, int index, const struct arch *a)
{
    const struct source *s = source_from_lua(L, index);
    if (s->image != a->image || s->classes != a->classes || s->channels != a->channels)
        luaL_error(L,
                   "the data has %s images of %d pixels and %d classes, this net takes %s of "
                   "%d and %d: make it with image = %d, classes = %d, channels = %d",
                   arch_colour(s->channels), s->image, s->classes, arch_colour(a->channels),
                   a->image, a->classes, s->image, s->classes, s->channels);
    return s;
}

static double point_field(lua_State *L, int t, const char *name)
{
    lua_getfield(L, t, name);
    double v = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    return v;
}

// Where a training goes on: the table `at` that an earlier run gave; nil: at the beginning.
static struct train_point check_point(lua_State *L, int t)
{
    struct train_point p = {0};
    if (!lua_isnil(L, t)) {
        luaL_checktype(L, t, LUA_TTABLE);
        p.epoch = (int)point_field(L, t, "epoch");
        p.step = (int)point_field(L, t, "step");
        p.loss_sum = point_field(L, t, "loss_sum");
        p.wrong_sum = (uint64_t)point_field(L, t, "wrong_sum");
        p.seconds = point_field(L, t, "seconds");
    }
    return p;
}

// run(net, data, recipe, progress or nil, at or nil)
//   -> { status=, error=, reason=, epochs= }, at
static int net_run(lua_State *L)
{
    static const char *const ends[] = {"done", "diverged", "interrupted", "stopped",
                                       "unreadable"};
    TABLE_HAS(ends, TRAIN_ENDS);
    struct lua_net *n = check_net(L);
    struct recipe r;
    struct error e;
    lua_settop(L, 5);
    const struct source *s = check_source(L, 2, net_arch(n->net));
    struct train_point at = check_point(L, 5);
    recipe_from_lua(L, 3, s, &r);
    if (r.frozen && n->fresh)
        return luaL_error(L, "recipe: freeze keeps weights as they are, and those of this net "
                             "are fresh: load some first (net.load)");
    int stages = net_arch(n->net)->stages;
    if (r.frozen != FROZEN_BODY && r.frozen > stages + 1)
        return luaL_error(L, "recipe: freeze is 's%d'; this net has %d stages", r.frozen - 1,
                          stages);
    if (!lua_isnil(L, 4))
        luaL_checktype(L, 4, LUA_TFUNCTION);
    luaL_checkstack(L, 20, NULL);
    if (!net_set_batch(n->net, r.batch, &e))
        return luaL_error(L, "%s", e.msg);
    r.seed = n->seed;
    if (n->fresh && r.zero_gamma)
        net_init(n->net, n->seed, true);
    n->fresh = false;
    struct progress p = {.L = L};
    struct train_report report = {.epoch = report_epoch, .step = report_step, .self = &p};
    struct epoch_result last;
    n->busy = true;
    enum train_end end =
        train_run(n->net, s, &r, &at, lua_isnil(L, 4) ? NULL : &report, &last, &e);
    n->busy = false;
    if (p.failed)
        return lua_error(L);
    lua_createtable(L, 0, 9);
    set_string(L, "status", ends[end]);
    set_integer(L, "epochs", last.epoch);
    if (end == TRAIN_DIVERGED || end == TRAIN_UNREADABLE)
        set_string(L, "reason", e.msg);
    if (end == TRAIN_DIVERGED || last.epoch > 0)
        set_metrics(L, &last.validation, "error", "validation_loss");
    if (end != TRAIN_DIVERGED && last.epoch > 0) {
        set_number(L, "train_error", last.train_error);
        set_number(L, "train_loss", last.train_loss);
    }
    push_point(L, &at);
    return 2;
}

// *seen: d as a network sees it that was trained on what the table at index t says.  relabel is
// filled in where the table has `labels`.
static void see_from_lua(lua_State *L, int t, struct dataset *seen, const struct dataset *d,
                         uint16_t *relabel)
{
    double mean[3], std[3];
    channels_from_lua(L, t, "mean", d->look.channels, mean);
    channels_from_lua(L, t, "std", d->look.channels, std);
    bool other = lua_getfield(L, t, "labels") == LUA_TTABLE;
    for (int k = 0; other && k < d->classes; k++) {
        lua_rawgeti(L, -1, k + 1);
        lua_Integer label = luaL_checkinteger(L, -1);
        luaL_argcheck(L, label >= 0 && label < d->classes, t, "labels");
        relabel[k] = (uint16_t)label;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    dataset_see(seen, d, mean, std, other ? relabel : NULL);
}

// Measures the net (argument 1) on a split of the data (2, 3), seen as the table 4 says where
// there is one, into *t, which the caller ends; or raises.
static void measure(lua_State *L, struct tally *t, bool matrix)
{
    struct lua_net *n = check_net(L);
    const struct source *s = check_source(L, 2, net_arch(n->net));
    int split = split_from_lua(L, 3, SPLIT_TEST);
    struct error e;
    struct dataset seen;
    if (lua_istable(L, 4)) {
        uint16_t *relabel = lua_newuserdatauv(L, (size_t)s->classes * sizeof *relabel, 0);
        see_from_lua(L, 4, &seen, dataset_from_lua(L, 2), relabel);
        s = &seen.source;
    }
    tally_start(t, s->classes, matrix);
    if (matrix)
        t->answers = xcalloc(s->n[split], sizeof *t->answers);
    enum train_end end = train_measure(n->net, s, (enum split_name)split, t, &e);
    if (end == TRAIN_DONE)
        return;
    tally_end(t);
    if (end == TRAIN_UNREADABLE)
        luaL_error(L, "%s", e.msg);
    raise_interrupted(L);
}

// test(net, data, split[, seen]) -> error in percent, { error=, loss=, top5_error=, class_error=, n= }
static int net_test(lua_State *L)
{
    struct tally t;
    measure(L, &t, false);
    struct metrics m = tally_metrics(&t);
    lua_pushnumber(L, m.error);
    lua_createtable(L, 0, 5);
    set_metrics(L, &m, "error", "loss");
    set_integer(L, "n", (lua_Integer)t.n);
    tally_end(&t);
    return 2;
}

// confusion(net, data, split[, seen]) -> list of rows (by label) of counts (by answer), list of the
// answers to the images, from 0, or -1 for none
static int net_confusion(lua_State *L)
{
    struct tally t;
    measure(L, &t, true);
    lua_createtable(L, t.classes, 0);
    for (int i = 0; i < t.classes; i++) {
        lua_createtable(L, t.classes, 0);
        for (int k = 0; k < t.classes; k++) {
            lua_pushinteger(L, (lua_Integer)t.matrix[i * t.classes + k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_rawseti(L, -2, i + 1);
    }
    lua_createtable(L, (int)t.n, 0);
    for (uint64_t i = 0; i < t.n; i++) {
        lua_pushinteger(L, t.answers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    tally_end(&t);
    return 2;
}

static const luaL_Reg methods[] = {
    {"arch", net_arch_table},
    {"bytes", net_bytes_now},
    {"close", net_close},
    {"forward", net_forward_images},
    {"params", net_params_list},
    {"values", net_values_list},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__gc", net_close},
    {"__close", net_close},
    {"__tostring", net_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", core_new},
    {"need", core_need},
    {"threads", core_threads},
    {"trim", core_trim},
    {"run", net_run},
    {"test", net_test},
    {"confusion", net_confusion},
    {"plan", core_plan},
    {NULL, NULL},
};

int open_net(lua_State *L)
{
    luaL_newmetatable(L, TYPE);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    luaL_newlib(L, functions);
    lua_insert(L, -2);
    lua_setfield(L, -2, "methods"); // lua/netspace/network/net.lua adds the rest
    return 1;
}
