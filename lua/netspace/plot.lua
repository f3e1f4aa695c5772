--- Error EDFs as pictures: step curves in the terminal, told apart without colour.
-- F(e) = share of models with error below e (Radosavovic et al. 2020, equation 1).
--
--   plot.edf{ A, B }:show()

local canvas = require "netspace.core.canvas"
local help = require "netspace.help"
local options = require "netspace.options"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"

local M = {}

local MOST = 8 -- curves a canvas tells apart
local X_LABEL = "error (%)"
local Y_LABEL = "share of models with error below e"

--- Whether plots should keep to ASCII: asked for, or what the terminal can show.
function M.ascii()
  local asked = os.getenv("NETSPACE_ASCII")
  return asked ~= nil and asked ~= "" and asked ~= "0" or not screen.unicode()
end

--- The steps of a list of errors: x ascending, y the share of models up to and with x.
-- NaN (a diverged model) counts as 100, never dropped.
local function steps(errors)
  local x, y = {}, {}
  for i, e in ipairs(errors) do x[i] = e == e and e or 100 end
  table.sort(x)
  for i = 1, #x do y[i] = i / #x end
  return x, y
end

--- A curve as canvas:chart and canvas:legend take it, from a list of errors in percent.
-- @tparam[opt] number total models there will be, for a legend of "12/16"
function M.curve(name, id, errors, total)
  local curve = { name = name, id = id, failed = 0 }
  curve.x, curve.y = steps(errors)
  local sum = 0
  for _, e in ipairs(curve.x) do
    sum = sum + e
    if e >= 100 then curve.failed = curve.failed + 1 end
  end
  local n = #errors
  curve.count = total and total ~= n and ("%d/%d"):format(n, total) or tostring(n)
  if n > 0 then curve.min, curve.mean = curve.x[1], sum / n end
  return curve
end

--- The faint curve of the finished models together with what running ones have now.
function M.provisional(id, errors, running)
  local all = table.move(errors, 1, #errors, 1, {})
  table.move(running, 1, #running, #all + 1, all)
  local x, y = steps(all)
  return { id = id, faint = true, x = x, y = y }
end

local function check_errors(list, level)
  for i, e in ipairs(list) do
    if type(e) ~= "number" then
      error(("plot.edf: error %d is a %s; errors are numbers in percent"):format(i, type(e)),
        level + 1)
    end
  end
  return list
end

-- Adds what `value`, the i-th argument, shows to the list of curves.
local function add_curves(curves, value, i, level)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" then
    error(("plot.edf: item %d is a %s; it takes results of sweep.run, stats.edf values, "
      .. "lists of errors, or { name =, errors = }"):format(i, kind), level + 1)
  end
  if kind == "userdata" or value.steps then -- an edf
    local x, y = value:steps()
    local curve = { name = value.name or "curve " .. i, id = i, x = x, y = y, failed = 0,
      count = tostring(value.n), min = value.min, mean = value.mean }
    local before = 0
    for k = 1, #x do
      if not (x[k] < 100) then break end
      before = y[k]
    end
    if #x > 0 then curve.failed = math.floor((1 - before) * value.n + 0.5) end
    curves[#curves + 1] = curve
    return
  end
  local errors = check_errors(value.errors or value, level + 1)
  local name = value.errors and value.name or "curve " .. i
  curves[#curves + 1] = M.curve(tostring(name), i, errors, value.n)
  if value.provisional and #value.provisional > 0 then
    check_errors(value.provisional, level + 1)
    curves[#curves + 1] = M.provisional(i, errors, value.provisional)
  end
end

local Plot = {}
Plot.__index = Plot
Plot.__name = "plot"

--- A plot of up to eight error EDFs.
-- @usage plot.edf{ { 40, 50, 60 }, { name = "B", errors = { 35, 45, 50, 100 } } }:show()
function M.edf(t)
  if type(t) ~= "table" then
    error("plot.edf expects a table: plot.edf{ A, B }, got " .. type(t), 2)
  end
  -- plot.edf(result) and plot.edf{ 40, 50 } mean one curve
  if t.errors or t.steps or type(t[1]) == "number" then t = { t } end
  local o = {}
  for k, v in pairs(t) do
    if math.type(k) ~= "integer" then o[k] = v end
  end
  options.check("plot.edf", o, { title = "string", from = "number", to = "number" })
  if o.from and o.to and o.from >= o.to then
    error(("plot.edf: from = %g must be below to = %g"):format(o.from, o.to), 2)
  end
  if #t < 1 or #t > MOST then
    error(("plot.edf shows 1 to %d curves, got %d"):format(MOST, #t), 2)
  end
  local curves = {}
  for i = 1, #t do add_curves(curves, t[i], i, 2) end
  return setmetatable({ _curves = curves, _options = o, _n = #t }, Plot)
end

local function compose(self, width, height, ascii)
  local o, curves = self._options, self._curves
  local c = canvas.new(width, height, ascii)
  local top, legend = 1, math.min(self._n + 1, math.max(0, height - 4))
  if o.title then
    c:text(1, 1, o.title, width, canvas.bold)
    top = 2
  end
  local x0, x1 = o.from, o.to
  if (x0 or x1) and not (x0 and x1) then -- the other end comes from the data
    local range = canvas.new(width, height, ascii):chart { curves = curves }
    x0, x1 = x0 or range.x0, x1 or range.x1
  end
  c:chart { left = 1, top = top, width = width, height = height - legend - top + 1,
    x_label = X_LABEL, y_label = Y_LABEL, x0 = x0, x1 = x1, curves = curves }
  c:legend { left = 1, top = height - legend + 1, width = width, height = legend,
    curves = curves }
  return c
end

local function check_size(where, o)
  for _, key in ipairs { "width", "height" } do
    if o[key] and (o[key] < 1 or o[key] > 1000) then
      error(("%s: %s is %d; it must be 1 to 1000"):format(where, key, o[key]), 3)
    end
  end
end

--- The plot as text.
-- @tparam[opt] table o width (80), height (24), ascii (by the terminal)
function Plot:text(o)
  o = options.check("plot:text", o,
    { width = "integer", height = "integer", ascii = "boolean" })
  check_size("plot:text", o)
  local ascii = o.ascii
  if ascii == nil then ascii = M.ascii() end
  local width, height = (o.width or 80) // 1 | 0, (o.height or 24) // 1 | 0
  return table.concat(compose(self, width, height, ascii):lines(), "\n")
end

function Plot:__tostring()
  return self:text()
end

--- Prints the plot in the size of the terminal (80 × 24 when there is none).
function Plot:show(o)
  o = options.check("plot:show", o,
    { width = "integer", height = "integer", ascii = "boolean" })
  check_size("plot:show", o)
  local width, height = screen.size(1)
  width = o.width or math.min(width or 80, 100)
  height = o.height or math.min(math.max(height and height - 3 or 24, 6), 26)
  local ascii = o.ascii
  if ascii == nil then ascii = M.ascii() end
  local colours = sys.isatty(1) and screen.colours() or 0
  local lines = compose(self, width // 1 | 0, height // 1 | 0, ascii):lines(colours)
  io.stdout:write(table.concat(lines, "\n"), "\n")
end

help.add("plot.edf", [[
  plot.edf{ A, B, … } -> plot
  The error EDFs of up to eight populations in one plot; failed models count as 100 %.
    A, B, …    results of sweep.run, stats.edf values, lists of errors in percent, or
               { name =, errors =, provisional = }: provisional errors, of models still
               in training, are drawn as sparse dots
    title      a heading
    from, to   the range of errors to show (default: all finished models)
  example: plot.edf{ { 40, 50, 60 }, { name = "B", errors = { 35, 45, 100 } } }:show()
  source: Radosavovic et al. 2020, equation 1 and figure 2]])

help.add("plot:text", [[
  plot:text{ width = 80, height = 24, ascii = false } -> string
  The plot as lines of text: braille dots, or ASCII with one letter per curve.
  example: plot.edf{ { 40, 50, 60 } }:text{ width = 40, height = 10, ascii = true }]])

help.add("plot:show", [[
  plot:show([{ width =, height =, ascii = }])
  Prints the plot in the size of the terminal; ASCII where braille cannot be shown (the
  locale, TERM, or NETSPACE_ASCII=1), colour only on a terminal without NO_COLOR.
  example: plot.edf{ { 40, 50, 60 } }:show()]])

return M
