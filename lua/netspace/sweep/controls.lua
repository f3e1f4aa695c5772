--- Commands to a running sweep.  The store has one writer, the sweep, so a command is a file in
-- STORE.commands, a directory that the sweep reads a few times a second:
-- {"command":"pause","population":"A"}.  It is written whole or not at all, and removed by the
-- sweep that takes it.  A command that no sweep takes has no effect: a sweep that begins deletes
-- those that are there.

local atomic = require "netspace.lib.atomic"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local uv = require "luv"

local M = {}

local TRIES = 3 -- at sending a command
local known = { pause = true, cancel = true, retry = true }

function M.directory(path) return path .. ".commands" end

--- Asks the sweep of a population in the store at `path`: "pause" (a paused
-- one goes on), "cancel", "retry" (its failed models).
-- @treturn boolean true, or nil and a message
function M.send(path, command, population)
  local dir, good, why = M.directory(path), nil, nil
  local seconds, micro = uv.gettimeofday()
  local name = ("%s/%d-%06d-%d.json"):format(dir, seconds, micro, uv.os_getpid())
  for _ = 1, TRIES do -- a sweep that takes another command removes the directory while it is empty
    local made, message, code = uv.fs_mkdir(dir, tonumber("755", 8))
    if not made and code ~= "EEXIST" then return nil, "cannot send the command: " .. message end
    good, why = atomic.write(name, function(write)
      write(json.encode { command = command, population = population })
    end)
    if good or uv.fs_stat(dir) then break end
  end
  if not good then return nil, "cannot send the command: " .. tostring(why) end
  return true
end

-- The files there, the oldest first.
local function files(path)
  local list = {}
  for name in directories.each(M.directory(path)) do
    if name:find "%.json$" then list[#list + 1] = M.directory(path) .. "/" .. name end
  end
  return list
end

--- Takes the commands for a population that lie there: a list of their names.
function M.take(path, population)
  local commands = {}
  for _, name in ipairs(files(path)) do
    local f = io.open(name)
    local c = f and json.decode(f:read "a")
    if f then f:close() end
    if type(c) == "table" and c.population == population then
      uv.fs_unlink(name)
      if known[c.command] then commands[#commands + 1] = c.command end
      uv.fs_rmdir(M.directory(path)) -- when it was the last one
    end
  end
  return commands
end

return M
