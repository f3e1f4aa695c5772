--- Predicted populations: means, differences and EDFs of spaces from few trained and very many
-- untrained networks.  Mechanism and sources: src/stats/adjust.h and gp.h.
--
-- How the errors of untrained networks are predicted does not matter for what is right, only
-- for how narrow the intervals are: the trained networks correct every prediction.

local core = require "netspace.core.adjust"
local distribution = require "netspace.space.distribution"
local features = require "netspace.stats.features"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local others = require "netspace.stats.others"
local predictable = require "netspace.stats.predictable"
local prepare = require "netspace.stats.prepare"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

--- Whether comparisons that are not told (predict = nil) predict where it pays.
M.UNASKED = true

local LEAST, common, few = prepare.LEAST, prepare.common, prepare.few
-- Where others tell enough, so many trained networks of theirs and so much of the variance of their
-- errors explained, fewer than LEAST are predicted by that alone (adjust.h: guests).
local ENOUGH, EXPLAINED = 50, 0.2

options.declare({ "stats.compare: predict", "stats.alternatives: predict",
  "design.step: predict", "stats.edf: predict", "stats.table: predict" },
  { with = "table", features = "table" })

--- What a user of a comparison says of predictions: nil, false, true or a table.
-- @treturn table { with =, features =, unasked = }, or false: none
function M.wish(where, value)
  if value == nil and M.UNASKED then return { unasked = true } end
  if not value then return false end
  if type(value) ~= "table" then return {} end
  local o = options.check(where .. ": predict", value, 2)
  features.with(where, o.features) -- for its checks
  return { with = o.with and input.results(where .. ": predict.with", o.with),
    features = o.features }
end

--- The same, blaming the caller's caller.
function M.wanted(where, value)
  local good, wish = pcall(M.wish, where, value)
  if not good then error((tostring(wish):gsub("^.-:%d+: ", "")), 3) end
  return wish
end

--- The same of other statistics, which predict only what they are asked to.
function M.asked(where, value) return value and M.wanted(where, value) or false end

--- A wish for estimates at equal complexity.
-- @tparam table strata  by (a property), lo, hi, bins
function M.at_equal(wish, strata)
  return { with = wish.with, features = wish.features, unasked = wish.unasked, strata = strata }
end

--- A wish with the others in the stores of results, where it names none.
function M.with_others(wish, list)
  if wish.with then return wish end
  return { with = others.of(list), features = wish.features, unasked = wish.unasked }
end

local Fits = {}
Fits.__index = Fits

-- Of all networks of a pool, one population after the other, the place of the first copy: the same
-- network with the same error (a population that has adopted it).
local function copies(pool)
  local same, first, n = {}, {}, 0
  for _, p in ipairs(pool) do
    p.first = n
    for i, hash in ipairs(p.hash) do
      n = n + 1
      local key = hash == "" and n or ("%s %.17g"):format(hash, p.errors[i])
      same[n], first[key] = first[key] or n, first[key] or n
    end
  end
  return same
end

-- A fit to populations that prepare has made.
local function fit(pool, seed, same, strata)
  local n, N, rows, drawn, errors = {}, {}, {}, {}, {}
  local bin, drawn_bin = strata and {}, {}
  for _, p in ipairs(strata and pool or {}) do -- those that only help are in none
    for i = 1, p.n do bin[#bin + 1] = p.strata and p.strata.bin[i] or 0 end
    for i = 1, p.draws.N do drawn_bin[#drawn_bin + 1] = p.strata and p.strata.drawn_bin[i] or 0 end
  end
  for k, p in ipairs(pool) do
    n[k], N[k], rows[k], drawn[k] = p.n, p.draws.N, p.rows, p.draws.rows
    table.move(p.errors, 1, p.n, #errors + 1, errors)
  end
  return core.new(pool[1].starts, n, N, table.concat(rows), errors, table.concat(drawn),
    seed, same, strata and strata.bins, bin, drawn_bin)
end

-- Whether p may share the fit of a pool: networks in both are the same trainings, and those of
-- one that only helps (`extra`) are others.
local function fits_in(pool, p, extra)
  if pool[1].conditions ~= p.conditions or pool[1].kind ~= p.kind then return false end
  for _, other in ipairs(pool) do
    local n, anew = common(p, other)
    if not few(extra and n or anew, p, other) then return false end
  end
  return true
end

-- How many trained networks the members of a pool that fits are made from have.
local function hosts(pool)
  local n = 0
  for _, p in ipairs(pool) do n = n + (p.n >= LEAST and p.n or 0) end
  return n
end

-- The share of the variance inside populations that the fit of a pool explains of networks that it
-- has not seen.
local function explained(pool)
  local f, left, all = pool.fit:predictions(), 0, 0
  for _, p in ipairs(pool) do
    local y, e = 0, 0
    for i = 1, p.n do
      y, e = y + p.errors[i] / p.n, e + (p.errors[i] - f[p.first + i]) / p.n
    end
    for i = 1, p.n >= LEAST and p.n or 0 do
      all = all + (p.errors[i] - y) ^ 2
      left = left + (p.errors[i] - f[p.first + i] - e) ^ 2
    end
  end
  return all > 0 and 1 - left / all or 0
end

-- Whether others than r, of `all`, tell enough.
local function informed(r, all)
  if type(r) ~= "table" then return false end
  local n, mine = 0, others.conditions(r)
  for _, x in ipairs(all) do
    if x ~= r and #x.errors >= LEAST and others.conditions(x) == mine then
      n = n + #x.errors
    end
  end
  return n >= ENOUGH
end

-- Whether two populations share trainings.
local function trained_once(p, q)
  local n, anew = common(p, q)
  return n > anew
end

-- The member of a pool that a guest shares trainings with, and that a fit is made from.
local function seen_by(pool, p)
  for _, host in ipairs(pool) do
    if host.n >= LEAST and trained_once(p, host) then return host end
  end
end

-- Finds a place for a population of few networks in a pool that tells enough.
local function guest(pools, p)
  for _, pool in ipairs(pools) do
    if hosts(pool) >= ENOUGH and pool[1].conditions == p.conditions and pool[1].kind == p.kind then
      local host = seen_by(pool, p)
      if host then
        return nil, ("%d networks of %s are fewer than %d, and some of them are in %s as well")
          :format(p.n, p.name, LEAST, host.name)
      end
      pool[#pool + 1] = p
      return pool
    end
  end
  return nil, ("%d networks of %s are fewer than %d, and the others are networks of another kind")
    :format(p.n, p.name, LEAST)
end

--- Fits predictors to results: one to all that share data, recipe, the options of their networks
-- and the number of stages; those of wish.with help, or else the others in their stores.
-- @tparam table list  results
-- @treturn table  its methods tell what is known of result i; .why[i], why nothing is
function M.fit(where, list, wish, seed)
  local f = setmetatable({ of = {}, why = {}, seed = seed }, Fits)
  local groups, pools, few_of = features.with(where, wish.features), {}, {}
  local help, all = wish.with or others.of(list), {}
  for _, some in ipairs { list, help } do
    for _, r in ipairs(some) do
      if type(r) == "table" and type(r.errors) == "table" and r.models then all[#all + 1] = r end
    end
  end
  local function place(r, i)
    local p, why = prepare.of(where, r, i and wish or {}, groups,
      i and not wish.strata and informed(r, all), not i)
    if not p then
      if i then f.why[i] = why end
    elseif p.n < LEAST then
      few_of[#few_of + 1] = { p = p, i = i }
    else
      for _, pool in ipairs(pools) do
        if fits_in(pool, p, not i) then
          pool[#pool + 1] = p
          if i then f.of[i] = { pool = pool, place = #pool, p = p } end
          return
        end
      end
      if not i and #few_of == 0 then return end -- one more to learn from, that nobody can
      pools[#pools + 1] = { p }
      if i then f.of[i] = { pool = pools[#pools], place = 1, p = p } end
    end
  end
  for i, r in ipairs(list) do place(r, i) end
  for _, r in ipairs(help) do place(r, nil) end
  for _, g in ipairs(few_of) do
    local pool, why
    if g.i then pool, why = guest(pools, g.p) end
    if pool then
      f.of[g.i] = { pool = pool, place = #pool, p = g.p, guest = true }
    elseif g.i then
      f.why[g.i] = why
    end
  end
  local wanted = {}
  for _, of in pairs(f.of) do wanted[of.pool] = true end
  for _, pool in ipairs(pools) do
    if wanted[pool] then
      pool.same = copies(pool)
      pool.fit = fit(pool, seed, pool.same, wish.strata)
    end
  end
  for i, of in pairs(f.of) do
    if of.guest and explained(of.pool) < EXPLAINED then
      f.why[i] = "the features explain too little of the errors of others"
    elseif not of.guest and not wish.strata then
      f:_begun(i)
    end
  end
  for i, why in pairs(f.why) do f.of[i] = why and nil end
  return f
end

-- The prediction of the early signals of result i, where it has any.
function Fits:_begun(i)
  local of = self.of[i]
  local p, e = of.p, of.p.early
  if not e then return end
  of.signals = core.new(p.draws.starts, { p.n + e.n }, { p.draws.N }, p.rows .. e.rows, e.signals,
    p.draws.rows, self.seed)
end

--- What is known of the mean of result i: mean, se, df, plain, plain_se, lambda, r2, n, N,
-- populations (that share its fit), begun (how many have an early signal only), guest (of how many
-- networks of others its predictor has learnt alone); or nil and why nothing.
function Fits:mean(i)
  local of = self.of[i]
  if not of then return nil, self.why[i] end
  local m = of.pool.fit:mean(of.place, of.signals)
  m.begun, m.epochs = of.signals and of.p.early.n, of.signals and of.p.early.epochs
  m.n, m.N, m.populations = of.p.n, of.p.strata and of.p.strata.inside or of.p.draws.N, #of.pool
  m.strata = of.p.strata ~= nil
  m.guest = of.guest and hosts(of.pool) or nil
  return m
end

--- Why the first epochs of result i are not used, where it has any; or nil.
function Fits:without_begun(i) return self.of[i].p.without end

--- The predictions of the errors of the models of result i, none by a fit that saw its own.
function Fits:predictions(i)
  local of = self.of[i]
  return table.move((of.pool.fit:predictions()), of.p.first + 1, of.p.first + of.p.n, 1, {})
end

--- The same of other numbers that are known of each of them, such as early signals.
function Fits:foretold(i, signals)
  local p = self.of[i].p
  return (core.new(p.draws.starts, { p.n }, { p.draws.N }, p.rows, signals, p.draws.rows,
    self.seed):predictions())
end

-- Whether the predictions make the interval narrower by anything.
local function pays(se, plain_se) return se < 0.98 * plain_se end

-- Welch's degrees of freedom of a difference of means.
local function freedom(x, y)
  local u, v = x.se ^ 2, y.se ^ 2
  if u + v == 0 then return x.df + y.df end
  return (u + v) ^ 2 / (u ^ 2 / x.df + v ^ 2 / y.df)
end

-- Of two EDFs p and q at the same errors, the probability that one from q is below one from p;
-- and what an EDF adds to it at each error, of p and of q.
local function beats(p, q)
  local wins, of_p, of_q = 0, {}, {}
  for k = 1, #p do
    local mass, middle = p[k] - (p[k - 1] or 0), (q[k] + (q[k - 1] or 0)) / 2
    wins = wins + mass * middle
    of_p[k] = ((q[k - 1] or 0) - (q[k + 1] or 1)) / 2 -- by parts
    of_q[k] = ((p[k + 1] or 1) - (p[k - 1] or 0)) / 2
  end
  return wins, of_p, of_q
end

-- The interval of a probability with this estimate and standard error, on the scale of log odds.
local function odds(p, se, t)
  if p <= 0 or p >= 1 then return { p, p } end
  local middle, half = math.log(p / (1 - p)), t * se / (p * (1 - p))
  return { 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle)) }
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

--- The EDF of result i: errors, and the share of its space below just above each of them.
function Fits:edf(i)
  local of = self.of[i]
  local x = grid(of.p)
  return x, (of.pool.fit:edf(of.place, above(x), 0.95, 0))
end

--- Half the width of a band of this level around that EDF.
function Fits:band(i, x, level)
  local of = self.of[i]
  return select(2, of.pool.fit:edf(of.place, above(x), level, 1000))
end

--- The standard error of that EDF just above the error e.
function Fits:share_se(i, e)
  local of, sum = self.of[i], 0
  for _, v in ipairs(of.pool.fit:form(of.place, above { e }, { 1 })) do sum = sum + v ^ 2 end
  return math.sqrt(sum)
end

-- The standard error of the difference of the plain means of two of self.of that share a fit,
-- and perhaps networks.
local function plain_deviation(a, b, x, y)
  local sum, at = 0, {}
  for side, of in ipairs { a, b } do
    local mean, n = side == 1 and x.plain or y.plain, of.p.n
    for i, e in ipairs(of.p.errors) do
      local k = of.pool.same[of.p.first + i]
      local v = (e - mean) / math.sqrt(n * (n - 1)) * (side == 1 and -1 or 1)
      sum = sum + v ^ 2 + 2 * v * (side == 2 and at[k] or 0)
      if side == 1 then at[k] = v end
    end
  end
  return math.sqrt(sum)
end

-- The probability that a network of b beats one of a (both of self.of), and its standard error.
local function better(a, b, level)
  local at, sum, influence = above(grid(a.p, b.p)), 0, {}
  local f, g = a.pool.fit:edf(a.place, at, level, 0), b.pool.fit:edf(b.place, at, level, 0)
  local p, of_a, of_b = beats(f, g)
  for side, weights in ipairs { of_a, of_b } do
    local of = side == 1 and a or b
    for i, v in ipairs(of.pool.fit:form(of.place, at, weights)) do
      local k = (a.pool == b.pool and 0 or side << 32) + of.pool.same[of.p.first + i]
      influence[k] = (influence[k] or 0) + v
    end
  end
  local keys = {}
  for k in pairs(influence) do keys[#keys + 1] = k end
  table.sort(keys) -- sums must not depend on the order of a table
  for _, k in ipairs(keys) do sum = sum + influence[k] ^ 2 end
  return p, math.sqrt(sum)
end

-- The permutation test of a difference of t standard errors between two of self.of.
local function test(a, b, t, draws, seed)
  local lists, place = { {}, {}, {} }, {} -- of a alone, of b alone, of both
  local z = a.pool.fit:values(a.place)
  for i = 1, a.pool == b.pool and a.p.n or 0 do place[a.pool.same[a.p.first + i]] = i end
  local shared = {}
  for j, v in ipairs(b.pool.fit:values(b.place)) do
    local i = place[b.pool.same[b.p.first + j]]
    if i then shared[i] = true end
    table.insert(lists[i and 3 or 2], i and (z[i] + v) / 2 or v)
  end
  for i, v in ipairs(z) do
    if not shared[i] then table.insert(lists[1], v) end
  end
  local all, counts = {}, {}
  for k, list in ipairs(lists) do
    counts[k] = #list
    table.move(list, 1, #list, #all + 1, all)
  end
  return core.test(all, counts, t, draws, seed, (a.guest or b.guest) and 1 or 2)
end

--- The difference of the mean of result j and that of i alone: difference, se, df (Welch's), the
-- means x and y as Fits:mean has them, and plain_se; or nil and why not.
function Fits:estimate(i, j)
  local a, b = self.of[i], self.of[j]
  if not a or not b then return nil, self.why[i] or self.why[j] end
  if a.p.conditions ~= b.p.conditions then
    return nil, "the two were not trained alike, on the same data"
  end
  local shared, anew = common(a.p, b.p)
  if not few(anew, a.p, b.p) or a.pool ~= b.pool and shared > 0 then
    return nil, ("%s of one are in the other as well, trained anew"):format(
      units.count(shared, "network"))
  end
  local x, y = self:mean(i), self:mean(j)
  local difference, se = y.mean - x.mean, math.sqrt(x.se ^ 2 + y.se ^ 2)
  local plain_se = math.sqrt(x.plain_se ^ 2 + y.plain_se ^ 2)
  if a.pool == b.pool then
    difference, se = a.pool.fit:difference(a.place, b.place, a.signals, b.signals)
    plain_se = plain_deviation(a, b, x, y)
  end
  return { difference = difference, se = se, df = freedom(x, y), x = x, y = y,
    plain_se = plain_se }
end

--- The same and everything else that compare says of it; or nil and why not.
-- @tparam table o  level, draws, margin
function Fits:difference(i, j, o)
  local known, why = self:estimate(i, j)
  if not known then return nil, why end
  local a, b, x, y = self.of[i], self.of[j], known.x, known.y
  local difference, se, plain_se, df = known.difference, known.se, known.plain_se, known.df
  local of_others = x.guest or y.guest -- these say beforehand whether it pays
  if not of_others and not pays(se, plain_se) then
    return nil, "the features explain too little of the errors"
  end
  local early = a.signals or b.signals
  local by_t = early or x.strata -- a permutation would have to keep signals, or bins, together
  local t = core.student(0.5 + o.level / 2, df)
  local p_better, p_se = better(a, b, o.level)
  return { mean_difference = difference, deviation = se, mean = { x.mean, y.mean },
    ci = { difference - t * se, difference + t * se }, p_better = p_better,
    p_better_ci = odds(p_better, p_se, t),
    p_permutation = by_t and core.student_p(difference / se, df)
      or test(a, b, difference / se, o.draws, self.seed),
    more = not early and more_of(x, y, se, difference) or nil,
    predicted = { n = { x.N, y.N }, worth = (plain_se / se) ^ 2, r2 = { x.r2, y.r2 },
      begun = early and { x.begun or 0, y.begun or 0 }, epochs = x.epochs or y.epochs,
      others = of_others, t_test = by_t and true or nil,
      populations = math.max(x.populations, y.populations) } }
end

-- How many models of two are there before a training of one that the other knows already.
local function apart(a, b)
  local n = math.huge
  for hash, i in pairs(a.hashes) do
    local j = b.hashes[hash]
    if j and a.errors[i] == b.errors[j] then n = math.min(n, math.max(i, j) - 1) end
  end
  return n
end

--- Of two results whose models stand in the drawn order, the values of the first n that statistics
-- at any moment may use in place of errors (predictable.lua), and that no later model changes; or
-- nil and why there are none.
function M.before(where, a, b, n, wish, seed)
  local groups, two, help = features.with(where, wish.features), {}, {}
  local growing = { features = wish.features, growing = true }
  for k, r in ipairs { a, b } do
    local p, why = prepare.of(where, r, growing, groups)
    if not p then return nil, why end
    two[k] = p
  end
  if two[1].conditions ~= two[2].conditions then
    return nil, "the two were not trained alike, on the same data"
  end
  local most = apart(two[1], two[2])
  if two[1].kind ~= two[2].kind or most < 1 then
    return nil, "networks of the two are the same, or of another kind"
  end
  for _, r in ipairs(M.with_others(wish, { a, b }).with) do
    local p = prepare.of(where, r, {}, groups, nil, true)
    if p and p.n >= LEAST and p.conditions == two[1].conditions and p.kind == two[1].kind
      and not trained_once(p, two[1]) and not trained_once(p, two[2]) then
      help[#help + 1] = p
    end
  end
  return predictable.values(two, help, n, seed, math.min(most, two[1].most, two[2].most))
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
  local p, why = prepare.of(where, result, wish, groups)
  if not p then return nil, why end
  if p.n < 2 * LEAST then
    return nil, ("%d networks of %s are fewer than %d"):format(p.n, p.name, 2 * LEAST)
  end
  local list = distribution.list(prepare.origin(result))
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
      draws = p.draws, starts = p.starts } }, seed):predictions())
    if sys.interrupted() then error("interrupted", 0) end
  end
  return t
end

return M
