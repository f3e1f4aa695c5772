-- Claim, interval and p never contradict each other: by hand, and for random populations of few
-- models, with ties and failures, in compare, alternatives and design.step.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sys = require "netspace.core.sys"

-- the case that was called better beside an interval with 0
local a = { 80, 73, 72.6, 65, 85.6, 79.4, 82.8, 82, 88, 86.6, 77.2, 75.2 }
local b = { 64.8, 66.8, 73.2, 67.8, 81.4, 80.8, 55.6, 64.6, 72.6, 86.4, 75.8, 74.6 }
local far = { 90.2, 90, 90, 90, 89, 89.6, 90, 87.6 }
local three = stats.alternatives(a, { b, far })
local first = three.rows[1]
t.is(first.claim, "better", "b is better than a")
t.near(first.p_holm, 0.038, 0.005, "by Holm, after the two of c")
t.near(first.comparison.level, 0.95, 1e-12, "the largest p is tested at 5 %")
t.ok(first.comparison.ci[2] < 0, "its interval, of that level, has no 0", first.comparison.ci[2])
t.is(three.best, first, "the best")
local levels = {}
for _, pair in ipairs(three.pairs) do levels[#levels + 1] = pair.comparison.level end
table.sort(levels)
t.near(levels[2], 1 - 0.05 / 2, 1e-12, "the second of three at 2.5 %")
t.near(levels[3], 1 - 0.05 / 3, 1e-12, "the smallest p at 1.7 %")
t.ok(tostring(three):find("-13.48 to -0.40    95 %", 1, true), "the level stands beside it",
  tostring(three))
t.is(first.comparison.better, "b", "the comparison itself claims the same")

-- the same models; what was not learnt goes before any claim; untrained and unfinished ones
t.is(stats.compare(a, a).verdict,
  "a and b are the same models with the same errors: there is nothing to compare.", "a with itself")
local A = space.small.AnyNetXA:sample(4, { flops = { 1e6, 2e6 } })
local card = { classes = 10, test_n = 100 }
local near = { name = "A", errors = { 90, 89, 91, 88 }, models = A, n = 4, card = card }
local copy = { name = "A", errors = { 90, 89, 91, 88 }, models = A, n = 4, card = card }
t.is(stats.compare(near, copy).verdict:match "[^:.]*: there is nothing[^.]*%.$",
  " A (a) and A (b) are the same models with the same errors: there is nothing to compare.",
  "the same from a store")
local better = { name = "B", errors = {}, card = card, n = 20 }
local chance = { name = "C", errors = {}, card = card, n = 20 }
for i = 1, 20 do better.errors[i], chance.errors[i] = 85 + i / 10, 90 + i / 10 end
local early = stats.compare(chance, better)
t.is(early.better, "B", "a difference")
t.ok(early.verdict:find("^Careful: of C no model has learnt: .* Careful: of B no model .* B is better"),
  "the caution is before the claim", early.verdict)
t.ok(stats.alternatives(chance, { better, better }).verdict:find "^Careful: of C no model has learnt",
  "also among alternatives")
local none = { name = "N", errors = {}, models = {}, n = 12, counts = { running = 2, queued = 10 } }
local nobody = stats.compare(a, none)
t.is(tostring(nobody):match "^[^;]*", "No claim: none of the 12 models of N has finished (2 running, "
  .. "10 queued)", "a comparison with nothing is a verdict")
t.is(nobody.better, nil, "without a claim")
local some = stats.alternatives(a, { none, b })
t.is(some.rows[1].index .. " " .. #some.rows .. " " .. some.pairs[1].b, "2 1 3",
  "an alternative without finished models is left out, the others keep their number")
t.ok(some.verdict:find(" Careful: N has no finished models, and is left out.", 1, true), "and named",
  some.verdict)
t.ok(tostring(stats.alternatives(none, { a, b })):find("No claim: nothing is left to compare. Careful: "
  .. "N has no finished models", 1, true), "nothing is compared with nothing")
for name, f in pairs { search = function() stats.search(none) end,
  edf = function() stats.edf(none) end, bootstrap = function() stats.bootstrap(none, "d") end } do
  t.fails(f, "none of the 12 models of N has finished (2 running, 10 queued); wait for the sweep",
    name .. " says how many have finished")
end
t.fails(function() stats.compare(A, a) end, "a is a population, which is not trained yet; train it "
  .. "first: sweep.run{ models = a, … }")
t.fails(function() plot.edf { A } end, "item 1 is a population, which is not trained yet")
t.fails(function() plot.edf(A) end, "item 1 is a population, which is not trained yet")
t.fails(function() plot.edf { { A[1], A[2] } } end, "item 1 is a list of networks, which is not trained")
local dir = assert(require("luv").fs_mkdtemp("/tmp/netspace-verdicts-XXXXXX"))
local h = sweep.start { store = dir .. "/h.db", name = "H", models = A, recipe = { epochs = 50 },
  data = data.open("shapes", { train = 320, test = 50 }), quiet = true }
t.fails(function() stats.compare(h, a) end, "a is a sweep at work, not its result (sweep H of ")
t.fails(function() stats.compare(a, h) end, 'its :wait() gives the result; store.open("' .. dir
  .. '/h.db"):result("H") has what is finished so far')
t.fails(function() plot.edf { h } end, "item 1 is a sweep at work")
h:cancel()
os.execute("rm -r " .. dir)

-- What populations must have in common: one set of cautions
local function result(name, errors, o)
  local r = { name = name, space = "S", errors = errors, n = #errors, failed = 0, card = { train_n = 9 },
    recipe = { epochs = 1 }, _origin = { spec = { kind = "anynet" }, window = { flops = { 1e6, 2e6 } },
    seeds = { 1 } } }
  for k, v in pairs(o or {}) do r[k] = v end
  return r
end
local function from(o)
  local t = { spec = { kind = "anynet" }, window = { flops = { 1e6, 2e6 } }, seeds = { 2 } }
  for k, v in pairs(o) do t[k] = v end
  return { _origin = t }
end
local mine = result("M", a)
local wide = result("W", b, from { window = { flops = { 2e6, 4e6 } } })
local window = "trained with different windows of complexity (flops 1M to 2M and 2M to 4M)."
t.ok(stats.compare(mine, wide).verdict:find(window, 1, true), "another window",
  stats.compare(mine, wide).verdict)
t.ok(stats.alternatives(mine, { wide, b }).verdict:find("Careful: M and W were " .. window, 1, true),
  "also among alternatives")
t.ok(stats.compare(mine, result("W", b, from { window = {} })).verdict:find(
  "(flops 1M to 2M and none)", 1, true), "or none")
local twin = "M and T are samples of the same space, drawn with other seeds"
t.ok(stats.compare(mine, result("T", b, from {})).verdict:find(twin, 1, true), "another sample")
t.ok(stats.alternatives(mine, { result("T", b, from {}) }).verdict:find(twin, 1, true),
  "is no alternative")
t.ok(not stats.compare(mine, result("T", b, from { spec = { kind = "regnet" } })).verdict:find "Careful",
  "another space")
t.ok(not stats.compare(mine, result("T", b, from { seeds = { 1 } })).verdict:find "samples of",
  "the same seed")

-- Models that failed, and decide
local low, high, lost = {}, {}, {}
for i = 1, 20 do low[i], high[i] = 50 + i / 10, 60 + i / 10 end
for i = 1, 20 do lost[i] = i <= 4 and 100 or low[i] end
local hit = result("L", lost, { failed = 4, limited = { memory = 4, patience = 0 } })
local judged = stats.alternatives(result("H", high), { hit })
t.is(judged.rows[1].claim, "open", "nothing is claimed beside the failed ones")
t.is(judged.rows[1].more, nil, "more models are no remedy")
t.ok(judged.verdict:find("Failed models (4 of L) count as 100 %; without them L would be better than H.", 1,
  true), "said of alternatives", judged.verdict)
t.ok(judged.verdict:find("Careful: 4 of 20 models of L failed at the limit memory= of the sweep", 1, true),
  "with the limit", judged.verdict)
t.ok(tostring(judged):find "space +n  failed " and tostring(judged):find "\nL +20 +4 ",
  "and in the table", tostring(judged))
t.ok(not tostring(stats.alternatives(high, { low })):find "failed", "no column without them")
local alone = stats.compare(result("H", high), hit)
t.ok(alone.verdict:find("without them L would be the better one", 1, true)
  and alone.verdict:find("failed at the limit memory=", 1, true) and not alone.verdict:find "too small",
  "the same of two", alone.verdict)

-- where Holm stops, the rest keeps the level of that step
local same = { 50, 51, 52, 53, 54, 55, 56, 57 }
local stop = stats.alternatives(same, { same, { 50.5, 51.5, 52.5, 53.5, 54.5, 55.5, 56.5 } })
for i, pair in ipairs(stop.pairs) do
  t.near(pair.comparison.level, 1 - 0.05 / 3, 1e-12, "nothing rejected: all at 1.7 %, pair " .. i)
  t.is(pair.claim, "open", "nothing claimed of pair " .. i)
end
t.is(stop.best, nil, "no best")

-- a better one behind an open one with a lower mean, a worse one before an open one
local level, lower = {}, {}
for i = 1, 40 do level[i], lower[i] = 60 + i / 40, 50 + i / 40 end
local mixed = stats.alternatives(level, { lower, { 1, 99 } })
t.is(mixed.rows[1].claim .. " " .. mixed.rows[2].claim, "open better", "ranked by the mean")
t.is(mixed.best, mixed.rows[2], "the best is the one that is better")
t.ok(mixed.verdict:find("^alternative 1 is better than parent, but cannot be told from "
  .. "alternative 2"), "and named", mixed.verdict)
local worse = stats.alternatives(level, { { 70, 70, 70, 70, 71, 71, 71, 71 }, { 50, 100, 99, 97 },
  { 55, 100, 99 } })
t.is(worse.rows[1].claim, "worse", "the first is worse")
t.ok(not worse.verdict:find("every alternative is worse"), "but not every one", worse.verdict)

-- random populations
local index = 0
local function random(n) -- 1 to n
  index = index + 1
  return (sys.random(11, index, 6) >> 1) % n + 1
end
local function population(shift)
  local n, grain, errors = random(11) + 1, ({ 0.1, 1, 5 })[random(3)], {}
  for i = 1, n do
    local e = 30 + shift + (random(1000) + random(1000)) / 60
    errors[i] = random(12) == 1 and 100 or math.min(100, math.floor(e / grain) * grain)
  end
  return errors
end
local function excludes(ci) return ci[1] > 0 or ci[2] < 0 end

local wrong, count = {}, { claim = 0, test_alone = 0, interval_alone = 0, open = 0 }
local function check(good, what, x)
  if not good then wrong[#wrong + 1] = what .. "\n" .. tostring(x) end
end
local function check_comparison(c)
  local significant = c.p_permutation <= 1 - c.level + 1e-9
  local claims = c.verdict:find("is better than", 1, true) ~= nil
  check(claims == (c.better ~= nil), "sentence and .better", c)
  check(not claims or significant and excludes(c.ci), "a claim against its figures", c)
  check(not c.better or (c.better == c.names[2]) == (c.mean_difference < 0), "direction", c)
  if significant and not excludes(c.ci) then
    count.test_alone = count.test_alone + 1
    check(c.same or not c.verdict:find("chance can explain"), "chance, beside a small p", c)
  elseif excludes(c.ci) and not significant then
    count.interval_alone = count.interval_alone + 1
  end
end
local spaces = {}
for i = 1, 5 do
  spaces[i] = { name = "S" .. i, size = function() return { nominal = 10 } end }
end
for _ = 1, 400 do
  local alpha = ({ 0.2, 0.1, 0.05 })[random(3)]
  local parent, list = population(0), {}
  for i = 1, random(4) do list[i] = population(random(25) - 15) end
  local r = stats.alternatives(parent, list, { level = 1 - alpha, draws = 300, seed = random(99),
    margin = random(2) == 1 and 3 or nil })
  local by_p = {}
  for k, pair in ipairs(r.pairs) do
    local c = pair.comparison
    check_comparison(c)
    by_p[k] = pair
    if pair.claim == "better" or pair.claim == "worse" then
      count.claim = count.claim + 1
      check(pair.p_holm <= alpha + 1e-9 and excludes(c.ci)
        and (c.mean_difference < 0) == (pair.claim == "better"), "a claim of alternatives", r)
    else
      count.open = count.open + 1
      check(not (pair.p_holm <= alpha - 1e-9 and excludes(c.ci)), "a claim that is not made", r)
      check(pair.claim ~= "same" or c.ci[1] >= -3 and c.ci[2] <= 3, "the same", r)
    end
  end
  table.sort(by_p, function(x,
    y) return x.comparison.p_permutation < y.comparison.p_permutation end)
  for k, pair in ipairs(by_p) do
    check(k == 1 or pair.comparison.level <= by_p[k - 1].comparison.level + 1e-12
      or pair.comparison.p_permutation == by_p[k - 1].comparison.p_permutation, "levels", r)
    check(pair.comparison.level >= 1 - alpha - 1e-12, "at least the level", r)
  end
  local better, worse_ones = 0, 0
  for _, row in ipairs(r.rows) do
    better = better + (row.claim == "better" and 1 or 0)
    worse_ones = worse_ones + (row.claim == "worse" and 1 or 0)
  end
  check((better > 0) == (r.best ~= nil), "best", r)
  check((better > 0) == (r.verdict:find("^alternative %d is better than parent") ~= nil),
    "verdict", r)
  check(not r.verdict:find("^every alternative is worse") or worse_ones == #r.rows, "every", r)
  local chosen, why = design._decide(r, spaces)
  check(not why:find("^Go on with .* is better") or r.best ~= nil, "a step", why)
  check(not (r.best and chosen ~= spaces[r.best.index + 1]), "a step takes the best", why)
  check_comparison(stats.compare(parent, list[1], { level = 1 - alpha, draws = 300 }))
end
t.is(#wrong, 0, "400 random families without a contradiction", wrong[1])
t.ok(count.claim > 100, "claims were made", count.claim)
t.ok(count.open > 100, "and withheld", count.open)
t.ok(count.test_alone > 5, "the test alone would claim some", count.test_alone)
t.ok(count.interval_alone > 5, "the interval alone others", count.interval_alone)

t.done()
