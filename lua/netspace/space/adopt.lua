--- Refining a space whose population is trained: the networks of that population that obey
-- the new constraints become the first ones of the child's, with their results, and only the
-- rest is drawn and trained.
--
--   A = sweep.run{ store = "runs.db", models = space.AnyNetXA:sample(100, w), data = "shapes" }
--   B = space.AnyNetXA:with("shared_b"):sample(100, { adopt = A })
--   sweep.run{ store = "runs.db", models = B, data = "shapes" }   -- trains those not adopted
--
-- Why this is exact: a population is a sequence of independent draws without those seen
-- before.  The draws that satisfy a predicate are, in their order, such a sequence from the
-- space cut down by the predicate: that is what rejection sampling does.  More draws from the
-- child, with a seed that no ancestor used, continue it.  So it holds when
--   - the child has the parent's ranges, network options and all its constraints: new
--     constraints are predicates, and their hints draw what rejection would (order = "sorted",
--     which does not, and other ranges are refused);
--   - the child's window lies inside the parent's (a window is a predicate, too);
--   - what is adopted comes from an unbroken beginning of the parent's population: models in
--     the order they finished would favour the quick ones.

local arch = require "netspace.network.arch"
local json = require "netspace.lib.json"
local sys = require "netspace.core.sys"
local times = require "netspace.network.times"

local M = {}

local function refuse(S, result, ...)
  error(("%s cannot adopt models of %s: "):format(S.name, result.name)
    .. (...):format(select(2, ...)), 0)
end

-- A range without the cut that constraints have made in it.
local function uncut(ranges)
  local list = {}
  for i, r in ipairs(ranges) do
    list[i] = {}
    for k, v in pairs(r) do
      if k ~= "min" and k ~= "max" then list[i][k] = v end
    end
  end
  return list
end

-- What of a space's description need not be the same in both (timing: check_timing).
local free = { name = true, lineage = true, constraints = true, bonds = true, ties = true,
  timing = true }
local function essence(spec)
  local t = {}
  for k, v in pairs(spec) do
    if not free[k] then t[k] = v end
  end
  t.params = {}
  for name, ranges in pairs(spec.params) do t.params[name] = uncut(ranges) end
  return t
end

local function show(v)
  return v == nil and "not set" or json.encode(v)
end

local function check_same(S, result, key, old, new)
  if type(old) == "table" and type(new) == "table" and not (old[1] or new[1]) then
    for _, t in ipairs { old, new } do
      for k in pairs(t) do check_same(S, result, k, old[k], new[k]) end
    end
  elseif show(old) ~= show(new) then
    refuse(S, result, "%s was %s and is now %s; only added constraints allow it", key, show(old),
      show(new))
  end
end

local function check_space(S, spec, from, result)
  check_same(S, result, "space", essence(from.spec), essence(spec))
  if spec.drawn then
    refuse(S, result, "order = \"%s\" draws from another distribution than rejection", spec.drawn)
  end
  local has = {}
  for _, c in ipairs(S.constraints) do has[c.name] = c.source end
  for _, c in ipairs(from.constraints or {}) do
    if has[c.name] ~= c.source then
      refuse(S, result, "they obey the constraint %s, which %s", c.name,
        has[c.name] and "has another definition here" or S.name .. " does not have")
    end
  end
end

-- The window of the child: the parent's where none is given, never wider than it.
local function check_window(S, window, from, result)
  for name, w in pairs(from.window or {}) do
    local mine = window[name] or w
    if mine[1] < w[1] or mine[2] > w[2] then
      refuse(S, result, "the window of %s, %s to %s, is wider than theirs, %s to %s", name,
        json.encode(mine[1]), json.encode(mine[2]), json.encode(w[1]), json.encode(w[2]))
    end
    window[name] = mine
  end
  return window
end

-- A seed that drew neither the population nor those it adopted from; the default is far from
-- any seed that a person would choose.
local function check_seed(S, seed, from, result)
  for _, used in ipairs(from.seeds) do
    if seed == used then
      refuse(S, result, "seed %d drew them, and would draw them again; give another seed, "
        .. "or none", seed)
    end
  end
  return seed or sys.random(from.seeds[1], #from.seeds, sys.purpose.adopt) >> 34
end

-- Time is counted as it was when they were drawn: by one table, in one way.
local function check_timing(S, window, timing, from, result)
  local old = from.spec.timing
  if not window.time or not old or not timing then return old or timing end
  for _, key in ipairs { "table", "batch", "training" } do
    if old[key] ~= timing[key] then
      refuse(S, result, "they were drawn by time with %s %s, not %s; leave time out, or give it "
        .. "%s = %s", key, tostring(old[key]), tostring(timing[key]), key,
        json.encode(old[key]))
    end
  end
  return old
end

local function inside(window, m, timing)
  local cost = next(window) and arch.complexity(m)
  if window.time then
    cost.time = times.seconds(m, { batch = timing.batch, training = timing.training,
      table = timing.table })
  end
  for name, w in pairs(window) do
    if cost[name] < w[1] or cost[name] > w[2] then return false end
  end
  return true
end

-- Where a result comes from; raises when it cannot be adopted from at all.
local function origin(result)
  local from = type(result) == "table" and rawget(result, "_origin")
  if not from then
    error("S:sample: adopt should be a result, from sweep.run or store:result(name)", 0)
  elseif not from.spec then
    error(("S:sample: the models of %s were not drawn from a space"):format(result.name), 0)
  end
  return from
end

--- Completes network options (keys: stem, image, …) by those of the result's population.
function M.complete(result, set, keys)
  local options = origin(result).spec.options
  for k in pairs(keys) do
    if set[k] == nil then set[k] = options[k] end
  end
end

--- What S, described by `spec`, adopts from a result; o: window, timing, seed or nil.
-- @treturn table models and indices (in the result's population), population and store they
-- come from; window and seed for what is still to be drawn
function M.from(S, spec, result, n, o)
  local from = origin(result)
  check_space(S, spec, from, result)
  local taken = { models = {}, indices = {}, population = result.name, store = from.store,
    window = check_window(S, o.window, from, result),
    seed = check_seed(S, o.seed, from, result) }
  taken.timing = check_timing(S, taken.window, o.timing, from, result)
  for i, m in ipairs(result.models) do
    if result.indices[i] ~= i or #taken.models == n then break end
    if inside(taken.window, m, taken.timing) and S:contains(m) then
      table.insert(taken.models, m)
      table.insert(taken.indices, i)
    end
  end
  return taken
end

return M
