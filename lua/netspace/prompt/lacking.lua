--- Where an entry reads a field that a value of netspace does not have, which Lua answers with
-- nil and without a word: A[0], A[1].flops, comparison.verdikt.

local doc = require "netspace.lib.doc"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local slip = require "netspace.lib.slip"
local strict = require "netspace.strict"

local M = {}

-- What is indexed by number.
local elsewhere = { result = "its networks are %s.models, their errors %s.errors" }
-- Where the fields of a kind are described that may be nil.
local described = { comparison = "stats.compare", result = "sweep.run", edf = "stats.edf" }

-- The keys of "[1].w[5]" as a list; nil where there is anything else.
local function keys_of(rest)
  local keys = {}
  while rest ~= "" do
    local key, after = rest:match "^%s*%.%s*([%a_][%w_]*)(.*)$"
    if not key then
      key, after = rest:match "^%s*%[%s*(%-?%d+)%s*%](.*)$"
      key = math.tointeger(key)
    end
    if not key then return nil end
    keys[#keys + 1], rest = key, after
  end
  return keys
end

local function is_network(value)
  return type(value) == "table" and rawget(value, "d") and rawget(value, "stride")
end

-- What is said of value[key], which is nil; `name` is how the entry calls the value.
local function said(name, value, key)
  local kind = members.kind(value)
  if type(key) == "number" then
    if elsewhere[kind] then
      return ("%s is a %s: %s"):format(name, kind, elsewhere[kind]:format(name, name))
    end
    return ("%s[%d] is nil: %s has %d, counted from 1"):format(name, key, name, #value)
  end
  if is_network(value) then return slip.field(name, value, key) end
  if not kind then return nil end
  local topic = doc.topics[described[kind] or kind] or ""
  if topic:find("%." .. key .. "%f[^%w_]") then return nil end -- it may be so
  return ("%s.%s is nil: a %s has no field of that name%s; Tab after %s. lists what it has"):format(
    name, key, kind, key == "len" and ", #" .. name .. " is its length"
    or options.hint(key, members.keys_of(value)), name)
end

--- What an entry reads that is not there, of a value of netspace; nil where that is not so.
function M.told(text)
  local path = text:gsub(";%s*$", ""):gsub("^%s*=", ""):gsub("^%s*[%a_][%w_]*%s*=%f[^=]%s*", "")
  local name, rest = path:match "^%s*([%a_][%w_]*)%s*(.-)%s*$"
  local keys = name and rest ~= "" and keys_of(rest)
  local value = keys and strict.declared[name] and rawget(_G, name)
  for _, key in ipairs(type(value) == "table" and keys or {}) do
    local inner = value[key]
    if inner == nil then
      local list = type(key) == "number" and #value > 0
      return (list or members.kind(value) or is_network(value)) and said(name, value, key) or nil
    end
    name = type(key) == "number" and ("%s[%d]"):format(name, key) or ("%s.%s"):format(name, key)
    value = inner
    if type(value) ~= "table" then return nil end
  end
end

return M
