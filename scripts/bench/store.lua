--- What a sweep of many models costs besides the training: events stored a second, the main
-- process's share of a core, its memory, and how long the store of all of them takes to list,
-- to plot and to watch.
--
--   netspace -q --no-init scripts/bench/store.lua [MODELS]     (make bench-store)
--
-- The workers are a trainer that speaks the protocol, but trains nothing: each model gives EPOCHS
-- made-up epochs.  Figures are processor time of the main process, which a busy
-- machine does not change.

local sys = require "netspace.core.sys"
local uv = require "luv"

local EPOCHS, WORKERS = 5, 2
local PACED = 12 -- seconds of the paced part

-- The trainer: beside the events of training, as many steps a second as real ones tell.
local stub = [[
local json = require "netspace.lib.json"
local uv = require "luv"
local pause, epochs = tonumber(os.getenv "STUB_PAUSE"), tonumber(os.getenv "STUB_EPOCHS")
local function send(e)
  io.stdout:write(json.encode(e), "\n")
  io.stdout:flush()
end
send { event = "hello", protocol = 1, trainer = "stub", version = "1", device = "none",
  kernels = "none" }
for line in io.lines() do
  local job = json.decode(line)
  local function tell(e)
    e.model, e.attempt = job.model, job.attempt
    send(e)
  end
  local error_percent = 20 + job.seed % 6000 / 100
  tell { event = "begin", epoch = 0, step = 0, memory = 1000000 }
  for epoch = 1, epochs do
    for _ = 1, pause > 0 and 4 or 0 do
      uv.sleep(pause)
      tell { event = "step", epoch = epoch, part = 0.5, images_per_s = 1000 }
    end
    tell { event = "epoch", epoch = epoch, lr = 0.1, train_loss = 2 / epoch, train_error = 50,
      validation_error = error_percent + (epochs - epoch), seconds = 1, images_per_s = 1000 }
  end
  tell { event = "done", error = error_percent, seconds = epochs }
end
]]

local function resident() -- bytes of this process that lie in memory
  local f = assert(io.open "/proc/self/statm")
  local pages = f:read("a"):match("^%d+ (%d+)")
  f:close()
  return tonumber(pages) * 4096
end

-- The sweep, in a process of its own, trained by the stub: store.lua sweep STORE N STUB SECONDS
local function sweep_part(path, n, trainer, seconds)
  local pop = space.AnyNetXA:sample(n, { seed = 1, stem = "cifar", image = 32,
    stride = { 1, 2, 2, 2 } })
  local began, cpu, started
  local memory = {} -- when each tenth of the models was done
  local s = sweep.start { store = path, name = seconds and "paced" or "A", models = pop,
    data = data.open("shapes", { train = 64, test = 32 }), workers = WORKERS, quiet = true,
    trainer = { command = { sys.exe(), "-q", "--no-init", trainer } },
    recipe = recipe { epochs = EPOCHS, batch = 32 },
    progress = function(status)
      local tenth = status.done * 10 // n
      memory[tenth] = memory[tenth] or resident()
      if not started and status.done > 0 then
        started, began, cpu = status.done, sys.now(), os.clock()
      end
    end }
  if seconds then
    while not started or sys.now() - began < seconds do uv.run("once") end
  else
    s:wait()
  end
  local wall, used = sys.now() - began, os.clock() - cpu
  local models = s:status().done - started
  local events = models * (EPOCHS + 2)
  if seconds then
    print(("main process, %d workers, %.0f events/s        %6.2f %% of a core"):format(WORKERS,
      seconds and 2 * 1000 / tonumber(os.getenv "STUB_PAUSE"), 100 * used / wall))
    s:cancel()
  else
    print(("events stored                              %7.0f /s  (%.0f a second of processor time)")
      :format(events / wall, events / used))
    local shown = {}
    for tenth = 0, 10 do
      if memory[tenth] then shown[#shown + 1] = ("%.0f"):format(memory[tenth] / 1e6) end
    end
    print("main process, MB after each tenth          " .. table.concat(shown, " "))
  end
end

if arg[1] == "sweep" then
  return sweep_part(arg[2], tonumber(arg[3]), arg[4], tonumber(arg[5]))
end

local n = math.tointeger(tonumber(arg[1] or 10000))
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-bench-XXXXXX"))
local path = dir .. "/bench.db"

local trainer = assert(io.open(dir .. "/stub.lua", "w"))
trainer:write(stub)
trainer:close()

local function run(pause, file, more)
  local command = "STUB_PAUSE=%d STUB_EPOCHS=%d %s -q --no-init %s sweep %s %d %s/stub.lua %s"
  assert(os.execute(command:format(pause, EPOCHS, sys.exe(), arg[0], file, n, dir, more)))
end

print(("%d models of %d epochs, %d workers that train nothing"):format(n, EPOCHS, WORKERS))
run(0, path, "")
run(500, dir .. "/paced.db", tostring(PACED))

-- Processor time of f in ms, the best of a few.
local function best(f)
  local least = math.huge
  for _ = 1, 5 do
    local start = os.clock()
    f()
    least = math.min(least, os.clock() - start)
  end
  return least * 1000
end

local function row(what, ms, more) print(("%-41s %8.1f ms%s"):format(what, ms, more or "")) end
local frames, monitors = require "netspace.monitor.frame", require "netspace.monitor.monitor"
local function open() return assert(store.open(path)) end
local s = open()
row("listing: names, counts and progress", best(function()
  for _, name in ipairs(s:names()) do s:population(name) end
  s:progress()
end))
row("EDF: the result, its EDF and band", best(function() stats.edf(s:result("A")):band(0.95) end))
local snapshot
row("monitor frame, the first", best(function()
  local new = open()
  snapshot = monitors.snapshot(path, new)
  frames.compose(snapshot, { width = 80, height = 24 })
  new:close()
end))
row("monitor frame, the next", best(function()
  snapshot = monitors.snapshot(path, s)
  frames.compose(snapshot, { width = 80, height = 24 })
end))
row("CSV export", best(function() assert(s:export(dir .. "/x.csv", "A")) end))
s:close()
local about = uv.fs_stat(path)
print(("size of the store                          %7.1f MB"):format(about.size / 1e6))
os.execute("rm -rf " .. dir)
