--- Directories: for files that others may read, and what is in one.

local atomic = require "netspace.lib.atomic"
local uv = require "luv"

local M = { MODE = tonumber("755", 8) }
local AT_ONCE = 256 -- entries that are read

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

--- What is in a directory, by name: an iterator of name and kind ("file", "directory", "link", …).
-- Nothing, where there is none (or path is nil).  Not by uv.fs_scandir, whose request luv keeps for
-- ever: a sweep looks for commands several times a second.
function M.each(path)
  local list, i, dir = {}, 0, path and uv.fs_opendir(path, nil, AT_ONCE)
  local some = dir and uv.fs_readdir(dir)
  while some do
    table.move(some, 1, #some, #list + 1, list)
    some = uv.fs_readdir(dir)
  end
  if dir then uv.fs_closedir(dir) end
  table.sort(list, function(a, b) return a.name < b.name end)
  return function()
    i = i + 1
    if list[i] then return list[i].name, list[i].type end
  end
end

return M
