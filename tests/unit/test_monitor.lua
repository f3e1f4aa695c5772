-- The monitor: golden frames (tests/terminal/frames/*.txt) composed from fixed snapshots, every size,
-- what a snapshot says of a store, and the command line.  The screen itself is tested by
-- tests/terminal/monitor.sh.  NETSPACE_GOLDEN=1 writes the goldens anew: then read the diff.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local frame = require "netspace.monitor.frame"
local monitor = require "netspace.monitor.monitor"
local units = require "netspace.lib.units"

local function golden(name, lines)
  local path, text = "tests/terminal/frames/" .. name .. ".txt", table.concat(lines, "\n") .. "\n"
  if os.getenv "NETSPACE_GOLDEN" then
    local f = assert(io.open(path, "w"))
    f:write(text)
    f:close()
  end
  local f = assert(io.open(path))
  t.is(text, f:read "a", "frame " .. name)
  f:close()
end

-- A store with two populations, as the store module shows it.
local function fake_store(change)
  local live = { A = {}, B = {} }
  for i = 1, 16 do
    live.A[i] = { index = i, status = i > 12 and "queued" or "done", attempt = 1, epoch = 10,
      epochs = 10, error = 50 + (i * 7 % 16) / 2, images_per_s = 400 + i, seconds = 30 + i,
      worker = i % 2 + 1, curve = { 60, 55 }, flops = 1e6 + i * 1e5, params = 1e5, acts = 1e4,
      memory = 2e6 }
    live.B[i] = { index = i, status = i > 10 and "queued" or "done", attempt = 1, epoch = 10,
      epochs = 10, error = 46 + (i * 5 % 16) / 3, images_per_s = 300 + i, seconds = 40 + i,
      worker = i % 2 + 1, curve = {}, flops = 1.2e6 + i * 1e5, params = 1e5, acts = 1e4 }
    if i > 12 then live.A[i].error, live.B[i].error = nil, nil end
  end
  live.A[4].status, live.A[4].error = "diverged", 100
  live.A[4].reason = "loss is not a number in epoch 3"
  live.A[4].epoch = 3
  for _, i in ipairs { 11, 12 } do
    live.B[i].status, live.B[i].epoch, live.B[i].error = "running", i - 5, 51.5
  end
  live.A[13].error, live.A[13].worker, live.A[13].attempt = nil, nil, 0
  live.A[13].images_per_s, live.A[13].seconds, live.A[13].epoch = nil, nil, 0
  local store = {
    names = function() return { "A", "B" } end,
    _version = function() end,
    _trials = function() return {} end,
    population = function(_, name)
      return { name = name == "A" and "AnyNetX_A" or "RegNetX", space = name, data = "shapes",
        recipe = { epochs = 10, lr = 0.1 } }
    end,
    _tasks = function() end,
    live = function(_, name)
      local copy = {}
      for i, model in ipairs(live[name]) do
        copy[i] = {}
        for k, v in pairs(model) do copy[i][k] = v end
      end
      return copy
    end,
    networks = function()
      local list = {}
      for i = 1, 16 do list[i] = { d = { i, 1 }, w = { 8 * i, 128 }, b = { 1, 1 } } end
      return list
    end,
    network = function(_, _, i) return { d = { i, 1 }, w = { 8 * i, 128 }, b = { 1, 1 } } end,
    events = function(_, o)
      local last = { time = 950, population = "A", index = 4, text = "diverged: loss is not a number" }
      if o.index then return { last } end
      return { { time = 900, population = "A", text = "run started with 2 workers" }, last }
    end,
    progress = function()
      return { images_per_s = 812.4, eta = 203, updated = 1000, running_main = true, events = 2 }
    end,
  }
  for key, value in pairs(change or {}) do store[key] = value end
  return store
end

local function snapshot(change, needs)
  local s = monitor.snapshot("runs.db", fake_store(change), nil, needs or
    { events = { last = 200, skip = 0 }, networks = true })
  s.now = 1002
  return s
end

local s = snapshot()
t.is(s.state, "running", "state of a store at work")
t.is(("%d %d %d %d %d %d"):format(s.done, s.diverged, s.failed, s.running, s.queued, s.total),
  "21 1 0 2 8 32",
  "counts")
t.is(#s.populations[1].errors, 12, "errors of finished models")
t.is(math.max(table.unpack(s.populations[1].errors)), 100, "a diverged model counts as 100")
t.is(#s.populations[2].provisional, 2, "errors of running models")
t.is(s.models[1].status, "running", "running models come first")
t.is(s.models[3].status, "diverged", "then the failed ones")
t.is(s.models[#s.models].status, "queued", "queued ones last")

local function with_state(state_of)
  return function(_, name)
    return { name = name == "A" and "AnyNetX_A" or "RegNetX", space = name, data = "shapes",
      recipe = { epochs = 10, lr = 0.1 }, state = state_of(name) }
  end
end
local idle = { progress = function()
  return { updated = 1000, running_main = false, events = 2 }
end, population = with_state(function() return "stopped" end) }
local stopped = snapshot(idle)
t.is(stopped.state, "stopped", "open models and nobody at work")
t.ok(frame.status(stopped):find("stopped, 21/32 done", 1, true), "its status line")
local finished = snapshot { progress = idle.progress, live = function()
  return { { index = 1, status = "done", attempt = 1, epoch = 2, epochs = 2, error = 40 } }
end }
t.is(finished.state, "finished", "no open models")
local paused = snapshot { progress = function()
  return { updated = 1000, running_main = true, paused = true, images_per_s = 0, events = 2 }
end, population = with_state(function(name) return name == "A" and "paused" or "stopped" end) }
t.is(paused.state, "paused", "a sweep that waits to go on")
t.is(stopped.running .. stopped.models[#stopped.models].status, "0queued",
  "what a dead run left as running is open")
local waiting = monitor.snapshot("runs.db")
t.is(waiting.state, "waiting", "no store yet")
local unread = monitor.snapshot("runs.db", nil, "runs.db is damaged")
t.is(unread.state, "error", "a store that cannot be read")
t.is(snapshot { names = function() return {} end }.state, "waiting", "a store without sweeps")
t.is(snapshot { live = function() return nil, "it is locked" end }.message, "it is locked",
  "a failing read")

golden("80x24", frame.compose(s, { width = 80, height = 24 }))
golden("80x24-ascii", frame.compose(s, { width = 80, height = 24, ascii = true }))
golden("40x10", frame.compose(s, { width = 40, height = 10 }))
golden("200x60", frame.compose(s, { width = 200, height = 60 }))
golden("models", frame.compose(s, { width = 80, height = 24, ascii = true, view = "models",
  scroll = 2 }))
golden("models-40x10", frame.compose(s, { width = 40, height = 10, ascii = true,
  view = "models" }))
golden("help", frame.compose(s, { width = 80, height = 24, ascii = true, help = true }))
golden("help-40x10", frame.compose(s, { width = 40, height = 10, ascii = true, help = true,
  help_scroll = 7 }))
local on_cluster = snapshot { _tasks = function(_, name)
  return name == "AnyNetX_A" and { time = 1000, scheduler = "slurm", tasks = {
    { task = "77_0", state = "running", node = "n1", ends = 1302, models = 4, left = 1, model = 13 },
    { task = "77_1", state = "running", node = "n2", models = 4, left = 4 },
    { task = "77_2", state = "pending", reason = "JobArrayTaskLimit", models = 4, left = 4 },
  } } or nil
end }
golden("tasks", frame.compose(on_cluster, { width = 80, height = 24, ascii = true, view = "tasks" }))
golden("cursor", frame.compose(s, { width = 80, height = 24, ascii = true, cursor = 49.9 }))
golden("cursor-40x10", frame.compose(s, { width = 40, height = 10, ascii = true,
  cursor = 49.9, hidden = { true } }))
golden("band", frame.compose(s, { width = 80, height = 24, band = true, selected = 2 }))
golden("log-axis", frame.compose(s, { width = 80, height = 24, ascii = true, log = true,
  x0 = 40, x1 = 60, band = true, cursor = 50 }))
golden("models-filter", frame.compose(s, { width = 110, height = 24, ascii = true,
  view = "models", filter = "regnet done", order = 2, row = 2 }))
golden("equal-flops", frame.compose(s, { width = 80, height = 24, ascii = true,
  normalise = true }))
golden("frozen", frame.compose(s, { width = 80, height = 24, ascii = true, frozen = true,
  hidden = { [2] = true } }))
golden("waiting", frame.compose(waiting, { width = 80, height = 24, ascii = true }))
golden("paused", frame.compose(paused, { width = 80, height = 24, ascii = true }))
golden("stopped", frame.compose(stopped, { width = 80, height = 24, ascii = true }))
golden("damaged-40x10", frame.compose(unread, { width = 40, height = 10, ascii = true }))

-- Strictly below: at 50.5 itself, A's best error, none of A counts.
local at = frame.compose(s, { width = 40, height = 10, ascii = true, cursor = 50.5 })
t.ok(at[10]:find("50.50%: a 0.00 b 0.80 b-a +0.80", 1, true), "the cursor reads F strictly", at[10])

local old = snapshot()
old.now = 1100
t.ok(frame.compose(old, { width = 80, height = 24, ascii = true, colours = 8 })[2]
  :find("31mdata 1m40s old", 1, true), "stale data turns red")
t.ok(table.concat((frame.compose(old, { width = 40, height = 10, ascii = true })))
  :find("1m40s old", 1, true), "and is named on a small screen")

local info = select(3, frame.compose(s, { width = 80, height = 24 }))
t.ok(info.x0 > 46 and info.x0 < 46.6 and info.x1 > 57.5 and info.x1 < 58, "the chart tells its range")

local every = { { "edf" }, { "models" }, { "property" }, { "log" }, { "edf", detail = { 1, 4 } },
  { "edf", choosing = "populations" }, { "property", choosing = "property" } }
golden("property", frame.compose(s, { width = 80, height = 24, ascii = true, view = "property",
  property = "flops", selected = 2 }))
do -- the title of a property is cut at no width that a part of it fits into
  local long, cut = snapshot(), {}
  long.populations[2].name = "AnyNetX_A-32px+shared_b+shared_g+monotone_w"
  for width = 40, 160 do
    local title = frame.compose(long, { width = width, height = 24, ascii = true,
      view = "property", property = "flops", selected = 2 })[4]
    if not title:find("error against flops", 1, true) or title:find("~", 1, true) then
      cut[#cut + 1] = width .. ": " .. title
    end
  end
  t.is(table.concat(cut, "\n"), "", "a property's title fits at every width")
end
golden("detail", frame.compose(snapshot(nil, { detail = { 1, 4 } }), { width = 80, height = 40, ascii = true,
  detail = { 1, 4 } }))
golden("choose", frame.compose(s, { width = 80, height = 24, ascii = true,
  choosing = "populations", choice = 2 }))
golden("log", frame.compose(s, { width = 80, height = 24, ascii = true, view = "log" }))

-- A log is read in pages: whatever the scroll, what is shown is what would be of all of it.
local pages, most = {}, 0
local function page_of(view)
  local function events(_, o)
    local list = {}
    for i = math.max(1, 5000 - o.skip - o.last + 1), 5000 - o.skip do
      list[#list + 1] = { time = 900, population = "A", text = ("event %d."):format(i) }
    end
    most = math.max(most, #list)
    pages[o.skip] = true
    return list
  end
  return snapshot({ events = events, progress = function()
    return { updated = 1000, running_main = true, events = 5000 }
  end }, frame.needs(view))
end
local long = { view = "log", width = 80, height = 24 }
for _, scroll in ipairs { 0, 1, 199, 200, 201, 2500, 4979, 4980, 1 << 30 } do
  long.log_scroll = scroll
  local lines, _, info = frame.compose(page_of(long), long)
  local last = math.max(20, 5000 - scroll)
  t.ok(table.concat(lines, "\n"):find(("event %d%%.[^\n]*\n[^\n]*$"):format(last)),
    ("scrolled by %d: the last one is %d"):format(scroll, last), table.concat(lines, "\n"))
  t.ok(lines[4]:find(("event %d."):format(last - 19), 1, true), "and the first fits")
  t.is(info.scroll, 5000 - last, "the scroll there is room for")
end
t.ok(most <= 400 and pages[0] and pages[200], "no more than two pages at once")

-- Its picture for files shows what the view does.
local picture = require("netspace.monitor.views.edf").plot
t.ok(picture(s, { hidden = {} }):text():find "b RegNetX", "the EDFs as a plot")
t.ok(not picture(s, { hidden = { true } }):text():find "AnyNetX_A", "without those hidden")
t.ok(picture(s, { hidden = {}, normalise = true })._picture.title:find "at equal flops",
  "at equal flops when the view is")
t.is(picture(s, { hidden = { true, true } }), nil, "none of nothing")

-- Every size: as many lines as asked for, none wider, no error.
local bad
for _, snap in ipairs { s, waiting, stopped, finished, unread } do
  for width = 1, 150, 7 do
    for _, height in ipairs { 1, 2, 3, 4, 5, 7, 9, 10, 15, 16, 20, 23, 60 } do
      for _, view in ipairs(every) do
        for _, help in ipairs { true, false } do
          local lines = frame.compose(snap, { width = width, height = height, ascii = true,
            view = view[1], detail = view.detail, choosing = view.choosing, help = help,
            cursor = 50, scroll = 1000, band = true })
          local fits = #lines == height
          for _, line in ipairs(lines) do fits = fits and #line <= width end
          if not fits then bad = ("%d x %d %s"):format(width, height, view[1]) end
        end
      end
    end
  end
end
t.is(bad, nil, "every size fits")

-- Nine populations: eight curves, and the counts still include the ninth.
local many = snapshot { names = function() return { "A", "A", "A", "A", "A", "A", "A", "A", "B" } end }
t.is(many.total, 9 * 16, "nine populations are counted")
t.ok(table.concat((frame.compose(many, { width = 80, height = 40, ascii = true })), "\n")
  :find("\nhhhh h AnyNetX_A", 1, true), "eight have a curve")

t.ok(frame.compose(many, { width = 80, height = 40, ascii = true })[4]
  :find("8 of 9 populations; c chooses", 1, true), "and it is said that there are more")

-- Keys: each changes the state of the view.
local keys = require "netspace.monitor.keys"
local view = keys.new(true)
view.width, view.height = 80, 24
local function press(list, snap)
  snap = snap or s
  for key in list:gmatch "%S+" do
    if key == "space" then key = " " end
    local told = select(3, frame.compose(snap, view))
    if keys.press(view, key, told, snap, 1, 1) then return true end
  end
end
press "home"
t.ok(math.abs(view.cursor - 46.44) < 0.1, "home: the best error", view.cursor)
press "+ +"
t.ok(view.x1 - view.x0 < 6 and view.x0 < 46.7, "zoom is about the cursor", view.x0)
local x0 = view.x0
press ">"
t.ok(view.x0 > x0, "> moves the range")
press "0"
t.is(view.x0, nil, "0 fits")
press "2 ] b n l escape"
t.is(view.hidden[2], true, "2 hides")
t.is(view.selected, 2, "] selects the next")
t.ok(not view.band and view.normalise and view.log and not view.cursor, "b, n, l, escape")
press "2 [ b n l"
t.ok(not view.hidden[2] and view.selected == 1 and view.band and not view.normalise, "and back")
press "tab"
t.is(view.view, "models", "tab: the next view")
press "o / d i v enter"
t.is(view.filter .. view.order, "div2", "o sorts, / filters")
press "enter"
t.is(table.concat(view.detail, " "), "1 4", "enter: all about it")
press "escape escape x c down enter"
t.is(view.view .. " " .. view.property, "property params", "c chooses the property")
press "l"
t.ok(view.log_x and not view.log, "its log axis is its own")
press "l c g [ 2 enter"
t.is(view.property, "g[2]", "typing finds a property")
press "g up e ? ?"
t.is(view.view, "edf", "letters show their view")
press "c"
t.is(view.choosing, "populations", "c chooses populations")
press("end space", many)
t.ok(view.said:find "^at most 8 curves", "no more than eight")
press("home space end space enter", many)
t.is(table.concat(view.chosen, " "), "2 3 4 5 6 7 8 9", "one for another")
view.chosen = nil
press "K n"
t.ok(not view.want and not view.ask, "cancel asks; n means no")
press "K y"
t.is(view.want .. " " .. view.about, "cancel AnyNetX_A", "y asks the sweep for it")
view.want = nil
local mine = s.populations[1]
mine.state = "finished"
press "K"
t.ok(not view.ask and view.said == "AnyNetX_A is finished", "what is finished cannot be cancelled")
mine.state = "stopped"
press "P"
t.ok(not view.ask and view.said:find "no sweep is at work on AnyNetX_A", "nor paused what was")
t.ok(table.concat((frame.compose(s, { width = 80, height = 24, ascii = true })), "\n")
  :find("AnyNetX_A (stopped)", 1, true), "which the legend tells")
mine.state = nil
view.height = 10
press "? down down"
t.is(view.help_scroll, 2, "the help scrolls")
press "escape"
t.ok(not view.help, "and any other key leaves it")
view.height = 24
press("P", paused)
t.ok(view.ask.text:find "resume .*%?", "P resumes it")
press "n"
press("P", stopped)
t.ok(not view.ask and view.said:find "no sweep is at work", "nobody is there to be asked")
press("R", stopped)
t.ok(not view.ask and view.said:find "has no failed models", "what diverged is a result")
stopped.populations[1].failed = 1
press("R y", stopped)
t.is(view.want, "retry", "but what failed can be queued again")
view.want = nil
press("] R", stopped)
t.ok(not view.ask and view.said:find "has no failed models", "when anything failed")
press "["
press "1"
view.hidden = {}
local told = select(3, frame.compose(s, view))
keys.press(view, "click", told, s, told.left + told.width - 1, told.top)
t.ok(math.abs(view.cursor - told.x1) < 1e-9, "a click sets the cursor")
keys.press(view, "click", told, s, 3, told.legend + 2)
t.is(view.selected, 2, "or selects in the legend")
t.ok(press "q", "q leaves")

-- The palette: every command of the view is in it, by its key; enter does it.
local commands = require "netspace.monitor.commands"
local copy = require "netspace.monitor.copy"
view = keys.new(true)
view.width, view.height = 80, 24
press ":"
golden("palette", frame.compose(s, view))
press "z o o m"
golden("palette-found", frame.compose(s, view))
t.is(commands.offers(view)[1][1], "+", "zoom in comes first")
press "down"
t.is(view.palette.row, 2, "down goes to the next")
press "end home up"
t.is(view.palette.row, 1, "and never out of the list")
press "enter"
t.ok(view.x0 and not view.palette, "enter zooms and closes")
press ": q escape"
t.ok(not view.palette, "escape closes without doing it")
press ": a backspace backspace"
t.ok(not view.palette, "so does backspace where nothing is typed")
press ": z z z z enter"
t.ok(not view.palette and view.view == "edf", "nothing found, nothing done")
t.ok(press ": l e a v e enter", "leaving by the palette")
press ": m o d e l s enter"
t.is(view.view, "models", "a view by its name")
press ": r e v e r s e enter"
t.ok(view.reverse, "a command of this view")
press ": z o o m enter"
t.is(view.x0 ~= nil and view.view, "models", "what other views do is not offered here")
local seen_keys = {}
for _, place in ipairs { "edf", "models", "property", "log", "detail" } do
  local used, twice, dead = {}, {}, {}
  for _, command in ipairs(commands.of[place]) do
    for key in command.keys:gmatch "%S+" do
      if used[key] then twice[#twice + 1] = key end
      used[key], seen_keys[key] = true, true
    end
  end
  for _, command in ipairs(commands.general) do
    for key in command.keys:gmatch "%S+" do used[key], seen_keys[key] = true, true end
  end
  for _, offer in ipairs(commands.offers { view = place, detail = place == "detail" or nil,
    palette = { text = "" } }) do
    if not used[offer[1]] then dead[#dead + 1] = offer[2] end
  end
  t.is(table.concat(twice, " "), "", place .. ": a key does one thing")
  t.is(table.concat(dead, " "), "", place .. ": all that the palette offers has a key")
end
for key in ("q tab e m x g : p s y i P K R ? 1 8 [ ] b n l + - < > 0 c o O / enter"):gmatch "%S+" do
  if not seen_keys[key] then t.ok(false, "there is a command of key " .. key) end
end

-- Keys that nothing has, and populations that are not there, are said; wishes are about what is
-- marked.
view = keys.new(true)
view.width, view.height = 80, 24
local function look() return table.concat(frame.compose(s, view), "\n") end
press "3"
t.is(view.said, "there is no population 3; 1 to 2 show or hide a to b", "no third population")
press "9"
t.ok(view.said:find "no population 9", "nor a ninth")
press "1 2"
t.ok(look():find("a>AnyNetX_A (hidden)", 1, true) and look():find "all are hidden; 1 shows a",
  "hidden ones are said to be")
press "1 2 Z"
t.ok(view.said:find "no command has the key Z here", "nor is Z a key")
press "l"
t.ok(look():find("error (%) (log scale)", 1, true), "a logarithmic axis says so")
press "l m"
t.ok(look():find("\na AnyNetX_A 12/16  b>RegNetX 10/16\n", 1, true), "letters of the models")
press "K"
t.is(view.ask.text, "cancel RegNetX? what is finished is kept (that of the model chosen)",
  "a wish among the models is about that of the one chosen")
press "n down down"
t.ok(look():find "\na>AnyNetX_A", "which is marked")
press "P"
t.is(view.ask.population, "AnyNetX_A", "and meant")
press "n enter R"
t.ok(view.said:find "AnyNetX_A has no failed", "also on the page of one")
press "escape g P"
t.is(view.ask.text, "pause AnyNetX_A? (the selected one)", "the log says which")
press "n backtab"
t.is(view.view, "property", "shift-tab goes back")
press ": z o x ctrl-u m o"
t.is(view.palette.text, "mo", "Ctrl-U empties the palette's line")
press "tab"
t.is(view.palette.row, 2, "Tab goes down its list")
press "escape m / x y ctrl-w r"
t.is(view.filter, "r", "Ctrl-W takes the filter's last word back")
press "escape"

-- The mouse: tabs, models, events, points, lists.
local function click(x, y)
  local told = select(3, frame.compose(s, view))
  keys.press(view, "click", told, s, x, y)
  return told
end
local function tab(name)
  local told = select(3, frame.compose(s, view))
  for _, b in ipairs(told.buttons or {}) do
    if b.key == name then return click(b.from, b.y) end
  end
end
for width, height in pairs { [80] = 24, [40] = 10, [200] = 60 } do
  view = keys.new(true)
  view.width, view.height = width, height
  for _, v in ipairs { { "m", "models" }, { "x", "property" }, { "g", "log" }, { "e", "edf" } } do
    tab(v[1])
    t.is(view.view, v[2], ("a click on the tab %s at %dx%d"):format(v[2], width, height))
  end
  tab "?"
  t.ok(view.help, "a click on the help")
  tab "m"
  t.ok(view.view == "models" and not view.help, "and from there to a tab")
end
view.width, view.height = 80, 24
local told = click(10, 8)
t.is(view.row, 8 - told.rows + 1, "a click chooses a model")
click(10, 8)
t.is(view.detail and view.detail[2], s.models[2].index, "a second one opens it")
press "wheeldown"
t.ok(view.detail_scroll > 0, "the wheel scrolls its text")
press "escape wheeldown"
t.is(view.row, 5, "the wheel goes through the list")
click(10, 99)
t.ok(not view.detail, "below the list there is nothing")
tab "g"
told = select(3, frame.compose(s, view))
local row
for y, e in pairs(told.entries) do
  if e.index then row = y end
end
s.events[2].population = "AnyNetX_A"
click(30, row)
t.ok(view.said:find("AnyNetX_A model 4; a second click opens it", 1, true), "a click on an event")
click(30, row)
t.is(view.detail and view.detail[2], 4, "opens its model")
view.detail = nil
tab "x"
told = select(3, frame.compose(s, view))
local point = told.points()[5]
click(math.floor(point.x + 0.5), math.floor(point.y + 0.5))
t.ok(view.said and view.said:find "^AnyNetX_A model %d+, %a+, error .*a second click", "a point",
  view.said)
local picked = view.picked[2]
click(math.floor(point.x + 0.5), math.floor(point.y + 0.5))
t.is(view.detail and view.detail[2], picked, "opens its model")
view.detail = nil
press "wheeldown"
t.is(view.selected, 2, "the wheel is the next population")
press "c"
told = click(5, 7)
t.is(view.choice, 7 - told.rows + 1, "a click in the list of properties")
click(5, 7)
t.is(view.property, "acts", "a second one takes it")
tab "e"
press "c"
told = select(3, frame.compose(s, view))
click(5, told.rows + 1)
click(5, told.rows + 1)
t.is(#view.chosen, 1, "populations are chosen with the mouse")
view = keys.new(true)
view.width, view.height = 80, 24
told = select(3, frame.compose(s, view))
click(3, told.models.top)
t.ok(view.picked and view.said:find "RegNetX model 11, running", "a running model below the chart")
click(3, told.models.top)
t.is(view.detail and view.detail[2], 11, "opens")
view.detail, view.ask = nil, { text = "cancel A?", want = "cancel", population = "A" }
click(3, 5)
t.ok(not view.ask and not view.want, "a click is no yes")
view.palette = { text = "freeze", row = 1 }
told = select(3, frame.compose(s, view))
click(5, told.rows)
t.ok(view.frozen and not view.palette, "a click in the palette does it")

-- The verdict: that of stats.compare, on the two that are shown; of more on the selected one.
local verdicts = require "netspace.monitor.views.verdict"
local three = { populations = {}, models = {}, trials = {} }
for id, shift in ipairs { 9, 0, 20 } do
  local p = { name = "P" .. id, n = 12, errors = {}, finished = {}, flops = {}, prefix = 12 }
  for i = 1, 12 do p.errors[i], p.finished[i], p.flops[i] = 40 + shift + i, { index = i }, 1e6 + i end
  three.populations[id] = p
end
local all = three.populations
t.is(verdicts.text(three, { hidden = {} }), stats.compare(all[1], all[2]).verdict,
  "the verdict is that of stats.compare")
t.ok(verdicts.text(three, { hidden = {}, selected = 3 }):find "^P1 is better than P3",
  "of three on the first and the selected one")
t.ok(verdicts.text(three, { hidden = { true } }):find "^P2 is better than P3", "of those shown")
t.is(verdicts.text(three, { hidden = { true, true } }), nil, "none of one")
t.ok(verdicts.text(three, { hidden = {}, normalise = true }):find "at equal flops", "at equal flops")
t.is(verdicts.short("A is better than B: x (95 % CI 1 to 2 points)."), "A is better than B: x",
  "a line of it")
do
  local compare, calls = stats.compare, 0
  stats.compare = function(...) calls = calls + 1 return compare(...) end
  for _ = 1, 3 do verdicts.text(three, { hidden = {}, selected = 2 }) end
  all[2].errors[1] = 39
  verdicts.text(three, { hidden = {}, selected = 2 })
  stats.compare = compare
  t.is(calls, 2, "computed anew only when an error has changed")
end
three.trials[1] = { "P2", "P1", verdict = "decided" }
t.ok(verdicts.text(three, { hidden = {} }) ~= "decided", "a trial of two in another order")
three.trials[2] = { "P1", "P3", "P2", verdict = "decided" }
t.is(verdicts.text(three, { hidden = {} }), "decided", "what a trial has decided")
three.trials = {}
do -- while models are open: of models 1 to n alone, at any time
  local p = { all[1].errors, { table.unpack(all[2].errors, 1, 11) } }
  all[2].errors[11], all[2].errors[12], all[2].finished[11].index = 20, nil, 12
  all[2].prefix = 10
  t.is(verdicts.text(three, { hidden = {} }):gsub(" Not looked.*", ""),
    stats.anytime({ name = "P1", errors = p[1], n = 12 }, { name = "P2", n = 12,
      errors = { table.unpack(p[2], 1, 10) }, indices = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } }).verdict
      :gsub(" Not looked.*", ""), "the verdict holds at every moment while models are open")
  t.ok(verdicts.text(three, { hidden = {} }):find("Not looked at: 2 of P1 and 1 of P2", 1, true),
    "and says what it leaves out")
end
t.is(verdicts.short("Not decided: x (95 % CI that holds at every moment: 1 to 2 points)."),
  "Not decided: x (at every moment)", "in a word")
local whole = frame.compose(s, { width = 80, height = 24, view = "edf", verdict = true })
t.ok(table.concat(whole, " "):find "CI that holds at every moment", "V shows all of it",
  table.concat(whole, "\n"))
local function half(n) -- 40 models, the 20th at work, and n more ended
  local list = {}
  for i = 1, 40 do
    local ended = i <= n and i ~= 20
    list[i] = { index = i, status = ended and "done" or i == 20 and "running" or "queued", epoch = 1,
      attempt = 1, epochs = 2, error = ended and 40 + i % 7 or nil, curve = {}, flops = 1e6,
      params = 1e5, acts = 1e4 }
  end
  return frame.compose(snapshot { live = function() return list end }, { width = 80, height = 24,
    band = true, cursor = 43 })
end
golden("band-open", half(25))
local halfway = table.concat(half(25), "\n")
t.ok(halfway:find("band of a: models 1 to 19, at any time", 1, true), "a band for every glance",
  halfway)
local models_1_to_19 = {}
for i = 1, 19 do models_1_to_19[i] = 40 + i % 7 end
local at_any_time = stats.edf(models_1_to_19):band(0.95, "anytime")
t.ok(halfway:find(("[%.3f, %.3f]"):format(at_any_time.lo(43), at_any_time.hi(43)), 1, true),
  "that of edf:band", halfway)
t.ok(table.concat(half(10), "\n"):find("the band of a comes with models 1 to 16", 1, true),
  "from 16 models on")

-- Copying.
local _, c = frame.compose(s, view)
local text, what = copy.text(s, view, c, 4)
t.is(what, "2 populations and the verdict", "the EDFs are copied as a table")
t.ok(text:find("population\tmodels\tdone\tdiverged\tfailed\tmin\tmean\nAnyNetX_A\t16\t11\t1\t0\t", 1, true),
  "with tabs", text)
t.ok(text:find "RegNetX" and select(2, text:gsub("\n", "")) == 4, "and the verdict", text)
view.hidden = { true }
t.is(select(2, copy.text(s, view, c, 4)), "1 population", "what is hidden is not copied")
view.view, view.filter = "models", "diverged"
text, what = copy.text(s, view, c, 4)
t.is(what, "1 model", "the models as they are filtered")
t.ok(text:find("\nAnyNetX_A\t4\tdiverged\t3\t100\t", 1, true), "their numbers", text)
view.view, view.filter = "log", nil
_, c = frame.compose(s, view)
t.ok(copy.text(s, view, c, 4):find "^%d.*run started with 2 workers", "else the text that is shown")
local large = { populations = {}, models = {} }
for i = 1, 5000 do
  large.models[i] = { population = "A", population_id = 1, index = i, status = "done", epoch = 1 }
end
text, what = copy.text(large, { view = "models" }, c, 4)
t.ok(#text <= 74994 and what:find "^the first %d+ of 5001 lines", "no more than terminals take", what)

-- A list of many models is made once, and in order, whatever it is sorted by.
local models = require "netspace.monitor.views.models"
local list = models.list(large, { order = 7 })
t.ok(rawequal(models.list(large, { order = 7 }), list), "the same list for the same wish")
t.is(models.list(large, { order = 7, reverse = true })[1].index, 5000, "another for another one")
for i = 1, 5000 do large.models[i].error = i % 7 > 0 and i % 7 or nil end
large.models = table.move(large.models, 1, 5000, 1, {})
list = models.list(large, { order = 2 })
t.ok(list[1].index == 1 and list[2].index == 8 and list[5000].index == 4998,
  "equal ones in their order, those without a number last")
local began = os.clock()
for _ = 1, 1000 do models.list(large, { order = 2 }) end
t.ok(os.clock() - began < 0.2, "a key costs no sorting", ("%.3f s"):format(os.clock() - began))

-- What has not changed is not read again.
local reads, version = 0, "1"
local store = fake_store { _version = function() return version end }
local live = store.live
function store.live(...)
  reads = reads + 1
  return live(...)
end
local first = monitor.snapshot("runs.db", store)
local second = monitor.snapshot("runs.db", store, nil, nil, first)
t.ok(reads == 2 and rawequal(first.models, second.models) and second.done == first.done,
  "the same version: the same models")
version = "2"
t.ok(not rawequal(monitor.snapshot("runs.db", store, nil, nil, second).models, first.models)
  and reads == 4, "another version is read")
local third = monitor.snapshot("runs.db", store, nil, nil, nil)
store.population = with_state(function() return "stopped" end)
monitor.snapshot("runs.db", store, nil, nil, third)
t.is(reads, 8, "so is a store whose sweep has died")

-- A wish reaches the sweep that it is for, once, and leaves nothing behind.
local controls = require "netspace.sweep.controls"
local uv = require "luv"
local dir = uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-XXXXXX")
local path = dir .. "/runs.db"
t.is(#controls.take(path, "A"), 0, "no wish")
t.ok(controls.send(path, "pause", "A") and controls.send(path, "retry", "A")
  and controls.send(path, "cancel", "B"), "three wishes")
t.is(table.concat(controls.take(path, "A"), " "), "pause retry", "two are for A, in order")
t.is(#controls.take(path, "A"), 0, "once")
t.is(table.concat(controls.take(path, "B"), " "), "cancel", "one is for B")
t.is(uv.fs_stat(controls.directory(path)), nil, "the directory goes with the last one")
t.ok(not controls.send(dir .. "/no/x.db", "pause", "A"), "where nobody can write, it says so")
uv.fs_rmdir(dir)

t.is(units.duration(59.4), "59s", "seconds")
t.is(units.duration(200), "3m20s", "minutes")
t.is(units.duration(7500), "2h05m", "hours")
t.is(units.duration(3.2 * 86400), "3d04h", "days")
t.is(units.duration(-2), "0s", "a clock that went back")

-- The command line; what is wrong goes to stderr, the code says usage.
local stderr = io.stderr
local said = {}
io.stderr = { write = function(_, ...) said[#said + 1] = table.concat { ... } end }
local codes = { monitor.main {}, monitor.main { "a", "b" }, monitor.main { "--onse", "a" },
  monitor.main { "--text", "--json", "a" } }
io.stderr = stderr
t.is(table.concat(codes, " "), "2 2 2 2", "usage errors are 2")
t.ok(said[1]:find "which store%?" and said[2]:find "a and b" and said[3]:find "'%-%-once'%?"
  and said[4]:find "%-%-text and %-%-json exclude", "and say what is wrong")
local none, why = monitor "/no/such.db"
t.ok(none == nil and why:find("there is no store /no/such.db (there is no directory /no/); "
  .. "{ wait = true } waits for it", 1, true), "no store: nil, and why", why)
do
  local dir = assert(require("luv").fs_mkdtemp("/tmp/netspace-monitor-XXXXXX"))
  io.open(dir .. "/first.db", "w"):close()
  none, why = monitor(dir .. "/frst.db")
  t.ok(why:find(("did you mean '%s/first.db'?"):format(dir), 1, true), "a near store, with its directory", why)
  t.fails(function() sweep.resume(dir .. "/frst.db") end, "no such store (did you mean '" .. dir .. "/first.db'?)",
    "resume knows it, too")
  os.remove(dir .. "/first.db"); os.remove(dir)
end
t.fails(function() monitor(3) end, "expects the path of a store, got number", "no path")
t.fails(function() monitor("x", { mode = "onse" }) end, "it must be once, text or json", "no mode")
t.fails(function() monitor("x", { asci = true }) end, "did you mean 'ascii'?", "unknown option")
t.fails(monitor, "no sweep has been started here; name a store", "none was started")
local path, stdout, page = os.tmpname(), io.stdout, {}
os.remove(path)
require("netspace.sweep.sweep").run { store = path, name = "mine", models = require("netspace.space.space")
  .small.RegNetX:sample(1), data = require("netspace.data.data").open("shapes", { train = 32, test = 16 }),
  recipe = { epochs = 1, batch = 16 }, progress = function() end }
io.stdout = { write = function(_, ...) page[#page + 1] = table.concat { ... } end,
  flush = function() end }
local shown, message = pcall(monitor, nil, { mode = "once" })
io.stdout = stdout
t.ok(shown and table.concat(page):find("mine", 1, true), "monitor() shows what was started last",
  message or table.concat(page))
os.remove(path)
t.done()
