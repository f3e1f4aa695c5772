--- The monitor's log of events and failures, the latest at the bottom.

local canvas = require "netspace.core.canvas"
local fold = require "netspace.lib.fold"

local M = {}

local function bad(text)
  return text:find "^failed" or text:find "^diverged" or text:find "killed" or text:find "hung"
end

-- An event: time, what it is about, its text in lines.
local function entry(e, width)
  local where = e.population or ""
  if e.index then where = ("%s %d"):format(where, math.tointeger(e.index) or e.index) end
  local time = os.date(width >= 60 and "%m-%d %H:%M:%S" or "%H:%M", math.floor(e.time))
  local cells = math.max(0, math.min(24, width - #time - 1, canvas.text_width(where)))
  local left = #time + cells + 4
  return { time = time, where = where, cells = cells, left = left,
    lines = fold.lines(e.text:gsub("%s+", " "), math.max(1, width - left + 1)),
    style = bad(e.text) and canvas.alarm or 0 }
end

--- Rows top to bottom; o.log_scroll counts from the end.  Returns the scroll there is room for.
function M.draw(c, s, o, top, bottom)
  local events, rows = s.events or {}, bottom - top + 1
  local total, skip = s.events_total or #events, s.events_skip or 0
  local before = total - skip - #events -- of a long log we have a page
  if total == 0 then
    c:text(1, top, "nothing has happened yet", o.width, canvas.dim)
    return {}
  end
  local last = math.max(before + 1, math.min(total - skip, total - (o.log_scroll or 0)))
  local list, used = {}, 0
  local function add(i, position)
    local e = entry(events[i - before], o.width)
    if used > 0 and used + #e.lines > rows then return false end
    table.insert(list, position, e)
    used = used + #e.lines
    return true
  end
  local first = last
  while first > before and add(first, 1) do first = first - 1 end
  while last < total - skip and add(last + 1, #list + 1) do last = last + 1 end
  local y, entries = top, {}
  for i, e in ipairs(list) do
    for row = y, y + #e.lines - 1 do entries[row] = events[first + i - before] end
    c:text(1, y, e.time, -1, canvas.dim)
    c:text(#e.time + 2, y, e.where, e.cells, canvas.bold)
    for _, line in ipairs(e.lines) do
      if y <= bottom then c:text(e.left, y, line, o.width - e.left + 1, e.style) end
      y = y + 1
    end
  end
  return { scroll = total - last, entries = entries }
end

return M
