-- SIGKILL at random moments, of workers and of the main process, during real sweeps; what
-- the stores hold in the end is compared with an undisturbed sweep, bit for bit.
--
--   netspace tests/torture/kill.lua KILLS SEED WORKERS…
--
-- As many kills as asked for are shared among the numbers of workers, each in as many
-- sweeps as it takes; a main process that was killed is started again.  Prints TAP, and
-- the figures as comments.  A model is lost when it is not done in the end, or an epoch
-- of it is missing; it is duplicated when it was done and is trained again.
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"

local kills_wanted, seed = tonumber(arg[1]), tonumber(arg[2])
local MODELS, EPOCHS = 4, 4
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-kill-XXXXXX"))

-- The sweep ---------------------------------------------------------------------------
local script = dir .. "/sweep.lua"
local f = assert(io.open(script, "w"))
f:write(([[
local models = {}
for i = 1, %d do
  models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i %% 2), 16 }, g = 8 }
end
sweep.run { store = arg[1], name = "A", models = models, seed = 5, quiet = true,
  workers = tonumber(arg[2]), checkpoint = arg[3] == "each" and { every = 1 } or nil,
  data = data.open("shapes", { train = 512, test = 128 }),
  recipe = recipe { epochs = %d, batch = 32 } }
]]):format(MODELS, EPOCHS))
f:close()

local function start(store, workers, checkpoint)
  local p = { pid = false, ended = false }
  p.process, p.pid = assert(uv.spawn("/proc/self/exe", {
    args = { script, store, tostring(workers), checkpoint }, stdio = { nil, 1, 2 } },
    function(status, signal)
      p.ended, p.status, p.signal = true, status, signal
      p.process:close()
    end))
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

local function children(pid)
  local list = {}
  local file = io.open(("/proc/%d/task/%d/children"):format(pid, pid))
  for child in (file and file:read("a") or ""):gmatch("%d+") do
    list[#list + 1] = tonumber(child)
  end
  if file then file:close() end
  return list
end

local pause = 0.3 -- mean seconds between two kills; set by what a model takes here

local figures = { kills = 0, main = 0, worker = 0, sweeps = 0, lost = 0, duplicated = 0,
  orphans = 0, slowest = 0, different = 0 }

local function kill(pid)
  local good = uv.kill(pid, "sigkill") == 0
  if good then figures.kills = figures.kills + 1 end
  return good
end

-- Kills the main process; how long its workers outlive it.
local function kill_main(p)
  local workers = children(p.pid)
  local before = sys.now()
  if not kill(p.pid) then return end
  figures.main = figures.main + 1
  for _, worker in ipairs(workers) do
    while schema.birth(worker) do
      if sys.now() - before > 20 then
        figures.orphans = figures.orphans + 1
        break
      end
    end
  end
  figures.slowest = math.max(figures.slowest, sys.now() - before)
end

-- One sweep with up to `most` kills.
local function disturbed(workers, most, expected)
  figures.sweeps = figures.sweeps + 1
  local store = ("%s/%d.db"):format(dir, figures.sweeps)
  local checkpoint = chance() < 0.8 and "each" or "default"
  local killed, before, p = 0, {}, nil
  while true do
    if not p or p.ended then
      for idx, entry in pairs(before) do
        if done(store)[idx] ~= entry then figures.duplicated = figures.duplicated + 1 end
      end
      if p and p.signal == 0 then break end
      p = start(store, workers, checkpoint)
    end
    local wake = sys.now() - pause * math.log(1 - chance())
    repeat
      uv.run("nowait")
      uv.sleep(2)
    until p.ended or sys.now() >= wake and killed < most
    before = done(store)
    if not p.ended then
      local list, before_it = children(p.pid), figures.kills
      if chance() < 0.3 then
        kill_main(p)
      elseif #list > 0 and kill(list[1 + math.floor(chance() * #list)]) then
        figures.worker = figures.worker + 1
      end
      killed = killed + figures.kills - before_it
      if p.signal == nil and not schema.birth(p.pid) then
        while not p.ended do uv.run("once") end
      end
    end
  end
  local text, epochs = content(store)
  if text ~= expected then
    figures.different = figures.different + 1
    print("# " .. store .. " differs:\n# " .. text:gsub("\n", "\n# "))
  end
  local n = 0
  for _ in pairs(done(store)) do n = n + 1 end
  figures.lost = figures.lost + MODELS - n + MODELS * EPOCHS - epochs
  if uv.fs_stat(store .. ".checkpoints") then
    print("# " .. store .. ".checkpoints is left")
    figures.orphans = figures.orphans + 1
  end
  return killed
end

-- The test ----------------------------------------------------------------------------
local began = sys.now()
local calm = start(dir .. "/calm.db", 1, "default")
while not calm.ended do uv.run("once") end
pause = 0.25 * (sys.now() - began)
local expected, all = content(dir .. "/calm.db")
local tests, failed = 0, 0
local function is(got, wanted, name)
  tests = tests + 1
  local good = got == wanted
  if not good then failed = failed + 1 end
  print(("%s %d - %s%s"):format(good and "ok" or "not ok", tests, name,
    good and "" or (" (got %s, wanted %s)"):format(got, wanted)))
end
is(all, MODELS * EPOCHS, "an undisturbed sweep")
local columns = #arg - 2
for i = 3, #arg do
  local share = math.ceil(kills_wanted / columns)
  local before = figures.different
  while share > 0 do share = share - disturbed(tonumber(arg[i]), share, expected) end
  is(figures.different - before, 0, ("%s workers: the store is that of the undisturbed sweep")
    :format(arg[i]))
end
is(figures.lost, 0, "nothing is lost")
is(figures.duplicated, 0, "nothing is trained twice")
is(figures.orphans, 0, "no worker outlives its sweep, no checkpoint its model")
print(("# %d kills (%d of main processes, %d of workers) in %d sweeps: %d lost, %d duplicated, "
  .. "%d different"):format(figures.kills, figures.main, figures.worker, figures.sweeps,
  figures.lost, figures.duplicated, figures.different))
print(("# the last worker was gone at most %.0f ms after its main process"):format(
  1000 * figures.slowest))
print("1.." .. tests)
if failed == 0 then os.execute("rm -rf " .. dir) end
os.exit(failed == 0 and 0 or 1, true)
