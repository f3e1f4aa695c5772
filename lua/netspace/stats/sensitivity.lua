--- Which parameters of a network its error depends on, as far as a predictor has learnt it.
-- Source: Sobol' 2001 (first-order indices); with parameters that depend on each other, as those
-- of a space do, the correlation ratio (Pearson 1905).

local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local property = require "netspace.stats.property"

local M = {}

local BINS = 12

-- Bins of about equal size for the values x, or one for each value where they are few.
-- @treturn table  list of { at = mean of x, places = }, ascending
local function bins_of(x)
  local order, values, count = {}, {}, 0
  for i, v in ipairs(x) do
    order[i] = i
    if not values[v] then values[v], count = true, count + 1 end
  end
  table.sort(order, function(i, j) return x[i] < x[j] or x[i] == x[j] and i < j end)
  local bins, bin = {}, nil
  for k, i in ipairs(order) do
    local new = k == 1 or x[i] ~= x[order[k - 1]] -- equal values stay together
    if new and (count <= BINS or k > #bins * #order / BINS) then
      bin = { at = 0, places = {} }
      bins[#bins + 1] = bin
    end
    table.insert(bin.places, i)
  end
  for _, b in ipairs(bins) do
    for _, i in ipairs(b.places) do b.at = b.at + x[i] / #b.places end
  end
  return bins
end

local function mean(f, places)
  local sum = 0
  for _, i in ipairs(places) do sum = sum + f[i] end
  return sum / #places
end

local function deviation(list)
  local m, sum = 0, 0
  for _, v in ipairs(list) do m = m + v / #list end
  for _, v in ipairs(list) do sum = sum + (v - m) ^ 2 end
  return math.sqrt(sum / (#list - 1))
end

--- The predicted error in each bin of a property: at, mean, spread (a standard error).
function M.effect(where, learnt, what, level)
  local x, name = property.values(where, { models = learnt.models }, what, true, (level or 1) + 1)
  local rows = bins_of(x)
  for _, row in ipairs(rows) do
    local halves = {}
    for k, f in ipairs(learnt.halves) do halves[k] = mean(f, row.places) end
    row.mean, row.spread = mean(learnt.f, row.places), deviation(halves)
  end
  return rows, name
end

-- The share of the variance of f that lies between bins.
local function share(f, rows)
  local m, total, between = 0, 0, 0
  for _, v in ipairs(f) do m = m + v / #f end
  for _, v in ipairs(f) do total = total + (v - m) ^ 2 end
  for _, row in ipairs(rows) do
    between = between + #row.places * (mean(f, row.places) - m) ^ 2
  end
  return total > 0 and between / total or 0
end

local sensitivity = input.tabular("sensitivity", function(t)
  local rows = { { "parameter", "share", "±", "lowest at", "points" } }
  for i, row in ipairs(t.rows) do
    rows[i + 1] = { row.name, ("%.1f %%"):format(100 * row.share),
      ("%.1f"):format(100 * row.spread), ("%.4g"):format(row.best), ("%.2f"):format(row.range) }
  end
  return rows
end, function(t)
  return ("%s: shares of the predicted variance, which is %.0f %% of that of the errors"):format(
    t.name, 100 * t.r2)
end)

options.declare("stats.sensitivity", { parameters = "table", features = "table",
  seed = "integer" })

function M.sensitivity(result, o)
  local where = "stats.sensitivity"
  o = options.check(where, o)
  input.result(where, "the argument", result)
  local learnt, why = predict.learnt(where, result, o)
  if not learnt then return nil, ("%s: %s"):format(where, why) end
  local list = o.parameters
  if not list then
    list = {}
    for _, key in ipairs { "d", "w", "b", "g" } do
      for i = 1, #learnt.models[1][key] do list[#list + 1] = ("%s[%d]"):format(key, i) end
    end
  end
  local t = { rows = {}, r2 = learnt.r2, name = learnt.name }
  for i, what in ipairs(list) do
    local rows, name = M.effect(where, learnt, what, 1)
    local halves, low, high = {}, rows[1], rows[1]
    for k, f in ipairs(learnt.halves) do halves[k] = share(f, rows) end
    for _, row in ipairs(rows) do
      if row.mean < low.mean then low = row end
      if row.mean > high.mean then high = row end
    end
    t.rows[i] = { name = name == "property" and ("property %d"):format(i) or name,
      share = share(learnt.f, rows), spread = deviation(halves), best = low.at,
      range = high.mean - low.mean }
  end
  table.sort(t.rows, function(x, y)
    return x.share > y.share or x.share == y.share and x.name < y.name
  end)
  return setmetatable(t, sensitivity)
end

document("stats.sensitivity", [[
stats.sensitivity(result, { parameters =, features =, seed = 1 }) -> sensitivity, or nil, message
What the error depends on: for each parameter, the share of the predicted variance of errors
over the space that knowing this parameter alone explains.  Prints as a table.
  result       as for stats.predict; at least 20 networks
  parameters   list of properties as in stats.bootstrap (d, w, b and g of every stage)
  features     as for stats.predict
.rows   the largest first: name, share, spread (a standard error: how much halves of the networks
        disagree), best, where the predicted error is lowest, and range, points between the
        lowest and the highest
.r2     share of the variance of errors that is predicted at all
Parameters of a space depend on each other (in a narrow window of flops, a deep network has
narrow stages), so that shares do not add up, and are no effects of causes.
example: stats.sensitivity({ name = "A", errors = { 40, 50 }, models = space.RegNetX:sample(2) })
source: Sobol' 2001; Pearson 1905; Shao and Tu 1995 (half-sampling)]])

return M
