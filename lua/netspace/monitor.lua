--- `netspace monitor STORE`: follows a sweep from any terminal, read-only.  It reads the
-- store twice a second and shows the EDFs while they form; leaving never stops the run.
-- On what is no terminal it prints a line per change instead.
--
--   monitor("runs.db")

local frame = require "netspace.frame"
local help = require "netspace.help"
local json = require "netspace.json"
local options = require "netspace.options"
local plot = require "netspace.plot"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = { frame = frame.compose }

local REDRAW = 0.5  -- seconds between two looks at the store, at least;
local SHARE = 60    -- and this many times as long as one takes: under 2 % of a core
local SETTLED = 3   -- seconds without open work before the text mode ends
local PUMP = 50     -- milliseconds a sweep of this process may have to wait for us

local function unix_time()
  local seconds, micro = uv.gettimeofday()
  return seconds + micro / 1e6
end

-- Reading.

local function open_store(path)
  return require("netspace.store").open(path)
end

-- Running models first, then failed, queued last; among equals the latest first.
local order = { running = 1, failed = 2, diverged = 2, done = 3, queued = 4 }

local function sort_models(models)
  for i, model in ipairs(models) do model.place = i end
  table.sort(models, function(a, b)
    local oa, ob = order[a.status] or 5, order[b.status] or 5
    if oa ~= ob then return oa < ob end
    if oa == 1 or oa == 4 then return a.place < b.place end
    return a.place > b.place
  end)
  for _, model in ipairs(models) do model.place = nil end
end

local function add_population(snapshot, id, info, live)
  local p = { name = info.name, space = info.space, n = #live, errors = {},
    provisional = {}, done = 0, failed = 0, running = 0, queued = 0 }
  snapshot.populations[id] = p
  for _, model in ipairs(live) do
    local status = model.status
    if status == "done" then
      p.done = p.done + 1
      p.errors[#p.errors + 1] = model.error
    elseif status == "failed" or status == "diverged" then
      p.failed = p.failed + 1
      p.errors[#p.errors + 1] = 100
    else
      p[status] = p[status] + 1
      if status == "running" then p.provisional[#p.provisional + 1] = model.error end
    end
    model.population, model.curve_id, model.curve = p.name, id <= 8 and id or nil, nil
    snapshot.models[#snapshot.models + 1] = model
  end
  for _, key in ipairs { "done", "failed", "running", "queued" } do
    snapshot[key] = snapshot[key] + p[key]
  end
  snapshot.total = snapshot.total + p.n
end

local function fill(snapshot, store)
  local names, message = store:names()
  if not names then return message end
  for id, name in ipairs(names) do
    local info, why = store:population(name)
    if not info then return why end
    local live, why_not = store:live(name)
    if not live then return why_not end
    add_population(snapshot, id, info, live)
  end
  local progress, why = store:progress()
  if not progress then return why end
  snapshot.images_per_s, snapshot.eta = progress.images_per_s or 0, progress.eta
  snapshot.updated, snapshot.running_main = progress.updated, progress.running_main
end

--- What a store holds at this moment, as plain data (`--json` prints it).
-- state: "waiting" (nothing to see yet), "running", "finished", "stopped" (open models, but
-- nobody works on them) or "error", with message
-- @param store an open store, or nil when it could not be opened: then `message` says why
function M.snapshot(path, store, message)
  local s = { path = path, now = unix_time(), populations = {}, models = {}, done = 0,
    failed = 0, running = 0, queued = 0, total = 0, images_per_s = 0 }
  if store then message = fill(s, store) end
  sort_models(s.models)
  s.open = s.running + s.queued
  s.finished = s.done + s.failed
  if message then
    s.state, s.message = "error", message
  elseif not store or s.total == 0 then
    s.state = "waiting"
    s.message = ("waiting for %s: no sweep has written to it yet"):format(path)
  else
    s.state = s.running_main and "running" or s.open > 0 and "stopped" or "finished"
  end
  return s
end

-- Keeps the store open from look to look; opens it anew when the file has been replaced.
local function reader(path)
  local store, inode
  local function forget()
    if store then store:close() end
    store = nil
  end
  return function()
    local about = uv.fs_stat(path)
    if not about or about.ino ~= inode then forget() end
    if not about or about.size == 0 then return M.snapshot(path) end
    local message, kind
    if not store then
      store, message, kind = open_store(path)
      inode = about.ino
      -- A store is being made: its tables come a moment after the file.
      if not store and message:find "is empty" then message = nil end
    end
    local s = M.snapshot(path, store, message)
    s.damaged = kind == "damaged" or nil
    if s.state == "error" then forget() end
    return s
  end, forget
end

-- The full screen.

local function move_cursor(view, info, key)
  local step = (info.x1 - info.x0) / info.width
  if key == "home" or key == "end" then
    view.cursor = key == "home" and info.x0 or info.x1
  elseif not view.cursor then
    view.cursor = (info.x0 + info.x1) / 2
  else
    view.cursor = view.cursor + (key == "left" and -step or step)
  end
  view.cursor = math.max(info.x0, math.min(info.x1, view.cursor))
end

local scrolls = { up = -1, down = 1, pageup = -10, pagedown = 10 }

-- Deals with a key; true to leave.
local function press(view, key, info, snapshot)
  if key == "q" or key == "hangup" then return true end
  if key == "?" then
    view.help = not view.help
  elseif key == "v" or key == "tab" then
    view.view, view.help = view.view == "edf" and "models" or "edf", nil
  elseif key == "p" then
    view.frozen = not view.frozen
  elseif key == "escape" then
    view.cursor, view.help = nil, nil
  elseif key:find "^[1-8]$" then
    view.hidden[tonumber(key)] = not view.hidden[tonumber(key)]
  elseif scrolls[key] and view.view == "models" then
    view.scroll = math.max(0, math.min(#snapshot.models, view.scroll + scrolls[key]))
  elseif info and (key == "left" or key == "right" or key == "home" or key == "end") then
    move_cursor(view, info, key)
  end
end

-- Runs until q, Ctrl-C or the end of the terminal; true when interrupted.
local function watch(read, window, ascii)
  local view = { view = "edf", hidden = {}, scroll = 0, ascii = ascii }
  local due, snapshot, info, c = 0, nil, nil, nil
  while not sys.interrupted() do
    local now = sys.now()
    if not snapshot or not view.frozen and now >= due then
      snapshot = read()
      due = now + math.max(REDRAW, SHARE * (sys.now() - now))
    end
    view.width, view.height = window:size()
    local _
    _, c, info = frame.compose(snapshot, view)
    window:paint(c)
    c:close()
    local key
    repeat
      uv.run("nowait") -- a sweep of this process goes on
      key = window:key(PUMP)
    until key or sys.interrupted() or not view.frozen and sys.now() >= due
    if key and press(view, key, info, snapshot) then return false end
  end
  return true
end

-- Lines.

local function best(snapshot)
  local parts = {}
  for _, p in ipairs(snapshot.populations) do
    if #p.errors > 0 then
      parts[#parts + 1] = ("%s %.2f %%"):format(p.name, math.min(table.unpack(p.errors)))
    end
  end
  return #parts > 0 and "; best " .. table.concat(parts, ", ") or ""
end

local function change(s)
  return table.concat({ s.state, s.done, s.failed, s.running, s.total,
    s.message or "" }, " ")
end

local function exit_code(s)
  return s.damaged and 4 or (s.state == "error" or s.state == "waiting") and 1 or 0
end

local function follow(read)
  local last, idle
  while not sys.interrupted() do
    local began = sys.now()
    local s = read()
    local key = change(s)
    if key ~= last then
      io.stdout:write(os.date "%H:%M:%S  ", frame.status(s), best(s), "\n")
      io.stdout:flush()
      last, idle = key, nil
    end
    if s.state == "error" then return exit_code(s) end
    if s.state == "finished" or s.state == "stopped" then
      idle = idle or sys.now()
      if sys.now() - idle >= SETTLED then return 0 end
    end
    local wake = sys.now() + math.max(REDRAW, SHARE * (sys.now() - began))
    repeat
      uv.run("nowait")
      uv.sleep(PUMP)
    until sys.interrupted() or sys.now() >= wake
  end
  return 130
end

local function print_frame(read, ascii)
  local s = read()
  local width, height = screen.size(1)
  local colours = sys.color(1) and math.max(screen.colours(), 8) or 0
  local lines = frame.compose(s, { width = width or 80, height = (height or 25) - 1,
    ascii = ascii, colours = colours })
  lines[#lines] = "" -- the keys are of no use here
  while lines[#lines] == "" do lines[#lines] = nil end
  io.stdout:write(table.concat(lines, "\n"), "\n")
  return s
end

local USAGE = "usage: netspace monitor STORE [--once | --text | --json] [--ascii]"

local function parse(args)
  local o, modes = {}, { once = true, text = true, json = true }
  for _, arg in ipairs(args) do
    local name = arg:match "^%-%-(%a+)$"
    if name == "help" or arg == "-h" then
      o.help = true
    elseif name == "ascii" then
      o.ascii = true
    elseif modes[name] then
      if o.mode and o.mode ~= name then
        return nil, ("--%s and --%s exclude each other"):format(o.mode, name)
      end
      o.mode = name
    elseif arg:sub(1, 1) == "-" then
      return nil, ("unknown option %s%s"):format(arg,
        options.hint(arg, { "--once", "--text", "--json", "--ascii", "--help" }))
    elseif o.path then
      return nil, ("one store at a time, got %s and %s"):format(o.path, arg)
    else
      o.path = arg
    end
  end
  if not o.path and not o.help then return nil, "which store?" end
  return o
end

-- The mode `o` asks for or the terminal allows; returns an exit code.
local function run(o)
  local read, close = reader(o.path)
  local ascii = o.ascii or plot._ascii()
  local mode, window, why = o.mode, nil, nil
  if not mode and sys.isatty(1) and sys.isatty(0) then
    window, why = screen.open()
    if not window then io.stderr:write("netspace monitor: ", why, "; printing lines\n") end
  end
  local code
  if mode == "json" then
    local s = read()
    io.stdout:write(json.encode(s), "\n")
    code = exit_code(s)
  elseif mode == "once" then
    code = exit_code(print_frame(read, ascii))
  elseif window then
    local scope <close> = window
    code = watch(read, scope, ascii) and 130 or 0
  else
    code = follow(read)
  end
  close()
  return code
end

--- The command `netspace monitor`: takes its arguments, returns the exit code.
function M.main(args)
  local o, message = parse(args)
  if not o then
    io.stderr:write("netspace monitor: ", message, "\n", USAGE, "\n")
    return 2
  end
  if o.help then
    io.stdout:write(USAGE, "\n", help.topics.monitor, "\n")
    return 0
  end
  return run(o)
end

--- Opens the monitor from the prompt or a script; comes back with q or Ctrl-C.
function M.monitor(path, o)
  if type(path) ~= "string" then
    error("monitor expects the path of a store, got " .. type(path), 2)
  end
  o = options.check("monitor", o, { mode = "string", ascii = "boolean" })
  if o.mode and not ({ once = true, text = true, json = true })[o.mode] then
    error(("monitor: mode '%s' is none of once, text, json"):format(o.mode), 2)
  end
  sys.shielded(function() -- Ctrl-C leaves the monitor, no more
    local code = run { path = path, mode = o.mode, ascii = o.ascii }
    if code == 130 then sys.clear_interrupt() end
  end)
end

help.add("monitor", [[
  monitor(path [, { mode = "once"|"text"|"json", ascii = true }])
  Follows a sweep: EDFs while they form, what runs, speed, ETA; q leaves, ? lists the keys.
    path   the store; it may not exist yet, be in use, finished, or left by a killed run
    mode   print one frame, a line per change, or the data, instead of the full screen
  From a shell: netspace monitor STORE [--once | --text | --json] [--ascii].
  It only reads: leaving it never stops the run.
  example (slow): monitor("runs.db")]])

return setmetatable(M, { __call = function(_, ...) return M.monitor(...) end })
