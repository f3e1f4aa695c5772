--- How soon does random search find a good model?  Mechanism: src/stats/search.h.

local core = require "netspace.core.stats"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"

local M = {}

local curve = input.tabular("curve", function(t)
  local rows = { { "best of", input.heading("mean " .. input.metric(t.metric), t.metric) } }
  local function percent(x) return input.figure(x, t.metric) end
  if t.repeats then
    table.move({ "− 2 std", "+ 2 std", "repeats" }, 1, 3, 3, rows[1])
  else
    table.move({ ("%g %% from"):format(100 * t.level), "to" }, 1, 2, 3, rows[1])
  end
  for i, m in ipairs(t.m) do
    rows[i + 1] = { ("%d"):format(m), percent(t.mean[i]), percent(t.lo[i]),
      percent(t.hi[i]), t.repeats and ("%d"):format(t.repeats[i]) }
  end
  return rows
end)

--- Powers of two below n, and n (whole: not when n is none).
local function default_list(n, whole)
  local list, m = {}, 1
  while m < n do list[#list + 1], m = m, 2 * m end
  if not whole or m == n then list[#list + 1] = n end
  return list
end

options.declare("stats.search", { m = "table", level = "number", replacement = "boolean",
  simulate = "boolean", seed = "integer", metric = "string" })

function M.search(errors, o)
  local where = "stats.search"
  o = options.check(where, o)
  errors = input.by(where, "the argument", errors, o.metric)
  local level, edf = input.level(where, o.level), input.edf(where, "the argument", errors)
  local replacement = o.replacement ~= false
  if not replacement and (edf.weighted or o.simulate) then
    error(("%s: without replacement there is only the exact curve of an EDF without weights")
      :format(where), 2)
  end
  local t = { metric = o.metric, name = edf.name, n = edf.n, level = level, m = {},
    mean = {}, lo = {}, hi = {},
    repeats = o.simulate and {} or nil }
  local bounded = not replacement or o.simulate
  for i, m in ipairs(o.m or default_list(edf.n, o.simulate)) do
    local whole = math.type(m) and math.tointeger(m)
    if not whole or whole < 1 or bounded and whole > edf.n then
      error(("%s: m[%d] is %s; it must be a whole number from 1%s"):format(where, i,
        tostring(m), bounded and (" to %d, all models"):format(edf.n) or ""), 2)
    end
    t.m[i] = whole
    if o.simulate then
      local deviation
      t.mean[i], deviation, t.repeats[i] = core.search_trial(edf, whole, o.seed or sys.seed())
      t.lo[i], t.hi[i] = t.mean[i] - 2 * deviation, t.mean[i] + 2 * deviation
    else
      t.mean[i], t.lo[i], t.hi[i] = core.search(edf, whole, replacement, level)
    end
  end
  return setmetatable(t, curve)
end

document("stats.search", [[
stats.search(errors, { m = {1, 2, 4, …}, level = 0.95, replacement = true }) -> curve
Random search efficiency: the expected error of the best of m random models, exactly.
  m            list of how many models are drawn (default: powers of two up to n, and n)
  level        of the interval lo to hi that holds the best of m
  replacement  false: draw each model once
  metric       another one than the error, as in stats.edf
  simulate     true: n/m repeats of m draws (seed = 1), as in the second source; lo and hi are
               the mean ∓ 2 standard deviations, .repeats the number of repeats
Lists .m, .mean, .lo, .hi, and .n, .name.  Of edfs from stats.normalise: at equal complexity.
example: stats.search({ 40, 50, 60, 70 }).mean[2]
source: arXiv 2003.13678, figure 9 right; exact where arXiv 1905.13214 simulates]])

return M
