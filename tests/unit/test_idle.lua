-- Idle cores go to the last models of a sweep: how many each is told, that it changes no result,
-- and that the time that is left knows it.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local idle = require "netspace.sweep.idle"
local pace = require "netspace.sweep.pace"
local sys = require "netspace.core.sys"
local scratch = require "scratch"

local function list(of) return table.concat(of, " ") end

local function worker(place, price, threads)
  return { place = place, price = price, hello = { threads = threads }, job = { kind = "train" },
    threads = 1, told = {}, tell = function(w, line) table.insert(w.told, line.threads) end }
end

local function client(place, slots, waiting)
  return { places = { { place = place, slots = slots, state = "good" } },
    _waiting = function() return waiting end }
end

do
  local here, told = {}, 0
  local a, b, c = worker(here, 5, 8), worker(here, 9, 8), worker(here, 7, 8)
  local function share(workers, clients)
    idle.share(workers, clients, function() told = told + 1 end)
  end
  share({ a, b, c }, { client(here, 8, 2) })
  t.is(told, 0, "while models wait nobody gets more than its core")
  share({ a, b, c }, { client(here, 8, 0) })
  t.is(list { a.threads, b.threads, c.threads }, "2 3 3", "what is left goes to the longest first")
  t.is(told, 3, "each is told")
  share({ a, b, c }, { client(here, 8, 0) })
  t.is(told, 3, "once")
  c.job = nil
  share({ a, b, c }, { client(here, 8, 0) })
  t.is(list { a.threads, b.threads }, "4 4", "those of a model that has ended, too")
  share({ a, b, c }, { client(here, 8, 0), client(here, 8, 1) })
  t.is(list { a.threads, b.threads }, "1 1", "another sweep has models: the cores are theirs")
  t.is(list(a.told), "2 4 1", "the lines")
  local other = worker(here, 1, nil)
  share({ other }, { client(here, 8, 0) })
  t.is(#other.told, 0, "a trainer that knows nothing of threads is told nothing")
  local few = worker(here, 1, 2)
  share({ few }, { client(here, 8, 0) })
  t.is(few.threads, 2, "no more than it can use")
end

do
  local model = { cost = 10, from = 0, part = 0.5 }
  pace.begin(model, 1)
  model.since = sys.now() - 4
  pace.threads(model, 2)
  model.since = model.since - 3
  model.told = sys.now()
  local sweep = { state = "running", limit = 2, spreads = true, running = { model },
    queue = { cost = 0, each = function() return pairs {} end } }
  t.near(pace.price { sweep }, 2, 0.05, "seconds of all threads")
  t.near(pace.remaining { sweep }, 5, 0.2, "a model on two cores is done in half the time")
  sweep.spreads = false
  t.near(pace.remaining { sweep }, 10, 0.4, "or not")
end

-- The same numbers: two models on one worker, on two, and one alone on all cores.
do
  local dir = scratch "idle"
  local D = data.open("shapes", { train = 200, test = 60 })
  local pop = space.anynet { stages = 2, d = 1, w = { 16, 48, 16 }, g = 8, b = 1 }
    :sample(2, { seed = 4, stem = "cifar" })
  local function errors(name, workers)
    local r = sweep.run { store = dir .. "/s.db", name = name, models = pop, data = D,
      recipe = { epochs = 2, batch = 40 }, workers = workers, quiet = true }
    return r.errors
  end
  local one = list(errors("one", 1))
  t.is(list(errors("all", math.max(2, sys.cores()))), one, "the same errors")
  os.execute("rm -rf " .. dir)
end
t.done()
