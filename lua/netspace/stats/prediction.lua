--- One population by prediction: stats.predict, and what the other statistics of single
-- populations show of it.  How it is estimated: predict.lua.

local core = require "netspace.core.adjust"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local Prediction = { __name = "prediction" }
Prediction.__index = Prediction

--- Its EDF as steps: errors, and the share below just above each of them.
function Prediction:steps()
  return self._x, self._y
end

--- The share of networks with an error below e.
function Prediction:__call(e)
  local lo, hi = 0, #self._x
  while lo < hi do -- the last error below e
    local middle = (lo + hi + 1) // 2
    if self._x[middle] < e then lo = middle else hi = middle - 1 end
  end
  return lo == 0 and 0 or self._y[lo]
end

-- The least error at which the share reaches p.
local function reached(self, p)
  for k, share in ipairs(self._y) do
    if share >= p then return self._x[k] end
  end
  return self._x[#self._x]
end

function Prediction:quantile(p, level)
  if type(p) ~= "number" or not (p >= 0 and p <= 1) then
    error(("prediction:quantile: p is %s; it must be from 0 to 1"):format(tostring(p)), 2)
  end
  local e = reached(self, p)
  local half = core.student(0.5 + input.level("prediction:quantile", level or self.level) / 2,
    self.df) * self._fits:share_se(self._i, e)
  return e, { reached(self, p - half), reached(self, p + half) }
end

--- The area below the EDF from 0 to `limit` %, as edf:area.
function Prediction:area(limit)
  limit = limit or 100
  if type(limit) ~= "number" or not (limit > 0 and limit <= 100) then
    error(("prediction:area: limit is %s; it must be above 0 and at most 100"):format(
      tostring(limit)), 2)
  end
  local sum = 0
  for k, x in ipairs(self._x) do
    local to = math.min(self._x[k + 1] or 100, limit)
    if to > x then sum = sum + (to - x) * self._y[k] end
  end
  return sum / limit
end

function Prediction:band(level)
  level = input.level("prediction:band", level)
  local half = self._fits:band(self._i, self._x, level)
  local function shifted(by)
    return function(e) return math.max(0, math.min(1, self(e) + by)) end
  end
  return { level = level, kind = "predicted", epsilon = half, lo = shifted(-half),
    hi = shifted(half), steps = function()
      local lo, hi = {}, {}
      for k, y in ipairs(self._y) do
        lo[k], hi[k] = math.max(0, y - half), math.min(1, y + half)
      end
      return table.move(self._x, 1, #self._x, 1, {}), lo, hi
    end }
end

function Prediction.__tostring(p)
  local text = ("%s: mean error %.2f %% (%g %% CI %.2f to %.2f)"):format(p.name, p.mean,
    100 * p.level, p.ci[1], p.ci[2])
  local begun = p.begun
    and (", %d begun (%s)"):format(p.begun, units.count(p.epochs, "epoch")) or ""
  local rest = p.others and ("as %d of other populations tell"):format(p.others)
    or ("worth about %s trained ones"):format(units.thousands(math.floor(p.worth * p.n + 0.5)))
  return ("%s, by %d trained%s and %s predicted networks, %s; without prediction %.2f %% (%.2f to "
    .. "%.2f)"):format(text, p.n, begun, units.thousands(p.N), rest, p.plain.mean, p.plain.ci[1],
    p.plain.ci[2])
end

--- The prediction of result i, which has the edf `edf`, by fits of predict.lua; or nil and why.
function M._of(fits, i, edf, level)
  local m, why = fits:mean(i)
  if not m then return nil, why end
  local t = core.student(0.5 + level / 2, m.df)
  local plain_t = core.student(0.5 + level / 2, m.n - 1)
  local p = setmetatable({ name = ("%s, predicted"):format(edf.name or "population"),
    n = m.n, N = m.N, df = m.df, level = level, mean = m.mean, se = m.se, others = m.guest,
    ci = { m.mean - t * m.se, m.mean + t * m.se }, worth = (m.plain_se / m.se) ^ 2, r2 = m.r2,
    lambda = m.lambda, beta = m.begun and m.beta, begun = m.begun, epochs = m.epochs,
    without_begun = fits:without_begun(i), populations = m.populations, failed = edf.failed,
    min = edf.min,
    plain = { mean = m.plain, se = m.plain_se, ci = { m.plain - plain_t * m.plain_se,
      m.plain + plain_t * m.plain_se } }, _fits = fits, _i = i }, Prediction)
  if m.plain_se == 0 then p.worth = 1 end
  p._x, p._y = fits:edf(i)
  p.median = reached(p, 0.5)
  return p
end

--- Predictions of results with these edfs, by the fewest fits: a list, false where there is none;
-- and why not, by the number of the result.
function M._all(where, results, edfs, wish, metric)
  local found, reasons = {}, {}
  if metric and metric ~= "error" then
    for i in ipairs(edfs) do
      found[i], reasons[i] = false, ("only errors are predicted, not %s"):format(metric)
    end
    return found, reasons
  end
  local good, fits = pcall(predict.fit, where, results, wish, sys.seed())
  if not good then error(fits, fits == "interrupted" and 0 or 3) end
  for i, edf in ipairs(edfs) do
    local p, why = M._of(fits, i, edf, 0.95)
    found[i], reasons[i] = p or false, why
  end
  return found, reasons
end

options.declare("stats.predict", { with = "table", features = "table", level = "number",
  seed = "integer" })

function M.predict(result, o)
  local where = "stats.predict"
  o = options.check(where, o)
  local level = input.level(where, o.level)
  input.result(where, "the argument", result)
  local wish = { features = o.features,
    with = o.with and input.results(where .. ": with", o.with) }
  local good, fits = pcall(predict.fit, where, { result }, wish, o.seed or sys.seed())
  if not good then error(fits, fits == "interrupted" and 0 or 2) end
  local p, why = M._of(fits, 1, input.edf(where, "the argument", result), level)
  if not p then return nil, ("%s: %s"):format(where, why) end
  return p
end

document("stats.predict", [[
stats.predict(result, { with =, features =, level = 0.95, seed = 1 }) -> prediction, or nil, message
The mean error and the EDF of a whole space, from the trained networks of a population and
20,000 untrained ones, whose errors are predicted.
  result     of a sweep, or an import whose space is known, or { errors =, models = } with
             models that S:sample gave; at least 10 networks, or 3 where others tell enough
  with       list of results that the predictor learns from as well: the same data and recipe
             (default: the other populations in its store, the last first, up to 200 networks of
             each and 600 in all; {}: none)
  features   { name = function(m) … end, … }: more of what a network is known by, numbers or
             lists of them, beside the depths, widths, ratios and groups of its stages
.mean, .se, .ci     of the mean error of the space, in percent
.plain              the same without prediction: mean, se, ci
.worth              how many times as many trained networks would give this interval
.n, .N              trained and untrained networks; .populations, how many share the fit
.r2, .lambda        share of the variance that is predicted; weight of the predictions, 0 to 1
.begun, .epochs     with sweep.run{ early = … }: how many models were begun only, for how many
                    epochs; .beta, the weight of their signal; .without_begun, why they are not used
prediction(e)       the share of networks with an error below e; also :quantile(p), .median,
                    :area(), :band(level), :steps(): plot.edf{ A, stats.predict(A) } shows both
How: a Gaussian process learns how the error depends on the features, from four fifths of the
trained networks at a time, and predicts the rest, so that no network is predicted by what
has seen it.  The mean of the predictions over the space is corrected by the mean of what the
trained networks miss them by.
Where more models were begun than trained to the end, the sum of the training losses of their
first epochs is a second predictor of the mean (the EDF does without it).
Of fewer than 10 networks nothing is learnt.  Where 50 or more of other populations explain a
fifth of the variance of their errors or more, these alone tell f, its weight is 1, and the
interval is that of a mean of n differences y - f: Student's, n - 1 degrees of freedom (.others).
What is assumed: that the trained networks were drawn from this space at random, all of
them.  What is not: that the predictor is right.  One that is useless only makes the interval no
narrower; its weight goes to 0.  Failed and diverged networks count as 100 %, and as many are
expected among the untrained ones.
The same networks in a space of a few hundred, networks of unknown spaces, and constraints that
are known as text only are refused, with the reason.
example: stats.predict({ name = "A", errors = { 40, 50 }, models = space.RegNetX:sample(2) })
source: Angelopoulos et al. 2023 (doi 10.1126/science.adi6000; arXiv 2311.01453); Zrnic and
  Candes 2024; Cochran 1977, chapter 7; Rasmussen and Williams 2006]])

document("prediction:quantile", [[
prediction:quantile(p, level = 0.95) -> error, { lo, hi }
The error below which a share p of the networks of the space lies, and its interval: the errors at
which the EDF reaches p less and p plus half the interval of the share (Woodruff 1952).
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):quantile(0.25))]])

document("prediction:band", [[
prediction:band(level = 0.95) -> { lo =, hi =, steps =, level =, epsilon =, kind = "predicted" }
A band of equal width that holds the whole EDF of the space, as edf:band has it.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):band().epsilon)
source: Chernozhukov, Chetverikov and Kato 2013 (multipliers on the influence of networks)]])

document("prediction:area", [[
prediction:area(limit = 100) -> share
As edf:area: the share of the rectangle from 0 to `limit` % below the EDF.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):area(50))]])

document("prediction:steps", [[
prediction:steps() -> list x, list y
As edf:steps, for plotting.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):steps())]])

return M
