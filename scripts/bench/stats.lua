--- How long the statistics take: milliseconds of processor time, the least and the median of
-- seven runs:  make bench-stats

local core = require "netspace.core.stats"
local sys = require "netspace.core.sys"

-- n errors in percent from a seed, by a power of a uniform number: 1 flat, larger: better.
local function errors(n, seed, power)
  local list = {}
  for i = 1, n do
    local u = (sys.random(seed, i, 6) >> 11) / 2.0 ^ 53
    list[i] = math.floor(1e5 * u ^ power) / 1e3
  end
  return list
end

local function time(what, f)
  local runs = {}
  for i = 1, 7 do
    collectgarbage()
    local began = os.clock()
    f()
    runs[i] = 1e3 * (os.clock() - began)
  end
  table.sort(runs)
  print(("%-58s %8.2f %8.2f"):format(what, runs[1], runs[4]))
end

local small, other, large, larger = errors(500, 1, 1), errors(500, 2, 1.1),
  errors(100000, 3, 1), errors(100000, 4, 1.01)
local a, b, c, d = stats.edf(small), stats.edf(other), stats.edf(large), stats.edf(larger)
local seeds = errors(1500, 5, 1)

print(("%-58s %8s %8s"):format("ms of one core", "least", "median"))
time("bootstrap of the best, n = 500, 10^4 draws", function()
  core.best(small, other, 0.25, 10000, 1, 0.95, false)
end)
time("the same, exact", function() core.best(small, other, 0.25, 0, 1, 0.95, false) end)
time("comparison, n = 500 and 500, 10^4 draws", function() core.compare(a, b, 10000, 1, 0.95) end)
time("KS, n = 500 and 500, exact p", function() stats.ks(a, b) end)
time("EDF, n = 10^5, from a Lua list", function() stats.edf(large) end)
time("KS, n = 10^5 and 10^5", function() stats.ks(c, d) end)
time("DKW band, n = 10^5, every step, to Lua lists", function() c:band(0.95).steps() end)
time("bootstrap band, n = 10^5, every step, to Lua lists", function()
  c:band(0.95, "bootstrap").steps()
end)
time("EDFs, KS and both bands, n = 10^5 and 10^5", function()
  local x, y = stats.edf(large), stats.edf(larger)
  stats.ks(x, y)
  x:band(0.95).steps()
  x:band(0.95, "bootstrap").steps()
end)
local half, rest = errors(1000, 6, 1), errors(1000, 7, 1.01)
time("limits of 5 looks", function() stats.boundaries { looks = 5 } end)
time("limits of 50 looks", function() stats.boundaries { looks = 50 } end)
time("a test of 5 looks, n = 1000 and 1000", function() stats.sequential(half, rest) end)
time("interval for every moment, n = 1000 and 1000", function() stats.anytime(half, rest) end)
time("the same, exact", function() stats.anytime(half, rest, { exact = true }) end)
time("random search, n = 10^5, all powers of two", function() stats.search(c) end)
time("Kendall's tau, n = 500, interval of 1000 draws", function()
  core.rank(small, other, 1000, 1, 0.95)
end)
time("seed noise, 500 models, 3 seeds", function() core.noise(seeds, 3, 0.95) end)
