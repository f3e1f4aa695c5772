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
-- the store; starting.lua begins one, waiting.lua waits, and trial.lua trains several to compare
-- them.  Here is what users call.

local forecasts = require "netspace.sweep.forecast"
local background = require "netspace.lib.background"
local elsewhere = require "netspace.sweep.elsewhere"
local blame = require "netspace.lib.blame"
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
local stores = require "netspace.store.store"
local trainings = require "netspace.sweep.training"
local starting = require "netspace.sweep.starting"
local trial = require "netspace.sweep.trial"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
require "netspace.sweep.help"
local uv = require "luv"
local waiting = require "netspace.sweep.waiting"
local windows = require "netspace.sweep.window"

local M = { open = stores.open }
local Training = trainings.Training

options.declare("sweep.run", { store = "string", name = "string|table", models = "table",
  data = "string|userdata", recipe = "table", workers = "integer|table", seed = "integer",
  trainer = "string|table", identical = "boolean",
  progress = "function", quiet = "boolean", checkpoint = "table|boolean",
  memory = "number|string", patience = "number", budget = "number|string", yes = "boolean",
  early = "table", compare = "boolean|table", on = "table" })
options.declare({ "sweep.start", "sweep.forecast" },
  { store = "string", name = "string", models = "table",
    data = "string|userdata", recipe = "table", workers = "integer|table", seed = "integer",
    trainer = "string|table", identical = "boolean",
    progress = "function", quiet = "boolean", checkpoint = "table|boolean",
    memory = "number|string", patience = "number", budget = "number|string", yes = "boolean",
    early = "table", on = "table" })
options.declare("sweep.window", { data = "string|userdata", time = "number|string",
  models = "integer", recipe = "table", workers = "integer" })
options.declare("sweep.resume", { workers = "integer|table", trainer = "string|table",
  identical = "boolean", quiet = "boolean",
  retry = "boolean|string", memory = "number|string", patience = "number",
  budget = "number|string", by = "string", on = "table|string" })
options.declare("sweep.retry", { diverged = "boolean" })

local active, fail = trainings.active, ledgers.fail

-- The message of a failure; other exceptions pass as they are.
local function say(err)
  if getmetatable(err) ~= ledgers.Failure then return nil end
  if err.kind == "damaged" then sys.status(4) end
  return err.message
end

-- Waits until the sweep has ended; Ctrl-C ends the waiting, not the sweep.
-- @treturn result of all its models; raises when it was interrupted, cancelled or broken
local function wait(self)
  return (blame.call(1, say, sys.shielded, function()
    if self.state == "pausing" or self.state == "paused" then
      fail(("sweep '%s' is paused; its resume() lets it go on"):format(self.name))
    end
    if waiting.wait_until(waiting.all_ended { self }, function() return true end) then
      error("interrupted", 0)
    end
    return waiting.outcome(self)
  end))
end

-- Stops the sweep; what is finished is kept.
local function cancel(self)
  sys.shielded(function()
    self:_stop()
    waiting.wait_until(waiting.all_ended { self }, function() end)
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

--- Starts a sweep and returns at once; it goes on while the event loop runs: at the prompt
-- always, in a script while it waits for a sweep.
function M.start(o)
  o = options.check("sweep.start", o)
  return (blame.call(1, say, sys.shielded, starting.start, "sweep.start", o))
end

--- Trains a population and waits for it.
-- @treturn result
function M.run(o)
  o = options.check("sweep.run", o)
  return (blame.call(1, say, sys.shielded, function()
    if trial.several(o.models) then return trial.run("sweep.run", o) end
    if o.compare or type(o.name) == "table" then
      fail(("sweep.run: %s is for several populations: models = { A, B }, the parent first"):format(
        o.compare and "compare" or "a list of names"))
    end
    return waiting.wait_for({ starting.start("sweep.run", o) })[1]
  end))
end

--- What sweep.run would take, without starting it.
-- @treturn forecast
function M.forecast(o)
  o = options.check("sweep.forecast", o)
  return (blame.call(1, say, sys.shielded, function()
    local request = requests.make("sweep.forecast", o)
    local ledger = uv.fs_stat(request.store) and starting.open_ledger(request.store)
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

local function check_path(where, path)
  if type(path) ~= "string" then
    error(("%s expects the path of a store, got %s"):format(where, type(path)), 3)
  end
end

--- Trains what the populations of a store have open.
-- @treturn table list of results, one for each population that had something open
function M.resume(path, o)
  o = options.check("sweep.resume", o)
  check_path("sweep.resume", path)
  return (blame.call(1, say, sys.shielded, function()
    starting.not_interrupted()
    path = paths.absolute(path)
    local about, where = uv.fs_stat(path), paths.shown(path)
    if not about then fail(("%s: no such store%s"):format(where, files.instead(where))) end
    if about.size == 0 then fail(where .. " is empty: no sweep has written it yet") end
    requests.places("sweep.resume", o.workers, -- all refuse before anything is queued again
      requests.limits("sweep.resume", {}, o))
    if o.on then elsewhere.resumed(o.on) end
    local seconds = (o.by or o.budget) and plans.seconds("sweep.resume", o)
    local shared = seconds and { finish = sys.now() + seconds, seconds = seconds }
    if o.retry or o.memory or o.patience then again(path, o) end
    local first, started, several = starting.open_ledger(path), {}, {}
    local failed, names = first:failed(), first:open_names()
    local told, trials = pcall(trial.resume, first, path, o.quiet)
    first:close()
    if not told then error(trials, 0) end
    names = trial.wanted(trials, names, o.quiet)
    if shared then shared.among = #names end
    for _, model in ipairs(failed) do trainings.failed[trainings.key(path, model.name)] = 1 end
    for _, name in ipairs(names) do
      local of = trials.of[name] or {}
      local good, s = pcall(starting.resume, path, name, o, { shared = shared,
        several = several, trial = of.trial, place = of.place })
      if not good then
        waiting.stop(started)
        if s == "interrupted" then
          waiting.wait_until(waiting.all_ended(started), function() waiting.stop(started) end)
          news.report(started)
          error(s, 0)
        end
        fail(type(s) == "string" and ("%s: %s"):format(name, s) or tostring(s),
          type(s) == "table" and s.kind or nil)
      end
      started[#started + 1] = s
    end
    starting.foretell(several, shared)
    if #names == 0 and not next(trials.decided) and not o.quiet then
      progress.clear(("%s: nothing is open; %s"):format(where, #failed == 0
        and "every population is trained" or ("%s; %s"):format(failures.text(failed, "failed"),
        news.retry(path, failed, {}))))
    end
    for _, t in ipairs(trials.list) do t:begin() end
    for _, t in ipairs(trials.list) do t:look() end
    local results = waiting.wait_for(started)
    trial.conclude(trials.list, o.quiet)
    return results
  end))
end

--- Puts the failed models of a store that nobody trains in back into the queue.
-- @tparam[opt] table o diverged = true: also those that diverged
-- @treturn integer how many
function M.retry(path, name, o)
  o = options.check("sweep.retry", o)
  check_path("sweep.retry", path)
  if name ~= nil and type(name) ~= "string" then
    error("sweep.retry expects the name of a population, got " .. type(name), 2)
  end
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
      t.budget = starting.left_of(plan)
      return starting.start("sweep.plan", t, { shared = plan, several = several })
    end
    if plan.in_turn then
      local results = {}
      for i, t in ipairs(plan.sweeps) do results[i] = waiting.wait_for({ begin(t) })[1] end
      return results
    end
    local started, several = {}, {}
    local good, err = pcall(function()
      for i, t in ipairs(plan.sweeps) do started[i] = begin(t, several) end
      starting.foretell(several, plan)
    end)
    if not good then waiting.undo(started, err) end
    return waiting.wait_for(started)
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
    waiting.stop(stop_them and list or idle)
    local interrupted = #list > 0 and waiting.wait_until(waiting.all_ended(list), function()
      waiting.stop(list)
    end)
    news.report(news.unreported(list))
    if next(trainings.failed) then sys.status(3) end -- as they stand now
    if interrupted and not stop_them then error("interrupted", 0) end
  end)
end

background.serve { running = function() return #active end, finish = M.finish,
  suspend = pool.suspend, tell = news.tell }

return M
