--- Statistics of populations: the error EDF, is one space better than another, which
-- property do the best models share, how soon does random search find a good one, how much
-- is noise.  After Radosavovic et al. 2020 (arXiv 2003.13678), sections 3.1 to 3.3 and 4, and
-- 2019 (arXiv 1905.13214); mechanism in src/stats, one file a noun under stats/.
--
--   stats.compare({ 48, 51, 55, 60 }, { 40, 42, 45, 47 }).verdict
--
-- Wherever errors are asked for, a list of errors in percent, an edf, a result of a sweep
-- or an import, or { name =, errors = } will do.

local doc = require "netspace.lib.doc"
local document = doc.group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local prediction = require "netspace.stats.prediction"
local units = require "netspace.lib.units"

local M = {}

for _, noun in ipairs { "best", "compare", "alternatives", "normalise", "bootstrap", "search",
  "rank", "regress", "prediction", "sensitivity", "import", "boundaries", "prefix", "sequential",
  "anytime", "plan" } do
  for name, f in pairs(require("netspace.stats." .. noun)) do
    if doc.topics["stats." .. name] then M[name] = f end
  end
end

document("stats.edf", [[
stats.edf(errors, { metric = "error", predict = false }) -> edf
The exact error EDF: edf(e) is the share of models with error below e (strictly).
  errors   list of errors in percent, or a result of a sweep; failed models count as 100
  metric   what to take of a result, of the last epoch on the validation images: "error";
           "class_error", the mean of the errors of every class, which counts rare classes
           like others; "top5_error"; "loss" (cross-entropy; failed models count as 100)
  predict  true, or { with =, features = }: that of the whole space, by prediction (a
           stats.predict, which has the same methods but :finished); where there can be none, that
           of the models, and why as a second value
Fields .n, .min, .mean, .median, .max, .failed, .name, .weighted; methods :quantile, :band,
:area, :steps, :finished.
example: stats.edf({ 40, 50, 50, 60 })(50)
example: stats.edf({ 40, 50, 50, 60 }).mean
source: arXiv 2003.13678, equation 1]])

options.declare("stats.edf", { metric = "string", predict = "boolean|table" })

function M.edf(errors, o)
  local where = "stats.edf"
  o = options.check(where, o)
  local wish = predict.asked(where, o.predict)
  local given = errors
  errors = input.by(where, "the argument", errors, o.metric)
  local edf = input.edf(where, "the argument", errors)
  if wish then
    local list, why = prediction._all(where, { given }, { edf }, wish, o.metric)
    if list[1] then return list[1] end
    return edf, why[1]
  end
  return edf -- no tail call: the caller must stay on the stack, to be blamed
end

document("edf:quantile", [[
edf:quantile(p) -> error
The error below which a share p of the models lies, interpolated between models (weighted:
the least error above which the EDF reaches p).
example: stats.edf({ 40, 50, 60 }):quantile(0.25)
source: Hyndman and Fan 1996, type 7]])

document("edf:band", [[
edf:band(level = 0.95, kind = "dkw") -> { lo =, hi =, steps =, level =, kind = }
A confidence band: functions lo(e), hi(e), and steps() -> list x, list lo, list hi.
  "dkw"        covers the whole true curve at once: edf(e) ∓ .epsilon
  "bootstrap"  percentiles of the EDFs of resampled populations, exact instead of simulated
               (the number of models below an error is binomial); covers one error at a time,
               and has no width where the EDF is 0 or 1
  "anytime"    covers the whole true curve at every moment, from the tenth model on, however
               often it is looked at while models are added in the order they were drawn
example: stats.edf({ 40, 50, 60 }):band().hi(45)
example: stats.edf({ 40, 50, 60 }):band(0.9, "bootstrap").lo(55)
source: Dvoretzky, Kiefer, Wolfowitz 1956, constant of Massart 1990; Efron 1979; Howard and
  Ramdas 2022 (arXiv 1906.09712), theorem 2]])

document("edf:area", [[
edf:area(limit = 100) -> share
The share of the rectangle from 0 to `limit` % below the EDF; mean error = 100·(1 − area()).
example: stats.edf({ 40, 50, 60 }):area(55)
source: Radosavovic et al. 2019 (arXiv 1905.13214)]])

document("edf:steps", [[
edf:steps() -> list x, list y
The steps, for plotting: the EDF is y[k] just above x[k], up to and including x[k + 1].
example: stats.edf({ 40, 50, 50, 60 }):steps()]])

document("edf:finished", [[
edf:finished() -> edf, or nil and a message
The EDF without its failed models, to see the effect of counting them as 100 %.
example: stats.edf({ 40, 50, 100 }):finished().mean]])

document("stats.table", [[
stats.table{ A, B, …, metric = "error", predict = false } -> rows
A row for each population: space, n, min, mean, median, failed; prints as aligned text.  One
that has no finished models yet has n = 0 and nothing else.
  metric   another one than the error, as in stats.edf
  predict  true, or { with =, features = }: beside the mean of the models and its interval those of
           the space, by one prediction for all that share data and recipe (stats.predict).  A row
           has .predicted then, or .unpredicted, why not, which is printed below
example: tostring(stats.table{ { name = "A", errors = { 40, 50 } }, { 30, 45 } })]])

local function bounds(ci) return ("%.2f to %.2f"):format(ci[1], ci[2]) end

-- Columns of what is predicted, behind those that there are.
local function add_predicted(rows, cells)
  table.move({ "95 % CI", "predicted %", "95 % CI", "median %", "worth" }, 1, 5, #cells[1] + 1,
    cells[1])
  for i, r in ipairs(rows) do
    local p, row = r.predicted, cells[i + 1]
    local list = p and { bounds(p.plain.ci), input.percent(p.mean), bounds(p.ci),
      input.percent(p.median), ("%.1f n"):format(p.worth) } or { "", "-", "", "", "" }
    table.move(list, 1, 5, #row + 1, row)
  end
end

-- Why some rows have no prediction, and what the columns are.
local function notes(rows)
  local list = {}
  for _, r in ipairs(rows) do
    if r.unpredicted then
      list[#list + 1] = ("%s: not predicted: %s"):format(r.space, r.unpredicted)
    end
  end
  for _, r in ipairs(rows) do
    if r.predicted then
      list[#list + 1] = ("predicted: of the space, by the trained and %s untrained networks; "
        .. "worth: as many trained ones give that interval"):format(
        units.thousands(r.predicted.N))
      break
    end
  end
  return table.concat(list, "\n")
end

local function cells_of(rows)
  local function percent(x) return input.figure(x, rows.metric) end
  local cells = { { "space", "n", input.heading("min", rows.metric),
    input.heading("mean", rows.metric), input.heading("median", rows.metric), "failed" } }
  for i, r in ipairs(rows) do
    cells[i + 1] = { r.space, ("%d"):format(r.n), "-", "-", "-", ("%d"):format(r.failed) }
    if r.n > 0 then
      for k, key in ipairs { "min", "mean", "median" } do cells[i + 1][k + 2] = percent(r[key]) end
    end
  end
  if rows.asked then add_predicted(rows, cells) end
  return cells
end

local rows_type = input.tabular("table of populations", cells_of)
local predicted_type = input.tabular("table of populations", cells_of, notes)

document("rows:table", [[
rows:table("csv" | "markdown" | "latex") -> text
What a statistic prints in columns (stats.table, alternatives, boundaries, epochs, plan, scaling,
search, sensitivity, sequential, trend), as text for a paper or a spreadsheet: cells as printed,
the first column flush left.  The LaTeX is a tabular that needs no package; what pdflatex has no
letters for (Chinese) stands there by its number, in LuaLaTeX and XeLaTeX as it is.
example: stats.table({ { name = "A", errors = { 40, 50 } } }):table("markdown")
example: stats.search({ 40, 50, 60 }):table("latex")]])

options.declare("stats.table", { metric = "string", predict = "boolean|table" })

function M.table(list)
  local where = "stats.table"
  if type(list) ~= "table" or #list == 0 then
    error("stats.table expects a list of results, edfs or lists of errors", 2)
  end
  local o, rows, edfs = {}, { metric = list.metric }, {}
  for k, v in pairs(list) do
    if math.type(k) ~= "integer" then o[k] = v end
  end
  options.check(where, o)
  local wish = predict.asked(where, o.predict)
  for i, x in ipairs(input.whole(where, list)) do
    local nobody = type(x) == "table" and type(x.errors) == "table" and #x.errors == 0
    local what = ("entry %d"):format(i)
    local edf = nobody and { name = x.name or x.space, n = 0, failed = 0 }
      or input.edf(where, what, input.by(where, what, x, list.metric))
    edfs[i] = edf
    rows[i] = { space = edf.name or ("#%d"):format(i), n = edf.n, min = edf.min,
      mean = edf.mean, median = edf.median, failed = edf.failed }
  end
  if not wish then return setmetatable(rows, rows_type) end
  local found, why = prediction._all(where, list, edfs, wish, list.metric)
  rows.asked = true
  for i, row in ipairs(rows) do row.predicted, row.unpredicted = found[i], why[i] end
  return setmetatable(rows, predicted_type)
end

return M
