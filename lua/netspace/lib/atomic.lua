--- Files that appear whole or not at all: written under another name in the same directory,
-- synced to the disk, then renamed.

local filesystem = require "netspace.lib.filesystem"
local uv = require "luv"

local M = {}
local CHUNK = 1 << 16

local function put(fd, text)
  local from = 1
  while from <= #text do
    local n, why, code = uv.fs_write(fd, from == 1 and text or text:sub(from), -1)
    if not n and code ~= "EINTR" then return nil, why end
    if n == 0 then return nil, "nothing could be written" end
    from = from + (n or 0)
  end
  return true
end

--- "ENOSPC: no space left on device: x" as "no space left on device"
function M.reason(why)
  return (tostring(why):gsub("^%u+: ", ""):gsub(": .*", ""))
end

--- Why `path` must not be written over: a message where it is a file that ours(its first bytes)
-- does not recognize as one of the kind `what`; nil where it may be written.
function M.foreign(path, what, ours)
  local about = uv.fs_stat(path)
  if not about or about.type ~= "file" or about.size == 0 then return nil end
  local f = io.open(path, "rb")
  local head = f and f:read(CHUNK) or ""
  if f then f:close() end
  if ours(head) then return nil end
  local is = head:find "^SQLite format 3%z" and "is a store" or "is there already"
  return ("%s %s and is not %s: nothing is written; give another name, or remove it first")
    :format(path, is, what)
end

--- Writes the file `path`: produce(write) calls write(text) as often as it likes.
-- @treturn true, or nil and a message; what produce raises passes through
function M.write(path, produce)
  local part = ("%s.part-%d"):format(path, uv.os_getpid())
  local fd, why = uv.fs_open(part, "w", tonumber("666", 8))
  if not fd then return nil, ("%s cannot be written: %s"):format(path, M.reason(why)) end
  local buffer, size, good = {}, 0, true
  local function flush()
    if good then good, why = put(fd, table.concat(buffer)) end
    buffer, size = {}, 0
  end
  local ran, err = pcall(produce, function(text)
    buffer[#buffer + 1], size = text, size + #text
    if size >= CHUNK then flush() end
  end)
  flush()
  if good then good, why = uv.fs_fsync(fd) end
  local closed, late = uv.fs_close(fd)
  if good and not closed then good, why = nil, late end
  if ran and good then good, why = uv.fs_rename(part, path) end
  if not (ran and good) then uv.fs_unlink(part) end
  if not ran then error(err, 0) end
  if not good then return nil, ("%s cannot be written: %s"):format(path, M.reason(why)) end
  local dir = uv.fs_open(filesystem.directory(path), "r", 0)
  if dir then
    uv.fs_fsync(dir) -- the new name, too, survives a power cut
    uv.fs_close(dir)
  end
  return true
end

return M
