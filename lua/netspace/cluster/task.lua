--- A task of a cluster: `netspace task SHARE LABEL`, started by the batch script in the directory
-- of its submission (submission.lua).  It trains the models of its share in order, with the worker
-- processes of every sweep (sweep/pool.lua), as many at a time as the job has cores, and writes
-- what they say to a shard of its own.  What an earlier start of the task has finished it leaves
-- out; the rest goes on from checkpoints.
--
-- SIGTERM ends it after a checkpoint of each model at work.  Exit status: 0 the share is trained,
-- 143 it is not yet, 4 the data is not what it should be, 1 no worker can be started.

local core = require "netspace.core.net"
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

local finishing = { done = true, diverged = true, failed = true }

-- The jobs of the share that no start of its task has finished.
local function jobs_of(share)
  local finished, list = {}, {}
  local scan = uv.fs_scandir "."
  for name in function() return scan and uv.fs_scandir_next(scan) end do
    if name:find("^" .. share .. "%..*%.shard$") then
      shards.reader(name):read(function(e)
        if finishing[e.event] then finished[e.model] = true end
      end)
    end
  end
  for line in io.lines(share .. ".jobs") do
    local job = assert(json.decode(line))
    if not finished[job.model] then list[#list + 1] = job end
  end
  return list
end

local Task = {}
Task.__index = Task

-- What pool.lua asks of a client --------------------------------------------------------------

function Task:_waiting() return self.ending and 0 or #self.jobs end

function Task:_need()
  local job = self.jobs[1]
  return core.need(job.m, job.recipe)
end

function Task:_price()
  return self.jobs[1].step_flops
end

function Task:_held() end

function Task:_next()
  local job = table.remove(self.jobs, 1)
  self.running[job.model] = job
  return job
end

function Task:_ready(_, w)
  if self.writer then return end
  local writer, why = shards.writer(".", self.name, function(event)
    local job = finishing[event.event] and self.mine[event.model]
    if job and job.checkpoint then uv.fs_unlink(job.checkpoint.path) end
  end, function(message) io.stderr:write(message, "\n") end)
  if not writer then return self:_broken("its shard cannot be written: " .. why) end
  self.writer = writer
  local hello = {}
  for _, key in ipairs { "trainer", "version", "device", "kernels", "host" } do
    hello[key] = w.hello[key]
  end
  writer:add { event = "ready", hello = hello }
end

function Task:_event(job, e)
  if e.event == "begin" then
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
    if next(self.running) == nil and (self.ending or #self.jobs == 0) then break end
    uv.run "once"
  end
  self:_end(0)
  if self.writer then
    self.writer:add { event = "left", stopped = self.status == 143 or nil }
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
  local jobs = jobs_of(share)
  if #jobs == 0 then return 0 end
  local t = setmetatable({ jobs = jobs, mine = {}, running = {}, name = share .. "." .. label,
    limit = jobs[1].cpus, places = hosts.shares((places.make("task", jobs[1].cpus))),
    patience = jobs[1].patience or request.PATIENCE }, Task)
  for _, job in ipairs(jobs) do t.mine[job.model] = job end
  local status = t:run()
  io.stderr:write(("%s netspace task %s of %s: status %d\n"):format(
    os.date("%Y-%m-%d %H:%M:%S", math.floor(schema.time())), label, uv.os_gethostname(), status))
  return status
end

return M
