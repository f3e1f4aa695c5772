--- Error EDFs as pictures: step curves in the terminal, told apart without colour.
-- F(e) = share of models with error below e (Radosavovic et al. 2020, equation 1).
--
--   plot.edf{ A, B }:show()

local canvas = require "netspace.core.canvas"
local help = require "netspace.help"
local options = require "netspace.options"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

local MOST = 8 -- curves a canvas tells apart
local X_LABEL = "error (%)"
local Y_LABEL = "share of models with error below e"

--- Whether plots should keep to ASCII: asked for, or what the terminal can show.
function M._ascii()
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
function M._curve(name, id, errors, total)
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
function M._provisional(id, errors, running)
  local all = table.move(errors, 1, #errors, 1, {})
  table.move(running, 1, #running, #all + 1, all)
  local x, y = steps(all)
  return { id = id, faint = true, x = x, y = y }
end

local function check_errors(list, level)
  for i, e in ipairs(list) do
    if type(e) ~= "number" then
      error(("plot.edf: error %d is a %s; errors are numbers in percent"):format(
        i, type(e)), level + 1)
    elseif e < 0 or e > 100 then -- a NaN is neither
      error(("plot.edf: error %d is %g; errors are percent, 0 to 100"):format(i, e), level + 1)
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
    local curve = { name = value.name or "curve " .. i, id = i, x = x, y = y,
      failed = value.failed, count = tostring(value.n), min = value.min, mean = value.mean }
    curves[#curves + 1] = curve
    return
  end
  local errors = check_errors(value.errors or value, level + 1)
  local name = value.errors and value.name or "curve " .. i
  curves[#curves + 1] = M._curve(tostring(name), i, errors, value.n)
  if value.provisional and #value.provisional > 0 then
    check_errors(value.provisional, level + 1)
    curves[#curves + 1] = M._provisional(i, errors, value.provisional)
  end
end

local Plot = {}
Plot.__index = Plot
Plot.__name = "plot"

--- A plot of up to eight error EDFs.
-- @usage plot.edf{ { 40, 50, 60 }, { name = "B", errors = { 35, 45, 50, 100 } } }:show()
function M.edf(t)
  if type(t) == "userdata" then t = { t } end
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
  for _, key in ipairs { "from", "to" } do
    if o[key] and not (o[key] >= 0 and o[key] <= 100) then
      error(("plot.edf: %s is %g; errors are percent, 0 to 100"):format(key, o[key]), 2)
    end
  end
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

-- The range of errors shown; an end that was not asked for comes from the data.
local function range(self)
  local o = self._options
  if o.from and o.to then return o.from, o.to end
  local found = canvas.new(80, 24):chart { curves = self._curves }
  return o.from or found.x0, o.to or found.x1
end

local function compose(self, width, height, ascii)
  local o, curves = self._options, self._curves
  local c = canvas.new(width, height, ascii)
  local top, legend = 1, math.min(self._n + 1, math.max(0, height - 4))
  if o.title then
    c:text(1, 1, o.title, width, canvas.bold)
    top = 2
  end
  local x0, x1 = range(self)
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
  if ascii == nil then ascii = M._ascii() end
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
  if ascii == nil then ascii = M._ascii() end
  local colours = sys.color(1) and math.max(screen.colours(), 8) or 0
  local lines = compose(self, width // 1 | 0, height // 1 | 0, ascii):lines(colours)
  io.stdout:write(table.concat(lines, "\n"), "\n")
end

-- Files, by gnuplot.  All text goes into single quotes, where neither backticks nor markup
-- mean anything; the output is taken from its stdout, so that no path enters the script.

local terminals = {
  svg = "svg size 720,480 dynamic noenhanced", png = "pngcairo size 1080,720 noenhanced",
  pdf = "pdfcairo size 6in,4in noenhanced",
}

-- Okabe and Ito's colours, as far apart as possible for the colour-blind.
local colours = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
  "#a0522d", "#555555" }

local function single_quoted(s)
  return "'" .. s:gsub("%c", " "):gsub("'", "''") .. "'"
end

local function gnuplot_script(self, kind)
  local x0, x1 = range(self)
  local out, plots = {
    "set terminal " .. terminals[kind], "set xlabel " .. single_quoted(X_LABEL),
    "set ylabel " .. single_quoted(Y_LABEL), ("set xrange [%.17g:%.17g]"):format(x0, x1),
    "set yrange [0:1]", "set grid", "set key right bottom",
  }, {}
  if self._options.title then
    out[#out + 1] = "set title " .. single_quoted(self._options.title)
  end
  for i, curve in ipairs(self._curves) do
    out[#out + 1] = ("$c%d << EOD"):format(i)
    if #curve.x > 0 then out[#out + 1] = ("%.17g 0"):format(curve.x[1]) end
    for k = 1, #curve.x do
      out[#out + 1] = ("%.17g %.17g"):format(curve.x[k], curve.y[k])
    end
    if #curve.x == 0 then out[#out + 1] = "NaN NaN" end
    out[#out + 1] = "EOD"
    local title = curve.faint and "" or curve.min
      and ("%s | n %s | min %.2f | mean %.2f%s"):format(curve.name, curve.count, curve.min,
        curve.mean, curve.failed > 0 and (" | failed %d"):format(curve.failed) or "")
      or curve.name .. " | n 0"
    plots[#plots + 1] = ("$c%d using 1:2 with steps lw %d dt %d lc rgb '%s' %s"):format(i,
      curve.faint and 1 or 2, curve.faint and 3 or curve.id, colours[curve.id],
      title == "" and "notitle" or "title " .. single_quoted(title))
  end
  out[#out + 1] = "plot " .. table.concat(plots, ", \\\n  ")
  return table.concat(out, "\n") .. "\n"
end

-- Runs gnuplot on a script file with its output in descriptor fd: true, or nil and why not.
local function run_gnuplot(script, fd)
  local err, said, status = uv.new_pipe(), {}, nil
  local child, message, code = uv.spawn("gnuplot",
    { args = { "-d", script }, stdio = { nil, fd, err } }, function(n) status = n end)
  if not child then
    err:close()
    uv.run "nowait"
    if code == "ENOENT" then
      return nil, "gnuplot, which draws the files, is not installed "
        .. "(Debian package gnuplot-nox)"
    end
    return nil, "gnuplot cannot be started: " .. message
  end
  local ended
  err:read_start(function(failed, text)
    said[#said + 1] = text
    ended = failed or not text
  end)
  while not (status and ended) do uv.run "once" end
  err:close()
  child:close()
  uv.run "nowait" -- lets both close: luv crashes at exit over handles that have not yet
  if status ~= 0 then
    return nil, ("gnuplot ended with %d: %s"):format(status, table.concat(said))
  end
  return true
end

--- Draws the plot into a file: .svg, .png or .pdf.
-- @treturn boolean true, or nil and a message
function Plot:save(path)
  if type(path) ~= "string" then
    error("plot:save expects a file name, got " .. type(path), 2)
  end
  local kind = path:match "%.(%a+)$"
  if not terminals[kind or ""] then
    error(("plot:save: '%s' does not end in .svg, .png or .pdf"):format(path), 2)
  end
  local part = path .. ".part"
  local fd, message = uv.fs_open(part, "w", tonumber("644", 8))
  if not fd then return nil, "cannot write " .. message end
  local script_fd, script = uv.fs_mkstemp(uv.os_tmpdir() .. "/netspace-XXXXXX")
  local good
  if script_fd then
    good, message = uv.fs_write(script_fd, gnuplot_script(self, kind))
    uv.fs_close(script_fd)
    if good then good, message = run_gnuplot(script, fd) end
    uv.fs_unlink(script)
  else
    message = script
  end
  uv.fs_close(fd)
  if good then good, message = uv.fs_rename(part, path) end
  if not good then
    uv.fs_unlink(part)
    return nil, message
  end
  return true
end

help.add("plot:save", [[
  plot:save(path) -> true, or nil and a message
  Draws the plot into a file by gnuplot: .svg, .png or .pdf.
  example (slow): plot.edf{ { 40, 50, 60 } }:save("edf.svg")]])

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
