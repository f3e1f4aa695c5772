--- Shards: what a task of a cluster says of its models, one file for each start of a task, on a
-- file system that many machines share.  One process writes a shard, anybody reads it.
--
-- A line is an event of a worker (sweep/worker.lua) with the Unix time t, as
--
--   LENGTH CHECKSUM JSON\n        bytes of the JSON; FNV-1a of it, 64 bits, in hexadecimal
--
-- so a line that is cut short, or that a network file system shows before all of it is there, is
-- known for what it is.  Each is synced before the next is written.  A disk that is full or
-- gone for a while holds nothing up: the lines wait, and are written when it takes them.

local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local schema = require "netspace.store.schema"
local uv = require "luv"

local M = {}
local SOON, LATE = 500, 30000 -- milliseconds until a write that failed is tried again

--- The text of a line.
function M.line(e)
  local text = json.encode(e)
  return ("%d %s %s\n"):format(#text, ledgers.fingerprint(text), text)
end

local Writer = {}
Writer.__index = Writer

--- A new shard NAME.shard (of that name is there already: NAME+2.shard, …) in a directory.
-- synced(e) is called for each event that is on the disk, tell(message) when it takes no more.
-- @treturn writer, or nil and a message
function M.writer(directory, name, synced, tell)
  for n = 1, 1000 do
    local path = ("%s/%s%s.shard"):format(directory, name, n > 1 and "+" .. n or "")
    local fd, why, code = uv.fs_open(path, "wx", tonumber("644", 8))
    if fd then
      return setmetatable({ fd = fd, path = path, at = 0, waiting = {}, pause = SOON,
        synced = synced, tell = tell }, Writer)
    elseif code ~= "EEXIST" then
      return nil, why
    end
  end
  return nil, ("%s/%s.shard is there a thousand times"):format(directory, name)
end

-- Writes what waits; false when the disk does not take it.  A line is written again at its
-- place until it is synced, so that what a failure leaves of it is overwritten.
function Writer:_flush()
  while self.waiting[1] do
    local e = self.waiting[1]
    local text = M.line(e)
    local n, why = uv.fs_write(self.fd, text, self.at)
    local good = n == #text
    if good then good, why = uv.fs_fsync(self.fd) end
    if not good then return false, why or "no space" end
    self.at = self.at + #text
    table.remove(self.waiting, 1)
    self.synced(e)
  end
  return true
end

function Writer:_try()
  local good, why = self:_flush()
  if good then
    self.pause, self.told = SOON, nil
    return
  end
  if not self.told then
    self.tell(("%s cannot be written: %s; tried again"):format(self.path, why))
  end
  self.told = true
  self.timer = self.timer or uv.new_timer()
  self.timer:start(self.pause, 0, function() self:_try() end)
  self.pause = math.min(2 * self.pause, LATE)
end

--- Adds an event.
function Writer:add(e)
  e.t = schema.time()
  self.waiting[#self.waiting + 1] = e
  if #self.waiting == 1 then self:_try() end
end

--- Whether all is on the disk.
function Writer:done()
  return #self.waiting == 0
end

function Writer:close()
  if self.timer then self.timer:close() end
  uv.fs_close(self.fd)
end

--- The event of a line without its newline; nil where it is not whole.
function M.event(line)
  local length, sum, text = line:match "^(%d+) (%x+) (.*)$"
  if not length or tonumber(length) ~= #text or ledgers.fingerprint(text) ~= sum then return nil end
  local e = json.decode(text)
  return type(e) == "table" and e or nil
end

local Reader = {}
Reader.__index = Reader

--- A reader of a shard that grows.
function M.reader(path)
  return setmetatable({ path = path, at = 0, size = -1 }, Reader)
end

--- Calls each(e) for the events that are new.  From a line that is not whole (bad, their number)
-- it reads on, but it comes back to it when the file has changed: what a network file system
-- shows may be old.
function Reader:read(each)
  local about = uv.fs_stat(self.path)
  if not about then return end
  local stamp = about.mtime.sec + about.mtime.nsec * 1e-9
  if about.size == self.size and stamp == self.stamp then return end
  local f = io.open(self.path, "rb")
  if not f then return end
  f:seek("set", self.at)
  local text = f:read "a"
  f:close()
  self.size, self.stamp = about.size, stamp
  local from, bad = 1, 0
  local base = self.at
  for line, after in text:gmatch "([^\n]*)\n()" do
    local e = M.event(line)
    if e then each(e) else bad = bad + 1 end
    if bad == 0 then self.at = base + after - 1 end
    from = after
  end
  self.bad = bad + (from <= #text and 1 or 0)
end

return M
