-- How well arch.time tells the time of networks: told beside measured, over networks of AnyNetX_A
-- at 32 and at 224 pixels, in training and in testing.  Median and 90th percentile of
-- |told / measured - 1|, and the rank correlation.
--
--   netspace scripts/bench/times.lua [MODELS [ROUNDS [32|224]]] > times.txt
--
-- Each network is measured once a round, all others in between, and its best slice counts, so that
-- a neighbour on the machine disturbs no network more than others.  Rates count processor seconds.
local benchmark = require "netspace.core.benchmark"

local MODELS, ROUNDS = tonumber(arg[1]) or 100, tonumber(arg[2]) or 3
local SECONDS = 0.15 -- of a slice, and at least one step after one that warms up
local sets = {
  { name = "32 px", batch = 64, models = function()
    return space.small.AnyNetXA:sample(MODELS, { flops = { 1e6, 1e8 }, seed = 11 })
  end },
  { name = "224 px", batch = 16, models = function()
    return space.AnyNetXA:sample(MODELS, { flops = { 5e7, 1e9 }, image = 224, seed = 12 })
  end },
}

local function ranks(list)
  local order, rank = {}, {}
  for i = 1, #list do order[i] = i end
  table.sort(order, function(a, b) return list[a] < list[b] end)
  for place, i in ipairs(order) do rank[i] = place end
  return rank
end

local function spearman(a, b)
  local x, y, sum, n = ranks(a), ranks(b), 0, #a
  for i = 1, n do sum = sum + (x[i] - y[i]) ^ 2 end
  return 1 - 6 * sum / (n * (n * n - 1))
end

-- Seconds of an image, the least of the rounds, of each model; by training.
local function measured(models, batch)
  local best = { [true] = {}, [false] = {} }
  for round = 1, ROUNDS do
    for i, m in ipairs(models) do
      local b <close> = benchmark.new(m, batch)
      for _, training in ipairs { true, false } do
        local seconds = 1 / b:run(training, SECONDS).images_per_s
        best[training][i] = math.min(best[training][i] or math.huge, seconds)
      end
    end
    io.stderr:write(("round %d of %d\n"):format(round, ROUNDS))
  end
  return best
end

local function row(name, training, told, real)
  local off = {}
  for i, s in ipairs(told) do off[i] = math.abs(s / real[i] - 1) end
  table.sort(off)
  print(("%-8s %-9s n = %d  %8.2g to %8.2g s an image  median error %4.1f %%  90th %5.1f %%  "
    .. "rank correlation %.4f"):format(name, training and "training" or "testing", #off,
    math.min(table.unpack(real)), math.max(table.unpack(real)), 100 * off[(#off + 1) // 2],
    100 * off[math.ceil(0.9 * #off)], spearman(told, real)))
  io.stdout:flush()
end

print(arch.times())
for _, set in ipairs(sets) do
  if not arg[3] or set.name:find("^" .. arg[3]) then
    local models = set.models()
    local best = measured(models, set.batch)
    for _, training in ipairs { true, false } do
      local told = {}
      for i, m in ipairs(models) do
        told[i] = arch.time(m, { batch = set.batch, training = training })
      end
      row(set.name, training, told, best[training])
    end
  end
end
