-- The time of networks: told by a table that is made of nothing measured (fake_times.lua), as a
-- number, a window of a population, and a property; what is kept of it; what is refused; and a
-- table that is interrupted while it is made.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local core = require "netspace.core.timing"
local json = require "netspace.lib.json"
local stores = require "netspace.store.store"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local times = require "netspace.network.times"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp "/tmp/netspace-times-XXXXXX")
local at_end <close> = setmetatable({}, { __close = function() -- luacheck: ignore 211
  os.execute("rm -rf '" .. dir .. "'")
end })
local kept = require "fake_times"(dir .. "/cache")
local S = space.small.AnyNetXA

-- A number ------------------------------------------------------------------------------------
local m = arch.anynet { d = { 1, 3 }, w = { 16, 32 }, g = 8 }
local deeper = arch.anynet { d = { 1, 6 }, w = { 16, 32 }, g = 8 }
local s = arch.time(m)
t.ok(s > 0 and s < 1, "seconds")
t.is(arch.time(m), s, "always the same")
t.is(arch.time(m, { batch = 64, threads = 1, training = true, image = 32 }), s, "the defaults")
t.ok(arch.time(m, { training = false }) < s, "a test takes less than a step of training")
t.ok(arch.time(m, { image = 64 }) > 2 * s, "and more pixels more")
-- Blocks that are alike take equal times: three more of them as much as three more again.
local deepest = arch.time(arch.anynet { d = { 1, 9 }, w = { 16, 32 }, g = 8 })
t.near(arch.time(deeper) - s, deepest - arch.time(deeper), 1e-9, "blocks add up")

local about = arch.times()
t.is(about.id, kept.id, "the table has an identity")
t.ok(tostring(about):find(about.id, 1, true) and tostring(about):find("1 thread", 1, true),
  "and says what it is of")
t.is(arch.time(m, { table = about.path }), s, "the same by its file")
t.is(arch.time(m, { table = about.id }), s, "and by its identity")

-- A window ------------------------------------------------------------------------------------
local all = S:sample(60, { seed = 3 })
local list = {}
for i, x in ipairs(all) do list[i] = arch.time(x) end
table.sort(list)
local lo, hi = list[15], list[45]
local p = S:sample(30, { seed = 3, time = { lo, hi } })
local inside, first = true, {}
for _, x in ipairs(all) do
  if arch.time(x) >= lo and arch.time(x) <= hi then first[#first + 1] = arch.hash(x) end
end
for i, x in ipairs(p) do
  local told = arch.time(x)
  inside = inside and told >= lo and told <= hi and (not first[i] or first[i] == arch.hash(x))
end
t.ok(inside and #first > 20, "the networks of the window, in the order of the space")
t.is(p.spec.timing.table, about.id, "the population says by which table")
t.is(p.spec.timing.batch, 64, "and how")
t.ok(tostring(p):find("time .* to .*s, ") ~= nil, "and prints its window")
local slower = S:sample(5, { seed = 3, time = { lo, hi, training = false, batch = 8 } })
t.ok(arch.time(slower[1], { training = false, batch = 8 }) >= lo, "of testing")
t.near(S:size({ time = { lo, hi }, draws = 200 }).window.share,
  S:acceptance({ time = { lo, hi } }).share, 0.2, "sizes and acceptance know it")
local why = arch.why({ d = { 1, 3 }, w = { 16, 32 }, g = 8 }, { time = { 10, 20 } })
t.ok(why.reason:find("outside 10 s to 20 s", 1, true), "arch.why, too")

-- A property ----------------------------------------------------------------------------------
local errors, columns = {}, {}
for i, x in ipairs(all) do errors[i], columns[i] = 50 + i % 7, arch.time(x, { training = false }) end
local result = { name = "A", errors = errors, models = all }
local b = stats.bootstrap(result, "time")
t.ok(b.lo >= list[1] and b.hi <= list[60], "stats.bootstrap by time")
t.ok(#plot.scatter(result, "test_time"):text() > 0, "plot.scatter by test_time")
local by = require("netspace.stats.property").values("x", result, "test_time", true)
t.is(by[7], columns[7], "which is arch.time in testing")
t.is(require("netspace.stats.property").values("x", { name = "B", errors = { 1 }, models = { m },
  columns = { time = { 42 } } }, "time", true)[1], 42, "a column of an import goes before")

t.is(table.concat(require("netspace.monitor.views.property").found "time", " "),
  "time test_time", "the monitor offers both")

-- A store keeps it ------------------------------------------------------------------------------
local few = S:sample(2, { seed = 5, time = { list[1], list[10] } })
sweep.run { store = dir .. "/a.db", name = "A", models = few, quiet = true,
  data = data.open("shapes", { train = 64, test = 50 }), recipe = { epochs = 1 } }
local text = tostring(stores.open(dir .. "/a.db"):provenance("A"))
t.ok(text:find(about.id, 1, true), "its provenance names the table", text)
local child = S:with(function(x) return x.d[1] >= 1 end)
local A = stores.open(dir .. "/a.db"):result("A")
local adopted = child:sample(2, { adopt = A })
t.is(adopted.spec.timing.table, about.id, "who adopts counts as they did")
t.fails(function() child:sample(2, { adopt = A, time = { list[1], list[10], batch = 8 } }) end,
  "batch = 64", "and not in another way")

-- Forecasts count by it ---------------------------------------------------------------------------
local four = S:sample(4, { seed = 6 })
local f = sweep.forecast { store = dir .. "/b.db", models = four, workers = 1, budget = 1e6,
  data = data.open("shapes", { train = 64, test = 50, validation = 0 }), recipe = { epochs = 2 } }
t.is(f.source, "the times of layers", "a forecast, where nothing was trained yet")
local function cost(x)
  local train, test = arch.time(x, { batch = 32 }), arch.time(x, { batch = 32, training = false })
  return 64 * train + 50 * test
end
t.near(f.prices[1] / f.prices[3], cost(four[1]) / cost(four[3]), 1e-9, "of each model")
t.ok(f.seconds >= 0.999 * 2 * (cost(four[1]) + cost(four[2]) + cost(four[3]) + cost(four[4])),
  "and of all of them")

sweep.run { store = dir .. "/c.db", name = "C", models = four, quiet = true,
  data = data.open("shapes", { train = 64, test = 50 }), recipe = { epochs = 1 } }
assert(report(dir .. "/c.db", { output = dir .. "/c.html" }))
do
  local f <close> = assert(io.open(dir .. "/c.html"))
  local page = f:read "a"
  t.ok(page:find "<th[^>]*>time<" and page:find("seconds of an image in training", 1, true),
    "a report has the times of the best")
end

-- What is refused -------------------------------------------------------------------------------
local function refused(o, ...)
  local good, message = pcall(arch.time, m, o)
  for _, part in ipairs { ... } do
    t.ok(not good and message:find(part, 1, true), part, tostring(message))
  end
end
refused({ batch = 2000 }, "batch is 2000", "1 to 1024")
refused({ image = 1000 }, "image is 1000", "8 to 448", "net.benchmark")
refused({ threads = sys.cores() + 1 }, ("threads is %d"):format(sys.cores() + 1), "table=")
refused({ table = dir .. "/none.json" }, "none.json", "arch.times()")
refused({ table = "00112233445566ff" }, "is not on this machine", "copy its file")
local half = dir .. "/half.json"
do
  local f <close> = assert(io.open(half, "w"))
  f:write(json.encode { format = 1, times = { test = { whole = 1, error = 0 } } })
end
refused({ table = half }, "not whole")
t.fails(function() S:sample(2, { time = { 3, 2 } }) end, "{2e-3, 3e-3} (seconds)", "a window")
t.fails(function() S:sample(2, { time = { 1, 2, bach = 3 } }) end, "did you mean 'batch'", "a slip")
t.fails(function() S:sample(2, { time = { 100, 200 }, max_tries = 500 }) end,
  "outside time", "and a window that nothing is in")
t.fails(function() S:sample(2, { time = { 0, 9 }, image = 1024 }) end, "image is 1024",
  "or images of which nothing is known")

-- Made when it is asked for, and interrupted ------------------------------------------------------
uv.os_setenv("XDG_CACHE_HOME", dir .. "/other")
times.probes = 3
local measure, asked = core.measure, {}
function core.measure(number, threads)
  asked[#asked + 1] = number
  if number == 2 and #asked == 3 then error("interrupted", 0) end
  return measure(number, threads)
end
local background = require "netspace.lib.background"
local said = {}
function background.notify(line) said[#said + 1] = line end
local good, message = pcall(arch.time, m)
t.ok(not good and message:find "interrupted", "an interruption passes")
t.is(times.begun(1), 2, "what was measured is kept")
t.ok(arch.time(m) > 0, "the next time it goes on")
t.is(table.concat(asked, " "), "0 1 2 2", "with what is missing")
t.is(times.begun(1), 0, "and leaves nothing behind")
t.ok(times.present(1) ~= nil, "but the table")
t.ok(#said == 0 or said[1]:find "measuring the times of layers", "which is said")
local before = arch.times().id
t.ok(arch.times { again = true }.id ~= before, "it can be measured anew")
t.ok(times.find(before) ~= nil, "and the old one stays for what was drawn by it")
core.measure = measure
uv.os_setenv("XDG_CACHE_HOME", half) -- a file
local denied = select(2, pcall(arch.time, m))
t.ok(denied:find("cannot be written", 1, true) and denied:find("XDG_CACHE_HOME", 1, true),
  "a cache that cannot be written", denied)

t.done()
