--- Predicted populations: what stats.compare, alternatives, predict and sensitivity say of spaces
-- of which some networks are trained, against truths that are made here.

local t = dofile "tests/unit/tap.lua"

local where = { flops = { 1e6, 2e6 }, seed = 5 }
-- The error that a network would have: most of it follows from its widths and depths.
local function truth(m)
  return 40 - 4 * math.log(m.w[4] / m.w[1]) + math.log(m.d[3]) - 2 * math.log(m.g[2])
end
local function noise(i) return 0.8 * math.sin(12.9898 * i) * 1.4 end

local function result(S, n, o, name)
  local p = S:sample(n, o or where)
  local r = { name = name or p.space, errors = {}, models = p, card = { train_n = 100 },
    recipe = { epochs = 1 } }
  for i, m in ipairs(p) do r.errors[i] = truth(m) + noise(i) end
  return r
end
local function mean_of(S, o)
  local sum, p = 0, S:sample(5000, { flops = where.flops, seed = o or 77 })
  for _, m in ipairs(p) do sum = sum + truth(m) / #p end
  return sum
end

local A = space.small.AnyNetXA
local a = result(A, 40)
local p = stats.predict(a)
local known = mean_of(A)
t.ok(math.abs(p.mean - known) < 4 * p.se, "the mean is that of the space", p.mean .. " " .. known)
t.ok(p.worth > 3, "and is known as from three times as many networks", p.worth)
t.ok(math.abs(p.plain.mean - stats.edf(a).mean) < 1e-9, "the plain mean is kept")
t.is(p.N, 20000, "20,000 networks are predicted")
t.ok(p.ci[1] < p.mean and p.mean < p.ci[2] and p.lambda > 0.5 and p.r2 > 0.5, "its figures")
t.ok(p:quantile(0.1) < p.median and p.median < p:quantile(0.9), "quantiles")
t.ok(p(p:quantile(0.5) + 1e-6) >= 0.5 and p(0) == 0 and p(101) == 1, "its EDF")
local x, y = p:steps()
for k = 2, #y do if y[k] < y[k - 1] or x[k] <= x[k - 1] then t.ok(false, "steps never fall") end end
local band = p:band(0.9)
t.ok(band.epsilon < stats.edf(a):band(0.9).epsilon, "its band is narrower than that of the EDF")
t.ok(band.hi(p.median) <= 1 and band.lo(p.median) > 0, "and is a band")
t.ok(tostring(p):find("40 trained and 20,000 predicted networks", 1, true), "printed", tostring(p))
t.ok(pcall(plot.edf, { a, p, band = true }), "it is drawn as an EDF is")
t.is(stats.predict(a).mean, p.mean, "the same again")
t.is(stats.predict(a, { seed = 2 }).mean ~= p.mean, true, "another seed, other folds")

do -- the sampler's rows are the features of the networks it draws
  local distribution, features = require "netspace.space.distribution",
    require "netspace.stats.features"
  for _, S in ipairs { A, A:with("shared_b", "monotone_w"), space.small.RegNetX } do
    local pop = S:sample(12, where)
    local reader, rows = features.reader(features.groups), {}
    local n = distribution.each(pop, function(m) rows[#rows + 1] = reader.read(m) end)
    local logs, N, different = distribution.logs(pop)
    t.ok(logs == table.concat(rows) and N == n and different == select(2, distribution.each(pop,
      function() end)), "the same draws and features in C: " .. pop.space)
  end
  local own = A:with(constraint { name = "own", check = function(m) return m.d[1] > 1 end })
  t.is(distribution.logs(own:sample(12, where)), nil, "not where a principle is run for each")
end

-- Compared.
local b = result(A:with("shared_b"), 40, { flops = where.flops, seed = 6 })
local S = A:with(constraint { name = "steep", check = function(m) return m.w[4] >= 4 * m.w[1] end })
local c = result(S, 30, { flops = where.flops, seed = 8 })
local d = stats.compare(a, c, { predict = true })
t.ok(d.predicted and d.plain, "spaces of a session are predicted, with constraints of its own")
t.is(d.better, c.name, "the better one is found")
t.ok(math.abs(d.mean_difference - (mean_of(S) - known)) < 4 * d.deviation, "the difference is that "
  .. "of the spaces")
t.ok(d.ci[2] - d.ci[1] < 0.7 * (d.plain.ci[2] - d.plain.ci[1]), "its interval is narrower")
t.ok(d.verdict:find("n = 40 and 30 trained and 20,000 predicted networks of each, worth %d")
  , "the verdict says so", d.verdict)
t.ok(not stats.compare(a, c, { predict = false }).predicted, "only if wanted")
t.is(stats.compare(a, c, { predict = false }).mean_difference, d.plain.mean_difference,
  "whose figures are the plain ones")
t.is(stats.compare(a, c, { predict = true }).p_permutation, d.p_permutation, "the same again")
local e = stats.compare(a, b, { predict = { with = { c } } })
t.is(e.predicted.populations, 3, "others help to fit")
t.is(stats.compare(a, b, { predict = { with = { a, b, c } } }).predicted.populations, 3,
  "no population twice")
local alternatives = stats.alternatives(a, { b, c }, { predict = true })
t.is(alternatives.best.name, c.name, "alternatives are compared by prediction")
t.is(alternatives.rows[1].comparison.predicted.populations, 3, "with one fit to all")
t.ok(alternatives.verdict:find "20,000 predicted", "and say so")

t.ok(d.verdict:find("with prediction and, exact, " .. (d.plain.p_permutation < 0.001 and "p < 0.001"
  or ("p = %.3f"):format(d.plain.p_permutation)) .. " without", 1, true),
  "the exact p of the trained networks stands beside it", d.verdict)
t.ok(d.p_better_ci[1] < d.p_better and d.p_better < d.p_better_ci[2] and d.p_better_ci[1] > 0.5
  and d.p_better_ci[2] < 1, "P(better) has an interval")

-- Tables and EDFs show both.
local few = { name = "few", errors = { 1, 2, 3 }, models = { a.models[1], a.models[2],
  a.models[3] } }
local rows = stats.table { a, c, few, predict = true }
t.near(rows[1].predicted.plain.mean, rows[1].mean, 1e-9, "a table has the means of the models")
t.ok(rows[1].predicted.worth > 3 and rows[2].predicted.populations == 2, "and those of the spaces")
t.ok(rows[3].unpredicted:find "the space of few is not known: nothing says", "or why there are none")
t.ok(tostring(rows):find "few: not predicted: the space" and tostring(rows):find "predicted %%",
  "printed", tostring(rows))
t.ok(rows:table "csv":find "predicted", "and exported")
t.ok(not tostring(stats.table { a, c }):find "predicted", "only if wanted")
t.is(stats.edf(a, { predict = true }).mean, p.mean, "an EDF by prediction is stats.predict's")
local drawn = plot.edf { a, few, c, predict = true, band = true }
t.ok(drawn:text():find("steep, predicted", 1, true), "a plot shows both", drawn:text())
t.is(select(2, drawn:text():gsub(", predicted", "")), 2, "where there can be a prediction")
local edf, reason = stats.edf(few, { predict = true })
t.ok(edf.n == 3 and reason:find "not known", "or that of the models, and why", reason)
t.is(select(2, stats.edf({ 40, 50 }, { predict = true })), "its networks are not known", "of a list")
t.fails(function() stats.edf(a, { predict = { wiht = {} } }) end, "did you mean 'with'")
t.is(p:area(100), stats.predict(a):area(), "the area below it")
t.near(100 * (1 - p:area()), p.mean, 0.15, "is that of its mean")
do -- quantiles: of 40 networks, the interval holds the truth, and is narrower than without
  local truths, sample = {}, A:sample(5000, { flops = where.flops, seed = 77 })
  for i, m in ipairs(sample) do truths[i] = truth(m) + noise(i) end
  local quarter, interval = p:quantile(0.25)
  local real = stats.edf(truths):quantile(0.25)
  t.ok(interval[1] <= real and real <= interval[2], "the interval of a quantile holds it", real)
  t.ok(interval[1] < quarter and quarter < interval[2] and interval[2] - interval[1] < 3,
    "and is one", pretty(interval))
  t.ok(select(2, p:quantile(0.25, 0.5))[1] > interval[1], "narrower at a lower level")
end

-- Networks that are in both: adopted.
local origin = { store = "a.db", spec = a.models.spec, window = a.models.window,
  constraints = a.models.constraints, seeds = { a.models.seed } }
a._origin, a.indices = origin, {}
for i = 1, 40 do a.indices[i] = i end
local wide = constraint { name = "wide", check = function(m) return m.w[3] >= 2 * m.w[1] end }
local adopting = A:with(wide):sample(40, { adopt = a, flops = where.flops })
local taken = #adopting.adopted.indices
local g = { name = "adopting", errors = {}, models = adopting, card = a.card, recipe = a.recipe }
for i, m in ipairs(adopting) do
  local from = adopting.adopted.indices[i]
  g.errors[i] = from and a.errors[from] or truth(m) + noise(100 + i)
end
local h = stats.compare(a, g, { predict = true })
t.ok(taken > 8 and taken < 35 and h.shared == taken, "some are adopted", tostring(taken))
t.ok(h.predicted and h.predicted.populations == 2, "networks in both are predicted once",
  h.unpredicted)
local alone = math.sqrt(stats.predict(a).se ^ 2 + stats.predict(g).se ^ 2)
t.ok(h.deviation < alone, "what they share does not widen the interval", h.deviation .. " " .. alone)
t.ok(h.deviation > 0.3 * alone and h.p_permutation > 0 and h.p_better_ci[1] < h.p_better,
  "and it is one")
local anew = { name = "anew", errors = {}, models = a.models, card = a.card, recipe = a.recipe }
for i in ipairs(a.errors) do anew.errors[i] = a.errors[i] + noise(500 + i) end
t.ok(stats.compare(a, anew, { predict = true }).unpredicted:find "trained anew",
  "the same networks trained again are two looks at one sample")
a._origin = nil

-- Features of the user's own.
local f = { quarter = function(m) return { m.w[4] / m.w[1], m.d[1] } end }
t.ok(stats.predict(a, { features = f }), "more features")
local flat = stats.predict(a, { features = { one = function() return 1 end } })
t.near(flat.mean, p.mean, 0.3, "one that is the same for all tells nothing")
t.ok(flat.worth > 3, "and spoils nothing", tostring(flat.worth))
t.fails(function() stats.predict(a, { features = { bad = function() end } }) end,
  "the feature bad of a network is nil")
t.fails(function() stats.predict(a, { features = { bad = 3 } }) end, "functions of a model")
t.fails(function() stats.compare(a, b, { predict = { wiht = {} } }) end, "did you mean 'with'")

-- Where nothing is predicted, and what is said of it.
local function unpredicted(x, y, text, o)
  local got = stats.compare(x, y, o or { predict = true })
  t.ok(not got.predicted and got.unpredicted:find(text), text, got.unpredicted)
  t.ok(got.verdict:find("Without prediction: ", 1, true), "the verdict says so: " .. text)
end
unpredicted(a, few, "the space of few is not known")
unpredicted(a, result(A, 9, { flops = where.flops, seed = 9 }, "nine"), "9 networks of nine are fewer")
unpredicted(a, { 40, 41, 42 }, "its networks are not known")
for _, r in ipairs { a, c } do
  r.columns = { seconds = {} }
  for i = 1, #r.errors do r.columns.seconds[i] = i end
end
unpredicted(a, c, "seconds is not known of untrained networks", { predict = true, by = "seconds" })
a.columns, c.columns = nil, nil

do -- at equal complexity
  local P, Q = result(A, 60, { flops = where.flops, seed = 41 }, "P"),
    result(A, 60, { flops = where.flops, seed = 42 }, "Q")
  for i = 1, 60 do Q.errors[i] = Q.errors[i] - 1 end
  local with = stats.compare(P, Q, { by = "flops", bins = 4, predict = true })
  local without = stats.compare(P, Q, { by = "flops", bins = 4, predict = false })
  t.ok(with.predicted.worth > 2 and with.deviation < 0.7 * without.deviation, "narrower", with.verdict)
  t.ok(math.abs(with.mean_difference + 1) < 3 * with.deviation, "and right", with.mean_difference)
  t.ok(with.verdict:find("mean error at equal flops (4 bins)", 1, true) and with.verdict:find("t test"),
    "in words", with.verdict)
  t.near(with.plain.mean_difference, without.mean_difference, 1e-9, "beside what it is without")
  local sum, draws = { 0, 0 }, A:sample(4000, { flops = where.flops, seed = 43 })
  for k, half in ipairs { { 1e6, 1.5e6 }, { 1.5e6, 2e6 } } do
    local n = 0
    for _, m in ipairs(draws) do
      local flops = arch.complexity(m).flops
      if flops >= half[1] and flops <= half[2] then sum[k], n = sum[k] + truth(m), n + 1 end
    end
    sum[k] = sum[k] / n
  end
  local curves = stats.normalise({ P, Q }, { bins = 2, range = { 1e6, 2e6 }, predict = true })
  t.ok(math.abs(curves[1].mean - (sum[1] + sum[2]) / 2) < 4 * curves[1].se, "the mean of two bins",
    curves[1].mean .. " " .. (sum[1] + sum[2]) / 2)
  t.ok(pcall(plot.edf, curves), "and is drawn")
end

local other = result(A, 40, { flops = where.flops, seed = 10 }, "other")
other.recipe = { epochs = 2 }
unpredicted(a, other, "not trained alike")
other.recipe, other.card = a.recipe, { train_n = 200 }
unpredicted(a, other, "not trained alike, on the same data")
local useless = result(A, 40, { flops = where.flops, seed = 11 }, "useless")
local useless2 = result(A, 40, { flops = where.flops, seed = 12 }, "useless 2")
for i = 1, 40 do
  useless.errors[i], useless2.errors[i] = 40 + 5 * noise(i), 41 + 5 * noise(3 * i)
end
unpredicted(useless, useless2, "explain too little")
local tiny = space.anynet { name = "tiny", stages = 4, d = 1, w = { 8, 16, 8 }, b = 1, g = 8 }
local all = result(tiny, 14, { seed = 1 }, "tiny")
unpredicted(a, all, "so few networks")
local chosen = result(A, 200, { flops = where.flops, seed = 13 }, "chosen")
for i = 200, 1, -1 do
  if chosen.models[i].w[4] < 128 then
    table.remove(chosen.models, i)
    table.remove(chosen.errors, i)
  end
end
unpredicted(a, chosen, "not what its space gives")

do -- fewer than ten networks, where others tell how errors depend on a network
  local host = result(A, 100, { flops = where.flops, seed = 21 }, "host")
  local function some(n, seed, shift)
    local r = result(A, n, { flops = where.flops, seed = seed }, "new " .. seed)
    for i = 1, n do r.errors[i] = r.errors[i] + shift end
    return r
  end
  local p, q = some(6, 31, 0), some(6, 32, -3)
  local c = stats.compare(p, q, { predict = { with = { host } } })
  t.ok(c.predicted and c.predicted.others == 100, "six networks of each are predicted", c.verdict)
  t.ok(math.abs(c.mean_difference + 3) < 3 * c.deviation and c.deviation < 0.6 * c.plain.deviation,
    "rightly, and better than without", c.verdict)
  t.ok(c.better == "new 32" and c.verdict:find("as 100 of other populations tell"), "a claim", c.verdict)
  local one = stats.predict(p, { with = { host } })
  t.ok(one.lambda == 1 and math.abs(one.mean - mean_of(A)) < 1 and one.df == 5, "one of them", tostring(one))
  t.ok(stats.predict(some(3, 33, 0), { with = { host } }), "three are enough")
  t.ok(select(2, stats.predict(some(2, 34, 0), { with = { host } })):find("fewer than 3"), "two not")
  t.ok(select(2, stats.predict(p, { with = { some(40, 35, 0) } })):find("fewer than 10"),
    "forty others do not tell enough")
  local within = result(A, 100, { flops = where.flops, seed = 31 }, "within")
  t.ok(select(2, stats.predict(p, { with = { within } })):find("some of them are in within as well"),
    "a fit that has seen them is none")
  local blind = result(A, 100, { flops = where.flops, seed = 36 }, "blind")
  for i = 1, 100 do blind.errors[i] = 40 + 5 * noise(i) end
  t.ok(select(2, stats.predict(p, { with = { blind } })):find("explain too little"), "nor one that "
    .. "explains nothing")
  local mixed = stats.compare(host, q, { predict = true })
  t.ok(mixed.predicted and mixed.better == "new 32", "a hundred tell of six", mixed.verdict)
end

do -- asked for by nobody
  local both = stats.compare(a, c)
  t.ok(both.predicted and both.mean_difference == d.mean_difference, "unasked, it is the same")
  t.ok(not stats.compare(a, c, { predict = false }).predicted, "false is never")
  local nine = stats.compare(a, result(A, 19, { flops = where.flops, seed = 9 }, "nineteen"))
  t.ok(not nine.predicted and not nine.verdict:find "prediction", "19 networks are too few, and "
    .. "nothing is said of it", nine.verdict)
  t.ok(stats.alternatives(a, { b, c }).verdict:find "20,000 predicted", "also of alternatives")
  t.ok(not stats.compare(a, b, { by = "flops" }).verdict:find "prediction", "not where it cannot be")
end

-- Text from elsewhere is not run, and a space that is rebuilt from data is the same one.
local function stored(r, source)
  local spec = require("netspace.lib.json")
  return { name = r.name, errors = r.errors, models = table.move(r.models, 1, #r.models, 1, {}),
    spec = spec.decode(spec.encode(r.models.spec)), window = r.models.window,
    constraints = source and { { name = "steep", source = source } } or r.models.constraints }
end
t.is(stats.predict(stored(b)).mean, stats.predict(b).mean, "a space known as data is drawn from")
ran_here = nil
local lost, why = stats.predict(stored(c, "ran_here = true return constraint{ name = 'steep' }"))
t.ok(not lost and why:find "known as text only", "text from elsewhere is refused", why)
t.is(ran_here, nil, "and never run")
local distribution = require "netspace.space.distribution"
local kept = distribution.keep { models = c.models, spec = c.models.spec, window = c.models.window,
  constraints = c.models.constraints }
local later = stored(c, "another text")
later.draws = kept
t.is(stats.predict(later).mean, stats.predict(c).mean, "draws kept with a population are as good")
t.is(distribution.keep { models = b.models, spec = b.models.spec,
  constraints = b.models.constraints }, nil, "nothing is kept of what can be drawn again")
later = stored(c, "a third")
later.draws = kept:sub(1, 100)
t.ok(not stats.predict(later), "damaged draws are refused")
later.draws = '{"different":9,"networks":[[1,2,3]]}'
t.ok(not stats.predict(later), "so are ones that are no networks")
local wrong = stored(a)
wrong.spec.params.w = { { lo = 1, hi = 1e12, q = 1e-9 } }
t.ok(select(2, stats.predict(wrong)):find "cannot be drawn from", "so are ranges without end")
wrong.spec.params = nil
t.ok(select(2, stats.predict(wrong)):find "is not known", "and descriptions that are none")

-- Failed networks count.
local failed = result(A, 40)
for i = 1, 4 do failed.errors[10 * i] = 100 end
local q = stats.predict(failed)
t.ok(q.plain.mean > p.plain.mean + 4 and q.mean > p.mean + 3, "as 100 %", q.mean)
t.is(q.failed, 4, "and are counted")
for i = 1, 40 do failed.errors[i] = 50 end
t.is(stats.predict(failed).mean, 50, "errors that are all the same")

-- What is learnt.
local shares = stats.sensitivity(a)
t.ok(shares.rows[1].name == "w[4]" or shares.rows[1].name == "w[1]", "the widths matter most")
t.ok(shares.rows[#shares.rows].share < 0.1, "others do not")
t.ok(tostring(shares):find "parameter" and shares.r2 > 0.5, "printed")
local picture = plot.effect(a, { "w[4]", function(m) return m.d[3] end })
t.ok(picture:text():find("w[4]", 1, true), "drawn")
t.fails(function() plot.effect(few, "d") end, "is not known")

t.done()
