--- The smallest scheduler: every task is a shell in the background of this machine, all at once.
-- It shows what a scheduler is (slurm.lua says what its five functions do), and the tests use it.

local command = require "netspace.cluster.command"
local schema = require "netspace.store.schema"
local script = require "netspace.cluster.script"
local uv = require "luv"

local M = {}

function M.ready()
  if command.there "sh" then return 100 end
  return nil, "there is no sh in PATH"
end

function M.script(_, job)
  return "#!/bin/sh\n" .. script.body(job, "$SH_TASK", "sh$SH_JOB-$SH_RESTART",
    '{ SH_RESTART=$((SH_RESTART + 1)); export SH_RESTART; exec sh "$0"; }')
end

-- The id of a job has the process of each task and when that was born.
function M.submit(_, job)
  local ids = {}
  for task = job.first, job.first + job.count - 1 do
    local log = assert(uv.fs_open(("%s/%d.out"):format(job.directory, task), "a",
      tonumber("644", 8)))
    local environment = { "SH_TASK=" .. task, "SH_JOB=" .. job.number, "SH_RESTART=0" }
    for name, value in pairs(uv.os_environ()) do
      if not name:find "^SH_" then environment[#environment + 1] = name .. "=" .. value end
    end
    local handle, pid
    handle, pid = uv.spawn("sh", { args = { job.script }, cwd = job.directory, detached = true,
      env = environment, stdio = { nil, log, log } }, function() handle:close() end)
    uv.fs_close(log)
    if not handle then return nil, "no shell can be started: " .. tostring(pid) end
    handle:unref()
    ids[#ids + 1] = ("%d:%s"):format(pid, schema.birth(math.tointeger(pid)) or "gone")
  end
  return table.concat(ids, " ")
end

local function each(id, f)
  local task = 0
  for pid, birth in id:gmatch "(%d+):(%w+)" do
    f(task, tonumber(pid), schema.birth(pid) == birth)
    task = task + 1
  end
end

function M.look(_, jobs)
  local found = {}
  for _, job in ipairs(jobs) do
    found[job.id] = {}
    each(job.id, function(task, _, alive)
      found[job.id][task] = { state = alive and "running" or "ended", node = uv.os_gethostname() }
    end)
  end
  return found
end

function M.cancel(_, jobs)
  for _, job in ipairs(jobs) do
    each(job.id, function(_, pid, alive)
      if alive then uv.kill(pid, "sigterm") end
    end)
  end
  return true
end

return M
