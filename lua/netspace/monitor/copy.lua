--- What a view shows as text for the clipboard: tables with tabs between their cells, as spread
-- sheets take them, verdicts, and the lines of what has no table.

local escape = require "netspace.lib.escape"
local models = require "netspace.monitor.views.models"
local stats = require "netspace.stats.stats"
local units = require "netspace.lib.units"
local verdicts = require "netspace.monitor.views.verdict"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local function row(...)
  local cells = table.pack(...)
  for i = 1, cells.n do cells[i] = tostring(cells[i] == nil and "" or cells[i]):gsub("%s", " ") end
  return table.concat(cells, "\t")
end

-- The populations shown, and what may be said of two of them.
local function of_edf(s, view)
  local lines = { row("population", "models", "done", "diverged", "failed", "min", "mean") }
  for slot, id in ipairs(widgets.chosen(s, view)) do
    local p = s.populations[id]
    if not view.hidden[slot] then
      local edf = #p.errors > 0 and stats.edf(p.errors)
      lines[#lines + 1] = row(p.name, p.n, p.done, p.diverged, p.failed,
        edf and ("%.2f"):format(edf.min), edf and ("%.2f"):format(edf.mean))
    end
  end
  local what = units.count(#lines - 1, "population")
  local verdict = verdicts.text(s, view)
  lines[#lines + 1] = verdict
  return lines, what .. (verdict and " and the verdict" or "")
end

local function of_models(s, view)
  local lines = { row("population", "model", "status", "epoch", "error", "images_per_s", "seconds",
    "flops", "params", "acts", "reason") }
  for i, m in ipairs(models.list(s, view)) do
    lines[i + 1] = row(m.population, m.index, models.status(m), m.epoch, m.error, m.images_per_s,
      m.seconds, m.flops, m.params, m.acts, m.reason)
  end
  return lines, units.count(#lines - 1, "model")
end

-- What the screen shows, without the header and the keys.
local function of_screen(c, top)
  local lines = c:lines()
  return table.move(lines, top, #lines - 1, 1, {}), "what is shown"
end

--- The text, and what it is in words; as much as a terminal takes.
-- @param c the canvas of the frame, whose header ends above `top`
function M.text(s, view, c, top)
  local lines, what
  if view.view == "edf" and not view.detail then
    lines, what = of_edf(s, view)
  elseif view.view == "models" and not view.detail then
    lines, what = of_models(s, view)
  else
    lines, what = of_screen(c, top)
  end
  local bytes, n = 0, #lines
  for i, line in ipairs(lines) do
    bytes = bytes + #line + 1
    if bytes > escape.CLIPBOARD then n = i - 1 break end
  end
  if n < #lines then
    what = ("the first %d of %d lines, as much as terminals take"):format(n, #lines)
  end
  return table.concat(lines, "\n", 1, n) .. "\n", what
end

return M
