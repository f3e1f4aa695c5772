--- Recipes that vary from model to model: recipe{ vary = { lr = { 0.25, 5 } } }.  Each number is
-- drawn for each model of a population from a distribution, by the seed of the population's
-- training and the number of the model alone.
-- Source: pycls's sweeps and NDS (arXiv 1905.13214) draw lr and wd log-uniformly; distributions and
-- their rounding: pycls sweep/random.py.

local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"

local M = {}

-- What may vary, in the order of its streams of random numbers (append only), and how it is said
-- what it is.
M.keys = { "lr", "wd", "wd_bn", "wd_bias", "momentum", "label_smoothing" }
local number_of = {}
for i, key in ipairs(M.keys) do number_of[key] = i end

local dists = { uniform = true, log_uniform = true, power2_uniform = true, normal = true,
  log_normal = true }

local function fail(...) error((...):format(select(2, ...)), 0) end

local function finite(where, x)
  if type(x) ~= "number" or x ~= x or math.abs(x) == math.huge then
    fail("%s: %s is not a number", where, tostring(x))
  end
  return x
end

-- One range as it is kept: { lo, hi, dist [, q] } or { values }.
local function range(where, t)
  if type(t) ~= "table" then fail("%s is %s; it is a range, such as {0.01, 1}", where, tostring(t)) end
  if t.values then
    local list = {}
    for i, x in ipairs(type(t.values) == "table" and t.values or {}) do list[i] = finite(where, x) end
    if #list == 0 then fail("%s: the list of values is empty", where) end
    return { values = list }
  end
  for key in pairs(t) do
    if not ({ lo = 1, hi = 1, q = 1, dist = 1, [1] = 1, [2] = 1 })[key] then
      fail("%s: a range has lo, hi, q, dist or values, not '%s'", where, tostring(key))
    end
  end
  local r = { lo = finite(where .. ": low", t.lo or t[1]), hi = finite(where .. ": high", t.hi or t[2]),
    dist = t.dist or "log_uniform", q = t.q and finite(where .. ": step", t.q) }
  if not dists[r.dist] then
    fail("%s: unknown distribution '%s'%s", where, tostring(r.dist), options.hint(r.dist, dists))
  elseif r.lo > r.hi then
    fail("%s: the range %g to %g is empty", where, r.lo, r.hi)
  elseif r.lo <= 0 and r.dist ~= "uniform" and r.dist ~= "normal" then
    fail("%s: %g to %g, %s: the low end must be above 0", where, r.lo, r.hi, r.dist)
  elseif r.q and r.q <= 0 then
    fail("%s: the step is %g; it must be above 0", where, r.q)
  end
  return r
end

--- Checks and completes the ranges of a recipe.
-- @treturn table key -> range as it is kept; raises without a position
function M.complete(where, t)
  if type(t) ~= "table" then fail("%s: vary is a table of ranges, such as { lr = {0.01, 1} }", where) end
  local out = {}
  for key, r in pairs(t) do
    if not number_of[key] then
      fail("%s: vary: %s cannot vary from model to model%s; %s can", where, tostring(key),
        options.hint(key, number_of), table.concat(M.keys, ", "))
    end
    out[key] = range(("%s: vary: %s"):format(where, key), r)
  end
  return next(out) and out or nil
end

--- The least and the most value of a range.
function M.ends(r)
  if not r.values then return r.lo, r.hi end
  return math.min(table.unpack(r.values)), math.max(table.unpack(r.values))
end

-- A multiple of q as decimal text has it (0.3, not 0.30000000000000004).
local function rounded(x, q, op)
  if not q then return x end
  return tonumber(("%.15g"):format(op(x / q) * q))
end

local function nearest(x) return math.floor(x + 0.5) end

-- Each: (u, lo, hi, q) with u() a new uniform number from 0 to below 1.
local draws = {}

function draws.uniform(u, lo, hi, q)
  return rounded(lo + u() * (hi + (q or 0) - lo), q, math.floor)
end

function draws.log_uniform(u, lo, hi, q)
  local below = q and lo - math.min(q, lo / 2) or lo
  return rounded(math.exp(math.log(hi) - u() * (math.log(hi) - math.log(below))), q, math.ceil)
end

function draws.power2_uniform(u, lo, hi, q)
  local least = math.log(lo, 2)
  return rounded(2.0 ^ math.floor(least + u() * (math.log(hi, 2) + 1 - least)), q, math.floor)
end

-- Clipped, with the middle of the range and ±3 deviations on its ends (Box and Muller 1958).
local function normal(u, lo, hi)
  local x
  repeat
    x = (lo + hi) / 2 + (hi - lo) / 6 * math.sqrt(-2 * math.log(1 - u()))
      * math.cos(2 * math.pi * u())
  until x >= lo and x <= hi
  return x
end

function draws.normal(u, lo, hi, q) return rounded(normal(u, lo, hi), q, nearest) end

function draws.log_normal(u, lo, hi, q)
  local x = math.exp(normal(u, math.log(lo), math.log(hi)))
  return rounded(math.max(lo, math.min(hi, x)), q, nearest)
end

--- What is drawn for model number `index` of a population: key -> number; nil where the recipe
-- does not vary.
function M.draw(r, seed, index)
  if not r.vary then return nil end
  local t = {}
  for key, of in pairs(r.vary) do
    local attempt = 0
    local function u()
      attempt = attempt + 1
      local stream = attempt << 40 | number_of[key] << 32 | index
      return (sys.random(seed, stream, sys.purpose.recipe) >> 10) * 2.0 ^ -53
    end
    t[key] = of.values and of.values[1 + math.floor(u() * #of.values)]
      or draws[of.dist](u, of.lo, of.hi, of.q)
  end
  return t
end

--- The recipe of one model.
-- @tparam table|nil own  what was drawn for it
function M.merged(r, own)
  if not r.vary then return r end
  local t = {}
  for k, v in pairs(r) do
    if k ~= "vary" then t[k] = v end
  end
  for k, v in pairs(own or {}) do t[k] = v end
  return t
end

return M
