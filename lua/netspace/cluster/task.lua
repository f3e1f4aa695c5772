--- A task of a cluster: `netspace task SHARE LABEL`, started by the batch script in the directory
-- of its submission (submission.lua).  It trains the models of its share in order, with the worker
-- processes of every sweep (sweep/pool.lua), as many at a time as the job has cores, and writes
-- what they say to a shard of its own.  What an earlier start of the task has finished it leaves
-- out; the rest goes on from checkpoints.
--
-- The first line of SHARE.jobs says how it trains: slots (models side by side), trainer (nil:
-- netspace itself), patience, and budget, the seconds that all its starts together may take: no
-- model begins that would not be done by then, except that one always does.
--
-- SIGTERM ends it after a checkpoint of each model at work.  Exit status: 0 the share is trained,
-- 143 it is not yet, 4 the data is not what it should be, 1 no worker can be started.

local core = require "netspace.core.net"
local directories = require "netspace.lib.directory"
local hosts = require "netspace.sweep.hosts"
local json = require "netspace.lib.json"
local losses = require "netspace.sweep.losses"
local places = require "netspace.sweep.places"
local pool = require "netspace.sweep.pool"
local request = require "netspace.sweep.request"
local schema = require "netspace.store.schema"
local shards = require "netspace.cluster.shard"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local LAST = 20 -- seconds that the disk has to take the last lines when the task is told to end

local finishing = { done = true, diverged = true, failed = true, parked = true }

-- What the training of a model costs beside others.
local function price(job)
  return job.step_flops * (job.stop_after or job.recipe.epochs)
end

-- What earlier starts of a task have told: models that are finished, and begun; seconds that all
-- took (spent), and those of each model that is done.
local function before(share)
  local t = { finished = {}, begun = {}, spent = 0, took = {}, seconds = 0, prices = 0 }
  for name in directories.each "." do
    if name:find("^" .. share .. "%..*%.shard$") then
      local first, last
      shards.reader(name):read(function(e)
        first, last = first or e.t, e.t
        if e.event == "begin" then t.begun[e.model] = true end
        if finishing[e.event] then t.finished[e.model] = true end
        if e.event == "done" then t.took[e.model] = e.seconds end
      end)
      t.spent = t.spent + (first and last - first or 0)
    end
  end
  return t
end

-- How the task trains, the jobs of its share that no start of it has finished, and what earlier
-- starts have told.
local function read(share)
  local past, how, list = before(share), nil, {}
  for line in io.lines(share .. ".jobs") do
    local job = assert(json.decode(line))
    local took = past.took[job.model]
    if took then past.seconds, past.prices = past.seconds + took, past.prices + price(job) end
    if not how then
      how = job
    elseif not past.finished[job.model] then
      list[#list + 1] = job
    end
  end
  return how, list, past
end

local Task = {}
Task.__index = Task

-- What pool.lua asks of a client --------------------------------------------------------------

function Task:_waiting() return (self.ending or self:_spent()) and 0 or #self.jobs end

function Task:_need()
  local job = self.jobs[1]
  return core.need(job.m, job.recipe)
end

function Task:_price() return price(self.jobs[1]) end

function Task:_held() end

function Task:_next(w)
  local job = table.remove(self.jobs, 1)
  self.running[job.model], self.begun[job.model] = job, true
  self.trainers[job.model] = w.hello
  return job
end

function Task:_ready(_, w)
  if self.writer then return end
  local writer, why = shards.writer(".", self.name, function(event)
    local job = finishing[event.event] and event.event ~= "parked" and self.mine[event.model]
    if job and job.checkpoint then uv.fs_unlink(job.checkpoint.path) end
  end, function(message) io.stderr:write(message, "\n") end)
  if not writer then return self:_broken("its shard cannot be written: " .. why) end
  self.writer = writer
  self:_introduce(w.hello)
end

-- Says what trains the models that begin from now on.
function Task:_introduce(hello)
  if self.introduced and hosts.same(self.introduced, hello) then return end
  self.introduced = hello
  local said = {}
  for _, key in ipairs { "trainer", "version", "device", "kernels", "host" } do
    said[key] = hello[key]
  end
  self.writer:add { event = "ready", hello = said }
end

function Task:_event(job, e)
  if e.event == "begin" then
    self:_introduce(self.trainers[job.model])
    losses.begun(job, e)
  elseif e.event == "saved" then
    losses.saved(job, e)
  end
  if e.event ~= "step" then
    local ended = e.ended
    e.ended = nil
    self.writer:add(e)
    e.ended = ended
  end
  if not e.ended then return end
  self.running[job.model] = nil
  if e.event == "done" then
    self.seconds, self.prices = self.seconds + (e.seconds or 0), self.prices + price(job)
  end
  if e.event == "refused" then self:_end(4) end
end

function Task:_lost(job, e)
  self.running[job.model] = nil
  if self.ending then return end
  job.crashes = job.crashes or 0
  local text, reason = losses.count(job, e)
  if reason then
    self.writer:add { event = "failed", model = job.model, attempt = job.attempt, error = 100,
      reason = reason, signal = e.signal, log = e.log }
  else
    self.writer:add { event = "note", model = job.model, attempt = job.attempt, text = text }
    table.insert(self.jobs, 1, job)
  end
end

function Task:_unbegun(job)
  self.running[job.model] = nil
  table.insert(self.jobs, 1, job)
end

function Task._settle() end

function Task:_unreachable(_, why)
  self:_broken(why)
end

function Task:_broken(why)
  io.stderr:write("netspace task: ", why, "\n")
  self:_end(1)
end

-- The budget ----------------------------------------------------------------------------------

-- Whether the budget has no time for the next model; one that was begun may be finished.
function Task:_spent()
  local job = self.jobs[1]
  if not self.budget or not job or self.begun[job.model] or next(self.begun) == nil then
    return false
  end
  local each = self.prices > 0 and self.seconds / self.prices or 0
  return self.past + sys.now() - self.start + each * price(job) > self.budget
end

-- ---------------------------------------------------------------------------------------------

function Task:_end(status)
  if self.ending then return end
  self.ending, self.status, self.since = true, status, sys.now()
  pool.remove(self)
end

-- Trains until the share is done or the task is told to end.
function Task:run()
  pool.add(self)
  local tick = uv.new_timer() -- the loop turns also where nothing happens
  tick:start(500, 500, function() end)
  while true do
    if sys.interrupted() then self:_end(143) end
    local none = #self.jobs == 0 or self:_spent()
    if next(self.running) == nil and (self.ending or none) then break end
    uv.run "once"
  end
  self:_end(0)
  if self.writer then
    self.writer:add { event = "left", stopped = self.status == 143 or nil,
      spent = self.status == 0 and #self.jobs > 0 or nil }
    local told = nil
    while not self.writer:done() do
      told = told or sys.interrupted() and sys.now()
      if told and sys.now() - told > LAST then break end
      uv.run "once"
    end
    self.writer:close()
  end
  tick:close()
  pool.drain()
  return self.status
end

--- The command `netspace task`.
function M.main(share, label)
  sys.die_with_parent()
  require("netspace.data.cache").worker = true
  local how, jobs, past = read(share)
  if #jobs == 0 then return 0 end
  local t = setmetatable({ jobs = jobs, mine = {}, running = {}, name = share .. "." .. label,
    limit = how.slots, places = hosts.shares((places.make("task", how.slots, how.trainer))),
    patience = how.patience or request.PATIENCE, budget = how.budget, begun = past.begun,
    past = past.spent, start = sys.now(), seconds = past.seconds, prices = past.prices,
    trainers = {} }, Task)
  for _, job in ipairs(jobs) do t.mine[job.model] = job end
  local status = t:run()
  io.stderr:write(("%s netspace task %s of %s: status %d\n"):format(
    os.date("%Y-%m-%d %H:%M:%S", math.floor(schema.time())), label, uv.os_gethostname(), status))
  return status
end

return M
