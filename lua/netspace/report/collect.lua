--- What a report shows of a store, read in one moment, as plain data.  It depends on the
-- store and on the looks at its test images that were counted: not on the clock, nor on
-- whether a sweep is at work right now.

local cards = require "netspace.lib.card"
local caution = require "netspace.stats.caution"
local html = require "netspace.report.html"
local looks = require "netspace.lib.looks"
local json = require "netspace.lib.json"

local M = {}
local LONGEST = 60 -- characters of a name that are shown

-- A name as all of the page shows it (in full it is where the population comes from).
local function label_of(name)
  local text = html.clean(name):gsub("\n", " ")
  if utf8.len(text) <= LONGEST then return text end
  return text:sub(1, utf8.offset(text, LONGEST) - 1) .. "…"
end

-- A population: how it stands, its models, its networks, the finished ones as a result.
local function population_of(s, name)
  local p = s:population(name)
  p.models, p.networks, p.provenance = s:live(name), s:networks(name), s:provenance(name)
  p.result, p.label = s:result(name), label_of(name)
  p.result.models, p.result.name = {}, p.label
  for i = 1, p.n do -- a store with others is damaged, and said to be
    if not p.models[i] or not p.networks[i] then error(("%s has no model %d"):format(name, i)) end
  end
  local costs = { flops = {}, params = {}, acts = {} } -- as stored: not to be counted again
  for i, index in ipairs(p.result.indices) do
    p.result.models[i] = p.networks[index]
    for key, list in pairs(costs) do list[i] = p.models[index][key] end
  end
  for key, list in pairs(costs) do p.result.columns[key] = list end
  p.finished, p.open = #p.result.errors, p.running + p.queued
  p.lineage = p.provenance.lineage or { p.space or name }
  p.kind = p.spec and p.spec.kind
  p.images = p.card.name or p.data
  p.apart = cards.apart(p.card) -- validation images of its own
  if p.apart and p.card.test_checksum then
    p.looks, p.looked = looks.of(p.card.test_checksum)
  end
  return p
end

-- The same networks in the same order: another training of a population.
local function same_networks(p, q)
  if #p.networks ~= #q.networks then return false end
  for i, m in ipairs(p.networks) do
    if json.encode(m) ~= json.encode(q.networks[i]) then return false end
  end
  return true
end

-- Populations trained alike (caution.lua), in the order of the store; .apart of a group says in
-- what it differs from the first one.  .repeats of a population are others with its networks,
-- which are not independent of it; .sample says that it is the second, third, … sample of a
-- space of the group.
local function groups_of(populations)
  local groups = {}
  for _, p in ipairs(populations) do
    local group
    for _, g in ipairs(groups) do
      group = group or not caution.apart(g[1].result, p.result) and g or nil
    end
    if not group then
      group = { apart = groups[1] and caution.apart(groups[1][1].result, p.result) }
      groups[#groups + 1] = group
    end
    local first
    p.sample = 1
    for _, q in ipairs(group) do
      if caution.replicates(q.result, p.result) then p.sample = p.sample + 1 end
      first = first or same_networks(p, q) and q or nil
    end
    if first then
      first.repeats = first.repeats or {}
      table.insert(first.repeats, p)
    else
      group[#group + 1] = p
    end
    p.group, p.first = group, first
  end
  return groups
end

local function last_event(s, populations)
  local last = s:progress().updated or 0
  for _, e in ipairs(s:events { last = 1 }) do last = math.max(last, e.time) end
  for _, p in ipairs(populations) do last = math.max(last, p.created) end
  return last > 0 and math.floor(last) or nil
end

--- The state of an open store; of the populations `names`, or of all.
-- @treturn table populations, groups, best and totals; or nil, a message, "damaged" or nil
function M.take(store, names)
  return store:_at_once(function(s)
    local all = { populations = {}, total = 0, finished = 0, open = 0, done = 0, diverged = 0,
      failed = 0, running = 0, queued = 0 }
    for i, name in ipairs(names or s:names()) do
      local p = population_of(s, name)
      p.number, all.populations[i] = i, p
      all.total, all.finished = all.total + p.n, all.finished + p.finished
      for state in pairs(p.counts) do all[state] = all[state] + p[state] end
      all.open = all.open + p.open
    end
    all.groups = groups_of(all.populations)
    all.trials = s:_trials()
    all.updated = last_event(s, all.populations)
    return all
  end)
end

return M
