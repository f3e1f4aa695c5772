--- One worker process, here or at the other end of ssh: it is started, its lines are read, it is
-- told things, and how it ended is said in words.  pool.lua knows what for.
--
-- netspace's own workers are started by exec of this very program (/proc/self/exe: also when the
-- file was replaced meanwhile, so that one run never mixes two builds).  Every worker has a session
-- of its own, so that Ctrl-C at the terminal reaches the main process only, which then decides; a
-- signal goes to all that the worker has started.

local json = require "netspace.lib.json"
local places = require "netspace.sweep.places"
local protocol = require "netspace.sweep.protocol"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}
local TAIL = 12  -- lines of a worker's stderr kept for the reason of its death
local LOST = 255 -- the status of ssh when it has no connection (any more)

local Process = {}
Process.__index = Process

-- Signals --------------------------------------------------------------------------------

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

local memory_kills = { 0, 0 } -- until the last look(), and until the one before

--- Remembers how many processes the kernel has killed, from time to time.
function M.look()
  memory_kills = { count_memory_kills(), memory_kills[1] }
end

-- The end --------------------------------------------------------------------------------

--- How a worker ended: why in words, signal (its name, if one killed it), log (the last lines it
-- wrote), outside (whether somebody else ended it), lost (its connection was).
function Process:fate()
  local number = self.signal
  local lost = self.place.host and number == 0 and self.status == LOST
  if self.place.shell and number == 0 and self.status > 128 and not lost then
    number = self.status - 128 -- a shell says so what killed its command
  end
  local signal = number ~= 0 and signal_name(number) or nil
  local e = { signal = signal, log = #self.tail > 0 and table.concat(self.tail, "\n") or nil,
    outside = from_outside[signal] or lost or nil, lost = lost }
  if self.lie then
    e.why, e.outside = "its worker broke the protocol: " .. self.lie, nil
  elseif self.line_too_long then
    e.why, e.outside = ("its worker wrote a line of more than %s"):format(
      units.bytes(protocol.LINE_MOST)), nil
  elseif self.hung then
    e.why = ("its worker hung: it said nothing for %.0f seconds"):format(self.hung)
    e.outside = nil
  elseif lost then
    e.why = ("the connection to %s was lost"):format(self.place.host)
  elseif signal == "SIGKILL" and not self.place.host
    and count_memory_kills() > memory_kills[2] then -- known late
    e.why, e.outside = "its worker was killed: the machine ran out of memory", nil
  elseif signal then
    e.why = "its worker was killed by " .. signal
  else
    e.why = ("its worker ended with status %d"):format(self.status)
  end
  if self.torn and not (self.lie or self.line_too_long or lost) then
    e.why = e.why .. ", in the middle of a line"
  end
  return e
end

-- Lines ----------------------------------------------------------------------------------

-- Keeps the last lines a worker wrote, for the reason of its death.
function Process:_keep(line)
  self.tail[#self.tail + 1] = line:sub(1, 300)
  if #self.tail > TAIL then table.remove(self.tail, 1) end
end

-- One end of the process is known; all three: it has ended.
function Process:_end()
  self.waiting = self.waiting - 1
  if self.waiting > 0 then return end
  if self.killer then self.killer:close() end
  self.on.ended(self)
end

-- Whole lines from a pipe to `each`; of what comes without an end only the beginning is kept, and
-- too_long() is told.  After each chunk, settled().
function Process:_read(pipe, each, too_long, settled)
  local parts, size = {}, 0
  pipe:read_start(self.on.callback(function(err, chunk)
    if err or not chunk then
      pipe:close()
      self.torn = self.torn or too_long and parts[1] ~= nil and parts[1]:sub(1, 1) == "{"
      return self:_end()
    end
    local from = 1
    for at in chunk:gmatch("()\n") do
      parts[#parts + 1] = chunk:sub(from, at - 1)
      each(self, table.concat(parts))
      parts, size, from = {}, 0, at + 1
    end
    size = size + #chunk - from + 1
    if size > protocol.LINE_MOST then
      if too_long then too_long(self) end
    elseif from <= #chunk then
      parts[#parts + 1] = chunk:sub(from)
    end
    if settled then settled() end
  end))
end

local function on_stdout(self, line)
  if self.lie or self.line_too_long then return end -- what a liar still says
  if line:sub(1, 1) ~= "{" then return self:_keep(line) end -- something under it wrote this
  local e, wrong = protocol.decode(line)
  if not e then return self:refuse(wrong) end
  self.on.event(self, e)
end

local function on_too_long(self)
  if self.line_too_long then return end
  self.line_too_long = true
  self:kill()
end

-- Doing ----------------------------------------------------------------------------------

--- Starts a worker in a slot of a place.  on: event(w, e), settled(), ended(w), once all is
-- known; and callback(f), which makes of f a function that the event loop may call.
-- @treturn process, or nil and a message
function M.start(place, slot, on)
  if place.cwd and not uv.fs_stat(place.cwd) then
    return nil, ("there is no directory %s, where the trainer was given: give it again"):format(
      place.cwd)
  end
  local w = setmetatable({ place = place, slot = slot, on = on, tail = {}, waiting = 3,
    heard = sys.now(), longest = 0, threads = 1 }, Process)
  w.stdin, w.stdout, w.stderr = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
  local file, args = places.command(place, slot)
  local handle, pid = uv.spawn(file, {
    args = args, env = places.environment(place, slot), cwd = place.cwd, detached = true,
    stdio = { w.stdin, w.stdout, w.stderr },
  }, on.callback(function(status, signal)
    w.status, w.signal = math.tointeger(status), math.tointeger(signal)
    w.process:close()
    w:close()
    w:_end()
  end))
  if not handle then
    w.stdin:close() w.stdout:close() w.stderr:close()
    return nil, ("%s: %s"):format(file, pid)
  end
  w.process, w.pid = handle, math.tointeger(pid)
  w:_read(w.stdout, on_stdout, on_too_long, on.settled)
  w:_read(w.stderr, Process._keep)
  return w
end

--- Whether the process is there.
function Process:alive() return not self.process:is_closing() end

--- Sends a signal to it and to what it has started.
function Process:send_signal(name)
  if self:alive() then uv.kill(-self.pid, name) end
end

function Process:kill() self:send_signal "sigkill" end

--- Writes one line to it; a dead worker is noticed by its exit.
function Process:tell(t)
  if not self.stdin:is_closing() then self.stdin:write(json.encode(t) .. "\n") end
end

--- Tells it that nothing more will come.
function Process:close()
  if not self.stdin:is_closing() then self.stdin:close() end
end

--- When it has not ended after so many seconds, it is killed.
function Process:expire(seconds)
  self.killer = uv.new_timer()
  self.killer:start(math.floor(1000 * seconds), 0, function() self:kill() end)
end

--- Reads nothing of it any more: what it writes from now on meets a broken pipe.
function Process:deafen()
  self.stdout:close()
  self:_end()
end

--- What it said cannot be: it is ended.
function Process:refuse(wrong)
  self.lie = self.lie or wrong
  self:kill()
end

--- Tells it to stop what it does; when it has not ended after so many seconds, it is killed.
-- SIGTERM does not go through ssh.
function Process:stop(seconds)
  if self.place.host then self:tell { kind = "stop" } else self:send_signal "sigterm" end
  self:expire(seconds)
end

return M
