-- Power cuts.  A sweep runs while tests/fault/record.c writes down what it does to files; then the
-- power is cut after any of those operations, and what a disk may have by then is laid out anew:
--   - a file has what it had when it was last synced; of what was written since, each sector of 512
--     bytes may be there or not (all of them, none, or each by the toss of a coin);
--   - names that were made, changed or removed since their directory was last synced are there up to
--     a point in their order, as with a journal.
-- After each cut it must hold that the store opens and passes its check, that every result that was
-- acknowledged is in it, with its right error, and that running the sweep again gives the
-- undisturbed table, bit for bit.
-- Used by tests/unit/test_power.lua (a sample of the cuts) and tests/torture/power.sh.
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local shim = "build/tests/record.so"
local SECTOR = 512

-- An acknowledgement is the directory ack-N: N models have ended, as the sweep says.
local sweep_script = [[
local uv, models = require "luv", {}
for i = 1, 6 do models[i] = arch.anynet { d = { 1 }, w = { 8 * i } } end
local told = 0
local r = sweep.run { store = arg[1], name = "A", models = models, workers = 2, seed = 5,
  data = data.open("shapes", { train = 64, test = 32 }), recipe = recipe { epochs = 3, batch = 32 },
  checkpoint = { every = 1 },
  progress = function(s)
    local n = s.done + s.failed + s.diverged
    for i = told + 1, n do uv.fs_mkdir(("%s/ack-%d"):format(arg[1]:match "^(.*)/", i), 448) end
    told = n
  end }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
]]

-- A script: what a store has, that is the results, then what the integrity check finds.
local look_script = [[
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

local function operations(path)
  local f = assert(io.open(path, "rb"))
  local text, list, at = f:read "a", {}, 1
  f:close()
  while at <= #text do
    local record
    record, at = string.unpack("<s4", text, at)
    local kind, name, number, rest = string.unpack("<c1s2I8", record)
    list[#list + 1] = { kind = kind, path = name, number = number, rest = record:sub(rest) }
  end
  return list
end

--- Runs the sweep and writes down its operations.
function M.record()
  local p = setmetatable({ dir = assert(uv.fs_mkdtemp "/tmp/netspace-power-XXXXXX") },
    { __index = M })
  for name, text in pairs { sweep = sweep_script, look = look_script } do
    local f = assert(io.open(("%s/%s.lua"):format(p.dir, name), "w"))
    f:write(text)
    f:close()
  end
  p.disk = p.dir .. "/disk"
  assert(uv.fs_mkdir(p.disk, 448))
  io.open(p.dir .. "/log", "w"):close()
  assert(p:run("sweep", ("LD_PRELOAD=%s RECORD_LOG=%s/log RECORD_PATH=%s"):format(
    assert(uv.fs_realpath(shim)), p.dir, p.disk)) == 0, p:read "err")
  p.table = p:read "out"
  p.operations = operations(p.dir .. "/log")
  return p
end

function M:read(name)
  local f = assert(io.open(("%s/%s"):format(self.dir, name), "rb"))
  local text = f:read "a"
  f:close()
  return text
end

function M:run(script, environment)
  local _, _, status = os.execute(("env %s timeout 60 %s -q --no-init %s/%s.lua %s/run.db >%s/out 2>%s/err")
    :format(environment or "", os.getenv "NETSPACE", self.dir, script, self.disk, self.dir, self.dir))
  return status
end

-- The disk ------------------------------------------------------------------------------------

local Disk = {}
Disk.__index = Disk

-- Names are those that programs see now; stable: those that a cut certainly leaves; changes: what
-- is between them, in order.
local function new_disk()
  return setmetatable({ names = {}, stable = {}, changes = {}, acknowledged = 0 }, Disk)
end

local function change(names, c)
  if c.to then
    names[c.to], names[c.path] = names[c.path], nil
  else
    names[c.path] = c.file -- nil: removed
  end
end

function Disk:change(c)
  change(self.names, c)
  self.changes[#self.changes + 1] = c
end

function Disk:file(path)
  local file = self.names[path]
  if not file then -- it was there, or made by a call that is not seen
    file = { bytes = "", since = {} }
    self:change { path = path, file = file }
  end
  return file
end

local apply = {}
function apply.w(disk, o)
  local since = disk:file(o.path).since
  since[#since + 1] = o
end
apply.t = apply.w
function apply.s(disk, o)
  local file = disk:file(o.path)
  file.bytes, file.since = o.rest, {}
end
function apply.c(disk, o) disk:change { path = o.path, file = { bytes = "", since = {} } } end
function apply.u(disk, o) disk:change { path = o.path } end
function apply.r(disk, o) disk:change { path = o.path, to = o.rest } end
function apply.m(disk, o)
  local n = tonumber(o.path:match "/ack%-(%d+)$")
  if n then
    disk.acknowledged = math.max(disk.acknowledged, n)
  else
    disk:change { path = o.path, file = "directory" }
  end
end
function apply.d(disk, o)
  local left = {}
  for _, c in ipairs(disk.changes) do
    if c.path:match "^(.*)/" == o.path then change(disk.stable, c) else left[#left + 1] = c end
  end
  disk.changes = left
end

-- The bytes of a file after a cut; toss() is whether something reached the disk.
local function left_of(file, toss)
  local bytes = file.bytes
  for _, o in ipairs(file.since) do
    if o.kind == "t" then
      if toss() then bytes = bytes:sub(1, o.number) .. ("\0"):rep(o.number - #bytes) end
    else
      local at = 1
      while at <= #o.rest do
        local from = o.number + at - 1
        local n = math.min(SECTOR - from % SECTOR, #o.rest - at + 1)
        if toss() then
          bytes = bytes:sub(1, from) .. ("\0"):rep(from - #bytes) .. o.rest:sub(at, at + n - 1)
            .. bytes:sub(from + n + 1)
        end
        at = at + n
      end
    end
  end
  return bytes
end

--- Lays out what the disk has when the power is cut after operation k, in one of many ways: always
-- the same one for the same k and way.  A deaf disk syncs nothing.  How many results had been
-- acknowledged by then.
function M:cut(k, way, deaf)
  local disk = new_disk()
  for i = 1, k do
    local o = self.operations[i]
    if not (deaf and o.kind == "s") then apply[o.kind](disk, o) end
  end
  local drawn = 0
  local function below(n)
    drawn = drawn + 1
    return (sys.random(k, way, drawn) >> 1) % n
  end
  local kind = below(3)
  local function toss() return kind == 1 or kind == 2 and below(2) == 1 end
  for i = 1, kind == 1 and #disk.changes or kind == 2 and below(#disk.changes + 1) or 0 do
    change(disk.stable, disk.changes[i])
  end
  assert(os.execute(("rm -rf %s && mkdir %s"):format(self.disk, self.disk)))
  local paths = {}
  for path in pairs(disk.stable) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local file = disk.stable[path]
    if file == "directory" then
      uv.fs_mkdir(path, 448)
    elseif not path:find "%-shm$" then -- SQLite makes that anew
      local f = io.open(path, "wb")
      if f then -- else its directory is not there
        f:write(left_of(file, toss))
        f:close()
      end
    end
  end
  return disk.acknowledged
end

--- One cut; with `again` the sweep is run again after it.  nil when all is well, else what is not.
function M:try(k, way, again, deaf)
  local acknowledged = self:cut(k, way, deaf)
  if self:run "look" ~= 0 then
    local err = self:read "err"
    if acknowledged > 0 or not err:find "run%.db" then return "cannot be read: " .. err end
  end
  local n = 0
  for line in self:read("out"):gmatch "[^\n]+" do
    n = n + 1
    if not self.table:find(line, 1, true) then return "in the store: " .. line end
  end
  if n < acknowledged then
    return ("%d results were acknowledged, %d are there"):format(acknowledged, n)
  end
  if not again then return end
  local status = self:run "sweep"
  if status ~= 0 then return ("run again, status %d: %s"):format(status, self:read "err") end
  if self:read "out" ~= self.table then return "run again, another table" end
end

function M:close()
  os.execute("rm -rf " .. self.dir)
end

return M
