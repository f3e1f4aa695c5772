--- `netspace monitor STORE`: follows a sweep from any terminal.  It reads the store twice a
-- second, never writes it, and leaving never stops the run.  On what is no terminal it prints
-- a line per change instead.
--
-- monitor/snapshot.lua reads, frame.lua and the views under monitor/ compose, commands.lua and
-- keys.lua deal with keys, actions.lua with what they want of the world; here is the loop that
-- connects them with the terminal.
--
--   monitor("runs.db")

local background = require "netspace.lib.background"
local collector = require "netspace.monitor.collector"
local actions = require "netspace.monitor.actions"
local files = require "netspace.store.files"
local fold = require "netspace.lib.fold"
local frame = require "netspace.monitor.frame"
local doc = require "netspace.lib.doc"
local document = doc.group "monitor"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local keys = require "netspace.monitor.keys"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local plot = require "netspace.plot.plot"
local screen = require "netspace.core.screen"
local snapshots = require "netspace.monitor.snapshot"
local sys = require "netspace.core.sys"
local uv = require "luv"
local verdicts = require "netspace.monitor.views.verdict"

local M = { frame = frame.compose }

local REDRAW = 0.5  -- seconds between two looks at the store, at least;
local SHARE = 60    -- and this many times as long as one takes: under 2 % of a core
local SETTLED = 3   -- seconds without open work before the text mode ends
local SAID = 8      -- seconds what a key has done is told
local PUMP = 50     -- milliseconds a sweep of this process may have to wait for us

-- Reading.

local function open_store(path)
  return require("netspace.store.store").open(path)
end

M.snapshot = snapshots.take

-- Keeps the store open from look to look; opens it anew when the file has been replaced.
local function reader(path)
  path = paths.absolute(path)
  local store, inode, last
  local function forget()
    if store then store:close() end
    store, last = nil, nil
  end
  return function(needs)
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
    local s = M.snapshot(path, store, message, needs, store and last)
    last = store and s
    s.damaged = kind == "damaged" or nil
    if s.state == "error" then forget() end
    return s
  end, forget
end

-- The full screen.

-- Whether a look that was for `had` has what a view needs (frame.needs).
local function serves(had, needs)
  for _, key in ipairs { "detail", "events", "networks" } do
    local a, b = had[key], needs[key]
    if type(b) == "table" then
      for k, v in pairs(b) do
        if not a or a[k] ~= v then return false end
      end
    elseif b and not a then
      return false
    end
  end
  return true
end

-- Runs until q, Ctrl-C or the end of the terminal; true when interrupted.
local function watch(read, window, ascii)
  local view = keys.new(ascii)
  local due, s, needed = 0, nil, nil
  while not sys.interrupted() do
    view.width, view.height = window:size()
    if sys.now() >= (view.said_until or math.huge) then view.said, view.said_until = nil, nil end
    local began, needs = sys.now(), frame.needs(view)
    collector.look(s)
    local looked = not s or not view.frozen and began >= due or not serves(needed, needs)
    if looked then s, needed = read(needs), needs end
    local _, c, info = frame.compose(s, view)
    window:paint(c)
    if looked then due = sys.now() + math.max(REDRAW, SHARE * (sys.now() - began)) end
    local key, x, y
    repeat
      uv.run("nowait") -- a sweep of this process goes on
      key, x, y = window:key(PUMP)
    until key or sys.interrupted() or not view.frozen and sys.now() >= due
    local leave = key and keys.press(view, key, info, s, x, y)
    if view.want then
      actions.act(s, view, c, window)
      view.said_until = sys.now() + SAID
    end
    c:close()
    if leave then return false end
  end
  return true
end

-- Lines.

local function best(snapshot)
  local parts = {}
  for _, p in ipairs(snapshot.populations) do
    local least = math.huge
    for _, e in ipairs(p.errors) do least = math.min(least, e) end
    if #p.errors > 0 then parts[#parts + 1] = ("%s %.2f %%"):format(p.name, least) end
  end
  return #parts > 0 and "; best " .. table.concat(parts, ", ") or ""
end

local function change(s)
  return table.concat({ s.state, s.done, s.diverged, s.failed, s.running, s.total,
    s.message or "" }, " ")
end

local function exit_code(s)
  return s.damaged and 4 or (s.state == "error" or s.state == "waiting") and 1 or 0
end

local function print_line(s)
  io.stdout:write(os.date "%H:%M:%S  ", frame.status(s), best(s), "\n")
  io.stdout:flush()
end

local function follow(read)
  local last, idle, told
  while not sys.interrupted() do
    local began = sys.now()
    local s = read()
    collector.look(s)
    local key = change(s)
    if s.state == "finished" and not last then idle = began - SETTLED end -- it was before
    if key ~= last then
      print_line(s)
      local verdict = verdicts.text(s, { hidden = {} })
      if verdict and verdict ~= told then io.stdout:write("          ", verdict, "\n") end
      told = verdict
      io.stdout:flush()
      idle = not last and idle or nil
      last = key
    end
    if s.state == "error" then return exit_code(s) end
    if s.state == "finished" or s.state == "stopped" then
      idle = idle or sys.now()
      if sys.now() - idle >= SETTLED then return 0 end
    end
    local wake = sys.now() + math.max(REDRAW, SHARE * (sys.now() - began))
    if idle then wake = math.min(wake, idle + SETTLED) end
    repeat
      uv.run("nowait")
      uv.sleep(PUMP)
    until sys.interrupted() or sys.now() >= wake
  end
  return 130
end

local function print_frame(read, ascii)
  local s = read()
  local width, height = sys.terminal(1)
  local colours = sys.color(1) and math.max(screen.colours(), 8) or 0
  local lines = frame.compose(s, { width = width or 80, height = (height or 25) - 1,
    ascii = ascii, colours = colours })
  lines[#lines] = "" -- the keys are of no use here
  while lines[#lines] == "" do lines[#lines] = nil end
  local verdict = verdicts.text(s, { hidden = {} })
  if verdict then lines[#lines + 1] = fold.text(verdict, width or 80) end
  io.stdout:write(table.concat(lines, "\n"), "\n")
  return s
end

local USAGE = "usage: netspace monitor STORE [--once] [--text | --json] [--ascii] [--wait]"

local function parse(args)
  local o, modes = {}, { text = true, json = true }
  for _, arg in ipairs(args) do
    local name = arg:match "^%-%-(%a+)$"
    if name == "help" or arg == "-h" then
      o.help = true
    elseif name == "ascii" or name == "wait" or name == "once" then
      o[name] = true
    elseif modes[name] then
      if o.mode and o.mode ~= name then
        return nil, ("--%s and --%s exclude each other"):format(o.mode, name)
      end
      o.mode = name
    elseif arg:sub(1, 1) == "-" then
      return nil, ("unknown option %s%s"):format(arg,
        options.hint(arg, { "--once", "--text", "--json", "--ascii", "--wait", "--help" }))
    elseif o.path then
      return nil, ("one store at a time, got %s and %s"):format(o.path, arg)
    else
      o.path = arg
    end
  end
  if not o.path and not o.help then return nil, "which store?" end
  if o.once and not o.mode then o.mode = "once" end
  return o
end

-- Whether what is asked for is to be waited for, or there: else nil and a message.
local function ready(o, how)
  if o.wait or uv.fs_stat(o.path) then return true end
  return nil, ("there is no store %s%s; %s waits for it"):format(o.path, files.instead(o.path), how)
end

-- The mode `o` asks for or the terminal allows; returns an exit code, 0 where main has that
-- of a signal.
local function run(o)
  local read, close = reader(o.path)
  local ascii = o.ascii or plot._ascii()
  local mode, window, why = o.mode, nil, nil
  if not mode and sys.isatty(1) and sys.isatty(0) then
    window, why = screen.open(not sys.color(1))
    if not window then io.stderr:write("netspace monitor: ", why, "; printing lines\n") end
  end
  local code
  if mode == "json" then
    local s = read()
    io.stdout:write(json.encode(snapshots.plain(s)), "\n")
    code = exit_code(s)
  elseif mode == "text" and o.once then
    local s = read()
    print_line(s)
    code = exit_code(s)
  elseif mode == "once" then
    code = exit_code(print_frame(read, ascii))
  elseif window then
    local news <close> = background.hold() -- luacheck: ignore (closed after the window)
    local scope <close> = window
    code = watch(read, scope, ascii) and 130 or 0
  else
    code = follow(read)
  end
  collector.leave()
  close()
  return sys.ending() and 0 or code
end

--- The command `netspace monitor`: takes its arguments, returns the exit code.
function M.main(args)
  local o, message = parse(args)
  if not o then
    io.stderr:write("netspace monitor: ", message, "\n", USAGE, "\n")
    return 2
  end
  if o.help then
    io.stdout:write(USAGE, "\n", doc.topics.monitor, "\n")
    return 0
  end
  local good, why = ready(o, "--wait")
  if not good then
    io.stderr:write("netspace monitor: ", why, "\n")
    return 1
  end
  return run(o)
end

options.declare("monitor", { mode = "string", ascii = "boolean", wait = "boolean" })
options.words["monitor: mode"] = { "once", "text", "json" }

--- Opens the monitor from the prompt or a script; comes back with q or Ctrl-C.
function M.monitor(path, o)
  local latest = path == nil
  if latest then path = ledgers.latest end
  if type(path) ~= "string" then
    error(path == nil and "monitor: no sweep has been started here; name a store, such as "
      .. "monitor(\"runs.db\")" or "monitor expects the path of a store, got " .. type(path), 2)
  end
  o = options.check("monitor", o)
  if o.mode and not ({ once = true, text = true, json = true })[o.mode] then
    error(("monitor: mode is '%s'; it must be once, text or json"):format(o.mode), 2)
  end
  local good, why = ready({ path = path, wait = o.wait or latest }, "{ wait = true }")
  if not good then return nil, why end
  sys.shielded(function() -- Ctrl-C leaves the monitor, no more
    local code = run { path = path, mode = o.mode, ascii = o.ascii }
    if code == 130 then sys.clear_interrupt() end
  end)
end

document("monitor", [[
  monitor([path] [, { mode = "once"|"text"|"json", ascii = true, wait = true }])
  Follows a sweep on the full screen; q leaves, the run goes on.  Nil and a message where
  there is no such store.
    path   the store; it may be in use, finished, or left by a killed run; not given: that of
           the sweep started last at this prompt
    mode   print one frame, a line per change, or the data, instead of the full screen
    wait   for a store that is not there yet
  Where a population trains on a cluster and no script waits for it, the monitor takes in what its
  tasks have done while it is open, and submits again those that died; t lists them.
  There are four views; tab shows the next one, ? lists the keys of each, : finds a command by a
  few letters of what it does; the mouse chooses tabs, populations and models, its wheel scrolls:
    EDFs      up to eight populations while they form: finished models as solid lines, with
              the running ones as dots; the 95 % band of the selected one; a
              cursor that reads error, shares, their difference and KS; zoom, log axis, equal
              flops (stats.normalise); the verdict on the two that are shown, of more on the
              first and the selected one.  While models are open, band and verdict are of
              models 1 to n, all ended, and hold at every moment, however often you look
              (edf:band "anytime", stats.anytime); then they are the band of Dvoretzky, Kiefer
              and Wolfowitz and stats.compare, or what sweep.run{ compare = } has decided
    models    all of them, sorted and filtered; enter shows one: learning curve, failures,
              recipe, architecture
    property  error against a property of the networks, with the empirical bootstrap's band
    log       the events of the store
  s writes the view to a text file in the current directory (the EDFs with the whole verdict),
    EDFs and properties also to an SVG, by gnuplot; i shows these as images, where the
    terminal can (plot:show).  y copies the table of models or populations, with the verdict
    on two of them, or the text that is shown, by the terminal (OSC 52; in tmux set-clipboard
    or allow-passthrough must be on).
  P pauses the sweep of the selected population (among the models: of that of the model chosen,
  marked with > above them), K cancels it, R trains its failed models again; each asks first.
  The request waits in STORE.commands until the sweep takes it, a
  moment later.  Where no sweep is at work, R puts the failed models back into the queue of
  the store, for netspace resume.  Nothing else is written, but for results of a cluster.
  From a shell: netspace monitor STORE [--once] [--text | --json] [--ascii] [--wait]; --once
  with --text prints one line and ends, for cron.
  example: monitor("runs.db", { mode = "once" })]])

return setmetatable(M, { __call = function(_, ...) return M.monitor(...) end })
