/* netspace.core.adjust: means and EDFs of spaces from few trained and many untrained networks
 * (stats/adjust.h) as a userdata.  Features come as packed strings of single-precision numbers
 * (string.pack "f"), network by network: a list of a million numbers would take long. */
#include "bind/bind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "stats/adjust.h"
#include "stats/special.h"

#define TYPE "netspace.adjusted"

enum { MAX_POPULATIONS = 64 };

struct
    handle { // data points into it, and to features of its own as long as it is fitted to them
    struct adjust_data data;
    struct adjusted fit;
    float *x, *drawn_x;
    uint32_t *same, *bin, *drawn_bin;
    struct adjust_scale scale;
    size_t n[MAX_POPULATIONS], N[MAX_POPULATIONS];
    bool fitted;
    double y[];
};

static struct handle *check(lua_State *L)
{
    return luaL_checkudata(L, 1, TYPE);
}

static int check_population(lua_State *L, const struct handle *h, int index)
{
    lua_Integer p = luaL_checkinteger(L, index);
    luaL_argcheck(L, p >= 1 && p <= h->data.P, index, "no such population");
    return (int)p - 1;
}

// How many networks of D features the string at `index` holds.
static size_t check_features(lua_State *L, int index, size_t D)
{
    size_t bytes;
    const float *x = (const float *)(const void *)luaL_checklstring(L, index, &bytes);
    luaL_argcheck(L, bytes % (D * sizeof *x) == 0, index, "whole networks");
    for (size_t i = 0; i < bytes / sizeof *x; i++)
        luaL_argcheck(L, isfinite(x[i]), index, "features are finite");
    return bytes / (D * sizeof *x);
}

static float *copy_features(lua_State *L, int index)
{
    size_t bytes;
    const char *s = lua_tolstring(L, index, &bytes);
    return memcpy(xcalloc(bytes, 1), s, bytes);
}

static size_t counts(lua_State *L, int index, size_t *out, int P, lua_Integer least)
{
    size_t sum = 0;
    luaL_argcheck(L, (int)lua_rawlen(L, index) == P, index, "one count a population");
    for (int p = 0; p < P; p++) {
        lua_rawgeti(L, index, p + 1);
        lua_Integer n = luaL_checkinteger(L, -1);
        luaL_argcheck(L, n >= least && n < INT32_MAX, index, "too few networks");
        sum += out[p] = (size_t)n;
        lua_pop(L, 1);
    }
    return sum;
}

// The places at `index` of the first copies of n networks, from 0; NULL where there is no list.
static uint32_t *copies(lua_State *L, int index, size_t n)
{
    if (lua_isnoneornil(L, index))
        return NULL;
    luaL_argcheck(L, lua_rawlen(L, index) == n, index, "one place a network");
    for (int pass = 0; pass < 2; pass++) { // all are checked before memory is taken
        uint32_t *same = pass ? xcalloc(n, sizeof *same) : NULL;
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, index, (lua_Integer)i + 1);
            lua_Integer place = lua_tointeger(L, -1);
            lua_pop(L, 1);
            if (pass)
                same[i] = (uint32_t)place - 1;
            else
                luaL_argcheck(L, place >= 1 && (size_t)place <= i + 1, index, "first copies");
        }
        if (pass)
            return same;
    }
    return NULL;
}

// The bins (1 … bins, 0: outside) at `index` of n networks, from 0.
static uint32_t *bins_of(lua_State *L, int index, size_t n, uint32_t bins)
{
    luaL_argcheck(L, lua_istable(L, index) && lua_rawlen(L, index) == n, index,
                  "one bin a network");
    uint32_t *list = xcalloc(n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        lua_Integer b = lua_tointeger(L, -1);
        lua_pop(L, 1);
        list[i] = b >= 1 && b <= bins ? (uint32_t)b - 1 : ADJUST_OUTSIDE;
    }
    return list;
}

// adjust(starts, n, N, x, y, drawn, seed, same or nil, bins or nil, bin, drawn bin) -> adjusted.
// starts: where each group of features begins, and their number; n, N: trained and drawn networks
// of each population; y: errors or other finite numbers; same: the place of the first copy of
// every trained network; bin: of each trained network, and of each drawn one, 1 … bins or 0
static int new_adjusted(lua_State *L)
{
    lua_settop(L, 11);
    int groups = (int)lua_rawlen(L, 1) - 1, P = (int)lua_rawlen(L, 2);
    luaL_argcheck(L, groups >= 1 && groups <= GP_GROUPS, 1, "too many groups of features");
    luaL_argcheck(L, P >= 1 && P <= MAX_POPULATIONS, 2, "too many populations");
    luaL_checktype(L, 5, LUA_TTABLE);
    size_t n = lua_rawlen(L, 5);
    struct handle *h = lua_newuserdatauv(L, sizeof *h + n * sizeof *h->y, 0);
    h->fitted = false;
    h->x = h->drawn_x = NULL;
    h->same = h->bin = h->drawn_bin = NULL;
    luaL_setmetatable(L, TYPE);
    h->data = (struct adjust_data){
        .P = P, .n = h->n, .N = h->N, .y = h->y, .seed = (uint64_t)luaL_checkinteger(L, 7)};
    h->data.shape.groups = groups;
    for (int g = 0; g <= groups; g++) {
        lua_rawgeti(L, 1, g + 1);
        h->data.shape.start[g] = (int)luaL_checkinteger(L, -1);
        luaL_argcheck(L,
                      g ? h->data.shape.start[g] > h->data.shape.start[g - 1]
                        : h->data.shape.start[g] == 0,
                      1, "must ascend from 0");
        lua_pop(L, 1);
    }
    int D = h->data.shape.D = h->data.shape.start[groups];
    luaL_argcheck(L, D >= 1 && D <= GP_FEATURES, 1, "too many features");
    luaL_argcheck(L, counts(L, 2, h->n, P, ADJUST_GUEST) == n, 2, "as many as errors");
    bool known = false;
    for (int p = 0; p < P; p++)
        known = known || h->n[p] >= ADJUST_LEAST;
    luaL_argcheck(L, known, 2, "too few networks in all of them");
    luaL_argcheck(L, check_features(L, 4, (size_t)D) == n, 4, "as many as errors");
    luaL_argcheck(L, counts(L, 3, h->N, P, 2) == check_features(L, 6, (size_t)D), 6,
                  "as many as drawn");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 5, (lua_Integer)i + 1);
        h->y[i] = luaL_checknumber(L, -1);
        luaL_argcheck(L, isfinite(h->y[i]), 5, "errors are finite");
        lua_pop(L, 1);
    }
    h->x = copy_features(L, 4);
    h->drawn_x = copy_features(L, 6);
    size_t N = lua_rawlen(L, 6) / sizeof(float) / (size_t)D;
    adjust_scale_of(&h->scale, h->drawn_x, N, D);
    adjust_standardise(&h->scale, h->x, n, D);
    adjust_standardise(&h->scale, h->drawn_x, N, D);
    h->data.x = h->x;
    h->data.drawn_x = h->drawn_x;
    h->data.same = h->same = copies(L, 8, n);
    lua_Integer bins = luaL_optinteger(L, 9, 0);
    luaL_argcheck(L, bins >= 0 && bins <= 1000, 9, "bins");
    if (bins) {
        h->data.bins = (uint32_t)bins;
        h->data.bin = h->bin = bins_of(L, 10, n, h->data.bins);
        h->data.drawn_bin = h->drawn_bin = bins_of(L, 11, N, h->data.bins);
    }
    h->fitted = true;
    bool done = adjust_fit(&h->fit, &h->data);
    free(h->x);
    free(h->drawn_x);
    h->data.x = h->data.drawn_x = h->x = h->drawn_x = NULL;
    return done ? 1 : raise_interrupted(L);
}

static int adjusted_free(lua_State *L)
{
    struct handle *h = check(L);
    if (h->fitted)
        adjust_free(&h->fit);
    free(h->x);
    free(h->drawn_x);
    free(h->same);
    free(h->bin);
    free(h->drawn_bin);
    h->x = h->drawn_x = NULL;
    h->same = h->bin = h->drawn_bin = NULL;
    h->fitted = false;
    return 0;
}

// The estimate of the mean of population `p` of a, with the early signals at the index `at` of the
// stack, if there are any: an adjusted of one population, whose `errors` they are, and whose first
// networks are those of p.
static void estimate(lua_State *L, int p, int at, struct adjusted_mean *out)
{
    struct handle *h = check(L);
    if (lua_isnoneornil(L, at)) {
        adjust_mean(&h->fit, &h->data, p, NULL, out);
        return;
    }
    struct handle *s = luaL_checkudata(L, at, TYPE);
    luaL_argcheck(L, s->data.P == 1 && s->n[0] >= h->n[p], at, "signals of all networks");
    struct adjusted_mean m = {.influence =
                                  lua_newuserdatauv(L, s->fit.n * sizeof *m.influence, 0)};
    adjust_mean(&s->fit, &s->data, 0, NULL, &m);
    struct adjust_early early = {s->fit.n, s->y, m.mean, m.drawn_se, m.influence};
    adjust_mean(&h->fit, &h->data, p, &early, out);
    lua_pop(L, 1);
}

// a:mean(p, signals or nil) -> { mean=, se=, df=, plain=, plain_se=, lambda=, beta=, r2= }
static int adjusted_mean(lua_State *L)
{
    struct adjusted_mean m = {0};
    lua_settop(L, 3);
    estimate(L, check_population(L, check(L), 2), 3, &m);
    lua_createtable(L, 0, 8);
    set_number(L, "df", m.df);
    set_number(L, "mean", m.mean);
    set_number(L, "se", m.se);
    set_number(L, "plain", m.plain);
    set_number(L, "plain_se", m.plain_se);
    set_number(L, "lambda", m.lambda);
    set_number(L, "beta", m.beta);
    set_number(L, "r2", m.r2);
    return 1;
}

// a:difference(p, q, signals of p or nil, of q or nil) -> mean of q less that of p, its standard
// error
static int adjusted_difference(lua_State *L)
{
    struct handle *h = check(L);
    lua_settop(L, 5);
    size_t n = h->fit.n;
    double *influence = lua_newuserdatauv(L, 2 * n * sizeof *influence, 0), sum = 0;
    struct adjusted_mean m[2] = {{.influence = influence}, {.influence = influence + n}};
    for (int i = 0; i < 2; i++) {
        estimate(L, check_population(L, h, 2 + i), 4 + i, &m[i]);
        sum += m[i].drawn_se * m[i].drawn_se + m[i].rest;
    }
    for (size_t j = 0; j < n; j++)
        sum += (influence[n + j] - influence[j]) * (influence[n + j] - influence[j]);
    lua_pushnumber(L, m[1].mean - m[0].mean);
    lua_pushnumber(L, sqrt(sum));
    return 2;
}

// a:values(p) -> pseudo-values of the trained networks of a population
static int adjusted_values(lua_State *L)
{
    struct handle *h = check(L);
    int p = check_population(L, h, 2);
    double *z = lua_newuserdatauv(L, h->n[p] * sizeof *z, 0);
    adjust_values(&h->fit, &h->data, p, z);
    push_list(L, z, h->n[p]);
    return 1;
}

// test(values, { in a alone, in b alone, in both }, t, draws, seed, coefficients lost) -> p
static int adjusted_test(lua_State *L)
{
    int n, groups;
    lua_settop(L, 6);
    double t = luaL_checknumber(L, 3);
    lua_Integer draws = luaL_checkinteger(L, 4), seed = luaL_checkinteger(L, 5);
    luaL_argcheck(L, draws >= 1 && draws <= INT32_MAX, 4, "draws");
    lua_Integer lost = luaL_optinteger(L, 6, 2);
    luaL_argcheck(L, lost == 1 || lost == 2, 6, "coefficients");
    lua_pushvalue(L, 1);
    double *z = number_list(L, "values", &n);
    lua_pushvalue(L, 2);
    double *list = number_list(L, "counts", &groups);
    luaL_argcheck(L, groups == 3, 2, "three counts");
    size_t count[3];
    for (int g = 0; g < 3; g++) {
        luaL_argcheck(L, list[g] >= 0 && list[g] <= n, 2, "counts");
        count[g] = (size_t)list[g];
    }
    luaL_argcheck(L, count[0] + count[1] + count[2] == (size_t)n, 2, "counts of all values");
    luaL_argcheck(L, count[0] + count[2] >= 3 && count[1] + count[2] >= 3, 1,
                  "too few values");
    lua_pushnumber(L, adjust_test(z, count, (int)lost, t, (uint32_t)draws, (uint64_t)seed));
    return 1;
}

// moments(x, D) -> sums and sums of squares of the D features of networks
static int adjusted_moments(lua_State *L)
{
    lua_Integer D = luaL_checkinteger(L, 2);
    luaL_argcheck(L, D >= 1 && D <= GP_FEATURES, 2, "features");
    size_t n = check_features(L, 1, (size_t)D);
    const float *x = (const float *)(const void *)lua_tostring(L, 1);
    double sum[2 * GP_FEATURES] = {0};
    for (size_t i = 0; i < n * (size_t)D; i++) {
        double v = (double)x[i];
        sum[i % (size_t)D] += v;
        sum[GP_FEATURES + i % (size_t)D] += v * v;
    }
    push_list(L, sum, (size_t)D);
    push_list(L, sum + GP_FEATURES, (size_t)D);
    return 2;
}

// student(p, df) -> quantile of Student's t
static int adjusted_student(lua_State *L)
{
    lua_pushnumber(L, student_quantile(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

// student_p(t, df) -> two-sided p of Student's t
static int adjusted_student_p(lua_State *L)
{
    double t = luaL_checknumber(L, 1), df = luaL_checknumber(L, 2);
    lua_pushnumber(L, beta_cdf(df / (df + t * t), df / 2, 0.5));
    return 1;
}

// a:edf(p, errors, level, draws) -> shares below each of the errors (ascending), half width of
// the band (draws = 0: none)
static int adjusted_edf(lua_State *L)
{
    struct handle *h = check(L);
    int p = check_population(L, h, 2), m;
    double level = level_from_lua(L, 4), half = 0;
    lua_Integer draws = luaL_checkinteger(L, 5);
    luaL_argcheck(L, draws >= 0 && draws <= 1000000, 5, "draws");
    lua_pushvalue(L, 3);
    double *e = number_list(L, "errors", &m);
    double *F = lua_newuserdatauv(L, ((size_t)m + 1) * sizeof *F, 0);
    if (!adjust_edf(&h->fit, &h->data, p, e, (size_t)m, F, level, (uint32_t)draws,
                    draws ? &half : NULL))
        return raise_interrupted(L);
    push_list(L, F, (size_t)m);
    lua_pushnumber(L, half);
    return 2;
}

// a:form(p, errors, weights) -> influence of the networks of population p on the sum of weights
// times EDF at the errors (ascending)
static int adjusted_form(lua_State *L)
{
    struct handle *h = check(L);
    int p = check_population(L, h, 2), m, weights;
    lua_settop(L, 4);
    lua_pushvalue(L, 3);
    double *e = number_list(L, "errors", &m);
    lua_pushvalue(L, 4);
    double *c = number_list(L, "weights", &weights);
    luaL_argcheck(L, m == weights, 4, "as many as errors");
    double *influence = lua_newuserdatauv(L, h->n[p] * sizeof *influence, 0);
    adjust_form(&h->fit, &h->data, p, e, c, (size_t)m, influence);
    push_list(L, influence, h->n[p]);
    return 1;
}

// a:predictions() -> of the trained networks, each by the fit that did not see it; of the drawn
static int adjusted_predictions(lua_State *L)
{
    struct handle *h = check(L);
    push_list(L, h->fit.f, h->fit.n);
    push_list(L, h->fit.drawn, h->fit.N);
    return 2;
}

// a:predict(x) -> mean predictions of all fits for other networks
static int adjusted_predict(lua_State *L)
{
    struct handle *h = check(L);
    size_t m = check_features(L, 2, (size_t)h->data.shape.D);
    double *f = lua_newuserdatauv(L, m * sizeof *f, 0);
    float *x = copy_features(L, 2);
    adjust_standardise(&h->scale, x, m, h->data.shape.D);
    adjust_predict(&h->fit, x, m, f);
    free(x);
    push_list(L, f, m);
    return 1;
}

int open_adjust(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", adjusted_free}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"mean", adjusted_mean},       {"difference", adjusted_difference},
        {"values", adjusted_values},   {"edf", adjusted_edf},
        {"form", adjusted_form},       {"predictions", adjusted_predictions},
        {"predict", adjusted_predict}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", new_adjusted},
                                         {"test", adjusted_test},
                                         {"moments", adjusted_moments},
                                         {"student", adjusted_student},
                                         {"student_p", adjusted_student_p},
                                         {NULL, NULL}};
    type_register(L, TYPE, meta, methods);
    luaL_newlib(L, functions);
    return 1;
}
