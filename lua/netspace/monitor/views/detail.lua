--- All about one model: how it stands, its learning curve, its failures, the recipe and what
-- the network is made of.

local arch = require "netspace.network.arch"
local canvas = require "netspace.core.canvas"
local fold = require "netspace.lib.fold"
local table_of = require "netspace.monitor.views.models"
local units = require "netspace.lib.units"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local function recipe_text(recipe)
  local keys, parts = {}, {}
  for key, value in pairs(recipe or {}) do
    if type(value) ~= "table" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = key .. " " .. tostring(recipe[key]) end
  return table.concat(parts, ", ")
end

local function add_wrapped(lines, text, width, style)
  for _, line in ipairs(fold.lines(text, width)) do lines[#lines + 1] = { line, style } end
end

local function lines_of(model, p, s, width)
  local lines = {}
  local status = ("%s model %d: %s, epoch %d/%d, attempt %d"):format(p.name, model.index,
    table_of.status(model), model.epoch, model.epochs, model.attempt)
  if model.error then status = status .. (", error %.2f %%"):format(model.error) end
  add_wrapped(lines, status, width, canvas.bold)
  local parts = {}
  if model.images_per_s then parts[1] = ("%.0f images/s"):format(model.images_per_s) end
  if model.seconds then parts[#parts + 1] = units.duration(model.seconds) end
  if model.worker then parts[#parts + 1] = ("worker %d"):format(model.worker) end
  if model.memory then parts[#parts + 1] = ("%.0f MB"):format(model.memory / 1e6) end
  if #parts > 0 then add_wrapped(lines, table.concat(parts, ", "), width) end
  if model.reason then add_wrapped(lines, model.reason, width, canvas.alarm) end
  if model.signal then add_wrapped(lines, "signal " .. model.signal, width, canvas.alarm) end
  if model.log then add_wrapped(lines, model.log, width) end
  for _, e in ipairs(s.events or {}) do
    add_wrapped(lines, os.date("%H:%M:%S  ", math.floor(e.time)) .. e.text, width)
  end
  add_wrapped(lines, "recipe: " .. recipe_text(p.recipe), width, canvas.dim)
  if s.network then
    local good, text = pcall(function() return tostring(arch.describe(s.network)) end)
    for line in (good and text or ""):gmatch "[^\n]+" do lines[#lines + 1] = { line } end
  end
  return lines
end

--- Rows top to bottom, of the model o.detail = { population, index }.
function M.draw(c, s, o, top, bottom)
  local model
  for _, x in ipairs(s.models) do
    if x.population_id == o.detail[1] and x.index == o.detail[2] then model = x break end
  end
  if not model then
    c:text(1, top, "this model is not in the store any more", o.width, 0)
    return {}
  end
  local p, curve = s.populations[o.detail[1]], model.curve or {}
  if #curve > 1 and bottom - top >= 16 then
    local height, x, lo, hi = 9, {}, math.huge, -math.huge
    for i, e in ipairs(curve) do x[i], lo, hi = i, math.min(lo, e), math.max(hi, e) end
    local pad = math.max(0.5, 0.05 * (hi - lo))
    local id = widgets.slots(s, o)[o.detail[1]] or 1
    c:chart { left = 1, top = top, width = o.width, height = height, x0 = 0.9,
      x1 = math.max(#curve, model.epochs) + 0.1, y0 = lo - pad, y1 = hi + pad,
      x_label = "epoch", y_label = "validation error (%)",
      curves = { { kind = "points", id = id, x = x, y = curve },
        { kind = "line", id = id, x = x, y = curve } } }
    top = top + height
  end
  local lines, rows = lines_of(model, p, s, o.width), bottom - top + 1
  local scroll = math.max(0, math.min(#lines - rows, o.detail_scroll or 0))
  for i = 1, math.min(rows, #lines - scroll) do
    local line = lines[i + scroll]
    c:text(1, top + i - 1, line[1], o.width, line[2] or 0)
  end
  return { scroll = scroll }
end

return M
