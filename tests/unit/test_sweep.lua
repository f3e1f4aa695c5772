-- Sweeps: the worker's protocol, and whole sweeps with real worker processes.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local json = require "netspace.lib.json"
local progress = require "netspace.sweep.progress"
local recipe = require "netspace.network.recipe"
local stores = require "netspace.store.store"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local worker = require "netspace.sweep.worker"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-sweep-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local shapes = assert(data.open("shapes", { train = 128, test = 64 }))
local short = recipe { epochs = 1, batch = 32 }
local function models(n)
  local list = { space = "Tiny", seed = 3 }
  for i = 1, n do
    list[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 }, g = 8 }
  end
  return list
end
local function run(o)
  local all = { store = at("a.db"), data = shapes, recipe = short, quiet = true }
  for k, v in pairs(o) do all[k] = v end
  return sweep.run(all)
end
local function errors(result) return json.encode(result.errors) end
local function query(path, sql)
  local db = assert(require("netspace.core.sqlite").open(path, "r"))
  local rows = db:rows(sql)
  db:close()
  return rows
end

-- The worker's side of the protocol --------------------------------------------------------
do
  local card = shapes:card()
  local job = { kind = "train", model = 7, attempt = 2, seed = 5, m = models(1)[1],
    recipe = recipe { epochs = 2, batch = 32 }, checksum = card.checksum,
    source = { spec = "shapes", train = 128, test = 64, seed = 1 } }
  local function events(changed)
    local list, copy = {}, {}
    for k, v in pairs(job) do copy[k] = v end
    for k, v in pairs(changed) do copy[k] = v end
    local go_on = worker.handle(copy, function(e) list[#list + 1] = json.decode(json.encode(e)) end)
    return list, go_on
  end
  local list, go_on = events {}
  local last = list[#list]
  local epochs = {}
  for _, e in ipairs(list) do
    if e.event == "epoch" then epochs[#epochs + 1] = e end
  end
  t.is(#epochs, 2, "an event for each epoch")
  t.is(last.event, "done", "then done")
  t.is(last.error, epochs[2].validation_error, "with the error of the last epoch")
  t.is(last.model .. "/" .. last.attempt, "7/2", "every event says whose it is")
  t.is(go_on, true, "the worker goes on")
  t.is(json.encode(events({})[#list].error), json.encode(last.error), "the same job, the same error")
  local bad = events { m = { d = { 1 }, w = { 0 } } }
  t.is(bad[1].event .. bad[1].error, "failed100", "a network that cannot be is a failed model")
  t.ok(bad[1].reason:find("w", 1, true), "with the reason", bad[1].reason)
  local diverged = events { recipe = recipe { epochs = 2, batch = 32, lr = 1000 } }
  t.is(diverged[#diverged].event .. diverged[#diverged].error, "diverged100", "a runaway loss")
  local refused = events { checksum = "other" }
  t.is(refused[1].event, "refused", "other data is no fault of the model")
  t.ok(refused[1].reason:find("has changed", 1, true), "and the reason says so", refused[1].reason)
  t.is(events({ source = { spec = "cifar10:" .. at("nowhere") } })[1].event, "refused",
    "nor are missing files")
end

-- The progress line -----------------------------------------------------------------------
do
  local list = { { name = "A", total = 16, done = 5, failed = 1, diverged = 2, running = 2,
    queued = 6, images_per_s = 812.4, eta = 80 } }
  t.is(progress.format(list, 100),
    "A 8/16: 5 done, 2 diverged, 1 failed, 2 running, 6 queued, 812 images/s, ETA 1m20s", "the whole line")
  for width = 1, 80 do
    if #progress.format(list, width) > width then t.ok(false, "fits " .. width) end
  end
  t.ok(progress.format(list, 45):find("ETA 1m20s", 1, true), "a narrow one keeps the time left")
  list[2] = { name = "B", total = 4, done = 0, failed = 0, diverged = 0, running = 0, queued = 4,
    images_per_s = 0 }
  t.is(progress.format(list, 20), "8/20, ETA 1m20s", "a very narrow one adds up")
  list[3], list[4] = list[2], list[2]
  t.is(progress.format(list, 100), "4 sweeps 8/28: 5 done, 2 diverged, 1 failed, 2 running, "
    .. "18 queued, 812 images/s, ETA 1m20s", "many are counted")
end

-- Figures with their units -----------------------------------------------------------------
t.is(units.duration(0.4) .. units.duration(59.6) .. units.duration(3723) .. units.duration(1e5),
  "0s1m00s1h02m1d03h", "durations")
t.is(units.bytes(20e6) .. ", " .. units.bytes(21239000) .. ", " .. units.bytes(2e9) .. ", "
  .. units.bytes(999.6e6) .. ", " .. units.bytes(0), "20 MB, 21.2 MB, 2 GB, 1 GB, 0 bytes", "sizes")
t.is(units.count(1, "model") .. ", " .. units.count(2, "model"), "1 model, 2 models", "counts")

-- One and two workers, running again, more models -------------------------------------------
local one = run { name = "one", models = models(4), workers = 1 }
t.is(#one.errors, 4, "four models trained")
t.ok(one.errors[1] > 0 and one.errors[1] <= 100, "errors in percent")
t.is(errors(run { name = "two", models = models(4), workers = 2 }), errors(one),
  "two workers give the same bits")
local seen
local again = run { name = "one", models = models(4), workers = 2,
  progress = function(s) seen = s end }
t.is(errors(again), errors(one), "running again gives the same result")
t.is(seen.state .. seen.done, "finished4", "the callback sees the end")
t.is(query(at("a.db"), "SELECT max(attempt) AS n FROM model")[1].n, 1, "and trained nothing twice")
local more = run { name = "one", models = models(6), workers = 2 }
t.is(#more.errors, 6, "more models of the same population")
t.is(json.encode({ table.unpack(more.errors, 1, 4) }), errors(one), "the first ones are kept")
t.is(query(at("a.db"), "SELECT max(attempt) AS n FROM model")[1].n, 1, "and only new ones trained")
t.is(errors(run { name = "six", models = models(6), workers = 2 }), errors(more),
  "as if all had been asked for at once")
t.ok(errors(run { name = "seed", models = models(4), seed = 4 }) ~= errors(one),
  "another seed gives other errors")
local epoch_rows = query(at("a.db"), [[SELECT count(*) AS n FROM epoch JOIN model
  ON model.id = epoch.model JOIN population ON population.id = population WHERE name = 'six']])
t.is(epoch_rows[1].n, 6, "each epoch is in the store")
local p = assert(stores.open(at("a.db"))):population("one")
local made = p.trainers[1]
t.is(made.trainer .. made.version .. made.device .. made.kernels .. made.host .. made.models,
  "netspace" .. sys.engine().engine .. "cpu" .. sys.engine().blas .. ", " .. sys.engine().isa
  .. uv.os_gethostname() .. p.n, "who has trained the models is on record")
t.is(p.space .. p.seed .. p.checksum, "Tiny3" .. shapes:checksum(), "space, seed and data too")

-- What must not be mixed -----------------------------------------------------------------------
t.fails(function() run { name = "one", models = models(6), recipe = recipe { epochs = 2, batch = 32 } } end,
  "epochs: 1 in the store, 2 now", "another recipe is refused, with the difference")
t.fails(function() run { name = "one", models = models(6), data = data.open("shapes", { train = 96, test = 64 }) } end,
  "train_n: 128 in the store, 96 now", "other data")
t.fails(function() run { name = "one", models = models(6), seed = 9 } end,
  "seed: 3 in the store, 9 now", "another seed")
for _, part in ipairs { "has another recipe and other data and another training seed:", "epochs: 1 in the store, 2",
  "train_n: 128 in the store, 96 now", "seed: 3 in the store, 9 now" } do
  t.fails(function() run { name = "one", models = models(6), recipe = recipe { epochs = 2, batch = 32 }, seed = 9,
    data = data.open("shapes", { train = 96, test = 64 }) } end, part)
end
t.fails(function() run { name = "one", models = models(3) } end, "6 in the store, 3 now", "fewer models")
local changed = models(6)
changed[2] = arch.anynet { d = { 1, 2 }, w = { 24, 16 }, g = 8 }
t.fails(function() run { name = "one", models = changed } end, "number 2", "another model")
t.fails(function() run { name = "x", models = models(1), worker = 2 } end, "did you mean 'workers'")
t.fails(function() run { name = "x", models = {} } end, "models is empty")
t.fails(function() run { name = "x", models = { 3 } } end, "models[1] is a number")
t.fails(function() run { name = "x", models = models(1), workers = 0 } end, "from 1 to 4096")
t.fails(function() run { models = { models(1)[1] } } end, "needs name=")
t.fails(function() sweep.run { name = "x", models = models(1), data = shapes } end, "needs store=")
t.fails(function() run { name = "x", models = { arch.anynet { d = { 1 }, w = { 8 }, classes = 7 } } } end,
  "has classes = 7, the data 'shapes' has 10")
t.fails(function() run { name = "x", models = models(1), store = at("no/dir/a.db") } end, "mkdir -p")
t.fails(function() run { name = "x", models = models(1), data = "cifar10:" .. at("nowhere") } end,
  "nowhere", "missing data is named")

-- Diverging is a result ------------------------------------------------------------------------
local wild = run { name = "wild", models = models(2), recipe = recipe { epochs = 1, batch = 32, lr = 1000 } }
t.is(errors(wild), "[100,100]", "a diverged model has error 100")
t.is(wild.failed, 2, "and is counted")

-- Workers that are killed ------------------------------------------------------------------------
local long = recipe { epochs = 10, batch = 32 }
local slow = assert(data.open("shapes", { train = 1500, test = 64 }))
local calm = run { name = "calm", models = models(2), recipe = long, data = slow }
local function killing(store, name, most, signal)
  local killed = {}
  return function()
    local s = assert(stores.open(store))
    for _, model in ipairs(s:live(name)) do
      if model.status == "running" and not killed[model.worker] and most > 0 then
        killed[model.worker], most = true, most - 1
        uv.kill(model.worker, signal or "sigkill")
      end
    end
    s:close()
  end
end
local hurt = run { name = "hurt", models = models(1), recipe = long, data = slow, workers = 1,
  progress = killing(at("a.db"), "hurt", 2) }
t.is(hurt.errors[1], calm.errors[1], "killed twice, the result is the same")
local row = query(at("a.db"), [[SELECT attempt, crashes FROM model JOIN population
  ON population.id = population WHERE name = 'hurt' AND idx = 1]])[1]
t.is(row.attempt .. " " .. row.crashes, "3 2", "the third attempt did it")
local dead = run { name = "dead", models = models(2), recipe = long, data = slow, workers = 1,
  progress = killing(at("a.db"), "dead", 3, "sigsegv") }
t.is(dead.errors[1], 100, "three workers lost: failed, which counts as 100")
t.is(dead.errors[2], calm.errors[2], "the other model is as it should be")
t.is(dead.failed, 1, "one failed")
local reason = assert(stores.open(at("a.db"))):live("dead")[1].reason
t.ok(reason:find("SIGSEGV", 1, true), "the reason names the signal", reason)

-- Two sweeps at once, cancelled, resumed --------------------------------------------------------
local first = sweep.start { store = at("b.db"), name = "calm", models = models(1), data = slow,
  recipe = long, quiet = true }
local second = sweep.start { store = at("b.db"), name = "six", models = models(6), data = shapes,
  recipe = short, quiet = true }
t.fails(function() sweep.start { store = at("b.db"), name = "six", models = models(6),
  data = shapes, recipe = short } end, "is being trained already", "the same sweep twice")
t.is(first:status().running + second:status().running <= sys.cores(), true, "they share the workers")
first:cancel()
t.is(first:status().state, "stopped", "one is cancelled")
t.fails(function() first:wait() end, "was cancelled with", "and has no result")
t.is(errors(second:wait()), errors(more), "the other one goes on, to the same bits")
t.is(second:status().state, "finished", "and is finished")
local resumed = sweep.resume(at("b.db"), { quiet = true, workers = 2 })
t.is(#resumed, 1, "one population was open")
t.is(resumed[1].errors[1], calm.errors[1], "resumed, the result is the same")
t.is(#sweep.resume(at("b.db"), { quiet = true }), 0, "then nothing is open")
t.fails(function() sweep.resume(at("missing.db")) end, "no such store")

-- What trains raises when the outside world fails, what reads returns nil and a message
local noise = at("noise.db")
local f = assert(io.open(noise, "w"))
f:write(("this is no store "):rep(500))
f:close()
local broken = { store = noise, name = "x", models = models(1), data = shapes, quiet = true }
for name, call in pairs {
  run = function() sweep.run(broken) end, start = function() sweep.start(broken) end,
  forecast = function() sweep.forecast(broken) end, resume = function() sweep.resume(noise) end,
} do
  t.fails(call, noise, "sweep." .. name .. " raises what is wrong with the store")
end
local none, why_not = sweep.open(noise)
t.ok(not none and why_not:find(noise, 1, true), "sweep.open returns it", why_not)
local boom = { name = "boom", models = models(4), progress = function() error("mine") end }
t.fails(function() run(boom) end, "mine", "an error in the callback reaches the caller")

-- A change of the current directory between the start and the end
do
  local home, elsewhere = uv.cwd(), at("elsewhere")
  assert(uv.fs_mkdir(elsewhere, tonumber("755", 8)) and uv.chdir(dir))
  local s = sweep.start { store = "moved.db", name = "A", models = models(3), data = shapes,
    recipe = short, quiet = true, workers = 1 }
  local reader = assert(sweep.open("moved.db"))
  t.ok(tostring(s):find("of moved.db:", 1, true), "a store is called as it is reached from here")
  assert(uv.chdir(elsewhere))
  t.is(errors(s:wait()), errors(run { store = at("unmoved.db"), name = "A", models = models(3) }),
    "a sweep does not lose its store")
  t.is(reader:population("A").done, 3, "nor does who reads it")
  t.ok(tostring(reader):find("moved.db", 1, true) and tostring(reader) ~= "store moved.db",
    "which is then called by its whole name", tostring(reader))
  reader:close()
  t.is(#(uv.fs_scandir(elsewhere) and { uv.fs_scandir_next(uv.fs_scandir(elsewhere)) }), 0,
    "nothing is written elsewhere")
  assert(uv.chdir(home))
end

os.execute("rm -rf " .. dir)
t.done()
