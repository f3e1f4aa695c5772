-- Whether intervals and tests hold for three to nine networks of each population, when what
-- predicts them was learnt from other populations alone (adjust.h: guests).
--
--   netspace examples/verdicts/guests.lua [TIMES] [TRUTH]
--
-- TIMES (1000) experiments of each kind and size.  The populations are those of TRUTH (default:
-- truth.jsonl.gz beside this file), each cut in two by how much wider its networks end than they
-- begin: four spaces, of which two are compared, while HOST networks of each other one tell how
-- errors depend on a network.  Claimed is a difference between two samples of one space, and
-- between samples of two, one of them moved so that the means are equal: both would be false.

local core = require "netspace.core.adjust"

local times, path = math.tointeger(tonumber(arg[1] or 1000)), arg[2]
local here = arg[0]:match("^(.*/)[^/]*$") or "./"
local known = dofile(here .. "known.lua")
local HOST, PAIRS = 100, 25 -- PAIRS of samples share a fit

local function freedom(x, y)
  local u, v = x.se ^ 2, y.se ^ 2
  return (u + v) ^ 2 / (u ^ 2 / x.df + v ^ 2 / y.df)
end

-- PAIRS experiments with n networks of a and of b, from one fit to the others; adds to sums.
local function experiment(list, a, b, n, seed, sums)
  local counts, drawn, rows, errors, all = {}, {}, {}, {}, {}
  local function add(p, at, from, m, by)
    local x, e = known.take(p, at, from, m)
    for _, y in ipairs(e) do errors[#errors + 1] = y + by end
    counts[#counts + 1], rows[#rows + 1] = m, x
    drawn[#drawn + 1], all[#all + 1] = #p.errors, p.all
  end
  for _, p in ipairs(list) do
    if p ~= a and p ~= b then add(p, known.places(#p.errors, HOST), 0, HOST, 0) end
  end
  local first = #counts
  for _ = 1, PAIRS do
    local at = known.places(#a.errors, a == b and 2 * n or n)
    add(a, at, 0, n, 0)
    add(b, a == b and at or known.places(#b.errors, n), a == b and n or 0, n, a.mean - b.mean)
  end
  local fit = core.new(a.starts, counts, drawn, table.concat(rows), errors, table.concat(all), seed)
  local function count(key, value) sums[key] = (sums[key] or 0) + (value and 1 or 0) end
  for k = 1, PAIRS do
    local i, j = first + 2 * k - 1, first + 2 * k
    local x, y = fit:mean(i), fit:mean(j)
    local d, se = fit:difference(i, j)
    local claim = math.abs(d) > core.student(0.975, freedom(x, y)) * se
    local values = table.move(fit:values(j), 1, n, n + 1, fit:values(i))
    local test = core.test(values, { n, n, 0 }, d / se, 999, seed * PAIRS + k, 1) <= 0.05
    count("all", true)
    count("interval", claim)
    count("test", test)
    count("both", claim and test)
    count("mean", math.abs(x.mean - a.mean) <= core.student(0.975, n - 1) * x.se)
    count("plain", math.abs(x.plain - a.mean) <= core.student(0.975, n - 1) * x.plain_se)
    sums.square = (sums.square or 0) + d ^ 2
    sums.without = (sums.without or 0) + (y.plain - x.plain) ^ 2
  end
end

local list = known.halves(known.populations(nil, path or here .. "truth.jsonl.gz"))
io.stdout:setvbuf "line"
math.randomseed(20)
for _, p in ipairs(list) do
  print(("%s: %d networks, mean error %.2f %%, deviation %.2f"):format(p.name, #p.errors, p.mean,
    math.sqrt(p.variance)))
end
print(("\nWhat holds at 95 %%, and what is claimed falsely: %d experiments each"):format(times))
print(("%-24s %3s  %-6s %-8s %-10s %-6s %-8s %-6s %s"):format("of", "n", "mean", "without",
  "difference", "claim", "interval", "test", "worth"))
local function row(a, b, n)
  local sums = {}
  for k = 1, math.ceil(times / PAIRS) do experiment(list, a, b, n, k, sums) end
  local function share(key) return sums[key] / sums.all end
  print(("%-24s %3d  %.3f  %.3f    %.3f      %.3f  %.3f    %.3f  %.2f"):format(a == b and a.name
    or a.name .. ", " .. b.name, n, share "mean", share "plain", 1 - share "interval",
    share "both", share "interval", share "test", sums.without / sums.square))
end
for _, n in ipairs { 3, 4, 5, 7, 9 } do
  for _, p in ipairs(list) do row(p, p, n) end
  row(list[1], list[2], n)
  row(list[3], list[4], n)
  row(list[1], list[3], n)
  row(list[2], list[4], n)
end
print(("\n%.0f seconds of one core"):format(os.clock()))
