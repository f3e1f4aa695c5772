--- The current state of every model of a population, read again and again while a sweep changes
-- it: only what changed since the last time is read (schema.lua: model.change), so that the
-- cost of reading 10,000 models is that of the changes.

local M = {}

-- The models that are new or have changed: their columns, then their epochs.
local changed_models = [[SELECT id, idx, status, attempt, epochs, error, reason,
  images_per_s, seconds, worker, signal, log, memory, started, flops, params, acts, change
  FROM model WHERE population = :population AND (change > :change OR idx > :n) ORDER BY id]]
local changed_epochs = [[SELECT epoch.model, coalesce(validation_error, 100) AS error
  FROM model CROSS JOIN epoch ON epoch.model = model.id
  WHERE population = :population AND (change > :change OR idx > :n) ORDER BY model.id, epoch]]

-- What was seen of population `p` (its row) so far.
local function seen_of(cache, reader, p)
  local seen = cache[p.name]
  if not seen or seen.population ~= p.id or seen.created ~= p.created then
    local epochs = reader:needed("recipe of " .. p.name, p.recipe).epochs
    if math.type(epochs) ~= "integer" then
      reader:damaged(("the recipe of %s has no epochs"):format(p.name))
    end
    seen = { population = p.id, created = p.created, change = -1, n = 0, list = {},
      epochs = epochs }
    cache[p.name] = seen
  end
  return seen
end

local states = { queued = true, running = true, done = true, diverged = true, failed = true }

local function update(seen, reader)
  local c, e = reader:columns(changed_models, seen), reader:columns(changed_epochs, seen)
  local at, ids, errors = 1, e.model, e.error
  for i = 1, c.n do
    local id, curve = c.id[i], {}
    if not states[c.status[i]] then
      reader:damaged(("model %s has the status %s"):format(c.idx[i], c.status[i]))
    end
    while ids[at] == id do
      curve[#curve + 1] = errors[at]
      at = at + 1
    end
    local model = {
      index = c.idx[i], status = c.status[i], attempt = c.attempt[i], epoch = c.epochs[i],
      epochs = seen.epochs, error = c.error[i] or nil, reason = c.reason[i] or nil,
      images_per_s = c.images_per_s[i] or nil, seconds = c.seconds[i] or nil,
      worker = c.worker[i] or nil, signal = c.signal[i] or nil, log = c.log[i] or nil,
      memory = c.memory[i] or nil, started = c.started[i] or nil, flops = c.flops[i],
      params = c.params[i], acts = c.acts[i], curve = curve,
    }
    if model.status == "running" then model.error = curve[#curve] end
    seen.list[model.index] = model
    seen.change = math.max(seen.change, c.change[i])
  end
  seen.n = #seen.list
end

--- The models of population `p` in order; `cache` (a table, at first empty) keeps what was
-- seen.  The records are the caller's to change, their curves are not.
function M.read(cache, reader, p)
  local seen = seen_of(cache, reader, p)
  update(seen, reader)
  local copies = {}
  for i, model in ipairs(seen.list) do
    local copy = {}
    for k, v in next, model do copy[k] = v end
    copies[i] = copy
  end
  return copies
end

return M
