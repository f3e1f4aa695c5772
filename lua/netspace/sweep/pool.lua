--- Worker processes on the event loop, shared fairly by any number of sweeps.
--
-- A client (sweep.lua) gives jobs and takes events:
--   client.limit            most workers it wants at a time
--   client:_waiting()       how many jobs it has for free workers
--   client:_need()          -> bytes that the network of the next of them needs
--   client:_held(bytes)     the next one waits: it does not fit beside those at work
--   client:_next(pid)       -> the next of them, a table for worker.lua
--   client:_event(job, e)   what its worker says; the last one of a job is e.ended
--   client:_lost(job, end)  the worker of that job died: end.why in words, end.signal its
--                           name, end.log the last lines it wrote, end.outside whether
--                           somebody else ended it
--   client:_ready(e)        a worker has started, with the environment in e
--   client:_settle()        the events that came together have been told
--   client:_broken(message) no worker can be started
--   client.patience         least seconds of silence after which a worker counts as hung
-- Each free worker goes to the client that has the fewest; of several to the one that had
-- to wait the longest.  What would not fit into the memory of the machine beside the networks
-- at work waits until it does, and so do those after it: the order stays.
--
-- A worker sends an event at every step, or twice a second where steps are short.  One that is
-- silent for much longer than ever before is killed.  The clock stands still
-- while the machine sleeps, and when this process itself was held up (stopped, or out of
-- processor time) silence counts from anew: it could not listen.
--
-- Workers are started by exec of this very program (/proc/self/exe: also when the file
-- was replaced meanwhile, so that one run never mixes two builds), in a session of their
-- own, so that Ctrl-C at the terminal reaches the main process only, which then decides.

local background = require "netspace.lib.background"
local json = require "netspace.lib.json"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}

local TAIL = 12        -- lines of a worker's stderr kept for the reason of its death
local GRACE, GRACE_MOST = 5, 60 -- seconds from SIGTERM to SIGKILL, besides steps; at most
local START_TRIES = 3  -- workers in a row that may die before they are ready
local WATCH_MS, HELD_UP = 1000, 3 -- between looks for hung workers; one too late (s)
local PATIENT = 20     -- silences like its longest so far that a worker may take
local SLOW = 1e9       -- flops a second that any machine has: for the first step
local START_MOST = 120 -- seconds from its start until a worker is ready
local SHARE = 0.9      -- of the machine's memory, for networks
local LINE_MOST = 1 << 20 -- bytes of a line from a worker

local workers, clients = {}, {}
local failed_starts = 0
local served = 0       -- jobs given so far; a client's .served: number of its last one
local watchers, watched -- what looks after workers while there are any; when it last did
local memory_kills = { 0, 0 } -- of the kernel until then, and until the time before

local function remove(list, x)
  for i, v in ipairs(list) do
    if v == x then return table.remove(list, i) end
  end
end

-- Exceptions must not leave a callback of the event loop (it would end the process): the
-- sweep at fault gets them.
local function guard(client, f, ...)
  local good, err = xpcall(f, function(e)
    return type(e) == "string" and debug.traceback(e, 2) or e
  end, ...)
  if not good and client then client:_broken(err) end
  return good and err
end

-- A callback of the event loop: what goes wrong in it concerns every sweep.
local function callback(f)
  return function(...)
    local good, err = xpcall(f, debug.traceback, ...)
    if not good then
      for _, c in ipairs({ table.unpack(clients) }) do guard(nil, c._broken, c, err) end
    end
  end
end

-- The part of the machine's load (a mean of waiting processes that fades within a minute) that
-- is of these workers.
local own = { load = 0, at = 0, busy = 0 }
local function count_load()
  local now, busy = sys.now(), 0
  for _, w in ipairs(workers) do busy = busy + (w.job and 1 or 0) end
  local keep = math.exp((own.at - now) / 60)
  own.load, own.at, own.busy = keep * own.load + (1 - keep) * own.busy, now, busy
  return own.load
end

local function running(client)
  local n = 0
  for _, w in ipairs(workers) do
    if w.client == client then n = n + 1 end
  end
  return n
end

local dispatch

local function broken(why)
  for _, c in ipairs({ table.unpack(clients) }) do
    guard(c, c._broken, c, "no worker can be started: " .. why)
  end
end

-- The name of a signal, as a person knows it (of several, such as SIGABRT and SIGIOT, the
-- first).
local function signal_name(number)
  local best
  for name, n in pairs(uv.constants) do
    if n == number and name:match("^SIG%u") and (not best or name < best) then
      best = name
    end
  end
  return best or "signal " .. number
end

-- Signals that processes get from others; the rest are of their own making.
local from_outside = { SIGKILL = true, SIGTERM = true, SIGINT = true, SIGHUP = true,
  SIGQUIT = true }

-- How many processes the kernel has killed for want of memory since it started.
local function count_memory_kills()
  local f = io.open("/proc/vmstat")
  local text = f and f:read("a") or ""
  if f then f:close() end
  return tonumber(text:match("oom_kill (%d+)")) or 0
end

-- How a worker ended, for client:_lost.
local function end_of(w)
  local signal = w.signal ~= 0 and signal_name(w.signal) or nil
  local e = { signal = signal, log = #w.tail > 0 and table.concat(w.tail, "\n") or nil,
    outside = from_outside[signal] }
  if w.line_too_long then
    e.why, e.outside = ("its worker wrote a line of more than %s"):format(
      units.bytes(LINE_MOST)), nil
  elseif w.hung then
    e.why = ("its worker hung: it said nothing for %.0f seconds"):format(w.hung)
    e.outside = nil
  elseif signal == "SIGKILL" and count_memory_kills() > memory_kills[2] then -- known late
    e.why, e.outside = "its worker was killed: the machine ran out of memory", nil
  elseif signal then
    e.why = "its worker was killed by " .. signal
  else
    e.why = ("its worker ended with status %d"):format(w.status)
  end
  return e
end

-- Forgets a worker that has ended, once its exit and the ends of its stdout and stderr are known.
local function end_worker(w)
  if w.waiting > 0 then return end
  remove(workers, w)
  if #workers == 0 then
    for _, handle in ipairs(watchers) do handle:close() end
    watchers = nil
  end
  if w.killer then w.killer:close() end
  local client, job, e = w.client, w.job, end_of(w)
  w.client, w.job = nil, nil
  if job then
    guard(client, client._lost, client, job, e)
  elseif not w.ready and not w.ending then
    failed_starts = failed_starts + 1
    if failed_starts >= START_TRIES then
      failed_starts = 0
      broken(("%s while it started%s"):format(e.why, e.log and ":\n" .. e.log or ""))
    end
  end
  dispatch()
end

-- Keeps the last lines a worker wrote, for the reason of its death.
local function keep_tail(w, line)
  w.tail[#w.tail + 1] = line:sub(1, 300)
  if #w.tail > TAIL then table.remove(w.tail, 1) end
end

-- Events after which a worker has no job any more.
local ends = { done = true, diverged = true, failed = true, refused = true, stopped = true,
  parked = true, measured = true }

-- A worker was heard: what it may take for a step is measured by what it has taken.
local function heard(w)
  local now = sys.now()
  if w.began and now - watched <= HELD_UP then
    w.longest = math.max(w.longest, now - w.heard)
  end
  w.heard = now
end

local function on_line(w, line)
  local e = line:sub(1, 1) == "{" and json.decode(line)
  if not e then return keep_tail(w, line) end -- something under the engine wrote it
  if e.event == "ready" then
    w.ready, w.environment, failed_starts = true, e, 0
    for _, c in ipairs(clients) do guard(c, c._ready, c, e) end
    dispatch()
  elseif w.job and e.model == w.job.model and e.attempt == w.job.attempt then
    local client, job = w.client, w.job
    heard(w)
    w.began = w.began or e.event == "step" or e.event == "epoch"
    e.ended = ends[e.event]
    if e.ended then w.job, w.client = nil, nil end
    w.ending = w.ending or e.event == "stopped" -- it leaves by itself, and takes no more
    guard(client, client._event, client, job, e)
    if not e.ended then return end
    count_load()
    if w.ending and not w.stdin:is_closing() then w.stdin:close() end -- told to stop too late
    dispatch()
  end
end

-- After a chunk of events: clients store what they gathered from it in one go.
local function settle()
  for _, c in ipairs({ table.unpack(clients) }) do guard(c, c._settle, c) end
end

-- Whole lines from a pipe to `each`; a torn last line is dropped with its writer.  A writer of
-- longer lines than any event has (of noise on stderr only their beginning is kept) is killed.
local function read_lines(w, pipe, each, events)
  local parts, size = {}, 0
  pipe:read_start(callback(function(err, chunk)
    if err or not chunk then
      pipe:close()
      w.waiting = w.waiting - 1
      return end_worker(w)
    end
    local from = 1
    for at in chunk:gmatch("()\n") do
      parts[#parts + 1] = chunk:sub(from, at - 1)
      each(w, table.concat(parts))
      parts, size, from = {}, 0, at + 1
    end
    size = size + #chunk - from + 1
    if size <= LINE_MOST then
      parts[#parts + 1] = chunk:sub(from)
    elseif events and not w.line_too_long then
      w.line_too_long, parts = true, {}
      w.process:kill("sigkill")
    end
    if events then settle() end
  end))
end

local function environment()
  local list = {}
  for name, value in pairs(uv.os_environ()) do
    if name ~= "OPENBLAS_NUM_THREADS" then list[#list + 1] = name .. "=" .. value end
  end
  list[#list + 1] = "OPENBLAS_NUM_THREADS=1"
  return list
end

local function spawn()
  local w = { tail = {}, waiting = 3, heard = sys.now(), longest = 0 }
  w.stdin, w.stdout, w.stderr = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
  local handle, pid = uv.spawn("/proc/self/exe", {
    args = { "--worker" }, env = environment(), detached = true,
    stdio = { w.stdin, w.stdout, w.stderr },
  }, callback(function(status, signal)
    w.status, w.signal = math.tointeger(status), math.tointeger(signal)
    w.process:close()
    if not w.stdin:is_closing() then w.stdin:close() end
    w.waiting = w.waiting - 1
    end_worker(w)
  end))
  if not handle then
    w.stdin:close() w.stdout:close() w.stderr:close()
    return nil, pid
  end
  w.process, w.pid = handle, math.tointeger(pid)
  read_lines(w, w.stdout, on_line, true)
  read_lines(w, w.stderr, keep_tail)
  workers[#workers + 1] = w
  return w
end

-- How long a worker may say nothing.
local function allowed(w)
  local client, job = w.client, w.job
  if not job then return w.ready and math.huge or START_MOST end
  if w.began then return math.max(client.patience, PATIENT * w.longest) end
  return client.patience + job.step_flops / SLOW
end

local function watch()
  local now = sys.now()
  local held_up = now - watched > HELD_UP
  watched, memory_kills = now, { count_memory_kills(), memory_kills[1] }
  for _, w in ipairs(workers) do
    if held_up then w.heard = now end
    if now - w.heard > allowed(w) and not w.hung and not w.process:is_closing() then
      w.hung = now - w.heard
      w.process:kill("sigkill")
    end
  end
end

local function signal_all(name)
  for _, w in ipairs(workers) do
    if not w.process:is_closing() then w.process:kill(name) end
  end
end

--- Ctrl-Z, which reaches this process only: stops the workers, then does `stop`, which
-- comes back when the shell lets the program go on.
function M.suspend(stop)
  signal_all("sigstop")
  stop()
end

-- At the prompt it is the line editor's business.
local function on_suspend()
  if background.typing() then return end
  M.suspend(function() uv.kill(uv.os_getpid(), "sigstop") end)
end

-- Whether a network of so many bytes fits beside those at work; alone every one may try.
local function fits(bytes)
  local used = 0
  for _, w in ipairs(workers) do used = used + (w.job and w.bytes or 0) end
  return used == 0 or used + bytes <= SHARE * sys.memory()
end

-- Gives a free worker its next job, of the client with the fewest workers; false: no job.
local function feed(w)
  local best, fewest
  for _, c in ipairs(clients) do
    local n = running(c)
    if n < c.limit and c:_waiting() > 0 and (not best or n < fewest
      or n == fewest and (c.served or 0) < (best.served or 0)) then
      best, fewest = c, n
    end
  end
  if not best then return false end
  local bytes = best:_need()
  if not fits(bytes) then
    best:_held(bytes)
    return false
  end
  served = served + 1
  best.served = served
  w.client, w.job, w.bytes = best, best:_next(w.pid), bytes
  w.heard, w.longest, w.began = sys.now(), 0, false
  count_load()
  w.stdin:write(json.encode(w.job) .. "\n") -- a dead worker is noticed by its exit
  return true
end

function dispatch()
  local wanted = 0
  for _, c in ipairs(clients) do
    wanted = math.max(wanted, math.min(c.limit, running(c) + c:_waiting()))
  end
  local alive = 0
  for _, w in ipairs(workers) do
    local free = w.ready and not w.job and not w.ending and not w.process:is_closing()
    if free and not feed(w) and #clients == 0 then
      w.ending = true
      w.stdin:close()
    end
    if not w.ending then alive = alive + 1 end
  end
  for _ = alive + 1, wanted do
    local w, why = spawn()
    if not w then return broken(tostring(why)) end
  end
  if #workers > 0 and not watchers then
    watchers = { uv.new_timer(), uv.new_signal(), uv.new_signal() }
    local kills = count_memory_kills()
    watched, memory_kills = sys.now(), { kills, kills }
    watchers[1]:start(WATCH_MS, WATCH_MS, callback(watch))
    watchers[2]:start("sigtstp", callback(on_suspend))
    watchers[3]:start("sigcont", callback(function() signal_all("sigcont") end))
  end
end

--- Begins to serve a client.
function M.add(client)
  clients[#clients + 1] = client
  for _, w in ipairs(workers) do
    if w.ready then client:_ready(w.environment) end
  end
  dispatch()
end

-- Tells a worker to stop; one that does not is killed.
local function stop(w)
  local step = w.began and 3 * w.longest or w.job.step_flops / SLOW
  w.ending = true
  w.process:kill("sigterm")
  w.killer = uv.new_timer()
  w.killer:start(math.floor(1000 * math.min(GRACE + step, GRACE_MOST)), 0, function()
    if not w.process:is_closing() then w.process:kill("sigkill") end
  end)
end

--- Ends serving a client; its running jobs are stopped (SIGTERM, later SIGKILL).
function M.remove(client)
  remove(clients, client)
  for _, w in ipairs(workers) do
    if w.client == client and not w.killer and not w.process:is_closing() then stop(w) end
  end
  dispatch()
end

--- When no client is left: waits until no worker and no open handle is.  (luv 1.44
-- crashes at the end of the program when a handle was closed and the loop has not run
-- since.)
function M.drain()
  if #clients > 0 then return end
  for _, w in ipairs(workers) do
    if not w.ready and not w.process:is_closing() then
      w.ending = true
      w.process:kill("sigkill")
    end
  end
  while #workers > 0 do uv.run("once") end
  uv.run("nowait")
end

--- Gives free workers what there is to do: a client has more of it than before.
M.dispatch = dispatch

--- How much of the load of the machine is of the workers.
M.load = count_load

--- How many workers serve the client.
M.running = running

return M
