-- Makes a small store as a sweep leaves it, for the monitor's tests:
--   netspace tests/terminal/make_store.lua PATH running|stopped|finished [PID]
-- Two populations of 8 and 6 models; "running" is at work in process PID, one model of the
-- first has diverged.
local schema = require "netspace.store.schema"

local path, state, pid = arg[1], arg[2], tonumber(arg[3] or 1)
local db = assert(schema.open(path))
local now = schema.time()

local function run(sql, params) assert(db:run(sql, params)) end

local function add_model(population, i, status, fields)
  run([[INSERT INTO model (population, idx, m, hash, seed, flops, params, acts, status,
      attempt, error, reason, run, worker, seconds, images_per_s, epochs)
    VALUES (?, ?, '{"d":[2],"w":[16]}', ?, 1, 1000, 100, 10, ?, ?, ?, ?, 1, ?, 12.5, 400, ?)]],
    { population, i, "hash" .. population .. i, status, status == "queued" and 0 or 1,
      fields.error, fields.reason, i % 2 + 1, fields.epochs or 0 })
  local model = db:last_id()
  for epoch = 1, fields.epochs or 0 do
    run("INSERT INTO epoch (model, epoch, attempt, validation_error) VALUES (?, ?, 1, ?)",
      { model, epoch, (fields.error or 60) + 4 * (4 - epoch) })
  end
end

for population, name in ipairs { "AnyNetX_A", "RegNetX" } do
  run([[INSERT INTO population (name, space, seed, recipe, data, card, checksum, created, run)
    VALUES (?, ?, 1, '{"epochs":4}', '{"spec":"shapes"}', '{}', 'sum', ?, 1)]],
    { name, name, now - 60 })
  local n = population == 1 and 8 or 6
  for i = 1, n do
    local unfinished = state ~= "finished" and i > n - 3
    if population == 1 and i == 3 then
      add_model(population, i, "diverged",
        { error = 100, reason = "loss is not a number in epoch 2", epochs = 1 })
    elseif unfinished and population == 2 and i > n - 2 then
      add_model(population, i, "queued", {})
    elseif unfinished then
      add_model(population, i, "running", { epochs = 2 })
    else
      add_model(population, i, "done", { error = 58 - 4 * population - i, epochs = 4 })
    end
  end
end
run([[INSERT INTO run (population, host, pid, birth, workers, started, updated, ended,
    images_per_s, eta) VALUES (1, ?, ?, ?, 2, ?, ?, ?, 812.5, 95)]],
  { require("luv").os_gethostname(), pid,
    state == "stopped" and "gone" or schema.birth(pid) or "gone", now - 60, now,
    state == "finished" and now or nil })
run("INSERT INTO event (time, run, model, text) VALUES (?, 1, 3, ?)",
  { now, "diverged: loss is not a number in epoch 2" })
db:close()
