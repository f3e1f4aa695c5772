--- What predictions need of a population: its networks and those drawn from its space, as features,
-- and why there may be none.  Used by predict.lua.

local arch = require "netspace.core.arch"
local begun = require "netspace.stats.begun"
local core = require "netspace.core.adjust"
local counting = require "netspace.core.stats"
local distribution = require "netspace.space.distribution"
local features = require "netspace.stats.features"
local json = require "netspace.lib.json"
local others = require "netspace.stats.others"
local own_recipe = require "netspace.stats.own_recipe"
local property = require "netspace.stats.property"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

-- LEAST: trained networks of a population that predictions are made from.
local M = { LEAST = 10 }

local SURE, MANY_ENOUGH = 20, 1000 -- those that they are made for unasked, at least and at most
local FEW = 3 -- where others tell enough
-- Drawn networks for each trained one, at least; and different ones.
local MANY = 10
local KEPT = 32 -- spaces whose features are kept
-- Standard errors by which the mean of a feature of the trained networks may miss that of the
-- drawn ones: chance makes it 6 once in 500 million.
local FAR = 6

-- Where a population was drawn from: with a result of a store, or as an import has it, or
-- with models that S:sample gave.
function M.origin(r)
  for _, origin in ipairs { rawget(r, "_origin") or r, r.models } do
    if type(origin.spec) == "table" then return origin end
  end
end

local kept, order = {}, {} -- features of draws, by the text of their distribution
local costs = {} -- complexities of draws by the same, those of the space asked for last
local LEFT = 3 -- degrees of freedom that bins must leave

-- The features of everyone of the draws, without making tables of them.
local function quickly(origin)
  local rows, n, different = distribution.logs(origin)
  if not rows or n == 0 then return nil end
  local stages = origin.spec.stages
  local read = {}
  read.sum, read.square = core.moments(rows, 4 * stages)
  return { rows = rows, N = n, different = different, read = read,
    starts = { 0, stages, 2 * stages, 3 * stages, 4 * stages } }
end

--- The features of the draws: { rows (packed), N, different, starts }, or nil and why not.
local function draws_of(origin, groups, wish)
  local key = not wish.features and distribution.key(origin)
  if key and kept[key] then return kept[key] end
  local d
  if key then d = quickly(origin) end
  if not d then
    local reader, rows = features.reader(groups), {}
    local n, different = distribution.each(origin, function(m)
      rows[#rows + 1] = reader.read(m)
    end)
    if not n then return nil, different end
    d = { rows = table.concat(rows), N = n, different = different, starts = reader.starts,
      read = reader }
  end
  if key then
    order[#order + 1] = key
    if #order > KEPT then kept[table.remove(order, 1)] = nil end
    kept[key] = d
  end
  return d
end

-- The networks of a result by their hash: the place of each, and the hash of each.
local function hashes(r)
  local set, list = {}, {}
  for i, m in ipairs(r.models) do
    local good, hash = pcall(arch.hash, m)
    list[i] = good and hash or ""
    if good then set[hash] = i end
  end
  return set, list
end

--- How many networks two populations have in common, and how many of these with another error.
function M.common(a, b)
  local n, anew = 0, 0
  for hash, i in pairs(a.hashes) do
    local j = b.hashes[hash]
    n = n + (j and 1 or 0)
    anew = anew + (j and a.errors[i] ~= b.errors[j] and 1 or 0)
  end
  return n, anew
end

-- Whether so few of the networks are in both that they are different populations.
function M.few(n, a, b) return n <= math.min(a.n, b.n) / 10 end

-- Whether networks that were read may have been drawn as those of d were.
local function alike(d, trained)
  for c, sum in ipairs(d.read.sum) do
    local mean = sum / d.N
    local v = math.max(d.read.square[c] / d.N - mean ^ 2, 0) / trained.n
    local off = math.abs(trained.sum[c] / trained.n - mean)
    if off > FAR * math.sqrt(v) + 1e-6 * (1 + math.abs(mean)) then return false end
  end
  return true
end

-- The draws of the space of a population of n networks, or nil and why they will not do.
local function enough_draws(origin, groups, wish, n, name)
  local good, d, why = pcall(draws_of, origin, groups, wish)
  if not good then
    if d == "interrupted" or wish.features then error(d, 0) end
    d, why = nil, tostring(d)
  end
  if not d then return nil, why end
  if d.N < MANY * n then
    return nil, ("only %s networks of the space of %s were found in a bounded number of "
      .. "candidates"):format(units.thousands(d.N), name)
  elseif d.different < MANY * n then
    return nil, ("the space of %s has so few networks (about %s) that %d are no small part of it")
      :format(name, units.thousands(d.different), n)
  end
  return d
end

-- The bins of the trained and the drawn networks of r at equal complexity (strata: by, lo, hi,
-- bins): bin, drawn_bin, inside (drawn networks that are in one); or nil and why not.
local function binned(where, r, origin, d, strata)
  local name, by = r.name or "a population", strata.by
  local word = type(by) == "string" and by or "complexity"
  local _, bin = counting.strata(property.values(where, r, by, true), strata.lo, strata.hi,
    strata.bins)
  local m = 0
  for _, k in ipairs(bin or {}) do m = m + (k > 0 and 1 or 0) end
  if m - strata.bins - 1 < LEFT then
    return nil, ("%d networks of %s in %d bins are too few to predict at equal %s"):format(m, name,
      strata.bins, word)
  end
  local key = type(by) == "string" and by .. distribution.key(origin)
  local values = key and costs.key == key and costs.values
  if not values then
    local good, found = pcall(function()
      return property.values(where, { models = distribution.list(origin) }, by, true)
    end)
    if not good then
      if found == "interrupted" then error(found, 0) end
      return nil, ("%s is not known of untrained networks"):format(word)
    end
    values = found
    if key then costs.key, costs.values = key, values end
  end
  if #values ~= d.N then return nil, "the draws of its space have changed" end
  local _, drawn = counting.strata(values, strata.lo, strata.hi, strata.bins)
  local inside, counts = 0, {}
  for _, k in ipairs(type(drawn) == "table" and drawn or {}) do
    if k > 0 then inside, counts[k] = inside + 1, (counts[k] or 0) + 1 end
  end
  for k = 1, strata.bins do
    if (counts[k] or 0) < MANY then
      return nil, ("the space of %s has hardly any networks in one of %d bins of %s"):format(name,
        strata.bins, word)
    end
  end
  return { bin = bin, drawn_bin = drawn, inside = inside }
end

-- How many of so few networks a prediction needs.
local function least_of(wish, informed)
  return wish.growing and 1 or informed and FEW or wish.unasked and SURE or M.LEAST
end

--- A population as far as its prediction needs it, or nil and why there can be none.
-- @tparam table wish  growing: networks come one by one, and are predicted up to number .most
-- @tparam[opt] boolean informed  whether others tell enough
-- @tparam[opt] boolean helps  whether it is there for the fit alone, and nobody asks of its space
function M.of(where, r, wish, groups, informed, helps)
  if type(r) ~= "table" or type(r.errors) ~= "table" or not r.models then
    return nil, "its networks are not known"
  end
  local name, origin = r.name or r.space or "a population", M.origin(r)
  if not origin then
    return nil, ("the space of %s is not known: nothing says what its networks were drawn from, as "
      .. "a store and its exports do"):format(name)
  end
  local n, least = #r.errors, least_of(wish, informed)
  if n < least then
    return nil, ("%d networks of %s are fewer than %d"):format(n, name, least)
  elseif wish.unasked and n > MANY_ENOUGH then
    return nil, ("%d networks of %s are enough without"):format(n, name)
  end
  local d, without
  if not helps then
    d, without = enough_draws(origin, groups, wish, wish.growing and M.LEAST or n, name)
    if not d then return nil, without end
  end
  local vary = own_recipe.keys(r)
  if vary and d then d = own_recipe.draws(r, vary, d) end
  local reader, rows = features.reader(groups), {}
  for i, m in ipairs(r.models) do
    local ok, row = pcall(reader.read, m)
    if not ok then return nil, ("%s: %s"):format(name, row) end
    rows[i] = row
  end
  local read = reader -- with the recipes
  if vary then
    rows, read = own_recipe.trained(r, vary, rows, reader)
    if not rows then return nil, ("%s: %s"):format(name, read) end
  end
  if d and not alike(d, read) then
    return nil, ("the networks of %s are not what its space gives at random"):format(name)
  end
  local set, list = hashes(r)
  local early, bins
  if wish.strata then
    bins, without = binned(where, r, origin, d, wish.strata)
    if not bins then return nil, without end
  end
  if not vary then early, without = begun.of(r, reader) end
  d = d or { N = 2, rows = table.concat(rows, "", 1, 2) }
  return { n = n, draws = d, starts = read.starts, rows = table.concat(rows), errors = r.errors,
    hashes = set, hash = list, strata = bins, conditions = others.conditions(r), name = name,
    early = early, without = without, most = d.different and math.min(d.N, d.different) // MANY,
    kind = json.encode { read.starts, origin.spec.options or {} } } -- of its networks
end

return M
