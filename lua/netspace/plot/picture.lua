--- A picture: panels of series on axes, as plain data, and the ways to see it.  The text of a
-- terminal (terminal.lua) and the files (gnuplot.lua, svg.lua) are made of the same data.
--
--   picture = { title =, about =, panels = { panel, … }, columns = 3 }
--   panel   = { title =, x = axis, y = axis, series = { … }, key = "bottom right" }
--   axis    = { label =, from =, to =, log = base, ticks = names of 1, 2, … }
--   series  = { kind = "steps" | "line" | "points" | "area", id = 1 … 8, name =, x =, y =, … }

local atomic = require "netspace.atomic"
local gnuplot = require "netspace.plot.gnuplot"
local help = require "netspace.help"
local layout = require "netspace.plot.layout"
local options = require "netspace.options"
local screen = require "netspace.core.screen"
local svg = require "netspace.plot.svg"
local sys = require "netspace.core.sys"
local terminal = require "netspace.plot.terminal"

local M = {}

local Plot = {}
Plot.__index = Plot
Plot.__name = "plot"

--- Whether plots should keep to ASCII: asked for, or what the terminal can show.
local function ascii_only()
  local asked = os.getenv("NETSPACE_ASCII")
  return asked ~= nil and asked ~= "" and asked ~= "0" or not screen.unicode()
end

--- The picture that `t` describes.
function M.new(t)
  return setmetatable({ _picture = t }, Plot)
end

local function check_size(where, o)
  for _, key in ipairs { "width", "height" } do
    if o[key] and (o[key] < 1 or o[key] > 1000) then
      error(("%s: %s is %d; it must be 1 to 1000"):format(where, key, o[key]), 3)
    end
  end
end

local text_options = { width = "integer", height = "integer", ascii = "boolean" }

local function compose(self, o, width, height)
  local ascii = o.ascii
  if ascii == nil then ascii = ascii_only() end
  return terminal.compose(self._picture, (o.width or width) // 1 | 0,
    (o.height or height) // 1 | 0, ascii)
end

function Plot:text(o)
  o = options.check("plot:text", o, text_options)
  check_size("plot:text", o)
  return table.concat(compose(self, o, 80, 24):lines(), "\n")
end

function Plot:__tostring()
  return self:text()
end

function Plot:show(o)
  o = options.check("plot:show", o, text_options)
  check_size("plot:show", o)
  local width, height = screen.size(1)
  width = o.width or math.min(width or 80, 100)
  local _, rows = terminal.grid(self._picture, width)
  local c = compose(self, o, width, rows == 1
    and math.min(math.max(height and height - 3 or 24, 6), 26) or 18 * rows)
  local colours = sys.color(1) and math.max(screen.colours(), 8) or 0
  io.stdout:write(table.concat(c:lines(colours), "\n"), "\n")
end

function Plot:svg()
  local picture = self._picture
  local text, message = gnuplot.draw(picture, "svg")
  if not text then return nil, message end
  return svg.tidy(text, { title = picture.title or picture.name, about = picture.about,
    font = "Helvetica,Arial,sans-serif", size = layout.FONT })
end

local kinds = { svg = true, png = true, pdf = true, gp = true }

function Plot:save(path)
  if type(path) ~= "string" then
    error("plot:save expects a file name, got " .. type(path), 2)
  end
  local kind = path:match "%.(%a+)$"
  if not kinds[kind or ""] then
    error(("plot:save: '%s' does not end in .svg, .png, .pdf or .gp"):format(path), 2)
  end
  local bytes, message
  if kind == "gp" then
    bytes = gnuplot.script(self._picture)
  elseif kind == "svg" then
    bytes, message = self:svg()
  else
    bytes, message = gnuplot.draw(self._picture, kind)
  end
  if not bytes then return nil, message end
  return atomic.write(path, function(write) write(bytes) end)
end

help.add("plot:save", [[
  plot:save(path) -> true, or nil and a message
  Draws the plot into a file, which is there whole or not at all.
    .svg .png .pdf   by gnuplot
    .gp              what gnuplot reads, script and data, to be changed by hand
  example (slow): plot.edf{ { 40, 50, 60 } }:save("edf.svg")]])

help.add("plot:svg", [[
  plot:svg() -> string, or nil and a message
  The plot as SVG to put into a page: a single element that scales with it, the same bytes
  for the same data, without ids, scripts or references.
  example (slow): plot.edf{ { 40, 50, 60 } }:svg()]])

help.add("plot:text", [[
  plot:text{ width = 80, height = 24, ascii = false } -> string
  The plot as lines of text: braille dots, or ASCII with one letter per curve.
  example: plot.edf{ { 40, 50, 60 } }:text{ width = 40, height = 10, ascii = true }]])

help.add("plot:show", [[
  plot:show([{ width =, height =, ascii = }])
  Prints the plot in the size of the terminal; ASCII where braille cannot be shown (the
  locale, TERM, or NETSPACE_ASCII=1), colour only on a terminal without NO_COLOR.
  example: plot.edf{ { 40, 50, 60 } }:show()]])

M._ascii = ascii_only

return M
