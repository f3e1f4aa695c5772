--- What the finished models of a population gave: the tables behind store:result.

local early = require "netspace.store.early"
local failures = require "netspace.store.failures"

local M = {}

-- Seeds that have drawn the models of a population, also those it adopted (adopt.lua).
local function seeds_of(reader, p)
  local seeds, names, seen = {}, { p.name }, {}
  for _, name in ipairs(names) do -- grows while we go
    local row = not seen[name] and reader:rows(
      "SELECT id, sample_seed FROM population WHERE name = ?", { name })[1]
    seen[name] = true
    if row then
      seeds[#seeds + 1] = row.sample_seed
      for _, from in ipairs(reader:columns([[SELECT DISTINCT origin ->> 'population' AS name
        FROM model WHERE population = ? AND origin IS NOT NULL ORDER BY 1]], { row.id }).name) do
        names[#names + 1] = from
      end
    end
  end
  return seeds
end

-- A column without what is NULL, which the reader gives as false.
local function without_null(column)
  local list = {}
  for i, value in ipairs(column) do list[i] = value or nil end
  return list
end

-- A metric of the models that are done; nil where none has it (an old store, few classes).
local function measured(c, key)
  local list, some = {}, false
  for i, value in ipairs(c[key]) do
    list[i] = c.status[i] == "done" and value or nil
    some = some or list[i] ~= nil
  end
  return some and list or nil
end

-- What of the recipe is each model's own, as columns by name; models that have nothing (adopted
-- from a population whose recipe did not vary) have the recipe's.
local function varied(reader, p, texts)
  local columns = {}
  for key in pairs(p.recipe.vary or {}) do columns[key] = {} end
  if not next(columns) then return columns end
  for i, text in ipairs(texts) do
    local own = text and reader:decode("recipe of a model of " .. p.name, text) or {}
    for key, list in pairs(columns) do list[i] = own[key] or p.recipe[key] end
  end
  return columns
end

--- Inside of read(): of the population p (store:population) and its row, errors (percent, failed
-- and diverged 100), indices and columns in the order of the population, and where it came from.
function M.of(reader, p, row)
  local of, most = p.early, p.early and p.early.full or p.n
  local c = reader:columns([[SELECT idx, m, error, status, model.seconds,
      model.images_per_s, model.recipe, validation_loss, top5_error, class_error
    FROM model LEFT JOIN epoch ON epoch.model = model.id AND epoch.epoch = model.epochs
    WHERE population = ? AND status IN ('done', 'diverged', 'failed') AND idx <= ? ORDER BY idx]],
    { row.id, most })
  local failed, lost = reader:rows(
    "SELECT reason FROM model WHERE population = ? AND status = 'failed'", { row.id }), 0
  for _, state in ipairs(c.status) do lost = lost + (state ~= "done" and 1 or 0) end
  local kept = p.constraints and p.constraints[1] and reader:rows(
    "SELECT draws FROM distribution WHERE population = ?", { row.id })[1]
  local columns = { seconds = without_null(c.seconds),
    images_per_s = without_null(c.images_per_s),
    validation_loss = measured(c, "validation_loss"), top5_error = measured(c, "top5_error"),
    class_error = measured(c, "class_error") }
  for key, list in pairs(varied(reader, p, c.recipe)) do columns[key] = list end
  return {
    name = p.name, space = p.space, errors = c.error, indices = c.idx, _models = c.m,
    columns = columns,
    trainers = p.trainers, failed = lost, limited = failures.limited(failed),
    n = math.min(most, p.n), counts = p.counts,
    early = of and early.signals(reader, row, of, c.idx),
    recipe = p.recipe, weights = p.weights, data = p.data, card = p.card,
    _origin = { spec = p.spec, window = p.window, constraints = p.constraints,
      seeds = seeds_of(reader, p), draws = kept and kept.draws },
  }
end

return M
