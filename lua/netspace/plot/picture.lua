--- A picture: panels of series on axes, as plain data, and the ways to see it.  The text of a
-- terminal (terminal.lua) and the files (gnuplot.lua, svg.lua) are made of the same data.
--
--   picture = { title =, name =, about =, panels = { panel, … }, columns = 3, wide = bool }
--   panel   = { title =, x = axis, y = axis, series = { … }, key_title =, notes = { texts } }
--   axis    = { label =, short =, from =, to =, log = 2, ticks = names of 1, 2, … }
--   series  = { kind = "steps" | "line" | "points", id = 1 … 8, name =, x =, y = }, a NaN
--             parts lines, or { kind = "area", id =, x =, lo =, hi = }
-- name and about say what it is to who cannot see it; `key` of a series is its name in files.

local atomic = require "netspace.lib.atomic"
local gnuplot = require "netspace.plot.gnuplot"
local blame = require "netspace.lib.blame"
local display = require "netspace.lib.display"
local document = require("netspace.lib.doc").group "plot"
local image = require "netspace.plot.image"
local input = require "netspace.stats.input"
local layout = require "netspace.plot.layout"
local options = require "netspace.lib.options"
local screen = require "netspace.core.screen"
local svg = require "netspace.plot.svg"
local sys = require "netspace.core.sys"
local terminal = require "netspace.plot.terminal"

local M = {}

local Plot = {}
Plot.__index = Plot
Plot.__name = "plot"

--- Whether plots should keep to ASCII: asked for, or what the terminal can show.
local function ascii_only() return display.ascii_asked() or not screen.unicode() end

--- The picture that `t` describes.
function M.new(t)
  return setmetatable({ _picture = t }, Plot)
end

--- The results of f(…), of our own modules; its exceptions blame the caller's caller, as
-- `where`.
function M.call(where, f, ...)
  local function say(err)
    return type(err) == "string" and where .. err:gsub("^.-%l+%.%l+(: )", "%1")
  end
  local results = table.pack(blame.call(2, say, f, ...))
  return table.unpack(results, 1, results.n)
end

--- An axis around all numbers of some lists, NaN apart, with a little room at either end.
-- @tparam table a label and what else an axis has; `from` and `to` stay where they are given
function M.axis(a, lists)
  local lo, hi = math.huge, -math.huge
  for _, list in ipairs(lists) do
    for _, x in ipairs(list) do
      if x == x then lo, hi = math.min(lo, x), math.max(hi, x) end
    end
  end
  if lo > hi then lo, hi = 1, 1 end
  if a.log and lo > 0 then
    local by = hi > lo and (hi / lo) ^ 0.04 or 1.2
    lo, hi = lo / by, hi * by
  else
    local by = hi > lo and 0.04 * (hi - lo) or math.max(math.abs(lo) * 0.04, 0.5)
    a.log, lo, hi = nil, lo - by, hi + by
  end
  a.from, a.to = a.from or lo, a.to or hi
  return a
end

--- The axis of errors: of those that are not failures; its upper end is where those are drawn.
function M.error_axis(label, errors_of)
  local lists = {}
  for i, errors in ipairs(errors_of) do
    lists[i] = {}
    for _, e in ipairs(errors) do
      if e < 100 then table.insert(lists[i], e) end
    end
  end
  local a = M.axis({ label = label }, lists)
  a.from, a.to = math.max(0, a.from), math.min(100, a.to)
  return a
end

options.declare("plot.panels", { title = "string", columns = "integer" })

--- The panels of several plots in one picture.
function M.panels(t)
  if type(t) ~= "table" or getmetatable(t) == Plot then
    error("plot.panels expects a list of plots: plot.panels{ p, q }", 2)
  end
  local o, panels, about, wide = {}, {}, {}, false
  for k, v in pairs(t) do
    if math.type(k) ~= "integer" then o[k] = v end
  end
  options.check("plot.panels", o)
  for i, p in ipairs(input.whole("plot.panels", t)) do
    if getmetatable(p) ~= Plot then
      error(("plot.panels: item %d is a %s, not a plot"):format(i, type(p)), 2)
    end
    local inner = p._picture
    wide = wide or inner.wide
    for _, panel in ipairs(inner.panels) do
      if #inner.panels == 1 and inner.title and not panel.title then
        panel = setmetatable({ title = inner.title }, { __index = panel })
      end
      panels[#panels + 1] = panel
    end
    about[i] = ("%s: %s"):format(inner.title or inner.name, inner.about)
  end
  if #panels == 0 then error("plot.panels: there is no plot in the list", 2) end
  if o.columns and o.columns < 1 then
    error(("plot.panels: columns is %d; it must be 1 or more"):format(o.columns), 2)
  end
  return M.new { title = o.title, name = "Several plots", about = table.concat(about, ". "),
    columns = o.columns or wide and 2 or nil, wide = wide, panels = panels }
end

local function check_size(where, o)
  for _, key in ipairs { "width", "height" } do
    if o[key] and (o[key] < 1 or o[key] > 1000) then
      error(("%s: %s is %d; it must be 1 to 1000"):format(where, key, o[key]), 3)
    end
  end
end

options.declare("plot:text", { width = "integer", height = "integer", ascii = "boolean" })
options.declare("plot:show",
  { width = "integer", height = "integer", ascii = "boolean", graphics = "string" })
options.words.graphics = { "auto", "kitty", "sixel", "text" }

local function compose(self, o, width, height)
  local ascii = o.ascii
  if ascii == nil then ascii = ascii_only() end
  return terminal.compose(self._picture, (o.width or width) // 1 | 0,
    (o.height or height) // 1 | 0, ascii)
end

function Plot:text(o)
  o = options.check("plot:text", o)
  check_size("plot:text", o)
  return table.concat(compose(self, o, 80, 24):lines(), "\n")
end

function Plot:__tostring()
  return self:text()
end

-- "kitty", "sixel" or "text", by the option, --graphics and what the terminal can.
local function kind_of(o)
  local asked = o.graphics or o.ascii and "text" or sys.graphics()
  local known = {}
  for _, kind in ipairs(image.kinds) do known[kind] = true end
  if not known[asked] then
    error(("plot:show: graphics is '%s'; it is one of %s%s"):format(asked,
      table.concat(image.kinds, ", "), options.hint(asked, image.kinds)), 3)
  end
  return asked == "auto" and display.ascii_asked() and "text" or image.kind(asked)
end

function Plot:show(o)
  o = options.check("plot:show", o)
  check_size("plot:show", o)
  local kind, width, height = kind_of(o), sys.terminal(1)
  width = o.width or math.min(width or 80, 100)
  local _, rows = terminal.arrange(self._picture, width)
  local room = math.max(height and height - 3 or 24, 6)
  local failed
  if kind ~= "text" then
    local good, message = image.show(self._picture, kind, width, o.height or math.min(room, 40))
    if good then return end
    failed = o.graphics and o.graphics ~= "auto" and message
  end
  local c = compose(self, o, width, rows == 1 and math.min(room, 26) or 18 * rows)
  local colours = sys.color(1) and math.max(screen.colours(), 8) or 0
  io.stdout:write(table.concat(c:lines(colours), "\n"), "\n")
  if failed then return nil, failed end
end

function Plot:svg()
  local picture = self._picture
  local text, message = gnuplot.draw(picture, "svg")
  if not text then return nil, message end
  return svg.tidy(text, { title = picture.title or picture.name, about = picture.about,
    font = "Helvetica,Arial,sans-serif", size = layout.FONT })
end

local kinds = { svg = true, png = true, pdf = true, tex = true, gp = true }

function Plot:save(path, ...)
  if type(path) ~= "string" then
    error("plot:save expects a file name, got " .. type(path), 2)
  end
  if select("#", ...) > 0 then error("plot:save takes no options, only a file name", 2) end
  local kind = path:match "%.(%a+)$"
  if not kinds[kind or ""] then
    error(("plot:save: '%s' does not end in .svg, .png, .pdf, .tex or .gp"):format(path), 2)
  end
  local bytes, message
  if kind == "gp" then
    bytes = gnuplot.script(self._picture)
  elseif kind == "svg" then
    bytes, message = self:svg()
  else
    bytes, message = gnuplot.draw(self._picture, kind)
  end
  if message == gnuplot.MISSING then
    message = message .. "; a name that ends in .gp writes its script instead"
  end
  if not bytes then return nil, message end
  return atomic.write(path, function(write) write(bytes) end)
end

document("plot.panels", [[
  plot.panels{ p, q, …, columns = 3 } -> plot
  The panels of several plots in one picture, from left to right and top to bottom.
    p, q, …   plots
    title     a heading above all panels
    columns   panels in a row, at most
  example: plot.panels{ plot.edf{ { 40, 50 } }, plot.edf{ { 30, 45 } } }:show()]])

document("plot:save", [[
  plot:save(path) -> true, or nil and a message
  Draws the plot into a file, which appears whole or not at all.
    .svg .png .pdf   by gnuplot
    .tex             a tikzpicture for \input in LaTeX, whose fonts it takes: by gnuplot, whose
                     package gnuplot-lua-tikz it needs (a file that comes with gnuplot; a copy of
                     it goes along to where there is none: kpsewhich gnuplot-lua-tikz.sty)
    .gp              the script and the data for gnuplot, to be changed by hand
  example: plot.edf{ { 40, 50, 60 } }:save("edf.svg")]])

document("plot:svg", [[
  plot:svg() -> string, or nil and a message
  The plot as SVG to put into a page: a single element that scales with it, the same bytes
  for the same data, without ids, scripts or references.
  example: plot.edf{ { 40, 50, 60 } }:svg()]])

document("plot:text", [[
  plot:text{ width = 80, height = 24, ascii = false } -> string
  The plot as lines of text: braille dots, or ASCII with one letter per curve.
  example: plot.edf{ { 40, 50, 60 } }:text{ width = 40, height = 10, ascii = true }]])

document("plot:show", [[
  plot:show([{ width =, height =, ascii =, graphics = "auto" }])
  Shows the plot in the size of the terminal.
    width, height   of the box, in cells
    graphics        "kitty" or "sixel": drawn by gnuplot, as an image; "text": braille dots,
                    ASCII where these cannot be shown (the locale, TERM, or NETSPACE_ASCII=1),
                    colour only on a terminal without NO_COLOR; "auto": the best of these that
                    the terminal says it can show.  netspace --graphics=… sets what is meant
                    where nothing is given
  tmux lets images of kitty through after `set -g allow-passthrough on`.
  example: plot.edf{ { 40, 50, 60 } }:show()]])

M._ascii = ascii_only

return M
