--- Where a user's files lie that outlast a session: $XDG_STATE_HOME/netspace, else
-- ~/.local/state/netspace.  Source: the XDG base directory specification.

local uv = require "luv"

local M = {}

--- The path of such a file, or nil where there is no home.
function M.path(name)
  local state = os.getenv "XDG_STATE_HOME"
  if not state or state:sub(1, 1) ~= "/" then -- a relative one is to be ignored
    local home = os.getenv "HOME"
    if not home or home == "" then return nil end
    state = home .. "/.local/state"
  end
  return state .. "/netspace/" .. name
end

--- Makes the folders that the file lies in, for this user alone.
function M.make_folder(path)
  local parent = path:match("^(.+)/[^/]+$")
  if not parent or uv.fs_stat(parent) then return end
  M.make_folder(parent)
  uv.fs_mkdir(parent, tonumber("700", 8))
end

return M
