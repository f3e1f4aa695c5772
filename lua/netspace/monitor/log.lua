--- The monitor's log of events and failures, the latest at the bottom.

local canvas = require "netspace.core.canvas"

local M = {}

local function bad(text)
  return text:find "^failed" or text:find "^diverged" or text:find "killed" or text:find "hung"
end

--- Rows top to bottom; o.scroll counts from the end.  Returns the scroll there is room for.
function M.draw(c, s, o, top, bottom)
  local events, rows = s.events or {}, bottom - top + 1
  local total, skip = s.events_total or #events, s.events_skip or 0
  local before = total - skip - #events -- of a long log we have a page
  if total == 0 then
    c:text(1, top, "nothing has happened yet", o.width, canvas.dim)
    return {}
  end
  local scroll = math.max(0, math.min(total - rows, o.log_scroll or 0))
  local last = total - scroll
  local first = math.max(1, last - rows + 1)
  for i = math.max(first, before + 1), math.min(last, total - skip) do
    local e, y = events[i - before], top + i - first
    local where = e.population or ""
    if e.index then where = ("%s %d"):format(where, math.tointeger(e.index) or e.index) end
    local x = c:text(1, y, os.date(o.width >= 60 and "%m-%d %H:%M:%S" or "%H:%M",
      math.floor(e.time)), -1, canvas.dim)
    x = c:text(x + 1, y, where, math.max(0, math.min(24, o.width - x)), canvas.bold)
    if x + 2 <= o.width then
      local style = bad(e.text) and canvas.alarm or 0
      c:text(x + 2, y, (e.text:gsub("%s+", " ")), o.width - x - 1, style)
    end
  end
  return { scroll = scroll }
end

return M
