--- The domain of a parameter: the quantised ranges of a design space's parameters, as tables of
-- values and probabilities.
-- The six distributions and their rounding are those of pycls sweeps (closed intervals);
-- the probabilities are exact, integrated over each step, so nothing is drawn here.
--
-- A range as a user writes it, and `domain.range` reads it:
--   { 8, 1024, 8 }   low, high, step, in the parameter's usual distribution
--   { lo = 8, hi = 1024, q = 8, dist = "uniform" }
--   { values = { 1, 2, 4 } }, 4
--   { groups = { 1, 2, 4 } }   of g alone: how many groups, instead of how wide
-- As it is kept (plain data): { lo, hi, q, dist } or { values }, and `min`, `max` where a
-- constraint has cut it: what is left keeps its relative probabilities.

local options = require "netspace.lib.options"

local M = {}

--- The decimal nearest to x (0.1 · 3 is 0.3), so that values compare equal to literals.
local function decimal(x)
  local v = tonumber(("%.10g"):format(x))
  return math.tointeger(v) or v
end

local function log2(x)
  return math.log(x, 2)
end

--- erf by its Taylor series, for |x| <= 3/√2, which is all a clipped normal needs.
local function erf(x)
  local term, sum, n = x, x, 0
  repeat
    n = n + 1
    term = -term * x * x / n
    sum = sum + term / (2 * n + 1)
  until math.abs(term) < 1e-17
  return 2 / math.sqrt(math.pi) * sum
end

-- Each: (lo, hi, q) -> list of values, list of weights.
local dists = {}

local function steps(lo, hi, q)
  local v = {}
  for k = 0, math.floor((hi - lo) / q + 1e-6) do v[k + 1] = decimal(lo + k * q) end
  return v
end

function dists.uniform(lo, hi, q)
  local v, p = steps(lo, hi, q), {}
  for i = 1, #v do p[i] = 1 end
  return v, p
end

--- exp of a uniform number, rounded up: the first step reaches down to half of `lo` at most.
function dists.log_uniform(lo, hi, q)
  local v, p = steps(lo, hi, q), {}
  local below = lo - math.min(q, lo / 2)
  for i = 1, #v do
    p[i] = math.log(v[i] / below)
    below = v[i]
  end
  return v, p
end

function dists.power2_uniform(lo, hi)
  local v, p = {}, {}
  for e = math.floor(log2(lo) + 0.5), math.floor(log2(hi) + 0.5) do
    v[#v + 1], p[#p + 1] = decimal(2.0 ^ e), 1
  end
  return v, p
end

--- Powers of two below q, multiples of q from there on; their sum of weights is log-linear.
function dists.power2_or_log_uniform(lo, hi, q)
  local powers, share = dists.power2_uniform(lo, hi), nil
  local v, p = {}, {}
  for _, x in ipairs(powers) do
    if x < q then v[#v + 1], p[#p + 1] = x, 1 end
  end
  share = #powers - #v
  local more, weights = dists.log_uniform(math.max(lo, q), hi, math.min(hi, q))
  local sum = 0
  for _, x in ipairs(weights) do sum = sum + x end
  for i, x in ipairs(more) do v[#v + 1], p[#p + 1] = x, share * weights[i] / sum end
  return v, p
end

-- Clipped normal with its middle and ±3 deviations on the range, rounded to nearest; `f`
-- maps to the scale on which it is normal.
local function normal(lo, hi, q, f)
  local v, p = steps(lo, hi, q), {}
  local mu, sigma = (f(lo) + f(hi)) / 2, (f(hi) - f(lo)) / 6
  local function at(x)
    if sigma == 0 then return x >= hi and 1 or 0 end
    return erf((f(x) - mu) / sigma / math.sqrt(2))
  end
  for i, x in ipairs(v) do
    p[i] = at(math.min(hi, x + q / 2)) - (i == 1 and at(lo) or at(x - q / 2))
  end
  if sigma == 0 then p[1] = 1 end
  return v, p
end

function dists.normal(lo, hi, q)
  return normal(lo, hi, q, function(x) return x end)
end

function dists.log_normal(lo, hi, q)
  return normal(lo, hi, q, math.log)
end

local function is_step(x, q)
  return math.abs(x / q - math.floor(x / q + 0.5)) < 1e-6
end

local function is_power2(x)
  return x > 0 and is_step(log2(x), 1)
end

local function check_range(where, r)
  local function bad(why) error(("%s: %s"):format(where, why), 0) end
  local shown = ("%g to %g step %g, %s"):format(r.lo, r.hi, r.q, r.dist)
  if r.q <= 0 then bad(("the step is %g; it must be above 0"):format(r.q)) end
  if r.lo > r.hi then bad(("the range %g to %g is empty"):format(r.lo, r.hi)) end
  if r.lo <= 0 and r.dist ~= "uniform" and r.dist ~= "normal" then
    bad(("%s: the low end must be above 0"):format(shown))
  end
  if r.dist:find("^power2") then
    if not (is_power2(r.lo) and is_power2(r.hi) and is_power2(r.q)) then
      bad(shown .. ": low, high and step must be powers of 2")
    end
  elseif not (is_step(r.lo, r.q) and is_step(r.hi, r.q)) then
    bad(shown .. ": low and high must be multiples of the step")
  end
  if (r.hi - r.lo) / r.q > 1e6 then bad(shown .. ": more than a million values") end
end

local function number(where, x)
  if type(x) ~= "number" or x ~= x or math.abs(x) == math.huge then
    error(("%s: %s is not a number"):format(where, tostring(x)), 0)
  end
  return x
end

--- Reads one range.  `usual` has the parameter's q and dist, and `list = true` where an
-- unnamed list means values and not low, high, step.  Raises without a position.
function M.range(where, t, usual)
  if type(t) == "number" then return { values = { number(where, t) } } end
  if type(t) ~= "table" then
    error(("%s should be a range such as {1, 16}, got %s"):format(where, type(t)), 0)
  end
  local groups = usual.groups and t.groups or nil
  local values = groups or t.values or usual.list and t[1] ~= nil and t
  if values then
    local v, seen = {}, {}
    for i, x in ipairs(values) do
      x = number(where, x)
      x = math.tointeger(x) or x
      if seen[x] then error(("%s: the value %s is there twice"):format(where, x), 0) end
      v[i], seen[x] = x, true
    end
    if #v == 0 then error(where .. ": the list of values is empty", 0) end
    table.sort(v)
    return { values = v, groups = groups and true }
  end
  for key in pairs(t) do
    if not ({ lo = 1, hi = 1, q = 1, dist = 1, [1] = 1, [2] = 1, [3] = 1 })[key] then
      error(("%s: a range has lo, hi, q, dist or values, not '%s'"):format(where, key), 0)
    end
  end
  local lo, hi = t.lo or t[1], t.hi or t[2]
  local r = { lo = number(where .. " low", lo), hi = number(where .. " high", hi),
    q = number(where .. " step", t.q or t[3] or usual.q), dist = t.dist or usual.dist }
  if not dists[r.dist] then
    error(("%s: unknown distribution '%s'%s"):format(where, tostring(r.dist),
      options.hint(r.dist, dists)), 0)
  end
  check_range(where, r)
  return r
end

--- The range with only what lies from min to max (either may be nil) kept.
function M.cut(r, min, max)
  local c = {}
  for k, v in pairs(r) do c[k] = v end
  if min and min > -math.huge then c.min = math.max(c.min or min, min) end
  if max and max < math.huge then c.max = math.min(c.max or max, max) end
  return c
end

local function inside(r, x)
  return x >= (r.min or x) - 1e-9 and x <= (r.max or x) + 1e-9
end

local tables = setmetatable({}, { __mode = "k" }) -- of ranges, which never change

--- Values in increasing order and their probabilities, which sum to 1.
function M.table(r)
  if tables[r] then return tables[r] end
  local v, p
  if r.values then
    v, p = r.values, {}
    for i = 1, #v do p[i] = 1 end
  else
    v, p = dists[r.dist](r.lo, r.hi, r.q)
  end
  local kept = { v = {}, p = {} }
  local sum = 0
  for i, x in ipairs(v) do
    if inside(r, x) then
      kept.v[#kept.v + 1], kept.p[#kept.p + 1] = x, p[i]
      sum = sum + p[i]
    end
  end
  for i = 1, #kept.p do kept.p[i] = kept.p[i] / sum end
  tables[r] = kept
  return kept
end

--- Is x in the range?  `between` accepts values between the steps too.
function M.has(r, x, between)
  if type(x) ~= "number" or not inside(r, x) then return false end
  if r.values or r.dist:find("^power2") then
    for _, v in ipairs(M.table(r).v) do
      if math.abs(v - x) < 1e-9 then return true end
    end
    return false
  end
  return x >= r.lo - 1e-9 and x <= r.hi + 1e-9 and (between or is_step(x - r.lo, r.q))
end

--- "8 to 1024 step 8, log_uniform" or "1, 2, 4".
function M.show(r)
  if r.values then
    local kept = {}
    for _, x in ipairs(r.values) do
      if inside(r, x) then kept[#kept + 1] = ("%.10g"):format(x) end
    end
    return table.concat(kept, ", ") .. (r.groups and " groups" or "")
  end
  local lo, hi = math.max(r.lo, r.min or r.lo), math.min(r.hi, r.max or r.hi)
  local cut = (lo > r.lo or hi < r.hi) and (" (of %.10g to %.10g)"):format(r.lo, r.hi) or ""
  if lo == hi then return ("%.10g%s"):format(lo, cut) end
  return ("%.10g to %.10g step %.10g, %s%s"):format(lo, hi, r.q, r.dist, cut)
end

return M
