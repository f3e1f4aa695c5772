--- While a monitor is open on populations that train on a cluster, and nobody else does so, it
-- takes in what their tasks have done, as `netspace collect --wait` would.

local commands = require "netspace.cluster.commands"
local paths = require "netspace.lib.path"
local sys = require "netspace.core.sys"

local M = {}
local BETWEEN = 30 -- seconds between two attempts: who is at work may have left meanwhile
local mine, last = {}, nil

--- Looks at a snapshot (nil: none yet): takes up what nobody is at work on.
function M.look(s)
  if not s or not s.tasks or s.open == 0 then return end
  if last and sys.now() - last < BETWEEN then return end
  for _, p in ipairs(s.populations) do
    if s.tasks[p.name] and p.state == "stopped" then
      last = sys.now()
      local good, list = pcall(commands.collect_from, paths.absolute(s.path), true)
      if not good then last = math.huge end -- the store is not ours to write, or the disk is full
      for _, sweep in ipairs(good and list or {}) do mine[#mine + 1] = sweep end
      return
    end
  end
end

--- The monitor ends; the tasks go on.
function M.leave()
  for _, sweep in ipairs(mine) do sweep:_leave() end
  mine, last = {}, nil
end

return M
