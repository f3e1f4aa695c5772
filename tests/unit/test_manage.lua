-- Removing, renaming and copying: a store at rest, one that is trained in, and the files beside it.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local data = require "netspace.data.data"
local integrity = require "netspace.store.integrity"
local json = require "netspace.lib.json"
local space = require "netspace.space.space"
local sqlite = require "netspace.core.sqlite"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-manage-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function count(path, sql)
  local db = assert(sqlite.open(path, "r"))
  local n = db:rows(sql)[1].n
  db:close()
  return n
end
local D = data.open("shapes", { train = 64, test = 50 })
local S = space.small.AnyNetXA
local window = { flops = { 1e6, 2e6 }, seed = 5 }
local BIG = 9007199254740993 -- 2^53 + 1: no double
local path = at "a.db"
local function train(name, n, seed, more)
  window.seed = seed
  local o = { store = path, name = name, models = S:sample(n, window), data = D, quiet = true,
    recipe = { epochs = 1 }, checkpoint = { keep = true } }
  for k, v in pairs(more or {}) do o[k] = v end
  return sweep.run(o)
end
local A = train("A", 3, 5)
train("B", 2, BIG)
local child = S:with(function(m) return m.d[1] >= 1 end)
train("C", 3, nil, { models = child:sample(3, { adopt = A }), seed = 5 })

-- Seeds beyond 2^53 -----------------------------------------------------------------------------
local s = assert(sweep.open(path))
t.is(s:population("B").seed, BIG, "the training seed is exact")
t.is(s:population("B").sample_seed, BIG, "and that of drawing")
t.ok(tostring(s:provenance("B")):find("drawn       seed 9007199254740993", 1, true), "provenance")
for _, file in ipairs { "x.csv", "x.jsonl", "x.csv.gz" } do
  t.is(s:export(at(file)), 8, "export of " .. file)
  t.is(stats.import(at(file)).B.seed, BIG, "comes back exact")
end
t.is(json.decode(json.encode { BIG, -BIG, math.maxinteger, math.mininteger })[4], math.mininteger,
  "JSON keeps 64 bits")
local report = require "netspace.report.report".report
t.ok(report(path, { output = at "x.html" }), "a report is made")
local page = assert(io.open(at "x.html")):read "a"
t.ok(page:find("9007199254740993", 1, true) and not page:find("9007199254740992", 1, true),
  "and has the seed")

-- Copying ---------------------------------------------------------------------------------------
t.is(s:copy(at "b.db"), true, "copy")
local b = assert(sweep.open(at "b.db"))
t.is(tostring(b:names()), "A, B, C", "with all populations")
t.is(json.encode(b:result("A").errors), json.encode(A.errors), "and results")
t.ok(b:net("A", 1), "and weights")
do -- a reading that begins again, because a writer has changed the file meanwhile
  local busy = assert(sweep.open(path))
  busy.reader.read = function(_, f, ...)
    f(...)
    return f(...)
  end
  t.is(busy:copy(at "twice.db"), true, "a copy that is read twice is made once")
  busy:close()
end
local again, why = s:copy(at "b.db")
t.ok(again == nil and why:find("is there already", 1, true), "never over a file", why)
again, why = s:copy("/nowhere/at/all.db")
t.ok(again == nil and why:find("there is no directory /nowhere/at", 1, true), "nor nowhere", why)
t.fails(function() s:copy() end, "expects the path of a new file")

-- Renaming --------------------------------------------------------------------------------------
local adopted = b:provenance("C").adopted.A
t.ok(adopted and adopted > 0, "C has adopted from A")
t.is(b:rename("A", "first one"), true, "rename")
t.is(tostring(b:names()), "first one, B, C", "it has the name")
t.is(b:provenance("C").adopted["first one"], adopted, "those who adopted from it know")
t.ok(b:net("first one", 1), "its weights too")
again, why = b:rename("B", "C")
t.ok(again == nil and why:find("has a population 'C' already", 1, true), "a name is given once", why)
t.is(b:rename("B", "B"), true, "to its own name: nothing to do")
t.fails(function() b:rename("Q", "R") end, "has no population 'Q'")
t.fails(function() b:rename("B", "") end, "s:rename: the name of a population is empty")
for name, part in pairs { ["a\nb"] = [[is "a\nb", which has a line break; a name is one line]],
  ["a\27[31m"] = "which has a control character", [" a"] = "with a blank at its beginning",
  ["a\xff"] = "which is not UTF-8" } do
  t.fails(function() b:rename("B", name) end, part)
  t.fails(function() train(name, 1, 5, { store = at "never.db" }) end, part)
end
t.ok(not uv.fs_stat(at "never.db"), "refused before a store is made")

-- Removing --------------------------------------------------------------------------------------
t.is(b:remove("first one"), true, "remove")
t.is(tostring(b:names()), "B, C", "it is gone")
t.is(count(at "b.db", "SELECT count(*) AS n FROM model"), 5, "with its models")
t.is(count(at "b.db", "SELECT count(*) AS n FROM epoch WHERE model NOT IN (SELECT id FROM model)"),
  0, "and their epochs")
t.ok(not uv.fs_stat(at "b.db.weights/1-1.safetensors"), "and weights")
t.ok(uv.fs_stat(at "b.db.weights/2-1.safetensors"), "those of others stay")
t.is(#integrity.check(at "b.db").problems, 0, "nothing is damaged")
t.is(#b:result("C").errors, 3, "what was adopted from it stays")
t.fails(function() b:remove("first one") end, "has no population 'first one'")
t.fails(function() b:remove() end, "s:remove expects the name of a population, got a nil")
t.ok(b:remove("B") and b:remove("C"), "all of them")
t.ok(not uv.fs_stat(at "b.db.weights"), "no weights are left")
t.is(tostring(s:names()), "A, B, C", "the original has all")

-- While a sweep is at work ------------------------------------------------------------------------
local long = sweep.start { store = path, name = "L", models = S:sample(8, window), data = D,
  quiet = true, recipe = { epochs = 500 }, workers = 1 }
for _, f in ipairs { function() return s:remove("L") end, function() return s:rename("L", "M") end } do
  local done, refusal = f()
  t.ok(done == nil and refusal:find("is being trained by process", 1, true),
    "refused for what is at work", refusal)
end
t.is(s:rename("B", "B2"), true, "another population may be renamed")
t.is(s:remove("B2"), true, "and removed")
t.is(s:copy(at "c.db"), true, "and the store copied")
local c = assert(sweep.open(at "c.db"))
t.is(c:population("L").state, "stopped", "in which nobody is at work")
t.is(c:population("L").running, 0, "nor any model running")
t.is(c:rename("L", "M"), true, "so that the copy may be changed")
t.is(long:status().state, "running", "the sweep does not notice")
long:cancel()
t.is(s:remove("L"), true, "when it has ended, it may go")
t.is(tostring(s:names()), "A, C", "and is gone")
b:close()
t.fails(function() b:remove("A") end, "closed store")

os.execute("rm -r " .. dir)
t.done()
