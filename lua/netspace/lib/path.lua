--- Names of files that stay right when the current directory changes: made absolute once, where
-- the options of a public function are checked, and shown short.

local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

--- The absolute name of a file that may not exist yet; "~/" is the home directory.  One that
-- exists has one name, whatever symbolic links lead to it: locks and logs lie beside that.
function M.absolute(path)
  local home = os.getenv("HOME")
  if home then path = path:gsub("^~/", function() return home .. "/" end) end
  local real = uv.fs_realpath(path)
  if real then return real end
  local here = path:sub(1, 1) ~= "/" and uv.cwd()
  if not here then return path end
  return (here == "/" and "" or here) .. "/" .. path:gsub("^%./+", "")
end

--- A name as a person in the current directory would write it, harmless to the terminal.
function M.shown(path)
  local here = uv.cwd()
  if here and #here > 1 and path:sub(1, #here + 1) == here .. "/" and #path > #here + 1 then
    path = path:sub(#here + 2)
  end
  return sys.harmless(path)
end

--- A name of somebody else's as part of a line.
function M.line(name)
  return (sys.harmless(name):gsub("[\n\t]", "?"))
end

return M
