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
  "progress", "checkpoint", "memory", "patience" }

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
  for _, handle in ipairs(running) do handle:cancel() end
  error(err, 0)
end

local function draw(S, o, adopt)
  local t = {}
  for k, v in pairs(o.sample or {}) do t[k] = v end
  t.seed, t.adopt = seed_of(o.seed or sys.seed(), S), adopt
  return { name = S.name, models = S:sample(o.n, t) }
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

local step = {
  __name = "step",
  __tostring = function(s)
    local sizes = {}
    for i, S in ipairs(s.spaces) do
      sizes[i] = ("%s %.3g"):format(S.name, S:size().nominal)
    end
    return ("%s and its candidates, n = %d each; sizes %s\n%s\n%s"):format(s.spaces[1].name, s.n,
      table.concat(sizes, ", "), (tostring(s.alternatives):gsub("\n[^\n]*$", "")), s.verdict)
  end,
}

options.declare("design.step", { parent = "string|table", candidates = "table", n = "integer",
  sample = "table", seed = "integer", adopt = "boolean", margin = "number", level = "number",
  looks = "integer",
  draws = "integer", by = "string|function", bins = "integer", range = "table",
  predict = "boolean|table", metric = "string",
  store = "string", data = "string|userdata", recipe = "table", workers = "integer|table",
  trainer = "string|table", identical = "boolean",
  quiet = "boolean", progress = "function", checkpoint = "table|boolean",
  memory = "number|string", patience = "number" })

function M.step(o)
  o = options.check("design.step", o)
  for _, key in ipairs { "parent", "candidates", "n", "store", "data" } do
    if o[key] == nil then error(("design.step needs %s="):format(key), 2) end
  end
  if #o.candidates == 0 then
    error("design.step: candidates is empty; give constraints or spaces", 2)
  end
  input.check_metric("design.step", o.metric)
  local level, looks = input.level("design.step", o.level), o.looks or 1
  if looks < 1 then error(("design.step: looks is %d; it must be at least 1"):format(looks), 2) end
  for _, key in ipairs { "seed", "adopt" } do
    if o.sample and o.sample[key] ~= nil then
      error(("design.step: give %s= to the step, not to sample"):format(key), 2)
    end
  end
  local s = blame.call(1, blame.plainly, function()
    local spaces = spaces_of(o)
    local results = train_spaces(spaces, o)
    local t = stats.alternatives(results[1], table.move(results, 2, #results, 1, {}),
      { margin = o.margin or o.metric ~= "loss" and 1 or nil,
        level = 1 - (1 - level) / looks, draws = o.draws, by = o.by,
        metric = o.metric, bins = o.bins, range = o.range, seed = o.seed, predict = o.predict })
    local chosen, verdict = M._decide(t, spaces)
    return { spaces = spaces, results = results, alternatives = t, chosen = chosen,
      verdict = verdict, n = math.tointeger(o.n) }
  end)
  return setmetatable(s, step)
end

-- Seeds ------------------------------------------------------------------------------------

options.declare("design.repeats", { models = "table", name = "string", times = "integer",
  seed = "integer", store = "string", data = "string|userdata", recipe = "table",
  workers = "integer|table", trainer = "string|table", identical = "boolean",
  quiet = "boolean", progress = "function", checkpoint = "table|boolean",
  memory = "number|string", patience = "number" })

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
  looks = 1    how often the step will be repeated while n grows: adding models until something
               can be claimed makes a false claim likelier (3 looks at 5 %: 11 %), so each
               look has 1/looks of the error probability
  level, draws, by, bins, range, metric, predict   as in stats.alternatives
  store, data, recipe, workers, quiet, …   as in sweep.run: all populations are trained at
               once, and models in the store are not trained again
.chosen        the space to continue with, or nil when n is too small to decide
.verdict       the reason, in a sentence; .alternatives, the figures; .spaces, .results, .n
Prints as the table and the verdict.
example: design.step{ parent = space.small.AnyNetXA, candidates = { "b_1" }, n = 2,
    sample = { flops = {1e6, 2e6} }, store = "runs.db", data = D }
source: arXiv 2003.13678, section 3.2; Holm 1979; Armitage, McPherson and Rowe 1969 (looks)]])

document("design.repeats", [[
design.repeats{ models =, times = 3, store =, data =, … } -> list of results
Trains the same models several times, with different seeds, for stats.noise.
  models, store, data, recipe, …   as in sweep.run; the first training is the population
          itself: where the store has it, it is not trained again
  name    of the population (the name of its space); the others are "NAME, seed 2", …
example: stats.noise(design.repeats{ models = A, name = "A", store = "runs.db", data = D })
source: Shrout and Fleiss 1979]])

return M
