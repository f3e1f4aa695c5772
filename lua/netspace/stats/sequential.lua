--- A comparison that is looked at a few planned times while models are trained, of two populations
-- or of several candidates with one parent.  The parts: looks.lua, two at planned looks; arms.lua,
-- several at once; boundaries.lua, limits.

local arms = require "netspace.stats.arms"
local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local looks = require "netspace.stats.looks"
local options = require "netspace.lib.options"
local prefix = require "netspace.stats.prefix"

local M = {}

-- Prints the looks of one pair.
local sequential = input.tabular("sequential", function(t)
  local rows = { { "look", "models", "points", "z", "limit", "interval", "claim" } }
  for k, n in ipairs(t.plan) do
    local row, limit = t.looks[k], t.boundaries.z[k]
    rows[k + 1] = { ("%d"):format(k), ("%d"):format(n) }
    table.move(row and { looks.cells(row) } or { "", "", t.precision and "" or limit == math.huge
      and "none" or ("%.2f"):format(limit), "", "" }, 1, 5, 3, rows[k + 1])
  end
  return rows
end, function(t) return t.verdict end)

-- Prints where each of several candidates stands.
local several = input.tabular("sequential", function(t)
  local rows = { { "candidate", "look", "models", "points", "z", "limit", "interval", "claim" } }
  for i, arm in ipairs(t.arms) do
    local k = arm.looks and #arm.looks
    local row = { arm.names[2], k and ("%d of %d"):format(k, #arm.plan) or "any",
      ("%d"):format(arm.n) }
    if k and k > 0 then
      table.move({ looks.cells(arm.looks[k]) }, 1, 5, 4, row)
    else
      table.move({ arm.mean_difference and ("%+.2f"):format(arm.mean_difference) or "", "", "",
        arm.ci and arm.ci[2] < math.huge and ("%+.2f to %+.2f"):format(arm.ci[1], arm.ci[2]) or "",
        arm.claim or "" }, 1, 5, 4, row)
    end
    rows[i + 1] = row
  end
  return rows
end, function(t) return t.verdict end)

options.declare("stats.sequential", { n = "integer", looks = "integer|table", level = "number",
  spending = "string|table", margin = "number", precision = "number", predict = "boolean|table",
  seed = "integer" })
options.declare("stats.sequential: predict", { with = "table", features = "table" })

M._plan = arms.plan

--- What may be said of each of a list of candidates now, for trainings that it ends.
function M._judge(where, parent, list, plan, names)
  local t, texts = arms.judge(where, parent, list, plan, names), {}
  for i, arm in ipairs(t.arms) do
    texts[i] = arm.verdict
    if arm.looks then setmetatable(arm, sequential) end
  end
  t.verdict = table.concat(texts, " ")
  return setmetatable(t, several)
end

-- Whether b is a list of populations.
local function is_list(b)
  return type(b) == "table" and b.errors == nil and type(b[1]) == "table"
end

local function decide(a, b, o)
  local where = "stats.sequential"
  o = options.check(where, o)
  if b == nil then error(where .. " compares two populations, a and b: b is missing", 0) end
  local list, most, names = is_list(b) and input.whole(where, b) or { b }, math.huge, {}
  for i, x in ipairs(list) do
    names[i] = #list > 1 and ("candidate %d"):format(i) or "b"
    most = math.min(most, prefix._pair(where, a, x, names[i]).planned)
  end
  local t = M._judge(where, a, list, arms.plan(where, o, most), names)
  return is_list(b) and t or t.arms[1]
end

function M.sequential(a, b, o)
  return (blame.call(1, blame.plainly, decide, a, b, o))
end

document("stats.sequential", [[
stats.sequential(a, b, { n =, looks = 5, level = 0.95, spending =, margin =, … }) -> decision
Is b better than a?  Asked at a few planned looks while both train, and settled as soon as it can.
  a, b      results, finished or not, or lists of errors in the order the models were drawn; a
            failed model counts as 100 %.  b may be a list of them, each compared with a
  n         models of each at the last look (default: as many as are planned)
  looks     how many, or a list: models of each at each look
  spending  "obrien-fleming", "pocock" or {"power", rho}, as in stats.boundaries
  margin    points that do not matter: stops, too, when the two are the same within them
  precision instead: stops when half the interval (of a single look) is at most so many points;
            20 looks unless looks says otherwise
  predict   estimates by prediction, as in stats.compare, made anew at each look from the models
            up to it, and from the other populations in their store: where it pays (default),
            true or { with =, features = }; false: plain ones.  Where there can be none, plain ones
  seed      of the predictions
A look is taken when models 1 to n of both have ended, and sees only those: small networks end
first, so that all that have ended so far would be a biased sample.  All looks together err with
probability 1 − level.  To find a difference it takes about a sixth fewer models than one look at
the end, on average, and 2.5 % more at most (stats.boundaries says how many, more exactly); n,
looks and spending must be fixed beforehand.  sweep.run{ compare = … } and design.step{ stop = … }
train until this stops.
.claim      "difference" (.better, which), "same", or nil; .over, whether to stop; .at, the look
.estimate   of mean(b) − mean(a), median unbiased although it stopped; .mean_difference, plain
.ci, .p     interval and p-value, both corrected (stage-wise); before the end, and for the same,
            .ci is the repeated interval, which holds at all looks at once
.n, .next   models of each looked at, and at the next look; .ignored, ended models beyond
.looks      n, difference, se, z, limit, ci (repeated), claim of each look so far, and predicted
            (n, worth) or unpredicted, why not
.verdict    one sentence; prints with a table of the looks
Of several candidates: .arms, the decision on each; .over, whether all are; .verdict.  They share
the error probability: by Holm's procedure, or, with a margin or a precision, in equal parts.
example: stats.sequential({ 48, 51, 55, 60, 53 }, { 40, 42, 45, 47, 41 }, { looks = 1 }).verdict
example: stats.sequential({ errors = {}, n = 20 }, { 40, 42 }, { n = 20, looks = 2 }).verdict
example: stats.sequential({ 8, 1, 5, 9, 3 }, { {4, 2, 5, 7, 1}, {5, 2, 4, 3, 1} }, { looks = 1 })
source: Lan and DeMets 1983; Jennison and Turnbull 2000, chapters 7 to 9; Welch 1947 (t); Holm
  1979; Maurer and Bretz 2013; Chow and Robbins 1965 (precision); Scharfstein, Tsiatis and Robins
  1997 (predictions)]])

return M
