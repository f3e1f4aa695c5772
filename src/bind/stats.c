/* netspace.core.stats: the functions of src/stats for Lua.  Populations come as edfs
 * (edf.c), everything else as lists of numbers. */
#include "bind/bind.h"

#include <math.h>
#include <string.h>

#include "base/table.h"
#include "stats/best.h"
#include "stats/compare.h"
#include "stats/edf.h"
#include "stats/noise.h"
#include "stats/rank.h"
#include "stats/regress.h"
#include "stats/search.h"
#include "stats/strata.h"

enum { MAX_DRAWS = 10000000 };

static size_t check_count(lua_State *L, int index, lua_Integer lo, lua_Integer hi)
{
    lua_Integer n = luaL_checkinteger(L, index);
    if (n < lo || n > hi)
        luaL_argerror(L, index, lua_pushfstring(L, "%I is not from %I to %I", n, lo, hi));
    return (size_t)n;
}

static uint32_t check_draws(lua_State *L, int index, lua_Integer least)
{
    return (uint32_t)check_count(L, index, least, MAX_DRAWS);
}

static uint64_t check_seed(lua_State *L, int index)
{
    return (uint64_t)luaL_checkinteger(L, index);
}

// The list of numbers at `index`, as a userdata on the stack.
static double *check_list(lua_State *L, int index, size_t *n)
{
    luaL_checktype(L, index, LUA_TTABLE);
    *n = lua_rawlen(L, index);
    double *v = lua_newuserdatauv(L, *n * sizeof *v, 0);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        v[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return v;
}

// A second list, as long as one of n.
static double *check_same(lua_State *L, int index, size_t n)
{
    size_t m;
    double *v = check_list(L, index, &m);
    luaL_argcheck(L, n == m, index, "both lists have the same length");
    return v;
}

static void set_pair(lua_State *L, const char *key, double lo, double hi)
{
    push_list(L, (double[]){lo, hi}, 2);
    lua_setfield(L, -2, key);
}

// ks(a, b) -> D, p (none for EDFs with weights)
static int stats_ks(lua_State *L)
{
    const struct edf *a = edf_from_lua(L, 1), *b = edf_from_lua(L, 2);
    lua_pushnumber(L, ks_statistic(a, b));
    if (a->share || b->share)
        return 1;
    lua_pushnumber(L, ks_p(a, b));
    return 2;
}

static int push_comparison(lua_State *L, const struct comparison *c)
{
    lua_createtable(L, 0, 24);
    set_number(L, "ks", c->ks);
    set_number(L, "ks_p", c->ks_p);
    if (!isnan(c->ks_critical))
        set_number(L, "ks_critical", c->ks_critical);
    set_number(L, "mean_difference", c->mean_difference);
    set_number(L, "deviation", c->deviation);
    set_number(L, "p_better", c->p_better);
    set_number(L, "p_permutation", c->p_permutation);
    set_number(L, "more", c->more);
    set_pair(L, "ci", c->lo, c->hi);
    set_number(L, "min_difference", c->min_difference);
    set_pair(L, "min_ci", c->min_lo, c->min_hi);
    return 1;
}

// compare(a, b, draws, seed, level) -> table
static int stats_compare(lua_State *L)
{
    const struct edf *a = edf_from_lua(L, 1), *b = edf_from_lua(L, 2);
    luaL_argcheck(L, !a->share && !b->share, 1, "EDFs with weights are compared by strata");
    struct comparison c;
    if (!compare_edfs(&c, a, b, check_draws(L, 3, 1), check_seed(L, 4), level_from_lua(L, 5)))
        return raise_interrupted(L);
    return push_comparison(L, &c);
}

static struct strata check_strata(lua_State *L, int index)
{
    struct strata s = {luaL_checknumber(L, index), luaL_checknumber(L, index + 1),
                       (uint32_t)check_count(L, index + 2, 1, STRATA_MOST)};
    luaL_argcheck(L, s.lo < s.hi, index, "the range is empty");
    return s;
}

// strata(x, lo, hi, bins) -> weights, bins (from 1, 0 outside), or nil and which is empty
static int stats_strata(lua_State *L)
{
    size_t n;
    double *x = check_list(L, 1, &n);
    struct strata s = check_strata(L, 2);
    double *weight = lua_newuserdatauv(L, n * sizeof *weight, 0);
    uint32_t *bin = lua_newuserdatauv(L, n * sizeof *bin, 0);
    struct error e;
    if (!strata_assign(&s, x, n, bin, weight, &e))
        return push_failure(L, e.msg);
    push_list(L, weight, n);
    for (size_t i = 0; i < n; i++)
        x[i] = bin[i] == NO_BIN ? 0 : bin[i] + 1.0;
    push_list(L, x, n);
    return 2;
}

// strata_compare(errors, bins (from 1), labels (1: of a, 2: of b, 3: both), how many bins,
// draws, seed, level) -> table
static int stats_strata_compare(lua_State *L)
{
    size_t n;
    double *e = check_list(L, 1, &n), *bin = check_same(L, 2, n),
           *label = check_same(L, 3, n);
    uint32_t bins = (uint32_t)check_count(L, 4, 1, STRATA_MOST);
    struct labelled *models = lua_newuserdatauv(L, n * sizeof *models, 0);
    for (size_t i = 0; i < n; i++) {
        luaL_argcheck(L, e[i] >= 0 && e[i] <= 100, 1, "errors are from 0 to 100");
        luaL_argcheck(L, bin[i] >= 1 && bin[i] <= bins, 2, "no such bin");
        luaL_argcheck(L, label[i] == 1 || label[i] == 2 || label[i] == 3, 3, "no such label");
        models[i] = (struct labelled){e[i], (uint32_t)bin[i] - 1, (enum label)label[i]};
    }
    struct comparison c;
    if (!strata_compare(&c, models, n, bins, check_draws(L, 5, 1), check_seed(L, 6),
                        level_from_lua(L, 7)))
        return raise_interrupted(L);
    return push_comparison(L, &c);
}

static struct best_options check_best(lua_State *L, int index)
{
    struct best_options o = {.share = luaL_checknumber(L, index),
                             .draws = check_draws(L, index + 1, 0),
                             .seed = check_seed(L, index + 2),
                             .level = level_from_lua(L, index + 3),
                             .categorical = lua_toboolean(L, index + 4)};
    luaL_argcheck(L, o.share > 0 && o.share <= 1, index,
                  "the share lies above 0, at most at 1");
    return o;
}

// best(x, errors, share, draws, seed, level, categorical) -> table
static int stats_best(lua_State *L)
{
    size_t n;
    double *x = check_list(L, 1, &n), *errors = check_same(L, 2, n);
    luaL_argcheck(L, n >= 1, 1, "at least one value");
    struct best_options o = check_best(L, 3);
    struct best_band band;
    if (!best_property(&band, x, errors, n, &o))
        return raise_interrupted(L);
    lua_createtable(L, 0, 12);
    set_number(L, "lo", band.lo);
    set_number(L, "median", band.median);
    set_number(L, "hi", band.hi);
    set_number(L, "best", band.best);
    set_integer(L, "taken", (lua_Integer)band.taken);
    return 1;
}

// best_weights(errors, share, draws, seed) -> list, models in one draw
static int stats_best_weights(lua_State *L)
{
    lua_settop(L, 4);
    struct best_options o = check_best(L, 2);
    size_t n;
    double *errors = check_list(L, 1, &n);
    luaL_argcheck(L, n >= 1, 1, "at least one error");
    double *weight = lua_newuserdatauv(L, n * sizeof *weight, 0);
    if (!best_weights(weight, errors, n, &o))
        return raise_interrupted(L);
    push_list(L, weight, n);
    lua_pushinteger(L, (lua_Integer)best_taken(o.share, n));
    return 2;
}

// search(edf, m, replacement, level) -> mean, lo, hi of the best of m
static int stats_search(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, 1);
    bool replacement = lua_toboolean(L, 3);
    size_t m = check_count(L, 2, 1, replacement ? LUA_MAXINTEGER : (lua_Integer)f->n);
    luaL_argcheck(L, replacement || !f->share, 3, "models with weights are replaced");
    struct search_point p = search_best(f, m, replacement, level_from_lua(L, 4));
    lua_pushnumber(L, p.mean);
    lua_pushnumber(L, p.lo);
    lua_pushnumber(L, p.hi);
    return 3;
}

// search_trial(edf, m, seed) -> mean, deviation, repeats
static int stats_search_trial(lua_State *L)
{
    const struct edf *f = edf_from_lua(L, 1);
    struct search_trial t;
    if (!search_simulate(&t, f, check_count(L, 2, 1, (lua_Integer)f->n), check_seed(L, 3)))
        return raise_interrupted(L);
    lua_pushnumber(L, t.mean);
    lua_pushnumber(L, t.deviation);
    lua_pushinteger(L, (lua_Integer)t.repeats);
    return 3;
}

// rank(x, y, draws, seed, level) -> tau, lo, hi, rho; NaN where one list is constant
static int stats_rank(lua_State *L)
{
    size_t n;
    double *x = check_list(L, 1, &n), *y = check_same(L, 2, n), lo, hi;
    luaL_argcheck(L, n >= 2, 1, "at least two pairs");
    if (!rank_interval(&lo, &hi, x, y, n, check_draws(L, 3, 1), check_seed(L, 4),
                       level_from_lua(L, 5)))
        return raise_interrupted(L);
    lua_pushnumber(L, rank_kendall(x, y, n));
    lua_pushnumber(L, lo);
    lua_pushnumber(L, hi);
    lua_pushnumber(L, rank_spearman(x, y, n));
    return 4;
}

// noise(errors, k, level) -> table; errors of model 1, then of model 2, … k of each
static int stats_noise(lua_State *L)
{
    size_t n, k = check_count(L, 2, 2, 1000000);
    double *x = check_list(L, 1, &n);
    luaL_argcheck(L, n % k == 0 && n / k >= 2, 1, "k errors of each of two models or more");
    struct noise noise = noise_of(x, n / k, k, level_from_lua(L, 3));
    lua_createtable(L, 0, 12);
    set_number(L, "mean", noise.mean);
    set_number(L, "within", noise.within);
    set_number(L, "between", noise.between);
    set_number(L, "reliability", noise.reliability);
    set_pair(L, "ci", noise.lo, noise.hi);
    return 1;
}

static const char *const forms[] = {"linear", "sqrt", "linear+sqrt", "affine", "power", NULL};
TABLE_HAS(forms, REGRESS_FORMS + 1);

// regress(form, x, y, level) -> table, or nil and why not
static int stats_regress(lua_State *L)
{
    size_t n;
    enum regress_form form = (enum regress_form)luaL_checkoption(L, 1, NULL, forms);
    double *x = check_list(L, 2, &n), *y = check_same(L, 3, n);
    struct regression r;
    struct error e;
    if (!regress(&r, form, x, y, n, level_from_lua(L, 4), &e))
        return push_failure(L, e.msg);
    lua_createtable(L, 0, 12);
    for (int k = 0; k < r.terms; k++) {
        set_number(L, k ? "b" : "a", r.c[k]);
        set_pair(L, k ? "b_ci" : "a_ci", r.lo[k], r.hi[k]);
    }
    set_number(L, "r2", r.r2);
    set_number(L, "residual", r.residual);
    set_integer(L, "n", (lua_Integer)n);
    return 1;
}

// regress_at(form, a, b, x) -> y
static int stats_regress_at(lua_State *L)
{
    enum regress_form form = (enum regress_form)luaL_checkoption(L, 1, NULL, forms);
    const double c[2] = {luaL_checknumber(L, 2), luaL_optnumber(L, 3, 0)};
    lua_pushnumber(L, regress_at(form, c, luaL_checknumber(L, 4)));
    return 1;
}

static const luaL_Reg functions[] = {
    {"best", stats_best},
    {"best_weights", stats_best_weights},
    {"compare", stats_compare},
    {"ks", stats_ks},
    {"noise", stats_noise},
    {"rank", stats_rank},
    {"regress", stats_regress},
    {"regress_at", stats_regress_at},
    {"search", stats_search},
    {"search_trial", stats_search_trial},
    {"strata", stats_strata},
    {"strata_compare", stats_strata_compare},
    {NULL, NULL},
};

int open_stats(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
