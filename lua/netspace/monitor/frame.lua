--- One frame of the monitor, composed in memory from a snapshot: pure, so that every
-- frame is tested as text; curses only paints it.  A snapshot is what monitor.snapshot returns.
--
--   frame.compose(snapshot, { width = 80, height = 24, ascii = true })  --> list of lines

local canvas = require "netspace.core.canvas"
local commands = require "netspace.monitor.commands"
local detail = require "netspace.monitor.views.detail"
local edf = require "netspace.monitor.views.edf"
local fold = require "netspace.lib.fold"
local log = require "netspace.monitor.views.log"
local models = require "netspace.monitor.views.models"
local property = require "netspace.monitor.views.property"
local tasks = require "netspace.monitor.views.tasks"
local units = require "netspace.lib.units"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local dim, bold, alarm, good = canvas.dim, canvas.bold, canvas.alarm, canvas.good
local bar, right, parts_line = widgets.bar, widgets.right, widgets.parts_line
local PAGE = 200      -- events that are read at once, and as many as the screen shows
local STALE = 60      -- seconds without a sign of life before the age turns red

--- The state of the run in words, and its style.
function M.state(snapshot)
  local words = {
    waiting = { "waiting", 0 }, running = { "running", good },
    paused = { "paused", alarm },
    finished = { "finished", good }, stopped = { "stopped", alarm },
    error = { "cannot read", alarm },
  }
  return table.unpack(words[snapshot.state])
end

--- What went wrong or is waited for, or nil while all is well.
function M.message(snapshot)
  if snapshot.state == "stopped" then
    local n = snapshot.open
    for _, t in pairs(snapshot.tasks or {}) do
      if #t.tasks > 0 then
        return ("nobody takes in what its tasks do; `netspace collect %s` does"):format(
          snapshot.path)
      end
    end
    return ("nobody works on it; %d model%s open. `netspace resume %s` finishes %s"):format(n,
      n == 1 and " is" or "s are", snapshot.path, n == 1 and "it" or "them")
  elseif snapshot.state == "paused" then
    return "the sweep is paused; P resumes the selected population"
  end
  return snapshot.message
end

-- How many models diverged and failed, where any did.
local function losses(s)
  local parts = {}
  for _, state in ipairs { "diverged", "failed" } do
    if s[state] > 0 then parts[#parts + 1] = { ("%d %s"):format(s[state], state), alarm } end
  end
  return parts
end

-- The counts as parts of a line.  What a dead run left as running is only open.
local function counts(s)
  local parts = { { ("%d/%d done"):format(s.done, s.total), bold } }
  if s.state == "stopped" then
    parts[2] = { ("%d open"):format(s.open) }
  else
    parts[2] = { ("%d running"):format(s.running) }
    parts[3] = { ("%d queued"):format(s.queued) }
  end
  if s.spared > 0 then parts[#parts + 1] = { ("%d not needed"):format(s.spared) } end
  for _, part in ipairs(losses(s)) do parts[#parts + 1] = part end
  if s.diverged + s.failed == 0 then parts[#parts + 1] = { "0 failed" } end
  return parts
end

-- How old what we see is, when a run at work has been silent for long; else nil.
local function stale(s)
  local age = s.now - (s.updated or s.now)
  return s.state == "running" and age > STALE and units.duration(age) or nil
end

local function speed(s)
  return s.state == "running" and ("%.1f images/s"):format(s.images_per_s) or nil
end

--- One line on the whole: for small terminals and the text mode.
function M.status(s)
  if s.total == 0 then
    return ("%s: %s"):format((M.state(s)), M.message(s) or "no models yet")
  end
  local parts = { (M.state(s)) }
  for _, part in ipairs(counts(s)) do parts[#parts + 1] = part[1] end
  if s.state == "running" then
    parts[#parts + 1] = speed(s)
    if s.eta then parts[#parts + 1] = "ETA " .. units.duration(s.eta) end
  end
  return table.concat(parts, ", ")
end

-- "ETA 3m23s (3m05s-3m41s)"
local function remaining(s)
  if s.eta < 1 then return "ETA under 1s" end
  local text = "ETA " .. units.duration(s.eta)
  if not s.eta_low or units.duration(s.eta_low) == units.duration(s.eta_high) then return text end
  return ("%s (%s-%s)"):format(text, units.duration(s.eta_low), units.duration(s.eta_high))
end

-- What is not finished, and on which data: "AnyNetX_A, RegNetX on shapes".
local function doing(s)
  local parts, data = {}, nil
  for _, p in ipairs(s.populations) do
    if p.running + p.queued > 0 then
      if data and data ~= p.data then parts[#parts] = ("%s on %s"):format(parts[#parts], data) end
      parts[#parts + 1], data = p.name, p.data
    end
  end
  if data then parts[#parts] = ("%s on %s"):format(parts[#parts], data) end
  return table.concat(parts, ", ")
end

local function header(c, s, o)
  local width, state, style = o.width, M.state(s)
  if o.frozen then state, style = state .. ", frozen", canvas.reverse end
  if o.height < 16 then -- one line; the parts that matter most first
    local parts = { { ("%d/%d"):format(s.done, s.total), bold } }
    for _, part in ipairs(losses(s)) do parts[#parts + 1] = part end
    if stale(s) then parts[#parts + 1] = { stale(s) .. " old", alarm } end
    if s.state == "running" and not o.frozen then
      parts[#parts + 1] = { ("run %d"):format(s.running), good }
      if s.eta then parts[#parts + 1] = { "ETA " .. units.duration(s.eta) } end
      parts[#parts + 1] = { ("%.0f/s"):format(s.images_per_s) }
    else
      table.insert(parts, 1, { state, style })
    end
    parts[#parts + 1] = { s.path, dim }
    parts_line(c, 1, width, parts)
    return 1
  end
  local x = c:text(1, 1, "netspace monitor ", width, dim)
  x = c:text(x, 1, s.path, math.max(0, width - x - canvas.text_width(state)), bold)
  local from = width - canvas.text_width(state) - 2
  local what = doing(s)
  if what ~= "" and from - x > 12 then x = c:text(x + 2, 1, what, from - x - 3, dim) end
  right(c, width, 1, state, x, style)
  local parts = counts(s)
  if stale(s) then parts[#parts + 1] = { ("data %s old"):format(stale(s)), alarm } end
  if s.state == "running" then
    parts[#parts + 1] = { speed(s) }
    if s.eta then parts[#parts + 1] = { remaining(s), 0, "ETA " .. units.duration(s.eta) } end
  end
  x = parts_line(c, 2, width, parts)
  if s.updated and not stale(s) then
    local age = units.duration(s.now - s.updated)
    local text = s.state == "finished" and age .. " ago" or ("data %s old"):format(age)
    right(c, width, 2, text, x, dim)
  end
  if s.total > 0 then
    local share = s.finished / math.max(1, s.total - s.spared)
    local text = (" %3.0f %%"):format(100 * share)
    c:text(1, 3, bar(width - #text, share, o.ascii), -1, dim)
    right(c, width, 3, text, 1, 0)
  end
  return 3
end

-- The keys, in lines { key, text }; a key that is wider than its column has one to itself.
local function help_lines(view, width)
  local lines, keys = {}, width >= 70 and 30 or 14
  for _, list in ipairs(commands.lists(view)) do
    for _, command in ipairs(list) do
      local key = command.show or command.keys
      local text = fold.lines(command.text, math.max(10, width - keys - 2))
      if #key >= keys then
        lines[#lines + 1] = { key, "" }
        key = ""
      end
      for i, line in ipairs(#text > 0 and text or { "" }) do
        lines[#lines + 1] = { i == 1 and key or "", line }
      end
    end
  end
  return lines, keys
end

local function help_view(c, o, top, width, height)
  local lines, keys = help_lines(o, width)
  local scroll = math.max(0, math.min(#lines - height, o.help_scroll or 0))
  for i = 1, math.min(#lines - scroll, height) do
    local key, text = table.unpack(lines[i + scroll])
    c:text(2, top + i - 1, key, width - 1, bold)
    c:text(2 + keys, top + i - 1, text, math.max(1, width - keys - 1), 0)
  end
  return { scroll = scroll }
end

local foot = {
  edf = { "1-8 populations", "arrows cursor", "+- zoom", "b band", "n equal flops" },
  models = { "arrows choose", "enter details", "o sort", "/ filter" },
  property = { "c property", "[] population", "l log axis" },
  log = { "arrows scroll" },
  tasks = { "arrows scroll" },
  detail = { "escape back", "arrows scroll" },
  help = { "arrows scroll" },
}

-- The bottom line: what can be clicked on are the parts with a key, which are returned.
local function footer(c, s, o, y)
  if o.ask then
    c:text(1, y, o.ask.text .. " [y/N]", o.width, canvas.reverse)
    return
  elseif o.said then
    c:text(1, y, o.said, o.width, bold)
    return
  end
  local parts = { { "q leave", dim, key = "q" }, { "? keys", dim, key = "?" } }
  if o.width >= 60 then parts[3] = { ": commands", dim, key = ":" } end
  local tabs = { table.unpack(commands.views) }
  if s.tasks or o.view == "tasks" then tabs[#tabs + 1] = commands.tasks end
  for _, v in ipairs(tabs) do
    parts[#parts + 1] = { o.width >= 60 and v[3] or v[1], v[2] == o.view and canvas.reverse or dim,
      key = v[1] }
  end
  for _, k in ipairs(foot[o.help and "help" or o.detail and "detail" or o.view] or {}) do
    parts[#parts + 1] = { k, dim }
  end
  parts_line(c, y, o.width, parts)
  local buttons = {}
  for _, part in ipairs(parts) do
    if part.key and part.from then
      buttons[#buttons + 1] = { from = part.from, to = part.to, y = y, key = part.key }
    end
  end
  return buttons
end

-- A list to choose populations or the property from, over the view.
local function choose_view(c, s, o, top, bottom)
  local items, title = {}, nil
  if o.choosing == "property" then
    title = ("which property? (type to find, enter chooses) %s_"):format(o.typed or "")
    for i, name in ipairs(property.found(o.typed)) do
      items[i] = { name, name == (o.property or "flops") }
    end
  else
    title = ("which populations? (space selects, %d at most; enter goes back)")
      :format(widgets.most)
    local slots = widgets.slots(s, o)
    for id, p in ipairs(s.populations) do
      items[id] = { ("%s  %d/%d"):format(p.name, p.done + p.diverged + p.failed, p.n), slots[id] }
    end
  end
  return widgets.list(c, top, o.width, bottom - top + 1, title, items, o.choice or 1)
end

-- All commands, or those that what is typed finds.
local function palette_view(c, o, top, bottom)
  local items = {}
  for i, offer in ipairs(commands.offers(o)) do
    items[i] = { ("%-10s  %s"):format(offer[1], offer[2]) }
  end
  local title = (":%s_"):format(o.palette.text)
  if #items == 0 then title = title .. "  nothing is called that" end
  return widgets.list(c, top, o.width, bottom - top + 1, title, items, o.palette.row)
end

local views = { models = models.draw, property = property.draw, log = log.draw,
  tasks = tasks.draw }

--- What the view `o` shows besides the models: detail (of which model), or networks (of
-- all), or events, in pages: so many, before so many latest ones (snapshot.lua).
function M.needs(o)
  if o.detail then return { detail = o.detail } end
  local page = PAGE * ((o.log_scroll or 0) // PAGE)
  return { networks = o.view == "property" and property.needs_networks(o) or nil,
    events = o.view == "log" and { last = PAGE + math.max(PAGE, o.height or 0), skip = page }
      or nil }
end

--- The frame of a snapshot.
-- @tparam table o width, height, ascii, colours (0, 8, 256: escapes in the lines), and the
--   state of the view (keys.lua): view ("edf", "models", "property", "log", "tasks"), hidden
--   ({[2] = true}), chosen, selected, band, normalise, log, log_x, verdict, cursor (an error),
--   x0, x1, order, reverse, filter, typing, row, scroll, detail, property, choosing, typed,
--   palette, picked, frozen, help, help_scroll, ask, said
-- @treturn table list of lines
-- @treturn canvas
-- @treturn table what the view tells of what it drew, for keys and the mouse
function M.compose(s, o)
  local f = setmetatable({ view = o.view or "edf", hidden = o.hidden or {} }, { __index = o })
  local c = canvas.new(f.width, f.height, f.ascii)
  if f.width < 20 or f.height < 4 then
    c:text(1, 1, M.status(s), f.width, 0)
    return c:lines(o.colours), c, {}
  end
  local top, bottom = header(c, s, f) + 1, f.height - 1
  local message, cursor_text, info = M.message(s), nil, {}
  if message and not f.help and (s.total == 0 or f.height >= 16) then
    c:text(1, top, message, f.width, s.state == "waiting" and 0 or alarm)
    top = top + 1
  end
  if f.palette then
    info = palette_view(c, f, top, bottom)
  elseif f.help then
    info = help_view(c, f, top, f.width, bottom - top + 1)
  elseif f.choosing then
    info = choose_view(c, s, f, top, bottom)
  elseif f.detail then
    info = detail.draw(c, s, f, top, bottom)
  elseif views[f.view] then
    info = views[f.view](c, s, f, top, bottom)
  elseif s.total > 0 then
    info, cursor_text = edf.draw(c, s, f, top, bottom)
  end
  if cursor_text and f.height < 16 and not f.ask and not f.said then
    c:text(1, f.height, cursor_text, f.width, bold)
  else
    info.buttons = footer(c, s, f, f.height)
  end
  return c:lines(o.colours), c, info
end

return M
