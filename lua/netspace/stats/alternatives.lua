--- Several alternatives to one population: all pairs are compared, and what may be claimed of
-- them together is decided by Holm's step-down procedure.  A claim, its interval and its p
-- are of one step, so that they cannot contradict each other.

local caution = require "netspace.stats.caution"
local compared = require "netspace.stats.compare"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local normalise = require "netspace.stats.normalise"
local units = require "netspace.lib.units"

local M = {}

local about = input.about
local shared = compared._shared

function M.holm(p)
  local order, adjusted, largest = {}, {}, 0
  if type(p) ~= "table" then
    error("stats.holm: it wants a list of p-values, not a " .. type(p), 2)
  end
  for i, value in ipairs(p) do
    if type(value) ~= "number" or not (value >= 0 and value <= 1) then
      error(("stats.holm: p-value %d is %s; it must be from 0 to 1"):format(i,
        tostring(value)), 2)
    end
    order[i] = i
  end
  table.sort(order, function(i, j) return p[i] < p[j] or p[i] == p[j] and i < j end)
  for rank, i in ipairs(order) do
    largest = math.max(largest, math.min(1, (#order - rank + 1) * p[i]))
    adjusted[i] = largest
  end
  return adjusted
end

--- The level at which Holm's procedure tests each p, so that m of them together err at
-- alpha = 1 − level: the k-th smallest at alpha/(m − k + 1), and where it stops, the rest as
-- the one it stopped at.  The interval of a pair has the level of its test.
local function levels(p, adjusted, level)
  local order, list = {}, {}
  for i in ipairs(p) do order[i] = i end
  table.sort(order, function(i, j) return p[i] < p[j] or p[i] == p[j] and i < j end)
  local step = 1
  for k, i in ipairs(order) do
    if k == 1 or shared.significant(adjusted[order[k - 1]], level) then step = k end
    list[i] = 1 - (1 - level) / (#p - step + 1)
  end
  return list
end

--- What may be said of b against a: the comparison at the level of its step, which is better
-- only if the test rejects there and the interval excludes 0.
local function claim(c, p_holm, level)
  if c.better and shared.significant(p_holm, level) then
    return c.better == c.names[2] and "better" or "worse"
  end
  if c.margin and c.n[1] > 1 and c.n[2] > 1 and c.ci[2] <= c.margin then
    return c.ci[1] >= -c.margin and "same" or "no worse"
  end
  return "open"
end

--- All pairs of the populations `given` (a before b), compared.
-- @treturn table list of { a =, b =, comparison =, p_holm =, claim =, least = }
local function all_pairs(where, given, s)
  local level = s.level
  local pairs_of, p, bounds = {}, {}, {} -- bounds: below which no p can be
  for j = 2, #given do
    for i = 1, j - 1 do
      local c = shared.compare(where, given[i], given[j], s, 2)
      pairs_of[#pairs_of + 1] = { a = i, b = j, comparison = c }
      p[#p + 1] = c.p_permutation
      bounds[#p] = math.max(c.least_p, 1 / (s.draws + 1))
    end
  end
  local adjusted, least = M.holm(p), M.holm(bounds)
  for k, of_step in ipairs(levels(p, adjusted, level)) do
    local pair = pairs_of[k]
    if of_step ~= level then
      s.level = of_step
      pair.comparison = shared.compare(where, given[pair.a], given[pair.b], s, 2)
    end
    pair.p_holm, pair.least = adjusted[k], least[k]
    pair.claim = claim(pair.comparison, adjusted[k], level)
  end
  s.level = level
  return pairs_of
end

--- How many more models of each would settle what is open: show the difference, or that it is
-- not beyond the margin, in 80 % of the trials if the means are what they seem; or nil.
local function more_of(c)
  local more, room = c.more, c.margin and c.margin - c.mean_difference or 0
  if room > 0 then
    local factor = (c.deviation * (1.959964 + 0.841621) / room) ^ 2
    local n = math.ceil(math.max(0, (factor - 1) * (c.n[1] + c.n[2]) / 2))
    more = math.min(more or n, n)
  end
  return more and more > 0 and more or nil
end

local words = { better = "better", worse = "worse", same = "the same", ["no worse"] = "no worse",
  open = "none" }

--- Of the alternatives about which nothing can be claimed, what the first and the last would
-- take; or nil.
local function too_small(rows)
  local least, most
  for _, row in ipairs(rows) do
    if row.more then
      if not least or row.more < least.more then least = row end
      if not most or row.more > most.more then most = row end
    end
  end
  if not least then return nil end
  local text = ("n is too small: %s of each would settle a difference such as that of %s"):format(
    input.more(least.more), least.name)
  if most.more == least.more then return text end
  return ("%s, %s that of %s"):format(text, about(most.more), most.name)
end

--- Of the rows, the first about which `word` is claimed; and how many.
local function claimed(rows, word)
  local first, n = nil, 0
  for _, row in ipairs(rows) do
    if row.claim == word then first, n = first or row, n + 1 end
  end
  return first, n
end

--- How many models failed, and what their 100 % decide; "" where none did.
local function failures(t)
  local counts, decided, first = {}, {}, t.rows[1].comparison
  local function add(name, n)
    if n > 0 then counts[#counts + 1] = ("%d of %s"):format(n, name) end
  end
  add(t.parent, first.failed[1])
  for _, row in ipairs(t.rows) do
    local c = row.comparison
    local rest = c.without_failed
    add(row.name, c.failed[2])
    if rest and rest.better ~= c.better then
      decided[#decided + 1] = rest.better and ("%s would be %s than %s"):format(row.name,
        rest.better == c.names[2] and "better" or "worse", t.parent)
        or ("nothing could be claimed of %s"):format(row.name)
    end
  end
  if #counts == 0 then return "" end
  return (" Failed models (%s) count as 100 %%%s."):format(table.concat(counts, ", "),
    #decided > 0 and "; without them " .. table.concat(decided, ", ") or "")
end

local function summary(t)
  if #t.rows == 0 then return "No claim: nothing is left to compare." end
  local _, worse = claimed(t.rows, "worse")
  local best, text = t.best, nil
  if best then
    local equals = {}
    for _, row in ipairs(t.rows) do
      if row ~= best and not row.beaten then equals[#equals + 1] = row.name end
    end
    text = ("%s is better than %s%s"):format(best.name, t.parent,
      #t.rows == 1 and "" or #equals == 0 and " and than every other alternative"
      or (", but cannot be told from %s"):format(table.concat(equals, ", ")))
  elseif worse == #t.rows then
    text = ("every alternative is worse than %s"):format(t.parent)
  else
    text = ("no alternative can be called better than %s"):format(t.parent)
    if t.too_small then text = text .. "; " .. t.too_small end
  end
  local p = t.rows[1].comparison.predicted
  return text .. "." .. (p and (" By trained networks and %s predicted ones of each."):format(
    units.thousands(math.max(p.n[1], p.n[2]))) or "") .. failures(t)
end

-- The rows of the table with a column of how many failed, where any did.
local function with_failed(t, rows)
  local any, list = 0, { t.rows[1] and t.rows[1].comparison.failed[1] }
  for i, row in ipairs(t.rows) do list[i + 1] = row.comparison.failed[2] end
  for _, n in ipairs(list) do any = any + n end
  for i, cells in ipairs(any > 0 and rows or {}) do
    table.insert(cells, 3, i == 1 and "failed" or ("%d"):format(list[i - 1]))
  end
  return rows
end

local alternatives = input.tabular("alternatives", function(t)
  local function percent(x) return input.figure(x, t.metric) end
  local difference = input.measured("%+.2f", t.metric)
  local rows = { { "space", "n", input.heading("min", t.metric),
    input.heading("mean", t.metric), t.metric == "loss" and "difference" or "points",
    "interval", "at", "p Holm", "beats", "KS", "claim", "more" } }
  local function add(name, n, min, mean, ...)
    rows[#rows + 1] = { name, ("%d"):format(n), percent(min), percent(mean), ... }
  end
  if t.mean then add(t.parent, t.n, t.min, t.mean, "", "", "", "", "", "", "", "") end
  for _, row in ipairs(t.rows) do
    local c = row.comparison
    local interval = c.n[1] > 1 and c.n[2] > 1
    add(row.name, c.n[2], row.min, row.mean, difference:format(c.mean_difference),
      interval and (difference .. " to " .. difference):format(c.ci[1], c.ci[2]) or "",
      interval and ("%.4g %%"):format(100 * c.level) or "",
      row.p_holm < 0.001 and "< 0.001" or ("%.3f"):format(row.p_holm),
      ("%.0f %%"):format(100 * c.p_better), ("%.3f"):format(c.ks), words[row.claim],
      row.more and (about(row.more):gsub("about ", "")) or "")
  end
  return with_failed(t, rows)
end, function(t) return t.verdict end, { "KS", "beats", "min %", "more", "at", "n", "points" })

--- The rows of the alternatives, ranked by their mean errors.
local function ranked(all, pairs_of, level)
  local rows = {}
  for _, pair in ipairs(pairs_of) do
    if pair.a == 1 then
      local c, index = pair.comparison, pair.b - 1
      local row = { index = index, name = all[pair.b].name or ("alternative %d"):format(index),
        min = c.min[2], mean = c.mean[2], p_holm = pair.p_holm, comparison = c,
        claim = pair.claim }
      if row.claim == "open" then
        row.few = not shared.significant(pair.least, level) or nil
        row.more = not row.few and more_of(c) or nil
      end
      rows[#rows + 1] = row
    end
  end
  table.sort(rows, function(a, b)
    return a.mean < b.mean or a.mean == b.mean and a.index < b.index
  end)
  return rows
end

-- Puts the verdict and its cautions into t.
local function conclude(t, names, given)
  local before
  before, t.caution = caution.text(names, given)
  t.verdict = before .. summary(t) .. t.caution
end

-- Where nothing can be compared, because the parent or every alternative has no finished models.
local function nothing(names, given, s)
  local t = { parent = names[1], level = s.level, margin = s.margin, pairs = {}, rows = {} }
  conclude(t, names, given)
  return setmetatable(t, alternatives)
end

function M.alternatives(parent, list, o)
  local where = "stats.alternatives"
  local s = shared.settings(where, o)
  s.level, s.draws = input.level(where, s.level), input.draws(where, s.draws)
  if type(list) ~= "table" or #list == 0 or list.errors then
    error(where .. ": it wants a list of alternatives: results, edfs or lists of errors", 2)
  end
  local given = table.move(input.whole(where, list), 1, #list, 2, { parent })
  local all, kept, place, names = {}, {}, {}, {} -- kept, in its place: what has finished models
  for i, x in ipairs(given) do
    local what = i == 1 and "the parent" or ("alternative %d"):format(i - 1)
    names[i] = type(x) == "table" and x.name or i == 1 and "parent" or what
    if not input.empty(x) then
      all[i] = input.edf(where, what, input.by(where, what, x, s.metric))
      kept[#kept + 1], place[#kept + 1] = x, i
    end
  end
  if not all[1] or #kept < 2 then return nothing(names, given, s) end
  if s.by then s.range, s.bins = normalise.common(where, kept, s, 1) end
  s.fits = shared.fits(where, kept, s)
  local pairs_of = all_pairs(where, kept, s)
  for _, pair in ipairs(pairs_of) do pair.a, pair.b = place[pair.a], place[pair.b] end
  local first = pairs_of[1].comparison
  local t = { parent = all[1].name or "parent", n = first.n[1], min = first.min[1],
    mean = first.mean[1], metric = s.metric, level = s.level, margin = s.margin, by = first.by,
    pairs = pairs_of, rows = ranked(all, pairs_of, s.level) }
  t.best = claimed(t.rows, "better")
  local best = t.best or t.rows[1]
  for _, pair in ipairs(pairs_of) do -- what the best one may be called better than
    for _, row in ipairs(t.rows) do
      local mine, other = best.index + 1, row.index + 1
      if pair.claim == "better" and pair.b == mine and pair.a == other
        or pair.claim == "worse" and pair.a == mine and pair.b == other then
        row.beaten = true
      end
    end
  end
  t.too_small = too_small(t.rows)
  for _, row in ipairs(t.rows) do
    if row.few then
      t.too_small = t.too_small or #pairs_of > (1 - s.level) * (s.draws + 1)
        and ("%d comparisons need more draws than %d"):format(#pairs_of, s.draws)
        or "so few models cannot show anything; train more"
    end
  end
  conclude(t, names, given)
  return setmetatable(t, alternatives)
end

document("stats.holm", [[
stats.holm(p) -> list
p-values of several tests, adjusted so that together they err at the level of one.
example: stats.holm({ 0.01, 0.04, 0.03 })
source: Holm 1979]])

document("stats.alternatives", [[
stats.alternatives(parent, { a, b, … }, { margin =, level = 0.95, … }) -> alternatives
Several refinements of one space, ranked by mean error, and what may be claimed of each.
  parent, a, b, …   lists of errors in percent, edfs or results
The options are those of stats.compare.  Every pair is tested (permutation), and the
p-values are Holm's for all m pairs together.  The interval of a pair has the level of its
test: of the k-th smallest p, 1 − alpha/(m − k + 1), alpha = 1 − level; where Holm's
procedure stops, the rest has the level of the step it stopped at.  "better" and "worse"
need both: p_holm at most alpha and that interval without 0.
.rows      ranked: name, mean, min, comparison (with the parent; its .ci, .level), p_holm and
           claim: "better", "worse", "same" or "no worse" (with a margin: from the interval),
           or "open", and then more: models to add to each to settle it, or few: whatever
           the errors of so few are, nothing could be claimed; beaten: whether .best (or
           else the first) may be called better
.best      the first row that is better than the parent, or nil
.verdict   one sentence, how many models failed and what that decides, and cautions as those of
           stats.compare (alone: .caution); alternatives without finished models are left out
.pairs     every pair: a, b, comparison, p_holm, claim of b against a
The claims together err at most at alpha; the interval of a claim alone holds at its level.
example: stats.alternatives({ 48, 51, 55, 60 }, { { 40, 42, 45, 47 }, { 52, 55, 58, 61 } })
source: Holm 1979; Strassburger and Bretz 2008 (intervals that go with it); arXiv 2003.13678
  figure 7 compares four by eye]])

return M
