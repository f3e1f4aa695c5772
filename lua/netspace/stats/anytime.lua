--- A comparison that may be looked at after every model, without a planned end.  Mechanism:
-- anytime.h; what is looked at: prefix.lua.

local blame = require "netspace.lib.blame"
local core = require "netspace.core.sequential"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local prefix = require "netspace.stats.prefix"
local looks = require "netspace.stats.looks"
local sys = require "netspace.core.sys"

local M = {}

local TIGHTEST, FIRST = 50, 10

-- The interval, its e-values and the pair at which it is decided, by a mixture of normal bets.
local function by_means(p, o, alpha)
  local t = { lo = -math.huge, hi = math.huge, path = { n = {} } }
  local path = t.path
  path.difference, path.lo, path.hi, path.e = core.means(p.a, p.b, p.n, o.tightest, alpha)
  for i, e in ipairs(path.e) do
    path.n[i], path.e[i] = i, math.exp(e)
    if i < o.first then path.lo[i], path.hi[i] = -math.huge, math.huge end
    local lo, hi = math.max(t.lo, path.lo[i]), math.min(t.hi, path.hi[i])
    if lo <= hi then t.lo, t.hi = lo, hi end -- what was refuted once stays so
    t.most = i >= o.first and math.max(t.most or 0, path.e[i]) or t.most
    if not t.at and (t.lo > 0 or t.hi < 0) then t.at, t.claim = i, "difference" end
    if not t.at and o.margin and t.lo >= -o.margin and t.hi <= o.margin then
      t.at, t.claim = i, "same"
    end
  end
  return t
end

-- The same by bets on differences in −100 … 100, which assume nothing.
local function by_bets(p, o, alpha)
  local above, below = core.capital(p.a, p.b, p.n, alpha, 0)
  local t, limit = { path = { n = {}, e = {} }, most = 0 }, math.log(1 / alpha)
  local more, less -- than −margin, than margin
  if o.margin then
    more = core.capital(p.a, p.b, p.n, alpha, -o.margin)
    less = select(2, core.capital(p.a, p.b, p.n, alpha, o.margin))
  end
  local is_more, is_less = false, false
  for i = 1, p.n do
    local e = math.max(above[i], below[i])
    t.path.n[i], t.path.e[i] = i, math.exp(e)
    t.most = math.max(t.most, t.path.e[i])
    if not t.at and e >= limit then t.at, t.claim = i, "difference" end
    is_more, is_less = is_more or more and more[i] >= limit, is_less or less and less[i] >= limit
    if not t.at and is_more and is_less then t.at, t.claim = i, "same" end
  end
  t.lo, t.hi = core.interval(p.a, p.b, p.n, alpha)
  if t.at then -- what was refuted when it was decided stays so
    local lo, hi = core.interval(p.a, p.b, t.at, alpha)
    local both_lo, both_hi = math.max(lo, t.lo), math.min(hi, t.hi)
    if both_lo <= both_hi then lo, hi = both_lo, both_hi end
    t.lo, t.hi = lo, hi
  end
  return t
end

local function mean_of(list, n)
  local sum = 0
  for i = 1, n do sum = sum + list[i] end
  return sum / n
end

local function e_text(e) return e >= 1e6 and "above a million" or ("%.3g"):format(e) end

local function verdict(t, p)
  local A, B = t.names[1], t.names[2]
  if t.n < t.first then
    return ("No look yet: the first is at %d models of each; in the order of drawing, %d of %s "
      .. "and %d of %s have ended."):format(t.first, p.have[1], A, p.have[2], B)
  end
  local function interval(range, e)
    return ("(%.4g %% CI that holds at every moment: %s points%s%s)"):format(100 * t.level, range,
      e and "; e-value " .. e_text(e) or "", t.predicted and ", with predictions" or t.unpredicted
      and "; without prediction: " .. t.unpredicted or "")
  end
  local range = ("%+.2f to %+.2f"):format(t.ci[1], t.ci[2])
  local decided = t.at and ("decided at model %d of each%s"):format(t.at, t.n > t.at
    and (", %d looked at"):format(t.n) or "")
  if t.better then
    local lo, hi = math.abs(t.ci[1]), math.abs(t.ci[2])
    return ("%s is better than %s, %s: its mean error is %.2f points lower %s."):format(t.better,
      t.better == A and B or A, decided, math.abs(t.mean_difference),
      interval(("%.2f to %.2f"):format(math.min(lo, hi), math.max(lo, hi)), t.e_most))
  elseif t.same then
    return ("%s and %s are the same within %g points, %s %s."):format(B, A, t.margin, decided,
      interval(range))
  end
  return ("Not decided after %d models of each: the mean error of %s is %.2f points %s that of %s "
    .. "%s.  More models may be added at any time."):format(t.n, B, math.abs(t.mean_difference),
    t.mean_difference < 0 and "below" or "above", A, interval(range, t.e))
end

local anytime = { __name = "anytime", __tostring = function(t) return t.verdict end }

options.declare("stats.anytime", { level = "number", margin = "number", tightest = "integer",
  exact = "boolean", first = "integer", predict = "boolean|table", seed = "integer" })
options.declare("stats.anytime: predict", { with = "table", features = "table" })

-- Puts into p, in place of the errors, what is left of them by predictions made before; else why
-- nothing is.
local function foretold(where, a, b, p, wish, seed)
  local results = { a, b }
  for k, r in ipairs(results) do
    if type(r) ~= "table" or not r.errors then return "its networks are not known" end
    results[k] = prefix._cut(r, prefix._of(where, k == 1 and "a" or "b", r), p.n)
  end
  local x, y = predict.before(where, results[1], results[2], p.n, wish, seed)
  if not x then return y end
  p.a, p.b = x, y
end

--- What stats.anytime gives, for `where`; `what` names b where it has no name; `wish` is to be
-- predicted as of predict.lua, where o does not say.
function M._decide(where, a, b, o, what, wish)
  o = options.check(where, o, 1, "stats.anytime")
  local s = { level = input.level(where, o.level), margin = looks.points(where, "margin", o.margin),
    tightest = o.tightest or TIGHTEST, first = o.first or (o.exact and 1 or FIRST) }
  for _, key in ipairs { "tightest", "first" } do
    if s[key] < 1 then
      error(("%s: %s is %d; it is a number of models"):format(where, key, s[key]), 0)
    end
  end
  local never = o.exact and (o.tightest and "tightest" or o.first and "first"
    or o.predict and "predict")
  if never then error(("%s: an exact sequence has no %s"):format(where, never), 0) end
  local p = prefix._pair(where, a, b, what)
  local t = { n = p.n, level = s.level, margin = s.margin, exact = o.exact or false,
    first = math.tointeger(s.first), ci = { -math.huge, math.huge }, e = 1, p = 1 }
  wish = wish or predict.asked(where, o.predict)
  if wish and p.n >= 1 then
    t.unpredicted = foretold(where, a, b, p, wish, o.seed or sys.seed())
    t.predicted = t.unpredicted == nil
  end
  if p.n >= 1 then
    local found = (o.exact and by_bets or by_means)(p, s, 1 - s.level)
    t.at, t.claim, t.path, t.ci = found.at, found.claim, found.path, { found.lo, found.hi }
    t.e, t.e_most = found.path.e[p.n], found.most or 1
    t.p = math.min(1, 1 / t.e_most)
    t.mean_difference = mean_of(p.b, p.n) - mean_of(p.a, p.n)
  end
  t.over = t.claim ~= nil
  looks.finish(t, p, a, b, t.ci[1] > 0 and "a" or "b", verdict)
  return setmetatable(t, anytime)
end

function M.anytime(a, b, o)
  return (blame.call(1, blame.plainly, M._decide, "stats.anytime", a, b, o))
end

document("stats.anytime", [[
stats.anytime(a, b, { level = 0.95, margin =, tightest = 50, exact = false, … }) -> decision
Is b better than a?  Asked after every pair of models, as often as you like, without a last one.
  a, b      results, finished or not, or lists of errors in the order the models were drawn; a
            failed model counts as 100 %
  margin    points that do not matter: decides, too, that the two are the same within them
  tightest  models of each at which the interval is narrowest beside that of a single look there
  first     models of each before which nothing is said (10); not for exact
  predict   true, or { with =, features = }: of each error counts what was not predicted of it from
            the models before it (and other populations, as in stats.predict); only of results
            whose spaces are known, and not with exact.  More models change nothing of what was
            said before; more of the other populations in the store would: name them (with =).
            .predicted, .unpredicted: why not
  exact     true: bets on differences of which nothing is assumed but that errors lie in 0 … 100;
            right for any errors, and slow, because a few failed models could still change the
            mean: a difference of d points takes at least some 740/d models of each
Only models 1 to n of both, all ended, are looked at, as in stats.sequential.  The interval holds
the true difference at every n at once with probability `level`, so that you may stop, or add
models, whenever you like.  The price: to find a difference it takes, on average, 10 to 30 % more
models than one look at the end, often fewer and sometimes three times as many; with a maximum
fixed beforehand stats.sequential takes fewer.
.claim    "difference" (.better, which), "same", or nil; .at, the model at which it was decided
.ci       of mean(b) − mean(a), what no moment has refuted; .mean_difference
.e, .p    e-value, what a bet against "no difference" has made of 1; .e_most, the most it ever
          made; .p = 1/.e_most, a p-value at every moment
.n, .ignored   models of each looked at; ended models beyond
.path     lists n, e and, unless exact, difference, lo, hi after each pair, for plots
.verdict  one sentence
The interval assumes a mean of errors that is near normal from `first` models on (exact for normal
errors).
example: stats.anytime({ 48, 51, 55, 60, 53 }, { 40, 42, 45, 47, 41 }, { first = 3 }).ci
example: stats.anytime({ 48, 51, 55 }, { 4, 5, 6 }, { exact = true, level = 0.9 }).e
source: Robbins 1970; Howard et al. 2021 (arXiv 1810.08240); Waudby-Smith et al. 2021 (arXiv
  2103.06476, also predictions); Lindon et al. 2022 (arXiv 2210.08589); Waudby-Smith and Ramdas
  2024 (exact)]])

return M
