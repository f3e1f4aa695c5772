-- Walks over the points at which what people run asks the system for something: at each the call
-- fails once (or from there on), and then it must hold that
--   - the program ends by itself, well or with a message;
--   - what it had acknowledged is there, and whole;
--   - running it again, with the system well again, gives what an undisturbed run gives, bit for
--     bit.
-- What people run are the scenarios of scenarios.lua; tests/fault/fault.c makes calls fail.  Used
-- by tests/unit/test_fault.lua (a sample of the points) and tests/torture/fault.sh (all of them).
local scenarios = require "scenarios"
local uv = require "luv"

local M = {}
local shim = "build/tests/fault.so"

local function read(path)
  local f = io.open(path, "rb")
  if not f then return "" end
  local text = f:read "a"
  f:close()
  return text
end
M.read = read

local function write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end
M.write = write

--- A place for a walk: a directory in memory, where each scenario has what it begins with and what
-- it gives undisturbed.
function M.new()
  local w = setmetatable({ dir = assert(uv.fs_mkdtemp "/dev/shm/netspace-fault-XXXXXX") },
    { __index = M })
  w.at, w.state = w.dir .. "/at", w.dir .. "/state" -- what fails lies in at
  uv.fs_mkdir(w.at, 448)
  scenarios.prepare(w)
  return w
end

--- Empties `at`, or puts there what is kept under a name.
function M:lay(name)
  os.execute(("rm -rf %s %s/told %s/ended && mkdir %s"):format(self.at, self.dir, self.dir,
    self.at))
  if name then os.execute(("cp -a %s/kept/%s/. %s"):format(self.dir, name, self.at)) end
end

--- Keeps what is in `at` under a name.
function M:keep(name)
  os.execute(("mkdir -p %s/kept/%s && cp -a %s/. %s/kept/%s"):format(self.dir, name, self.at,
    self.dir, name))
end

--- Runs netspace with arguments, in `at` or a place in it, with the fault in `env` (nil: none).
-- Gives its exit status, what it printed, and what it said.
function M:run(arguments, env, place)
  local set = { "OPENBLAS_NUM_THREADS=1", ("LUA_PATH='%s/?.lua;;'"):format(self.dir) }
  for k, v in pairs(env or {}) do set[#set + 1] = ("FAULT_%s='%s'"):format(k, v) end
  if env then
    write(self.state, ("\0"):rep(8))
    set[#set + 1] = ("LD_PRELOAD=%s FAULT_STATE=%s FAULT_PATH=%s"):format(
      assert(uv.fs_realpath(shim)), self.state, self.at)
  end
  local _, _, status = os.execute(("cd %s && timeout 120 env %s %s %s >%s/out 2>%s/err </dev/null")
    :format(place or self.at, table.concat(set, " "), os.getenv "NETSPACE", arguments, self.dir,
    self.dir))
  return status, read(self.dir .. "/out"), read(self.dir .. "/err")
end

--- How many points a kind of call has in a scenario.
function M:points(calls, s)
  self:lay(s.from)
  self:run(s.run(self), { CALLS = calls, AT = 0 }, s.place and s.place(self))
  return (string.unpack("<I8", read(self.state)))
end

-- Whether a program that ended so was ended by the fault, not by a mistake of ours.
local function excused(status, fault)
  -- libuv stops the program where it gets no pipe for its signals
  if status == 134 and fault.CALLS == "process" then return true end
  return status == 4 and fault.CALLS == "read" -- SQLite takes EIO for damage
end

--- One point.  Returns nil when all is well, else what is not.
function M:try(fault, s)
  self:lay(s.from)
  local status, _, err = self:run(s.run(self), fault, s.place and s.place(self))
  if status ~= 0 and status ~= 1 and not excused(status, fault) then
    return ("status %d: %s"):format(status, err)
  end
  if err:find("stack traceback", 1, true) or err:find("attempt to", 1, true)
    or err:find "/netspace/[%w_/]+%.lua:%d+:" then
    return "a bug, not a message: " .. err
  end
  if status == 1 and not err:find "netspace" then return "no message: " .. err end
  return s.check(self, status, err, fault) or s.again(self)
end

--- All ways to fail: calls, error, times.
local MOST = 1000000
M.ways = {
  { "write", "ENOSPC", 1 }, { "write", "ENOSPC", MOST }, { "write", "EIO", 1 },
  { "write", "EINTR", 1 }, { "write", "SHORT", 1 }, { "sync", "EIO", 1 }, { "sync", "EINTR", 1 },
  { "sync", "ENOSPC", MOST }, { "rename", "ENOSPC", 1 }, { "rename", "EIO", MOST },
  { "truncate", "EIO", 1 }, { "truncate", "ENOSPC", 1 }, { "truncate", "EINTR", 1 },
  { "open", "ENOSPC", 1 }, { "open", "EIO", 1 }, { "open", "EINTR", 1 }, { "open", "EMFILE", 1 },
  { "find", "EIO", 1 }, { "find", "EMFILE", 1 }, { "find", "EINTR", 1 }, { "read", "EIO", 1 },
  { "read", "EIO", MOST }, { "read", "EINTR", 1 }, { "read", "SHORT", 1 }, { "map", "ENOMEM", 1 },
  { "map", "EIO", MOST }, { "unlink", "EIO", 1 }, { "make", "ENOSPC", 1 }, { "make", "EIO", MOST },
  { "close", "EIO", 1 }, { "close", "EINTR", 1 }, { "process", "EMFILE", 1 },
  { "process", "EAGAIN", 1 }, { "process", "ENOMEM", MOST }, { "exec", "EIO", 1 },
  { "exec", "ENOMEM", MOST }, { "wait", "EINTR", 1 }, { "talk", "EINTR", 1 },
  { "talk", "EAGAIN", 1 }, { "talk", "SHORT", 1 },
}

--- Walks every way, or those that ways(way, scenario) asks for, over the points that wanted(k, n,
-- way, scenario) asks for (k of n); say(name, what) is called after each.
function M:walk(wanted, say, ways)
  for _, s in ipairs(scenarios) do
    local counts = {}
    for place, way in ipairs(M.ways) do
      way.place = place
      local calls, error_name, times = table.unpack(way)
      if s.waits then times = math.min(times, s.waits) end
      local some = not ways or ways(way, s)
      if some then counts[calls] = counts[calls] or self:points(calls, s) end
      for k = 1, some and counts[calls] or 0 do
        if wanted(k, counts[calls], way, s) then
          local what = self:try({ CALLS = calls, AT = k, ERROR = error_name, TIMES = times }, s)
          say(("%s: %s %d of %d fails with %s%s"):format(s.name, calls, k, counts[calls], error_name,
            times > 1 and " from there on" or ""), what)
        end
      end
    end
  end
end

function M:close()
  os.execute("rm -rf " .. self.dir)
end

return M
