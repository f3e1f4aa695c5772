--- Directories for files that others may read.

local atomic = require "netspace.lib.atomic"
local uv = require "luv"

local M = { MODE = tonumber("755", 8) }

--- Makes a directory with those above it: true, or nil and a message.
function M.make(path)
  if uv.fs_stat(path) then return true end
  local above = path:match "^(.+)/[^/]*$"
  if above then
    local good, why = M.make(above)
    if not good then return nil, why end
  end
  local good, why, code = uv.fs_mkdir(path, M.MODE)
  if good or code == "EEXIST" then return true end
  return nil, ("%s cannot be made: %s"):format(path, atomic.reason(why))
end

return M
