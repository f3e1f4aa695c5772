--- The monitor's first view: error EDFs while they form, with the band of one of them, what
-- the cursor reads, and a legend.  Pure: composed from a snapshot and the state of the view.

local canvas = require "netspace.core.canvas"
local chance = require "netspace.lib.chance"
local edfs = require "netspace.core.edf"
local fold = require "netspace.lib.fold"
local plot = require "netspace.plot.edf"
local stats = require "netspace.stats.stats"
local table_of = require "netspace.monitor.views.models"
local verdicts = require "netspace.monitor.views.verdict"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local SIDE = 72       -- columns of the right panel of a wide frame
local WIDE = 140      -- columns from which a frame has one
local LEAST = 8       -- models from which a band says anything: it is 0.48 up and down
local FIRST = 16      -- and one that holds at every moment: 0.49

--- The curves of the populations at equal flops: list of edfs by the number of the curve,
-- and a text; or nil and why not.
local function normalised(s, o)
  local results, slots = {}, {}
  for slot, id in ipairs(widgets.chosen(s, o)) do
    local p = s.populations[id]
    if not o.hidden[slot] and #p.errors > 0 then
      results[#results + 1] = { name = p.name, errors = p.errors, models = p.finished,
        columns = { flops = p.flops } }
      slots[#results] = slot
    end
  end
  if #results == 0 then return nil, "no model has finished" end
  local good, list = pcall(stats.normalise, results, { by = "flops" })
  if not good then
    return nil, "cannot be shown at equal flops: " .. tostring(list):gsub("^.-: ", "", 1)
  end
  local by_slot = {}
  for i, edf in ipairs(list) do by_slot[slots[i]] = edf end
  return by_slot, ("at equal flops, %d bins; n: models in them"):format(list.bins)
end

-- Its n is that of the models in the bins.
local function weighted_curve(p, slot, edf)
  local x, y = edf:steps()
  return { name = p.name, id = slot, x = x, y = y, failed = edf.failed, min = edf.min,
    mean = edf.mean, count = tostring(edf.n) }
end

-- The curves of the chart, those of the legend (also switched off), and the edfs.
local function make_curves(s, o)
  local t = { solid = {}, all = {}, edfs = {} }
  local weighted
  if o.normalise then weighted, t.note = normalised(s, o) end
  for slot, id in ipairs(widgets.chosen(s, o)) do
    local p = s.populations[id]
    local edf = weighted and weighted[slot] or not weighted and #p.errors > 0
      and edfs.new(p.errors, p.name) or nil
    local curve = weighted and edf and weighted_curve(p, slot, edf)
      or plot._curve(p.name, slot, p.errors, p.n)
    curve.hidden = o.hidden[slot]
    if p.state == "paused" or p.state == "decided"
      or p.state == "stopped" and s.state ~= "stopped" then
      curve.name = ("%s (%s)"):format(curve.name, p.state)
    end
    if curve.hidden then curve.name = curve.name .. " (hidden)" end
    t.solid[slot], t.edfs[slot] = curve, edf or nil
    if #p.provisional > 0 and not o.hidden[slot] and not weighted then
      t.all[#t.all + 1] = plot._provisional(slot, p.errors, p.provisional)
    end
    t.all[#t.all + 1] = curve
  end
  return t
end

-- How many models a band of p takes.
local function least_of(p) return #p.errors < p.n and math.min(p.n, FIRST) or LEAST end

-- The 95 % band of a curve, from the left edge on: while models are open, of models 1 to n, all
-- ended, one that holds at every moment; else that of Dvoretzky, Kiefer, Wolfowitz.
local function band_of(p, edf, slot)
  if not edf or edf.weighted then return nil end
  if #p.errors == p.n then
    if edf.n < LEAST then return nil end
    return plot._band(edf, slot)
  elseif p.prefix >= FIRST then
    return plot._band(edfs.new(table.move(p.errors, 1, p.prefix, 1, {}), p.name), slot, "anytime")
  end
end

-- "at 45.20 %:  a 0.375  b 0.688  b-a +0.313  KS 0.35", shorter where there is little room.
local function readout(t, cursor, width, band)
  local short = width < 60
  local number = short and "%.2f" or "%.3f"
  local parts, shown = { (short and "%.2f%%:" or "at %.2f %%:"):format(cursor) }, {}
  for slot, curve in ipairs(t.solid) do
    local edf = t.edfs[slot]
    if not curve.hidden and edf then
      local y, letter = edf(cursor), string.char(96 + slot)
      shown[#shown + 1] = { letter, y, edf }
      parts[#parts + 1] = ("%s " .. number):format(letter, y)
      if slot == t.selected and band and not short then
        parts[#parts] = parts[#parts]
          .. (" [%.3f, %.3f]"):format(band.lo(cursor), band.hi(cursor))
      end
    end
  end
  if #shown == 2 then
    local a, b = shown[1], shown[2]
    local signed = number:gsub("%%", "%%+")
    parts[#parts + 1] = ("%s-%s " .. signed):format(b[1], a[1], b[2] - a[2])
    local good, ks = pcall(stats.ks, a[3], b[3])
    if good then parts[#parts + 1] = ("KS " .. number):format(ks) end
  end
  return table.concat(parts, short and " " or "  ")
end

local function running_models(s)
  local list = {}
  for _, model in ipairs(s.models) do
    if model.status == "running" then list[#list + 1] = model end
  end
  return list
end

-- A line above the chart on what is not as usual.
local function note(t, s, o)
  local parts = {}
  if #s.populations > widgets.most then
    parts[1] = ("%d of %d populations; c chooses"):format(#t.solid, #s.populations)
  end
  parts[#parts + 1] = t.note
  for _, p in ipairs(s.populations) do
    if p.chance then parts[#parts + 1] = ("%s: %s"):format(p.name, chance.text(p.chance)) end
  end
  local edf, p = o.band and t.edfs[t.selected], widgets.selected(s, o)
  local letter = edf and string.char(96 + t.selected)
  if edf and not edf.weighted and math.min(p.prefix, edf.n) < least_of(p) then
    parts[#parts + 1] = p.n < LEAST
      and ("no band: %s has %d models, it takes %d"):format(letter, p.n, LEAST)
      or ("the band of %s comes with models 1 to %d"):format(letter, least_of(p))
  elseif edf and not edf.weighted and #p.errors < p.n then
    parts[#parts + 1] = ("band of %s: models 1 to %d, at any time"):format(letter, p.prefix)
  end
  local hidden = 0
  for slot = 1, #t.solid do hidden = hidden + (o.hidden[slot] and 1 or 0) end
  if hidden == #t.solid and hidden > 0 then
    parts[#parts + 1] = "all are hidden; 1 shows a"
  end
  if o.x0 then parts[#parts + 1] = "zoomed; 0 fits" end
  return table.concat(parts, "  ")
end

--- Draws the view in rows top to bottom.
-- @treturn table where the chart is (canvas:chart), with legend = its first row
-- @treturn string what the cursor reads, when it is the caller's to show
function M.draw(c, s, o, top, bottom)
  local t = make_curves(s, o)
  local _, selected = widgets.selected(s, o)
  t.selected = selected
  if t.solid[selected] and o.band then t.solid[selected].selected = true end
  local large = o.height >= 16
  local about = large and note(t, s, o) or ""
  if about ~= "" then
    c:text(1, top, about, o.width, canvas.dim)
    top = top + 1
  end
  local verdict = large and verdicts.text(s, o)
  local lines = verdict and (o.verdict and fold.lines(verdict, o.width)
    or { verdicts.short(verdict) }) or {}
  for i = 1, math.min(#lines, o.height // 4) do
    c:text(1, top, lines[i], o.width, 0)
    top = top + 1
  end
  local width, height, legend_row, legend_left = o.width, bottom - top + 1, nil, 1
  local running, shown = s.state == "running" and running_models(s) or {}, nil
  if o.width >= WIDE then
    width = o.width - SIDE - 2
    legend_left, legend_row = width + 3, top
    local rows = c:legend { left = legend_left, top = top, width = SIDE,
      height = math.min(#t.solid + 1, height), curves = t.solid }
    local list = #running > 0 and running or s.models
    table_of.rows(c, legend_left, top + rows + 1, SIDE, height - rows - 1, list, s, o)
    shown = { list = list, top = top + rows + 2, left = legend_left }
  else
    local least = large and 8 or 4 -- rows the chart keeps
    local legend = math.min(#t.solid + (large and 1 or 0), math.max(0, height - least))
    local rest = math.max(0, height - least - legend)
    local list = o.height >= 20 and #running > 0
      and math.min(#running + 1, rest, height // 4 + 1) or 0
    if list == 1 then list = 0 end
    table_of.rows(c, 1, bottom - list + 1, width, list, running, s, o)
    shown = { list = running, top = bottom - list + 2, left = 1 }
    legend_row = bottom - list - legend + 1
    c:legend { left = 1, top = legend_row, width = width, height = legend, curves = t.solid }
    height = height - list - legend
  end
  local shade, band
  if o.band and not o.hidden[selected] then
    shade, band = band_of(widgets.selected(s, o), t.edfs[selected], selected)
  end
  local text = o.cursor and readout(t, o.cursor, width, band)
  if text and large then
    c:text(1, top + height - 1, text, width, canvas.bold)
    height = height - 1
  end
  local info = c:chart { left = 1, top = top, width = width, height = height,
    curves = t.all, cursor = o.cursor, bands = { shade }, x0 = o.x0, x1 = o.x1, log = o.log,
    x_label = "error (%)", y_label = "share of models with error below e" }
  info.legend, info.legend_left, info.models = legend_row, legend_left, shown
  info.legend_heading = large and o.width >= 24 and 1 or 0
  return info, text
end

--- The plot as plot.edf takes it, for files.
function M.plot(s, o)
  local t = make_curves(s, o)
  local list = { title = t.note }
  for slot, id in ipairs(widgets.chosen(s, o)) do
    local p, edf = s.populations[id], t.edfs[slot]
    if not o.hidden[slot] then
      list[#list + 1] = edf and edf.weighted and edf or { name = p.name, errors = p.errors,
        n = p.n, provisional = p.provisional }
    end
  end
  if #list == 0 then return nil end
  list.from, list.to = o.x0 and math.max(0, o.x0), o.x1 and math.min(100, o.x1)
  return plot.edf(list)
end

return M
