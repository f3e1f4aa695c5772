--- The monitor's table of models: running and finished ones, sorted and filtered.

local canvas = require "netspace.core.canvas"
local units = require "netspace.lib.units"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local dim, alarm = canvas.dim, canvas.alarm
local BAR, SPARK = 8, 10 -- cells of the epoch bar and of the curve, where there is room

--- How a model stands: as the store says, or "paused" like its population.
function M.status(model) return model.paused and "paused" or model.status end

local function number(format)
  return function(value) return value and format:format(value) or "-" end
end
local plain = number "%.0f"

-- Seconds a running model still needs at the speed of its epochs so far.
local function eta(model)
  if model.status ~= "running" or not model.started or model.epoch < 1 then return nil end
  return (model.now - model.started) / model.epoch * (model.epochs - model.epoch)
end

-- name, cells, text(model, options), left-aligned, from which width on
local columns = {
  { "", 1, function() return "" end },
  { "model", 5, function(m) return tostring(m.index) end },
  { "status", 8, function(m) return M.status(m) end, left = true },
  { "epoch", BAR + 8, function(m, o)
    return ("%s %7s"):format(widgets.bar(BAR, m.epoch / math.max(1, m.epochs), o.ascii),
      ("%d/%d"):format(m.epoch, m.epochs))
  end, from = 60 },
  { "epoch", 7, function(m) return ("%d/%d"):format(m.epoch, m.epochs) end, below = 60 },
  { "error", 6, function(m) return number "%.2f" (m.error) end },
  { "curve", SPARK, function(m, o) return widgets.sparkline(m.curve or {}, SPARK, o.ascii) end,
    left = true, from = 88 },
  { "images/s", 8, function(m) return plain(m.images_per_s) end },
  { "time", 7, function(m) return m.seconds and units.duration(m.seconds) or "-" end },
  { "ETA", 7, function(m)
    local s = eta(m)
    return s and units.duration(s) or "-"
  end, from = 100 },
  { "worker", 6, function(m) return plain(m.worker) end },
  { "try", 3, function(m) return tostring(m.attempt) end },
  { "memory", 6, function(m) return m.memory and units.short(m.memory) or "-" end,
    from = 100 },
}

-- Calls cell(column, x) for the columns that fit; returns where they end.
local function each_column(x0, width, cell)
  local x = x0
  for _, column in ipairs(columns) do
    if width >= (column.from or 0) and width < (column.below or math.huge) then
      if x + column[2] > x0 + width then break end
      cell(column, x)
      x = x + column[2] + 1
    end
  end
  return x
end

local function draw_row(c, x0, y, width, model, slot, o, picked)
  local style = (model.status == "failed" or model.status == "diverged") and alarm
    or model.status == "running" and 0 or dim
  if picked then
    style = canvas.reverse
    c:text(x0, y, (" "):rep(width), width, style)
  end
  local x = each_column(x0, width, function(column, x)
    local text = column[3](model, o)
    local at = column.left and x or x + column[2] - canvas.text_width(text)
    c:text(at, y, text, column[2], style)
  end)
  if slot then c:text(x0, y, string.char(96 + slot), 1, picked and style or slot) end
  if model.reason and x + 8 < x0 + width then
    c:text(x + 1, y, model.reason, x0 + width - x - 1, style)
  end
end

--- Rows of models from y on: a heading and what fits of the list, from `scroll` on; the one
-- at `row`, or that o.picked names, picked out.
function M.rows(c, x0, y, width, height, list, s, o, scroll, row)
  if height < 1 then return end
  each_column(x0, width, function(column, x)
    c:text(column.left and x or x + column[2] - #column[1], y, column[1], column[2], dim)
  end)
  local rows, slots = height - 1, widgets.slots(s, o)
  scroll = math.max(0, math.min(scroll or 0, #list - rows))
  for i = 1, math.min(rows, #list - scroll) do
    local model = list[i + scroll]
    model.now = s.now
    local p = o.picked
    draw_row(c, x0, y + i, width, model, slots[model.population_id], o, i + scroll == row
      or not row and p and p[1] == model.population_id and p[2] == model.index)
  end
  return scroll
end

--- What the models can be sorted by: name, key, whether large comes first.
M.orders = {
  { "state" }, { "error", "error" }, { "speed", "images_per_s", true },
  { "time", "seconds", true }, { "memory", "memory", true }, { "attempts", "attempt", true },
  { "number", "index" },
}

-- Whether every word of the filter is in what a model is called.
local function matches(model, words)
  local text = ("%s %d %s %s"):format(model.population, model.index, M.status(model),
    model.reason or ""):lower()
  for _, word in ipairs(words) do
    if not text:find(word, 1, true) then return false end
  end
  return true
end

-- What was listed last: of a large store the list is not made anew for every key.
local last = setmetatable({}, { __mode = "k" })

local make

--- The models of a snapshot as the view asks for them; the list is ours, to be read.
function M.list(s, o)
  local key = ("%d %s %s"):format(o.order or 1, o.reverse and "reverse" or "", o.filter or "")
  local kept = last[s.models]
  if not kept or kept.key ~= key then
    kept = { key = key, list = make(s, o) }
    last[s.models] = kept
  end
  return kept.list
end

-- The models by a number of each, those that have none last; equal ones stay as they were.
-- Distinct numbers alone are sorted, as that is quick without a function that compares.
local function sorted(list, key, large)
  local values, groups, without, out = {}, {}, {}, {}
  for _, model in ipairs(list) do
    local value = model[key]
    local group = value and groups[value] or not value and without
    if not group then
      group = {}
      groups[value], values[#values + 1] = group, value
    end
    group[#group + 1] = model
  end
  table.sort(values)
  for i = 1, #values do
    local group = groups[values[large and #values + 1 - i or i]]
    table.move(group, 1, #group, #out + 1, out)
  end
  return table.move(without, 1, #without, #out + 1, out)
end

function make(s, o)
  local words, list = {}, {}
  for word in (o.filter or ""):lower():gmatch "%S+" do words[#words + 1] = word end
  for _, model in ipairs(s.models) do
    if #words == 0 or matches(model, words) then list[#list + 1] = model end
  end
  local order = M.orders[o.order or 1]
  if order[2] then list = sorted(list, order[2], order[3]) end
  if o.reverse then
    for i = 1, #list // 2 do list[i], list[#list + 1 - i] = list[#list + 1 - i], list[i] end
  end
  return list
end

-- What the letters stand for; the population of the model at the row is marked, as P, K and R
-- are about it.
local function legend(c, y, s, o, at)
  local parts = {}
  for slot, id in ipairs(widgets.chosen(s, o)) do
    local p = s.populations[id]
    local marked = id == at
    parts[slot] = { ("%s%s%s %d/%d"):format(string.char(96 + slot), marked and ">" or " ", p.name,
      p.done + p.diverged + p.failed, p.n), marked and slot | canvas.bold or slot }
  end
  widgets.parts_line(c, y, o.width, parts)
end

--- The view: the list in rows top to bottom.  Returns where its rows are.
function M.draw(c, s, o, top, bottom)
  local list = M.list(s, o)
  local order = M.orders[o.order or 1]
  local text = ("%d of %d models by %s%s%s"):format(#list, #s.models, order[1],
    o.reverse and ", reversed" or "",
    (o.filter or "") ~= "" and ", matching: " .. o.filter or "")
  if o.typing then text = "filter: " .. (o.filter or "") .. "_" end
  if o.height >= 16 or o.typing then
    c:text(1, top, text, o.width, o.typing and canvas.bold or dim)
    top = top + 1
  end
  local row = math.max(1, math.min(o.row or 1, #list))
  if o.height >= 16 then
    legend(c, top, s, o, list[row] and list[row].population_id)
    top = top + 1
  end
  local rows = bottom - top
  local scroll = math.max(0, math.min(#list - rows, o.scroll or 0))
  if row <= scroll then scroll = row - 1 end
  if row > scroll + rows then scroll = row - rows end
  M.rows(c, 1, top, o.width, rows + 1, list, s, o, scroll, row)
  return { rows = top + 1, scroll = scroll, list = list, row = row }
end

return M
