--- The monitor's list of the tasks of a cluster, as they were at the last look at the scheduler:
-- pending, running, on which node, until when, with which model.

local canvas = require "netspace.core.canvas"
local fold = require "netspace.lib.fold"
local units = require "netspace.lib.units"

local M = {}

local function counts(t)
  local n = { running = 0, pending = 0 }
  for _, row in ipairs(t.tasks) do n[row.state] = (n[row.state] or 0) + 1 end
  return ("%d running, %d pending"):format(n.running, n.pending)
end

local function line(row, now)
  local left = row.ends and row.ends > now and "ends in " .. units.duration(row.ends - now)
  return ("%-14s %-8s %-12s %4d of %-4d %s"):format(row.task or "?", row.state or "?",
    row.node or "", (row.models or 0) - (row.left or 0), row.models or 0,
    row.state == "running" and (left or "") .. (row.model and (" model %d"):format(row.model) or "")
    or row.reason or "")
end

--- Rows top to bottom; o.tasks_scroll of them are left out.  Returns the scroll there is.
function M.draw(c, s, o, top, bottom)
  local lines = {}
  local function add(text, style) lines[#lines + 1] = { text, style } end
  for _, p in ipairs(s.populations) do
    local t = s.tasks and s.tasks[p.name]
    if t then
      add(("%s: %s%s"):format(p.name, counts(t), t.time and (" (%s, %s ago)"):format(
        t.scheduler or "?", units.duration(math.max(0, s.now - t.time))) or ""), canvas.bold)
      if #t.tasks > 0 then
        add("task           state    node         models trained", canvas.dim)
      end
      for _, row in ipairs(t.tasks) do add(line(row, s.now), 0) end
    end
  end
  if #lines == 0 then
    for _, text in ipairs(fold.lines("no population has tasks of a cluster; "
      .. "sweep.run{ on = slurm{} } gives it some", o.width)) do add(text, canvas.dim) end
  end
  local rows = bottom - top + 1
  local scroll = math.max(0, math.min(#lines - rows, o.tasks_scroll or 0))
  for i = 1, math.min(rows, #lines - scroll) do
    c:text(1, top + i - 1, lines[i + scroll][1], o.width, lines[i + scroll][2])
  end
  return { scroll = scroll }
end

return M
