--- Which property do the best models share?  The paper's empirical bootstrap for one
-- population, and the trend of its band over several (figure 11).  Mechanism: src/stats/best.h.

local core = require "netspace.core.stats"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local value_text = require("netspace.lib.units").value
local property = require "netspace.stats.property"
local sys = require "netspace.core.sys"

local M = {}

--- The weight of each value of x, most first.
local function shares(x, weights)
  local sum, list = {}, {}
  for i, value in ipairs(x) do
    if not sum[value] then list[#list + 1] = value end
    sum[value] = (sum[value] or 0) + weights[i]
  end
  for k, value in ipairs(list) do list[k] = { value = value, share = sum[value] } end
  table.sort(list, function(a, b)
    if a.share ~= b.share then return a.share > b.share end
    return tostring(a.value) < tostring(b.value)
  end)
  return list
end

local function shares_text(list)
  local parts, rest = {}, 0
  for k, s in ipairs(list) do
    if k <= 5 then
      parts[k] = ("%s %.0f %%"):format(value_text(s.value), 100 * s.share)
    else
      rest = rest + s.share
    end
  end
  if rest > 0 then parts[6] = ("others %.0f %%"):format(100 * rest) end
  return table.concat(parts, ", ")
end

local band = {
  __name = "band",
  __tostring = function(t)
    local text
    if t.median then
      text = ("%s of the best model: median %s, %g %% band %s to %s (best of %d: %s)"):format(
        t.property, value_text(t.median), 100 * t.level, value_text(t.lo), value_text(t.hi),
        t.n, value_text(t.best))
    else
      text = ("%s of the best model (best of %d: %s)"):format(t.property, t.n,
        value_text(t.best))
    end
    if t.left_out > 0 then
      text = ("%s; %d failed without it %s left out"):format(text, t.left_out,
        t.left_out == 1 and "is" or "are")
    end
    return t.shares and text .. "\n" .. shares_text(t.shares) or text
  end,
}

options.declare("stats.bootstrap", { share = "number", draws = "integer", seed = "integer",
  level = "number", categorical = "boolean", exact = "boolean", metric = "string" })

local function best_of(x, errors)
  local best = 1
  for i, e in ipairs(errors) do
    if e < errors[best] then best = i end
  end
  return x[best]
end

function M.bootstrap(result, what, o)
  local where = "stats.bootstrap"
  o = options.check(where, o)
  local level, draws = input.level(where, o.level), input.draws(where, o.draws)
  local share, seed = input.share(where, o.share), o.seed or sys.seed()
  result = input.result(where, "the first argument", result)
  result = input.by(where, "the first argument", result, o.metric)
  input.edf(where, "the result", result) -- for its checks
  local left
  result, left = property.measured(result, what)
  local x, name, categorical = property.values(where, result, what)
  local numbers = true
  for _, value in ipairs(x) do numbers = numbers and type(value) == "number" end
  if not numbers and o.categorical == false then
    error(("%s: some values of %s are not numbers, so it is categorical"):format(where, name), 2)
  end
  if o.categorical ~= nil then categorical = o.categorical end
  draws = o.exact and 0 or draws
  local t = { best = best_of(x, result.errors) }
  if numbers then
    t = core.best(x, result.errors, share, draws, seed, level, categorical)
  end
  if categorical or not numbers then
    local weights
    weights, t.taken = core.best_weights(result.errors, share, draws, seed)
    t.shares = shares(x, weights)
  end
  t.property, t.n, t.level, t.left_out = name, #x, level, left
  return setmetatable(t, band)
end

-- Trends -------------------------------------------------------------------------------

local trend = input.tabular("trend", function(t)
  local level = ("%g %%"):format(100 * t.level)
  local rows = { { "population", t.on, "n", t.property, level .. " from", "to", "best" } }
  for i, r in ipairs(t) do
    rows[i + 1] = { r.name, value_text(r.at), ("%d"):format(r.n), value_text(r.median),
      value_text(r.lo), value_text(r.hi), value_text(r.best) }
  end
  return rows
end)

local function median_of(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[(n + 1) // 2] or (sorted[n // 2] + sorted[n // 2 + 1]) / 2
end

options.declare("stats.trend", { share = "number", level = "number", on = "string|function",
  metric = "string" })

function M.trend(results, what, o)
  local where = "stats.trend"
  o = options.check(where, o)
  local level, share = input.level(where, o.level), input.share(where, o.share)
  local t = { level = level }
  for i, r in ipairs(input.all_by(where, input.results(where, results), o.metric)) do
    input.edf(where, ("entry %d"):format(i), r)
    local x, name, categorical = property.values(where, r, what, true)
    local on, on_name = property.values(where, r, o.on or "flops", true)
    local b = core.best(x, r.errors, share, 0, 1, level, categorical)
    t.property, t.on = name, on_name
    t[i] = { name = r.name or r.space or ("#%d"):format(i), at = median_of(on), n = #x,
      median = b.median, lo = b.lo, hi = b.hi, best = b.best }
  end
  table.sort(t, function(a, b) return a.at < b.at end)
  return setmetatable(t, trend)
end

document("stats.bootstrap", [[
stats.bootstrap(result, property, { share = 0.25, draws = 10000, seed = 1, … }) -> band
The values of a property that good models have, by the paper's empirical bootstrap: draw a
share of the models with replacement, keep the property of the best one, repeat.
  result     of a sweep or an import, or { errors =, models = }
  property   "d" (blocks in all), "w" (mean width of the blocks), "b", "g" (shared by the
             stages), "w[4]" and the like (one stage), "w_0", "w_a", "w_m", "e_fit",
             "flops", "params", "acts", "time" and "test_time" (arch.time), "block" and the like,
             a column of an import, or a function of a model that gives a number, a text or a
             truth value
  exact = false        the limit of infinitely many draws, computed instead of simulated
  level = 0.95         of the band
  categorical          percentiles are values that occur (default: for b, g and texts)
  metric = "error"     what the best has least of, as in stats.edf
.median, .lo, .hi     of the kept values: a band for the best model's value, not an interval
                       of a mean; .best is the value of the best model itself
.shares               categorical: { value =, share = } of the draws, most first; text and
                       truth values have only these and .best
.left_out             failed models without a value of a column (images_per_s of one that could
                       not be trained); others without one are refused
example: stats.bootstrap({ errors = {40, 50}, models = {{d = {2}}, {d = {1}}} }, "d").median
source: arXiv 2003.13678, footnote 4]])

document("stats.trend", [[
stats.trend({ A, B, … }, property, { share = 0.25, level = 0.95, on = "flops" }) -> trend
A property of the best models against flops: one band (exact) for each flops regime.
  A, B, …    results, one for each regime; sorted by their median flops
  property   a numeric one, as in stats.bootstrap
  on         the property in which the regimes differ
  metric     another one than the error, as in stats.edf
Rows name, at, n, median, lo, hi, best.
example: stats.trend({ { errors = {40, 50}, models = {{d = {2}}, {d = {1}}} } }, "d", { on = "d" })
source: arXiv 2003.13678, figure 11]])

return M
