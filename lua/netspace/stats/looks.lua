--- Two populations at the planned looks of a sequential test: estimates, decisions, sentences.
-- Mechanism: boundary.h; what is looked at: prefix.lua.

local caution = require "netspace.stats.caution"
local compared = require "netspace.stats.compare"
local core = require "netspace.core.sequential"
local input = require "netspace.stats.input"
local prefix = require "netspace.stats.prefix"
local units = require "netspace.lib.units"

local M = {}

local MOST = 25 -- of |z|; what is beyond is as certain

-- The sums of squares around the mean, and the means, of the first n errors at the looks `at`.
local function moments(errors, at, looks)
  local mean, squares, k, list = 0, 0, 1, {}
  for i = 1, looks > 0 and at[looks] or 0 do
    local d = errors[i] - mean
    mean = mean + d / i
    squares = squares + d * (errors[i] - mean)
    if i == at[k] then
      list[k] = { mean = mean, squares = squares }
      k = k + 1
    end
  end
  return list
end

--- The plain estimates of a pair p (prefix._pair) at the looks that can be taken: lists of
-- { n =, difference =, se =, df = }, Welch's.
function M.estimates(p, at)
  local looks, list = 0, {}
  while at[looks + 1] and at[looks + 1] <= p.n do looks = looks + 1 end
  local x, y = moments(p.a, at, looks), moments(p.b, at, looks)
  for k = 1, looks do
    local n, u, v = at[k], x[k].squares, y[k].squares
    list[k] = { n = n, difference = y[k].mean - x[k].mean, se = math.sqrt((u + v) / (n * (n - 1))),
      df = (n - 1) * (u + v) ^ 2 / (u ^ 2 + v ^ 2) }
  end
  return list
end

-- How far the estimate e lies from 0 as a normal deviate, and half the interval that reaches as
-- far as c of these.
local function judged(e, c)
  if e.se == 0 then return 0, math.huge end -- all alike: nothing is known of the spread
  if e.df == math.huge then
    return math.max(-MOST, math.min(MOST, e.difference / e.se)), c * e.se
  end
  return math.max(-MOST, math.min(MOST, core.deviate(e.difference / e.se, e.df))),
    c == math.huge and c or core.student(c, e.df) * e.se
end

-- A row of the table of looks.
local function row_of(e, information, c)
  local z, half = judged(e, c)
  return { n = e.n, information = information, difference = e.difference, se = e.se, z = z,
    limit = c, ci = { e.difference - half, e.difference + half }, predicted = e.predicted,
    unpredicted = e.unpredicted }
end

--- What may be said after the looks so far.
-- @tparam table b what boundaries._solve gave
-- @tparam table list of an estimate for each look so far: n, difference, se and df (math.huge:
--   se is known, not estimated), of whatever kind: plain means or corrected predictions
-- @tparam[opt] number margin points that do not matter
-- @treturn table looks (rows), at (the look that decided, or nil), claim ("difference", "same"
--   or nil), over, mean_difference, estimate, ci, p
function M.decide(b, list, margin)
  local t = { looks = {}, level = b.level, margin = margin }
  for k, e in ipairs(list) do
    local row = row_of(e, b.information[k], b.z[k])
    t.looks[k] = row
    if math.abs(row.z) >= b.z[k] then
      row.claim = "difference"
    elseif margin and row.ci[1] >= -margin and row.ci[2] <= margin then
      row.claim = "same"
    end
    t.over = row.claim ~= nil or k == b.looks
    if t.over then
      t.claim, t.at = row.claim, row.claim and k or nil
      break
    end
  end
  local k = #t.looks
  local last = t.looks[k]
  if not last then return t end
  t.mean_difference, t.estimate, t.ci = last.difference, last.difference, last.ci
  if t.over and t.claim ~= "same" and last.se > 0 then
    local e, root = list[k], math.sqrt(last.information)
    local function points(drift) -- the difference of which z would be as far from its drift
      local off = last.z - drift * root
      return e.difference - e.se * (e.df == math.huge and off or core.student(off, e.df))
    end
    local p, estimate, lo, hi = core.stagewise(b.information, b.z, k, last.z, b.level)
    t.p, t.estimate, t.ci = p, points(estimate), { points(lo), points(hi) }
  end
  return t
end

--- The same where looks go on until half the interval of a single look is at most `precision`.
-- When that is depends on the spread of the errors, not on their difference, so that the interval
-- needs no correction (Chow and Robbins 1965).
function M.narrow(b, list, precision)
  local t = { looks = {}, level = b.level, precision = precision }
  local c = core.normal(0.5 + b.level / 2)
  for k, e in ipairs(list) do
    local row = row_of(e, b.information[k], c)
    t.looks[k] = row
    t.at = row.ci[2] - row.difference <= precision and k or nil
    t.over = t.at ~= nil or k == b.looks
    if t.over then break end
  end
  local last = t.looks[#t.looks]
  if not last then return t end
  t.mean_difference, t.estimate, t.ci = last.difference, last.difference, last.ci
  if t.over then
    t.p = 2 * core.tail(math.abs(last.z))
    t.claim = math.abs(last.z) >= c and "difference" or nil
    last.claim = t.claim
  end
  return t
end

local function interval(ci) return ("%+.2f to %+.2f"):format(ci[1], ci[2]) end

-- "from 40 trained and 20,000 predicted networks of each, worth about 130 trained ones", or "".
local function by_prediction(row)
  local p = row.predicted
  if not p then
    return row.unpredicted and ("; without prediction: %s"):format(row.unpredicted) or ""
  end
  if p.guest then -- of so few the worth is chance
    return (", from %d trained and %s predicted networks of each, as %d of other populations tell")
      :format(row.n, units.thousands(p.n), p.guest)
  end
  local worth = units.thousands(math.floor(p.worth * row.n + 0.5))
  return (", from %d trained and %s predicted networks of each, worth about %s trained ones")
    :format(row.n, units.thousands(p.n), worth)
end

-- "the mean error of B is 1.20 points below that of A"
local function apart(t)
  return ("the mean error of %s is %.2f points %s that of %s"):format(t.names[2],
    math.abs(t.mean_difference), t.mean_difference < 0 and "below" or "above", t.names[1])
end

local function narrow_verdict(t, row, where, level)
  if not t.over then
    return ("Not yet within %g points after %s: %s (%s points%s).  The next look is at %d."):format(
      t.precision, where, apart(t), interval(t.ci), by_prediction(row), t.next)
  end
  return ("%s %s: %s (%.4g %% CI %s points, %s%s)."):format(t.at and ("Within %g points"):format(
    t.precision) or ("Not within %g points"):format(t.precision), t.at and "at " .. where
    or ("after the last look, at %d models of each"):format(t.n), apart(t), level, interval(t.ci),
    input.p_text(t.p), by_prediction(row))
end

--- The sentence on t, a decision (with n, next, plan and names), of p, a pair of prefixes.
function M.verdict(t, p)
  local A, B, k = t.names[1], t.names[2], #t.looks
  if k == 0 then
    return ("No look yet: the first is at %d models of each; in the order of drawing, %d of %s and "
      .. "%d of %s have ended."):format(t.plan[1], p.have[1], A, p.have[2], B)
  end
  local where = ("look %d of %d, at %d of %d models of each"):format(k, #t.plan, t.n,
    t.plan[#t.plan])
  local level, row = 100 * t.level, t.looks[k]
  if t.precision then return narrow_verdict(t, row, where, level) end
  if t.claim == "difference" then
    local good, bad = t.better, t.better == A and B or A
    local lo, hi = math.abs(t.ci[1]), math.abs(t.ci[2])
    return ("%s is better than %s, decided at %s: its mean error is %.2f points lower, %.2f when "
      .. "corrected for stopping there (%.4g %% CI %.2f to %.2f points, %s%s)."):format(good, bad,
      where, math.abs(t.mean_difference), math.abs(t.estimate), level, math.min(lo, hi),
      math.max(lo, hi), input.p_text(t.p), by_prediction(row))
  elseif t.claim == "same" then
    return ("%s and %s are the same within %g points, decided at %s (%.4g %% CI of the difference "
      .. "that holds at all looks: %s points%s)."):format(B, A, t.margin, where, level,
      interval(t.ci), by_prediction(row))
  elseif t.over then
    return ("No claim after the last look, at %d models of each: %s (%.4g %% CI %s points%s%s).  "
      .. "More models would make it another experiment; stats.anytime has no last look."):format(
      t.n, apart(t), level, interval(t.ci), t.p and ", " .. input.p_text(t.p) or "",
      by_prediction(row))
  end
  return ("Not decided after %s: %s%s.  The next look is at %d."):format(where, apart(t),
    t.ci[2] < math.huge and (" (%.4g %% CI that holds at all looks: %s points%s)"):format(level,
    interval(t.ci), by_prediction(row)) or "", t.next)
end

--- The cells of a row of looks: points, z, limit, interval, claim.
function M.cells(row)
  return ("%+.2f"):format(row.difference), ("%+.2f"):format(row.z),
    row.limit == math.huge and "none" or ("%.2f"):format(row.limit),
    row.ci[2] < math.huge and interval(row.ci) or "", row.claim or ""
end

-- What cautions are taken from; that models are unfinished is no reason for any here.
local function whole(r)
  return type(r) == "table" and { errors = r.errors, n = r.errors and #r.errors, card = r.card,
    recipe = r.recipe, space = r.space, limited = r.limited, _origin = r._origin } or r
end

--- Verdict, names and what else both kinds of sequential statistic tell of p, a pair of prefixes.
-- @tparam string better  "a" or "b": the better one, if a difference is claimed
-- @tparam function text  of t and p, the sentence
function M.finish(t, p, a, b, better, text)
  local _, shared = compared._shared.shared_models(a, b)
  t.names = p.names
  t.better = t.claim == "difference" and p.names[better == "a" and 1 or 2] or nil
  t.same = t.claim == "same"
  t.ignored = { a = p.ended[1] - t.n, b = p.ended[2] - t.n }
  t.verdict = caution.beside(text(t, p) .. prefix._ignored(p, t.n)
    .. (shared > 0 and (" Careful: %s in both, so that the interval is wider than it need be.")
      :format(shared == 1 and "1 model is" or shared .. " models are") or ""), p.names,
    { whole(a), whole(b) })
  return t
end

--- The margin or precision of an option table, checked.
function M.points(where, key, value)
  if value and not (value > 0) then
    error(("%s: %s is %s; it is a number of points above 0"):format(where, key, value), 0)
  end
  return value
end

return M
