--- What can be done in the monitor, in one table: the keys of each command, what it does in words,
-- and the doing, which changes the state of the view and nothing else.  Help (frame.lua), the
-- palette and dispatch (keys.lua) read it.  What needs the outside world is asked for in
-- view.want ("snapshot", "copy", "picture", "pause", "cancel", "retry").
--
--   command = { keys = "q", text = "leave", run = function(view, key, s, info, x, y) … end }
--   show    the keys as the help has them, where that is shorter
--   each    { key, text }…: what the palette lists of it, where one key is not all of it; {}: none

local fuzzy = require "netspace.lib.fuzzy"
local models = require "netspace.monitor.views.models"
local property = require "netspace.monitor.views.property"
local verdicts = require "netspace.monitor.views.verdict"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

--- By how many rows a key moves in lists.
M.steps = { up = -1, down = 1, pageup = -10, pagedown = 10, wheelup = -3, wheeldown = 3,
  home = -math.huge, ["end"] = math.huge }
local steps = M.steps
local moving = "up down pageup pagedown home end wheelup wheeldown"
local to_move = { { "home", "to the beginning" }, { "end", "to the end" } }

function M.clamp(x, lo, hi) return math.max(lo, math.min(hi, x)) end
local clamp = M.clamp

--- Where a scroll of what `info` tells is after so many rows.
function M.scrolled(at, by, info)
  return math.max(0, math.min((info.scroll or at or 0) + by, 1 << 30))
end
local scrolled = M.scrolled

--- The views, in the order of tab: their keys, and what their tabs are called.
M.views = { { "e", "edf", "EDFs" }, { "m", "models", "models" }, { "x", "property", "property" },
  { "g", "log", "log" } }

--- The view of a cluster's tasks, which has a tab where there are some.
M.tasks = { "t", "tasks", "tasks" }

local function show(view, name)
  view.view, view.help, view.detail, view.choosing, view.picked = name, nil, nil, nil, nil
end

local function next_view(view)
  for i, v in ipairs(M.views) do
    if v[2] == view.view then return show(view, M.views[i % #M.views + 1][2]) end
  end
end

local function view_before(view)
  for i, v in ipairs(M.views) do
    if v[2] == view.view then return show(view, M.views[(i - 2) % #M.views + 1][2]) end
  end
end

local function view_of(view, key)
  for _, v in ipairs(M.views) do
    if v[1] == key then show(view, v[2]) end
  end
end

local function want(what) return function(view) view.want = what end end

-- Populations and models.

local function select(view, key, s)
  local n = #widgets.chosen(s, view)
  local by = key == "[" and -1 or 1
  if n > 0 then view.selected = ((view.selected or 1) - 1 + by) % n + 1 end
end

local function choose(view)
  view.choosing, view.choice = view.view == "property" and "property" or "populations", 1
  view.typed = nil
  for i, name in ipairs(view.view == "property" and property.names() or {}) do
    if name == view.property then view.choice = i end
  end
end

local function open_detail(view, id, index)
  view.detail, view.detail_scroll, view.picked = { id, index }, 0, nil
end

-- A click on a model: the first picks it out, the second one opens it.
local function pick(view, id, index, about)
  local picked = view.picked
  if picked and picked[1] == id and picked[2] == index then
    return open_detail(view, id, index)
  end
  view.picked, view.said = { id, index }, about .. "; a second click opens it"
end

-- "RegNetX model 4, done, error 45.20 %"
local function about(model)
  return ("%s model %d, %s%s"):format(model.population, model.index, models.status(model),
    model.error and (", error %.2f %%"):format(model.error) or "")
end

-- The chart of the EDFs.

local function scale(info)
  if info.log then return math.log, math.exp end
  local function same(x) return x end
  return same, same
end

local function move_cursor(view, key, _, info)
  if not info.x0 then return end
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
local function zoom(factor, shift)
  return function(view, _, _, info)
    if not info.x0 then return end
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
end

local function within(box, x, y)
  return box.left and x >= box.left and x < box.left + box.width and y >= box.top
    and y < box.top + box.height
end

local function edf_click(view, _, s, info, x, y)
  local row = info.legend and y - info.legend - info.legend_heading + 1
  local box = info.models
  local model = box and x >= box.left and box.list[y - box.top + 1]
  if within(info, x, y) and info.x0 then
    local to, from = scale(info)
    local at = (x - info.left) / math.max(1, info.width - 1)
    view.cursor = from(to(info.x0) + at * (to(info.x1) - to(info.x0)))
  elseif model then
    pick(view, model.population_id, model.index, about(model))
  elseif row and row >= 1 and row <= #widgets.chosen(s, view) and x >= info.legend_left then
    view.selected = row
  end
end

-- The model whose point is nearest to a click, when that is not far.
local function property_click(view, _, s, info, x, y)
  if not (within(info, x, y) and info.points) then return end
  local best, near = nil, 3
  for i, p in ipairs(info.points()) do
    local distance = math.abs(p.x - x) + 2 * math.abs(p.y - y)
    if distance < near then best, near = i, distance end
  end
  local p, id = widgets.selected(s, view)
  id = widgets.chosen(s, view)[id]
  if best then pick(view, id, p.finished[best].index, about(p.finished[best])) end
end

local function move_row(view, key, _, info)
  view.row = clamp((info.row or 1) + steps[key], 1, math.max(1, #(info.list or {})))
  view.scroll = info.scroll
end

local function models_click(view, _, _, info, _, y)
  local list = info.list or {}
  local model = info.rows and y >= info.rows and list[y - info.rows + 1 + info.scroll]
  if not model then return end
  local row = y - info.rows + 1 + info.scroll
  if row == view.row then open_detail(view, model.population_id, model.index) end
  view.row, view.scroll = row, info.scroll
end

local function log_click(view, _, s, info, _, y)
  local e = info.entries and info.entries[y]
  if not e or not e.index then return end
  for id, p in ipairs(s.populations) do
    if p.name == e.population then
      local index = math.tointeger(e.index) or e.index
      pick(view, id, index, ("%s model %d"):format(p.name, index))
    end
  end
end

-- Asking before the sweep is told.

local questions = {
  P = { "pause", "pause %s?" },
  K = { "cancel", "cancel %s? what is finished is kept" },
  R = { "retry", "train the failed models of %s again?" },
}
local go_on = { "pause", "resume %s?" } -- P when it is paused

-- The population that a question is about: that of the model chosen, else the selected one; and
-- what says so where the view does not.
local function meant(view, s, info)
  local model = view.view == "models" and (info.list or {})[info.row]
  local id = view.detail and view.detail[1] or model and model.population_id
  if id then return s.populations[id], "that of the model chosen" end
  return widgets.selected(s, view), view.view == "log" and "the selected one" or nil
end

local function ask(view, key, s, info)
  local p, which = meant(view, s, info)
  local q = key == "P" and p and p.state == "paused" and go_on or questions[key]
  if key == "R" and p and p.failed == 0 then
    view.said = ("%s has no failed models"):format(p.name)
  elseif p and key ~= "R" and p.state == "finished" then
    view.said = ("%s is finished"):format(p.name)
  elseif p and key ~= "R" and p.state == "stopped" then
    view.said = ("no sweep is at work on %s; `netspace resume %s` finishes it"):format(p.name,
      s.path)
  elseif p then
    which = #s.populations > 1 and which and (" (%s)"):format(which) or ""
    view.ask = { text = q[2]:format(p.name) .. which, want = q[1], population = p.name }
  end
end

local function set(key) return function(view) view[key] = not view[key] end end
local function back(view) view.detail = nil end

local function hide(view, key, s)
  local slot, n = tonumber(key), #widgets.chosen(s, view)
  if slot <= n then
    view.hidden[slot] = not view.hidden[slot] or nil
  else
    view.said = n == 1 and ("there is no population %d; 1 shows or hides the only one"):format(slot)
      or ("there is no population %d; 1 to %d show or hide a to %s"):format(slot, n,
        string.char(96 + n))
  end
end

local chart_keys = { { "home", "cursor to the left end" }, { "end", "cursor to the right end" } }
local populations = {}
for i = 1, widgets.most do
  populations[i] = { tostring(i), ("show or hide population %s"):format(string.char(96 + i)) }
end
local tabs = {}
for i, v in ipairs(M.views) do tabs[i] = { v[1], "view: " .. v[3] } end

--- The commands of every view.
M.general = {
  { keys = "q", text = "leave; the run goes on" , run = function() return true end },
  { keys = "tab v", text = "next view", run = next_view },
  { keys = "backtab", show = "shift-tab", text = "the view before", run = view_before },
  { keys = "t", text = "tasks of a cluster", run = function(view) show(view, "tasks") end },
  { keys = "e m x g", text = "EDFs, models, property, log", each = tabs, run = view_of },
  { keys = ":", text = "all commands: type to find one, enter does it", each = {},
    run = function(view) view.palette = { text = "", row = 1 } end },
  { keys = "p", text = "freeze, continue", run = set "frozen" },
  { keys = "s", text = "write the view to a text file, and to SVG", run = want "snapshot" },
  { keys = "y", text = "copy the table or verdict to the clipboard", run = want "copy" },
  { keys = "i", text = "the view as an image, where there are any", run = want "picture" },
  { keys = "P K R", show = "P  K  R", text = "pause, cancel, retry failed: they ask first",
    each = { { "P", "pause the population, resume it" }, { "K", "cancel the population" },
      { "R", "retry its failed models" } }, run = ask },
  { keys = "escape", text = "no cursor, no filter; back",
    run = function(view) view.cursor, view.filter = nil, nil end },
  { keys = "?", text = "this help",
    run = function(view) view.help, view.help_scroll = true, nil end },
}

--- Those of one view only.
M.of = {
  edf = {
    { keys = "left right home end", show = "left, right, home, end",
      text = "cursor: error, share of each, KS", each = chart_keys, run = move_cursor },
    { keys = "1 2 3 4 5 6 7 8 9", show = "1-8", text = "show or hide a population",
      each = populations, run = hide },
    { keys = "[ ]", text = "select one: its 95 % band", each = { { "]", "select the next "
      .. "population" }, { "[", "select the one before" } }, run = select },
    { keys = "b", text = "band on or off", run = set "band" },
    { keys = "n", text = "equal flops on or off", run = set "normalise" },
    { keys = "V", text = "compare: the whole verdict, or a line of it", run = function(view, _, s)
      view.verdict = not view.verdict
      if not verdicts.text(s, view) then
        view.said = "there are no two populations with finished models to compare yet"
      end
    end },
    { keys = "l", text = "log axis on or off",
      run = function(view) view.log, view.x0, view.x1 = not view.log, nil, nil end },
    { keys = "+ = wheelup", show = "+", text = "zoom in", run = zoom(0.7, 0) },
    { keys = "- wheeldown", show = "-", text = "zoom out", run = zoom(1 / 0.7, 0) },
    { keys = "< ,", show = "<", text = "move to the left", run = zoom(1, -0.2) },
    { keys = "> .", show = ">", text = "move to the right", run = zoom(1, 0.2) },
    { keys = "0", text = "fit the axis", run = function(view) view.x0, view.x1 = nil, nil end },
    { keys = "c", text = "choose the populations (8 at most)", run = choose },
    { keys = "click", show = "mouse", text = "click: cursor, population, model; wheel: zoom",
      each = {}, run = edf_click },
    { keys = "", show = "(n", text = "the column: models finished / all; failed count as 100 %)" },
    { keys = "", show = "sparse dots", text = "with the errors running models have now" },
  },
  models = {
    { keys = moving, show = "up, down, page up, page down", text = "go through the models",
      each = to_move, run = move_row },
    { keys = "enter", text = "all about one; escape: back", run = function(view, _, _, info)
      local model = info.list and info.list[info.row]
      if model then open_detail(view, model.population_id, model.index) end
    end },
    { keys = "o", text = "sort by the next column",
      run = function(view) view.order = (view.order or 1) % #models.orders + 1 end },
    { keys = "O", text = "reverse the order", run = set "reverse" },
    { keys = "/", text = "filter by words, such as: failed regnet", run = set "typing" },
    { keys = "click", show = "mouse", text = "click: a model, again opens it; wheel: scroll",
      each = {}, run = models_click },
  },
  property = {
    { keys = "c", text = "choose the property", run = choose },
    { keys = "[ ]", text = "the population", each = { { "]", "the next population" },
      { "[", "the population before" } }, run = select },
    { keys = "l", text = "log axis on or off", run = set "log_x" },
    { keys = "wheelup wheeldown", show = "wheel", text = "the population", each = {},
      run = function(view, key, s) select(view, key == "wheelup" and "[" or "]", s) end },
    { keys = "click", show = "mouse", text = "click: a model, again opens it", each = {},
      run = property_click },
    { keys = "", show = "lines", text = "95 % band and, between, median of the best models" },
  },
  log = {
    { keys = moving, show = "up, down, page up, page down", text = "go through the log",
      each = to_move, run = function(view, key, _, info)
        view.log_scroll = scrolled(view.log_scroll, -steps[key], info)
      end },
    { keys = "click", show = "mouse", text = "click: the model of an event, again opens it",
      each = {}, run = log_click },
  },
  tasks = {
    { keys = moving, show = "up, down, page up, page down", text = "go through the tasks",
      each = to_move, run = function(view, key, _, info)
        view.tasks_scroll = scrolled(view.tasks_scroll, steps[key], info)
      end },
  },
  detail = {
    { keys = moving, show = "up, down, page up, page down", text = "go through the text",
      each = to_move, run = function(view, key, _, info)
        view.detail_scroll = scrolled(view.detail_scroll, steps[key], info)
      end },
    { keys = "escape backspace enter", show = "escape", text = "back to the view", run = back },
  },
}

--- The lists of commands for what is on the screen.
function M.lists(view)
  return { M.general, M.of[view.detail and "detail" or view.view] }
end

--- The command of a key, the view's own before the general ones; nil for none.
function M.find(view, key)
  local found
  for _, list in ipairs(M.lists(view)) do
    for _, command in ipairs(list) do
      for name in command.keys:gmatch "%S+" do
        if name == key then found = command end
      end
    end
  end
  return found
end

--- What the palette offers for what was typed, best first: { key, text }.
function M.offers(view)
  local all, texts = {}, {}
  for _, list in ipairs(M.lists(view)) do
    for _, command in ipairs(list) do
      local key = command.keys:match "%S+"
      for _, item in ipairs(command.each or key and { { key, command.text } } or {}) do
        all[#all + 1], texts[#texts + 1] = item, ("%s  %s"):format(item[2], item[1])
      end
    end
  end
  local found = {}
  for i, k in ipairs(fuzzy.rank(view.palette.text, texts)) do found[i] = all[k] end
  return found
end

return M
