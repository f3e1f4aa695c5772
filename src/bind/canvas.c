/* netspace.core.canvas: canvases (src/term/canvas.h) and charts (chart.h) for Lua.
 * Cells are counted from 1, curves 1 … 8; see the headers for what each call draws. */
#include "bind/bind.h"

#include <math.h>

#include "term/canvas.h"
#include "term/chart.h"

#define TYPE "netspace.canvas"

struct canvas *canvas_from_lua(lua_State *L, int index)
{
    struct canvas **c = luaL_checkudata(L, index, TYPE);
    luaL_argcheck(L, *c, index, "closed canvas");
    return *c;
}

// new(width, height [, ascii]) -> canvas
static int l_new(lua_State *L)
{
    lua_Integer width = luaL_checkinteger(L, 1), height = luaL_checkinteger(L, 2);
    luaL_argcheck(L, width >= 1 && width <= CANVAS_MAX, 1, "width must be 1 to 1000");
    luaL_argcheck(L, height >= 1 && height <= CANVAS_MAX, 2, "height must be 1 to 1000");
    struct canvas **c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = NULL;
    luaL_setmetatable(L, TYPE);
    *c = canvas_new((int)width, (int)height, lua_toboolean(L, 3));
    return 1;
}

// text_width(s) -> cells
static int l_text_width(lua_State *L)
{
    lua_pushinteger(L, canvas_text_width(luaL_checkstring(L, 1)));
    return 1;
}

static int l_close(lua_State *L)
{
    struct canvas **c = luaL_checkudata(L, 1, TYPE);
    canvas_free(*c);
    *c = NULL;
    return 0;
}

static int l_tostring(lua_State *L)
{
    struct canvas **c = luaL_checkudata(L, 1, TYPE);
    if (*c)
        lua_pushfstring(L, "canvas %dx%d%s", canvas_width(*c), canvas_height(*c),
                        canvas_ascii(*c) ? " ascii" : "");
    else
        lua_pushliteral(L, "closed canvas");
    return 1;
}

// c:size() -> width, height
static int l_size(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    lua_pushinteger(L, canvas_width(c));
    lua_pushinteger(L, canvas_height(c));
    return 2;
}

// c:text(x, y, s [, width [, style]]) -> the column after it
static int l_text(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    int x = (int)luaL_checkinteger(L, 2) - 1, y = (int)luaL_checkinteger(L, 3) - 1;
    const char *s = luaL_checkstring(L, 4);
    lua_pushinteger(L, canvas_text(c, x, y, s, (int)luaL_optinteger(L, 5, -1),
                                   (int)luaL_optinteger(L, 6, 0)) + 1);
    return 1;
}

// c:lines([colours]) -> list of strings, one a row
static int l_lines(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    int colours = (int)luaL_optinteger(L, 2, 0);
    char *row = lua_newuserdatauv(L, canvas_row_bytes(c), 0);
    lua_createtable(L, canvas_height(c), 0);
    for (int y = 0; y < canvas_height(c); y++) {
        lua_pushlstring(L, row, canvas_row(c, y, colours, row));
        lua_rawseti(L, -2, y + 1);
    }
    return 1;
}

/* Charts. */

static int field_int(lua_State *L, int t, const char *key, int otherwise)
{
    lua_getfield(L, t, key);
    int n = (int)luaL_optinteger(L, -1, otherwise);
    lua_pop(L, 1);
    return n;
}

static double field_number(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    double n = luaL_optnumber(L, -1, NAN);
    lua_pop(L, 1);
    return n;
}

static bool field_bool(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    bool b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

// The string stays alive in the table it came from.
static const char *field_string(lua_State *L, int t, const char *key,
                                const char *otherwise)
{
    lua_getfield(L, t, key);
    const char *s = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : otherwise;
    lua_pop(L, 1);
    return s;
}

// Leaves the block that holds the numbers on the stack.
static const double *field_numbers(lua_State *L, int t, const char *key, size_t n)
{
    double *list = lua_newuserdatauv(L, (n ? n : 1) * sizeof *list, 0);
    lua_getfield(L, t, key);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        list[i] = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : NAN;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return list;
}

// The length of the list at field `key` of the table at `t`, 0 when there is none.
static size_t field_length(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    size_t n = lua_istable(L, -1) ? (size_t)luaL_len(L, -1) : 0;
    lua_pop(L, 1);
    return n;
}

/* The list at field "curves" of the table at `t`: {name=, count=, min=, mean=, failed=,
 * id=, faint=, hidden=, selected=, x=, y=} each.  Pushes three blocks a curve at most. */
static int read_curves(lua_State *L, int t, struct curve *curves, int most)
{
    lua_getfield(L, t, "curves");
    luaL_argcheck(L, lua_istable(L, -1), t, "curves expected");
    int list = lua_gettop(L), n = (int)luaL_len(L, list);
    luaL_argcheck(L, n <= most, t, "too many curves");
    luaL_checkstack(L, 4 * most + 10, "curves");
    for (int i = 0; i < n; i++) {
        lua_geti(L, list, i + 1);
        int c = lua_gettop(L);
        luaL_argcheck(L, lua_istable(L, c), t, "a curve must be a table");
        size_t points = field_length(L, c, "x");
        curves[i] = (struct curve){
            .name = field_string(L, c, "name", ""),
            .count = field_string(L, c, "count", ""),
            .min = field_number(L, c, "min"),
            .mean = field_number(L, c, "mean"),
            .failed = field_int(L, c, "failed", 0),
            .id = field_int(L, c, "id", i + 1) - 1,
            .faint = field_bool(L, c, "faint"),
            .hidden = field_bool(L, c, "hidden"),
            .selected = field_bool(L, c, "selected"),
            .n = points,
        };
        luaL_argcheck(L, curves[i].id >= 0 && curves[i].id < CANVAS_CURVES, t,
                      "curve ids are 1 to 8");
        if (points) {
            curves[i].x = field_numbers(L, c, "x", points);
            curves[i].y = field_numbers(L, c, "y", points);
        }
    }
    return n;
}

// The frame of a chart, from the table at index 2.
static struct chart read_chart(lua_State *L, const struct canvas *c)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    return (struct chart){
        .left = field_int(L, 2, "left", 1) - 1,
        .top = field_int(L, 2, "top", 1) - 1,
        .width = field_int(L, 2, "width", canvas_width(c)),
        .height = field_int(L, 2, "height", canvas_height(c)),
        .x_label = field_string(L, 2, "x_label", NULL),
        .y_label = field_string(L, 2, "y_label", NULL),
        .x0 = field_number(L, 2, "x0"),
        .x1 = field_number(L, 2, "x1"),
        .y0 = field_number(L, 2, "y0"),
        .y1 = field_number(L, 2, "y1"),
        .log_x = field_bool(L, 2, "log"),
        .cursor = field_number(L, 2, "cursor"),
    };
}

// {x0=, x1=, log=, left=, top=, width=, height=}: the range, the cells of the plot
static int push_plot(lua_State *L, const struct chart *chart)
{
    lua_createtable(L, 0, 7);
    set_number(L, "x0", chart->x0);
    set_number(L, "x1", chart->x1);
    lua_pushboolean(L, chart->log_x);
    lua_setfield(L, -2, "log");
    set_integer(L, "left", chart->plot_left + 1);
    set_integer(L, "top", chart->plot_top + 1);
    set_integer(L, "width", chart->plot_width);
    set_integer(L, "height", chart->plot_height);
    return 1;
}

// c:chart{left=, top=, width=, height=, x_label=, y_label=, x0=, x1=, log=, cursor=, curves=,
//   band={id=, x={…}, lo={…}, hi={…}}} -> where the plot is
static int l_chart(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    struct curve curves[2 * CANVAS_CURVES];
    struct chart chart = read_chart(L, c);
    int n = read_curves(L, 2, curves, 2 * CANVAS_CURVES);
    struct band band = {0};
    lua_getfield(L, 2, "band");
    int b = lua_gettop(L);
    bool banded = lua_istable(L, b);
    if (banded) {
        band.id = field_int(L, b, "id", 1) - 1;
        band.n = field_length(L, b, "x");
        band.x = field_numbers(L, b, "x", band.n);
        band.lo = field_numbers(L, b, "lo", band.n);
        band.hi = field_numbers(L, b, "hi", band.n);
    }
    chart_draw(c, &chart, curves, n, banded ? &band : NULL);
    return push_plot(L, &chart);
}

// c:points{left=, …, x0=, x1=, y0=, y1=, id=, joined=, x={…}, y={…}, lo=, median=, hi=}
//   -> where the plot is
static int l_points(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    struct chart chart = read_chart(L, c);
    luaL_argcheck(L, chart.x0 < chart.x1 && chart.y0 < chart.y1, 2, "a range is missing");
    struct points p = {
        .id = field_int(L, 2, "id", 1) - 1,
        .joined = field_bool(L, 2, "joined"),
        .n = field_length(L, 2, "x"),
        .lo = field_number(L, 2, "lo"),
        .median = field_number(L, 2, "median"),
        .hi = field_number(L, 2, "hi"),
    };
    luaL_argcheck(L, p.id >= 0 && p.id < CANVAS_CURVES, 2, "ids are 1 to 8");
    p.x = field_numbers(L, 2, "x", p.n);
    p.y = field_numbers(L, 2, "y", p.n);
    chart_points(c, &chart, &p);
    return push_plot(L, &chart);
}

// c:legend{left=, top=, width=, height=, curves=} -> rows
static int l_legend(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct curve curves[2 * CANVAS_CURVES];
    int n = read_curves(L, 2, curves, 2 * CANVAS_CURVES);
    int left = field_int(L, 2, "left", 1) - 1, top = field_int(L, 2, "top", 1) - 1;
    int width = field_int(L, 2, "width", canvas_width(c));
    int height = field_int(L, 2, "height", canvas_height(c));
    lua_pushinteger(L, chart_legend(c, left, top, width, height, curves, n));
    return 1;
}

static const luaL_Reg functions[] = {
    {"new", l_new},
    {"text_width", l_text_width},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"size", l_size},   {"text", l_text},     {"lines", l_lines},
    {"chart", l_chart}, {"points", l_points}, {"legend", l_legend},
    {"close", l_close}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", l_close},
    {"__close", l_close},
    {"__tostring", l_tostring},
    {NULL, NULL},
};

int open_canvas(lua_State *L)
{
    static const struct { const char *name; int style; } styles[] = {
        {"bold", STYLE_BOLD},       {"dim", STYLE_DIM},   {"reverse", STYLE_REVERSE},
        {"alarm", STYLE_ALARM},     {"good", STYLE_GOOD},
    };
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        lua_pushinteger(L, styles[i].style);
        lua_setfield(L, -2, styles[i].name);
    }
    return 1;
}
