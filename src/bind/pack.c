/* netspace.core.pack: feeds (data/feed.h) and packs (data/pack.h).  Where packs are kept, what is
 * said of them, and options are the business of lua/netspace/data/. */
#include "bind/bind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/checksum.h"
#include "base/interrupt.h"
#include "data/pack.h"

#define FEED "netspace.feed"
#define PACK "netspace.pack"

static void push_hex(lua_State *L, uint64_t value)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)value);
    lua_pushstring(L, hex);
}

static void set_hex(lua_State *L, const char *key, uint64_t value)
{
    push_hex(L, value);
    lua_setfield(L, -2, key);
}

static int failed(lua_State *L, const struct error *e)
{
    return interrupt_pending() ? raise_interrupted(L) : push_failure(L, e->msg);
}

// guess(path) -> "folder" | "tar" | … | nil, message
static int pack_guess(lua_State *L)
{
    struct error e;
    const char *kind = feed_guess(luaL_checkstring(L, 1), &e);
    if (!kind)
        return push_failure(L, e.msg);
    lua_pushstring(L, kind);
    return 1;
}

// hash(text) -> 16 hexadecimal digits
static int pack_hash(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    push_hex(L, checksum(0, text, n));
    return 1;
}

// feed(spec, coarse) -> feed | nil, message
static int pack_feed(lua_State *L)
{
    struct error e;
    struct feed **f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = NULL;
    luaL_setmetatable(L, FEED);
    *f = feed_open(luaL_checkstring(L, 1), lua_toboolean(L, 2), &e);
    return *f ? 1 : failed(L, &e);
}

static struct feed *check_feed(lua_State *L)
{
    struct feed **f = luaL_checkudata(L, 1, FEED);
    if (!*f)
        luaL_error(L, "closed feed");
    return *f;
}

static int feed_gc(lua_State *L)
{
    struct feed **f = luaL_checkudata(L, 1, FEED);
    feed_free(*f);
    *f = NULL;
    return 0;
}

// feed:listing() -> checksum in hexadecimal, files
static int feed_listing(lua_State *L)
{
    const struct feed *f = check_feed(L);
    push_hex(L, f->sum);
    lua_pushinteger(L, (lua_Integer)f->files);
    return 2;
}

// feed:folders() -> { path, stamp, … }: of each folder that was read, from that which was opened,
// and its device, inode and ctime; none where they do not tell of all changes.  Second, seconds
// from the last ctime to now.
static int feed_folders(lua_State *L)
{
    const struct feed *f = check_feed(L);
    struct timespec now;
    double age = INFINITY;
    char text[96];
    clock_gettime(CLOCK_REALTIME, &now);
    lua_createtable(L, 2 * (int)f->nstamps, 0);
    for (uint32_t k = 0; k < f->nstamps; k++) {
        const struct feed_stamp *s = &f->stamps[k];
        lua_pushstring(L, s->path);
        lua_rawseti(L, -2, 2 * (lua_Integer)k + 1);
        snprintf(text, sizeof text, "%llu:%llu:%lld.%ld", (unsigned long long)s->device,
                 (unsigned long long)s->inode, (long long)s->changed.tv_sec,
                 s->changed.tv_nsec);
        lua_pushstring(L, text);
        lua_rawseti(L, -2, 2 * (lua_Integer)k + 2);
        age = fmin(age, difftime(now.tv_sec, s->changed.tv_sec));
    }
    lua_pushnumber(L, age);
    return 2;
}

struct told {
    lua_State *L;
    bool failed; // the function raised
};

static void tell(void *self, uint64_t done, uint64_t of, bool anew)
{
    struct told *t = self;
    if (t->failed)
        return;
    lua_pushvalue(t->L, 4);
    lua_pushinteger(t->L, (lua_Integer)done);
    lua_pushinteger(t->L, (lua_Integer)of);
    lua_pushboolean(t->L, anew);
    t->failed = lua_pcall(t->L, 3, 0, 0) != LUA_OK;
}

static lua_Integer field(lua_State *L, const char *key)
{
    lua_getfield(L, 3, key);
    lua_Integer n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static bool flag(lua_State *L, const char *key)
{
    lua_getfield(L, 3, key);
    bool set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

// feed:pack(path, { size =, channels =, bytes =, jpeg =, pycls =, white =, threads =, most = },
// tell) -> true | nil, message; tell(done, of, anew), about ten times a second
static int feed_pack(lua_State *L)
{
    static const char *const kinds[] = {"auto", "bytes", "jpeg", NULL};
    struct feed *f = check_feed(L);
    const char *path = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 4);
    lua_getfield(L, 3, "kind");
    lua_Integer most = field(L, "most");
    struct pack_options o = {.size = (uint32_t)field(L, "size"),
                             .channels = (int)field(L, "channels"),
                             .kind = (enum pack_kind)luaL_checkoption(L, -1, "auto", kinds),
                             .most = most > 0 ? (uint64_t)most : PACK_BYTES_MOST,
                             .no_antialias = flag(L, "pycls"),
                             .white = flag(L, "white"),
                             .threads = (int)field(L, "threads")};
    struct told told = {L, lua_isnoneornil(L, 4)};
    struct pack_progress progress = {tell, &told};
    struct error e;
    bool quiet = told.failed, good = pack_make(path, f, &o, &progress, &e);
    if (told.failed && !quiet)
        return lua_error(L);
    if (!good)
        return failed(L, &e);
    lua_pushboolean(L, true);
    return 1;
}

// open(path) -> pack | nil, message
static int pack_open_file(lua_State *L)
{
    struct error e;
    struct pack **p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = NULL;
    luaL_setmetatable(L, PACK);
    *p = pack_open(luaL_checkstring(L, 1), &e);
    return *p ? 1 : failed(L, &e);
}

static struct pack *check_pack(lua_State *L, int index)
{
    struct pack **p = luaL_checkudata(L, index, PACK);
    if (!*p)
        luaL_error(L, "closed pack");
    return *p;
}

static int pack_gc(lua_State *L)
{
    struct pack **p = luaL_checkudata(L, 1, PACK);
    pack_close(*p);
    *p = NULL;
    return 0;
}

// feed:differs(pack) -> what has changed since it was made
static int feed_differs(lua_State *L)
{
    struct error e;
    pack_differs(check_pack(L, 2), check_feed(L), &e);
    lua_pushstring(L, e.msg);
    return 1;
}

// pack:about() -> table
static int pack_table(lua_State *L)
{
    static const char *const parts[PARTS] = {"train", "validation", "test", "none"};
    const struct pack *p = check_pack(L, 1);
    lua_newtable(L);
    set_string(L, "path", p->path);
    set_integer(L, "images", p->n);
    set_integer(L, "bytes", (lua_Integer)p->bytes);
    set_integer(L, "size", p->size);
    set_integer(L, "channels", p->channels);
    set_string(L, "kind", p->layout == LAYOUT_JPEG ? "jpeg" : "bytes");
    set_hex(L, "listing", p->listing);
    set_hex(L, "content", p->content);
    if (p->one_size) {
        set_integer(L, "width", pack_entry(p, 0).width);
        set_integer(L, "height", pack_entry(p, 0).height);
    }
    for (int k = 0; k < PARTS; k++)
        if (p->parts[k])
            set_integer(L, parts[k], p->parts[k]);
    lua_createtable(L, p->classes, 0);
    for (int k = 0; k < p->classes; k++) {
        lua_pushstring(L, p->class_names[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "class_names");
    lua_createtable(L, (int)p->nbad, 0);
    for (uint32_t i = 0; i < p->nbad; i++) {
        lua_createtable(L, 0, 2);
        set_string(L, "name", p->bad[i].name);
        set_string(L, "reason", p->bad[i].reason);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "bad");
    lua_newtable(L);
    for (const char *at = p->about; at < p->about_end;) {
        const char *value = at + strlen(at) + 1;
        set_string(L, at, value);
        at = value + strlen(value) + 1;
    }
    lua_setfield(L, -2, "made");
    return 1;
}

// pack:image(i) -> { name =, label =, part =, width =, … }
static int pack_image(lua_State *L)
{
    static const char *const parts[PARTS] = {"train", "validation", "test", "none"};
    const struct pack *p = check_pack(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, i >= 1 && i <= p->n, 2, "there is no such image");
    struct pack_entry x = pack_entry(p, (uint32_t)i - 1);
    lua_createtable(L, 0, 10);
    set_string(L, "name", pack_name(p, (uint32_t)i - 1));
    set_string(L, "part", parts[x.part]);
    set_integer(L, "label", x.label);
    set_integer(L, "width", x.width);
    set_integer(L, "height", x.height);
    set_integer(L, "file_width", x.file_width);
    set_integer(L, "file_height", x.file_height);
    set_integer(L, "file_bytes", x.file_bytes);
    set_integer(L, "channels", x.channels);
    set_hex(L, "checksum", x.sum);
    lua_pushlstring(L, (const char *)p->map + x.at, x.bytes);
    lua_setfield(L, -2, "bytes");
    return 1;
}

// pack:check() -> number of damaged images [, the name of the first]
static int pack_verify(lua_State *L)
{
    struct pack *p = check_pack(L, 1);
    uint32_t first = 0, n = pack_check(p, &first);
    if (interrupt_pending())
        return raise_interrupted(L);
    lua_pushinteger(L, n);
    if (n == 0)
        return 1;
    lua_pushstring(L, pack_name(p, first));
    return 2;
}

static const luaL_Reg feed_methods[] = {
    {"listing", feed_listing}, {"pack", feed_pack}, {"differs", feed_differs},
    {"folders", feed_folders}, {"close", feed_gc},  {NULL, NULL},
};

static const luaL_Reg feed_metamethods[] = {
    {"__gc", feed_gc},
    {"__close", feed_gc},
    {NULL, NULL},
};

static const luaL_Reg pack_methods[] = {
    {"about", pack_table}, {"image", pack_image}, {"check", pack_verify},
    {"close", pack_gc},    {NULL, NULL},
};

static const luaL_Reg pack_metamethods[] = {
    {"__gc", pack_gc},
    {"__close", pack_gc},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"guess", pack_guess},    {"hash", pack_hash}, {"feed", pack_feed},
    {"open", pack_open_file}, {NULL, NULL},
};

int open_pack(lua_State *L)
{
    type_register(L, FEED, feed_metamethods, feed_methods);
    type_register(L, PACK, pack_metamethods, pack_methods);
    luaL_newlib(L, functions);
    return 1;
}
