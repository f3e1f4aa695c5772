--- What a store holds at this moment, as plain data: all that the views of the monitor show,
-- and what `netspace monitor --json` prints.

local chance = require "netspace.lib.chance"
local paths = require "netspace.lib.path"
local uv = require "luv"

local M = {}

local function unix_time()
  local seconds, micro = uv.gettimeofday()
  return seconds + micro / 1e6
end

-- Running models first, then failed, done, queued; of those that have ended the latest first.
local order = { running = 1, failed = 2, diverged = 2, done = 3, queued = 4 }

local function sorted(models)
  local groups, list = { {}, {}, {}, {} }, {}
  for _, model in ipairs(models) do
    local group = groups[order[model.status]]
    group[#group + 1] = model
  end
  for k, group in ipairs(groups) do
    local ended = k == 2 or k == 3
    for i = ended and #group or 1, ended and 1 or #group, ended and -1 or 1 do
      list[#list + 1] = group[i]
    end
  end
  return list
end

local function add_finished(p, model, e)
  local n = #p.errors + 1
  p.errors[n], p.finished[n] = e, model
  p.flops[n], p.params[n], p.acts[n] = model.flops, model.params, model.acts
end

local function add_population(snapshot, id, info, live)
  local p = { name = info.name, space = info.space, data = info.data, recipe = info.recipe,
    n = #live, errors = {}, finished = {}, flops = {}, params = {}, acts = {},
    state = info.state, provisional = {}, done = 0, diverged = 0, failed = 0, running = 0,
    queued = 0, spared = 0, prefix = 0 }
  snapshot.populations[id] = p
  for _, model in ipairs(live) do
    if model.status == "running" and p.state == "stopped" then -- left by a dead run
      model.status, model.worker = "queued", nil
      p.provisional[#p.provisional + 1] = model.error
    end
    local status = model.status
    model.paused = p.state == "paused" and (status == "queued" or status == "running") or nil
    if status == "done" then
      p.done = p.done + 1
      add_finished(p, model, model.error)
    elseif status == "failed" or status == "diverged" then
      p[status] = p[status] + 1
      add_finished(p, model, 100)
    elseif p.state == "decided" then
      p.spared = p.spared + 1
    else
      p[status] = p[status] + 1
      if status == "running" then p.provisional[#p.provisional + 1] = model.error end
    end
    if #p.errors == model.index then p.prefix = model.index end -- all up to it have ended
    model.population, model.population_id = p.name, id
    snapshot.models[#snapshot.models + 1] = model
  end
  p.chance = chance.of_errors(p.errors, info.card)
  for _, key in ipairs { "done", "diverged", "failed", "running", "queued", "spared" } do
    snapshot[key] = snapshot[key] + p[key]
  end
  snapshot.total = snapshot.total + p.n
  return p
end

-- All about one model: its events and its network.
local function add_detail(snapshot, store, id, index)
  local p, why = snapshot.populations[id], nil
  local model = p and p.n >= index and index >= 1
  if not model then return end -- it is not there any more
  snapshot.events, why = store:events { population = p.name, index = index, last = 1000 }
  if not snapshot.events then return why end
  snapshot.network, why = store:network(p.name, index)
  return why
end

-- Whether what was seen last still holds: nothing was written, and who was at work still is.
local function holds(before, version, infos)
  if not before or not version or before.version ~= version then return false end
  for id, p in ipairs(before.populations) do
    if not infos[id] or infos[id].state ~= p.state then return false end
  end
  return #before.populations == #infos
end

local kept = { "populations", "trials", "done", "diverged", "failed", "running", "queued", "spared",
  "total" }

-- The models of all populations: those seen last, or read.
local function add_models(snapshot, store, before)
  local names, message = store:names()
  if not names then return message end
  local version, infos = store:_version(), {}
  for id, name in ipairs(names) do
    infos[id], message = store:population(name)
    if not infos[id] then return message end
  end
  snapshot.version = version
  if holds(before, version, infos) then
    for _, key in ipairs(kept) do snapshot[key] = before[key] end
    snapshot.models = before.models
    return
  end
  snapshot.trials, message = store:_trials()
  if not snapshot.trials then return message end
  for id, name in ipairs(names) do
    local live, why = store:live(name)
    if not live then return why end
    add_population(snapshot, id, infos[id], live)
  end
  snapshot.models = sorted(snapshot.models)
end

-- needs: what the view shows besides the models (frame.needs).
local function fill(snapshot, store, needs, before)
  local message = add_models(snapshot, store, before)
  if message then return message end
  local progress, why = store:progress()
  for _, p in ipairs(needs.networks and snapshot.populations or {}) do
    p.networks, why = store:networks(p.name)
    if not p.networks then return why end
  end
  if not progress then return why end
  for _, p in ipairs(snapshot.populations) do
    local tasks = store:_tasks(p.name)
    if tasks then
      snapshot.tasks = snapshot.tasks or {}
      snapshot.tasks[p.name] = tasks
    end
  end
  snapshot.images_per_s, snapshot.eta = progress.images_per_s or 0, progress.eta
  snapshot.updated, snapshot.running_main = progress.updated, progress.running_main
  snapshot.paused = progress.paused
  if needs.detail then return add_detail(snapshot, store, table.unpack(needs.detail)) end
  if needs.events then
    local skip = math.max(0, math.min(needs.events.skip, progress.events - needs.events.last))
    snapshot.events, why = store:events { last = needs.events.last, skip = skip }
    if not snapshot.events then return why end
    snapshot.events_total, snapshot.events_skip = progress.events, skip
  end
end

-- The time that is left, with the range that the speeds of the finished models give: each
-- seconds per flop, whose mean is known to two standard errors, and 10 % of the machine.
local function add_range(s)
  if not s.eta then return end
  local n, sum, squares = 0, 0, 0
  for _, model in ipairs(s.models) do
    if model.status == "done" and (model.seconds or 0) > 0 and (model.flops or 0) > 0 then
      local x = math.log(model.seconds / (model.flops * model.epochs))
      n, sum, squares = n + 1, sum + x, squares + x * x
    end
  end
  if n < 2 then return end
  local variance = math.max(0, squares / n - (sum / n) ^ 2)
  local factor = math.exp(2 * math.sqrt(variance / math.min(n, s.running + s.queued)
    + variance / n + 0.01))
  s.eta_low, s.eta_high = s.eta / factor, s.eta * factor
end

--- The state of a store.
-- state: "waiting" (nothing to see yet), "running", "paused", "finished", "stopped" (open
-- models, but nobody works on them) or "error", with message
-- @param store an open store, or nil when it could not be opened: then `message` says why
-- @tparam[opt] table needs of frame.needs
-- @tparam[opt] table before the state seen last: what still holds of it is not read again
function M.take(path, store, message, needs, before)
  local s = { path = paths.shown(path), now = unix_time(), populations = {}, models = {}, done = 0,
    diverged = 0, failed = 0, running = 0, queued = 0, spared = 0, total = 0, images_per_s = 0 }
  if store then message = fill(s, store, needs or {}, before) end
  s.open = s.running + s.queued
  s.finished = s.done + s.diverged + s.failed
  if message then
    s.state, s.message = "error", message
  elseif not store or s.total == 0 then
    s.state = "waiting"
    s.message = ("waiting for %s: no sweep has written to it yet"):format(s.path)
  else
    s.state = s.paused and "paused" or s.running_main and "running" or s.open > 0 and "stopped"
      or "finished"
    add_range(s)
  end
  return s
end

--- A snapshot without what is there for the views only.
function M.plain(s)
  for _, p in ipairs(s.populations) do
    p.finished, p.flops, p.params, p.acts, p.networks = nil, nil, nil, nil, nil
    p.prefix = nil
  end
  s.version, s.trials = nil, nil
  return s
end

return M
