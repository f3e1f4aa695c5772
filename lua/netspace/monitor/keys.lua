--- The keys of the monitor: each changes the state of the view, a plain table, and nothing
-- else, so that they are tested without a terminal.  What needs the outside world is asked
-- for in view.want ("snapshot", "pause", "cancel", "retry").

local models = require "netspace.monitor.views.models"
local property = require "netspace.monitor.views.property"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local order = { "edf", "models", "property", "log" }
local letters = { e = "edf", m = "models", x = "property", g = "log" }
local steps = { up = -1, down = 1, pageup = -10, pagedown = 10, wheelup = -3, wheeldown = 3,
  home = -math.huge, ["end"] = math.huge }

--- The state a view begins with.
function M.new(ascii)
  return { view = "edf", hidden = {}, scroll = 0, row = 1, ascii = ascii, band = true }
end

local function clamp(x, lo, hi) return math.max(lo, math.min(hi, x)) end

local function show(view, name)
  view.view, view.help, view.detail, view.choosing = name, nil, nil, nil
end

-- The range of the chart, in the measure of its axis.
local function scale(info)
  if info.log then return math.log, math.exp end
  local function same(x) return x end
  return same, same
end

local function move_cursor(view, info, key)
  local to, from = scale(info)
  local x0, x1 = to(info.x0), to(info.x1)
  local at = view.cursor and to(view.cursor)
  if key == "home" or key == "end" then
    at = key == "home" and x0 or x1
  elseif not at then
    at = (x0 + x1) / 2
  else
    at = at + (x1 - x0) / info.width * (key == "left" and -1 or 1)
  end
  view.cursor = from(clamp(at, x0, x1))
end

-- Zooms by a factor about the cursor (the middle), or moves by a share of the range.
local function zoom(view, info, factor, shift)
  local to, from = scale(info)
  local x0, x1 = to(info.x0), to(info.x1)
  local at = view.cursor and clamp(to(view.cursor), x0, x1) or (x0 + x1) / 2
  local a, b = at - (at - x0) * factor, at + (x1 - at) * factor
  a, b = a + shift * (x1 - x0), b + shift * (x1 - x0)
  a, b = from(a), from(b)
  if b - a < 0.01 then return end
  if a < 0 then a, b = 0, shift == 0 and b or b - a end
  if b > 100 then a, b = shift == 0 and a or a - (b - 100), 100 end
  if info.log and a <= 0 then a = info.x0 end
  view.x0, view.x1 = math.max(0, a), b
end

local function toggle_choice(view, s, id)
  local chosen = table.move(widgets.chosen(s, view), 1, widgets.most, 1, {})
  for i, x in ipairs(chosen) do
    if x == id then
      if #chosen > 1 then table.remove(chosen, i) end
      view.chosen, view.hidden = chosen, {}
      return
    end
  end
  if #chosen == widgets.most then
    view.said = ("at most %d curves can be shown; hide one first"):format(widgets.most)
    return
  end
  chosen[#chosen + 1] = id
  table.sort(chosen)
  view.chosen, view.hidden = chosen, {}
end

local function choose(view, key, s, info)
  if steps[key] then
    view.choice = clamp((view.choice or 1) + steps[key], 1, math.max(1, info.items or 1))
  elseif view.choosing == "property" and (key == "enter" or key == " ") then
    view.property, view.choosing = property.names[view.choice or 1], nil
  elseif key == " " then
    toggle_choice(view, s, view.choice or 1)
  elseif key == "enter" or key == "escape" or key == "c" then
    view.choosing = nil
  end
end

local function select(view, s, by)
  local n = #widgets.chosen(s, view)
  if n > 0 then view.selected = ((view.selected or 1) - 1 + by) % n + 1 end
end

local function edf_key(view, key, s, info, x, y)
  if key:find "^[1-8]$" then
    view.hidden[tonumber(key)] = not view.hidden[tonumber(key)] or nil
  elseif key == "[" or key == "]" then
    select(view, s, key == "[" and -1 or 1)
  elseif key == "b" then
    view.band = not view.band
  elseif key == "n" then
    view.normalise = not view.normalise
  elseif key == "l" then
    view.log, view.x0, view.x1 = not view.log, nil, nil
  elseif key == "0" then
    view.x0, view.x1 = nil, nil
  elseif not info.x0 then
    return
  elseif key == "left" or key == "right" or key == "home" or key == "end" then
    move_cursor(view, info, key)
  elseif key == "+" or key == "=" or key == "wheelup" then
    zoom(view, info, 0.7, 0)
  elseif key == "-" or key == "wheeldown" then
    zoom(view, info, 1 / 0.7, 0)
  elseif key == "<" or key == "," or key == ">" or key == "." then
    zoom(view, info, 1, (key == "<" or key == ",") and -0.2 or 0.2)
  elseif key == "click" then
    local row = info.legend and y - info.legend - info.legend_heading + 1
    if y >= info.top and y < info.top + info.height and x >= info.left
      and x < info.left + info.width then
      local to, from = scale(info)
      local at = (x - info.left) / math.max(1, info.width - 1)
      view.cursor = from(to(info.x0) + at * (to(info.x1) - to(info.x0)))
    elseif row and row >= 1 and row <= #widgets.chosen(s, view) and x >= info.legend_left then
      view.selected = row
    end
  end
end

local function open_detail(view, model)
  if model then view.detail, view.detail_scroll = { model.population_id, model.index }, 0 end
end

local function models_key(view, key, _, info, _, y)
  local list = info.list or {}
  if steps[key] then
    view.row = clamp((info.row or 1) + steps[key], 1, math.max(1, #list))
    view.scroll = info.scroll
  elseif key == "enter" then
    open_detail(view, list[info.row])
  elseif key == "click" and info.rows and y >= info.rows then
    local row = y - info.rows + 1 + info.scroll
    if row == view.row then open_detail(view, list[row]) end
    view.row, view.scroll = clamp(row, 1, math.max(1, #list)), info.scroll
  elseif key == "o" then
    view.order = (view.order or 1) % #models.orders + 1
  elseif key == "O" then
    view.reverse = not view.reverse
  elseif key == "/" then
    view.typing = true
  end
end

local function type_key(view, key)
  if key == "enter" then
    view.typing = nil
  elseif key == "escape" then
    view.typing, view.filter = nil, nil
  elseif key == "backspace" then
    view.filter = (view.filter or ""):sub(1, -2)
  elseif #key == 1 then
    view.filter, view.row, view.scroll = (view.filter or "") .. key, 1, 0
  end
end

local function scrolled(at, by, info)
  return math.max(0, math.min((info.scroll or at or 0) + by, 1 << 30))
end

local questions = {
  P = { "pause", "pause %s?" },
  K = { "cancel", "cancel %s? finished models are kept" },
  R = { "retry", "train the failed models of %s again?" },
}
local go_on = { "pause", "resume %s?" } -- P when it is paused

local function ask(view, key, s)
  local p = widgets.selected(s, view)
  local q = key == "P" and p and p.state == "paused" and go_on or questions[key]
  if key == "R" and p and p.failed == 0 then
    view.said = ("%s has no failed models"):format(p.name)
  elseif p and key ~= "R" and p.state == "finished" then
    view.said = ("%s is finished"):format(p.name)
  elseif p and key ~= "R" and p.state == "stopped" then
    view.said = ("no sweep is at work on %s; `netspace resume %s` finishes it"):format(p.name,
      s.path)
  elseif p then
    view.ask = { text = q[2]:format(p.name), want = q[1], population = p.name }
  end
end

local by_view = { edf = edf_key, models = models_key,
  property = function(view, key, s)
    if key == "[" or key == "]" then
      select(view, s, key == "[" and -1 or 1)
    elseif key == "l" then
      view.log = not view.log
    end
  end,
  log = function(view, key, _, info)
    if steps[key] then view.log_scroll = scrolled(view.log_scroll, -steps[key], info) end
  end,
}

--- Deals with a key (of the mouse: at cell x, y); true to leave.  info is what the frame told.
function M.press(view, key, info, s, x, y)
  if key == "hangup" then return true end
  if key == "resize" then return end
  view.said = nil
  if view.ask then
    if key == "y" or key == "Y" then
      view.want, view.about = view.ask.want, view.ask.population
      view.asked = view.ask.text:match "^[^?;]*"
    end
    view.ask = nil
    return
  elseif view.typing then
    return type_key(view, key)
  elseif key == "q" then
    return true
  elseif key == "?" then
    view.help, view.help_scroll = not view.help, nil
  elseif view.help and steps[key] then
    view.help_scroll = scrolled(view.help_scroll, steps[key], info)
  elseif view.help then
    view.help = nil
  elseif view.choosing then
    choose(view, key, s, info)
  elseif key == "v" or key == "tab" then
    for i, name in ipairs(order) do
      if name == view.view then show(view, order[i % #order + 1]) break end
    end
  elseif letters[key] then
    show(view, letters[key])
  elseif key == "p" then
    view.frozen = not view.frozen
  elseif key == "s" then
    view.want = "snapshot"
  elseif questions[key] then
    ask(view, key, s)
  elseif view.detail then
    if key == "escape" or key == "backspace" or key == "enter" then
      view.detail = nil
    elseif steps[key] then
      view.detail_scroll = scrolled(view.detail_scroll, steps[key], info)
    end
  elseif key == "escape" then
    view.cursor, view.filter = nil, nil
  elseif key == "c" then
    view.choosing, view.choice = view.view == "property" and "property" or "populations", 1
    for i, name in ipairs(view.view == "property" and property.names or {}) do
      if name == view.property then view.choice = i end
    end
  else
    by_view[view.view](view, key, s, info, x, y)
  end
end

return M
