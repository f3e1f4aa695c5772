/* netspace.core.sqlite: the database under the store; the one file that knows SQLite.
 *
 *   db = sqlite.open(path, "rw" | "r" | "frozen")   or nil, message, code
 *   db:exec(sql)              several statements, no parameters -> true
 *   db:run(sql, params)       one statement -> number of rows changed
 *   db:rows(sql, params)      -> list of rows, each a table by column name
 *   db:columns(sql, params)   -> table of lists by column name, n = number of rows
 *   db:transaction(fn)        BEGIN IMMEDIATE, fn(), COMMIT -> what fn returned
 *   db:snapshot(fn)           the same for reads: all that fn reads is of one moment
 *   db:check()                -> list of what is damaged, each a line; stops at Ctrl-C
 *   db:copy([path])           -> a database with the same content, in memory or a new file
 *   db:last_id()  db:close()
 *
 * params is a list for ? or a table for :name; what it lacks is NULL, and so is NaN.
 * NULL comes back as nil (in columns: as false, so that the lists have no holes).
 * The outside world failing is nil, message, code; only a closed database, a value that
 * cannot be stored and an error inside fn raise (the last after ROLLBACK).
 *
 * Reads return whole lists, never open cursors: a read transaction that outlives a call
 * would keep the write-ahead log from being folded back.  Writers get synchronous=FULL (what
 * was committed survives a power cut) and IMMEDIATE transactions: a deferred one that turns
 * into a write fails at once in spite of the busy timeout (sqlite.org/lang_transaction.html).
 * "frozen" reads a file that nobody writes, on a medium where the log's index cannot be made.
 * Statements are cached. */
#include "base/interrupt.h"
#include "bind/bind.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CACHE = 64, BUSY_MS = 30000 };

struct database {
    sqlite3 *db;
    sqlite3_stmt *cache[CACHE]; // owned; a statement is found again by its text
    unsigned next;              // slot to reuse when all are taken
};

static const char NAME[] = "netspace.database";

static struct database *check_database(lua_State *L)
{
    struct database *d = luaL_checkudata(L, 1, NAME);
    if (!d->db)
        luaL_error(L, "closed database");
    return d;
}

static void close_database(struct database *d)
{
    for (int i = 0; i < CACHE; i++) {
        sqlite3_finalize(d->cache[i]);
        d->cache[i] = NULL;
    }
    sqlite3_close(d->db);
    d->db = NULL;
}

static int push_db_failure(lua_State *L, sqlite3 *db)
{
    lua_pushnil(L);
    lua_pushstring(L, db ? sqlite3_errmsg(db) : "out of memory");
    lua_pushinteger(L, db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM);
    return 3;
}

// "file:" address of a path that reads it as unchanging; pushes the string
static const char *frozen_uri(lua_State *L, const char *path)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "file:");
    for (const char *s = path; *s; s++) {
        if (strchr("%?#", *s)) {
            char code[4];
            snprintf(code, sizeof code, "%%%02X", (unsigned char)*s);
            luaL_addstring(&b, code);
        } else {
            luaL_addchar(&b, *s);
        }
    }
    luaL_addstring(&b, "?immutable=1");
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

// An empty userdata: filled by whoever pushes it, closed by Lua whatever happens.
static struct database *push_database(lua_State *L)
{
    struct database *d = lua_newuserdatauv(L, sizeof *d, 0);
    memset(d, 0, sizeof *d);
    luaL_setmetatable(L, NAME);
    return d;
}

static int sqlite_open(lua_State *L)
{
    static const char *const modes[] = {"r", "rw", "frozen", NULL};
    const char *path = luaL_checkstring(L, 1);
    int mode = luaL_checkoption(L, 2, "r", modes);
    if (mode == 2)
        path = frozen_uri(L, path);
    struct database *d = push_database(L);
    // A reader may write in SQLite's sense: else the last one out could not fold and remove
    // the log.  query_only keeps it from changing anything; an unwritable file is no error.
    int flags = mode == 1   ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                : mode == 2 ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
                            : SQLITE_OPEN_READWRITE;
    if (sqlite3_open_v2(path, &d->db, flags, NULL) != SQLITE_OK)
        return push_db_failure(L, d->db); // the userdata closes what was opened
    sqlite3_busy_timeout(d->db, BUSY_MS);
    // What somebody else put into a store as a view or a trigger calls no function that does
    // more than compute, and no statement writes to SQLite's own tables.
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    const char *setup = mode == 1 ? "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"
                                  : "PRAGMA query_only=ON";
    if (sqlite3_exec(d->db, setup, NULL, NULL, NULL) != SQLITE_OK)
        return push_db_failure(L, d->db);
    return 1;
}

static bool at_end(const char *sql)
{
    return sql[strspn(sql, " \t\n;")] == 0;
}

// The prepared statement of the SQL at index 2 with the parameters at index 3 bound;
// NULL when SQLite refuses it.
static sqlite3_stmt *prepare(lua_State *L, struct database *d)
{
    const char *sql = luaL_checkstring(L, 2), *rest;
    if (!lua_isnoneornil(L, 3))
        luaL_checktype(L, 3, LUA_TTABLE);
    sqlite3_stmt *s = NULL;
    for (int i = 0; i < CACHE && d->cache[i] && !s; i++) {
        size_t len = strlen(sqlite3_sql(d->cache[i])); // without what follows it
        if (strncmp(sqlite3_sql(d->cache[i]), sql, len) == 0 && at_end(sql + len))
            s = d->cache[i];
    }
    if (!s) {
        if (sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &rest) !=
            SQLITE_OK)
            return NULL;
        if (!s || !at_end(rest)) {
            sqlite3_finalize(s);
            luaL_argerror(L, 2, "expects exactly one statement");
        }
        sqlite3_finalize(d->cache[d->next]);
        d->cache[d->next] = s;
        d->next = (d->next + 1) % CACHE;
    }
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    int n = sqlite3_bind_parameter_count(s);
    for (int i = 1; i <= n && lua_istable(L, 3); i++) {
        const char *name = sqlite3_bind_parameter_name(s, i);
        int type = name ? lua_getfield(L, 3, name + 1) : lua_geti(L, 3, i);
        size_t len;
        const char *text;
        int code = SQLITE_OK;
        switch (type) {
        case LUA_TNIL:
            break;
        case LUA_TBOOLEAN:
            code = sqlite3_bind_int(s, i, lua_toboolean(L, -1));
            break;
        case LUA_TNUMBER:
            code = lua_isinteger(L, -1) ? sqlite3_bind_int64(s, i, lua_tointeger(L, -1))
                                        : sqlite3_bind_double(s, i, lua_tonumber(L, -1));
            break;
        case LUA_TSTRING:
            text = lua_tolstring(L, -1, &len);
            code = sqlite3_bind_text(s, i, text, (int)len, SQLITE_TRANSIENT);
            break;
        default:
            luaL_error(L, "parameter %s cannot be stored: it is a %s",
                       name ? name : lua_pushfstring(L, "%d", i), lua_typename(L, type));
        }
        lua_pop(L, 1);
        if (code != SQLITE_OK) // memory is short: what is not bound would be stored as NULL
            return NULL;
    }
    return s;
}

static void push_column(lua_State *L, sqlite3_stmt *s, int i)
{
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER:
        lua_pushinteger(L, sqlite3_column_int64(s, i));
        break;
    case SQLITE_FLOAT:
        lua_pushnumber(L, sqlite3_column_double(s, i));
        break;
    case SQLITE_NULL:
        lua_pushnil(L);
        break;
    case SQLITE_TEXT: {
        // A store may be anybody's: text for people loses what a terminal obeys; JSON, which may
        // hold names of files, only what it may not hold unescaped.
        const char *text = (const char *)sqlite3_column_text(s, i);
        if (!text)
            luaL_error(L, "not enough memory");
        bool json = *text == '{' || *text == '[';
        push_harmless(L, text, (size_t)sqlite3_column_bytes(s, i), json);
        break;
    }
    default: {
        const void *blob = sqlite3_column_blob(s, i);
        lua_pushlstring(L, blob ? blob : "", (size_t)sqlite3_column_bytes(s, i));
    }
    }
}

static int database_exec(lua_State *L)
{
    struct database *d = check_database(L);
    if (sqlite3_exec(d->db, luaL_checkstring(L, 2), NULL, NULL, NULL) != SQLITE_OK)
        return push_db_failure(L, d->db);
    lua_pushboolean(L, 1);
    return 1;
}

static int database_run(lua_State *L)
{
    struct database *d = check_database(L);
    sqlite3_stmt *s = prepare(L, d);
    if (!s)
        return push_db_failure(L, d->db);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        ;
    if (sqlite3_reset(s) != SQLITE_OK || code != SQLITE_DONE)
        return push_db_failure(L, d->db);
    lua_pushinteger(L, sqlite3_changes(d->db));
    return 1;
}

static int database_rows(lua_State *L)
{
    struct database *d = check_database(L);
    sqlite3_stmt *s = prepare(L, d);
    if (!s)
        return push_db_failure(L, d->db);
    int columns = sqlite3_column_count(s), code;
    lua_newtable(L);
    for (lua_Integer n = 1; (code = sqlite3_step(s)) == SQLITE_ROW; n++) {
        lua_createtable(L, 0, columns);
        for (int i = 0; i < columns; i++) {
            push_column(L, s, i);
            lua_setfield(L, -2, sqlite3_column_name(s, i));
        }
        lua_rawseti(L, -2, n);
    }
    if (sqlite3_reset(s) != SQLITE_OK || code != SQLITE_DONE)
        return push_db_failure(L, d->db);
    return 1;
}

static int database_columns(lua_State *L)
{
    struct database *d = check_database(L);
    sqlite3_stmt *s = prepare(L, d);
    if (!s)
        return push_db_failure(L, d->db);
    int columns = sqlite3_column_count(s), code, base = lua_gettop(L) + 1;
    luaL_checkstack(L, columns + 4, "too many columns");
    lua_newtable(L);
    for (int i = 0; i < columns; i++) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, base, sqlite3_column_name(s, i));
    }
    lua_Integer n = 0;
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        n++;
        for (int i = 0; i < columns; i++) {
            if (sqlite3_column_type(s, i) == SQLITE_NULL)
                lua_pushboolean(L, 0);
            else
                push_column(L, s, i);
            lua_rawseti(L, base + 1 + i, n);
        }
    }
    if (sqlite3_reset(s) != SQLITE_OK || code != SQLITE_DONE)
        return push_db_failure(L, d->db);
    lua_settop(L, base);
    lua_pushinteger(L, n);
    lua_setfield(L, base, "n");
    return 1;
}

// begin, fn(), COMMIT; what fn returned.  Where it only read, how that ends is no matter
// (on a damaged database the end may fail, too).
static int between(lua_State *L, const char *begin, bool writes)
{
    struct database *d = check_database(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (sqlite3_exec(d->db, begin, NULL, NULL, NULL) != SQLITE_OK)
        return push_db_failure(L, d->db);
    int bad = lua_pcall(L, 0, LUA_MULTRET, 0);
    if (!d->db)
        return luaL_error(L, "database closed inside its transaction");
    if (bad) {
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
        return lua_error(L);
    }
    if (sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        int n = push_db_failure(L, d->db);
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
        if (writes)
            return n;
        lua_pop(L, n);
    }
    return lua_gettop(L) - 1;
}

static int database_transaction(lua_State *L)
{
    return between(L, "BEGIN IMMEDIATE", true);
}

static int database_snapshot(lua_State *L)
{
    return between(L, "BEGIN", false);
}

static int stop_at_interrupt(void *nothing)
{
    (void)nothing;
    return interrupt_pending();
}

static int database_check(lua_State *L)
{
    struct database *d = check_database(L);
    lua_settop(L, 1);
    lua_pushliteral(L, "PRAGMA integrity_check(100)");
    sqlite3_stmt *s = prepare(L, d);
    if (!s)
        return push_db_failure(L, d->db);
    int code;
    lua_newtable(L);
    sqlite3_progress_handler(d->db, 1000, stop_at_interrupt, NULL);
    for (lua_Integer n = 1; (code = sqlite3_step(s)) == SQLITE_ROW;) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        if (!text || strcmp(text, "ok") == 0)
            continue;
        while (*text) { // several lines, with a headline between stars
            size_t len = strcspn(text, "\n");
            if (*text != '*') {
                lua_pushlstring(L, text, len);
                lua_rawseti(L, -2, n++);
            }
            text += len + (text[len] == '\n');
        }
    }
    sqlite3_progress_handler(d->db, 0, NULL, NULL);
    sqlite3_reset(s);
    if (code == SQLITE_INTERRUPT)
        return raise_interrupted(L);
    return code == SQLITE_DONE ? 1 : push_db_failure(L, d->db);
}

static int database_copy(lua_State *L)
{
    struct database *from = check_database(L);
    const char *path = luaL_optstring(L, 2, ":memory:");
    struct database *to = push_database(L);
    if (sqlite3_open(path, &to->db) != SQLITE_OK)
        return push_db_failure(L, to->db);
    sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (!b)
        return push_db_failure(L, to->db);
    sqlite3_backup_step(b, -1);
    if (sqlite3_backup_finish(b) != SQLITE_OK)
        return push_db_failure(L, to->db);
    return 1;
}

static int database_last_id(lua_State *L)
{
    lua_pushinteger(L, sqlite3_last_insert_rowid(check_database(L)->db));
    return 1;
}

static int database_close(lua_State *L)
{
    close_database(luaL_checkudata(L, 1, NAME));
    return 0;
}

static int database_tostring(lua_State *L)
{
    struct database *d = luaL_checkudata(L, 1, NAME);
    if (!d->db)
        lua_pushliteral(L, "closed database");
    else
        lua_pushfstring(L, "database %s", sqlite3_db_filename(d->db, "main"));
    return 1;
}

static const luaL_Reg methods[] = {
    {"exec", database_exec},
    {"run", database_run},
    {"rows", database_rows},
    {"columns", database_columns},
    {"last_id", database_last_id},
    {"transaction", database_transaction},
    {"check", database_check},
    {"snapshot", database_snapshot},
    {"copy", database_copy},
    {"close", database_close},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", database_close},
    {"__close", database_close},
    {"__tostring", database_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", sqlite_open},
    {NULL, NULL},
};

int open_sqlite(lua_State *L)
{
    type_register(L, NAME, metamethods, methods);
    luaL_newlib(L, functions);
    static const struct {
        const char *name;
        int code;
    } codes[] = {{"BUSY", SQLITE_BUSY},         {"CANTOPEN", SQLITE_CANTOPEN},
                 {"CORRUPT", SQLITE_CORRUPT},   {"FULL", SQLITE_FULL},
                 {"IOERR", SQLITE_IOERR},       {"NOTADB", SQLITE_NOTADB},
                 {"READONLY", SQLITE_READONLY}, {"PERM", SQLITE_PERM}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        lua_pushinteger(L, codes[i].code);
        lua_setfield(L, -2, codes[i].name);
    }
    lua_pushstring(L, sqlite3_libversion());
    lua_setfield(L, -2, "version");
    return 1;
}
