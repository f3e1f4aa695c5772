--- Why models failed, in words for people: equal reasons are counted, and those that a limit of
-- the sweep gave (memory, patience) are told apart, because training such a model again under
-- the same limit gives the same.  The reasons are what sweep/worker.lua and pool.lua write.

local units = require "netspace.lib.units"

local M = {}

--- Which option of a sweep failed a model: "memory", "patience", or nil for other reasons.
function M.limit(reason)
  if not reason then return nil end
  if reason:find("raise memory= of the sweep", 1, true) then return "memory" end
  if reason:find("its worker hung", 1, true) then return "patience" end
end

--- How many of the models (with .reason) each limit failed: { memory =, patience = }.
function M.limited(models)
  local n = { memory = 0, patience = 0 }
  for _, model in ipairs(models) do
    local limit = M.limit(model.reason)
    if limit then n[limit] = n[limit] + 1 end
  end
  return n
end

-- The first sentence of a reason.
local function brief(reason)
  return (reason or "not known"):match "^[^;\n]*"
end

local MOST = 3 -- reasons that are told

--- "2 failed: it needs 1.2 GB at batch 32, and the limit is 1 GB per worker": the models, which
-- all are in that state, by their reasons, the most frequent first.  Reasons that differ in
-- numbers alone are one.  "" for no models.
function M.text(models, state)
  local groups, by = {}, {}
  for i, model in ipairs(models) do
    local text = brief(model.reason)
    local key = text:gsub("%d[%d.]*%s?[kMGT]?B?", "#")
    local group = by[key]
    if not group then
      group = { text = text, n = 0, at = i }
      by[key], groups[#groups + 1] = group, group
    end
    group.n, group.varied = group.n + 1, group.varied or group.text ~= text
  end
  table.sort(groups, function(a, b)
    if a.n ~= b.n then return a.n > b.n end
    return a.at < b.at
  end)
  local parts = {}
  for i = 1, math.min(#groups, MOST) do
    local group = groups[i]
    parts[i] = ("%d %s: %s%s"):format(group.n, state, group.text,
      group.varied and " (numbers of the first)" or "")
  end
  if #groups > MOST then
    parts[#parts + 1] = units.count(#groups - MOST, "other reason")
  end
  return table.concat(parts, "; ")
end

return M
