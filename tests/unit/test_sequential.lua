-- Sequential statistics in Lua: prefixes of the drawn order, boundaries, looks at planned times
-- and at any time, verdicts, messages.  The mechanism is tested in test_sequential.c.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local prefix = require "netspace.stats.prefix"
local stats = require "netspace.stats.stats"
local sys = require "netspace.core.sys"

local function blamed(f, part)
  local _, message = pcall(f)
  t.ok(tostring(message):find("test_sequential.lua:", 1, true) ~= nil
    and tostring(message):find(part, 1, true) ~= nil, part, tostring(message))
end

-- n errors around a mean: sums of four uniform numbers, deviation `sd`, from a seed.
local function errors(n, mean, sd, seed)
  local list = {}
  for i = 1, n do
    local sum = 0
    for k = 1, 4 do sum = sum + (sys.random(seed, 4 * i + k, 6) >> 11) / 2.0 ^ 52 end
    list[i] = mean + sd * (sum - 2) * math.sqrt(3)
  end
  return list
end

-- A result of which only the models `keep` wants have ended.
local function part(name, list, keep)
  local r = { name = name, n = #list, errors = {}, indices = {}, columns = { flops = {} } }
  for i, e in ipairs(list) do
    if keep(i) then
      table.insert(r.errors, e)
      table.insert(r.indices, i)
      table.insert(r.columns.flops, 1000 * i)
    end
  end
  return r
end
local function all() return true end

-- prefixes
local p = stats.prefix(part("A", { 40, 41, 42, 43, 44, 45 }, function(i) return i ~= 4 end))
t.is(table.concat(p.errors, " "), "40 41 42", "up to the first that has not ended")
t.is(("%d %d %s"):format(p.n, p.ignored, p.name), "3 2 A", "n, what is ignored, the name")
t.is(p.columns.flops[3] .. " " .. #p.columns.flops, "3000 3", "columns are cut, too")
p = stats.prefix { errors = { 42, 40, 44, 41 }, indices = { 3, 1, 5, 2 } }
t.is(table.concat(p.errors, " "), "40 41 42", "the drawn order, whatever the order of the list")
t.is(stats.prefix({ errors = { 40, 100 }, failed = 1, n = 2 }).n, 2, "failed models have ended")
t.is(stats.prefix({ errors = { 40 }, indices = { 2 }, n = 2 }).n, 0, "the first is still training")
blamed(function() stats.prefix { 40, 50 } end, "it wants a result")
blamed(function() stats.prefix(stats.edf { 40 }) end, "it wants a result, not a edf")
blamed(function() stats.prefix { name = "A", errors = { 40 }, n = 3 } end,
  "2 models of A are unfinished, and nothing says which")

-- boundaries: getDesignGroupSequential of R's rpact 3.3.4
local b = stats.boundaries { looks = 5 }
t.near(b.z[2], 3.357012, 1e-6, "O'Brien-Fleming, second look")
t.near(b.z[5], 2.031032, 1e-6, "last look")
t.near(b.p[5], 2 * 0.0211258, 1e-6, "its nominal p")
t.near(b.spent[5], 0.05, 1e-12, "all is spent")
t.near(b.most, 1.024719877, 1e-6, "models at most")
t.near(b.expected, 0.8236623194, 1e-6, "models on average")
t.near(b.expected_none, 1.017991754, 1e-6, "where there is no difference")
t.is(b.same, nil, "no margin, no sameness")
b = stats.boundaries { looks = { 20, 30, 70, 75, 100 }, spending = "pocock", power = 0.9 }
t.near(b.z[4], 2.432161, 1e-6, "Pocock, unequal looks in models")
t.is(b.information[2], 0.3, "information is a part of the last")
t.near(stats.boundaries({ looks = 4, spending = { "power", 3 }, level = 0.9 }).z[3], 2.081396,
  1e-6, "power family")
b = stats.boundaries { looks = 50 }
t.ok(b.z[1] == math.huge and tostring(b):find("\n1 +0.020 +none", 1), "no limit where nothing is spent")
b = stats.boundaries { looks = 5, margin = 1 }
t.ok(b.same > 0.5 and b.same < 0.7 and b.expected_none < 1, "with a margin it stops for sameness")
t.ok(tostring(b):find("called the same within 1 of that difference in", 1, true), "and says so")
t.ok(b:table("csv"):find("look,information", 1, true), "as a table for others")
for want, f in pairs {
  ["looks is 0; it must be from 1 to 50"] = function() stats.boundaries { looks = 0 } end,
  ["looks has 51 entries"] = function()
    local list = {}
    for i = 1, 51 do list[i] = i end
    stats.boundaries { looks = list }
  end,
  ["looks[2] is 10"] = function() stats.boundaries { looks = { 20, 10 } } end,
  ["looks[1] is x"] = function() stats.boundaries { looks = { "x" } } end,
  ["look 2 has information"] = function() stats.boundaries { looks = { 20, 20.001, 30 } } end,
  ["(did you mean 'pocock'?)"] = function() stats.boundaries { spending = "pococ" } end,
  ["the exponent of power is -1"] = function() stats.boundaries { spending = { "power", -1 } } end,
  ["spending is 'power'; it is"] = function() stats.boundaries { spending = "power" } end,
  ["power is 0.01; it must be above 0.05"] = function() stats.boundaries { power = 0.01 } end,
  ["margin is 0; it is a part"] = function() stats.boundaries { margin = 0 } end,
} do blamed(f, want) end

-- a difference, by hand: one look is Welch's test
local x, y = { 48, 51, 55, 60, 53, 50 }, { 44, 42, 49, 47, 46, 50 }
local s = stats.sequential(x, y, { looks = 1 })
local function moments(list)
  local mean, squares = 0, 0
  for _, e in ipairs(list) do mean = mean + e / #list end
  for _, e in ipairs(list) do squares = squares + (e - mean) ^ 2 end
  return mean, squares / (#list - 1)
end
local mx, vx = moments(x)
local my, vy = moments(y)
t.near(s.mean_difference, my - mx, 1e-9, "difference")
t.near(s.looks[1].se, math.sqrt((vx + vy) / 6), 1e-9, "standard error")
-- scipy 1.17.1: ttest_ind(x, y, equal_var=False).pvalue
t.near(s.p, 0.013778907582, 1e-9, "its p is Welch's")
t.is(("%s %s %d %s"):format(s.claim, s.better, s.at, s.over), "difference b 1 true", "claim")
t.near(s.estimate, s.mean_difference, 1e-6, "one look needs no correction")
-- its confidence_interval()
t.near(s.ci[1], -11.31981093511665, 1e-8, "and its interval is Welch's")
t.ok(s.ci[2] < 0 and s.looks[1].ci[2] < 0, "both intervals exclude 0")
t.ok(s.verdict:find("^b is better than a, decided at look 1 of 1, at 6 of 6 models of each: its mean "
  .. "error is 6.50 points lower") ~= nil, "verdict", s.verdict)

-- looks at prefixes only
local A = part("A", errors(100, 45, 3, 1), all)
local B = part("B", errors(100, 42, 3, 2), all)
s = stats.sequential(A, B)
t.ok(s.over and s.better == "B" and s.at < 5 and s.n == 20 * s.at, "a large difference stops early",
  s.verdict)
t.is(s.next, nil, "and nothing is looked at after")
t.is(#s.looks, s.at, "rows up to there")
t.ok(s.at > 1 and math.abs(s.estimate) < math.abs(s.mean_difference) and s.ci[2] < 0 and s.p < 0.05,
  "estimate, interval and p are corrected")
t.is(s.ignored.a, 100 - s.n, "how many are ignored")
t.ok(s.verdict:find(("Not looked at: %d of A and %d of B"):format(100 - s.n, 100 - s.n), 1, true),
  "and said", s.verdict)
local early = part("A", A.errors, function(i) return i <= 25 or i % 2 == 0 end)
local C = part("C", errors(100, 45, 3, 3), all)
s = stats.sequential(early, C)
t.is(("%d %s"):format(s.n, s.next), "20 40", "a gap ends the prefix: 26 is followed by nothing")
local same_start = stats.sequential(part("A", A.errors, function(i) return i <= 20 end),
  part("C", C.errors, function(i) return i <= 21 end))
t.near(s.mean_difference, same_start.mean_difference, 1e-12, "models beyond it change nothing")
t.ok(s.verdict:find("only models 1 to n are a fair sample", 1, true)
  and not same_start.verdict:find("fair sample", 1, true), "why is said only where it matters")
t.ok(tostring(s):find("\n2 +40 +3%.36 *\n") ~= nil, "looks to come are printed with their limits")
s = stats.sequential(part("A", A.errors, function(i) return i < 9 end), B)
t.ok(s.verdict:find("^No look yet: the first is at 20 models of each; in the order of drawing, 8 of A "
  .. "and 100 of B have ended%.") ~= nil and not s.over and s.n == 0, "too early", s.verdict)
t.is(stats.sequential(part("A", A.errors, function() return false end), B).n, 0, "nothing has ended")
blamed(function() stats.sequential({ errors = {} }, B) end, "the first look would be at 0 models of each")
local longer = stats.sequential(A, B, { n = 400, looks = { 50, 200, 400 }, spending = "pocock" })
t.is(longer.at, 1, "looks of one's own")
t.is(longer.boundaries.information[1], 0.125, "as parts of the planned models")

-- sameness, no claim
s = stats.sequential(A, C, { margin = 2.5, spending = "pocock" })
t.ok(s.same and s.claim == "same" and s.over and s.better == nil, "the same within a margin", s.verdict)
t.ok(s.ci[1] >= -2.5 and s.ci[2] <= 2.5 and s.p == nil, "by its repeated interval")
t.ok(s.verdict:find("are the same within 2.5 points, decided at look", 1, true), "verdict of sameness")
s = stats.sequential(A, C)
t.ok(s.over and s.claim == nil and s.ci[1] < 0 and s.ci[2] > 0 and s.p > 0.05, "nothing to claim")
t.ok(s.verdict:find("^No claim after the last look, at 100 models of each") ~= nil, "is said", s.verdict)
s = stats.sequential({ 40, 40, 40, 40, 40 }, { 50, 50, 50, 50, 50 }, { looks = 1 })
t.ok(s.claim == nil and s.over, "errors that are all alike show no spread, and nothing is claimed")
t.ok(stats.sequential(A, A, { looks = 2 }).verdict:find("A (b)", 1, true), "names that are the same")
local foreign = part("D", errors(100, 42, 3, 4), all)
foreign.recipe, A.recipe = { epochs = 5 }, { epochs = 3 }
t.ok(stats.sequential(A, foreign).verdict:find("Careful: they were trained with different recipes", 1,
  true), "doubts of a comparison are those of stats.compare")
A.recipe = nil
for want, f in pairs {
  ["which has no order"] = function() stats.sequential(stats.edf { 40 }, B) end,
  ["the first look would be at 2 models of each; it needs at least 5"] = function()
    stats.sequential(A, B, { n = 10 })
  end,
  ["the last look is at 40 models, but n is 50"] = function()
    stats.sequential(A, B, { n = 50, looks = { 20, 40 } })
  end,
  ["looks[1] is 7.5; it is a number of models"] = function()
    stats.sequential(A, B, { looks = { 7.5, 40 } })
  end,
  ["margin is -1; it is a number of points above 0"] = function()
    stats.sequential(A, B, { margin = -1 })
  end,
  ["level is 2; it must be between 0 and 1"] = function() stats.sequential(A, B, { level = 2 }) end,
  ["error 1 is 400"] = function() stats.sequential({ 400 }, B) end,
} do blamed(f, want) end

-- several candidates, which share the error probability
local D = part("D", errors(100, 41, 3, 5), all)
local many = stats.sequential(A, { B, D, C })
t.ok(many.arms[1].better == "B" and many.arms[2].better == "D" and many.arms[3].claim == nil
  and many.over, "each is decided alone", many.verdict)
t.near(math.max(many.arms[1].level, many.arms[2].level), 1 - 0.05 / 3, 1e-12, "Holm: a third first")
t.near(many.arms[3].level, 0.95, 1e-12, "and all of it for the last")
local alone = stats.sequential(A, C)
t.near(many.arms[3].looks[5].difference, alone.looks[5].difference, 1e-12, "the same estimates")
t.near(many.arms[3].looks[5].limit, alone.looks[5].limit, 1e-9, "and the limits of one alone")
t.ok(tostring(many):find("candidate +look +models") and tostring(many):find("C +5 of 5 +100"),
  "printed with a row for each", tostring(many))
many = stats.sequential(A, { B, C }, { margin = 2.5 })
t.is(many.arms[1].level .. " " .. many.arms[2].level, "0.975 0.975", "with a margin in equal parts")
many = stats.sequential(A, { B, part("C", C.errors, function(i) return i <= 30 end) })
t.ok(not many.over and many.next == 40 and many.arms[2].n == 20, "looks are taken together",
  many.verdict)
many = stats.sequential({ 40, 41, 44, 40, 42 }, { { 50, 51, 52, 53, 54 }, { 40, 42, 41, 43, 42 } },
  { looks = 1 })
t.is(many.arms[1].names[2], "candidate 1", "names of lists")

-- precision
s = stats.sequential(A, B, { precision = 1.2 })
t.ok(s.at and s.claim == "difference" and s.ci[2] - s.ci[1] <= 2.4, "until the interval is narrow",
  s.verdict)
local n = s.n
local ax, bx = { table.unpack(A.errors, 1, n) }, { table.unpack(B.errors, 1, n) }
local once = stats.sequential(ax, bx, { looks = 1 })
t.near(s.ci[1], once.ci[1], 1e-6, "which is that of a single look")
t.ok(s.looks[#s.looks - 1].ci[2] - s.looks[#s.looks - 1].ci[1] > 2.4, "not narrow enough before")
s = stats.sequential(A, B, { precision = 0.1 })
t.ok(s.over and not s.at and s.verdict:find("^Not within 0.1 points after the last look"), "or not",
  s.verdict)
do -- 95 % intervals hold in about 95 % of populations, whenever they stop
  local held = 0
  for k = 1, 400 do
    local d = stats.sequential(errors(60, 45, 3, 1000 + k), errors(60, 44, 3, 2000 + k),
      { precision = 1.5 })
    held = held + (d.ci[1] <= -1 and d.ci[2] >= -1 and 1 or 0)
  end
  t.ok(held >= 366 and held <= 394, "coverage at a precision", held) -- 95 % is 380
end

-- predictions: errors that the depth explains nearly all of
do
  local space = require "netspace.space.space"
  local function trained(S, seed, shift, noise)
    local models = S:sample(60, { seed = seed, flops = { 1e6, 2e6 } })
    local r = { name = S.name, models = models, errors = {}, n = 60 }
    for i, e in ipairs(errors(60, 0, noise, 70 + seed)) do
      local depth = 0
      for _, d in ipairs(models[i].d) do depth = depth + d end
      r.errors[i] = 40 + shift + 0.4 * depth + e
    end
    return r
  end
  local P, Q = trained(space.small.RegNetX, 1, 0, 0.3), trained(space.small.RegNetX, 2, -1, 0.3)
  local plain, with = stats.sequential(P, Q, { predict = false }),
    stats.sequential(P, Q, { predict = true })
  local row = with.looks[1]
  t.ok(row.predicted and row.predicted.worth > 2 and row.se < plain.looks[1].se / 1.4,
    "estimates by prediction", with.verdict)
  t.ok(with.at < (plain.at or 6), "decide sooner", with.verdict .. plain.verdict)
  t.near(with.estimate, -1, 0.5, "and rightly")
  t.ok(with.verdict:find("trained and [%d,]+ predicted networks of each, worth about"), "says so",
    with.verdict)
  local by = stats.compare(stats.prefix(P), stats.prefix(Q), { predict = true })
  local last = stats.sequential(P, Q, { predict = true, looks = 1 })
  t.near(last.mean_difference, by.mean_difference, 1e-9, "one look is stats.compare's")
  local unasked = stats.sequential(P, Q, { looks = { 12, 60 } })
  t.ok(not unasked.looks[1].predicted and not unasked.looks[1].unpredicted, "unasked, from 20 on",
    unasked.verdict)
  t.near(stats.sequential(P, Q, { looks = 1 }).mean_difference, by.mean_difference, 1e-9,
    "as compare")
  local at, bare = stats.anytime(P, Q, { predict = true }), stats.anytime(P, Q)
  t.ok(at.predicted and at.path.hi[60] - at.path.lo[60] < 0.8 * (bare.path.hi[60] - bare.path.lo[60]),
    "at any time", at.verdict)
  t.ok(at.verdict:find("that holds at every moment: .*, with predictions"), "it says so", at.verdict)
  local last = P.errors[40]
  P.errors[40] = last + 9
  local moved = stats.anytime(P, Q, { predict = true })
  P.errors[40] = last
  t.is(moved.path.difference[39], at.path.difference[39], "no model is predicted by later ones")
  t.ok(math.abs(moved.path.difference[40] - at.path.difference[40] + 9 / 40) < 1e-9,
    "and each counts with its own error", moved.path.difference[40] - at.path.difference[40])
  -- What was said at a moment is not said otherwise later.
  local function first(r, n) return prefix._cut(r, prefix._of("first", "r", r), n) end
  local with = { trained(space.small.RegNetX, 3, 0, 0.3), trained(space.small.RegNetX, 4, 0, 0.3) }
  for what, wish in pairs { ["by the two alone"] = true, ["by others, too"] = { with = with } } do
    local changed, whole = 0, nil
    for n = 60, 2, -1 do
      local d = stats.anytime(first(P, n), first(Q, n), { predict = wish, first = 2 })
      whole = whole or d
      for i = 1, n do
        for _, key in ipairs { "difference", "lo", "hi", "e" } do
          changed = changed + (d.path[key][i] == whole.path[key][i] and 0 or 1)
        end
      end
    end
    t.is(changed, 0, "earlier moments stay to the bit, " .. what)
  end
  local shared = first(Q, 60)
  shared.models[30], shared.errors[30] = P.models[30], P.errors[30]
  local halted = stats.anytime(P, shared, { predict = true })
  t.ok(halted.predicted and halted.path.lo[29] == at.path.lo[29] and halted.path.difference[29]
    == at.path.difference[29], "nor by a training that both have, from which on nothing is predicted")
  t.ok(stats.anytime(P, P, { predict = true }).unpredicted:find("networks of the two are the same"),
    "not where networks are in both")
  t.ok(stats.anytime({ 1, 2, 3 }, Q, { predict = true }).verdict and not stats.anytime({ 1, 2, 3 }, Q,
    { predict = true }).predicted, "nor of lists")
  blamed(function() stats.anytime(P, Q, { predict = true, exact = true }) end,
    "an exact sequence has no predict")
  local early = stats.sequential(P, Q, { looks = { 8, 20 }, spending = "pocock",
    predict = { with = { trained(space.small.RegNetX, 3, 0, 0.3) } } })
  t.ok(early.at == 1 and early.looks[1].predicted.guest == 60, "eight of each, where others tell",
    early.verdict)
  t.ok(early.verdict:find("from 8 trained and 20,000 predicted networks of each, as 60 of other"),
    "and it says so", early.verdict)
  local cut = stats.sequential(part("P", P.errors, function(i) return i <= 12 end), Q,
    { predict = true, n = 60 })
  t.ok(cut.looks[1].unpredicted == "its networks are not known" and not cut.looks[1].predicted,
    "without networks plain ones, and why", cut.verdict)
end
for want, o in pairs {
  ["precision and margin exclude each other"] = { precision = 1, margin = 1 },
  ["precision is 0; it is a number of points above 0"] = { precision = 0 },
  ["at 5 models of each; it needs at least 10"] = { precision = 1, looks = { 5, 20 } },
} do blamed(function() stats.sequential(A, B, o) end, want) end

-- at any time
local s1 = stats.anytime(A, B)
t.ok(s1.better == "B" and s1.at >= 10 and s1.at < 60 and s1.n == 100, "decided early", s1.verdict)
t.ok(s1.ci[1] < s1.mean_difference and s1.mean_difference < s1.ci[2] and s1.ci[2] < 0, "its interval")
t.near(s1.p, 1 / s1.e_most, 1e-12, "p from the e-value")
t.ok(s1.e >= 20, "which has reached 20", tostring(s1.e))
t.is(#s1.path.n + #s1.path.lo + #s1.path.e, 300, "the path")
t.is(s1.path.lo[9], -math.huge, "nothing is said before the tenth")
local cut = stats.anytime(part("A", A.errors, function(i) return i <= s1.at or i > 70 end), B)
t.is(cut.at, s1.at, "decided at the same model when it is looked at earlier")
t.is(cut.ignored.a, 30, "models beyond are ignored")
t.ok(cut.verdict:find("Not looked at: 30 of A and", 1, true), "and said")
s = stats.anytime(A, C)
t.ok(not s.over and s.verdict:find("^Not decided after 100 models of each") ~= nil, "not decided",
  s.verdict)
s = stats.anytime(A, C, { margin = 3 })
t.ok(s.same and s.ci[1] >= -3 and s.ci[2] <= 3 and s.at <= 100, "the same within a margin", s.verdict)
s = stats.anytime({ 40 }, { 41 })
t.ok(s.verdict:find("^No look yet: the first is at 10 models of each") ~= nil and s.p == 1, "too early")
s = stats.anytime(A, C, { exact = true })
t.ok(s.ci[1] > -20 and s.ci[2] < 20 and s.path.lo == nil and s.exact, "exact, and wide", s.verdict)
local good, bad = {}, {}
for i = 1, 60 do good[i], bad[i] = 10 + i % 5, 60 + i % 7 end
s = stats.anytime(bad, good, { exact = true })
t.ok(s.better == "b" and s.ci[2] < 0 and s.e_most >= 20, "exact: a difference of 50 points", s.verdict)
s = stats.anytime(good, good, { exact = true, margin = 40 })
t.ok(s.same, "exact: the same within 40 points", s.verdict)
blamed(function() stats.anytime(A, B, { exact = true, first = 5 }) end, "an exact sequence has no first")
blamed(function() stats.anytime(A, B, { tightest = 0 }) end, "tightest is 0; it is a number of models")

-- the band of an EDF
local f = stats.edf(A)
local band = f:band(0.95, "anytime")
-- the union bound at half of alpha, which is the lower of the two at 100 models
t.near(band.epsilon, math.sqrt(math.log(2 * 100 * 101 / (0.025 * 10)) / 200), 1e-12, "its height")
t.near(band.hi(45) - f(45), band.epsilon, 1e-12, "upper edge")
t.is(band.kind, "anytime", "kind")
t.is(stats.edf({ 40, 50, 60 }):band(0.95, "anytime").lo(55), 0, "nothing is known of three models")
local _, lo, hi = f:band(0.9, "anytime").steps()
t.ok(#lo == 100 and lo[100] > 0.5 and hi[1] < 0.5, "steps")

-- Looking at what has ended so far is biased where time and error go together, whatever is tested;
-- prefixes at planned looks are not.  100 populations, both the same: the larger the error, the
-- sooner a model ends, and b trains on fewer workers.
local naive, ours = 0, 0
for k = 1, 100 do
  local list = { errors(100, 45, 3, 100 + k), errors(100, 45, 3, 300 + k) }
  local seen = {}
  for side, workers in ipairs { 100, 5 } do
    local ends, free = {}, {}
    for w = 1, workers do free[w] = 0 end
    for i, e in ipairs(list[side]) do
      table.sort(free)
      free[1] = free[1] + (100 - e) / 100 -- hours
      ends[i] = free[1]
    end
    local sorted = table.move(ends, 1, 100, 1, {})
    table.sort(sorted)
    seen[side] = part(({ "A", "B" })[side], list[side], function(i) return ends[i] <= sorted[40] end)
  end
  if stats.compare(seen[1], seen[2], { draws = 200 }).p_permutation <= 0.05 then naive = naive + 1 end
  if stats.sequential(seen[1], seen[2], { n = 100, looks = 5 }).claim then ours = ours + 1 end
end
t.ok(naive > 30, "a look at what has ended is wrong far more often than 5 %", naive)
t.ok(ours <= 10, "looks at prefixes are not", ours)

t.done()
