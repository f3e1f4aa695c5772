--- What predictions of populations in a store learn from besides: models 1 to n of the other
-- populations there that were trained alike (predict.lua).

local cards = require "netspace.lib.card"
local json = require "netspace.lib.json"
local prefix = require "netspace.stats.prefix"
local stores = require "netspace.store.store"
local uv = require "luv"
local pcall = require("netspace.lib.memory").pcall

local M = {}

-- Networks of one population at most, and of all of them: fits to a thousand take seconds.
local EACH, ALL = 200, 600
local LEAST = 10 -- of one
local KEPT = 8 -- stores whose populations are kept

--- What populations that are compared must have in common, as a text.
function M.conditions(r)
  local card, o = r.card or {}, {}
  for _, key in ipairs { "train_n", "pad", "checksum" } do o[key] = card[key] end
  o.compared = r.card and cards.compared(card)
  return json.encode { card = o, recipe = r.recipe or {} }
end

--- Models 1 to n of a result, all of which have ended, n at most `most`.
function M.first(r, most)
  return prefix._cut(r, prefix._of("stats.predict", "a population", r), most)
end

local kept, order = {}, {}

-- All populations of the store at `path`, as far as they have ended, the last first.
local function ended(path)
  local stat = uv.fs_stat(path)
  local wal = uv.fs_stat(path .. "-wal")
  local stamp = stat and ("%d %d %d %d"):format(stat.size, stat.mtime.sec, stat.mtime.nsec,
    wal and wal.size or 0)
  if kept[path] and kept[path].stamp == stamp then return kept[path] end
  local list, store = { stamp = stamp }, stat and stores.open(path)
  if not store then return list end
  for _, name in ipairs(store:names()) do
    local good, r = pcall(store.result, store, name)
    r = good and r and #r.errors >= LEAST and not r.early and M.first(r, EACH)
    if r and #r.errors >= LEAST then table.insert(list, 1, r) end
  end
  store:close()
  if not kept[path] then order[#order + 1] = path end
  if #order > KEPT then kept[table.remove(order, 1)] = nil end
  kept[path] = list
  return list
end

--- The others of results: of the stores they are from, the last populations first.
function M.of(list)
  local paths, mine, alike, found, n = {}, {}, {}, {}, 0
  for _, r in ipairs(list) do
    local origin = type(r) == "table" and rawget(r, "_origin")
    local path = origin and origin.store
    if path and r.name then
      if not mine[path] then mine[path], paths[#paths + 1] = {}, path end
      mine[path][r.name], alike[M.conditions(r)] = true, true
    end
  end
  for _, path in ipairs(paths) do
    for _, r in ipairs(ended(path)) do
      if not mine[path][r.name] and alike[M.conditions(r)] and n + #r.errors <= ALL then
        found[#found + 1], n = r, n + #r.errors
      end
    end
  end
  return found
end

return M
