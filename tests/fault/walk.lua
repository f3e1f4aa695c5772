-- Walks over the points at which a sweep writes its store or a checkpoint: at each the disk
-- fails once (or from there on), and then it must hold that
--   - the sweep ends by itself, well or with a message that names the store;
--   - every result it had acknowledged is in the store, with its right error, and the store
--     is whole;
--   - running it again, with the disk well again, gives the undisturbed table, bit for bit.
-- tests/fault/fault.c makes the disk fail.  Used by tests/unit/test_fault.lua (a sample of the
-- points) and tests/torture/fault.lua (all of them).
local uv = require "luv"

local M = {}
local shim = "build/tests/fault.so"

local sweep_script = [[
local models = {}
for i = 1, 2 do models[i] = arch.anynet { d = { 1 }, w = { 8 * i } } end
local told = 0
local r = sweep.run { store = arg[1], name = "A", models = models, workers = 2, seed = 5,
  data = data.open("shapes", { train = 64, test = 32 }), recipe = recipe { epochs = 2, batch = 32 },
  checkpoint = { every = 1 },

  progress = function(s)
    local n = s.done + s.failed + s.diverged
    if n > told and arg[2] then
      told = n
      local f = assert(io.open(arg[2], "w"))
      f:write(n, "\n")
      f:close()
    end
  end }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
]]

-- Makes of a finished store one whose sweep was killed in the middle of its second model.
local half_script = [[
local db = assert(require("netspace.core.sqlite").open(arg[1], "rw"))
assert(db:exec "DELETE FROM epoch WHERE model = 2 AND epoch = 2")
assert(db:exec "UPDATE model SET status = 'running', error = NULL, epochs = 1 WHERE id = 2")
assert(db:exec "UPDATE run SET ended = NULL")
]]

--- A script: what a store has, that is the results, then what the integrity check finds.
M.look = [[
local s = sweep.open(arg[1])
if not s then return end
local has = #s:names() > 0
for _, m in ipairs(has and s:live("A") or {}) do
  if m.status == "done" then print(m.index, ("%a"):format(m.error)) end
  if m.status == "failed" or m.status == "diverged" then print("lost", m.index, m.reason) end
end
s:close()
for _, p in ipairs(require("netspace.store.integrity").check(arg[1]).problems) do print("damaged", p) end
]]

local function read(path)
  local f = io.open(path, "rb")
  if not f then return "" end
  local text = f:read("a")
  f:close()
  return text
end

local function write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end

--- A place for a walk: the scripts, the undisturbed table, a store with something left.
function M.new()
  local w = setmetatable({ dir = assert(uv.fs_mkdtemp("/tmp/netspace-fault-XXXXXX")) },
    { __index = M })
  for name, text in pairs { sweep = sweep_script, half = half_script, look = M.look } do
    write(("%s/%s.lua"):format(w.dir, name), text)
  end
  w.store, w.state = w.dir .. "/run.db", w.dir .. "/state"
  assert(w:run("sweep", {}) == 0, read(w.dir .. "/err"))
  w.table = read(w.dir .. "/out")
  w:run("half", {})
  os.execute(("mkdir %s/half && cp -r %s* %s/half/"):format(w.dir, w.store, w.dir))
  return w
end

function M:clear()
  os.execute(("rm -rf %s %s-wal %s-shm %s-journal %s.checkpoints %s/told"):format(self.store,
    self.store, self.store, self.store, self.store, self.dir))
end

--- Runs a script on the store with the fault in `env`; its exit status.
function M:run(script, env)
  local set = {}
  for k, v in pairs(env) do set[#set + 1] = ("FAULT_%s='%s'"):format(k, v) end
  if next(env) then
    write(self.state, ("\0"):rep(8))
    set[#set + 1] = ("LD_PRELOAD=%s FAULT_STATE=%s FAULT_PATH=run.db"):format(
      assert(uv.fs_realpath(shim)), self.state)
  end
  local command = ("env %s timeout 60 %s -q --no-init %s/%s.lua %s %s/told >%s/out 2>%s/err"):format(
    table.concat(set, " "), os.getenv("NETSPACE"), self.dir, script, self.store, self.dir, self.dir,
    self.dir)
  local _, _, status = os.execute(command)
  return status
end

function M:prepare(resume)
  self:clear()
  if resume then os.execute(("cp -r %s/half/* %s/"):format(self.dir, self.dir)) end
end

--- How many points a kind of call has in a sweep (or a resume).
function M:points(calls, resume)
  self:prepare(resume)
  self:run("sweep", { CALLS = calls, AT = 0 })
  return (string.unpack("<I8", read(self.state)))
end

--- One point.  Returns nil when all is well, else what is not.
function M:try(fault, resume)
  self:prepare(resume)
  local status = self:run("sweep", fault)
  local err, told = read(self.dir .. "/err"), tonumber(read(self.dir .. "/told")) or 0
  -- libuv stops the program where it gets no pipe for its signals
  if status == 134 and fault.CALLS == "process" then status = 0 end
  if status == 4 and fault.CALLS == "read" then status = 1 end -- SQLite takes EIO for damage
  if status ~= 0 and status ~= 1 then return ("status %d: %s"):format(status, err) end
  if status == 1 and not err:find("run.db", 1, true) and fault.CALLS ~= "process" then
    return "no message of the store: " .. err
  end
  if err:find("stack traceback", 1, true) or err:find("attempt to", 1, true) then
    return "a bug, not a message: " .. err
  end
  if not (self:run("look", {}) == 0) then return "cannot be read: " .. read(self.dir .. "/err") end
  local found, n = read(self.dir .. "/out"), 0
  for line in found:gmatch("[^\n]+") do
    n = n + 1
    if not self.table:find(line, 1, true) then return "in the store: " .. line end
  end
  if n < told then return ("%d results were acknowledged, %d are there"):format(told, n) end
  status = self:run("sweep", {})
  if status ~= 0 then return ("run again, status %d: %s"):format(status, read(self.dir .. "/err")) end
  if read(self.dir .. "/out") ~= self.table then return "run again, another table" end
  self:run("look", {})
  if read(self.dir .. "/out") ~= self.table then
    return "in the end: " .. read(self.dir .. "/out") .. read(self.dir .. "/err")
  end
end

--- All ways to fail: calls, error, times.
M.ways = {
  { "write", "ENOSPC", 1 }, { "write", "ENOSPC", 1000000 }, { "write", "EIO", 1 },
  { "write", "EINTR", 1 }, { "write", "SHORT", 1 }, { "sync", "EIO", 1 }, { "sync", "EINTR", 1 },
  { "sync", "ENOSPC", 1000000 }, { "rename", "ENOSPC", 1 }, { "rename", "EIO", 1000000 },
  { "truncate", "EIO", 1 }, { "truncate", "ENOSPC", 1 }, { "truncate", "EINTR", 1 },
  { "open", "ENOSPC", 1 }, { "open", "EIO", 1 }, { "open", "EINTR", 1 }, { "open", "EMFILE", 1 },
  { "find", "EIO", 1 }, { "find", "EMFILE", 1 }, { "read", "EIO", 1 }, { "read", "EINTR", 1 },
  { "read", "SHORT", 1 }, { "map", "ENOMEM", 1 }, { "map", "EIO", 1000000 }, { "unlink", "EIO", 1 },
  { "process", "EMFILE", 1 }, { "process", "EAGAIN", 1 }, { "process", "ENOMEM", 1000000 },
}

--- Walks every way over the points that wanted(k, n, way, resume) asks for (k of n);
-- say(name, what) is called after each.
function M:walk(wanted, say)
  for _, resume in ipairs { false, true } do
    local counts = {}
    for place, way in ipairs(M.ways) do
      way.place = place
      local calls, error_name, times = table.unpack(way)
      counts[calls] = counts[calls] or self:points(calls, resume)
      for k = 1, counts[calls] do
        if wanted(k, counts[calls], way, resume) then
          local what = self:try({ CALLS = calls, AT = k, ERROR = error_name, TIMES = times }, resume)
          local name = ("%s: %s %d of %d fails with %s%s"):format(resume and "resume" or "sweep",
            calls, k, counts[calls], error_name, times > 1 and " from there on" or "")
          say(name, what)
        end
      end
    end
  end
end

function M:close()
  os.execute("rm -rf " .. self.dir)
end

return M
