--- What makes a comparison of populations questionable, in words: that they were not trained
-- alike (recipe, data, trainer, window of complexity), are samples of one space, are unfinished,
-- have learnt nothing, or have failed at a limit.  The same for stats.compare, stats.alternatives,
-- design.step and reports; a population is compared with care, never silently.

local cards = require "netspace.lib.card"
local chance = require "netspace.lib.chance"
local json = require "netspace.lib.json"
local units = require "netspace.lib.units"

local M = {}

-- How a result's images were chosen, where that is known.
local function images(r)
  local card = r.card
  return card and { train = card.train_n, validation = cards.compared(card), pad = card.pad,
    images = card.checksum }
end

-- A value of a setting: a range of flops as "1M to 2M".
local function shown(value)
  if type(value) == "table" and tonumber(value[1]) and tonumber(value[2]) then
    return ("%s to %s"):format(units.short(value[1]), units.short(value[2]))
  end
  return value == nil and "none" or tostring(value)
end

-- "recipes (epochs 1 and 2)" where x and y, tables of the same kind, differ; else nil.
local function unlike(what, x, y)
  if x == nil or type(x) ~= type(y) or json.encode(x) == json.encode(y) then return nil end
  if type(x) ~= "table" then return what end
  local keys, parts = {}, {}
  for _, t in ipairs { x, y } do for key in pairs(t) do keys[key] = true end end
  for key in pairs(keys) do
    if key ~= "images" and key ~= "spec" and shown(x[key]) ~= shown(y[key]) then
      parts[#parts + 1] = ("%s %s and %s"):format(key, shown(x[key]), shown(y[key]))
    end
  end
  table.sort(parts)
  return #parts == 0 and what or ("%s (%s)"):format(what, table.concat(parts, ", "))
end

-- What the store knows of the space of a result, or nil.
local function origin(r) return type(r) == "table" and r._origin or nil end

-- The window in which the networks of a result were drawn, where that is known.
local function window(r)
  local from = origin(r)
  return from and from.spec and (from.window or {}) or nil
end

-- Which trainers made a result, and on what: "netspace 0.1.0 on cpu"; nil where that is not known.
-- What decides the last digits (kernels) and the host are left out.
local function trainers(r)
  local list, seen = {}, {}
  for _, t in ipairs(r.trainers or {}) do
    local text = ("%s %s on %s"):format(t.trainer, t.version, t.device)
    if not seen[text] then list[#list + 1] = text end
    seen[text] = true
  end
  table.sort(list)
  return list[1] and table.concat(list, ", ") or nil
end

--- In what the results a and b differ that must be alike for their errors to tell of their
-- spaces: a list such as { "recipes (epochs 1 and 2)", "windows of complexity (…)" }.  What is
-- not known of both is taken to be alike.
function M.differences(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return {} end
  local list = { unlike("recipes", a.recipe, b.recipe) }
  list[#list + 1] = unlike("data", images(a), images(b))
  local x, y = trainers(a), trainers(b)
  if x and y and x ~= y then list[#list + 1] = ("trainers (%s and %s)"):format(x, y) end
  list[#list + 1] = unlike("windows of complexity", window(a), window(b))
  return list
end

--- Whether the results a and b are samples of the same space, drawn with different seeds in the
-- same window: what differs between them is chance.
function M.replicates(a, b)
  local x, y = origin(a), origin(b)
  return x ~= nil and y ~= nil and x.spec ~= nil and #x.seeds == 1 and #y.seeds == 1
    and x.seeds[1] ~= y.seeds[1] and a.space == b.space
    and json.encode(x.spec) == json.encode(y.spec or {})
    and json.encode(x.constraints or {}) == json.encode(y.constraints or {})
    and json.encode(x.window or {}) == json.encode(y.window or {})
end

--- "different recipes (…) and different data (…)", or nil where they were trained alike.
function M.apart(a, b)
  local list = M.differences(a, b)
  return #list > 0 and "different " .. table.concat(list, " and different ") or nil
end

-- What is said of results one by one: what goes before a verdict, and what after it.
local function of_each(names, list)
  local before, after = {}, {}
  for i, r in ipairs(list) do
    local known = type(r) == "table" and r.errors
    local open = known and math.type(r.n) == "integer" and r.n - #r.errors or 0
    if open > 0 and #r.errors == 0 then
      after[#after + 1] = ("%s has no finished models, and is left out."):format(names[i])
    elseif open > 0 then
      after[#after + 1] = ("%s of %s %s unfinished."):format(
        units.count(r.n, "model", open), names[i], open == 1 and "is" or "are")
    end
    for _, limit in ipairs { "memory", "patience" } do
      local n = known and r.limited and r.limited[limit] or 0
      if n > 0 then
        after[#after + 1] = ("%s of %s failed at the limit %s= of the sweep, which says nothing of "
          .. "the space; train %s again with a higher one."):format(
          units.count(r.n, "model", n), names[i], limit, n == 1 and "it" or "them")
      end
    end
    local guessing = known and chance.of_errors(r.errors, r.card)
    if guessing then
      before[#before + 1] = ("of %s %s, which says nothing of its space."):format(names[i],
        chance.text(guessing))
    end
  end
  return before, after
end

-- What is said of the first result against the others.
local function of_pairs(names, list, after)
  local a, how, others, samples = list[1], {}, {}, {}
  for i = 2, #list do
    local what = M.apart(a, list[i])
    if what and not others[what] then how[#how + 1], others[what] = what, {} end
    if what then table.insert(others[what], names[i]) end
    if not what and M.replicates(a, list[i]) then samples[#samples + 1] = names[i] end
  end
  for _, what in ipairs(how) do
    after[#after + 1] = ("%s trained with %s."):format(#list == 2 and "they were"
      or ("%s and %s were"):format(names[1], table.concat(others[what], ", ")), what)
  end
  if #samples > 0 then
    after[#after + 1] = ("%s and %s are samples of the same space, drawn with other seeds: what "
      .. "differs between them is chance."):format(names[1], table.concat(samples, ", "))
  end
end

--- The cautions of a comparison of the results `list`, called `names`, of which the first is the
-- one that others are compared with.
-- @treturn string what goes before a verdict: that nothing was learnt, because no claim holds
-- then; and what goes after it.  "" where there is nothing to say
function M.text(names, list)
  local before, after = of_each(names, list)
  of_pairs(names, list, after)
  local first, last = {}, {}
  for i, text in ipairs(before) do first[i] = ("Careful: %s "):format(text) end
  for i, text in ipairs(after) do last[i] = (" Careful: %s"):format(text) end
  return table.concat(first), table.concat(last)
end

--- A verdict with its cautions.
function M.beside(verdict, names, list)
  local before, after = M.text(names, list)
  return before .. verdict .. after
end

return M
