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

local M = {}

for _, noun in ipairs { "best", "compare", "alternatives", "normalise", "bootstrap", "search",
  "rank", "regress", "predict", "sensitivity", "import", "boundaries", "prefix", "sequential",
  "anytime" } do
  for name, f in pairs(require("netspace.stats." .. noun)) do
    if doc.topics["stats." .. name] then M[name] = f end
  end
end

document("stats.edf", [[
stats.edf(errors, { metric = "error" }) -> edf
The exact error EDF: edf(e) is the share of models with error below e (strictly).
  errors   list of errors in percent, or a result of a sweep; failed models count as 100
  metric   what to take of a result, of the last epoch on the validation images: "error";
           "class_error", the mean of the errors of every class, which counts rare classes
           like others; "top5_error"; "loss" (cross-entropy; failed models count as 100)
Fields .n, .min, .mean, .median, .max, .failed, .name, .weighted; methods :quantile, :band,
:area, :steps, :finished.
example: stats.edf({ 40, 50, 50, 60 })(50)
example: stats.edf({ 40, 50, 50, 60 }).mean
source: arXiv 2003.13678, equation 1]])

options.declare("stats.edf", { metric = "string" })

function M.edf(errors, o)
  o = options.check("stats.edf", o)
  errors = input.by("stats.edf", "the argument", errors, o.metric)
  local edf = input.edf("stats.edf", "the argument", errors)
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
stats.table{ A, B, …, metric = "error" } -> rows
A row for each population: space, n, min, mean, median, failed; prints as aligned text.  One
that has no finished models yet has n = 0 and nothing else.
  metric   another one than the error, as in stats.edf
example: tostring(stats.table{ { name = "A", errors = { 40, 50 } }, { 30, 45 } })]])

local rows_type = input.tabular("table of populations", function(rows)
  local function percent(x) return input.figure(x, rows.metric) end
  local cells = { { "space", "n", input.heading("min", rows.metric),
    input.heading("mean", rows.metric), input.heading("median", rows.metric), "failed" } }
  for i, r in ipairs(rows) do
    cells[i + 1] = { r.space, ("%d"):format(r.n), "-", "-", "-", ("%d"):format(r.failed) }
    if r.n > 0 then
      for k, key in ipairs { "min", "mean", "median" } do cells[i + 1][k + 2] = percent(r[key]) end
    end
  end
  return cells
end)

document("rows:table", [[
rows:table("csv" | "markdown" | "latex") -> text
What stats.table, alternatives, epochs, search, trend or scaling print in columns, as text for
a paper or a spreadsheet: cells as printed, the first column flush left.
example: stats.table({ { name = "A", errors = { 40, 50 } } }):table("markdown")
example: stats.search({ 40, 50, 60 }):table("latex")]])

options.declare("stats.table", { metric = "string" })

function M.table(list)
  if type(list) ~= "table" or #list == 0 then
    error("stats.table expects a list of results, edfs or lists of errors", 2)
  end
  local o, rows = {}, { metric = list.metric }
  for k, v in pairs(list) do
    if math.type(k) ~= "integer" then o[k] = v end
  end
  options.check("stats.table", o)
  for i, x in ipairs(input.whole("stats.table", list)) do
    local nobody = type(x) == "table" and type(x.errors) == "table" and #x.errors == 0
    local what = ("entry %d"):format(i)
    local edf = nobody and { name = x.name or x.space, n = 0, failed = 0 }
      or input.edf("stats.table", what, input.by("stats.table", what, x, list.metric))
    rows[i] = { space = edf.name or ("#%d"):format(i), n = edf.n, min = edf.min,
      mean = edf.mean, median = edf.median, failed = edf.failed }
  end
  return setmetatable(rows, rows_type)
end

return M
