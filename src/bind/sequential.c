/* netspace.core.sequential: boundary.h and anytime.h for Lua.  Errors of models come as lists
 * in the order they were drawn. */
#include "bind/bind.h"

#include <math.h>

#include "base/table.h"
#include "stats/anytime.h"
#include "stats/boundary.h"
#include "stats/special.h"

static double *list_at(lua_State *L, int index, const char *what, int *n)
{
    lua_pushvalue(L, index);
    return number_list(L, what, n);
}

static double alpha_at(lua_State *L, int index)
{
    double alpha = luaL_checknumber(L, index);
    luaL_argcheck(L, alpha > 0 && alpha < 1, index, "alpha lies between 0 and 1");
    return alpha;
}

// Information fractions, ascending, as the looks of *l.
static void check_times(lua_State *L, int index, struct looks *l)
{
    const double *t = list_at(L, index, "information", &l->K);
    luaL_argcheck(L, l->K >= 1 && l->K <= LOOKS_MOST, index, "from 1 to 50 looks");
    for (int k = 0; k < l->K; k++) {
        luaL_argcheck(L, t[k] > (k ? t[k - 1] : 0), index, "information grows");
        l->t[k] = t[k];
        l->same[k] = 0;
    }
    lua_pop(L, 1);
}

// Looks with limits: lists of information and of |Z|.
static void check_looks(lua_State *L, int index, struct looks *l)
{
    int n;
    check_times(L, index, l);
    const double *c = list_at(L, index + 1, "limits", &n);
    luaL_argcheck(L, n == l->K, index + 1, "as many limits as looks");
    for (int k = 0; k < n; k++)
        l->c[k] = c[k];
    lua_pop(L, 1);
    l->sides = 2;
}

static const char *const kinds[] = {"obrien-fleming", "pocock", "power", NULL};
TABLE_HAS(kinds, SPEND_POWER + 2);

// boundaries(information, alpha, spending, rho, sides [, at]) -> |Z|, spent, or nil and why not
static int boundaries(lua_State *L)
{
    struct looks l, at;
    struct error e;
    check_times(L, 1, &l);
    bool planned = !lua_isnoneornil(L, 6);
    if (planned) {
        check_times(L, 6, &at);
        luaL_argcheck(L, at.K == l.K, 6, "as many as looks");
    }
    struct spending s = {.alpha = alpha_at(L, 2),
                         .kind = (enum spending_kind)luaL_checkoption(L, 3, NULL, kinds),
                         .rho = luaL_checknumber(L, 4),
                         .sides = (int)luaL_checkinteger(L, 5)};
    luaL_argcheck(L, s.rho > 0, 4, "rho is positive");
    luaL_argcheck(L, s.sides == 1 || s.sides == 2, 5, "1 side or 2");
    if (!looks_solve_at(&l, &s, planned ? at.t : l.t, &e))
        return push_failure(L, e.msg);
    push_list(L, l.c, (size_t)l.K);
    push_list(L, l.spent, (size_t)l.K);
    return 2;
}

// crossing(information, |Z|, drift, margin) -> { upper=, lower=, same=, power=, expected= }
static int crossing(lua_State *L)
{
    struct looks l;
    struct crossing c;
    check_looks(L, 1, &l);
    double drift = luaL_checknumber(L, 3), margin = luaL_optnumber(L, 4, 0);
    luaL_argcheck(L, fabs(drift) <= 20, 3, "the drift is from -20 to 20");
    looks_equivalence(&l, margin);
    looks_cross(&l, drift, &c);
    lua_createtable(L, 0, 5);
    push_list(L, c.upper, (size_t)l.K);
    lua_setfield(L, -2, "upper");
    push_list(L, c.lower, (size_t)l.K);
    lua_setfield(L, -2, "lower");
    push_list(L, c.same, (size_t)l.K);
    lua_setfield(L, -2, "same");
    set_number(L, "power", c.power);
    set_number(L, "expected", c.expected);
    return 1;
}

// drift(information, |Z|, spent, power) -> the drift that is claimed with this power
static int drift(lua_State *L)
{
    struct looks l;
    check_looks(L, 1, &l);
    l.spent[l.K - 1] = alpha_at(L, 3);
    double power = luaL_checknumber(L, 4);
    luaL_argcheck(L, power > l.spent[l.K - 1] && power <= 0.9999, 4,
                  "the power lies between alpha and 0.9999");
    lua_pushnumber(L, looks_drift(&l, power));
    return 1;
}

// stagewise(information, |Z|, look, z, level) -> p, estimate of the drift, lo, hi
static int stagewise(lua_State *L)
{
    struct looks l;
    struct stagewise s;
    check_looks(L, 1, &l);
    lua_Integer k = luaL_checkinteger(L, 3);
    luaL_argcheck(L, k >= 1 && k <= l.K, 3, "no such look");
    looks_stagewise(&l, (int)k - 1, luaL_checknumber(L, 4), level_from_lua(L, 5), &s);
    lua_pushnumber(L, s.p);
    lua_pushnumber(L, s.estimate);
    lua_pushnumber(L, s.lo);
    lua_pushnumber(L, s.hi);
    return 4;
}

// deviate(t, df) -> z with the same tail as Student's t
static int deviate(lua_State *L)
{
    lua_pushnumber(L, student_deviate(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

// student(z, df) -> the t of that tail
static int student(lua_State *L)
{
    lua_pushnumber(L, deviate_student(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

// normal(p) -> z
static int normal(lua_State *L)
{
    lua_pushnumber(L, normal_quantile(luaL_checknumber(L, 1)));
    return 1;
}

// tail(z) -> P(N > z)
static int tail(lua_State *L)
{
    lua_pushnumber(L, 0.5 * erfc(luaL_checknumber(L, 1) / sqrt(2)));
    return 1;
}

// The first n errors of a and b.
struct pairs {
    size_t n;
    const double *a, *b;
};

static struct pairs check_pairs(lua_State *L)
{
    int n, m;
    struct pairs p = {.a = list_at(L, 1, "errors of a", &n)};
    p.b = list_at(L, 2, "errors of b", &m);
    lua_Integer count = luaL_checkinteger(L, 3);
    luaL_argcheck(L, count >= 1 && count <= n && count <= m, 3, "both lists have as many");
    p.n = (size_t)count;
    return p;
}

static double *room(lua_State *L, size_t n)
{
    return lua_newuserdatauv(L, n * sizeof(double), 0);
}

// means(a, b, n, most, alpha) -> lists: difference, lo, hi, log of the e-value
static int means(lua_State *L)
{
    struct pairs p = check_pairs(L);
    double most = luaL_checknumber(L, 4), alpha = alpha_at(L, 5);
    luaL_argcheck(L, most >= 1, 4, "at least 1");
    struct sequence_point *points = lua_newuserdatauv(L, p.n * sizeof *points, 0);
    double *v = room(L, p.n);
    sequence_means(points, p.a, p.b, p.n, mixture_rho(most, alpha), alpha);
    for (int field = 0; field < 4; field++) {
        for (size_t i = 0; i < p.n; i++)
            v[i] = field == 0   ? points[i].difference
                   : field == 1 ? points[i].lo
                   : field == 2 ? points[i].hi
                                : points[i].log_e;
        push_list(L, v, p.n);
    }
    return 4;
}

// Differences b - a, -100 … 100, as numbers from 0 to 1, and the bets on them.
static double *check_bets(lua_State *L, const struct pairs *p, double alpha, double **x)
{
    *x = room(L, p->n);
    double *bet = room(L, p->n);
    for (size_t i = 0; i < p->n; i++) {
        luaL_argcheck(L, p->a[i] >= 0 && p->a[i] <= 100, 1, "errors are from 0 to 100");
        luaL_argcheck(L, p->b[i] >= 0 && p->b[i] <= 100, 2, "errors are from 0 to 100");
        (*x)[i] = (p->b[i] - p->a[i] + 100) / 200;
    }
    betting_bets(bet, *x, p->n, alpha);
    return bet;
}

// capital(a, b, n, alpha, d) -> lists: logs of what bets on a difference above d, and below
// it, have made
static int capital(lua_State *L)
{
    struct pairs p = check_pairs(L);
    double alpha = alpha_at(L, 4), d = luaL_checknumber(L, 5), *x;
    luaL_argcheck(L, d > -100 && d < 100, 5, "a difference is between -100 and 100");
    const double *bet = check_bets(L, &p, alpha, &x);
    double *above = room(L, p.n), *below = room(L, p.n);
    betting_capital(above, below, x, bet, p.n, (d + 100) / 200);
    push_list(L, above, p.n);
    push_list(L, below, p.n);
    return 2;
}

// interval(a, b, n, alpha) -> lo, hi: differences that the bets have not refuted
static int interval(lua_State *L)
{
    struct pairs p = check_pairs(L);
    double alpha = alpha_at(L, 4), *x, lo, hi;
    const double *bet = check_bets(L, &p, alpha, &x);
    betting_interval(&lo, &hi, x, bet, p.n, alpha);
    lua_pushnumber(L, 200 * lo - 100);
    lua_pushnumber(L, 200 * hi - 100);
    return 2;
}

static const luaL_Reg functions[] = {
    {"boundaries", boundaries}, {"capital", capital}, {"crossing", crossing},
    {"deviate", deviate},       {"drift", drift},     {"interval", interval},
    {"means", means},           {"normal", normal},   {"tail", tail},
    {"stagewise", stagewise},   {"student", student}, {NULL, NULL},
};

int open_sequential(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
