--- Least squares: how complexity and time grow with flops (figure 12).  Mechanism:
-- src/stats/regress.h.

local core = require "netspace.core.stats"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local property = require "netspace.stats.property"

local M = {}

local forms = { linear = "y = a x", sqrt = "y = a sqrt(x)", ["linear+sqrt"] =
  "y = a x + b sqrt(x)", affine = "y = a + b x", power = "y = a x^b" }

local function coefficient(t, key)
  local ci = t[key .. "_ci"]
  return ("%s = %.4g (%.4g to %.4g)"):format(key, t[key], ci[1], ci[2])
end

local regression = {
  __name = "regression",
  __tostring = function(t)
    return ("%s: %s%s, R² %s, n = %d"):format(forms[t.form], coefficient(t, "a"),
      t.b and ", " .. coefficient(t, "b") or "", t.r2 and ("%.3f"):format(t.r2) or "undefined",
      t.n)
  end,
  __call = function(t, x) return core.regress_at(t.form, t.a, t.b, x) end,
}

-- The fit, or nil and why there is none.
local function fit(form, x, y, level)
  local t, message = core.regress(form, x, y, level)
  if not t then return nil, message end
  t.form, t.level = form, level
  if t.r2 ~= t.r2 then t.r2 = nil end
  return setmetatable(t, regression)
end

options.declare("stats.regress", { form = "string", level = "number" })

function M.regress(x, y, o)
  local where = "stats.regress"
  o = options.check(where, o)
  local form, level = o.form or "linear", input.level(where, o.level)
  if not forms[form] then
    error(("%s: unknown form '%s'%s; it knows linear, sqrt, linear+sqrt, affine, power"):format(
      where, form, options.hint(form, forms)), 2)
  end
  for name, list in pairs { x = x or false, y = y or false } do
    if type(list) ~= "table" then
      error(("%s: %s is a %s, not a list of numbers"):format(where, name, type(list)), 2)
    end
    for i, v in ipairs(list) do
      if type(v) ~= "number" then
        error(("%s: %s[%d] is a %s, not a number"):format(where, name, i, type(v)), 2)
      end
    end
  end
  if #x ~= #y then
    error(("%s: %d values of x, but %d of y"):format(where, #x, #y), 2)
  end
  local t, message = fit(form, x, y, level)
  if not t then error(where .. ": " .. message, 2) end
  return t
end

local scaling = input.tabular("scaling", function(t)
  local rows = { { "", "form", "a", "R²", "exponent", "interval", "R²" } }
  for i, r in ipairs(t) do
    rows[i + 1] = { r.what, forms[r.fit.form]:gsub("x", "flops"):gsub("y", r.what),
      ("%.4g"):format(r.fit.a), r.fit.r2 and ("%.3f"):format(r.fit.r2) or "-",
      ("%.3f"):format(r.power.b),
      ("%.3f to %.3f"):format(r.power.b_ci[1], r.power.b_ci[2]),
      r.power.r2 and ("%.3f"):format(r.power.r2) or "-" }
  end
  return rows
end, function(t) return ("n = %d models"):format(t.n) end)

options.declare("stats.scaling", { level = "number" })

function M.scaling(results, o)
  local where = "stats.scaling"
  o = options.check(where, o)
  local level = input.level(where, o.level)
  local x, y = {}, { acts = {}, params = {} }
  for _, r in ipairs(input.results(where, results)) do
    local flops = property.values(where, r, "flops", true)
    table.move(flops, 1, #flops, #x + 1, x)
    for key, list in pairs(y) do
      local values = property.values(where, r, key, true)
      table.move(values, 1, #values, #list + 1, list)
    end
  end
  local t = { n = #x, level = level }
  for i, row in ipairs { { "acts", "sqrt" }, { "params", "linear" } } do
    local f, message = fit(row[2], x, y[row[1]], level)
    local power = f and fit("power", x, y[row[1]], level)
    if not power then
      error(("%s: %s: %s"):format(where, row[1], message or "the flops are all alike"), 2)
    end
    t[i] = { what = row[1], fit = f, power = power }
  end
  return setmetatable(t, scaling)
end

document("stats.regress", [[
stats.regress(x, y, { form = "linear", level = 0.95 }) -> fit
Least squares of y on x.
  form   "linear" a·x, "sqrt" a·√x, "linear+sqrt" a·x + b·√x (time against flops),
         "affine" a + b·x, "power" a·x^b (fitted in the logarithms)
.a, .b, .a_ci, .b_ci   coefficients and their intervals (Student)
.r2          share of the variance around the mean that is explained (power: of ln y)
.residual    standard deviation around the fit;  fit(x) is the value at x
example: stats.regress({ 1, 4, 9, 16 }, { 2, 4, 6, 8.1 }, { form = "sqrt" }).a
source: arXiv 2003.13678, section 4 and figure 12]])

document("stats.scaling", [[
stats.scaling(results, { level = 0.95 }) -> rows
The growth of complexity with flops: acts as √flops, params as flops, and free exponents.
  results   a result or a list of results of different flops
Rows what ("acts", "params"), fit (the form of figure 12) and power (a·flops^b).
example: stats.scaling({ errors = {1, 1, 1, 1}, models = space.RegNetX:sample(4) })
source: arXiv 2003.13678, figure 12]])

return M
