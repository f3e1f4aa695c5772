--- Limits of a test that may be looked at a few planned times.  Mechanism: boundary.h.

local blame = require "netspace.lib.blame"
local core = require "netspace.core.sequential"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"

local M = {}

local MOST = 50

-- The information at each look, as parts of that at the last, from a number of looks or a list
-- of how many models there are at each.
local function fractions(where, looks)
  local t = {}
  if type(looks) == "number" then
    if not (looks >= 1 and looks <= MOST) then
      error(("%s: looks is %g; it must be from 1 to %d"):format(where, looks, MOST), 0)
    end
    for k = 1, looks do t[k] = k / looks end
    return t
  end
  if #looks < 1 or #looks > MOST then
    error(("%s: looks has %d entries; it must have from 1 to %d"):format(where, #looks, MOST), 0)
  end
  for k, n in ipairs(looks) do
    if type(n) ~= "number" or not (n > (k > 1 and looks[k - 1] or 0)) or n == math.huge then
      error(("%s: looks[%d] is %s; the numbers of models at the looks are positive and grow")
        :format(where, k, tostring(n)), 0)
    end
    t[k] = n / looks[#looks]
  end
  return t
end

local known = { ["obrien-fleming"] = true, pocock = true }

-- Name and exponent of a spending function.
local function spending(where, s)
  s = s or "obrien-fleming"
  if known[s] then return s, 1 end
  local rho = type(s) == "table" and s[1] == "power" and s[2]
  if type(rho) == "number" and rho > 0 and rho <= 100 then return "power", rho end
  if type(s) == "table" and s[1] == "power" then
    error(("%s: the exponent of power is %s; it must be above 0, at most 100"):format(where,
      tostring(rho or nil)), 0)
  end
  local hint = type(s) == "string" and options.hint(s, known) or ""
  error(("%s: spending is %s%s; it is \"obrien-fleming\", \"pocock\" or {\"power\", rho}"):format(
    where, type(s) == "string" and ("'%s'"):format(s) or "a " .. type(s), hint), 0)
end

--- Looks and their limits: lists information, z, p, spent, and what they were made of.
-- @tparam table o looks, level, spending; and information, a list: where it is not that of the
--   numbers of models, which then say only what is spent when
function M._solve(where, o)
  local level = input.level(where, o.level)
  local at = fractions(where, o.looks or 5)
  local name, rho = spending(where, o.spending)
  local t = o.information or at
  local z, spent = core.boundaries(t, 1 - level, name, rho, 2, o.information and at)
  if not z then error(("%s: %s"):format(where, spent), 0) end
  local p = {}
  for k, c in ipairs(z) do p[k] = 2 * core.tail(c) end
  return { information = t, z = z, p = p, spent = spent, level = level, looks = #t,
    spending = name, rho = name == "power" and rho or nil }
end

local function number(x, format) return x == math.huge and "none" or format:format(x) end

local boundaries = input.tabular("boundaries", function(b)
  local rows = { { "look", "information", "|z| from", "p up to", "spent" } }
  for k, t in ipairs(b.information) do
    rows[k + 1] = { ("%d"):format(k), ("%.3f"):format(t), number(b.z[k], "%.3f"),
      b.z[k] == math.huge and "" or ("%.2g"):format(b.p[k]), ("%.2g"):format(b.spent[k]) }
  end
  return rows
end, function(b)
  local text = ("To find a difference with a power of %g %% it takes at most %.3f times the "
    .. "models of a single look, on average %.2f times, and %.2f times where there is no "
    .. "difference"):format(100 * b.power, b.most, b.expected, b.expected_none)
  if b.margin then
    text = text .. (", which is then called the same within %g of that difference in %.0f %%")
      :format(b.margin, 100 * b.same)
  end
  return text .. "."
end)

options.declare("stats.boundaries", { looks = "integer|table", level = "number",
  spending = "string|table", power = "number", margin = "number" })

local function boundaries_of(o)
  local where = "stats.boundaries"
  o = options.check(where, o)
  local b = M._solve(where, o)
  local power, alpha = o.power or 0.8, 1 - b.level
  if not (power > alpha and power <= 0.999) then
    error(("%s: power is %g; it must be above %g, the error probability, and at most 0.999"):format(
      where, power, alpha), 0)
  end
  if o.margin and not (o.margin > 0) then
    error(("%s: margin is %g; it is a part of the difference, above 0"):format(where, o.margin), 0)
  end
  local drift = core.drift(b.information, b.z, alpha, power)
  local single = core.normal(1 - alpha / 2) + core.normal(power)
  local margin = o.margin and o.margin * drift
  local found = core.crossing(b.information, b.z, drift, margin)
  local none = core.crossing(b.information, b.z, 0, margin)
  local same = 0
  for _, p in ipairs(none.same) do same = same + p end
  b.power, b.margin, b.drift, b.most = power, o.margin, drift, (drift / single) ^ 2
  b.expected, b.expected_none = found.expected * b.most, none.expected * b.most
  b.same = o.margin and same or nil
  return setmetatable(b, boundaries)
end

function M.boundaries(o) return (blame.call(1, blame.plainly, boundaries_of, o)) end

document("stats.boundaries", [[
stats.boundaries{ looks = 5, level = 0.95, spending = "obrien-fleming", … } -> boundaries
The limits of a test that is looked at several times while models are trained, and what it costs.
Whoever looks five times at 5 % and stops when something shows errs in 14 % of cases; a spending
function shares the 5 % among the looks instead.
  looks      how many, equally spaced, or a list: models at each look, such as { 20, 40, 100 }
  spending   "obrien-fleming"   little at first, nearly the plain limit at the last look
             "pocock"           nearly the same limit at all looks: stops earlier, needs more
             {"power", rho}     alpha t^rho: rho 1 is like Pocock, 3 like O'Brien-Fleming
  power      with which a difference is to be found, for what is said of models (0.8)
  margin     a part of that difference within which two spaces count as the same; for the models
             it takes when there is no difference
.information    t, the part of the planned models at each look
.z, .p, .spent  a difference is claimed from |z| on (none: math.huge); the p of a single test that
                is; the error spent so far
.most           models at most, as a multiple of a single look with the same power
.expected, .expected_none   on average, with such a difference and with none, as a multiple
.drift          that difference, in standard errors at the last look; .same, with margin= how
                often no difference is called the same
example: stats.boundaries{ looks = 5 }
example: stats.boundaries({ looks = { 20, 40, 100 }, spending = "pocock" }).z
example: stats.boundaries({ looks = 3, spending = {"power", 2}, margin = 1 }).expected_none
source: Armitage, McPherson and Rowe 1969; O'Brien and Fleming 1979; Pocock 1977; Lan and DeMets
  1983; Kim and DeMets 1987]])

return M
