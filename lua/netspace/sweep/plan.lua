--- A plan: several populations that share one time, such as a night.  Here is what the options
-- mean; sweep.lua starts and waits.
--
--   sweep.plan{ by = "07:00", store = "runs.db", data = "shapes",
--     sweeps = { { name = "A", models = A }, { name = "B", models = B } } }

local document = require("netspace.lib.doc").group "sweep"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local requests = require "netspace.sweep.request"
local sys = require "netspace.core.sys"

local M = {}
local fail = ledgers.fail

-- Options of one sweep; but for name and models the plan may give them for all.
local each = { store = "string", name = "string", models = "table", data = "string|userdata",
  recipe = "table", workers = "integer|table", trainer = "string|table", identical = "boolean",
  seed = "integer", progress = "function",
  quiet = "boolean", checkpoint = "table|boolean", memory = "number|string",
  patience = "number", yes = "boolean", on = "table" }
local plan = { sweeps = "table", by = "string", budget = "number|string", order = "string" }
for key, kinds in pairs(each) do
  if key ~= "name" and key ~= "models" then plan[key] = kinds end
end
options.declare("sweep.plan: sweeps", each)
options.declare("sweep.plan", plan)

--- Seconds from Unix time `now` until the clock next shows "HH:MM"; nil when that is no time.
function M.clock(text, now)
  local hour, minute = text:match "^%s*(%d%d?):(%d%d)%s*$"
  hour, minute = tonumber(hour), tonumber(minute)
  if not hour or hour > 23 or minute > 59 then return nil end
  local t = os.date("*t", now)
  t.hour, t.min, t.sec, t.isdst = hour, minute, 0, nil
  if os.time(t) <= now then
    t.day = t.day + 1
    t.hour, t.min, t.isdst = hour, minute, nil
  end
  return os.time(t) - now
end

--- Seconds that several sweeps have together: by o.by or o.budget, one of them.
function M.seconds(where, o)
  if (o.by == nil) == (o.budget == nil) then
    fail(("%s needs one of by= (a time of day, such as \"07:00\") and budget= (\"6h\")"):format(
      where))
  elseif o.by then
    local seconds = M.clock(o.by, os.time())
    if not seconds then
      fail(("%s: by is '%s'; it is a time of day, \"00:00\" to \"23:59\""):format(where, o.by))
    end
    return seconds
  end
  return requests.budget(where, o.budget)
end

--- What checked options of sweep.plan ask for: finish (sys.now() when the time is over),
-- seconds (that it has), in_turn, and sweeps, the options of each as sweep.start takes them.
function M.make(o)
  if o.sweeps == nil or #o.sweeps == 0 then
    fail("sweep.plan needs sweeps=, a list such as { { name = \"A\", models = A }, … }")
  end
  local order = o.order or "even"
  if order ~= "even" and order ~= "in turn" then
    fail(("sweep.plan: order is '%s'%s; it is \"even\" or \"in turn\""):format(order,
      options.hint(order, { "even", "in turn" })))
  end
  local list, names = {}, {}
  for i, own in ipairs(o.sweeps) do
    local where = ("sweep.plan: sweeps[%d]"):format(i)
    own = options.check(where, own, 4, "sweep.plan: sweeps")
    local t = {}
    for key in pairs(each) do
      t[key] = own[key]
      if t[key] == nil then t[key] = o[key] end
    end
    if t.on then
      fail(where .. ": the time of a plan is that of workers here, and on= trains on tasks, "
        .. "which wait in a queue; sweep.run with on= takes a budget=, the time of its tasks")
    end
    local name = t.name or type(t.models) == "table" and t.models.space
    local key = ("%s\n%s"):format(t.store, name)
    if name and names[key] then
      fail(("%s and sweeps[%d] are both called '%s'; give each its name="):format(where,
        names[key], name))
    end
    list[i], names[key] = t, i
  end
  local seconds = M.seconds("sweep.plan", o)
  return { finish = sys.now() + seconds, seconds = seconds, in_turn = order == "in turn",
    sweeps = list }
end

document("sweep.plan", [[
  sweep.plan{ sweeps = { {…}, {…} }, by = "07:00" | budget = "6h", … } -> list of results
  Trains several populations in one time, so that the first does not take it all, and waits.
    sweeps   a list; each { name =, models =, … } has options of sweep.run, but no budget
    by       a time of day: until the clock next shows it (07:00 is tomorrow's after 7)
    budget   or so much time, such as "6h" or 7200 (seconds)
    order    "even" (default): all at once, their models begin in turn, so that about as many
             are trained of each; what one does not need goes to the others
             "in turn": one after the other in the order of the list; each may take what is
             left, so that the last is the one that is cut short
    store, data, recipe, workers, trainer, identical, seed, checkpoint, memory,
    patience, progress, quiet, yes
             as in sweep.run, for those sweeps that do not give their own
  No model begins that would not be done in time, and they begin in the order of their
  population: what is trained of each is its beginning, an unbiased sample of its space.  The
  same call, or netspace resume (with --budget), goes on where the time was over.  That it was
  is no failure: the last line says what is left, the results have .budget, the exit status is 0.
  example: sweep.plan{ budget = 60, store = "runs.db", data = D, sweeps = { { models = A } } }]])

return M
