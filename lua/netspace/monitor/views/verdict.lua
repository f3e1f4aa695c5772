--- What may be said of the populations that the EDF view shows, two of them: what was decided while
-- they were trained; while models of theirs are open, the verdict of stats.anytime on models 1 to
-- n, which holds at every glance; else that of stats.compare.  Computed anew only when an error of
-- theirs has changed.

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
    parts[#parts + 1] = ("%s\0%d\0%d\0%s"):format(p.name, p.n, p.prefix,
      table.concat(p.errors, " "))
  end
  return table.concat(parts, "\0")
end

-- What the trial of a and b, if there was one, has decided.
local function decided(s, a, b)
  for _, trial in ipairs(s.trials) do
    for place = 2, trial[1] == a.name and #trial or 0 do
      if trial[place] == b.name then return trial.verdict end
    end
  end
end

local function compute(a, b, by)
  local given, open = {}, false
  for i, p in ipairs { a, b } do
    given[i] = { name = p.name, errors = p.errors, models = p.finished, n = p.n,
      recipe = p.recipe, columns = { flops = p.flops }, indices = {} }
    for k, model in ipairs(p.finished) do given[i].indices[k] = model.index end
    open = open or #p.errors < p.n
  end
  local good, c = pcall(open and not by and stats.anytime or stats.compare, given[1], given[2],
    by and { by = by } or nil)
  return good and c.verdict or nil
end

--- The verdict on the two populations the view is about; nil where there are no two with
-- finished models.
function M.text(s, o)
  local a, b = two(s, o)
  if not b then return nil end
  local by = o.normalise and "flops" or nil
  local key = key_of({ a, b }, by)
  if last.key ~= key then last = { key = key, verdict = compute(a, b, by) } end
  return not by and decided(s, a, b) or last.verdict
end

--- Its beginning, without the figures in brackets, for one line.
function M.short(text)
  local short = text:match "^(.-) %(%d[%d.]* %% CI"
  if not short then return text end
  return text:find("that holds at every moment", 1, true) and short .. " (at every moment)" or short
end

return M
