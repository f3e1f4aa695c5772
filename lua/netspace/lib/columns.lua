--- Rows of cells as lines of text in columns.  rows[1] has the headings.

local canvas = require "netspace.core.canvas"

local M = {}

--- The width of each column, in cells of a terminal.
function M.widths(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for k, cell in ipairs(row) do
      widths[k] = math.max(widths[k] or 0, canvas.text_width(cell))
    end
  end
  return widths
end

--- The lines.  The first column is flush left, the others right, two blanks apart.
-- @tparam[opt] table o  left: function(k), whether column k is flush left; gap: function(k), the
-- blanks before column k > 1; widths: those of M.widths, where others than the rows decide
-- @treturn table list of strings without blanks at their ends
function M.lines(rows, o)
  o = o or {}
  local widths, lines = o.widths or M.widths(rows), {}
  for i, row in ipairs(rows) do
    local parts = {}
    for k, cell in ipairs(row) do
      local blanks = (" "):rep(widths[k] - canvas.text_width(cell))
      local left = k == 1
      if o.left then left = o.left(k) end
      if k > 1 then parts[#parts + 1] = o.gap and o.gap(k) or "  " end
      parts[#parts + 1] = left and cell .. blanks or blanks .. cell
    end
    lines[i] = table.concat(parts):gsub("%s+$", "")
  end
  return lines
end

return M
