--- Several populations that are trained to be compared, a parent and its candidates, until that is
-- decided.  Their models are trained in turn, the first of each, then the second of each; when
-- models 1 to n of all are done and a look is planned at n, what stats.sequential says of them
-- decides which populations go on.  What is being trained then stops with a checkpoint.
--
-- The plan (how many models, looks, limits) is kept in the store before any look, because only a
-- plan that is fixed beforehand has the error probability that it names.  Looks depend on models
-- 1 to n alone, so that a trial that was killed goes on to the same looks and the same verdict.

local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local others = require "netspace.stats.others"
local paths = require "netspace.lib.path"
local pool = require "netspace.sweep.pool"
local progress = require "netspace.sweep.progress"
local sequential = require "netspace.stats.sequential"
local starting = require "netspace.sweep.starting"
local stores = require "netspace.store.store"
local units = require "netspace.lib.units"
local uv = require "luv"
local waiting = require "netspace.sweep.waiting"

local M = {}
local fail = ledgers.fail
local FIRST = 10 -- models of each before which nothing is said at any time (stats.anytime)

options.declare("sweep.run: compare", { looks = "integer|table|string", spending = "string|table",
  margin = "number", precision = "number", level = "number", predict = "boolean|table",
  seed = "integer" })
options.declare("sweep.run: compare: predict", { with = "table", features = "table" })
options.words.looks = { "anytime" }

local Trial = {}
Trial.__index = Trial

-- A trial of the populations `names` in the store at `path`, the parent first.
local function new(path, names, plan, quiet)
  return setmetatable({ store = path, names = names, plan = plan, quiet = quiet, ready = false,
    trainings = {}, next = plan.at and plan.at[1] or FIRST }, Trial)
end

-- What the store has of all its populations, in their order.
function Trial:results()
  local store, why = stores.open(self.store)
  if not store then fail(why) end
  local list = {}
  for i, name in ipairs(self.names) do
    list[i], why = store:result(name)
    if not list[i] then break end
  end
  store:close()
  if #list < #self.names then fail(why) end
  return list
end

-- Takes the looks that can be taken.
function Trial:judge()
  local list = self:results()
  local parent = table.remove(list, 1)
  self.decision = sequential._judge("sweep.run", parent, list, self.plan)
  local n = math.huge
  for _, r in ipairs { parent, table.unpack(list) } do n = math.min(n, #r.errors) end
  self.next = self.plan.at and (self.decision.next or math.huge) or math.max(FIRST, n + 1)
  if (self.plan.seen or 0) >= (self.plan.at and self.plan.at[1] or FIRST) then
    self.decision.verdict = ("%s Careful: %d models of each had ended before the looks were "
      .. "planned."):format(self.decision.verdict, self.plan.seen)
  end
  if self.gone then
    self.decision.verdict = ("%s Careful: %s, from which predictions were to learn as well, is not "
      .. "in the store any more."):format(self.decision.verdict, self.gone)
  end
end

--- Whether the population in this place (1: the parent) needs no more models.
function Trial:over(place)
  local d = self.decision
  if not d then return false end
  return d.over or place > 1 and d.arms[place - 1].over
end

--- A training of this trial begins.
function Trial:add(training, place)
  training.place = place
  self.trainings[place] = training
end

--- From now on models are trained.
function Trial:begin()
  self.ready = true
  pool.dispatch()
end

--- Whether the next model of a training is the next of all of them.
function Trial:turn(training)
  if not self.ready then return false end
  local mine = training.queue:first()
  for place, other in pairs(self.trainings) do
    local first = other ~= training and other.state == "running" and other:_open() > 0
      and other.queue:first()
    if first and (first.idx < mine.idx or first.idx == mine.idx and place < training.place) then
      return false
    end
  end
  return true
end

-- How many models from the first on have ended in all populations that are not decided.
function Trial:prefix()
  local n = math.huge
  for place, training in pairs(self.trainings) do
    if not self:over(place) then
      n = math.min(n, training.total)
      local first = training.queue:first()
      if first then n = math.min(n, first.idx - 1) end
      for _, model in pairs(training.running) do n = math.min(n, model.idx - 1) end
    end
  end
  return n
end

-- Says that an arm is decided; what decides the last one is said at the end (M.conclude).
function Trial:told(training, verdict)
  if not self.decision.over then return training:_tell(nil, verdict) end
  training.journal:note(function(ledger) ledger:log(nil, verdict) end)
end

--- The store has more results than before: a look, where one is due.
function Trial:look()
  if self.looking or not self.ready or self:prefix() < self.next then return end
  self.looking = true
  self:judge()
  for place, training in pairs(self.trainings) do
    if self:over(place) and not training.decided then
      training.decided = true
      if place > 1 then self:told(training, self.decision.arms[place - 1].verdict) end
      training:_stop()
    end
  end
  self.looking = false
end

--- A training has ended.  One that was cancelled takes the others with it: without it there is no
-- further look.  One that has left its tasks at work leaves theirs, too.
function Trial:ended(training)
  if training.decided or training.closed or #training.queue == 0 then return end
  for _, other in pairs(self.trainings) do
    if training.left then other:_leave() else other:_stop() end
  end
end

-- What the looks saw of each arm, as the store keeps it: endless numbers are left out.
local function seen_of(decision)
  local list = {}
  local function finite(t)
    local copy = {}
    for key, v in pairs(t) do
      if type(v) == "table" then
        copy[key] = finite(v)
      elseif type(v) ~= "number" or v == v and math.abs(v) < math.huge then
        copy[key] = v
      end
    end
    return copy
  end
  for i, arm in ipairs(decision.arms) do
    list[i] = { name = arm.names[2], claim = arm.claim, better = arm.better, at = arm.at, n = arm.n,
      level = arm.level, estimate = arm.estimate or arm.mean_difference, p = arm.p,
      ci = arm.ci and finite(arm.ci), looks = {} }
    for k, row in ipairs(arm.looks or {}) do list[i].looks[k] = finite(row) end
  end
  return list
end

-- Writes what was decided into the store.
function Trial:conclude()
  if not self.decision.over then return end
  local ledger = starting.open_ledger(self.store)
  local good, err = pcall(ledger.write, ledger, function()
    ledger:decided(self.id, self.decision.verdict, seen_of(self.decision))
  end)
  ledger:close()
  if not good then error(err, 0) end
end

-- The plan as it is kept ---------------------------------------------------------------------

local planned = { "n", "at", "level", "spending", "margin", "precision", "predict" }
local words = { at = "looks", predict = "predict" }

local function kept(plan)
  local t = {}
  for _, key in ipairs(planned) do t[key] = plan[key] end
  if plan.predict then -- functions and results cannot be kept
    t.predict = plan.predict.unasked and "where it pays"
      or (plan.predict.with or plan.predict.features) and "own" or true
  end
  t.seed = plan.seed
  return t
end

-- Predictions learn from the other populations that the store has when looks are planned, as far
-- as they had ended then: { name, models } of each is kept with the plan.
local function learn_from(trial, known)
  local store, why = stores.open(trial.store)
  if not store then fail(why) end
  local list = {}
  for _, one in ipairs(known) do
    local good, r = pcall(store.result, store, one[1])
    r = good and r and others.first(r, one[2])
    if r and #r.errors == one[2] then list[#list + 1] = r else trial.gone = one[1] end
  end
  store:close()
  trial.plan.predict.with = list
end

local function text(value) return value == nil and "none" or json.encode(value) end

-- Raises where the store has another plan for these populations.
local function same_plan(path, names, old, new_plan)
  local lines = {}
  for _, key in ipairs(planned) do
    if text(old[key]) ~= text(new_plan[key]) then
      lines[#lines + 1] = ("  %s: %s planned, %s now"):format(words[key] or key, text(old[key]),
        text(new_plan[key]))
    end
  end
  if #lines == 0 then return end
  fail(("%s of %s have been compared by another plan:\n%s\nLooks of another plan are another "
    .. "experiment, on models that have been looked at: go on with the old one, or draw anew with "
    .. "another seed and name.  What may be extended at will is begun with looks = \"anytime\"")
    :format(table.concat(names, ", "), paths.shown(path), table.concat(lines, "\n")))
end

-- Ids of the populations in the store, or nil where one is missing.
local function ids_of(ledger, names)
  local ids = {}
  for i, name in ipairs(names) do
    local p = ledger:find(name)
    if not p then return nil end
    ids[i] = p.id
  end
  return ids
end

-- Finds the trial in the store: its id, and whether all its populations are there.
local function recall(trial)
  if not uv.fs_stat(trial.store) then return end
  local ledger = starting.open_ledger(trial.store)
  local good, err = pcall(function()
    local ids = ids_of(ledger, trial.names)
    local row = ids and ledger:trial(ids)
    if row then
      local now, wish = kept(trial.plan), trial.plan.predict
      if wish and wish.unasked and row.plan.predict ~= "own" then -- nobody says, so as planned
        now.predict = row.plan.predict
        trial.plan.predict = M._wish(row.plan)
      end
      same_plan(trial.store, trial.names, row.plan, now)
      trial.id, trial.plan.seen, trial.plan.seed = row.id, row.plan.seen, row.plan.seed
      trial.others = row.plan.others
    end
  end)
  ledger:close()
  if not good then error(err, 0) end
  if trial.id and M._learns(trial.plan) then learn_from(trial, trial.others or {}) end
end

--- The wish to predict of a plan as it is kept.
function M._wish(plan)
  return plan.predict and { unasked = plan.predict == "where it pays" or nil } or false
end

--- Whether predictions of a plan learn from whatever else its store has.
function M._learns(plan) return plan.predict and not plan.predict.with end

-- Keeps the plan, before any look.
local function keep(trial)
  if trial.id then return end
  local plan, seen, results = kept(trial.plan), math.huge, trial:results()
  for _, r in ipairs(results) do seen = math.min(seen, #r.errors) end
  if M._learns(trial.plan) then
    trial.plan.predict.with, plan.others = others.of(results), {}
    for i, r in ipairs(trial.plan.predict.with) do plan.others[i] = { r.name, #r.errors } end
  end
  plan.seen = seen > 0 and seen or nil
  trial.plan.seen = plan.seen
  local ledger = starting.open_ledger(trial.store)
  local good, err = pcall(ledger.write, ledger, function()
    trial.id = ledger:plan(ids_of(ledger, trial.names), plan)
  end)
  ledger:close()
  if not good then error(err, 0) end
end

-- What users call ----------------------------------------------------------------------------

--- Whether models is a list of populations.
function M.several(models)
  if members.kind(models) == "population" or type(models) ~= "table" then return false end
  local first = models[1]
  return type(first) == "table" and (members.kind(first) == "population"
    or first.d == nil and type(first[1]) == "table" and first[1].d ~= nil)
end

-- Options of each population.
local function each_of(where, o)
  local list, names, seen, n = {}, {}, {}, nil
  if #o.models < 2 then
    fail(where .. ": models has one population; it takes two or more, the parent first")
  elseif o.name ~= nil and (type(o.name) ~= "table" or #o.name ~= #o.models) then
    fail(("%s: name is a list here, with a name for each of the %d populations"):format(where,
      #o.models))
  end
  for i, models in ipairs(o.models) do
    local t = {}
    for key, value in pairs(o) do t[key] = value end
    t.compare, t.models, t.name = nil, models, o.name and o.name[i] or models.space
    if not t.name then fail(where .. " needs name=, a list with a name for each population") end
    if seen[t.name] then
      fail(("%s: two populations are called %s; name = { … } gives them names"):format(where,
        t.name))
    end
    n = n or #models
    if #models ~= n then
      fail(("%s: %s has %s and %s %d; looks are taken at as many of each: draw as many"):format(
        where, names[1], units.count(n, "model"), t.name, #models))
    end
    seen[t.name], names[i], list[i] = true, t.name, t
  end
  return list, names, n
end

local trained = { __name = "trial", __tostring = function(t) return tostring(t.decision) end }

-- Starts the populations that are not decided, waits, and returns the results.
local function train(trial, list, where)
  local started, several = {}, {}
  local good, err = pcall(function()
    for place, t in ipairs(list) do
      if not trial:over(place) then
        started[#started + 1] = starting.start(where, t, { several = several, trial = trial,
          place = place })
      end
    end
    starting.foretell(several)
    keep(trial)
    trial:begin()
    trial:look() -- all may be trained already
  end)
  if not good then waiting.undo(started, err) end
  if #started > 0 then waiting.wait_for(started) end
end

--- Trains populations until it is decided how the others compare with the first.
-- @tparam table o  checked options of sweep.run, with models a list of populations
-- @treturn table results, and decision (of stats.sequential) and verdict
function M.run(where, o)
  local compare = o.compare
  if not compare then
    fail(("%s: models is a list of %d populations; compare = true trains them until it is decided "
      .. "how they compare, and sweep.plan trains them all to the end"):format(where, #o.models))
  end
  if compare == true then compare = {} end
  compare = options.check(where .. ": compare", compare, 3, "sweep.run: compare")
  local list, names, n = each_of(where, o)
  local trial = new(paths.absolute(o.store or fail(where .. " needs store=")), names,
    M.plan(where .. ": compare", compare, n), o.quiet)
  recall(trial)
  if trial.id then trial:judge() end
  if not trial:over(1) then train(trial, list, where) end
  M.conclude({ trial }, o.quiet)
  local results = trial:results()
  results.decision, results.verdict = trial.decision, trial.decision.verdict
  return setmetatable(results, trained)
end

--- Takes the last looks of trials whose trainings have ended, keeps what is decided, and says it.
function M.conclude(trials, quiet)
  for _, trial in ipairs(trials) do
    if not trial:over(1) then trial:judge() end
    trial:conclude()
    if not quiet then progress.clear(trial.decision.verdict) end
  end
end

--- The plan of checked options for populations of n models each.
function M.plan(where, compare, n)
  if type(compare.looks) == "string" and compare.looks ~= "anytime" then
    fail(("%s: looks is '%s'; it is \"anytime\", how many, or a list of how many models"):format(
      where, compare.looks))
  end
  local good, plan = pcall(sequential._plan, where, compare, n)
  if not good then fail(plan) end
  return plan
end

--- The trials of a store for whoever resumes it: trial and place by the name of a population that
-- is to be trained, names that are decided, and names of trials that only their script can go on
-- with.
function M.resume(ledger, path, quiet)
  local t = { of = {}, decided = {}, own = {}, list = {} }
  for _, row in ipairs(ledger:trials()) do
    local target = row.verdict and t.decided or row.plan.predict == "own" and t.own or nil
    if target then
      for _, name in ipairs(row.names) do target[name] = true end
    else
      local plan, known = row.plan, row.plan.others or {}
      plan.predict = M._wish(plan)
      local trial = new(path, row.names, plan, quiet)
      trial.id = row.id
      if M._learns(plan) then learn_from(trial, known) end
      trial:judge()
      t.list[#t.list + 1] = trial
      for place, name in ipairs(row.names) do
        if trial:over(place) then
          t.decided[name] = true
        elseif not t.of[name] then
          t.of[name] = { trial = trial, place = place }
        end
      end
    end
  end
  return t
end

--- Of the names of populations with open models those that are to be trained; says which are not.
function M.wanted(trials, names, quiet)
  local list, decided = {}, 0
  for _, name in ipairs(names) do
    if trials.of[name] or not trials.decided[name] and not trials.own[name] then
      list[#list + 1] = name
    elseif trials.own[name] and not quiet then
      progress.clear(("%s is trained until a decision that needs its script (predict with features "
        .. "or results of its own); run that again"):format(name))
    else
      decided = decided + 1
    end
  end
  if decided > 0 and not quiet then
    progress.clear(("%s decided, and %s no more training; sweep.run trains the rest of one"):format(
      decided == 1 and "1 population is" or decided .. " populations are",
      decided == 1 and "needs" or "need"))
  end
  return list
end

return M
