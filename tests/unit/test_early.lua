-- Populations of which some models are trained to the end and the others are only begun: what the
-- sweep does, that it goes on to the same bits, and what statistics and plans make of it.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-early-XXXXXX"))
local path = dir .. "/a.db"
local data_set = data.open("shapes", { train = 240, test = 100 })
local A = space.small.AnyNetXA:sample(26, { flops = { 1e6, 2e6 }, seed = 3 })
local function options(o)
  local all = { store = path, name = "A", models = A, data = data_set, quiet = true,
    recipe = { epochs = 3, batch = 16, lr = 0.1 } }
  for k, v in pairs(o or {}) do all[k] = v end
  return all
end

local function refused(text, o) t.fails(function() sweep.run(options(o)) end, text) end
refused("early.full is nil; it is how many of the 26 models are trained to the end, from 1 to 25",
  { early = {} })
refused("early.full is 26", { early = { full = 26 } })
refused("early.after is 3 epochs; it must be from 1 to 2, below the 3 of the recipe",
  { early = { full = 5, after = 3 } })
refused("did you mean 'after'", { early = { full = 5, aftre = 1 } })

local forecast = tostring(sweep.forecast(options { early = { full = 12 } }))
t.ok(forecast:find("26 models × 3 epochs (14 of them 1 epoch)", 1, true), "forecast", forecast)
local r = sweep.run(options { early = { full = 12 } })
t.is(#r.errors, 12, "a result has those that were trained to the end")
t.is(r.n, 12, "and none that are unfinished")
t.is(#r.early.signal, 12, "the first epochs of these")
t.is(#r.early.rest.signal, 14, "and of the others")
t.is(#r.early.rest.models, 14, "with their networks")
t.is(r.early.why, nil, "are all known")
t.ok(tostring(r):find("26 models: 12 done, 14 queued (14 of them left after 1 epoch)", 1, true),
  "printed", tostring(r))
local s = assert(sweep.open(path))
local learning = s:learning("A")
t.is(r.early.signal[5], learning[5].train_loss[1], "the signal is the loss of the first epoch")
t.is(#learning[13].train_loss, 1, "the others were trained for one")
t.is(s:population("A").state, "finished", "the population is as far as it shall be")
s:close()
local count = sweep.forecast(options { early = { full = 12 } }).models
t.is(count, 0, "the same again trains nothing")
sweep.resume(path, { quiet = true })
t.is(#sweep.open(path):learning("A")[20].train_loss, 1, "nor does resume")

-- What predictions make of it.
local p = stats.predict(r)
t.is(p.begun, 14, "those that were begun are used")
t.is(p.epochs, 1, "and it is said for how long")
t.ok(tostring(p):find("12 trained, 14 begun (1 epoch) and 20,000 predicted", 1, true), "printed",
  tostring(p))
local function copy(x, o)
  local c = { name = x.name, errors = x.errors, models = x.models, indices = x.indices,
    recipe = x.recipe, card = x.card, _origin = x._origin, early = x.early }
  for k, v in pairs(o or {}) do c[k] = v end
  return c
end
t.ok(not stats.predict(copy(r, { early = false })).begun, "without them it is as ever")
local function early(o)
  local e = { epochs = r.early.epochs, full = 12, n = 26, signal = r.early.signal,
    rest = r.early.rest }
  for k, v in pairs(o) do e[k] = v end
  return e
end
t.ok(not stats.predict(copy(r, { early = early { why = "3 of 26 are not yet" } })).begun,
  "nor where some are not through the first epochs")
local best = copy(r, { name = "best", indices = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 26 } })
t.fails(function() stats.compare(best, r) end,
  "those of best that were trained to the end are not the first 12 that were drawn")
t.fails(function() stats.alternatives(r, { best }) end, "let chance choose")
t.fails(function() stats.plan { pilot = best, difference = 1 } end, "best")

-- Populations that are made up, of which the truth is known: the signals of many more pay.
local function made(name, n, all, seed, by)
  local P = space.small.AnyNetXA:sample(all, { flops = { 1e6, 2e6 }, seed = seed })
  local x = { name = name, errors = {}, models = {}, indices = {}, recipe = { epochs = 10 },
    card = { train_n = 100 }, _origin = { spec = P.spec, window = P.window,
    constraints = P.constraints, seeds = { seed } },
    early = { epochs = 1, full = n, n = all, signal = {}, rest = { signal = {}, models = {} } } }
  for i, m in ipairs(P) do
    local own = 2 * math.sin(12.9898 * (i + 1000 * seed)) -- what no feature tells
    local error = 40 + by + math.log(m.d[3]) - 2 * math.log(m.w[4] / m.w[1]) + own
    local signal = error / 20 + 0.03 * math.sin(78.233 * (i + 77 * seed))
    if i <= n then
      x.errors[i], x.models[i], x.indices[i], x.early.signal[i] = error, m, i, signal
    else
      table.insert(x.early.rest.models, m)
      table.insert(x.early.rest.signal, signal)
    end
  end
  return x
end
local a, b = made("a", 40, 200, 5, 0), made("b", 40, 200, 6, -1)
local with = stats.compare(a, b, { predict = true })
local without = stats.compare(copy(a, { early = false }), copy(b, { early = false }),
  { predict = true })
t.ok(with.deviation < 0.7 * without.deviation, "narrower", with.deviation .. " "
  .. without.deviation)
t.ok(math.abs(with.mean_difference + 1) < 3 * with.deviation, "and right", with.mean_difference)
t.ok(with.verdict:find("n = 40 and 40 trained, 160 begun (1 epoch) and 20,000 predicted", 1, true),
  "the verdict says what it used", with.verdict)
t.ok(with.verdict:find("with prediction (t test), exact permutation p", 1, true),
  "and which p is which", with.verdict)
a.early.rest.signal[3] = math.huge -- one has failed at once
local tamed = stats.compare(a, b, { predict = true })
t.near(tamed.mean_difference, with.mean_difference, 0.15, "one that failed at once bends nothing")
for i = 1, 60 do a.early.rest.signal[i] = math.huge end
t.ok(not stats.predict(a).begun, "where many did, signals are of no use")

do -- a step of a design
  local step = design.step { parent = space.small.AnyNetXA, candidates = { "b_1" }, n = 12,
    sample = { flops = { 1e6, 2e6 } }, store = dir .. "/step.db", data = data_set, quiet = true,
    recipe = { epochs = 2, batch = 16, lr = 0.1 }, early = { full = 10 }, predict = true }
  local c = step.alternatives.pairs[1].comparison
  t.is(#step.results[2].errors, 10, "a step trains ten to the end")
  t.is(#step.results[2].early.rest.signal, 2, "and begins the others")
  t.ok(c.unpredicted or c.predicted.begun[2] == 2, "which tell of the space", c.verdict)
  t.fails(function() design.step { parent = space.small.AnyNetXA, candidates = { "b_1" }, n = 12,
    store = "x.db", data = data_set, early = { full = 10 }, stop = "decided" } end,
    "early is for populations that are trained to the end")
end

-- Plans.
local all = sweep.run(options())
local few = space.small.AnyNetXA:sample(14, { flops = { 1e6, 2e6 }, seed = 3 })
local fresh = sweep.run(options { store = dir .. "/b.db", models = few })
t.is(fresh.errors[14], all.errors[14], "as if it had never been left")
local same = true
for i, e in ipairs(fresh.errors) do same = same and all.errors[i] == e end
t.ok(same and #all.errors == 26, "without early they go on, and end as if never left")
t.is(all.early, nil, "nothing is left of it")
local plan = stats.plan { pilot = all, difference = 2 }
t.ok(#plan.rows >= 2 and plan.rows[1].price <= plan.rows[2].price, "a plan, the cheapest first",
  tostring(plan))
t.ok(plan.timed and plan.verdict:find "core%-hours", "in core-hours", plan.verdict)
t.ok(plan.rows[1].full >= 20, "and never with too few")
t.ok(not plan.verdict:find "not known", "the store knows the early signals")
local finer = stats.plan { pilot = all, difference = 0.5 }
t.ok(finer.rows[1].n > plan.rows[1].n and finer.rows[1].price > plan.rows[1].price,
  "a smaller difference takes more")
t.near(stats.plan { pilot = all, precision = 1 }.rows[1].price,
  stats.plan { pilot = { all, all }, precision = 1 }.rows[1].price, 1e-6,
  "one pilot stands for two of its kind")
do -- the plan without prediction is the textbook's
  local E, P = {}, space.small.AnyNetXA:sample(20)
  for i in ipairs(P) do E[i] = 40 + 3 * (i % 2) end -- variance 2.25 · 20/19
  local plain = stats.plan { pilot = { errors = E, models = P }, difference = 0.5 }
  local n = math.ceil(2 * 2.25 * 20 / 19 * ((1.959964 + 0.841621) / 0.5) ^ 2)
  local found
  for _, row in ipairs(plain.rows) do found = not row.predicted and row.n or found end
  t.is(found, n, "n without prediction")
  t.ok(not plain.timed and plain.verdict:find "epochs for both", "without times, in epochs",
    plain.verdict)
  t.ok(plain.verdict:find "early signals of the pilot are not known", "and it is said why")
  t.ok(stats.plan { pilot = { errors = E, models = P, name = "unknown",
    columns = {} }, difference = 1 }, "columns may be missing")
  for k = 1, 20 do P[k].spec = nil end
  local lost = { errors = E, models = table.move(P, 1, 20, 1, {}), name = "unknown" }
  t.ok(stats.plan { pilot = lost, difference = 1 }.verdict:find "not predicted: the space of unknown",
    "of an unknown space without prediction")
end
local function wrong(text, o) t.fails(function() stats.plan(o) end, text) end
wrong("needs pilot", { difference = 1 })
wrong("give either difference", { pilot = all })
wrong("give either difference", { pilot = all, difference = 1, precision = 1 })
wrong("power is 1", { pilot = all, difference = 1, power = 1 })
wrong("difference is -1", { pilot = all, difference = -1 })
wrong("12 finished models; a pilot needs at least 20", { pilot = r, difference = 1 })
wrong("3 results", { pilot = { all, all, all }, difference = 1 })

data_set:close()
for _, name in ipairs { "/a.db", "/b.db" } do
  for _, tail in ipairs { "", "-wal", "-shm", ".lock" } do os.remove(dir .. name .. tail) end
end
os.execute("rm -rf " .. dir)
t.done()
