--- What the monitor costs with 1,000 models and ten events of each: the first look at the
-- store, one at which nothing has changed, one after an epoch of two models, those for the
-- log, for one model and for properties, the frames of each view, the keys of the table of
-- models (with its frame, the longest time), and the report of the store.
-- Processor time in milliseconds, the median of a few.
--   netspace scripts/bench/monitor.lua [MODELS]
local frame = require "netspace.monitor.frame"
local keys = require "netspace.monitor.keys"
local schema = require "netspace.store.schema"
local snapshots = require "netspace.monitor.snapshot"
local uv = require "luv"

local n = math.tointeger(tonumber(arg[1] or 1000)) or 1000
local dir = uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-XXXXXX")
local path, pid = dir .. "/runs.db", math.tointeger(uv.os_getpid())

local function median_of(f, times)
  local list = {}
  for i = 1, times or 9 do
    collectgarbage()
    local began = os.clock()
    f()
    list[i] = 1000 * (os.clock() - began)
  end
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Two populations, half of each trained for ten epochs, two models at work.
local db = assert(schema.open(path))
db:transaction(function()
  local function run(sql, params) assert(db:run(sql, params)) end
  local S = { space.AnyNetXA, space.RegNetX }
  for k, name in ipairs { "AnyNetX_A", "RegNetX" } do
    run([[INSERT INTO population (name, space, seed, recipe, data, card, checksum, created, run)
      VALUES (?, ?, 1, '{"epochs":10}', '{"spec":"shapes"}', '{}', 'sum', 0, 1)]],
      { name, name })
    for i, m in ipairs(S[k]:sample(n // 2, { seed = 1, image = 32, stem_width = 16 })) do
      local done, cost = i <= n // 4, arch.complexity(m)
      run([[INSERT INTO model (population, idx, m, hash, seed, flops, params, acts, status,
          attempt, error, run, worker, seconds, images_per_s, epochs)
        VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, 1, ?, 1, 7, 12.5, 400, ?)]],
        { k, i, require("netspace.lib.json").encode(m), k .. " " .. i, cost.flops, cost.params,
          cost.acts, done and "done" or i == n // 4 + 1 and "running" or "queued",
          done and 40 + i * 7919 % 1000 / 100 or nil, done and 10 or 0 })
      local id = db:last_id()
      for epoch = 1, done and 10 or 0 do
        run("INSERT INTO epoch (model, epoch, attempt, validation_error) VALUES (?, ?, 1, ?)",
          { id, epoch, 80 - 3 * epoch })
      end
    end
  end
  run([[INSERT INTO run (population, host, pid, birth, workers, started, updated, images_per_s,
    eta) VALUES (1, ?, ?, ?, 2, 0, ?, 800, 100)]],
    { uv.os_gethostname(), pid, schema.birth(pid), schema.time() })
  for i = 1, 10 * n do
    run("INSERT INTO event (time, run, model, text) VALUES (?, 1, ?, ?)", { i, i % n + 1,
      "the worker was killed by signal 9, having said: nothing; queued again (1 of 30)" })
  end
  return true
end)

local store = assert(require("netspace.store.store").open(path))
local s
local function look(needs) s = snapshots.take(path, store, nil, needs) end
local function line(what, ms) print(("%-34s %7.2f ms"):format(what, ms)) end
print(("monitor of %d models and %d events, processor time"):format(n, 10 * n))
line("first look at the store", median_of(look, 1))
line("look when nothing has changed", median_of(look))
for _, more in ipairs { { "  at the log", { view = "log" } },
  { "  at its middle", { view = "log", log_scroll = 5 * n } },
  { "  at a model", { detail = { 1, 7 } } },
  { "  at the properties, the first", { view = "property" } },
  { "  at the properties", { view = "property" } } } do
  local needs = frame.needs(more[2])
  line(more[1], median_of(function() look(needs) end, more[1]:find "first" and 1 or 9))
end
local epoch = 0
local after = median_of(function()
  epoch = epoch + 1
  for _, id in ipairs { n // 4 + 1, n // 2 + n // 4 + 1 } do
    db:run("INSERT INTO epoch (model, epoch, attempt, validation_error) VALUES (?, ?, 1, 50)",
      { id, epoch })
    db:run("UPDATE model SET epochs = ? WHERE id = ?", { epoch, id })
  end
  look()
end)
line("look after an epoch of two models", after)
look { events = { last = 400, skip = 0 }, networks = true }
local worst = 0
for _, size in ipairs { { 80, 24 }, { 200, 60 } } do
  for _, name in ipairs { "edf", "models", "property", "log" } do
    local view = keys.new(false)
    view.view, view.width, view.height, view.cursor = name, size[1], size[2], 45
    local ms = median_of(function() select(2, frame.compose(s, view)):close() end)
    worst = math.max(worst, ms)
    line(("frame %s %dx%d"):format(name, size[1], size[2]), ms)
  end
end
-- It looks again after 60 times as long as a look and its frame took, or half a second.
local each = after + worst
print(("share of a core                       %7.2f %%"):format(100 * each / (math.max(500,
  60 * each) + each)))
local view_of_models = keys.new(false)
local function time_key(name)
  local view = view_of_models
  local info = select(3, frame.compose(s, view))
  collectgarbage()
  local began = os.clock()
  keys.press(view, name, info, s, 1, 1)
  select(2, frame.compose(s, view)):close()
  return 1000 * (os.clock() - began)
end
view_of_models.width, view_of_models.height = 80, 24
for _, group in ipairs { "m", "down pagedown end up home wheeldown", "o o o O o o",
  "/ r e g enter", "enter escape" } do
  local longest = 0
  for name in group:gmatch "%S+" do longest = math.max(longest, time_key(name)) end
  line("keys " .. group, longest)
end
local before = s
line("look when nothing has changed, monitor", median_of(function()
  before = snapshots.take(path, store, nil, nil, before)
end))
local began, clock = require("netspace.core.sys").now(), os.clock()
assert(report(store, { output = dir .. "/report.html" }))
print(("report                             %7.1f s, %.1f s without gnuplot"):format(
  require("netspace.core.sys").now() - began, os.clock() - clock))
store:close()
db:close()
os.execute(("rm -rf '%s'"):format(dir))
