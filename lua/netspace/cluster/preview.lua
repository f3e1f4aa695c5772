--- What `netspace submit --dry-run` shows: the scripts of what would be submitted, without
-- changing anything.  Which models those are follows from the store, from what shards say that it
-- does not have yet, and from the scheduler, since a task may have died without a word.

local fleet = require "netspace.cluster.fleet"
local paths = require "netspace.lib.path"
local shards = require "netspace.cluster.shard"
local submissions = require "netspace.cluster.submission"
local units = require "netspace.lib.units"

local M = {}
local ARRAY = 1000 -- tasks of a job, where the scheduler is not there to say

local ended = { done = true, diverged = true, failed = true }

-- Takes out of the set of places `open` what shards say has ended; the jobs that may be at work,
-- as a scheduler looks at them.
local function take_in(list, open)
  local jobs = {}
  for _, s in ipairs(list) do
    for name in s:each_shard() do
      shards.reader(s.directory .. "/" .. name):read(function(e)
        if ended[e.event] then open[e.model] = nil end
      end)
    end
    for _, job in ipairs(s.jobs) do
      local tasks = {}
      for task = 0, job.count - 1 do
        if not s:is_settled(job.first + task) then tasks[#tasks + 1] = task end
      end
      if #tasks > 0 then
        jobs[#jobs + 1] = { id = job.id, tasks = tasks, submission = s, job = job }
      end
    end
  end
  return jobs
end

-- How many models of the set of places `open` tasks at work have, which are taken out of it; nil
-- and a message where the scheduler does not say.
local function take_out(on, jobs, open)
  if #jobs == 0 then return 0 end
  local found, why = on:module().look(on.options, jobs)
  if not found then return nil, why end
  local n = 0
  for _, j in ipairs(jobs) do
    for task, how in pairs(found[j.id] or {}) do
      local share = how.state ~= "ended" and j.submission.shares[j.job.first + task + 1]
      for _, place in ipairs(share or {}) do
        if open[place] then n, open[place] = n + 1, nil end
      end
    end
  end
  return n
end

--- How many open models of a population tasks at work have, as the cluster `on` says; nil and a
-- message where its scheduler does not say.
function M.at_work(path, p, on)
  local open = {}
  for place in pairs(p.open) do open[place] = true end
  return take_out(on, take_in(submissions.all(on:directory(path, p.id), p.created), open), open)
end

--- Prints what would be submitted of a population (commands.lua) of the store at `path`, as `on`
-- says.
function M.show(path, p, on)
  local directory, name = on:directory(path, p.id), paths.line(p.name)
  local function say(...) io.stdout:write("# ", name, ": ", (...):format(select(2, ...)), "\n") end
  local at_work, why = take_out(on, take_in(submissions.all(directory, p.created), p.open), p.open)
  if not at_work then say("which tasks are at work is not known: %s", paths.line(why)) end
  local open = 0
  for _ in pairs(p.open) do open = open + 1 end
  if at_work and at_work > 0 then say("tasks at work have %s", units.count(at_work, "model")) end
  if open == 0 then return say("nothing is to be submitted") end
  local number, n = submissions.next(directory), math.min(on.options.tasks, open)
  local most = on:module().ready(on.options) or ARRAY
  for _, job in ipairs(fleet.jobs(on, number, ("%s/%d"):format(directory, number), n, p.name,
    most)) do
    say("%s in %s, script %s", units.count(open, "model"), units.count(job.count, "task"),
      paths.line(job.script))
    io.stdout:write(job.text, "\n")
  end
end

return M
