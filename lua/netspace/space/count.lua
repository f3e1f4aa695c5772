--- How many networks a space has: settings of its parameters as the paper counts them and
-- exactly, different networks after group compatibility, and how many a window leaves.
-- Source: arXiv 2003.13678 table 1; the rest is counting (src/stats/count.h) and sampling.

local core = require "netspace.core.count"
local domain = require "netspace.space.domain"
local draw = require "netspace.space.draw"
local population = require "netspace.space.population"
local sys = require "netspace.core.sys"

local M = {}

local MOST_TRIED = 4000000

-- Counting: as integers while they fit in 62 bits, else as floats.
local function times(a, b)
  return a * 1.0 * b < 2.0 ^ 62 and a * b or a * 1.0 * b
end

local function plus(a, b)
  return a * 1.0 + b < 2.0 ^ 62 and a + b or a * 1.0 + b
end

--- Non-decreasing vectors of one value from each list.
local function count_up(dists)
  local later, later_count = nil, nil
  for k = #dists, 1, -1 do
    local v, count, j, sum = dists[k].v, {}, later and #later or 0, 0
    for i = #v, 1, -1 do
      while later and j >= 1 and later[j] >= v[i] do
        sum = plus(sum, later_count[j])
        j = j - 1
      end
      count[i] = later and sum or 1
    end
    later, later_count = v, count
  end
  local total = 0
  for _, c in ipairs(later_count) do total = plus(total, c) end
  return total
end

local function count_equal(dists)
  local total = 0
  for _, x in ipairs(dists[1].v) do
    local everywhere = true
    for k = 2, #dists do
      local found = false
      for _, y in ipairs(dists[k].v) do found = found or x == y end
      everywhere = everywhere and found
    end
    if everywhere then total = total + 1 end
  end
  return total
end

--- The paper counts 64 values for each of d, w_0, w_a, w_m of a RegNet; a constraint that
-- keeps a part of the values keeps that part of 64.
local function regnet_values(S, resolved, name)
  if name == "b" or name == "g" then return #domain.table(resolved.ranges[name][1]).v end
  local kept = #domain.table(resolved.ranges[name][1]).v
  return kept == 1 and 1 or 64 * kept / #domain.table(S.params[name][1]).v
end

--- Settings of the parameters as the paper counts them, and exactly: all that are drawn from.
local function settings(S, p)
  local nominal, exact = 1, 1
  for _, f in ipairs(p.factors) do
    local n = #f.slots
    local count = f.bond == "up" and count_up(f.dist) or count_equal(f.dist)
    exact = times(exact, count)
    if S.kind == "regnet" then
      local least = math.huge
      for _, name in ipairs(f.names) do
        least = math.min(least, regnet_values(S, p.resolved, name))
      end
      nominal = nominal * least
    elseif f.bond == "up" then
      local independent = 1
      for k = 1, n do independent = independent * (#f.dist[k].v / k) end
      nominal = nominal * independent
    else
      nominal = times(nominal, count)
    end
  end
  return nominal, exact
end

-- The values of parameter `name`, a list a slot.
local function values_of(p, name)
  local lists = {}
  for i, range in ipairs(p.resolved.ranges[name]) do lists[i] = domain.table(range).v end
  return lists
end

--- Different networks of an AnyNet space; nil where there are too many to tell apart.
local function distinct(p)
  local t = { base = p.base, groups = p.groups }
  for _, name in ipairs { "w", "b", "g" } do
    t[name] = values_of(p, name)
    t[name].bond = p.resolved.bonds[name] or "free"
  end
  local n = core.distinct(t)
  for _, f in ipairs(p.factors) do
    if n and f.names[1] == "d" then
      n = times(n, f.bond == "up" and count_up(f.dist) or count_equal(f.dist))
    end
  end
  return n
end

-- How many settings of a RegNet space make each network of the list; nil where ties bind
-- other parameters than w_0 and w_a.
local function multiplicities(p, list)
  local t = { base = p.base }
  for _, f in ipairs(p.factors) do
    if #f.names > 1 then
      if table.concat(f.names, " ") ~= "w_0 w_a" then return nil end
      t.tied = true
    end
  end
  for _, row in ipairs(draw.kinds.regnet) do t[row[1]] = values_of(p, row[1])[1] end
  return core.multiplicity(list, t)
end

--- Draws settings, each with the same probability, until `wanted` make networks that are in
-- the window and obey the constraints.  Returns those and the number drawn.
local function sample_uniformly(S, p, o, wanted)
  local uniform = { spec = p.spec, base = p.base, groups = p.groups, factors = {} }
  for i, f in ipairs(p.factors) do
    local dist = {}
    for k, d in ipairs(f.dist) do
      dist[k] = { v = d.v, p = {} }
      for j = 1, #d.v do dist[k].p[j] = 1 end
    end
    uniform.factors[i] = { bond = f.bond, slots = f.slots, dist = dist }
  end
  local sampler <close> = draw.sampler(uniform, o.seed, o.window, o.timing)
  local found, index = {}, 0
  while #found < wanted and index < MOST_TRIED do
    local list
    list, index = sampler:next(index, MOST_TRIED, wanted - #found)
    for _, c in ipairs(list) do
      local obeys = true
      for _, k in ipairs(S.constraints) do
        obeys = obeys and (p.direct[k] or population.obeys(k, c.m))
      end
      if obeys then found[#found + 1] = c.m end
    end
    if sys.interrupted() then error("interrupted", 0) end
  end
  return found, index
end

--- Share of the settings and number of networks, with standard errors, from a sample.
local function estimate(S, p, o, all)
  local found, tried = sample_uniformly(S, p, o, o.draws)
  local share = #found / tried
  local result = { share = share, settings = all * share,
    -- of none found: what lies below three in `tried` with 95 %
    share_error = #found > 0 and math.sqrt(share * (1 - share) / tried) or 3 / tried }
  result.settings_error = all * result.share_error
  local counts = S.kind == "regnet" and o.checks == 0 and multiplicities(p, found)
  if counts then
    local sum, squares = 0, 0
    for _, n in ipairs(counts) do
      sum, squares = sum + 1 / n, squares + 1 / n ^ 2
    end
    local mean = sum / tried
    result.distinct = all * mean
    result.distinct_error = all * math.sqrt(math.max(squares / tried - mean ^ 2, 0) / tried)
  end
  return result
end

--- Sizes of S; o: seed, draws, set (network options), window; see help("S:size").
function M.size(S, o)
  local p = draw.of(S, o.set)
  local nominal, all = settings(S, p)
  local result, checks = { nominal = nominal }, 0
  for _, c in ipairs(S.constraints) do
    if not p.direct[c] then checks = checks + 1 end
  end
  o.checks = checks
  if S.kind == "anynet" and checks == 0 then
    result.exact, result.distinct = all, distinct(p)
  else
    local e = estimate(S, p, { seed = o.seed, draws = o.draws, checks = checks }, all)
    result.settings, result.settings_error = e.settings, e.settings_error
    result.distinct, result.distinct_error = e.distinct, e.distinct_error
  end
  if next(o.window) then
    local e = estimate(S, p, o, all)
    if result.settings then -- a share of what makes networks
      local whole = result.settings / all
      e.share, e.share_error = e.share / whole, e.share_error / whole
    end
    result.window = e
  end
  return result
end

return M
