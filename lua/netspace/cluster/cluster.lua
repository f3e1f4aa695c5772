--- Training a population on a cluster: what users call.
--
--   sweep.run { store = "runs.db", models = A, data = "cifar10:/shared/cifar",
--     on = slurm { dir = "/shared/me/netspace", time = "4:00:00", at_once = 50 } }
--
-- The models are dealt out to tasks, jobs of a scheduler (slurm.lua), each of which trains its
-- share one after another (task.lua) and writes what comes out to a shard on a file system that
-- all machines share (shard.lua).  fleet.lua takes the place of the worker processes in a sweep:
-- it submits, collects shards, and looks after tasks.  The store stays on a local disk, and is
-- written by the sweep alone.

local document = require("netspace.lib.doc").group "cluster"
local files = require "netspace.store.files"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"

local M = {}

-- Options of every scheduler; and which are whole numbers of at least 1.
local known = { scheduler = "string", dir = "string", tasks = "integer", at_once = "integer",
  cpus = "integer", gpus = "integer", time = "string|integer", partition = "string",
  account = "string", extra = "table", setup = "string", look = "number" }
local whole = { "tasks", "at_once", "cpus", "gpus" }
options.declare("cluster", known)
local of_slurm = {}
for key, kinds in pairs(known) do
  if key ~= "scheduler" then of_slurm[key] = kinds end
end
options.declare("slurm", of_slurm)

local builtin = { slurm = true, sh = true }
local On = { __name = "cluster" }
On.__index = On

--- The scheduler, a module (slurm.lua).
function On:module()
  local name = self.options.scheduler
  return require(builtin[name] and "netspace.cluster." .. name or name)
end

--- The directory of a population (its id) of a store.
function On:directory(store, id)
  return files.cluster(store, id, self.options.dir)
end

--- Where its tasks keep checkpoints.
function On:checkpoints(store, id)
  return self:directory(store, id) .. "/checkpoints"
end

--- Where they keep the weights of finished networks, until those are taken to the store (kept.lua).
function On:weights(store, id)
  return self:directory(store, id) .. "/weights"
end

--- How many models a task trains side by side, by a trainer (nil: netspace itself).
function On:slots(trainer)
  return trainer and (trainer.slots or 1) or self.options.cpus
end

--- How many models are trained at a time, at most.
function On:width(trainer)
  return (self.options.at_once or self.options.tasks) * self:slots(trainer)
end

function On:__tostring()
  local o = self.options
  return ("%s: %d tasks%s of %d cpus"):format(o.scheduler, o.tasks,
    o.at_once and (", %d at once"):format(o.at_once) or "", o.cpus)
end

local AT_ONCE = 64 -- tasks, where no option says otherwise

--- What sweep.run takes as on=, of checked options.  In such a table .hands takes the place of
-- the worker processes.
function M.make(where, o, level)
  local t = {}
  for key, value in pairs(o) do t[key] = value end
  for _, key in ipairs(whole) do
    if t[key] and t[key] < 1 then
      error(("%s: %s is %d; it is a whole number of at least 1"):format(where, key, t[key]),
        level + 1)
    end
  end
  if t.look and t.look <= 0 then
    error(("%s: look is %g; it is a number of seconds above 0"):format(where, t.look), level + 1)
  end
  t.tasks = t.tasks or t.at_once or AT_ONCE
  t.cpus = t.cpus or 1
  t.dir = t.dir and paths.absolute(t.dir)
  local on = setmetatable({ options = t, hands = require "netspace.cluster.fleet" }, On)
  local good, scheduler = pcall(on.module, on)
  if not good then
    error(("%s: there is no scheduler '%s': %s"):format(where, t.scheduler, scheduler), level + 1)
  end
  local job = { number = 1, first = 0, count = 1, directory = "/", program = "", name = "" }
  local fine, why = pcall(scheduler.script, t, job) -- wrong options are told at once
  if not fine then error(why, level + 1) end
  return on
end

--- Slurm, as on= of a sweep.
function M.slurm(o)
  o = options.check("slurm", o)
  local t = { scheduler = "slurm" }
  for key, value in pairs(o) do t[key] = value end
  return M.make("slurm", t, 2)
end

--- Any scheduler, as on= of a sweep.
function M.cluster(o)
  o = options.check("cluster", o)
  if not o.scheduler then
    error("cluster needs scheduler=, \"slurm\", \"sh\", or a module of five functions", 2)
  end
  return M.make("cluster", o, 2)
end

document("slurm", [[
  slurm{ [dir=, partition=, time=, …] } -> where to train
  Trains the models of a sweep on a cluster with Slurm: sweep.run{ …, on = slurm{ … } }.
    dir        directory on a file system that this machine and the nodes share, for jobs,
               results on their way and checkpoints (STORE.cluster); the store itself stays on
               a local disk.  The data must have the same name on the nodes
    time       the most a task may take, as sbatch takes it ("4:00:00").  Two minutes before, a
               task writes checkpoints and is queued again
    tasks      how many tasks share the models (at_once, or 64); one trains its share in order
    at_once    the most tasks at a time
    cpus       cores of a task, and models that it trains side by side (1); with trainer= it
               trains as many as that has slots
    gpus       of a task; the trainer of its first slot may take cuda:0, which is one of them
    partition  as sbatch takes it
    account    as sbatch takes it
    extra      more options for sbatch, a list: { "--qos=long", "--mem-per-cpu=2G" }
    setup      lines of shell before the work of a task, such as "module load gcc"
    look       seconds between two looks at the queue (30)
  While the script waits, or a monitor is open, results come into the store, and tasks that
  died are submitted again; a model that loses three of them without progress has failed.
  Ctrl-C leaves the tasks at work: the same script, `netspace collect STORE` or a monitor goes
  on another day.  s:cancel(), and P and K in the monitor, reach the cluster.
  budget= is time of tasks, summed up, and trainer= is started by each of them.
  netspace-cluster(7) says how it works, and how other schedulers are added.
  example: slurm{ dir = "/shared/me", time = "4:00:00", at_once = 50 }
  source: Slurm's job arrays; Yoo, Jette, Grondona 2003]])
document("cluster", [[
  cluster{ scheduler= [, dir=, tasks=, …] } -> where to train
  As slurm{ … }, for any scheduler: a Lua module of five functions, which
  netspace-cluster(7) describes.
    scheduler  "slurm"; "sh": all tasks at once, in the background of this machine; or the
               name of a module that require finds
    dir, tasks, at_once, cpus, gpus, time, partition, account, extra, setup, look: as in slurm{ … };
    what they mean beyond dir, tasks and cpus is up to the scheduler
  example: cluster{ scheduler = "sh", tasks = 2 }]])

return M
