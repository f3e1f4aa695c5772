--- What must hold of the rows of a store, beyond what SQLite checks: every network is the one it
-- was drawn as (its fingerprint and costs), every finished one has its epochs and ends with the
-- error of the last, errors are percentages, places run from 1.

local arch = require "netspace.network.arch"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local sys = require "netspace.core.sys"

local M = {}

--- Whether x is a percentage.
function M.percent(x)
  return type(x) == "number" and x >= 0 and x <= 100
end

--- What makes a text no name of a population, as the end of a sentence; nil for a good one.
-- Names stand in tables, file names, commands and pages: one line of text.
function M.wrong_name(name)
  if name == "" then return "is empty" end
  if not utf8.len(name) then return ("is %q, which is not UTF-8"):format(name) end
  local c = name:match "[%c\u{7f}]" or name:match "\u{85}" or name:match "\u{2028}"
    or name:match "\u{2029}"
  if c then
    return ("is %s, which has a %s; a name is one line of text"):format(json.encode(name),
      c == "\n" and "line break" or "control character")
  end
  if name:find "^%s" or name:find "%s$" then
    return ("is '%s', with a blank at its %s"):format(name,
      name:find "^%s" and "beginning" or "end")
  end
end

--- The states of models that have ended.
M.final = { done = true, diverged = true, failed = true }

-- What is wrong with one model, or nil.  p: its population, with the number of epochs;
-- epochs: the list of its rows.
local function fault(p, model, epochs)
  local m = json.decode(model.m)
  if type(m) ~= "table" then return "its network is not JSON" end
  if ledgers.fingerprint(ledgers.identity(m)) ~= model.hash then
    return "its network is not the one that was drawn"
  end
  local good, cost = pcall(arch.complexity, m)
  if not good then return "its network cannot be built: " .. cost end
  for _, key in ipairs { "flops", "params", "acts" } do
    if cost[key] ~= model[key] then
      return ("its %s are %s, its network has %d"):format(key, tostring(model[key]), cost[key])
    end
  end
  local origin = model.origin and json.decode(model.origin)
  if model.origin and (type(origin) ~= "table" or type(origin.population) ~= "string") then
    return "its origin is not JSON"
  end
  for i, e in ipairs(epochs) do
    if e.epoch ~= i then return ("its epoch %d is missing"):format(i) end
    for _, key in ipairs { "train_error", "validation_error", "top5_error", "class_error" } do
      if e[key] ~= nil and not M.percent(e[key]) then
        return ("its %s of epoch %d is %s, which is not a percentage"):format(key, i,
          tostring(e[key]))
      end
    end
  end
  local counted = tonumber(model.epochs) or -1
  if #epochs < counted or #epochs > counted and (model.status == "done" or
    model.status == "diverged") then -- of others, a lost attempt may have come further
    return ("it has %d epochs, but its count says %s"):format(#epochs, tostring(model.epochs))
  elseif #epochs > p.epochs then
    return ("it has %d epochs, but its recipe has %d"):format(#epochs, p.epochs)
  end
  local status = model.status
  if not M.final[status] then
    if status == "queued" or status == "running" then return nil end
    return "its status is " .. tostring(status)
  elseif not M.percent(model.error) then
    return ("its error is %s, which is not a percentage"):format(tostring(model.error))
  elseif status ~= "done" then
    if model.error == 100 then return nil end
    return ("it is %s, but its error is %g"):format(status, model.error)
  elseif #epochs ~= p.epochs then
    return ("it is done after %d of %d epochs"):format(#epochs, p.epochs)
  elseif epochs[#epochs].validation_error ~= model.error then
    return ("its error is %.17g, its last epoch has %s"):format(model.error,
      tostring(epochs[#epochs].validation_error))
  end
end

-- What the columns of a table hold besides text and JSON: SQLite itself keeps anything.
local types = {
  { "population", "seed", "integer" }, { "population", "sample_seed", "integer" },
  { "population", "tried", "integer" }, { "population", "created", "real" },
  { "population", "name", "text" }, { "model", "attempt", "integer" },
  { "model", "seconds", "real" }, { "run", "workers", "integer" }, { "run", "started", "real" },
  { "run", "updated", "real" }, { "run", "ended", "real" }, { "event", "time", "real" },
}
local MOST = 1e11 -- a time or a duration, in seconds

local function check_types(reader, note)
  for _, t in ipairs(types) do
    local where, column, kind = table.unpack(t)
    local number = kind == "real" and (" OR abs(%s) > %g"):format(column, MOST) or ""
    local bad = reader:rows(("SELECT %s AS value FROM %s WHERE typeof(%s) NOT IN ('%s', 'null')%s")
      :format(column, where, column, kind, number))[1]
    if bad then note("%s of a %s is '%s'", column, where, tostring(bad.value)) end
  end
end

-- Add what is wrong with the constraints of a population, and with its window.
local function check_constraints(p, list, note)
  for i, c in ipairs(type(list) == "table" and list or {}) do
    if type(c) ~= "table" or type(c.name) ~= "string" or type(c.source) ~= "string" then
      note("%s: its constraint %d has no name or no text", p.name, i)
    end
  end
end

local function check_window(p, window, note)
  for key, range in pairs(type(window) == "table" and window or {}) do
    local lo, hi = table.unpack(type(range) == "table" and range or {})
    if type(lo) ~= "number" or type(hi) ~= "number" then
      note("%s: its window of %s is not a range", p.name, tostring(key))
    end
  end
end

--- Adds what is wrong with the rows of a store to `problems`, inside of reader:read().
function M.check(reader, problems)
  local function note(...) problems[#problems + 1] = (...):format(select(2, ...)) end
  check_types(reader, note)
  for _, p in ipairs(reader:rows "SELECT * FROM population ORDER BY id") do
    for _, key in ipairs { "recipe", "data", "card", "spec", "constraints", "window" } do
      local value = p[key] and json.decode(p[key])
      if p[key] and type(value) ~= "table" then note("%s: its %s is not JSON", p.name, key) end
      if key == "constraints" then check_constraints(p, value, note) end
      if key == "window" then check_window(p, value, note) end
      if key == "recipe" and type(value) == "table" then
        p.epochs = value.epochs
        if math.type(p.epochs) ~= "integer" then note("%s: its recipe has no epochs", p.name) end
      end
    end
    local epochs = {}
    for _, e in ipairs(reader:rows([[SELECT epoch.* FROM model JOIN epoch
      ON epoch.model = model.id WHERE population = ? ORDER BY model, epoch]], { p.id })) do
      epochs[e.model] = epochs[e.model] or {}
      table.insert(epochs[e.model], e)
    end
    local models = reader:rows("SELECT * FROM model WHERE population = ? ORDER BY idx", { p.id })
    for i, model in ipairs(models) do
      if sys.interrupted() then error("interrupted", 0) end
      if model.idx ~= i then
        note("%s: model %d is missing (or another one twice)", p.name, i)
        break
      end
      local what = math.type(p.epochs) == "integer" and fault(p, model, epochs[model.id] or {})
      if what then note("%s, model %d: %s", p.name, i, what) end
    end
  end
  for _, row in ipairs(reader:rows "PRAGMA foreign_key_check") do
    note("row %s of %s belongs to no %s", tostring(row.rowid), row.table, row.parent)
  end
end

return M
