-- stats in Lua: the edf value, inputs of every kind, verdicts, properties, tables, messages.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local stats = require "netspace.stats.stats"
local help = require "netspace.prompt.help"
local doc = require "netspace.lib.doc"
local arch = require "netspace.network.arch"

-- The error is blamed on this file, on the line that called.
local function blamed(f, part)
  local _, message = pcall(f)
  t.ok(tostring(message):find("test_stats.lua:", 1, true) ~= nil
    and tostring(message):find(part, 1, true) ~= nil, part, tostring(message))
end

local function range(n, first, step)
  local list = {}
  for i = 1, n do list[i] = first + (i - 1) * step end
  return list
end

-- edf
local list = { 60, 40, 50, 50 }
local f = stats.edf(list)
t.is(f(40), 0, "strict at the minimum")
t.is(f(50), 0.25, "strict at a tie")
t.is(f(50.1), 0.75, "above a tie")
t.is(f(61), 1, "above all")
t.is(list[1], 60, "the list is left as it was")
t.is(("%d %g %g %g %g %d"):format(f.n, f.min, f.mean, f.median, f.max, f.failed),
  "4 40 50 50 60 0", "fields")
t.is(f.name, nil, "a list has no name")
t.is(f:quantile(0.25), 47.5, "quantile")
t.near(100 * (1 - f:area()), f.mean, 1e-12, "area and mean")
t.near(f:area(50), 0.25 * 0.2, 1e-12, "area to a limit")
local x, y = f:steps()
t.is(table.concat(x, " "), "40.0 50.0 60.0", "steps, x")
t.is(table.concat(y, " "), "0.25 0.75 1.0", "steps, y")
local band = stats.edf(range(100, 20, 0.5)):band(0.95)
t.near(band.epsilon, 0.1358, 5e-5, "DKW band of 100")
t.near(band.hi(45) - 0.5, band.epsilon, 1e-12, "upper edge")
t.near(0.5 - band.lo(45), band.epsilon, 1e-12, "lower edge")
t.ok(band.lo(0) == 0 and band.hi(99) == 1, "the band stays in 0 … 1")
t.is(tostring(f),
  "EDF of 4 models: min 40.00 %, mean 50.00 %, median 50.00 %, max 60.00 %", "text")

-- inputs
local A = { name = "A", errors = { 48, 51, 55, 60, 49, 53, 57, 100 }, failed = 1, n = 8 }
local B = { name = "B", errors = { 40, 42, 45, 47, 44, 41, 43, 50 }, failed = 0, n = 8 }
t.is(tostring(stats.edf(A)),
  "EDF of 8 models of A (1 failed): min 48.00 %, mean 59.12 %, median 54.00 %, max 100.00 %",
  "a result brings its name and failures")
t.is(stats.edf(stats.edf(A)).name, "A", "an edf is an edf")
t.is(stats.edf { 20, 100, 100 }.failed, 2, "without a count, errors of 100 are the failures")
blamed(function() stats.edf {} end, "stats.edf: the argument: there are no errors")
blamed(function() stats.edf { 1, "x" } end, "error 2 is a string")
blamed(function() stats.edf { 1, nil, 3 } end, "error 2 is a nil")
blamed(function() stats.edf { 1, 0 / 0 } end, "error 2 is NaN; give a diverged model an error of 100")
blamed(function() stats.edf { 0.5, 101 } end, "error 2 is 101; errors are percent, 0 to 100")
blamed(function() stats.edf(nil) end, "is a nil; it should be a list of errors")
blamed(function() stats.edf { name = "Z", errors = {} } end, "stats.edf: Z: there are no errors")
blamed(function() stats.edf { errors = 3 } end, "is a number")
blamed(function() f:band(1) end, "the level must lie between 0 and 1")
blamed(function() f:quantile(1.5) end, "a share from 0 to 1")

-- compare
local c = stats.compare(A, B)
t.is(c.better, "B", "the better one")
t.near(c.mean_difference, 44 - 59.125, 1e-9, "difference of means")
t.is(c.ks, 0.875, "KS distance")
t.near(c.ks_p, 16 / 6435, 1e-9, "its exact p: 2 C(16,1) / C(16,8)")
t.ok(c.p == c.p_permutation and c.p ~= c.ks_p, "p is the verdict's: that of the permutation test")
t.ok(c.ci[1] < c.mean_difference and c.mean_difference < c.ci[2], "the interval holds it")
t.near(c.p_better, 61.5 / 64, 0.02, "a random B beats a random A")
t.is(c.n[1] + c.n[2], 16, "sizes")
t.ok(c.verdict:find("^B is better than A: its mean error is 15.12 points lower") ~= nil
  and c.verdict:find("n = 8 and 8", 1, true) and c.verdict:find("1 of A", 1, true),
  "verdict names, measures, counts failures", c.verdict)
local back = stats.compare(B, A)
t.is(back.better, "B", "whichever comes first")
t.near(back.p_better, 1 - c.p_better, 1e-12, "and the share turns round")
local share = c.verdict:match("(%d+) %% of the time")
t.ok(share ~= nil and share == back.verdict:match("(%d+) %% of the time"), "same share in words")
t.is(stats.compare(A, B).ci[1], c.ci[1], "the default seed is fixed")
local P, Q = range(40, 20, 0.37), range(50, 18, 0.41)
t.ok(stats.compare(P, Q, { seed = 2 }).ci[1] ~= stats.compare(P, Q).ci[1],
  "another seed, another resampling")

local n = stats.compare({ 40, 41, 45, 60, 50 }, { 41, 40, 44, 59, 48 })
t.is(n.better, nil, "no claim from five and five")
t.ok(n.verdict:find("^No claim: the mean error of b, 46.40 %%, is below that of a") ~= nil
  and n.verdict:find("more models of each would settle", 1, true), "it says so", n.verdict)
t.ok(n.more > 1000, "and how many it would take")
local same = stats.compare(A, A)
t.ok(same.better == nil and same.more == nil and same.ks_p == 1 and same.p_better == 0.5
  and same.p_permutation == 1, "A against itself")
t.is(same.names[2], "A (b)", "equal names are told apart")
t.ok(stats.compare({ 40 }, { 60 }).verdict:find("too few", 1, true) ~= nil, "one model each")
-- three against three: the interval excludes 0, but 2 of 20 splits are as extreme
local few = stats.compare({ 50, 51, 52 }, { 40, 41, 42 })
t.ok(few.ci[2] < 0 and few.better == nil, "a short interval alone claims nothing", few.verdict)
t.near(few.p_permutation, 0.1, 1e-12, "exact permutation p")
t.ok(few.verdict:find("n = 3 of a and 3 of b are too few", 1, true), "no three can show anything",
  few.verdict)
t.is(few.least_p, 0.1, "the least p of three and three")
local level = stats.compare({ 50, 51, 52 }, { 40, 41, 42 }, { level = 0.9 })
t.is(level.better, "b", "which is enough at 90 %")
local equal = stats.compare({ 50, 50.1, 50.2 }, { 50, 50.1, 50.2 }, { margin = 5 })
t.ok(equal.same and equal.verdict:find("are the same within 5 points", 1, true),
  "sameness needs no p", equal.verdict)
local function binned(e)
  return { errors = { e, e + 1, e + 2, e + 3 }, models = { {}, {}, {}, {} },
    columns = { x = { 1, 1, 2, 2 } } }
end
local strata = stats.compare(binned(60), binned(30), { by = "x", bins = 2, range = { 1, 2 } })
t.near(strata.least_p, 2 / 36, 1e-12, "bin by bin there are fewer ways")
t.ok(strata.verdict:find("too few to compare at equal x", 1, true), "which is said", strata.verdict)
local wide, narrow = {}, {}
for i = 1, 40 do wide[i] = 40 + (i * 7 % 41) / 4 end
for i = 1, 8 do narrow[i] = 43 + i / 8 end
local close = stats.compare(wide, narrow)
t.ok(close.ci[2] < 0 and close.verdict:find("the interval alone would claim it", 1, true),
  "where the two disagree it is said", close.verdict)
local none = stats.alternatives({ 50, 51, 52 }, { { 40, 41, 42 } })
local many = {}
for i = 1, 40 do many[i] = 50 + i / 100 end
local two = stats.alternatives({ 80, 80.1, 80.2, 80.3 }, { many, { 20, 20.1, 20.2, 20.3 } })
t.ok(two.rows[1].claim == "better" and not two.rows[1].few, "what is claimed is not too few")
local lists = {}
for i = 1, 20 do lists[i] = {} for k = 1, 30 do lists[i][k] = 40 + k end end
t.ok(stats.alternatives(many, lists, { draws = 100 }).verdict:find(
  "210 comparisons need more draws than 100", 1, true), "draws that cannot show anything")
t.ok(none.rows[1].few and none.verdict:find("so few models cannot show anything", 1, true),
  "nor of alternatives", none.verdict)
-- equal means, different spread
local spread = stats.compare(range(60, 20, 1), range(60, 47, 0.1))
t.ok(spread.better == nil and spread.verdict:find("the EDFs themselves do differ", 1, true) ~= nil,
  "a difference of shape is told", spread.verdict)
blamed(function() stats.compare(A) end, "stats.compare: b is a nil")
blamed(function() stats.compare(A, B, { sed = 1 }) end, "did you mean 'seed'?")
blamed(function() stats.compare(A, B, { level = 95 }) end, "level is 95")
blamed(function() stats.compare(A, B, { draws = 0 }) end, "draws is 0")

local d, p = stats.ks({ 1, 2, 3, 4 }, { 5, 6, 7, 8 })
t.is(d, 1, "ks distance")
t.near(p, 2 / 70, 1e-12, "ks p")

-- bootstrap
local models, errors = {}, {}
for i = 1, 40 do
  models[i] = assert(arch.anynet { d = { 1, 1 + i % 8 }, w = { 16, 16 + 8 * (i % 5) },
    g = i % 2 == 0 and 8 or 16, stem = "cifar" })
  errors[i] = 30 + (i * 17 % 40)
end
local result = { name = "R", errors = errors, models = models, failed = 0, n = 40 }
local best = 40
for i = 1, 40 do if errors[i] < errors[best] then best = i end end
for _, key in ipairs { "d", "w", "g", "b", "w[2]", "flops", "params", "acts" } do
  local r, exact = stats.bootstrap(result, key), stats.bootstrap(result, key, { exact = true })
  local m = models[best]
  local want = ({ d = m.d[1] + m.d[2], g = m.asked.g[1], b = 1, ["w[2]"] = m.w[2],
    w = (m.d[1] * m.w[1] + m.d[2] * m.w[2]) / (m.d[1] + m.d[2]) })[key]
    or arch.complexity(m)[key]
  t.is(r.best, want, key .. " of the best model")
  t.is(r.taken, 10, "a quarter of 40")
  t.ok(r.lo <= r.median and r.median <= r.hi, key .. " is ordered", tostring(r))
  t.is(r.median, exact.median, key .. ": simulated and exact median")
end
local own = stats.bootstrap(result, function(m) return -m.d[2] end)
t.is(own.best, -models[best].d[2], "a function of the model")
t.is(stats.bootstrap(result, "d", { share = 1, exact = true, level = 0.5 }).taken, 40, "share")
blamed(function() stats.bootstrap(result, "flop") end, "did you mean 'flops'?")
blamed(function() stats.bootstrap(result, "w[3]") end, "model 1: it has 2 stages")
blamed(function() stats.bootstrap(result, "w_a") end, "model 1: it is not a RegNet")
blamed(function() stats.bootstrap(result, function() end) end, "the property is nil, not a number")
blamed(function() stats.bootstrap(A, "d") end, "table without models")
blamed(function() stats.bootstrap({ errors = { 1 }, models = {} }, "d") end, "0 models but 1 errors")
blamed(function() stats.bootstrap(result, "d", { share = 2 }) end, "share is 2")
local mixed = { errors = { 1 }, models = { arch.anynet { d = { 1, 1 }, w = { 16, 16 }, g = { 8, 16 } } } }
blamed(function() stats.bootstrap(mixed, "g") end, "g differs between its stages")

-- search
local s = stats.search(A)
t.is(table.concat(s.m, " "), "1 2 4 8", "powers of two, and n")
t.near(s.mean[1], 59.125, 1e-9, "best of one is the mean")
t.near(s.mean[2], (48 * 15 + 49 * 13 + 51 * 11 + 53 * 9 + 55 * 7 + 57 * 5 + 60 * 3 + 100) / 64,
  1e-9, "best of two, by counting ordered pairs")
t.is(stats.search(A, { m = { 8 }, replacement = false }).mean[1], 48, "all of them")
blamed(function() stats.search(A, { m = { 1, 9 }, replacement = false }) end, "m[2] is 9")
blamed(function() stats.search(A, { m = { 1.5 } }) end, "m[1] is 1.5")

-- table
local rows = stats.table { A, B, { 20, 30 } }
t.ok(rows[1].space == "A" and rows[1].failed == 1 and rows[2].min == 40 and rows[3].n == 2,
  "rows")
t.is(tostring(rows), table.concat({
  "space  n  min %  mean %  median %  failed",
  "A      8  48.00   59.12     54.00       1",
  "B      8  40.00   44.00     43.50       0",
  "#3     2  20.00   25.00     25.00       0" }, "\n"), "printed")
blamed(function() stats.table {} end, "expects a list of results")
blamed(function() stats.table { A, 3 } end, "entry 2 is a number")

-- every public name has help whose examples run
local environment = setmetatable({ stats = stats }, { __index = _G })
for name in pairs(stats) do
  t.ok(doc.topics["stats." .. name] ~= nil, "help of stats." .. name)
end
local topics = {} -- examples may load modules, which adds topics
for name in pairs(doc.topics) do topics[#topics + 1] = name end
table.sort(topics)
for _, name in ipairs(topics) do
  local text = doc.topics[name]
  if name:find("^stats%.") or name:find("^edf:") then
    local examples = 0
    for code in text:gmatch("example: ([^\n]+)") do
      local chunk = load("return " .. code, name, "t", environment)
      t.ok(chunk and pcall(chunk), name .. ": " .. code)
      examples = examples + 1
    end
    t.ok(examples > 0, name .. " has an example")
  end
end

t.done()
