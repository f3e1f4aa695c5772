--- Pictures by gnuplot: the script of a picture, the same for every kind of file, and the
-- running of it.  Every text stands in single quotes, where neither backquotes nor macros nor
-- markup mean anything, and its own single quotes as octal codes in double ones, as gnuplot
-- reads several in a row wrongly; numbers come in data blocks; no path enters a script, as
-- the output is read from a pipe; no shell is between.

local clean = require("netspace.lib.label").clean
local layout = require "netspace.plot.layout"
local sys = require "netspace.core.sys"
local tabular = require "netspace.lib.tabular"
local uv = require "luv"

local M = {}

--- Okabe and Ito's colours, as far apart as possible for the colour-blind, and what tells
-- curves apart without any: dashes and point symbols.
local colours = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
  "#a0522d", "#555555" }
local dashes = { "1", "(6,3)", "(2,2)", "(9,3,2,3)", "(12,3)", "(4,2,1,2)", "(1,2)",
  "(9,2,3,2,3,2)" }
local symbols = { 6, 4, 8, 12, 10, 2, 1, 5 }

-- A text as gnuplot's literal, of which `page` says whether LaTeX sets it.
local function literal(page, s, most)
  local text = clean(s, most)
  if page.latex then -- gnuplot takes a bracket at the beginning for options
    text = tabular.latex(text):gsub("^{%[}", "\\relax[")
  end
  return ("'" .. text:gsub("'+", function(quotes)
    return "'.\"" .. ("\\047"):rep(#quotes) .. "\".'"
  end) .. "'")
end

local function number(x) return ("%.10g"):format(x) end

-- The unit that makes the numbers of an axis short: 1.5 (M).
local function unit_of(axis)
  local most = math.max(math.abs(axis.from), math.abs(axis.to))
  local typical = axis.log and 2 * math.sqrt(axis.from * axis.to) or most
  for _, unit in ipairs { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } } do
    if typical >= unit[1] and most >= 1e4 then return unit[1], unit[2] end
  end
  return 1
end

-- Lines of a data block; columns are lists, and NaN is gnuplot's own word.
local function block(out, name, columns)
  out[#out + 1] = name .. " << EOD"
  for i = 1, #columns[1] do
    local row = {}
    for k, column in ipairs(columns) do
      row[k] = column[i] == column[i] and number(column[i]) or "NaN"
    end
    out[#out + 1] = table.concat(row, " ")
  end
  if #columns[1] == 0 then out[#out + 1] = ("NaN "):rep(#columns) end
  out[#out + 1] = "EOD"
end

local function scaled(list, unit)
  if unit == 1 then return list end
  local out = {}
  for i, x in ipairs(list) do out[i] = x / unit end
  return out
end

-- What each kind of series is in gnuplot: its columns, how it is drawn.
local kinds = {}

local function stroke(s, width)
  return ("lw %g dt %s lc rgb '%s'"):format(s.faint and 1 or width or 1.6,
    s.faint and "(1,3)" or s.dash or dashes[s.id], colours[s.id])
end

function kinds.steps(s)
  local x, y = {}, {} -- as lines, since dashes start anew at each of gnuplot's own steps
  for i, at in ipairs(s.x) do
    x[#x + 1], y[#y + 1] = at, s.y[i - 1] or 0
    x[#x + 1], y[#y + 1] = at, s.y[i]
  end
  return { x, y }, "with lines " .. stroke(s)
end

function kinds.line(s) return { s.x, s.y }, "with lines " .. stroke(s, s.width) end

function kinds.points(s)
  return { s.x, s.y }, ("with points pt %d ps %g lw 1 lc rgb '%s'"):format(
    s.symbol or symbols[s.id], s.size or 0.45, colours[s.id])
end

function kinds.area(s)
  return { s.x, s.lo, s.hi }, ("with filledcurves fc rgb '%s' fs transparent solid %g noborder")
    :format(colours[s.id], s.opacity or 0.18)
end

-- A text at (x, y), in units from the top left.
local function label(out, page, text, x, y, how)
  out[#out + 1] = ("set label %s at screen %.6f,%.6f %s"):format(text, x / page.width,
    1 - y / page.height, how)
end

-- The step 1, 2 or 5 × 10^k that cuts `span` into at most `most` parts.
local function nice_step(span, most)
  local power = 10 ^ math.floor(math.log(span / most, 10))
  for _, m in ipairs { 1, 2, 5 } do
    if m * power * most >= span * 0.999999 then return m * power end
  end
  return 10 * power
end

-- The ticks of an axis that is `length` units long.
local function ticks(page, letter, a, unit, length)
  if a.log then return "autofreq" end
  local list = {}
  for i, text in ipairs(a.ticks or {}) do list[i] = ("%s %d"):format(literal(page, text, 12), i) end
  return a.ticks and "(" .. table.concat(list, ", ") .. ")"
    or number(nice_step((a.to - a.from) / unit, length / (letter == "x" and 36 or 24)))
end

local function axis(out, page, letter, a, length)
  local unit, prefix = unit_of(a)
  out[#out + 1] = ("set %srange [%s:%s]"):format(letter, number(a.from / unit),
    number(a.to / unit))
  out[#out + 1] = a.log and ("set logscale %s %d"):format(letter, a.log)
    or "unset logscale " .. letter
  out[#out + 1] = ("set %stics nomirror out scale 0.4 %s %s"):format(letter,
    letter == "x" and "offset 0,0.3" or "offset 0.6,0", ticks(page, letter, a, unit, length))
  local text = a.short or a.label
  return unit, literal(page, prefix and ("%s (%s)"):format(text, prefix) or text, 80)
end

-- Notes stand where a key would.
local function notes(out, page, panel, box)
  local k = box.key
  local x, y = box.left + 4, box.bottom + layout.KEY_BELOW
  if k.corner then
    x = k.corner:find "left" and x or box.right - k.width
    y = k.corner:find "top" and box.top + 4 or box.bottom - k.height - 2
  end
  for i, text in ipairs(panel.notes) do
    label(out, page, literal(page, text, k.most), x, y + (i - 0.5) * layout.LINE,
      "left font " .. page.small)
  end
end

local function key(out, page, panel, box)
  local k = box.key
  if not k or panel.notes then
    out[#out + 1] = "unset key"
    if k then notes(out, page, panel, box) end
    return
  end
  local where = k.corner and ("at graph %s"):format(({ bottom_right = "0.99,0.02 right bottom",
    top_right = "0.99,0.98 right top", top_left = "0.01,0.98 left top",
    bottom_left = "0.01,0.02 left bottom" })[k.corner])
    or ("at screen %.6f,%.6f left top maxrows %d"):format(box.left / page.width,
      1 - (box.bottom + layout.KEY_BELOW) / page.height, k.rows)
  out[#out + 1] = ("set key %s vertical Left reverse samplen 2 spacing %g "
    .. "font %s title %s left"):format(where, page.spacing, page.small,
    literal(page, panel.key_title or "", 80))
end

local function draw_panel(out, page, panel, index)
  local box = page.boxes[index]
  for side, at in pairs { l = box.left / page.width, r = box.right / page.width } do
    out[#out + 1] = ("set %smargin at screen %.6f"):format(side, at)
  end
  for side, at in pairs { b = box.bottom / page.height, t = box.top / page.height } do
    out[#out + 1] = ("set %smargin at screen %.6f"):format(side, 1 - at)
  end
  out[#out + 1] = "unset label"
  local x_unit, x_label = axis(out, page, "x", panel.x, box.right - box.left)
  local y_unit, y_label = axis(out, page, "y", panel.y, box.bottom - box.top)
  local middle = (box.left + box.right) / 2
  if panel.title then
    label(out, page, literal(page, panel.title, layout.characters(box.right - box.left)), middle,
      box.top - 10, "center")
  end
  label(out, page, x_label, middle, box.bottom + 29, "center")
  label(out, page, y_label, box.left - 43, (box.top + box.bottom) / 2, "center rotate by 90")
  if index == 1 and page.title then
    label(out, page, literal(page, page.title, layout.characters(page.width)),
      page.width / 2, 12, "center")
  end
  key(out, page, panel, box)
  local plots = {}
  for k, s in ipairs(panel.series) do
    local columns, style = kinds[s.kind](s)
    for i, list in ipairs(columns) do
      columns[i] = scaled(list, i == 1 and x_unit or y_unit)
    end
    local name = ("$p%ds%d"):format(index, k)
    block(out, name, columns)
    local title = s.key or s.name
    plots[k] = ("%s using %s %s %s"):format(name, #columns == 3 and "1:2:3" or "1:2", style,
      title and "title " .. literal(page, title, box.key.most) or "notitle")
  end
  out[#out + 1] = "plot " .. table.concat(plots, ", \\\n  ")
end

local IN_LATEX = "'\\fontsize{%g}{9}\\selectfont'" -- a font of this size

-- By kind of file: the terminal, what it takes for a unit and for the size of a text, and the
-- spacing that makes the lines of a key as high as layout.lua has them.  Of a screen, whose
-- pixels are given, all is for a unit of one pixel.
local terminals = {
  svg = { "svg size %d,%d noenhanced font 'Helvetica,%g'", 1, 1, 0.79 },
  png = { "pngcairo size %d,%d noenhanced font 'Helvetica,%g' linewidth 2.5 pointscale 3.4 "
    .. "dashlength 2.2", 3, 2.35, 1.22 },
  pdf = { "pdfcairo size %.4fin,%.4fin noenhanced font 'Helvetica,%g' fontscale 1 linewidth 1.2 "
    .. "pointscale 0.75 dashlength 2", 1 / 103, 0.55, 1.22 },
  tex = { "tikz size %.4fin,%.4fin fontscale 1 linewidth 1 font " .. IN_LATEX, 1 / 103, 0.55,
    1.22 },
}
local of_screen = {
  png = { "pngcairo size %%.0f,%%.0f noenhanced font 'Helvetica,%%g' linewidth %.2f "
    .. "dashlength %.2f pointscale %.2f", 0.78, 1.22 },
  sixel = { "sixelgd size %%.0f,%%.0f noenhanced truecolor font 'Helvetica,%%g' linewidth %.2f "
    .. "dashlength %.2f", 0.73, 1.22 },
}

-- The same for a picture `width` pixels wide.
local function terminal_of(kind, page, width)
  if not width then return terminals[kind or "svg"] end
  local t, unit = of_screen[kind], width / page.width
  return { t[1]:format(math.max(1, 0.83 * unit), 0.73 * unit, 1.13 * unit), unit, t[2] * unit,
    t[3] }
end

--- The script that draws a picture; without a kind of file the terminal is the reader's.
-- @tparam[opt] integer width in pixels, of a "png" or "sixel" to be shown at once
function M.script(picture, kind, width)
  local page, out = layout.of(picture), { "set encoding utf8" }
  local terminal = terminal_of(kind, page, width)
  page.title, page.font, page.spacing = picture.title, layout.FONT * terminal[3], terminal[4]
  page.latex = kind == "tex"
  page.small = (page.latex and IN_LATEX or "',%g'"):format(layout.SMALL * terminal[3])
  if kind then
    out[2] = "set terminal " .. terminal[1]:format(page.width * terminal[2],
      page.height * terminal[2], page.font)
  end
  table.move({ "set border 3 lw 0.8 lc rgb '#444444'",
    "set grid lw 0.5 dt solid lc rgb '#dddddd'", "set multiplot" }, 1, 3, #out + 1, out)
  for i, panel in ipairs(picture.panels) do draw_panel(out, page, panel, i) end
  out[#out + 1] = "unset multiplot"
  return table.concat(out, "\n") .. "\n"
end

M.MISSING = "gnuplot, which draws pictures, is not installed (Debian package gnuplot-nox)"

-- Runs gnuplot on a script: what it wrote, or nil and why not.
local function run(option, script)
  local input, output, messages = uv.new_pipe(), uv.new_pipe(), uv.new_pipe()
  local written, said, open, status, signal = {}, {}, 2, nil, nil
  local child, message, code = uv.spawn("gnuplot", { args = { option, "-" },
    stdio = { input, output, messages } }, function(n, by) status, signal = n, by end)
  local function close()
    for _, handle in ipairs { input, output, messages, child or nil } do
      if not handle:is_closing() then handle:close() end
    end
    uv.run "nowait" -- lets them close: luv crashes at exit over handles that have not yet
  end
  if not child then
    close()
    return nil, code == "ENOENT" and M.MISSING or "gnuplot cannot be started: " .. message
  end
  local function reader(list)
    return function(failed, text)
      list[#list + 1] = text
      if failed or not text then open = open - 1 end
    end
  end
  output:read_start(reader(written))
  messages:read_start(reader(said))
  input:write(script, function() input:close() end)
  local good, err = true, nil -- a callback of somebody else's may fail meanwhile
  while good and not (status and open == 0) do
    good, err = pcall(uv.run, "once")
    if not good or sys.interrupted() then child:kill "sigkill" end
  end
  close()
  if not good then error(err, 0) end
  if sys.interrupted() then error("interrupted", 0) end
  if status ~= 0 or signal ~= 0 then
    return nil, ("gnuplot ended with %s: %s"):format(signal ~= 0 and "signal " .. signal
      or "exit status " .. status, table.concat(said):gsub("%s+", " "))
  end
  return table.concat(written)
end

--- What gnuplot draws of a picture.
-- @treturn string the bytes of an "svg", "png", "pdf", "tex" or "sixel", or nil and a message
function M.draw(picture, kind, width)
  local bytes, message = sys.shielded(run, "-d", M.script(picture, kind, width))
  if bytes == "" then
    return nil, ("gnuplot drew nothing: it cannot write %s here"):format(kind)
  end
  if bytes and kind == "tex" then bytes = bytes:gsub("%%%% [^\n]*\n", "", 2) end -- the time
  return bytes, message
end

--- "gnuplot 5.4 patchlevel 4"; or nil and why it cannot be had.
function M.version()
  local text, message = sys.shielded(run, "--version", "")
  return text and text:gsub("%s+$", "") or nil, message
end

return M
