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
-- The parts: sweep_plan.lua makes of the options what is to be trained, pool.lua runs the
-- worker processes, ledger.lua writes the store; a sweep here joins them.  Several run at
-- once and share the workers.

local help = require "netspace.help"
local ledgers = require "netspace.ledger"
local options = require "netspace.options"
local plans = require "netspace.sweep_plan"
local pool = require "netspace.pool"
local progress = require "netspace.progress"
local stores = require "netspace.store"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = { open = stores.open }
local Sweep = { __name = "sweep" }
Sweep.__index = Sweep

local CRASHES = 3               -- workers a model may cost before it counts as failed
local TICK_MS, BEAT = 200, 2    -- storing and looking around; sign of life (seconds)

local allowed = { store = "string", name = "string", models = "table",
  data = "string|userdata", recipe = "table", workers = "integer", seed = "integer",
  progress = "function", quiet = "boolean" }

local active = {}               -- sweeps at work, oldest first
local spent = { cost = 0, seconds = 0 } -- by the workers so far: what a unit of cost takes

local fail = ledgers.fail

-- Calls f so that a failure blames the line of user code `level` above the caller.
local function blame(level, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if getmetatable(err) == ledgers.Failure then error(err.message, level + 2) end
  error(err, 0)
end

local function open_ledger(path)
  local ledger, why, kind = ledgers.open(path)
  if not ledger then
    if kind == "damaged" then sys.status(4) end
    fail(why)
  end
  return ledger
end

-- A sweep at work --------------------------------------------------------------------------

-- Begins training what the population has open.
local function begin(ledger, id, plan)
  local s = setmetatable({
    name = plan.name, store = plan.store, ledger = ledger, population = id,
    limit = plan.workers, recipe = plan.recipe, source = plan.source,
    checksum = plan.card.checksum, images = plan.card.train_n, callback = plan.progress,
    quiet = plan.quiet, queue = {}, running = {}, total = 0, done = 0, failed = 0, diverged = 0,
    trained = 0, pending = {}, began = sys.now(), beat = sys.now(), state = "running",
  }, Sweep)
  for _, model in ipairs(ledger:models(id)) do
    s.total = s.total + 1
    model.cost = model.flops * s.images * s.recipe.epochs
    if model.status == "queued" then
      table.insert(s.queue, model)
    else
      s[model.status] = s[model.status] + 1
    end
  end
  table.sort(s.queue, function(a, b) return a.idx > b.idx end) -- the next one is the last
  active[#active + 1] = s
  if #s.queue == 0 then
    s:_finish()
  else
    s.timer = uv.new_timer()
    s.timer:start(TICK_MS, TICK_MS, function()
      local good, err = pcall(s._tick, s)
      if not good then s:_broken(err) end
    end)
    pool.add(s)
  end
  return s
end

-- Remembers a change of the store until the next flush.
function Sweep:_note(f)
  self.pending[#self.pending + 1] = f
end

function Sweep:_flush()
  if #self.pending == 0 then return end
  self.ledger:write(function(ledger)
    for _, change in ipairs(self.pending) do change(ledger) end
  end)
  self.pending, self.urgent = {}, false
end

function Sweep:_tick()
  local now = sys.now()
  if now - self.beat >= BEAT then
    local s = self:status()
    self:_note(function(ledger) ledger:beat(s.images_per_s, s.eta) end)
    self.beat = now
  end
  self:_flush()
  if self.callback then self.callback(self:status()) end
end

-- What pool.lua asks of a client ------

function Sweep:_waiting()
  return self.state == "running" and #self.queue or 0
end

function Sweep:_next(pid)
  local model = table.remove(self.queue)
  model.attempt = model.attempt + 1
  model.began, model.part, model.rate = sys.now(), 0, 0
  self.running[model.id] = model
  local attempt = model.attempt
  self:_note(function(ledger) ledger:start(model.id, attempt, pid, 0) end)
  return { kind = "train", model = model.id, attempt = attempt, seed = model.seed,
    m = model.m, recipe = self.recipe, source = self.source, checksum = self.checksum }
end

function Sweep:_ready(e)
  if self.environment then return end
  self.environment = e
  self:_note(function(ledger)
    local before = ledger:environment(self.population, e)
    if not before then return end
    local text = ("earlier models were trained by netspace %s, %s, %s; now it is %s, %s, %s: "
      .. "the last digits may differ"):format(before.engine, before.blas, before.isa, e.engine,
      e.blas, e.isa)
    ledger:log(nil, text)
    if not self.quiet then progress.clear(self.name .. ": " .. text) end
  end)
end

-- A running model leaves its worker: back into the queue.
function Sweep:_requeue(model)
  local attempt, crashes = model.attempt, model.crashes
  self:_note(function(ledger) ledger:requeue(model.id, attempt, crashes) end)
  local at = #self.queue
  while at > 0 and self.queue[at].idx < model.idx do at = at - 1 end
  table.insert(self.queue, at + 1, model)
end

function Sweep:_ended(model, status, error_percent, reason, seconds)
  local attempt, crashes = model.attempt, model.crashes
  self[status] = self[status] + 1
  self.trained = self.trained + 1
  self.urgent = true
  self:_note(function(ledger)
    ledger:finish(model.id, attempt, status, error_percent, reason, seconds, crashes)
    if status ~= "done" then ledger:log(model.id, status .. ": " .. (reason or "")) end
  end)
end

function Sweep:_event(job, e)
  local model = self.running[job.model]
  local epochs = self.recipe.epochs
  if e.event == "epoch" then
    model.part, model.rate = e.epoch / epochs, e.images_per_s or 0
    self:_note(function(ledger) ledger:epoch(job.model, job.attempt, e) end)
  elseif e.event == "step" then
    model.part, model.rate = (e.epoch - 1 + e.part) / epochs, e.images_per_s
  end
  if not e.ended then return end
  self.running[job.model] = nil
  if e.event == "done" or e.event == "diverged" or e.event == "failed" then
    spent.cost = spent.cost + model.cost * (e.event == "done" and 1 or model.part)
    spent.seconds = spent.seconds + sys.now() - model.began
    self:_ended(model, e.event, e.error, e.reason, e.seconds)
  else
    self:_requeue(model)
    if e.event == "refused" then self:_broken(e.reason) end
  end
  if self.state == "stopping" then self:_settle() end
end

function Sweep:_lost(job, why)
  local model = self.running[job.model]
  self.running[job.model] = nil
  if self.state ~= "running" then
    self:_requeue(model)
  else
    model.crashes = model.crashes + 1
    if model.crashes >= CRASHES then
      self:_ended(model, "failed", 100, ("%s (%d workers died with it)"):format(why,
        model.crashes), sys.now() - model.began)
    else
      self:_requeue(model)
      self:_note(function(ledger) ledger:log(model.id, why .. "; queued again") end)
    end
  end
  self:_settle()
end

--- A sweep that cannot go on stops; whoever waits for it gets the error.
function Sweep:_broken(err)
  self.trouble = self.trouble or err
  self:_stop()
end

function Sweep:_settle()
  if self.urgent then self:_flush() end
  local idle = next(self.running) == nil
  if idle and (self.state == "stopping" or self.state == "running" and #self.queue == 0) then
    self:_finish()
  end
end

-- The end ------

function Sweep:_stop()
  if self.state ~= "running" then return end
  self.state = "stopping"
  pool.remove(self)
  if next(self.running) == nil then self:_finish() end
end

local summary -- of an ended sweep, in one line

-- A sweep of its own, ended while the user types: says so above the prompt.
local function announce(s)
  local repl = package.loaded["netspace.repl"]
  if repl and repl.at_prompt() and not s.quiet then
    repl.notify(summary(s))
    s.reported = true
  end
end

function Sweep:_finish()
  local stopped = self.state == "stopping"
  self.state = "ended"
  self.seconds = sys.now() - self.began
  if self.timer then self.timer:close() end
  for i, s in ipairs(active) do
    if s == self then table.remove(active, i) break end
  end
  pool.remove(self)
  self:_note(function(ledger)
    ledger:log(nil, ("run %s: %d of %d models trained, %d failed, %d diverged"):format(
      stopped and "stopped" or "finished", self.done, self.total, self.failed, self.diverged))
    ledger:finish_run()
  end)
  local good, err = pcall(self._flush, self)
  if not good then self.trouble = self.trouble or err end
  self.ledger:close()
  if self.failed > 0 then sys.status(3) end
  if self.callback then
    good, err = pcall(self.callback, self:status())
    if not good then self.trouble = self.trouble or err end
  end
  announce(self)
end

-- Seconds until everything at work is done: what is left, at the price of what was spent,
-- on the workers there are; at least as long as the longest model takes.
local function remaining()
  local cost, seconds = spent.cost, spent.seconds
  local left, longest, models, workers = 0, 0, 0, 0
  local now = sys.now()
  local function count(model, part)
    local rest = model.cost * (1 - part)
    left, longest, models = left + rest, math.max(longest, rest), models + 1
  end
  for _, s in ipairs(active) do
    workers = math.max(workers, s.limit)
    for _, model in pairs(s.running) do
      cost = cost + model.cost * model.part
      seconds = seconds + now - model.began
      count(model, model.part)
    end
    for _, model in ipairs(s.queue) do count(model, 0) end
  end
  if cost == 0 or models == 0 then return nil end
  return math.max(left / math.min(workers, models), longest) * seconds / cost
end

--- How the sweep stands.
function Sweep:status()
  local running, rate = 0, 0
  for _, model in pairs(self.running) do
    running, rate = running + 1, rate + model.rate
  end
  local state = self.state
  if state == "ended" then
    state = self.trouble and "broken" or #self.queue > 0 and "stopped" or "finished"
  end
  return { name = self.name, state = state, total = self.total, done = self.done,
    failed = self.failed, diverged = self.diverged, running = running,
    queued = #self.queue, images_per_s = rate,
    eta = self.state == "running" and remaining() or nil }
end

function Sweep:__tostring()
  local s = self:status()
  return ("sweep %s of %s: %s, %d of %d done, %d failed, %d diverged, %d running"):format(
    s.name, self.store, s.state, s.done, s.total, s.failed, s.diverged, s.running)
end

local function show_progress()
  if not progress.due() then return end
  local list = {}
  for _, s in ipairs(active) do
    if not s.quiet then list[#list + 1] = s:status() end
  end
  if #list > 0 then progress.show(list) end
end

local function stop_all()
  for _, s in ipairs({ table.unpack(active) }) do s:_stop() end
end

function summary(s)
  if s.trained == 0 and #s.queue == 0 then
    return ("%s: all %d models are trained already (%s)"):format(s.name, s.total, s.store)
  end
  local text = ("%s: %d models trained in %s"):format(s.name, s.trained,
    progress.duration(s.seconds))
  for _, kind in ipairs { "failed", "diverged" } do
    if s[kind] > 0 then text = text .. (", %d %s"):format(s[kind], kind) end
  end
  if #s.queue == 0 then return text .. (" (%s)"):format(s.store) end
  return text .. (", %d of %d left; run it again, or `netspace resume %s`"):format(#s.queue,
    s.total, s.store)
end

-- Runs the event loop until `done()`; Ctrl-C stops every sweep at its next step first.
local function wait_until(done)
  local interrupted = false
  while not done() do
    if sys.interrupted() and not interrupted then
      interrupted = true
      stop_all()
    else
      show_progress()
      uv.run("once")
    end
  end
  interrupted = interrupted or sys.interrupted()
  pool.drain()
  progress.clear()
  return interrupted
end

local function report(s)
  if not s.reported and not s.quiet then progress.clear(summary(s)) end
  s.reported = true
end

local function wait_for(s)
  local list = { s, table.unpack(active) }
  local interrupted = wait_until(function()
    if s.state ~= "ended" then return false end
    return not sys.interrupted() or #active == 0
  end)
  if interrupted then
    for _, each in ipairs(list) do report(each) end
    error("interrupted", 0)
  end
  report(s)
  if s.trouble then
    if getmetatable(s.trouble) == ledgers.Failure then fail(s.trouble.message) end
    fail(("sweep '%s' of %s stopped: %s"):format(s.name, s.store, tostring(s.trouble)))
  elseif #s.queue > 0 then
    fail(("sweep '%s' was cancelled with %d of %d models trained; run it again, or `netspace "
      .. "resume %s`"):format(s.name, s.total - #s.queue, s.total, s.store))
  end
  local store, why = stores.open(s.store)
  if not store then fail(why) end
  local result, failure = store:result(s.name)
  store:close()
  return result or fail(failure)
end

--- Waits until the sweep has ended.
-- @treturn result of all its models; raises when it was interrupted, cancelled or broken
function Sweep:wait()
  return blame(1, sys.shielded, wait_for, self)
end

--- Stops the sweep at the next step of its models; what is finished is kept.
function Sweep:cancel()
  sys.shielded(function()
    self:_stop()
    wait_until(function() return self.state == "ended" end)
  end)
end

local function start(where, o)
  local plan = plans.make(where, o)
  for _, s in ipairs(active) do
    if s.name == plan.name and uv.fs_realpath(s.store) == uv.fs_realpath(plan.store) then
      fail(("%s: '%s' of %s is being trained already"):format(where, plan.name, plan.store))
    end
  end
  local ledger = open_ledger(plan.store)
  local good, id = pcall(plans.enter, ledger, plan)
  if not good then
    ledger:close()
    error(id, 0)
  end
  return begin(ledger, id, plan)
end

--- Starts a sweep and returns at once; it goes on while the event loop runs: at the prompt
-- always, in a script while it waits for a sweep.
function M.start(o)
  o = options.check("sweep.start", o, allowed)
  return blame(1, sys.shielded, start, "sweep.start", o)
end

--- Trains a population and waits for it.
-- @treturn result
function M.run(o)
  o = options.check("sweep.run", o, allowed)
  return blame(1, sys.shielded, function() return wait_for(start("sweep.run", o)) end)
end

--- Trains what the populations of a store have open.
-- @treturn table list of results, one for each population that had something open
function M.resume(path, o)
  o = options.check("sweep.resume", o, { workers = "integer", quiet = "boolean" })
  return blame(1, sys.shielded, function()
    if not uv.fs_stat(path) then fail(path .. ": no such store") end
    local workers = plans.workers("sweep.resume", o.workers)
    local first, started, results = open_ledger(path), {}, {}
    local names = first:open_names()
    first:close()
    for i, name in ipairs(names) do
      local ledger = open_ledger(path)
      local good, err = pcall(function()
        local p = ledger:find(name)
        local data = assert(require("netspace.data").open(p.source.spec,
          { train = p.source.train, test = p.source.test, seed = p.source.seed }))
        local plan = { store = path, name = name, models = {}, card = data:card(),
          recipe = p.recipe, source = p.source, workers = workers, quiet = o.quiet }
        data:close()
        if plan.card.checksum ~= p.checksum then plans.compare(plan, p, {}) end
        ledger:write(function() ledger:take(p.id, name, workers) end)
        started[i] = begin(ledger, p.id, plan)
      end)
      if not good then
        ledger:close()
        stop_all()
        fail(type(err) == "string" and ("%s: %s"):format(name, err) or tostring(err))
      end
    end
    if #names == 0 and not o.quiet then
      progress.clear(path .. ": nothing is open; every population is trained")
    end
    for i, s in ipairs(started) do results[i] = wait_for(s) end
    return results
  end)
end

--- Ends a program properly: waits for the sweeps it has started (stop: stops them).
function M.finish(stop)
  sys.shielded(function()
    local list = { table.unpack(active) }
    if stop then stop_all() end
    local interrupted = wait_until(function() return #active == 0 end)
    for _, s in ipairs(list) do report(s) end
    if interrupted and not stop then error("interrupted", 0) end
  end)
end

--- How many sweeps are at work (the prompt asks before it leaves).
function M._running()
  return #active
end

help.add("sweep.run", [[
  sweep.run{ store=, name=, models=, data= [, recipe=, workers=, seed=, …] } -> result
  Trains every network of a population, one a core, and waits.  Everything finished is in the
  store at once: after an interruption the same call trains only the rest, and more models of
  the same population are added to those there.
    store     file that keeps the results (made when missing)
    name      what to call the population in it (the name of its space)
    models    a population (S:sample) or a list of networks
    data      "shapes", "cifar10:DIR", or a dataset from data.open
    recipe    how to train (recipe.quick)
    workers   processes at a time (all cores); the results do not depend on it
    seed      of weights and data order (the population's seed)
    progress  function called with the status a few times a second
    quiet     true: nothing on stderr
  The result has .errors in percent (a failed or diverged network counts as 100), .models,
  .failed, .n.
  example (slow): sweep.run{ store = "a.db", models = space.RegNetX:sample(4), data = "shapes" }
  source: Radosavovic et al. 2019, 2020: populations instead of single networks]])
help.add("sweep.start", [[
  sweep.start{ … } -> sweep
  As sweep.run, without waiting: the sweep goes on while you type, or while a script waits for
  another one.  Sweeps at work at the same time share the workers.
  The sweep has s:status() s:wait() s:cancel().
  example (slow): sweep.start{ store = "a.db", models = space.RegNetX:sample(2), data = "shapes" }]])
help.add("sweep.resume", [[
  sweep.resume(path [, { workers=, quiet= }]) -> list of results
  Trains what the populations of a store have open: all they need is in the store.  The same
  from the shell: netspace resume STORE.]])
help.add("sweep.finish", [[
  sweep.finish([stop])
  Waits for all sweeps this program has started; with stop = true it stops them instead.]])
help.add("sweep:status", [[
  s:status() -> table
  How a sweep stands: name, state ("running", "stopping", "finished", "stopped", "broken"),
  total, done, failed, diverged, running, queued, images_per_s, eta in seconds.]])
help.add("sweep:wait", [[
  s:wait() -> result
  Waits until the sweep has ended.  Ctrl-C stops all sweeps; what is finished is kept.]])
help.add("sweep:cancel", [[
  s:cancel()
  Stops a sweep; what is finished is kept, and running it again trains the rest.]])

return M
