--- Slurm as a scheduler.  A scheduler is a module that returns five functions; another one (PBS,
-- LSF, Kubernetes) is a file like this, named in cluster{ scheduler = "its.module" }.  o are the
-- options of cluster{ … }; each returns nil and a message when it cannot.
--
--   ready(o)         -> the most tasks that one job may have; nil where its commands are missing
--   script(o, job)   -> the text of the batch script (script.body has what is common)
--   submit(o, job)   -> id, a text; the script is in the file job.script
--   look(o, jobs)    -> { [id] = { [task] = { state = "pending" | "running" | "ended", node =,
--                       ends = Unix time, reason = of an ended or pending one in words,
--                       cancelled = true where a person has ended it } } }; what is not there
--                       has ended
--   cancel(o, jobs)  -> true; its tasks get SIGTERM, and SIGKILL some time later
--
-- A job is { number =, first =, count =, directory =, program =, setup =, name =, script =, id = }:
-- tasks 0 to count - 1, of which task t trains share first + t; look and cancel are also told its
-- tasks that matter (.tasks, a list).  They may wait (command.run), and what they raise ends the
-- sweep.

local command = require "netspace.cluster.command"
local script = require "netspace.cluster.script"
local uv = require "luv"

local M = {}

local programs = { "sbatch", "squeue", "scancel", "scontrol" }
local SIGNAL = 120 -- seconds before the end of a task's time that it is told
local MOST_ARGUMENTS = 500 -- ids on a command line

function M.ready()
  local missing = {}
  for _, name in ipairs(programs) do
    if not command.there(name) then missing[#missing + 1] = name end
  end
  if #missing > 0 then
    return nil, ("slurm{ … } needs Slurm's commands, and %s not in PATH: %s; run this on a machine "
      .. "that submits to the cluster (load its module first), or leave on= out to train here")
      :format(#missing == 1 and "one is" or "some are", table.concat(missing, ", "))
  end
  local text, why = command.run { "scontrol", "show", "config" }
  if not text then return nil, "Slurm does not answer: " .. why end
  return math.max(1, (tonumber(text:match "MaxArraySize%s*=%s*(%d+)") or 1001) - 1)
end

-- What a person may call a partition, an account or a time.
local function word(name, value)
  value = tostring(value)
  if value:find "[^%w_.,:=+@/%-]" or value == "" then
    error(("slurm: %s is '%s'; it may have letters, digits and _ . , : = + @ / -"):format(name,
      (value:gsub("%c", "?"))), 0)
  end
  return value
end

-- A limit of time in one of the forms that sbatch takes.
local function limit(value)
  local text = tostring(value)
  local clock = text:gsub("^%d+%-", "")
  for _, form in ipairs { "^%d+$", "^%d+:%d+$", "^%d+:%d+:%d+$", "^UNLIMITED$", "^INFINITE$" } do
    if clock:find(form) then return text end
  end
  error(("slurm: time is '%s'; it is minutes, or \"hours:minutes:seconds\" after \"days-\" where "
    .. "there are some, such as \"4:00:00\" or \"2-12:00:00\""):format((text:gsub("%c", "?"))), 0)
end

function M.script(o, job)
  local lines = { "#!/bin/sh" }
  local function add(option, value)
    if value then lines[#lines + 1] = ("#SBATCH --%s=%s"):format(option, value) end
  end
  local function asked(option, name)
    if o[name] then add(option, word(name, o[name])) end
  end
  add("job-name", "netspace-" .. job.name:gsub("[^%w_.-]", "_"))
  local at_once = o.at_once and math.min(o.at_once, job.count)
  add("array", ("0-%d%s"):format(job.count - 1, at_once and at_once < job.count and "%" .. at_once
    or ""))
  asked("partition", "partition")
  asked("account", "account")
  add("time", o.time and limit(o.time))
  add("nodes", 1)
  add("ntasks", 1)
  add("cpus-per-task", o.cpus)
  if o.gpus then add("gres", "gpu:" .. o.gpus) end
  add("signal", "B:USR1@" .. SIGNAL)
  add("open-mode", "append")
  add("output", "%A_%a.out")
  lines[#lines + 1] = "#SBATCH --requeue"
  for _, option in ipairs(o.extra or {}) do
    if type(option) ~= "string" or not option:find "^%-%-?%w" or option:find "%c" then
      error(("slurm: extra is a list of sbatch options, such as \"--qos=long\"; it has '%s'")
        :format((tostring(option):gsub("%c", "?"))), 0)
    end
    lines[#lines + 1] = "#SBATCH " .. option
  end
  lines[#lines + 1] = script.body(job, job.first .. " + SLURM_ARRAY_TASK_ID",
    "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}-${SLURM_RESTART_COUNT:-0}",
    'scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"')
  return table.concat(lines, "\n")
end

function M.submit(_, job)
  local text, why = command.run({ "sbatch", "--parsable", job.script }, job.directory)
  local id = text and text:match "^%s*(%d+)"
  if not id then return nil, why or ("sbatch said '%s'"):format(text) end
  return id
end

local pending = { PENDING = true, REQUEUED = true, REQUEUE_FED = true, REQUEUE_HOLD = true,
  RESIZING = true, SPECIAL_EXIT = true, CONFIGURING = true, RESV_DEL_HOLD = true }
local running = { RUNNING = true, COMPLETING = true, SUSPENDED = true, STOPPED = true,
  SIGNALING = true, STAGE_OUT = true }

-- "2026-11-30T15:04:05" as Unix time; nil for "N/A".
local function unix(text)
  local y, m, d, h, min, s = text:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)"
  return y and os.time { year = y, month = m, day = d, hour = h, min = min, sec = s } or nil
end

-- A state of Slurm, such as "CANCELLED by 1000", with what it says besides.
local function task_of(state, node, ends, reason)
  local name = state:match "^[%u_]+" or state
  if pending[name] then return { state = "pending", reason = reason } end
  if running[name] then return { state = "running", node = node, ends = unix(ends) } end
  return { state = "ended", node = node, cancelled = name == "CANCELLED" or nil,
    reason = reason and ("%s (%s)"):format(name, reason) or name }
end

local function known(reason)
  return reason ~= "" and reason ~= "None" and reason ~= "(null)" and reason or nil
end

-- What squeue knows: tasks at work, and those that ended within minutes (MinJobAge).  An array that
-- was cancelled before Slurm has looked at it is one line without tasks ("5|CANCELLED"): whole[id].
local function queue(found, whole)
  local user = uv.os_get_passwd().username
  local text, why = command.run { "squeue", "-h", "-r", "-t", "all", "-u", user, "-o",
    "%i|%T|%N|%e|%r" }
  if not text then return nil, why end
  for id, task, rest in text:gmatch "(%d+)(_?[^|\n]*)|([^\n]*)" do
    local state, node, ends, reason = rest:match "^([^|]*)|([^|]*)|([^|]*)|(.*)$"
    if found[id] then
      local number = tonumber(task:match "^_(%d+)$")
      local to, key = number and found[id] or whole, number or id
      to[key] = task_of(state, node, ends, known(reason))
    end
  end
  return true
end

-- Calls f with each number of a list such as "0-2,5%1", in which tasks that have not begun are one
-- line of the accounting.
local function each_of(list, f)
  for first, last in list:gsub("%%.*", ""):gmatch "(%d+)%-?(%d*)" do
    for task = tonumber(first), tonumber(last) or tonumber(first) do f(task) end
  end
end

-- What the accounting, where there is one, says of tasks that squeue does not know any more.  They
-- have ended, whatever it says: it may be behind, and of a task that was lost it is so for ever.
local function account(found, ids)
  local text = command.run { "sacct", "-n", "-P", "-X", "-j", table.concat(ids, ","), "-o",
    "JobID,State,ExitCode,NodeList" }
  for id, tasks, state, code, node in
    (text or ""):gmatch "(%d+)_%[?([%d,%-%%]+)%]?|([^|\n]*)|([^|\n]*)|([^\n]*)" do
    local status, signal = code:match "^(%d+):(%d+)$"
    local died = state == "FAILED" and (signal ~= "0" and "signal " .. signal
      or "exit status " .. status) or nil
    local how = task_of(state, node ~= "None assigned" and node or nil, "", died)
    if how.state ~= "ended" then how = { state = "ended", node = how.node } end
    local of = found[id] or {}
    each_of(tasks, function(task) of[task] = of[task] or how end)
  end
end

function M.look(_, jobs)
  local found, whole, forgotten = {}, {}, {}
  for _, job in ipairs(jobs) do found[job.id] = {} end
  local good, why = queue(found, whole)
  if not good then return nil, why end
  for _, job in ipairs(jobs) do
    local of, missing = found[job.id], false
    for _, task in ipairs(job.tasks) do
      of[task] = of[task] or whole[job.id]
      missing = missing or not of[task]
    end
    if missing then forgotten[#forgotten + 1] = job.id end
  end
  if #forgotten > 0 then account(found, forgotten) end
  return found
end

function M.cancel(_, jobs)
  local ids = {}
  for _, job in ipairs(jobs) do ids[#ids + 1] = job.id end
  for from = 1, #ids, MOST_ARGUMENTS do
    local good, why = command.run { "scancel",
      table.unpack(ids, from, math.min(#ids, from + MOST_ARGUMENTS - 1)) }
    if not good then return nil, why end
  end
  return true
end

return M
