--- Training a whole population on every core, kept in a store.
--
--   local pop = space.RegNetX:sample(16, { seed = 1, flops = { 1.5e6, 2.5e6 } })
--   local A = sweep.run { store = "runs.db", name = "A", models = pop, data = "shapes" }
--   print(stats.edf(A).median)
--
-- Each finished epoch and model is in the store at once.  After an interruption, or a crash
-- of anything, running the same again (or `netspace resume runs.db`) trains only the rest;
-- asking for more models of the same population adds the new ones.  A model's numbers depend
-- on the population and its seed alone, not on the workers or on what happened in between.
--
-- Models start in the order of the population, not the expensive ones first: a sweep cut
-- short then holds a prefix of the population, which is an unbiased sample of the space; one
-- sorted by cost would not be.
--
-- The parts: request.lua makes of the options what is to be trained, training.lua trains
-- it, pool.lua runs the worker processes for all that is trained at once, ledger.lua writes
-- the store.  Here is what users call, and the waiting.

local forecasts = require "netspace.sweep.forecast"
local background = require "netspace.lib.background"
local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "sweep"
local failures = require "netspace.store.failures"
local files = require "netspace.store.files"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local news = require "netspace.sweep.news"
local paths = require "netspace.lib.path"
local plans = require "netspace.sweep.plan"
local pool = require "netspace.sweep.pool"
local progress = require "netspace.sweep.progress"
local requests = require "netspace.sweep.request"
local selfcheck = require "netspace.sweep.selfcheck"
local stores = require "netspace.store.store"
local trainings = require "netspace.sweep.training"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local windows = require "netspace.sweep.window"

local M = { open = stores.open }
local Training = trainings.Training

options.declare({ "sweep.run", "sweep.start", "sweep.forecast" },
  { store = "string", name = "string", models = "table",
    data = "string|userdata", recipe = "table", workers = "integer", seed = "integer",
    progress = "function", quiet = "boolean", checkpoint = "table|boolean",
    memory = "number|string", patience = "number", budget = "number|string", yes = "boolean",
    on = "table" })
options.declare("sweep.window", { data = "string|userdata", time = "number|string",
  models = "integer", recipe = "table", workers = "integer" })
options.declare("sweep.resume", { workers = "integer", quiet = "boolean",
  retry = "boolean|string", memory = "number|string", patience = "number",
  budget = "number|string", by = "string" })
options.declare("sweep.retry", { diverged = "boolean" })

local active, fail = trainings.active, ledgers.fail

-- The message of a failure; other exceptions pass as they are.
local function say(err)
  if getmetatable(err) ~= ledgers.Failure then return nil end
  if err.kind == "damaged" then sys.status(4) end
  return err.message
end

local function open_ledger(path)
  local right, wrong = selfcheck()
  if not right then
    sys.status(5)
    fail(wrong)
  end
  local ledger, why, kind = ledgers.open(path)
  if not ledger then fail(why, kind) end
  return ledger
end

local displayed = {} -- sweeps of the line of progress; those that end stay while others run

local function show_progress()
  if #active == 0 or not progress.due() then return end
  local runs, known, any, list = {}, {}, false, {}
  for _, s in ipairs(active) do runs[s] = true end
  for _, s in ipairs(displayed) do known[s], any = true, any or runs[s] end
  if not any then displayed, known = {}, {} end
  for _, s in ipairs(active) do
    if not known[s] then displayed[#displayed + 1] = s end
  end
  for _, s in ipairs(displayed) do
    if not s.quiet then list[#list + 1] = s:status() end
  end
  if #list > 0 then progress.show(list) end
end

-- Runs the event loop until `done()`; at Ctrl-C interrupt() is called, and ends the waiting
-- at once when it returns true.
local function wait_until(done, interrupt)
  local interrupted = false
  while not done() do
    if sys.interrupted() and not interrupted then
      interrupted = true
      if interrupt() then break end
    else
      show_progress()
      uv.run("once")
    end
  end
  pool.drain()
  progress.clear()
  return interrupted or sys.interrupted()
end

local function stop(list)
  local running, quiet = 0, true
  for _, s in ipairs({ table.unpack(list) }) do
    if s.state ~= "stopping" and not s.on then
      running, quiet = running + s:status().running, quiet and s.quiet
    end
    s:_leave()
  end
  if running > 0 and not quiet and sys.interrupted() then
    progress.clear("stopping, with a checkpoint of each model; once more stops now")
  end
end

-- What a sweep that has ended came to: a result, or it raises.
local function outcome(s)
  news.report { s }
  if s.trouble then
    if getmetatable(s.trouble) == ledgers.Failure then error(s.trouble, 0) end
    fail(("sweep '%s' of %s stopped: %s"):format(s.name, paths.shown(s.store), tostring(s.trouble)))
  elseif #s.queue > 0 and not s.closed then
    fail(("sweep '%s' was cancelled with %d of %d models trained; run it again, or `netspace "
      .. "resume %s`"):format(s.name, s.total - #s.queue, s.total, paths.shown(s.store)))
  end
  local store, why = stores.open(s.store)
  if not store then fail(why) end
  local result, failure = store:result(s.name)
  store:close()
  if not result then fail(failure) end
  result.budget = s.closed and s.asked or nil
  return result
end

local function all_ended(list)
  return function()
    for _, s in ipairs(list) do
      if s.state ~= "ended" then return false end
    end
    return true
  end
end

-- Waits for sweeps of the caller's own: Ctrl-C stops these, and no others.
local function wait_for(list)
  local interrupted = wait_until(all_ended(list), function() stop(list) end)
  if interrupted then
    news.report(list)
    for _, s in ipairs(list) do
      if not s.quiet and s.kept and s.kept.done > 0 then
        progress.clear(("what is trained: store.open(%q):result(%q)"):format(paths.shown(s.store),
          s.name))
      end
    end
    error("interrupted", 0)
  end
  news.report(list) -- together, so that how to go on is said once
  local results = {}
  for i, s in ipairs(list) do results[i] = outcome(s) end
  return results
end

-- Waits until the sweep has ended; Ctrl-C ends the waiting, not the sweep.
-- @treturn result of all its models; raises when it was interrupted, cancelled or broken
local function wait(self)
  return (blame.call(1, say, sys.shielded, function()
    if self.state == "pausing" or self.state == "paused" then
      fail(("sweep '%s' is paused; its resume() lets it go on"):format(self.name))
    end
    if wait_until(all_ended { self }, function() return true end) then
      error("interrupted", 0)
    end
    return outcome(self)
  end))
end

-- Stops the sweep; what is finished is kept.
local function cancel(self)
  sys.shielded(function()
    self:_stop()
    wait_until(all_ended { self }, function() end)
    news.report { self }
  end)
end

-- What users call takes no arguments: one that is given would be ignored.
for name, method in pairs { wait = wait, cancel = cancel, pause = Training.pause,
  resume = Training.resume, retry = Training.retry, status = Training.status } do
  Training[name] = function(self, ...)
    if getmetatable(self) ~= Training then
      error(("call it with a colon: s:%s(), where s is what sweep.start gives"):format(name), 2)
    elseif select("#", ...) > 0 then
      error(("s:%s takes no argument, got %s"):format(name, type((...)) == "table" and "a table"
        or tostring((...))), 2)
    elseif name == "resume" and self.state == "ended" then
      error(("sweep '%s' has ended, and only a paused one goes on; run it again, or "
        .. "sweep.resume(%q)"):format(self.name, paths.shown(self.store)), 2)
    end
    return method(self)
  end
end

-- Says what it will take (of several together it is kept in the list `several`, and said in one
-- line), and asks when that is much; raises unless it may start.
local function prepare(ledger, request, several)
  if request.on or request.quiet and not request.budget then return end
  request.forecast = forecasts.make(ledger, request, requests.open(ledger, request),
    trainings.others())
  if request.quiet then return end
  if several then
    several[#several + 1] = request.forecast
  elseif request.forecast.seconds or request.forecast.over then
    progress.clear(tostring(request.forecast))
  end
  if not forecasts.agreed(request) then
    fail(("sweep '%s' was not started"):format(request.name))
  end
end

-- Ctrl-C while it is measured what a sweep will take: says what there is, as at any other time.
local function unbegun(ledger, request, began)
  if request.quiet then return end
  local s = { name = request.name, store = request.store, total = #request.models,
    seconds = sys.now() - began, queue = {},
    kept = { done = 0, diverged = 0, failed = 0, trained = 0 } }
  local p = ledger:find(request.name)
  for _, model in ipairs(p and ledger:models(p.id) or {}) do
    if s.kept[model.status] then s.kept[model.status] = s.kept[model.status] + 1 end
  end
  local ended = s.kept.done + s.kept.diverged + s.kept.failed
  for i = 1, s.total - ended do s.queue[i] = true end
  s.unknown = not p
  news.report { s }
end

-- After Ctrl-C, SIGTERM or SIGHUP nothing begins, also where a script has caught the exception.
local function not_interrupted()
  if sys.interrupted() then error("interrupted", 0) end
end

-- What is left of the time that several sweeps share: shared.finish (sys.now() when it is over).
local function left_of(shared) return math.max(shared.finish - sys.now(), 1e-3) end

-- One line for all that was begun together.
local function foretell(several, shared)
  local text = #several == 1 and (several[1].seconds or several[1].over) and tostring(several[1])
    or #several > 1 and forecasts.together(several, shared and left_of(shared),
    shared and shared.seconds)
  if text then progress.clear(text) end
end

-- shared: finish and seconds of a time, where several share one; several: as of prepare.
local function start(where, o, shared, several)
  not_interrupted()
  local request = requests.make(where, o)
  for _, s in ipairs(active) do
    if s.name == request.name and uv.fs_realpath(s.store) == uv.fs_realpath(request.store) then
      fail(("%s: '%s' of %s is being trained already"):format(where, request.name,
        paths.shown(request.store)))
    end
  end
  local ledger, began = open_ledger(request.store), sys.now()
  local good, id, lifted = pcall(function()
    local namesake = not request.quiet and requests.namesake(ledger, request)
    if namesake then
      progress.clear(("%s: the same networks, with the same recipe, data and seed, are in %s "
        .. "as '%s'; name = \"%s\" goes on with those, `netspace rename` gives them this name")
        :format(request.name, paths.shown(request.store), namesake, namesake))
    end
    if shared then request.budget, request.asked = left_of(shared), shared.seconds end
    prepare(ledger, request, several)
    if shared then request.budget = left_of(shared) end
    return requests.enter(ledger, request)
  end)
  if not good then
    if id == "interrupted" then unbegun(ledger, request, began) end
    ledger:close()
    error(id, 0)
  end
  if lifted > 0 and not request.quiet then
    progress.clear(("%s: %s queued again: the limit that failed %s is higher now"):format(
      request.name, units.count(lifted, "failed model"), lifted == 1 and "it" or "them"))
  end
  return trainings.begin(ledger, id, request)
end

--- Starts a sweep and returns at once; it goes on while the event loop runs: at the prompt
-- always, in a script while it waits for a sweep.
function M.start(o)
  o = options.check("sweep.start", o)
  return (blame.call(1, say, sys.shielded, start, "sweep.start", o))
end

--- Trains a population and waits for it.
-- @treturn result
function M.run(o)
  o = options.check("sweep.run", o)
  return (blame.call(1, say, sys.shielded, function()
    return wait_for({ start("sweep.run", o) })[1]
  end))
end

--- What sweep.run would take, without starting it.
-- @treturn forecast
function M.forecast(o)
  o = options.check("sweep.forecast", o)
  return (blame.call(1, say, sys.shielded, function()
    local request = requests.make("sweep.forecast", o)
    local ledger = uv.fs_stat(request.store) and open_ledger(request.store)
    local good, f = pcall(function()
      return forecasts.make(ledger, request, requests.open(ledger, request), trainings.others())
    end)
    if ledger then ledger:close() end
    pool.drain()
    if not good then error(f, 0) end
    return f
  end))
end

--- The window of flops for a sweep that takes so long.
function M.window(S, o)
  o = options.check("sweep.window", o)
  return (blame.call(1, say, windows.make, S, o))
end

-- What is said where models that a limit has failed are queued again and the limit stays.
local stays = { memory = "at the limit of memory, which stays as it was: --memory SIZE, or none, "
  .. "lifts it", patience = "because their workers were silent for too long, and the patience "
  .. "stays as it was: --patience SECONDS lifts it" }

-- Queues again what failed (retry = "all": and what diverged), or without retry what failed at
-- a limit that is higher now, and says so.
local function again(path, o)
  if o.retry and o.retry ~= true and o.retry ~= "all" then
    fail(("sweep.resume: retry is '%s'; it is true (what has failed) or \"all\" (also what has "
      .. "diverged)"):format(o.retry))
  end
  local n = ledgers.retry(path, { diverged = o.retry == "all",
    only = not o.retry and function(p, model)
      return requests.lifted(model.reason, p.settings,
        requests.limits("sweep.resume", p.settings, o))
    end })
  if o.quiet or not o.retry and n.failed == 0 then return end
  local parts = {}
  for _, state in ipairs { "failed", "diverged" } do
    if n[state] > 0 then parts[#parts + 1] = units.count(n[state], state .. " model") end
  end
  local text = ("%s: %s%s"):format(paths.shown(path), #parts == 0 and "no model has failed"
    or table.concat(parts, " and ") .. " queued again",
    o.retry and "" or ": the limit that failed them is higher now")
  if n.diverged == 0 and o.retry and n.left > 0 then
    text = ("%s; %s (--retry=all takes them, too)"):format(text, n.left == 1
      and "1 diverged one stays as it is" or n.left .. " diverged ones stay as they are")
  end
  for limit, count in pairs(n.limited) do
    if count > 0 and not o[limit] then
      text = ("%s; %d of them failed %s"):format(text, count, stays[limit])
    end
  end
  progress.clear(text)
end

--- Trains what the populations of a store have open.
-- @treturn table list of results, one for each population that had something open
function M.resume(path, o)
  o = options.check("sweep.resume", o)
  return (blame.call(1, say, sys.shielded, function()
    not_interrupted()
    path = paths.absolute(path)
    local about, where = uv.fs_stat(path), paths.shown(path)
    if not about then fail(("%s: no such store%s"):format(where, files.instead(where))) end
    if about.size == 0 then fail(where .. " is empty: no sweep has written it yet") end
    local workers = requests.workers("sweep.resume", o.workers)
    requests.limits("sweep.resume", {}, o) -- refuses before anything is queued again
    local seconds = (o.by or o.budget) and plans.seconds("sweep.resume", o)
    local shared = seconds and { finish = sys.now() + seconds, seconds = seconds }
    if o.retry or o.memory or o.patience then again(path, o) end
    local first, started, several = open_ledger(path), {}, {}
    local names, failed = first:open_names(), first:failed()
    first:close()
    for _, model in ipairs(failed) do trainings.failed[trainings.key(path, model.name)] = 1 end
    for i, name in ipairs(names) do
      local ledger = open_ledger(path)
      local good, err = pcall(function()
        local p = ledger:find(name)
        local data = assert(require("netspace.data.data")._reopen(p.source))
        local request = { store = path, name = name, models = {}, card = data:card(),
          recipe = p.recipe, source = p.source, settings = p.settings, workers = workers,
          quiet = o.quiet, costs = {}, yes = true }
        data:close()
        if request.card.checksum ~= p.checksum then requests.compare(request, p, {}) end
        for k, model in ipairs(ledger:models(p.id)) do
          request.models[k], request.costs[k] = ledgers.network(model), model
        end
        request.seed = p.seed
        request.settings = requests.limits("sweep.resume", p.settings, o)
        if shared then request.budget, request.asked = left_of(shared), shared.seconds end
        prepare(ledger, request, several)
        if shared then request.budget = left_of(shared) end
        ledger:write(function()
          ledger:set(p.id, request.settings)
          ledger:take(p.id, name, workers)
        end)
        started[i] = trainings.begin(ledger, p.id, request)
      end)
      if not good then
        if err == "interrupted" then
          wait_until(all_ended(started), function() stop(started) end)
          news.report(started)
          ledger:close()
          error(err, 0)
        end
        ledger:close()
        stop(started)
        fail(type(err) == "string" and ("%s: %s"):format(name, err) or tostring(err),
          type(err) == "table" and err.kind or nil)
      end
    end
    foretell(several, shared)
    if #names == 0 and not o.quiet then
      progress.clear(("%s: nothing is open; %s"):format(where, #failed == 0
        and "every population is trained" or ("%s; %s"):format(failures.text(failed, "failed"),
        news.retry(path, failed, {}))))
    end
    return wait_for(started)
  end))
end

--- Puts the failed models of a store that nobody trains in back into the queue.
-- @tparam[opt] table o diverged = true: also those that diverged
-- @treturn integer how many
function M.retry(path, name, o)
  o = options.check("sweep.retry", o)
  return (blame.call(1, say, sys.shielded, function()
    if not uv.fs_stat(path) then fail(paths.shown(path) .. ": no such store") end
    local n = ledgers.retry(path, { name = name, diverged = o.diverged })
    return n.failed + n.diverged
  end))
end

--- Trains several populations in one time.
-- @treturn table list of results, in the order of o.sweeps
function M.plan(o)
  o = options.check("sweep.plan", o)
  return (blame.call(1, say, sys.shielded, function()
    local plan = plans.make(o)
    local function begin(t, several)
      t.budget = left_of(plan)
      return start("sweep.plan", t, plan, several)
    end
    if plan.in_turn then
      local results = {}
      for i, t in ipairs(plan.sweeps) do results[i] = wait_for({ begin(t) })[1] end
      return results
    end
    local started, several = {}, {}
    local good, err = pcall(function()
      for i, t in ipairs(plan.sweeps) do started[i] = begin(t, several) end
      foretell(several, plan)
    end)
    if not good then
      stop(started)
      wait_until(all_ended(started), function() end)
      news.report(started)
      error(err, 0)
    end
    return wait_for(started)
  end))
end

--- Ends a program properly: waits for the sweeps it has started (stop_them: stops them).
-- Paused ones are stopped: nobody could resume them any more.
function M.finish(stop_them)
  sys.shielded(function()
    local list, idle = { table.unpack(active) }, {}
    for _, s in ipairs(list) do
      if s.state == "pausing" or s.state == "paused" then idle[#idle + 1] = s end
    end
    stop(stop_them and list or idle)
    local interrupted = #list > 0 and wait_until(all_ended(list), function() stop(list) end)
    news.report(news.unreported(list))
    for _, n in pairs(trainings.failed) do
      if n > 0 then sys.status(3) end -- as they stand now: what failed may have been trained since
    end
    if interrupted and not stop_them then error("interrupted", 0) end
  end)
end

background.serve { running = function() return #active end, finish = M.finish,
  suspend = pool.suspend, tell = news.tell }

document("sweep.run", [[
  sweep.run{ store=, name=, models=, data= [, recipe=, workers=, seed=, …] } -> result
  Trains every network of a population, one per core, and waits.  Finished models are stored at
  once: after an interruption the same call trains only the rest, and a larger population with
  the same beginning adds its new models.
    store       file that keeps the results (made when missing)
    name        what to call the population in it (the name of its space)
    models      a population (S:sample) or a list of networks
    data        what data.open takes ("shapes", "~/photos", "cifar10:DIR"), or a dataset from it
    recipe      how to train, as for recipe{ … }; what is not given is as in recipe.quick.  Its
                batch may be no larger than the training set
    workers     processes at a time (all cores); the results do not depend on it
    seed        of weights and data order (the population's seed)
    checkpoint  false: none; else a table of
                every   epochs or time ("10m") between two checkpoints, a time also within an
                        epoch; by default after an epoch when writing takes at most a
                        hundredth of the time since the last one, and every five minutes
                        within a long epoch
                limit   write no checkpoint larger than this ("200MB")
                keep    true: keep the weights of finished networks in STORE.weights, for
                        s:net of the open store
    memory      the most that a network may need, in bytes or as "2GB"; a network that needs
                more fails, and so does one whose worker takes 64 MiB more than that (and a
                copy of its weights for a checkpoint).  The same call with a higher limit trains
                again what failed at the lower one.  In any case a network waits until it fits
                into the memory of the machine together with those in training
    patience    seconds of silence after which a worker counts as hung (120); it always gets 20
                times its longest silence so far.  With more, the same call trains again what
                failed so
    budget      time limit, such as "2h" or 5400 (seconds, also "5400"): a model that would not be
                done by then is not started, so the first models of the population are trained; the
                last line says how many are left, and the result has .budget, the seconds.  That
                is no failure: the exit status is 0, or 3 where a model has failed, then or before
    on          where to train, slurm{ … } or cluster{ … }: tasks of a cluster instead of workers
                here.  Ctrl-C leaves them at work, and the same call goes on with them
    yes         true: start a sweep of more than an hour without asking, as netspace --yes does
    progress    function that is called with the status a few times a second
    quiet       true: nothing on stderr
  The result has .errors in percent (a failed or diverged network counts as 100), .models,
  .failed, .n.  Ctrl-C stops the training after a checkpoint of each model.
  A network whose worker dies is tried again from its last checkpoint; it has failed after 3
  crashes (or 30 kills by others) in a row without progress.
  Every failure raises, also one of the store, the data or the disk, because a script must not
  go on without its population; the same holds for sweep.start, s:wait, sweep.resume and
  sweep.forecast.  pcall catches it; finished models are in the store.  sweep.open and the
  functions that read a store return nil and a message.
  example: sweep.run{ store = "runs.db", name = "A", models = A, data = D }
  source: Radosavovic et al. 2019, 2020: populations instead of single networks]])
document("sweep.forecast", [[
  sweep.forecast{ … } -> forecast
  The cost of a sweep, without starting it; options as in sweep.run.  Fields: .models (still to
  train), .epochs, .images, .flops (multiply-adds in all), .workers, and .seconds with .low and
  .high.  The speed is that of models in the store that this machine has trained, or is
  measured on a few of the models (a second or two).
  example: sweep.forecast{ store = "runs.db", name = "A", models = A, data = D }]])
document("sweep.window", [[
  sweep.window(S, { data =, time =, models = 16, recipe =, workers = }) -> window
  How large networks of a space may be for a sweep over them to take a given time on this
  machine: .flops = {lo, hi}, a factor of two apart, for S:sample.
    data      what they will train on; size and channels of the networks are the data's
    time      of the whole sweep, such as "10m"
    models    how many networks
    recipe    as in sweep.run (recipe.quick)
    workers   processes at a time (all cores)
  Fields: .flops, .seconds (what it will take), .models, .epochs, .images, .workers.  Where the
  space has hardly any networks of that size the window is the nearest that it has, and .note
  says so.  Populations that are compared are drawn in one window.
  example: sweep.window(space.small.AnyNetXA, { data = D, time = "1m", models = 4 }).flops
  source: times are those of sweep.forecast]])
document("sweep.start", [[
  sweep.start{ … } -> sweep
  As sweep.run, without waiting: the sweep goes on while you type, or while a script waits for
  another one.  Sweeps that run at the same time share the workers.  Unless quiet = true, it
  first measures for some seconds how long it will take.
  The sweep has s:status() s:wait() s:pause() s:resume() s:retry() s:cancel().
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }]])
document("sweep.resume", [[
  sweep.resume(path [, { retry=, memory=, patience=, budget=, by=, … }]) -> list of results
  Trains what the populations of a store have open: all they need is in the store.
    retry      true: also what has failed, from the beginning; "all": what has diverged, too
    memory     another limit than the sweep had, as in sweep.run; "none" lifts it.  What failed
               at a lower limit is trained again, also without retry
    patience   another than the sweep had, in seconds; the same holds
    budget     time for all of it together, as in sweep.run
    by         instead of it a time of day, such as "07:00", as in sweep.plan
    workers    processes at a time (all cores)
    quiet      true: nothing on stderr
  From the shell: netspace resume STORE [--workers N] [--retry | --retry=all] [--memory SIZE]
  [--patience SECONDS] [--budget TIME | --by HH:MM].
  example: sweep.resume("runs.db")]])
document("sweep.retry", [=[
  sweep.retry(path [, name [, { diverged = true }]]) -> n
  Puts the failed models of a population (of all) back into the queue, with diverged = true
  also those that diverged, and returns how many; sweep.resume, or the same sweep.run again,
  trains them.  No sweep may be at work on it: that has s:retry().
  example: sweep.retry("runs.db", "A")]=])
document("sweep:retry", [[
  s:retry() -> n
  Puts the failed models of a sweep at work back into its queue, and returns how many.
  example: h = sweep.start{ store = "h.db", models = A, data = D } h:retry() h:cancel()]])
document("sweep.finish", [[
  sweep.finish([stop])
  Waits for all sweeps this program has started; with stop = true it stops them instead.
  example: sweep.finish()]])
document("sweep:status", [[
  s:status() -> table
  The state of a sweep: name, state ("running", "pausing", "paused", "stopping", "finished",
  "stopped", "broken"), total, done, failed, diverged, running, queued, images_per_s, eta in
  seconds.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:status()]])
document("sweep:wait", [[
  s:wait() -> result
  Waits until the sweep has ended; sweep.start{ budget =, … } gives it a time.  Ctrl-C ends the
  waiting: at the prompt the sweep goes on; a script ends, and its sweep with it.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:wait()]])
document("sweep:pause", [[
  s:pause()
  Frees the workers after a checkpoint of each model; s:resume() continues.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:pause()]])
document("sweep:resume", [[
  s:resume()
  Continues after s:pause().
  example: sweep.start{ store = "runs.db", name = "B", models = A, data = D }:resume()]])
document("sweep:cancel", [[
  s:cancel()
  Stops a sweep; what is finished is kept, and running it again trains the rest.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:cancel()]])

return M
