--- How many models, and for how many epochs: the mixture that shows a difference for the least
-- time, from a pilot.  Source: Cochran 1977, sections 12.3 and 12.7 (double sampling); the
-- variances are those of src/stats/adjust.h.

local core = require "netspace.core.adjust"
local document = require("netspace.lib.doc").group "stats"
local begun = require "netspace.stats.begun"
local blame = require "netspace.lib.blame"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local predict = require "netspace.stats.predict"
local stores = require "netspace.store.store"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local LEAST = 20                       -- models of a pilot, and of a plan
local EPOCHS = { 1, 2, 3, 5, 8, 13, 21 } -- after which others may be left
local MOST = 20                        -- models begun for each that is trained to the end
local SHOWN = 3                        -- plans with early signals that are shown

local function mean(x)
  local sum = 0
  for _, v in ipairs(x) do sum = sum + v end
  return sum / #x
end

local function covariance(x, y)
  local mx, my, sum = mean(x), mean(y), 0
  for i = 1, #x do sum = sum + (x[i] - mx) * (y[i] - my) end
  return sum / #x
end

-- n times the variance of the mean error with n models trained to the end and k n begun, at the
-- best weights on the predictions f and the signals s, of which u is not predicted; c: the
-- covariances of the pilot.
--   v(λ, β) = Var(y - λf - βs) + (2 β Cov(y - λf - βs, u) + β² Var(u)) / k
local function variance(c, k)
  if not c.f then return c.yy end
  local ff, yf = c.ff, c.yf
  local lambda, beta = math.max(0, math.min(1, yf / ff)), 0
  if c.ss then
    local ss = c.ss - 2 * c.su / k + c.uu / k
    local fs, ys = c.fs - c.fu / k, c.ys - c.yu / k
    local l = math.max(0, math.min(1, (yf * ss - ys * fs) / (ff * ss - fs * fs)))
    local b = (ys - l * fs) / ss
    if b > 0 then lambda, beta = l, b end
    return c.yy - 2 * lambda * yf - 2 * beta * ys + lambda ^ 2 * ff + 2 * lambda * beta * fs
      + beta ^ 2 * ss
  end
  return c.yy - 2 * lambda * yf + lambda ^ 2 * ff
end

-- The covariances of a pilot, with predictions f and early signals s (either may be nil).
local function covariances(y, f, s, h)
  local n, c = #y, { f = f }
  local left = n / (n - 1 - (f and 1 or 0) - (s and 1 or 0)) -- what weights take from n
  local function of(a, b) return covariance(a, b) * left end
  c.yy = of(y, y)
  if f then c.ff, c.yf = of(f, f), of(y, f) end
  if s then
    local slope, u = covariance(s, h) / covariance(h, h), {}
    slope = slope > 0 and math.min(slope, 1) or 0
    for i = 1, n do u[i] = s[i] - slope * h[i] end
    c.ss, c.ys, c.fs = of(s, s), of(y, s), of(f, s)
    c.uu, c.yu, c.su, c.fu = of(u, u), of(y, u), of(s, u), of(f, u)
  end
  return c
end

-- The sums of training losses to each epoch of the models of a result; or nil and why not.
local function losses(r)
  local origin = rawget(r, "_origin")
  local s, why = nil, "it is not the result of a store"
  if origin and origin.store then s, why = stores.open(origin.store) end
  if not s then return nil, why end
  local good, list = pcall(s.learning, s, r.name)
  s:close()
  if not good or not list then return nil, "its store has it no more" end
  local by, sums = {}, {}
  for _, model in ipairs(list) do by[model.index] = model.train_loss end
  for i, index in ipairs(r.indices) do
    local sum, row = 0, {}
    for k = 1, r.recipe.epochs do
      local loss = (by[index] or {})[k]
      sum = sum + (loss == loss and loss or math.huge) -- NaN: diverged
      row[k] = sum
    end
    sums[i] = row
  end
  return sums
end

-- What the pilots tell of plans without and with predictions, and with signals of each epoch:
-- list of { epochs =, c = covariances of each pilot }; and why some are missing.
local function kinds(pilots, o, epochs)
  local notes, list = {}, { { c = {} }, { c = {}, predicted = true } }
  local fits = predict.fit("stats.plan", pilots, { with = {} }, o.seed or sys.seed())
  local sums, f = {}, {}
  for i, r in ipairs(pilots) do list[1].c[i] = covariances(r.errors) end
  for i, r in ipairs(pilots) do
    local known, why = fits:mean(i)
    if not known then return { list[1] }, { "not predicted: " .. why } end
    f[i] = fits:predictions(i)
    list[2].c[i] = covariances(r.errors, f[i])
    sums[i], why = losses(r)
    if not sums[i] then
      notes[#notes + 1] = ("early signals of %s are not known: %s"):format(
        r.name or "the pilot", why)
    end
  end
  for _, k in ipairs(o.epochs or EPOCHS) do
    local kind = { c = {}, epochs = k, predicted = true }
    for i, r in ipairs(k < epochs and pilots or {}) do
      local s = {}
      for j, row in ipairs(sums[i] or {}) do s[j] = row[k] end
      s = sums[i] and begun.tamed(s)
      if s then kind.c[i] = covariances(r.errors, f[i], s, fits:foretold(i, s)) end
    end
    if #kind.c == #pilots then list[#list + 1] = kind end
  end
  return list, notes
end

-- The cheapest plan of a kind: how many are trained to the end and begun of each population.
-- cost: of an epoch of a model; wanted: the variance of the difference.
local function cheapest(kind, epochs, cost, wanted)
  local best
  for step = 0, kind.epochs and 4 * (MOST - 1) or 0 do
    local k = 1 + step / 4
    local v = variance(kind.c[1], k) + variance(kind.c[#kind.c], k) -- one pilot stands for two
    local full = math.max(LEAST, math.ceil(v / wanted))
    local n = math.max(full, math.ceil(k * full))
    local price = 2 * cost * (full * epochs + (n - full) * (kind.epochs or 0))
    if not best or price < best.price then
      best = { n = n, full = full, epochs = n > full and kind.epochs or nil, price = price,
        predicted = kind.predicted or false }
    end
  end
  return best
end

local function time(t, price)
  if not t.timed then return ("%.0f"):format(price) end
  return ("%.2f"):format(price / 3600)
end

local function call(row)
  if row.epochs then
    return ("early = { full = %d, after = %d }"):format(row.full, row.epochs)
  end
  return row.predicted and "all, predict = true" or "all"
end

local plan = input.tabular("plan", function(t)
  local rows = { { "models of each", "to the end", "others", t.timed and "core-hours" or "epochs",
    "how" } }
  for i, row in ipairs(t.rows) do
    rows[i + 1] = { ("%d"):format(row.n), ("%d"):format(row.full),
      row.epochs and units.count(row.epochs, "epoch") or "", time(t, row.price), call(row) }
  end
  return rows
end, function(t) return t.verdict end)

local function verdict(t)
  local best, plain = t.rows[1], nil
  for _, row in ipairs(t.rows) do plain = not row.predicted and row or plain end
  local what = t.precision and ("a %g %% interval of the difference of ±%g points"):format(
    100 * t.level, t.precision) or ("a difference of %g points, shown in %g %% of trials at %g %%")
    :format(t.difference, 100 * t.power, 100 * t.level)
  local unit = t.timed and "core-hours" or "epochs"
  local text = ("For %s: train %s of each population%s, about %s %s for both"):format(what,
    units.count(best.n, "model"), best.epochs and (", %d of them to the end and the others for %s")
    :format(best.full, units.count(best.epochs, "epoch")) or "", time(t, best.price), unit)
  if best ~= plain then
    text = ("%s, instead of %s with %d models and no prediction"):format(text, time(t, plain.price),
      plain.n)
  end
  text = ("%s.  From a pilot of %s"):format(text, t.pilots)
  for _, note in ipairs(t.notes) do text = ("%s; %s"):format(text, note) end
  return text .. "."
end

options.declare("stats.plan", { pilot = "table", difference = "number", precision = "number",
  power = "number", level = "number", epochs = "table", seed = "integer" })

-- The pilots of an option table, checked.
local function pilots_of(where, o)
  if not o.pilot then
    error(where .. " needs pilot =, the result of a population of 20 models or more, or a list of "
      .. "two", 0)
  end
  local list = o.pilot.errors and { o.pilot } or input.whole(where, o.pilot)
  for i, r in ipairs(list) do
    if type(r) ~= "table" or not r.errors then
      error(("%s: pilot %d is no result"):format(where, i), 0)
    end
    input.edf(where, "the pilot", r) -- for its checks
  end
  if #list < 1 or #list > 2 then
    error(("%s: pilot is a list of %d results; one or two are compared"):format(where, #list), 0)
  end
  for _, r in ipairs(list) do
    if #r.errors < LEAST then
      error(("%s: %s has %s; a pilot needs at least %d to tell variances"):format(where,
        r.name or "the pilot", units.count(#r.errors, "finished model"), LEAST), 0)
    elseif covariance(r.errors, r.errors) == 0 then
      error(("%s: all errors of %s are the same"):format(where, r.name or "the pilot"), 0)
    end
    begun.refuse_chosen(where, r, 0)
  end
  return list
end

local function make(o)
  local where = "stats.plan"
  o = options.check(where, o)
  local level, power = input.level(where, o.level), o.power or 0.8
  if (o.difference ~= nil) == (o.precision ~= nil) then
    error(where .. ": give either difference =, points to be shown, or precision =, half the "
      .. "width of the interval in points", 0)
  end
  for _, key in ipairs { "difference", "precision" } do
    if o[key] and not (o[key] > 0) then
      error(("%s: %s is %g; it is a number of points above 0"):format(where, key, o[key]), 0)
    end
  end
  if not (power > 0 and power < 1) then
    error(("%s: power is %g; it must be between 0 and 1, such as 0.8"):format(where, power), 0)
  end
  local pilots = pilots_of(where, o)
  local z = core.student(0.5 + level / 2, 1e9)
  local wanted = o.precision and (o.precision / z) ^ 2
    or (o.difference / (z + core.student(power, 1e9))) ^ 2
  local epochs, seconds, names = 1, {}, {}
  for i, r in ipairs(pilots) do
    epochs = r.recipe and r.recipe.epochs or epochs
    for _, s in ipairs(r.columns and r.columns.seconds or {}) do seconds[#seconds + 1] = s end
    names[i] = ("%d models of %s"):format(#r.errors, r.name or "one space")
  end
  local timed = #seconds > 0
  local cost = timed and mean(seconds) / epochs or 1
  local list, notes = kinds(pilots, o, epochs)
  local early, rows = {}, {}
  for _, kind in ipairs(list) do
    local row = cheapest(kind, epochs, cost, wanted)
    if kind.epochs then
      if row.epochs then early[#early + 1] = row end
    else
      rows[#rows + 1] = row
    end
  end
  local function by_price(a, b)
    if a.price ~= b.price then return a.price < b.price end
    return (a.predicted and 1 or 0) < (b.predicted and 1 or 0) -- the simpler one
  end
  table.sort(early, by_price)
  table.move(early, 1, math.min(#early, SHOWN), #rows + 1, rows)
  table.sort(rows, by_price)
  local t = { rows = rows, level = level, power = not o.precision and power or nil,
    difference = o.difference, precision = o.precision, timed = timed, notes = notes,
    pilots = table.concat(names, " and ") }
  t.best, t.verdict = rows[1], verdict(t)
  return setmetatable(t, plan)
end

function M.plan(o) return (blame.call(1, blame.plainly, make, o)) end

document("stats.plan", [[
stats.plan{ pilot =, difference =, power = 0.8, level = 0.95, precision =, … } -> plan
How many models of two populations to train, and for how many epochs, to settle a question in the
least time.  Prints as a table, the recommended way first.
  pilot        a result of 20 models or more, or a list of two, one for each population; one
               stands for both.  Its models count, if more of the same population are drawn
  difference   points between the mean errors that a claim of 1 − level shows in a share
               `power` of the trials
  precision    instead of it: half the width of the interval of the difference, in points
  epochs       list of epochs after which the others may be left (default: 1, 2, 3, 5, 8, …)
.rows      the cheapest first: n models of each population, full of them trained to the end, the
           others for .epochs (nil: all to the end), predicted, price in core-seconds of both (or
           in epochs, where the pilot has no times)
.best, .verdict   the first row, and a sentence
Measured on the pilot are the spread of the errors, how much of it stats.predict explains, how well
the sum of the training losses of the first epochs tells what is left (of results of a store), and
the time of an epoch.  20 models tell all that roughly: plan again from 50.
example: stats.plan{ pilot = { errors = { ("0123456789ABCDEFGHIJ"):byte(1, 20) } }, difference = 9 }
source: Cochran 1977, chapter 12]])

return M
