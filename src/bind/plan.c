/* The plan of a network (model/plan.h) as a Lua table, for lua/netspace/network/profile.lua. */
#include "bind/bind.h"

#include "base/table.h"
#include "model/plan.h"
#include "nn/machine.h"

// A tensor or operation by its place in its list, from 1; absent when there is none.
static void set_id(lua_State *L, const char *key, int id)
{
    if (id != NONE)
        set_integer(L, key, id + 1);
}

static void set_work(lua_State *L, const char *key, const struct plan *p, const struct op *o,
                     enum mode m, bool backward, double cache)
{
    struct work w = plan_work(p, o, m, backward, cache);
    lua_createtable(L, 0, 3);
    set_number(L, "operations", w.operations);
    set_number(L, "bytes", w.bytes);
    set_number(L, "near", w.near);
    lua_setfield(L, -2, key);
}

static void push_op(lua_State *L, const struct plan *p, const struct op *o, double cache)
{
    static const char *const kinds[] = {"conv", "norm", "se", "max pool", "pool", "linear"};
    TABLE_HAS(kinds, OP_KINDS);
    lua_createtable(L, 0, 24);
    set_string(L, "name", o->name);
    set_string(L, "kind", kinds[o->kind]);
    if (o->kind == OP_CONV) {
        struct conv c = plan_conv(p, o, p->batch);
        set_string(L, "method", conv_method(&c));
        set_integer(L, "kernel", o->R);
        set_integer(L, "stride", o->S);
        set_integer(L, "groups", o->G);
    }
    if (o->kind == OP_NORM || o->kind == OP_SE)
        set_string(L, "activation", o->act == ACT_NONE ? "" : arch_act_name(o->act));
    if (o->kind == OP_SE)
        set_integer(L, "squeeze", o->Q);
    set_id(L, "input", o->in);
    set_id(L, "output", o->out);
    set_id(L, "add", o->add);
    set_id(L, "din", o->din);
    set_id(L, "dout", o->dout);
    set_id(L, "scratch", o->scratch);
    set_id(L, "dscratch", o->dscratch);
    set_id(L, "norm_after", o->norm_after);
    set_id(L, "norm_before", o->norm_before);
    lua_createtable(L, 4, 0);
    for (int k = 0; k < 4; k++)
        if (o->saved[k] != NONE) {
            lua_pushinteger(L, o->saved[k] + 1);
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
    lua_setfield(L, -2, "saved");
    lua_pushboolean(L, o->fused);
    lua_setfield(L, -2, "fused");
    lua_pushboolean(L, o->unstored);
    lua_setfield(L, -2, "unstored");
    lua_pushboolean(L, o->backward_fused);
    lua_setfield(L, -2, "backward_fused");
    lua_pushboolean(L, o->accumulates);
    lua_setfield(L, -2, "accumulates");
    set_work(L, "test", p, o, MODE_TEST, false, cache);
    set_work(L, "forward", p, o, MODE_TRAIN, false, cache);
    set_work(L, "backward", p, o, MODE_TRAIN, true, cache);
}

// first, last and offset in each mode it is used in
static void push_tensor(lua_State *L, const struct tensor *t)
{
    static const char *const modes[] = {"test", "train"};
    TABLE_HAS(modes, MODES);
    lua_createtable(L, 0, 6);
    set_integer(L, "height", t->H);
    set_integer(L, "width", t->W);
    set_integer(L, "channels", t->C);
    set_integer(L, "bytes", (lua_Integer)(t->floats * sizeof(float)));
    for (int m = 0; m < MODES; m++) {
        if (t->first[m] > t->last[m])
            continue;
        lua_createtable(L, 0, 3);
        set_integer(L, "first", t->first[m]);
        set_integer(L, "last", t->last[m]);
        set_integer(L, "offset", (lua_Integer)(t->offset[m] * sizeof(float)));
        lua_setfield(L, -2, modes[m]);
    }
}

void plan_to_lua(lua_State *L, const struct plan *p)
{
    double cache = (double)machine_cache(3) / 2;
    lua_createtable(L, 0, 8);
    lua_createtable(L, p->n, 0);
    for (int i = 0; i < p->n; i++) {
        push_op(L, p, &p->ops[i], cache);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "operations");
    lua_createtable(L, p->n_tensors, 0);
    for (int i = 0; i < p->n_tensors; i++) {
        push_tensor(L, &p->tensors[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "tensors");
    set_integer(L, "batch", p->batch);
    set_id(L, "input", p->input);
    set_id(L, "logits", p->logits);
    set_id(L, "dlogits", p->dlogits);
    set_integer(L, "arena", (lua_Integer)(p->arena * sizeof(float)));
    set_integer(L, "parameters", (lua_Integer)(p->group[PARAM_GROUPS] * sizeof(float)));
}
