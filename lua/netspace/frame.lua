--- One frame of the monitor, composed in memory from a snapshot: pure, so that every
-- frame is tested as text; curses only paints it.  A snapshot is what monitor.snapshot returns.
--
--   frame.compose(snapshot, { width = 80, height = 24, ascii = true })  --> list of lines

local canvas = require "netspace.core.canvas"
local plot = require "netspace.plot"

local M = {}

local dim, bold, alarm, good = canvas.dim, canvas.bold, canvas.alarm, canvas.good
local MOST = 8        -- populations with a curve of their own
local STALE = 60      -- seconds without a sign of life before the age turns red
local SIDE = 72       -- columns of the right panel of a wide frame
local WIDE = 140      -- columns from which a frame has one

--- Seconds as people say them: "45s", "3m20s", "2h05m", "3d04h".
function M.duration(s)
  s = math.max(0, math.floor(s + 0.5))
  if s < 60 then return ("%ds"):format(s) end
  if s < 3600 then return ("%dm%02ds"):format(s // 60, s % 60) end
  if s < 86400 then return ("%dh%02dm"):format(s // 3600, s % 3600 // 60) end
  return ("%dd%02dh"):format(s // 86400, s % 86400 // 3600)
end

--- The state of the run in words, and its style.
function M.state(snapshot)
  local words = {
    waiting = { "waiting", 0 }, running = { "running", good },
    finished = { "finished", good }, stopped = { "stopped", alarm }, error = { "cannot read", alarm },
  }
  return table.unpack(words[snapshot.state])
end

--- What went wrong or is waited for, or nil while all is well.
function M.message(snapshot)
  if snapshot.state == "stopped" then
    return ("nobody works on it; %d models are open. `netspace resume %s` finishes them")
      :format(snapshot.open, snapshot.path)
  end
  return snapshot.message
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
  parts[#parts + 1] = { ("%d failed"):format(s.failed), s.failed > 0 and alarm or 0 }
  return parts
end

-- How old what we see is, when a run at work has been silent for long; else nil.
local function stale(s)
  local age = s.now - (s.updated or s.now)
  return s.state == "running" and age > STALE and M.duration(age) or nil
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
    if s.eta then parts[#parts + 1] = "ETA " .. M.duration(s.eta) end
  end
  return table.concat(parts, ", ")
end

-- The curves of the chart, and of the legend with those switched off.
local function make_curves(s, hidden)
  local solid, all = {}, {}
  for id = 1, math.min(#s.populations, MOST) do
    local p = s.populations[id]
    local curve = plot._curve(p.name, id, p.errors, p.n)
    curve.hidden = hidden[id]
    solid[#solid + 1] = curve
    if #p.provisional > 0 and not hidden[id] then
      all[#all + 1] = plot._provisional(id, p.errors, p.provisional)
    end
    all[#all + 1] = curve
  end
  return all, solid
end

local function share(curve, e)
  local y = 0
  for i = 1, #curve.x do
    if curve.x[i] >= e then break end
    y = curve.y[i]
  end
  return y
end

-- "at 45.20 %:  a 0.375  b 0.688  b-a +0.313", shorter where there is little room.
local function readout(solid, cursor, width)
  local short = width < 60
  local parts, shown = { (short and "%.2f%%:" or "at %.2f %%:"):format(cursor) }, {}
  local number = short and "%.2f" or "%.3f"
  for _, curve in ipairs(solid) do
    if not curve.hidden and #curve.x > 0 then
      local y, letter = share(curve, cursor), string.char(96 + curve.id)
      shown[#shown + 1] = { letter, y }
      parts[#parts + 1] = ("%s " .. number):format(letter, y)
    end
  end
  if #shown == 2 then
    local difference = shown[2][2] - shown[1][2]
    local signed = number:gsub("%%", "%%+")
    parts[#parts + 1] = ("%s-%s " .. signed):format(shown[2][1], shown[1][1], difference)
  end
  return table.concat(parts, short and " " or "  ")
end

local function bar(width, share_done, ascii)
  local full = math.floor(math.min(1, math.max(0, share_done)) * width + 0.5)
  return (ascii and "#" or "█"):rep(full) .. (ascii and "." or "░"):rep(width - full)
end

-- Right-aligned text, unless it would touch what ends two columns before `from`.
local function right(c, width, y, text, from, style)
  local x = width - canvas.text_width(text) + 1
  if x >= from - 1 then c:text(x, y, text, -1, style) end
end

-- Parts of a line, as many as fit, two blanks apart; returns the column after them.
local function parts_line(c, y, width, parts)
  local x = 1
  for _, part in ipairs(parts) do
    local text, style = part[1], part[2] or 0
    if x + canvas.text_width(text) - 1 <= width then
      x = c:text(x, y, text, -1, style) + 2
    end
  end
  return x
end

local function header(c, s, o)
  local width, state, style = o.width, M.state(s)
  if o.frozen then state, style = state .. ", frozen", canvas.reverse end
  if o.height < 16 then -- one line; the parts that matter most first
    local parts = { { ("%d/%d"):format(s.done, s.total), bold } }
    if s.failed > 0 then parts[#parts + 1] = { ("%d failed"):format(s.failed), alarm } end
    if stale(s) then parts[#parts + 1] = { stale(s) .. " old", alarm } end
    if s.state == "running" and not o.frozen then
      parts[#parts + 1] = { ("run %d"):format(s.running), good }
      if s.eta then parts[#parts + 1] = { "ETA " .. M.duration(s.eta) } end
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
  right(c, width, 1, state, x, style)
  local parts = counts(s)
  if stale(s) then parts[#parts + 1] = { ("data %s old"):format(stale(s)), alarm } end
  if s.state == "running" then
    parts[#parts + 1] = { speed(s) }
    if s.eta then parts[#parts + 1] = { "ETA " .. M.duration(s.eta) } end
  end
  x = parts_line(c, 2, width, parts)
  if s.updated and not stale(s) then
    local age = M.duration(s.now - s.updated)
    local text = s.state == "finished" and age .. " ago" or ("data %s old"):format(age)
    right(c, width, 2, text, x, dim)
  end
  if s.total > 0 then
    local text = (" %3.0f %%"):format(100 * s.finished / s.total)
    c:text(1, 3, bar(width - #text, s.finished / s.total, o.ascii), -1, dim)
    right(c, width, 3, text, 1, 0)
  end
  return 3
end

-- The tables of models.

local BAR = 8 -- cells of the epoch bar, where there is room for one

local columns = {
  { "", 1 }, { "model", 5 }, { "status", 8, left = true }, { "epoch", 7 }, { "error", 6 },
  { "images/s", 8 }, { "time", 7 }, { "worker", 6 }, { "try", 3 },
}

-- Calls cell(i, x, column width) for the columns that fit; returns where they end.
local function each_column(x0, width, cell)
  local x = x0
  for i, column in ipairs(columns) do
    local w = column[2] + (column[1] == "epoch" and width >= 60 and BAR + 1 or 0)
    if x + w > x0 + width then break end
    cell(i, x, w)
    x = x + w + 1
  end
  return x
end

local function model_row(c, x0, y, width, model, o)
  local style = (model.status == "failed" or model.status == "diverged") and alarm
    or model.status == "running" and 0 or dim
  local epoch = ("%d/%d"):format(model.epoch, model.epochs)
  if width >= 60 then
    local part = model.epoch / math.max(1, model.epochs)
    epoch = ("%s %7s"):format(bar(BAR, part, o.ascii), epoch)
  end
  local cells = {
    model.curve_id and string.char(96 + model.curve_id) or "", tostring(model.index),
    model.status, epoch, model.error and ("%.2f"):format(model.error) or "-",
    model.images_per_s and ("%.0f"):format(model.images_per_s) or "-",
    model.seconds and M.duration(model.seconds) or "-",
    model.worker and tostring(model.worker) or "-", tostring(model.attempt),
  }
  local x = each_column(x0, width, function(i, x, w)
    local text = cells[i]
    local at = columns[i].left and x or x + w - canvas.text_width(text)
    c:text(at, y, text, w, i == 1 and model.curve_id or style)
  end)
  if model.reason and x + 8 < x0 + width then
    c:text(x + 1, y, model.reason, x0 + width - x - 1, style)
  end
end

local function model_heading(c, x0, y, width)
  each_column(x0, width, function(i, x, w)
    local name = columns[i][1]
    c:text(columns[i].left and x or x + w - #name, y, name, w, dim)
  end)
end

-- Rows of models from y on: a heading and what fits of the list, from `scroll` on.
local function model_table(c, x0, y, width, height, list, o, scroll)
  if height < 1 then return end
  model_heading(c, x0, y, width)
  local rows = height - 1
  scroll = math.max(0, math.min(scroll or 0, #list - rows))
  for i = 1, math.min(rows, #list - scroll) do
    model_row(c, x0, y + i, width, list[i + scroll], o)
  end
  if #list > rows and rows > 0 then
    local last = math.min(#list, scroll + rows)
    local text = ("%d-%d of %d"):format(scroll + 1, last, #list)
    right(c, x0 + width - 1, y, text, x0 + 60, dim)
  end
end

local help_lines = {
  { "q", "leave; the run goes on" },
  { "1-8", "show or hide a population" },
  { "v, tab", "EDFs or the models" },
  { "left, right", "move the cursor: error, share of each" },
  { "home, end", "cursor to the best, the worst error" },
  { "escape", "no cursor" },
  { "up, down, page up, page down", "scroll the models" },
  { "p", "freeze, go on" },
  { "?", "this help" },
  { "", "" },
  { "n", "models finished / all; failed ones count as 100 %" },
  { "sparse dots", "with the errors running models have now" },
}

local function help_view(c, top, width, height)
  for i = 1, math.min(#help_lines, height) do
    local key, text = table.unpack(help_lines[i])
    local keys = width >= 60 and 30 or 8
    c:text(2, top + i - 1, key, keys - 1, bold)
    c:text(2 + keys, top + i - 1, text, math.max(1, width - keys - 2), 0)
  end
end

local function footer(c, o, y)
  local keys = o.width >= 78 and {
    "q leave", "1-8 populations", "v models", "arrows cursor", "p freeze", "? keys",
  } or { "q leave", "v models", "? keys", "p freeze" }
  if o.view == "models" then
    for i, k in ipairs(keys) do
      local other = { ["v models"] = "v EDFs", ["arrows cursor"] = "arrows scroll" }
      keys[i] = other[k] or k
    end
  end
  local parts = {}
  for i, k in ipairs(keys) do parts[i] = { k, dim } end
  parts_line(c, y, o.width, parts)
end

local function running_models(s)
  local list = {}
  for _, model in ipairs(s.models) do
    if model.status == "running" then list[#list + 1] = model end
  end
  return list
end

local function edf_view(c, s, o, top, bottom)
  local all, solid = make_curves(s, o.hidden)
  local x, width, height = 1, o.width, bottom - top + 1
  local running = s.state == "running" and running_models(s) or {}
  if o.width >= WIDE then
    width = o.width - SIDE - 2
    local side = width + 3
    local rows = c:legend { left = side, top = top, width = SIDE,
      height = math.min(#solid + 1, height), curves = solid }
    model_table(c, side, top + rows + 1, SIDE, height - rows - 1,
      #running > 0 and running or s.models, o)
  else
    local least = o.height >= 16 and 8 or 4 -- rows the chart keeps
    local heading = o.height >= 16 and 1 or 0
    local legend = math.min(#solid + heading, math.max(0, height - least))
    local rest = math.max(0, height - least - legend)
    local list = o.height >= 20 and #running > 0
      and math.min(#running + 1, rest, height // 4 + 1) or 0
    if list == 1 then list = 0 end
    model_table(c, 1, bottom - list + 1, width, list, running, o)
    c:legend { left = 1, top = bottom - list - legend + 1, width = width, height = legend,
      curves = solid }
    height = height - list - legend
  end
  local text = o.cursor and readout(solid, o.cursor, width)
  if text and o.height >= 16 then
    c:text(x, top + height - 1, text, width, bold)
    height = height - 1
  end
  local info = c:chart { left = x, top = top, width = width, height = height,
    curves = all, cursor = o.cursor, x_label = "error (%)",
    y_label = "share of models with error below e" }
  return info, text
end

--- The frame of a snapshot.
-- @tparam table o width, height, ascii, colours (0, 8, 256: escapes in the lines), view
--   ("edf" or "models"), hidden ({[2] = true}), cursor (an error), scroll, frozen, help
-- @treturn table list of lines
-- @treturn canvas
-- @treturn table x0, x1, left and width of the chart, when there is one
function M.compose(s, o)
  local f = { width = o.width, height = o.height, ascii = o.ascii, view = o.view or "edf",
    hidden = o.hidden or {}, cursor = o.cursor, scroll = o.scroll, frozen = o.frozen }
  local c = canvas.new(f.width, f.height, f.ascii)
  local info
  if f.width < 20 or f.height < 4 then
    c:text(1, 1, M.status(s), f.width, 0)
    return c:lines(o.colours), c
  end
  local top, bottom = header(c, s, f) + 1, f.height - 1
  local message, cursor_text = M.message(s), nil
  if message and not o.help and (s.total == 0 or f.height >= 16) then
    c:text(1, top, message, f.width, s.state == "waiting" and 0 or alarm)
    top = top + 1
  end
  if o.help then
    help_view(c, top, f.width, bottom - top + 1)
  elseif f.view == "models" then
    model_table(c, 1, top, f.width, bottom - top + 1, s.models, f, f.scroll)
  elseif s.total > 0 then
    info, cursor_text = edf_view(c, s, f, top, bottom)
  end
  if cursor_text and f.height < 16 then
    c:text(1, f.height, cursor_text, f.width, bold)
  else
    footer(c, f, f.height)
  end
  return c:lines(o.colours), c, info
end

return M
