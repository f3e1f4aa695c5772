--- Do early epochs, or another training, rank the models the same way?  Mechanism:
-- src/stats/rank.h and noise.h.

local core = require "netspace.core.stats"
local arch = require "netspace.core.arch"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

options.declare({ "stats.correlation", "stats.epochs" },
  { draws = "integer", seed = "integer", level = "number" })

local function none(x) return x == x and x or nil end -- NaN: there is no such figure

local function check_list(where, what, list)
  if type(list) ~= "table" then
    error(("%s: %s is a %s, not a list of numbers"):format(where, what, type(list)), 3)
  end
  for i, v in ipairs(list) do
    if type(v) ~= "number" or v ~= v then
      error(("%s: %s[%d] is %s, not a number"):format(where, what, i, tostring(v)), 3)
    end
  end
end

local function correlate(x, y, o)
  local tau, lo, hi, rho = core.rank(x, y, o.draws, o.seed, o.level)
  return { tau = none(tau), ci = none(lo) and { lo, hi }, rho = none(rho), n = #x,
    level = o.level }
end

local correlation = {
  __name = "correlation",
  __tostring = function(t)
    if not t.tau then return "no rank correlation: all values of one list are equal" end
    return ("Kendall tau %.3f (%g %% CI %.3f to %.3f), Spearman rho %.3f, n = %d: of two models "
      .. "both lists put the same one first %.0f %% of the time"):format(t.tau, 100 * t.level,
      t.ci[1], t.ci[2], t.rho, t.n, 50 * (1 + t.tau))
  end,
}

function M.correlation(x, y, o)
  local where = "stats.correlation"
  o = options.check(where, o)
  local s = { draws = input.draws(where, o.draws, 2000), seed = o.seed or sys.seed(),
    level = input.level(where, o.level) }
  check_list(where, "x", x)
  check_list(where, "y", y)
  if #x ~= #y or #x < 2 then
    error(("%s: %d and %d numbers; the lists must have the same length, at least 2")
      :format(where, #x, #y), 2)
  end
  return setmetatable(correlate(x, y, s), correlation)
end

-- Epochs ---------------------------------------------------------------------------------

local ended = { done = true, diverged = true, failed = true }

-- The curves of ended models, each as long as the longest: a model that stopped has failed.
local function curves_of(where, list)
  local curves, open, longest = {}, 0, 0 -- open: left out, as they are not done
  if type(list) ~= "table" or list.errors and not list.curves then
    error(("%s expects s:live(name) of a store, an import with curves, or a list of "
      .. "curves"):format(where), 3)
  end
  local given = list
  if list.curves then
    given = {}
    for i = 1, #list.errors do given[#given + 1] = list.curves[i] end
    open = #list.errors - #given
  end
  for i, x in ipairs(given) do
    local curve = type(x) == "table" and (x.curve or x)
    if type(curve) ~= "table" then
      error(("%s: entry %d is a %s, not a model with a curve or a list of errors"):format(where,
        i, type(x)), 3)
    end
    check_list(where, ("curve of entry %d"):format(i), curve)
    if x.status and not ended[x.status] then
      open = open + 1
    else
      curves[#curves + 1] = curve
      longest = math.max(longest, #curve)
    end
  end
  if #curves < 2 or longest < 2 then
    error(("%s: %d finished models with %d epochs; it needs two of each"):format(where, #curves,
      longest), 3)
  end
  return curves, open, longest
end

-- How many of the best quarter of the last epoch are in the best quarter of this one.
local function kept(now, last)
  local quarter = math.max(1, #now // 4)
  local function best(errors)
    local order, set = {}, {}
    for i = 1, #errors do order[i] = i end
    table.sort(order, function(i, j)
      return errors[i] < errors[j] or errors[i] == errors[j] and i < j
    end)
    for k = 1, quarter do set[order[k]] = true end
    return set
  end
  local a, b, n = best(now), best(last), 0
  for i in pairs(a) do n = n + (b[i] and 1 or 0) end
  return n / quarter
end

local epochs = input.tabular("epochs", function(t)
  local level = ("%g %%"):format(100 * t.level)
  local rows = { { "epoch", "mean %", "tau", level .. " from", "to", "same order",
    "best quarter kept" } }
  for i, r in ipairs(t) do
    rows[i + 1] = { ("%d"):format(r.epoch), input.percent(r.mean),
      r.tau and ("%.3f"):format(r.tau) or "-", r.ci and ("%.3f"):format(r.ci[1]) or "-",
      r.ci and ("%.3f"):format(r.ci[2]) or "-",
      r.tau and ("%.0f %%"):format(50 * (1 + r.tau)) or "-", ("%.0f %%"):format(100 * r.kept) }
  end
  return rows
end, function(t)
  local open = t.open > 0 and (", %d unfinished left out"):format(t.open) or ""
  return ("%d models%s; same order: of two models, the better one of epoch %d is the better "
    .. "one here"):format(t.n, open, #t)
end)

function M.epochs(list, o)
  local where = "stats.epochs"
  o = options.check(where, o)
  local s = { draws = input.draws(where, o.draws, 1000), seed = o.seed or sys.seed(),
    level = input.level(where, o.level) }
  local curves, open, longest = curves_of(where, list)
  local at = {}
  for epoch = 1, longest do
    at[epoch] = {}
    for i, curve in ipairs(curves) do at[epoch][i] = curve[epoch] or 100 end
  end
  local t = { n = #curves, open = open, level = s.level }
  for epoch, errors in ipairs(at) do
    local row, sum = correlate(errors, at[longest], s), 0
    for _, e in ipairs(errors) do sum = sum + e end
    row.epoch, row.mean, row.kept = epoch, sum / #errors, kept(errors, at[longest])
    t[epoch] = row
  end
  return setmetatable(t, epochs)
end

-- Seeds ----------------------------------------------------------------------------------

local noise = {
  __name = "noise",
  __tostring = function(t)
    local text = ("%d models, %d trainings each: the same model differs by a standard deviation "
      .. "of %.2f points from seed to seed, the models by %.2f from each other"):format(t.n, t.k,
      t.within, t.between)
    if t.reliability then
      text = text .. ("\nreliability %.3f (%g %% CI %.3f to %.3f); two single trainings closer "
        .. "than %.2f points cannot be told apart"):format(t.reliability, 100 * t.level, t.ci[1],
        t.ci[2], t.difference)
    end
    if t.left_out > 0 then
      text = text .. ("\nleft out: %s that failed with some seed"):format(
      units.count(t.left_out, "model"))
    end
    return text
  end,
}

-- The networks of two results are the same, as far as they are known.
local function same_models(a, b)
  if not a.models or not b.models then return true end
  for i, m in ipairs(a.models) do
    local good, x, y = pcall(function() return arch.hash(m), arch.hash(b.models[i]) end)
    if good and x ~= y then return false, i end
  end
  return true
end

options.declare("stats.noise", { level = "number" })

function M.noise(results, o)
  local where = "stats.noise"
  o = options.check(where, o)
  local level = input.level(where, o.level)
  if type(results) ~= "table" or #results < 2 then
    error(("%s expects a list of at least two results, of the same models trained with "
      .. "different seeds"):format(where), 2)
  end
  local first, k = results[1], #results
  local lists = {}
  for j, r in ipairs(input.whole(where, results)) do
    input.edf(where, ("entry %d"):format(j), r)
    lists[j] = r.errors or r
    if #lists[j] ~= #lists[1] then
      error(("%s: entry %d has %d models, entry 1 has %d"):format(where, j, #lists[j],
        #lists[1]), 2)
    end
    local same, i = same_models(first, r)
    if not same then
      error(("%s: model %d of entry %d is another network than in entry 1"):format(where, i,
        j), 2)
    end
  end
  local flat, left_out = {}, 0
  for i = 1, #lists[1] do
    local failed = false
    for j = 1, k do failed = failed or lists[j][i] == 100 end
    if failed then
      left_out = left_out + 1
    else
      for j = 1, k do flat[#flat + 1] = lists[j][i] end
    end
  end
  if #flat < 2 * k then
    error(("%s: %d models without failures; it needs two"):format(where, #flat // k), 2)
  end
  local t = core.noise(flat, k, level)
  t.n, t.k, t.left_out, t.level = #flat // k, k, left_out, level
  t.reliability = none(t.reliability)
  t.ci = t.reliability and t.ci
  t.difference = 1.96 * math.sqrt(2) * t.within
  return setmetatable(t, noise)
end

document("stats.correlation", [[
stats.correlation(x, y, { draws = 2000, seed = 1, level = 0.95 }) -> { tau =, ci =, rho =, n = }
Rank correlation of two lists: do they put the same models first?
  tau   Kendall's tau-b, 1 to −1, with its bootstrap interval ci; nil when a list is constant
  rho   Spearman's rho
example: stats.correlation({ 50, 60, 70, 80 }, { 40, 45, 44, 52 }).tau
source: Kendall 1945; Knight 1966; Spearman 1904]])

document("stats.epochs", [[
stats.epochs(live, { draws = 1000, seed = 1, level = 0.95 }) -> rows
Does epoch 2 predict epoch 10?  The rank correlation of every epoch with the last one.
  live   s:live(name) of a store, an import with curves, or a list of lists of errors; a model
         that failed counts as 100 from there on, unfinished ones are left out
Rows epoch, mean, tau, ci, rho, and kept, the share of the last epoch's best quarter that is
in the best quarter here.
example: stats.epochs({ { 80, 60 }, { 70, 62 }, { 75, 50 }, { 60, 40 } })[1].tau
source: Kendall 1945; early stopping of populations, arXiv 1905.13214]])

document("stats.noise", [[
stats.noise({ A, B, … }, { level = 0.95 }) -> noise
How much of the spread of a population is due to the seed?  One-way analysis of variance.
  A, B, …   results of the same models trained with different seeds (design.repeats makes
            them), or lists of errors in the same order; models that failed with some seed are
            left out (.left_out)
.within, .between   standard deviations in points: seed to seed, and model to model
.reliability, .ci   the share of variance that is due to the models, 0 to 1
.difference         the difference that two trainings of one model exceed in 5 % of cases
example: stats.noise({ { 50, 60, 70 }, { 51, 61, 68 } }).within
source: Shrout and Fleiss 1979, ICC(1,1)]])

return M
