--- What may be said of the populations that the EDF view shows: the verdict of stats.compare on
-- two of them, computed anew only when an error of theirs has changed.

local stats = require "netspace.stats.stats"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local LEAST = 2 -- finished models of each
local last = {} -- key of what was compared last, and its verdict

-- The two: those that are shown; of more than two the first, and the selected one (or the
-- second).
local function two(s, o)
  local shown = {}
  local selected = widgets.selected(s, o)
  for slot, id in ipairs(widgets.chosen(s, o)) do
    local p = s.populations[id]
    if not o.hidden[slot] and #p.errors >= LEAST then shown[#shown + 1] = p end
  end
  local b = shown[2]
  for i = 3, #shown do b = shown[i] == selected and selected or b end
  return shown[1], b
end

local function key_of(list, by)
  local parts = { by or "" }
  for _, p in ipairs(list) do
    parts[#parts + 1] = ("%s\0%d\0%s"):format(p.name, p.n, table.concat(p.errors, " "))
  end
  return table.concat(parts, "\0")
end

--- The verdict on the two populations the view is about; nil where there are no two with
-- finished models.
function M.text(s, o)
  local a, b = two(s, o)
  if not b then return nil end
  local by = o.normalise and "flops" or nil
  local key = key_of({ a, b }, by)
  if last.key ~= key then
    local given = {}
    for i, p in ipairs { a, b } do
      given[i] = { name = p.name, errors = p.errors, models = p.finished, n = p.n,
        recipe = p.recipe, columns = { flops = p.flops } }
    end
    local good, c = pcall(stats.compare, given[1], given[2], { by = by })
    last = { key = key, verdict = good and c.verdict or nil }
  end
  return last.verdict
end

--- Its beginning, without the figures in brackets, for one line.
function M.short(text)
  return text:match "^(.-) %(%d[%d.]* %% CI" or text
end

return M
