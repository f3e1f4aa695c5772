--- Statistics of populations: the error EDF, is one space better than another, which
-- property do the best models share, how soon does random search find a good one.
-- After Radosavovic et al. 2020 (arXiv 2003.13678), sections 3.1 to 3.3; mechanism in
-- src/stats.
--
--   stats.compare({ 48, 51, 55, 60 }, { 40, 42, 45, 47 }).verdict
--
-- Wherever errors are asked for, a list of errors in percent, an edf, a result of a sweep
-- or { name =, errors = } will do.

local core = require "netspace.core.stats"
local options = require "netspace.options"
local help = require "netspace.help"
local sys = require "netspace.core.sys"

local M = {}

--- x as an edf; `what` names it in messages.  Errors here and in the checks below blame
-- the caller of the public function that called.
local function to_edf(where, what, x)
  if core.is_edf(x) then return x end
  local errors, name, failed = x, nil, nil
  if type(x) == "table" and x.errors ~= nil then
    errors, name, failed = x.errors, x.name or x.space, x.failed
    what = name or what
  end
  if type(errors) ~= "table" then
    error(("%s: %s is a %s; it wants a list of errors in percent, an edf or a result")
      :format(where, what, type(errors)), 3)
  end
  local edf, message = core.new(errors, name, failed)
  if not edf then error(("%s: %s: %s"):format(where, what, message), 3) end
  return edf
end

local function check_level(where, level)
  if level and not (level > 0 and level < 1) then
    error(("%s: level is %s; it lies between 0 and 1, as 0.95"):format(where, level), 3)
  end
  return level or 0.95
end

local function check_draws(where, draws)
  if draws and not (draws >= 1 and draws <= 10000000) then
    error(("%s: draws is %s; it must be from 1 to 10000000"):format(where, draws), 3)
  end
  return draws or 10000
end

help.add("stats.edf", [[
stats.edf(errors) -> edf
The exact error EDF: edf(e) is the share of models with error below e (strictly).
  errors   list of errors in percent, or a result of a sweep; failed models count as 100
Fields .n, .min, .mean, .median, .max, .failed, .name; methods :quantile, :band, :area, :steps.
example: stats.edf({ 40, 50, 50, 60 })(50)
example: stats.edf({ 40, 50, 50, 60 }).mean
source: arXiv 2003.13678, equation 1]])

function M.edf(errors)
  local edf = to_edf("stats.edf", "the argument", errors)
  return edf -- no tail call: the caller must stay on the stack, to be blamed
end

help.add("edf:quantile", [[
edf:quantile(p) -> error
The error below which a share p of the models lies, interpolated between models.
example: stats.edf({ 40, 50, 60 }):quantile(0.25)
source: Hyndman and Fan 1996, type 7]])

help.add("edf:band", [[
edf:band(level = 0.95) -> { lo =, hi =, epsilon =, level = }
The confidence band of the whole EDF: functions lo(e), hi(e) = edf(e) ∓ epsilon in [0, 1].
example: stats.edf({ 40, 50, 60 }):band().hi(45)
source: Dvoretzky, Kiefer, Wolfowitz 1956; constant of Massart 1990]])

help.add("edf:area", [[
edf:area(limit = 100) -> share
The share of the rectangle from 0 to `limit` % below the EDF; mean error = 100·(1 − area()).
example: stats.edf({ 40, 50, 60 }):area(55)
source: Radosavovic et al. 2019 (arXiv 1905.13214)]])

help.add("edf:steps", [[
edf:steps() -> list x, list y
The steps, for plotting: the EDF is y[k] just above x[k], up to and including x[k + 1].
example: stats.edf({ 40, 50, 50, 60 }):steps()]])

local function percent(x) return ("%.2f"):format(x) end

local function p_text(p)
  return p < 0.001 and "p < 0.001" or ("p = %.3f"):format(p)
end

--- Two significant digits: an estimate, not a count.
local function about(n)
  if n > 100000 then return "more than 100,000" end
  local unit = math.max(1, 10 ^ (#tostring(n) - 2))
  return ("about %d"):format(math.tointeger(math.ceil(n / unit) * unit))
end

--- One honest sentence, from the comparison c of the edfs a and b.
local function verdict(c, a, b)
  local A, B = c.names[1], c.names[2]
  local level, failed = 100 * c.level, ""
  local tail = ("permutation %s, n = %d and %d)"):format(p_text(c.p_permutation), a.n, b.n)
  if a.failed + b.failed > 0 then
    failed = ("; failed models (%d of %s, %d of %s) count as 100 %%"):format(a.failed, A,
      b.failed, B)
  end
  if c.better then
    local good, bad, wins, lo, hi = B, A, c.p_better, -c.ci[2], -c.ci[1]
    if c.better == A then good, bad, wins, lo, hi = A, B, 1 - wins, -hi, -lo end
    return ("%s is better than %s: its mean error is %.2f points lower, %.2f against "
      .. "%.2f %% (%g %% CI %.2f to %.2f points, %s; a random model of %s beats a random "
      .. "one of %s %.0f %% of the time%s."):format(good, bad, math.abs(c.mean_difference),
      math.min(a.mean, b.mean), math.max(a.mean, b.mean), level, lo, hi, tail, good, bad,
      100 * wins, failed)
  end
  if a.n < 2 or b.n < 2 then
    return ("No claim: n = %d of %s and %d of %s are too few to compare; train more.")
      :format(a.n, A, b.n, B)
  end
  local differ, more = "", ""
  if c.p <= 1 - c.level then
    differ = (" (the EDFs themselves do differ: KS distance %.3f, %s)"):format(c.ks,
      p_text(c.p))
  end
  if c.more then
    more = ("; %s more models of each would settle a difference of this size")
      :format(about(c.more))
  end
  return ("No claim: the mean error of %s, %.2f %%, is %s that of %s, %.2f %%, which chance "
    .. "can explain (%g %% CI %+.2f to %+.2f points, %s%s%s%s."):format(B, b.mean,
    c.mean_difference < 0 and "below" or c.mean_difference > 0 and "above" or "equal to",
    A, a.mean, level, c.ci[1], c.ci[2], tail, differ, more, failed)
end

help.add("stats.compare", [[
stats.compare(a, b, { seed = 1, draws = 10000, level = 0.95 }) -> comparison
Is b (the refined space) better than a?  A verdict in words, and the figures behind it.
  a, b     lists of errors in percent, edfs or results
.verdict          one sentence; it claims something only if the interval excludes 0 and the
                  permutation p is at most 1 − level
.better           name of the better one, or nil when nothing can be claimed
.mean_difference  mean(b) − mean(a) in points; negative: b is better
.ci               { lo, hi } of it, by percentile bootstrap
.p_permutation    of the difference of means (every split when there are few, else random)
.p_better         P(a random model of b beats one of a), ties half (Mann-Whitney)
.ks, .p           Kolmogorov-Smirnov distance of the EDFs and its p-value, exact with ties
                  up to 4 million pairs; .ks_critical, the distance needed at 5 %
.more             models to add to each to show this difference in 80 % of trials, or nil
.names, .n        of a and b; .level
example: stats.compare({ 48, 51, 55, 60 }, { 40, 42, 45, 47 }).verdict
source: Smirnov 1939; Mann and Whitney 1947; Efron and Tibshirani 1993]])

local comparison = {
  __name = "comparison",
  __tostring = function(c)
    return ("%s\nKS distance %.3f, %s; mean difference %+.2f points, CI %+.2f to %+.2f")
      :format(c.verdict, c.ks, p_text(c.p), c.mean_difference, c.ci[1], c.ci[2])
  end,
}

function M.compare(a, b, o)
  o = options.check("stats.compare", o,
    { seed = "integer", draws = "integer", level = "number" })
  local level = check_level("stats.compare", o.level)
  local draws = check_draws("stats.compare", o.draws)
  a = to_edf("stats.compare", "a", a)
  b = to_edf("stats.compare", "b", b)
  local c = core.compare(a, b, draws, o.seed or sys.seed(), level)
  c.level, c.names, c.n = level, { a.name or "a", b.name or "b" }, { a.n, b.n }
  if c.names[1] == c.names[2] then
    c.names = { c.names[1] .. " (a)", c.names[2] .. " (b)" }
  end
  c.more = math.tointeger(c.more) -- nil for infinity
  -- A claim needs both: the interval excludes 0 (it is short at small n), and the
  -- permutation test, whose level is exact, rejects.
  if (c.ci[1] > 0 or c.ci[2] < 0) and c.p_permutation <= 1 - level then
    c.better = c.names[c.mean_difference < 0 and 2 or 1]
  end
  c.verdict = verdict(c, a, b)
  return setmetatable(c, comparison)
end

help.add("stats.ks", [[
stats.ks(a, b) -> distance, p
The two-sample Kolmogorov-Smirnov test alone: largest distance of two EDFs and its p-value.
example: stats.ks({ 1, 2, 3, 4 }, { 5, 6, 7, 8 })
source: Smirnov 1939; exact with ties as Schröer and Trenkler 1995]])

function M.ks(a, b)
  local d, p = core.ks(to_edf("stats.ks", "a", a), to_edf("stats.ks", "b", b))
  return d, p
end

--- A value shared by all stages: as it was asked for, else when the final ones are equal.
local function shared(m, key)
  local asked = m.asked and m.asked[key]
  if type(asked) == "number" then return asked end
  local list = type(asked) == "table" and asked or m[key]
  for i = 2, #list do
    if list[i] ~= list[1] then
      return nil, ("%s differs between its stages; ask for one, as %s[1]"):format(key, key)
    end
  end
  return list[1]
end

local function complexity(m, key)
  return require("netspace.arch").complexity(m)[key]
end

--- What stats.bootstrap knows by name: f(m) -> number, or nil and why not.
local properties = {
  d = function(m)
    local sum = 0
    for _, d in ipairs(m.d) do sum = sum + d end
    return sum
  end,
  w = function(m)
    local sum, blocks = 0, 0
    for i, d in ipairs(m.d) do sum, blocks = sum + d * m.w[i], blocks + d end
    return sum / blocks
  end,
  b = shared, g = shared, flops = complexity, params = complexity, acts = complexity,
}
for _, key in ipairs { "w_0", "w_a", "w_m" } do
  properties[key] = function(m)
    if not m.regnet then return nil, ("it is no RegNet, so it has no %s"):format(key) end
    return m.regnet[key]
  end
end

local function property(what)
  if type(what) == "function" then return what end
  if type(what) ~= "string" then
    error(("stats.bootstrap: the property is a %s, not a name or a function of a model")
      :format(type(what)), 3)
  end
  local key, stage = what:match("^([dwbg])%[(%d+)%]$")
  if key then
    return function(m)
      local value = m[key][tonumber(stage)]
      return value, not value and ("it has %d stages"):format(#m[key])
    end
  end
  local f = properties[what]
  if not f then
    error(("stats.bootstrap: unknown property '%s'%s; it knows d, w, b, g (or of a stage, "
      .. "as w[4]), w_0, w_a, w_m, flops, params, acts, or a function of a model")
      :format(what, options.hint(what, properties)), 3)
  end
  return function(m) return f(m, what) end
end

help.add("stats.bootstrap", [[
stats.bootstrap(result, property, { share = 0.25, draws = 10000, seed = 1, … }) -> band
Which value of a property do good models have?  The paper's empirical bootstrap: draw a
share of the models with replacement, keep the property of the best one; repeat.
  result     of a sweep, or { errors =, models = }
  property   "d" (blocks in all), "w" (mean width of the blocks), "b", "g" (shared by the
             stages), "w[4]" and the like (one stage), "w_0", "w_a", "w_m", "flops",
             "params", "acts", or a function of a model
  exact = false        the limit of infinitely many draws, computed instead of simulated
  level = 0.95         of the band
  categorical          percentiles are values that occur (default: for b and g)
.median, .lo, .hi     of the kept values: a band for the best model's value, not an interval
                       of a mean; .best is the value of the best model itself
example: stats.bootstrap({ errors = {40, 50}, models = {{d = {2}}, {d = {1}}} }, "d").median
source: arXiv 2003.13678, footnote 4]])

local band = {
  __name = "band",
  __tostring = function(t)
    return ("%s of the best model: median %.4g, %g %% band %.4g to %.4g (best of %d: %.4g)")
      :format(t.property, t.median, 100 * t.level, t.lo, t.hi, t.n, t.best)
  end,
}

function M.bootstrap(result, what, o)
  local where = "stats.bootstrap"
  o = options.check(where, o, { share = "number", draws = "integer", seed = "integer",
    level = "number", categorical = "boolean", exact = "boolean" })
  local level, draws = check_level(where, o.level), check_draws(where, o.draws)
  local share = o.share or 0.25
  if not (share > 0 and share <= 1) then
    error(("%s: share is %s; it must be above 0 and at most 1"):format(where, share), 2)
  end
  local f = property(what)
  if type(result) ~= "table" or type(result.models) ~= "table" then
    error(("%s: it wants a result, with errors and models, not a %s"):format(where,
      type(result) == "table" and "table without models" or core.is_edf(result) and "edf"
      or type(result)), 2)
  end
  to_edf(where, "the result", result) -- for its checks
  if #result.models ~= #result.errors then
    error(("%s: %d models but %d errors"):format(where, #result.models, #result.errors), 2)
  end
  local x = {}
  for i, m in ipairs(result.models) do
    local value, reason = f(m)
    if type(value) ~= "number" or value ~= value then
      error(("%s: model %d: %s"):format(where, i,
        reason or ("the property is %s, not a number"):format(tostring(value))), 2)
    end
    x[i] = value
  end
  local categorical = o.categorical
  if categorical == nil then
    categorical = type(what) == "string" and what:find("^[bg]") ~= nil
  end
  local t = core.best(x, result.errors, share, o.exact and 0 or draws, o.seed or sys.seed(),
    level, categorical)
  t.property, t.n, t.level = type(what) == "string" and what or "property", #x, level
  return setmetatable(t, band)
end

help.add("stats.search", [[
stats.search(errors, { m = {1, 2, 4, …}, level = 0.95, replacement = true }) -> curve
Random search efficiency: the expected error of the best of m random models, exactly.
  m            list of how many models are drawn (default: powers of two up to n, and n)
  level        of the interval lo to hi that holds the best of m
  replacement  false: draw each model once
Lists .m, .mean, .lo, .hi, and .n, .name.
example: stats.search({ 40, 50, 60, 70 }).mean[2]
source: arXiv 2003.13678, figure 9 right; exact where arXiv 1905.13214 simulates]])

--- Lines of aligned columns; the first is left-aligned.
local function aligned(rows)
  local width, lines = {}, {}
  for _, row in ipairs(rows) do
    for k, cell in ipairs(row) do
      width[k] = math.max(width[k] or 0, utf8.len(cell) or #cell)
    end
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for k, cell in ipairs(row) do
      local pad = (" "):rep(width[k] - (utf8.len(cell) or #cell))
      cells[k] = k == 1 and cell .. pad or pad .. cell
    end
    lines[i] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n")
end

local curve = {
  __name = "curve",
  __tostring = function(t)
    local level = ("%g %%"):format(100 * t.level)
    local rows = { { "best of", "mean error %", level .. " from", "to" } }
    for i, m in ipairs(t.m) do
      rows[i + 1] = { ("%d"):format(m), percent(t.mean[i]), percent(t.lo[i]),
        percent(t.hi[i]) }
    end
    return aligned(rows)
  end,
}

function M.search(errors, o)
  local where = "stats.search"
  o = options.check(where, o, { m = "table", level = "number", replacement = "boolean" })
  local level, edf = check_level(where, o.level), to_edf(where, "the argument", errors)
  local replacement = o.replacement ~= false
  local t = { name = edf.name, n = edf.n, level = level,
    m = {}, mean = {}, lo = {}, hi = {} }
  local list = o.m
  if not list then
    list = {}
    local m = 1
    while m < edf.n do list[#list + 1], m = m, 2 * m end
    list[#list + 1] = edf.n
  end
  for i, m in ipairs(list) do
    local whole = math.type(m) and math.tointeger(m)
    if not whole or whole < 1 or not replacement and whole > edf.n then
      error(("%s: m[%d] is %s; it must be a whole number from 1%s"):format(where, i,
        tostring(m), replacement and "" or (" to %d, all models"):format(edf.n)), 2)
    end
    t.m[i] = whole
    t.mean[i], t.lo[i], t.hi[i] = core.search(edf, whole, replacement, level)
  end
  return setmetatable(t, curve)
end

help.add("stats.table", [[
stats.table{ A, B, … } -> rows
A row for each population: space, n, min, mean, median, failed; prints as aligned text.
example: tostring(stats.table{ { name = "A", errors = { 40, 50 } }, { 30, 45 } })]])

local rows_type = {
  __name = "table of populations",
  __tostring = function(rows)
    local cells = { { "space", "n", "min %", "mean %", "median %", "failed" } }
    for i, r in ipairs(rows) do
      cells[i + 1] = { r.space, ("%d"):format(r.n), percent(r.min), percent(r.mean),
        percent(r.median), ("%d"):format(r.failed) }
    end
    return aligned(cells)
  end,
}

function M.table(list)
  if type(list) ~= "table" or #list == 0 then
    error("stats.table: it wants a list of results, edfs or lists of errors", 2)
  end
  local rows = {}
  for i, x in ipairs(list) do
    local edf = to_edf("stats.table", ("entry %d"):format(i), x)
    rows[i] = { space = edf.name or ("#%d"):format(i), n = edf.n, min = edf.min,
      mean = edf.mean, median = edf.median, failed = edf.failed }
  end
  return setmetatable(rows, rows_type)
end

return M
