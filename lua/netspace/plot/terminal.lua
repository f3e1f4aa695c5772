--- Pictures as text: panels side by side or one below the other on a canvas, each with its
-- legend; braille dots, or ASCII with one letter per curve.

local canvas = require "netspace.core.canvas"

local M = {}

-- The panel of EDFs: its legend has the figures of each.
local function draw_edfs(c, panel, left, top, width, height)
  local legend = math.min(panel.rows + 1, math.max(0, height - 4))
  c:chart { left = left, top = top, width = width, height = height - legend,
    x_label = panel.x.label, y_label = panel.y.label, x0 = panel.x.from, x1 = panel.x.to,
    curves = panel.curves, band = panel.bands[1] }
  c:legend { left = left, top = top + height - legend, width = width, height = legend,
    curves = panel.curves }
end

--- The picture on a canvas of its size.
function M.compose(picture, width, height, ascii)
  local c = canvas.new(width, height, ascii)
  local top = 1
  if picture.title then
    c:text(1, 1, picture.title, width, canvas.bold)
    top = 2
  end
  draw_edfs(c, picture.panels[1], 1, top, width, height - top + 1)
  return c
end

return M
