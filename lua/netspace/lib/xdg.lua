--- Where a user's files lie that outlast a session: what they did in $XDG_STATE_HOME/netspace
-- (~/.local/state/netspace), what can be made again in $XDG_CACHE_HOME/netspace
-- (~/.cache/netspace), and what they wrote in $XDG_CONFIG_HOME/netspace (~/.config/netspace).
-- Source: the XDG base directory specification.

local uv = require "luv"

local M = {}

local function place(variable, otherwise)
  return function(name)
    local folder = os.getenv(variable)
    if not folder or folder:sub(1, 1) ~= "/" then -- a relative one is to be ignored
      local home = os.getenv "HOME"
      if not home or home == "" then return nil end
      folder = home .. otherwise
    end
    return folder .. "/netspace/" .. name
  end
end

--- The path of such a file or folder, or nil where there is no home.
M.state = place("XDG_STATE_HOME", "/.local/state")
M.cache = place("XDG_CACHE_HOME", "/.cache")
M.config = place("XDG_CONFIG_HOME", "/.config")

--- Makes the folders that the file lies in, for this user alone.
function M.make_folder(path)
  local parent = path:match("^(.+)/[^/]+$")
  if not parent or uv.fs_stat(parent) then return end
  M.make_folder(parent)
  uv.fs_mkdir(parent, tonumber("700", 8))
end

return M
