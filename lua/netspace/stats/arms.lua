--- One parent and several candidates that are compared with it while all of them train: which of
-- these arms is decided, at which look.  The answer depends on the plan and the prefixes alone, so
-- that it is the same whenever, and however often, it is asked for.
--
-- The arms share the error probability.  Where only differences are claimed, by Holm's procedure:
-- each of m arms has 1/m of it, and when a difference is claimed the others have 1/(m − 1), with
-- the limits of that (Maurer and Bretz 2013).  Where sameness within a margin is claimed as well,
-- or intervals are what is wanted, each has 1/m to the end (Bonferroni): of a candidate that is
-- truly the same, a claim of sameness is right and a claim of a difference wrong, so that a claim
-- does not set free what the other kind could still err; and all intervals hold together.

local anytime = require "netspace.stats.anytime"
local boundaries = require "netspace.stats.boundaries"
local input = require "netspace.stats.input"
local looks = require "netspace.stats.looks"
local predict = require "netspace.stats.predict"
local prefix = require "netspace.stats.prefix"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}

local LEAST = 5 -- models at the first look: Student's t needs a spread
local LEAST_PRECISE = 10 -- or a small spread by chance would end it
local LOOKS, LOOKS_OF_PRECISION = 5, 20
local LEAST_STEP = 2e-4 -- of information between two looks (boundary.h: LOOKS_APART)

-- How many models of each there are at every look.
local function planned(where, o, most)
  local at, least = {}, o.precision and LEAST_PRECISE or LEAST
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
    local count = o.looks or o.precision and math.max(1, math.min(LOOKS_OF_PRECISION,
      most // LEAST_PRECISE)) or LOOKS
    if count < 1 then
      error(("%s: looks is %d; it must be at least 1"):format(where, count), 0)
    end
    for k = 1, count do at[k] = math.ceil(k * most / count) end
  end
  if (at[1] or 0) < least then
    error(("%s: the first look would be at %s of each; it needs at least %d: take fewer looks, or "
      .. "a larger n"):format(where, units.count(at[1] or 0, "model"), least), 0)
  end
  return at
end

--- The plan of checked options (looks, n, level, spending, margin, precision, predict, seed), as it
-- is fixed beforehand.
-- @tparam integer most  models of each at the last look, where o.n does not say
-- @treturn table at (models at the looks; nil: at any time), n, level, spending, margin, precision
function M.plan(where, o, most)
  local plan = { level = input.level(where, o.level), spending = o.spending,
    margin = looks.points(where, "margin", o.margin),
    precision = looks.points(where, "precision", o.precision), seed = o.seed or sys.seed() }
  plan.predict = predict.wanted(where, o.predict)
  -- Whether it pays would be asked anew at every moment: another bet each time.
  if o.looks == "anytime" and not o.predict then plan.predict = false end
  if plan.precision and (plan.margin or plan.spending) then
    error(("%s: precision and %s exclude each other: looks end at a narrow interval, or with a "
      .. "claim"):format(where, plan.margin and "margin" or "spending"), 0)
  elseif o.looks ~= "anytime" then
    plan.at = planned(where, o, o.n or most)
    plan.n = plan.at[#plan.at]
    boundaries._solve(where, { looks = plan.at, level = plan.level, spending = plan.spending })
  elseif plan.spending then
    error(("%s: looks at any time take no spending; that is for planned ones, such as looks = 5")
      :format(where), 0)
  end
  return plan
end

-- The information at the looks by the standard errors of the estimates so far, where predictions
-- were used: they improve as models are added, so that it is not that of the numbers of models.
-- (It is, as long as the predictor is what others tell alone.)
local function information(path, at)
  local k, t, any, last = #path, {}, false, 0
  for _, e in ipairs(path) do
    if not (e.se > 0 and e.se < math.huge) then return nil end
    any = any or e.predicted ~= nil and not e.predicted.guest
  end
  if not any then return nil end
  for j, n in ipairs(at) do
    local e = path[j]
    local x = e and (path[k].se / e.se) ^ 2 * at[k] / at[#at] or n / at[#at]
    t[j] = math.max(x, last + LEAST_STEP)
    last = t[j]
  end
  return t
end

--- The decision of an arm with these estimates at the level it has now.
function M.decide(where, plan, path, level)
  local b = boundaries._solve(where, { looks = plan.at, level = level, spending = plan.spending,
    information = information(path, plan.at) })
  local t = plan.precision and looks.narrow(b, path, plan.precision)
    or looks.decide(b, path, plan.margin)
  t.boundaries = b
  return t
end

-- Estimates by prediction at look k, by the number of the arm: one fit to what is known then.
local function predicted(where, parent, list, arms, open, plan, wish, k)
  local n, parts, found = plan.at[k], {}, {}
  local function add(what, x, most)
    parts[#parts + 1] = type(x) == "table" and x.errors and prefix._cut(x, prefix._of(where, what,
      x), most) or {}
  end
  add("a", parent, n)
  for i, x in ipairs(list) do add("b", x, open[i] and n or arms[i].n) end
  local fits = predict.fit(where, parts, wish, plan.seed)
  for i in ipairs(list) do
    local e, why = fits:estimate(1, i + 1)
    local guest = e and (e.x.guest or e.y.guest)
    if e and (guest or e.se < e.plain_se) then
      found[i] = { n = n, difference = e.difference, se = e.se, df = e.df,
        predicted = { n = math.min(e.x.N, e.y.N), worth = (e.plain_se / e.se) ^ 2, guest = guest } }
    else
      why = why or "the features explain too little of the errors"
      found[i] = { why = not wish.unasked and why or nil }
    end
  end
  return found
end

-- Gives each open arm its decision at the level it has, as long as claims set probability free.
-- @tparam function at_level  of the number of an arm and its level, the decision
local function share(plan, arms, open, at_level)
  local free = not plan.margin and not plan.precision
  local function claims()
    local n = 0
    for _, t in ipairs(arms) do n = n + (free and t.claim and 1 or 0) end
    return n
  end
  repeat
    local before = claims()
    for i, is_open in ipairs(open) do
      if is_open then
        arms[i] = at_level(i, 1 - (1 - plan.level) / (#arms - claims()))
        open[i] = not (arms[i].claim or arms[i].at)
      end
    end
  until claims() == before
end

-- The decisions at planned looks.
local function at_looks(where, parent, list, plan, names)
  local arms, paths, of, open = {}, {}, {}, {}
  for i, x in ipairs(list) do
    of[i] = prefix._pair(where, parent, x, names and names[i])
    arms[i], open[i], paths[i] = { looks = {} }, true, {}
  end
  local plain, taken = {}, 0
  local wish = plan.predict and predict.with_others(plan.predict, { parent, table.unpack(list) })
  for i, p in ipairs(of) do plain[i] = looks.estimates(p, plan.at) end
  for k in ipairs(plan.at) do
    local ready, any = true, false
    for i in ipairs(list) do
      ready, any = ready and (not open[i] or plain[i][k] ~= nil), any or open[i]
    end
    if not ready or not any then break end
    taken = k
    local found = wish and predicted(where, parent, list, arms, open, plan, wish, k) or {}
    for i in ipairs(list) do
      if open[i] then
        local e = found[i] and found[i].difference and found[i] or plain[i][k]
        e.unpredicted = found[i] and found[i].why
        paths[i][k] = e
      end
    end
    share(plan, arms, open, function(i, level) return M.decide(where, plan, paths[i], level) end)
    for _, t in ipairs(arms) do t.n = plan.at[#t.looks] end
  end
  for i, t in ipairs(arms) do
    t.plan, t.n = plan.at, plan.at[#t.looks] or 0
    t.boundaries = t.boundaries or boundaries._solve(where, { looks = plan.at,
      spending = plan.spending, level = 1 - (1 - plan.level) / #list })
    t.level, t.margin, t.precision = t.boundaries.level, plan.margin, plan.precision
    t.over = t.over or false
    t.next = not t.over and plan.at[taken + 1] or nil
    looks.finish(t, of[i], parent, list[i], (t.mean_difference or 0) > 0 and "a" or "b",
      looks.verdict)
  end
  return arms, plan.at[taken + 1]
end

-- The first pair at which the interval that no moment has refuted is narrow enough.
local function narrow_at(t, precision)
  local lo, hi = -math.huge, math.huge
  for i = 1, t.path and #t.path.n or 0 do
    lo, hi = math.max(lo, t.path.lo[i]), math.min(hi, t.path.hi[i])
    if (hi - lo) / 2 <= precision then return i end
  end
end

-- The decisions at any time.
local function at_any_time(where, parent, list, plan, names)
  local arms, open = {}, {}
  for i in ipairs(list) do arms[i], open[i] = {}, true end
  share(plan, arms, open, function(i, level)
    local t = anytime._decide(where, parent, list[i], { level = level, margin = plan.margin,
      seed = plan.seed }, names and names[i], plan.predict)
    if plan.precision then
      t.at = narrow_at(t, plan.precision)
      t.over = t.at ~= nil
    end
    return t
  end)
  return arms
end

--- What may be said of each candidate now.
-- @tparam table parent  a result, finished or not, or errors in the order of drawing
-- @tparam table list  the same for each candidate
-- @tparam table plan  of M.plan
-- @tparam[opt] table names  of candidates that have none
-- @treturn table arms (a decision each: claim, better, over, at, n, ci, verdict, …), over (all
--   are), next (models of each at the next look), level, plan
function M.judge(where, parent, list, plan, names)
  local arms, next_look
  if plan.at then
    arms, next_look = at_looks(where, parent, list, plan, names)
  else
    arms = at_any_time(where, parent, list, plan, names)
  end
  local t = { arms = arms, over = true, level = plan.level, n = plan.n, looks = plan.at }
  for _, arm in ipairs(arms) do t.over = t.over and arm.over end
  t.next = not t.over and next_look or nil
  return t
end

return M
