--- How fast the workers of this process get on: the seconds that a unit of cost takes them
-- (forecast.lua: price), and by that the time until everything at work is done.  Seconds are those
-- of all threads of a worker together.

local sys = require "netspace.core.sys"

local M = {}

local LITTLE = 5 -- seconds of workers that weigh as much as a forecast
local FEW = 100  -- models in a queue that are looked at one by one
local spent = { cost = 0, seconds = 0 } -- by models that have ended

--- A worker with so many threads begins with a model, or with what is left of it; at: when, where
-- that was not now.
function M.begin(model, threads, at)
  model.began = at or sys.now()
  model.since, model.before, model.threads = model.began, 0, threads or model.threads or 1
end

-- Seconds until `now`.
local function seconds(model, now)
  return math.max(0, model.before + model.threads * (now - model.since))
end

--- Its worker has so many threads from now on.
function M.threads(model, n)
  model.before, model.since, model.threads = seconds(model, sys.now()), sys.now(), n
end

--- A model has left its worker: what it did there counts.
function M.spent(model)
  spent.cost = spent.cost + model.cost * (model.part - model.from)
  spent.seconds = spent.seconds + seconds(model, sys.now())
end

--- Seconds a unit of cost takes on a worker: by what was spent until models last told how far they
-- are, and by the forecast, as if a little had been spent at its price; nil when nobody knows.
-- `active`: the sweeps at work.
function M.price(active)
  local forecast
  local cost, time = spent.cost, spent.seconds
  for _, s in ipairs(active) do
    forecast = forecast or s.price
    for _, model in pairs(s.running) do
      if model.part > model.from then
        cost = cost + model.cost * (model.part - model.from)
        time = time + seconds(model, model.told)
      end
    end
  end
  if forecast then return (time + LITTLE) / (cost + LITTLE / forecast) end
  return cost > 0 and time / cost or nil
end

--- Seconds until everything at work is done: what is left, at its price, on the workers there
-- are; where the last models do not get the idle cores, at least as long as the longest takes
-- (beside more than a FEW that wait, none is that long).
function M.remaining(active)
  local left, longest, models, workers, each = 0, 0, 0, 0, M.price(active)
  local spreads = true
  local function count(model, part)
    local rest = model.cost * (1 - part)
    left, longest, models = left + rest, math.max(longest, rest), models + 1
  end
  for _, s in ipairs(active) do
    spreads = spreads and s.spreads
    if s.state == "running" then workers = math.max(workers, s.limit) end
    for _, model in pairs(s.running) do count(model, model.part) end
    if s.state == "running" and not s.closed then
      left, models = left + s.queue.cost, models + #s.queue
      if #s.queue <= FEW then
        for _, model in s.queue:each() do longest = math.max(longest, model.cost) end
      end
    end
  end
  if not each or models == 0 then return nil end
  if spreads and workers > 0 then return left / workers * each end
  return math.max(left / math.min(workers, models), longest) * each
end

return M
