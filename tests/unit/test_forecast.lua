-- Forecasts of sweeps, budgets, and the price by which time is reckoned.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local places = require "netspace.sweep.places"
local data = require "netspace.data.data"
local forecasts = require "netspace.sweep.forecast"
local recipe = require "netspace.network.recipe"
local stores = require "netspace.store.store"
local space = require "netspace.space.space"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-forecast-XXXXXX"))
local shapes = assert(data.open("shapes", { train = 64, test = 32 }))
local models = {}
for i = 1, 6 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * i, 16 } } end
local function options(o)
  local all = { store = dir .. "/a.db", name = "A", models = models, data = shapes, quiet = true,
    recipe = recipe { epochs = 1, batch = 32 }, workers = 2 }
  for k, v in pairs(o or {}) do all[k] = v end
  return all
end

-- Times as people write them
for text, seconds in pairs { ["2h"] = 7200, ["1h30m"] = 5400, ["90m"] = 5400, ["45s"] = 45,
  ["1.5h"] = 5400, ["1d 2h"] = 93600, ["20"] = 20, [" 7200 "] = 7200 } do
  t.is(forecasts.seconds(text), seconds + 0.0, text)
end
t.is(forecasts.seconds(7200), 7200, "a number is seconds")
for _, bad in ipairs { "", "2 3", "h", "2x", "-2h", "0s", 0, -1, 0 / 0, math.huge } do
  t.is(forecasts.seconds(bad), nil, tostring(bad) .. " is no time")
end
t.fails(function() sweep.run(options { budget = "soon" }) end, "budget is 'soon'; it must be a time")

-- Sums: with a speed that is known (one unit of price takes a microsecond), by hand
local card = { train_n = 64, test_n = 30 }
t.is(forecasts.price({ flops = 1000, acts = 10 }, card, 3, {}), (1000 + 500) * (64 + 10) * 3.0,
  "the price of a training")
local ledger = { trained = function()
  local list = {}
  for i = 1, 8 do
    list[i] = { flops = 1000, acts = 10, seconds = 1500 * 74 * 3 * 1e-6,
      card = '{"train_n":64,"test_n":30}', recipe = '{"epochs":3}' }
  end
  return list
end }
local costs = {}
for i, c in ipairs { 4, 3, 2, 2, 1 } do costs[i] = { flops = c * 1e9, acts = 0 } end
local plan = { name = "X", costs = costs, models = {}, card = card, workers = 2, budget = 1,
  places = places.make("plan", 2),
  recipe = { epochs = 1, batch = 32 } }
local f = forecasts.make(ledger, plan, { 1, 2, 3, 4, 5 })
-- in order on two workers: 4 beside 3, then 2 (3 + 2), 2 (4 + 2), 1 (5 + 1): six units
t.near(f.seconds, 6e9 * 74 * 1e-6, 1, "workers take the next in order")
t.is(f.flops, 12e9 * (3 * 64 + 30), "all multiply-adds, forward and backward")
t.ok(f.low < f.seconds and f.seconds < f.high, "with a range around it")
t.is(f.rate > 0.99e-6 and f.rate < 1.01e-6, true, "and the price of a unit")
local two = sys.cores() > 1 and 1.5e9 or 2e9 -- the longer one gets the core of the other
t.near(forecasts.make(ledger, plan, { 3, 5 }).seconds, two * 74 * 1e-6, 1, "only what is open")
t.is(forecasts.make(ledger, plan, {}).seconds, nil, "nothing open, nothing to say")
t.ok(tostring(forecasts.make(ledger, plan, {})):find("nothing is left", 1, true), "in words, too")
t.ok(tostring(f):find("X: 5 models × 1 epoch × 64 images", 1, true)
  and tostring(f):find("8 models trained here before", 1, true), "as a line", tostring(f))

-- What fits into a budget, what will fail, several together
local function line(o)
  local p = { name = "X", costs = costs, models = {}, card = card, workers = 2,
    places = places.make("plan", 2),
    recipe = { epochs = 1, batch = 32 } }
  for k, v in pairs(o) do p[k] = v end
  return forecasts.make(ledger, p, { 1, 2, 3, 4, 5 })
end
local unit = 1e9 * 74 * 1e-6 -- seconds of a model of cost 1
-- done after 4, 3, 5, 6, 6 units, each of two workers taking the next in order
t.is(line({ budget = 5.1 * unit }).fit, 3, "three are done in five units")
t.ok(tostring(line({ budget = 5.1 * unit })):find("; about 3 of 5 by %d%d:%d%d, when the budget of "),
  "and the line says so", tostring(line({ budget = 5.1 * unit })))
t.ok(not tostring(line({ budget = 7 * unit })):find("by %d%d:%d%d"), "not where there is time for all")
t.is(line({ budget = 3.5 * unit }).fit, 0, "not the second without the first: a beginning counts")
local pair = { line { budget = 1e6 }, line { budget = 1e6 } }
local both = forecasts.together(pair, 12.5 * unit, 3600)
t.ok(both:find("^2 sweeps: 10 models, ") and both:find("; about 5m", 1, true) == nil
  and both:find("; about 5 of 5 of each by", 1, true) == nil, "one line for both", both)
both = forecasts.together(pair, 7.5 * unit, 3600)
t.ok(both:find("; about 2 of 5 of each by %d%d:%d%d, when the budget of 1h00m is spent$"),
  "what fits of each", both)
t.is(forecasts.together({ line { budget = 1e6 }, (forecasts.make(ledger, plan, {})) }):match "^(%d) ", "1",
  "what has nothing open does not count")
local needs = {}
for i, m in ipairs(models) do needs[i] = require("netspace.core.net").need(m, recipe { batch = 32 }) end
local tight = sweep.forecast(options { memory = needs[2] })
t.is(tight.over.n .. " " .. tight.over.of .. " " .. tight.over.most, ("4 6 %d"):format(needs[6]),
  "what needs more memory than it may is known beforehand")
t.ok(tostring(tight):find("; 4 of 6 need more than %S+ .B %(up to %S+ .B%) and will fail: raise memory=$"),
  "and said", tostring(tight))
t.is(sweep.forecast(options { memory = needs[6] }).over, nil, "nothing to say where all may")

-- The price of time: the forecast counts until something is known
local pace = require "netspace.sweep.pace"
local young = { cost = 10, from = 0.5, part = 0.5 }
pace.begin(young, 1, -100)
local s = { price = 2, running = { young } }
t.near(pace.price { s }, 2, 1e-12, "a model that has told nothing yet says nothing of the price")
young.part, young.told = 1, -60
t.near(pace.price { s }, (40 + 5) / (5 + 5 / 2), 1e-12, "what is told counts beside it")

-- Asking: only on a terminal (tests/sweep/ask.sh), only when it is long
local long = { name = "X", forecast = { seconds = 1e5 } }
t.ok(forecasts.agreed(long), "no terminal, no question")

-- Measured on this machine, without starting anything (where the times of layers are not known)
uv.os_setenv("XDG_CACHE_HOME", dir .. "/cache")
f = sweep.forecast(options { budget = 1e6 })
t.ok(f.models == 6 and f.seconds > 0 and f.low < f.high, "measured", tostring(f))
t.ok(f.source:find("measured", 1, true), "and says so")
t.ok(not uv.fs_stat(dir .. "/a.db"), "no store is made")

-- Budgets
local none = sweep.run(options { budget = 1e-6 })
t.is(#none.errors .. " " .. none.n .. " " .. none.budget, "0 6 1e-06", "no time for any model")
t.ok(tostring(none):find("the budget of", 1, true), "the result says so", tostring(none))
local r = sweep.run(options { budget = "1h" })
t.is(#r.errors, 6, "time for all of them")
t.is(r.budget, nil, "then the result is as any other")
f = sweep.forecast(options())
t.is(f.models, 0, "nothing is left to train")
do -- a budget that ends when the second model is taken
  local s, taken = sweep.start(options { name = "B", budget = "1h", workers = 1 }), 0
  local take = s._next
  s._next = function(self, ...)
    taken = taken + 1
    if taken == 2 then self.budget = 1e-6 end
    return take(self, ...)
  end
  local stopped = s:wait()
  t.is(#stopped.errors .. " " .. taken, "2 2", "no model is begun after that")
  local store = assert(stores.open(dir .. "/a.db"))
  local prefix = true
  for i, model in ipairs(store:live("B")) do
    prefix = prefix and (i <= 2) == (model.status == "done")
  end
  t.ok(prefix, "what is trained is a beginning of the population")
  store:close()
end
t.is(#sweep.resume(dir .. "/a.db", { quiet = true })[1].errors, 6, "the rest is trained later")

os.execute("rm -rf " .. dir)
-- A window: of what the space has, larger for more time, a factor of two wide
local S = space.small.RegNetX
local function window(time, o)
  local all = { data = shapes, time = time, models = 2, workers = 1, recipe = { epochs = 1 } }
  for k, v in pairs(o or {}) do all[k] = v end
  return sweep.window(S, all)
end
local short, long = window(1e-3), window "400d"
t.ok(short.flops[1] < long.flops[1], "more time allows larger networks")
t.ok(short.note:find "smaller networks are rare" and long.note:find "larger ones are rare",
  "what the space hardly has is said", tostring(short) .. tostring(long))
for _, w in ipairs { short, long } do
  t.near(w.flops[2] / w.flops[1], 2, 0.2, "from half to all")
  t.is(#S:sample(3, { data = shapes, flops = w.flops, seed = 1 }), 3, "it can be drawn from")
end
local middle = window(long.seconds / 4)
t.is(middle.note, nil, "in between, nothing is missing")
t.ok(middle.flops[1] < long.flops[1] and middle.seconds > short.seconds, "and the size is between")
t.ok(tostring(middle):find("2 networks of RegNetX-32px × 1 epoch × 64 images in about", 1, true),
  "as a line", tostring(middle))
t.fails(function() window "soon" end, "sweep.window: time is 'soon'; it must be a time")
t.fails(function() window("1m", { models = 0 }) end, "models is 0; it must be at least 1")
t.fails(function() sweep.window("RegNetX", {}) end, "sweep.window expects a space, got string")
t.fails(function() sweep.window(S, { time = "1m" }) end, "sweep.window needs data=")

t.done()
