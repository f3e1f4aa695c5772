--- Pictures as text: panels side by side, or one below the other where there is no room, on a
-- canvas, each with its legend; braille dots, or ASCII with one letter per curve.

local canvas = require "netspace.core.canvas"

local M = {}

local LEAST, WIDE = 38, 60 -- columns of a panel, and of one with long names
local MOST_CURVES = 16     -- that a chart takes

local function draw(c, panel, left, top, width, height)
  local curves, bands, named = {}, {}, 0
  for _, s in ipairs(panel.series) do
    if s.kind == "area" then
      bands[#bands + 1] = s
    elseif #curves < MOST_CURVES then
      curves[#curves + 1] = s
      if s.name and not s.faint then named = named + 1 end
    end
  end
  if panel.title and height > 6 then
    c:text(left, top, panel.title, width, canvas.bold)
    top, height = top + 1, height - 1
  end
  local notes = panel.notes and height > 12 and panel.notes or {}
  for i, text in ipairs(notes) do
    c:text(left, top + height - #notes + i - 1, text, width, canvas.dim)
  end
  height = height - #notes
  local legend = {}
  for _, s in ipairs(curves) do
    if s.name or s.faint then legend[#legend + 1] = s end
  end
  local rows = math.min(named > 0 and named + (curves[1].count and 1 or 0) or 0,
    math.max(0, height - 4))
  local x, y = panel.x, panel.y
  c:chart { left = left, top = top, width = width, height = height - rows,
    x_label = x.label, y_label = y.label, x0 = x.from, x1 = x.to, y0 = y.from, y1 = y.to,
    log = x.log, log_y = y.log, x_ticks = x.ticks, curves = curves, bands = bands }
  c:legend { left = left, top = top + height - rows, width = width, height = rows,
    curves = legend }
end

--- Columns and rows of panels on a canvas that is `width` wide.
function M.arrange(picture, width)
  local n = #picture.panels
  local least = picture.wide and WIDE or LEAST
  local columns = math.max(1, math.min(n, picture.columns or 3, (width + 2) // (least + 2)))
  return columns, (n + columns - 1) // columns
end

--- The picture on a canvas of its size.
function M.compose(picture, width, height, ascii)
  local c = canvas.new(width, height, ascii)
  local top = 1
  if picture.title then
    c:text(1, 1, picture.title, width, canvas.bold)
    top = 2
  end
  local columns, rows = M.arrange(picture, width)
  local w, h = (width + 2) // columns - 2, (height - top + 1) // rows
  for i, panel in ipairs(picture.panels) do
    local column, row = (i - 1) % columns, (i - 1) // columns
    if h > 0 then
      draw(c, panel, 1 + column * (w + 2), top + row * h, columns == 1 and width or w,
        row == rows - 1 and height - top + 1 - row * h or h)
    end
  end
  return c
end

return M
