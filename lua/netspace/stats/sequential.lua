--- A comparison that is looked at a few planned times while models are trained.  Mechanism:
-- boundary.h; what is looked at: prefix.lua.

local boundaries = require "netspace.stats.boundaries"
local caution = require "netspace.stats.caution"
local compared = require "netspace.stats.compare"
local blame = require "netspace.lib.blame"
local core = require "netspace.core.sequential"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local prefix = require "netspace.stats.prefix"
local units = require "netspace.lib.units"

local M = {}

local MOST = 25 -- of |z|; what is beyond is as certain
local LEAST = 5 -- models at the first look: Student's t needs a spread

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

-- The estimates at the looks that can be taken: { n =, difference =, se =, df = }, Welch's.
local function estimates(p, at)
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

-- How far the estimate e lies from 0 as a normal deviate, and half its repeated interval.
local function judged(e, c)
  if e.se == 0 then return 0, math.huge end -- all alike: nothing is known of the spread
  if e.df == math.huge then
    return math.max(-MOST, math.min(MOST, e.difference / e.se)), c * e.se
  end
  return math.max(-MOST, math.min(MOST, core.deviate(e.difference / e.se, e.df))),
    c == math.huge and c or core.student(c, e.df) * e.se
end

--- What may be said after the looks so far.
-- @tparam table b what boundaries._solve gave
-- @tparam table list of an estimate for each look so far: n, difference, se and df (math.huge:
--   se is known, not estimated), of whatever kind: plain means or corrected predictions
-- @tparam[opt] number margin points that do not matter
-- @treturn table looks (rows), at (the look that decided, or nil), claim ("difference", "same"
--   or nil), over, mean_difference, estimate, ci, p
function M._decide(b, list, margin)
  local t = { looks = {}, level = b.level, margin = margin }
  for k, e in ipairs(list) do
    local z, half = judged(e, b.z[k])
    local row = { n = e.n, information = b.information[k], difference = e.difference, se = e.se,
      z = z, limit = b.z[k], ci = { e.difference - half, e.difference + half } }
    t.looks[k] = row
    if math.abs(z) >= b.z[k] then
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

local function interval(t) return ("%+.2f to %+.2f"):format(t.ci[1], t.ci[2]) end

local function verdict(t, p)
  local A, B, k = t.names[1], t.names[2], #t.looks
  if k == 0 then
    return ("No look yet: the first is at %d models of each; in the order of drawing, %d of %s and "
      .. "%d of %s have ended."):format(t.plan[1], p.have[1], A, p.have[2], B)
  end
  local where = ("look %d of %d, at %d of %d models of each"):format(k, #t.plan, t.n,
    t.plan[#t.plan])
  local level = 100 * t.level
  if t.claim == "difference" then
    local good, bad = t.better, t.better == A and B or A
    local lo, hi = math.abs(t.ci[1]), math.abs(t.ci[2])
    return ("%s is better than %s, decided at %s: its mean error is %.2f points lower, %.2f when "
      .. "corrected for stopping there (%g %% CI %.2f to %.2f points, %s)."):format(good, bad,
      where, math.abs(t.mean_difference), math.abs(t.estimate), level, math.min(lo, hi),
      math.max(lo, hi), input.p_text(t.p))
  elseif t.claim == "same" then
    return ("%s and %s are the same within %g points, decided at %s (%g %% CI of the difference "
      .. "that holds at all looks: %s points)."):format(B, A, t.margin, where, level, interval(t))
  elseif t.over then
    return ("No claim after the last look, at %d models of each: the mean error of %s is %.2f "
      .. "points %s that of %s (%g %% CI %s points%s).  More models would make it another "
      .. "experiment; stats.anytime has no last look."):format(t.n, B,
      math.abs(t.mean_difference), t.mean_difference < 0 and "below" or "above", A, level,
      interval(t), t.p and ", " .. input.p_text(t.p) or "")
  end
  return ("Not decided after %s: the mean error of %s is %.2f points %s that of %s%s.  The next "
    .. "look is at %d."):format(where, B, math.abs(t.mean_difference),
    t.mean_difference < 0 and "below" or "above", A, t.ci[2] < math.huge
    and (" (%g %% CI that holds at all looks: %s points)"):format(level, interval(t)) or "", t.next)
end

local sequential = input.tabular("sequential", function(t)
  local rows = { { "look", "models", "points", "z", "limit", "interval", "claim" } }
  for k, n in ipairs(t.plan) do
    local row = t.looks[k]
    local limit = t.boundaries.z[k]
    rows[k + 1] = { ("%d"):format(k), ("%d"):format(n), row and ("%+.2f"):format(row.difference)
      or "", row and ("%+.2f"):format(row.z) or "", limit == math.huge and "none"
      or ("%.2f"):format(limit), row and row.ci[2] < math.huge and interval(row) or "",
      row and row.claim or "" }
  end
  return rows
end, function(t) return t.verdict end)

-- How many models of each there are at every look.
local function planned(where, o, p)
  local most, at = o.n or p.planned, {}
  if type(o.looks) == "table" then
    for k, n in ipairs(o.looks) do
      if not math.tointeger(n) then
        error(("%s: looks[%d] is %s; it is a number of models"):format(where, k, tostring(n)), 0)
      end
      at[k] = math.tointeger(n)
    end
    if o.n and at[#at] ~= math.tointeger(o.n) then
      error(("%s: the last look is at %s models, but n is %d"):format(where, tostring(at[#at]),
        o.n), 0)
    end
  else
    local looks = o.looks or 5
    if looks < 1 then
      error(("%s: looks is %d; it must be at least 1"):format(where, looks), 0)
    end
    for k = 1, looks do at[k] = math.ceil(k * most / looks) end
  end
  if (at[1] or 0) < LEAST then
    error(("%s: the first look would be at %s of each; it needs at least %d: take fewer looks, or "
      .. "a larger n"):format(where, units.count(at[1] or 0, "model"), LEAST), 0)
  end
  return at
end

-- What cautions are taken from; that models are unfinished is no reason for any here.
local function whole(r)
  return type(r) == "table" and { errors = r.errors, n = r.errors and #r.errors, card = r.card,
    recipe = r.recipe, space = r.space, limited = r.limited, _origin = r._origin } or r
end

--- Verdict, names and what else both kinds of sequential statistic tell of p, a pair of prefixes.
-- @tparam string better  "a" or "b": the better one, if a difference is claimed
-- @tparam function text  of t and p, the sentence
function M._finish(t, p, a, b, better, text)
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

options.declare("stats.sequential", { n = "integer", looks = "integer|table", level = "number",
  spending = "string|table", margin = "number" })

--- The margin of an option table, checked.
function M._margin(where, margin)
  if margin and not (margin > 0) then
    error(("%s: margin is %s; it is a number of points above 0"):format(where, margin), 0)
  end
  return margin
end

local function decide(a, b, o)
  local where = "stats.sequential"
  o = options.check(where, o)
  local margin, p = M._margin(where, o.margin), prefix._pair(where, a, b)
  local at = planned(where, o, p)
  local limits = boundaries._solve(where, { looks = at, level = o.level, spending = o.spending })
  local t = M._decide(limits, estimates(p, at), margin)
  t.plan, t.boundaries, t.n = at, limits, #t.looks > 0 and at[#t.looks] or 0
  t.next = not t.over and at[#t.looks + 1] or nil
  local better = (t.mean_difference or 0) > 0 and "a" or "b"
  return setmetatable(M._finish(t, p, a, b, better, verdict), sequential)
end

function M.sequential(a, b, o)
  return (blame.call(1, blame.plainly, decide, a, b, o))
end

document("stats.sequential", [[
stats.sequential(a, b, { n =, looks = 5, level = 0.95, spending =, margin =, … }) -> decision
Is b better than a?  Asked at a few planned looks while both train, and settled as soon as it can.
  a, b      results, finished or not, or lists of errors in the order the models were drawn; a
            failed model counts as 100 %
  n         models of each at the last look (default: as many as are planned)
  looks     how many, or a list: models of each at each look
  spending  "obrien-fleming", "pocock" or {"power", rho}, as in stats.boundaries
  margin    points that do not matter: stops, too, when the two are the same within them
A look is taken when models 1 to n of both have ended, and sees only those: small networks end
first, so that all that have ended so far would be a biased sample.  All looks together err with
probability 1 − level.  To find a difference it takes about a sixth fewer models than one look at
the end, on average, and 2.5 % more at most (stats.boundaries says how many, more exactly); n,
looks and spending must be fixed beforehand.
.claim      "difference" (.better, which), "same", or nil; .over, whether to stop; .at, the look
.estimate   of mean(b) − mean(a), median unbiased although it stopped; .mean_difference, plain
.ci, .p     interval and p-value, both corrected (stage-wise); before the end, and for the same,
            .ci is the repeated interval, which holds at all looks at once
.n, .next   models of each looked at, and at the next look; .ignored, ended models beyond
.looks      n, difference, se, z, limit, ci (repeated), claim of each look so far
.verdict    one sentence; prints with a table of the looks
example: stats.sequential({ 48, 51, 55, 60, 53 }, { 40, 42, 45, 47, 41 }, { looks = 1 }).verdict
example: stats.sequential({ errors = {}, n = 20 }, { 40, 42 }, { n = 20, looks = 2 }).verdict
source: Lan and DeMets 1983; Jennison and Turnbull 2000, chapters 7 to 9; Welch 1947 (t)]])

return M
