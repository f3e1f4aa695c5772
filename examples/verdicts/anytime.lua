-- Whether intervals that hold at every moment do so with predictions, and what these are worth.
--
--   netspace examples/verdicts/anytime.lua [TIMES] [OTHERS]
--
-- TIMES (200) experiments with up to 100 models of each of two spaces of known truth (known.lua,
-- halves); the predictor learns from models before each, and from OTHERS (0) of each other space.
-- Missed: the share of experiments in which the interval misses the difference at any n from 10 on.

local core = require "netspace.core.sequential"
local predictable = require "netspace.stats.predictable"

local times, others = math.tointeger(tonumber(arg[1] or 200)), math.tointeger(tonumber(arg[2] or 0))
local here = arg[0]:match("^(.*/)[^/]*$") or "./"
local known = dofile(here .. "known.lua")
local MOST, FIRST, TIGHTEST = 100, 10, 50

local function some(p, n)
  local rows, errors = known.take(p, known.places(#p.errors, n), 0, n)
  return { n = n, rows = rows, errors = errors, starts = p.starts, draws = { rows = p.all,
    N = #p.errors } }
end

-- Whether the interval of some values misses the truth at any n, and its width at the last.
local function path(a, b, truth)
  local _, lo, hi = core.means(a, b, MOST, TIGHTEST, 0.05)
  local missed = false
  for n = FIRST, MOST do missed = missed or lo[n] > truth or hi[n] < truth end
  return missed and 1 or 0, hi[MOST] - lo[MOST]
end

math.randomseed(22)
io.stdout:setvbuf "line"
local list = known.halves(known.populations(nil, here .. "truth.jsonl.gz"))
print(("%d experiments, %d networks of each other space; intervals at 95 %%"):format(times, others))
print(("%-22s %-8s %-8s %s"):format("pair", "missed", "without", "worth at the last"))
for i = 2, #list do
  local a, b = list[i - 1], list[i]
  local missed, without, width, plain = 0, 0, 0, 0
  for k = 1, times do
    local two, help = { some(a, MOST), some(b, MOST) }, {}
    for _, p in ipairs(others > 0 and list or {}) do
      if p ~= a and p ~= b then help[#help + 1] = some(p, others) end
    end
    local x, y = predictable.values(two, help, MOST, k)
    local m, w = path(x, y, b.mean - a.mean)
    local n, v = path(two[1].errors, two[2].errors, b.mean - a.mean)
    missed, without, width, plain = missed + m, without + n, width + w ^ 2, plain + v ^ 2
  end
  print(("%-22s %.3f    %.3f    %.2f"):format(a.name .. "→" .. b.name, missed / times,
    without / times, plain / width))
end
print(("\n%.0f seconds of one core"):format(os.clock()))
