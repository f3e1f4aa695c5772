--- Populations of which some models are trained to the end and the others for a few epochs only
-- (sweep.run{ early = … }): what the first epochs of all of them gave, for predictions.
--
-- Those trained to the end are the first of the population, in the order in which it was drawn:
-- a random part of it, whatever their first epochs were like.

local json = require "netspace.lib.json"

local M = {}

--- What is known of the first epochs of a population, a row of the store; nil where all models
-- are trained to the end.
-- @treturn table epochs, full, n (models in all), parked (left after these epochs); and from
-- M.signals
function M.of(reader, row)
  local settings = row.settings and reader:decode("settings of " .. row.name, row.settings)
  local e = settings and settings.early
  if not e then return nil end
  local counts = reader:rows([[SELECT count(*) AS n, sum(status = 'queued' AND idx > :full
    AND epochs >= :epochs) AS parked FROM model WHERE population = :id]],
    { id = row.id, full = e.full, epochs = e.epochs })[1]
  return { epochs = e.epochs, full = e.full, n = counts.n, parked = counts.parked or 0 }
end

-- The networks of a list of texts, decoded when they are first asked for.
local lazy = {}
function lazy:__index(key)
  if key ~= "models" then return nil end
  local models = {}
  for i, text in ipairs(rawget(self, "_models")) do models[i] = json.decode(text) end
  self.models = models
  return models
end

--- Adds to e, what M.of gave, the training losses of the first epochs, summed up: .signal, of
-- the models of a result (their indices), and .rest, of the others: { signal =, models = }.  What
-- failed before has math.huge.  Or .why they are not known of all.
function M.signals(reader, row, e, indices)
  local c = reader:columns([[SELECT idx, m, status, first.epochs AS known, loss FROM model LEFT JOIN
      (SELECT model, count(train_loss) AS epochs, sum(train_loss) AS loss
        FROM epoch WHERE epoch <= :epochs GROUP BY model) AS first ON first.model = model.id
    WHERE population = :id ORDER BY idx]], { id = row.id, epochs = e.epochs })
  local place, open = {}, 0
  for k, index in ipairs(indices) do place[index] = k end
  e.signal, e.rest = {}, setmetatable({ signal = {}, _models = {} }, lazy)
  for i, index in ipairs(c.idx) do
    local known = c.known[i] == e.epochs and type(c.loss[i]) == "number"
    local status = c.status[i]
    if not known and (status == "queued" or status == "running") then open = open + 1 end
    local loss = known and c.loss[i] or math.huge
    if place[index] then
      e.signal[place[index]] = loss
    elseif index > e.full then
      table.insert(e.rest.signal, loss)
      table.insert(e.rest._models, c.m[i])
    end
  end
  if open > 0 then
    e.why = ("%d of %d models are not through epoch %d yet"):format(open, e.n, e.epochs)
  end
  return e
end

return M
