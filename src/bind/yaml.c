/* netspace.core.yaml: text in YAML as Lua values, for lua/netspace/exchange.
 *
 *   read(text) -> value, { ["KEY.OF.A.MAP"] = line, … }; or nil, message
 *
 * One document: maps (of scalar keys) and lists are tables, plain scalars are what PyYAML makes of
 * them (YAML 1.1: yes and no are booleans, 1e-5 is a string until "1.0e-5"), except that a null
 * in a map is a missing key.  What configurations do not need, and what can do harm, is
 * refused with its line: aliases (a "bomb" is a few lines of them), tags, several documents, a key
 * given twice, more than MOST values, deeper than DEEP.
 * libyaml reads the text: https://pyyaml.org/wiki/LibYAML. */
#include "bind/bind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MOST = 200000, DEEP = 64 };
enum {
    LINES = 3
}; // where the table of lines is on the stack, behind the text and its reader

struct reading {
    lua_State *L;
    yaml_parser_t parser;
    long values;
    char error[200];
};

// The line of an event, from 1.
static unsigned long line_of(const yaml_event_t *e)
{
    return (unsigned long)e->start_mark.line + 1;
}

static bool refused(struct reading *r, const yaml_event_t *e, const char *why)
{
    snprintf(r->error, sizeof r->error, "line %lu: %s", line_of(e), why);
    return false;
}

// Is the text one of a list of words, each followed by a space?
static bool among(const char *text, size_t n, const char *words)
{
    for (const char *w = words; *w; w = strchr(w, ' ') + 1)
        if (strcspn(w, " ") == n && strncmp(w, text, n) == 0)
            return true;
    return false;
}

static size_t digits(const char *s)
{
    return strspn(s, "0123456789_");
}

// A number in the forms of YAML 1.1 that PyYAML knows; sexagesimals are text.
static bool push_number_of(lua_State *L, const char *text, size_t n)
{
    char plain[64];
    size_t length = 0;
    if (n >= sizeof plain)
        return false;
    bool negative = text[0] == '-';
    const char *s = text + (text[0] == '-' || text[0] == '+'), *end = text + n;
    if (among(s, (size_t)(end - s), ".inf .Inf .INF "))
        return lua_pushnumber(L, negative ? -HUGE_VAL : HUGE_VAL), true;
    if (s == text && among(s, n, ".nan .NaN .NAN "))
        return lua_pushnumber(L, NAN), true;
    size_t whole = digits(s);
    const char *rest = s + whole;
    bool fraction = *rest == '.';
    if (fraction)
        rest += 1 + digits(rest + 1);
    if (whole == 0 && (!fraction || rest == s + 1))
        return false;
    if (s[0] == '_')
        return false;
    if (fraction && (*rest == 'e' || *rest == 'E')) {
        if (rest[1] != '-' && rest[1] != '+')
            return false;
        size_t exponent = strspn(rest + 2, "0123456789");
        if (exponent == 0)
            return false;
        rest += 2 + exponent;
    }
    if (rest != end || (!fraction && whole > 1 && s[0] == '0'))
        return false; // 0x1f and 017 are no numbers of a configuration
    for (const char *c = text; c < end; c++)
        if (*c != '_')
            plain[length++] = *c;
    plain[length] = 0;
    if (lua_stringtonumber(L, plain[0] == '+' ? plain + 1 : plain) == 0)
        return false;
    return true;
}

static void push_scalar(lua_State *L, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t n = e->data.scalar.length;
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        if (n == 0 || among(text, n, "~ null Null NULL ")) {
            lua_pushnil(L);
            return;
        }
        bool yes = among(text, n, "yes Yes YES true True TRUE on On ON ");
        if (yes || among(text, n, "no No NO false False FALSE off Off OFF ")) {
            lua_pushboolean(L, yes);
            return;
        }
        if (push_number_of(L, text, n))
            return;
    }
    lua_pushlstring(L, text, n);
}

static bool next(struct reading *r, yaml_event_t *e)
{
    if (yaml_parser_parse(&r->parser, e))
        return true;
    if (r->parser.error == YAML_MEMORY_ERROR)
        snprintf(r->error, sizeof r->error, "out of memory");
    else
        snprintf(r->error, sizeof r->error, "line %lu: %s%s%s",
                 (unsigned long)r->parser.problem_mark.line + 1,
                 r->parser.problem ? r->parser.problem : "it is not YAML",
                 r->parser.context ? ", " : "", r->parser.context ? r->parser.context : "");
    return false;
}

static bool push_value(struct reading *r, const yaml_event_t *e, int depth, const char *path);

// Pushes the path of the key on top of the stack, and notes its line.
static const char *push_path(struct reading *r, const yaml_event_t *key, const char *path)
{
    lua_State *L = r->L;
    lua_pushfstring(L, *path ? "%s.%s" : "%s%s", path, lua_tostring(L, -1));
    lua_pushvalue(L, -1);
    lua_pushinteger(L, (lua_Integer)line_of(key));
    lua_rawset(L, LINES);
    return lua_tostring(L, -1);
}

// The rest of a list or map whose first event was read: a table.  `path`: the keys that lead to it.
static bool push_table(struct reading *r, bool map, int depth, const char *path)
{
    lua_State *L = r->L;
    lua_newtable(L);
    for (lua_Integer i = 1;; i++) {
        yaml_event_t e;
        if (!next(r, &e))
            return false;
        bool over = e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT;
        bool good = over;
        if (!over && map) {
            good = e.type == YAML_SCALAR_EVENT || refused(r, &e, "a key is a list or a map");
            if (good) {
                lua_pushlstring(L, (const char *)e.data.scalar.value, e.data.scalar.length);
                lua_pushvalue(L, -1);
                good = lua_rawget(L, -3) == LUA_TNIL;
                lua_pop(L, 1);
                if (!good)
                    refused(r, &e,
                            lua_pushfstring(L, "%s is given twice", lua_tostring(L, -1)));
            }
            yaml_event_t value;
            if (good && next(r, &value)) {
                const char *to = push_path(r, &e, path);
                lua_insert(L, -2); // table, path, key
                good = push_value(r, &value, depth, to);
                yaml_event_delete(&value);
                if (good) {
                    lua_rawset(L, -4);
                    lua_pop(L, 1);
                }
            } else {
                good = false;
            }
        } else if (!over) {
            good = push_value(r, &e, depth, path);
            if (good && lua_isnil(L, -1))
                good = refused(r, &e, "an entry of a list is missing");
            if (good)
                lua_rawseti(L, -2, i);
        }
        yaml_event_delete(&e);
        if (over || !good)
            return good;
    }
}

static bool push_value(struct reading *r, const yaml_event_t *e, int depth, const char *path)
{
    if (e->type == YAML_ALIAS_EVENT)
        return refused(r, e, "an alias (*name) is not read; write the value itself");
    if (++r->values > MOST)
        return refused(r, e, "there are more than 200,000 values");
    if (depth == DEEP || !lua_checkstack(r->L, 12))
        return refused(r, e, "it is nested more than 64 levels deep");
    const yaml_char_t *tag = e->type == YAML_SCALAR_EVENT ? e->data.scalar.tag
                             : e->type == YAML_MAPPING_START_EVENT
                                 ? e->data.mapping_start.tag
                                 : e->data.sequence_start.tag;
    if (tag)
        return refused(r, e, "a tag (!name) is not read");
    if (e->type == YAML_SCALAR_EVENT)
        return push_scalar(r->L, e), true;
    return push_table(r, e->type == YAML_MAPPING_START_EVENT, depth + 1, path);
}

// The document: its value, or nothing for an empty text.
static bool push_document(struct reading *r)
{
    int documents = 0;
    for (bool good = true; good;) {
        yaml_event_t e;
        if (!next(r, &e))
            return false;
        bool over = e.type == YAML_STREAM_END_EVENT;
        if (e.type == YAML_DOCUMENT_START_EVENT)
            good = ++documents == 1 || refused(r, &e, "there is more than one document");
        else if (e.type == YAML_SCALAR_EVENT || e.type == YAML_MAPPING_START_EVENT ||
                 e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_ALIAS_EVENT)
            good = push_value(r, &e, 0, "");
        yaml_event_delete(&e);
        if (over)
            return true;
        if (!good)
            return false;
    }
    return false;
}

static const char TYPE[] = "netspace.yaml"; // a struct reading, freed also after an error

static int reading_free(lua_State *L)
{
    struct reading *r = luaL_checkudata(L, 1, TYPE);
    yaml_parser_delete(&r->parser);
    return 0;
}

static int yaml_read(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    lua_settop(L, 1);
    struct reading *r = lua_newuserdatauv(L, sizeof *r, 0);
    *r = (struct reading){.L = L};
    if (!yaml_parser_initialize(&r->parser))
        return luaL_error(L, "yaml: out of memory");
    luaL_setmetatable(L, TYPE);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, n);
    lua_newtable(L); // at LINES
    if (!push_document(r))
        return push_failure(L, r->error);
    if (lua_gettop(L) == LINES)
        lua_newtable(L);
    lua_pushvalue(L, LINES);
    return 2;
}

static const luaL_Reg functions[] = {{"read", yaml_read}, {NULL, NULL}};

int open_yaml(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", reading_free}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    type_register(L, TYPE, metamethods, methods);
    luaL_newlib(L, functions);
    return 1;
}
