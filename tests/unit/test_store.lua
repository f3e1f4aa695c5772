-- The store: exact JSON, the database binding, opening what is and is not a store, reading.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local stores = require "netspace.store.store"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-store-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end
local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read("a")
  f:close()
  return text
end

-- JSON ---------------------------------------------------------------------------------
do
  local value = { d = { 1, 2 }, w_a = 36.438217, third = 1 / 3, tiny = 5e-324, big = 2 ^ 53,
    name = 'a "b"\n', on = true, list = { { x = 1 } } }
  local back = json.decode(json.encode(value))
  t.is(json.encode(back), json.encode(value), "what was written reads back the same")
  t.is(back.third, 1 / 3, "a third keeps its last bit")
  t.is(back.tiny, 5e-324, "the smallest number survives")
  t.is(math.type(back.d[1]), "integer", "whole numbers come back as integers")
  t.is(json.encode { b = 1, a = { 2.0, 0.5 } }, '{"a":[2,0.5],"b":1}', "keys are sorted")
  t.is(json.encode { x = 0 / 0 }, '{"x":null}', "NaN has no number")
  t.is(json.decode('{"x":null}').x, nil, "null is nil")
  t.fails(function() json.encode { f = print } end, "function has no JSON form")
  t.fails(function() json.encode { 1, x = 2 } end, "no JSON form", "a mixed table is refused")
  t.is(json.encode(json.decode("[9007199254740993,-9007199254740995,9223372036854775807]")),
    "[9007199254740993,-9007199254740995,9223372036854775807]", "whole numbers beyond 2^53")
  t.is(json.decode('{"a 9007199254740993":"9007199254740993 \\" 1"}')["a 9007199254740993"],
    '9007199254740993 " 1', "their digits in a text stay text")
  t.is(json.decode("[12345678901234567.5,9223372036854775808,0.12345678901234567]")[3],
    0.12345678901234567, "long numbers that are not whole")
  t.ok(json.decode("{") == nil, "a torn text is nil")
end

-- The database -------------------------------------------------------------------------
do
  local db = assert(sqlite.open(at("plain.db"), "rw"))
  t.ok(db:exec("CREATE TABLE x (a, b)"), "exec")
  t.is(db:run("INSERT INTO x VALUES (?, ?)", { 1, "one" }), 1, "positional parameters")
  t.is(db:run("INSERT INTO x VALUES (:a, :b)", { a = 0.1, b = 0 / 0 }), 1, "named ones")
  t.is(db:run("INSERT INTO x VALUES (?, ?);\n", { math.maxinteger, "a\0b" }), 1, "bytes")
  local rows = db:rows("SELECT * FROM x ORDER BY rowid")
  t.is(#rows, 3, "three rows")
  t.is(rows[2].a, 0.1, "a double comes back exactly")
  t.is(rows[2].b, nil, "NaN is NULL is nil")
  t.is(rows[3].a, math.maxinteger, "a 64-bit integer comes back exactly")
  t.is(rows[3].b, "a\0b", "a string may hold a zero")
  local c = db:columns("SELECT * FROM x ORDER BY rowid")
  t.is(c.n, 3, "columns: n")
  t.is(c.b[2], false, "columns: NULL is false")
  local ok, message, code = db:run("INSERT INTO nowhere VALUES (1)")
  t.ok(ok == nil and message:find("no such table") and code == 1, "bad SQL is nil, message, code")
  t.fails(function() db:run("INSERT INTO x VALUES (?, 1)", { {} }) end, "it is a table")
  t.fails(function() db:run("SELECT 1; SELECT 2") end, "exactly one statement")
  t.fails(function()
    db:transaction(function()
      db:run("DELETE FROM x")
      error("on purpose")
    end)
  end, "on purpose", "an error in a transaction comes out of it")
  t.is(#db:rows("SELECT 1 FROM x"), 3, "and the transaction is undone")
  t.is(select(2, db:transaction(function() return 5, 6 end)), 6, "its results are returned")
  for i = 1, 200 do -- more statements than the cache holds
    assert(db:rows("SELECT " .. i .. " AS n")[1].n == i)
  end
  t.is(db:rows("SELECT count(*) AS n FROM x")[1].n, 3, "200 statements later all is well")
  local reader = assert(sqlite.open(at("plain.db"), "r"))
  t.ok(reader:run("DELETE FROM x") == nil, "a reader cannot write")
  reader:close()
  db:close()
  t.fails(function() db:rows("SELECT 1") end, "closed database")
  t.is(tostring(db), "closed database", "tostring of a closed one")
end

-- Opening ------------------------------------------------------------------------------
local function refused(path, mode, part, name)
  local db, message = (mode == "r" and require("netspace.store.reader").open or schema.open)(path)
  if db then db:close() end
  t.ok(not db and message:find(part, 1, true), name or part, tostring(message))
end
refused(at("missing.db"), "r", "no such store")
refused(at("no/such/dir.db"), "rw", "mkdir -p")
refused(dir, "rw", "is a directory")
refused(at("plain.db"), "rw", "not a netspace store", "a database of another program")
t.is(assert(sqlite.open(at("plain.db"), "r")):rows("PRAGMA journal_mode")[1].journal_mode,
  "delete", "which is left as it was")
write(at("text.db"), ("not a database\n"):rep(100))
refused(at("text.db"), "r", "not an SQLite database", "a text file")
refused(at("text.db"), "rw", "not an SQLite database", "a text file, for writing")
write(at("empty.db"), "")
refused(at("empty.db"), "r", "no sweep has written it yet", "an empty file, for reading")
write(at("hard.db"), "")
assert(uv.fs_link(at("hard.db"), at("other.db")))
refused(at("other.db"), "rw", "has 2 names (hard links)")
t.fails(function() stores.open(3) end, "expects the path of a store")

-- A population without training ----------------------------------------------------------
local path = at("a.db")
local ledger = assert(ledgers.open(path))
local recipe = { epochs = 2, lr = 1 / 3 }
local card = { spec = "shapes", checksum = "abc", train_n = 10 }
local id
local function model(i) return { d = { 1, i }, w = { 8, 16 }, asked = { i } } end
ledger:write(function()
  id = ledger:create { name = "A", space = "RegNetX", seed = 7, recipe = recipe, card = card,
    source = { spec = "shapes", train = 10 }, window = { flops = { 1, 2 } } }
  for i = 1, 4 do
    ledger:add_model(id, i, model(i), ledgers.identity(model(i)), 100 + i,
      { flops = 10, params = 20, acts = 30 })
  end
  ledger:take(id, "A", 2)
end)
local s = assert(stores.open(path))
t.is(table.concat(s:names(), " "), "A", "names")
local models = ledger:models(id)
ledger:write(function()
  for i = 1, 4 do ledger:start(models[i].id, 1, 1000 + i) end
  ledger:epoch(models[1].id, 1, { epoch = 1, lr = 0.1, validation_error = 100 / 3, images_per_s = 50 })
  ledger:epoch(models[1].id, 1, { epoch = 2, lr = 0.1, validation_error = 200 / 7, images_per_s = 60 })
  ledger:epoch(models[2].id, 1, { epoch = 1, validation_error = 80, images_per_s = 70 })
  ledger:epoch(models[2].id, 9, { epoch = 2, validation_error = 1 })
  ledger:finish(models[1].id, 1, { status = "done", error = 200 / 7, seconds = 1.5, crashes = 0 })
  ledger:finish(models[3].id, 1, { status = "diverged", error = 100,
    reason = "loss is nan in epoch 1", seconds = 0.5, crashes = 0 })
  ledger:finish(models[4].id, 9, { status = "done", error = 1, seconds = 1, crashes = 0 })
  ledger:requeue(models[4].id, 1, { crashes = 1 })
  ledger:beat(130, 12)
end)

local p = s:population("A")
t.is(p.n .. p.done .. p.diverged .. p.running .. p.queued .. p.failed, "411110",
  "population counts every state")
t.is(p.recipe.lr, 1 / 3, "the recipe is exact")
t.is(p.data .. p.seed .. p.epochs, "shapes72", "data, seed, epochs")
t.is(p.window.flops[2], 2, "the window")
local r = s:result("A")
t.is(#r.errors, 2, "result: the finished models")
t.is(r.errors[1], 200 / 7, "an error in percent, to the last bit")
t.is(r.errors[2], 100, "a diverged model is 100")
t.is(r.failed .. " " .. r.n, "1 4", "failed and n")
t.is(r.models[2].d[2], 3, "models in the order of the population")
t.is(r.models[1].asked[1], 1, "with what was asked for")
t.is(tostring(r), "result A: 4 models: 1 done, 1 diverged, 1 running, 1 queued", "as text")
local live = s:live("A")
t.is(#live, 4, "live: every model")
t.is(live[1].status .. live[1].curve[1] .. live[1].error, "done" .. 100 / 3 .. 200 / 7, "curve")
t.is(live[2].status .. live[2].epoch .. "/" .. live[2].epochs .. " " .. live[2].error,
  "running1/2 80.0", "the running one; another attempt's report had no effect")
t.is(live[2].worker, 1002, "its worker")
t.is(live[3].reason, "loss is nan in epoch 1", "why it diverged")
t.is(live[4].status .. live[4].attempt, "queued1", "back in the queue")
local g = s:progress()
t.is(("%d %d %d %d %d %d"):format(g.done, g.diverged, g.failed, g.running, g.queued, g.total),
  "1 1 0 1 1 4",
  "progress counts")
t.is(g.running_main, true, "this process is at work")
t.is(g.images_per_s .. " " .. g.eta, "130.0 12.0", "with its rate and remaining time")
t.fails(function() s:result("Other") end, "no population 'Other'; it has A")
t.is(ledger:find("A").recipe.lr, 1 / 3, "the writer finds it too")
t.is(ledger:find("B"), nil, "and nothing else")

-- Whose population it is
local other = assert(ledgers.open(path))
local ok, err = pcall(other.write, other, function() other:take(id, "A", 1) end)
t.ok(not ok and tostring(err):find("is being trained by process", 1, true),
  "a second process may not take it", tostring(err))
ledger:write(function() ledger:finish_run() end)
ok, err = pcall(other.write, other, function() other:take(id, "A", 1) end)
t.ok(not ok and tostring(err):find("by another process", 1, true),
  "nor while the first has its lock", tostring(err))
ledger.lock:close()
t.ok(not io.open(path .. ".lock"), "which leaves no file")
other:write(function() other:take(id, "A", 1) end)
t.is(s:population("A").running, 0, "the next one takes running models back")
local events = s:events()
t.is(tostring(s:names()), table.concat(s:names(), ", "), "names print as text")
t.ok(events[2].text:find("1 unfinished model of a lost run", 1, true), "and logs it")
t.is(s:progress().events, #events, "how long the log is")
t.is(s:events({ last = 2 })[1].text, events[#events - 1].text, "the last two of it")
t.is(#s:events { last = 100, skip = 1 }, #events - 1, "all before the latest")
t.is(#s:events { skip = #events }, 0, "none before the first")
local function last(changes)
  other:write(function()
    assert(other.db:run("UPDATE run SET " .. changes .. " WHERE ended IS NULL"))
  end)
end
local function alive()
  return schema.alive(path, other.db:rows("SELECT * FROM run WHERE ended IS NULL")[1])
end
last("pid = 1, birth = 'of another namespace'")
t.ok(alive(), "who holds the lock is alive, whatever its pid")
other.lock:close()
t.ok(not alive(), "who let go of it without a word is dead")
assert(io.open(path .. ".lock", "w")):close()
t.ok(not alive(), "as is whoever left the file, but holds nothing")
last("boot = 'another kernel', updated = updated - 30")
t.ok(alive(), "of another kernel a fresh sign of life counts")
last("updated = updated - 60")
t.ok(not alive(), "until it is a minute old")
local mine = math.tointeger(uv.os_getpid())
last(("boot = NULL, pid = %d, birth = '%s'"):format(mine, schema.birth(mine)))
t.ok(alive(), "a run of an older version is told by its process")
os.remove(path .. ".lock")
-- A process of another host, whose life cannot be looked up
last(("boot = 'another kernel', host = 'elsewhere', updated = %.17g"):format(schema.time() - 30))
ok, err = pcall(ledger.write, ledger, function() ledger:take(id, "A", 1) end)
t.ok(not ok and tostring(err):find("on elsewhere", 1, true), "nor may one on another host lose it",
  tostring(err))
other:write(function() assert(other.db:run("UPDATE run SET updated = updated - 60")) end)
ledger:write(function() ledger:take(id, "A", 1) end)
t.ok(true, "until it has been silent for a minute")
other:close()
ledger:close()
s:close()
t.fails(function() s:names() end, "closed store")
t.is(tostring(s), "closed store", "tostring of a closed one")
t.ok(not uv.fs_stat(path .. "-wal"), "closed cleanly: no log stays behind")

-- Damage ---------------------------------------------------------------------------------
local whole = read(path)
write(at("cut.db"), whole:sub(1, #whole // 2))
local cut, why, kind = stores.open(at("cut.db"))
t.ok(not cut and why:find("damaged", 1, true) and kind == "damaged", "a truncated store is named",
  tostring(why))
local noise = whole:sub(1, 4096) .. ("\xa5"):rep(#whole - 4096)
write(at("noise.db"), noise)
local bad, message = stores.open(at("noise.db"))
if bad then bad, message = bad:names() end
t.ok(not bad and message:find("damaged", 1, true), "noise in the pages is named", tostring(message))
local newer = assert(sqlite.open(path, "rw"))
newer:exec("PRAGMA user_version = 99")
newer:close()
refused(path, "r", ("newer netspace (store version 99, this one knows %d)"):format(schema.version))
refused(path, "rw", "newer netspace", "a newer store is not written either")

-- An older one: read as it is, brought up to date when it is opened for writing
do
  local old = at("old.db")
  local db = assert(sqlite.open(old, "rw"))
  assert(schema.upgrade(db, 1))
  assert(db:exec([[INSERT INTO population (name, seed, recipe, data, card, checksum, created)
    VALUES ('P', 1, '{"epochs":1}', '{"spec":"shapes"}', '{}', 'x', 0);
    INSERT INTO model (population, idx, m, hash, seed, flops, params, acts, status, error)
    VALUES (1, 1, '{"d":[1]}', 'h', 1, 1, 1, 1, 'done', 12.5)]]))
  db:close()
  local before = read(old)
  local reader = assert(stores.open(old))
  t.is(reader:result("P").errors[1], 12.5, "an older store can be read")
  t.is(#reader:live("P"), 1, "by all methods")
  t.ok(read(old) == before, "and is left as it was")
  db = assert(schema.open(old))
  t.ok(db:rows("SELECT settings, signal, log, memory, origin FROM population JOIN model"),
    "a writer adds what is missing")
  t.is(db:rows("PRAGMA user_version")[1].user_version, schema.version, "and the version")
  assert(db:exec("UPDATE model SET error = 13"))
  t.is(reader:result("P").errors[1], 13.0, "which the reader of the old one sees")
  reader:close()
  db:close()
  db = assert(sqlite.open(old, "rw"))
  db:exec("PRAGMA user_version = -4")
  db:close()
  refused(old, "rw", "its version is -4", "a version that never was")
end

-- Readers leave no trace and see what a writer does, whichever comes first ------------------
do
  local function files(folder)
    local list, scan = {}, assert(uv.fs_scandir(folder))
    while true do
      local name = uv.fs_scandir_next(scan)
      if not name then break end
      list[#list + 1] = name
    end
    table.sort(list)
    return table.concat(list, " ")
  end
  local folder = at("quiet")
  assert(uv.fs_mkdir(folder, tonumber("755", 8)))
  local file = folder .. "/q.db"
  local w = assert(ledgers.open(file))
  local one
  local function add(i)
    w:write(function()
      one = one or w:create { name = "Q", seed = 1, recipe = recipe, card = card,
        source = { spec = "shapes" } }
      w:add_model(one, i, model(i), ledgers.identity(model(i)), i, { flops = 1, params = 1, acts = 1 })
    end)
  end
  add(1)
  w:close()
  local whole_file = read(file)
  local r = assert(stores.open(file))
  t.is(r:progress().total, 1, "a store at rest is read")
  t.is(files(folder), "q.db", "and no file appears")
  w = assert(ledgers.open(file))
  add(2)
  t.is(r:progress().total, 2, "a writer that comes later is noticed")
  local second = assert(stores.open(file))
  t.is(#second:live("Q"), 2, "by a second reader too")
  add(3)
  t.is(r:progress().total .. #second:live("Q"), "33", "and followed")
  w:close()
  write(folder .. "/copy.db", read(file))
  local copy = assert(stores.open(folder .. "/copy.db"))
  t.is(#copy:live("Q"), 3, "the main file alone has everything when the writer has left")
  copy:close()
  assert(os.remove(folder .. "/copy.db"))
  r:close()
  t.is(#second:live("Q"), 3, "the writer and one reader leave")
  second:close()
  t.is(files(folder), "q.db", "the last one leaves nothing behind")
  t.ok(read(file) ~= whole_file, "all is in the main file")
  assert(os.remove(file))
  t.ok(not stores.open(file) and files(folder) == "", "a missing store is not made by looking")
end

-- Network file systems -----------------------------------------------------------------------
do
  local filesystem = require "netspace.lib.filesystem"
  local statfs = uv.fs_statfs
  local function with(kind, f)
    uv.fs_statfs = function() return { type = kind } end
    local results = table.pack(pcall(f))
    uv.fs_statfs = statfs
    return table.unpack(results, 1, results.n)
  end
  local _, fine, text = with(0x6969, function() return filesystem.check(at("n.db")) end)
  t.ok(not fine and text:find("network file system (NFS)", 1, true) and text:find("store=", 1, true),
    "NFS is refused with advice", tostring(text))
  _, fine = with(-11317950, function() return filesystem.check(at("n.db")) end)
  t.is(fine, false, "so is CIFS, whose number is negative on some machines")
  _, fine = with(0xEF53, function() return filesystem.check(at("n.db")) end)
  t.is(fine, true, "ext4 is not")
  local _, none, why_not = with(0xFE534D42, function() return schema.open(at("n.db")) end)
  t.ok(not none and why_not:find("(SMB)", 1, true), "a sweep makes no store there")
  t.ok(not uv.fs_stat(at("n.db")), "not even an empty one")
  t.is(filesystem.network(at("n.db")), nil, "the directory of the tests is local")
end

-- Read-only places, as a user who is not root ----------------------------------------------
local netspace = os.getenv("NETSPACE")
local as_nobody = ""
if tostring(uv.getuid()):match("^0") then
  as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
end
local locked = at("locked")
assert(uv.fs_mkdir(locked, tonumber("755", 8)))
do
  local l = assert(ledgers.open(locked .. "/b.db"))
  l:close()
end
assert(uv.fs_chmod(dir, tonumber("755", 8)))
assert(uv.fs_chmod(locked, tonumber("555", 8)))
local function as_user(code)
  local f = assert(io.popen(("%s%s -e '%s' 2>&1"):format(as_nobody, netspace, code)))
  local text = f:read("a")
  f:close()
  return text
end
if as_user("print(1)") == "1\n" then
  local text = as_user(('print(require("netspace.store.schema").open("%s/c.db", "rw"))'):format(locked))
  t.ok(text:find("the directory " .. locked .. " is read-only", 1, true)
    and text:find("store=", 1, true), "a read-only directory is named with the remedy", text)
  text = as_user(('print(#assert(require("netspace.store.store").open("%s/b.db")):names())'):format(locked))
  t.is(text, "0\n", "a finished store in a read-only directory can be read")
else
  t.ok(true, "read-only directories # SKIP cannot become another user here")
end
uv.fs_chmod(locked, tonumber("755", 8))

os.execute("rm -rf " .. dir)
t.done()
