--- A population being trained: which models wait, run and have ended, and what becomes of a
-- model whose worker dies.  pool.lua, which runs the worker processes, or what takes its place
-- (request.on: the tasks of a cluster) calls the methods with an underscore; sweep.lua is what
-- users call.  The parts: queue.lua has the models that wait, journal.lua tells the store,
-- news.lua the user, pace.lua knows how long it will take.
--
-- A worker that dies or hangs costs its model an attempt; the next one goes on from the
-- last checkpoint (checkpoint.lua), until losses.lua says that it has lost too many.

local checkpoints = require "netspace.sweep.checkpoint"
local controls = require "netspace.sweep.controls"
local core = require "netspace.core.net"
local files = require "netspace.store.files"
local forecasts = require "netspace.sweep.forecast"
local hauls = require "netspace.sweep.haul"
local hosts = require "netspace.sweep.hosts"
local journals = require "netspace.sweep.journal"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local losses = require "netspace.sweep.losses"
local news = require "netspace.sweep.news"
local pace = require "netspace.sweep.pace"
local paths = require "netspace.lib.path"
local places = require "netspace.sweep.places"
local pool = require "netspace.sweep.pool"
local queues = require "netspace.sweep.queue"
local requests = require "netspace.sweep.request"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local varies = require "netspace.network.vary"

local M = {
  active = {}, -- trainings at work or paused, oldest first
  failed = {}, -- how many models had failed in a population that has ended, if any: by its key()
}
local active = M.active
local Training = { __name = "sweep" }
Training.__index = Training
M.Training = Training

local LOSS = 100                -- the error of a model without one
local TICK_MS, BEAT = 200, 2    -- storing and looking around; sign of life (seconds)

--- What tells the populations of all stores apart.
function M.key(store, name) return store .. "\0" .. name end

--- Begins training what the population `id` has open, as the request says (request.lua).
function M.begin(ledger, id, request)
  local s = setmetatable({
    name = request.name, store = request.store, journal = journals.new(ledger), population = id,
    limit = request.workers, places = hosts.shares(request.places), recipe = request.recipe,
    source = request.source,
    checksum = request.card.checksum, images = request.card.train_n, callback = request.progress,
    spreads = not request.on and places.spreads(request.places, request.workers),
    settings = request.settings, patience = request.settings.patience or requests.PATIENCE,
    quiet = request.quiet, queue = queues.new(), running = {}, lost = {}, strayed = {},
    total = 0, done = 0, failed = 0, diverged = 0, trained = 0, unsuccessful = 0,
    ended = {}, parked = {}, began = sys.now(), before = ledger:trainers(id), told = {}, heard = {},
    beat = sys.now(), state = "running",
    budget = not request.on and request.budget or nil,
    allowance = request.on and request.budget or nil, -- the same, as time of tasks (fleet.lua)
    asked = request.asked or request.budget, -- the time that was set, of which it is a part
    card = request.card, least = 100,
    on = request.on, hands = request.on and request.on.hands or pool, -- what does the work
    checkpoints = request.on and request.on:checkpoints(request.store, id)
      or files.checkpoints(request.store),
    price = request.forecast and request.forecast.rate,
    over = request.forecast and request.forecast.over, -- what needs more memory than it may
    trial = request.trial, -- which it is trained for (trial.lua)
  }, Training)
  if s.trial then s.trial:add(s, request.place) end
  if s.on then
    s.created = ledger:find(request.name).created
    checkpoints.move(files.checkpoints(s.store), s.checkpoints, id) -- it may have begun here
  end
  local waiting = {}
  for _, model in ipairs(ledger:models(id)) do
    s.total = s.total + 1
    model.cost = forecasts.price(model, request.card, requests.epochs(request, model.idx),
      request.recipe)
    if requests.parked(request.settings, model) then
      s.parked[#s.parked + 1] = model
    elseif model.status == "queued" then
      waiting[#waiting + 1] = model
    else
      s[model.status] = s[model.status] + 1
      if model.status == "done" then s.least = math.min(s.least, model.error) end
      s:_lament(model, model.status)
    end
  end
  for i = #waiting, 1, -1 do s.queue:add(waiting[i]) end -- the first one last: none has to move
  s:_keep()
  controls.take(s.store, s.name) -- nobody was there to take them
  active[#active + 1] = s
  s:_tidy()
  if #s.queue == 0 then
    s:_finish()
  else
    s.timer = uv.new_timer()
    s.timer:start(TICK_MS, TICK_MS, function()
      local good, err = pcall(s._tick, s)
      if not good then s:_broken(err) end
    end)
    s.hands.add(s)
    s:_settle() -- the budget may have no time for any
  end
  return s
end

-- Keeps a model that failed or diverged, with its reason.
function Training:_lament(model, status)
  local list = status == "failed" and self.lost or status == "diverged" and self.strayed
  if list then list[#list + 1] = model end
end

-- Removes what is left in the directory of checkpoints, but for those of models to come.
function Training:_tidy()
  local open = {}
  for _, model in self.queue:each() do open[model.idx] = true end
  for _, model in ipairs(self.parked) do open[model.idx] = true end
  checkpoints.tidy(self.checkpoints, self.population, open)
end

-- What the store has: the rest of the world is told of nothing else.
function Training:_keep()
  self.kept = { done = self.done, failed = self.failed, diverged = self.diverged,
    trained = self.trained - self.unsuccessful, unsuccessful = self.unsuccessful }
end

function Training:_flush()
  self.journal:flush()
  self.urgent = false
  self:_keep()
  -- A checkpoint is of no more use when the store has the result, and not before.
  for _, model in ipairs(self.ended) do uv.fs_unlink(self:_checkpoint(model)) end
  self.ended = {}
end

function Training:_tick()
  local now = sys.now()
  if now - self.beat >= BEAT then
    local s = self:status()
    local rate = self.state ~= "pausing" and self.state ~= "paused" and s.images_per_s or nil
    self.journal:note(function(ledger) ledger:beat(rate, s.eta) end)
    self.beat = now
  end
  for _, command in ipairs(controls.take(self.store, self.name)) do self:_obey(command) end
  self:_flush()
  if self.callback then self.callback(self:status()) end
end

-- The commands of a monitor (controls.lua).
function Training:_obey(command)
  if command == "cancel" then
    self:_tell(nil, "cancelled from a monitor")
    self:_stop()
  elseif command == "pause" and self.state == "running" then
    self:_tell(nil, "paused from a monitor")
    self:pause()
  elseif command == "pause" then
    self:_tell(nil, "resumed from a monitor")
    self:resume()
  elseif command == "retry" then
    self:_tell(nil, units.count(self:retry(), "failed model")
      .. " queued again from a monitor")
  end
end

--- Puts the failed models back into the queue of a sweep at work.
-- @treturn integer how many
function Training:retry()
  if self.state == "stopping" or self.state == "ended" then
    error(("sweep '%s' has ended; `netspace resume %s --retry` trains its failed models again")
      :format(self.name, paths.shown(self.store)), 2)
  end
  local list = self.lost
  self.lost = {}
  self.journal:note(function(ledger) ledger:retry(self.population) end)
  for _, model in ipairs(list) do
    model.crashes, model.over, self.failed = 0, false, self.failed - 1
    self.queue:add(model)
  end
  self.hands.dispatch(self)
  return #list
end

-- Something for the log of the store and the eyes of the user.
function Training:_tell(model, text)
  self.journal:note(function(ledger) ledger:log(model and model.id, text) end)
  news.note(self, model, text)
end

-- How many models are to be begun.
function Training:_open()
  if self.state ~= "running" or self:_out_of_time() then return 0 end
  return #self.queue
end

-- What pool.lua asks of a client ------------------------------------------------------

function Training:_waiting()
  local n = self:_open()
  return n > 0 and self.trial and not self.trial:turn(self) and 0 or n
end

function Training:_checkpoint(model)
  return files.path(self.checkpoints, self.population, model.idx)
end

function Training:_need()
  local model = self.queue:first()
  model.need = model.need or core.need(ledgers.network(model), self.recipe)
  return model.need
end

function Training:_price()
  return self.queue:first().cost
end

function Training:_held(bytes)
  local model = self.queue:first()
  if model.held then return end
  model.held = true
  self.journal:note(function(ledger)
    ledger:log(model.id, ("needs %s: waits until it fits into memory with the others"):format(
      units.bytes(bytes)))
  end)
end

-- A worker begins with a model.
function Training:_start(model, w)
  local attempt = model.attempt
  self.journal:note(function(ledger)
    local hello = w.hello -- nil: of a task that has died before it said what it is
    ledger:start(model.id, attempt, hello and hello.pid or w.pid, hello and ledger:trainer(hello))
  end)
end

-- A model that has left the queue is trained, as that attempt.
function Training:_take(model, attempt)
  model.attempt = attempt
  model.from, model.part, model.rate, model.told = 0, 0, nil, nil
  pace.begin(model, 1)
  self.running[model.id] = model
end

-- What a worker at a place is told of a model.
function Training:_job(model, place)
  local o = self.settings.checkpoint
  return { kind = "train", model = model.id, attempt = model.attempt, seed = model.seed,
    m = ledgers.network(model), source = self.source,
    recipe = varies.merged(self.recipe, model.recipe and json.decode(model.recipe)),
    checksum = self.checksum, memory = self.settings.memory,
    stop_after = requests.until_epoch(self.settings, model.idx),
    step_flops = 6 * model.flops * self.recipe.batch,
    checkpoint = o and { every = o.every,
      path = place and hosts.checkpoint(self, place, self:_checkpoint(model), model.idx)
        or self:_checkpoint(model),
      seconds = o.seconds, limit = o.limit,
      weights = o.keep and files.path(self.on and self.on:weights(self.store, self.population)
        or files.weights(self.store), self.population, model.idx) or nil } or nil }
end

function Training:_next(w, ahead)
  local model = self.queue:take()
  self:_take(model, model.attempt + 1)
  pace.begin(model, w.threads)
  model.ahead, model.place = ahead and w, w.place
  if not ahead then self:_start(model, w) end
  return self:_job(model, w.place), hauls.forth(self, model, w.place)
end

function Training:_threads(job, n)
  pace.threads(self.running[job.model], n)
end

Training._ready, Training._check, Training._away = hosts.ready, hosts.check, hosts.away
Training._answered, Training._unreachable = hosts.answered, hosts.unreachable

-- A running model leaves its worker: back into the queue of the store.
function Training:_put_back(model, e)
  local attempt, change = model.attempt, { crashes = model.crashes, signal = e and e.signal,
    log = e and e.log }
  self.journal:note(function(ledger) ledger:requeue(model.id, attempt, change) end)
end

-- … and into that of this sweep.
function Training:_requeue(model, e)
  self:_put_back(model, e)
  self.queue:add(model)
end

-- A running model has ended, as e says (ledger:finish).
function Training:_ended(model, e)
  local attempt = model.attempt
  e.crashes, e.memory, model.over = model.crashes, model.need, true
  self[e.status] = self[e.status] + 1
  self.unsuccessful = self.unsuccessful + (e.status == "failed" and 1 or 0)
  if e.status == "done" then self.least = math.min(self.least, e.error) end
  self.trained = self.trained + 1
  self.urgent = true
  if not self.on then self.ended[#self.ended + 1] = model end -- else its task removes it
  model.reason, model.memory = e.reason, model.need
  self:_lament(model, e.status)
  self.journal:note(function(ledger)
    ledger:finish(model.id, attempt, e)
    if e.status == "done" then return end
    ledger:log(model.id, e.status .. ": " .. (e.reason or ""))
  end)
  news.announce(self, ("model %d %s, %d of %d ended"):format(model.idx, e.status == "done" and
    ("has error %.2f %%"):format(e.error) or e.status .. ": " .. (e.reason or ""),
    self.done + self.failed + self.diverged, self.total), e.status == "done")
end

-- An epoch trained again after a loss should give what is stored; once a sweep it is said
-- when it does not.
function Training:_epoch(model, e)
  local attempt = model.attempt
  self.journal:note(function(ledger)
    local old = ledger:epoch(model.id, attempt, e)
    if not old or self.differed then return end
    self.differed = true
    self:_tell(model, ("epoch %d gave another result than before: train loss %.17g, "
      .. "then %.17g; another processor or BLAS, or a fault of the machine (netspace "
      .. "doctor)"):format(
      e.epoch, old.train_loss or 0, e.train_loss or 0))
  end)
end

function Training:_event(job, e)
  local model = self.running[job.model]
  local epochs = requests.until_epoch(self.settings, model.idx) or self.recipe.epochs
  local attempt = job.attempt
  if model.ahead then
    self:_start(model, model.ahead)
    model.ahead = nil
  end
  if e.event == "begin" then
    model.part = (e.epoch + e.step * self.recipe.batch / self.images) / epochs
    pace.begin(model)
    model.from, model.told = model.part, sys.now()
    losses.begun(model, e)
    self.journal:note(function(ledger)
      ledger:begin(model.id, attempt, e.epoch, e.memory)
      if e.epoch > 0 and model.place and model.place.host then
        ledger:log(model.id, ("goes on after epoch %d on %s"):format(e.epoch, model.place.name))
      end
    end)
  elseif e.event == "epoch" then
    model.part, model.rate = math.max(model.part, e.epoch / epochs), e.images_per_s
    model.told = sys.now()
    self.speed = e.images_per_s -- of models that have told nothing yet
    self:_epoch(model, e)
  elseif e.event == "step" then
    model.part, model.told = (e.epoch - 1 + e.part) / epochs, sys.now()
    model.rate = e.images_per_s or model.rate
  elseif e.event == "saved" then
    losses.saved(model, e)
    hauls.saved(self, model)
  elseif e.event == "note" then
    self:_tell(model, e.text)
  end
  if not e.ended then return end
  self.running[job.model] = nil
  if e.event == "done" or e.event == "diverged" or e.event == "failed" then
    pace.spent(model)
    self:_ended(model, { status = e.event, error = e.event == "done" and e.error or LOSS,
      reason = e.reason, seconds = e.seconds, signal = e.signal, log = e.log })
  elseif e.event == "parked" then
    pace.spent(model)
    self:_put_back(model)
    self.parked[#self.parked + 1], self.trained = model, self.trained + 1
  else
    self:_requeue(model)
    if e.event == "refused" then self:_broken(e.reason) end
  end
  if self.state ~= "running" then self:_settle() end
end

function Training:_unbegun(job)
  local model = self.running[job.model]
  self.running[job.model] = nil
  self:_requeue(model)
  self:_settle()
end

-- True when the model goes on.
function Training:_lost(job, e)
  local model, reason = self.running[job.model], nil
  self.running[job.model] = nil
  if self.state ~= "running" then
    losses.progress(model)
    self:_requeue(model)
  else
    local text
    text, reason = losses.count(model, e)
    if reason then
      self:_ended(model, { status = "failed", error = 100, signal = e.signal, log = e.log,
        reason = reason, seconds = sys.now() - model.began })
    else
      self:_requeue(model, e)
      self.journal:note(function(ledger) ledger:log(model.id, text) end)
      news.announce(self, ("model %d: %s"):format(model.idx, text))
    end
  end
  self:_settle()
  return reason == nil
end

--- A sweep that cannot go on stops; whoever waits for it gets the exception.
function Training:_broken(err)
  self.trouble = self.trouble or err
  self:_leave()
end

function Training:_settle()
  if self.state == "ended" then return end
  if self.urgent and not self.trouble then
    self:_flush() -- _finish tries it once more
    if self.trial then self.trial:look() end -- which may end it
    if self.state == "ended" then return end
  end
  if next(self.running) ~= nil then return end
  if self.state == "stopping" or self.state == "running" and self:_open() == 0 then
    self:_finish()
  elseif self.state == "pausing" then
    self.state = "paused"
    self:_flush()
  end
end

-- Stopping ----------------------------------------------------------------------------

-- Takes the running models from their workers, which write a checkpoint.
function Training:_withdraw(state)
  self.state, self.beat = state, -math.huge -- told at once
  self.hands.remove(self)
  self:_settle()
end

function Training:_stop()
  if self.state == "stopping" or self.state == "ended" then return end
  self:_withdraw("stopping")
end

--- Ends the sweep for this process.  What trains elsewhere goes on, to be collected another day.
function Training:_leave()
  if not self.on then return self:_stop() end
  if self.state == "ended" then return end
  self.left = { at_work = self.hands.leave(self) }
  self.state = "stopping"
  for id, model in pairs(self.running) do
    self.running[id] = nil
    self:_requeue(model)
  end
  self:_settle()
end

--- Frees the workers; the models go on when the sweep is resumed.
function Training:pause()
  if self.state == "running" then self:_withdraw("pausing") end
end

--- Goes on after a pause.
function Training:resume()
  if self.state ~= "pausing" and self.state ~= "paused" then return end
  self.state, self.beat = "running", -math.huge
  self.hands.add(self)
  self:_settle() -- nothing may be left
end

function Training:_finish()
  local stopped = self.state == "stopping"
  self.state = "ended"
  self.seconds = sys.now() - self.began
  if self.timer then self.timer:close() end
  for i, s in ipairs(active) do
    if s == self then table.remove(active, i) break end
  end
  self.hands.remove(self)
  self.journal:note(function(ledger)
    if self.on and self.on.eager == false and not ledger:withdraw_run() then return end
    ledger:log(nil, ("run %s: %s: %s"):format(stopped and "stopped" or "finished",
      units.count(self.total, "model"), units.tally { done = self.done, failed = self.failed,
      diverged = self.diverged, queued = #self.queue }))
    ledger:finish_run()
  end)
  local good, err = pcall(self._flush, self)
  if not good then self.trouble = self.trouble or err end
  self.journal:close()
  self:_tidy()
  M.failed[M.key(self.store, self.name)] = self.failed > 0 and self.failed or nil
  if self.callback then
    good, err = pcall(self.callback, self:status())
    if not good then self.trouble = self.trouble or err end
  end
  news.ended(self)
  if self.trial then self.trial:ended(self) end
end

-- How it stands -----------------------------------------------------------------------

--- The sweeps at work, for the forecast of another (forecast.lua); nil: there are none.
function M.others()
  if #active == 0 then return nil end
  return { n = #active, seconds = pace.remaining(active), rate = pace.price(active) }
end

-- Whether the budget has no time for the next model.  From then on none is begun (only
-- those that were and lost their worker begin again), so that what is trained is a
-- beginning of the population.
function Training:_out_of_time()
  if self.on then return self.closed end
  local model = self.budget and self.queue:first()
  if not model or model.began then return false end
  if not self.closed then
    local finish = sys.now() + model.cost * (pace.price(active) or 0)
    if finish - self.began <= self.budget then return false end
    self:_close(model)
  end
  return true
end

--- The budget has no time for this model, which is the next, nor for those after it.
function Training:_close(model)
  self.closed = true
  self.journal:note(function(ledger)
    ledger:log(nil, ("the budget of %s leaves no time for model %d"):format(
      units.limit(self.asked), model.idx))
  end)
  if self.on then self:_settle() end
end

-- Seconds until everything at work is done, or the budget is spent; nil when nobody knows.
function Training:_remaining()
  local seconds = pace.remaining(active)
  if not seconds or not self.budget then return seconds end
  return math.max(0, math.min(seconds, self.budget - (sys.now() - self.began)))
end

--- How the sweep stands.
function Training:status()
  local running, queued, rate = 0, #self.queue, 0
  for _, model in pairs(self.running) do
    if model.ahead then
      queued = queued + 1
    else
      running, rate = running + 1, rate + (model.rate or self.speed or 0)
    end
  end
  local state = self.state
  if state == "ended" then
    state = self.trouble and "broken" or self.decided and "decided"
      or #self.queue > 0 and "stopped" or "finished"
  end
  local kept = self.kept
  return { name = self.name, state = state, total = self.total, done = kept.done,
    failed = kept.failed, diverged = kept.diverged, running = running,
    queued = queued, images_per_s = rate,
    eta = self.state == "running" and self:_remaining() or nil }
end

function Training:__tostring()
  local s = self:status()
  return ("sweep %s of %s: %s, %s: %s"):format(s.name, paths.shown(self.store), s.state,
    units.count(s.total, "model"), units.tally(s))
end

return M
