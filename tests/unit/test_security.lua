-- What files of somebody else can do when they are opened: the promises of netspace-security(7).
-- A store is poisoned: escape sequences, shell commands and Lua code in every text it has.  Then
-- everything that looks at stores looks at it.
-- Elsewhere: damaged stores and read-only ones (test_store.lua, tests/store), archives
-- (test_images.lua, test_archive…), images that claim too much (test_decode.c), pages
-- (test_report.lua), hosts (test_hosts.lua), gnuplot (test_plot.lua).
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"
local dir, write = require "scratch" "security"
local program = sys.exe()

-- ---- the text
t.is(sys.harmless "plain, \u{e9}\u{4e2d}\t\n", "plain, \u{e9}\u{4e2d}\t\n", "text stays as it is")
t.is(sys.harmless "a\27[31mb\7\r\127\0c", "a?[31mb???\0c", "control characters go, but zeros")
t.is(sys.harmless "a\u{9b}31m\u{202e}b\u{2066}c\u{200b}", "a?31m?b?c\u{200b}",
  "and C1, and what turns text around")
t.is(sys.harmless "\xc2", "\xc2", "half a character stays")

-- ---- a poisoned store
local pwned = dir .. "/PWNED"
local shell = ("`touch %s`$(touch %s);touch %s"):format(pwned, pwned, pwned)
local evil = "\27]0;title\7\27[31m" .. shell .. " \u{9b}31m\u{202e}<script>alert(1)</script>"
local code = ("os.execute 'touch %s'"):format(pwned)
local clean, store = dir .. "/clean.db", dir .. "/store.db"
sweep.run { store = clean, name = "A", models = space.small.AnyNetXA:sample(3, { seed = 1 }),
  data = data.open("shapes", { train = 64, test = 64 }), recipe = recipe { epochs = 1, batch = 32 },
  workers = 1, quiet = true, yes = true }
assert(sweep.open(clean):copy(store))
local db = assert(sqlite.open(store, "rw"))
local function run(sql, ...) assert(db:rows(sql, { ... })) end
run("UPDATE population SET name = ?, space = ?", evil, evil)
run("UPDATE model SET status = 'failed', error = 100, reason = ?, log = ? WHERE idx = 1", evil, evil)
run("UPDATE event SET text = ?", evil)
run("UPDATE run SET host = ?", evil)
run("UPDATE trainer SET name = ?, version = ?, device = ?, kernels = ?, host = ?", evil, evil, evil,
  evil, evil)
local spec = json.decode(db:rows "SELECT spec FROM population"[1].spec)
spec.lineage, spec.name = { evil }, evil
local principle = { name = evil, doc = evil, source = code, check = code }
spec.constraints = { principle }
run("UPDATE population SET spec = ?, constraints = ?", json.encode(spec), json.encode { principle })
assert(db:exec(("CREATE VIEW shell AS SELECT load_extension('%s')"):format(dir .. "/x.so")))
db:close()

local function slurp(path)
  local f <close> = io.open(path, "rb")
  return f and f:read "a" or ""
end

-- Runs the program with a terminal's eyes: what it wrote, and its exit status.
local function look(...)
  local out = dir .. "/out"
  local fd = assert(uv.fs_open(out, "w", tonumber("600", 8)))
  local status
  assert(uv.spawn(program, { args = { ... }, cwd = dir, stdio = { nil, fd, fd } },
    function(s) status = s end))
  while not status do uv.run "once" end
  uv.fs_close(fd)
  return slurp(out), status
end

local function obeyed(text)
  return text ~= sys.harmless(text)
end

local before = slurp(store)
local views = {
  { "monitor", store, "--once" }, { "monitor", store, "--once", "--text" },
  { "monitor", store, "--once", "--json" }, { "export", store, "-o", "-" },
  { "export", store, "-o", dir .. "/x.jsonl" }, { "export", store, "-o", dir .. "/x.json" },
  { "report", store, "-o", dir .. "/x.html" }, { "doctor", store },
  { "-q", "--no-init", "-e", [[
    local s = sweep.open "store.db"
    local r = s:result(s:names()[1])
    print(s, s:names()); print(r); print(r.failed); print(stats.edf(r)); print(stats.table { r })
    print(s:provenance(r.name)); print(r.models[1]); plot.edf { r }:show(); print(r.models.space)
    print(stats.compare(r, r))]] },
  { "resume", store },
}
for _, args in ipairs(views) do
  local text, status = look(table.unpack(args))
  local name = table.concat(args, " ", 1, math.min(3, #args)):gsub("%s*\n.*", ""):gsub(dir .. "/", "")
  t.ok(#text > 0 and status ~= 5 and status < 128, name .. " says something", text)
  t.ok(not obeyed(text), name .. " shows nothing that a terminal obeys",
    text:gsub("\27", "ESC"):sub(1, 2000))
end
t.ok(#slurp(dir .. "/x.html") > 1000, "there is a report")
t.ok(not slurp(dir .. "/x.html"):find("<script>alert", 1, true), "in which text is text")
for _, file in ipairs { "x.jsonl", "x.json" } do
  t.ok(not obeyed(slurp(dir .. "/" .. file)), file .. " holds nothing that a terminal obeys")
end
t.ok(not uv.fs_stat(pwned), "no code and no command in it was run")
t.is(slurp(store), before, "and not a byte of it has changed")
do
  local reader = assert(sqlite.open(store, "r"))
  local rows, message = reader:rows "SELECT * FROM shell"
  t.ok(not rows and message:find "load_extension", "a view in it cannot load a library", message)
  reader:close()
end

-- ---- names of files
for _, name in ipairs { "; touch PWNED", "$(touch PWNED)", "--version", "a\nb", "a'b\"c`d" } do
  local path = dir .. "/" .. name .. ".db"
  assert(sweep.open(clean):copy(path))
  local text, status = look("monitor", "./" .. name .. ".db", "--once")
  t.ok(status == 0 and text:find("A", 1, true), ("a store may be called %q"):format(name), text)
  text = look("report", "./" .. name .. ".db", "-o", "./" .. name .. ".html")
  t.ok(uv.fs_stat(dir .. "/" .. name .. ".html"), "and its report", text)
end
t.ok(not uv.fs_stat(pwned), "no shell has seen them")

-- ---- names of hosts
for _, host in ipairs { "-oProxyCommand=x", "a;b", "$(x)", "a b" } do
  t.fails(function()
    sweep.run { store = dir .. "/h.db", name = "H", data = "shapes", recipe = recipe.quick,
      models = space.small.AnyNetXA:sample(1, { seed = 1 }), workers = { "ssh:" .. host .. ":1" } }
  end, "workers has", ("no host is called '%s'"):format(host))
end

-- ---- names of classes
local pixels = ("P6\n8 8\n255\n" .. ("\50\60\70"):rep(64))
for _, class in ipairs { "a\27[31m", "b\u{202e}" } do
  for i = 1, 10 do
    assert(uv.fs_mkdir(dir .. "/photos", 493) or uv.fs_stat(dir .. "/photos"))
    assert(uv.fs_mkdir(dir .. "/photos/" .. class, 493) or uv.fs_stat(dir .. "/photos/" .. class))
    write(("photos/%s/%d\27.ppm"):format(class, i), pixels:sub(1, -2) .. string.char(i))
  end
end
uv.os_setenv("XDG_CACHE_HOME", dir .. "/cache")
local text = look("data", "folder:" .. dir .. "/photos", "--image", "8")
t.ok(#text > 0 and not obeyed(text), "nor do names of classes and files reach the terminal as they are",
  text:gsub("\27", "ESC"))

require("netspace.lib.filesystem")
os.execute(("rm -rf '%s'"):format(dir))
t.done()
