--- What the views of the monitor have in common: bars, lines of parts, lists to
-- choose from, and which populations have a curve.

local canvas = require "netspace.core.canvas"

local M = { most = 8 } -- populations with a curve of their own

function M.bar(width, share_done, ascii)
  local full = math.floor(math.min(1, math.max(0, share_done)) * width + 0.5)
  return (ascii and "#" or "█"):rep(full) .. (ascii and "." or "░"):rep(width - full)
end

local ticks = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local ascii_ticks = { "_", ".", "-", "=", "+", "*", "#", "@" }

--- The last `width` values as a row of bars, the least lowest.
function M.sparkline(values, width, ascii)
  local from, lo, hi = math.max(1, #values - width + 1), math.huge, -math.huge
  for i = from, #values do lo, hi = math.min(lo, values[i]), math.max(hi, values[i]) end
  local cells = {}
  for i = from, #values do
    local k = hi > lo and math.floor((values[i] - lo) / (hi - lo) * 7 + 0.5) or 0
    cells[#cells + 1] = (ascii and ascii_ticks or ticks)[k + 1]
  end
  return table.concat(cells)
end

--- Right-aligned text, unless it would touch what ends two columns before `from`.
function M.right(c, width, y, text, from, style)
  local x = width - canvas.text_width(text) + 1
  if x >= from - 1 then c:text(x, y, text, -1, style) end
end

--- Parts of a line { text, style, shorter text }, as many as fit, two blanks apart, which tells
-- each where it is (from, to); returns the column after them.
function M.parts_line(c, y, width, parts)
  local x = 1
  for _, part in ipairs(parts) do
    local text, style = part[1], part[2] or 0
    if part[3] and x + canvas.text_width(text) - 1 > width then text = part[3] end
    if x + canvas.text_width(text) - 1 <= width then
      part.from, part.to = x, x + canvas.text_width(text) - 1
      x = c:text(x, y, text, -1, style) + 2
    end
  end
  return x
end

--- Numbers of the populations with a curve, in the order of their letters.
function M.chosen(s, o)
  if o.chosen then return o.chosen end
  local list = {}
  for id = 1, math.min(#s.populations, M.most) do list[id] = id end
  return list
end

--- The letter's number of each of them, by the number of the population.
function M.slots(s, o)
  local slots = {}
  for slot, id in ipairs(M.chosen(s, o)) do slots[id] = slot end
  return slots
end

--- The population the keys [ and ] have selected, and its letter's number.
function M.selected(s, o)
  local chosen = M.chosen(s, o)
  local slot = math.max(1, math.min(o.selected or 1, #chosen))
  return s.populations[chosen[slot]], slot
end

--- A list to choose from: items { text, marked }, the one at `row` picked out.  Returns
-- where it is: its first row, scroll, the last item shown, and how many there are.
function M.list(c, top, width, height, title, items, row)
  c:text(1, top, title, width, canvas.bold)
  local rows = height - 1
  local scroll = math.max(0, math.min(#items - rows, row - (rows + 1) // 2))
  for i = 1, math.min(rows, #items - scroll) do
    local item = items[i + scroll]
    local text = (item[2] and " * " or "   ") .. item[1]
    c:text(1, top + i, text, width, i + scroll == row and canvas.reverse or 0)
  end
  return { rows = top + 1, scroll = scroll, last = math.min(#items, rows + scroll),
    items = #items }
end

return M
