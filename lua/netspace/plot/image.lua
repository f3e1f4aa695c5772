--- Plots as pictures on the terminal we have (lib/display.lua): writes what gnuplot draws.

local display = require "netspace.lib.display"
local gnuplot = require "netspace.plot.gnuplot"
local graphics = require "netspace.lib.graphics"
local layout = require "netspace.plot.layout"

local M = { kinds = display.kinds, kind = display.kind }

--- Writes a picture into a box of cells; true, or nil and why it cannot be drawn.
-- @tparam string kind "kitty" or "sixel"
function M.show(picture, kind, columns, rows)
  local page = layout.of(picture)
  local cell_width, cell_height = display.cell()
  local width
  columns, rows, width = graphics.fit(page.height / page.width, cell_width, cell_height, columns,
    rows)
  local bytes, message = gnuplot.draw(picture, kind == "kitty" and "png" or "sixel", width)
  if not bytes then return nil, message end
  display.write(kind, bytes, columns, rows)
  return true
end

return M
