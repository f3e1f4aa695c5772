-- stats in Lua beyond one pair: alternatives, equal complexity, categories, trends, ranks,
-- seeds, least squares.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local stats = require "netspace.stats.stats"

local function blamed(f, part)
  local _, message = pcall(f)
  t.ok(tostring(message):find("test_trends.lua:", 1, true) ~= nil
    and tostring(message):find(part, 1, true) ~= nil, part, tostring(message))
end

local function range(n, first, step)
  local list = {}
  for i = 1, n do list[i] = first + (i - 1) * step end
  return list
end

local function named(name, errors, models)
  return { name = name, errors = errors, models = models, n = #errors, failed = 0 }
end

-- Holm: the worked example of adjusting 0.01, 0.04, 0.03, by hand.
t.is(table.concat(stats.holm { 0.01, 0.04, 0.03 }, " "), "0.03 0.06 0.06", "Holm by hand")
t.is(table.concat(stats.holm { 0.9, 0.5 }, " "), "1 1", "at most 1, never falling")
t.is(stats.holm({ 0.02 })[1], 0.02, "one test is not adjusted")
blamed(function() stats.holm { 2 } end, "p-value 1 is 2")

-- alternatives
local parent = named("C", range(40, 40, 0.5))
local good, worse = named("D", range(40, 34, 0.5)), named("D2", range(40, 47, 0.5))
local equal = named("D3", range(40, 40.1, 0.5))
local a = stats.alternatives(parent, { worse, good, equal }, { margin = 6 })
t.is(a.rows[1].name, "D", "ranked by mean")
t.is(a.rows[3].name, "D2", "the worst last")
t.is(a.rows[1].claim, "better", "better")
t.is(a.rows[2].claim, "same", "the same within 6 points")
t.is(a.rows[3].claim, "worse", "worse")
t.is(a.rows[1].index, 2, "and where it stood in the list")
t.is(#a.pairs, 6, "all pairs are tested")
local p = {}
for i, pair in ipairs(a.pairs) do p[i] = pair.comparison.p_permutation end
for i, adjusted in ipairs(stats.holm(p)) do
  t.is(a.pairs[i].p_holm, adjusted, "pair " .. i .. " is adjusted for all")
end
t.near(a.rows[1].comparison.mean_difference, -6, 1e-9, "against the parent")
t.ok(a.rows[2].beaten and a.rows[3].beaten and not a.rows[1].beaten, "the first beats the rest")
t.is(a.verdict, "D is better than C and than every other alternative.", "said")
t.ok(tostring(a):find("D3 .-the same"), "printed", tostring(a))
local single = stats.compare(parent, good)
local one = stats.alternatives(parent, { good })
t.is(one.rows[1].p_holm, single.p_permutation, "one alternative: nothing to adjust")
t.is(one.rows[1].comparison.ci[1], single.ci[1], "and the interval is the single one")
local wide = a.rows[1].comparison.ci
t.ok(wide[1] < single.ci[1] and wide[2] > single.ci[2], "joint intervals are wider")
local open = stats.alternatives(range(8, 40, 2), { range(8, 39, 2) })
t.is(open.rows[1].claim, "open", "eight are too few")
t.ok(open.verdict:find("^no alternative can be called better .* more models of each would"),
  "and how many it would take", open.verdict)
local rough = stats.alternatives(range(8, 40, 2), { range(8, 41, 2) }, { margin = 5 })
local spread = rough.rows[1].comparison.deviation
t.near(spread, math.sqrt(2 * 24 / 8), 1e-9, "the standard error")
local enough = 8 + rough.rows[1].more -- no worse than 5 points when it is 1 worse: 4 of room
t.ok(spread * math.sqrt(8 / enough) * 2.801585 <= 4
  and spread * math.sqrt(8 / (enough - 1)) * 2.801585 > 4, "models for a margin", enough)
t.is(stats.alternatives(parent, { worse }).verdict, "every alternative is worse than C.", "worse")
local tie = stats.alternatives(parent, { good, named("D4", range(40, 34.2, 0.5)) })
t.is(tie.verdict, "D is better than C, but cannot be told from D4.", "two good ones")
blamed(function() stats.alternatives(parent, {}) end, "a list of alternatives")
blamed(function() stats.alternatives(parent, parent) end, "a list of alternatives")
blamed(function() stats.alternatives(parent, { 3 }) end, "alternative 1 is a number")
blamed(function() stats.alternatives(parent, { good }, { margin = 0 }) end, "margin is 0")

-- verdicts: margin, failures, recipes
local same = stats.compare(parent, equal, { margin = 6 })
t.ok(same.same and same.verdict:find("^D3 and C are the same within 6 points"), "same", same.verdict)
t.ok(not stats.compare(parent, equal, { margin = 1 }).same, "too many points for so few models")
local failing = named("F", table.move(range(6, 100, 0), 1, 6, 41, range(40, 40, 0.5)))
failing.failed = 6
local f = stats.compare(failing, parent)
t.is(f.better, "C", "failures are paid for")
t.is(f.without_failed.better, nil, "and without them there is no difference")
t.near(f.without_failed.mean_difference, 0, 1e-12, "which is measured")
t.ok(f.verdict:find("6 of F, 0 of C) count as 100 %, and without them nothing could be claimed",
  1, true), "said", f.verdict)
t.is(stats.edf(failing):finished().n, 40, "an EDF without its failures")
t.is(select(2, stats.edf({ 100, 100 }):finished()), "all of its models failed", "nothing left")
local other = { name = "G", errors = good.errors, recipe = { epochs = 5 } }
local lent = { name = "C", errors = parent.errors, recipe = { epochs = 10 } }
t.ok(stats.compare(lent, other).verdict:find("Careful: they were trained with different recipes "),
  "different recipes")
local card = { train_n = 200, test_n = 100, pad = 4, checksum = "a" }
other = { name = "G", errors = good.errors, recipe = { epochs = 10 }, card = card }
lent.card = { train_n = 100, test_n = 100, pad = 4, checksum = "b" }
t.ok(stats.compare(other, lent).verdict:find(
  "Careful: they were trained with different data (train 200 and 100).", 1, true), "and data")
t.ok(stats.compare(other, { name = "I", errors = good.errors, recipe = { epochs = 5, lr = 1 },
  card = card }).verdict:find("different recipes (epochs 10 and 5, lr none and 1).", 1, true), "which")
blamed(function() stats.compare(lent, { good }) end, "b is a list of results; pick one of them")
t.is(select(2, stats.best { errors = { 3, 2, 2 }, models = { "a", "b", "c" } }), 2, "least error")
t.is(stats.best { errors = { 3, 2, 2 }, models = { "a", "b", "c" } }, "b", "the first best")
blamed(function() stats.best { errors = {}, models = {} } end, "no finished models")
blamed(function() stats.best(good) end, "it should be a result")
t.ok(stats.compare(parent, { name = "H", errors = good.errors, n = 50 }).verdict:find(
  "Careful: 10 of 50 models of H are unfinished.", 1, true), "unfinished models")
t.ok(not stats.compare(lent, lent).verdict:find("Careful"), "the same recipe")
local c = stats.compare({ 52, 44, 60, 47 }, { 49, 40, 50 })
t.is(c.min_difference, -4, "difference of minima")
t.ok(c.min_ci[1] <= -4 and c.min_ci[2] >= -4, "inside its interval")

-- a child that took over models of its parent
local nets_a, nets_b = {}, {}
for i = 1, 20 do nets_a[i] = assert(arch.anynet { d = { i }, w = { 16 } }) end
for i = 1, 20 do
  nets_b[i] = i <= 8 and nets_a[2 * i] or assert(arch.anynet { d = { i }, w = { 24 } })
end
local old = named("old", range(20, 50, 1), nets_a)
local child = named("child", range(20, 49, 1), nets_b)
for i = 1, 8 do child.errors[i] = old.errors[2 * i] end
local sum = 0
for i = 1, 20 do sum = sum + child.errors[i] - old.errors[i] end
local adopted = stats.compare(old, child)
t.is(adopted.shared, 8, "models of both are found")
t.near(adopted.mean_difference, sum / 20, 1e-9, "the difference of the means is what it is")
t.ok(adopted.verdict:find("8 models are in both", 1, true), "it is told", adopted.verdict)
local alone = stats.compare({ errors = old.errors }, { errors = child.errors })
t.is(alone.shared, 0, "not without the models")
t.ok(adopted.ci[2] - adopted.ci[1] < alone.ci[2] - alone.ci[1], "and the interval is shorter")
child.errors[1] = child.errors[1] + 0.5
t.is(stats.compare(old, child).shared, 7, "the same network trained again is another result")

-- bands
local edf = stats.edf(range(50, 20, 1))
local band = edf:band(0.9, "bootstrap")
local x, lo, hi = band.steps()
t.is(#x, 50, "a band at every step")
t.is(lo[10], band.lo(x[10] + 0.5), "as its functions say")
t.is(hi[10], band.hi(x[10] + 0.5), "above too")
t.ok(band.epsilon == nil and edf:band().epsilon > 0, "only DKW has one height")
local _, dkw = edf:band(0.9).steps()
t.ok(dkw[25] < lo[25], "which is the wider band, in the middle")
blamed(function() edf:band(0.9, "normal") end, "invalid option 'normal'")

-- equal complexity: b has the errors of a in every bin, but more large models
local function sized(name, sizes, shift)
  local r = named(name, {}, {})
  for i, size in ipairs(sizes) do
    r.models[i] = { d = { size }, tag = size > 2 and "large" or "small" }
    r.errors[i] = 60 - 10 * size + i % 4 + (shift or 0)
  end
  return r
end
local A = sized("A", { 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3 })
local B = sized("B", { 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3 })
t.is(stats.compare(A, B).mean_difference, -5, "B looks better")
local fair = stats.compare(A, B, { by = "d", bins = 3 })
t.near(fair.mean_difference, 0, 1e-9, "at equal depth it is not")
t.is(fair.better, nil, "so there is no claim")
t.ok(fair.verdict:find("mean error at equal d", 1, true), "which is said", fair.verdict)
local C = sized("C", { 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3 }, -4)
t.is(stats.compare(A, C, { by = function(m) return m.d[1] end, bins = 3 }).better, "C",
  "a real difference remains")
local n = stats.normalise({ A, B }, { by = "d", bins = 3 })
t.near(n[1].mean, n[2].mean, 1e-9, "the EDFs agree")
t.ok(n[1].weighted and n[1].n == 16 and n.outside[1] == 0, "and are weighted")
t.near(n[1](45.5), 2 / 3, 1e-9, "two bins of three lie below")
t.near(stats.search(n[1]).mean[1], n[1].mean, 1e-9, "the best of one is the weighted mean")
t.ok(plot.edf(n):text():find("B", 1, true), "they are plotted")
local part = stats.normalise({ A, B }, { by = "d", bins = 1, range = { 1.5, 3 } })
t.is(part.outside[1], 8, "models outside the range")
t.ok(tostring(part):find("8 models outside", 1, true), "are told", tostring(part))
local family = stats.alternatives(A, { B, C }, { by = "d", bins = 3 })
t.is(family.rows[1].name, "C", "alternatives at equal depth")
t.near(family.mean, n[1].mean, 1e-9, "with normalised means")
blamed(function() stats.normalise({ A, B }, { by = "d", bins = 5 }) end,
  "no model in bin 2 of 5, from 1.4 to 1.8 of A; use fewer bins")
blamed(function() stats.compare(A, B, { by = "d", bins = 5 }) end, "no model in bin 2 of 5")
local own = stats.compare(A, B, { by = "d" })
t.is(own.bins, 3, "bins not asked for are as many as the models fill")
t.is(own.verdict, fair.verdict, "and give what as many asked for give")
t.ok(own.verdict:find("at equal d (3 bins)", 1, true), "which is said", own.verdict)
t.is(stats.alternatives(A, { B, C }, { by = "d" }).pairs[3].comparison.bins, 3, "of all pairs alike")
blamed(function() stats.compare(A, B, { by = "d", range = { 2, 8 } }) end,
  "no model in bin 2 of 2, from 5 to 8 of A; use a narrower range, or train more")
blamed(function() stats.compare(A, B, { bins = 5 }) end, "go with by=")
blamed(function() stats.compare(A, { 1, 2 }, { by = "d" }) end, "has no models")
blamed(function() stats.compare(A, B, { by = "dd" }) end, "unknown property 'dd'")
blamed(function() stats.compare(A, B, { by = "d", range = { 3, 1 } }) end, "low < high")
blamed(function() n[1]:band() end, "no band for an EDF with weights")
blamed(function() stats.compare(n[1], n[2]) end, "a is an edf with weights")
t.near(stats.ks(n[1], n[2]), 0, 1e-12, "the distance of EDFs with weights")
t.is(select("#", stats.ks(n[1], n[2])), 1, "has no p-value")
blamed(function() stats.search(n[1], { replacement = false }) end, "without replacement")

-- categories
local exact = stats.bootstrap(A, "tag", { exact = true, share = 0.5 })
t.is(exact.best, "large", "a text of the best model")
t.is(exact.median, nil, "has no percentiles")
local order, weight = {}, 0 -- models by error, ties in order; the best of 8 of 16
for i = 1, 16 do order[i] = i end
table.sort(order, function(i, j)
  return A.errors[i] < A.errors[j] or A.errors[i] == A.errors[j] and i < j
end)
for rank, i in ipairs(order) do
  if A.models[i].tag == "large" then
    weight = weight + ((17 - rank) / 16) ^ 8 - ((16 - rank) / 16) ^ 8
  end
end
t.is(exact.shares[1].value, "large", "most first")
t.near(exact.shares[1].share, weight, 1e-12, "with its weight by rank")
t.near(stats.bootstrap(A, "tag", { share = 0.5 }).shares[1].share, weight, 0.01, "simulated")
local odd = stats.bootstrap(A, function(m) return m.d[1] % 2 == 1 end, { exact = true })
t.is(odd.best, true, "truth values")
local depth = stats.bootstrap(A, "d", { categorical = true, exact = true })
t.ok(depth.median == 3 and depth.shares[1].value == 3, "numbers may be categories")
t.ok(tostring(depth):find("\n3 %d+ %%"), "printed", tostring(depth))
blamed(function() stats.bootstrap(A, "tag", { categorical = false }) end, "so it is categorical")
blamed(function() stats.bootstrap(A, "d[2]") end, "model 1: it has 1 stages")
blamed(function() stats.bootstrap(A, function() return {} end) end, "not a number, text or truth")

-- trends
local trend = stats.trend({ B, A }, "d", { on = function(m) return m.d[1] end })
t.ok(trend[1].name == "A" and trend[1].at == 1.5 and trend[2].at == 2.5, "sorted by the median")
t.is(trend[2].median, stats.bootstrap(B, "d", { exact = true }).median, "the band of each")
t.ok(tostring(trend):find("^population"), "printed")
blamed(function() stats.trend({ A }, "tag") end, "model 1: the property is small, not a number")
blamed(function() stats.trend({ A, 3 }, "d") end, "entry 2 should be a result")

-- ranks
local r = stats.correlation(range(30, 1, 1), range(30, 70, -1))
t.is(r.tau, -1, "reversed")
t.is(r.rho, -1, "by either")
t.is(stats.correlation({ 1, 2, 3 }, { 5, 5, 5 }).tau, nil, "no order, no correlation")
t.near(stats.correlation({ 50, 60, 70, 80 }, { 40, 45, 44, 52 }).tau, 4 / 6, 1e-12, "5 of 6 pairs")
blamed(function() stats.correlation({ 1, 2 }, { 1 }) end, "2 and 1 numbers")
blamed(function() stats.correlation({ 1, "x" }, { 1, 2 }) end, "x[2] is x")
local live = {}
for i = 1, 12 do
  live[i] = { status = "done", curve = { 90 - i * 7 % 12, 60 - i, 50 - i } }
end
live[12] = { status = "diverged", curve = { 70 } }
live[13] = { status = "running", curve = { 1 } }
local e = stats.epochs(live)
t.ok(#e == 3 and e.n == 12 and e.open == 1, "unfinished models are left out")
t.is(e[3].tau, 1, "the last epoch agrees with itself")
t.is(e[2].tau, 1, "and so does one in the same order")
local first, last = {}, {}
for i = 1, 12 do
  first[i], last[i] = live[i].curve[1], live[i].curve[3] or 100
end
t.is(e[1].tau, stats.correlation(first, last).tau, "a failed model counts as 100 later")
t.is(e[3].kept, 1, "its best quarter is its best quarter")
t.ok(tostring(e):find("12 models, 1 unfinished left out", 1, true), "printed", tostring(e))
t.is(#stats.epochs { { 80, 60 }, { 70, 62 }, { 75, 50 } }, 2, "lists of errors")
blamed(function() stats.epochs { { 80 }, { 70 } } end, "2 finished models with 1 epochs")
blamed(function() stats.epochs { 3 } end, "entry 1 is a number")

-- seeds
local s = stats.noise { { 50, 60, 70, 100 }, { 52, 58, 70, 80 } }
t.ok(s.n == 3 and s.k == 2 and s.left_out == 1, "failed models are left out")
t.near(s.within, math.sqrt((2 + 2 + 0) / 3), 1e-12, "within")
local msb = 2 * ((51 - 60) ^ 2 + (59 - 60) ^ 2 + (70 - 60) ^ 2) / 2
t.near(s.between, math.sqrt((msb - 4 / 3) / 2), 1e-12, "between")
t.near(s.reliability, s.between ^ 2 / (s.between ^ 2 + s.within ^ 2), 1e-12, "reliability")
t.ok(s.ci[1] < s.reliability and s.reliability < s.ci[2], "in its interval")
t.ok(tostring(s):find("1 model that failed", 1, true), "printed", tostring(s))
local net = assert(arch.anynet { d = { 1 }, w = { 16 } })
local wide_net = assert(arch.anynet { d = { 1 }, w = { 24 } })
blamed(function()
  stats.noise { named("A", { 1, 2 }, { net, net }), named("B", { 1, 2 }, { net, wide_net }) }
end, "model 2 of entry 2 is another network")
blamed(function() stats.noise { { 1, 2 } } end, "expects a list of at least two results")
blamed(function() stats.noise { { 1, 2 }, { 1 } } end, "entry 2 has 1 models, entry 1 has 2")

-- least squares
local fit = stats.regress({ 1, 4, 9, 16 }, { 3, 6, 9, 12 }, { form = "sqrt" })
t.near(fit.a, 3, 1e-12, "an exact root")
t.near(fit(25), 15, 1e-9, "is a function")
t.near(fit.r2, 1, 1e-12, "explained")
t.is(stats.regress({ 1, 2, 3 }, { 5, 5, 5 }).r2, nil, "nothing to explain")
blamed(function() stats.regress({ 1, 2 }, { 1, 2 }, { form = "root" }) end, "unknown form 'root'")
blamed(function() stats.regress({ 1 }, { 1 }) end, "1 points are too few; this form needs 2")
blamed(function() stats.regress({ 1, 2 }, { 1 }) end, "2 values of x, but 1 of y")
blamed(function() stats.regress({ 1, "2" }, { 1, 2 }) end, "x[2] is a string")
local nets = named("zoo", { 31, 27, 25 }, { zoo["RegNetX-200MF"], zoo["RegNetX-400MF"],
  zoo["RegNetX-1.6GF"] })
local scaling = stats.scaling(nets)
local k, kk = 0, 0
for _, m in ipairs(nets.models) do
  local cost = arch.complexity(m)
  k, kk = k + cost.acts * math.sqrt(cost.flops), kk + cost.flops
end
t.near(scaling[1].fit.a, k / kk, 1e-6, "acts by the root of flops, in closed form")
t.ok(scaling[2].what == "params" and scaling[2].power.b > 0.3 and scaling[2].power.b < 1,
  "params by a power")

-- random search as the second source has it
local sim = stats.search(range(64, 20, 1), { simulate = true })
t.is(table.concat(sim.m, " "), "1 2 4 8 16 32 64", "powers of two")
t.is(table.concat(sim.repeats, " "), "64 32 16 8 4 2 1", "with ever fewer repeats")
t.is(sim.lo[7], sim.hi[7], "of which one has no deviation")
t.ok(tostring(sim):find("repeats", 1, true), "printed")
blamed(function() stats.search({ 1, 2 }, { simulate = true, m = { 3 } }) end, "from 1 to 2")

t.done()
