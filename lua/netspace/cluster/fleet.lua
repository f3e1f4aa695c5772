--- The tasks of a cluster in the place of worker processes: what a sweep (sweep/training.lua) calls
-- instead of sweep/pool.lua, by the same methods of the client.
--
-- Every second what is new in the shards is told to the sweep.  A line counts by the population,
-- the place of the model and the attempt, so it may be told twice, by two starts of a task, or
-- on another day by another process: a model that has ended stays as it is, and epochs that are
-- there already change nothing.  Every half a minute the scheduler is asked how the tasks are.
-- One that has ended while its share has open models, without having said that it stops, has
-- died: what it was training has lost a worker.  Models that no task has are submitted.

local atomic = require "netspace.lib.atomic"
local command = require "netspace.cluster.command"
local files = require "netspace.store.files"
local filesystem = require "netspace.lib.filesystem"
local hosts = require "netspace.sweep.hosts"
local json = require "netspace.lib.json"
local kept = require "netspace.cluster.kept"
local ledgers = require "netspace.store.ledger"
local losses = require "netspace.sweep.losses"
local pace = require "netspace.sweep.pace"
local paths = require "netspace.lib.path"
local purses = require "netspace.cluster.purse"
local requests = require "netspace.sweep.request"
local schema = require "netspace.store.schema"
local shards = require "netspace.cluster.shard"
local submissions = require "netspace.cluster.submission"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}

local TICK_MS = 1000  -- between two passes at least,
local SHARE, REST = 60, 10 -- and so many times as long as one takes, so many seconds at most
local LOOK = 30       -- seconds between two looks at the queue, where no option says otherwise
local GRACE = 60      -- seconds in which a network file system shows the last lines of a task
local SILENT = 3      -- submissions of which no task said a word
local AGAIN, SOON = 300, 30 -- seconds after a submission that was refused; not written

local fleets = setmetatable({}, { __mode = "k" }) -- by client
local Fleet = {}
Fleet.__index = Fleet

local finishing = { done = true, diverged = true, failed = true, parked = true }
local leaving = { stopped = true, refused = true }

local function new(client)
  local on = client.on
  local directory = on:directory(client.store, client.population)
  local f = setmetatable({ client = client, on = on, scheduler = on:module(), directory = directory,
    created = client.created, submissions = submissions.all(directory, client.created),
    open = {}, attempts = {}, readers = {}, again = {}, due = 0, blocked = 0, rest = 0,
    took = 0, gone = {}, cancelled = {}, -- tasks whose end is not dealt with; that we cancelled
    grace = filesystem.network(directory) and GRACE or 2, silent = 0 }, Fleet)
  for _, s in ipairs(f.submissions) do
    for i, places in ipairs(s.shares) do
      for k, place in ipairs(places) do
        f.attempts[place] = math.max(f.attempts[place] or 0, s.attempts[i][k])
      end
    end
  end
  return f
end

-- The models that have not ended, by their places.
function Fleet:_refresh()
  for _, model in self.client.queue:each() do self.open[model.idx] = model end
  for _, model in pairs(self.client.running) do self.open[model.idx] = model end
end

-- Shards ----------------------------------------------------------------------------------

function Fleet:_environment(hello)
  local client = self.client
  client:_ready({ place = { name = hello.host } }, { hello = hello })
  local first = self.hello or hello
  self.hello = first
  if self.differs or hosts.same(first, hello) then return end
  self.differs = true
  client:_tell(nil, ("tasks train with %s, host %s, and with %s, host %s: %s"):format(
    hosts.described(first), first.host, hosts.described(hello), hello.host,
    first.trainer == hello.trainer and first.device == hello.device
    and "the last digits of their results may differ" or "their errors are not made alike"))
end

-- The model is trained by the task of a shard (nil: of none that is known), as that attempt.
function Fleet:_start(model, attempt, shard)
  self.client.queue:remove(model)
  self.client:_take(model, attempt)
  self.client:_start(model, { hello = shard and shard.hello })
end

-- Whether all epochs of a model that is done have been told, now or to the store; where lines of
-- some are damaged, its end does not count.
function Fleet:_whole(model, e)
  if e.event ~= "done" and e.event ~= "parked" then return true end
  local client = self.client
  local epochs = requests.until_epoch(client.settings, model.idx) or client.recipe.epochs
  if model.through == epochs or client.journal:epochs(model.id) >= epochs then return true end
  if not model.torn then
    client:_tell(model, "lines of its shard are damaged: it is trained again")
  end
  model.torn = true
  return false
end

-- One event of a model, from a shard.
function Fleet:_event(e, shard)
  local client = self.client
  local model = self.open[e.model]
  if not model or type(e.attempt) ~= "number" then return end
  local running = client.running[model.id] == model
  if e.attempt < model.attempt and not (finishing[e.event] and e.event ~= "failed") then return end
  local attempt = math.max(e.attempt, model.attempt)
  if not running then
    if e.event == "stopped" then return end
    self:_start(model, attempt, shard)
  elseif attempt > model.attempt then
    client.running[model.id] = nil
    client:_requeue(model)
    self:_start(model, attempt, shard)
  elseif e.event == "begin" then -- again: maybe by another trainer of that task
    client:_start(model, { hello = shard.hello })
  end
  if e.event == "epoch" and e.epoch == (model.through or 0) + 1 then model.through = e.epoch end
  if not self:_whole(model, e) then return end
  if e.event == "done" then kept.take(client, model) end
  if finishing[e.event] then self.open[e.model] = nil end
  e.ended = finishing[e.event] or leaving[e.event]
  client:_event({ model = model.id, attempt = attempt }, e)
  if e.event == "begin" then -- it was then, not now
    pace.begin(model, 1, sys.now() - math.max(0, schema.time() - e.t))
  end
end

-- Tells the sweep what is new; true when something was.
function Fleet:_collect()
  local any = false
  for _, s in ipairs(self.submissions) do
    for name, share in s:each_shard() do
      local path = s.directory .. "/" .. name
      local r = self.readers[path]
      if not r then
        r = shards.reader(path)
        s.read = s.read or {}
        s.read[share] = s.read[share] or {}
        table.insert(s.read[share], r)
        self.readers[path] = r
        s.heard = true
      end
      if not r.over then
        r:read(function(e)
          any = true
          r.stopped, r.spent = e.event == "left", e.spent
          r.first, r.last = r.first or e.t, e.t
          if e.event == "ready" then
            r.hello = e.hello
            self:_environment(e.hello)
          elseif e.event ~= "left" then
            r.model = not (finishing[e.event] or leaving[e.event]) and e.model or nil
            self:_event(e, r)
          end
        end)
        r.over = r.stopped and r.bad == 0
        s.last = s.last or {}
        s.last[share] = r
      end
    end
  end
  if any then self.client:_settle() end
  return any
end

-- Tasks -----------------------------------------------------------------------------------

-- The jobs of the scheduler that have tasks whose end has not been dealt with: those in .tasks.
function Fleet:_jobs()
  local list = {}
  for _, s in ipairs(self.submissions) do
    for _, job in ipairs(s.jobs) do
      local tasks = {}
      for t = 0, job.count - 1 do
        if not s:is_settled(job.first + t) then tasks[#tasks + 1] = t end
      end
      if #tasks > 0 then
        list[#list + 1] = { id = job.id, tasks = tasks, submission = s, job = job }
      end
    end
  end
  return list
end

local function is_open(self, s, share)
  for _, place in ipairs(s.shares[share + 1]) do
    if self.open[place] then return place end
  end
end

-- Models that a task has lost: those it was training, else the first of its share, which it was
-- about to.  Only where some task of its submission has begun at all: otherwise none is at fault.
function Fleet:_victims(s, share)
  local list = {}
  for _, place in ipairs(s.shares[share + 1]) do
    local model = self.open[place]
    if model and self.client.running[model.id] == model then list[#list + 1] = model end
  end
  local place = is_open(self, s, share)
  if #list == 0 and s.heard and place then list[1] = self.open[place] end
  return list
end

-- A task has ended, as `how` of the scheduler says (nil: it does not know).
function Fleet:_ended(s, t, how)
  local client = self.client
  local job, task = s:job_of(t)
  local last = s.last and s.last[t]
  s:settle(t)
  if not is_open(self, s, t) then return end
  local spent = self.purse:back(s, t, last)
  local name = ("task %s_%d"):format(#job.id < 20 and job.id or s.number, task)
  local node = how and how.node and how.node ~= "" and " on " .. how.node
    or last and last.hello and " on " .. last.hello.host or ""
  local reason = how and how.reason or "ended without a word"
  local ours = self.cancelled[s.number << 32 | t]
  if how and how.cancelled and not ours then
    client:_tell(nil, ("%s%s was cancelled; `netspace submit %s` submits its models again"):format(
      name, node, paths.shown(client.store)))
  elseif not spent then
    for _, place in ipairs(s.shares[t + 1]) do
      if self.open[place] then self.again[place] = true end
    end
  end
  local died = not (how and how.cancelled) and not (last and last.stopped)
  local log = died and s:tail(t) or nil
  self.reason = died and { ("%s%s: %s"):format(name, node, reason), log } or self.reason
  for _, model in ipairs(self:_victims(s, t)) do
    if client.running[model.id] ~= model and died then
      self:_start(model, math.max(model.attempt, self.attempts[model.idx] or 1))
    end
    if client.running[model.id] == model then
      if died then
        model.own = model.crashes
        local goes_on = client:_lost({ model = model.id }, { log = log,
          why = ("its %s%s: %s"):format(name, node, reason) })
        if not goes_on then self.open[model.idx] = nil end
      else
        client.running[model.id] = nil
        losses.progress(model)
        client:_requeue(model)
      end
    end
  end
end

-- Asks the scheduler, and deals with tasks that have ended; nil where it does not answer.
function Fleet:_look()
  local jobs = self:_jobs()
  local found, why = {}, nil
  if #jobs > 0 then found, why = self.scheduler.look(self.on.options, jobs) end
  if not found then
    if not self.deaf then self.client:_tell(nil, "the scheduler does not answer: " .. why) end
    self.deaf = true
    return nil
  end
  self.deaf = nil
  local now, changed, rows = sys.now(), {}, {}
  for _, j in ipairs(jobs) do
    for _, task in ipairs(j.tasks) do
      local s, t = j.submission, j.job.first + task
      local how = found[j.id] and found[j.id][task]
      local key = s.number << 32 | t
      if how and how.state ~= "ended" then
        self.gone[key] = nil
        rows[#rows + 1] = self:_row(s, t, j.id, task, how)
      else
        local since, last = self.gone[key] or now, s.last and s.last[t]
        if last and last.over or now - since >= self.grace then
          self:_ended(s, t, how)
          self.gone[key], changed[s] = nil, true
        else -- its last lines may not be visible yet
          self.gone[key] = since
          self.due = math.min(self.due, since + self.grace)
        end
      end
    end
  end
  for s in pairs(changed) do
    local good, message = s:save()
    if not good then self.client:_tell(nil, message) end
    self:_mute(s)
  end
  self:_show(rows)
  if next(changed) then self.client:_settle() end
  return true
end

-- A submission of which no task has said a word, and all have ended: after some the sweep stops.
function Fleet:_mute(s)
  if s.heard then
    self.silent = 0
    return
  end
  for t = 0, #s.shares - 1 do
    if not s:is_settled(t) then return end
  end
  self.silent = self.silent + 1
  if self.silent < SILENT or not self.reason then return end
  self.client:_broken(("no task has begun in %d submissions; the last one, %s%s"):format(SILENT,
    self.reason[1], self.reason[2] and ":\n" .. self.reason[2] or ""))
end

-- What the monitor shows of a task.
function Fleet:_row(s, t, id, task, how)
  local left, last = 0, s.last and s.last[t]
  for _, place in ipairs(s.shares[t + 1]) do left = left + (self.open[place] and 1 or 0) end
  return { task = ("%s_%d"):format(#id < 20 and id or s.number, task), state = how.state,
    node = how.node, ends = how.ends, reason = how.reason, models = #s.shares[t + 1], left = left,
    model = how.state == "running" and last and not last.stopped and last.model or nil }
end

function Fleet:_show(rows)
  if not uv.fs_stat(self.directory) then return end
  atomic.write(self.directory .. "/tasks.json", function(write)
    write(json.encode { population = self.client.name, time = schema.time(),
      scheduler = self.on.options.scheduler, tasks = rows })
  end)
end

-- Submitting ----------------------------------------------------------------------------------

-- The models that wait and that no task has, in order.
function Fleet:_uncovered()
  local covered, list = {}, {}
  for _, s in ipairs(self.submissions) do
    for place in s:each_covered() do covered[place] = true end
  end
  for _, model in self.client.queue:each() do
    if not covered[model.idx] and (self.eager or self.again[model.idx]) then
      list[#list + 1] = model
    end
  end
  table.sort(list, function(a, b) return a.idx < b.idx end)
  return list
end

--- The jobs of a submission of n tasks, its number and directory, with their scripts in .text; a
-- job may have `most` tasks.
function M.jobs(on, number, directory, n, name, most)
  local o, list = {}, {}
  for key, value in pairs(on.options) do o[key] = value end
  if o.at_once then o.at_once = math.max(1, o.at_once // math.ceil(n / most)) end
  for first = 0, n - 1, most do
    local job = { number = number, first = first, count = math.min(most, n - first),
      directory = directory, program = sys.exe(), setup = o.setup, name = name,
      script = ("%s/%d.sh"):format(directory, first) }
    job.text = on:module().script(o, job)
    list[#list + 1] = job
  end
  return list
end

-- Gives the scheduler the jobs of a submission; how many tasks it has taken, and why no more.
function Fleet:_hand_in(s, most)
  local taken = 0
  for _, job in ipairs(M.jobs(self.on, s.number, s.directory, #s.shares, self.client.name,
    most)) do
    local good, why = atomic.write(job.script, function(write) write(job.text) end)
    local id
    if good then id, why = self.scheduler.submit(self.on.options, job) end
    if not id then return taken, why end
    s.jobs[#s.jobs + 1] = { id = id, first = job.first, count = job.count }
    taken = taken + job.count
    good, why = s:save()
    if not good then return taken, why end
  end
  return taken
end

-- What the tasks are told of a model.
function Fleet:_job(model)
  local attempt = math.max(model.attempt, self.attempts[model.idx] or 0) + 1
  local job = self.client:_job(model)
  self.attempts[model.idx] = attempt
  job.model, job.attempt = model.idx, attempt
  return job
end

-- How many tasks get n models, and what they are told besides.
function Fleet:_how(n)
  local settings = self.client.settings
  local tasks, budget = self.purse:parts(math.min(self.on.options.tasks, n))
  return tasks, { slots = self.on:slots(settings.trainer), trainer = settings.trainer,
    patience = settings.patience, budget = budget }
end

function Fleet:_submit()
  if not self.eager and next(self.again) == nil or sys.now() < self.blocked then return end
  if self.eager and next(self.gone) then return end -- what ends now is submitted with the rest
  local list = self:_uncovered()
  if #list == 0 then
    self.eager, self.again = false, {}
    return
  end
  if self.purse:empty() then
    self.purse.spent, self.eager, self.again = true, false, {}
    return
  end
  local most, why = self.scheduler.ready(self.on.options)
  if not most then ledgers.fail(why) end
  local jobs = {}
  for i, model in ipairs(list) do jobs[i] = self:_job(model) end
  local tasks, how = self:_how(#jobs)
  local s
  s, why = submissions.new(self.directory, self.created, jobs, tasks, how)
  if not s then -- the disk may be full for a while
    if #self:_jobs() == 0 then ledgers.fail(why) end
    self.blocked = sys.now() + SOON
    return self.client:_tell(nil, ("nothing is submitted: %s; tried again in %s"):format(why,
      units.duration(SOON)))
  end
  local taken
  taken, why = self:_hand_in(s, most)
  if taken == 0 then
    s:remove()
    if #self:_jobs() == 0 then ledgers.fail("nothing could be submitted: " .. why) end
  else
    self.submissions[#self.submissions + 1] = s
    local ids = {}
    for i, job in ipairs(s.jobs) do ids[i] = #job.id < 20 and job.id or nil end
    self.client:_tell(nil, ("%s in %s submitted%s"):format(units.count(#list, "model"),
      units.count(taken, "task"), ids[1] and ": job " .. table.concat(ids, ", ") or ""))
    self.eager, self.again = false, {}
    for share = taken, #s.shares - 1 do
      for _, place in ipairs(s.shares[share + 1]) do self.again[place] = true end
    end
    self.purse:dealt(s, #s.shares - taken)
    self.due = math.min(self.due, sys.now() + 1)
  end
  if taken < #s.shares then
    self.blocked = sys.now() + AGAIN
    self.client:_tell(nil, ("%s of %s not accepted, tried again in %s: %s"):format(
      units.count(#s.shares - taken, "task"), #s.shares, units.duration(AGAIN), why))
  end
end

-- The loop ------------------------------------------------------------------------------------

function Fleet:_close()
  if self.timer then self.timer:close() end
  self.timer = nil
  fleets[self.client] = nil
end

-- Where nothing is at work and nothing is to be submitted, since the budget is spent, a person has
-- cancelled tasks, or only what there was is taken in, the sweep ends.
function Fleet:_idle()
  local client = self.client
  if self.eager or self.deaf or next(self.again) or next(client.running) or #client.queue == 0
    or #self:_jobs() > 0 then return end
  if self.purse.spent and client.asked then
    client:_close(client.queue:first())
  else
    client:_leave()
  end
end

function Fleet:_work()
  local client = self.client
  if self.cancelling then
    self.cancelling = nil
    local jobs = self:_jobs()
    for _, j in ipairs(jobs) do
      for _, task in ipairs(j.tasks) do
        self.cancelled[j.submission.number << 32 | j.job.first + task] = true
      end
    end
    local good, why = self.scheduler.cancel(self.on.options, jobs)
    if not good then return client:_broken("the tasks could not be cancelled: " .. why) end
    self.due = 0
  end
  local began = sys.now()
  self:_collect()
  self.took = sys.now() - began
  if client.state == "ended" then return end
  self.purse = self.purse or purses.new(client.allowance, self.submissions, self.eager)
  if sys.now() >= self.due then
    self.due = sys.now() + (self.on.options.look or LOOK)
    self.looked = self:_look() or self.looked
  end
  if client.state == "running" and self.looked then self:_submit() end
  if client.state == "running" and self.looked then self:_idle() end
  if client.state ~= "running" and #client.queue > 0 then client:_settle() end
  self.passed = (self.looked or self.deaf) and next(self.gone) == nil
end

function Fleet:_tick()
  if self.busy or sys.now() < self.rest then return end
  self.busy = true
  command.thread(function() self:_work() end, function(good, err)
    self.busy = nil
    self.rest = sys.now() + math.min(REST, SHARE * self.took)
    if not good and self.client.state ~= "ended" then self.client:_broken(err) end
  end)
end

--- Begins, or goes on after a pause.  A client whose on.eager is false only takes in what there is,
-- and submits what tasks have lost.
function M.add(client)
  local f = fleets[client]
  if f then
    f.eager = true
  else
    f = new(client)
    f.eager = client.on.eager ~= false
    fleets[client] = f
  end
  f:_refresh()
  f.timer = f.timer or uv.new_timer()
  f.timer:start(0, TICK_MS, function() f:_tick() end)
end

--- There are models in the queue again.
function M.dispatch(client)
  local f = fleets[client]
  if not f then return end
  f:_refresh()
  for _, model in client.queue:each() do
    if model.attempt > 0 then f.again[model.idx] = true end
  end
end

-- Cancels jobs without waiting for it.
local function cancel(f, jobs)
  if #jobs == 0 then return end
  command.thread(function() f.scheduler.cancel(f.on.options, jobs) end, function() end)
end

--- Ends the tasks of a client that pauses or stops; of one that has ended what is left of them.
function M.remove(client)
  local f = fleets[client]
  if not f then return end
  if client.state ~= "ended" then
    f.cancelling = true
    return
  end
  f:_close()
  cancel(f, f:_jobs())
  kept.clear(f.on:weights(client.store, client.population), files.weights(client.store))
  if #client.queue == 0 then
    client:_tidy() -- a task that died at the end of a model leaves its checkpoint
    submissions.clear(f.directory)
  else -- nobody is to miss them another day
    for _, s in ipairs(f.submissions) do
      for t = 0, #s.shares - 1 do s:settle(t) end
      s:save()
    end
  end
end

--- The client leaves its tasks; true where some are at work.
function M.leave(client)
  local f = fleets[client]
  if not f then return false end
  local jobs = f:_jobs()
  f:_close()
  if f.cancelling then cancel(f, jobs) end
  return #jobs > 0 and not f.cancelling
end

--- Whether all that was there has been taken in, and what no task had is submitted.
function M.passed(client)
  return fleets[client] == nil or fleets[client].passed == true
end

return M
