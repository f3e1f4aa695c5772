-- A soak of the prompt: actions drawn at random by a seed, all of them legal, one after the other,
-- for hours, while three monitors of the store come and go.  Used by soak.sh:
--
--   netspace tests/torture/soak.lua HOURS DIRECTORY SEED SOCKET      (the tmux to use)
--
-- Every ten minutes (more often in a short soak) all sweeps are cancelled, and what is open is
-- trained to the end.  Then it must hold that
--   - the store passes SQLite's check and `netspace doctor`'s, and holds what an undisturbed sweep
--     gives, epoch by epoch, to the last bit;
--   - its log says nothing that the actions do not explain;
--   - the memory of the main process (its own pages, after a collection of garbage) is within 2 % of
--     what it was at the second of these looks, and it has no descriptor, child or thread more.
-- DIRECTORY/log is the diary, DIRECTORY/totals.json adds up the figures of soaks in it.  Prints TAP.
local directories = require "netspace.lib.directory"
local integrity = require "netspace.store.integrity"
local json = require "netspace.lib.json"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"

local hours, dir, seed, socket = tonumber(arg[1]), arg[2], tonumber(arg[3]), arg[4]
local BETWEEN = math.min(600, 3600 * hours / 4) -- seconds between two looks
local PAUSE = tonumber(os.getenv "PAUSE") or 0.7 -- mean seconds between two actions
local PATIENCE = 180                             -- seconds for what the prompt does, at most
local MODELS, MONITORS, SLOTS = 12, 3, { "a", "b", "c" }

-- The diary and the figures ---------------------------------------------------------------
uv.fs_mkdir(dir, tonumber("700", 8))
dir = assert(uv.fs_realpath(dir))

local diary = assert(io.open(dir .. "/log", "a"))
diary:setvbuf "line"
local function write(...)
  diary:write(os.date "!%Y-%m-%d %H:%M:%S ", (string.format(...):gsub("\n", "\n    ")), "\n")
end

local function read(path)
  local f = io.open(path)
  local text = f and f:read "a"
  if f then f:close() end
  return text
end

local totals = json.decode(read(dir .. "/totals.json") or "null")
if type(totals) ~= "table" then
  totals = { seconds = 0, actions = 0, sweeps = 0, monitors = 0, looks = 0, models = 0, drawn = 0,
    faults = 0, runs = 0 }
end
totals.runs = totals.runs + 1
local began, before, kept = sys.now(), totals.seconds, totals.actions

local function keep()
  totals.seconds = before + sys.now() - began
  local f = assert(io.open(dir .. "/totals.json", "w"))
  f:write(json.encode(totals), "\n")
  f:close()
end

local faults = {}
local function fault(...)
  faults[#faults + 1] = string.format(...)
  totals.faults = totals.faults + 1
  write("FAULT %s", faults[#faults])
end

local function chance() -- in [0, 1)
  totals.drawn = totals.drawn + 1
  return (sys.random(seed, totals.drawn, 0) >> 10) / 2 ^ 53
end
local function draw(n) return 1 + math.floor(chance() * n) end
local function one_of(list) return list[draw(#list)] end

-- The terminals -----------------------------------------------------------------------------
local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
local function tmux(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = quoted(tostring(words[i])) end
  local p = assert(io.popen(("tmux -L %s -f /dev/null -u %s 2>&1"):format(socket,
    table.concat(words, " "))))
  local text = p:read "a"
  return p:close() and text or nil
end
local function key(pane, ...) tmux("send-keys", "-t", pane, ...) end
local function text(pane, words) tmux("send-keys", "-l", "-t", pane, words) end
local function screen(pane)
  return ((tmux("capture-pane", "-p", "-J", "-t", pane) or ""):gsub("%s+$", "\n"))
end
local function pid(pane) return tonumber((tmux("display-message", "-p", "-t", pane, "#{pane_pid}"))) end
local function resize(pane)
  tmux("resize-window", "-t", pane, "-x", 60 + draw(80), "-y", 15 + draw(30))
end

local function eventually(seconds, condition)
  local last = sys.now() + seconds
  while not condition() do
    if sys.now() > last then return false end
    uv.sleep(30)
  end
  return true
end

-- New terminals get the environment of the first one.
local program = assert(os.getenv "NETSPACE")
local function open(pane, command)
  assert(tmux("new-session", "-d", "-x", 100, "-y", 30, "-s", pane, ("cd %s && exec env NETSPACE_PAGER=cat "
    .. "XDG_STATE_HOME=%s/state XDG_CONFIG_HOME=%s/config %s"):format(quoted(dir), quoted(dir),
    quoted(dir), command)))
end

local function waits()
  local line = ""
  for l in screen "main":gmatch "[^\n]+" do
    if l:find "%S" then line = l end
  end
  return line == ">" or line == "> "
end

-- What stands on a screen when something has gone wrong.
local wrong = { "stack traceback", "attempt to ", "ssertion", "not enough memory", "core dumped",
  "Segmentation", "bad argument", "malformed", "is damaged", "cannot " }

local main -- the process of the prompt
local function ready(after)
  if eventually(PATIENCE, waits) then return true end
  fault("the prompt does not come back after %s%s:\n%s", after,
    schema.birth(main) and "" or ", its process has ended", screen "main")
  key("main", "C-c")
  eventually(10, waits)
  return false
end

-- Types an entry, waits for the prompt, and returns what is on the screen.
local function enter(line)
  key("main", "C-l")
  text("main", line)
  key("main", "Enter")
  uv.sleep(20)
  if not ready(line) then return "" end
  local seen = screen "main"
  local mistaken = seen:find("spac.x", 1, true)
  for _, pattern in ipairs(wrong) do
    if not mistaken and seen:find(pattern) then fault("%s:\n%s", line, seen) break end
  end
  return seen
end

-- The sweeps ----------------------------------------------------------------------------------
-- Every population is the beginning of one list of networks, so that it is known what it gives.
local setting = ([[
D = data.open("shapes", { train = 256, test = 64 });
R = recipe { epochs = 3, batch = 32 };
P = {} for i = 1, %d do P[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i %% 3), 16 }, g = 8 } end;
function about(name, n) return { store = store_file, name = name, models = table.move(P, 1, n, 1, {}), seed = 5, data = D, recipe = R, workers = 1, quiet = true, checkpoint = { every = 1 } } end;
function loud(name, n) local o = about(name, n) o.quiet = false return o end;
function states() local t = {} for _, k in ipairs { "a", "b", "c" } do local s = rawget(_G, k) t[#t + 1] = k .. "=" .. (s and s:status().state or "none") end print(table.concat(t, " ")) end;
a = false; b = false; c = false;]]):format(MODELS)

-- What a population holds that must not depend on what happened to it: idx -> lines.
local function content(path)
  local db, all = assert(sqlite.open(path, "r")), {}
  for _, r in ipairs(db:rows [[SELECT p.name, m.id, m.idx, m.status, m.error, m.epochs FROM model m
      JOIN population p ON p.id = m.population]]) do
    local lines = { ("%s %a %d"):format(r.status, r.error or -1, r.epochs) }
    for _, e in ipairs(db:rows("SELECT * FROM epoch WHERE model = " .. r.id .. " ORDER BY epoch")) do
      lines[#lines + 1] = ("%d %a %a %a %a"):format(e.epoch, e.lr, e.train_loss, e.train_error,
        e.validation_error)
    end
    all[#all + 1] = { name = r.name, idx = r.idx, text = table.concat(lines, "\n") }
  end
  db:close()
  return all
end

local undisturbed = {}
local function train_undisturbed()
  os.execute("rm -rf " .. quoted(dir) .. "/calm.db*")
  local script = dir .. "/calm.lua"
  local f = assert(io.open(script, "w"))
  f:write("store_file = arg[1]\n", (setting:gsub("a = false.*", "")),
    "\nsweep.run(about('calm', ", MODELS, "))\n")
  f:close()
  assert(os.execute(("%s -q --no-init %s %s"):format(quoted(program), quoted(script),
    quoted(dir .. "/calm.db"))))
  for _, model in ipairs(content(dir .. "/calm.db")) do undisturbed[model.idx] = model.text end
end

local store, sizes -- of the round: the file, and how many models the populations have
local state = {}   -- of each slot, as it was last seen

local function new_store()
  totals.looks = totals.looks + 1
  if store then os.execute(("rm -rf %s/%s*"):format(quoted(dir), store)) end
  store, sizes = ("round-%d.db"):format(totals.looks), {}
  enter(("store_file = %q"):format(store))
end

local function look_at_states()
  local seen = enter "states()"
  for slot, s in seen:gmatch "(%l)=(%l+)" do state[slot] = s end
end

local function busy(name) -- whether a slot has it
  for _, slot in ipairs(SLOTS) do
    if state[slot .. "name"] == name and state[slot] ~= "none" and state[slot] ~= "finished"
      and state[slot] ~= "stopped" then return true end
  end
end

local function is_idle()
  for _, slot in ipairs(SLOTS) do
    local s = state[slot]
    if s == "running" or s == "paused" or s == "pausing" or s == "stopping" then return false end
  end
  return true
end

-- A population that nobody trains: a new one, or one that becomes larger.
local function population()
  local names = {}
  for name, n in pairs(sizes) do
    if n < MODELS and not busy(name) then names[#names + 1] = name end
  end
  table.sort(names)
  if #names > 0 and chance() < 0.5 then
    local name = one_of(names)
    sizes[name] = sizes[name] + draw(MODELS - sizes[name])
    return name
  end
  local n = 0
  for _ in pairs(sizes) do n = n + 1 end
  local name = "p" .. n + 1
  sizes[name] = draw(MODELS - 2)
  return name
end

local function asked(name) return ("%s(%q, %d)"):format(chance() < 0.9 and "about" or "loud", name, sizes[name]) end

-- The actions -----------------------------------------------------------------------------------
local actions = {}
local function add(weight, name, f, legal)
  actions[#actions + 1] = { weight = weight, name = name, run = f, legal = legal }
end

local function slot_in(...)
  local list = {}
  for _, slot in ipairs(SLOTS) do
    for _, s in ipairs { ... } do
      if state[slot] == s then list[#list + 1] = slot end
    end
  end
  return #list > 0 and one_of(list) or nil
end

-- What is done to a sweep in one of these states.
local function to_sweep(weight, call, ...)
  local states = { ... }
  add(weight, call, function() enter(slot_in(table.unpack(states)) .. ":" .. call) end,
    function() return slot_in(table.unpack(states)) end)
end

add(8, "start", function()
  local slot, name = slot_in("none", "finished", "stopped"), population()
  state[slot .. "name"] = name
  totals.sweeps = totals.sweeps + 1
  enter(("%s = sweep.start(%s)"):format(slot, asked(name)))
end, function() return slot_in("none", "finished", "stopped") end)
to_sweep(3, "pause()", "running")
to_sweep(5, "resume()", "paused")
to_sweep(2, "cancel()", "running", "paused")
to_sweep(1, "wait()", "running")
to_sweep(1, "retry()", "running", "paused")
to_sweep(1, "status()", "running", "paused", "finished", "stopped")
local function interrupted(line)
  key("main", "C-l")
  text("main", line)
  key("main", "Enter")
  uv.sleep(math.floor(2500 * chance()))
  key("main", "C-c")
  ready(line .. ", Ctrl-C")
end
add(1, "wait, Ctrl-C", function()
  interrupted(slot_in "running" .. ":wait()")
end, function() return slot_in "running" end)
add(1, "run", function()
  totals.sweeps = totals.sweeps + 1
  enter(("r = sweep.run(%s)"):format(asked(population())))
end)
add(1, "run, Ctrl-C", function()
  totals.sweeps = totals.sweeps + 1
  interrupted(("r = sweep.run(%s)"):format(asked(population())))
end)
add(1, "resume", function() enter "r = sweep.resume(store_file, { workers = 1, quiet = true })" end,
  function() return is_idle() and next(sizes) end)
add(1, "resume, Ctrl-C", function()
  interrupted "r = sweep.resume(store_file, { workers = 1 })"
end, function() return is_idle() and next(sizes) end)
add(1, "kill a worker", function()
  local child = (read(("/proc/%d/task/%d/children"):format(main, main)) or ""):match "%d+"
  if child then uv.kill(tonumber(child), "sigkill") end
end)

-- What only looks.
local looking = {}
local function add_lines(weight, legal, lines)
  for _, line in ipairs(lines) do
    looking[#looking + 1] = line
    add(weight, line, function() enter(line) end, legal)
  end
end
add_lines(0.4, function() return next(sizes) ~= nil end, {
  "do local s <close> = store.open(store_file) print(#s:names()) end",
  "do local s <close> = store.open(store_file) for _, n in ipairs(s:names()) do s:result(n) end end",
  "do local s <close> = store.open(store_file) print(s:result('p1')) end",
  "do local s <close> = store.open(store_file) s:export('x.csv') end",
  "do local s <close> = store.open(store_file) plot.edf { s:result 'p1' }:show() end",
  "do local s <close> = store.open(store_file) print(#s:events { last = 50 }) end",
  "sweep.forecast(about('never', 5))" })
add_lines(0.2, nil, { "stats.edf { 40, 50, 60 }", "help 'sweep.start'", "?sweep.run", "who()",
  "spac.x", "x = = 3", "sweep.start { }", "space.small.RegNetX:sample(3, { seed = 1 })",
  ":time 6 * 7", "for i = 1, 3 do print(i) end", "zoo 'RegNetX-400MF'" })
add(0.5, "keys", function()
  for _ = 1, draw(6) do
    local k = one_of { "Up", "Down", "Tab", "C-r", "C-a", "C-e", "Left", "BSpace", "s", "p", "a", "M-x" }
    key("main", k)
    uv.sleep(20)
  end
  for _ = 1, 3 do
    if not waits() then key("main", "C-c") end
    eventually(2, waits)
  end
  ready "keys"
end)
add(0.5, "resize", function() resize "main" end)

-- The monitors; one is open from its beginning to "rc=".
local function of_monitors(what)
  local list = {}
  for i = 1, MONITORS do
    local seen = screen("m" .. i)
    local left = seen:find "rc=%d+" or not seen:find "%S"
    if (what == "open") == not left then list[#list + 1] = "m" .. i end
  end
  return #list > 0 and one_of(list) or nil
end
local views = { "e", "m", "x", "g", "?", "Tab", "/", "c", "Up", "Down", "PageUp", "PageDown", "Left",
  "Right", "Enter", "Escape", "+", "-", "[", "]", "1", "2", "d", "v", "l", ":" }

add(1.5, "monitor", function()
  local pane = of_monitors "left"
  if not pane then return end
  totals.monitors = totals.monitors + 1
  tmux("respawn-pane", "-k", "-t", pane, ("cd %s; NETSPACE_SSH= %s monitor --wait %s; echo rc=$?; sleep 1e6")
    :format(quoted(dir), quoted(program), store))
end)
add(3, "keys of a monitor", function()
  local pane = of_monitors "open"
  if not pane then return end
  for _ = 1, draw(8) do key(pane, one_of(views)) end
  key(pane, "Escape", "Escape")
  if chance() < 0.2 then resize(pane) end
end)
add(1, "command of a monitor", function()
  local pane = of_monitors "open"
  if not pane then return end
  key(pane, "Escape", "e", one_of { "P", "P", "P", "K", "R" }, "y")
end)
add(1, "end of a monitor", function()
  local pane = of_monitors "open"
  if not pane then return end
  local how = one_of { "q", "q", "q", "TERM", "KILL", "INT" }
  if how == "q" then
    key(pane, "Escape", "Escape", "e", "q")
  else
    local child = (read(("/proc/%d/task/%d/children"):format(pid(pane), pid(pane))) or ""):match "%d+"
    if child then uv.kill(tonumber(child), "sig" .. how:lower()) end
  end
end)

local function act()
  look_at_states()
  local legal, sum = {}, 0
  for _, a in ipairs(actions) do
    if not a.legal or a.legal() then
      legal[#legal + 1] = a
      sum = sum + a.weight
    end
  end
  local at = chance() * sum
  for i, a in ipairs(legal) do
    at = at - a.weight
    if at < 0 or i == #legal then
      totals.actions = totals.actions + 1
      a.run()
      return a.name
    end
  end
end

-- The looks -------------------------------------------------------------------------------------
local function entries(folder)
  local n = 0
  for _ in directories.each(folder) do n = n + 1 end
  return n
end

-- Of the main process: kilobytes of its own pages, descriptors, threads.
local function size()
  local status = read(("/proc/%d/status"):format(main)) or ""
  return { kb = tonumber(status:match "RssAnon:%s*(%d+)") or 0,
    files = entries(("/proc/%d/fd"):format(main)), threads = tonumber(status:match "Threads:%s*(%d+)") }
end

-- Lines of the store's log that the actions explain.
local explained = { "^run finished: ", "^run stopped: ", " from a monitor$", "^begun", "^its worker was killed",
  "SIGKILL", "^goes on", "queued again", "models? added", "^run started with 1 worker$",
  "^worker on local: netspace " }
local function check_log(path)
  local db = assert(sqlite.open(path, "r"))
  for _, e in ipairs(db:rows "SELECT text, count(*) AS n FROM event GROUP BY text") do
    local known = false
    for _, pattern in ipairs(explained) do known = known or e.text:find(pattern) ~= nil end
    if not known then fault("the log of %s says %d times: %s", store, e.n, e.text) end
  end
  db:close()
end

local function check_store()
  local path = dir .. "/" .. store
  if not uv.fs_stat(path) then return end
  local report, why = integrity.check(path)
  for _, problem in ipairs(report and report.problems or { why }) do fault("%s: %s", store, problem) end
  local db = assert(sqlite.open(path, "r"))
  local said = db:rows "PRAGMA integrity_check"[1]
  if select(2, next(said)) ~= "ok" then fault("%s: %s", store, json.encode(said)) end
  db:close()
  local count = {}
  for _, model in ipairs(content(path)) do
    totals.models, count[model.name] = totals.models + 1, (count[model.name] or 0) + 1
    if model.text ~= undisturbed[model.idx] then
      fault("%s: model %d of %s differs: %s", store, model.idx, model.name, model.text)
    end
  end
  for name, n in pairs(sizes) do
    -- A sweep that Ctrl-C reached before it began is not there, and one that was to become larger is as it was.
    if (count[name] or 0) > n then fault("%s: %s has %d models of %d", store, name, count[name], n) end
  end
  check_log(path)
  if uv.fs_stat(path .. ".checkpoints") then fault("%s.checkpoints is left", store) end
end

local settled = {} -- what size() gave at each look

local function look()
  for _, slot in ipairs(SLOTS) do
    enter(("if %s then %s:cancel() end %s = false"):format(slot, slot, slot))
    state[slot] = "none"
  end
  if next(sizes) then enter "r = sweep.resume(store_file, { workers = 1, quiet = true })" end
  check_store()
  for i = 1, MONITORS do tmux("respawn-pane", "-k", "-t", "m" .. i, "sleep 1e6") end
  enter "r = nil collectgarbage() collectgarbage() print(collectgarbage 'count')"
  if not eventually(30, function() return entries(("/proc/%d/fd"):format(main)) <= (settled[1] or { files = 0 }).files end) and #settled > 0 then
    write("descriptors: %s", (io.popen(("ls -l /proc/%d/fd"):format(main)):read "a"))
  end
  local lua = tonumber(screen "main":match "\n(%d+%.%d+)\n")
  local s = size()
  s.lua, s.actions = lua, totals.actions - kept
  settled[#settled + 1] = s
  write("look: %d KB (Lua %.0f), %d descriptors, %d threads after %d actions, %d sweeps, %.2f hours", s.kb,
    lua or 0, s.files, s.threads, s.actions, totals.sweeps, (sys.now() - began) / 3600)
  keep()
  new_store()
end

-- The soak --------------------------------------------------------------------------------------
write("begins: seed %d, for %g hours", seed, hours)
train_undisturbed()
open("main", quoted(program) .. " -q --no-init")
for i = 1, MONITORS do open("m" .. i, "sleep 1e6") end
main = pid "main"
assert(eventually(30, waits), "no prompt")
for line in setting:gmatch "[^\n]+" do enter(line) end
new_store()
sizes.p1 = 2
enter "r = sweep.run(about('p1', 2))"
for _, line in ipairs(looking) do enter(line) end -- which loads what is loaded once
local finish, due = began + 3600 * hours, sys.now() + BETWEEN
while sys.now() < finish and #faults < 20 do
  local name = act()
  if not schema.birth(main) then
    fault("the prompt has ended after %s:\n%s", name, screen "main")
    break
  end
  if sys.now() > due then
    look()
    due = sys.now() + BETWEEN
  end
  uv.sleep(math.floor(-1000 * PAUSE * math.log(1 - chance())))
end
look()
key("main", "C-d")
if not eventually(30, function() return not schema.birth(main) end) then
  fault("Ctrl-D does not leave:\n%s", screen "main")
end

local n = 0
local function ok(good, name)
  n = n + 1
  print(("%s %d - %s"):format(good and "ok" or "not ok", n, name))
end
local first, last = settled[2] or settled[1], settled[#settled]
for _, text_of in ipairs(faults) do print("# " .. text_of:gsub("\n", "\n# ")) end
ok(#faults == 0, "stores, their logs and screens show nothing that is not explained")
ok(last.kb <= 1.02 * first.kb, "the memory of the main process stays within 2 %")
ok(last.files <= first.files, "no descriptor is left open")
ok(last.threads <= first.threads, "no thread is left")
print(("# %.2f hours, %d actions: %d KB, then %d KB; %d descriptors, then %d"):format(
  (sys.now() - began) / 3600, last.actions, first.kb, last.kb, first.files, last.files))
print(("# altogether %.2f hours, %d actions, %d sweeps, %d models checked, %d monitors, %d looks, %d faults"):format(
  totals.seconds / 3600, totals.actions, totals.sweeps, totals.models, totals.monitors, totals.looks, totals.faults))
print("1.." .. n)
write("ends")
os.exit(#faults == 0 and 0 or 1, true)
