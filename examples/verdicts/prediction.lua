-- What predicted populations are worth, and whether their intervals and tests may be believed.
--
--   netspace examples/verdicts/prediction.lua [TIMES] [TRUTH] [SIZES] [PARTS]
--
-- First, from the committed results (examples/paper): how much narrower the intervals of the
-- neighbouring pairs become.  Then experiments, TIMES (200) of each kind and size: n networks are
-- drawn from populations whose errors are all known, and what is claimed of them is held
-- against what is true.  The known populations are those of at least 500 networks in TRUTH, a
-- store or an export: by default truth.jsonl.gz beside this file, 1,500 networks of AnyNetX_A
-- and 1,500 of RegNetX, each trained on 3,000 images of CIFAR-10 for 3 epochs.
--
-- A population of N known networks is not endless: what is left to err is √(1 − n/N) of what it
-- is for a space, and the intervals are shortened by that before they are counted.
-- An experiment takes 25 ms of one core on average (n = 100: 37), so that 10,000 take 4 minutes,
-- 200 of every kind and size two minutes, and 10,000 of every one an hour and a half.

local core = require "netspace.core.adjust"
local counting = require "netspace.core.stats"

local times = math.tointeger(tonumber(arg[1] or 200))
if not times or times < 1 then
  io.stderr:write(
    "usage: netspace examples/verdicts/prediction.lua [TIMES] [TRUTH] [SIZES] [PARTS]\n")
  os.exit(2, true)
end
local here = arg[0]:match("^(.*/)[^/]*$") or "./"
local path = arg[2] or here .. "truth.jsonl.gz"
local results = assert(stats.import(here .. "../paper/small.jsonl.gz"))
local known = dofile(here .. "known.lua")
local steps = { results.A, results.B, results.C, results.D, results.E, results.X }

-- Worth ---------------------------------------------------------------------------------

local function worths()
  print("How many times as many trained networks the interval of a difference is worth")
  print(("%-6s %24s %24s %24s  %s"):format("pair", "without", "own fits", "one fit to all six",
    "worth: own, pair, all"))
  local product, own = { 1, 1, 1 }, {}
  for i, r in ipairs(steps) do own[i] = assert(stats.predict(r)) end
  for i = 2, #steps do
    local a, b = steps[i - 1], steps[i]
    local pair = stats.compare(a, b, { predict = true })
    local all = stats.compare(a, b, { predict = { with = steps } })
    local p, q = own[i - 1], own[i]
    local se, plain = math.sqrt(p.se ^ 2 + q.se ^ 2), math.sqrt(p.plain.se ^ 2 + q.plain.se ^ 2)
    local t, d = core.student(0.975, p.n + q.n - 4), q.mean - p.mean
    local worth = { (plain / se) ^ 2, pair.predicted.worth, all.predicted.worth }
    for k, w in ipairs(worth) do product[k] = product[k] * w end
    local function text(m, lo, hi) return ("%+.2f (%+.2f to %+.2f)"):format(m, lo, hi) end
    print(("%-6s %24s %24s %24s  %.1f  %.1f  %.1f"):format(a.name .. "→" .. b.name,
      text(pair.plain.mean_difference, pair.plain.ci[1], pair.plain.ci[2]),
      text(d, d - t * se, d + t * se), text(all.mean_difference, all.ci[1], all.ci[2]),
      table.unpack(worth)))
  end
  for k = 1, 3 do product[k] = product[k] ^ (1 / (#steps - 1)) end
  print(("geometric mean: %.2f, %.2f, %.2f\n"):format(table.unpack(product)))
end

-- Experiments -----------------------------------------------------------------------------

-- The largest distance of a curve from the share of all errors below each of those in `at`.
local function distance(p, at, curve)
  local most, k = 0, 0
  for i, e in ipairs(at) do
    while k < #p.sorted and p.sorted[k + 1] < e do k = k + 1 end
    most = math.max(most, math.abs(curve[i] - k / #p.sorted))
  end
  return most
end

local function welch(x, y, n)
  local u, v = x ^ 2, y ^ 2
  return (u + v) ^ 2 / (u ^ 2 / (n - 1) + v ^ 2 / (n - 1))
end

-- One experiment: n networks of a, and n of b; what is claimed, beside what is true.
local function experiment(a, b, n, seed, sums)
  local at, other = known.places(#a.errors, a == b and 2 * n or n), nil
  other = a == b and at or known.places(#b.errors, n)
  local x, e = known.take(a, at, 0, n)
  local y, g = known.take(b, other, a == b and n or 0, n)
  local errors = table.move(g, 1, n, n + 1, table.move(e, 1, n, 1, {}))
  local fit = core.new(a.starts, { n, n }, { #a.errors, #b.errors }, x .. y, errors,
    a.all .. b.all, seed)
  local p, q = fit:mean(1), fit:mean(2)
  local d, se = fit:difference(1, 2)
  local function add(key, value)
    sums[key] = (sums[key] or 0) + (value == true and 1 or value or 0)
  end
  local interval = math.abs(d) > core.student(0.975, welch(p.se, q.se, n - 1)) * se
  local values = table.move(fit:values(2), 1, n, n + 1, fit:values(1))
  local test = core.test(values, { n, n, 0 }, d / se, 999, seed) <= 0.05
  add("interval", interval)
  add("test", test)
  add("claim", interval and test)
  if a == b then return end
  local left = math.sqrt(1 - n / #a.errors)
  local t, plain_t = core.student(0.975, n - 2), core.student(0.975, n - 1)
  for m, whole in pairs { [p] = a, [q] = b } do
    add("mean", (math.abs(m.mean - whole.mean) <= t * m.se * left and 1 or 0) / 2)
    add("plain", (math.abs(m.plain - whole.mean) <= plain_t * m.plain_se * left and 1 or 0) / 2)
  end
  local truth, plain = b.mean - a.mean, q.plain - p.plain
  local td = core.student(0.975, welch(p.se, q.se, n - 1))
  add("difference", math.abs(d - truth) <= td * se * left)
  add("square", (d - truth) ^ 2)
  add("plain square", (plain - truth) ^ 2)
  add("claimed worth", (p.plain_se ^ 2 + q.plain_se ^ 2) / se ^ 2)
  local both = {} -- at each error that occurs, and just above
  for i, v in ipairs(e) do both[2 * i - 1], both[2 * i] = v, v + 1e-9 end
  table.sort(both)
  local curve, half = fit:edf(1, both, 0.95, 200)
  add("band", distance(a, both, curve) <= half * left)
  add("half", half)
end

local function run(a, b, n)
  local sums = {}
  for k = 1, times do experiment(a, b, n, k, sums) end
  for key, sum in pairs(sums) do sums[key] = sum / times end
  return sums
end

-- The same networks with errors moved so that the mean is that of p.
local function moved(p, to)
  local copy = { mean = to.mean, errors = {} }
  for i, e in ipairs(p.errors) do copy.errors[i] = e + to.mean - p.mean end
  return setmetatable(copy, { __index = p })
end

local sizes = {}
for n in (arg[3] or "10,20,50,100,200"):gmatch("%d+") do sizes[#sizes + 1] = math.tointeger(n) end

local function coverage(list)
  math.randomseed(18)
  print(("What holds of intervals at 95 %%: %d experiments with n networks of each"):format(times))
  print(("%-5s %4s  %-6s %-9s %-10s %-5s  %s"):format("pair", "n", "mean", "without", "difference",
    "band", "worth: of the variance that occurs, of the intervals"))
  for i = 2, #list do
    for _, n in ipairs(sizes) do
      local a, b = list[i - 1], list[i]
      local s = run(a, b, n)
      print(("%-5s %4d  %.3f  %.3f     %.3f      %.3f  %.2f  %.2f"):format(a.name .. "→" .. b.name,
        n, s.mean, s.plain, s.difference, s.band, s["plain square"] / s.square,
        s["claimed worth"]))
    end
  end
end

local function level(list)
  math.randomseed(19)
  print("\nFalse claims of a difference, nominal 0.050: two parts of one population, and two")
  print "populations, one of them moved so that the means are equal"
  print(("%-9s %4s  %-6s %-9s %s"):format("of", "n", "claim", "interval", "test alone"))
  local function row(name, a, b, n)
    local s = run(a, b, n)
    print(("%-9s %4d  %.3f  %.3f     %.3f"):format(name, n, s.claim, s.interval, s.test))
  end
  for i, p in ipairs(list) do
    for _, n in ipairs(sizes) do row(p.name, p, p, n) end
    local other = i > 1 and moved(p, list[i - 1])
    for _, n in ipairs(other and sizes or {}) do
      row(list[i - 1].name .. ", " .. p.name, list[i - 1], other, n)
    end
  end
end

-- At equal complexity -----------------------------------------------------------------------

local BINS = { 10, 5, 3, 2 } -- as stats.normalise: as many as the networks fill

local function flops_of(p)
  if p.flops then return p.flops end
  p.flops = {}
  for i, m in ipairs(p.models) do p.flops[i] = arch.complexity(m).flops end
  return p.flops
end

-- Means at equal flops of n networks of a and of b, and their difference, beside the truth.
local function at_equal(a, b, n, seed, sums)
  local parts, lo, hi = {}, -math.huge, math.huge
  for k, p in ipairs { a, b } do
    local at, x = known.places(#p.errors, n), {}
    local rows, errors = known.take(p, at, 0, n)
    local least, most = math.huge, -math.huge
    for i = 1, n do
      x[i] = flops_of(p)[at[i]]
      least, most = math.min(least, x[i]), math.max(most, x[i])
    end
    lo, hi = math.max(lo, least), math.min(hi, most)
    parts[k] = { p = p, rows = rows, errors = errors, x = x }
  end
  local bins, bin, drawn, truth = nil, {}, {}, {}
  for _, k in ipairs(BINS) do
    local y = select(2, counting.strata(parts[1].x, lo, hi, k))
    local z = select(2, counting.strata(parts[2].x, lo, hi, k))
    if type(y) == "table" and type(z) == "table" then
      bins, bin = k, table.move(z, 1, n, n + 1, y)
      break
    end
  end
  for k, part in ipairs(parts) do
    local w, all = counting.strata(flops_of(part.p), lo, hi, bins)
    truth[k] = 0
    for i, e in ipairs(part.p.errors) do truth[k] = truth[k] + w[i] * e end
    table.move(all, 1, #all, #drawn + 1, drawn)
  end
  local errors = table.move(parts[2].errors, 1, n, n + 1, table.move(parts[1].errors, 1, n, 1, {}))
  local fit = core.new(a.starts, { n, n }, { #a.errors, #b.errors }, parts[1].rows .. parts[2].rows,
    errors, a.all .. b.all, seed, nil, bins, bin, drawn)
  local x, y = fit:mean(1), fit:mean(2)
  local d, se = fit:difference(1, 2)
  local u, v, left = x.se ^ 2, y.se ^ 2, math.sqrt(1 - n / #a.errors)
  local t = core.student(0.975, (u + v) ^ 2 / (u ^ 2 / x.df + v ^ 2 / y.df))
  local function add(key, value) sums[key] = (sums[key] or 0) + value end
  add("mean", math.abs(x.mean - truth[1]) <= core.student(0.975, x.df) * x.se * left and 0.5 or 0)
  add("mean", math.abs(y.mean - truth[2]) <= core.student(0.975, y.df) * y.se * left and 0.5 or 0)
  add("difference", math.abs(d - truth[2] + truth[1]) <= t * se * left and 1 or 0)
  add("square", (d - truth[2] + truth[1]) ^ 2)
  add("plain", (y.plain - x.plain - truth[2] + truth[1]) ^ 2)
  add("bins", bins)
end

local function equal(list)
  math.randomseed(21)
  print "\nAt equal flops, in as many bins as the networks fill: what holds of intervals at 95 %"
  print(("%-5s %4s  %-5s  %-6s %-10s %s"):format("pair", "n", "bins", "mean", "difference",
    "worth"))
  for i = 2, #list do
    for _, n in ipairs(sizes) do
      local sums = {}
      for k = 1, n >= 20 and times or 0 do at_equal(list[i - 1], list[i], n, k, sums) end
      if sums.mean then
        print(("%-5s %4d  %5.1f  %.3f  %.3f      %.2f"):format(list[i - 1].name .. "→"
          .. list[i].name, n, sums.bins / times, sums.mean / times, sums.difference / times,
          sums.plain / sums.square))
      end
    end
  end
end

local parts = arg[4] or "worth,coverage,level,equal"
io.stdout:setvbuf "line"
if parts:find("worth") then worths() end
local list = known.populations(steps, path)
for _, p in ipairs(list) do
  print(("%s: %d networks, mean error %.3f %%"):format(p.name, #p.errors, p.mean))
end
if parts:find("coverage") then coverage(list) end
if parts:find("level") then level(list) end
if parts:find("equal") then equal(list) end
print(("\n%.0f seconds of one core"):format(os.clock()))
