--- Is one population better than another, and what may be claimed?  Mechanism: compare.h,
-- bootstrap.h and strata.h of src/stats.

local arch = require "netspace.core.arch"
local begun = require "netspace.stats.begun"
local caution = require "netspace.stats.caution"
local core = require "netspace.core.stats"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local normalise = require "netspace.stats.normalise"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local p_text = input.p_text

-- How many models of each bin have the label 1, 2 and 3.
local function count_labels(labels, bins)
  local counts = {}
  for i, label in ipairs(labels) do
    local c = counts[bins[i]] or { 0, 0, 0 }
    counts[bins[i]], c[label] = c, c[label] + 1
  end
  return counts
end

-- The least p-value of a permutation test that shuffles the labels bin by bin: one of all the
-- ways there are; two where all bins have as many of 1 as of 2, since each way then has its
-- mirror image.
local function least_p(counts)
  local ways, mirror = 1, true
  for _, c in pairs(counts) do
    local n = 0
    for _, same in ipairs(c) do
      for k = 1, same do n, ways = n + 1, ways * (n + 1) / k end
    end
    mirror = mirror and c[1] == c[2]
  end
  return math.min(1, (mirror and 2 or 1) / ways)
end

local function significant(p, level) return p <= 1 - level + 1e-12 end -- 1 - 0.9 < 0.1

--- "mean error" or what normalisation makes of it.
local function mean_name(c)
  local name = "mean " .. input.metric(c.metric)
  return c.by and ("%s at equal %s (%s)"):format(name, c.by, units.count(c.bins, "bin")) or name
end

local function failures(c, a, b)
  local shared = c.shared > 0 and ("; %s in both"):format(
    c.shared == 1 and "1 model is" or c.shared .. " models are") or ""
  if a.failed + b.failed == 0 then return shared end
  local text = shared .. ("; failed models (%d of %s, %d of %s) count as 100%s%s"):format(a.failed,
    c.names[1], b.failed, c.names[2], (select(2, input.metric(c.metric))),
    c.predicted and ", and as many are expected among those not trained" or "")
  local rest = c.without_failed
  if rest and rest.better ~= (c.plain or c).better then
    text = text .. (", and without them %s"):format(rest.better
      and ("%s would be the better one"):format(rest.better) or "nothing could be claimed")
  end
  return text
end

-- Two significant digits, downwards.
local function at_least(x)
  local unit = 10.0 ^ (math.floor(math.log(x, 10)) - 1)
  return math.floor(x / unit + 1e-9) * unit
end

--- "n = 100 and 100", and what else the figures rest on.
local function basis(c, a, b)
  local text, p = ("n = %d and %d"):format(a.n, b.n), c.predicted
  if not p then return text end
  local N = p.n[1] == p.n[2] and units.thousands(p.n[1])
    or ("%s and %s"):format(units.thousands(p.n[1]), units.thousands(p.n[2]))
  local early = p.begun and (", %s begun (%s)"):format(p.begun[1] == p.begun[2] and p.begun[1]
    or ("%d and %d"):format(p.begun[1], p.begun[2]), units.count(p.epochs, "epoch")) or ""
  if p.others then -- of so few the worth is chance
    return ("%s trained and %s predicted networks of each, as %d of other populations tell"):format(
      text, N, p.others)
  end
  return ("%s trained%s and %s predicted networks of each, worth %s"):format(text, early, N,
    a.n == b.n
    and ("about %s trained ones"):format(units.thousands(math.tointeger(at_least(a.n
      * p.worth)))) or ("%.1f times as many trained ones"):format(at_least(p.worth)))
end

-- "permutation p = 0.030"; where networks are predicted, also the exact one of the trained alone.
local function p_words(c)
  local p, exact = p_text(c.p_permutation), c.predicted and p_text(c.plain.p_permutation)
  if not exact then return "permutation " .. p end
  if c.predicted.t_test then
    return ("%s with prediction (t test), exact permutation %s without"):format(p, exact)
  end
  return ("permutation %s with prediction and, exact, %s without"):format(p, exact)
end

--- One honest sentence, from the comparison c of the edfs a and b, whose means it holds.
local function verdict(c, a, b)
  local A, B = c.names[1], c.names[2]
  if c.identical then
    return ("%s and %s are the same models with the same errors: there is nothing to compare.")
      :format(A, B)
  end
  local level, failed = 100 * c.level, failures(c, a, b)
  local function measured(format) return input.measured(format, c.metric) end
  local tail = ("%s, %s)"):format(p_words(c), basis(c, a, b))
  if c.better then
    local good, bad, wins, lo, hi = B, A, c.p_better, -c.ci[2], -c.ci[1]
    if c.better == A then good, bad, wins, lo, hi = A, B, 1 - wins, -hi, -lo end
    return measured("%s is better than %s: its %s is %.2f points lower, %.2f against "
      .. "%.2f %% (%g %% CI %.2f to %.2f points, %s; a random model of %s beats a random "
      .. "one of %s %.0f %% of the time%s."):format(good, bad, mean_name(c),
      math.abs(c.mean_difference), math.min(c.mean[1], c.mean[2]),
      math.max(c.mean[1], c.mean[2]), level,
      lo, hi, tail, good, bad, 100 * wins, failed)
  end
  if not c.same and (a.n < 2 or b.n < 2 or not significant(c.least_p, c.level)) then
    return ("No claim: n = %d of %s and %d of %s are too few to compare%s; train more.")
      :format(a.n, A, b.n, B, c.by and (" at equal %s"):format(c.by) or "")
  end
  if c.same then
    return measured("%s and %s are the same within %g points: the %s of %s is %.2f %%, that of "
      .. "%s %.2f %% (%g %% CI of the difference %+.2f to %+.2f points, %s%s."):format(B, A,
      c.margin, mean_name(c), B, c.mean[2], A, c.mean[1], level, c.ci[1], c.ci[2], tail, failed)
  end
  local differ, more, but = "", "", "which chance can explain"
  if c.ks_p <= 1 - c.level then
    differ = (" (the EDFs themselves do differ: KS distance %.3f, %s)"):format(c.ks,
      p_text(c.ks_p))
  end
  if c.ci[1] > 0 or c.ci[2] < 0 then
    differ = differ .. "; the interval alone would claim it, but not the permutation test, "
      .. "which is right for any n"
  elseif significant(c.p_permutation, c.level) then
    but = "but a claim needs an interval without 0"
    differ = differ .. "; the permutation test alone would claim it"
  end
  if c.more and c.more > 0 then
    more = ("; n is too small: %s of each would settle a difference of this size")
      :format(input.more(c.more))
  end
  return measured("No claim: the %s of %s, %.2f %%, is %s that of %s, %.2f %%, %s "
    .. "(%g %% CI %+.2f to %+.2f points, %s%s%s%s."):format(mean_name(c), B, c.mean[2],
    c.mean_difference < 0 and "below" or c.mean_difference > 0 and "above" or "equal to", A,
    c.mean[1], but, level, c.ci[1], c.ci[2], tail, differ, more, failed)
end

--- A claim needs both: the interval excludes 0, and the permutation test, whose level is exact
-- for any n, rejects.
local function better(c)
  if (c.ci[1] > 0 or c.ci[2] < 0) and significant(c.p_permutation, c.level) then
    return c.names[c.mean_difference < 0 and 2 or 1]
  end
end

local comparison = {
  __name = "comparison",
  __tostring = function(c)
    if not c.ci then return c.verdict end
    return input.measured("%s\nKS distance %.3f, %s; mean difference %+.2f points, "
      .. "CI %+.2f to %+.2f; "
      .. "minimum %+.2f points, %+.2f to %+.2f", c.metric):format(c.verdict, c.ks,
      p_text(c.ks_p), c.mean_difference, c.ci[1], c.ci[2], c.min_difference, c.min_ci[1],
      c.min_ci[2])
  end,
}

options.declare({ "stats.compare", "stats.alternatives" },
  { seed = "integer", draws = "integer", level = "number", margin = "number",
    by = "string|function", bins = "integer", range = "table", metric = "string",
    predict = "boolean|table" })

-- Where the models of b are in a: those a refined space has taken over from its parent are
-- the same networks with the same errors.  @treturn table places, number of them
local function shared_models(a, b)
  local place, at, n = {}, {}, 0
  if type(a) ~= "table" or type(b) ~= "table" or not (a.models and b.models) then return at, 0 end
  local function key(r, i)
    local good, hash = pcall(arch.hash, r.models[i])
    return good and ("%s %.17g"):format(hash, r.errors[i]) or nil
  end
  for i = 1, #a.models do
    local k = key(a, i)
    if k then place[k] = i end
  end
  for i = 1, #b.models do
    local k = key(b, i)
    at[i] = k and place[k]
    if at[i] then n, place[k] = n + 1, nil end -- each of a once
  end
  return at, n
end

-- The models of both as one list: errors, bins and labels (1 of a, 2 of b, 3 of both).
local function pooled(a, b, shared, bin)
  local errors, bins, labels, where = {}, {}, {}, {}
  for side, list in ipairs { a, b } do
    for i, e in ipairs(list) do
      local k = bin and bin[side][i] or 1
      local same = side == 2 and shared[i] and where[shared[i]]
      if same then
        labels[same] = 3
      elseif k > 0 then
        local at = #errors + 1
        errors[at], bins[at], labels[at] = e, k, side
        if side == 1 then where[i] = at end
      end
    end
  end
  return errors, bins, labels
end

-- What a comparison rests on, with and without prediction.
local figures = { "mean_difference", "ci", "deviation", "mean", "p_better", "p_better_ci",
  "p_permutation", "more" }

--- Puts the figures by prediction into c, where there can be any, and keeps the others as
-- c.plain; else says in c.unpredicted why not.
local function predicted(c, a, b, o)
  local t, why
  if o.metric then
    why = ("only errors are predicted, not %s"):format(o.metric)
  else
    t, why = o.fits:difference(o.fits.place[a], o.fits.place[b], o)
  end
  c.unpredicted = why
  if not t then return end
  c.plain = { better = better(c) }
  for _, key in ipairs(figures) do c.plain[key], c[key] = c[key], t[key] end
  c.predicted = t.predicted
end

-- The fits that comparisons of the results `list` need, or nil where nothing is predicted.
local function fits(where, list, o)
  if not o.predict then return nil end
  local wish = o.by and predict.at_equal(o.predict, { by = o.by, lo = o.range[1], hi = o.range[2],
    bins = o.bins }) or o.predict
  local good, f = pcall(predict.fit, where, o.metric and {} or list, wish, o.seed or sys.seed())
  if not good then error(f, f == "interrupted" and 0 or 3) end
  local _, why = next(f.why)
  if why then f.of, f.why = {}, setmetatable({}, { __index = function() return why end }) end
  f.place = {}
  for i, r in ipairs(list) do f.place[r] = f.place[r] or i end
  return f
end

--- The comparison of a and b under checked options; errors blame `level` above the caller.
local function compare(where, a, b, o, level)
  local given = { a, b }
  for _, r in ipairs(given) do begun.refuse_chosen(where, r, level + 1) end
  a = input.by(where, "a", a, o.metric, level + 1)
  b = input.by(where, "b", b, o.metric, level + 1)
  local x, y = input.edf(where, "a", a), input.edf(where, "b", b)
  local seed, c = o.seed or sys.seed(), nil
  local places, shared = shared_models(a, b)
  if o.by or shared > 0 then
    local n = o.by and normalise.pair(where, a, b, o, level + 1) or { bins = 1 }
    local errors, bins, labels = pooled(a.errors, b.errors, places, n.bin)
    c = core.strata_compare(errors, bins, labels, n.bins, o.draws, seed, o.level)
    c.least_p = least_p(count_labels(labels, bins))
    if o.by then
      x, y, c.by, c.range, c.bins = n.edfs[1], n.edfs[2], n.by, { n.lo, n.hi }, n.bins
    end
  else
    c = core.compare(x, y, o.draws, seed, o.level)
    c.least_p = least_p { { x.n, y.n } }
  end
  c.shared, c.metric, c.p = shared, o.metric, c.p_permutation
  c.level, c.margin, c.n, c.failed = o.level, o.margin, { x.n, y.n }, { x.failed, y.failed }
  c.mean, c.min = { x.mean, y.mean }, { x.min, y.min }
  c.names = { x.name or "a", y.name or "b" }
  if c.names[1] == c.names[2] then
    c.names = { c.names[1] .. " (a)", c.names[2] .. " (b)" }
  end
  c.more = math.tointeger(c.more) -- nil for infinity
  if o.fits then predicted(c, given[1], given[2], o) end
  c.better = better(c)
  c.same = o.margin ~= nil and c.n[1] > 1 and c.n[2] > 1 and c.ci[1] >= -o.margin
    and c.ci[2] <= o.margin
  local p, q = x:finished(), y:finished()
  if x.failed + y.failed > 0 and p and q and not o.by and shared == 0 then
    local rest = core.compare(p, q, o.draws, seed, o.level)
    rest.level, rest.names = o.level, c.names
    c.without_failed = { better = better(rest), mean_difference = rest.mean_difference,
      ci = rest.ci, p_permutation = rest.p_permutation }
    if c.without_failed.better and not c.better then c.more = nil end -- more would not help
  end
  c.identical = rawequal(given[1], given[2])
    or shared > 0 and shared == #a.errors and shared == #b.errors
  local without = c.unpredicted and not c.identical and not o.predict.unasked
    and (" Without prediction: %s."):format(c.unpredicted) or ""
  c.verdict = caution.beside(verdict(c, x, y) .. without, c.names, given)
  return setmetatable(c, comparison)
end

-- Checked options, with defaults.
local function settings(where, o)
  o = options.check(where, o, 2)
  local s = {}
  for k, v in pairs(o) do s[k] = v end
  if s.margin and not (s.margin > 0) then
    error(("%s: margin is %s; it is a number of points above 0"):format(where, s.margin), 3)
  end
  if (s.bins or s.range) and not s.by then
    error(("%s: bins and range go with by=, as by = \"flops\""):format(where), 3)
  end
  if s.by and s.predict == nil then s.predict = false end -- asked for only: draws must be weighed
  local good, wish = pcall(predict.wish, where, s.predict)
  if not good then error((tostring(wish):gsub("^.-:%d+: ", "")), 3) end
  s.predict = wish
  return s
end

function M.compare(a, b, o)
  local where = "stats.compare"
  local s = settings(where, o)
  s.level, s.draws = input.level(where, s.level), input.draws(where, s.draws)
  input.check_metric(where, s.metric)
  local none = input.empty(a) and { "a", a } or input.empty(b) and { "b", b }
  if none then
    return setmetatable({ level = s.level, verdict = ("No claim: %s."):format(
      input.unfinished(none[1], none[2])) }, comparison)
  end
  local x, y = input.edf(where, "a", a), input.edf(where, "b", b)
  if x.weighted or y.weighted then
    error(("%s: %s is an edf with weights; give the results, and by = \"flops\""):format(
      where, x.weighted and "a" or "b"), 2)
  end
  if s.by and s.predict then s.range, s.bins = normalise.common(where, { a, b }, s, 1) end
  s.fits = fits(where, { a, b }, s)
  local c = compare(where, a, b, s, 1)
  return c
end

function M.ks(a, b)
  local d, p = core.ks(input.edf("stats.ks", "a", a), input.edf("stats.ks", "b", b))
  if not p then return d end
  return d, p
end

document("stats.compare", [[
stats.compare(a, b, { seed = 1, draws = 10000, level = 0.95, margin =, by =, … }) -> comparison
Is b (the refined space) better than a?  A verdict in words, and the figures behind it.
  a, b     lists of errors in percent, edfs or results
  margin   points that do not matter: the verdict may then be "the same within"
  metric   of results another one than the error, as in stats.edf; points are then its own
  by       "flops", "params", "acts", "time" (or any property): compare at equal complexity, as
           stats.normalise with the same bins and range; p-values by relabelling inside the
           bins; a and b are results then
  predict  the errors of untrained networks, corrected by the trained ones (stats.predict).  By
           default where it pays: spaces that are known, 20 to 1,000 networks of each, trained
           alike; from 3 on where others tell enough.  true, or { with =, features = } as there:
           from 10 networks on, and where it makes the interval no narrower the verdict says why;
           false: never.  One fit serves both, and learns from the other populations in their
           store as well ({ with = {} }: not); networks in both count as such.  With by= only
           where it is asked for: the p of the verdict is then that of Student's t
.verdict          one sentence; it claims something only if the interval excludes 0 and the
                  permutation p is at most 1 − level.  After it, as "Careful: …", what makes it
                  questionable: another recipe, other data, another window of complexity,
                  samples of the same space, models unfinished, untaught or failed at a limit.
                  Where a result has no finished models it says so, and there are no figures
.better           name of the better one, or nil when nothing can be claimed
.same             with a margin: whether the interval lies inside it
.mean_difference  mean(b) − mean(a) in points; negative: b is better
.ci, .deviation   { lo, hi } of it, by bootstrap: percentiles, expanded for small n; and its
                  standard error
.p                of the difference of means, by permutation: the verdict's (every split when
                  there are few, else random); also called .p_permutation; .least_p, below
                  which it cannot be for so few models
.p_better         P(a random model of b beats one of a), ties half (Mann-Whitney); with
                  prediction also .p_better_ci
.ks, .ks_p        Kolmogorov-Smirnov distance of the EDFs and its p-value, exact with ties
                  up to 4 million pairs; .ks_critical, the distance needed at 5 %
.min_difference   min(b) − min(a); .min_ci, its bootstrap interval, exact; it shows how much
                  hangs on a few models and does not cover the limits of the spaces
.more             models to add to each to show this difference in 80 % of trials, or nil (also
                  where only the failed models are in the way)
.identical        whether a and b are the same models
.shared           how many models are in both: adopted from a by b; they are then permuted and
                  resampled as such
.without_failed   where models failed: the same without them (better, mean_difference, ci,
                  p_permutation)
.predicted        where predictions were used: n, untrained networks of each; worth, how many
                  times as many trained ones would give this interval; r2 of each; populations
                  of the fit.  The figures above are then of the spaces, by prediction, the
                  interval Student's and p_permutation studentised; .plain has those of the
                  trained networks alone, with the exact p, which the verdict names beside it.  KS
                  and minimum are always theirs.  With models that are only begun (sweep.run:
                  early): begun, how many of each, epochs; p is that of Student's t then.  others:
                  where fewer than 10 networks of one are there, of how many of other populations
                  the predictor has learnt
.unpredicted      why there is no prediction
.names, .n, .failed, .mean, .min   of a and b; .level; with by= also .bins, how many, and .range
example: stats.compare({ 48, 51, 55, 60 }, { 40, 42, 45, 47 }).verdict
source: Smirnov 1939; Mann and Whitney 1947; Efron and Tibshirani 1993; Hesterberg 2014 (arXiv
  1411.5279); Radosavovic et al. 2019 (arXiv 1905.13214)]])

document("stats.ks", [[
stats.ks(a, b) -> distance, p
The two-sample Kolmogorov-Smirnov test alone: largest distance of two EDFs and its p-value
(of edfs with weights the distance only; stats.compare with by = has its p-value).
example: stats.ks({ 1, 2, 3, 4 }, { 5, 6, 7, 8 })
source: Smirnov 1939; exact with ties as Schröer and Trenkler 1995]])

-- For stats.alternatives and sequential statistics.
M._shared = { compare = compare, fits = fits, settings = settings, shared_models = shared_models,
  significant = significant }

return M
