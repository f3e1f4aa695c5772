--- Designing a space step by step: train a space and its refinements, compare, decide, say why.
-- Five steps lead from AnyNetX_A over B, C, D and E to RegNetX (arXiv 2003.13678, section 3);
-- examples/design.lua takes them.
--
--   s = design.step{ parent = space.AnyNetXA, candidates = { "shared_b" }, n = 100,
--     store = "design.db", data = "shapes", sample = { flops = { 1e6, 2e6 } } }
--   print(s)

local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "design"
local input = require "netspace.stats.input"
local ledgers = require "netspace.store.ledger"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local units = require "netspace.lib.units"
local space = require "netspace.space.space"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local waiting = require "netspace.sweep.waiting"

local M = {}

-- Spaces ------------------------------------------------------------------------------------

local function is_space(x) return members.kind(x) == "space" end

local function space_of(x)
  if type(x) == "string" then return space[x] end
  if type(x) == "table" and is_space(x.chosen) then return x.chosen end -- a step
  if is_space(x) then return x end
  error(("design.step: parent is a %s; it should be a space, its name, or a step that chose "
    .. "one"):format(type(x)), 0)
end

local function candidate(parent, x)
  if is_space(x) then return x end
  return parent:with(x)
end

local function spaces_of(o)
  local list, seen = { space_of(o.parent) }, {}
  for i, x in ipairs(o.candidates) do list[i + 1] = candidate(list[1], x) end
  for _, S in ipairs(list) do
    if seen[S.name] then
      error(("design.step: two spaces are called %s; give one a name (S:with{ …, name = \"…\" })")
        :format(S.name), 0)
    end
    seen[S.name] = true
  end
  return list
end

--- The sampling seed of a space: its own, so that the populations of a step are independent,
-- and the same in every step.
local function seed_of(seed, S)
  local name = tonumber("0x" .. ledgers.fingerprint(S.name)) & math.maxinteger
  return sys.random(seed, name, sys.purpose.step) >> 11
end

-- Training -----------------------------------------------------------------------------------

local of_sweep = { "store", "data", "recipe", "workers", "trainer", "identical", "quiet",
  "progress", "checkpoint", "memory", "patience", "early", "on" }

-- Trains populations (name, models, seed) at once; a list of results in their order.
local function train(list, o)
  local running, results = {}, {}
  local good, err = pcall(function()
    for i, p in ipairs(list) do
      local t = { name = p.name, models = p.models, seed = p.seed }
      for _, key in ipairs(of_sweep) do t[key] = o[key] end
      running[i] = sweep.start(t)
    end
    for i, handle in ipairs(running) do results[i] = handle:wait() end
  end)
  if good then return results end
  waiting.undo(running, err)
end

local function draw(S, o, adopt)
  local t = {}
  for k, v in pairs(o.sample or {}) do t[k] = v end
  t.seed, t.adopt = seed_of(o.seed or sys.seed(), S), adopt
  return { name = S.name, models = S:sample(o.n, t) }
end

-- Trains the spaces until a plan decides between them: a list of results, with the decision.
local function train_until(spaces, o)
  if o.adopt then
    error("design.step: adopt trains the parent first, and stop trains all in turn; leave one out",
      0)
  end
  local t = { models = {}, name = {}, compare = { looks = o.looks, spending = o.spending,
    margin = o.stop == "decided" and (o.margin or 1) or nil, precision = o.precision,
    level = o.level, predict = o.predict, seed = o.seed } }
  for i, S in ipairs(spaces) do
    local p = draw(S, o)
    t.name[i], t.models[i] = p.name, p.models
  end
  for _, key in ipairs(of_sweep) do t[key] = o[key] end
  return sweep.run(t)
end

local function train_spaces(spaces, o)
  local list = {}
  for i, S in ipairs(spaces) do
    if i > 1 and o.adopt then break end
    list[i] = draw(S, o)
  end
  local results = train(list, o)
  if not o.adopt then return results end
  list = {}
  for i = 2, #spaces do list[i - 1] = draw(spaces[i], o, results[1]) end
  table.move(train(list, o), 1, #list, 2, results)
  return results
end

-- The decision ---------------------------------------------------------------------------

local function smaller(parent, S)
  local ratio = parent:size().nominal / S:size().nominal
  return ratio > 1 and (" and it is %s times smaller"):format(units.short(ratio)) or ""
end

local function interval(c)
  return input.measured("difference %+.2f points, interval %+.2f to %+.2f at %.4g %%",
    c.metric):format(c.mean_difference, c.ci[1], c.ci[2], 100 * c.level)
end

--- The space to go on with, and the sentence that says why: the best of the better ones, else
-- the best of those that are no worse than the margin, else the parent where every candidate
-- is worse; nil where nothing can be decided.
-- @tparam table t what stats.alternatives gave for the spaces[2], … against spaces[1]
function M._decide(t, spaces)
  local parent, kept = spaces[1], nil
  for _, row in ipairs(t.rows) do
    if not kept and (row.claim == "same" or row.claim == "no worse") then kept = row end
  end
  local best = t.best
  if best then
    return spaces[best.index + 1], ("Go on with %s: %s (%s)"):format(best.name,
      t.verdict:gsub("%.$", ""), interval(best.comparison)) .. "."
  elseif kept then
    local S = spaces[kept.index + 1]
    return S, input.measured("Go on with %s: it is no more than %g points worse than %s%s (%s).",
      t.metric):format(kept.name, t.margin, parent.name, smaller(parent, S),
      interval(kept.comparison)) .. t.caution
  end
  local open = 0
  for _, row in ipairs(t.rows) do open = open + (row.claim == "open" and 1 or 0) end
  if open == 0 and #t.rows > 0 then
    return parent, ("Stay with %s: %s"):format(parent.name, t.verdict)
  end
  return nil, ("Undecided: nothing can be claimed of %s; %s.%s"):format(
    open == #t.rows and "any candidate" or ("%d of %d candidates"):format(open, #t.rows),
    t.too_small or "train more models", t.caution)
end

-- What to say of an arm of a trial against the parent, as stats.alternatives says it.
local function claim_of(arm)
  local last = arm.looks and arm.looks[#arm.looks] or arm
  if arm.better then return arm.better == arm.names[2] and "better" or "worse" end
  if arm.same then return "same" end
  return arm.margin and last.ci and last.ci[2] <= arm.margin and "no worse" or "open"
end

--- The same of what sweep.run has decided while the spaces were trained.
-- @tparam table t  the decision of stats.sequential on the spaces[2], … against spaces[1]
function M._settle(t, spaces)
  local best, kept, open
  for i, arm in ipairs(t.arms) do
    local claim, row = claim_of(arm), { space = spaces[i + 1], arm = arm }
    local d = arm.estimate or arm.mean_difference
    row.difference = d
    if claim == "better" and not (best and best.difference <= d) then best = row end
    if (claim == "same" or claim == "no worse") and not (kept and kept.difference <= d) then
      kept = row
    end
    open = open or claim == "open"
  end
  if best then
    return best.space, ("Go on with %s: %s"):format(best.space.name, best.arm.verdict)
  elseif kept then
    return kept.space, ("Go on with %s: it is no more than %g points worse than %s%s.  %s"):format(
      kept.space.name, kept.arm.margin, spaces[1].name, smaller(spaces[1], kept.space),
      kept.arm.verdict)
  elseif not open then
    return spaces[1], ("Stay with %s: every candidate is worse.  %s"):format(spaces[1].name,
      t.verdict)
  end
  return nil, "Undecided: " .. t.verdict
end

local step = {
  __name = "step",
  __tostring = function(s)
    local sizes = {}
    for i, S in ipairs(s.spaces) do
      sizes[i] = ("%s %.3g"):format(S.name, S:size().nominal)
    end
    return ("%s and its candidates, n = %d each; sizes %s\n%s\n%s"):format(s.spaces[1].name, s.n,
      table.concat(sizes, ", "), (tostring(s.alternatives or s.decision):gsub("\n[^\n]*$", "")),
      s.verdict)
  end,
}

options.declare("design.step", { parent = "string|table", candidates = "table", n = "integer",
  sample = "table", seed = "integer", adopt = "boolean", margin = "number", level = "number",
  stop = "string", looks = "integer|table|string", spending = "string|table", precision = "number",
  draws = "integer", by = "string|function", bins = "integer", range = "table",
  predict = "boolean|table", metric = "string",
  store = "string", data = "string|userdata", recipe = "table", workers = "integer|table",
  trainer = "string|table", identical = "boolean", early = "table",
  quiet = "boolean", progress = "function", checkpoint = "table|boolean",
  memory = "number|string", patience = "number", on = "table" })

options.words["design.step: stop"] = { "decided", "precision" }

-- Options that go with stop = …, and those that do not.
local while_training, at_the_end = { "looks", "spending", "precision" },
  { "by", "bins", "range", "metric", "draws", "early" }

-- Checks what is said of stopping; exceptions blame the caller of design.step.
local function check_stop(o)
  local function refuse(text, ...) error("design.step: " .. text:format(...), 3) end
  if o.stop and o.stop ~= "decided" and o.stop ~= "precision" then
    refuse("stop is '%s'%s; it is \"decided\" or \"precision\"", o.stop,
      options.hint(o.stop, options.words["design.step: stop"]))
  end
  for _, key in ipairs(o.stop and at_the_end or while_training) do
    if o[key] ~= nil then
      refuse(o.stop and "%s is for populations that are trained to the end; leave out stop=, or %s="
        or "%s is for populations that are trained until they are decided: give stop = \"%s\", too",
        key, o.stop and key or key == "precision" and key or "decided")
    end
  end
  if (o.stop == "precision") ~= (o.precision ~= nil) then
    refuse(o.precision and "precision goes with stop = \"precision\", not \"%s\""
      or "stop = \"precision\" needs precision=, points of half an interval", o.stop)
  end
end

function M.step(o)
  o = options.check("design.step", o)
  for _, key in ipairs { "parent", "candidates", "n", "store", "data" } do
    if o[key] == nil then error(("design.step needs %s="):format(key), 2) end
  end
  if #o.candidates == 0 then
    error("design.step: candidates is empty; give constraints or spaces", 2)
  end
  input.check_metric("design.step", o.metric)
  input.level("design.step", o.level)
  check_stop(o)
  for _, key in ipairs { "seed", "adopt" } do
    if o.sample and o.sample[key] ~= nil then
      error(("design.step: give %s= to the step, not to sample"):format(key), 2)
    end
  end
  local s = blame.call(1, blame.plainly, function()
    local spaces = spaces_of(o)
    local n = math.tointeger(o.n)
    if o.stop then
      local results = train_until(spaces, o)
      local chosen, verdict = M._settle(results.decision, spaces)
      return { spaces = spaces, results = results, decision = results.decision, chosen = chosen,
        verdict = verdict, n = n }
    end
    local results = train_spaces(spaces, o)
    local t = stats.alternatives(results[1], table.move(results, 2, #results, 1, {}),
      { margin = o.margin or o.metric ~= "loss" and 1 or nil, level = o.level, draws = o.draws,
        by = o.by, metric = o.metric, bins = o.bins, range = o.range, seed = o.seed,
        predict = o.predict })
    local chosen, verdict = M._decide(t, spaces)
    return { spaces = spaces, results = results, alternatives = t, chosen = chosen,
      verdict = verdict, n = n }
  end)
  return setmetatable(s, step)
end

-- Seeds ------------------------------------------------------------------------------------

options.declare("design.repeats", { models = "table", name = "string", times = "integer",
  seed = "integer", store = "string", data = "string|userdata", recipe = "table",
  workers = "integer|table", trainer = "string|table", identical = "boolean",
  quiet = "boolean", progress = "function", checkpoint = "table|boolean",
  memory = "number|string", patience = "number", on = "table" })

function M.repeats(o)
  o = options.check("design.repeats", o)
  local times = math.tointeger(o.times or 3)
  for _, key in ipairs { "models", "store", "data" } do
    if o[key] == nil then error(("design.repeats needs %s="):format(key), 2) end
  end
  if times < 2 then
    error(("design.repeats: times is %d; it must be at least 2"):format(times), 2)
  end
  local name = o.name or o.models.space
  if not name then error("design.repeats needs name=, the name of the population", 2) end
  local results = blame.call(1, blame.plainly, function()
    local list, seed = {}, math.tointeger(o.seed or o.models.seed or sys.seed())
    for k = 1, times do -- the first is the population itself, trained already or not
      list[k] = { name = k == 1 and name or ("%s, seed %d"):format(name, k), models = o.models,
        seed = k > 1 and sys.random(seed, k, sys.purpose.step) >> 11 or o.seed }
    end
    return train(list, o)
  end)
  return results
end

document("design.step", [[
design.step{ parent =, candidates =, n =, store =, data =, … } -> step
One step of designing a space: train the parent and its refinements, compare, decide.
  parent       a space, its name ("AnyNetXA"), or a step: the space that it chose
  candidates   list of refinements: constraints (as for S:with) or spaces
  n            models of each; with a larger n later only the new ones are trained
  sample       options of S:sample: { flops = {lo, hi}, image =, stem =, … }
  seed = 1     each space draws with a seed made of this one and its name, so that the
               populations of a step are independent, and a candidate is found in the store
               when it is the parent of the next step
  adopt        true: candidates adopt those trained models of the parent that obey them
  margin = 1   points of mean error that do not matter (none of metric = "loss", unless given):
               a candidate that is at most this much
               worse is chosen for its simplicity
  stop         "decided": the models of all are trained in turn, and no more than it takes: at
               planned looks, as soon as a candidate is better, worse, or the same within the
               margin (stats.sequential); n is then the most.  "precision": until half of every
               interval is at most precision= points
  looks        with it: how many looks (5), a list of how many models at each, or "anytime": after
               every model, with n that may be raised later (stats.anytime, which predicts only
               with predict = true); spending= as in
               stats.sequential.  n, looks and the rest are fixed at the first run: the step may be
               stopped and gone on with, to the same looks
  level, draws, by, bins, range, metric, predict   as in stats.alternatives
  early        { full =, after = 1 }: of each population only the first `full` models are trained
               to the end, and the others begun, as in sweep.run: their first losses make the
               predicted means more certain.  Not with stop=
  store, data, recipe, workers, on, quiet, …   as in sweep.run: all populations are trained at
               once, and models in the store are not trained again
.chosen        the space to continue with, or nil when n is too small to decide
.verdict       the reason, in a sentence; .alternatives, the figures, with stop= .decision, those
               of stats.sequential; .spaces, .results, .n
Prints as the table and the verdict.
example: design.step{ parent = space.small.AnyNetXA, candidates = { "b_1" }, n = 2,
    sample = { flops = {1e6, 2e6} }, store = "runs.db", data = D }
example: design.step{ parent = space.small.AnyNetXA, candidates = { "b_1" }, n = 5, looks = 1,
    stop = "decided", sample = { flops = {1e6, 2e6} }, store = "stop.db", data = D }
source: arXiv 2003.13678, section 3.2; Holm 1979; for stop those of stats.sequential]])

document("design.repeats", [[
design.repeats{ models =, times = 3, store =, data =, … } -> list of results
Trains the same models several times, with different seeds, for stats.noise.
  models, store, data, recipe, …   as in sweep.run; the first training is the population
          itself: where the store has it, it is not trained again
  name    of the population (the name of its space); the others are "NAME, seed 2", …
example: stats.noise(design.repeats{ models = A, name = "A", store = "runs.db", data = D })
source: Shrout and Fleiss 1979]])

return M
