--- The monitor's scatter of error against a property of the networks, with the band that the
-- empirical bootstrap gives for the best model (Radosavovic et al. 2020, footnote 4).

local canvas = require "netspace.core.canvas"
local fuzzy = require "netspace.lib.fuzzy"
local property = require "netspace.stats.property"
local scatter = require "netspace.plot.scatter"
local stats = require "netspace.stats.stats"
local times = require "netspace.network.times"
local value = require("netspace.lib.units").value
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local names = { "flops", "params", "acts", "d", "w", "b", "g", "w_0", "w_a", "w_m", "w[1]", "w[2]",
  "w[3]", "w[4]", "d[1]", "d[2]", "d[3]", "d[4]", "b[1]", "b[2]", "b[3]", "b[4]", "g[1]", "g[2]",
  "g[3]", "g[4]" }

--- What there is to choose from; times (arch.time) where those of layers were measured.
function M.names()
  local list = { table.unpack(names) }
  if times.present() then table.move({ "time", "test_time" }, 1, 2, #list + 1, list) end
  return list
end

local LEAST = 8 -- models from which the best of them say anything

--- Those that what was typed in the list finds.
function M.found(typed)
  local list, all = {}, M.names()
  for i, k in ipairs(fuzzy.rank(typed or "", all)) do list[i] = all[k] end
  return list
end

local costs = { flops = true, params = true, acts = true } -- known without the networks

--- Whether what the view shows is not known without them.
function M.needs_networks(o) return not costs[o.property or "flops"] end

-- The finished models of a population as a result.
local function result_of(p)
  local models = p.networks and {} or p.finished
  for i, model in ipairs(p.networks and p.finished or {}) do
    models[i] = p.networks[model.index]
  end
  return { name = p.name, errors = p.errors, models = models,
    columns = { flops = p.flops, params = p.params, acts = p.acts } }
end

local function values(result, name)
  local good, list = pcall(property.values, "monitor", result, name, true)
  if good then return list end
  return nil, tostring(list):gsub("^.-monitor: ", "")
end

local function range(list, pad, most)
  local lo, hi = math.huge, -math.huge
  for _, x in ipairs(list) do
    if x < (most or math.huge) then lo, hi = math.min(lo, x), math.max(hi, x) end
  end
  if lo > hi then return 0, 100 end
  local by = hi > lo and pad * (hi - lo) or math.max(math.abs(lo) * pad, 0.5)
  return lo - by, hi + by
end

-- The first text that fits into `width` cells; the last, where none does.
local function fitting(width, ...)
  local texts = { ... }
  for _, text in ipairs(texts) do
    if canvas.text_width(text) <= width then return text end
  end
  return texts[#texts]
end

--- The view as plot.scatter makes it, for files; nil when there is nothing to draw.
function M.plot(s, o)
  local p = widgets.selected(s, o)
  if not p or #p.errors == 0 or M.needs_networks(o) and not p.networks then return nil end
  local good, picture = pcall(scatter.scatter, result_of(p), o.property or "flops",
    { log = o.log_x })
  return good and picture or nil
end

-- The cells of the models' points: a list of their columns and rows made when it is asked for.
local function cells(info, chart, x, errors)
  local to = chart.log and math.log or function(v) return v end
  local x0, x1 = to(chart.x0), to(chart.x1)
  return function()
    local list = {}
    for i, v in ipairs(x) do
      local along = (to(v) - x0) / (x1 - x0)
      local up = (math.min(errors[i], chart.y1) - chart.y0) / (chart.y1 - chart.y0)
      list[i] = { x = info.left + along * (info.width - 1),
        y = info.top + (1 - up) * (info.height - 1) }
    end
    return list
  end
end

--- Rows top to bottom.
function M.draw(c, s, o, top, bottom)
  local p, slot = widgets.selected(s, o)
  local name = o.property or "flops"
  local result, x, why
  if not p or #p.errors == 0 then
    why = "no model has finished"
  elseif M.needs_networks(o) and not p.networks then
    why = "reading the networks"
  else
    result = result_of(p)
    x, why = values(result, name)
  end
  local whole = ("%serror against %s"):format(p and p.name .. ": " or "", name)
  local title = fitting(o.width, whole, "error against " .. name, name)
  if why then
    c:text(1, top, title, o.width, canvas.bold)
    c:text(1, top + 1, why, o.width, 0)
    return {}
  end
  local good, band = pcall(stats.bootstrap, result, name, { exact = true })
  local known = good and band.median and #p.errors >= LEAST
  if known then
    local best = ("; best models: %s to %s"):format(value(band.lo), value(band.hi))
    local more = (", median %s (95 %%)"):format(value(band.median))
    local short = "error against " .. name
    title = fitting(o.width, whole .. best .. more, whole .. best, short .. best .. more,
      short .. best, title)
  end
  c:text(1, top, title, o.width, canvas.bold)
  local x0, x1 = range(x, 0.03)
  local y0, y1 = range(p.errors, 0.05, 100)
  if o.log_x and x0 <= 0 then -- a logarithmic axis begins at the least
    x0 = math.huge
    for _, v in ipairs(x) do x0 = math.min(x0, v) end
  end
  y1 = math.min(100, y1)
  local chart = { left = 1, top = top + 1, width = o.width, height = bottom - top, x0 = x0,
    x1 = x1, y0 = y0, y1 = y1, log = o.log_x, x_label = name, y_label =
    "error (%), failed ones at the top",
    curves = { { kind = "points", id = slot, x = x, y = p.errors } } }
  if known then
    chart.bands = { { id = slot, x = { band.lo, band.hi }, lo = { y0, y0 }, hi = { y1, y1 } } }
    chart.cursor = band.median
  end
  local info = c:chart(chart)
  info.points = cells(info, chart, x, p.errors)
  return info
end

return M
