-- What predicted populations are worth, and whether their intervals and tests may be believed.
--
--   ./netspace examples/verdicts/prediction.lua [TIMES] [NAMES] [TRUTH]
--
-- First, from the committed results (examples/paper): how much narrower the intervals of the
-- neighbouring pairs become.  Then experiments, TIMES (1000) of each kind and size: n networks are
-- drawn from a population whose errors are all known, and what is claimed of it is held
-- against what is true.  The known population is TRUTH, a store or an export with large
-- populations, or else made: errors as the committed results have them, predicted for 4,000
-- networks of each space and spread as the residuals are.  NAMES, such as "E,X": of these
-- populations alone.
--
-- A population of N known networks is not endless: what is left to err is √(1 − n/N) of what it
-- is for a space, and the intervals are shortened by that before they are counted.

local core = require "netspace.core.adjust"
local features = require "netspace.stats.features"

local times, names, path = tonumber(arg[1]) or 1000, arg[2] or "A,B,C,D,E,X", arg[3]
local here = arg[0]:match("^(.*)/verdicts/[^/]*$")
local results = assert(stats.import(here .. "/paper/small.jsonl.gz"))
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

-- Populations whose errors are known ------------------------------------------------------

-- Rows of features of networks, as the regression takes them.
local function rows_of(models)
  local reader, rows = features.reader(features.groups), {}
  for i, m in ipairs(models) do rows[i] = reader.read(m) end
  return rows, reader.starts
end

local function known(name, rows, starts, errors)
  local sum, sorted = 0, table.move(errors, 1, #errors, 1, {})
  for _, e in ipairs(errors) do sum = sum + e end
  table.sort(sorted)
  return { name = name, rows = rows, starts = starts, errors = errors, all = table.concat(rows),
    mean = sum / #errors, sorted = sorted }
end

-- Of the committed results: predictions by all six, and residuals of networks not seen.
local function made()
  local distribution = require "netspace.space.distribution"
  local n, N, errors, trained, drawn, lists, starts = {}, {}, {}, {}, {}, {}, nil
  for k, r in ipairs(steps) do
    local list = distribution.list(r)
    lists[k] = table.move(list, 1, 4000, 1, {})
    drawn[k], starts = rows_of(lists[k])
    trained[k] = table.concat((rows_of(r.models)))
    n[k], N[k] = #r.errors, #lists[k]
    table.move(r.errors, 1, #r.errors, #errors + 1, errors)
  end
  local all = {}
  for k, rows in ipairs(drawn) do all[k] = table.concat(rows) end
  local fit = core.new(starts, n, N, table.concat(trained), errors, table.concat(all), 1)
  local seen, f = fit:predictions()
  local list, first, from = {}, 0, 0
  for k, r in ipairs(steps) do
    local y = {}
    for i = 1, N[k] do
      local j = from + math.random(n[k])
      y[i] = math.min(100, math.max(0, f[first + i] + errors[j] - seen[j]))
    end
    list[k] = known(r.name, drawn[k], starts, y)
    first, from = first + N[k], from + n[k]
  end
  return list
end

local function populations()
  if not path then return made() end
  local list, s = {}, nil
  if path:find("%.db$") then
    local store = assert(sweep.open(path))
    s = {}
    for i, name in ipairs(store:names()) do s[i] = store:result(name) end
  else
    s = assert(stats.import(path))
  end
  for _, r in ipairs(s) do
    if #r.errors >= 500 then
      local rows, starts = rows_of(r.models)
      list[#list + 1] = known(r.name, rows, starts, r.errors)
    end
  end
  return list
end

-- Experiments -----------------------------------------------------------------------------

-- `count` different places in a list of N, at random.
local function places(N, count)
  local swapped, list = {}, {}
  for i = 1, count do
    local j = math.random(i, N)
    list[i], swapped[j] = swapped[j] or j, swapped[i] or i
  end
  return list
end

local function take(p, at, from, n)
  local rows, errors = {}, {}
  for i = 1, n do rows[i], errors[i] = p.rows[at[from + i]], p.errors[at[from + i]] end
  return table.concat(rows), errors
end

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
  local at, other = places(#a.errors, a == b and 2 * n or n), nil
  other = a == b and at or places(#b.errors, n)
  local x, e = take(a, at, 0, n)
  local y, g = take(b, other, a == b and n or 0, n)
  local errors = table.move(g, 1, n, n + 1, table.move(e, 1, n, 1, {}))
  local fit = core.new(a.starts, { n, n }, { #a.errors, #b.errors }, x .. y, errors,
    a.all .. b.all, seed)
  local p, q = fit:mean(1), fit:mean(2)
  local d, se = fit:difference(1, 2)
  local function add(key, value)
    sums[key] = (sums[key] or 0) + (value == true and 1 or value or 0)
  end
  local left = math.sqrt(1 - n / #a.errors)
  local t, plain_t = core.student(0.975, n - 2), core.student(0.975, n - 1)
  add("mean", math.abs(p.mean - a.mean) <= t * p.se * left)
  add("plain", math.abs(p.plain - a.mean) <= plain_t * p.plain_se * left)
  add("square", (p.mean - a.mean) ^ 2)
  add("plain square", (p.plain - a.mean) ^ 2)
  local truth = b.mean - a.mean
  local both = a == b and 1 or left -- two samples without a network in common err more
  local td = core.student(0.975, welch(p.se, q.se, n - 1))
  add("difference", math.abs(d - truth) <= td * se * both)
  local sorted = table.move(e, 1, n, 1, {})
  table.sort(sorted)
  local curve, half = fit:edf(1, sorted, 0.95, 200)
  add("band", distance(a, sorted, curve) <= half * left)
  if a == b then
    local interval = math.abs(d) > td * se
    local values = table.move(fit:values(2), 1, n, n + 1, fit:values(1))
    local test = core.test(values, { n, n, 0 }, d / se, 999, seed) <= 0.05
    add("interval", interval)
    add("test", test)
    add("claim", interval and test)
  end
end

local function run(a, b, n)
  local sums = {}
  for k = 1, times do experiment(a, b, n, k, sums) end
  for key, sum in pairs(sums) do sums[key] = sum / times end
  return sums
end

local function coverage(list)
  print(("What holds in %d experiments with n networks of each"):format(times))
  print(("%-6s %4s  %-26s %-10s %-6s %s"):format("pair", "n", "mean (without prediction)",
    "difference", "band", "worth, of the variance that occurs"))
  for i = 2, #list do
    for _, n in ipairs { 10, 20, 50, 100, 200 } do
      local a, b = list[i - 1], list[i]
      local s = run(a, b, n)
      print(("%-6s %4d  %.3f (%.3f) %14s %.3f      %.3f  %.2f"):format(a.name .. "→" .. b.name, n,
        s.mean, s.plain, "", s.difference, s.band, s["plain square"] / s.square))
    end
  end
end

local function level(list)
  print(("\nFalse claims of a difference between two halves of one population, nominal 0.05"))
  print(("%-4s %4s  %-6s %-9s %s"):format("of", "n", "claim", "interval", "test alone"))
  for _, p in ipairs(list) do
    for _, n in ipairs { 10, 20, 50, 100, 200 } do
      local s = run(p, p, n)
      print(("%-4s %4d  %.3f  %.3f     %.3f"):format(p.name, n, s.claim, s.interval, s.test))
    end
  end
end

math.randomseed(18)
io.stdout:setvbuf "line"
worths()
local list = {}
for _, p in ipairs(populations()) do
  if ("," .. names .. ","):find("," .. p.name .. ",", 1, true) then list[#list + 1] = p end
end
coverage(list)
level(list)
