/* netspace.core.canvas: canvases (src/term/canvas.h) and charts (chart.h) for Lua.
 * Cells are counted from 1, curves 1 … 8; see the headers for what each call draws. */
#include "bind/bind.h"

#include <math.h>

#include "base/table.h"
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
    bool ascii = lua_toboolean(L, 3); // before the canvas is on the stack
    struct canvas **c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = NULL;
    luaL_setmetatable(L, TYPE);
    *c = canvas_new((int)width, (int)height, ascii);
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
                                   (int)luaL_optinteger(L, 6, 0)) +
                           1);
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
static const char *field_string(lua_State *L, int t, const char *key, const char *otherwise)
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

// 2 or 10, the base of a logarithmic axis (true: 10); 0: it is none.
static int field_log(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    int base = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : lua_toboolean(L, -1) * 10;
    lua_pop(L, 1);
    luaL_argcheck(L, base == 0 || base == 2 || base == 10, t, "a logarithm is to 2 or 10");
    return base;
}

static enum shape field_shape(lua_State *L, int t)
{
    static const char *const names[] = {"steps", "line", "points", NULL};
    TABLE_HAS(names, SHAPES + 1);
    lua_getfield(L, t, "kind");
    int shape = luaL_checkoption(L, -1, "steps", names);
    lua_pop(L, 1);
    return (enum shape)shape;
}

/* The list at field "curves" of the table at `t`: {kind="steps"|"line"|"points", name=,
 * count=, min=, mean=, failed=, id=, faint=, hidden=, selected=, x=, y=} each.  Pushes three
 * blocks a curve at most. */
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
            .shape = field_shape(L, c),
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
        .log_x = field_log(L, 2, "log"),
        .log_y = field_log(L, 2, "log_y"),
        .cursor = field_number(L, 2, "cursor"),
    };
}

// {x0=, x1=, log=, left=, top=, width=, height=}: the range, the cells of the plot
static int push_plot(lua_State *L, const struct chart *chart)
{
    lua_createtable(L, 0, 7);
    set_number(L, "x0", chart->x0);
    set_number(L, "x1", chart->x1);
    lua_pushboolean(L, chart->log_x != 0);
    lua_setfield(L, -2, "log");
    set_integer(L, "left", chart->plot_left + 1);
    set_integer(L, "top", chart->plot_top + 1);
    set_integer(L, "width", chart->plot_width);
    set_integer(L, "height", chart->plot_height);
    return 1;
}

// The list at field "bands": {id=, x={…}, lo={…}, hi={…}} each.
static int read_bands(lua_State *L, int t, struct band *bands, int most)
{
    lua_getfield(L, t, "bands");
    int list = lua_gettop(L), n = lua_istable(L, list) ? (int)luaL_len(L, list) : 0;
    luaL_argcheck(L, n <= most, t, "too many bands");
    luaL_checkstack(L, 4 * most + 10, "bands");
    for (int i = 0; i < n; i++) {
        lua_geti(L, list, i + 1);
        int b = lua_gettop(L);
        luaL_argcheck(L, lua_istable(L, b), t, "a band must be a table");
        bands[i].id = field_int(L, b, "id", 1) - 1;
        luaL_argcheck(L, bands[i].id >= 0 && bands[i].id < CANVAS_CURVES, t,
                      "band ids are 1 to 8");
        bands[i].n = field_length(L, b, "x");
        bands[i].x = field_numbers(L, b, "x", bands[i].n);
        bands[i].lo = field_numbers(L, b, "lo", bands[i].n);
        bands[i].hi = field_numbers(L, b, "hi", bands[i].n);
    }
    return n;
}

// The list of names at field "x_ticks", which stay alive in it, as a block on the stack.
static void read_names(lua_State *L, int t, struct chart *chart)
{
    lua_getfield(L, t, "x_ticks");
    if (!lua_istable(L, -1))
        return;
    int n = (int)luaL_len(L, -1);
    const char **names = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *names, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, -2, i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, t, "x_ticks are strings");
        names[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    chart->x_names = names;
    chart->n_names = n;
}

// c:chart{left=, top=, width=, height=, x_label=, y_label=, x0=, x1=, y0=, y1=, log=, log_y=,
//   x_ticks={…}, cursor=, curves=, bands=} -> where the plot is
static int l_chart(lua_State *L)
{
    struct canvas *c = canvas_from_lua(L, 1);
    struct curve curves[2 * CANVAS_CURVES];
    struct band bands[CANVAS_CURVES];
    struct chart chart = read_chart(L, c);
    int n = read_curves(L, 2, curves, 2 * CANVAS_CURVES);
    int n_bands = read_bands(L, 2, bands, CANVAS_CURVES);
    read_names(L, 2, &chart);
    chart_draw(c, &chart, curves, n, bands, n_bands);
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
    {"size", l_size},     {"text", l_text},   {"lines", l_lines}, {"chart", l_chart},
    {"legend", l_legend}, {"close", l_close}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", l_close},
    {"__close", l_close},
    {"__tostring", l_tostring},
    {NULL, NULL},
};

int open_canvas(lua_State *L)
{
    static const struct {
        const char *name;
        int style;
    } styles[] = {
        {"bold", STYLE_BOLD},   {"dim", STYLE_DIM},   {"reverse", STYLE_REVERSE},
        {"alarm", STYLE_ALARM}, {"good", STYLE_GOOD},
    };
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        lua_pushinteger(L, styles[i].style);
        lua_setfield(L, -2, styles[i].name);
    }
    return 1;
}
