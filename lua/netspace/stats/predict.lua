--- Predicted populations: means, differences and EDFs of spaces from few trained and very many
-- untrained networks.  Mechanism and sources: src/stats/adjust.h and gp.h.
--
-- How the errors of untrained networks are predicted does not matter for what is right, only
-- for how narrow the intervals are: the trained networks correct every prediction.

local arch = require "netspace.core.arch"
local cards = require "netspace.lib.card"
local core = require "netspace.core.adjust"
local distribution = require "netspace.space.distribution"
local document = require("netspace.lib.doc").group "stats"
local features = require "netspace.stats.features"
local input = require "netspace.stats.input"
local json = require "netspace.lib.json"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}

local LEAST = 10 -- trained networks of a population that predictions are made for
-- Drawn networks for each trained one, at least; and different ones.
local MANY = 10
local KEPT = 32 -- spaces whose features are kept
-- Standard errors by which the mean of a feature of the trained networks may miss that of the
-- drawn ones: chance makes it 6 once in 500 million.
local FAR = 6

options.declare({ "stats.compare: predict", "stats.alternatives: predict",
  "design.step: predict" }, { with = "table", features = "table" })

--- What a user says of predictions: nil or false, true or a table.
-- @treturn table { with =, features = } or false
function M.wish(where, value)
  if not value then return false end
  if type(value) ~= "table" then return {} end
  local o = options.check(where .. ": predict", value, 2)
  features.with(where, o.features) -- for its checks
  return { with = o.with and input.results(where .. ": predict.with", o.with),
    features = o.features }
end

-- Where a population was drawn from: with a result of a store, or as an import has it, or
-- with models that S:sample gave.
local function origin_of(r)
  for _, origin in ipairs { rawget(r, "_origin") or r, r.models } do
    if type(origin.spec) == "table" then return origin end
  end
end

local kept, order = {}, {} -- features of draws, by the text of their distribution

--- The features of the draws: { rows (packed), N, different, starts }, or nil and why not.
local function draws_of(origin, groups, wish)
  local key = not wish.features and distribution.key(origin)
  if key and kept[key] then return kept[key] end
  local reader, rows = features.reader(groups), {}
  local n, different = distribution.each(origin, function(m) rows[#rows + 1] = reader.read(m) end)
  if not n then return nil, different end
  local d = { rows = table.concat(rows), N = n, different = different, starts = reader.starts,
    read = reader }
  if key then
    order[#order + 1] = key
    if #order > KEPT then kept[table.remove(order, 1)] = nil end
    kept[key] = d
  end
  return d
end

-- What populations that are compared must have in common, as a text.
local function conditions(r)
  local card, o = r.card or {}, {}
  for _, key in ipairs { "train_n", "pad", "checksum" } do o[key] = card[key] end
  o.compared = r.card and cards.compared(card)
  return json.encode { card = o, recipe = r.recipe or {} }
end

-- The networks of a result, by their hash.
local function hashes(r)
  local set = {}
  for i, m in ipairs(r.models) do
    local good, hash = pcall(arch.hash, m)
    if good then set[hash] = i end
  end
  return set
end

--- How many networks two results have in common.
local function common(a, b)
  local n = 0
  for hash in pairs(a.hashes) do n = n + (b.hashes[hash] and 1 or 0) end
  return n
end

local function apart(a, b) return common(a, b) <= math.min(a.n, b.n) / 10 end

-- Whether networks that were read may have been drawn as those of d were.
local function alike(d, trained)
  for c, sum in ipairs(d.read.sum) do
    local mean = sum / d.N
    local v = math.max(d.read.square[c] / d.N - mean ^ 2, 0) / trained.n
    local off = math.abs(trained.sum[c] / trained.n - mean)
    if off > FAR * math.sqrt(v) + 1e-6 * (1 + math.abs(mean)) then return false end
  end
  return true
end

--- A population as far as its prediction needs it, or nil and why there can be none.
local function prepare(r, wish, groups)
  if type(r) ~= "table" or type(r.errors) ~= "table" or not r.models then
    return nil, "its networks are not known"
  end
  local name, origin = r.name or r.space or "a population", origin_of(r)
  if not origin then return nil, ("the space of %s is not known"):format(name) end
  local n = #r.errors
  if n < LEAST then
    return nil, ("%d networks of %s are fewer than %d"):format(n, name, LEAST)
  end
  local good, d, why = pcall(draws_of, origin, groups, wish)
  if not good then
    if d == "interrupted" or wish.features then error(d, 0) end
    d, why = nil, tostring(d)
  end
  if not d then return nil, why end
  if d.N < MANY * n then
    return nil, ("only %s networks of the space of %s were found in a bounded number of "
      .. "candidates"):format(units.thousands(d.N), name)
  elseif d.different < MANY * n then
    return nil, ("the space of %s has so few networks (about %s) that %d are no small part of it")
      :format(name, units.thousands(d.different), n)
  end
  local reader, rows = features.reader(groups), {}
  for i, m in ipairs(r.models) do
    local ok, row = pcall(reader.read, m)
    if not ok then return nil, ("%s: %s"):format(name, row) end
    rows[i] = row
  end
  if not alike(d, reader) then
    return nil, ("the networks of %s are not what its space gives at random"):format(name)
  end
  return { n = n, draws = d, rows = table.concat(rows), errors = r.errors, hashes = hashes(r),
    conditions = conditions(r), name = name,
    kind = json.encode { reader.starts, origin.spec.options or {} } } -- of its networks
end

local Fits = {}
Fits.__index = Fits

-- A fit to populations that prepare has made.
local function fit(pool, seed)
  local n, N, rows, drawn, errors = {}, {}, {}, {}, {}
  for k, p in ipairs(pool) do
    n[k], N[k], rows[k], drawn[k] = p.n, p.draws.N, p.rows, p.draws.rows
    table.move(p.errors, 1, p.n, #errors + 1, errors)
  end
  return core.new(pool[1].draws.starts, n, N, table.concat(rows), errors, table.concat(drawn),
    seed)
end

--- Fits predictors to results: one to all that share data, recipe, the options of their networks
-- and the number of stages, and have (nearly) no network in common; those of wish.with help.
-- @tparam table list  results
-- @treturn table  its methods tell what is known of result i; .why[i], why nothing is
function M.fit(where, list, wish, seed)
  local f = setmetatable({ of = {}, why = {}, seed = seed }, Fits)
  local groups, pools = features.with(where, wish.features), {}
  local function place(r, i)
    local p, why = prepare(r, wish, groups)
    if not p then
      if i then f.why[i] = why end
      return
    end
    for _, pool in ipairs(pools) do
      local fits = pool[1].conditions == p.conditions and pool[1].kind == p.kind
      for _, other in ipairs(pool) do fits = fits and apart(p, other) end
      if fits then
        pool[#pool + 1] = p
        if i then f.of[i] = { pool = pool, place = #pool, p = p } end
        return
      end
    end
    if not i then return end -- one more to learn from, that nobody can
    pools[#pools + 1] = { p }
    f.of[i] = { pool = pools[#pools], place = 1, p = p }
  end
  for i, r in ipairs(list) do place(r, i) end
  for _, r in ipairs(wish.with or {}) do place(r, nil) end
  for _, pool in ipairs(pools) do pool.fit = fit(pool, seed) end
  return f
end

--- What is known of the mean of result i: mean, se, plain, plain_se, lambda, r2, n, N,
-- populations (that share its fit); or nil and why nothing.
function Fits:mean(i)
  local of = self.of[i]
  if not of then return nil, self.why[i] end
  local m = of.pool.fit:mean(of.place)
  m.n, m.N, m.populations = of.p.n, of.p.draws.N, #of.pool
  return m
end

--- Whether the predictions make the interval narrower by anything.
local function pays(se, plain_se) return se < 0.98 * plain_se end

-- Welch's degrees of freedom of a difference of means.
local function freedom(x, y)
  local u, v = x.se ^ 2, y.se ^ 2
  if u + v == 0 then return x.n + y.n - 4 end
  return (u + v) ^ 2 / (u ^ 2 / (x.n - 2) + v ^ 2 / (y.n - 2))
end

-- Of two EDFs at the same errors, the probability that one from q is below one from p.
local function beats(p, q)
  local wins, below, sum = 0, 0, 0
  for k = 1, #p do
    local mass = p[k] - (p[k - 1] or 0)
    wins, sum = wins + mass * (below + q[k]) / 2, sum + mass
    below = q[k]
  end
  return sum > 0 and wins / sum or 0.5
end

-- How many more trained networks of each would show the difference, if it is the true one, at 5 %
-- in 80 % of trials; nil for too many.
local function more_of(x, y, se, difference)
  local wanted = (difference / (1.959964 + 0.841621)) ^ 2
  local u, v, scale = x.se ^ 2, y.se ^ 2, se ^ 2 / (x.se ^ 2 + y.se ^ 2)
  local function enough(k)
    return scale * (u * x.n / (x.n + k) + v * y.n / (y.n + k)) <= wanted
  end
  local lo, hi = -1, 1
  while hi < 1 << 30 and not enough(hi) do lo, hi = hi, 2 * hi end
  if hi >= 1 << 30 then return nil end
  while hi - lo > 1 do
    local middle = (lo + hi) // 2
    if enough(middle) then hi = middle else lo = middle end
  end
  return hi
end

local GRID = 200

-- Errors at which EDFs are looked at: those of the populations and others between.
local function grid(...)
  local list, seen = {}, {}
  local function add(e)
    if not seen[e] then seen[e], list[#list + 1] = true, e end
  end
  for _, p in ipairs { ... } do
    for _, e in ipairs(p.errors) do add(e) end
  end
  table.sort(list)
  local lo, hi = list[1], list[#list]
  for k = 1, GRID - 1 do add(lo + (hi - lo) * k / GRID) end
  table.sort(list)
  return list
end

-- Just above each of the errors: what an EDF is at steps.
local function above(list)
  local out = {}
  for k, e in ipairs(list) do out[k] = e + 1e-9 end
  return out
end

--- The difference of the mean of result j and that of i alone: difference, se, df (Welch's), the
-- means x and y as Fits:mean has them, and plain_se; or nil and why not.
function Fits:estimate(i, j)
  local a, b = self.of[i], self.of[j]
  if not a or not b then return nil, self.why[i] or self.why[j] end
  if a.p.conditions ~= b.p.conditions then
    return nil, "the two were not trained alike, on the same data"
  elseif not apart(a.p, b.p) then
    return nil, ("the two have %d networks in common"):format(common(a.p, b.p))
  end
  local x, y = self:mean(i), self:mean(j)
  local difference, se = y.mean - x.mean, math.sqrt(x.se ^ 2 + y.se ^ 2)
  if a.pool == b.pool then difference, se = a.pool.fit:difference(a.place, b.place) end
  return { difference = difference, se = se, df = freedom(x, y), x = x, y = y,
    plain_se = math.sqrt(x.plain_se ^ 2 + y.plain_se ^ 2) }
end

--- The same and everything else that compare says of it; or nil and why not.
-- @tparam table o  level, draws, margin
function Fits:difference(i, j, o)
  local known, why = self:estimate(i, j)
  if not known then return nil, why end
  local a, b, x, y = self.of[i], self.of[j], known.x, known.y
  local difference, se, plain_se = known.difference, known.se, known.plain_se
  if not pays(se, plain_se) then
    return nil, "the features explain too little of the errors"
  end
  local half = core.student(0.5 + o.level / 2, known.df) * se
  local at = above(grid(a.p, b.p))
  local f = a.pool.fit:edf(a.place, at, o.level, 0)
  local g = b.pool.fit:edf(b.place, at, o.level, 0)
  return { mean_difference = difference, deviation = se, mean = { x.mean, y.mean },
    ci = { difference - half, difference + half }, p_better = beats(f, g),
    p_permutation = core.test(a.pool.fit:values(a.place), b.pool.fit:values(b.place),
      difference / se, o.draws, self.seed),
    more = more_of(x, y, se, difference),
    predicted = { n = { x.N, y.N }, worth = (plain_se / se) ^ 2, r2 = { x.r2, y.r2 },
      populations = math.max(x.populations, y.populations) } }
end

-- One population ----------------------------------------------------------------------------

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

function Prediction:quantile(p)
  if type(p) ~= "number" or not (p >= 0 and p <= 1) then
    error(("prediction:quantile: p is %s; it must be from 0 to 1"):format(tostring(p)), 2)
  end
  for k, share in ipairs(self._y) do
    if share >= p then return self._x[k] end
  end
  return self._x[#self._x]
end

function Prediction:band(level)
  level = input.level("prediction:band", level)
  local _, half = self._of.pool.fit:edf(self._of.place, above(self._x), level, 1000)
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
  return ("%s, by %d trained and %s predicted networks, worth about %s trained ones; without "
    .. "prediction %.2f %% (%.2f to %.2f)"):format(text, p.n, units.thousands(p.N),
    units.thousands(math.floor(p.worth * p.n + 0.5)), p.plain.mean, p.plain.ci[1],
    p.plain.ci[2])
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
  local good, fits = pcall(M.fit, where, { result }, wish, o.seed or sys.seed())
  if not good then error(fits, fits == "interrupted" and 0 or 2) end
  local m, why = fits:mean(1)
  if not m then return nil, ("%s: %s"):format(where, why) end
  local edf = input.edf(where, "the argument", result)
  local t = core.student(0.5 + level / 2, m.n - 2)
  local plain_t = core.student(0.5 + level / 2, m.n - 1)
  local p = setmetatable({ name = ("%s, predicted"):format(edf.name or "population"),
    n = m.n, N = m.N, level = level, mean = m.mean, se = m.se,
    ci = { m.mean - t * m.se, m.mean + t * m.se }, worth = (m.plain_se / m.se) ^ 2, r2 = m.r2,
    lambda = m.lambda, populations = m.populations, failed = edf.failed, min = edf.min,
    plain = { mean = m.plain, se = m.plain_se, ci = { m.plain - plain_t * m.plain_se,
      m.plain + plain_t * m.plain_se } }, _of = fits.of[1] }, Prediction)
  if m.plain_se == 0 then p.worth = 1 end
  p._x = grid(p._of.p)
  p._y = p._of.pool.fit:edf(p._of.place, above(p._x), level, 0)
  p.median = p:quantile(0.5)
  return p
end

-- What the predictor has learnt ----------------------------------------------------------

local HALVES, LEARNT = 20, 4000

--- The predictions for the first networks drawn from the space of a result, by all of its
-- trained networks, and by random halves of them, whose spread is that of the whole (Shao and
-- Tu 1995, half-sampling).
-- @treturn table models; f, a list; halves, lists; r2; name: or nil and why none
function M.learnt(where, result, o)
  local wish = { features = o.features }
  local groups, seed = features.with(where, wish.features), o.seed or sys.seed()
  local p, why = prepare(result, wish, groups)
  if not p then return nil, why end
  if p.n < 2 * LEAST then
    return nil, ("%d networks of %s are fewer than %d"):format(p.n, p.name, 2 * LEAST)
  end
  local list = distribution.list(origin_of(result), true)
  local t = { models = table.move(list, 1, math.min(#list, LEARNT), 1, {}), halves = {},
    name = p.name }
  local width = 4 * p.draws.starts[#p.draws.starts]
  p.draws = { N = #t.models, rows = p.draws.rows:sub(1, width * #t.models),
    starts = p.draws.starts }
  local whole = fit({ p }, seed)
  t.r2 = whole:mean(1).r2
  t.f = select(2, whole:predictions())
  for k = 1, HALVES do
    local at, rows, errors = {}, {}, {}
    for i = 1, p.n do at[i] = i end
    for i = 1, p.n // 2 do
      local j = i + sys.random(seed, k << 32 | i, sys.purpose.bootstrap) % (p.n - i + 1)
      at[i], at[j] = at[j], at[i]
      rows[i] = p.rows:sub(width * (at[i] - 1) + 1, width * at[i])
      errors[i] = p.errors[at[i]]
    end
    t.halves[k] = select(2, fit({ { n = #errors, rows = table.concat(rows), errors = errors,
      draws = p.draws } }, seed):predictions())
    if sys.interrupted() then error("interrupted", 0) end
  end
  return t
end

document("stats.predict", [[
stats.predict(result, { with =, features =, level = 0.95, seed = 1 }) -> prediction, or nil, message
The mean error and the EDF of a whole space, from the trained networks of a population and
20,000 untrained ones, whose errors are predicted.
  result     of a sweep, or an import whose space is known, or { errors =, models = } with
             models that S:sample gave; at least 10 networks
  with       list of results that the predictor learns from as well: the same data and recipe
  features   { name = function(m) … end, … }: more of what a network is known by, numbers or
             lists of them, beside the depths, widths, ratios and groups of its stages
.mean, .se, .ci     of the mean error of the space, in percent
.plain              the same without prediction: mean, se, ci
.worth              how many times as many trained networks would give this interval
.n, .N              trained and untrained networks; .populations, how many share the fit
.r2, .lambda        share of the variance that is predicted; weight of the predictions, 0 to 1
prediction(e)       the share of networks with an error below e; also :quantile(p), .median,
                    :band(level), :steps(), so that plot.edf{ A, stats.predict(A) } shows both
How: a Gaussian process learns how the error depends on the features, from four fifths of the
trained networks at a time, and predicts the rest, so that no network is predicted by what
has seen it.  The mean of the predictions over the space is corrected by the mean of what the
trained networks miss them by.
What is assumed: that the trained networks were drawn from this space at random, all of
them.  What is not: that the predictor is right.  One that is useless only makes the interval no
narrower; its weight goes to 0.  Failed and diverged networks count as 100 %.
The same networks in a space of a few hundred, networks of unknown spaces, and constraints that
are known as text only are refused, with the reason.
example: stats.predict({ name = "A", errors = { 40, 50 }, models = space.RegNetX:sample(2) })
source: Angelopoulos et al. 2023 (doi 10.1126/science.adi6000; arXiv 2311.01453); Zrnic and
  Candes 2024; Cochran 1977, chapter 7; Rasmussen and Williams 2006]])

document("prediction:quantile", [[
prediction:quantile(p) -> error
The error below which a share p of the networks of the space lies.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):quantile(0.25))]])

document("prediction:band", [[
prediction:band(level = 0.95) -> { lo =, hi =, steps =, level =, epsilon =, kind = "predicted" }
A band of equal width that holds the whole EDF of the space, as edf:band has it.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):band().epsilon)
source: Chernozhukov, Chetverikov and Kato 2013 (multipliers on the influence of networks)]])

document("prediction:steps", [[
prediction:steps() -> list x, list y
As edf:steps, for plotting.
example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
    print(stats.predict({ errors = E, models = P }):steps())]])

return M
