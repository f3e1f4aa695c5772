-- SIGKILL at random moments, of workers and of the main process, during real sweeps; what
-- the stores hold in the end is compared with an undisturbed sweep, bit for bit.
--
--   netspace tests/torture/kill.lua KILLS SEED KIND…
--
-- A kind of sweep is a number of workers here, "ssh" (one worker on each of two hosts, of
-- tests/lib-ssh.sh) or "tasks" (two tasks of the scheduler sh).  As many kills as asked for are shared
-- among the kinds, each in as many sweeps as it takes; a main process that was killed is started again.
-- Killed are main processes, workers, both at once, connections to hosts, tasks and their scripts.
-- Prints TAP, and the figures as comments.  A model is lost when it is not done in the end, or an
-- epoch of it is missing; it is duplicated when it was done and is trained again.  A model fails
-- whose task has died three times without progress, so only two strikes of a sweep are at tasks.
--
-- KILL_LOG of the environment names a file to which each sweep adds its figures, a JSON object a line:
-- then the kills in it count, too, so that many can be made in several goes.
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"

local kills_wanted, seed = tonumber(arg[1]), tonumber(arg[2])
local log_path = os.getenv "KILL_LOG"
local MODELS, EPOCHS = 3, 3
local MOST, AIM = 24, 14 -- kills of a sweep: at most (a model may lose 30 workers), and about
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-kill-XXXXXX"))

-- The sweep ---------------------------------------------------------------------------
local script = dir .. "/sweep.lua"
local f = assert(io.open(script, "w"))
f:write(([[
local models, o = {}, load("return { " .. arg[2] .. " }")()
for i = 1, %d do
  models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i %% 2), 16 }, g = 8 }
end
o.store, o.name, o.models, o.seed, o.quiet, o.patience = arg[1], "A", models, 5, true, 600
o.checkpoint = arg[3] == "each" and { every = 1 } or nil
o.data, o.recipe = data.open("shapes", { train = 128, test = 32 }), { epochs = %d, batch = 32 }
sweep.run(o)
]]):format(MODELS, EPOCHS))
f:close()

-- Processes ---------------------------------------------------------------------------
local function read(path)
  local file = io.open(path)
  local text = file and file:read "a" or ""
  if file then file:close() end
  return text
end
local function children(pid)
  local list = {}
  for child in read(("/proc/%d/task/%d/children"):format(pid, pid)):gmatch "%d+" do
    list[#list + 1] = tonumber(child)
  end
  return list
end
local function command(pid) return (read(("/proc/%d/cmdline"):format(pid)):gsub("%z", " ")) end

-- Kinds: options of the sweep, and found(main, store, add): calls add(what, pid) for each process that
-- may be killed beside the main process.  stays: what works elsewhere outlives the main process;
-- seldom[what]: at most SELDOM strikes of a sweep are at such processes.
local SELDOM = 2
local kinds = {}
local function kind(name)
  kinds[name] = kinds[name] or { options = ("workers = %d"):format(assert(math.tointeger(tonumber(name)),
    "no such kind: " .. name)), found = function(main, _, add)
      for _, pid in ipairs(children(main)) do add("worker", pid) end
    end }
  return kinds[name]
end
local program = os.getenv "NETSPACE" or sys.exe()
kinds.ssh = { options = ("workers = { 'ssh:node1:1:%s', 'ssh:node2:1:%s' }"):format(program, program),
  found = function(main, _, add)
    local function below(pid)
      for _, child in ipairs(children(pid)) do
        if command(child):find " %-%-worker $" then add("worker there", child) end
        below(child)
      end
    end
    for sshd in (os.getenv "SSHD" or ""):gmatch "%d+" do below(tonumber(sshd)) end
    for _, child in ipairs(children(main)) do
      if command(child):find "^ssh " then add("connection", child) end
    end
  end }
kinds.tasks = { stays = true, seldom = { task = true, script = true },
  options = "on = cluster { scheduler = 'sh', tasks = 2, look = 0.5 }",
  found = function(_, store, add)
    for pid in directories.each "/proc" do
      local cwd = pid:find "^%d+$" and uv.fs_readlink("/proc/" .. pid .. "/cwd")
      if cwd and cwd:find(store .. ".cluster/", 1, true) == 1 then
        local what = command(pid)
        add(what:find " task %d+ " and "task" or what:find "%-%-worker $" and "worker of a task"
          or "script", tonumber(pid))
      end
    end
  end }

local function start(store, options, checkpoint)
  local p = { pid = false, ended = false }
  local err = assert(uv.fs_open(store .. ".err", "a", tonumber("600", 8)))
  p.process, p.pid = assert(uv.spawn("/proc/self/exe", {
    args = { "-q", "--no-init", script, store, options, checkpoint }, stdio = { nil, err, err } },
    function(status, signal)
      p.ended, p.status, p.signal = true, status, signal
      p.process:close()
    end))
  uv.fs_close(err)
  return p
end

-- What a store holds that must not depend on what happened to the sweep.
local function content(store)
  local db = assert(sqlite.open(store, "r"))
  local lines = {}
  for _, r in ipairs(db:rows("SELECT idx, status, error, epochs FROM model ORDER BY idx")) do
    lines[#lines + 1] = ("%d %s %a %d"):format(r.idx, r.status, r.error or -1, r.epochs)
  end
  local epochs = db:rows("SELECT * FROM epoch ORDER BY model, epoch")
  for _, r in ipairs(epochs) do
    lines[#lines + 1] = ("%d %d %a %a %a %a"):format(r.model, r.epoch, r.lr, r.train_loss,
      r.train_error, r.validation_error)
  end
  db:close()
  return table.concat(lines, "\n"), #epochs
end

-- idx -> attempt and end of the models that are done.
local function done(store)
  local list = {}
  local db = uv.fs_stat(store) and sqlite.open(store, "r")
  local rows = db and db:rows("SELECT idx, attempt, ended FROM model WHERE status = 'done'")
  for _, r in ipairs(rows or {}) do list[r.idx] = r.attempt .. " " .. r.ended end
  if db then db:close() end
  return list
end

-- Chance ------------------------------------------------------------------------------
local drawn = 0
local function chance() -- in [0, 1)
  drawn = drawn + 1
  return (sys.random(seed, drawn, 0) >> 10) / 2 ^ 53
end

-- Figures -----------------------------------------------------------------------------
local function new_figures()
  return { kills = 0, sweeps = 0, lost = 0, duplicated = 0, different = 0, left = 0, seldom = 0, slowest = 0,
    seconds = 0, of = {} }
end
local function add_figures(to, x)
  for key, v in pairs(x) do
    if key == "slowest" then
      to.slowest = math.max(to.slowest, v)
    elseif math.type(v) then
      to[key] = (to[key] or 0) + v
    elseif key == "of" then
      for what, n in pairs(v) do to.of[what] = (to.of[what] or 0) + n end
    end
  end
end

local by_kind = {} -- name -> figures, with those of earlier goes
for line in read(log_path or "/dev/null"):gmatch "[^\n]+" do
  local x = assert(json.decode(line))
  by_kind[x.kind] = by_kind[x.kind] or new_figures()
  add_figures(by_kind[x.kind], x)
end

local figures -- of this sweep

-- A kill counts when the process was alive.
local function kill(what, pid)
  if not schema.birth(pid) or uv.kill(pid, "sigkill") ~= 0 then return end
  figures.kills = figures.kills + 1
  figures.of[what] = (figures.of[what] or 0) + 1
end

-- How long workers outlive their main process.
local function await(list)
  local before = sys.now()
  for _, x in ipairs(list) do
    while schema.birth(x.pid) do
      if sys.now() - before > 30 then
        figures.left = figures.left + 1
        print(("# %s %d is left: %s"):format(x.what, x.pid, command(x.pid)))
        break
      end
      uv.sleep(1)
    end
  end
  figures.slowest = math.max(figures.slowest, sys.now() - before)
end

-- A moment's kills: the main process, one of the others (of any of the sorts there are), all of them,
-- or everything.
local function strike(p, store, kind_of)
  local list, sorts, how = {}, {}, chance()
  kind_of.found(p.pid, store, function(what, pid)
    if kind_of.seldom and kind_of.seldom[what] and figures.seldom >= SELDOM then return end
    if not sorts[what] then
      sorts[what] = {}
      sorts[#sorts + 1] = sorts[what]
    end
    list[#list + 1] = { what = what, pid = pid }
    table.insert(sorts[what], list[#list])
  end)
  local function any(of) return of[1 + math.floor(chance() * #of)] end
  local one, main, seldom = any(any(sorts) or {}), how < 0.2, 0
  if not one and chance() < 0.8 then return end -- it begins, which would take most of the kills
  if how < 0.1 or how > 0.9 then
    for _, x in ipairs(list) do kill(x.what, x.pid) end
    for what in pairs(kind_of.seldom or {}) do
      if sorts[what] then seldom = 1 end
    end
  elseif not main and one then
    kill(one.what, one.pid)
    seldom = kind_of.seldom and kind_of.seldom[one.what] and 1 or 0
  end
  figures.seldom = figures.seldom + seldom
  if not main then return end
  kill("main", p.pid)
  while not p.ended do uv.run "once" end
  if not kind_of.stays then await(list) end
end

local pause -- mean seconds between two moments; adapted so that a sweep has about AIM kills

-- One sweep with kills.
local function disturbed(name, expected)
  local kind_of, began = kind(name), sys.now()
  figures = new_figures()
  figures.sweeps = 1
  local store = ("%s/%s-%d.db"):format(dir, name, drawn)
  local checkpoint = chance() < 0.8 and "each" or "default"
  local before, p = {}, nil
  while true do
    if not p or p.ended then
      for idx, entry in pairs(before) do
        if done(store)[idx] ~= entry then figures.duplicated = figures.duplicated + 1 end
      end
      if p and p.signal == 0 then break end
      p = start(store, kind_of.options, checkpoint)
    end
    local wake = sys.now() - pause * math.log(1 - chance())
    repeat
      uv.run("nowait")
      uv.sleep(2)
    until p.ended or sys.now() >= wake and figures.kills < MOST
    before = done(store)
    if not p.ended then strike(p, store, kind_of) end
  end
  local text, epochs = content(store)
  if text ~= expected then
    figures.different = 1
    print(("# %s differs (status %d):\n# %s\n# %s"):format(store, p.status, text:gsub("\n", "\n# "),
      read(store .. ".err"):gsub("\n", "\n# ")))
  end
  local n, models = 0, done(store)
  for _ in pairs(models) do n = n + 1 end
  figures.lost = MODELS - n + MODELS * EPOCHS - epochs
  for _, what in ipairs { ".checkpoints", ".cluster" } do
    if uv.fs_stat(store .. what) then
      print(("# %s%s is left"):format(store, what))
      figures.left = figures.left + 1
    end
  end
  if figures.kills < AIM / 2 then pause = 0.6 * pause
  elseif figures.kills >= MOST then pause = 1.25 * pause end
  figures.seconds = sys.now() - began
  if figures.different + figures.lost + figures.duplicated + figures.left == 0 then
    os.execute(("rm -rf %s*"):format(store))
  end
  return figures
end

-- The test ----------------------------------------------------------------------------
-- An undisturbed sweep: the seconds that it takes, and what content() gives of it.
local function undisturbed(options)
  local store, began = ("%s/calm-%d.db"):format(dir, sys.now() * 1000 // 1), sys.now()
  local calm = start(store, options, "default")
  while not calm.ended do uv.run "once" end
  return sys.now() - began, content(store)
end

local _, expected, all = undisturbed "workers = 1"
local tests, failed = 0, 0
local function is(got, wanted, name)
  tests = tests + 1
  local good = got == wanted
  if not good then failed = failed + 1 end
  print(("%s %d - %s%s"):format(good and "ok" or "not ok", tests, name,
    good and "" or (" (got %s, wanted %s)"):format(got, wanted)))
end
is(all, MODELS * EPOCHS, "an undisturbed sweep")
local sum, now = new_figures(), new_figures()
for i = 3, #arg do
  local name = arg[i]
  local of = by_kind[name] or new_figures()
  pause = 0.3 * undisturbed(kind(name).options)
  while of.kills < kills_wanted / (#arg - 2) do
    local x = disturbed(name, expected)
    add_figures(of, x)
    add_figures(now, x)
    x.kind, x.seed = name, seed
    local log = log_path and assert(io.open(log_path, "a"))
    if log then log:write(json.encode(x), "\n") log:close() end
  end
  is(of.different, 0, ("%s: the store is that of the undisturbed sweep"):format(
    tonumber(name) and name .. " workers" or name))
  add_figures(sum, of)
end
is(sum.lost, 0, "nothing is lost")
is(sum.duplicated, 0, "nothing is trained twice")
is(sum.left, 0, "no worker outlives its sweep, no checkpoint its model")
local of = {}
for what, n in pairs(sum.of) do of[#of + 1] = ("%s %d"):format(what, n) end
table.sort(of)
print(("# %d kills (%s) in %d sweeps and %.0f s: %d lost, %d duplicated, %d different"):format(sum.kills,
  table.concat(of, ", "), sum.sweeps, sum.seconds, sum.lost, sum.duplicated, sum.different))
print(("# %.1f kills a second this time; the last worker was gone at most %.0f ms after its main process")
  :format(now.kills / math.max(1e-3, now.seconds), 1000 * sum.slowest))
print("1.." .. tests)
if failed == 0 then os.execute("rm -rf " .. dir) end
os.exit(failed == 0 and 0 or 1, true)
