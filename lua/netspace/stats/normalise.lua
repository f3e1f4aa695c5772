--- Populations at equal complexity: EDFs whose models are weighted so that each bin of
-- flops (params, acts, …) counts alike.  Mechanism: src/stats/strata.h.

local core = require "netspace.core.stats"
local edfs = require "netspace.core.edf"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local prediction = require "netspace.stats.prediction"
local property = require "netspace.stats.property"
local units = require "netspace.lib.units"

local M = {}
local BINS = { 10, 5, 3, 2 } -- where none are asked for: as many of these as the models fill

local function check_range(where, range, level)
  local lo, hi = range[1], range[2]
  if type(lo) ~= "number" or type(hi) ~= "number" or not (lo < hi) then
    error(("%s: range should be {low, high} with low < high, such as {3e6, 6e6}"):format(where),
      level + 2)
  end
  return lo, hi
end

local function label(x, i) return x.name or ("population %d"):format(i) end

-- The complexities of every result, and the range all of them cover.
local function complexities(where, list, o, level)
  local x, name = {}, nil
  local lo, hi = -math.huge, math.huge
  for i, r in ipairs(list) do
    if type(r) ~= "table" or type(r.models) ~= "table" then
      error(("%s: %s has no models, so its %s is unknown; give results"):format(where,
        type(r) == "table" and label(r, i) or ("population %d"):format(i),
        type(o.by) == "string" and o.by or "property"), level + 2)
    end
    x[i], name = property.values(where, r, o.by, true, level + 1)
    local least, most = math.huge, -math.huge
    for _, value in ipairs(x[i]) do
      least, most = math.min(least, value), math.max(most, value)
    end
    lo, hi = math.max(lo, least), math.min(hi, most)
  end
  if o.range then
    lo, hi = check_range(where, o.range, level + 1)
  elseif lo >= hi then
    error(("%s: the populations have no range of %s in common (%s to %s)"):format(where, name,
      units.short(lo), units.short(hi)), level + 2)
  end
  return x, name, lo, hi
end

-- The weights of every result in so many bins, and the bins of its models; or nil and why.
local function strata(list, x, lo, hi, bins)
  local weights, bin = {}, {}
  for i, r in ipairs(list) do
    weights[i], bin[i] = core.strata(x[i], lo, hi, bins)
    if not weights[i] then return nil, ("%s of %s"):format(bin[i], label(r, i)) end
  end
  return weights, bin
end

local function weigh(where, list, o, level)
  local x, name, lo, hi = complexities(where, list, o, level + 1)
  if o.bins and (o.bins < 1 or o.bins > 1000) then
    error(("%s: bins is %d; it must be from 1 to 1000"):format(where, o.bins), level + 2)
  end
  local t = { edfs = {}, by = name, lo = lo, hi = hi }
  local weights
  for _, bins in ipairs(o.bins and { o.bins } or BINS) do
    t.bins = math.tointeger(bins)
    weights, t.bin = strata(list, x, lo, hi, t.bins)
    if weights then break end
  end
  if not weights then
    error(("%s: normalising by %s: %s; use %s"):format(where, name, t.bin, o.bins
      and ("fewer bins (now %d) or a narrower range"):format(o.bins)
      or "a narrower range, or train more"), level + 2)
  end
  for i, r in ipairs(list) do
    local edf, message = edfs.new(r.errors, r.name or r.space, nil, weights[i])
    if not edf then error(("%s: %s: %s"):format(where, label(r, i), message), level + 2) end
    t.edfs[i] = edf
  end
  return t
end

--- The range and bins of results: o.range and o.bins, or those by which all can be compared.
function M.common(where, list, o, level)
  local t = weigh(where, list, o, level + 1)
  return { t.lo, t.hi }, t.bins
end

--- What stats.compare needs of two results under o.by, o.bins, o.range.
function M.pair(where, a, b, o, level)
  return (weigh(where, { a, b }, o, level + 1))
end

local function edfs_text(t)
  local lines = { ("EDFs at equal %s: %d bins from %s to %s"):format(t.by, t.bins,
    units.short(t.range[1]), units.short(t.range[2])) }
  for i, edf in ipairs(t) do
    lines[i + 1] = ("%s; %s outside"):format(tostring(edf), units.count(t.outside[i], "model"))
    if t.unpredicted and t.unpredicted[i] then
      lines[i + 1] = ("%s; without prediction: %s"):format(lines[i + 1], t.unpredicted[i])
    end
  end
  return table.concat(lines, "\n")
end

for _, name in ipairs { "stats.compare", "stats.alternatives", "stats.normalise", "design.step" } do
  options.words[name .. ": by"] = { "flops", "params", "acts", "time" }
end
options.declare("stats.normalise", { by = "string|function", bins = "integer", range = "table",
  metric = "string", predict = "boolean|table" })
options.declare("stats.normalise: predict", { with = "table", features = "table" })

function M.normalise(list, o)
  local where = "stats.normalise"
  o = options.check(where, o)
  list = input.all_by(where, input.results(where, list), o.metric)
  local t = weigh(where, list, { by = o.by or "flops", bins = o.bins, range = o.range }, 1)
  local about = { by = t.by, bins = t.bins, range = { t.lo, t.hi }, outside = {} }
  for i, edf in ipairs(t.edfs) do about.outside[i] = #list[i].errors - edf.n end
  local wish = predict.asked(where, o.predict)
  if wish then
    local found
    found, about.unpredicted = prediction._all(where, list, t.edfs, predict.at_equal(wish, { by =
      o.by or "flops", lo = t.lo, hi = t.hi, bins = t.bins }), o.metric)
    for i, p in ipairs(found) do t.edfs[i] = p or t.edfs[i] end
  end
  -- a plain list to plot.edf, which takes further keys for options
  return setmetatable(t.edfs, { __name = "normalised EDFs", __index = about,
    __tostring = edfs_text })
end

document("stats.normalise", [[
stats.normalise({ A, B, … }, { by = "flops", bins =, range = {lo, hi} }) -> list of edfs
EDFs at equal complexity: equal bins of the common range, each with the same weight.
  A, B, …  results
  by       "flops", "params", "acts", "time", another property or a function of a model
  bins     default: 10, or 5, 3, 2 where the models fill no more; .bins says how many
  range    default: from the largest minimum to the least maximum; models outside are left
           out, .outside says how many
  metric   another one than the error, as in stats.edf
  predict  true, or { with =, features = }: the EDFs of the spaces at equal complexity, by
           prediction (stats.predict); .unpredicted says of which there is none, and why
Each bin must hold a model of each population.  The edfs go into plot.edf, stats.search and
stats.ks; stats.compare(a, b, { by = "flops" }) compares two populations with p-values.
example: stats.normalise({ errors = {4, 5}, models = {{d = 1}, {d = 2}} }, { by = "d", bins = 2 })
source: Radosavovic et al. 2019 (arXiv 1905.13214)]])

return M
